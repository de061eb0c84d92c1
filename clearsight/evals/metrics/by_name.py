"""Metrics by name, for suites and files: what a name computes from a reply and a truth.

A truth is that of `clearsight.data.verify`. Where people gave several answers, its `value` is the list of them, as
often as they were given; else the answer and its alternatives are all right alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from clearsight.data.verify import Truth
from clearsight.evals.metrics.anls import anls
from clearsight.evals.metrics.bleu import bleu, corpus_bleu
from clearsight.evals.metrics.boxes import box_overlap, point_in_box
from clearsight.evals.metrics.chair import chair, chair_summary
from clearsight.evals.metrics.cider import cider
from clearsight.evals.metrics.edit_rates import character_errors, word_errors
from clearsight.evals.metrics.exact import exact_match, ocrbench
from clearsight.evals.metrics.judged import judged
from clearsight.evals.metrics.multiple_choice import multiple_choice
from clearsight.evals.metrics.pope import pope, pope_summary
from clearsight.evals.metrics.refusal import refusal, refusal_summary
from clearsight.evals.metrics.relaxed import relaxed_accuracy
from clearsight.evals.metrics.rubric import rubric
from clearsight.evals.metrics.scored import Scored, ratio
from clearsight.evals.metrics.vqa import vqa_accuracy


class MetricError(ValueError):
    """A metric that is not there, or a truth that lacks what it needs; the message says which."""


@dataclass(frozen=True)
class Metric:
    """`score` is of one reply; `together`, of the added-up counts of many; `corpus`, of all replies with answers."""

    score: Callable[[str, Truth], Scored]
    together: Callable[[dict[str, float]], Mapping[str, float]] | None = None
    corpus: Callable[[Sequence[str], Sequence[Sequence[str]]], Mapping[str, float]] | None = None


def answers(truth: Truth) -> list[str]:
    """What people said, as often as they said it; or all right answers."""
    if (
        isinstance(truth.value, (list, tuple))
        and truth.value
        and all(isinstance(v, str) for v in truth.value)
    ):
        return list(truth.value)
    return [truth.answer, *truth.alternatives]


def by_name(name: str) -> Metric:
    """Raises MetricError with the names there are."""
    if name not in METRICS:
        raise MetricError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]


def _choice(reply: str, truth: Truth) -> Scored:
    if truth.answer not in truth.choices:
        raise MetricError(f"the answer {truth.answer!r} is none of the choices {', '.join(truth.choices)}")
    return multiple_choice(reply, truth.choices.index(truth.answer), truth.choices)


def _box(truth: Truth) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = (float(v) for v in truth.value)
    except (TypeError, ValueError):
        raise MetricError(f"a box as truth is [left, top, right, bottom], not {truth.value!r}") from None
    return left, top, right, bottom


def _chair(reply: str, truth: Truth) -> Scored:
    value = truth.value
    if not isinstance(value, Mapping) or not {"present", "vocabulary"} <= set(value):
        raise MetricError(
            'CHAIR needs a truth whose value is {"present": [...], "vocabulary": {thing: [forms]}}'
        )
    return chair(reply, value["present"], value["vocabulary"])


def _rubric(reply: str, truth: Truth) -> Scored:
    facts = truth.value
    if not isinstance(facts, (list, tuple)) or not facts or not all(map(_is_fact, facts)):
        raise MetricError('a rubric is a list of facts such as {"fact": "...", "any": ["..."], "points": 1}')
    return rubric(reply, facts)


def _is_fact(fact: object) -> bool:
    if not isinstance(fact, Mapping) or not set(fact) <= {"fact", "any", "never", "points"}:
        return False
    forms, never, points = fact.get("any"), fact.get("never", []), fact.get("points", 1)
    texts = isinstance(forms, list) and forms and isinstance(never, list)
    return bool(
        texts
        and all(isinstance(form, str) and form.strip() for form in [*forms, *never])  # type: ignore[misc]
        and fact.get("fact")
        and isinstance(points, (int, float))
        and points > 0
    )


def _relaxed(reply: str, truth: Truth) -> Scored:
    found = [relaxed_accuracy(reply, answer) for answer in answers(truth)]
    return max(found, key=lambda one: (one.score, one.parsed))


def _error_rate(counts: dict[str, float]) -> dict[str, float]:
    return {"error rate": ratio(counts["edits"], counts["length"])}


def _captions(replies: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    scores = cider(replies, references)
    found = {name: ratio(sum(values), len(values)) for name, values in scores.items()}
    return found | {f"BLEU-4 {name}": value for name, value in corpus_bleu(replies, references).items()}


METRICS: dict[str, Metric] = {
    "judged": Metric(judged),
    "vqa": Metric(lambda reply, truth: vqa_accuracy(reply, answers(truth))),
    "anls": Metric(lambda reply, truth: anls(reply, answers(truth))),
    "relaxed": Metric(_relaxed),
    "choice": Metric(_choice),
    "exact": Metric(lambda reply, truth: exact_match(reply, answers(truth))),
    "ocrbench": Metric(lambda reply, truth: ocrbench(reply, answers(truth))),
    "ocrbench formula": Metric(lambda reply, truth: ocrbench(reply, answers(truth), formula=True)),
    "cer": Metric(lambda reply, truth: character_errors(reply, truth.answer), _error_rate),
    "wer": Metric(lambda reply, truth: word_errors(reply, truth.answer), _error_rate),
    "iou": Metric(lambda reply, truth: box_overlap(reply, _box(truth))),
    "point": Metric(lambda reply, truth: point_in_box(reply, _box(truth))),
    "captions": Metric(lambda reply, truth: bleu(reply, answers(truth)), corpus=_captions),
    "pope": Metric(lambda reply, truth: pope(reply, truth.answer.strip().lower() == "yes"), pope_summary),
    "chair": Metric(_chair, chair_summary),
    "rubric": Metric(_rubric),
    "refusal": Metric(lambda reply, truth: refusal(reply, truth.answer == "refuse"), refusal_summary),
}
