"""/v1/conversations: kept conversations with branches, answers that survive a lost connection, sharing, export."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from clearsight.decoding.sampling import Sampling
from clearsight.server.answers import (
    EVENTS_ALONE,
    ConversationEntry,
    ConversationList,
    Deleted,
    TurnEntry,
    WholeConversation,
    told,
)
from clearsight.server.body import StrictRoute
from clearsight.server.chat.answering import Asked, cost
from clearsight.server.chat.prompt import Prompt
from clearsight.server.chat.requests import ImagePart, TextPart
from clearsight.server.chat.tools import Tools
from clearsight.server.conversing.history import branch, prompt_of
from clearsight.server.conversing.live import listen, message_json
from clearsight.server.conversing.requests import (
    AnswerSettings,
    Ask,
    ConversationChanges,
    NewConversation,
    StoredImage,
)
from clearsight.server.errors import ApiError, not_found
from clearsight.server.event_stream import EventStream, event
from clearsight.server.models import Model
from clearsight.server.pictures import PictureSource, keep, stored
from clearsight.server.platform import Platform, platform_of
from clearsight.server.principal import Principal, principal_of, request_id_of
from clearsight.server.routes.chat import DEFAULT_MAX_TOKENS, check_length
from clearsight.server.store import conversations, messages
from clearsight.server.store.tables import Conversation, Message

router = APIRouter(tags=["conversations"], route_class=StrictRoute)
TITLE_CHARACTERS = 60


@router.post("/v1/conversations", responses=told(ConversationEntry))
async def create(body: NewConversation, request: Request) -> dict[str, Any]:
    """Begin a conversation."""
    platform, principal = platform_of(request), principal_of(request)
    settings = body.settings.model_dump(exclude_none=True)
    row = await conversations.create(
        platform.database, principal.organisation_id, principal.user_id, body.title, settings, body.metadata
    )
    return _conversation(row)


@router.get("/v1/conversations", responses=told(ConversationList))
async def listed(
    request: Request, query: str = "", cursor: str | None = None, limit: int = 30
) -> dict[str, Any]:
    """One's conversations: pinned ones first, then the last used; `query` searches titles and messages."""
    platform, principal = platform_of(request), principal_of(request)
    page = await conversations.page(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        query=query,
        cursor=cursor,
        limit=limit,
    )
    return {
        "object": "list",
        "data": [_conversation(row) for row in page.conversations],
        "has_more": page.next_cursor is not None,
        "next_cursor": page.next_cursor,
    }


@router.get("/v1/conversations/{conversation_id}", responses=told(WholeConversation))
async def retrieve(request: Request, conversation_id: str) -> dict[str, Any]:
    """A conversation with all its turns, in the order they were written."""
    platform, principal = platform_of(request), principal_of(request)
    own = (platform.database, principal.organisation_id, principal.user_id, conversation_id)
    row = await conversations.get(*own)
    turns = await messages.of_conversation(*own)
    return {**_conversation(row), "messages": [message_json(turn) for turn in turns]}


@router.patch("/v1/conversations/{conversation_id}", responses=told(ConversationEntry))
async def change(body: ConversationChanges, request: Request, conversation_id: str) -> dict[str, Any]:
    """Rename, pin, or set how it is answered."""
    platform, principal = platform_of(request), principal_of(request)
    row = await conversations.change(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        conversation_id,
        title=body.title,
        pinned=body.pinned,
        settings=body.settings.model_dump(exclude_none=True) if body.settings else None,
    )
    return _conversation(row)


@router.delete("/v1/conversations/{conversation_id}", responses=told(Deleted))
async def delete(request: Request, conversation_id: str) -> dict[str, Any]:
    """Delete it with its messages, and its pictures where nothing else shows them."""
    platform, principal = platform_of(request), principal_of(request)
    await conversations.remove(
        platform.database, platform.blobs, principal.organisation_id, principal.user_id, conversation_id
    )
    platform.ingest.forget(principal.organisation_id)
    return {"id": conversation_id, "object": "conversation", "deleted": True}


@router.post("/v1/conversations/{conversation_id}/share")
async def share(request: Request, conversation_id: str) -> dict[str, Any]:
    """A secret link under which it can be read; the one before stops working."""
    platform, principal = platform_of(request), principal_of(request)
    token = await conversations.share(
        platform.database, principal.organisation_id, principal.user_id, conversation_id
    )
    return {"object": "share", "url": f"{platform.config.url}/shared/{token}"}


