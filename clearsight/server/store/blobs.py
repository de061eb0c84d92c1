"""The bytes of pictures and files, under the SHA-256 of themselves, in a folder or a bucket.

`{organisation}/{first two digits}/{sha256}`: the same picture is kept once for an organisation, and never shared
between two of them, so that nobody learns from a hash what others have. The Blob table says which there are; what
shows a picture (MessagePicture, ResponsePicture, File) refers to its row.

Nothing is lost and nothing is left over, whenever a process is killed:

- The bytes are on disk, whole, before the row is committed, and the row before the upload is acknowledged.
- A row goes in the transaction that takes away the last thing referring to it; the bytes go after that transaction,
  under a lock that uploads of the same bytes take too. What a killed process leaves between the two, `sweep` finds.
- An upload that no message shows yet is held for an hour (`Blob.held_until`).

Reading verifies the hash. Left out: pieces of a blob (a picture is read as a whole) and encryption (the file
system's or the bucket's).
"""

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server import errors
from clearsight.server.store.database import Database, insert, take_lock
from clearsight.server.store.tables import Blob, File, MessagePicture, ResponsePicture, now_ms

HOLD_MS = 3_600_000
"""How long an upload waits for the message that shows it, and how old a file without a row is when it is removed."""
BATCH = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STAGED = ".staged-"
_EVER = (1 << 63) - 1


class DamagedBlob(RuntimeError):
    """Bytes that are missing or aren't those that were stored; only a backup has them."""


