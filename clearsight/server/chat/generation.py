"""From an engine's streams to what clients are told: pieces of text or a tool's call, watched while they come.

Both APIs (chat completions and responses) read the same `Generation`; they differ only in the words they put around it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from clearsight.decoding.text import TokenEvent, TokenLogprob, Usage
from clearsight.engine.stream import Cancelled
from clearsight.safety.watch import OutputWatch
from clearsight.server.chat.tools import Call, Tools
from clearsight.server.errors import ApiError
from clearsight.server.models import engine_errors
from clearsight.server.routing import RoutedStream

CHECK_SECONDS = 1.0
"""How often a running answer asks whether its key may still go on."""


@dataclass(frozen=True)
class Delta:
    """What is new of one of the answers. The last one of each has `finish_reason`."""

    index: int
    text: str = ""
    call: Call | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: str | None = None


@dataclass
class _Answer:
    """Where one of the answers stands."""

    watch: OutputWatch
    tools: Tools
    may_be_call: bool
    held: str = ""

    def take(self, event: TokenEvent) -> tuple[str, Call | None, str | None]:
        """Text to tell, a call, and the reason when this was the end."""
        text = self.held + event.text
        self.held = ""
        if self.may_be_call:
            if event.finish_reason is None and self.tools.may_become_call(text):
                self.held = text
                return "", None, None
            if event.finish_reason is not None:
                call = self.tools.read(text)
                if call is not None:
                    return "", call, "tool_calls" if event.finish_reason == "stop" else event.finish_reason
            self.may_be_call = False
        told = self.watch.feed(text) if text else ""
        if event.finish_reason is not None and not self.watch.stopped:
            told += self.watch.finish()
        if self.watch.stopped:
            return told, None, "content_filter"
        return told, None, event.finish_reason


@dataclass(eq=False)
class Generation:
    """Answers to one prompt, while they come. Read `deltas` to the end; then `usage` is there."""

    streams: Sequence[RoutedStream]
    tools: Tools
    new_watch: Callable[[], OutputWatch]
    still_allowed: Callable[[], Awaitable[bool]]
    finished: dict[int, str] = field(default_factory=dict)
    _counted: dict[int, int] = field(default_factory=dict)
    _events: "asyncio.Queue[tuple[int, TokenEvent | Exception]]" = field(default_factory=asyncio.Queue)

    async def deltas(self) -> AsyncIterator[Delta]:
        """What is new, of all answers in the order it comes. Raises ApiError when one can't go on."""
        queue = self._events
        readers = [
            asyncio.create_task(_read(number, stream, queue)) for number, stream in enumerate(self.streams)
        ]
        answers = [_Answer(self.new_watch(), self.tools, bool(self.tools)) for _ in self.streams]
        guard = asyncio.create_task(self._watch_permission())
        try:
            while len(self.finished) < len(self.streams):
                number, event = await queue.get()
                if isinstance(event, Exception):
                    raise event
                if number in self.finished:
                    continue
                self._counted[number] = self._counted.get(number, 0) + 1
                text, call, reason = answers[number].take(event)
                logprobs = (event.logprob,) if event.logprob is not None else ()
                if reason is not None:
                    self.finished[number] = reason
                    self.streams[number].cancel()
                if text or call or logprobs or reason:
                    yield Delta(number, text, call, logprobs, reason)
        finally:
            for task in (*readers, guard):
                task.cancel()
            for stream in self.streams:
                stream.cancel()

    def break_off(self, error: ApiError) -> None:
        """End the answers where they are; whoever reads them gets `error`."""
        self._events.put_nowait((0, error))

    @property
    def first_token_seconds(self) -> float | None:
        """From asking the engine to the first token of any of the answers."""
        times = [one.begun_at - one.asked_at for one in self.streams if one.begun_at is not None]
        return min(times, default=None)

    @property
    def usage(self) -> Usage:
        """Tokens spent on all answers, and once on the prompt. What was cut short counts as far as it came."""
        known = [stream.usage for stream in self.streams if stream.usage is not None]
        first = known[0] if known else Usage(0, 0, 0, 0)
        completion = sum(
            stream.usage.completion_tokens if stream.usage else self._counted.get(number, 0)
            for number, stream in enumerate(self.streams)
        )
        return Usage(first.prompt_tokens, first.image_tokens, completion, first.cached_tokens)

    async def _watch_permission(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not await self.still_allowed():
                self.break_off(
                    ApiError(401, "This key was revoked while it was being answered.", code="revoked")
                )
                return


async def _read(
    number: int, stream: RoutedStream, queue: "asyncio.Queue[tuple[int, TokenEvent | Exception]]"
) -> None:
    try:
        with engine_errors():
            async for event in stream:
                await queue.put((number, event))
    except ApiError as error:
        await queue.put((number, error))
    except Cancelled:
        await queue.put((number, ApiError(503, "The answer was broken off; ask again.", code="cancelled")))


async def beside(request_gone: Callable[[], Awaitable[bool]], work: Awaitable[None]) -> bool:
    """Do the work unless whoever asked goes away first; whether it was done."""
    task = asyncio.ensure_future(work)

    async def gone() -> None:
        while not await request_gone():
            await asyncio.sleep(0.1)

    watcher = asyncio.create_task(gone())
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return False
        await task
        return True
    finally:
        watcher.cancel()
