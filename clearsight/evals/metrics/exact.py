"""Exact match, and containment as OCRBench scores it (https://arxiv.org/abs/2305.07895).

A reply is right when it is one of the answers, apart from case, an article in front, and a full stop or quotes
around it. `verbatim` lets nothing differ; `contained` asks only that an answer stands somewhere in the reply, which
a reply that lists every candidate passes too.
"""

from collections.abc import Sequence

from clearsight.data.verify import plain
from clearsight.evals.metrics.scored import Scored


def exact_match(reply: str, answers: Sequence[str]) -> Scored:
    """`answers` are all right alike."""
    said = plain(reply)
    under = {
        "verbatim": float(reply.strip() in [answer.strip() for answer in answers]),
        "contained": float(_contains(reply, answers)),
    }
    if not reply.strip():
        return Scored.unread(under=under)
    same = said in {plain(answer) for answer in answers} or bool(under["verbatim"])
    return Scored(float(same), True, said, under)


def ocrbench(reply: str, answers: Sequence[str], formula: bool = False) -> Scored:
    """Whether an answer stands in the reply, ignoring case; of a formula, ignoring spaces and minding case.

    `lmms-eval` looks for a formula as it is written in the lower-cased reply, so one with a capital is never found.
    """
    if not reply.strip():
        return Scored.unread(under={"lmms-eval": 0.0} if formula else {})
    if not formula:
        return Scored(float(_contains(reply, answers)), True, " ".join(reply.split()))
    said = "".join(reply.split())
    right = any("".join(answer.split()) in said for answer in answers)
    compact = reply.lower().strip().replace("\n", " ").replace(" ", "")
    lmms = any(answer.strip().replace("\n", " ").replace(" ", "") in compact for answer in answers)
    return Scored(float(right), True, said, {"lmms-eval": float(lmms)})


def _contains(reply: str, answers: Sequence[str]) -> bool:
    said = reply.lower().strip().replace("\n", " ")
    return any(answer.strip() and answer.lower().strip().replace("\n", " ") in said for answer in answers)
