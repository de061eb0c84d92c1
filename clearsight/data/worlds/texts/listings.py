"""Listings as drawn: in an editor, plain, in a book; for evaluation in a window and on a slide; coloured by syntax.

Every character stands in a cell of its own, as monospaced fonts have it, so that its place is known.
"""

import random
import re
from dataclasses import dataclass

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import monospaced_font, text_font
from clearsight.data.worlds.drawing.glyphs import advance, glyph
from clearsight.data.worlds.drawing.legibility import contrast
from clearsight.data.worlds.drawing.palette import NAMES, RGB, colour
from clearsight.data.worlds.drawing.running_text import extent, set_words, size_of_x_height
from clearsight.data.worlds.scene import Placed, Scene, Split
from clearsight.data.worlds.texts.programs import Row

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("editor", "plain", "book"),
    "eval": ("window", "slide"),
}
KEYWORDS = (
    *(
        "def",
        "for",
        "in",
        "range",
        "if",
        "return",
        "function",
        "let",
        "int",
        "func",
        "fn",
        "mut",
        "i32",
        "do",
    ),
    *("end", "times", "puts", "local", "then", "var", "fun", "Int", "repeat", "echo"),
)
TOKEN = re.compile(
    r'(?P<comment>#.*|//.*|--.*|/\*.*)|(?P<string>"[^"]*")|(?P<number>\b\d+\b)|(?P<word>[A-Za-z_]\w*)'
)
LEAST_CONTRAST = 3.4  # of coloured code and its ground


@dataclass
class Theme:
    ground: RGB
    ink: RGB
    faint: RGB
    bar: RGB  # behind a highlighted line, and the chrome
    colours: dict[str, RGB]


def _theme(rng: random.Random, split: Split, *, dark: bool) -> Theme:
    level = rng.randint(14, 46) if dark else rng.randint(240, 255)
    tint = rng.randint(-8, 8)
    ground = (level, level, max(0, min(255, level + tint)))
    ink = (228, 228, 222) if dark else (28, 28, 34)
    toward = 255 if dark else 0

    def mixed(share: float) -> RGB:
        return tuple(round((1 - share) * g + share * toward) for g in ground)  # type: ignore[return-value]

    colours: dict[str, RGB] = {"comment": mixed(0.55)}
    usable = [
        n
        for n in NAMES
        if n not in ("black", "white", "gray", *(("brown", "purple") if dark else ("yellow",)))
    ]
    for role, name in zip(("keyword", "string", "number", "function"), rng.sample(usable, 4), strict=True):
        value = colour(rng, split, name)
        while contrast(value, ground) < LEAST_CONTRAST:  # lighten or darken it until it can be read
            value = tuple(round(0.85 * v + 0.15 * i) for v, i in zip(value, ink, strict=True))  # type: ignore[assignment]
        colours[role] = value
    return Theme(ground, ink, mixed(0.42), mixed(0.11), colours)


def _inks(row: Row, theme: Theme, functions: set[str]) -> list[RGB]:
    """The colour of each character of a line."""
    inks = [theme.ink] * len(row.text)
    for match in TOKEN.finditer(row.text):
        role = match.lastgroup or ""
        if role == "word":
            role = "keyword" if match[0] in KEYWORDS else "function" if match[0] in functions else ""
        if role in theme.colours:
            inks[match.start() : match.end()] = [theme.colours[role]] * len(match[0])
    return inks


