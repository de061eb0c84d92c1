"""The way to the database: one engine, sessions that commit as a whole, the same for SQLite and PostgreSQL.

What was written inside `Database.write` is on disk when the block ends: SQLite syncs its log at every commit and so
does PostgreSQL. Retrying after a lost connection is left to whoever called: they know whether the request may be
made twice.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from clearsight.server.errors import ApiError
from clearsight.server.store.tables import Table

SQLITE = {
    "busy_timeout": "10000",  # ms; first, because the others may have to wait for another process already
    "journal_mode": "WAL",  # readers never wait for the writer
    "synchronous": "FULL",  # a message that was acknowledged survives a power cut, not only a killed process
    "foreign_keys": "ON",
}

UNSTORABLE = {"22021", "22P05"}
"""PostgreSQL's SQLSTATEs for text that it can't hold (NUL): character_not_in_repertoire, untranslatable_character."""


class Database:
    """A pool of connections. `async with database.read() as session` or `.write()`; a write commits at its end."""

    def __init__(self, url: str):
        """`url` is SQLAlchemy's, with aiosqlite or asyncpg."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_size": 10, "pool_pre_ping": True}
        self.engine = create_async_engine(self.url, json_serializer=_to_json, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare)
            event.listen(self.engine.sync_engine, "begin", _begin)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # SQLite has one writer. Those of this process stand in line here, in order; left to SQLite they would sleep
        # and try again, and under load some would never get their turn.
        self._turn: contextlib.AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self.is_sqlite else contextlib.nullcontext()
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for looking; nothing is kept of what is changed in it."""
        with _in_words():
            async with self._sessions() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at its end, or not at all. On SQLite writers stand in line from their first word.

        Don't open a second one inside: it would wait for the first for ever.
        """
        with _in_words():
            async with self._turn, self._sessions() as session, session.begin():
                if self.is_sqlite:
                    await session.connection(execution_options={"clearsight_writes": True})
                yield session

    async def close(self) -> None:
        await self.engine.dispose()


def insert(session: AsyncSession, table: type[Table]) -> sqlite.Insert | postgresql.Insert:
    """INSERT that knows on_conflict_do_nothing and on_conflict_do_update, for the database at hand."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


async def take_lock(session: AsyncSession, name: str) -> None:
    """Hold `name` until the transaction ends. A writer on SQLite holds the whole database anyway."""
    if session.get_bind().dialect.name != "sqlite":
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


@contextlib.contextmanager
def _in_words() -> Any:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in UNSTORABLE:
            raise ApiError(
                400, "The request holds a NUL character; remove it.", code="invalid_text"
            ) from error
        raise


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions itself, see `_begin`
    cursor = connection.cursor()
    for name, value in SQLITE.items():
        cursor.execute(f"PRAGMA {name} = {value}")
    cursor.close()


def _begin(connection: Any) -> None:
    """A transaction that is to write takes the lock at once: one that reads first could never get it later."""
    writes = connection.get_execution_options().get("clearsight_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
