"""What a new server makes for its owner: an account, a link that logs in once, and one API key."""

from dataclasses import dataclass

from clearsight.server.config import ServerConfig
from clearsight.server.issuing import issue_key, login_link
from clearsight.server.store import accounts
from clearsight.server.store.database import Database, take_lock

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
    key, _ = await issue_key(database, SYSTEM, organisation.id, user.id, "First key")
    return Welcome(await login_link(database, config, user.id), key)
