"""Brings a database to the tables of this version, when a server starts.

Several processes may start at once: one works, the others wait and find it done. A step is one transaction on both
databases, so a process killed in the middle leaves the old form. There is no way back down; a backup is that.

A step is added with `python -m clearsight.server.store.migrate "what it does"`, which compares the tables with an
empty database that was brought up to the newest step, and is then read and corrected by hand.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from clearsight.server.store.database import Database
from clearsight.server.store.tables import Table

FOLDER = Path(__file__).with_name("migrations")
LOCK = 0x636C656172  # "clear"; any number that all versions agree on

# Alembic keeps the migration that is running in module globals, so two databases of one process take turns.
_turn = asyncio.Semaphore(1)


class NewerDatabase(RuntimeError):
    """The database was written by a later version than this one."""


async def upgrade(database: Database) -> None:
    """Bring the tables up to date; nothing happens where they are. Safe to run in several processes at once.

    Raises NewerDatabase, when a later version wrote it.
    """
    async with _turn, database.engine.connect() as plain:
        connection = await plain.execution_options(clearsight_writes=True)
        async with connection.begin():
            if not database.is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            await connection.run_sync(_upgrade)


async def revision(database: Database) -> str | None:
    """Which step a database is at; None is empty."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_revision)


def newest() -> str:
    """The last step that this version knows."""
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    assert head is not None, "the steps have branched"
    return head


async def differences(database: Database) -> list[object]:
    """What is different between a database and the tables as they are declared; for tests and `doctor`."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(
            lambda plain: list(compare_metadata(MigrationContext.configure(plain), Table.metadata))
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    found = _revision(connection)
    known = {script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabase(
            f"the database is of a later version of Clearsight (step {found}; this one knows up to {newest()}). "
            "Install that version, or restore a backup that was made with this one."
        )
    if found != newest():
        command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


async def _new_step(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/empty.db")
        await upgrade(database)
        async with database.engine.connect() as connection:
            name = f"{sum(1 for _ in ScriptDirectory(str(FOLDER)).walk_revisions()) + 1:04d}"
            await connection.run_sync(
                lambda plain: command.revision(_config(plain), message, autogenerate=True, rev_id=name)
            )
        await database.close()


if __name__ == "__main__":
    asyncio.run(_new_step(sys.argv[1]))
