"""/v1/responses: create (whole or as events), look at again, go on from, delete."""

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
from clearsight.server.answers import Deleted, ItemList, ResponseObject, told
from clearsight.server.body import StrictRoute
from clearsight.server.chat.answering import Asked, InputRefused, answering
from clearsight.server.chat.generation import Generation, beside
from clearsight.server.chat.prompt import picture_files, picture_urls, read_messages
from clearsight.server.chat.requests import Function, NamedFunction, NamedTool, SystemMessage, Tool
from clearsight.server.chat.tools import Tools
from clearsight.server.errors import ApiError
from clearsight.server.event_stream import event, stream
from clearsight.server.pictures import PictureSource, keep
from clearsight.server.platform import Platform, platform_of
from clearsight.server.principal import Principal, principal_of, request_id_of
from clearsight.server.responses.items import Turn, items_of, kept, message_of, turn_of_kept
from clearsight.server.responses.requests import (
    ChosenFunction,
    InputImage,
    InputMessage,
    Item,
    ResponseRequest,
    SchemaFormat,
)
from clearsight.server.responses.telling import Telling
from clearsight.server.routes.chat import DEFAULT_MAX_TOKENS, check_length
from clearsight.server.store import files

log = logging.getLogger(__name__)
router = APIRouter(tags=["responses"], route_class=StrictRoute)
LONGEST_CHAIN = 200


@router.post("/v1/responses", responses=told(ResponseObject, streams=True))
async def create(body: ResponseRequest, request: Request) -> Response:
    """Answer, and keep the answer unless `store` is false."""
    platform, principal = platform_of(request), principal_of(request)
    told = Telling(body, "message.output_text.logprobs" in (body.include or ()))
    headers = request.scope["state"].setdefault("headers", {})
    stack = AsyncExitStack()
    read_in: tuple[Asked, list[Item]] | None = None

    async def prepare() -> Generation | None:
        nonlocal read_in
        read_in = asked, _ = await read(platform, principal, body)
        with suppress(InputRefused):
            return await stack.enter_async_context(
                answering(platform, principal, request_id_of(request), asked, headers)
            )
        return None

    async def keep_it() -> None:
        if body.store is not False:
            assert read_in is not None
            await _keep(platform, principal, told, *read_in)

    preparing = asyncio.create_task(prepare())
    if body.stream:
        return await stream(preparing, _events(told, preparing, keep_it), stack)
    generation = await preparing
    if generation is None:
        told.reason = "content_filter"
        await keep_it()
        return JSONResponse(told.response())

    async def work() -> None:
        assert generation is not None
        async with stack:
            await told.whole(generation)
        await keep_it()

    await beside(request.is_disconnected, work())
    return JSONResponse(told.response())


@router.get("/v1/responses/{response_id}", responses=told(ResponseObject))
async def retrieve(request: Request, response_id: str) -> dict[str, Any]:
    """A response that was kept."""
    platform, principal = platform_of(request), principal_of(request)
    row = await files.get_response(
        platform.database, principal.organisation_id, principal.user_id, response_id
    )
    return row.body