class Blobs:
    """A folder or bucket of bytes, and the table that knows them."""

    def __init__(self, url: str, database: Database):
        """`url` is fsspec's: file:///folder, s3://bucket/folder, ..."""
        self.database = database
        self.files, self.root = fsspec.core.url_to_fs(url)
        self.is_local = isinstance(self.files, LocalFileSystem)

    async def put(
        self,
        organisation_id: str,
        data: bytes,
        media_type: str,
        width: int | None = None,
        height: int | None = None,
        warnings: Iterable[str] = (),
    ) -> str:
        """Keep `data`; its SHA-256. When this returns, the bytes survive a power cut.

        Kept already, it is held once more, and a damaged file is healed. `width` and `height` are pixels.
        """
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        staged = await asyncio.to_thread(self._stage, data) if self.is_local else None
        held_until = now_ms() + HOLD_MS
        try:
            async with self.database.write() as session:
                await take_lock(session, f"blob {organisation_id} {sha256}")
                row = insert(session, Blob).values(
                    organisation_id=organisation_id,
                    sha256=sha256,
                    media_type=media_type,
                    bytes=len(data),
                    width=width,
                    height=height,
                    alt="",
                    warnings=list(warnings),
                    created_at=now_ms(),
                    held_until=held_until,
                )
                await session.execute(
                    row.on_conflict_do_update(
                        index_elements=["organisation_id", "sha256"], set_={"held_until": held_until}
                    )
                )
                path = self.path(organisation_id, sha256)
                if staged is not None:
                    await asyncio.to_thread(_settle, staged, Path(path))
                else:
                    await asyncio.to_thread(self.files.pipe_file, path, data)
        finally:
            if staged is not None:
                await asyncio.to_thread(staged.unlink, missing_ok=True)
        return sha256

    async def get(self, organisation_id: str, sha256: str) -> bytes:
        """The bytes. Raises ApiError 404 when this organisation has none of that hash, and DamagedBlob."""
        await self.row(organisation_id, sha256)
        return await self.read(organisation_id, sha256)

    async def row(self, organisation_id: str, sha256: str) -> Blob:
        """What is known about a blob. Raises ApiError 404."""
        if _SHA256.fullmatch(sha256):
            async with self.database.read() as session:
                row = await session.get(Blob, (organisation_id, sha256))
            if row is not None:
                return row
        raise errors.not_found("picture or file")

    async def exists(self, organisation_id: str, sha256: str) -> bool:
        """Whether this organisation has it."""
        async with self.database.read() as session:
            return await session.get(Blob, (organisation_id, sha256)) is not None

    async def set_alt(self, organisation_id: str, sha256: str, alt: str, *, unless_set: bool = False) -> None:
        """Note in words what is in a picture; `unless_set` keeps words that are there already."""
        which = [*_is(organisation_id, [sha256])] + ([Blob.alt == ""] if unless_set else [])
        async with self.database.write() as session:
            await session.execute(update(Blob).where(*which).values(alt=alt))

    async def delete(self, organisation_id: str, sha256: str) -> bool:
        """Remove a blob that nothing refers to, held or not; whether it is gone."""
        async with self.database.write() as session:
            removed = await release(session, organisation_id, [sha256], even_held=True)
        await self.collect(organisation_id, removed)
        return bool(removed)

    async def collect(self, organisation_id: str, hashes: Iterable[str]) -> None:
        """Remove the bytes of rows that are gone; to be called after the commit of what `release` was part of."""
        for sha256 in hashes:
            async with self.database.write() as session:
                await take_lock(session, f"blob {organisation_id} {sha256}")
                if await session.get(Blob, (organisation_id, sha256)) is None:
                    await asyncio.to_thread(self._remove, self.path(organisation_id, sha256))

    async def sweep(self, progress: Callable[[int], None] | None = None) -> int:
        """Remove what nothing refers to and no upload holds, and old bytes without a row; how many were removed.

        `progress` is told how many so far.
        """
        removed = 0
        while True:
            async with self.database.read() as session:
                found = (await session.execute(_unused(now_ms()).limit(BATCH))).all()
            by_organisation: dict[str, list[str]] = {}
            for organisation_id, sha256 in found:
                by_organisation.setdefault(organisation_id, []).append(sha256)
            before = removed
            for organisation_id, hashes in by_organisation.items():
                async with self.database.write() as session:
                    gone = await release(session, organisation_id, hashes)
                await self.collect(organisation_id, gone)
                removed += len(gone)
                if progress:
                    progress(removed)
            if len(found) < BATCH or removed == before:
                break
        return removed + await self._sweep_files()

    async def _sweep_files(self) -> int:
        removed = 0
        limit = now_ms() - HOLD_MS
        for name, changed_ms in await asyncio.to_thread(self._listed):
            if changed_ms >= limit:
                continue
            organisation_id, _, rest = name.partition("/")
            sha256 = rest.rpartition("/")[2]
            if name.rpartition("/")[2].startswith(_STAGED):
                await asyncio.to_thread(self._remove, f"{self.root}/{name}")
                removed += 1
            elif _SHA256.fullmatch(sha256) and not await self.exists(organisation_id, sha256):
                await self.collect(organisation_id, [sha256])
                removed += 1
        return removed

    def path(self, organisation_id: str, sha256: str) -> str:
        """Where the bytes are, for `files`."""
        assert _SHA256.fullmatch(sha256) and re.fullmatch(r"[A-Za-z0-9_-]+", organisation_id)
        return f"{self.root}/{organisation_id}/{sha256[:2]}/{sha256}"

    async def read(self, organisation_id: str, sha256: str) -> bytes:
        """The bytes, whether there is a row or not, verified. Raises DamagedBlob."""
        path = self.path(organisation_id, sha256)
        try:
            data: bytes = await asyncio.to_thread(self.files.cat_file, path)
        except FileNotFoundError:
            raise DamagedBlob(f"the bytes of {sha256} are missing; restore them from a backup") from None
        if await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()) != sha256:
            raise DamagedBlob(f"the bytes of {sha256} have changed since they were stored; restore a backup")
        return data

    async def write(self, organisation_id: str, sha256: str, data: bytes) -> None:
        """The bytes alone, without a row: for a restore, whose database comes after them."""
        path = self.path(organisation_id, sha256)
        if self.is_local:
            staged = await asyncio.to_thread(self._stage, data)
            await asyncio.to_thread(_settle, staged, Path(path))
        else:
            await asyncio.to_thread(self.files.pipe_file, path, data)

    def _stage(self, data: bytes) -> Path:
        root = Path(self.root)
        root.mkdir(parents=True, exist_ok=True)
        staged = root / f"{_STAGED}{secrets.token_hex(8)}"
        try:
            with staged.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        return staged

    def _remove(self, path: str) -> None:
        try:
            self.files.rm_file(path)
        except FileNotFoundError:
            return

    def _listed(self) -> list[tuple[str, int]]:
        """Every file below the root with when it changed, in ms."""
        try:
            found: dict[str, dict[str, Any]] = self.files.find(self.root, detail=True)
        except FileNotFoundError:
            return []
        return [(path[len(self.root) :].lstrip("/"), _changed_ms(info)) for path, info in found.items()]


