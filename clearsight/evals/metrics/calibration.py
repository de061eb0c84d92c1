"""Calibration: is a model right as often as it says it is sure?

    ECE = sum over bins of (share of replies in the bin) x |share right - mean confidence|

Naeini et al., 2015; Guo et al., 2017, https://arxiv.org/abs/1706.04599. Confidence is the probability of the reply,
or of the letter chosen. ECE depends on its bins: ten of equal width is the habit, bins of equal size (`equal mass`)
are steadier. Even a perfect model has an ECE above 0 on few replies: `expected by chance` is what one would get, so
that a small sample is not read as overconfidence. Brier's score needs no bins.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Replies of like confidence: how many, how sure on the mean, which share right."""

    n: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Calibration:
    """`overconfidence` is mean confidence less accuracy; negative means too modest."""

    n: int
    ece: float
    equal_mass: float
    expected_by_chance: float
    brier: float
    overconfidence: float
    bins: tuple[Bin, ...]


def calibration(confidence: Sequence[float], right: Sequence[bool | float], bins: int = BINS) -> Calibration:
    """Raises ValueError for confidences outside [0, 1], or no replies."""
    sure, hit = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    if not len(sure) or len(sure) != len(hit):
        raise ValueError(
            f"{len(sure)} confidences for {len(hit)} replies; there must be as many, and at least one"
        )
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("confidences are probabilities from 0 to 1")
    by_width = np.minimum((sure * bins).astype(int), bins - 1)
    order = np.argsort(sure, kind="stable")
    by_mass = np.empty(len(sure), dtype=int)
    by_mass[order] = np.arange(len(sure)) * bins // len(sure)
    found = tuple(
        Bin(int(inside.sum()), float(sure[inside].mean()), float(hit[inside].mean()))
        for b in range(bins)
        if (inside := by_width == b).any()
    )
    return Calibration(
        n=len(sure),
        ece=_ece(sure, hit, by_width),
        equal_mass=_ece(sure, hit, by_mass),
        expected_by_chance=_by_chance(sure, by_width),
        brier=float(((sure - hit) ** 2).mean()),
        overconfidence=float(sure.mean() - hit.mean()),
        bins=found,
    )


def _ece(sure: np.ndarray, hit: np.ndarray, which: np.ndarray) -> float:
    gaps = np.bincount(which, weights=sure - hit)
    return float(np.abs(gaps).sum() / len(sure))


def _by_chance(sure: np.ndarray, which: np.ndarray) -> float:
    """A perfect model's gap in a bin is nearly normal; the mean of its absolute value is sqrt(2 / pi) deviations."""
    variance = np.bincount(which, weights=sure * (1 - sure))
    return float(math.sqrt(2 / math.pi) * np.sqrt(variance).sum() / len(sure))