@router.get("/v1/responses/{response_id}/input_items", responses=told(ItemList))
async def input_items(request: Request, response_id: str) -> dict[str, Any]:
    """What it was asked, newest first; pictures by hash."""
    platform, principal = platform_of(request), principal_of(request)
    row = await files.get_response(
        platform.database, principal.organisation_id, principal.user_id, response_id
    )
    data = [{"id": f"item_{number}", **item} for number, item in enumerate(row.input)][::-1]
    return {
        "object": "list",
        "data": data,
        "has_more": False,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


@router.delete("/v1/responses/{response_id}", responses=told(Deleted))
async def delete(request: Request, response_id: str) -> dict[str, Any]:
    """Delete a kept response, and its pictures where nothing else shows them."""
    platform, principal = platform_of(request), principal_of(request)
    await files.remove_response(
        platform.database, platform.blobs, principal.organisation_id, principal.user_id, response_id
    )
    platform.ingest.forget(principal.organisation_id)
    return {"id": response_id, "object": "response", "deleted": True}


async def _events(
    told: Telling, preparing: "asyncio.Task[Generation | None]", keep: Any
) -> AsyncIterator[bytes]:
    last: dict[str, Any] | None = None
    try:
        async for value in told.events(await preparing):
            if last is not None:
                yield event(last, last["type"])
            last = value
        with anyio.CancelScope(shield=True):  # kept before the client is told that it can go on from it
            await keep()
        if last is not None:
            yield event(last, last["type"])
    except ApiError as error:
        yield _failed(error)
    except Exception:
        log.exception("a response broke off")
        yield _failed(ApiError(500, "The answer broke off; ask again.", retry=True))


def _failed(error: ApiError) -> bytes:
    return event({"type": "error", "sequence_number": 0, **error.to_json()["error"]}, "error")


async def read(platform: Platform, principal: Principal, body: ResponseRequest) -> tuple[Asked, list[Item]]:
    """What a request asks for, after what came before it. Raises ApiError that names the field."""
    model = platform.models.get(body.model)
    tools = Tools.of(_tools(body), _choice(body))
    sampling = _sampling(body, tools)
    check_length(body.max_output_tokens, model, "max_output_tokens")
    items = items_of(body.input)
    earlier = await _earlier(platform, principal, body.previous_response_id)
    turns: list[Turn] = [SystemMessage(role="system", content=body.instructions)] if body.instructions else []
    turns += earlier
    before = len(turns)
    new = [message_of(item, f"input[{number}]") for number, item in enumerate(items)]
    turns += new
    source = PictureSource(platform, principal, body.max_pixels)
    source.check(picture_urls(new), picture_files(new), "input")
    prompt = await read_messages(turns, tools, source, lambda number: f"input[{number - before}]")
    user = body.safety_identifier or body.user or ""
    return Asked("/v1/responses", model, prompt, sampling, tools, 1, user=user), items


async def _earlier(platform: Platform, principal: Principal, response_id: str | None) -> list[Turn]:
    """The turns that led to a response, and its answer. Earlier instructions don't count, as in OpenAI's API."""
    chain: list[list[Turn]] = []
    while response_id is not None:
        if len(chain) >= LONGEST_CHAIN:
            raise ApiError(
                400,
                f"More than {LONGEST_CHAIN} responses lead here; begin anew.",
                param="previous_response_id",
            )
        try:
            row = await files.get_response(
                platform.database, principal.organisation_id, principal.user_id, response_id
            )
        except ApiError as error:
            raise ApiError(
                404, error.message, param="previous_response_id", code="previous_response_not_found"
            ) from None
        chain.append([turn_of_kept(item) for item in [*row.input, *row.body["output"]]])
        response_id = row.previous_id
    turns = [turn for part in reversed(chain) for turn in part]
    return [turn for turn in turns if not isinstance(turn, SystemMessage)]


async def _keep(
    platform: Platform, principal: Principal, told: Telling, asked: Asked, items: list[Item]
) -> None:
    parts = [part for item in items if isinstance(item, InputMessage) for part in item.content]
    shown = sum(isinstance(part, InputImage) for part in parts)
    pictures = asked.prompt.pictures[len(asked.prompt.pictures) - shown :]
    for picture in pictures:
        await keep(platform, principal, picture)
    await files.add_response(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        told.id,
        told.body.previous_response_id,
        kept(items, pictures),
        told.response(),
        [picture.sha256 for picture in pictures],
    )


def _tools(body: ResponseRequest) -> list[Tool] | None:
    if body.tools is None:
        return None
    return [
        Tool(
            type="function",
            function=Function(name=tool.name, description=tool.description, parameters=tool.parameters),
        )
        for tool in body.tools
    ]


def _choice(body: ResponseRequest) -> Any:
    if isinstance(body.tool_choice, ChosenFunction):
        return NamedTool(type="function", function=NamedFunction(name=body.tool_choice.name))
    return body.tool_choice


def _sampling(body: ResponseRequest, tools: Tools) -> Sampling:
    wants_logprobs = bool(body.include)
    if body.top_logprobs and not wants_logprobs:
        raise ApiError(
            400, "top_logprobs needs include: [message.output_text.logprobs].", param="top_logprobs"
        )
    structure: Structure | None = None
    format_ = body.text.format if body.text else None
    try:
        if tools.forced:
            structure = tools.structure
        elif isinstance(format_, SchemaFormat):
            structure = Structure.json_schema(format_.schema_)
        elif format_ is not None and format_.type == "json_object":
            structure = Structure.json_object()
    except StructureError as error:
        raise ApiError(
            400, "The schema can't be used: it is too large.", param="text.format.schema"
        ) from error
    return Sampling(
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        max_tokens=body.max_output_tokens or DEFAULT_MAX_TOKENS,
        structure=structure,
        logprobs=(body.top_logprobs or 0) if wants_logprobs else None,
    )
