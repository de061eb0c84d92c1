"""Uploads with a name (/v1/files) and answers that may be gone on from (/v1/responses).

Both refer to blobs, and deleting the last that refers to one deletes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from clearsight.server import errors
from clearsight.server.store import text
from clearsight.server.store.blobs import Blobs, refer, release
from clearsight.server.store.database import Database
from clearsight.server.store.tables import Blob, File, ResponsePicture, StoredResponse, new_id, now_ms

MAX_FILENAME = 300


async def add_file(
    database: Database,
    organisation_id: str,
    user_id: str,
    filename: str,
    purpose: str,
    sha256: str,
    expires_at: int | None = None,
) -> File:
    """Name a blob that was put before; `expires_at` is in ms since 1970. Raises ApiError 400."""
    text.check(filename, "filename")
    if len(filename) > MAX_FILENAME:
        raise errors.ApiError(
            400, f"A file name has at most {MAX_FILENAME} characters; shorten it.", param="filename"
        )
    async with database.write() as session:
        await refer(session, organisation_id, [sha256], "file")
        blob = await session.get_one(Blob, (organisation_id, sha256))
        file = File(
            id=new_id("file"),
            organisation_id=organisation_id,
            user_id=user_id,
            filename=filename,
            purpose=purpose,
            sha256=sha256,
            bytes=blob.bytes,
            created_at=now_ms(),
            expires_at=expires_at,
        )
        session.add(file)
    return file


async def get_file(database: Database, organisation_id: str, user_id: str, file_id: str) -> File:
    """Raises ApiError 404, also when it has expired."""
    async with database.read() as session:
        file = await session.scalar(select(File).where(*_own(File, organisation_id, user_id, file_id)))
    if file is None or (file.expires_at is not None and file.expires_at <= now_ms()):
        raise errors.not_found("file")
    return file


async def list_files(
    database: Database,
    organisation_id: str,
    user_id: str,
    *,
    purpose: str | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = True,
) -> list[File]:
    """Files of a user by age, from after the file with the id `after`. Raises ApiError 404 for an unknown `after`."""
    wanted = select(File).where(
        File.organisation_id == organisation_id,
        File.user_id == user_id,
        (File.expires_at.is_(None)) | (File.expires_at > now_ms()),
    )
    if purpose is not None:
        wanted = wanted.where(File.purpose == purpose)
    if after is not None:
        last = await get_file(database, organisation_id, user_id, after)
        at, same = File.created_at, File.created_at == last.created_at
        older = (at < last.created_at) | (same & (File.id < last.id))
        newer = (at > last.created_at) | (same & (File.id > last.id))
        wanted = wanted.where(older if newest_first else newer)
    order = (
        (File.created_at.desc(), File.id.desc()) if newest_first else (File.created_at.asc(), File.id.asc())
    )
    async with database.read() as session:
        return list((await session.scalars(wanted.order_by(*order).limit(limit))).all())


async def remove_file(
    database: Database, blobs: Blobs, organisation_id: str, user_id: str, file_id: str
) -> None:
    """Raises ApiError 404."""
    async with database.write() as session:
        taken = await session.scalar(
            delete(File).where(*_own(File, organisation_id, user_id, file_id)).returning(File.sha256)
        )
        if taken is None:
            raise errors.not_found("file")
        gone = await release(session, organisation_id, [taken])
    await blobs.collect(organisation_id, gone)


async def add_response(
    database: Database,
    organisation_id: str,
    user_id: str,
    response_id: str,
    previous_id: str | None,
    input: Sequence[Mapping[str, Any]],
    body: Mapping[str, Any],
    hashes: Iterable[str],
) -> StoredResponse:
    """Keep an answer; `hashes` are the pictures its input shows. Raises ApiError 400."""
    shown = list(dict.fromkeys(hashes))
    items, told = [dict(item) for item in input], text.cleaned(dict(body))
    text.check(items, "input")
    async with database.write() as session:
        await refer(session, organisation_id, shown, "input")
        response = StoredResponse(
            id=response_id,
            organisation_id=organisation_id,
            user_id=user_id,
            previous_id=previous_id,
            input=items,
            body=told,
            created_at=now_ms(),
        )
        session.add(response)
        await session.flush()
        session.add_all(
            ResponsePicture(response_id=response_id, sha256=sha256, organisation_id=organisation_id)
            for sha256 in shown
        )
    return response


async def get_response(
    database: Database, organisation_id: str, user_id: str, response_id: str
) -> StoredResponse:
    """Raises ApiError 404."""
    async with database.read() as session:
        wanted = select(StoredResponse).where(*_own(StoredResponse, organisation_id, user_id, response_id))
        response = await session.scalar(wanted)
    if response is None:
        raise errors.not_found("response")
    return response


async def remove_response(
    database: Database, blobs: Blobs, organisation_id: str, user_id: str, response_id: str
) -> None:
    """Raises ApiError 404."""
    async with database.write() as session:
        shown = select(ResponsePicture.sha256).where(ResponsePicture.response_id == response_id)
        hashes = list((await session.scalars(shown)).all())
        taken = await session.scalar(
            delete(StoredResponse)
            .where(*_own(StoredResponse, organisation_id, user_id, response_id))
            .returning(StoredResponse.id)
        )
        if taken is None:
            raise errors.not_found("response")
        gone = await release(session, organisation_id, hashes)
    await blobs.collect(organisation_id, gone)


def _own(
    table: type[File] | type[StoredResponse], organisation_id: str, user_id: str, own_id: str
) -> tuple[Any, Any, Any]:
    return table.id == own_id, table.organisation_id == organisation_id, table.user_id == user_id
