"""POST /v1/chat/completions."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Structure, StructureError
from clearsight.server.answers import ChatCompletion, told
from clearsight.server.body import StrictRoute
from clearsight.server.chat.answering import Asked, InputRefused, answering
from clearsight.server.chat.completion import Completion
from clearsight.server.chat.generation import Generation, beside
from clearsight.server.chat.prompt import picture_files, picture_urls, read_messages
from clearsight.server.chat.requests import ChatRequest, JsonObjectFormat, JsonSchemaFormat, ResponseFormat
from clearsight.server.chat.tools import Tools
from clearsight.server.errors import ApiError
from clearsight.server.event_stream import HeldResponse, event, stream
from clearsight.server.models import Model, engine_errors
from clearsight.server.pictures import PictureSource
from clearsight.server.platform import Platform, platform_of
from clearsight.server.principal import Principal, principal_of, request_id_of

log = logging.getLogger(__name__)
router = APIRouter(tags=["chat"], route_class=StrictRoute)
DEFAULT_MAX_TOKENS = 1024
"""Where a request names none: a small model that loses its thread is not left talking to the end of its context."""


@router.post("/v1/chat/completions", responses=told(ChatCompletion, streams=True))
async def create(body: ChatRequest, request: Request) -> Response:
    """Answer a conversation about text and pictures, whole or as a stream of events."""
    platform, principal = platform_of(request), principal_of(request)
    completion = Completion(body.model, bool(body.logprobs))
    headers = request.scope["state"].setdefault("headers", {})
    include_usage = bool(body.stream_options and body.stream_options.include_usage)
    count = body.n or 1
    stack = AsyncExitStack()

    async def prepare() -> Generation | None:
        asked = await read(platform, principal, body)
        with suppress(InputRefused):
            return await stack.enter_async_context(
                answering(platform, principal, request_id_of(request), asked, headers)
            )
        return None

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        generation = await preparing
        told = (
            completion.refused_chunks(count, include_usage)
            if generation is None
            else completion.chunks(generation, count, include_usage)
        )
        async for chunk in told:
            yield chunk

    preparing = asyncio.create_task(prepare())
    if body.wants_stream:
        return await stream(preparing, events(chunks()), stack)
    generation = await preparing
    if generation is None:
        return JSONResponse(completion.refused(count))
    answer: dict[str, Any] = {}

    async def work() -> None:
        answer.update(await completion.whole(generation, count))

    try:
        await beside(request.is_disconnected, work())
    except BaseException:
        with anyio.CancelScope(shield=True):
            await stack.aclose()
        raise
    return HeldResponse(answer, stack)


async def events(chunks: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Chunks as events; what goes wrong in the middle is told as one, not as a broken line."""
    try:
        async for chunk in chunks:
            yield event(chunk)
    except ApiError as error:
        yield event(error.to_json())
        return
    except Exception:
        log.exception("an answer broke off")
        yield event(ApiError(500, "The answer broke off; ask again.", retry=True).to_json())
        return
    yield event("[DONE]")


async def read(platform: Platform, principal: Principal, body: ChatRequest) -> Asked:
    """What a request asks for, its pictures taken in. Raises ApiError that names the field."""
    model = platform.models.get(body.model)
    tools = Tools.of(body.tools, body.tool_choice)
    sampling = sampling_of(body, tools, model)
    source = PictureSource(platform, principal, body.max_pixels)
    source.check(picture_urls(body.messages), picture_files(body.messages))
    prompt = await read_messages(body.messages, tools, source)
    user = body.safety_identifier or body.user or ""
    return Asked("/v1/chat/completions", model, prompt, sampling, tools, body.n or 1, user=user)


def sampling_of(body: ChatRequest, tools: Tools, model: Model) -> Sampling:
    """How to choose tokens. Raises ApiError for settings that don't fit each other or this model."""
    if body.top_logprobs is not None and not body.logprobs:
        raise ApiError(400, "top_logprobs needs logprobs: true.", param="top_logprobs")
    if body.stream_options is not None and not body.wants_stream:
        raise ApiError(400, "stream_options needs stream: true.", param="stream_options")
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        raise ApiError(
            400, "Give max_completion_tokens alone; max_tokens is its old name.", param="max_tokens"
        )
    check_length(
        body.wanted_tokens, model, "max_tokens" if body.max_tokens is not None else "max_completion_tokens"
    )
    if tools.forced:
        if isinstance(body.response_format, JsonObjectFormat | JsonSchemaFormat):
            raise ApiError(
                400,
                "A tool has to be called, so response_format can't be followed as well.",
                param="response_format",
            )
        structure: Structure | None = tools.structure
    else:
        structure = structure_of(body.response_format)
    with engine_errors():
        return Sampling(
            temperature=1.0 if body.temperature is None else body.temperature,
            top_p=1.0 if body.top_p is None else body.top_p,
            top_k=body.top_k,
            min_p=body.min_p or 0.0,
            presence_penalty=body.presence_penalty or 0.0,
            frequency_penalty=body.frequency_penalty or 0.0,
            repetition_penalty=body.repetition_penalty or 1.0,
            logit_bias=biases(body.logit_bias, model),
            seed=None if body.seed is None else body.seed % 2**63,
            stop=(body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ()),
            max_tokens=body.wanted_tokens or DEFAULT_MAX_TOKENS,
            structure=structure,
            logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        )


def check_length(tokens: int | None, model: Model, param: str) -> None:
    """Raises ApiError for an answer longer than the model can make."""
    if tokens is not None and model.context is not None and tokens > model.context:
        raise ApiError(
            400,
            f"{param} is {tokens}, and {model.name} reads and writes {model.context} tokens in all.",
            param=param,
        )


def biases(given: dict[str, float] | None, model: Model) -> dict[int, float]:
    """Token ids with what is added to their scores. Raises ApiError for what is no id of this model."""
    found: dict[int, float] = {}
    for name, value in (given or {}).items():
        if not name.isascii() or not name.isdecimal() or len(name) > 9:
            raise ApiError(
                400, "The keys of logit_bias are token ids, whole numbers in quotes.", param="logit_bias"
            )
        if model.vocabulary is not None and int(name) >= model.vocabulary:
            raise ApiError(
                400,
                f"logit_bias: {model.name} has {model.vocabulary} tokens, so no id {name}.",
                param="logit_bias",
            )
        found[int(name)] = value
    return found


def structure_of(format_: ResponseFormat | None) -> Structure | None:
    """What the answer has to be. Raises ApiError for a schema that is too large to be read."""
    try:
        if isinstance(format_, JsonSchemaFormat):
            schema = format_.json_schema.schema_
            return Structure.json_schema({"type": "object"} if schema is None else schema)
        return Structure.json_object() if isinstance(format_, JsonObjectFormat) else None
    except StructureError as error:
        raise ApiError(
            400, "The schema can't be used: it is too large.", param="response_format.json_schema.schema"
        ) from error
