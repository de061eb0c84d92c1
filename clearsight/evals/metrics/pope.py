"""POPE: is the thing in the picture, yes or no (Li et al., 2023, https://arxiv.org/abs/2305.10355).

A reply says yes or no in words of its own, or is unread. The authors' code reads every reply that lacks "no" and
"not" as yes, an empty one included; lmms-eval asks for the bare word. Over many replies: accuracy, precision and
recall of yes, F1, and the share of replies that say yes, which shows a model that always agrees. An unread reply is
in the denominator of accuracy and recall, and is a yes or no of nothing.
"""

import re

from clearsight.evals.metrics.scored import Scored, ratio

_YES, _NO = {"yes", "yeah", "yep", "true", "correct"}, {"no", "nope", "false", "incorrect"}


def yes_or_no(reply: str) -> bool | None:
    """What a reply says; None for neither or both.

    A reply that opens with yes or no says that, whatever follows ("No, there is no yes-or-no answer on it").
    """
    text = reply.lower().replace("’", "'")
    words = re.findall(r"[a-z']+", text)
    if words and (words[0] in _YES or words[0] in _NO):
        return words[0] in _YES
    yes, no = bool(_YES & set(words)), bool(_NO & set(words))
    if yes != no:
        return yes
    denies = re.search(r"\b(?:isn't|aren't|is not|are not)\b", text)
    return False if denies and not yes else None


def pope(reply: str, there: bool) -> Scored:
    """`there`: whether yes is right."""
    said = yes_or_no(reply)
    under = {
        "official": float(_official(reply) == there),
        "lmms-eval": float(reply.lower().strip() == ("yes" if there else "no")),
    }
    counts = {
        "yes and right": float(said is True and there),
        "yes and wrong": float(said is True and not there),
        "no and wrong": float(said is False and there),
        "no and right": float(said is False and not there),
        "unread": float(said is None),
        "there": float(there),
    }
    if said is None:
        return Scored(0.0, False, reply.strip()[:80], under, counts)
    return Scored(float(said == there), True, "yes" if said else "no", under, counts)


def pope_summary(counts: dict[str, float]) -> dict[str, float]:
    """Of the counts of many replies, added up."""
    yes, no = (
        counts["yes and right"] + counts["yes and wrong"],
        counts["no and right"] + counts["no and wrong"],
    )
    asked = yes + no + counts["unread"]
    precision, recall = ratio(counts["yes and right"], yes), ratio(counts["yes and right"], counts["there"])
    return {
        "accuracy": ratio(counts["yes and right"] + counts["no and right"], asked),
        "precision": precision,
        "recall": recall,
        "F1": ratio(2 * precision * recall, precision + recall),
        "says yes": ratio(yes, asked),
        "unread": ratio(counts["unread"], asked),
    }


def _official(reply: str) -> bool:
    first = reply.split(".")[0].replace(",", "")
    return not {"No", "not", "no"} & set(first.split(" "))
