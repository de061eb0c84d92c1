"""A ladder of small runs says what the next one will reach, before it is started.

Runs of growing compute C are fitted by loss = a C^b + c, the way of https://arxiv.org/abs/2203.15556 (appendix D.3):
the Huber loss of the logarithms, from several beginnings. The prediction comes with an interval: losses are shaken by
as much as runs of equal compute differ, and fitted again, many times. It is written down before the run (`register`),
and the outcome beside it afterwards (`compare`), in a file that is only ever added to.

Left out: how parameters and tokens share the compute; a ladder keeps to one rule for that, and its law holds for it.

Shape suffixes: F fits, R runs.
"""

import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

HUBER = 0.01  # of logarithms, as runs differ: what is farther off counts less
ROUNDS, DRAWS = 300, 400
INTERVAL = (0.05, 0.95)
BEGINNINGS = tuple((slope, floor) for slope in (-0.05, -0.15, -0.4) for floor in (0.3, 0.7, 0.95))


class LadderError(ValueError):
    """Runs that no law can be fitted to, or a prediction that comes too late; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """One rung: what it was given, and what it reached on samples it did not learn from."""

    name: str
    flops: float
    loss: float
    parameters: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Law:
    """loss = scale (C / unit)^slope + floor, C in FLOPs."""

    scale: float
    slope: float
    floor: float
    unit: float

    def loss(self, flops: float) -> float:
        return self.scale * (flops / self.unit) ** self.slope + self.floor

    def __str__(self) -> str:
        return f"{self.scale:.3g} (C / {self.unit:.2g})^{self.slope:.3f} + {self.floor:.3g}"


@dataclass(frozen=True)
class Prediction:
    """What a run of so much compute will reach, and between what in nine cases of ten."""

    name: str
    flops: float
    loss: float
    low: float
    high: float
    law: Law
    runs: tuple[str, ...]


def fit(runs: Sequence[Run]) -> Law:
    """The law of at least three runs. Raises LadderError when they are fewer, or more compute did not help."""
    if len({run.flops for run in runs}) < 3:
        raise LadderError(f"{len(runs)} runs don't determine a law of three numbers; train more sizes first")
    first, last = min(runs, key=lambda run: run.flops), max(runs, key=lambda run: run.flops)
    if last.loss >= first.loss:
        raise LadderError(
            f"{last.name} with {last.flops:.2g} FLOPs reached {last.loss:.4f}, no better than {first.name} with "
            f"{first.flops:.2g} ({first.loss:.4f}); look at its learning rate and record before fitting a law"
        )
    unit = math.exp(statistics.fmean(math.log(run.flops) for run in runs))
    begin = np.array(_beginnings(runs))
    compute = np.log([run.flops / unit for run in runs])
    numbers, costs = _descend(compute, np.log([[run.loss for run in runs]] * len(begin)), begin)
    scale, slope, floor = numbers[costs.argmin()]
    return Law(math.exp(scale), float(slope), math.exp(floor), unit)


def _beginnings(runs: Sequence[Run]) -> list[tuple[float, float, float]]:
    least = min(run.loss for run in runs)
    middle = statistics.median(run.loss for run in runs)
    return [(math.log(middle - share * least), slope, math.log(share * least)) for slope, share in BEGINNINGS]


def _descend(
    compute_R: np.ndarray, losses_FR: np.ndarray, numbers_F3: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fits F laws at once to logarithms of R losses each, from (log scale, slope, log floor); returns these and costs.

    Levenberg's and Marquardt's descent, distances weighted anew each time so that the least squares are Huber's.
    """
    numbers_F3, damping_F = numbers_F3.copy(), np.full(len(numbers_F3), 1e-2)

    def off(numbers_F3: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rising_FR = numbers_F3[:, :1] + numbers_F3[:, 1:2] * compute_R
        predicted_FR = np.logaddexp(rising_FR, numbers_F3[:, 2:])
        share_FR = np.exp(rising_FR - predicted_FR)
        slopes_FR3 = np.stack([share_FR, share_FR * compute_R, 1 - share_FR], axis=-1)
        off_FR = predicted_FR - losses_FR
        far_FR = np.abs(off_FR)
        cost_FR = np.where(far_FR < HUBER, off_FR**2 / 2, HUBER * (far_FR - HUBER / 2))
        return off_FR, slopes_FR3, cost_FR.sum(1)

    off_FR, slopes_FR3, cost_F = off(numbers_F3)
    for _ in range(ROUNDS):
        weights_FR = HUBER / np.maximum(np.abs(off_FR), HUBER)
        curvature_F33 = np.einsum("fri,fr,frj->fij", slopes_FR3, weights_FR, slopes_FR3)
        downhill_F3 = -np.einsum("fri,fr,fr->fi", slopes_FR3, weights_FR, off_FR)
        damped_F33 = curvature_F33 + damping_F[:, None, None] * np.eye(3)
        tried_F3 = numbers_F3 + np.clip(np.linalg.solve(damped_F33, downhill_F3[..., None])[..., 0], -1, 1)
        tried = off(tried_F3)
        better_F = tried[2] <= cost_F
        numbers_F3 = np.where(better_F[:, None], tried_F3, numbers_F3)
        off_FR = np.where(better_F[:, None], tried[0], off_FR)
        slopes_FR3 = np.where(better_F[:, None, None], tried[1], slopes_FR3)
        cost_F = np.where(better_F, tried[2], cost_F)
        damping_F = np.clip(np.where(better_F, damping_F / 3, damping_F * 4), 1e-12, 1e6)
    return numbers_F3, cost_F


def predict(name: str, runs: Sequence[Run], flops: float, noise: float, seed: int = 0) -> Prediction:
    """What the run `name` of so much compute will reach.

    `noise` is by which share (standard deviation of the logarithm) losses of equal runs differ, seed by seed; where
    the runs lie farther from their law than that, their distance counts.
    """
    law = fit(runs)
    off = [math.log(run.loss / law.loss(run.flops)) for run in runs]
    degrees = max(1, len(runs) - 3)
    spread = max(noise, math.sqrt(sum(value**2 for value in off) / degrees))
    draw = np.random.default_rng(seed)
    expected = law.loss(flops)
    begin = np.tile([math.log(law.scale), law.slope, math.log(max(law.floor, 1e-9))], (DRAWS, 1))
    fitted_R = np.log([law.loss(run.flops) for run in runs])
    shaken_FR = fitted_R + draw.normal(0, spread, (DRAWS, len(runs)))
    numbers_F3, _ = _descend(np.log([run.flops / law.unit for run in runs]), shaken_FR, begin)
    others = (Law(math.exp(scale), slope, math.exp(floor), law.unit) for scale, slope, floor in numbers_F3)
    losses = np.array([other.loss(flops) for other in others]) * np.exp(draw.normal(0, noise, DRAWS))
    low, high = (float(value) for value in np.quantile(losses, INTERVAL))
    return Prediction(
        name, flops, expected, min(low, expected), max(high, expected), law, tuple(run.name for run in runs)
    )


# --- what was predicted, and what came of it


def register(path: Path, prediction: Prediction) -> None:
    """Write a prediction down; once for each run. Raises LadderError when there is one already."""
    if any(line["run"] == prediction.name for line in read(path)):
        raise LadderError(f"{path} holds a prediction for {prediction.name} already; it is not made again")
    values = asdict(prediction)
    _append(path, {"run": values.pop("name"), **values})


def compare(path: Path, run: Run) -> dict[str, Any]:
    """Write the outcome beside the prediction; returns the outcome's line. Raises LadderError without a prediction."""
    lines = [line for line in read(path) if line["run"] == run.name]
    predicted = next((line for line in lines if "outcome" not in line), None)
    if predicted is None:
        raise LadderError(f"{path} holds no prediction for {run.name}; register one before the run starts")
    told = next((line for line in lines if "outcome" in line), None)
    if told is not None:
        return told
    # The compute may end a little beside the plan: samples don't fill every row.
    expected = Law(**predicted["law"]).loss(run.flops)
    shift = expected / predicted["loss"]
    line = {
        "run": run.name,
        "outcome": run.loss,
        "flops": run.flops,
        "predicted": expected,
        "error": run.loss / expected - 1,
        "inside": predicted["low"] * shift <= run.loss <= predicted["high"] * shift,
    }
    _append(path, line)
    return read(path)[-1]


def read(path: Path) -> list[dict[str, Any]]:
    """All lines: predictions, and outcomes, which hold "outcome"."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def log_line(path: Path, name: str) -> str:
    """Prediction and outcome of a run as a line of Markdown for docs/LOG.md."""
    lines = [line for line in read(path) if line["run"] == name]
    if not lines:
        raise LadderError(f"{path} knows nothing of {name}")
    first = lines[0]
    text = (
        f"- {time.strftime('%Y-%m-%d', time.gmtime(first['time']))}, {name} ({first['flops']:.2g} FLOPs): predicted "
        f"{first['loss']:.4f} ({first['low']:.4f} to {first['high']:.4f}) from {', '.join(first['runs'])} by "
        f"{Law(**first['law'])}"
    )
    outcome = next((line for line in lines if "outcome" in line), None)
    if outcome is None:
        return text + "."
    side = "inside" if outcome["inside"] else "outside"
    return text + f"; reached {outcome['outcome']:.4f} ({outcome['error']:+.1%}, {side} the interval)."


def _append(path: Path, line: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({**line, "time": time.time()}) + "\n")


def plot(path: Path, runs: Sequence[Run], predictions: Sequence[Prediction]) -> None:
    """Draw runs, their law and what is predicted; SVG or PNG by the name's ending."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([run.flops for run in runs], [run.loss for run in runs], "o", color="black", label="reached")
    for run in runs:
        axes.annotate(run.name, (run.flops, run.loss), textcoords="offset points", xytext=(6, 6))
    for number, prediction in enumerate(predictions):
        colour = f"C{number}"
        least = min(run.flops for run in runs)
        steps = [least * (prediction.flops / least) ** (step / 100) for step in range(101)]
        axes.plot(steps, [prediction.law.loss(flops) for flops in steps], color=colour, linewidth=1)
        error = [[prediction.loss - prediction.low], [prediction.high - prediction.loss]]
        axes.errorbar(
            prediction.flops,
            prediction.loss,
            error,
            fmt="s",
            color=colour,
            capsize=4,
            label=f"predicted for {prediction.name}",
        )
    axes.set(
        xscale="log", yscale="log", xlabel="training compute, FLOPs", ylabel="validation loss, nats a token"
    )
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path)
