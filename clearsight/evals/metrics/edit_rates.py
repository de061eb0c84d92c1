"""CER and WER: which share of characters or words must be changed to get the right text.

    rate = (inserted + deleted + replaced) / length of the right text

Over many replies edits and lengths are added up first, so that a short line does not weigh as much as a page. A
rate can exceed 1; the score is 1 - rate, at least 0. `longer` divides by the longer of the two texts instead,
`ignoring case` says what it says. White space: runs are one space.
"""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from clearsight.evals.metrics.scored import Scored


def character_errors(reply: str, answer: str) -> Scored:
    """CER of one reply; `counts` has edits and characters."""
    said, right = " ".join(reply.split()), " ".join(answer.split())
    return _scored(reply, said, right, said.casefold(), right.casefold())


def word_errors(reply: str, answer: str) -> Scored:
    """WER of one reply; `counts` has edits and words."""
    said, right = reply.split(), answer.split()
    return _scored(reply, said, right, reply.casefold().split(), answer.casefold().split())


def _scored(
    reply: str,
    said: Sequence[str],
    right: Sequence[str],
    said_folded: Sequence[str],
    right_folded: Sequence[str],
) -> Scored:
    edits = Levenshtein.distance(said, right)
    longer = max(len(said), len(right))
    folded = Levenshtein.distance(said_folded, right_folded)
    under = {
        "longer": 1 - edits / longer if longer else 1.0,
        "ignoring case": _kept(folded, len(right_folded)),
    }
    counts = {"edits": float(edits), "length": float(len(right))}
    return Scored(
        _kept(edits, len(right)), bool(reply.strip()) or not right, " ".join(reply.split()), under, counts
    )


def _kept(edits: int, length: int) -> float:
    return max(0.0, 1 - edits / length) if length else float(not edits)
