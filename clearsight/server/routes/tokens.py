"""POST /v1/tokens/count: what a request will cost, before it is sent; and what a model sees of a picture."""

from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request

from clearsight.server.answers import TokenCount, told
from clearsight.server.body import StrictRoute
from clearsight.server.chat.answering import tokens_of
from clearsight.server.chat.requests import ChatRequest
from clearsight.server.errors import ApiError
from clearsight.server.platform import platform_of
from clearsight.server.principal import principal_of
from clearsight.server.routes.chat import read

router = APIRouter(tags=["tokens"], route_class=StrictRoute)


@router.post("/v1/tokens/count", responses=told(TokenCount))
async def count(body: ChatRequest, request: Request) -> dict[str, Any]:
    """Tokens of a chat completion's request, picture by picture; nothing is computed.

    A picture costs `tiles` x `tokens_per_tile` image tokens and the few that mark rows and columns; how many tiles it
    is cut into follows from its size and `detail` alone (docs/api.md has the formula).
    """
    asked = await read(platform_of(request), principal_of(request), body)
    processor = asked.model.processor
    if processor is None:
        raise ApiError(
            400,
            f"{asked.model.name} is another server's; only that server can count its tokens.",
            param="model",
        )
    conversation = asked.prompt.conversation
    plans = processor.plan_images(conversation)
    total = await anyio.to_thread.run_sync(tokens_of, asked)
    pictures = [
        {
            "width": plan.width,
            "height": plan.height,
            "detail": image.detail,
            "rows": plan.rows,
            "columns": plan.cols,
            "tiles": plan.num_tiles,
            "tokens_per_tile": plan.tokens_per_tile,
            "image_tokens": plan.num_image_tokens,
            "prompt_tokens": processor.picture_cost(plan),
            "warnings": list(picture.warnings),
        }
        for plan, image, picture in zip(plans, conversation.images, asked.prompt.pictures, strict=True)
    ]
    return {
        "object": "token_count",
        "model": asked.model.name,
        "prompt_tokens": total,
        "image_tokens": sum(plan.num_image_tokens for plan in plans),
        "context_length": asked.model.context,
        "pictures": pictures,
    }
