"""Drawing at twice the size, so that slanted lines and curves come out smooth, in pixels of the finished picture.

A Sheet takes coordinates of the finished picture and hands that picture back with `finish`. It notes where the words
and characters written on it are, except for writing that is to be illegible, which `finish` smudges.
"""

import math
import random
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font, sized
from clearsight.data.worlds.drawing.palette import NAMES, RGB, background, colour, distance
from clearsight.data.worlds.scene import Placed, Split

Point = tuple[float, float]
Box = tuple[float, float, float, float]

SCALE = 2
MARGIN = 0.25  # of a text's size, for strokes that reach beyond its advance


class Sheet:
    """A picture under way, and what is `placed` in it. `ground` is a picture to stretch, or a colour."""

    def __init__(self, ground: Image.Image | RGB, size: tuple[int, int]):
        self.size = size
        large = (size[0] * SCALE, size[1] * SCALE)
        if isinstance(ground, Image.Image):
            self._large = ground.resize(large, Image.Resampling.NEAREST)
        else:
            self._large = Image.new("RGB", large, ground)
        self._draw = ImageDraw.Draw(self._large)
        self.placed: list[Placed] = []
        self._illegible: list[Box] = []

    def line(self, points: Sequence[Point], ink: RGB, width: float, *, round_ends: bool = False) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=ink, width=max(1, round(width * SCALE)))
        if round_ends:
            for x, y in (points[0], points[-1]):
                self.circle(x, y, width / 2, ink)

    def polygon(
        self, points: Sequence[Point], fill: RGB | None, outline: RGB | None = None, width: float = 0
    ) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.polygon(scaled, fill=fill, outline=outline, width=max(1, round(width * SCALE)))

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        fill: RGB | None,
        outline: RGB | None = None,
        width: float = 0,
    ) -> None:
        ends = [v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.ellipse(ends, fill=fill, outline=outline, width=round(width * SCALE))

    def box(
        self,
        box: Box,
        fill: RGB | None,
        outline: RGB | None = None,
        width: float = 0,
        radius: float = 0,
    ) -> None:
        ends = [v * SCALE for v in box]
        self._draw.rounded_rectangle(
            ends, radius * SCALE, fill=fill, outline=outline, width=round(width * SCALE)
        )

    def arc(
        self, x: float, y: float, radius: float, start: float, end: float, ink: RGB, width: float
    ) -> None:
        """A band whose outer edge has this radius; angles in degrees, clockwise from twelve o'clock."""
        ends = [v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.arc(ends, start - 90, end - 90, fill=ink, width=max(1, round(width * SCALE)))

    def write(
        self,
        x: float,
        y: float,
        text: str,
        font: str,
        size: int,
        ink: RGB,
        anchor: str = "middle",
        *,
        legible: bool = True,
    ) -> Box:
        """Text whose capitals are centred on height `y`; `x` is its middle, its left or right end. Gives its box."""
        width = breadth(text, font, size)
        left = x - {"left": 0.0, "middle": width / 2, "right": width}[anchor]
        top = y - capital_middle(font) * size
        self.paste(ink, left - MARGIN * size, top, lettered(text, font, size * SCALE))
        metrics = [character_metrics(font, character) for character in text]
        edges = [left, *(left + size * part for part in accumulate(advance for advance, _, _ in metrics))]
        ends = top + min(m[1] for m in metrics) * size, top + max(m[2] for m in metrics) * size
        box = (left, ends[0], edges[-1], ends[1])
        if not legible:
            self._illegible.append(box)
            return box
        start = 0
        for word in text.split(" "):
            stop = start + len(word)
            self.placed.append(Placed("word", word, (edges[start], ends[0], edges[stop], ends[1])))
            start = stop + 1
        self.placed += [
            Placed("character", character, (edges[i], ends[0], edges[i + 1], ends[1]))
            for i, character in enumerate(text)
            if character != " "
        ]
        return box

    def paste(self, picture: Image.Image | RGB, left: float, top: float, mask: Image.Image) -> None:
        """A picture, or one colour, through a mask (L) that is as large as it will be on the large sheet."""
        self._large.paste(picture, (round(left * SCALE), round(top * SCALE)), mask)

    def spoil(self, box: Box) -> None:
        """Have `finish` smudge what is in this box."""
        self._illegible.append(box)

    def finish(self, rng: random.Random) -> Image.Image:
        picture = self._large.reduce(SCALE)
        for box in self._illegible:
            lettering.smudge(picture, box, rng)
        return picture


def sheet_on_background(
    rng: random.Random, split: Split, width: int, height: int, *, plain: bool = False
) -> tuple[Sheet, RGB]:
    """A sheet with one of the palette's backgrounds, and its mean colour."""
    if plain or rng.random() < 0.4:
        _, ground = background(rng, split, plain=True)
        return Sheet(ground, (width, height)), ground
    canvas, ground = background(rng, split)
    return Sheet(canvas, (width, height)), ground


def distinct_colours(
    rng: random.Random,
    split: Split,
    against: Sequence[RGB],
    count: int,
    *,
    least: float = 170,
    names: Sequence[str] = NAMES,
) -> list[tuple[str, RGB]]:
    """Colours with names of their own that can be told from each other and from the grounds; fewer if need be."""
    found: list[tuple[str, RGB]] = []
    for name in rng.sample(list(names), len(names)):
        value = colour(rng, split, name)
        if all(distance(value, other) >= least for other in (*against, *(v for _, v in found))):
            found.append((name, value))
            if len(found) == count:
                break
    return found


def polar(x: float, y: float, degrees: float, reach: float) -> Point:
    """The point `reach` pixels from (x, y) in a direction counted clockwise from twelve o'clock."""
    angle = math.radians(degrees)
    return x + reach * math.sin(angle), y - reach * math.cos(angle)


def touches(a: Box, b: Box, gap: float = 0) -> bool:
    """Whether two boxes overlap or come closer than `gap`."""
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def breadth(text: str, font: str, size: float) -> float:
    """About how wide a text is in pixels; kerning is left out."""
    return size * _advance(text, font)


@lru_cache(maxsize=8192)
def _advance(text: str, font: str) -> float:
    return sum(character_metrics(font, character)[0] for character in text)


def text_box(x: float, y: float, text: str, font: str, size: int, anchor: str = "middle") -> Box:
    """About where Sheet.write would put the text."""
    width = breadth(text, font, size)
    left = x - {"left": 0.0, "middle": width / 2, "right": width}[anchor]
    return left, y - size * 0.45, left + width, y + size * 0.6


def fitting_size(text: str, font: str, size: int, width: float) -> int:
    """The largest size up to `size` at which the text is at most `width` wide."""
    return max(1, min(size, int(size * width / max(1.0, breadth(text, font, size)))))


@lru_cache(maxsize=8192)
def lettered(text: str, font: str, size: int) -> Image.Image:
    """A mask (L) of a text below its ascender line, MARGIN wider at either end."""
    margin = MARGIN * size
    mask = Image.new("L", (math.ceil(breadth(text, font, size) + 2 * margin), math.ceil(size * 1.6)), 0)
    ImageDraw.Draw(mask).text((margin, 0), text, font=sized(font, size), fill=255)
    return mask


@cache
def least_size(font: str, x_height: float = 7.5) -> int:
    """The smallest size at which a person can read the font: its small letters are so many pixels high."""
    _, top, bottom = character_metrics(font, "x")
    return math.ceil(x_height / (bottom - top))


@cache
def capital_middle(font: str) -> float:
    """How far below the ascender line the middle of a capital lies, for a size of one pixel."""
    _, top, bottom = character_metrics(font, "H")
    return (top + bottom) / 2


@cache
def character_metrics(font: str, character: str) -> tuple[float, float, float]:
    """Advance, and top and bottom of the ink below the ascender line, for a size of one pixel."""
    face = sized(font, 100)
    _, top, _, bottom = face.getbbox(character)
    return face.getlength(character) / 100, top / 100, bottom / 100


def sturdy_font(rng: random.Random, split: Split, characters: str = "") -> str:
    """A font whose strokes are not so light that they fade at the size of labels, and that has these characters."""
    while True:
        font = any_font(rng, split)
        if "light" not in font.lower() and all(can_write(font, character) for character in characters):
            return font


@cache
def can_write(font: str, character: str) -> bool:
    """Whether the font has a drawing of this character."""
    face = sized(font, 40)
    return bytes(face.getmask(character)) != bytes(face.getmask("\uffff"))
