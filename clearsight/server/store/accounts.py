"""Organisations, users, keys, login links and sessions: the rows alone. What a secret is and how it is hashed, and
who may call these, is decided in `server.auth` and the routes; each deed of an admin writes its audit entry here,
in the same transaction.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server import errors
from clearsight.server.store import audit, conversations, text
from clearsight.server.store.blobs import Blobs, release
from clearsight.server.store.database import Database
from clearsight.server.store.tables import (
    ApiKey,
    Blob,
    Conversation,
    File,
    ListedHash,
    LoginLink,
    Organisation,
    Report,
    ResponsePicture,
    Session,
    StoredResponse,
    Table,
    Usage,
    User,
    new_id,
    now_ms,
)

Role = Literal["owner", "admin", "reviewer", "member"]

DELETED = "deleted"
"""Who used what a deleted user used: the ledger keeps adding up, and names nobody."""
FOREVER = (1 << 53) - 1
"""A suspension without end, in ms; the largest number that JSON readers agree on."""
BATCH = 100


async def create_organisation(
    database: Database,
    actor: str,
    name: str,
    retention_days: int | None = None,
    monthly_tokens: int | None = None,
) -> Organisation:
    """A new one, without users. Raises ApiError 400."""
    _check_name(name)
    organisation = Organisation(
        id=new_id("org"),
        name=name,
        created_at=now_ms(),
        retention_days=retention_days,
        monthly_tokens=monthly_tokens,
        policy=None,
        suspended_at=None,
    )
    async with database.write() as session:
        session.add(organisation)
        await audit.append(session, organisation.id, actor, "organisation.create", organisation.id)
    return organisation


async def get_organisation(database: Database, organisation_id: str) -> Organisation:
    """Raises ApiError 404."""
    async with database.read() as session:
        return await _organisation(session, organisation_id)


async def list_organisations(database: Database) -> list[Organisation]:
    """All of this server, by age."""
    async with database.read() as session:
        return list((await session.scalars(select(Organisation).order_by(Organisation.created_at))).all())


async def change_organisation(
    database: Database, actor: str, organisation_id: str, changes: Mapping[str, Any]
) -> Organisation:
    """Set name, retention_days, monthly_tokens or policy. Raises ApiError 404 and 400."""
    assert set(changes) <= {"name", "retention_days", "monthly_tokens", "policy"}, set(changes)
    if "name" in changes:
        _check_name(changes["name"])
    text.check(dict(changes), "organisation")
    async with database.write() as session:
        organisation = await _organisation(session, organisation_id)
        for name, value in changes.items():
            setattr(organisation, name, value)
        await audit.append(
            session,
            organisation_id,
            actor,
            "organisation.change",
            organisation_id,
            {"changed": sorted(changes)},
        )
    return organisation


async def suspend_organisation(
    database: Database, actor: str, organisation_id: str, suspended: bool
) -> Organisation:
    """Shut an organisation out, or let it in again. Raises ApiError 404."""
    async with database.write() as session:
        organisation = await _organisation(session, organisation_id)
        organisation.suspended_at = now_ms() if suspended else None
        action = "organisation.suspend" if suspended else "organisation.restore"
        await audit.append(session, organisation_id, actor, action, organisation_id)
    return organisation


async def delete_organisation(database: Database, blobs: Blobs, actor: str, organisation_id: str) -> None:
    """Take it away with everything but its audit entries. Raises ApiError 404."""
    async with database.read() as session:
        await _organisation(session, organisation_id)
        users = (await session.scalars(select(User.id).where(User.organisation_id == organisation_id))).all()
    for user_id in users:
        await _empty_user(database, blobs, organisation_id, user_id)
    async with database.write() as session:
        organisation = await _organisation(session, organisation_id)
        hashes = list(
            (await session.scalars(select(Blob.sha256).where(Blob.organisation_id == organisation_id))).all()
        )
        await session.execute(_without(ListedHash, ListedHash.organisation_id == organisation_id))
        await session.delete(organisation)
        await session.flush()
        await audit.append(session, organisation_id, actor, "organisation.delete", organisation_id)
    await blobs.collect(organisation_id, hashes)


async def create_user(
    database: Database, actor: str, organisation_id: str, name: str, role: Role = "member"
) -> User:
    """Raises ApiError 404 (organisation) and 400."""
    _check_name(name)
    user = User(
        id=new_id("user"),
        organisation_id=organisation_id,
        name=name,
        role=role,
        created_at=now_ms(),
        suspended_until=None,
        settings={},
    )
    async with database.write() as session:
        await _organisation(session, organisation_id)
        session.add(user)
        await audit.append(session, organisation_id, actor, "user.create", user.id, {"role": role})
    return user


async def get_user(database: Database, organisation_id: str, user_id: str) -> User:
    """Raises ApiError 404."""
    async with database.read() as session:
        return await _user(session, organisation_id, user_id)


async def list_users(database: Database, organisation_id: str) -> list[User]:
    """All of an organisation, by age."""
    wanted = select(User).where(User.organisation_id == organisation_id).order_by(User.created_at, User.id)
    async with database.read() as session:
        return list((await session.scalars(wanted)).all())


async def find_user(database: Database, user_id: str | None) -> User | None:
    """The user with this id, in whatever organisation; without one the server's first owner."""
    wanted = select(User).where(User.id == user_id if user_id is not None else User.role == "owner")
    async with database.read() as session:
        return await session.scalar(wanted.order_by(User.created_at, User.id).limit(1))


