"""From what a request calls a picture to pixels for the engine and a clean file for the store.

Lengths first (`check_parts`), then the bytes, then a worker. One `Ingest` serves a whole server process; routes know
nothing of workers, caches and fetching.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType

from PIL import Image as PILImage

from clearsight.conversation import Detail, Image
from clearsight.server.errors import ApiError
from clearsight.server.ingest.cache import BoundedCache
from clearsight.server.ingest.data_url import decoded_length, is_data_url, parse_data_url
from clearsight.server.ingest.formats import Refusal
from clearsight.server.ingest.limits import IngestLimits
from clearsight.server.ingest.pool import DecoderPool
from clearsight.server.ingest.remote import Fetcher

_PIXEL_BYTES = 4  # of an RGB picture in Pillow's memory


@dataclass(frozen=True)
class Picture:
    """A picture that was accepted.

    `data` is a file without metadata for the store, of `media_type` image/png, image/jpeg or image/webp, and `sha256`
    is its hash in hexadecimal. `width` and `height` are those of the upright picture. `image` holds the decoded
    pixels, so that nothing behind this point opens the file again to compute an answer. `warnings` are sentences for
    the person who sent it.
    """

    data: bytes = field(repr=False)
    media_type: str
    sha256: str
    width: int
    height: int
    image: Image
    warnings: tuple[str, ...] = ()


class RequestBudget:
    """What the pictures of one request may still cost together; `check_parts` makes it, each picture takes from it."""

    def __init__(self, limits: IngestLimits):
        self._limits = limits
        self._bytes = limits.max_request_picture_bytes
        self.pixels = limits.max_request_pixels

    def take_bytes(self, count: int) -> None:
        """Raises Refusal when it is more than what is left."""
        self._bytes -= count
        if self._bytes < 0:
            raise Refusal(
                f"The pictures of this request have more than {self._limits.max_request_picture_bytes:,} bytes "
                "together; send fewer or smaller ones.",
                "image_file_too_large",
            )

    def take_pixels(self, count: int) -> None:
        """Raises Refusal when it is more than what is left."""
        if count > self.pixels:
            raise Refusal(
                f"The pictures of this request have more than {self._limits.max_request_pixels:,} pixels together; "
                "send fewer or smaller ones.",
                "image_too_large",
            )
        self.pixels -= count


class Ingest:
    """The entrance. Every method that takes a picture raises ApiError (400) for one that can't be accepted."""

    def __init__(
        self, limits: IngestLimits | None = None, *, workers: int = 2, fetcher: Fetcher | None = None
    ):
        """`workers` decode at the same time. Without a `fetcher` addresses in requests are refused unseen."""
        self.limits = limits or IngestLimits()
        self._pool = DecoderPool(self.limits, workers)
        self._cache: BoundedCache[Picture] = BoundedCache(self.limits.cache_bytes)
        self._fetcher = fetcher

    async def start(self) -> None:
        """Start the workers, which takes some tenths of a second. Raises RuntimeError when they can't be."""
        await self._pool.start()

    async def close(self) -> None:
        """End the workers and the fetcher's connections."""
        await self._pool.close()
        if self._fetcher is not None:
            await self._fetcher.close()

    async def __aenter__(self) -> "Ingest":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def worker_pids(self) -> list[int]:
        """Of the decoding processes."""
        return self._pool.worker_pids

    def check_parts(self, parts: Iterable[str | int], *, param: str) -> RequestBudget:
        """Count a request's pictures and sum their lengths before any work is done on them.

        `parts` are URLs as they came, or the sizes in bytes of files that are known. What remote addresses hold is
        counted when it comes. Raises ApiError (400).
        """
        budget = RequestBudget(self.limits)
        try:
            for number, part in enumerate(parts, start=1):
                if number > self.limits.max_pictures:
                    raise Refusal(
                        f"A request holds at most {self.limits.max_pictures} pictures; send fewer.",
                        "image_too_large",
                    )
                size = part if isinstance(part, int) else decoded_length(part) if is_data_url(part) else 0
                self._check_size(size)
                budget.take_bytes(size)
        except Refusal as refusal:
            raise _api_error(refusal, param) from None
        return budget

    async def from_bytes(
        self,
        data: bytes,
        *,
        param: str,
        detail: Detail = "auto",
        tenant: str = "",
        budget: RequestBudget | None = None,
    ) -> Picture:
        """A picture from an upload, the clipboard or the store. `tenant` is whose it is: nobody else shares the cache.

        `param` names the field of the request in errors. Bytes were taken from `budget` by `check_parts`, pixels are
        taken here.
        """
        try:
            return await self._accept(data, detail, tenant, budget or RequestBudget(self.limits))
        except Refusal as refusal:
            raise _api_error(refusal, param) from None

    async def from_url(
        self,
        url: str,
        *,
        param: str,
        detail: Detail = "auto",
        tenant: str = "",
        budget: RequestBudget | None = None,
    ) -> Picture:
        """A picture from a data URL, or from https:// and http:// where fetching is on."""
        budget = budget or RequestBudget(self.limits)
        try:
            if is_data_url(url):
                self._check_size(decoded_length(url))
                data = await asyncio.to_thread(parse_data_url, url)
            elif self._fetcher is not None:
                data = await self._fetcher.fetch(url, self.limits.max_picture_bytes)
                budget.take_bytes(len(data))
            else:
                raise Refusal(
                    "Pictures are not fetched from addresses here; send the picture as a data URL "
                    "(data:image/png;base64,...) or upload it and send its file id.",
                    "invalid_image_url",
                )
            return await self._accept(data, detail, tenant, budget)
        except Refusal as refusal:
            raise _api_error(refusal, param) from None

    def forget(self, tenant: str) -> None:
        """Drop what is kept of a tenant's pictures, when they are deleted."""
        self._cache.forget(tenant)

    def _check_size(self, size: int) -> None:
        if size > self.limits.max_picture_bytes + 2:  # base64 rounds up to three bytes
            raise Refusal(
                f"A picture has about {size:,} bytes, more than the {self.limits.max_picture_bytes:,} that are "
                "accepted; make it smaller.",
                "image_file_too_large",
            )

    async def _accept(self, data: bytes, detail: Detail, tenant: str, budget: RequestBudget) -> Picture:
        self._check_size(len(data))
        key = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        picture = self._cache.get(tenant, key)
        if picture is not None:
            budget.take_pixels(picture.width * picture.height)
        else:
            # Of pictures decoded side by side each is held to what is left now, and once more when it is there.
            allowed = min(self.limits.max_pixels, budget.pixels)
            answer = await self._pool.decode(data, allowed)
            budget.take_pixels(answer.pixels.width * answer.pixels.height)
            picture = await asyncio.to_thread(
                _picture, answer.data, answer.media_type, answer.pixels, answer.warnings, detail
            )
            cost = len(picture.data) + picture.width * picture.height * _PIXEL_BYTES
            self._cache.put(tenant, key, picture, cost)
        if picture.image.detail != detail:
            image = await asyncio.to_thread(Image, None, picture.image.pixels, detail)
            picture = replace(picture, image=image)
        return picture


def _picture(
    data: bytes, media_type: str, pixels: PILImage.Image, warnings: tuple[str, ...], detail: Detail
) -> Picture:
    image = Image(pixels=pixels, detail=detail)
    digest = hashlib.sha256(data).hexdigest()
    return Picture(data, media_type, digest, pixels.width, pixels.height, image, warnings)


def _api_error(refusal: Refusal, param: str) -> ApiError:
    return ApiError(400, refusal.message, param=param, code=refusal.code)
