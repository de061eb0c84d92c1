"""What is kept no longer: run every hour by each server process, which don't get in each other's way.

A period counts from the last change of a conversation and from the making of a stored response. An organisation's own
period goes before the server's; without either, all is kept until someone deletes it. Usage and the audit log stay:
they hold numbers and ids, no text and no pictures.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server.store import conversations, messages
from clearsight.server.store.blobs import Blobs, release
from clearsight.server.store.database import Database
from clearsight.server.store.tables import (
    Conversation,
    File,
    LoginLink,
    Organisation,
    ResponsePicture,
    Session,
    StoredResponse,
    now_ms,
)

DAY_MS = 86_400_000
BATCH = 100
"""Rows that go in one transaction; on SQLite others wait for so long."""


@dataclass(frozen=True)
class Swept:
    """How many went."""

    conversations: int
    responses: int
    files: int
    blobs: int
    interrupted: int
    """Answers that were marked as failed, because the process that wrote them is gone."""


async def sweep(database: Database, blobs: Blobs, default_days: int | None) -> Swept:
    """Remove what is kept no longer. `default_days` is for organisations without a period of their own."""
    interrupted = await messages.fail_abandoned(database)
    async with database.read() as session:
        periods = (await session.execute(select(Organisation.id, Organisation.retention_days))).all()
    old_conversations = old_responses = 0
    for organisation_id, own_days in periods:
        days = own_days or default_days
        if days is None:
            continue
        limit = now_ms() - days * DAY_MS
        while True:
            async with database.write() as session:
                ids = await _some(
                    session,
                    Conversation,
                    Conversation.organisation_id == organisation_id,
                    Conversation.updated_at < limit,
                )
                gone = await conversations.remove_rows(session, organisation_id, ids)
            await blobs.collect(organisation_id, gone)
            old_conversations += len(ids)
            if len(ids) < BATCH:
                break
        while True:
            async with database.write() as session:
                ids = await _some(
                    session,
                    StoredResponse,
                    StoredResponse.organisation_id == organisation_id,
                    StoredResponse.created_at < limit,
                )
                gone = await _remove_responses(session, organisation_id, ids)
            await blobs.collect(organisation_id, gone)
            old_responses += len(ids)
            if len(ids) < BATCH:
                break
    expired = await _sweep_files(database, blobs)
    await _sweep_logins(database)
    return Swept(old_conversations, old_responses, expired, await blobs.sweep(), interrupted)


async def _some(
    session: AsyncSession,
    table: type[Conversation] | type[StoredResponse] | type[File],
    *conditions: ColumnElement[bool],
) -> list[str]:
    """Ids of a batch, held; those that another process holds are left to it."""
    wanted = (
        select(table.id).where(*conditions).order_by(table.id).limit(BATCH).with_for_update(skip_locked=True)
    )
    return list((await session.scalars(wanted)).all())


async def _remove_responses(session: AsyncSession, organisation_id: str, ids: list[str]) -> list[str]:
    shown = select(ResponsePicture.sha256).where(ResponsePicture.response_id.in_(ids)).distinct()
    hashes = list((await session.scalars(shown)).all())
    await session.execute(
        delete(StoredResponse).where(StoredResponse.id.in_(ids)).execution_options(synchronize_session=False)
    )
    return await release(session, organisation_id, hashes)


async def _sweep_files(database: Database, blobs: Blobs) -> int:
    removed = 0
    while True:
        gone: dict[str, list[str]] = {}
        async with database.write() as session:
            ids = await _some(session, File, File.expires_at <= now_ms())
            taken = await session.execute(
                delete(File)
                .where(File.id.in_(ids))
                .returning(File.organisation_id, File.sha256)
                .execution_options(synchronize_session=False)
            )
            hashes: dict[str, list[str]] = {}
            for organisation_id, sha256 in taken:
                hashes.setdefault(organisation_id, []).append(sha256)
            for organisation_id in sorted(hashes):
                gone[organisation_id] = await release(session, organisation_id, hashes[organisation_id])
        for organisation_id, removed_hashes in gone.items():
            await blobs.collect(organisation_id, removed_hashes)
        removed += len(ids)
        if len(ids) < BATCH:
            return removed


async def _sweep_logins(database: Database) -> None:
    """Links and sessions that have been of no use for a day."""
    async with database.write() as session:
        for table in (LoginLink, Session):
            await session.execute(
                delete(table)
                .where(table.expires_at < now_ms() - DAY_MS)
                .execution_options(synchronize_session=False)
            )
