"""The loop: batches to gradients to steps, the same run however it is divided, interrupted or watched.

One step, on every rank:
1. fetch the step's micro-batches, and count its labelled tokens over all ranks;
2. sum gradients of the loss of all these tokens, divided by their number: a large batch and many small ones are equal;
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clearsight import __version__
from clearsight.data.loader import IGNORED, PADDING, Batch, Loader
from clearsight.data.shards import Corpus
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.tiles import normalise
from clearsight.training import learner, parallel
from clearsight.training.checkpoint import RANDOM, Checkpoints, Piece
from clearsight.training.checks import Checks, Fault
from clearsight.training.config import Config, ConfigError, to_json
from clearsight.training.corpora import open_corpus
from clearsight.training.facts import StepFacts
from clearsight.training.flops import batch_flops, peak_flops
from clearsight.training.guards import Guards, Verdict
from clearsight.training.heartbeat import TRY_AGAIN, Heartbeat, take_alarm
from clearsight.training.optimizers import Optimizers
from clearsight.training.parallel import World, global_norm, local
from clearsight.training.record import RECORD, Record, read_run
from clearsight.training.schedule import share_of_peak

SAMPLED = 256  # elements of each of a few parameters whose bytes enter a step's fingerprint


class TrainingStopped(RuntimeError):
    """A run that ended before its last step; the message says why and how to go on."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


@dataclass
class Seen:
    """What the micro-batches of a step hold, counted on this rank; `numbers` go over all ranks as one message."""

    labelled: int = 0
    tokens: int = 0
    samples: int = 0
    tiles: int = 0
    flops: float = 0.0


