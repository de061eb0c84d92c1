"""Characters drawn once per font and size, and kept: drawing them anew is what takes most time in pictures of text.

Characters are laid side by side, without shaping or kerning. That is right for scripts whose letters stand apart, at
the sizes of pages and screens. What needs shaping is drawn as a whole with `fonts.shaping`.
"""

from functools import lru_cache
from typing import NamedTuple

from PIL import Image

from clearsight.data.worlds.drawing.fonts import sized


class Glyph(NamedTuple):
    """`mask` (L) is None for what has no ink; its left top corner lies (`right`, `down`) from the pen on the baseline.

    Lengths in pixels; `down` is negative for what stands above the baseline.
    """

    advance: float
    mask: Image.Image | None
    right: int
    down: int

    @property
    def below(self) -> int:
        """Where the ink ends below the baseline."""
        return self.down + (self.mask.height if self.mask else 0)


@lru_cache(maxsize=1 << 17)
def glyph(font: str, size: int, character: str) -> Glyph:
    """A character of the font file at a size in pixels."""
    face = sized(font, size)
    advance = face.getlength(character)
    ink, (right, down) = face.getmask2(character, "L", anchor="ls")
    if not all(ink.size):
        return Glyph(advance, None, 0, 0)
    mask = Image.frombytes("L", ink.size, bytes(ink))
    box = mask.getbbox()
    if box is None:
        return Glyph(advance, None, 0, 0)
    return Glyph(advance, mask.crop(box), right + box[0], down + box[1])


def advance(font: str, size: int, text: str) -> float:
    """Width in pixels by which `text` moves the pen."""
    return sum(glyph(font, size, character).advance for character in text)


@lru_cache(maxsize=1 << 14)
def ascent(font: str, size: int) -> int:
    """Height of the ascender line above the baseline, in pixels."""
    return sized(font, size).getmetrics()[0]
