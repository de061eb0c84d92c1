"""What a caller holds while an answer is being made: pieces as they become certain, the whole, a way to stop."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator

from clearsight.decoding.text import Answer, TokenEvent, Usage


class Cancelled(RuntimeError):
    """The answer was cancelled before it ended."""


class Stream(Iterator[TokenEvent]):
    """Events of one answer. Read it from one place: a thread (`for event in stream`) or a task (`async for`)."""

    def __init__(self) -> None:
        self._cancel: Callable[[], None] = lambda: None
        self._events: queue.SimpleQueue[TokenEvent | Exception] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._listener: Callable[[], None] | None = None
        self._read: list[TokenEvent] = []
        self._ended = False
        self.usage: Usage | None = None
        """Tokens spent; there once the last event is."""

    def __next__(self) -> TokenEvent:
        """The next event; waits for it. Raises what went wrong, and Cancelled after `cancel`."""
        if self._ended:
            raise StopIteration
        return self._take(self._events.get())

    def __aiter__(self) -> AsyncIterator[TokenEvent]:
        return self._events_here()

    def text(self) -> Iterator[str]:
        """Pieces of text, none of them empty."""
        return (event.text for event in self if event.text)

    def result(self) -> Answer:
        """The whole answer; waits for its end. Raises as reading does."""
        for _ in self:
            pass
        assert self.usage is not None
        reason = self._read[-1].finish_reason
        assert reason is not None
        logprobs = tuple(event.logprob for event in self._read if event.logprob is not None)
        return Answer("".join(event.text for event in self._read), self.usage, reason, logprobs)

    def cancel(self) -> None:
        """Stop the answer and free what it holds; no harm if it has ended."""
        self._cancel()

    def cancelled_by(self, cancel: Callable[[], None]) -> None:
        """For the engine: what `cancel` is to call."""
        self._cancel = cancel

    def deliver(self, event: TokenEvent | Exception, usage: Usage | None = None) -> None:
        """For the engine: hand over the next event, or what ended the answer early; with the last one, tokens spent."""
        if usage is not None:
            self.usage = usage
        self._events.put(event)
        with self._lock:
            listener = self._listener
        if listener is not None:
            listener()

    def _take(self, event: TokenEvent | Exception) -> TokenEvent:
        if isinstance(event, Exception):
            self._ended = True
            raise event
        self._read.append(event)
        self._ended = event.finish_reason is not None
        return event

    async def _events_here(self) -> AsyncIterator[TokenEvent]:
        loop = asyncio.get_running_loop()
        something_came = asyncio.Event()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(something_came.set)

        with self._lock:
            self._listener = tell
        while not self._ended:
            something_came.clear()
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                await something_came.wait()
                continue
            yield self._take(event)
