"""GET /v1/models: what can be asked."""

from typing import Any

from fastapi import APIRouter, Request

from clearsight.server.answers import ModelEntry, ModelList, told
from clearsight.server.errors import ApiError
from clearsight.server.platform import platform_of

router = APIRouter(tags=["models"])


@router.get("/v1/models", responses=told(ModelList))
async def models(request: Request) -> dict[str, Any]:
    """All models, the default first; `ready` says which are loaded."""
    platform = platform_of(request)
    return {"object": "list", "data": [_entry(request, name) for name in platform.models.names]}


@router.get("/v1/models/{name:path}", responses=told(ModelEntry))
async def model(request: Request, name: str) -> dict[str, Any]:
    """One model. 404 for a name that isn't there."""
    platform = platform_of(request)
    if name not in platform.models.names:
        raise ApiError(
            404,
            f"There is no model {name[:60]!r} here; there are {', '.join(platform.models.names)}.",
            param="model",
            code="model_not_found",
        )
    return _entry(request, name)


def _entry(request: Request, name: str) -> dict[str, Any]:
    platform = platform_of(request)
    loaded = {model.name: model for model in platform.models.loaded}
    found = loaded.get(name)
    return {
        "id": name,
        "object": "model",
        "created": found.created if found else platform.started,
        "owned_by": "clearsight",
        "ready": found is not None,
        "context_length": found.context if found else None,
    }
