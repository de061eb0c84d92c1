"""From the bytes of a picture to RGB pixels, upright, within bounds, or one sentence that says why not.

The header alone decides whether a picture is too large, so a hostile header costs neither time nor memory.
Nothing in Pillow is set globally: two callers with other limits never disturb one another.

Equal to the reference processor of the family (transformers, PIL backend) in every mode it reads sensibly:
transparency is composited on white, CMYK and palettes go through Pillow's own conversion, EXIF orientation
is applied. One difference is meant: grey of more than 8 bits is scaled to 8 bits, where the reference clips
it to white. JPEG is never decoded at reduced size (`Image.draft`): its pixels would differ from the
reference's, and a 12-megapixel photograph decodes whole in about a tenth of a second and 36 MB.
"""

import io
import struct

import numpy as np
from PIL import Image as PILImage
from PIL import UnidentifiedImageError

from clearsight import conversation

MAX_PIXELS = 64_000_000
"""Width times height that is accepted unless the caller says otherwise: 8000 x 8000."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What is decoded. Multi-picture JPEG (MPO) goes through the JPEG reader; its first picture counts."""

_FORMATS_IN_WORDS = "PNG, JPEG, WebP, GIF, BMP or TIFF"

_ORIENTATION_TAG = 0x0112
_TRANSPOSE = {
    2: PILImage.Transpose.FLIP_LEFT_RIGHT,
    3: PILImage.Transpose.ROTATE_180,
    4: PILImage.Transpose.FLIP_TOP_BOTTOM,
    5: PILImage.Transpose.TRANSPOSE,
    6: PILImage.Transpose.ROTATE_270,
    7: PILImage.Transpose.TRANSVERSE,
    8: PILImage.Transpose.ROTATE_90,
}
_SIDES_SWAP = frozenset({5, 6, 7, 8})

_WIDE_GREY_MODES = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})


class ImageError(ValueError):
    """A picture that can't be used; the message says what is wrong and what to do."""


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> PILImage.Image:
    """Decode a picture file to an upright RGB picture; of an animation, its first frame.

    `max_pixels` bounds width times height and is checked on the header, before anything is decoded; Pillow's
    own limit of about 179 million pixels holds above it. Transparency becomes white.

    Raises ImageError when the bytes are empty, damaged, cut short, too large or of an unsupported format.
    """
    picture = _open(data, max_pixels)
    orientation = _orientation(picture, data)
    try:
        picture.load()
        upright = picture.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else picture
        return _to_rgb(upright)
    except MemoryError as error:
        raise ImageError("there is not enough memory for this picture; make it smaller") from error
    except Exception as error:  # Pillow's readers raise many types for broken files
        raise ImageError(f"the picture is damaged or cut short ({error}); save or send it again") from error


def image_size(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height in pixels that `decode` will return, read from the header alone.

    Raises ImageError like `decode`, except for damage that only decoding can find.
    """
    picture = _open(data, max_pixels)
    width, height = picture.size
    return (height, width) if _orientation(picture, data) in _SIDES_SWAP else (width, height)


def media_type(data: bytes) -> str:
    """For instance image/png, from the header alone. Raises ImageError for bytes that are no picture."""
    return PILImage.MIME[_open(data, MAX_PIXELS).format or ""]


def from_conversation_image(image: conversation.Image, *, max_pixels: int = MAX_PIXELS) -> PILImage.Image:
    """The RGB pixels of a conversation's picture, whether it came as bytes or as pixels.

    Raises ImageError as `decode` does; pixels are held to the same limit.
    """
    if image.data is not None:
        return decode(image.data, max_pixels=max_pixels)
    assert image.pixels is not None
    _check_size(*image.pixels.size, max_pixels)
    try:
        return _to_rgb(image.pixels)
    except ValueError as error:
        raise ImageError(f"pixels of mode {image.pixels.mode} can't be shown as RGB; convert them") from error


def conversation_image_size(image: conversation.Image, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of what `from_conversation_image` returns, without decoding anything."""
    if image.data is not None:
        return image_size(image.data, max_pixels=max_pixels)
    assert image.pixels is not None
    _check_size(*image.pixels.size, max_pixels)
    return image.pixels.size


def _open(data: bytes, max_pixels: int) -> PILImage.Image:
    """Read the header and check the size; the pixels are not touched."""
    if not data:
        raise ImageError("the picture is empty (0 bytes); send the file again")
    try:
        picture = PILImage.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError(_unreadable(data)) from None
    except (PILImage.DecompressionBombError, PILImage.DecompressionBombWarning):
        raise ImageError(f"the picture has far more than {max_pixels:,} pixels; make it smaller") from None
    except Exception as error:  # a broken header raises many types
        raise ImageError(f"the picture's header is damaged ({error}); save or send it again") from error
    _check_size(*picture.size, max_pixels)
    return picture


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"the picture is {width} x {height} pixels, which shows nothing; send another one")
    if width * height > max_pixels:
        raise ImageError(
            f"the picture is {width} x {height} pixels, more than the {max_pixels:,} that are accepted; "
            "make it smaller"
        )


