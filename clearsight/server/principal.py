"""Who asks: what a request is allowed, decided before any route sees it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import Request

from clearsight.server.errors import ApiError

Scope = Literal["inference", "files", "conversations", "account", "review", "admin"]
KEY_SCOPES: tuple[Scope, ...] = ("inference", "files", "conversations")
"""What a key may do unless it was made for less or more."""
ROLE_SCOPES: dict[str, tuple[Scope, ...]] = {
    "member": (*KEY_SCOPES, "account"),
    "reviewer": (*KEY_SCOPES, "account", "review"),
    "admin": (*KEY_SCOPES, "account", "review", "admin"),
    "owner": (*KEY_SCOPES, "account", "review", "admin"),
}
"""What a logged-in user may do. The owner's admin reaches every organisation of the server."""


@dataclass(frozen=True)
class Principal:
    """A key or a session, and for whom it stands."""

    id: str
    """Of the key or session: what limits are counted for."""
    kind: Literal["key", "session"]
    organisation_id: str
    user_id: str
    user_name: str
    role: str
    scopes: frozenset[str]
    limits: dict[str, Any] = field(default_factory=dict, hash=False)
    csrf: str = ""

    @property
    def key_id(self) -> str | None:
        return self.id if self.kind == "key" else None

    @property
    def is_owner(self) -> bool:
        return self.role == "owner" and "admin" in self.scopes


def principal_of(request: Request) -> Principal:
    """Who sent this request. For routes behind the gate; public ones have nobody."""
    found = request.scope.get("state", {}).get("principal")
    if not isinstance(found, Principal):
        raise ApiError(401, "Log in first.", code="not_logged_in")
    return found


def request_id_of(request: Request) -> str:
    """The id that the answer's x-request-id says."""
    return str(request.scope["state"]["request_id"])
