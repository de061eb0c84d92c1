"""How often each source should be drawn, from how much of it there is and how much of it is wished."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """One source: what there is of it, its share of the records, the share that is wished, and the factor by which
    its records are repeated (above 1) or sampled (below 1) to get there."""

    source: str
    records: int
    pictures: int
    words: int
    share: float
    wished: float
    factor: float


def mixture(
    records: Iterable[tuple[str, int, int]], wished: Mapping[str, float], most_repeats: float
) -> list[Share]:
    """One Share a source, the largest first, of records given as (source, pictures, words).

    `wished` maps sources to weights of any sum; a source that is not in it is left out of training, and with no wishes
    at all everything comes as often as it is there. No factor exceeds `most_repeats`: what is missing then falls to the
    others, because seeing the same records more than about four times teaches little (Muennighoff et al., "Scaling
    data-constrained language models", 2023). A source whose wish is met needs a factor of 1 when the total is kept.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for source, pictures, words in records:
        for place, value in enumerate((1, pictures, words)):
            counts[source][place] += value
    total = sum(count for count, _, _ in counts.values())
    weights = {name: wished.get(name, 0.0) if wished else counts[name][0] for name in counts}
    target = _capped(
        {name: weight for name, weight in weights.items() if weight > 0},
        {name: counts[name][0] * most_repeats for name in counts},
        total,
    )
    shares = [
        Share(
            source=name,
            records=number,
            pictures=pictures,
            words=words,
            share=number / total,
            wished=weights[name] / (sum(weights.values()) or 1),
            factor=target.get(name, 0.0) / number,
        )
        for name, (number, pictures, words) in counts.items()
    ]
    return sorted(shares, key=lambda share: (-share.records, share.source))


def _capped(weights: dict[str, float], most: dict[str, float], total: float) -> dict[str, float]:
    """`total` divided by weight, where none gets more than its most and the others share what is over."""
    given: dict[str, float] = {}
    while weights:
        left, sum_of_weights = total - sum(given.values()), sum(weights.values())
        over = {name for name, weight in weights.items() if left * weight / sum_of_weights > most[name]}
        if not over:
            return given | {name: left * weight / sum_of_weights for name, weight in weights.items()}
        given |= {name: most[name] for name in over}
        weights = {name: weight for name, weight in weights.items() if name not in over}
    return given
