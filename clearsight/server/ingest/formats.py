"""Which kind of file some bytes are, from the bytes alone, and why a kind is not accepted.

The name of a file and the type that a data URL or a server claims never decide: they are often wrong by accident,
and by intent when something shall be read as what it isn't. Each picture is opened by the one reader of its kind.
HEIC and AVIF are accepted where their libraries are installed.
"""

import functools
import importlib.util

from PIL import features


class Refusal(Exception):
    """A picture that can't be accepted: a sentence of ours with a remedy, and OpenAI's code for it.

    Texts of libraries never get here; a worker hands the two strings to the server.
    """

    def __init__(self, message: str, code: str = "invalid_image"):
        super().__init__(message)
        self.message = message
        self.code = code


_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"})
_HEIF_CONTAINERS = frozenset({b"mif1", b"msf1"})

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\0\0\x01\0", "an icon file"),
    (b"qoif", "a QOI picture"),
    (b"%!PS", "a PostScript document"),
    (b"\x1aE\xdf\xa3", "a video"),
)


@functools.cache
def accepted() -> dict[str, str]:
    """Reader's name to the name people know, of every kind that can be read here."""
    kinds = {"PNG": "PNG", "JPEG": "JPEG", "WEBP": "WebP", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF"}
    if importlib.util.find_spec("pillow_heif"):
        kinds["HEIF"] = "HEIC"
    if features.check("avif"):
        kinds["AVIF"] = "AVIF"
    return kinds


def accepted_in_words() -> str:
    """For instance: PNG, JPEG, WebP, GIF, BMP or TIFF."""
    *first, last = accepted().values()
    return f"{', '.join(first)} or {last}"


def sniff(data: bytes) -> str:
    """The reader's name, such as PNG. Raises Refusal for anything that isn't an accepted kind of picture."""
    if not data:
        raise Refusal("The picture is empty (0 bytes); send the file again.", "empty_image_file")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if data[4:8] == b"ftyp":
        return _container(data)
    if data.startswith(b"BM"):
        return "BMP"
    raise _refused(next((name for magic, name in _OTHERS if data.startswith(magic)), _text(data)))


def _container(data: bytes) -> str:
    """HEIF, AVIF or a refusal, for files that begin with a box of brands (ISO/IEC 14496-12, ftyp)."""
    length = min(int.from_bytes(data[:4], "big"), 512)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & {b"avif", b"avis"}:
        kind, name = "AVIF", "an AVIF picture"
    elif brands & (_HEIF_BRANDS | _HEIF_CONTAINERS):
        kind, name = "HEIF", "a HEIC picture"
    else:
        raise _refused("a video")
    if kind not in accepted():
        raise _refused(name)
    return kind


def _text(data: bytes) -> str | None:
    """What a file of text is, or None."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return "an SVG drawing"
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<!--")):
        return "an HTML page"
    return None


def _refused(name: str | None) -> Refusal:
    if name is None:
        message = f"This is not a picture that can be read; send {accepted_in_words()}."
    else:
        message = f"This is {name}, which is not accepted; convert it to {accepted_in_words()}."
    return Refusal(message, "unsupported_image_media_type")
