"""Who did what, in a chain: each entry's hash covers the entry and the hash before it.

What is changed, taken away or put in between later shows in `verify`. Cutting off the end doesn't, unless the last
hash is written down elsewhere: `head` is for that, and backups note it. An entry is appended in the transaction of
what it tells, so there is no deed without its entry and no entry without its deed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server.store import text
from clearsight.server.store.database import Database, take_lock
from clearsight.server.store.tables import AuditEvent, now_ms

FIRST = bytes(32)
"""What stands for the hash before the first entry."""
BATCH = 1000


@dataclass(frozen=True)
class Broken:
    """The first entry that doesn't fit; `sequence` is its place, from 1."""

    sequence: int
    reason: str


async def append(
    session: AsyncSession,
    organisation_id: str,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Add an entry. Do it last in a transaction: other writers of the log wait from here to the commit.

    `actor` and `subject` are ids (at most 64 characters), `action` a word such as key.revoke. `details` hold text,
    whole numbers, truth values, None, lists and dicts of these; no floats, which databases write in other ways.
    """
    kept = dict(details or {})
    _assert_canonical(kept)
    text.check(kept, "details")
    await take_lock(session, "audit")
    last = await session.scalar(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1))
    event = AuditEvent(
        sequence=last.sequence + 1 if last else 1,
        created_at=now_ms(),
        organisation_id=organisation_id,
        actor=actor,
        action=action,
        subject=subject,
        details=kept,
        previous=last.hash if last else FIRST,
    )
    event.hash = digest(event)
    session.add(event)
    await session.flush()
    return event


def digest(event: AuditEvent) -> bytes:
    """SHA-256 of the previous hash and of the entry as JSON: keys sorted, no spaces, UTF-8."""
    entry = {
        "sequence": event.sequence,
        "created_at": event.created_at,
        "organisation_id": event.organisation_id,
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "details": event.details,
    }
    canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(event.previous + canonical.encode()).digest()


async def verify(database: Database) -> Broken | None:
    """The first entry that was changed, or stands after one that is missing; None when the chain holds."""
    previous, expected = FIRST, 1
    while True:
        async with database.read() as session:
            found = await session.scalars(
                select(AuditEvent)
                .where(AuditEvent.sequence >= expected)
                .order_by(AuditEvent.sequence)
                .limit(BATCH)
            )
            events = found.all()
        for event in events:
            if event.sequence != expected:
                return Broken(expected, f"entry {expected} is missing")
            if event.previous != previous:
                return Broken(expected, f"entry {expected} doesn't follow from the one before")
            if event.hash != digest(event):
                return Broken(expected, f"entry {expected} was changed")
            previous, expected = event.hash, expected + 1
        if len(events) < BATCH:
            return None


async def head(database: Database) -> tuple[int, str]:
    """Sequence and hash (hex) of the last entry; (0, zeros) when there is none."""
    async with database.read() as session:
        last = await session.scalar(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1))
    return (last.sequence, last.hash.hex()) if last else (0, FIRST.hex())


async def page(
    database: Database, organisation_id: str | None, before: int | None = None, limit: int = 50
) -> list[AuditEvent]:
    """Entries, the newest first, older than the sequence `before`; None for the organisation lists all."""
    wanted = select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(min(max(limit, 1), 200))
    if organisation_id is not None:
        wanted = wanted.where(AuditEvent.organisation_id == organisation_id)
    if before is not None:
        wanted = wanted.where(AuditEvent.sequence < before)
    async with database.read() as session:
        return list((await session.scalars(wanted)).all())


def _assert_canonical(value: Any) -> None:
    if isinstance(value, dict):
        for key, held in value.items():
            assert isinstance(key, str), f"a key of an audit entry is text, not {key!r}"
            _assert_canonical(held)
    elif isinstance(value, list):
        for held in value:
            _assert_canonical(held)
    else:
        assert value is None or isinstance(value, str | int), f"an audit entry doesn't hold {value!r}"