async def set_role(database: Database, actor: str, organisation_id: str, user_id: str, role: Role) -> User:
    """Raises ApiError 404."""
    async with database.write() as session:
        user = await _user(session, organisation_id, user_id)
        before, user.role = user.role, role
        await audit.append(
            session, organisation_id, actor, "user.role", user_id, {"before": before, "after": role}
        )
    return user


async def set_settings(
    database: Database, organisation_id: str, user_id: str, settings: Mapping[str, Any]
) -> User:
    """What a user prefers in the client. Raises ApiError 404 and 400."""
    text.check(dict(settings), "settings")
    async with database.write() as session:
        user = await _user(session, organisation_id, user_id)
        user.settings = dict(settings)
    return user


async def suspend_user(
    database: Database, actor: str, organisation_id: str, user_id: str, until: int | None, reason: str = ""
) -> User:
    """Shut a user out until a time in ms since 1970 (`FOREVER` has no end), or None to let them in.

    Raises ApiError 404.
    """
    async with database.write() as session:
        user = await _user(session, organisation_id, user_id)
        user.suspended_until = until
        action = "user.suspend" if until else "user.restore"
        await audit.append(
            session, organisation_id, actor, action, user_id, {"until": until, "reason": reason}
        )
    return user


async def delete_user(
    database: Database, blobs: Blobs, actor: str, organisation_id: str, user_id: str
) -> None:
    """Take a user away with everything they have here; the ledger keeps the figures, without their name.

    Raises ApiError 404.
    """
    await get_user(database, organisation_id, user_id)
    await _empty_user(database, blobs, organisation_id, user_id)
    async with database.write() as session:
        user = await _user(session, organisation_id, user_id)
        await session.execute(
            _without(Report, or_(Report.user_id == user_id, Report.about_user_id == user_id))
        )
        await session.execute(
            update(Usage)
            .where(Usage.organisation_id == organisation_id, Usage.user_id == user_id)
            .values(user_id=DELETED, key_id=None)
            .execution_options(synchronize_session=False)
        )
        await session.delete(user)
        await session.flush()
        await audit.append(session, organisation_id, actor, "user.delete", user_id)


