"""Drawing text so that every character's box is known."""

from dataclasses import dataclass

from PIL import ImageDraw

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