def _unreadable(data: bytes) -> str:
    """Why Pillow could not name the format, as precisely as the first bytes allow."""
    kind = data[4:12]
    if kind[:4] == b"ftyp" and kind[4:] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        name = "an HEIC picture"
    elif kind == b"ftypavif":
        name = "an AVIF picture"
    elif data.startswith(b"%PDF"):
        name = "a PDF document"
    elif b"<svg" in data[:1024]:
        name = "an SVG drawing"
    elif data.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")):
        return "the picture's header is damaged or cut short; save or send it again"
    else:
        return f"this is not a picture that can be read; send {_FORMATS_IN_WORDS}"
    return f"this is {name}, which is not supported; convert it to {_FORMATS_IN_WORDS}"


def _orientation(picture: PILImage.Image, data: bytes) -> int:
    """The EXIF orientation (1 to 8) that is still to be applied, from metadata alone.

    Pillow turns TIFF itself. For PNG its own lookup would decode the pixels first to see an eXIf chunk that
    follows them, so the chunks are walked here. Broken metadata counts as upright.
    """
    if picture.format == "TIFF":
        return 1
    try:
        if picture.format == "PNG" and "exif" not in picture.info:
            exif = PILImage.Exif()
            exif.load(_png_exif(data))
            if _ORIENTATION_TAG in exif:
                return int(exif[_ORIENTATION_TAG])
        return int(PILImage.Image.getexif(picture).get(_ORIENTATION_TAG, 1))
    except Exception:  # EXIF is written by countless cameras and editors, and it is only a wish
        return 1


def _png_exif(data: bytes) -> bytes:
    """The content of a PNG's eXIf chunk, wherever it stands; empty when there is none."""
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"eXIf":
            return b"Exif\0\0" + data[position + 8 : position + 8 + length]
        position += 12 + length
    return b""


def _to_rgb(picture: PILImage.Image) -> PILImage.Image:
    """RGB, transparency composited on white; the same rule as the reference's `convert_to_rgb`."""
    if picture.mode in _WIDE_GREY_MODES:
        return _scale_grey(picture).convert("RGB")
    transparent = any(band in "Aa" for band in picture.getbands()[1:])
    if (transparent and picture.mode != "LAB") or picture.info.get("transparency") is not None:
        picture = picture.convert("RGBA")
        background = PILImage.new("RGBA", picture.size, (255, 255, 255, 255))
        return PILImage.alpha_composite(background, picture).convert("RGB")
    # A copy of RGB drops the file's metadata and its open buffer along with the reader.
    return picture.convert("RGB")


def _scale_grey(picture: PILImage.Image) -> PILImage.Image:
    """Grey of 16 or 32 bits, or floats, to 8 bits.

    16-bit values are divided by 257. 32-bit and floating pictures have no fixed white: values within 0 to 1
    (floats), 255 or 65535 are taken as that range, anything else is stretched from its least to its greatest.
    """
    if picture.mode.startswith("I;16"):
        values = np.asarray(picture).astype(np.float32)
        low, high = 0.0, 65535.0
    else:
        values = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        least, greatest = float(values.min()), float(values.max())
        whites = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
        white = next((white for white in whites if least >= 0 and greatest <= white), None)
        low, high = (0.0, white) if white is not None else (least, greatest)
    scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return PILImage.fromarray(np.rint(scaled).clip(0, 255).astype(np.uint8))
