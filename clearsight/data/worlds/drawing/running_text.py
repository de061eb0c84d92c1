"""Setting running text: breaking it into lines, and drawing lines whose words and characters are known."""

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image

from clearsight.data.worlds.drawing.fonts import sized
from clearsight.data.worlds.drawing.glyphs import advance, glyph
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed


@lru_cache(maxsize=4096)
def extent(path: str, size: int) -> tuple[int, int]:
    """How far ordinary letters reach above and below the baseline."""
    _, top, _, bottom = sized(path, size).getbbox("dHlpgy", anchor="ls")
    return -int(top), int(bottom)


@lru_cache(maxsize=4096)
def size_of_x_height(path: str, pixels: float) -> int:
    """The size at which a font's small x is so many pixels tall."""
    _, top, _, bottom = sized(path, 200).getbbox("x")
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
            drawn = glyph(path, size, character)
            if drawn.mask is not None:
                canvas.paste(ink, (round(pen) + drawn.right, line + drawn.down), drawn.mask)
            after = pen + drawn.advance
            characters.append(Placed("character", character, (pen, top, after, bottom)))
            pen = after
        placed.append(Placed("word", word, (start, top, pen, bottom)))
        pen += step
    return placed, characters
