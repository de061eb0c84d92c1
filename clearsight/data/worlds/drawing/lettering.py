"""Drawing text so that every character's box is known."""

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from clearsight.data.worlds.drawing.fonts import shaping
from clearsight.data.worlds.drawing.glyphs import advance, ascent, glyph
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed


@dataclass(frozen=True)
class Line:
    """A line of text as drawn: its ink box, and where its words and characters are, in pixels."""

    box: tuple[float, float, float, float]
    placed: tuple[Placed, ...]


def width_of(text: str, font: str, size: int) -> float:
    """Advance width in pixels."""
    if size <= KEPT_SIZE:
        return advance(font, size, text)
    return shaping(font, size).getlength(text)


# Up to this size characters are drawn once and kept.
KEPT_SIZE = 40


def draw_line(
    draw: ImageDraw.ImageDraw, left: float, top: float, text: str, font: str, size: int, ink: RGB
) -> Line:
    """Draw `text` with its ascender line at `top`. For scripts whose letters stand side by side, left to right."""
    edges, ink_top, ink_bottom = (_set_small if size <= KEPT_SIZE else _set_large)(
        draw, left, top, text, font, size, ink
    )
    characters = tuple(
        Placed("character", character, (edges[i], ink_top, edges[i + 1], ink_bottom))
        for i, character in enumerate(text)
        if not character.isspace()
    )
    words, start = [], 0
    for word in text.split(" "):
        end = start + len(word)
        words.append(Placed("word", word, (edges[start], ink_top, edges[end], ink_bottom)))
        start = end + 1
    return Line((left, ink_top, edges[-1], ink_bottom), (*words, *characters))


def _set_large(
    draw: ImageDraw.ImageDraw, left: float, top: float, text: str, font: str, size: int, ink: RGB
) -> tuple[list[float], float, float]:
    """Draw a line as a whole: where its characters begin and end, and the top and bottom of its ink."""
    face = shaping(font, size)
    draw.text((left, top), text, font=face, fill=ink)
    _, ink_top, _, ink_bottom = draw.textbbox((left, top), text, font=face)
    return [left + face.getlength(text[:count]) for count in range(len(text) + 1)], ink_top, ink_bottom


def _set_small(
    draw: ImageDraw.ImageDraw, left: float, top: float, text: str, font: str, size: int, ink: RGB
) -> tuple[list[float], float, float]:
    """As `_set_large`, character by character from those that are kept; without kerning."""
    edges, pen = [left], left
    ink_top, ink_bottom = top + size, top
    baseline = top + ascent(font, size)
    for character in text:
        drawn = glyph(font, size, character)
        if drawn.mask is not None:
            draw.bitmap((round(pen + drawn.right), round(baseline + drawn.down)), drawn.mask, fill=ink)
            ink_top, ink_bottom = min(ink_top, baseline + drawn.down), max(ink_bottom, baseline + drawn.below)
        pen += drawn.advance
        edges.append(pen)
    return edges, min(ink_top, ink_bottom), ink_bottom


def smudge(canvas: Image.Image, box: tuple[float, float, float, float], rng: random.Random) -> None:
    """Make what is written in a box illegible, while it still looks like writing: blurred, smeared or struck out.

    Whatever the way, fewer than two dark or light runs per character height are left.
    """
    left, top = max(0, int(box[0]) - 2), max(0, int(box[1]) - 2)
    right, bottom = min(canvas.width, int(box[2]) + 3), min(canvas.height, int(box[3]) + 3)
    if right - left < 2 or bottom - top < 2:
        return
    piece = canvas.crop((left, top, right, bottom))
    height = bottom - top
    way = rng.choice(("blur", "smear", "coarse"))
    if way == "blur":
        piece = piece.filter(ImageFilter.GaussianBlur(max(3.0, height * 0.28)))
    elif way == "smear":
        narrow = piece.resize((max(1, round(piece.width / (height * 0.9))), height), Image.Resampling.BOX)
        piece = narrow.resize(piece.size, Image.Resampling.BILINEAR)
    else:
        size = (max(1, round(piece.width / (height * 0.5))), 2)
        piece = piece.resize(size, Image.Resampling.BOX).resize(piece.size, Image.Resampling.NEAREST)
    canvas.paste(piece, (left, top))
