"""An engine whose pictures come with the experts' notes."""

from pathlib import Path

from clearsight.conversation import Conversation, Detail
from clearsight.decoding.sampling import Sampling
from clearsight.engine import ConversationEngine, Engine, Stream
from clearsight.experts.notes import OF_ALL, SUFFIX, Experts

CHARACTERS_PER_TOKEN = 2  # of what is read in pictures: numbers and names, seldom prose
ANSWER_TOKENS = 256  # left for an answer whose length is not said


class ToldEngine(ConversationEngine):
    """`inner`, told by `experts` what is in each picture before it answers. It is closed with this one."""

    def __init__(self, inner: ConversationEngine, experts: Experts):
        self.inner, self.experts = inner, experts

    def submit_many(
        self,
        conversation: Conversation,
        sampling: Sampling | None = None,
        count: int = 1,
        *,
        detail: Detail | None = None,
        tenant: str = "",
        priority: int = 0,
    ) -> list[Stream]:
        """Looks at new pictures first, about a second each. Where little of the context is left, notes are shorter."""
        told = self.experts.told(conversation, tenant, self._room(conversation, sampling, detail))
        return self.inner.submit_many(told, sampling, count, detail=detail, tenant=tenant, priority=priority)

    def close(self) -> None:
        self.inner.close()

    def _room(self, conversation: Conversation, sampling: Sampling | None, detail: Detail | None) -> int:
        """Characters that fit beside the conversation and its answer."""
        if not isinstance(self.inner, Engine):
            return OF_ALL
        answer = (sampling.max_tokens if sampling else None) or ANSWER_TOKENS
        used = self.inner.processor.token_cost(conversation, detail=detail)
        left = self.inner.context - used - min(answer, ANSWER_TOKENS)
        return min(OF_ALL, CHARACTERS_PER_TOKEN * max(0, left))


def plain(engine: ConversationEngine) -> ConversationEngine:
    """The engine that computes."""
    return engine.inner if isinstance(engine, ToldEngine) else engine


def without_suffix(spec: str | Path) -> tuple[str, bool]:
    """A model's name without "+experts", and whether that was there."""
    text = str(spec)
    return text.removesuffix(SUFFIX), text.endswith(SUFFIX)
