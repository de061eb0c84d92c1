"""The way of one answer through the house: counted against limits, moderated, computed, written into the ledger.

Both APIs go through `answering`; what it yields is read to the end or left, and either way everything is settled.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import Usage
from clearsight.safety.watch import OutputWatch
from clearsight.server.chat.generation import Generation
from clearsight.server.chat.prompt import Prompt
from clearsight.server.chat.tools import Tools
from clearsight.server.errors import ApiError
from clearsight.server.metering import Meter
from clearsight.server.models import Model, engine_errors
from clearsight.server.platform import Platform
from clearsight.server.principal import Principal
from clearsight.server.store import usage as ledger

log = logging.getLogger(__name__)
HELD_SECONDS = 0.3
"""A sentence that takes longer is told in parts, each judged with what went before it."""
FEW_CHARACTERS = 1000
MOST_BYTES_PER_TOKEN = 16
"""No text that is read has so many on average; prose has four, indented code some eight."""


Result = TypeVar("Result")


class InputRefused(Exception):
    """The policy doesn't let this request be answered; its reasons quote nothing of it."""


@dataclass(frozen=True)
class Asked:
    """What is to be answered, and how."""

    route: str
    model: Model
    prompt: Prompt
    sampling: Sampling
    tools: Tools
    count: int
    priority: int = 0
    user: str = ""
    """Whom a client asks for, in its own words. What is cached for one user is never used for another."""


@asynccontextmanager
async def answering(
    platform: Platform, principal: Principal, request_id: str, asked: Asked, headers: dict[str, str]
) -> AsyncIterator[Generation]:
    """The answers, being made. `headers` receives what the limits say.

    Raises ApiError for what can't be answered and InputRefused for what may not be.
    """
    prompt_tokens = await _aside(asked, cost, asked)
    meter = await Meter.begin(
        platform,
        principal,
        request_id,
        asked.route,
        asked.model.name,
        tokens=prompt_tokens + asked.count * (asked.sampling.max_tokens or 0),
        pixels=asked.prompt.pixels,
        headers=headers,
    )
    platform.vigilance.saw(principal, (picture.sha256 for picture in asked.prompt.pictures))
    generation: Generation | None = None
    status: ledger.Status = "failed"
    try:
        moderator = await platform.moderator_of(principal.organisation_id)
        verdict = await _aside(
            asked, moderator.conversation, asked.prompt.conversation, principal.organisation_id
        )
        if verdict.blocked:
            status = "filtered"
            platform.metrics.blocked.labels("input").inc()
            await platform.vigilance.refused(principal)
            raise InputRefused(", ".join(verdict.reasons))
        async with asked.model.answers(
            asked.prompt.conversation,
            asked.sampling,
            asked.count,
            tenant=f"{principal.organisation_id}\0{asked.user}" if asked.user else principal.organisation_id,
            priority=asked.priority,
        ) as streams:
            generation = Generation(
                streams,
                asked.tools,
                lambda: OutputWatch(moderator, held_seconds=HELD_SECONDS),
                lambda: platform.authentication.still_valid(principal),
            )
            with platform.draining.waits_for(generation):
                yield generation
            status = "complete" if len(generation.finished) == asked.count else "stopped"
            if "content_filter" in generation.finished.values():
                status = "filtered"
                platform.metrics.blocked.labels("output").inc()
    except anyio.get_cancelled_exc_class():
        status = "stopped"
        raise
    finally:
        with anyio.CancelScope(shield=True):
            usage = generation.usage if generation else Usage(0, 0, 0, 0)
            if generation and generation.first_token_seconds is not None:
                platform.metrics.first_token.labels(asked.model.name).observe(generation.first_token_seconds)
            if generation and not usage.prompt_tokens:  # it was left before the prompt was read to its end
                usage = Usage(prompt_tokens, 0, usage.completion_tokens, 0)
            await meter.settle(usage, status)


async def _aside(asked: Asked, work: Callable[..., Result], *arguments: Any) -> Result:
    """Do it in a thread, unless that is a longer way than the work: a few words are counted and judged at once."""
    messages = asked.prompt.conversation.messages
    short = not asked.prompt.pictures and sum(len(message.text) for message in messages) < FEW_CHARACTERS
    if short and asked.model.processor is not None:
        return work(*arguments)
    return await anyio.to_thread.run_sync(work, *arguments)


def cost(asked: Asked) -> int:
    """Tokens of the prompt. Of another server's model: those of the text, as that server counts them if it is vLLM,
    and else a guess of one for four characters; what pictures cost there is known when the answer has ended.

    Raises ApiError when the prompt leaves no room for an answer.
    """
    conversation = asked.prompt.conversation
    processor, context = asked.model.processor, asked.model.context
    if processor is None or context is None:
        size = asked.model.prompt_size(conversation)
        if size is None:
            return sum(len(message.text) for message in conversation.messages) // 4 + 1
        tokens, context = size.tokens, size.context
    else:
        tokens = tokens_of(asked)
    if tokens >= context:
        raise ApiError(
            400,
            f"The prompt has {tokens} tokens and {asked.model.name} reads {context}; shorten the conversation or send "
            "pictures with detail low.",
            param="messages",
            code="context_length_exceeded",
        )
    return tokens


def tokens_of(asked: Asked) -> int:
    """Tokens of the prompt of a model that is computed here. Raises ApiError for a text that is far beyond its context.

    Tokenising takes 200 bytes of memory for each of the text, so what can't fit is refused by its length.
    """
    conversation, model = asked.prompt.conversation, asked.model
    assert model.processor is not None and model.context is not None
    length = sum(len(message.text.encode()) for message in conversation.messages)
    if length > model.context * MOST_BYTES_PER_TOKEN:
        raise ApiError(
            400,
            f"The prompt has {length} bytes of text and {model.name} reads {model.context} tokens; shorten the "
            "conversation.",
            param="messages",
            code="context_length_exceeded",
        )
    with engine_errors():
        return model.processor.token_cost(conversation)
