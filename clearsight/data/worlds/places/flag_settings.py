"""Where flags hang: alone, at poles, in charts, from a line; and their labels.

Every layout gives a sheet and the flags that are still to be hung in it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from clearsight.data.worlds.drawing.drafting import (
    Point,
    Sheet,
    fitting_size,
    least_size,
    sheet_on_background,
    sturdy_font,
)
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.places.flag_designs import Flag, any_country, invented_flag, national_flag
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.vocabulary import vocabulary

ORDINALS = ("first", "second", "third", "fourth", "fifth")


@dataclass
class Hung:
    """A flag in the picture: its left top corner, its width, the label that goes with it, and how it is spoken of."""

    flag: Flag
    left: float
    top: float
    width: int
    place: str
    label: str = ""
    legible: bool = True
    wind: float = 0.0
    box: tuple[float, float, float, float] = (0, 0, 0, 0)

    @property
    def is_named(self) -> bool:
        """Whether the label gives the country away."""
        country = self.flag.country
        return country is not None and self.label in (country.name, *country.alternatives)


Layout = tuple[Sheet, list[Hung]]


def _some_flags(rng: random.Random, split: Split, count: int, width: int = 320) -> list[Flag]:
    """National and invented flags, the latter drawn so many pixels wide; no country twice."""
    found, seen, share = [], set(), rng.choice((0.3, 0.8, 1.0))
    while len(found) < count:
        if rng.random() < share:
            code = any_country(rng, split)
            if code not in seen:
                seen.add(code)
                found.append(national_flag(code, split))
        else:
            found.append(invented_flag(rng, split, width))
    return found


def _label(rng: random.Random, split: Split, hung: list[Hung], font: str, width: float) -> int:
    """Give the flags labels: letters, words, or the countries' names; the size at which all of them fit, or 0."""
    size = max(18, least_size(font))
    kind = rng.choice(("none", "letters", "letters", "words", "countries", "countries"))
    if kind == "none":
        return 0
    words = [w.capitalize() for w in rng.sample(vocabulary(split)[100:], 60) if 4 <= len(w) <= 7]
    for number, one in enumerate(hung):
        one.label = chr(65 + number) if kind == "letters" else words[number]
        if kind == "countries" and one.flag.country:
            names = (one.flag.country.name, *one.flag.country.alternatives)
            fitting = [name for name in names if fitting_size(name, font, size, width) >= least_size(font)]
            one.label = fitting[0] if fitting else one.label
    if rng.random() < 0.4:
        rng.choice(hung).legible = False
    return min(fitting_size(one.label, font, size, width) for one in hung)


def _height(flag: Flag, width: float) -> float:
    return width * flag.picture.height / flag.picture.width


def _pole(sheet: Sheet, x: float, top: float, bottom: float, ink: RGB) -> None:
    sheet.box((x - 3, top, x + 3, bottom), ink, radius=3)
    sheet.circle(x, top, 6, ink)


def _single(rng: random.Random, split: Split) -> Layout:
    """One flag, flat or in the wind at a pole."""
    width, height = rng.choice(((448, 400), (480, 384), (416, 416)))
    sheet, ground = sheet_on_background(rng, split, width, height)
    (flag,) = _some_flags(rng, split, 1, 560)
    font, flies = sturdy_font(rng, split), rng.random() < 0.5
    wide = rng.randint(230, 320)
    tall = _height(flag, wide)
    left, top = rng.uniform(40, width - wide - 20), rng.uniform(30, max(31, height - tall * 1.2 - 70))
    one = Hung(
        flag, left, top, wide, "the flag in the picture", wind=rng.uniform(0.03, 0.07) if flies else 0.0
    )
    if flies:
        _pole(sheet, left - 4, top - 14, height - 10, (132, 126, 118))
    else:
        sheet.box((left - 1, top - 1, left + wide + 1, top + tall + 1), None, (120, 120, 120), 1)
    size = _label(rng, split, [one], font, wide)
    if size:
        level = height - 32
        sheet.write(
            left + wide / 2 + 10, level, one.label, font, size, readable_on(ground), legible=one.legible
        )
    return sheet, [one]


def _lone(rng: random.Random, split: Split) -> Layout:
    """One flag as on a card, with a shadow and the label above."""
    width, height = rng.choice(((432, 432), (400, 480)))
    sheet, ground = sheet_on_background(rng, split, width, height, plain=True)
    (flag,) = _some_flags(rng, split, 1, 560)
    font, wide = sturdy_font(rng, split), rng.randint(220, 290)
    tall = _height(flag, wide)
    left, top = (width - wide) / 2, 80 + rng.uniform(0, height - 100 - tall)
    shade = tuple(int(c * 0.72) for c in ground)
    sheet.box((left + 9, top + 9, left + wide + 9, top + tall + 9), shade)  # type: ignore[arg-type]
    one = Hung(flag, left, top, wide, "the flag in the picture")
    size = _label(rng, split, [one], font, wide)
    if size:
        sheet.write(width / 2, top - 30, one.label, font, size, readable_on(ground), legible=one.legible)
    return sheet, [one]


