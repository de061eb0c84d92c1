"""Pages: what documents and screens are made of. Text set to a size that can be read, panels, rules, and themes.

A Page writes on its scene's picture and notes there what stands where, in the order in which it is written: whoever
lays out a page writes in reading order. Positions are in pixels; a line of text is placed by the middle of its
capitals, so that rows line up whatever the font. Pictures are drawn at their final size; round corners come from
masks drawn larger. What is clicked, ticked or switched is in `widgets`. Characters are pasted at whole pixels without
kerning, as screens without sub-pixel type do.
"""

import itertools
import random
from dataclasses import dataclass
from functools import lru_cache
from os.path import basename
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import font_files, sized
from clearsight.data.worlds.drawing.glyphs import Glyph, glyph
from clearsight.data.worlds.drawing.palette import RGB, colour, distance, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split

Box = tuple[float, float, float, float]
Align = Literal["left", "middle", "right"]

HARD_TO_READ = (
    "hairline",
    "light",
    "black",
    "ultra",
    "_dr",
    "_rz",
)  # cuts too faint or too loud for small text
HEAVY = ("bold", "heavy", "75f", "77f", "_rb", "cardob")
ACCENTS = ("blue", "green", "purple", "red", "orange", "brown", "pink")
GRAIN_TILE = 96  # grains a side of the square of noise that paper repeats


# ---------------------------------------------------------------------------------------------------
# Type


