"""Asks a suite's questions, many at once, with and without the pictures, and judges what comes back.

Nothing that was answered before is asked again (replies.py). Scores are computed anew each time, so that a better
judge needs no new answers.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clearsight.conversation import Conversation, assistant, user
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import Answer, ContextError
from clearsight.engine import Stream
from clearsight.evals.item import EvalError, Item, unseen
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.metrics.scored import Scored
from clearsight.evals.replies import Replies, Reply, key_of
from clearsight.evals.subject import Subject
from clearsight.evals.suites.suite import Suite
from clearsight.processing.images import ImageError

REPLIES = "replies.jsonl"


@dataclass(frozen=True)
class Judged:
    """An item, what was said and its worth; the same of the control, where there is one.

    `explanation` is what was said before the reply, where an item asks for reasoning.
    """

    item: Item
    reply: Reply
    scored: Scored
    blind_reply: Reply | None = None
    blind: Scored | None = None
    explanation: Reply | None = None
    blind_explanation: Reply | None = None


@dataclass
class Progress:
    """How far a run is: answers asked for and given in all, of which known before; tokens and seconds since."""

    total: int
    done: int = 0
    known: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    began: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        asked = self.done - self.known
        return (time.monotonic() - self.began) / asked * (self.total - self.done) if asked else None

    def price(self, prompt: float, completion: float) -> float:
        """What was asked for costs, at so much a million tokens."""
        return (self.prompt_tokens * prompt + self.completion_tokens * completion) / 1e6


@dataclass(frozen=True)
class Asked:
    """An answer under way, or known."""

    key: str
    known: Reply | None = None
    stream: Stream | None = None
    began: float = 0.0


def run(
    suite: Suite,
    subject: Subject,
    folder: Path,
    *,
    sampling: Sampling | None = None,
    blind: bool = True,
    limit: int | None = None,
    show: Callable[[Progress], None] = lambda progress: None,
) -> list[Judged]:
    """Every item of the suite, judged, in the suite's order; replies are kept in `folder`.

    `limit` takes the first so many items. Raises EngineError when the engine fails (what was answered is kept), and
    EvalError for a suite that can't be used.
    """
    sampling = sampling or Sampling()
    items = list(_first(suite.items(), limit))
    if not items:
        raise EvalError(f"the suite {suite.name} has no questions")
    seeing_nothing = blind and suite.control is not None
    asked = len(items) + sum(item.reasoning is not None for item in items)
    progress = Progress(asked * (1 + seeing_nothing), began=time.monotonic())
    with Replies(folder / REPLIES) as replies:

        def answered(some: list[Item]) -> list[tuple[Reply | None, Reply]]:
            return _explained_and_answered(some, subject, sampling, replies, progress, show)

        judged = [
            Judged(item, reply, _scored(item, reply), explanation=explanation)
            for item, (explanation, reply) in zip(items, answered(items), strict=True)
        ]
        if not seeing_nothing:
            return judged
        assert suite.control is not None
        controls = [unseen(item, suite.control) if item.conversation.images else item for item in items]
        return [
            replace(one, blind_reply=reply, blind=_scored(one.item, reply), blind_explanation=explanation)
            for one, (explanation, reply) in zip(judged, answered(controls), strict=True)
        ]


def _explained_and_answered(
    items: list[Item],
    subject: Subject,
    sampling: Sampling,
    replies: Replies,
    progress: Progress,
    show: Callable[[Progress], None],
) -> list[tuple[Reply | None, Reply]]:
    """For each item the explanation, where it asks for one, and the reply that follows it."""
    explaining = {n: item.reasoning for n, item in enumerate(items) if item.reasoning is not None}
    explanations: dict[int, Reply] = {}
    for one in dict.fromkeys(explaining.values()):
        numbers = [n for n, reasoning in explaining.items() if reasoning == one]
        warmer = replace(sampling, temperature=one.temperature, max_tokens=one.max_tokens)
        found = _ask_all([items[n] for n in numbers], subject, warmer, replies, progress, show)
        explanations |= dict(zip(numbers, found, strict=True))
    following = [
        _after(item, explanations[n].text) if n in explanations else item for n, item in enumerate(items)
    ]
    answers = _ask_all(following, subject, sampling, replies, progress, show)
    return [(explanations.get(n), reply) for n, reply in enumerate(answers)]


def _after(item: Item, explanation: str) -> Item:
    assert item.reasoning is not None
    messages = (*item.conversation.messages, assistant(explanation), user(item.reasoning.asks))
    return replace(item, conversation=Conversation(messages))


def _ask_all(
    items: list[Item],
    subject: Subject,
    sampling: Sampling,
    replies: Replies,
    progress: Progress,
    show: Callable[[Progress], None],
) -> list[Reply]:
    """A reply to each item; as many are under way as the engine takes."""
    found: list[Reply] = []
    waiting: deque[Asked] = deque()
    try:
        for item in items:
            if len(waiting) >= subject.at_once:
                found.append(_wait(waiting.popleft(), replies, progress, show))
            waiting.append(_ask(item, subject, sampling, replies))
        while waiting:
            found.append(_wait(waiting.popleft(), replies, progress, show))
    finally:
        for asked in waiting:
            if asked.stream is not None:
                asked.stream.cancel()
    return found


def _ask(item: Item, subject: Subject, sampling: Sampling, replies: Replies) -> Asked:
    sampling = replace(sampling, max_tokens=sampling.max_tokens or item.max_tokens)
    key = key_of(item, sampling, subject.fingerprint)
    known = replies.get(key)
    if known is not None:
        return Asked(key, known)
    try:
        return Asked(key, None, subject.engine.submit(item.conversation, sampling), time.monotonic())
    except (ContextError, ImageError) as error:  # of this item alone; it counts as wrong and unread
        reply = Reply("", "failed", error=str(error))
        replies.add(key, reply)
        return Asked(key, reply)


def _wait(asked: Asked, replies: Replies, progress: Progress, show: Callable[[Progress], None]) -> Reply:
    reply = asked.known
    if asked.stream is not None:
        reply = _reply(asked.stream.result(), time.monotonic() - asked.began)
        replies.add(asked.key, reply)
        progress.prompt_tokens += reply.prompt_tokens
        progress.completion_tokens += reply.completion_tokens
    else:
        progress.known += 1
    assert reply is not None
    progress.done += 1
    show(progress)
    return reply


def _reply(answer: Answer, seconds: float) -> Reply:
    usage, told = answer.usage, answer.logprobs
    mean = sum(one.logprob for one in told) / len(told) if told else None
    return Reply(
        answer.text,
        answer.finish_reason,
        usage.prompt_tokens,
        usage.completion_tokens,
        round(seconds, 3),
        mean,
    )


def _scored(item: Item, reply: Reply) -> Scored:
    return by_name(item.metric).score(reply.text, item.truth)


def _first(items: Iterator[Item], limit: int | None) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number == limit:
            return
        yield item