@router.delete("/v1/conversations/{conversation_id}/share")
async def unshare(request: Request, conversation_id: str) -> dict[str, Any]:
    """End the link."""
    platform, principal = platform_of(request), principal_of(request)
    await conversations.unshare(
        platform.database, principal.organisation_id, principal.user_id, conversation_id
    )
    return {"object": "share", "deleted": True}


@router.get("/v1/shared/{token}")
async def shared(request: Request, token: str) -> dict[str, Any]:
    """What a secret link shows: no names, nothing about the account. Pictures come with their words."""
    platform = platform_of(request)
    row, turns = await messages.of_shared(platform.database, token)
    shown = ("id", "parent_id", "sequence", "role", "content", "status", "created_at")
    public = [{name: message_json(turn)[name] for name in shown} for turn in turns]
    for turn in public:
        turn["content"] = [
            {**part, "alt": (await platform.blobs.row(row.organisation_id, part["sha256"])).alt}
            if part["type"] == "image"
            else part
            for part in turn["content"]
        ]
    return {"object": "shared_conversation", "title": row.title, "messages": public}


@router.get("/v1/shared/{token}/images/{sha256}", response_class=Response)
async def shared_image(request: Request, token: str, sha256: str) -> Response:
    """A picture of a conversation that was shared; 404 for any other."""
    platform = platform_of(request)
    row, turns = await messages.of_shared(platform.database, token)
    if not any(part.get("sha256") == sha256 for turn in turns for part in turn.content):
        raise not_found("picture")
    return await stored(platform, row.organisation_id, sha256)


@router.post("/v1/conversations/{conversation_id}/answers", response_class=Response, responses=EVENTS_ALONE)
async def ask(body: Ask, request: Request, conversation_id: str) -> EventStream:
    """Add a turn and answer it, or answer one anew. Events: message (it is kept), answer (it began), delta, done.

    The answer goes on when the connection is lost; listen to it again below messages/{id}/events.
    """
    platform, principal = platform_of(request), principal_of(request)
    own = (platform.database, principal.organisation_id, principal.user_id)
    row = await conversations.get(*own, conversation_id)
    settings = body.settings.over(row.settings)
    model = platform.models.get(settings.model or platform.models.default)
    check_length(settings.max_tokens, model, "settings.max_tokens")
    if (body.content is None) == (body.reply_to is None):
        raise ApiError(400, "Give either content or reply_to, exactly one.", param="content")
    if body.reply_to is not None:
        turn = await messages.get(*own, body.reply_to)
        if turn.conversation_id != conversation_id or turn.role != "user":
            raise ApiError(400, "reply_to is no turn of the user in this conversation.", param="reply_to")
    else:
        parts = await _kept_parts(platform, principal, body)
        turn = await messages.add(*own, conversation_id, "user", parts, body.parent_id)
        if not row.title:
            await conversations.change(*own, conversation_id, title=_title(parts))
    turns = branch(await messages.of_conversation(*own, conversation_id), turn.id)
    prompt, left_out = await _fitting(platform, principal, turns, settings, model)
    sampling = Sampling(
        temperature=0.0 if settings.temperature is None else settings.temperature,
        max_tokens=settings.max_tokens or DEFAULT_MAX_TOKENS,
        seed=settings.seed,
    )
    details: dict[str, Any] = {"model": model.name, "temperature": sampling.temperature}
    if left_out:
        details["turns_left_out"] = left_out
    answer = await messages.start_answer(*own, conversation_id, turn.id, details)
    live = platform.live.start(principal, request_id_of(request), model, prompt, sampling, answer, turn)

    async def events() -> AsyncIterator[bytes]:
        if body.reply_to is None:
            yield event({"type": "message", "message": message_json(turn)})
        yield event({"type": "answer", "message": message_json(answer)})
        async for value in listen(platform, live, principal, answer.id, 0):
            yield event(value)

    return EventStream(events(), AsyncExitStack())


@router.get(
    "/v1/conversations/{conversation_id}/messages/{message_id}/events",
    response_class=Response,
    responses=EVENTS_ALONE,
)
async def events_of(request: Request, conversation_id: str, message_id: str, at: int = 0) -> EventStream:
    """Listen to an answer again, from its character `at` on; works after a restart and from another process."""
    platform, principal = platform_of(request), principal_of(request)
    row = await _message(platform, principal, conversation_id, message_id)
    if row.role != "assistant":
        raise ApiError(400, "Only answers can be listened to.", param="message_id")

    async def events() -> AsyncIterator[bytes]:
        live = platform.live.get(message_id)
        async for value in listen(platform, live, principal, message_id, max(at, 0)):
            yield event(value)

    return EventStream(events(), AsyncExitStack())