@dataclass(frozen=True)
class Face:
    """A font file at a size in pixels."""

    font: str
    size: int

    @property
    def capitals(self) -> float:
        """Height of capital letters."""
        return _reach(self.font, self.size, "H")

    def width(self, text: str) -> int:
        return sum(_step(glyph(self.font, self.size, character)) for character in text)

    def scaled(self, factor: float) -> "Face":
        return Face(self.font, max(8, round(self.size * factor)))

    def wrapped(self, text: str, width: float) -> list[str]:
        """Lines of whole words that are no wider than `width`, unless a single word is."""
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.width(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines


@dataclass(frozen=True)
class Type:
    """The type of a page: a text face and its bold companion, at one height of small letters."""

    text: Face
    bold: Face


@lru_cache(maxsize=4096)
def _reach(font: str, size: int, letter: str) -> float:
    return -sized(font, size).getbbox(letter, anchor="ls")[1]


def _step(drawn: Glyph) -> int:
    """How far a character moves the pen, in whole pixels."""
    return max(1, round(drawn.advance))


@lru_cache(maxsize=1024)
def face_of_height(font: str, x_height: float) -> Face:
    """The font at the size whose small letters are that many pixels tall: sizes alone say little across fonts."""
    return Face(font, max(8, round(100 * x_height / _reach(font, 100, "x"))))


@lru_cache(maxsize=512)
def shows(font: str, characters: str) -> bool:
    """Whether the font has a drawing for each of these characters."""
    face = sized(font, 32)
    missing = bytes(face.getmask("\U0010fffd"))
    return all(bytes(face.getmask(character)) != missing for character in characters)


@lru_cache(maxsize=512)
def is_monospaced(font: str) -> bool:
    face = sized(font, 32)
    return face.getlength("i") == face.getlength("M")


@lru_cache(maxsize=64)
def _text_fonts(split: Split, needed: str, monospaced: bool) -> tuple[tuple[str, ...], ...]:
    groups = (
        tuple(
            font
            for font in family
            if not any(word in basename(font).lower() for word in HARD_TO_READ)
            and shows(font, needed)
            and (not monospaced or is_monospaced(font))
        )
        for family in font_files(split)
    )
    return tuple(group for group in groups if group)


def any_type(
    rng: random.Random, split: Split, x_height: float, needed: str = "%/-.:", *, monospaced: bool = False
) -> Type:
    """A family fit for running text that has all the `needed` characters, and its bold cut if there is one."""
    family = rng.choice(_text_fonts(split, needed, monospaced))
    plain = [font for font in family if not _is_heavy(font)] or list(family)
    text = rng.choice(plain)
    heavy = [font for font in family if _is_heavy(font)]
    bold = max(heavy, key=lambda font: _shared_beginning(font, text), default=text)
    if is_monospaced(bold) != is_monospaced(text):
        bold = text
    return Type(face_of_height(text, x_height), face_of_height(bold, x_height))


def _shared_beginning(a: str, b: str) -> int:
    """How many first characters two names share: cuts of one design are named alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _is_heavy(font: str) -> bool:
    return any(word in basename(font).lower() for word in HEAVY)


# ---------------------------------------------------------------------------------------------------
# Colours


@dataclass(frozen=True)
class Theme:
    """The colours of a page. `faint` is for lesser text, still readable on `panel` and `ground`."""

    dark: bool
    ground: RGB
    panel: RGB
    ink: RGB
    faint: RGB
    rule: RGB
    accent_name: str
    accent: RGB
    on_accent: RGB

    @property
    def headline(self) -> RGB:
        """The accent where it is strong enough for letters, else the ink."""
        return self.accent if distance(self.accent, self.panel) >= 330 else self.ink


def shade(rng: random.Random, split: Split, level: float, tint: RGB | None = None, share: float = 0) -> RGB:
    """A near gray of that brightness (0 to 1), leaning to `tint` by `share`; exact values are split as in palette."""
    while True:
        gray = 255 * level + rng.uniform(-4, 4)
        mixed = tuple(
            min(255, max(0, round(gray * (1 - share) + side * share + rng.uniform(-2, 2))))
            for side in tint or (gray, gray, gray)
        )
        if (sum(mixed) % 5 == 0) == (split == "eval"):
            return mixed  # type: ignore[return-value]


def any_theme(rng: random.Random, split: Split, *, dark: bool | None = None) -> Theme:
    """Colours that go together: light, or (about one in three unless told) dark."""
    if dark is None:
        dark = rng.random() < 0.35
    tint = colour(rng, split, rng.choice(ACCENTS))
    if dark:
        base = rng.uniform(0.04, 0.16)
        levels = {"ground": base, "panel": base + 0.07, "ink": 0.95, "faint": 0.68, "rule": base + 0.2}
    else:
        base = rng.uniform(0.88, 0.97)
        levels = {"ground": base, "panel": 0.99, "ink": 0.08, "faint": 0.4, "rule": base - 0.14}
    lean = rng.choice((0.0, 0.03, 0.08))
    shades = {name: shade(rng, split, level, tint, lean) for name, level in levels.items()}
    while True:
        name = rng.choice(ACCENTS)
        accent = colour(rng, split, name)
        if min(distance(accent, shades["panel"]), distance(accent, shades["ground"])) >= 230:
            return Theme(dark, **shades, accent_name=name, accent=accent, on_accent=readable_on(accent))


# ---------------------------------------------------------------------------------------------------
# The page


@dataclass(frozen=True)
class Writing:
    """A line as written: where, and the places of its words and characters in `scene.placed`; none if illegible."""

    text: str
    box: Box
    places: tuple[int, ...]
    legible: bool

    @property
    def facts(self) -> dict[str, object]:
        return {"text": self.text, "legible": self.legible, "box": [round(side, 1) for side in self.box]}


class Page:
    """The picture of a scene under way."""

    def __init__(self, scene: Scene, rng: random.Random):
        self.scene, self.rng = scene, rng
        self.canvas = scene.picture
        self.draw = ImageDraw.Draw(scene.picture)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        face: Face,
        ink: RGB,
        *,
        align: Align = "left",
        legible: bool = True,
    ) -> Writing:
        """One line whose capitals are centred on `y`; `x` is its left end, middle or right end."""
        left = round(x - face.width(text) * {"left": 0.0, "middle": 0.5, "right": 1.0}[align])
        baseline = round(y + face.capitals / 2)
        glyphs = [glyph(face.font, face.size, character) for character in text]
        edges = list(itertools.accumulate(map(_step, glyphs), initial=left))
        inked = [
            (edge + drawn.right, baseline + drawn.down, drawn.mask)
            for edge, drawn in zip(edges, glyphs, strict=False)
            if drawn.mask is not None
        ]
        for x, y, mask in inked:
            self.canvas.paste(ink, (x, y), mask)
        above, below = min(y for _, y, _ in inked), max(y + mask.height for _, y, mask in inked)
        box = (left, above, edges[-1], below)
        if not legible:
            lettering.smudge(self.canvas, box, self.rng)
            return Writing(text, box, (), False)
        start, places = 0, len(self.scene.placed)
        for word in text.split(" "):
            end = start + len(word)
            self.scene.placed.append(Placed("word", word, (edges[start], above, edges[end], below)))
            start = end + 1
        self.scene.placed += [
            Placed("character", character, (edges[i], above, edges[i + 1], below))
            for i, character in enumerate(text)
            if not character.isspace()
        ]
        return Writing(text, box, tuple(range(places, len(self.scene.placed))), True)

    def rectangle(self, box: Box, fill: RGB) -> None:
        left, top, right, bottom = (round(side) for side in box)
        self.draw.rectangle((left, top, right - 1, bottom - 1), fill=fill)

    def panel(
        self, box: Box, fill: RGB, *, radius: int = 0, outline: RGB | None = None, width: int = 1
    ) -> None:
        """A filled rectangle with round corners, with a border of `outline` inside it if one is given."""
        left, top, right, bottom = (round(side) for side in box)
        if outline is not None:
            self.panel(box, outline, radius=radius)
            inner = (left + width, top + width, right - width, bottom - width)
            self.panel(inner, fill, radius=max(0, radius - width))
        elif radius <= 0:
            self.rectangle(box, fill)
        else:
            self.canvas.paste(fill, (left, top), rounded(right - left, bottom - top, radius))

    def across(self, left: float, right: float, y: float, ink: RGB, width: int = 1, dash: int = 0) -> None:
        """A level line, dashed if `dash` is given."""
        for start in range(round(left), round(right), dash * 2) if dash else (round(left),):
            end = min(start + dash, round(right)) if dash else round(right)
            self.rectangle((start, round(y), end, round(y) + width), ink)

    def down(self, x: float, top: float, bottom: float, ink: RGB, width: int = 1, dash: int = 0) -> None:
        """An upright line, dashed if `dash` is given."""
        for start in range(round(top), round(bottom), dash * 2) if dash else (round(top),):
            end = min(start + dash, round(bottom)) if dash else round(bottom)
            self.rectangle((round(x), start, round(x) + width, end), ink)

    def stamp(self, mask: Image.Image, left: float, top: float, ink: RGB) -> Box:
        """Paint a mask in one colour; returns its box."""
        self.canvas.paste(ink, (round(left), round(top)), mask)
        return (round(left), round(top), round(left) + mask.width, round(top) + mask.height)

    def cut(self, height: int) -> None:
        """Cut off what is below `height`: the last thing to be done."""
        self.scene.picture = self.canvas = self.canvas.crop((0, 0, self.canvas.width, height))

    def place(self, label: str, box: Box, mask: Image.Image | None = None) -> int:
        """Note an object that lies in the box; returns its place."""
        self.scene.placed.append(Placed("object", label, box, mask))
        return len(self.scene.placed) - 1


def blank(rng: random.Random, size: tuple[int, int], ground: RGB, grain: float = 0) -> Image.Image:
    """An empty picture, grainy like paper or cloth if `grain` (grey levels) is given."""
    if not grain:
        return Image.new("RGB", size, ground)
    tile = np.random.default_rng(rng.getrandbits(32)).normal(128, grain, (GRAIN_TILE, GRAIN_TILE))
    across, down = (-(-side // (2 * GRAIN_TILE)) for side in size)
    noise = Image.fromarray(np.tile(tile.clip(0, 255).astype(np.uint8), (down, across)))
    noise = noise.resize((noise.width * 2, noise.height * 2), Image.Resampling.NEAREST).crop((0, 0, *size))
    return Image.merge(
        "RGB", [noise.point([min(255, max(0, side + i - 128)) for i in range(256)]) for side in ground]
    )


@lru_cache(maxsize=64)
def _quarter(radius: int) -> Image.Image:
    """The top left quarter of a disc (L)."""
    large = Image.new("L", (radius * 4, radius * 4), 0)
    ImageDraw.Draw(large).ellipse((0, 0, radius * 8 - 1, radius * 8 - 1), fill=255)
    return large.reduce(4)


@lru_cache(maxsize=256)
def rounded(width: int, height: int, radius: int) -> Image.Image:
    """The mask (L) of a rectangle with round corners."""
    radius = min(radius, width // 2, height // 2)
    mask = Image.new("L", (width, height), 255)
    if radius > 0:
        corner = _quarter(radius)
        for turn, left, top in (
            (0, 0, 0),
            (90, 0, height - radius),
            (180, width - radius, height - radius),
            (270, width - radius, 0),
        ):
            mask.paste(corner.rotate(turn), (left, top))
    return mask