def draw_listing(
    rng: random.Random,
    scene: Scene,
    template: str,
    language: str,
    rows: list[Row],
    numbered: bool,
    marked: int | None,
    file: str,
) -> None:
    """Set the scene's picture to a listing of `rows`, and note their boxes and places.

    Line `marked`, counted from 0, stands on a bar. The type shrinks until the listing fits, as far as it can be read.
    """
    split = scene.split
    theme = _theme(rng, split, dark=rng.random() < (0.15 if template == "book" else 0.55))
    font = monospaced_font(rng, split)
    size = size_of_x_height(font, rng.uniform(7.6, 11.0))
    while True:
        cell, (above, below) = advance(font, size, "0"), extent(font, size)
        gutter = cell * 3.2 if numbered else 0.0
        longest = max(len(row.text) for row in rows) * cell
        pitch = max(above + below + 2, size * rng.uniform(1.2, 1.5))
        top = {"editor": 34, "plain": 14, "book": 30, "window": 46, "slide": 70}[template]
        edge = {"editor": 10, "plain": 16, "book": 34, "window": 30, "slide": 36}[template]
        width, height = longest + gutter + 2 * edge + 8, len(rows) * pitch + top + edge
        if (width <= 640 and height <= 640) or size <= size_of_x_height(font, 7.0):
            break
        size -= 1
    width, height = max(320, min(880, round(width))), max(224, min(880, round(height)))
    left, top = edge + gutter, float(top)
    scene.picture = Image.new("RGB", (width, height), theme.ground)
    draw = ImageDraw.Draw(scene.picture)
    _FURNITURE[template](rng, scene, draw, theme, file, edge)
    if numbered and template == "editor":
        draw.line((left - cell * 0.6, 28, left - cell * 0.6, height), fill=theme.bar, width=1)
    names = {row.function for row in rows}
    characters: list[Placed] = []
    for index, row in enumerate(rows):
        y = top + index * pitch
        baseline = round(y + above)
        if index == marked:
            draw.rectangle((edge - 6, y - 2, width - edge + 4, y + above + below + 1), fill=theme.bar)
        if numbered:
            number = str(index + 1)
            set_words(
                scene.picture, left - cell * (0.9 + len(number)), baseline, [number], font, size, theme.faint
            )
        drawn = _set_row(scene, row, left, baseline, font, size, cell, _inks(row, theme, names))
        if row.code:
            start = left + (len(row.text) - len(row.text.lstrip())) * cell
            row.box = (start, baseline - above, left + len(row.text) * cell, baseline + below)
        else:
            row.box = (left, baseline - above, left, baseline + below)
        if not row.legible:
            continue
        for match in re.finditer(r"\S+", row.text):
            row.places.append(len(scene.placed))
            box = (left + match.start() * cell, row.box[1], left + match.end() * cell, row.box[3])
            scene.placed.append(Placed("word", match[0], box))
        characters += drawn
    scene.placed += characters
    for row in rows:
        if not row.legible:
            lettering.smudge(scene.picture, row.box, rng)


def _set_row(
    scene: Scene, row: Row, left: float, baseline: int, font: str, size: int, cell: float, inks: list[RGB]
) -> list[Placed]:
    above, below = extent(font, size)
    characters = []
    for column, (character, ink) in enumerate(zip(row.text, inks, strict=True)):
        if character == " ":
            continue
        drawn = glyph(font, size, character)
        x = left + column * cell
        if drawn.mask is not None:
            scene.picture.paste(ink, (round(x) + drawn.right, baseline + drawn.down), drawn.mask)
        characters.append(Placed("character", character, (x, baseline - above, x + cell, baseline + below)))
    return characters


def _caption(
    scene: Scene, rng: random.Random, text: str, x: float, baseline: float, pixels: float, ink: RGB
) -> None:
    font = text_font(rng, scene.split)
    size = size_of_x_height(font, pixels)
    words, characters = set_words(scene.picture, x, baseline, text.split(), font, size, ink)
    scene.placed += words + characters


def _editor(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A tab with the file's name over a gutter with line numbers."""
    width = scene.picture.width
    draw.rectangle((0, 0, width, 26), fill=theme.bar)
    draw.rectangle((0, 0, 22 + 10 * len(file), 26), fill=theme.ground)
    draw.line((0, 0, 22 + 10 * len(file), 0), fill=theme.colours["keyword"], width=3)
    _caption(scene, rng, file, 11, 18, 7.6, theme.ink)


def _plain(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """Nothing but the code."""


def _book(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A listing between two rules, as printed in a book."""
    width, height = scene.picture.size
    for y in (22, height - 10):
        draw.line((14, y, width - 14, y), fill=theme.faint, width=rng.choice((1, 2)))
    _caption(scene, rng, file, 16, 16, 7.4, theme.ink)


def _window(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A window with round buttons on a coloured desktop."""
    width, height = scene.picture.size
    desktop = colour(rng, scene.split, rng.choice(("blue", "purple", "green", "orange", "pink")))
    draw.rectangle((0, 0, width, height), fill=desktop)
    draw.rounded_rectangle((12, 10, width - 12, height - 12), 9, theme.ground)
    for index, name in enumerate(("red", "yellow", "green")):
        draw.ellipse((22 + 16 * index, 18, 32 + 16 * index, 28), fill=colour(rng, scene.split, name))
    _caption(scene, rng, file, 84, 28, 7.6, theme.ink)


def _slide(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A slide of a talk: a coloured band with the file's name in large letters, the code below."""
    width, height = scene.picture.size
    band = colour(rng, scene.split, rng.choice(("blue", "purple", "brown", "red")))
    draw.rectangle((0, 0, width, 50), fill=band)
    draw.rectangle((0, height - 6, width, height), fill=band)
    _caption(scene, rng, file, 24, 34, 12.0, (250, 250, 250))


_FURNITURE = {"editor": _editor, "plain": _plain, "book": _book, "window": _window, "slide": _slide}
