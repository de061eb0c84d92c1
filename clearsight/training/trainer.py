"""The loop: batches to gradients to steps, the same run however it is divided, interrupted or watched.

What is learned (model, batches, loss) is a task's; how it is learned is here.

One step, on every rank:
1. fetch the step's micro-batches, and count what is labelled in them over all ranks;
2. sum gradients of the loss of all that, divided by its number: a large batch and many small ones are equal;
3. tell the guards what was seen; they decide whether the step is taken, clipped, skipped, or the run taken back;
4. write the record; now and then a checkpoint, a validation, a check of the hardware.

A run is continued by starting it again with the same settings and folder. The number of ranks, loader workers and
micro-batches may change; what is learned from does not.
"""

import math
import os
import platform
import random
import signal
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clearsight import __version__
from clearsight.process_memory import keep_freed_memory
from clearsight.training import learner, parallel
from clearsight.training.activations import Activations
from clearsight.training.checkpoint import RANDOM, Checkpoints, Piece
from clearsight.training.checks import Checks, Fault
from clearsight.training.config import Config, ConfigError, to_json
from clearsight.training.conversations import Conversations
from clearsight.training.facts import StepFacts
from clearsight.training.flops import peak_flops
from clearsight.training.guards import Guards, Verdict
from clearsight.training.heartbeat import TRY_AGAIN, Heartbeat, take_alarm
from clearsight.training.optimizers import Optimizers
from clearsight.training.parallel import World, global_norm, local
from clearsight.training.recipe import MakeTask
from clearsight.training.record import RECORD, Record, read_run
from clearsight.training.schedule import share_of_peak
from clearsight.training.task import MicroBatch, Show

SAMPLED = 256  # elements of each of a few parameters whose bytes enter a step's fingerprint


