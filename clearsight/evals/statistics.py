"""How sure a score is, whether two differ, and what a run of a given size can show at all.

Questions about one picture are not independent: whoever misreads it misreads it for all of them. So pictures
(clusters), not questions, are what intervals and tests count. Sources: Miller, 2024, "Adding error bars to evals",
arXiv 2411.00640 (clustered errors, paired tests, power); Wilson, 1927; McNemar, 1947; Good, "Permutation tests"
(sign flips of pairs).

Everything random takes a seed, and gives the same figures again.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
SIGNIFICANT = 0.05
POWER = 0.8
PERMUTATIONS = 10_000
EXACT_UP_TO = 12  # clusters that differ; 2^12 sign patterns are all looked at
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """A score with its confidence interval. `n` questions in `clusters`; `error` is the standard error."""

    score: float
    low: float
    high: float
    n: int
    clusters: int
    error: float


@dataclass(frozen=True)
class Paired:
    """The second run less the first, on the same questions. `p` is two-sided.

    `detectable` is the difference that a test of this size finds four times in five.
    """

    difference: float
    low: float
    high: float
    p: float
    test: str
    n: int
    clusters: int
    detectable: float

    @property
    def significant(self) -> bool:
        return self.p < SIGNIFICANT


def wilson(right: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """95% interval of a proportion (Wilson, 1927). `n` may be an effective number, and need not be whole."""
    share, square = right / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def clustered_error(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Standard error of the mean when values of a cluster go together (the sandwich; Miller, equation 4).

    sqrt(G / (G - 1) x sum over clusters of (sum of deviations)^2) / n. nan for a single cluster.
    """
    sums = _cluster_sums(np.asarray(values, dtype=float) - np.mean(values), clusters)
    count = len(sums)
    return float(math.sqrt(count / (count - 1) * (sums**2).sum()) / len(values)) if count > 1 else math.nan


def interval(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """The mean of scores in [0, 1] with its interval; each value its own cluster if none are given.

    For right or wrong it is Wilson's with the number of independent questions that the clustered error amounts to
    (Dean and Pagano, 2015); where all are right or all wrong, with the number of clusters, which is the most careful.
    For graded scores it is Student's, with the clustered error. Raises ValueError for no values.
    """
    if not len(values):
        raise ValueError("there is no score to give an interval of")
    clusters = range(len(values)) if clusters is None else clusters
    mean, n, groups = float(np.mean(values)), len(values), len(set(clusters))
    error = clustered_error(values, clusters)
    if groups < 2:
        return Interval(mean, *wilson(mean, 1, student(confidence, 10**9)), n, groups, math.nan)
    if all(value in (0, 1) for value in values):
        variance = mean * (1 - mean)
        effective = min(float(n), variance / error**2) if variance and error else float(groups)
        low, high = wilson(mean * effective, effective, student(confidence, groups - 1))
    else:
        half = student(confidence, groups - 1) * error
        low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Interval(mean, low, high, n, groups, error)


def weighted_interval(
    values: Sequence[float],
    weights: Sequence[float],
    clusters: Sequence[Hashable],
    confidence: float = CONFIDENCE,
) -> Interval:
    """The weighted mean of scores in [0, 1], such as an exam's share of points, with its interval.

    Wilson's with the number of independent questions that the clustered error of the ratio amounts to, which for
    graded scores is on the careful side; where the error is 0 it is the number of clusters.
    """
    scores, worth = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    mean, n, groups = float((scores * worth).sum() / worth.sum()), len(scores), len(set(clusters))
    if groups < 2:
        return Interval(mean, *wilson(mean, 1, student(confidence, 10**9)), n, groups, math.nan)
    error = clustered_error((worth * (scores - mean) / worth.mean()).tolist(), clusters)
    effective = min(float(n), mean * (1 - mean) / error**2) if error > 1e-12 else float(groups)
    low, high = wilson(mean * effective, effective, student(confidence, groups - 1))
    return Interval(mean, low, high, n, groups, error)


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    clusters: Sequence[Hashable],
    draws: int = 1000,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of any statistic, drawing whole clusters: for ratios of sums, F1, CIDEr.

    `statistic` gets the indices of the values drawn.
    """
    members: dict[Hashable, list[int]] = {}
    for index, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(index)
    groups = [np.asarray(indices) for indices in members.values()]
    rng = np.random.default_rng(seed)
    found = [
        statistic(np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))]))
        for _ in range(draws)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


# ---------------------------------------------------------------------------------------------------
# Two runs on the same questions


def paired(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Paired:
    """Whether two runs differ on the same questions, in the same order.

    Right or wrong with one question a cluster is McNemar's exact test; else signs are flipped cluster by cluster.
    Raises ValueError for runs of unequal length, or none.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} and {len(second)} scores can't be paired")
    clusters = list(range(len(first)) if clusters is None else clusters)
    gaps = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    groups = len(set(clusters))
    error = clustered_error(gaps.tolist(), clusters)
    if groups == len(gaps) and set(np.unique(gaps)) <= {-1.0, 0.0, 1.0}:
        p, test = mcnemar(int((gaps < 0).sum()), int((gaps > 0).sum())), "McNemar, exact"
    else:
        p, test = sign_flips(_cluster_sums(gaps, clusters), seed=seed), "sign flips over clusters"
    mean = float(gaps.mean())
    half = student(CONFIDENCE, groups - 1) * error if groups > 1 else math.nan
    found = detectable(error) if groups > 1 else math.nan
    return Paired(mean, mean - half, mean + half, p, test, len(gaps), groups, found)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p of McNemar's test: of the questions that one run alone got right, how unequal is the split?

    `only_first` and `only_second` count them. Without any, nothing differs and p is 1.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    if not n:
        return 1.0
    if (
        n > 2000
    ):  # the normal's, with Edwards' correction; the exact sum would take long and differ by less than 0.001
        return min(1.0, 2 * _NORMAL.cdf(-max(0.0, n - 2 * fewer - 1) / math.sqrt(n)))
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n)