async def refer(session: AsyncSession, organisation_id: str, hashes: Iterable[str], param: str) -> None:
    """Hold blobs against removal until the transaction ends, by when something refers to them.

    Raises ApiError 400 that names `param`, when one of them isn't there (any more).
    """
    wanted = sorted(set(hashes))
    if not wanted:
        return
    rows = await session.scalars(_locked(organisation_id, wanted))
    if len(rows.all()) < len(wanted):
        raise errors.ApiError(
            400,
            "A picture or file is not stored here (any more); upload it again.",
            param=param,
            code="not_found",
        )
    await session.execute(update(Blob).where(*_is(organisation_id, wanted)).values(held_until=0))


async def release(
    session: AsyncSession, organisation_id: str, hashes: Iterable[str], even_held: bool = False
) -> list[str]:
    """Take away the rows of blobs that nothing refers to any more, unless an upload holds them; those taken away.

    Whatever referred to them was taken away in the same transaction. After its commit, `Blobs.collect` the answer.
    """
    wanted = sorted(set(hashes))
    removed: list[str] = []
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        # Locked by one statement and removed by the next, which sees what was committed while this one waited.
        await session.execute(_locked(organisation_id, some))
        keys = (
            _unused(_EVER if even_held else now_ms())
            .where(*_is(organisation_id, some))
            .with_only_columns(Blob.sha256)
        )
        taken = delete(Blob).where(*_is(organisation_id, some), Blob.sha256.in_(keys)).returning(Blob.sha256)
        removed += (await session.scalars(taken.execution_options(synchronize_session=False))).all()
    return removed


def _locked(organisation_id: str, hashes: list[str]) -> Any:
    return select(Blob.sha256).where(*_is(organisation_id, hashes)).order_by(Blob.sha256).with_for_update()


def _is(organisation_id: str, hashes: list[str]) -> tuple[Any, Any]:
    return Blob.organisation_id == organisation_id, Blob.sha256.in_(hashes)


def _unused(now: int) -> Any:
    """Blobs that nothing refers to and that aren't held at `now` (ms)."""
    return select(Blob.organisation_id, Blob.sha256).where(
        Blob.held_until < now,
        *(
            ~exists().where(table.organisation_id == Blob.organisation_id, table.sha256 == Blob.sha256)
            for table in (MessagePicture, ResponsePicture, File)
        ),
    )


def _settle(staged: Path, path: Path) -> None:
    """Give bytes that are on disk their name, so that the name is on disk too."""
    made = [folder for folder in (path.parent, path.parent.parent) if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(staged, path)
    for folder in (path.parent, *(folder.parent for folder in made)):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle to a folder; NTFS journals names itself
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _changed_ms(info: dict[str, Any]) -> int:
    changed = info.get("mtime", info.get("LastModified", info.get("created")))
    if isinstance(changed, datetime):
        return int(changed.astimezone(UTC).timestamp() * 1000)
    return int(float(changed or 0) * 1000)
