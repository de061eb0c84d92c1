"""POST /v1/moderations: text and pictures against the server's policy, in OpenAI's omni shape."""

import secrets
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import Field

from clearsight.conversation import Conversation, Image, Text, user
from clearsight.decoding.text import Usage
from clearsight.server.answers import Moderation, told
from clearsight.server.body import Body, StrictRoute
from clearsight.server.chat.requests import ImageUrl, TextPart
from clearsight.server.errors import ApiError
from clearsight.server.metering import Meter
from clearsight.server.pictures import PictureSource
from clearsight.server.platform import platform_of
from clearsight.server.principal import principal_of, request_id_of
from clearsight.server.store import usage as ledger

router = APIRouter(tags=["moderations"], route_class=StrictRoute)
NAME = "clearsight-moderation"
NAMES = ("omni-moderation-latest", NAME)
MOST_INPUTS = 64


class ModeratedImage(Body):
    type: Literal["image_url"]
    image_url: ImageUrl


ModeratedPart = Annotated[TextPart | ModeratedImage, Field(discriminator="type")]


class ModerationRequest(Body):
    """A string, strings that are judged one by one, or parts that are judged together."""

    input: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=MOST_INPUTS)]
        | Annotated[list[ModeratedPart], Field(min_length=1, max_length=MOST_INPUTS)]
    )
    model: str | None = None


@router.post("/v1/moderations", responses=told(Moderation))
async def create(body: ModerationRequest, request: Request) -> dict[str, Any]:
    """Whether something would be flagged, with scores by category; nothing is kept."""
    platform, principal = platform_of(request), principal_of(request)
    if body.model is not None and body.model not in NAMES:
        raise ApiError(
            404,
            f"There is no such model; there are {', '.join(NAMES)}.",
            param="model",
            code="model_not_found",
        )
    source = PictureSource(platform, principal)
    if isinstance(body.input, str):
        groups: list[list[Text | Image]] = [[Text(body.input)]]
    elif all(isinstance(part, str) for part in body.input):
        groups = [[Text(str(part))] for part in body.input]
    else:
        urls = [part.image_url.url for part in body.input if isinstance(part, ModeratedImage)]
        source.check(urls, [], "input")
        parts: list[Text | Image] = []
        for number, part in enumerate(body.input):
            if isinstance(part, ModeratedImage):
                url = part.image_url
                param = f"input[{number}].image_url.url"
                parts.append((await source.from_url(url.url, param, url.detail)).image)
            elif isinstance(part, TextPart):
                parts.append(Text(part.text))
        groups = [parts]
    pixels = sum(
        part.pixels.width * part.pixels.height
        for group in groups
        for part in group
        if isinstance(part, Image) and part.pixels
    )
    headers = request.scope["state"].setdefault("headers", {})
    meter = await Meter.begin(
        platform, principal, request_id_of(request), "/v1/moderations", NAME, pixels=pixels, headers=headers
    )
    status: ledger.Status = "failed"
    try:
        moderator = platform.moderator
        results = [
            (
                await anyio.to_thread.run_sync(
                    moderator.conversation, Conversation((user(*group),)), principal.organisation_id
                )
            ).to_openai()
            for group in groups
        ]
        status = "complete"
    finally:
        await meter.settle(Usage(0, 0, 0, 0), status)
    return {"id": f"modr-{secrets.token_hex(16)}", "model": NAME, "results": results}