async def add_key(
    database: Database,
    actor: str,
    organisation_id: str,
    user_id: str,
    name: str,
    lookup: str,
    secret_hash: str,
    scopes: Iterable[str],
    limits: Mapping[str, Any] | None = None,
    expires_at: int | None = None,
) -> ApiKey:
    """A key whose secret was hashed before. Raises ApiError 404 (user) and 400."""
    _check_name(name)
    key = ApiKey(
        id=new_id("key"),
        organisation_id=organisation_id,
        user_id=user_id,
        name=name,
        lookup=lookup,
        secret_hash=secret_hash,
        scopes=sorted(scopes),
        limits=dict(limits or {}),
        created_at=now_ms(),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    async with database.write() as session:
        await _user(session, organisation_id, user_id)
        session.add(key)
        await audit.append(session, organisation_id, actor, "key.create", key.id, {"scopes": key.scopes})
    return key


async def find_key(database: Database, lookup: str) -> tuple[ApiKey, User, Organisation] | None:
    """The key with this lookup, with its user and organisation, be it usable or not."""
    wanted = (
        select(ApiKey, User, Organisation)
        .join(User, User.id == ApiKey.user_id)
        .join(Organisation, Organisation.id == ApiKey.organisation_id)
        .where(ApiKey.lookup == lookup)
    )
    async with database.read() as session:
        row = (await session.execute(wanted)).first()
    return (row[0], row[1], row[2]) if row else None


async def list_keys(database: Database, organisation_id: str, user_id: str | None = None) -> list[ApiKey]:
    """Keys of a user, or of the whole organisation, the newest first; revoked ones too."""
    wanted = select(ApiKey).where(ApiKey.organisation_id == organisation_id)
    if user_id is not None:
        wanted = wanted.where(ApiKey.user_id == user_id)
    async with database.read() as session:
        return list((await session.scalars(wanted.order_by(ApiKey.created_at.desc(), ApiKey.id))).all())


async def revoke_key(
    database: Database, actor: str, organisation_id: str, key_id: str, user_id: str | None = None
) -> ApiKey:
    """End a key; with `user_id` only one of theirs. Ended before, it stays as it was. Raises ApiError 404."""
    wanted = select(ApiKey).where(ApiKey.id == key_id, ApiKey.organisation_id == organisation_id)
    if user_id is not None:
        wanted = wanted.where(ApiKey.user_id == user_id)
    async with database.write() as session:
        key = await session.scalar(wanted.with_for_update())
        if key is None:
            raise errors.not_found("key")
        if key.revoked_at is None:
            key.revoked_at = now_ms()
            await audit.append(session, organisation_id, actor, "key.revoke", key_id)
    return key


async def key_used(database: Database, key_id: str) -> None:
    """Note that a key was used now; to be called now and then, not for every request."""
    async with database.write() as session:
        await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now_ms()))


async def add_login_link(database: Database, user_id: str, token_hash: str, expires_at: int) -> LoginLink:
    """A link that opens a session once."""
    link = LoginLink(
        token_hash=token_hash, user_id=user_id, created_at=now_ms(), expires_at=expires_at, used_at=None
    )
    async with database.write() as session:
        session.add(link)
    return link


async def use_login_link(database: Database, token_hash: str) -> User | None:
    """Whose link it is, once; None when it is unknown, used or expired. Of two at once, one gets the user."""
    now = now_ms()
    async with database.write() as session:
        user_id = await session.scalar(
            update(LoginLink)
            .where(
                LoginLink.token_hash == token_hash, LoginLink.used_at.is_(None), LoginLink.expires_at > now
            )
            .values(used_at=now)
            .returning(LoginLink.user_id)
            .execution_options(synchronize_session=False)
        )
        return await session.get(User, user_id) if user_id is not None else None


