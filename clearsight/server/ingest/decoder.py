"""Bytes of a request to upright pixels and a clean file, or a refusal. Runs in a worker process, never in the server.

In this order, so that each step bounds the next: the kind from the first bytes, width and height from the header,
the shape, the number of frames, the file without metadata, and only then pixels, which are decoded from that clean
file. So what is stored and what the model sees are the same by construction, and they equal what
`processing.images.decode` makes of the original.

GIF, BMP, TIFF, animations, turned PNG and WebP, and files of unusual structure are rewritten as lossless PNG. HEIC and
AVIF, which browsers and engines don't all read, become JPEG of quality 95 without chroma subsampling; the model sees
that JPEG's pixels, today and when the conversation is opened again.
"""

import io
import warnings
from dataclasses import dataclass

from PIL import Image as PILImage
from PIL import ImageOps

from clearsight.conversation import Image
from clearsight.processing import images
from clearsight.server.ingest.cleaning import stripped
from clearsight.server.ingest.formats import Refusal, sniff
from clearsight.server.ingest.frames import count_frames
from clearsight.server.ingest.hidden_text import HIDDEN_TEXT_WARNING, hides_text_in_scaling
from clearsight.server.ingest.limits import IngestLimits

_DAMAGED = Refusal("The picture is damaged or cut short; save it again and send that.", "image_parse_error")
_PNG_LEVEL = 3  # of zlib; 6 takes twice as long for a twentieth less


@dataclass(frozen=True)
class DecodedPicture:
    """RGB, upright; `data` is the clean file that shows the same."""

    data: bytes
    media_type: str
    pixels: PILImage.Image
    warnings: tuple[str, ...]


def decode_picture(data: bytes, limits: IngestLimits, max_pixels: int) -> DecodedPicture:
    """`max_pixels` is what is left of the request's pixels, at most `limits.max_pixels`.

    Raises Refusal, and nothing else but what the process can't survive.
    """
    kind = sniff(data)
    if len(data) > limits.max_picture_bytes:
        raise Refusal(
            f"The picture has {len(data):,} bytes, more than the {limits.max_picture_bytes:,} that are accepted; "
            "make it smaller.",
            "image_file_too_large",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sizes are judged here, and nobody reads a worker's stderr
            return _decode(data, kind, limits, max_pixels)
    except Refusal:
        raise
    except MemoryError:
        raise Refusal(
            "There is not enough memory to decode this picture; make it smaller.", "image_too_large"
        ) from None
    except images.ImageError as error:
        if isinstance(error.__cause__, MemoryError):
            raise Refusal(
                "There is not enough memory to decode this picture; make it smaller.", "image_too_large"
            ) from None
        raise _DAMAGED from None
    except Exception:  # readers raise many types for broken files
        raise _DAMAGED from None


def _decode(data: bytes, kind: str, limits: IngestLimits, max_pixels: int) -> DecodedPicture:
    if kind == "HEIF":
        _read_heif()
    try:
        picture = PILImage.open(io.BytesIO(data), formats=[kind])
    except PILImage.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    _check_shape(*picture.size, limits, max_pixels)
    frames = count_frames(data, kind, limits.max_frames)
    if kind in ("HEIF", "AVIF"):
        frames = int(getattr(picture, "n_frames", 1))
    if frames > limits.max_frames:
        raise Refusal(
            f"The picture has more than {limits.max_frames:,} frames; send the one that is meant.",
            "image_too_large",
        )
    notes = [f"Of {frames} frames the first one is seen."] if frames > 1 else []
    if kind in ("HEIF", "AVIF"):
        picture.load()
        _check_shape(*picture.size, limits, max_pixels)  # these may turn out otherwise than their header says
        clean = _as_jpeg(picture)
        pixels, media_type = images.decode(clean, max_pixels=limits.max_pixels), "image/jpeg"
    else:
        pixels, clean, media_type = _clean_and_decode(data, kind, picture, limits)
    if any(hides_text_in_scaling(pixels, edge) for edge in limits.seen_edges):
        notes.append(HIDDEN_TEXT_WARNING)
    return DecodedPicture(clean, media_type, pixels, tuple(notes))


def _clean_and_decode(
    data: bytes, kind: str, picture: PILImage.Image, limits: IngestLimits
) -> tuple[PILImage.Image, bytes, str]:
    orientation = images._orientation(picture, data)
    if not 1 <= orientation <= 8:
        orientation = 1
    clean = stripped(data, kind, orientation, limits.max_scans)
    if clean is not None:
        return images.decode(clean, max_pixels=limits.max_pixels), clean, f"image/{kind.lower()}"
    pixels = images.decode(data, max_pixels=limits.max_pixels)
    return pixels, _as_png(pixels), "image/png"


def _check_shape(width: int, height: int, limits: IngestLimits, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise Refusal(f"The picture is {width} x {height} pixels, which shows nothing; send another one.")
    if width * height > limits.max_pixels:
        raise _too_many_pixels(limits, f"{width} x {height}")
    if width * height > max_pixels:
        raise Refusal(
            f"The pictures of this request have more than {limits.max_request_pixels:,} pixels together; "
            "send fewer or smaller ones.",
            "image_too_large",
        )
    longer, shorter = max(width, height), min(width, height)
    if longer > limits.max_side:
        raise Refusal(
            f"The picture is {width} x {height} pixels, and no side may be longer than {limits.max_side:,}; "
            "make it smaller.",
            "image_too_large",
        )
    if longer > limits.max_aspect * shorter:
        raise Refusal(
            f"The picture is {width} x {height} pixels, and one side may be at most {limits.max_aspect} times "
            "the other; cut it into pieces."
        )


def _too_many_pixels(limits: IngestLimits, shape: str = "") -> Refusal:
    has = f"is {shape} pixels" if shape else "has far more pixels"
    more = "more than" if shape else "than"
    return Refusal(
        f"The picture {has}, {more} the {limits.max_pixels:,} that are accepted; make it smaller.",
        "image_too_large",
    )


def _read_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def _as_jpeg(picture: PILImage.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    rgb = images.from_conversation_image(Image(pixels=upright))
    buffer = io.BytesIO()
    rgb.save(buffer, "JPEG", quality=95, subsampling=0)
    return _without_metadata(buffer.getvalue(), "JPEG")


def _as_png(pixels: PILImage.Image) -> bytes:
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return _without_metadata(buffer.getvalue(), "PNG")


def _without_metadata(data: bytes, kind: str) -> bytes:
    """Of a file that was written here: Pillow carries profiles and comments over from what was read."""
    clean = stripped(data, kind, orientation=1, max_scans=1)
    assert clean is not None, "this file was written here"
    return clean