class Trainer:
    """One rank of a run. `out` is the run's folder; `show` is told of everything worth showing, on rank 0."""

    def __init__(
        self,
        config: Config,
        out: Path,
        *,
        world: World | None = None,
        show: Callable[[str, dict[str, Any]], None] = lambda kind, details: None,
    ):
        self.started = time.monotonic()
        self.config, self.out, self.show = config, out, show
        self.world = world or parallel.join(config.parallel)
        self.micro_batches = config.micro_batches(self.world.data_ranks)
        self.dtype = parallel.precision(config.parallel, self.world.device)
        self.peak_flops = self.world.size * (peak_flops(self.world.device, self.dtype) or 0.0)
        self.record = self._claim_folder()
        _seed_everything(config.seed + self.world.data_rank)
        self.show("phase", {"text": "loading the model"})
        self.model, self.processor = learner.load(config.model)
        learner.prepare(self.model, config.model)
        self.model.to(self.world.device)
        parallel.spread(self.model, self.world, config.parallel)
        self.optimizers = Optimizers(learner.trained(self.model), config.optimizer)
        self.guards = Guards(config.guards)
        self.corpora = [self._corpus(what) for what in config.data.corpora]
        if not self.corpora:
            raise ConfigError(
                "data.corpora is empty; give --set data.corpora=mine.jsonl, or several with commas"
            )
        self.activations = _Activations(self.model)
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
        loader_state = self._resume()
        self._watch_signals()
        if self.world.leads and (alarm := take_alarm(self.out)) is not None:
            self._event(
                "guard", guard="hung rank", action="restart", reason=alarm.sentence, seconds=alarm.seconds
            )
        self._event(
            "start",
            world_size=self.world.size,
            resumed_from=self.step or None,
            records=self._usable_records(),
            ahead=2 * self.config.data.window,
            seconds=self._since_start(),
        )
        summary: dict[str, Any] = {}
        batches = self._batches(loader_state)
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
                learner.export(self.config, self.checkpoints.path(self._result_step()), self.out / "model")
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

    def _step(self, batches: Iterator[list[Batch]]) -> tuple[StepFacts, Verdict]:
        began = time.perf_counter()
        step = self.step + 1
        self.heart.beat("waiting for data", step)
        micros = next(batches)
        waited = time.perf_counter() - began
        self._state_behind = micros[-1].state
        self.heart.beat("computing", step)
        self._judge_faults(self.checks.before_step())

        seen = self._count(micros)
        numbers = torch.tensor(
            [seen.labelled, seen.tokens, seen.samples, seen.tiles, seen.flops], dtype=torch.float64
        )
        labelled, tokens, samples, tiles, flops = self.world.total(numbers.to(self._number_device)).tolist()
        loss = self._gradients(micros, max(1.0, labelled), self.checks.replays(step))
        norm = global_norm(self.optimizers.gradients(), self.world)
        sums = self.world.total(torch.cat([loss[None], self.activations.taken()]))
        computed = time.perf_counter() - began - waited
        clocks = self.world.gathered(
            torch.tensor(
                [waited + computed, waited, computed], dtype=torch.float64, device=self._number_device
            )
        )
        rates = self.optimizers.set_rates(share_of_peak(self.config.schedule, step))
        facts = StepFacts(
            step=step,
            loss=float(sums[0]) / max(1.0, labelled),
            grad_norm=float(norm),
            seconds=float(clocks[:, 0].max()),
            data_wait=float(clocks[:, 1].max()),
            tokens=int(tokens),
            labelled=int(labelled),
            samples=int(samples),
            tiles=int(tiles),
            flops=flops,
            rates=rates,
            corpora=self._drawn(micros),
            activations=self.activations.means(sums[1:]),
            rank_seconds=tuple(clocks[:, 2].tolist()) if self.world.size > 1 else (),
        )
        verdict = self.guards.judge(facts)
        if verdict.takes_step:
            if verdict.max_norm is not None and facts.grad_norm > verdict.max_norm:
                self.optimizers.scale_gradients(verdict.max_norm / facts.grad_norm)
            self.checks.before_update(step)
            self.optimizers.step()
            self._judge_faults(self.checks.after_update(step))
        self.optimizers.zero_grad()
        self.step = step
        if self.record is not None:
            self.record.step(facts, verdict, self._fingerprint(facts))
            self.record.samples(step, micros[-1].step_samples)
        self.show("step", {"facts": facts, "verdict": verdict, "steps": self.config.schedule.steps})
        return facts, verdict

    def _gradients(self, micros: list[Batch], labelled: float, replay: bool) -> Tensor:
        """Add up the gradients of the mean loss over all ranks' `labelled` tokens; returns this rank's summed loss.

        With `replay` the first micro-batch is computed twice, and compared.
        """

        def add(batch: Batch, sync: bool) -> Tensor:
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

    def _loss(self, batch: Batch) -> Tensor:
        """Summed loss of a micro-batch's labelled tokens, fp32."""
        device = self.world.device
        mixed = self.dtype != torch.float32 and self.world.mesh is None
        with torch.autocast(device.type, self.dtype, enabled=mixed):
            return self.model(
                batch.input_ids_BT.to(device, non_blocking=True),
                normalise(batch.tiles_NCSS.to(device, non_blocking=True), self.processor.tile_settings),
                position_ids=batch.position_ids_BT.to(device, non_blocking=True),
                segment_ids=batch.segment_ids_BT.to(device, non_blocking=True),
                labels=batch.labels_BT.to(device, non_blocking=True),
                reduction="sum",
            )

    # --- data

    def _corpus(self, what: str) -> Corpus:
        """Rank 0 makes what has to be made; the others wait for it."""
        folder = self.out / "corpora"

        def progress(what: str, done: int, total: int | None) -> None:
            self.show("progress", {"text": f"reading {what}", "done": done, "total": total})

        corpus = open_corpus(what, folder, progress) if self.world.leads else None
        self.world.barrier()
        return corpus or open_corpus(what, folder)

    def _loader(self, corpora: list[Corpus], state: dict[str, Any] | None = None, **options: Any) -> Loader:
        data = self.config.data
        settings: dict[str, Any] = {
            "row_tokens": data.row_tokens,
            "row_tiles": data.row_tiles,
            "rows": data.rows,
            "micro_batches": self.micro_batches,
            "weights": data.weights or None,
            "detail": None if data.detail == "own" else data.detail,
            "seed": data.seed,
            "rank": self.world.data_rank,
            "world_size": self.world.data_ranks,
            "workers": data.workers,
            "window": data.window,
            "progress": lambda done, total: self.show(
                "progress", {"text": "counting tokens", "done": done, "total": total}
            ),
        }
        return Loader(corpora, self.processor, state=state, **(settings | options))

    def _usable_records(self) -> list[int]:
        """How many records of each corpus fit into a row; tells of those that don't."""
        left_out = self._loader(self.corpora).left_out
        for what, count in zip(self.config.data.corpora, left_out, strict=True):
            if count:
                self.show(
                    "note", {"text": f"{count} samples of {what} are longer than a row and are left out"}
                )
        return [len(corpus) - count for corpus, count in zip(self.corpora, left_out, strict=True)]

    def _batches(self, state: dict[str, Any] | None) -> Iterator[list[Batch]]:
        """The micro-batches of each step, from `state` on."""
        step: list[Batch] = []
        for batch in self._loader(self.corpora, state):
            step.append(batch)
            if batch.ends_step:
                yield step
                step = []

    def _count(self, micros: list[Batch]) -> Seen:
        seen = Seen()
        for batch in micros:
            segments = batch.segment_ids_BT
            same = segments[:, 1:] == segments[:, :-1]
            labelled = int(((batch.labels_BT[:, 1:] != IGNORED) & same).sum())
            lengths = [int(n) for row in segments for n in torch.bincount(row)[1:]]
            seen.labelled += labelled
            seen.tokens += int((segments != PADDING).sum())
            seen.samples += len(lengths)
            seen.tiles += len(batch.tiles_NCSS)
            seen.flops += batch_flops(
                self.model.config,
                lengths,
                len(batch.tiles_NCSS),
                labelled,
                frozenset(self.config.model.trained),
                self.config.model.rank,
            ).total
        return seen

    def _drawn(self, micros: list[Batch]) -> dict[str, int]:
        counts = Counter(corpus for batch in micros for row in batch.samples for corpus, _ in row)
        names = self.config.data.corpora
        numbers = torch.tensor(
            [counts[i] for i in range(len(names))], dtype=torch.float64, device=self._number_device
        )
        return dict(zip(names, (int(n) for n in self.world.total(numbers)), strict=True))

    # --- validation

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """Mean loss over the first batches of the validation corpora: always the same ones."""
        settings = self.config.validation
        if not settings.corpora:
            return {}
        self.heart.beat("validating", self.step)
        began = time.perf_counter()
        corpora = [self._corpus(what) for what in settings.corpora]
        loader = self._loader(corpora, weights=None, micro_batches=1, seed=0, workers=0)
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64, device=self._number_device)
        for number, batch in enumerate(loader, 1):
            sums += torch.tensor([float(self._loss(batch)), self._count([batch]).labelled]).to(sums)
            if number == settings.batches:
                break
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

    def _save(self, loader_state: dict[str, Any]) -> None:
        self.heart.beat("writing a checkpoint", self.step)
        began = time.perf_counter()
        state = {
            "step": self.step,
            "loader": loader_state,
            "guards": self.guards.state_dict(),
            "best": self.best,
            "config": to_json(self.config),
            "world_size": self.world.size,
        }
        size = self.checkpoints.save(self.step, self._pieces(), state, best=self.best and self.best[1])
        blocked = time.perf_counter() - began
        self._event("checkpoint", bytes=size, blocking_seconds=blocked, seconds=blocked)

    def _resume(self) -> dict[str, Any] | None:
        """Load the newest whole checkpoint, if there is one; returns the loader's state."""
        found = torch.zeros(1, dtype=torch.int64, device=self._number_device)
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

    def _roll_back(self, verdict: Verdict) -> Iterator[list[Batch]]:
        """Take weights and optimiser back to a checkpoint; the data that led astray is not seen again."""
        self.checkpoints.wait()
        self.world.barrier()
        left = self.step
        found = torch.zeros(1, dtype=torch.int64, device=self._number_device)
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

    @property
    def _number_device(self) -> torch.device:
        """Where numbers go over the ranks: gloo's CPU, or the accelerator of nccl."""
        return self.world.device

    def _due(self, every: int) -> bool:
        return every > 0 and self.step % every == 0

    def _since_start(self) -> float:
        return time.monotonic() - self.started

    def _anyone(self, here: bool) -> bool:
        if self.world.mesh is None:
            return here
        flag = torch.tensor([int(here)], device=self._number_device)
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
            if (self.out / RECORD).exists():
                different = _differences(read_run(self.out).config, settings)
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


class _Activations:
    """The root mean square of what each part hands on, averaged over all that is seen in a step."""

    def __init__(self, model: VisionLanguageModel):
        parts = {"vision": model.vision_model, "connector": model.connector, "text": model.text_model}
        self._names = list(parts)
        self._sums = torch.zeros(2 * len(parts), device=model.device)  # of sizes, then how many
        for number, module in enumerate(parts.values()):
            module.register_forward_hook(self._hook(number))

    def _hook(self, number: int) -> Callable[[nn.Module, Any, Tensor], None]:
        def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if output.numel():  # a batch may hold no pictures
                self._sums[number] += output.detach().float().square().mean().sqrt()
                self._sums[number + len(self._names)] += 1

        return note

    def taken(self) -> Tensor:
        """The sums since they were last taken, which may be added up over ranks."""
        found = self._sums.clone()
        self._sums.zero_()
        return found

    def means(self, sums: Tensor) -> dict[str, float]:
        """By part; parts that handed nothing on are left out."""
        sizes, counts = sums.chunk(2)
        return {
            name: float(size / count)
            for name, size, count in zip(self._names, sizes, counts, strict=True)
            if count
        }


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # for libraries that draw from the global generator
    torch.manual_seed(seed)
