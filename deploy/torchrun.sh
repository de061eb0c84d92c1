#!/usr/bin/env bash
# Trains on this machine, alone or as one of several. What follows the script's name goes to `clearsight train`.
#
#   deploy/torchrun.sh recipes/finetune.py --set data.corpora=mine.jsonl      one machine, a process for each GPU
#   PROCESSES=2 deploy/torchrun.sh recipes/finetune.py --set ...              two processes, for instance on a CPU
#   NODES=1:4 MEETING=node1:29400 RUN_ID=first deploy/torchrun.sh ...         the same on each of up to four machines
#
# With NODES=1:4 the run goes on when a machine leaves, and takes it in again when it comes back: all processes are
# started anew from the last checkpoint. The rows of a step must divide among every number of processes that may occur.
#
# A process that fails is started again RESTARTS times. SIGTERM, SIGUSR1 and SIGINT let all processes save and stop
# within SAVING seconds; the exit code is then 75, and the same command goes on from there.
set -uo pipefail

export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="${SAVING:-240}"
if [[ -n "${MEETING:-}" ]]; then
  meeting=(--nnodes "${NODES:-1:4}" --rdzv-backend c10d --rdzv-endpoint "$MEETING" --rdzv-id "${RUN_ID:-clearsight}")
else
  meeting=(--standalone)
fi

stopped=
stop() {
  stopped=yes
  kill -TERM "$launcher" 2>/dev/null
}
trap stop TERM INT USR1

torchrun "${meeting[@]}" --nproc-per-node "${PROCESSES:-gpu}" --max-restarts "${RESTARTS:-3}" \
  --signals-to-handle SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 -m clearsight train "$@" &
launcher=$!
while true; do # a signal ends `wait` before the launcher has ended
  wait "$launcher"
  code=$?
  kill -0 "$launcher" 2>/dev/null || break
done
if [[ -n "$stopped" && "$code" -ne 0 ]]; then exit 75; fi
exit "$code"
