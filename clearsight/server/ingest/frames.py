"""How many frames a file holds, counted by walking over its blocks without decoding any, and no further than needed.

Libraries count frames by going to each; a file of a million tiny frames would keep them busy for minutes.
"""

import io
import struct

from PIL import Image as PILImage


def count_frames(data: bytes, kind: str, limit: int) -> int:
    """Frames or pages, at most `limit` + 1. A broken file counts as far as it can be walked; at least 1."""
    if kind == "GIF":
        return max(_gif(data, limit), 1)
    if kind == "PNG":
        return max(_png(data, limit), 1)
    if kind == "WEBP":
        return max(_webp(data, limit), 1)
    if kind == "TIFF":
        return _pages(data, limit)
    return 1


def _gif(data: bytes, limit: int) -> int:
    """GIF89a specification, sections 18 to 27."""
    frames = 0
    position = 13 + _colour_table(data, 10)
    while position < len(data) and frames <= limit:
        introducer = data[position]
        if introducer == 0x2C:
            frames += 1
            position += 11 + _colour_table(data, position + 9)
        elif introducer == 0x21:
            position += 2
        else:
            break
        while position < len(data) and data[position]:
            position += 1 + data[position]
        position += 1
    return frames


def _colour_table(data: bytes, at: int) -> int:
    """Bytes of the colour table that the flags at this place announce."""
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _png(data: bytes, limit: int) -> int:
    """Frame control chunks; the picture itself may be the first frame or stand apart."""
    frames, position = 0, 8
    while position + 8 <= len(data) and frames <= limit:
        length, kind = struct.unpack_from(">I4s", data, position)
        frames += kind == b"fcTL"
        position += 12 + length
    return frames


def _webp(data: bytes, limit: int) -> int:
    frames, position = 0, 12
    while position + 8 <= len(data) and frames <= limit:
        kind, length = struct.unpack_from("<4sI", data, position)
        frames += kind == b"ANMF"
        position += 8 + length + (length & 1)
    return frames


def _pages(data: bytes, limit: int) -> int:
    """Of a TIFF: Pillow follows the chain of directories, refuses circles, and reads no pixels."""
    pages = 1
    try:
        with PILImage.open(io.BytesIO(data), formats=["TIFF"]) as picture:
            while pages <= limit:
                picture.seek(pages)
                pages += 1
    except Exception:  # the end of the chain, or a broken directory that nobody will look at
        pass
    return pages
