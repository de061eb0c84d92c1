"""The way to the database: one engine, sessions that commit as a whole, the same for SQLite and PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

SQLITE = {
    "journal_mode": "WAL",  # readers never wait for the writer
    "synchronous": "FULL",  # a message that was acknowledged survives a power cut, not only a killed process
    "foreign_keys": "ON",
    "busy_timeout": "10000",  # ms
}


class Database:
    """A pool of connections. `async with database.read() as session` or `.write()`; a write commits at its end."""

    def __init__(self, url: str):
        """`url` is SQLAlchemy's, with aiosqlite or asyncpg."""
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_size": 10, "pool_pre_ping": True}
        self.engine = create_async_engine(url, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare)
            event.listen(self.engine.sync_engine, "begin", _begin)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for looking; nothing is kept of what is changed in it."""
        async with self._sessions() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at its end, or not at all. On SQLite writers stand in line from their first word."""
        async with self._sessions() as session, session.begin():
            if self.is_sqlite:
                await session.connection(execution_options={"clearsight_writes": True})
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


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
