"""Drawing text so that every character's box is known."""

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from clearsight.data.worlds.fonts import sized
from clearsight.data.worlds.palette import RGB
from clearsight.data.worlds.scene import Placed


@dataclass(frozen=True)
class Line:
    """A line of text as drawn: its ink box, and where its words and characters are, in pixels."""

    box: tuple[float, float, float, float]
    placed: tuple[Placed, ...]


def width_of(text: str, font: str, size: int) -> float:
    """Advance width in pixels."""
    return sized(font, size).getlength(text)


def draw_line(
    draw: ImageDraw.ImageDraw, left: float, top: float, text: str, font: str, size: int, ink: RGB
) -> Line:
    """Draw `text` with its ascender line at `top`."""
    face = sized(font, size)
    draw.text((left, top), text, font=face, fill=ink)
    _, ink_top, _, ink_bottom = draw.textbbox((left, top), text, font=face)
    edges = [left + face.getlength(text[:count]) for count in range(len(text) + 1)]
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
