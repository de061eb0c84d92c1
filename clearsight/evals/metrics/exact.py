"""Exact match, and containment as OCRBench scores it (https://arxiv.org/abs/2305.07895).

A reply is right when it is one of the answers, apart from case, an article in front, and a full stop or quotes
around it. `verbatim` lets nothing differ; `lmms-eval` (as its GQA is set) lets case and ASCII punctuation differ, but
no article; `contained` asks only that an answer stands somewhere in the reply, which a reply that lists every
candidate passes too.
"""

import string
from collections.abc import Sequence

from clearsight.data.verify import plain
from clearsight.evals.metrics.scored import Scored


def exact_match(reply: str, answers: Sequence[str]) -> Scored:
    """`answers` are all right alike."""
    said = plain(reply)
    under = {
        "verbatim": float(reply.strip() in [answer.strip() for answer in answers]),
        "lmms-eval": float(any(same_but_for_punctuation(reply, answer) for answer in answers)),
        "contained": float(_contains(reply, answers)),
    }
    if not reply.strip():
        return Scored.unread(under=under)
    same = said in {plain(answer) for answer in answers} or bool(under["verbatim"])
    return Scored(float(same), True, said, under)


def same_but_for_punctuation(reply: str, answer: str) -> bool:
    """lmms-eval's exact match when it is told to ignore case and punctuation; blanks around the reply never count."""
    return _without_punctuation(reply.strip()) == _without_punctuation(answer)


def ocrbench(reply: str, answers: Sequence[str], formula: bool = False) -> Scored:
    """Whether an answer stands in the reply, ignoring case; of a formula, ignoring spaces and minding case.

    `lmms-eval` also takes letters and digits of full width for the usual ones (not in formulas), keeps tabs in
    formulas, and finds an empty answer in every reply.
    """
    form = _formula_of_lmms_eval if formula else _text_of_lmms_eval
    under = {"lmms-eval": float(any(form(answer) in form(reply) for answer in answers))}
    if not reply.strip():
        return Scored.unread(under=under)
    if not formula:
        return Scored(float(_contains(reply, answers)), True, " ".join(reply.split()), under)
    said = "".join(reply.split())
    right = any(answer.strip() and "".join(answer.split()) in said for answer in answers)
    return Scored(float(right), True, said, under)


def _contains(reply: str, answers: Sequence[str]) -> bool:
    said = reply.lower().strip().replace("\n", " ")
    return any(answer.strip() and answer.lower().strip().replace("\n", " ") in said for answer in answers)


def _without_punctuation(text: str) -> str:
    lower = text.lower()[: len(text)]  # lmms-eval's arrays of fixed width cut what lower case makes longer
    return lower.translate(str.maketrans("", "", string.punctuation))


# U+FF01 to U+FF5E are the printable ASCII characters once more, as wide as Chinese ones; U+3000 is their blank.
_USUAL_WIDTH = {0x3000: " ", **{code: chr(code - 0xFF01 + ord("!")) for code in range(0xFF01, 0xFF5F)}}


def _text_of_lmms_eval(text: str) -> str:
    return text.translate(_USUAL_WIDTH).lower().strip().replace("\n", " ")


def _formula_of_lmms_eval(text: str) -> str:
    return text.strip().replace("\n", "").replace(" ", "")
