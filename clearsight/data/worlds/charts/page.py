"""The page a chart is drawn on: its look, its colours and type, its title and legend, and every word on it.

Marks are drawn at twice the size and reduced, so that their edges are smooth; text comes last, at its own size, so
that it is crisp. A page is carved up from the outside in: the title takes a strip of `rest`, then the legend, then
the axes (see axes); what is left is for the marks. Text turned by anything but a right angle is left out.
"""

import colorsys
import itertools
import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font, sized
from clearsight.data.worlds.drawing.palette import RGB, distance, readable_on, standing_out
from clearsight.data.worlds.scene import Placed, Split

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the finished picture

SIZES = ((448, 448), (512, 392), (560, 360), (600, 340), (400, 512), (480, 420), (528, 400))
LEAST_X_HEIGHT = 7.0  # pixels; what a person reads without effort

# Where a text stands in reading order.
TITLE, LEGEND_FIRST, UP_TITLE, UP_LABELS, INSIDE, ACROSS_LABELS, ACROSS_TITLE, LEGEND_LAST, CAPTION = range(9)


@dataclass(frozen=True)
class Look:
    """How the parts of a chart are arranged and dressed."""

    title: Literal["centre", "left", "band", "rule", "below"]
    legend: Literal["top", "right", "bottom", "left"]
    grid: Literal["none", "lines", "dashes", "bands", "panel"]
    frame: Literal["box", "open", "base", "none"]
    ticks: Literal["in", "out", "none"] = "none"
    axis: Literal["left", "right"] = "left"
    up_title: Literal["sideways", "above"] = "sideways"
    card: bool = False


LOOKS = {
    "journal": Look("centre", "bottom", "none", "box", "in"),
    "report": Look("left", "top", "lines", "base", up_title="above"),
    "notebook": Look("centre", "right", "panel", "none", "out"),
    "slide": Look("band", "right", "dashes", "open", "out"),
    "card": Look("left", "bottom", "lines", "none", card=True),
    "almanac": Look("below", "top", "dashes", "box", "out", axis="right"),
    "bulletin": Look("rule", "left", "bands", "open", "out", up_title="above"),
}
TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("journal", "report", "notebook", "slide", "card"),
    "eval": ("almanac", "bulletin"),
}


@dataclass
class Text:
    """A line of text waiting to be drawn; `box` and `places` (indices of its words) are known once it is."""

    order: int
    text: str
    x: float
    y: float
    font: str
    size: int
    ink: RGB
    sideways: bool
    legible: bool
    box: Box = (0.0, 0.0, 0.0, 0.0)
    places: tuple[int, ...] = field(default=())


@lru_cache(maxsize=1024)
def size_for(font: str, x_height: float) -> int:
    """The size at which the font's lower case letters are so high."""
    _, top, _, bottom = sized(font, 100).getbbox("x")
    return max(11, round(100 * x_height / (bottom - top)))


@lru_cache(maxsize=4096)
def ink_rows(font: str, size: int, text: str) -> tuple[float, float]:
    """First and last row that `text` inks, below the ascender line."""
    _, top, _, bottom = sized(font, size).getbbox(text)
    return top, bottom


@lru_cache(maxsize=4096)
def text_width(text: str, font: str, size: int) -> float:
    """Advance width in pixels; laying out a page asks for each text's several times."""
    return lettering.width_of(text, font, size)


def kept_apart(split: Split, colour: RGB) -> RGB:
    """The nearest colour value that belongs to the split, by the rule of the palette."""
    red, green, blue = colour
    while ((red + green + blue) % 5 == 0) != (split == "eval"):
        blue = blue - 1 if colour[2] > 127 else blue + 1
    return red, green, blue


