"""Whether a server lives, whether it is ready, and what it counts."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from clearsight.server.answers import Health, Readiness, Responses, bytes_of, told
from clearsight.server.platform import platform_of

router = APIRouter(tags=["health"])
NOT_READY: Responses = {
    503: {"model": Readiness, "description": "Something that is needed is not there yet."}
}


@router.get("/healthz", responses=told(Health))
async def alive() -> dict[str, str]:
    """The process answers. For a liveness probe: says nothing about models or stores."""
    return {"status": "ok"}


@router.get("/readyz", responses=told(Readiness) | NOT_READY)
async def ready(request: Request) -> JSONResponse:
    """Every part that answers need is there. For a readiness probe: names parts, never reasons or addresses."""
    platform = platform_of(request)
    parts: dict[str, Any] = {
        "models": platform.models.ready,
        "store": await platform.reachable(),
        "limits": await platform.limiter.healthy(),
    }
    ok = all(parts.values()) and not platform.draining.began
    return JSONResponse(
        {"status": "ok" if ok else "not ready", "parts": parts}, status_code=200 if ok else 503
    )


@router.get("/metrics", response_class=Response, responses=bytes_of("text/plain"))
async def metrics(request: Request) -> Response:
    """In Prometheus' form."""
    return Response(platform_of(request).metrics.text(), media_type="text/plain; version=0.0.4")
