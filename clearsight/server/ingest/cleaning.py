"""A picture's file without anything but the picture: the same compressed pixels, and none of the metadata.

What is kept is listed, everything else goes: EXIF with its places and serial numbers, XMP, comments, thumbnails,
colour profiles, further pictures, and whatever stands before the end of the file but after the end of the picture
(files that are two things at once). Nothing is compressed again, so a photograph loses no quality and grows by no
byte.

Colour profiles are dropped, not applied: a model is given the stored values, as the reference processor gives them,
and a person is shown what the model saw. One piece of metadata is written anew: how a JPEG is to be turned, alone in
36 bytes, because turning its pixels would mean to compress them again. PNG and WebP that need turning are rewritten
by the caller, as is every file whose structure is unusual: then `stripped` is None.

Structures: ITU-T T.81 annex B (JPEG), PNG third edition 5 and 11, RFC 9649 (WebP), CIPA DC-008 4.6 (EXIF).
"""

import re
import struct

from clearsight.server.ingest.formats import Refusal

_SCAN_END = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
"""The next marker in a JPEG's compressed data, where FF 00 is a value and FF D0 to FF D7 are restarts."""

_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
_JPEG_KEPT = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDD})  # frames, Huffman and quantisation tables, restarts
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_WEBP_ALPHA, _WEBP_ANIMATION = 0x10, 0x02


def stripped(data: bytes, kind: str, orientation: int, max_scans: int) -> bytes | None:
    """The file without metadata, or None where it has to be rewritten from its pixels.

    `orientation` is EXIF's, 1 to 8. Raises Refusal for a JPEG of more than `max_scans` scans.
    """
    if kind == "JPEG":
        return _jpeg(data, orientation, max_scans)
    if orientation != 1:
        return None
    if kind == "PNG":
        return _png(data)
    return _webp(data) if kind == "WEBP" else None


def _jpeg(data: bytes, orientation: int, max_scans: int) -> bytes | None:
    tables: list[bytes] = []
    jfif = adobe = b""
    position, scans = 2, 0
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # padding before a marker
            position += 1
            continue
        if marker == 0xD9:
            break
        if marker in (0x00, 0x01, 0xD8, 0xDC) or 0xD0 <= marker <= 0xD7:
            return None
        (length,) = struct.unpack_from(">H", data, position + 2)
        end = position + 2 + length
        content = data[position + 4 : end]
        if length < 2 or end > len(data):
            return None
        if marker == 0xDA:
            scans += 1
            if scans > max_scans:
                raise Refusal(f"This JPEG has more than {max_scans} scans; save it again as a plain JPEG.")
            found = _SCAN_END.search(data, end)
            if found is None:
                return None
            tables.append(data[position : found.start()])
            position = found.start()
            continue
        if marker in _JPEG_KEPT:
            tables.append(data[position:end])
        elif marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 14:
            jfif = _JFIF  # says that the colours are YCbCr
        elif marker == 0xEE and content.startswith(b"Adobe") and len(content) >= 12:
            adobe = b"\xff\xee\x00\x0e" + content[:12]  # says which colours they are
        position = end
    if data[position : position + 2] != b"\xff\xd9" or not scans:
        return None
    turned = _exif_orientation(orientation) if orientation != 1 else b""
    return b"".join([b"\xff\xd8", jfif, turned, adobe, *tables, b"\xff\xd9"])


def _exif_orientation(orientation: int) -> bytes:
    """An APP1 segment with one EXIF tag, 0x0112."""
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    content = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _png(data: bytes) -> bytes | None:
    kept = [data[:8]]
    position, previous, pixels_ended = 8, b"", False
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            return None
        if kind in _PNG_KEPT:
            if kind == b"IDAT" and pixels_ended:
                return None
            kept.append(data[position:end])
        elif not kind[0] & 0x20:  # a part that readers must know, and we don't
            return None
        pixels_ended = pixels_ended or (previous == b"IDAT" and kind != b"IDAT")
        if kind == b"IEND":
            return b"".join(kept)
        position, previous = end, kind
    return None


def _webp(data: bytes) -> bytes | None:
    parts: dict[bytes, bytes] = {}
    position, file_end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while position + 8 <= file_end:
        kind, length = struct.unpack_from("<4sI", data, position)
        end = position + 8 + length
        if end > file_end or kind in parts:
            return None
        if length & 1 and data[end : end + 1] != b"\0":
            return None  # a damaged stream reads on into this byte, so that another one there makes another picture
        if kind in (b"VP8X", b"ALPH", b"VP8 ", b"VP8L"):
            parts[kind] = data[position + 8 : end]
        position = end + (length & 1)
    extended = parts.get(b"VP8X")
    if extended is not None:
        if len(extended) != 10 or extended[0] & _WEBP_ANIMATION:
            return None
        parts[b"VP8X"] = bytes([extended[0] & _WEBP_ALPHA]) + b"\0\0\0" + extended[4:]
    if (b"VP8 " in parts) == (b"VP8L" in parts):
        return None
    body = b"WEBP"
    for kind in (b"VP8X", b"ALPH", b"VP8 ", b"VP8L"):
        if kind in parts:
            content = parts[kind]
            body += kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) & 1)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
