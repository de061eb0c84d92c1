"""ANLS: how nearly a short answer was read (DocVQA, InfographicVQA).

    score = max over answers of 1 - d, if d < 0.5, else 0;  d = edit distance / length of the longer text

Biten et al., 2019, https://arxiv.org/abs/1905.13648, section 4. Case and runs of white space do not count, neither
in the distance nor in the length. `lmms-eval` (and the script it inherits from) differs: it divides by the length
before white space is collapsed, so that blanks inside a reply change the score, and lets d = 0.5 pass.
"""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from clearsight.evals.metrics.scored import Scored

THRESHOLD = 0.5


def anls(reply: str, answers: Sequence[str], threshold: float = THRESHOLD) -> Scored:
    """`answers` are all right alike."""
    far = min((_distance(reply, answer) for answer in answers), default=1.0)
    lmms = 1 - min((_distance_of_lmms_eval(reply.strip(), answer) for answer in answers), default=1.0)
    return Scored(
        1 - far if far < threshold else 0.0,
        bool(reply.strip()),
        _collapsed(reply),
        {"lmms-eval": lmms if lmms >= threshold else 0.0},
    )


def _distance(reply: str, answer: str) -> float:
    said, right = _collapsed(reply), _collapsed(answer)
    longer = max(len(said), len(right))
    return Levenshtein.distance(said, right) / longer if longer else 0.0


def _distance_of_lmms_eval(reply: str, answer: str) -> float:
    longer = max(len(answer.upper()), len(reply.upper()))
    return Levenshtein.distance(_collapsed(reply), _collapsed(answer)) / longer if longer else 0.0


def _collapsed(text: str) -> str:
    return " ".join(text.lower().split())
