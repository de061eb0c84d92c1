"""CIDEr: how far a caption uses the words people use about this picture and not about others.

Vedantam et al., 2015, https://arxiv.org/abs/1411.5726. Runs of one to four words are weighted by how rare they are
among the pictures; the score is the mean cosine with each reference, times 10. `CIDEr-D`, which the COCO server
reports, clips repeated words and punishes another length (sigma 6); `CIDEr` does neither. Words are runs of letters
and digits in lower case; the COCO server cuts them with the Penn Treebank's rules, which differ at apostrophes and
hyphens.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

Weights = list[dict[tuple[str, ...], float]]  # one dictionary for each length of run
LONGEST = 4
SIGMA = 6.0


def cider(replies: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, list[float]]:
    """ "CIDEr-D" and "CIDEr" of each reply; the mean over replies is the corpus's. From 0, usually below 10 x 1.

    Rarity is counted among these very references, so a score depends on what else is in the set: a single picture
    gets 0, because nothing in it is rarer than anything else.
    """
    said = [_runs(text) for text in replies]
    told = [[_runs(text) for text in texts] for texts in references]
    seen = Counter(run for texts in told for run in {run for text in texts for run in text})
    log_pictures = math.log(max(1, len(references)))
    found: dict[str, list[float]] = {"CIDEr-D": [], "CIDEr": []}
    for reply, texts in zip(said, told, strict=True):
        mine = _weighted(reply, seen, log_pictures)
        others = [_weighted(text, seen, log_pictures) for text in texts]
        lengths = [_length(reply) - _length(text) for text in texts]
        clipped = [
            _cosine(mine, other, clip=True) * math.exp(-(gap**2) / (2 * SIGMA**2))
            for other, gap in zip(others, lengths, strict=True)
        ]
        plain = [_cosine(mine, other, clip=False) for other in others]
        found["CIDEr-D"].append(10 * sum(clipped) / max(1, len(clipped)))
        found["CIDEr"].append(10 * sum(plain) / max(1, len(plain)))
    return found


def _runs(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return Counter(tuple(words[i : i + n]) for n in range(1, LONGEST + 1) for i in range(len(words) - n + 1))


def _length(runs: Counter[tuple[str, ...]]) -> int:
    """Pairs of words, as the authors' code counts a caption's length."""
    return sum(count for run, count in runs.items() if len(run) == 2)


def _weighted(runs: Counter[tuple[str, ...]], seen: Counter[tuple[str, ...]], log_pictures: float) -> Weights:
    weights: Weights = [{} for _ in range(LONGEST)]
    for run, count in runs.items():
        weights[len(run) - 1][run] = count * (log_pictures - math.log(max(1, seen[run])))
    return weights


def _cosine(mine: Weights, other: Weights, *, clip: bool) -> float:
    """Mean over the lengths of runs."""
    total = 0.0
    for ours, theirs in zip(mine, other, strict=True):
        shared = sum(
            (min(weight, theirs[run]) if clip else weight) * theirs[run]
            for run, weight in ours.items()
            if run in theirs
        )
        size = math.sqrt(sum(w * w for w in ours.values())) * math.sqrt(sum(w * w for w in theirs.values()))
        total += shared / size if size else 0.0
    return total / LONGEST
