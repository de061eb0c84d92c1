"""A server of another version, or two that start at once, don't harm what is kept."""

import pytest
from sqlalchemy import text

from clearsight.server.store import migrate
from clearsight.server.store.database import Database

pytestmark = pytest.mark.anyio


async def test_migrations_end_in_the_tables_that_the_code_expects(database):
    assert await migrate.differences(database) == []
    assert await migrate.revision(database) == migrate.newest()


async def test_a_missing_column_would_show_as_a_difference(database):
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE messages DROP COLUMN search"))
    assert len(await migrate.differences(database)) == 1


async def test_upgrading_twice_changes_nothing(database):
    await migrate.upgrade(database)
    assert await migrate.differences(database) == []


async def test_three_processes_that_start_at_once_make_the_tables_once(empty_url, start, together):
    children = [start("upgrade", empty_url) for _ in range(3)]
    assert together(children) == [["done"]] * 3
    database = Database(empty_url)
    assert await migrate.differences(database) == []
    await database.close()


async def test_a_database_of_a_later_version_is_refused_untouched(database):
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.NewerDatabase, match=r"later version of Clearsight \(step 9999"):
        await migrate.upgrade(database)
    assert await migrate.revision(database) == "9999"


async def test_a_step_that_fails_leaves_the_old_form(empty_url, monkeypatch):
    database = Database(empty_url)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.op.create_index", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        await migrate.upgrade(database)
    monkeypatch.undo()
    assert await migrate.revision(database) is None
    await migrate.upgrade(database)
    assert await migrate.differences(database) == []
    await database.close()
