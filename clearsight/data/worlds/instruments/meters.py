"""Measuring instruments: round gauges, thermometers, level and bar meters, jugs, batteries and counters.

Drawing only. Each is drawn into a box and gives, as plain data, where its pointer ends and where its scale begins and
ends, so that the reading can be worked out from the picture's geometry. Needles are split between the splits.
"""

import random
from dataclasses import dataclass
from typing import Any

from clearsight.data.worlds.drawing.drafting import (
    Box,
    Point,
    Sheet,
    breadth,
    fitting_size,
    least_size,
    polar,
)
from clearsight.data.worlds.drawing.palette import RGB, colour
from clearsight.data.worlds.scene import Placed, Split

# Along the needle (0: pivot, 1: tip), and half its width there in hundredths of the dial's radius.
NEEDLES: dict[Split, dict[str, tuple[tuple[float, float], ...]]] = {
    "train": {
        "taper": ((-0.2, 3.2), (0.0, 4.0), (1.0, 0.5)),
        "rod": ((-0.2, 1.4), (1.0, 1.4)),
        "arrow": ((-0.18, 1.8), (0.7, 1.8), (0.7, 6.0), (1.0, 0.2)),
    },
    "eval": {
        "wedge": ((0.0, 7.0), (1.0, 0.2)),
        "lance": ((-0.3, 1.2), (0.5, 1.2), (0.66, 5.0), (1.0, 0.2)),
    },
}


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`; a long mark with a number every `major`, a mark every `minor`."""

    unit: str
    low: float
    high: float
    major: float
    minor: float

    def marks(self) -> list[tuple[float, bool]]:
        """Every mark's value, and whether it is a long one."""
        each = round(self.major / self.minor)
        return [
            (round(self.low + i * self.minor, 6), i % each == 0)
            for i in range(round((self.high - self.low) / self.minor) + 1)
        ]

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Look:
    """Colours, font and needle of an instrument. `pointer` is the colour of what shows the value, by name and value."""

    face: RGB
    ink: RGB
    rim: RGB
    font: str
    needle: str
    pointer: tuple[str, RGB]


@dataclass(frozen=True)
class Reading:
    """What an instrument is to show. `zones` are (from, to, colour name); `labels` replace the scale's numbers."""

    scale: Scale
    value: float
    zones: tuple[tuple[float, float, str], ...] = ()
    labels: tuple[tuple[float, str], ...] = ()
    legible: bool = True

    def texts(self) -> list[tuple[float, str]]:
        return list(self.labels) or [
            (value, f"{value:g}") for value, is_long in self.scale.marks() if is_long
        ]


def draw_round(
    sheet: Sheet, rng: random.Random, split: Split, box: Box, reading: Reading, look: Look, sweep: float
) -> dict[str, Any]:
    """A dial with a needle. `sweep` is the angle of its scale, whose middle is at the top."""
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    radius, start, scale = min(right - left, bottom - top) / 2, -sweep / 2, reading.scale
    sheet.circle(x, y, radius, look.rim)
    sheet.circle(x, y, radius * 0.94, look.face)
    if sweep <= 180:
        y += radius * 0.16

    def angle(value: float) -> float:
        return start + sweep * scale.share(value)

    reach = radius * 0.86 if sweep > 180 else radius * 0.8
    for low, high, name in reading.zones:
        shade = colour(rng, split, name)
        sheet.arc(x, y, reach, angle(low), angle(high), shade, radius * 0.09)
        placed_at = polar(x, y, (angle(low) + angle(high)) / 2, reach - radius * 0.045)
        half = radius * 0.045
        sheet.placed.append(Placed("colour", name, _around(placed_at, half)))
    for value, is_long in scale.marks():
        inner = reach - radius * (0.12 if is_long else 0.07)
        ends = [polar(x, y, angle(value), r) for r in (reach, inner)]
        sheet.line(ends, look.ink, max(1.2, radius * (0.022 if is_long else 0.011)))
    size = max(13, round(radius * 0.15))
    for value, text in reading.texts():
        at = polar(x, y, angle(value), reach - radius * (0.16 + 0.055 * min(4, len(text))))
        sheet.write(*at, text, look.font, size, look.ink, legible=reading.legible)
    if scale.unit:
        fitted = fitting_size(
            scale.unit, look.font, max(round(radius * 0.16), least_size(look.font)), radius * 0.7
        )
        level = y + radius * (0.5 if sweep > 180 else 0.38)
        sheet.write(x, level, scale.unit, look.font, fitted, look.ink)
    direction, length = angle(reading.value), reach - radius * 0.06
    sides: tuple[list[Point], list[Point]] = ([], [])
    for along, half in (NEEDLES["train"] | NEEDLES["eval"])[look.needle]:
        middle = polar(x, y, direction, along * length)
        for side, turn in zip(sides, (-90, 90), strict=True):
            side.append(polar(*middle, direction + turn, half * radius / 100))
    sheet.polygon([*sides[0], *reversed(sides[1])], look.pointer[1])
    sheet.circle(x, y, radius * 0.07, look.pointer[1])
    tip = polar(x, y, direction, length)
    return {"centre": [x, y], "start": start, "sweep": sweep, "tip": list(tip)}


def draw_upright(
    sheet: Sheet, rng: random.Random, split: Split, box: Box, reading: Reading, look: Look, kind: str
) -> dict[str, Any]:
    """A thermometer, a level meter or a measuring jug: a column as high as the value, with its scale beside it."""
    left, top, right, bottom = box
    scale, size = reading.scale, max(14, least_size(look.font))
    height, wide = bottom - top, (right - left)
    x = left + wide * (0.5 if kind == "jug" else 0.4)
    half = {"thermometer": min(9.0, wide * 0.07), "level": wide * 0.13, "jug": wide * 0.36}[kind]
    bulb = half * 1.9 if kind == "thermometer" else 0.0
    high_at, low_at = top + height * 0.13, bottom - bulb * 2 - height * 0.06
    level = low_at - (low_at - high_at) * scale.share(reading.value)
    shade = look.pointer[1]
    glass = tuple((2 * c + 235) // 3 for c in look.face)
    if kind == "jug":
        ends = (x - half, top + height * 0.04, x + half, bottom - height * 0.02)
        sheet.arc(x + half, top + height * 0.42, height * 0.21, 0, 180, look.rim, 9)
        sheet.polygon([(x - half, ends[1]), (x - half - 20, ends[1]), (x - half, ends[1] + 34)], look.rim)
        sheet.box(ends, glass, look.rim, 4, radius=7)  # type: ignore[arg-type]
        sheet.box((x - half + 4, level, x + half - 4, ends[3] - 4), shade, radius=3)
        marks_at, side = x - half + 4, 1
        ink = look.ink
    else:
        if kind == "thermometer":
            middle = low_at + bulb * 1.4
            sheet.box((left + 2, top, right - 2, bottom), look.face, look.rim, 2.5, radius=12)
            sheet.circle(x, middle, bulb + 3, look.rim)
            sheet.box((x - half - 3, high_at - 16, x + half + 3, middle), look.rim, radius=half + 3)
            sheet.box((x - half, high_at - 13, x + half, middle), glass, radius=half)  # type: ignore[arg-type]
            sheet.circle(x, middle, bulb, shade)
            sheet.box((x - half, level, x + half, middle), shade)
        else:
            sheet.box((left + 2, top, right - 2, bottom), look.face, look.rim, 2.5, radius=6)
            sheet.box((x - half - 3, high_at - 3, x + half + 3, low_at + 3), look.rim)
            sheet.box((x - half, high_at, x + half, low_at), glass)  # type: ignore[arg-type]
            sheet.box((x - half, level, x + half, low_at), shade)
        marks_at, side, ink = x + half + 6, 1, look.ink
        for low, high, name in reading.zones:
            ends = tuple(low_at - (low_at - high_at) * scale.share(value) for value in (high, low))
            strip = (x - half - 15, ends[0], x - half - 7, ends[1])
            sheet.box(strip, colour(rng, split, name))
            sheet.placed.append(Placed("colour", name, strip))
    for value, is_long in scale.marks():
        y = low_at - (low_at - high_at) * scale.share(value)
        length = 15 if is_long else 8
        sheet.line([(marks_at, y), (marks_at + side * length, y)], ink, 2 if is_long else 1.2)
    for value, text in reversed(reading.texts()):
        y = low_at - (low_at - high_at) * scale.share(value)
        sheet.write(marks_at + 20, y, text, look.font, size, ink, "left", legible=reading.legible)
    unit_at = (x + half * 0.55, top + height * 0.075) if kind == "jug" else (right - 12, top + height * 0.06)
    anchor = "middle" if kind == "jug" else "right"
    sheet.write(*unit_at, scale.unit, look.font, size, ink, anchor)
    sheet.placed.append(Placed("colour", look.pointer[0], (x - half, level, x + half, low_at)))
    return {"low at": [x, low_at], "high at": [x, high_at], "tip": [x, level]}


def draw_lying(
    sheet: Sheet, rng: random.Random, split: Split, box: Box, reading: Reading, look: Look, filled: bool
) -> dict[str, Any]:
    """A meter that lies: numbers, marks, zones, and a triangle or a bar that shows the value."""
    left, top, right, bottom = box
    scale, size, height = reading.scale, max(14, least_size(look.font)), bottom - top
    sheet.box(box, look.face, look.rim, 2.5, radius=6)
    low_at, high_at, y = left + 30, right - 30, top + height * 0.56

    def across(value: float) -> float:
        return low_at + (high_at - low_at) * scale.share(value)

    for low, high, name in reading.zones:
        strip = (across(low), y, across(high), y + height * 0.09)
        sheet.box(strip, colour(rng, split, name))
        sheet.placed.append(Placed("colour", name, strip))
    for value, is_long in scale.marks():
        length = height * (0.14 if is_long else 0.08)
        sheet.line([(across(value), y), (across(value), y - length)], look.ink, 2 if is_long else 1.2)
    sheet.line([(low_at, y), (high_at, y)], look.ink, 1.5)
    for value, text in reading.texts():
        sheet.write(
            across(value), top + height * 0.27, text, look.font, size, look.ink, legible=reading.legible
        )
    tip, below = across(reading.value), y + height * 0.1
    if filled:
        sheet.box((low_at, below + 2, tip, below + height * 0.13), look.pointer[1])
    else:
        wing = height * 0.075
        sheet.polygon(
            [(tip, below), (tip - wing, below + height * 0.15), (tip + wing, below + height * 0.15)],
            look.pointer[1],
        )
    sheet.write(right - 14, bottom - height * 0.13, scale.unit, look.font, size, look.ink, "right")
    return {"low at": [low_at, below], "high at": [high_at, below], "tip": [tip, below]}


def draw_battery(
    sheet: Sheet, box: Box, lit: int, bars: int, shade: RGB, ink: RGB, face: RGB
) -> dict[str, Any]:
    """An outline with some of its bars lit."""
    left, top, right, bottom = box
    middle, half = (top + bottom) / 2, min((bottom - top) * 0.36, (right - left) * 0.24)
    right -= 16
    sheet.box((right, middle - half * 0.4, right + 12, middle + half * 0.4), ink, radius=3)
    sheet.box((left, middle - half, right, middle + half), face, ink, 5, radius=10)
    step = (right - left - 20) / bars
    for bar in range(lit):
        edge = left + 10 + step * bar
        sheet.box((edge + 3, middle - half + 12, edge + step - 3, middle + half - 12), shade, radius=3)
    return {"first bar": [left + 10 + step / 2, middle], "step": step}


def draw_counter(sheet: Sheet, box: Box, digits: str, look: Look, legible: bool) -> dict[str, Any]:
    """Digits on the wheels of a counter, the last of them on another ground."""
    left, top, right, bottom = box
    step = (right - left) / len(digits)
    tall = min(step * 1.5, bottom - top)
    middle = (top + bottom) / 2
    size = round(min(step / breadth("0", look.font, 1) * 0.8, tall * 0.72))
    sheet.box((left - 5, middle - tall / 2 - 5, right + 5, middle + tall / 2 + 5), look.rim, radius=5)
    edges = []
    for i, digit in enumerate(digits):
        x = left + step * (i + 0.5)
        last = i == len(digits) - 1
        wheel, ink = ((242, 242, 238), (24, 24, 24)) if last else ((26, 26, 28), (244, 244, 240))
        sheet.box(
            (x - step / 2 + 1.5, middle - tall / 2, x + step / 2 - 1.5, middle + tall / 2), wheel, radius=3
        )
        start = len(sheet.placed)
        sheet.write(x, middle, digit, look.font, size, ink, legible=legible)
        if legible:
            edges.append(sheet.placed[start].box)
            del sheet.placed[start]  # a digit is no word of its own
    if legible:
        box = (edges[0][0], edges[0][1], edges[-1][2], max(edge[3] for edge in edges))
        sheet.placed.append(Placed("word", digits, box))
    return {}


def _around(point: Point, half: float) -> Box:
    return point[0] - half, point[1] - half, point[0] + half, point[1] + half
