"""/v1/files: pictures that are uploaded once and named by id afterwards."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response

from clearsight.server.answers import PICTURE, Deleted, FileEntry, FileList, told
from clearsight.server.body import check_form
from clearsight.server.errors import ApiError
from clearsight.server.pictures import keep_upload, stored
from clearsight.server.platform import platform_of
from clearsight.server.principal import principal_of
from clearsight.server.store import files
from clearsight.server.store.tables import File, now_ms

router = APIRouter(tags=["files"])
PURPOSES = ("vision", "user_data")
LONGEST_EXPIRY = 30 * 24 * 3600  # s, as in OpenAI's API
SHORTEST_EXPIRY = 3600


@router.post("/v1/files", responses=told(FileEntry))
async def upload(
    request: Request,
    file: UploadFile,
    purpose: Annotated[str, Form()],
    expires_anchor: Annotated[str | None, Form(alias="expires_after[anchor]")] = None,
    expires_seconds: Annotated[str | None, Form(alias="expires_after[seconds]")] = None,
) -> dict[str, Any]:
    """Keep a picture. What is kept is the clean file: turned upright, without metadata."""
    platform, principal = platform_of(request), principal_of(request)
    await check_form(request, ("file", "purpose", "expires_after[anchor]", "expires_after[seconds]"))
    if purpose not in PURPOSES:
        raise ApiError(400, f"purpose is {' or '.join(PURPOSES)}.", param="purpose", code="invalid_value")
    lifetime = _lifetime(expires_anchor, expires_seconds)
    sha256 = await keep_upload(platform, principal, file)
    row = await files.add_file(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        file.filename or "picture",
        purpose,
        sha256,
        expires_at=now_ms() + lifetime * 1000 if lifetime else None,
    )
    return _entry(row)


@router.get("/v1/files", responses=told(FileList))
async def list_files(
    request: Request,
    purpose: str | None = None,
    limit: int = 100,
    after: str | None = None,
    order: str = "desc",
) -> dict[str, Any]:
    """One's files, newest first unless `order` is asc."""
    if not 1 <= limit <= 10_000 or order not in ("asc", "desc"):
        raise ApiError(400, "limit is from 1 to 10000 and order asc or desc.", param="limit")
    platform, principal = platform_of(request), principal_of(request)
    rows = await files.list_files(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        purpose=purpose,
        after=after,
        limit=limit + 1,
        newest_first=order == "desc",
    )
    more, rows = len(rows) > limit, rows[:limit]
    entries = [_entry(row) for row in rows]
    return {
        "object": "list",
        "data": entries,
        "has_more": more,
        "first_id": entries[0]["id"] if entries else None,
        "last_id": entries[-1]["id"] if entries else None,
    }


@router.get("/v1/files/{file_id}", responses=told(FileEntry))
async def retrieve(request: Request, file_id: str) -> dict[str, Any]:
    """What is known of one file."""
    platform, principal = platform_of(request), principal_of(request)
    return _entry(
        await files.get_file(platform.database, principal.organisation_id, principal.user_id, file_id)
    )


@router.get("/v1/files/{file_id}/content", response_class=Response, responses=PICTURE)
async def content(request: Request, file_id: str) -> Response:
    """Its bytes, as an attachment under a name that the server chose."""
    platform, principal = platform_of(request), principal_of(request)
    row = await files.get_file(platform.database, principal.organisation_id, principal.user_id, file_id)
    answer = await stored(platform, principal.organisation_id, row.sha256)
    ending = str(answer.media_type).rpartition("/")[2]
    answer.headers["content-disposition"] = f'attachment; filename="{file_id}.{ending}"'
    return answer


@router.delete("/v1/files/{file_id}", responses=told(Deleted))
async def delete(request: Request, file_id: str) -> dict[str, Any]:
    """Delete it; its bytes go as well when nothing else of the organisation shows them."""
    platform, principal = platform_of(request), principal_of(request)
    await files.remove_file(
        platform.database, platform.blobs, principal.organisation_id, principal.user_id, file_id
    )
    platform.ingest.forget(principal.organisation_id)
    return {"id": file_id, "object": "file", "deleted": True}


def _lifetime(anchor: str | None, seconds: str | None) -> int | None:
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise ApiError(400, "expires_after.anchor is created_at.", param="expires_after[anchor]")
    number = int(seconds) if seconds is not None and seconds.isdecimal() and len(seconds) < 10 else 0
    if not SHORTEST_EXPIRY <= number <= LONGEST_EXPIRY:
        raise ApiError(
            400,
            f"expires_after.seconds is from {SHORTEST_EXPIRY} to {LONGEST_EXPIRY}.",
            param="expires_after[seconds]",
        )
    return number


def _entry(row: File) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "file",
        "bytes": row.bytes,
        "created_at": row.created_at // 1000,
        "expires_at": row.expires_at // 1000 if row.expires_at else None,
        "filename": row.filename,
        "purpose": row.purpose,
        "status": "processed",
    }
