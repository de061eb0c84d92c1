"""What a new server makes for its owner: an account, a link that logs in once, and one API key."""

from dataclasses import dataclass

from clearsight.server.config import ServerConfig
from clearsight.server.keys import new_key, new_token
from clearsight.server.principal import KEY_SCOPES
from clearsight.server.store import accounts
from clearsight.server.store.database import Database, take_lock
from clearsight.server.store.tables import now_ms

LINK_MINUTES = 60
SYSTEM = "system"


@dataclass(frozen=True)
class Welcome:
    """Secrets that are shown once."""

    link: str
    key: str


async def welcome(database: Database, config: ServerConfig) -> Welcome | None:
    """An owner for a server that has nobody yet; None for one that has. Of servers that start at once, one makes it."""
    async with database.read() as session:
        await take_lock(session, "first start")  # until this session ends, behind what is made
        return await _welcome(database, config)


async def _welcome(database: Database, config: ServerConfig) -> Welcome | None:
    if await accounts.list_organisations(database):
        return None
    organisation = await accounts.create_organisation(database, SYSTEM, "Home")
    user = await accounts.create_user(database, SYSTEM, organisation.id, "Owner", "owner")
    key, lookup, hashed = new_key()
    await accounts.add_key(
        database, SYSTEM, organisation.id, user.id, "First key", lookup, hashed, KEY_SCOPES
    )
    return Welcome(await login_link(database, config, user.id), key)


async def login_link(database: Database, config: ServerConfig, user_id: str) -> str:
    """An address that logs a user in once, within the hour. The token stands behind #, so that no log ever holds it."""
    token, hashed = new_token()
    await accounts.add_login_link(database, user_id, hashed, now_ms() + LINK_MINUTES * 60_000)
    return f"{config.url}/#login={token}"
