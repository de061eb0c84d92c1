"""From a request's headers to who asks, with the store as the only authority.

What was found is trusted for a second; after that a revoked key, an ended session or a suspended user is noticed, by
streams that are running as well (`still_valid`).
"""

import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie

import anyio.to_thread
from sqlalchemy import select

from clearsight.server.errors import ApiError
from clearsight.server.keys import Verifier, csrf_token, parts_of, token_hash
from clearsight.server.principal import ROLE_SCOPES, Principal
from clearsight.server.store import accounts
from clearsight.server.store.database import Database
from clearsight.server.store.tables import ApiKey, Organisation, Session, User, now_ms

COOKIE = "clearsight_session"
TRUSTED_SECONDS = 1.0
LONGEST_HEADER = 1000  # characters
USED_EVERY_MS = 60_000


class Authentication:
    """Recognises keys and sessions."""

    def __init__(self, database: Database):
        self._database = database
        self._verifier = Verifier()
        self._recent: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def by_key(self, header: str) -> Principal:
        """Whose key an Authorization header holds. Raises ApiError 401 or 403."""
        scheme, _, key = header.strip().partition(" ")
        pair = parts_of(key.strip()) if scheme.lower() == "bearer" and len(header) < LONGEST_HEADER else None
        if pair is None:
            raise _wrong_key()
        lookup, secret = pair
        name = f"key {lookup} {token_hash(secret)}"
        known = self._known(name)
        if known:
            return known
        row = await accounts.find_key(self._database, lookup)
        hashed = row[0].secret_hash if row else None
        if hashed is None or not self._verifier.remembers(secret, hashed):
            right = await anyio.to_thread.run_sync(self._verifier.verify, secret, hashed)
            if not right:
                raise _wrong_key()
        assert row is not None
        api_key, user, organisation = row
        if api_key.revoked_at is not None or _past(api_key.expires_at):
            raise ApiError(401, "This API key was revoked or has expired.", code="invalid_api_key")
        _check_welcome(user, organisation)
        if api_key.last_used_at is None or api_key.last_used_at < now_ms() - USED_EVERY_MS:
            await accounts.key_used(self._database, api_key.id)
        principal = Principal(
            id=api_key.id,
            kind="key",
            organisation_id=organisation.id,
            user_id=user.id,
            user_name=user.name,
            role=user.role,
            scopes=frozenset(api_key.scopes),
            limits=dict(api_key.limits),
        )
        return self._keep(name, principal)

    async def by_cookie(self, header: str) -> Principal | None:
        """Whose session a Cookie header names; None without one. Raises ApiError for a user who is suspended."""
        token = session_token(header)
        if token is None:
            return None
        hashed = token_hash(token)
        known = self._known(f"session {hashed}")
        if known:
            return known
        row = await accounts.find_session(self._database, hashed)
        if row is None:
            return None
        found, user, organisation = row
        _check_welcome(user, organisation)
        principal = Principal(
            id=found.id,
            kind="session",
            organisation_id=organisation.id,
            user_id=user.id,
            user_name=user.name,
            role=user.role,
            scopes=frozenset(ROLE_SCOPES.get(user.role, ())),
            csrf=csrf_token(token),
        )
        return self._keep(f"session {hashed}", principal)

    async def still_valid(self, principal: Principal) -> bool:
        """Whether this key or session may go on; asks the store."""
        table = ApiKey if principal.kind == "key" else Session
        query = (
            select(table.revoked_at, table.expires_at, User.suspended_until, Organisation.suspended_at)
            .join(User, table.user_id == User.id)
            .join(Organisation, User.organisation_id == Organisation.id)
            .where(table.id == principal.id)
        )
        async with self._database.read() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            return False
        revoked, expires, user_until, organisation_at = row
        suspended = (user_until is not None and user_until > now_ms()) or organisation_at is not None
        return revoked is None and not _past(expires) and not suspended

    def forget(self) -> None:
        """Ask the store again for everybody; after a change that has to show at once."""
        self._recent.clear()

    def _known(self, name: str) -> Principal | None:
        found = self._recent.get(name)
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def _keep(self, name: str, principal: Principal) -> Principal:
        self._recent[name] = (time.monotonic() + TRUSTED_SECONDS, principal)
        self._recent.move_to_end(name)
        while len(self._recent) > 1000:
            self._recent.popitem(last=False)
        return principal


def session_token(header: str) -> str | None:
    """The session's token of a Cookie header."""
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return None
    found = cookies.get(COOKIE)
    return found.value if found is not None and 0 < len(found.value) < LONGEST_HEADER else None


def _past(moment: int | None) -> bool:
    return moment is not None and moment <= now_ms()


def _check_welcome(user: User, organisation: Organisation) -> None:
    if organisation.suspended_at is not None:
        raise ApiError(403, "This organisation is suspended; its administrator knows why.", code="suspended")
    if user.suspended_until is not None and user.suspended_until > now_ms():
        raise ApiError(403, "This account is suspended. You can appeal: POST /v1/appeals.", code="suspended")


def _wrong_key() -> ApiError:
    return ApiError(
        401,
        "The API key is missing or wrong. Send it as Authorization: Bearer cs-...; "
        "`clearsight admin keys create` makes one.",
        code="invalid_api_key",
    )