def _poles(rng: random.Random, split: Split) -> Layout:
    """Flags in the wind, each at its pole, in a row."""
    count = rng.choice((2, 3, 4, 5))
    step = {2: 220, 3: 190, 4: 172, 5: 156}[count]
    width, height = step * count + 24, rng.choice((320, 352))
    sheet, ground = sheet_on_background(rng, split, width, height)
    sheet.box((0, height - 62, width, height), (96, 132, 84), radius=0)
    font, wind, hung = sturdy_font(rng, split), rng.choice((0.0, 0.04, 0.06)), []
    for number, flag in enumerate(_some_flags(rng, split, count)):
        x, top = 22 + step * number, 30 + rng.uniform(0, 26)
        _pole(sheet, x, top - 10, height - 52, (206, 206, 210) if sum(ground) < 300 else (110, 110, 116))
        place = f"the {ORDINALS[number]} flag from the left"
        hung.append(Hung(flag, x + 4, top, step - 34, place, wind=wind))
    size = _label(rng, split, hung, font, step - 16)
    for one in hung if size else ():
        sheet.write(
            one.left + 4, height - 32, one.label, font, size, (16, 24, 14), "left", legible=one.legible
        )
    return sheet, hung


def _string(rng: random.Random, split: Split) -> Layout:
    """Flags hanging from a line, in a row."""
    count = rng.choice((3, 4, 5))
    step = {3: 196, 4: 168, 5: 150}[count]
    width, height = step * count + 20, rng.choice((288, 320))
    sheet, ground = sheet_on_background(rng, split, width, height)
    ink, font, hung = readable_on(ground), sturdy_font(rng, split), []

    def line_at(x: float) -> float:
        return 26 + 34 * (1 - (2 * x / width - 1) ** 2)

    sheet.line([(x, line_at(x)) for x in range(0, width + 1, 8)], ink, 2)
    for number, flag in enumerate(_some_flags(rng, split, count)):
        wide = min(step - 30, round(150 / _height(flag, 1)))
        left = 10 + step * (number + 0.5) - wide / 2
        top = max(line_at(left), line_at(left + wide)) + 7
        for x in (left + 3, left + wide - 3):
            sheet.line([(x, line_at(x)), (x, top)], ink, 1.5)
        hung.append(Hung(flag, left, top, wide, f"the {ORDINALS[number]} flag from the left"))
    size = _label(rng, split, hung, font, step - 14)
    for one in hung if size else ():
        middle: Point = (one.left + one.width / 2, one.top + _height(one.flag, one.width) + size * 0.9)
        sheet.write(*middle, one.label, font, size, ink, legible=one.legible)
    return sheet, hung


def _chart(rng: random.Random, split: Split) -> Layout:
    """Rows and columns of flags, as on a poster."""
    columns, rows, wide = rng.choice(((3, 2, 142), (3, 3, 134), (4, 2, 132), (4, 3, 124), (2, 2, 180)))
    step, tall = wide + 22, wide * 0.75 + 40
    width, height = step * columns + 22, round(tall * rows + 20)
    sheet, ground = sheet_on_background(rng, split, width, height, plain=rng.random() < 0.6)
    ink, font, hung = readable_on(ground), sturdy_font(rng, split), []
    for number, flag in enumerate(_some_flags(rng, split, columns * rows)):
        row, column = divmod(number, columns)
        left, top = 22 + step * column, 16 + tall * row
        sheet.box(
            (left - 1, top - 1, left + wide + 1, top + _height(flag, wide) + 1), None, (128, 128, 128), 1
        )
        hung.append(Hung(flag, left, top, wide, f"the flag in row {row + 1}, column {column + 1}"))
    size = _label(rng, split, hung, font, wide + 14)
    for one in hung if size else ():
        middle: Point = (one.left + wide / 2, one.top + _height(one.flag, wide) + size * 0.85)
        sheet.write(*middle, one.label, font, size, ink, legible=one.legible)
    return sheet, hung


def _ladder(rng: random.Random, split: Split) -> Layout:
    """A column of flags with their labels to the right."""
    count = rng.choice((2, 3, 4))
    width, row = rng.choice((384, 416)), 118
    sheet, ground = sheet_on_background(rng, split, width, row * count + 20, plain=True)
    ink, font, hung = readable_on(ground), sturdy_font(rng, split), []
    for number, flag in enumerate(_some_flags(rng, split, count)):
        wide = min(140, round(100 / _height(flag, 1)))
        top = 14 + row * number
        sheet.box((23, top - 1, 25 + wide, top + _height(flag, wide) + 1), None, (128, 128, 128), 1)
        hung.append(Hung(flag, 24, top, wide, f"the {ORDINALS[number]} flag from the top"))
    size = _label(rng, split, hung, font, width - 204)
    for one in hung if size else ():
        sheet.write(188, one.top + 50, one.label, font, size, ink, "left", legible=one.legible)
    return sheet, hung


LAYOUTS: dict[str, Callable[[random.Random, Split], Layout]] = {
    "single": _single,
    "poles": _poles,
    "chart": _chart,
    "lone": _lone,
    "string": _string,
    "ladder": _ladder,
}
