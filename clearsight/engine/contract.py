"""What every engine offers, whether it computes here or asks another server: the one way in for all callers."""

from abc import ABC, abstractmethod
from typing import Self

from clearsight.conversation import Conversation, Detail
from clearsight.decoding.sampling import Sampling
from clearsight.engine.stream import Stream


class ConversationEngine(ABC):
    """Answers conversations, many at once. A context manager that closes at its end."""

    def submit(
        self,
        conversation: Conversation,
        sampling: Sampling | None = None,
        *,
        detail: Detail | None = None,
        tenant: str = "",
        priority: int = 0,
    ) -> Stream:
        """Begin an answer; returns at once. As `submit_many`, for one."""
        return self.submit_many(conversation, sampling, 1, detail=detail, tenant=tenant, priority=priority)[0]

    @abstractmethod
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
        """Begin `count` answers to one prompt. With a seed, each next answer has the next seed."""

    @abstractmethod
    def close(self) -> None:
        """Cancel what is running and free what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