class Page:
    """A sheet with its look. `rest` is the box not yet taken; `draw` works on the double-sized `big`."""

    def __init__(self, rng: random.Random, split: Split, size: tuple[int, int] | None = None):
        self.rng, self.split = rng, split
        self.template = rng.choice(TEMPLATES[split])
        self.look = LOOKS[self.template]
        self.width, self.height = size or rng.choice(SIZES)
        self.dark = rng.random() < 0.25
        hue = rng.random()
        self.ground = self._tint(
            hue, rng.uniform(0, 0.07), rng.uniform(0.06, 0.18) if self.dark else rng.uniform(0.95, 1)
        )
        self.ink = self.mixed(self.ground, readable_on(self.ground), rng.uniform(0.85, 1))
        self.faint = self.mixed(self.ground, self.ink, rng.uniform(0.16, 0.3))
        self.panel = (
            self.mixed(self.ground, self.ink, 0.11) if self.look.grid in ("panel", "bands") else self.ground
        )
        self.accent = self._tint(hue, rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.6))
        self.font = any_font(rng, split)
        self.title_font = any_font(rng, split) if rng.random() < 0.4 else self.font
        self.size = size_for(self.font, LEAST_X_HEIGHT + rng.uniform(0, 0.8))
        self.big = Image.new("RGB", (2 * self.width, 2 * self.height), self.ground)
        self.draw = ImageDraw.Draw(self.big)
        self.texts: list[Text] = []
        self.placed: list[Placed] = []
        margin = rng.randint(8, 13)
        if self.look.card:
            self.big.paste(self.mixed(self.ground, self.accent, 0.3), (0, 0, *self.big.size))
            box = [
                2 * margin - 8,
                2 * margin - 8,
                2 * (self.width - margin) + 8,
                2 * (self.height - margin) + 8,
            ]
            self.draw.rounded_rectangle(box, rng.randint(8, 30), fill=self.ground)
            margin += 8
        self.rest: Box = (margin, margin, self.width - margin, self.height - margin)

    def _tint(self, hue: float, saturation: float, value: float) -> RGB:
        red, green, blue = (round(255 * c) for c in colorsys.hsv_to_rgb(hue, saturation, value))
        return kept_apart(self.split, (red, green, blue))

    def mixed(self, a: RGB, b: RGB, share: float) -> RGB:
        """`a` with a share of `b`."""
        red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
        return kept_apart(self.split, (red, green, blue))

    def inks(self, count: int) -> list[tuple[str, RGB]]:
        """Named colours that stand out from the page and can be told from one another."""
        found: list[tuple[str, RGB]] = []
        least = 190.0
        while len(found) < count:
            name, value = standing_out(self.rng, self.split, self.ground, 150)
            least *= 0.995
            if distance(value, self.panel) >= 150 and all(
                name != other and distance(value, ink) >= least for other, ink in found
            ):
                found.append((name, value))
        return found

    def width_of(self, text: str) -> float:
        return text_width(text, self.font, self.size)

    @property
    def line_height(self) -> float:
        top, bottom = ink_rows(self.font, self.size, "Hlg")
        return bottom - top + 3

    def write(
        self,
        text: str,
        x: float,
        y: float,
        order: int,
        *,
        across: Literal["left", "middle", "right"] = "middle",
        font: str | None = None,
        size: int | None = None,
        ink: RGB | None = None,
        sideways: bool = False,
        legible: bool = True,
    ) -> Text:
        """Put a text on the page, the middle of its figures at height `y`, with its left, middle or right at `x`.

        Sideways it is read from below: the middle of its figures is at `x`, and its middle at height `y`.
        """
        font, size = font or self.font, size or self.size
        length = text_width(text, font, size)
        top, bottom = ink_rows(font, size, "0")
        if sideways:
            x, y = x - (top + bottom) / 2, y - length / 2
        else:
            x -= {"left": 0.0, "middle": length / 2, "right": length}[across]
            y -= (top + bottom) / 2
        found = Text(order, text, x, y, font, size, ink or self.ink, sideways, legible)
        self.texts.append(found)
        return found

    def title(self, text: str, legible: bool = True) -> list[Text]:
        """Write the title, on two lines if one does not hold it, and take its strip off the rest."""
        left, top, right, bottom = self.rest
        size = round(size_for(self.title_font, LEAST_X_HEIGHT) * self.rng.uniform(1.1, 1.4))
        lines = [text]
        if text_width(text, self.title_font, size) > right - left - 8:
            words = text.split(" ")
            lines = min(
                ([" ".join(words[:cut]), " ".join(words[cut:])] for cut in range(1, len(words))),
                key=lambda pair: max(text_width(half, self.title_font, size) for half in pair),
            )
        while any(text_width(line, self.title_font, size) > right - left - 8 for line in lines):
            size -= 1
        first, last = ink_rows(self.title_font, size, "Hlg")
        height = last - first + 4
        figure = sum(ink_rows(self.title_font, size, "0")) / 2 - first
        ink, place = self.ink, self.look.title
        strip = height * len(lines) + (14 if place == "band" else 8)
        if place == "below":
            y, self.rest = bottom - height * len(lines), (left, top, right, bottom - strip - 4)
        elif place == "band":
            self.draw.rectangle((0, 0, 2 * self.width, 2 * (strip + 2)), fill=self.accent)
            ink, y = readable_on(self.accent), 9.0
            self.rest = (left, strip + 10, right, bottom)
        else:
            y, self.rest = top + 1, (left, top + strip, right, bottom)
        if place == "rule":
            self.draw.rectangle(
                (2 * left, 2 * (top + strip - 4), 2 * right, 2 * (top + strip - 2)), fill=self.accent
            )
            self.rest = (left, top + strip + 4, right, bottom)
        across: Literal["left", "middle"] = "middle" if place in ("centre", "below") else "left"
        x = (left + right) / 2 if across == "middle" else left + 2
        order = CAPTION if place == "below" else TITLE
        return [
            self.write(
                *(line, x, y + figure + height * number, order),
                across=across, font=self.title_font, size=size, ink=ink, legible=legible,
            )
            for number, line in enumerate(lines)
        ]  # fmt: skip

    def legend(
        self,
        names: list[str],
        inks: list[tuple[str, RGB]],
        mark: Literal["square", "line", "dot"] = "square",
        illegible: str | None = None,
    ) -> None:
        """Say which colour stands for which name, in a strip taken off the rest."""
        left, top, right, bottom = self.rest
        line, swatch = self.line_height + 3, 20 if mark == "line" else 11
        widths = [swatch + 6 + self.width_of(name) for name in names]
        rows: list[list[int]] = []
        if self.look.legend in ("left", "right"):
            rows = [[index] for index in range(len(names))]
            strip = max(widths) + 12
            x, y = (left if self.look.legend == "left" else right - strip + 12), top + 8
            self.rest = (
                (left + strip, top, right, bottom)
                if self.look.legend == "left"
                else (left, top, right - strip, bottom)
            )
        else:
            used = right
            for index, width in enumerate(widths):
                if used + width > right - left:
                    rows.append([])
                    used = 0.0
                rows[-1].append(index)
                used += width + 14
            strip = line * len(rows) + 6
            x, y = left + 2, top + 2 if self.look.legend == "top" else bottom - strip + 8
            self.rest = (
                (left, top + strip, right, bottom)
                if self.look.legend == "top"
                else (left, top, right, bottom - strip)
            )
        order = LEGEND_FIRST if self.look.legend in ("top", "left") else LEGEND_LAST
        for number, row in enumerate(rows):
            at, middle = x, y + line * (number + 0.5)
            for index in row:
                self._swatch((at, middle - 5.5, at + swatch, middle + 5.5), inks[index], mark)
                self.write(
                    *(names[index], at + swatch + 6, middle, order),
                    across="left",
                    legible=names[index] != illegible,
                )
                at += widths[index] + 14

    def _swatch(self, box: Box, ink: tuple[str, RGB], mark: str) -> None:
        left, top, right, bottom = (2 * v for v in box)
        if mark == "line":
            top, bottom = (top + bottom) / 2 - 3, (top + bottom) / 2 + 3
        draw = self.draw.ellipse if mark == "dot" else self.draw.rectangle
        draw((left, top, right - 1, bottom - 1), fill=ink[1])
        self.placed.append(Placed("colour", ink[0], (left / 2, top / 2, right / 2, bottom / 2)))

    def dashes(
        self, start: tuple[float, float], end: tuple[float, float], ink: RGB, width: int, dash: float
    ) -> None:
        """A dashed line; `width` in pixels of the double-sized page, all else in those of the picture."""
        length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
        count = max(1, int(length / dash))
        for step in range(0, count, 2):
            a, b = step / count, min(1.0, (step + 1) / count)
            ends = [2 * (s + (e - s) * share) for share in (a, b) for s, e in zip(start, end, strict=True)]
            self.draw.line(ends, fill=ink, width=width)

    def finish(self) -> Image.Image:
        """Reduce the page, write the texts, and note their words and characters in reading order."""
        picture = self.big.reduce(2)
        draw = ImageDraw.Draw(picture)
        for text in sorted(self.texts, key=lambda t: t.order):
            line = _drawn_sideways(picture, text) if text.sideways else lettering.draw_line(
                draw, text.x, text.y, text.text, text.font, text.size, text.ink
            )  # fmt: skip
            text.box = line.box
            if text.legible:
                words = sum(p.kind == "word" for p in line.placed)
                text.places = tuple(range(len(self.placed), len(self.placed) + words))
                self.placed += line.placed
            else:
                lettering.smudge(picture, line.box, self.rng)
        return picture

    def collisions(self) -> list[tuple[str, str]]:
        """Pairs of texts that overlap, and texts that leave the page (paired with ""); empty when all is well."""
        found = [
            (text.text, "")
            for text in self.texts
            if min(text.box[:2]) < 0 or text.box[2] > self.width or text.box[3] > self.height
        ]
        for a, b in itertools.combinations(self.texts, 2):
            across = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
            down = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
            if across > 1 and down > 1:
                found.append((a.text, b.text))
        return found


def _drawn_sideways(picture: Image.Image, text: Text) -> lettering.Line:
    """Draw a text read from below, its box's left top corner at (x, y)."""
    length = text_width(text.text, text.font, text.size)
    bottom = ink_rows(text.font, text.size, text.text)[1]
    strip = Image.new("RGB", (int(length) + 2, int(bottom) + 2))
    flat = lettering.draw_line(ImageDraw.Draw(strip), 0, 0, text.text, text.font, text.size, (255, 255, 255))
    mask = strip.getchannel(0).transpose(Image.Transpose.ROTATE_90)
    x, y = round(text.x), round(text.y)
    picture.paste(text.ink, (x, y), mask)

    def turned(box: Box) -> Box:
        return x + box[1], y + strip.width - box[2], x + box[3], y + strip.width - box[0]

    placed = tuple(Placed(p.kind, p.label, turned(p.box)) for p in flat.placed)
    return lettering.Line(turned(flat.box), placed)
