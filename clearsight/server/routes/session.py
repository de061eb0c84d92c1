"""Logging a browser in and out: a one-time link becomes a session, and a session gets its CSRF token."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from clearsight.server.answers import SessionEntry, told
from clearsight.server.authentication import COOKIE
from clearsight.server.body import Body, StrictRoute
from clearsight.server.errors import ApiError
from clearsight.server.keys import new_token, token_hash
from clearsight.server.platform import platform_of
from clearsight.server.principal import principal_of
from clearsight.server.store import accounts
from clearsight.server.store.tables import now_ms

router = APIRouter(tags=["session"], route_class=StrictRoute)
SESSION_DAYS = 90


class Login(Body):
    token: str


@router.post("/v1/login")
async def login(body: Login, request: Request) -> JSONResponse:
    """Log in with the token of a login link; it works once."""
    platform = platform_of(request)
    client = request.client.host if request.client else ""
    await platform.limiter.attempt("login", client, platform.config.limits.login_attempts_per_minute)
    user = await accounts.use_login_link(platform.database, token_hash(body.token[:200]))
    if user is None:
        raise ApiError(
            401, "This link was used, has expired, or never was; ask for a new one.", code="bad_link"
        )
    token, hashed = new_token()
    expires = now_ms() + SESSION_DAYS * 24 * 3600 * 1000
    browser = request.headers.get("user-agent", "")
    await accounts.add_session(platform.database, user.id, hashed, browser, expires)
    answer = JSONResponse(
        {"object": "session", "user": {"id": user.id, "name": user.name, "role": user.role}}
    )
    answer.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_DAYS * 24 * 3600,
        httponly=True,
        samesite="lax",
        secure=platform.config.url.startswith("https://"),
        path="/",
    )
    return answer


@router.get("/v1/session", responses=told(SessionEntry))
async def session(request: Request) -> dict[str, Any]:
    """Who is logged in; for a browser also the token that its changes have to carry (x-csrf-token)."""
    principal = principal_of(request)
    return {
        "object": "session",
        "kind": principal.kind,
        "user": {"id": principal.user_id, "name": principal.user_name, "role": principal.role},
        "organisation_id": principal.organisation_id,
        "scopes": sorted(principal.scopes),
        "csrf_token": principal.csrf or None,
        "hand_over": platform_of(request).config.client.hand_over,
    }


@router.delete("/v1/session")
async def logout(request: Request) -> JSONResponse:
    """End this session."""
    platform = platform_of(request)
    principal = principal_of(request)
    if principal.kind != "session":
        raise ApiError(
            400, "Only a browser that is logged in can log out; revoke a key instead.", code="no_session"
        )
    await accounts.end_session(platform.database, principal.user_id, principal.id)
    platform.authentication.forget()
    answer = JSONResponse({"object": "session", "deleted": True})
    answer.delete_cookie(COOKIE, path="/")
    return answer