class TrainingStopped(RuntimeError):
    """A run that ended before its last step; the message says why and how to go on."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class Trainer:
    """One rank of a run. `out` is the run's folder, `task` makes what is learned; `show` is told of everything worth
    showing, on rank 0."""

    def __init__(
        self,
        config: Config,
        out: Path,
        *,
        task: MakeTask = Conversations,
        world: World | None = None,
        show: Show = lambda kind, details: None,
    ):
        self.started = time.monotonic()
        self.config, self.out, self.show = config, out, show
        self.world = world or parallel.join(config.parallel)
        config.micro_batches(self.world.data_ranks)  # refused before anything is begun
        if self.world.device.type == "cpu":
            keep_freed_memory()
        self.dtype = parallel.precision(config.parallel, self.world.device)
        self.peak_flops = self.world.size * (peak_flops(self.world.device, self.dtype) or 0.0)
        self.record = self._claim_folder()
        _seed_everything(config.seed)  # random weights are the same on all ranks
        self.show("phase", {"text": "loading the model"})
        self.task = task(config, out, self.world, show)
        self.model = self.task.model.to(self.world.device)
        parallel.spread(self.model, self.world, config.parallel)
        _seed_everything(config.seed + self.world.data_rank)
        self.optimizers = Optimizers(learner.trained(self.model), config.optimizer, self.task.part_of)
        self.guards = Guards(config.guards)
        self.activations = Activations(self.task.watched, self.world.device)
        self.checkpoints = Checkpoints(
            out / "checkpoints",
            self.world.rank,
            self.world.size,
            keep=config.checkpoints.keep,
            asynchronous=config.checkpoints.asynchronous,
        )
        self.heart = Heartbeat(out, self.world.rank, self.world.size, config.watch.patience)
        self.checks = Checks(config.checks, self.optimizers, self.world, self._anyone)
        self.step = 0
        self.best: tuple[float, int] | None = None  # validation loss, step
        self._told_to_stop: str | None = None

    # --- a run from beginning to end

    def run(self) -> dict[str, Any]:
        """Train to the last step and write the result; returns a JSON-ready summary.

        Raises TrainingStopped when told to stop by a signal, or by the guards.
        """
        data_state = self._resume()
        self._watch_signals()
        if self.world.leads and (alarm := take_alarm(self.out)) is not None:
            self._event(
                "guard", guard="hung rank", action="restart", reason=alarm.sentence, seconds=alarm.seconds
            )
        self._event(
            "start",
            world_size=self.world.size,
            resumed_from=self.step or None,
            **self.task.facts(),
            seconds=self._since_start(),
        )
        summary: dict[str, Any] = {}
        batches = self._batches(data_state)
        try:
            while self.step < self.config.schedule.steps:
                facts, verdict = self._step(batches)
                if verdict.action == "rollback":
                    batches = self._roll_back(verdict)
                    continue
                if verdict.action == "stop":
                    raise TrainingStopped(f"{verdict.reason} Look at {self.out / 'report.html'}.", 1)
                last = self.step == self.config.schedule.steps
                if last or self._due(self.config.validation.every):
                    summary |= self._validate()
                stopping = self._anyone(self._told_to_stop is not None)
                best = self.best is not None and self.best[1] == self.step
                if last or stopping or best or self._due(self.config.checkpoints.every):
                    self._save(self._state_behind)
                if stopping and not last:
                    self.checkpoints.wait()
                    reason = self._told_to_stop or "another rank was told to stop"
                    raise TrainingStopped(
                        f"stopped at step {self.step} ({reason}); the same command goes on from there.",
                        TRY_AGAIN,
                    )
                summary |= {"step": facts.step, "loss": facts.loss}
            self.checkpoints.wait()
            self.world.barrier()
            if self.world.leads:
                self.show("phase", {"text": "writing the result"})
                self.task.write(self.checkpoints.path(self._result_step()), self.out / "model")
            self.world.barrier()
            self._event("end", cause="finished")
            return summary | {"model": str(self.out / "model")}
        except TrainingStopped as stopped:
            self._event("end", cause=str(stopped))
            raise
        finally:
            self.heart.stop()
            if self.record is not None:
                self.record.close()

    def _result_step(self) -> int:
        """The checkpoint the result is taken from: the best by validation, if there was more than one."""
        steps = self.checkpoints.steps()
        return self.best[1] if self.best is not None and self.best[1] in steps else steps[-1]

    # --- one step

    def _step(self, batches: Iterator[list[MicroBatch]]) -> tuple[StepFacts, Verdict]:
        began = time.perf_counter()
        step = self.step + 1
        self.heart.beat("waiting for data", step)
        micros = next(batches)
        waited = time.perf_counter() - began
        self._state_behind = micros[-1].state
        self.heart.beat("computing", step)
        self._judge_faults(self.checks.before_step())

        counts = torch.tensor([self.task.count(batch) for batch in micros], dtype=torch.float64).sum(0)
        labelled, tokens, samples, tiles, flops = self.world.total(counts.to(self.world.device)).tolist()
        loss = self._gradients(micros, max(1.0, labelled), self.checks.replays(step))
        self.checks.after_gradients(step)
        norm = float(global_norm(self.optimizers.gradients(), self.world))
        sums = self.world.total(torch.cat([loss[None], self.activations.taken()]))
        computed = time.perf_counter() - began - waited
        clocks = self.world.gathered(
            torch.tensor([waited + computed, waited, computed], dtype=torch.float64, device=self.world.device)
        )
        gathered = time.perf_counter()
        rates = self.optimizers.set_rates(share_of_peak(self.config.schedule, step))
        facts = StepFacts(
            step=step,
            loss=float(sums[0]) / max(1.0, labelled),
            grad_norm=norm,
            seconds=float(clocks[:, 0].max()),
            data_wait=float(clocks[:, 1].max()),
            tokens=int(tokens),
            labelled=int(labelled),
            samples=int(samples),
            tiles=int(tiles),
            flops=flops,
            rates=rates,
            corpora=self._drawn(micros[-1]),
            activations=self.activations.means(sums[1:]),
            rank_seconds=tuple(clocks[:, 2].tolist()) if self.world.size > 1 else (),
        )
        verdict = self.guards.judge(facts)
        if verdict.takes_step:
            scale = 1.0
            if verdict.max_norm is not None and norm > verdict.max_norm:
                scale = verdict.max_norm / norm
                self.optimizers.scale_gradients(scale)
            self.optimizers.step()
            self._judge_faults(self.checks.after_update(step, scale))
        self.optimizers.zero_grad()
        self.step = step
        fingerprint = self._fingerprint(facts)  # of the new weights: on an accelerator, it waits for them
        facts = replace(facts, seconds=facts.seconds + time.perf_counter() - gathered)
        if self.record is not None:
            self.record.step(facts, verdict, fingerprint)
            self.record.samples(step, micros[-1].step_samples)
        self.show("step", {"facts": facts, "verdict": verdict, "steps": self.config.schedule.steps})
        return facts, verdict

    def _gradients(self, micros: list[MicroBatch], labelled: float, replay: bool) -> Tensor:
        """Add up the gradients of the mean loss over what is `labelled` on all ranks; returns this rank's summed loss.

        With `replay` the first micro-batch is computed twice, and compared.
        """

        def add(batch: MicroBatch, sync: bool) -> Tensor:
            if self.world.mesh is not None:
                self.model.set_requires_gradient_sync(sync)  # type: ignore[operator]
            loss = self._loss(batch)
            # sharded gradients are averaged over the ranks that have data
            (loss * (self.world.data_ranks / labelled)).backward()
            return loss.detach()

        first, *others = micros
        total = torch.zeros((), device=self.world.device)
        if replay:
            losses = []

            def run_once() -> Tensor:
                self.optimizers.zero_grad()
                self.activations.taken()
                losses.append(add(first, sync=True))
                return losses[-1]

            self._judge_faults(self.checks.replay(run_once))
            total += losses[-1]
        else:
            total += add(first, sync=not others)
        for number, batch in enumerate(others, 1):
            total += add(batch, sync=number == len(others))
        return total

    def _judge_faults(self, faults: list[Fault]) -> None:
        """Note what the checks found; a fault that leaves doubt about the weights ends this attempt on all ranks."""
        for fault in faults:
            action = "go" if fault.settled else "restart"
            self._event("guard", guard=fault.check, action=action, reason=fault.sentence)
            self.show("note", {"text": f"{fault.check}: {fault.sentence}"})
        if self._anyone(any(not fault.settled for fault in faults)):
            said = faults[0].sentence if faults else "Another rank's check of its hardware failed."
            raise TrainingStopped(
                f"{said} The same command goes on from the last checkpoint; if this happens again, run clearsight "
                "doctor on this machine.",
                TRY_AGAIN,
            )

    def _loss(self, batch: MicroBatch) -> Tensor:
        """Summed loss of a micro-batch, fp32, its products in the run's precision."""
        mixed = self.dtype != torch.float32 and self.world.mesh is None
        with torch.autocast(self.world.device.type, self.dtype, enabled=mixed):
            return self.task.loss(batch)

    # --- data

    def _batches(self, state: dict[str, Any] | None) -> Iterator[list[MicroBatch]]:
        """The micro-batches of each step, from `state` on."""
        step: list[MicroBatch] = []
        for batch in self.task.batches(state):
            step.append(batch)
            if batch.ends_step:
                yield step
                step = []

    def _drawn(self, batch: MicroBatch) -> dict[str, int]:
        """How many of its step's samples come from each corpus."""
        counts = Counter(corpus for corpus, _ in batch.step_samples)
        return {name: counts[number] for number, name in enumerate(self.task.corpora)}

    # --- validation

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Mean loss over the task's first held-out batches: always the same ones."""
        self.heart.beat("validating", self.step)
        began = time.perf_counter()
        batches = self.task.held_out()
        if batches is None:
            return {}
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64, device=self.world.device)
        for batch in islice(batches, self.config.validation.batches):
            sums += torch.tensor([float(self._loss(batch)), self.task.count(batch).labelled]).to(sums)
        self.model.train()
        self.activations.taken()
        total, labelled = self.world.total(sums).tolist()
        loss = total / max(1.0, labelled)
        if math.isfinite(loss) and (self.best is None or loss < self.best[0]):
            self.best = (loss, self.step)
        self._event("validation", loss=loss, tokens=int(labelled), seconds=time.perf_counter() - began)
        self.show("validation", {"loss": loss, "step": self.step})
        return {"validation_loss": loss}

    # --- checkpoints, going on, going back

    def _pieces(self) -> list[Piece]:
        pieces = [Piece.of(key, tensor, owner) for key, tensor, owner in self.optimizers.tensors()]
        if self.world.rank:
            pieces = [p if p.shape else Piece(p.key, p.tensor, p.shape, p.offset, mine=False) for p in pieces]
        randoms = {f"cpu-{self.world.rank}": torch.get_rng_state()}
        if self.world.device.type == "cuda":
            randoms[f"cuda-{self.world.rank}"] = torch.cuda.get_rng_state(self.world.device)
        return pieces + [
            Piece(RANDOM + name, state, tuple(state.shape), (0,)) for name, state in randoms.items()
        ]

    def _save(self, data_state: dict[str, Any]) -> None:
        self.heart.beat("writing a checkpoint", self.step)
        began = time.perf_counter()
        state = {
            "step": self.step,
            "loader": data_state,
            "guards": self.guards.state_dict(),
            "best": self.best,
            "config": to_json(self.config),
            "world_size": self.world.size,
        }
        size = self.checkpoints.save(self.step, self._pieces(), state, best=self.best and self.best[1])
        blocked = time.perf_counter() - began
        self._event("checkpoint", bytes=size, blocking_seconds=blocked, seconds=blocked)

    def _resume(self) -> dict[str, Any] | None:
        """Load the newest whole checkpoint, if there is one; returns the state of the data."""
        found = torch.zeros(1, dtype=torch.int64, device=self.world.device)
        if self.world.leads:
            self.checkpoints.discard_unfinished()
            step, damaged = self.checkpoints.newest_whole()
            for sentence in damaged:
                self.show("note", {"text": f"a checkpoint is damaged and left out: {sentence}"})
                self._event("guard", guard="torn checkpoint", action="skip", reason=sentence)
            found[0] = step or 0
        if self.world.mesh is not None:
            torch.distributed.broadcast(found, 0)
        step = int(found)
        if not step:
            return None
        state = self._load(step)
        self.guards.load_state_dict(state["guards"])
        self.best = state["best"] and (state["best"][0], state["best"][1])
        self.step = step
        if self.world.leads:
            self.checkpoints.discard_after(step)
        return state["loader"]

    def _load(self, step: int) -> dict[str, Any]:
        self.optimizers.prepare()
        self.checks.forget()
        self.checkpoints.load(step, self._pieces())
        for name, value in self.checkpoints.random_state(step).items():
            if name.startswith("cpu"):
                torch.set_rng_state(value)
            elif self.world.device.type == "cuda":
                torch.cuda.set_rng_state(value, self.world.device)
        return self.checkpoints.state(step)

    def _roll_back(self, verdict: Verdict) -> Iterator[list[MicroBatch]]:
        """Take weights and optimiser back to a checkpoint; the data that led astray is not seen again."""
        self.checkpoints.wait()
        self.world.barrier()
        left = self.step
        found = torch.zeros(1, dtype=torch.int64, device=self.world.device)
        if self.world.leads:
            found[0] = self.checkpoints.newest_whole()[0] or 0
        if self.world.mesh is not None:
            torch.distributed.broadcast(found, 0)
        step = int(found)
        if not step:
            raise TrainingStopped(
                f"{verdict.reason} There is no checkpoint to go back to; make checkpoints.every smaller, or the "
                "rates lower.",
                1,
            )
        self._load(step)  # the guards go on as they are: they count the rollbacks
        self.step = step
        self._event("rollback", to=step, reason=verdict.reason, left=left)
        self.show("note", {"text": f"back to step {step}: {verdict.reason}"})
        return self._batches(self._state_behind)

    # --- small things

    def _due(self, every: int) -> bool:
        return every > 0 and self.step % every == 0

    def _since_start(self) -> float:
        return time.monotonic() - self.started

    def _anyone(self, here: bool) -> bool:
        if self.world.mesh is None:
            return here
        flag = torch.tensor([int(here)], device=self.world.device)
        torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
        return bool(flag)

    def _event(self, kind: str, **details: Any) -> None:
        if self.record is not None:
            self.record.event(kind, self.step, **details)
            self.show("event", {"event": kind, "step": self.step} | details)

    def _fingerprint(self, facts: StepFacts) -> dict[str, Any]:
        """What two runs are compared by: bits of loss and norm, and a checksum of some of the weights."""
        crc = 0
        parameters = list(self.optimizers.named.values())
        for parameter in parameters[:: max(1, len(parameters) // 8)]:
            piece = local(parameter).detach().flatten()[:SAMPLED].cpu().contiguous()
            crc = zlib.crc32(piece.view(torch.uint8).numpy().tobytes(), crc)
        return {
            "loss": float(facts.loss).hex(),
            "norm": float(facts.grad_norm).hex(),
            "weights": f"{crc:08x}",
        }

    def _watch_signals(self) -> None:
        """SIGTERM and SIGUSR1 (schedulers send them before they take a machine), and a first Ctrl-C: save and stop."""

        def stop(number: int, frame: Any) -> None:
            if number == signal.SIGINT and self._told_to_stop:
                raise KeyboardInterrupt
            self._told_to_stop = signal.Signals(number).name
            self.show("note", {"text": f"{self._told_to_stop}: stopping after this step"})

        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            signal.signal(number, stop)

    def _claim_folder(self) -> Record | None:
        """Begin a run's folder, or make sure that it is of this run. The record is rank 0's."""
        record = None
        if self.world.leads:
            settings = to_json(self.config)
            before = read_run(self.out) if (self.out / RECORD).exists() else None
            if before is not None and (before.steps or before.superseded):  # else nothing was learned yet
                different = _differences(before.config, settings)
                if different:
                    raise ConfigError(
                        f"{self.out} holds a run with another {', '.join(different)}. Name another --out, or give the "
                        "same settings"
                    )
            record = Record(self.out)
            record.config(
                settings,
                {"clearsight": __version__, "torch": torch.__version__, "python": platform.python_version()},
                {
                    "device": str(self.world.device),
                    "cores": os.cpu_count(),
                    "platform": platform.platform(),
                    "peak_flops": self.peak_flops,
                },
            )
        self.world.barrier()
        return record


# What may differ when a run goes on: how it is computed and watched, not what is learned.
MAY_DIFFER = (
    "name",
    "data.rows",
    "data.workers",
    "parallel.",
    "checkpoints.",
    "validation.",
    "checks.",
    "watch.",
    "guards.",
)


def _differences(old: dict[str, Any], new: dict[str, Any], where: str = "") -> list[str]:
    found = []
    for name in sorted({*old, *new}):
        path = f"{where}{name}"
        a, b = old.get(name), new.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _differences(a, b, f"{path}.")
        elif a != b and not any(
            path == free or (free.endswith(".") and path.startswith(free)) for free in MAY_DIFFER
        ):
            found.append(path)
    return found


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # for libraries that draw from the global generator
    torch.manual_seed(seed)
