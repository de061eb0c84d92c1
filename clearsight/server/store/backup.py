"""A copy of all that is kept, made while the server runs, and the way back from it.

    manifest.json     what this is, its hash, and what was missing
    database.sqlite   SQLite, by its online backup; or
    database.dump     PostgreSQL, by pg_dump in its custom format
    blobs/{organisation}/{aa}/{sha256}

The database is copied as of one moment. Bytes are copied after it, so a picture that was deleted in between is in
the database and not among the bytes: the manifest names those, and reading one after a restore says that its bytes
are missing. Written under another name first: a folder with a manifest is whole.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, inspect, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from clearsight.server.store import migrate
from clearsight.server.store.blobs import Blobs, DamagedBlob
from clearsight.server.store.database import Database
from clearsight.server.store.tables import Blob, Organisation, now_ms

FORMAT, VERSION = "clearsight-backup", 1
PAGES = 4096
"""Pages of SQLite that are copied before progress is told: 16 MB."""
PIECE = 1 << 20

Stage = Literal["database", "blobs"]
Progress = Callable[[Stage, int, int], None]
"""Is told the stage, how much is done and how much there is: pages of SQLite, or blobs."""


class BackupError(RuntimeError):
    """A backup that can't be made or restored; the message says why and what to do."""


@dataclass(frozen=True)
class Summary:
    """What a backup holds. `damaged` are hashes whose bytes the store itself no longer has."""

    revision: str
    blobs: int
    bytes: int
    deleted_meanwhile: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


async def backup(database: Database, blobs: Blobs, folder: Path, progress: Progress | None = None) -> Summary:
    """Copy everything into `folder`, which must not exist. Raises BackupError."""
    if folder.exists():
        raise BackupError(f"{folder} exists already; name a new folder")
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a backup that was killed
        partial.mkdir(parents=True)
        revision = await migrate.revision(database)
        if revision is None:
            raise BackupError("the database is empty; start the server once before a backup")
        if database.is_sqlite:
            name = "database.sqlite"
            await asyncio.to_thread(_copy_sqlite, Path(str(database.url.database)), partial / name, progress)
            held = await asyncio.to_thread(_held_blobs, partial / name)
        else:
            name = "database.dump"
            held = await _dump(database, partial / name)
        gone: list[str] = []
        damaged: list[str] = []
        size = 0
        for done, (organisation_id, sha256) in enumerate(held, 1):
            try:
                data = await blobs.read(organisation_id, sha256)
            except DamagedBlob:
                kept = await blobs.exists(organisation_id, sha256)
                (damaged if kept else gone).append(f"{organisation_id}/{sha256}")
            else:
                path = partial / "blobs" / organisation_id / sha256[:2] / sha256
                await asyncio.to_thread(_write, path, data)
                size += len(data)
            if progress:
                progress("blobs", done, len(held))
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "created_at": now_ms(),
            "database": name,
            "revision": revision,
            "sha256": await asyncio.to_thread(_sha256, partial / name),
            "blobs": len(held) - len(gone) - len(damaged),
            "bytes": size,
            "deleted_meanwhile": gone,
            "damaged": damaged,
        }
        _write(partial / "manifest.json", json.dumps(manifest, indent=1).encode())
        partial.rename(folder)
    except OSError as error:
        raise BackupError(f"{folder} can't be written: {error.strerror or error}") from error
    return Summary(revision, len(held) - len(gone) - len(damaged), size, tuple(gone), tuple(damaged))


async def restore(
    folder: Path, database_url: str, blobs_url: str, progress: Progress | None = None
) -> Summary:
    """Put a backup into an empty database and folder or bucket, and bring it up to this version.

    All hashes are checked before anything is written. Raises BackupError.
    """
    manifest = await asyncio.to_thread(_checked, folder)
    url = make_url(database_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite != (manifest["database"] == "database.sqlite"):
        raise BackupError(
            f"the backup holds {manifest['database']}; restore it into "
            + ("PostgreSQL" if is_sqlite else "SQLite")
            + ", which it was made of"
        )
    files = sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())
    if len(files) != manifest["blobs"]:
        raise BackupError(
            f"{folder} holds {len(files)} blobs instead of {manifest['blobs']}; use another backup"
        )
    for path in files:
        if await asyncio.to_thread(_sha256, path) != path.name:
            raise BackupError(f"{path} has changed since the backup; use another one")
    source = folder / manifest["database"]
    if is_sqlite:
        target = Path(str(url.database))
        if target.exists():
            raise BackupError(f"{target} exists already; move it away before restoring")
    else:
        await _refuse_full(database_url)
    database = Database(database_url)
    try:
        blobs = Blobs(blobs_url, database)
        for done, path in enumerate(files, 1):
            await blobs.write(path.parent.parent.name, path.name, await asyncio.to_thread(path.read_bytes))
            if progress:
                progress("blobs", done, len(files))
        # The database comes last: with it there, everything is.
        if is_sqlite:
            await asyncio.to_thread(_place, source, target)
        else:
            await asyncio.to_thread(
                _run,
                "pg_restore",
                url,
                ["--exit-on-error", "--single-transaction", "--no-owner", str(source)],
            )
        await migrate.upgrade(database)
    finally:
        await database.close()
    return Summary(
        manifest["revision"],
        manifest["blobs"],
        manifest["bytes"],
        tuple(manifest["deleted_meanwhile"]),
        tuple(manifest["damaged"]),
    )


