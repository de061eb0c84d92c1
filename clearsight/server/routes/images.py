"""Pictures that the store holds: their bytes, the words for them, and exactly what a model sees of them."""

import io
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import Field

from clearsight.conversation import Conversation, Detail, user
from clearsight.experts import Notes
from clearsight.experts.naming import NAMER
from clearsight.experts.reading import READER
from clearsight.processing import tiles
from clearsight.server.answers import PICTURE, ImageEntry, ImageNotes, bytes_of, told
from clearsight.server.body import Body, StrictRoute, check_form
from clearsight.server.errors import ApiError
from clearsight.server.ingest.ingest import Picture
from clearsight.server.models import engine_errors
from clearsight.server.pictures import PictureSource, keep_upload, stored
from clearsight.server.platform import platform_of
from clearsight.server.principal import principal_of
from clearsight.server.store import text

router = APIRouter(tags=["images"], route_class=StrictRoute)


@router.get("/v1/images/{sha256}", response_class=Response, responses=PICTURE)
async def picture(request: Request, sha256: str) -> Response:
    """The clean file; 404 for one that the organisation doesn't hold."""
    platform, principal = platform_of(request), principal_of(request)
    forever = {"cache-control": "private, max-age=31536000, immutable"}
    return await stored(platform, principal.organisation_id, sha256, forever)


@router.get("/v1/images/{sha256}/about", responses=told(ImageEntry))
async def about(request: Request, sha256: str) -> dict[str, Any]:
    """Size, alternative text, and warnings about it."""
    platform, principal = platform_of(request), principal_of(request)
    blob = await platform.blobs.row(principal.organisation_id, sha256)
    return {
        "object": "image",
        "sha256": sha256,
        "media_type": blob.media_type,
        "bytes": blob.bytes,
        "width": blob.width,
        "height": blob.height,
        "alt": blob.alt,
        "warnings": blob.warnings,
    }


class AboutChanges(Body):
    """What can be changed about a picture."""

    alt: Annotated[str, Field(max_length=1000)]


@router.put("/v1/images/{sha256}/about")
async def set_about(body: AboutChanges, request: Request, sha256: str) -> dict[str, Any]:
    """Put one's own words in place of the alternative text; empty lets a model write it again."""
    platform, principal = platform_of(request), principal_of(request)
    await platform.blobs.row(principal.organisation_id, sha256)
    text.check(body.alt, "alt")
    await platform.blobs.set_alt(principal.organisation_id, sha256, " ".join(body.alt.split()))
    return await about(request, sha256)


@router.get("/v1/images/{image_id}/tiles", response_class=Response, responses=bytes_of("image/png"))
async def seen(
    request: Request,
    image_id: str,
    model: str | None = None,
    detail: Detail = "auto",
    sheet: Annotated[bool, Query(description="All tiles side by side, the whole picture last.")] = False,
) -> Response:
    """What a model sees of a picture (a file id, or a hash of the store), as PNG: its tiles put together."""
    platform, principal = platform_of(request), principal_of(request)
    found = platform.models.get(model or platform.models.default)
    processor = found.processor
    if processor is None:
        raise ApiError(
            400, f"{found.name} is another server's, which doesn't say what it sees.", param="model"
        )
    taken = await _picture_of(PictureSource(platform, principal), image_id, detail)

    def draw() -> bytes:
        prepared = processor.prepare(Conversation((user(taken.image),)), detail=detail)
        make = tiles.contact_sheet if sheet else tiles.assemble
        buffer = io.BytesIO()
        make(prepared.tiles_NCSS, prepared.plans[0]).save(buffer, format="PNG")
        return buffer.getvalue()

    return Response(await anyio.to_thread.run_sync(draw), media_type="image/png")


@router.get("/v1/images/{image_id}/notes", responses=told(ImageNotes))
async def notes(request: Request, image_id: str, model: str | None = None) -> dict[str, Any]:
    """What experts tell a model of a picture (a file id, or a hash of the store) besides; none where it has none."""
    platform, principal = platform_of(request), principal_of(request)
    found = platform.models.get(model or platform.models.default)
    taken = await _picture_of(PictureSource(platform, principal), image_id)
    experts = found.experts
    said = Notes()
    if experts is not None:
        with engine_errors():
            said = await anyio.to_thread.run_sync(experts.notes, taken.image, principal.organisation_id)
    findings = ((READER, said.writing), (NAMER, said.shows))
    return {
        "object": "image.notes",
        "model": found.name,
        "notes": [{"by": by, "text": text} for by, text in findings if text],
    }


async def _picture_of(source: PictureSource, image_id: str, detail: Detail = "auto") -> Picture:
    load = source.from_file if image_id.startswith("file") else source.from_store
    return await load(image_id, "image_id", detail)


@router.post("/v1/images", responses=told(ImageEntry))
async def upload(request: Request, file: UploadFile) -> dict[str, Any]:
    """Take a picture in for a conversation. One that no message shows within an hour is deleted."""
    platform, principal = platform_of(request), principal_of(request)
    await check_form(request, ("file",))
    return await about(request, await keep_upload(platform, principal, file))
