"""Relaxed accuracy: a number within 5% of the true one, other answers exactly (ChartQA).

Methani et al., 2020, https://arxiv.org/abs/1909.00997, and Masry et al., 2022, https://arxiv.org/abs/2203.10244,
section 5.1. Here numbers are read as people write them: "2,500" is 2500, "$10" is 10, "25%" and 25 are the same
both ways, "25 million" is 25 on an axis of millions and 25000000 elsewhere. Zero has no percentages: only zero is
zero. A year (four digits from 1500 to 2100, nothing else) must be exact, since 5% of a year is a century; a plain
amount that looks like one is held to the same.

`pix2struct` is the function that lmms-eval, VLMEvalKit and others copy from one another: it reads none of the above,
and gets the reply without the blanks around it.
"""

import re
from dataclasses import dataclass

from clearsight.evals.metrics.scored import Scored

WITHIN = 0.05
_SCALES = {
    **dict.fromkeys(("thousand", "k"), 1e3),
    **dict.fromkeys(("million", "millions", "mn", "m"), 1e6),
    **dict.fromkeys(("billion", "billions", "bn", "b"), 1e9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 1e12),
}
_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-−+]?)\s*[$€£¥₹]?\s*(?P<sign2>[-−]?)"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?!\d|,\d)"
    r"\s*(?P<percent>%|percent\b|per cent\b)?"
    r"\s*(?P<scale>thousand|millions?|mn|billions?|bn|trillions?|tn|[kmb])?(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Number:
    """A number as it is written: 25 in "25 million", with what stands behind it."""

    value: float
    percent: bool = False
    scale: float = 1.0


def relaxed_accuracy(reply: str, answer: str, within: float = WITHIN) -> Scored:
    """Whether a reply is the answer, nearly. A reply with two different numbers hedges, and can't be read as one."""
    under = {"pix2struct": float(pix2struct(reply.strip(), answer, within))}
    said, right = _bare(reply), _bare(answer)
    if not said:
        return Scored.unread(under=under)
    if said == right:
        return Scored(1.0, True, said, under)
    wanted = _whole_number(right)
    if wanted is None:
        return Scored(0.0, True, said, under)
    found = numbers_in(said)
    if len(set(found)) != 1:
        return Scored.unread(said, under)
    if re.fullmatch(r"1[5-9]\d\d|20\d\d|2100", right):
        return Scored(float(found[0].value == wanted.value), True, said, under)
    return Scored(float(_near(found[0], wanted, within)), True, said, under)


def numbers_in(text: str) -> list[Number]:
    """Every number of a text, in order."""
    found = []
    for match in _NUMBER.finditer(text):
        value = float(match["digits"].replace(",", "").replace(" ", ""))
        if match["sign"] in ("-", "−") or match["sign2"]:
            value = -value
        scale = _SCALES[match["scale"].lower()] if match["scale"] else 1.0
        found.append(Number(value, match["percent"] is not None, scale))
    return found


def pix2struct(reply: str, answer: str, within: float = WITHIN) -> bool:
    """The function in common use, with everything it gets wrong."""

    def number(text: str) -> float | None:
        try:
            return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
        except ValueError:
            return None

    said, right = number(reply), number(answer)
    if said is None or not right:
        return reply.lower() == answer.lower()
    return abs(said - right) / abs(right) <= within


def _near(said: Number, right: Number, within: float) -> bool:
    """Whether two numbers agree, taken as written or with what their signs and words stand for."""
    pairs = (
        [(said.value, right.value)] if said.scale == right.scale or 1.0 in (said.scale, right.scale) else []
    )
    pairs.append((said.value * said.scale, right.value * right.scale))
    if said.percent != right.percent:
        pairs.append((said.value / (100 if said.percent else 1), right.value / (100 if right.percent else 1)))
    return any(
        one == other if other == 0 else abs(one - other) <= within * abs(other) + 1e-12
        for one, other in pairs
    )


def _whole_number(text: str) -> Number | None:
    """The number that a whole answer is; None if it is something else."""
    match = _NUMBER.fullmatch(text)
    return numbers_in(text)[0] if match else None


def _bare(text: str) -> str:
    """Lower case, one space between words, no quotes around it or full stop behind."""
    return " ".join(text.lower().split()).strip("\"'“”` ").rstrip(".!").strip()