@router.post("/v1/conversations/{conversation_id}/messages/{message_id}/stop", responses=told(TurnEntry))
async def stop(request: Request, conversation_id: str, message_id: str) -> dict[str, Any]:
    """End an answer where it is."""
    platform, principal = platform_of(request), principal_of(request)
    await _message(platform, principal, conversation_id, message_id)
    await platform.live.stop(principal, message_id)
    return message_json(await _message(platform, principal, conversation_id, message_id))


@router.delete("/v1/conversations/{conversation_id}/messages/{message_id}", responses=told(Deleted))
async def delete_message(request: Request, conversation_id: str, message_id: str) -> dict[str, Any]:
    """Delete a turn and all that follow from it."""
    platform, principal = platform_of(request), principal_of(request)
    await _message(platform, principal, conversation_id, message_id)
    gone = await messages.remove(
        platform.database, platform.blobs, principal.organisation_id, principal.user_id, message_id
    )
    platform.ingest.forget(principal.organisation_id)
    return {"id": message_id, "object": "conversation.message", "deleted": True, "ids": gone}


async def _message(
    platform: Platform, principal: Principal, conversation_id: str, message_id: str
) -> Message:
    row = await messages.get(platform.database, principal.organisation_id, principal.user_id, message_id)
    if row.conversation_id != conversation_id:
        raise ApiError(404, "There is no such message.", code="not_found")
    return row


async def _kept_parts(platform: Platform, principal: Principal, body: Ask) -> list[dict[str, Any]]:
    """The parts of a new turn as they are kept; pictures that come with it are stored first."""
    if isinstance(body.content, str):
        if not body.content.strip():
            raise ApiError(400, "The turn is empty; give it text or a picture.", param="content")
        return [{"type": "text", "text": body.content}]
    assert body.content is not None
    source = PictureSource(platform, principal)
    source.check([part.image_url.url for part in body.content if isinstance(part, ImagePart)], [], "content")
    parts: list[dict[str, Any]] = []
    for number, part in enumerate(body.content):
        if isinstance(part, ImagePart):
            url = part.image_url
            picture = await source.from_url(url.url, f"content[{number}].image_url.url", url.detail)
            sha256 = await keep(platform, principal, picture)
            parts.append({"type": "image", "sha256": sha256, "detail": url.detail})
        elif isinstance(part, StoredImage):
            parts.append(part.model_dump(exclude_none=True))
        elif isinstance(part, TextPart) and part.text:
            parts.append({"type": "text", "text": part.text})
    if not parts:
        raise ApiError(400, "The turn is empty; give it text or a picture.", param="content")
    return parts


async def _fitting(
    platform: Platform, principal: Principal, turns: list[Message], settings: AnswerSettings, model: Model
) -> tuple[Prompt, int]:
    """The prompt, without as many of the oldest turns as the model's context demands; how many those are.

    Turns go by two, a question with its answer. Fewer turns never cost more, so the cut is looked for by halves.
    """
    source = PictureSource(platform, principal)

    async def cut(pairs: int) -> Prompt:
        prompt = await prompt_of(turns[2 * pairs :], settings.system, source)
        await anyio.to_thread.run_sync(cost, Asked("", model, prompt, Sampling(), Tools(), 1))
        return prompt

    least, most = 0, (len(turns) - 1) // 2
    found: tuple[Prompt, int] | None = None
    pairs = 0
    while found is None or least < most:
        try:
            found = (await cut(pairs), 2 * pairs)
            most = pairs
        except ApiError as error:
            if error.code != "context_length_exceeded" or pairs >= (len(turns) - 1) // 2:
                raise
            least = pairs + 1
        pairs = (least + most) // 2
    return found


def _title(parts: list[dict[str, Any]]) -> str:
    text = " ".join("".join(part.get("text", "") for part in parts).split()) or "Picture"
    return text if len(text) <= TITLE_CHARACTERS else text[: TITLE_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"


def _conversation(row: Conversation) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "conversation",
        "title": row.title,
        "pinned": row.pinned,
        "shared": row.share_hash is not None,
        "settings": row.settings,
        "metadata": row.metadata_,
        "created_at": row.created_at / 1000,
        "updated_at": row.updated_at / 1000,
    }
