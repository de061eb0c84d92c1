"""The judge of exact truths (clearsight.data.verify) as a metric: right or wrong, and whether the reply could be
read.

Evaluation, reward and data checks have this one judge. `graded` gives its partial score instead of right or wrong.
"""

import re

from clearsight.data import verify
from clearsight.data.verify import Truth
from clearsight.evals.metrics.boxes import coordinates
from clearsight.evals.metrics.multiple_choice import chosen
from clearsight.evals.metrics.pope import yes_or_no
from clearsight.evals.metrics.scored import Scored


def judged(reply: str, truth: Truth) -> Scored:
    """A reply that can't be read as an answer of the kind asked for is unread, whatever the judge says."""
    verdict = verify.verify(truth, reply)
    readable = verdict.right or can_be_read(reply, truth)
    return Scored(float(verdict.right), readable, " ".join(reply.split())[:120], {"graded": verdict.score})


def can_be_read(reply: str, truth: Truth) -> bool:
    """Whether a reply is an answer of the kind asked for. To say that it is not shown or illegible always is one."""
    said = reply.strip()
    if not said:
        return False
    if verify.says_not_shown(said) or verify.says_unreadable(said):
        return True
    if truth.kind == "number":
        return bool(verify.numbers_in(said))
    if truth.kind == "yes or no":
        return yes_or_no(said) is not None
    if truth.kind == "choice":
        return chosen(said, truth.choices) is not None
    if truth.kind in ("point", "box"):
        return coordinates(said, 2 if truth.kind == "point" else 4) is not None
    if truth.kind == "time":
        return re.search(r"\d{1,2}[:.]\d{2}", said) is not None
    return True
