"""POST /v1/describe: a picture described to somebody who can't see it, with how far that can be trusted.

Events, in this order: quality (is the picture usable, and how to take it again), with `keep` conversation and answer
(a conversation for questions that follow), delta, done, writing (what PP-OCR reads in the picture, word for word,
where it is installed), cautions (what to check with a person), doubts (words that other answers don't bear out).
Without `keep` nothing is stored. The same check is made of any answer about a picture below
/v1/conversations/{id}/messages/{id}/check.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import Field

from clearsight.conversation import Conversation, system, user
from clearsight.decoding.sampling import Sampling
from clearsight.describing.cautions import cautions
from clearsight.describing.instructions import MAX_TOKENS, SYSTEM, TURNS, Task
from clearsight.describing.quality import quality
from clearsight.experts.reading import READER, can_read, written
from clearsight.server.body import Body, StrictRoute
from clearsight.server.chat.answering import Asked, InputRefused, answering
from clearsight.server.chat.completion import REFUSED
from clearsight.server.chat.generation import Generation
from clearsight.server.chat.prompt import Prompt
from clearsight.server.chat.requests import ImagePart
from clearsight.server.chat.tools import Tools
from clearsight.server.conversing.alt import one_sentence
from clearsight.server.conversing.checking import check
from clearsight.server.conversing.history import branch, prompt_of, text_of
from clearsight.server.conversing.live import listen, message_json
from clearsight.server.conversing.requests import AnswerSettings, StoredImage
from clearsight.server.errors import ApiError
from clearsight.server.event_stream import EventStream, event
from clearsight.server.ingest.ingest import Picture
from clearsight.server.models import Model
from clearsight.server.pictures import PictureSource, keep
from clearsight.server.platform import Platform, platform_of
from clearsight.server.principal import Principal, principal_of, request_id_of
from clearsight.server.store import conversations, messages

router = APIRouter(tags=["describe"], route_class=StrictRoute)
ROUTE = "/v1/describe"
TITLE_CHARACTERS = 60


class Describe(Body):
    """A picture to describe."""

    image: Annotated[ImagePart | StoredImage, Field(discriminator="type")]
    task: Task = "describe"
    model: str | None = None
    keep: bool = False
    """Whether it becomes a conversation, so that questions can follow."""
    read: bool = True
    """Whether a text recogniser reads what is written in the picture, where one is installed."""
    check: bool = True
    """Whether other answers are compared with the one that is given; it costs as many tokens again, five times."""


@router.post(ROUTE)
async def describe(body: Describe, request: Request) -> EventStream:
    """Describe a picture; see the module's text for the events."""
    platform, principal = platform_of(request), principal_of(request)
    if body.keep and "conversations" not in principal.scopes:
        raise ApiError(403, "Keeping a conversation needs the scope conversations.", param="keep")
    model = platform.models.get(body.model or platform.models.default)
    picture = await _picture(platform, principal, body)
    pixels = picture.image.pixels
    assert pixels is not None
    found = await anyio.to_thread.run_sync(quality, pixels)
    prompt = Prompt(Conversation((system(SYSTEM), user(picture.image, TURNS[body.task]))), [picture])
    sampling = Sampling(max_tokens=MAX_TOKENS[body.task])
    request_id, holding = request_id_of(request), AsyncExitStack()
    if body.keep:
        answer = _kept(
            platform, principal, request_id, body, picture, model, sampling, prompt, found.to_json()
        )
    else:
        asked = Asked(ROUTE, model, prompt, sampling, Tools(), 1)
        headers = request.scope["state"].setdefault("headers", {})
        try:
            way = answering(platform, principal, request_id, asked, headers)
            generation: Generation | None = await holding.enter_async_context(way)
        except InputRefused:
            generation = None
        answer = _told(generation)

    async def events() -> AsyncIterator[bytes]:
        yield event({"type": "quality", **found.to_json()})
        text, whole, kept = "", False, None
        try:
            async for value in answer:
                if value["type"] == "done":
                    text = value.get("text") or text_of(value.get("message", {}).get("content", []))
                    kept = value.get("message")
                    whole = value["status"] == "complete"
                yield event(value)
            await holding.aclose()
            noted: dict[str, Any] = {}
            if whole and body.read and can_read():
                noted["writing"] = await anyio.to_thread.run_sync(written, pixels)
                yield event({"type": "writing", "text": noted["writing"], "by": READER})
            warned = [one.to_json() for one in cautions([text, noted.get("writing", "")])]
            yield event({"type": "cautions", "cautions": warned})
            noted["cautions"] = warned
            if whole and body.check:
                checked = (await check(platform, principal, request_id, model, prompt, text)).to_json()
                noted.update(checked)
                yield event({"type": "doubts", **checked})
            if kept is not None:
                own = (platform.database, principal.organisation_id, principal.user_id)
                await messages.note(*own, kept["id"], noted)
                title = one_sentence(text)[:TITLE_CHARACTERS] or TURNS[body.task]
                await conversations.change(*own, kept["conversation_id"], title=title)
        except ApiError as error:
            yield event({"type": "error", **error.to_json()})

    return EventStream(events(), holding)


