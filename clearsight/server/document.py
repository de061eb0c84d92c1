"""The OpenAPI document: FastAPI's, with how one says who one is, and which routes ask nobody."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from clearsight.server.authentication import COOKIE
from clearsight.server.gate import is_public

SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, cs-..."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A browser that is logged in.",
    },
}


def document_of(app: FastAPI) -> dict[str, Any]:
    """The document of an application, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        made["components"]["securitySchemes"] = SCHEMES
        made["security"] = [{name: []} for name in SCHEMES]
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                if is_public(method.upper(), path):
                    operation["security"] = []
        app.openapi_schema = made
    return app.openapi_schema
