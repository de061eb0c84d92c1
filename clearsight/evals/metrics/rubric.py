"""Free response by a rubric: the share of the points of required facts that a reply states.

A fact is stated when one of its forms (`any`) stands in the reply as words, not denied just before, and none of those
that contradict it (`never`) does. A form that is a number is stated by that number, however it is written. Words are
all that is read: a fact put in words that no form foresees is missed, so forms should be several and short.
`all facts` gives a point only for all of them together.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clearsight.data.verify import numbers_in, plain
from clearsight.evals.metrics.scored import Scored, ratio

Fact = Mapping[str, Any]
_DENIED = re.compile(r"(?:\b(?:no|not|never|without|neither|nor|cannot)|n't)(?: \w+){0,2}\s*$")


def rubric(reply: str, facts: Sequence[Fact]) -> Scored:
    """`facts` are {"fact": ..., "any": [...], "never": [...], "points": ...}; `never` and `points` may be left out."""
    if not reply.strip():
        return Scored.unread(under={"all facts": 0.0})
    stated = [
        any(_states(reply, form) for form in fact["any"])
        and not any(_states(reply, form) for form in fact.get("never", ()))
        for fact in facts
    ]
    points = [float(fact.get("points", 1)) for fact in facts]
    got = sum(worth for worth, there in zip(points, stated, strict=True) if there)
    told = ", ".join(str(fact["fact"]) for fact, there in zip(facts, stated, strict=True) if there)
    return Scored(ratio(got, sum(points)), True, told or "no fact", {"all facts": float(all(stated))})


def _states(reply: str, form: str) -> bool:
    said, wanted = plain(reply), plain(form)
    if re.fullmatch(r"-?\d+(?:\.\d+)?", wanted):
        return float(wanted) in numbers_in(said)
    return any(
        not _DENIED.search(said[: match.start()])
        for match in re.finditer(rf"(?<!\w){re.escape(wanted)}(?!\w)", said)
    )