class Check(Body):
    """The settings that the answer was made with, where they aren't the conversation's."""

    settings: AnswerSettings = Field(default_factory=AnswerSettings)


@router.post("/v1/conversations/{conversation_id}/messages/{message_id}/check")
async def check_message(
    body: Check, request: Request, conversation_id: str, message_id: str
) -> dict[str, Any]:
    """How sure a finished answer is: its doubtful words, and what to check with a person. Kept in its details."""
    platform, principal = platform_of(request), principal_of(request)
    own = (platform.database, principal.organisation_id, principal.user_id)
    conversation = await conversations.get(*own, conversation_id)
    row = await messages.get(*own, message_id)
    text = text_of(row.content)
    if row.conversation_id != conversation_id:
        raise ApiError(404, "There is no such message.", code="not_found")
    if row.role != "assistant" or row.status != "complete" or not text or row.parent_id is None:
        raise ApiError(400, "Only a finished answer can be checked.", param="message_id")
    turns = branch(await messages.of_conversation(*own, conversation_id), row.parent_id)
    if not any(messages.pictures(turn.content) for turn in turns):
        raise ApiError(400, "Only an answer about a picture can be checked.", param="message_id")
    settings = body.settings.over(conversation.settings)
    model = platform.models.get(row.details.get("model") or settings.model or platform.models.default)
    left_out = int(row.details.get("turns_left_out", 0))
    source = PictureSource(platform, principal)
    prompt = await prompt_of(turns[left_out:], settings.system, source)
    try:
        found = await check(platform, principal, request_id_of(request), model, prompt, text)
    except InputRefused:
        raise ApiError(
            400, "The policy of this server doesn't let this be asked again.", code="filtered"
        ) from None
    warned = [one.to_json() for one in cautions([text_of(turns[-1].content), text])]
    noted = await messages.note(*own, message_id, {**found.to_json(), "cautions": warned})
    return message_json(noted)


async def _picture(platform: Platform, principal: Principal, body: Describe) -> Picture:
    source = PictureSource(platform, principal)
    if isinstance(body.image, StoredImage):
        return await source.from_store(body.image.sha256, "image.sha256", body.image.detail)
    url = body.image.image_url
    source.check([url.url], [], "image")
    return await source.from_url(url.url, "image.image_url.url", url.detail)


async def _told(generation: Generation | None) -> AsyncIterator[dict[str, Any]]:
    """An answer that nothing is kept of."""
    if generation is None:
        yield {"type": "delta", "at": 0, "text": REFUSED}
        yield {"type": "done", "text": REFUSED, "status": "filtered"}
        return
    text, reason = "", "stop"
    async for delta in generation.deltas():
        if delta.text:
            yield {"type": "delta", "at": len(text), "text": delta.text}
            text += delta.text
        reason = delta.finish_reason or reason
    yield {"type": "done", "text": text, "status": "filtered" if reason == "content_filter" else "complete"}


async def _kept(
    platform: Platform,
    principal: Principal,
    request_id: str,
    body: Describe,
    picture: Picture,
    model: Model,
    sampling: Sampling,
    prompt: Prompt,
    found: dict[str, Any],
) -> AsyncIterator[dict[str, Any]]:
    """An answer in a conversation of its own, which survives a lost connection."""
    own = (platform.database, principal.organisation_id, principal.user_id)
    if isinstance(body.image, StoredImage):
        shown = body.image.model_dump(exclude_none=True)
    else:
        sha256 = await keep(platform, principal, picture)
        shown = {"type": "image", "sha256": sha256, "detail": body.image.image_url.detail}
    parts = [shown, {"type": "text", "text": TURNS[body.task]}]
    conversation = await conversations.create(*own, "", {"system": SYSTEM, "model": model.name}, {})
    turn = await messages.add(*own, conversation.id, "user", parts, None, {"quality": found})
    details = {"model": model.name, "temperature": sampling.temperature}
    answer = await messages.start_answer(*own, conversation.id, turn.id, details)
    yield {"type": "conversation", "id": conversation.id}
    yield {"type": "answer", "message": message_json(answer)}
    live = platform.live.start(principal, request_id, model, prompt, sampling, answer, turn)
    async for value in listen(platform, live, principal, answer.id, 0):
        if value["type"] == "done":
            value = {**value, "status": value["message"]["status"]}
        yield value
