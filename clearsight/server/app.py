"""The application: parts started and ended in order, routes put together, errors in one form.

    uvicorn.run(create_app(read_config(None)))

What comes back is the gate with the FastAPI application behind it; nothing reaches a route around it.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from clearsight import __version__
from clearsight.server import body
from clearsight.server.answers import ERRORS
from clearsight.server.config import ServerConfig
from clearsight.server.document import document_of
from clearsight.server.errors import ApiError, unforeseen
from clearsight.server.gate import Gate
from clearsight.server.metering import counted
from clearsight.server.platform import Platform, opened
from clearsight.server.principal import request_id_of
from clearsight.server.routes import ROUTERS, audio
from clearsight.server.routes.client import Client

log = logging.getLogger(__name__)


def create_app(config: ServerConfig, client: Path | None = None) -> Gate:
    """An ASGI application for these settings, and the web client of a folder.

    Raises ServerConfigError for settings that don't fit together.
    """
    config.check()
    holder: list[Platform] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(config) as platform:
            holder.append(platform)
            app.state.platform = platform
            app.state.speech = platform.speech if config.speech.enabled else None
            with platform.draining.on_signals():
                yield
            holder.clear()

    app = FastAPI(
        title="Clearsight",
        version=__version__,
        description="Ask about pictures, with OpenAI's API.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=ERRORS,
    )
    app.state.client = Client(client) if client is not None else None
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(audio.router, dependencies=[Depends(counted)])
    app.openapi = lambda: document_of(app)  # type: ignore[method-assign]
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)
    return Gate(app, config, lambda: holder[0])


async def _api_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return JSONResponse(error.to_json(), status_code=error.status, headers=error.headers)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw. The framework raises it again behind the answer, and the gate writes it into the log."""
    return await _api_error(request, unforeseen(request_id_of(request)))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return await _api_error(request, body.invalid(error))


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What the framework says by itself, in the words of this server."""
    assert isinstance(error, HTTPException)
    cause = error.__cause__
    if isinstance(cause, ApiError):  # raised while a body was being read
        return await _api_error(request, cause)
    known = {
        404: ("There is no such address.", "not_found"),
        405: (f"{request.method} isn't possible here.", "method_not_allowed"),
    }
    message, code = known.get(error.status_code, ("The request can't be read.", "invalid_request"))
    answer = ApiError(error.status_code, message, code=code, headers=error.headers)
    return await _api_error(request, answer)
