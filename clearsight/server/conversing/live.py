"""Answers in the making: they go on when whoever asked loses the connection, and can be listened to again.

An answer is a task of this process. What it says so far is kept here for listeners and written to the store every
second, so that another process, or this one after it was killed, has it too.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from clearsight.decoding.sampling import Sampling
from clearsight.server.chat.answering import Asked, InputRefused, answering
from clearsight.server.chat.completion import REFUSED, usage_json
from clearsight.server.chat.prompt import Prompt
from clearsight.server.chat.tools import Tools
from clearsight.server.conversing.alt import AlternativeTexts
from clearsight.server.errors import ApiError
from clearsight.server.models import Model
from clearsight.server.platform import Platform
from clearsight.server.principal import Principal
from clearsight.server.store import messages
from clearsight.server.store.tables import Message

log = logging.getLogger(__name__)
SNAPSHOT_SECONDS = 1.0
POLL_SECONDS = 0.5
KEPT_SECONDS = 60.0
"""A finished answer stays here so long, for listeners that come back."""
STATUS = {"stop": "complete", "length": "complete", "content_filter": "filtered"}


@dataclass
class LiveAnswer:
    """One answer in the making."""

    message: Message
    text: str = ""
    status: str = "streaming"
    details: dict[str, Any] = field(default_factory=dict)
    ended_at: float = 0.0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    def add(self, text: str) -> None:
        self.text += text
        self._wake()

    def end(self, status: str) -> None:
        self.status = status
        self.ended_at = time.monotonic()
        self._wake()

    async def pieces(self, at: int) -> AsyncIterator[tuple[int, str]]:
        """Text from the character `at` on, as it comes: where each piece begins, and the piece."""
        while True:
            changed = self._changed
            if at < len(self.text):
                piece = self.text[at:]
                yield at, piece
                at += len(piece)
            elif self.status != "streaming":
                return
            else:
                await changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class LiveAnswers:
    """All answers that this process is making for conversations."""

    def __init__(self, platform: Platform):
        self._platform = platform
        self._answers: dict[str, LiveAnswer] = {}
        self._alternatives = AlternativeTexts(platform)

    def get(self, message_id: str) -> LiveAnswer | None:
        return self._answers.get(message_id)

    def start(
        self,
        principal: Principal,
        request_id: str,
        model: Model,
        prompt: Prompt,
        sampling: Sampling,
        message: Message,
        turn: Message,
    ) -> LiveAnswer:
        """Begin an answer to a turn; the rows of both are there."""
        for old in [one for one, live in self._answers.items() if _is_old(live)]:
            del self._answers[old]
        live = LiveAnswer(message, details=dict(message.details))
        asked = Asked("/v1/conversations", model, prompt, sampling, Tools(), 1)
        hashes = [part["sha256"] for part in turn.content if part["type"] == "image"]
        live.task = asyncio.create_task(self._make(live, principal, request_id, asked, hashes))
        self._answers[message.id] = live
        return live

    async def stop(self, principal: Principal, message_id: str) -> None:
        """End an answer where it is; what there is of it stays. In another process it ends with its next snapshot."""
        live = self._answers.get(message_id)
        if live is not None and live.task is not None:
            live.task.cancel()
            await asyncio.wait({live.task})
            return
        row = await messages.get(
            self._platform.database, principal.organisation_id, principal.user_id, message_id
        )
        await messages.finish(
            self._platform.database,
            principal.organisation_id,
            principal.user_id,
            message_id,
            row.content,
            "stopped",
            row.details,
        )

    async def close(self) -> None:
        """Stop all answers; what there is of them is kept."""
        await self._alternatives.close()
        tasks = [
            live.task for live in self._answers.values() if live.task is not None and not live.task.done()
        ]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _make(
        self, live: LiveAnswer, principal: Principal, request_id: str, asked: Asked, hashes: list[str]
    ) -> None:
        status = "failed"
        snapshots = asyncio.create_task(self._snapshots(live, principal, asyncio.current_task()))
        began = time.monotonic()
        try:
            async with answering(self._platform, principal, request_id, asked, {}) as generation:
                async for delta in generation.deltas():
                    if delta.text:
                        if not live.text:
                            live.details["first_token_ms"] = round((time.monotonic() - began) * 1000)
                        live.add(delta.text)
                    if delta.finish_reason:
                        live.details["finish_reason"] = delta.finish_reason
                        status = STATUS.get(delta.finish_reason, "complete")
                live.details["usage"] = usage_json(generation.usage)
        except InputRefused:
            live.details["finish_reason"] = "content_filter"
            status = "filtered"
            live.add(REFUSED)
        except ApiError as error:
            live.details["error"] = error.message
        except asyncio.CancelledError:
            status = "stopped"
        except Exception:
            log.exception("answer %s broke off", live.message.id)
            live.details["error"] = "Something failed here; ask again."
        finally:
            snapshots.cancel()
            live.details["seconds"] = round(time.monotonic() - began, 2)
            await asyncio.shield(self._finish(live, principal, status))
        if status == "complete":
            self._alternatives.want(principal, asked.model, hashes)

    async def _finish(self, live: LiveAnswer, principal: Principal, status: str) -> None:
        try:
            await messages.finish(
                self._platform.database,
                principal.organisation_id,
                principal.user_id,
                live.message.id,
                _parts(live.text),
                status,  # type: ignore[arg-type]
                live.details,
            )
        finally:
            live.end(status)

    async def _snapshots(
        self, live: LiveAnswer, principal: Principal, making: "asyncio.Task[None] | None"
    ) -> None:
        """Keep what there is every second; stop when the row says that somebody ended it."""
        while True:
            await asyncio.sleep(SNAPSHOT_SECONDS)
            goes_on = await messages.snapshot(
                self._platform.database,
                principal.organisation_id,
                principal.user_id,
                live.message.id,
                _parts(live.text),
            )
            if not goes_on and making is not None:
                making.cancel()
                return


async def listen(
    platform: Platform, live: LiveAnswer | None, principal: Principal, message_id: str, at: int
) -> AsyncIterator[dict[str, Any]]:
    """Events of an answer from the character `at` on, wherever it is being made: deltas, then done with its row."""
    if live is not None:
        async for place, piece in live.pieces(at):
            yield {"type": "delta", "at": place, "text": piece}
    while True:
        row = await messages.get(platform.database, principal.organisation_id, principal.user_id, message_id)
        text = "".join(part["text"] for part in row.content if part["type"] == "text")
        if live is None and len(text) > at:
            yield {"type": "delta", "at": at, "text": text[at:]}
            at = len(text)
        if row.status != "streaming":
            yield {"type": "done", "message": message_json(row)}
            return
        await asyncio.sleep(POLL_SECONDS)


def message_json(row: Message) -> dict[str, Any]:
    """A turn as clients get it."""
    return {
        "id": row.id,
        "object": "conversation.message",
        "conversation_id": row.conversation_id,
        "parent_id": row.parent_id,
        "sequence": row.sequence,
        "role": row.role,
        "content": row.content,
        "status": row.status,
        "details": row.details,
        "created_at": row.created_at / 1000,
    }


def _parts(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text else []


def _is_old(live: LiveAnswer) -> bool:
    return bool(live.ended_at) and time.monotonic() - live.ended_at > KEPT_SECONDS