async def add_session(
    database: Database, user_id: str, token_hash: str, browser: str, expires_at: int
) -> Session:
    """A browser that is logged in; `browser` is cut to 200 characters."""
    opened = Session(
        token_hash=token_hash,
        id=new_id("sess"),
        user_id=user_id,
        browser=text.cleaned(browser)[:200],
        created_at=now_ms(),
        expires_at=expires_at,
        revoked_at=None,
    )
    async with database.write() as session:
        session.add(opened)
    return opened


async def find_session(database: Database, token_hash: str) -> tuple[Session, User, Organisation] | None:
    """The session with this token, with its user and organisation; None when it is unknown, ended or expired."""
    wanted = (
        select(Session, User, Organisation)
        .join(User, User.id == Session.user_id)
        .join(Organisation, Organisation.id == User.organisation_id)
        .where(Session.token_hash == token_hash, Session.revoked_at.is_(None), Session.expires_at > now_ms())
    )
    async with database.read() as session:
        row = (await session.execute(wanted)).first()
    return (row[0], row[1], row[2]) if row else None


async def list_sessions(database: Database, user_id: str) -> list[Session]:
    """Where a user is logged in, the newest first."""
    wanted = (
        select(Session)
        .where(Session.user_id == user_id, Session.revoked_at.is_(None), Session.expires_at > now_ms())
        .order_by(Session.created_at.desc())
    )
    async with database.read() as session:
        return list((await session.scalars(wanted)).all())


async def end_session(database: Database, user_id: str, session_id: str) -> None:
    """Log a browser out. Raises ApiError 404."""
    async with database.write() as session:
        found = await session.scalar(
            select(Session).where(Session.id == session_id, Session.user_id == user_id)
        )
        if found is None:
            raise errors.not_found("session")
        found.revoked_at = found.revoked_at or now_ms()


async def end_sessions(database: Database, user_id: str) -> None:
    """Log a user out everywhere."""
    async with database.write() as session:
        await session.execute(
            update(Session)
            .where(Session.user_id == user_id, Session.revoked_at.is_(None))
            .values(revoked_at=now_ms())
        )


async def _empty_user(database: Database, blobs: Blobs, organisation_id: str, user_id: str) -> None:
    """Delete what a user keeps in pieces, so that others don't wait long; killed in the middle, it is done again."""
    for table in (Conversation, StoredResponse, File):
        while True:
            async with database.write() as session:
                ids = list(
                    (
                        await session.scalars(select(table.id).where(table.user_id == user_id).limit(BATCH))
                    ).all()
                )
                if table is Conversation:
                    gone = await conversations.remove_rows(session, organisation_id, ids)
                elif table is StoredResponse:
                    shown = select(ResponsePicture.sha256).where(ResponsePicture.response_id.in_(ids))
                    hashes = list((await session.scalars(shown.distinct())).all())
                    await session.execute(_without(StoredResponse, StoredResponse.id.in_(ids)))
                    gone = await release(session, organisation_id, hashes)
                else:
                    hashes = list((await session.scalars(select(File.sha256).where(File.id.in_(ids)))).all())
                    await session.execute(_without(File, File.id.in_(ids)))
                    gone = await release(session, organisation_id, hashes)
            await blobs.collect(organisation_id, gone)
            if len(ids) < BATCH:
                break


def _without(table: type[Table], condition: Any) -> Any:
    return delete(table).where(condition).execution_options(synchronize_session=False)


async def _organisation(session: AsyncSession, organisation_id: str) -> Organisation:
    organisation = await session.get(Organisation, organisation_id)
    if organisation is None:
        raise errors.not_found("organisation")
    return organisation


async def _user(session: AsyncSession, organisation_id: str, user_id: str) -> User:
    user = await session.get(User, user_id)
    if user is None or user.organisation_id != organisation_id:
        raise errors.not_found("user")
    return user


def _check_name(name: str) -> None:
    text.check(name, "name")
    if not 1 <= len(name) <= 200:
        raise errors.ApiError(400, "A name has 1 to 200 characters.", param="name", code="invalid_name")
