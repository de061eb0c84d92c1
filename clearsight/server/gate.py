"""What every request passes before it reaches a route, as ASGI, outermost first:

an id; the Host header; who asks, denied unless the path is on the short public list; what they may; CSRF; the body's
size. On the way out: the one form of errors, x-request-id, time taken, headers that browsers obey.

Paths are those of the ASGI scope. Nothing is decided on an address rebuilt from headers, which is how others' checks
were walked around (CVE-2026-48746).
"""

import ipaddress
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders

from clearsight.server.config import ServerConfig
from clearsight.server.errors import ApiError, unforeseen
from clearsight.server.platform import Platform
from clearsight.server.principal import Principal

log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PUBLIC = {
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/v1/login"),
    ("GET", "/favicon.ico"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/worker.js"),
}
PUBLIC_BELOW = ("/assets/", "/shared/", "/v1/shared/")
"""GET and HEAD of what is below these: the client's own files, and conversations that were shared by a secret link."""

SCOPES = (
    ("/v1/chat/", "inference"),
    ("/v1/responses", "inference"),
    ("/v1/models", "inference"),
    ("/v1/tokens/", "inference"),
    ("/v1/moderations", "inference"),
    ("/v1/audio/", "inference"),
    ("/v1/images", "inference"),
    ("/v1/describe", "inference"),
    ("/v1/files", "files"),
    ("/v1/conversations", "conversations"),
    ("/v1/messages", "conversations"),
    ("/v1/feedback", "conversations"),
    ("/v1/reports", "conversations"),
    ("/v1/session", ""),
    ("/v1/usage", "account"),
    ("/v1/account", "account"),
    ("/v1/appeals", "account"),
    ("/v1/review", "review"),
    ("/v1/admin", "admin"),
    ("/metrics", "admin"),
    ("/openapi.json", ""),
    ("/docs", ""),
)
"""What a path asks of a key or session; empty: only to be somebody. What is not listed here does not exist."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=()",
    "content-security-policy": CONTENT_SECURITY_POLICY,
}
HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
FAILURES = 100
"""Wrong keys from one address within a minute; then 429 for the rest of it, so that guessing costs nothing here."""


class Gate:
    """ASGI middleware; see the module's text."""

    def __init__(self, app: FastAPI, config: ServerConfig, platform: Callable[[], Platform]):
        self._app = app
        self._platform = platform
        self._longest = config.max_request_megabytes * 1_000_000
        self._hosts = _allowed_hosts(config)
        self._failures: dict[str, tuple[int, int]] = {}
        self._version = app.version

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of what is behind the gate."""
        return self._app.openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a WebSocket is closed by the server that gets no answer
        started = time.perf_counter()
        request_id = f"req_{secrets.token_hex(16)}"
        scope.setdefault("state", {})["request_id"] = request_id
        began = False
        status = 0

        async def answer(message: Message) -> None:
            nonlocal began, status
            if message["type"] == "http.response.start":
                began = True
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                headers["x-request-id"] = request_id
                headers["openai-version"] = "2020-10-01"
                headers["openai-processing-ms"] = str(round((time.perf_counter() - started) * 1000))
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
                for name, value in scope["state"].get("headers", {}).items():
                    headers[name] = value
            await send(message)

        try:
            await self._admit(scope)
            await self._app(scope, self._bounded(scope, receive), answer)
        except ApiError as error:
            if not began:
                await send_error(answer, error)
        except Exception:
            log.exception("request %s failed", request_id)
            if not began:
                await send_error(answer, unforeseen(request_id))
        finally:
            # The pattern of the address, never the address itself: its ids would make as many series.
            route = getattr(scope.get("route"), "path", "other")
            self._platform().metrics.answered(route, status, time.perf_counter() - started)

    async def _admit(self, scope: Scope) -> None:
        """Let a request in or raise ApiError; leaves who asks in the scope."""
        headers = Headers(scope=scope)
        self._check_host(headers)
        method, path = scope["method"], scope["path"]
        hidden = b"%2f" in scope.get("raw_path", b"").lower() and not path.startswith("/v1/models/")
        if not path.startswith("/") or "//" in path or "\\" in path or ".." in path.split("/") or hidden:
            raise ApiError(404, "There is no such address.", code="not_found")
        public = is_public(method, path)
        scope_name = needed_scope(path)
        if not public and scope_name is None:
            raise ApiError(404, "There is no such address.", code="not_found")
        if public and path != "/v1/login":
            return
        principal = await self._who(scope, headers) if not public else None
        if principal is None:
            return
        if scope_name and scope_name not in principal.scopes:
            raise ApiError(
                403, f"This key or account has no permission for {scope_name}.", code="missing_scope"
            )
        if principal.kind == "session" and method not in ("GET", "HEAD", "OPTIONS"):
            self._check_same_site(headers, principal)
        scope["state"]["principal"] = principal

    async def _who(self, scope: Scope, headers: Headers) -> Principal:
        authentication = self._platform().authentication
        authorization = headers.get("authorization")
        if authorization is None:
            found = await authentication.by_cookie(headers.get("cookie", ""))
            if found is None:
                raise ApiError(
                    401,
                    "The API key is missing. Send it as Authorization: Bearer cs-...",
                    code="invalid_api_key",
                )
            return found
        client = (scope.get("client") or ("",))[0]
        self._check_failures(client)
        try:
            return await authentication.by_key(authorization)
        except ApiError as error:
            if error.status == 401:
                minute, count = self._failures.get(client, (0, 0))
                now = int(time.monotonic() // 60)
                self._failures[client] = (now, count + 1 if minute == now else 1)
                if len(self._failures) > 10_000:
                    self._failures.clear()
            raise

    def _check_failures(self, client: str) -> None:
        minute, count = self._failures.get(client, (0, 0))
        if minute == int(time.monotonic() // 60) and count >= FAILURES:
            raise ApiError(
                429,
                "Too many wrong keys came from this address; wait a minute.",
                code="rate_limit_exceeded",
                headers={"retry-after": "60"},
            )

    def _check_host(self, headers: Headers) -> None:
        """Only names of one's own are answered: a foreign name that points here is somebody's trick (DNS rebinding)."""
        given = headers.getlist("host")
        name = _host_name(given[0]) if len(given) == 1 else None
        if name is None or not (name in self._hosts or _is_address(name)):
            raise ApiError(
                400,
                "The Host header names no host of this server; add it to network.allowed_hosts.",
                code="unknown_host",
            )

    def _check_same_site(self, headers: Headers, principal: Principal) -> None:
        origin = headers.get("origin")
        own = _host_name(headers["host"])
        if origin is not None and (origin == "null" or _host_name(urlsplit(origin).netloc) != own):
            raise ApiError(403, "This change was asked for by another site.", code="csrf")
        if not secrets.compare_digest(headers.get("x-csrf-token", "").encode(), principal.csrf.encode()):
            raise ApiError(
                403, "The x-csrf-token header is missing or old; load the page again.", code="csrf"
            )

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """The body, up to the limit, whatever its Content-Length says."""
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isascii() and declared.isdecimal() and int(declared[:20]) > self._longest:
            raise self._too_long()
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._longest:
                    raise self._too_long()
            return message

        return bounded

    def _too_long(self) -> ApiError:
        return ApiError(
            413,
            f"The request has more than {self._longest // 1_000_000} MB; send smaller or fewer pictures.",
            code="request_too_large",
        )


async def send_error(send: Send, error: ApiError) -> None:
    """An error as a whole answer."""
    body = json.dumps(error.to_json(), ensure_ascii=False).encode("utf-8", "replace")
    headers = {"content-type": "application/json", "content-length": str(len(body)), **error.headers}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def is_public(method: str, path: str) -> bool:
    method = "GET" if method == "HEAD" else method
    return (method, path) in PUBLIC or (method == "GET" and path.startswith(PUBLIC_BELOW))


def needed_scope(path: str) -> str | None:
    """What a path asks for; None for a path that is not on the list."""
    for prefix, scope in SCOPES:
        if path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/"):
            return scope
    return None


def _allowed_hosts(config: ServerConfig) -> frozenset[str]:
    names = {"localhost", *config.network.allowed_hosts}
    for address in (config.url, f"http://{config.network.host}"):
        name = urlsplit(address).hostname
        if name:
            names.add(name)
    return frozenset(name.lower() for name in names)


def _host_name(value: str) -> str | None:
    """The name of a Host header, without its port; None for what is no plain name or address."""
    if not HOST.fullmatch(value):
        return None
    try:
        split = urlsplit(f"//{value}")
        name, _ = split.hostname, split.port
    except ValueError:
        return None
    return name.lower() if name else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