def _copy_sqlite(source: Path, target: Path, progress: Progress | None) -> None:
    def tell(_: int, remaining: int, total: int) -> None:
        if progress:
            progress("database", total - remaining, total)

    with _opened(source) as live, _opened(target) as copy:
        # Reading within one transaction copies one moment, and writers neither wait nor make it begin again.
        live.isolation_level = None
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        live.backup(copy, pages=PAGES, progress=tell, sleep=0)
        copy.execute("PRAGMA journal_mode = DELETE")
        (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise BackupError(f"the copy of the database is damaged ({found}); check the disk of {source}")
    _sync(target)


def _held_blobs(path: Path) -> list[tuple[str, str]]:
    with _opened(path) as copy:
        return copy.execute("SELECT organisation_id, sha256 FROM blobs ORDER BY 1, 2").fetchall()


class _opened:
    """A connection to SQLite that closes; its own context manager only commits."""

    def __init__(self, path: Path):
        self.connection = sqlite3.connect(path)

    def __enter__(self) -> sqlite3.Connection:
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()


async def _dump(database: Database, target: Path) -> list[tuple[str, str]]:
    """Dump PostgreSQL; the blobs it holds, as of the same moment."""
    async with _snapshot(database) as (connection, name):
        rows = await connection.execute(
            select(Blob.organisation_id, Blob.sha256).order_by(Blob.organisation_id, Blob.sha256)
        )
        held = [(row[0], row[1]) for row in rows]
        options = ["--format=custom", "--no-owner", f"--snapshot={name}", f"--file={target}"]
        await asyncio.to_thread(_run, "pg_dump", database.url, options)
    await asyncio.to_thread(_sync, target)
    return held


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[tuple[AsyncConnection, str]]:
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            name = await connection.scalar(text("SELECT pg_export_snapshot()"))
            yield connection, str(name)


async def _refuse_full(database_url: str) -> None:
    database = Database(database_url)
    try:
        async with database.engine.connect() as connection:
            tables = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
    finally:
        await database.close()
    if Organisation.__tablename__ in tables:
        raise BackupError("the database isn't empty; restore into a new one")


def _run(program: str, url: URL, options: list[str]) -> None:
    """Run a program of PostgreSQL on a database; the password goes through the environment, not the command line."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"{program} isn't installed; install the client programs of PostgreSQL on this machine"
        )
    query = {name: str(value) for name, value in url.query.items()}
    settings = {
        "PGHOST": query.get("host") or url.host,
        "PGPORT": query.get("port") or (str(url.port) if url.port else None),
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGSSLMODE": query.get("ssl"),
    }
    environment = {**os.environ, **{name: value for name, value in settings.items() if value}}
    ended = subprocess.run(
        [found, f"--dbname={url.database}", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        reason = ended.stderr.strip().splitlines()[-1:] or [f"it ended with {ended.returncode}"]
        raise BackupError(f"{program} failed: {reason[0]}")


def _checked(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError) as error:
        raise BackupError(
            f"{folder} holds no whole backup: manifest.json is missing or unreadable"
        ) from error
    if manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
        raise BackupError(f"{folder} isn't a backup that this version reads")
    if manifest["database"] not in ("database.sqlite", "database.dump"):
        raise BackupError(f"{folder} isn't a backup that this version reads")
    source = folder / manifest["database"]
    if not source.exists() or _sha256(source) != manifest["sha256"]:
        raise BackupError(f"{source} is missing or has changed since the backup; use another one")
    return manifest


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.restoring")
    shutil.copyfile(source, staged)
    _sync(staged)
    os.replace(staged, target)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