def sign_flips(sums: np.ndarray, draws: int = PERMUTATIONS, seed: int = 0) -> float:
    """Two-sided p of the paired permutation test: were the two runs equal, each cluster's sum could as well be
    negative.

    All patterns of signs for few clusters, else `draws` random ones and the observed one (so p is never 0).
    """
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    seen = abs(float(sums.sum())) * (1 - 1e-9)
    if len(sums) <= EXACT_UP_TO:
        patterns = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
        return float((np.abs((1 - 2 * patterns) @ sums) >= seen).mean())
    rng = np.random.default_rng(seed)
    at_least = 1
    for _ in range(0, draws, 1000):
        bits = rng.integers(0, 256, (1000, (len(sums) + 7) // 8), dtype=np.uint8)
        signs = 1 - 2 * np.unpackbits(bits, axis=1, count=len(sums)).astype(np.float32)
        at_least += int((np.abs(signs @ sums.astype(np.float32)) >= seen * (1 - 1e-5)).sum())
    return at_least / (math.ceil(draws / 1000) * 1000 + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for how many tests were made (Holm, 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    found, worst = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        found[index] = worst
    return found


# ---------------------------------------------------------------------------------------------------
# What can be shown at all


def power(difference: float, error: float, significant: float = SIGNIFICANT) -> float:
    """How often a true difference is found, given the standard error of the measured one (Miller, section 5)."""
    cut = _NORMAL.inv_cdf(1 - significant / 2)
    distance = abs(difference) / error
    return _NORMAL.cdf(distance - cut) + _NORMAL.cdf(-distance - cut)


def detectable(error: float, wanted: float = POWER, significant: float = SIGNIFICANT) -> float:
    """The smallest difference that is found with the wanted power, given the standard error of a difference."""
    return (_NORMAL.inv_cdf(1 - significant / 2) + _NORMAL.inv_cdf(wanted)) * error


def planned_error(
    n: int, score: float, correlation: float = 0.5, per_cluster: float = 1.0, within: float = 0.0
) -> float:
    """The standard error of a paired difference before anything is run.

    `score` is the share right, `correlation` that of the two runs on a question, `per_cluster` the questions a
    picture, `within` how alike questions about one picture are (intraclass correlation).
    """
    variance = 2 * score * (1 - score) * (1 - correlation)
    return math.sqrt(variance * (1 + (per_cluster - 1) * within) / n)


def student(confidence: float, freedom: int) -> float:
    """The two-sided quantile of Student's t, from the normal's (Abramowitz and Stegun, 26.7.5).

    Exact for one and two degrees of freedom, within 0.5% from three on.
    """
    upper = (1 + confidence) / 2
    if freedom == 1:
        return math.tan(math.pi * (upper - 0.5))
    if freedom == 2:
        return (2 * upper - 1) * math.sqrt(2 / (4 * upper * (1 - upper)))
    z, v = _NORMAL.inv_cdf(upper), float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def _cluster_sums(values: np.ndarray, clusters: Sequence[Hashable]) -> np.ndarray:
    numbers: dict[Hashable, int] = {}
    which = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    return np.bincount(which, weights=values)
