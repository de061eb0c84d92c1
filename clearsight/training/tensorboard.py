"""The same figures for TensorBoard: event files of scalars, for who looks at many runs side by side.

    with Scalars(out) as show:             # beside the trainer's other `show`
        show("step", {"facts": facts, "verdict": verdict})

    write_scalars(out)                     # from the record of a run that did without

Written by tensorboardX, which needs neither TensorFlow nor TensorBoard itself, and whose own thread writes.
"""

import time
from pathlib import Path
from typing import Any

from clearsight.training.facts import StepFacts
from clearsight.training.record import read_run

FOLDER = "tensorboard"


class TensorBoardMissing(ImportError):
    """The library that writes event files is not installed; the message says how to install it."""


class Scalars:
    """Writes what a trainer shows to `out`/tensorboard. A step that comes again voids what was written from it on.

    Raises TensorBoardMissing where tensorboardX is not installed.
    """

    def __init__(self, out: Path):
        try:
            import tensorboardX
        except ImportError as error:
            raise TensorBoardMissing(
                "TensorBoard files need tensorboardX: pip install 'clearsight[train]', or --set watch.tensorboard=false"
            ) from error
        self._library = tensorboardX
        self._folder = str(out / FOLDER)
        self._writer: Any = None
        self._last = 0

    def __enter__(self) -> "Scalars":
        return self

    def __exit__(self, *failure: Any) -> None:
        if self._writer is not None:
            self._writer.close()

    def __call__(self, kind: str, details: dict[str, Any]) -> None:
        """Takes note of "step" and "validation"; the rest of what a trainer shows has no figures."""
        if kind == "step":
            facts: StepFacts = details["facts"]
            if self._writer is None or facts.step <= self._last:
                self._begin(facts.step)
            self._add(facts.step, scalars(facts))
            self._last = facts.step
        elif kind == "validation" and self._writer is not None:
            self._add(details["step"], {"loss/validation": details["loss"]})

    def _begin(self, step: int) -> None:
        """A new file, of which TensorBoard learns that it voids earlier ones from this step on."""
        if self._writer is not None:
            self._writer.close()
        self._writer = self._library.SummaryWriter(
            self._folder, purge_step=step, filename_suffix=f".{time.time_ns()}"
        )

    def _add(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)


def scalars(facts: StepFacts) -> dict[str, float]:
    """Name and value of everything that is drawn of a step."""
    seconds = max(facts.seconds, 1e-9)
    found = {
        "loss/training": facts.loss,
        "gradient/norm": facts.grad_norm,
        "speed/tokens_per_second": facts.tokens / seconds,
        "speed/teraflops": facts.flops / seconds / 1e12,
        "speed/waiting_for_data": facts.data_wait / seconds,
    }
    found |= {f"rate/{name}": rate for name, rate in facts.rates.items()}
    return found | {f"activations/{name}": size for name, size in facts.activations.items()}


def write_scalars(out: Path) -> Path:
    """Event files of the steps that count, from the record alone; returns their folder."""
    run = read_run(out)
    validated = {event.step: event for event in run.events_of("validation")}
    with Scalars(out) as show:
        for line in run.steps:
            show("step", {"facts": line.facts})
            if event := validated.get(line.facts.step):
                show("validation", {"step": event.step, "loss": float(event.more["loss"])})
    return out / FOLDER
