"""Pictures on their way through requests: taken in within a budget, found by file id, made smaller where that is asked
for, kept, and given out again.
"""

import math
from collections.abc import Mapping

import anyio.to_thread
from fastapi import Response, UploadFile
from PIL import Image as PILImage

from clearsight.conversation import Detail, Image
from clearsight.server.errors import ApiError
from clearsight.server.ingest.ingest import Picture
from clearsight.server.platform import Platform
from clearsight.server.principal import Principal
from clearsight.server.store import files


class PictureSource:
    """Where a request's pictures come from. `check` first; the methods raise ApiError that names the field."""

    def __init__(self, platform: Platform, principal: Principal, max_pixels: int | None = None):
        """`max_pixels` is what the request's pictures may have together, None for what the server allows."""
        self._platform = platform
        self._principal = principal
        self._max_pixels = max_pixels
        self._count = 0
        self._budget = platform.ingest.check_parts([], param="messages")

    def check(self, urls: list[str], file_ids: list[str], param: str = "messages") -> None:
        """Count them and add their lengths up, before any work is done."""
        self._count = len(urls) + len(file_ids)
        self._budget = self._platform.ingest.check_parts([*urls, *(0 for _ in file_ids)], param=param)

    async def from_url(self, url: str, param: str, detail: Detail) -> Picture:
        tenant = self._principal.organisation_id
        picture = await self._platform.ingest.from_url(
            url, param=param, detail=detail, tenant=tenant, budget=self._budget
        )
        return await self._fitted(picture, detail)

    async def from_file(self, file_id: str, param: str, detail: Detail) -> Picture:
        """A picture that was uploaded to /v1/files; somebody else's id is as unknown as one that never was."""
        who = self._principal
        try:
            row = await files.get_file(self._platform.database, who.organisation_id, who.user_id, file_id)
        except ApiError as error:
            raise ApiError(404, error.message, param=param, code="not_found") from None
        return await self.from_store(row.sha256, param, detail)

    async def from_store(self, sha256: str, param: str, detail: Detail) -> Picture:
        """A picture that the organisation's store holds."""
        tenant = self._principal.organisation_id
        try:
            data = await self._platform.blobs.get(tenant, sha256)
        except ApiError as error:
            raise ApiError(404, error.message, param=param, code="not_found") from None
        picture = await self._platform.ingest.from_bytes(
            data, param=param, detail=detail, tenant=tenant, budget=self._budget
        )
        return await self._fitted(picture, detail)

    async def _fitted(self, picture: Picture, detail: Detail) -> Picture:
        """Each picture gets the same share of the pixels that were asked for."""
        if self._max_pixels is None:
            return picture
        share = max(self._max_pixels // max(self._count, 1), 1)
        if picture.width * picture.height <= share:
            return picture
        return await anyio.to_thread.run_sync(shrunk, picture, share, detail)


async def keep(platform: Platform, principal: Principal, picture: Picture) -> str:
    """Put a picture into the store of whoever sent it; its hash there."""
    return await platform.blobs.put(
        principal.organisation_id,
        picture.data,
        picture.media_type,
        picture.width,
        picture.height,
        list(picture.warnings),
    )


async def keep_upload(platform: Platform, principal: Principal, file: UploadFile) -> str:
    """Take an uploaded file in as a picture and keep it; its hash in the store. Raises ApiError (`file`)."""
    data = await file.read(platform.ingest.limits.max_picture_bytes + 1)
    platform.ingest.check_parts([len(data)], param="file")
    picture = await platform.ingest.from_bytes(data, param="file", tenant=principal.organisation_id)
    return await keep(platform, principal, picture)


async def stored(
    platform: Platform, organisation_id: str, sha256: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A picture of the store as an answer. Raises ApiError 404 for one that the organisation doesn't hold."""
    blob = await platform.blobs.row(organisation_id, sha256)
    data = await platform.blobs.read(organisation_id, sha256)
    return Response(data, media_type=blob.media_type, headers=headers)


def shrunk(picture: Picture, most: int, detail: Detail) -> Picture:
    """The picture with at most so many pixels, its proportions kept."""
    assert picture.image.pixels is not None
    factor = math.sqrt(most / (picture.width * picture.height))
    size = (max(int(picture.width * factor), 1), max(int(picture.height * factor), 1))
    pixels = picture.image.pixels.resize(size, PILImage.Resampling.LANCZOS)
    image = Image(pixels=pixels, detail=detail)
    return Picture(picture.data, picture.media_type, picture.sha256, *size, image, picture.warnings)
