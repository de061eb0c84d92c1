"""Secrets as people get them: API keys, and links that log in once. What they are made of is in keys.py."""

from collections.abc import Iterable, Mapping
from typing import Any

from clearsight.server.config import ServerConfig
from clearsight.server.keys import new_key, new_token
from clearsight.server.principal import KEY_SCOPES
from clearsight.server.store import accounts
from clearsight.server.store.database import Database
from clearsight.server.store.tables import ApiKey, now_ms

DAY_MS = 24 * 3600 * 1000
LINK_MINUTES = 60


async def issue_key(
    database: Database,
    actor: str,
    organisation_id: str,
    user_id: str,
    name: str,
    scopes: Iterable[str] | None = None,
    limits: Mapping[str, Any] | None = None,
    days: int | None = None,
) -> tuple[str, ApiKey]:
    """A key, which is to be shown once, and its row. Without `scopes` it has the usual ones, without `days` no end.

    Raises ApiError 404 (user) and 400 (name).
    """
    key, lookup, hashed = new_key()
    row = await accounts.add_key(
        database,
        actor,
        organisation_id,
        user_id,
        name,
        lookup,
        hashed,
        scopes or KEY_SCOPES,
        limits,
        now_ms() + days * DAY_MS if days else None,
    )
    return key, row


async def login_link(database: Database, config: ServerConfig, user_id: str) -> str:
    """An address that logs a user in once, within the hour. The token stands behind #, so that no log ever holds it."""
    token, hashed = new_token()
    await accounts.add_login_link(database, user_id, hashed, now_ms() + LINK_MINUTES * 60_000)
    return f"{config.url}/#login={token}"
