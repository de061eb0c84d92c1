"""Setting much text quickly: breaking it into lines, and drawing lines whose words and characters are known.

Glyphs are drawn once per font and size and then laid side by side, without shaping or kerning. That is right for
Latin text of a page's size, and several times faster than drawing every word anew.
"""

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from clearsight.data.worlds.palette import RGB
from clearsight.data.worlds.scene import Placed


@lru_cache(maxsize=4096)
def unshaped(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=100_000)
def _advance(path: str, size: int, character: str) -> float:
    return unshaped(path, size).getlength(character)


@lru_cache(maxsize=20_000)
def glyph(path: str, size: int, character: str) -> tuple[Image.Image, int, int]:
    """A character's mask, and where its top left corner lies from the pen on the baseline."""
    face = unshaped(path, size)
    left, top, right, bottom = (round(v) for v in face.getbbox(character, anchor="ls"))
    mask = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
    ImageDraw.Draw(mask).text((-left, -top), character, font=face, fill=255, anchor="ls")
    return mask, left, top


def advance(path: str, size: int, text: str) -> float:
    """Width in pixels by which `text` moves the pen."""
    return sum(_advance(path, size, character) for character in text)


@lru_cache(maxsize=4096)
def extent(path: str, size: int) -> tuple[int, int]:
    """How far ordinary letters reach above and below the baseline."""
    _, top, _, bottom = unshaped(path, size).getbbox("dHlpgy", anchor="ls")
    return -int(top), int(bottom)


@lru_cache(maxsize=4096)
def size_of_x_height(path: str, pixels: float) -> int:
    """The size at which a font's small x is so many pixels tall."""
    _, top, _, bottom = unshaped(path, 200).getbbox("x")
    return round(pixels * 200 / (bottom - top))


def wrap(text: str, path: str, size: int, room: float, first: float = 0.0) -> list[list[str]]:
    """Words of each line of at most `room` pixels; the first line is shorter by `first`."""
    space = advance(path, size, " ")
    lines: list[list[str]] = [[]]
    used = first
    for word in text.split():
        width = advance(path, size, word)
        if lines[-1] and used + width > room:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += width + space
    return lines


def width_of_words(words: Sequence[str], path: str, size: int) -> float:
    return sum(advance(path, size, word) for word in words) + advance(path, size, " ") * (len(words) - 1)


def set_words(
    canvas: Image.Image,
    left: float,
    baseline: float,
    words: Sequence[str],
    path: str,
    size: int,
    ink: RGB,
    *,
    gap: float | None = None,
) -> tuple[list[Placed], list[Placed]]:
    """Draw words on a baseline, `gap` pixels apart (None: a space). Gives the words and their characters."""
    above, below = extent(path, size)
    step = advance(path, size, " ") if gap is None else gap
    top, bottom, pen, line = baseline - above, baseline + below, left, round(baseline)
    placed: list[Placed] = []
    characters: list[Placed] = []
    for word in words:
        start = pen
        for character in word:
            mask, across, up = glyph(path, size, character)
            canvas.paste(ink, (round(pen) + across, line + up), mask)
            after = pen + _advance(path, size, character)
            characters.append(Placed("character", character, (pen, top, after, bottom)))
            pen = after
        placed.append(Placed("word", word, (start, top, pen, bottom)))
        pen += step
    return placed, characters
