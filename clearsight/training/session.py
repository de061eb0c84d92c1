"""A run as a person starts it: the trainer, its progress on the terminal, the webhook, and the report at the end."""

import contextlib
import threading
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from clearsight.training import parallel, webhook
from clearsight.training.config import Config, ConfigError
from clearsight.training.conversations import Conversations
from clearsight.training.flops import peak_flops
from clearsight.training.recipe import MakeTask
from clearsight.training.record import Run, read_run
from clearsight.training.report import write_report
from clearsight.training.tensorboard import Scalars, TensorBoardMissing
from clearsight.training.trainer import Trainer
from clearsight.training.watching import Progress


def train(
    config: Config, out: Path, *, task: MakeTask = Conversations, quiet: bool = False
) -> dict[str, Any] | None:
    """Run `config` in the folder `out`, or go on with it; returns a JSON-ready summary on rank 0, None on others.

    Raises ConfigError, TrainingStopped, CheckpointError, and what models and data raise, each with what to do.
    """
    world = parallel.join(config.parallel)
    try:
        peak = world.size * (
            peak_flops(world.device, parallel.precision(config.parallel, world.device)) or 0.0
        )
        shown = world.leads and not quiet
        console = Console(stderr=True, highlight=False, quiet=not shown)
        with contextlib.ExitStack() as stack:
            tell = stack.enter_context(_told(config))
            progress = stack.enter_context(Progress(out, peak_flops=peak, console=console))
            scalars = _scalars(config, out, console) if world.leads else None
            if scalars is not None:
                stack.enter_context(scalars)

            def show(kind: str, details: dict[str, Any]) -> None:
                if kind == "event":
                    tell(details)
                    return
                progress(kind, details)
                if scalars is not None:
                    scalars(kind, details)

            try:
                summary = Trainer(config, out, task=task, world=world, show=show).run()
            finally:
                if world.leads and (out / "record.jsonl").exists():
                    _look_back(out, console)
        if not world.leads:
            return None
        return summary | _speed(read_run(out), peak) | {"report": str(out / "report.html")}
    finally:
        parallel.leave()


@contextlib.contextmanager
def _told(config: Config) -> Any:
    """A function that posts events to the webhook, if there is one; what was begun is finished in the end."""
    threads: list[threading.Thread] = []
    address = config.watch.webhook
    try:
        if address:
            webhook.check_address(address)
    except ValueError as error:
        raise ConfigError(f"watch.webhook: {error}") from error

    def tell(event: dict[str, Any]) -> None:
        if address:
            threads.append(webhook.notify(address, {"run": config.name} | event))

    try:
        yield tell
    finally:
        for thread in threads:
            thread.join(10)


def _scalars(config: Config, out: Path, console: Console) -> Scalars | None:
    if not config.watch.tensorboard:
        return None
    try:
        return Scalars(out)
    except TensorBoardMissing as error:
        console.print(str(error), markup=False)
        return None


def _look_back(out: Path, console: Console) -> None:
    """Write the report. A run that trained well must not fail for want of a plot."""
    try:
        write_report(out)
    except (ImportError, OSError, ValueError) as error:
        console.print(f"report.html could not be written: {error}", markup=False)


def _speed(run: Run, peak: float) -> dict[str, float]:
    """Medians over the steps, the first few left out: they are slower. `mfu` is against the processor's own peak."""
    steps = [step.facts for step in run.steps[min(3, len(run.steps) - 1) :]]
    seconds = median(facts.seconds for facts in steps)
    found = {
        "seconds_per_step": seconds,
        "tokens_per_second": median(facts.tokens / facts.seconds for facts in steps),
        "samples_per_second": median(facts.samples / facts.seconds for facts in steps),
        "pictures_per_second": median(facts.tiles / facts.seconds for facts in steps),
        "data_wait": sum(facts.data_wait for facts in steps) / sum(facts.seconds for facts in steps),
    }
    if peak:
        found["mfu"] = median(facts.flops / facts.seconds for facts in steps) / peak
    return found
