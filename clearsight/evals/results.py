"""From judged replies to what is reported: each score with n, interval, control, unread rate and fingerprints.

A run is invalid when more than 5% of its replies could not be read: then it measures how the model formats, or that
something is broken, and not what it sees. That is said, and the score is still shown.
"""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from clearsight.decoding.sampling import Sampling
from clearsight.evals.item import items_fingerprint
from clearsight.evals.metrics.by_name import answers, by_name
from clearsight.evals.metrics.calibration import calibration
from clearsight.evals.metrics.scored import total
from clearsight.evals.runner import Judged
from clearsight.evals.statistics import Interval, bootstrap, interval, paired, weighted_interval
from clearsight.evals.subject import Subject, harness_fingerprint, release
from clearsight.evals.suites.suite import Suite

UNREAD_LIMIT = 0.05
VERSION = 1


def summary(suite: Suite, subject: Subject, sampling: Sampling, judged: Sequence[Judged]) -> dict[str, Any]:
    """Everything about a run but its single replies, JSON-ready."""
    unread = sum(not one.scored.parsed for one in judged) / len(judged)
    found: dict[str, Any] = {
        "version": VERSION,
        "suite": suite.name,
        "named": suite.named,
        "count": suite.count,
        "about": suite.about,
        "model": subject.name,
        "valid": unread <= UNREAD_LIMIT,
        "all": told(judged),
        "groups": {name: told(some) for name, some in _by(judged, "group").items()},
        "skills": {name: told(some) for name, some in _by(judged, "skill").items()},
        "metrics": {name: _of_metric(name, some) for name, some in _by(judged, "metric").items()},
        "published": dict(suite.published),
        "notes": list(suite.notes),
        "settings": _settings(suite, sampling, judged),
        "fingerprints": {
            "harness": harness_fingerprint(),
            "release": release(),
            "data": items_fingerprint([one.item for one in judged]),
            "model": subject.fingerprint,
            "prompt": _digest([one.item.conversation.to_json(with_data=False) for one in judged]),
        },
        "tokens": {
            "prompt": sum(one.reply.prompt_tokens for one in judged),
            "completion": sum(one.reply.completion_tokens for one in judged),
        },
    }
    if not found["valid"]:
        found["notes"].append(
            f"Invalid: {unread:.1%} of the replies could not be read; at most {UNREAD_LIMIT:.0%} may."
        )
    if sure := _calibration(judged):
        found["calibration"] = sure
    return found


def told(judged: Sequence[Judged]) -> dict[str, Any]:
    """The score of some replies and what must stand beside it."""
    clusters = [one.item.cluster for one in judged]
    scores = [one.scored.score for one in judged]
    found = _interval(interval(scores, clusters)) | {
        "unread": sum(not one.scored.parsed for one in judged) / len(judged),
        "truncated": sum(one.reply.finish_reason == "length" for one in judged) / len(judged),
        "failed": sum(one.reply.finish_reason == "failed" for one in judged),
        "commonest": _commonest(judged),
    }
    under = {name: _mean([one.scored.under[name] for one in judged]) for name in _conventions(judged)}
    if under:
        found["under"] = under
        found["spread"] = max(found["score"], *under.values()) - min(found["score"], *under.values())
    blind = [one.blind.score for one in judged if one.blind is not None]
    if len(blind) == len(judged):
        gain = paired(blind, scores, clusters)
        found["blind"] = _interval(interval(blind, clusters))
        found["gain"] = {"difference": gain.difference, "p": gain.p, "test": gain.test}
        found["seen"] = gain.significant and gain.difference > 0
    if all(one.item.points is not None for one in judged):
        found["points"] = _points(judged)
    return found


