"""Whoever changes the audit log is found out."""

import pytest
from sqlalchemy import delete, func, select, update

from clearsight.server.store import audit
from clearsight.server.store.tables import AuditEvent

pytestmark = pytest.mark.anyio


async def write(database, count: int) -> None:
    async with database.write() as session:
        for number in range(count):
            await audit.append(
                session, "org_x", "user_x", "thing.do", f"thing-{number}", {"n": number, "s": "é"}
            )


async def test_a_log_that_nobody_touched_holds(database, monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 3)
    assert await audit.verify(database) is None
    await write(database, 7)
    assert await audit.verify(database) is None
    assert (await audit.head(database))[0] == 7


@pytest.mark.parametrize(
    "values",
    [{"actor": "other"}, {"details": {"n": 3, "s": "e"}}, {"created_at": 1}, {"organisation_id": "o"}],
)
async def test_a_changed_entry_is_named(database, values):
    await write(database, 5)
    async with database.write() as session:
        await session.execute(update(AuditEvent).where(AuditEvent.sequence == 4).values(values))
    assert (await audit.verify(database)) == audit.Broken(4, "entry 4 was changed")


async def test_an_entry_rewritten_with_its_hash_breaks_the_next(database):
    await write(database, 5)
    async with database.write() as session:
        event = await session.get_one(AuditEvent, 3)
        event.actor = "other"
        event.hash = audit.digest(event)
    assert (await audit.verify(database)).sequence == 4


async def test_an_entry_taken_away_is_named_and_a_cut_end_shows_in_the_head(database):
    await write(database, 5)
    before = await audit.head(database)
    async with database.write() as session:
        await session.execute(delete(AuditEvent).where(AuditEvent.sequence == 5))
    assert await audit.verify(database) is None
    assert await audit.head(database) != before
    async with database.write() as session:
        await session.execute(delete(AuditEvent).where(AuditEvent.sequence == 1))
    assert (await audit.verify(database)) == audit.Broken(1, "entry 1 is missing")


async def test_what_is_rolled_back_leaves_no_entry(database):
    with pytest.raises(RuntimeError):
        async with database.write() as session:
            await audit.append(session, "org_x", "user_x", "thing.do", "thing")
            raise RuntimeError("the deed failed")
    assert await audit.head(database) == (0, "0" * 64)


async def test_two_processes_that_append_at_once_make_one_chain(url, database, start, together):
    assert together([start("append_audit", url, "org_x", "25") for _ in range(2)]) == [["done"], ["done"]]
    assert await audit.verify(database) is None
    assert (await audit.head(database))[0] == 50


async def test_paging_walks_back_through_ones_own_entries(database):
    await write(database, 5)
    async with database.write() as session:
        await audit.append(session, "org_y", "user_y", "thing.do", "thing")
    first = await audit.page(database, "org_x", limit=3)
    second = await audit.page(database, "org_x", before=first[-1].sequence, limit=3)
    assert [event.sequence for event in first + second] == [5, 4, 3, 2, 1]
    assert len(await audit.page(database, None)) == 6
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditEvent)) == 6
