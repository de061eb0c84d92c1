"""Answers that end well: whoever leaves frees what was held, and the silence of a stream is filled with comments.

Starlette's streaming response leaves a generator unstarted when its reader is gone at once, and what the generator
would have freed stays held; this one owns what it holds.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import anyio
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

NOTICE_SECONDS = 0.25
"""A stream whose request takes longer to be read, judged and let in begins with a notice that it is alive."""
PING_SECONDS = 10.0
PING = b": still here\n\n"


def event(value: dict[str, Any] | str, name: str | None = None) -> bytes:
    """One server-sent event: JSON, or a text as it is, under a name where the API has names."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode() if name else f"data: {text}\n\n".encode()


class EventStream(Response):
    """Events as they come, behind `first`. `holding` is closed at the end, whatever the end is."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[bytes],
        holding: AsyncExitStack,
        headers: Mapping[str, str] | None = None,
        first: bytes = b"",
    ):
        super().__init__(
            headers={"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})},
            media_type=self.media_type,
        )
        del self.headers["content-length"]
        self._events = events
        self._holding = holding
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._cancel_when_gone, receive, group.cancel_scope)
                await self._send_all(send)
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._holding.aclose()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if self._first:
            await send(_body(self._first))
        waiting: asyncio.Future[bytes] | None = None
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(self._events))
                done, _ = await asyncio.wait({waiting}, timeout=PING_SECONDS)
                if not done:
                    await send(_body(PING))
                    continue
                try:
                    event = waiting.result()
                except StopAsyncIteration:
                    break
                waiting = None
                await send(_body(event))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            with anyio.CancelScope(shield=True):
                if waiting is not None and not waiting.done():
                    waiting.cancel()
                    await asyncio.wait({waiting})
                await self._events.aclose()  # type: ignore[attr-defined]

    @staticmethod
    async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


async def stream(
    preparing: "asyncio.Task[Any]", events: AsyncIterator[bytes], holding: AsyncExitStack
) -> EventStream:
    """Events that need what is being prepared. What is wrong with the request is raised, if it is known soon enough.

    Later it has to be told as an event; whoever leaves meanwhile ends the preparing.
    """
    await asyncio.wait({preparing}, timeout=NOTICE_SECONDS)
    if preparing.done():
        preparing.result()
        return EventStream(events, holding)
    holding.push_async_callback(_ended, preparing)
    return EventStream(events, holding, first=PING)


async def _ended(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait({task})


class HeldResponse(JSONResponse):
    """A whole answer; what it holds is settled once it is on its way, so that nobody waits for the ledger."""

    def __init__(self, content: Any, holding: AsyncExitStack):
        super().__init__(content)
        self._holding = holding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._holding.aclose()


def _body(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}