def _points(judged: Sequence[Judged]) -> dict[str, Any]:
    """Points got of those to be had, with the interval of their share; the control's beside."""
    worth = [one.item.points or 0.0 for one in judged]
    clusters = [one.item.cluster for one in judged]

    def of(scores: Sequence[float]) -> dict[str, Any]:
        share = weighted_interval(scores, worth, clusters)
        got = sum(points * score for points, score in zip(worth, scores, strict=True))
        return {"got": got, "of": sum(worth), "share": share.score, "interval": [share.low, share.high]}

    found = of([one.scored.score for one in judged])
    blind = [one.blind.score for one in judged if one.blind is not None]
    return found | ({"blind": of(blind)} if len(blind) == len(judged) else {})


def reply_line(one: Judged) -> dict[str, Any]:
    """One reply as a line of results.jsonl."""
    line: dict[str, Any] = {
        "id": one.item.id,
        "group": one.item.group,
        "skill": one.item.skill,
        "cluster": one.item.cluster,
        "metric": one.item.metric,
        "question": one.item.question,
        "answer": one.item.truth.answer,
        "fingerprint": one.item.fingerprint,
        "pictures": [image.sha256 for image in one.item.pictures],
        "reply": one.reply.text,
        "finish_reason": one.reply.finish_reason,
        **one.scored.to_json(),
    }
    line |= {"logprob": one.reply.logprob} if one.reply.logprob is not None else {}
    line |= {"error": one.reply.error} if one.reply.error else {}
    line |= {"points": one.item.points} if one.item.points is not None else {}
    line |= {"explanation": one.explanation.text} if one.explanation is not None else {}
    if one.blind is not None and one.blind_reply is not None:
        line["blind"] = {"reply": one.blind_reply.text, "score": one.blind.score, "parsed": one.blind.parsed}
        if one.blind_explanation is not None:
            line["blind"]["explanation"] = one.blind_explanation.text
    return line


def _settings(suite: Suite, sampling: Sampling, judged: Sequence[Judged]) -> dict[str, Any]:
    found = {"temperature": sampling.temperature, "seed": sampling.seed, "control": suite.control}
    explained = {one.item.reasoning.temperature for one in judged if one.item.reasoning}
    return found | ({"temperature of explanations": max(explained)} if explained else {})


def _interval(found: Interval) -> dict[str, Any]:
    return {
        "score": found.score,
        "interval": [found.low, found.high],
        "n": found.n,
        "clusters": found.clusters,
    }


def _conventions(judged: Sequence[Judged]) -> list[str]:
    """Conventions under which every one of these replies has a score."""
    shared = set(judged[0].scored.under)
    for one in judged[1:]:
        shared &= set(one.scored.under)
    return sorted(shared)


def _commonest(judged: Sequence[Judged]) -> float:
    """The share of the answer that is right most often: what a model gets that always says the same."""
    said = Counter(one.item.truth.answer.strip().casefold() for one in judged)
    return max(said.values()) / len(judged)


def _of_metric(name: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """What a metric says about all its replies together, with intervals that draw whole clusters."""
    metric, clusters = by_name(name), [one.item.cluster for one in judged]
    found: dict[str, Any] = {"n": len(judged)}
    if metric.together is not None:
        together = metric.together
        whole = dict(together(total(one.scored for one in judged)))
        found |= whole
        found["intervals"] = {}
        for key in whole:

            def drawn_again(drawn: np.ndarray, key: str = key) -> float:
                return together(total(judged[i].scored for i in drawn))[key]

            found["intervals"][key] = bootstrap(drawn_again, clusters, 200)
    if metric.corpus is not None:
        replies, right = [one.reply.text for one in judged], [answers(one.item.truth) for one in judged]
        found |= metric.corpus(replies, right)
    return found


def _calibration(judged: Sequence[Judged]) -> dict[str, Any] | None:
    """How sure the model was of its replies, where the engine told. Confidence is the mean probability of a token."""
    known = [one for one in judged if one.reply.logprob is not None]
    if not known:
        return None
    sure = [min(1.0, math.exp(one.reply.logprob or 0.0)) for one in known]
    found = calibration(sure, [one.scored.score for one in known])
    return vars(found) | {"bins": [vars(one) for one in found.bins]}


def _by(judged: Sequence[Judged], what: str) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        found[getattr(one.item, what)].append(one)
    return {name: found[name] for name in found if name}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
