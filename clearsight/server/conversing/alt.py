"""Alternative text for pictures, written by a model once they have been answered about.

Every picture in a transcript needs words (WCAG 1.1.1), and nobody types them. So after an answer about a picture that
has none, one sentence is asked for in the background, behind everything that people wait for. It is moderated and
metered as any answer; what the policy stops is not kept, and what a person wrote is never replaced. When limits or
the model say no, the picture stays without until it is answered about again.
"""

import asyncio
import logging
import secrets

from clearsight.decoding.sampling import Sampling
from clearsight.describing.instructions import ALTERNATIVE
from clearsight.server.chat.answering import Asked, InputRefused, answering
from clearsight.server.chat.prompt import StoredPart, StoredTurn, read_messages
from clearsight.server.chat.requests import TextPart
from clearsight.server.chat.tools import Tools
from clearsight.server.errors import ApiError
from clearsight.server.models import Model
from clearsight.server.pictures import PictureSource
from clearsight.server.platform import Platform
from clearsight.server.principal import Principal

log = logging.getLogger(__name__)
ROUTE = "/v1/images/alt"
PRIORITY = 6
"""A minute later than whatever a person asked for at the same time (see clearsight.engine.engine)."""
MAX_TOKENS = 48
LONGEST = 300  # characters
MOST_WAITING = 100


class AlternativeTexts:
    """What is being written in this process."""

    def __init__(self, platform: Platform):
        self._platform = platform
        self._wanted: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, principal: Principal, model: Model, hashes: list[str]) -> None:
        """Write words for those of these pictures that have none; returns at once."""
        for sha256 in hashes:
            key = (principal.organisation_id, sha256)
            if key in self._wanted or len(self._wanted) >= MOST_WAITING:
                continue
            self._wanted.add(key)
            task = asyncio.create_task(self._write(principal, model, sha256))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _, key=key: self._wanted.discard(key))  # type: ignore[misc]

    async def close(self) -> None:
        """Leave what isn't written."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _write(self, principal: Principal, model: Model, sha256: str) -> None:
        organisation = principal.organisation_id
        try:
            if (await self._platform.blobs.row(organisation, sha256)).alt:
                return
            turn = StoredTurn((StoredPart(sha256, "auto"), TextPart(type="text", text=ALTERNATIVE)))
            source = PictureSource(self._platform, principal)
            prompt = await read_messages([turn], Tools(), source, lambda _: "content")
            sampling = Sampling(max_tokens=MAX_TOKENS)
            asked = Asked(ROUTE, model, prompt, sampling, Tools(), 1, PRIORITY)
            text, reason = "", None
            request_id = f"req_{secrets.token_hex(16)}"
            async with answering(self._platform, principal, request_id, asked, {}) as generation:
                async for delta in generation.deltas():
                    text += delta.text
                    reason = delta.finish_reason or reason
            alt = one_sentence(text, cut=reason == "length")
            if alt and reason != "content_filter":
                await self._platform.blobs.set_alt(organisation, sha256, alt, unless_set=True)
        except InputRefused:
            log.info("no alternative text for %s: the policy does not let it be described", sha256[:12])
        except ApiError as error:
            log.info("no alternative text for %s: %s", sha256[:12], error.message)
        except Exception:
            log.exception("no alternative text for %s", sha256[:12])


def one_sentence(text: str, *, cut: bool = False) -> str:
    """The first sentence of an answer on one line; for one that was `cut`, up to its last whole word."""
    text = " ".join(text.split())
    for place, sign in enumerate(text):
        if sign in ".!?。！？" and (place + 1 == len(text) or text[place + 1] == " ") and place > 2:
            return text[: place + 1][:LONGEST]
    if cut:
        text = text.rpartition(" ")[0].rstrip(" ,;:") + "…" if " " in text else ""
    return text[:LONGEST]
