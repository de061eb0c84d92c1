"""What is ticked, switched, slid or pressed on forms and screens, small pictograms, and signatures.

Each is drawn into a box on a page. How a tick, a switch and a pictogram look differs between the splits.
"""

import math
import random
from functools import lru_cache

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.page import Box, Page, Theme
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.scene import Split

Stroke = tuple[tuple[float, float], ...]  # a path through the unit square; one point alone is a dot

TICK_STYLES: dict[Split, tuple[str, ...]] = {
    "train": ("tick", "cross", "filled"),
    "eval": ("blot", "flourish"),
}
SWITCH_STYLES: dict[Split, tuple[str, ...]] = {"train": ("pill", "block"), "eval": ("slim",)}


def _circle(x: float, y: float, radius: float, start: float = 0, end: float = 360) -> Stroke:
    steps = 24
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return tuple((x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles)


STROKES: dict[Split, dict[str, tuple[Stroke, ...]]] = {
    "train": {
        "tick": (((0.12, 0.55), (0.4, 0.82), (0.9, 0.2)),),
        "cross": (((0.15, 0.15), (0.85, 0.85)), ((0.85, 0.15), (0.15, 0.85))),
        "right": (((0.35, 0.15), (0.68, 0.5), (0.35, 0.85)),),
        "left": (((0.65, 0.15), (0.32, 0.5), (0.65, 0.85)),),
        "down": (((0.15, 0.35), (0.5, 0.68), (0.85, 0.35)),),
        "search": (_circle(0.42, 0.42, 0.3), ((0.65, 0.65), (0.92, 0.92))),
        "menu": (((0.1, 0.22), (0.9, 0.22)), ((0.1, 0.5), (0.9, 0.5)), ((0.1, 0.78), (0.9, 0.78))),
        "plus": (((0.5, 0.12), (0.5, 0.88)), ((0.12, 0.5), (0.88, 0.5))),
        "home": (
            ((0.08, 0.5), (0.5, 0.12), (0.92, 0.5)),
            ((0.2, 0.45), (0.2, 0.88), (0.8, 0.88), (0.8, 0.45)),
        ),
        "person": (_circle(0.5, 0.3, 0.18), _circle(0.5, 0.95, 0.36, 180, 360)),
        "clock": (_circle(0.5, 0.5, 0.4), ((0.5, 0.25), (0.5, 0.5), (0.7, 0.6))),
        "mail": (
            ((0.08, 0.22), (0.92, 0.22), (0.92, 0.8), (0.08, 0.8), (0.08, 0.22)),
            ((0.08, 0.24), (0.5, 0.56), (0.92, 0.24)),
        ),
    },
    "eval": {
        "tick": (((0.05, 0.48), (0.34, 0.9), (0.62, 0.4), (0.98, 0.05)),),
        "cross": (((0.05, 0.2), (0.95, 0.8)), ((0.8, 0.05), (0.2, 0.95))),
        "right": (((0.3, 0.3), (0.72, 0.5), (0.3, 0.7), (0.3, 0.3)),),
        "left": (((0.9, 0.5), (0.1, 0.5)), ((0.4, 0.2), (0.1, 0.5), (0.4, 0.8))),
        "down": (((0.25, 0.35), (0.5, 0.75), (0.75, 0.35), (0.25, 0.35)),),
        "search": (_circle(0.58, 0.4, 0.28), ((0.37, 0.6), (0.08, 0.9))),
        "menu": (((0.5, 0.15),), ((0.5, 0.5),), ((0.5, 0.85),)),
        "plus": (_circle(0.5, 0.5, 0.44), ((0.5, 0.3), (0.5, 0.7)), ((0.3, 0.5), (0.7, 0.5))),
        "home": (((0.15, 0.9), (0.15, 0.4), (0.5, 0.1), (0.85, 0.4), (0.85, 0.9), (0.15, 0.9)),),
        "person": (_circle(0.5, 0.28, 0.2), ((0.15, 0.92), (0.3, 0.62), (0.7, 0.62), (0.85, 0.92))),
        "clock": (_circle(0.5, 0.5, 0.42), ((0.5, 0.5), (0.5, 0.2)), ((0.5, 0.5), (0.3, 0.6))),
        "mail": (
            ((0.1, 0.35), (0.5, 0.08), (0.9, 0.35), (0.9, 0.9), (0.1, 0.9), (0.1, 0.35)),
            ((0.1, 0.4), (0.5, 0.65), (0.9, 0.4)),
        ),
    },
}


@lru_cache(maxsize=512)
def pictogram(split: Split, name: str, size: int, weight: float = 0.12) -> Image.Image:
    """A line drawing as a mask (L, size x size); `weight` is the stroke's share of the size."""
    scale = 4
    mask = Image.new("L", (size * scale, size * scale), 0)
    draw = ImageDraw.Draw(mask)
    side, width = size * scale - 1, max(scale, round(weight * size * scale))
    for stroke in STROKES[split][name]:
        points = [(x * side, y * side) for x, y in stroke]
        if len(points) > 1:
            draw.line(points, fill=255, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            reach = width / 2 if len(points) > 1 else width * 0.8
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    return mask.reduce(scale)


def tick_box(
    page: Page, split: Split, box: Box, style: str, ticked: bool, theme: Theme, pen: RGB, *, radius: int = 2
) -> None:
    """A square to be ticked; `pen` draws the tick."""
    left, top, right, bottom = box
    size = round(right - left)
    if ticked and style == "filled":
        page.panel(box, pen, radius=radius)
        page.stamp(pictogram(split, "tick", size - 5, 0.16), left + 2.5, top + 2.5, readable_on(pen))
        return
    page.panel(box, theme.panel, radius=radius, outline=theme.faint)
    if not ticked:
        return
    if style == "blot":
        page.panel((left + 3, top + 3, right - 3, bottom - 3), pen, radius=1)
    elif style == "flourish":
        large = round(size * 1.4)
        page.stamp(pictogram(split, "tick", large, 0.13), left - size * 0.1, top - size * 0.4, pen)
    else:
        page.stamp(pictogram(split, style, size - 4, 0.16), left + 2, top + 2, pen)


def radio(page: Page, box: Box, chosen: bool, theme: Theme, pen: RGB) -> None:
    """A round button of which one in a group is chosen."""
    left, top, right, bottom = box
    radius = round((right - left) / 2)
    page.panel(box, theme.panel, radius=radius, outline=pen if chosen else theme.faint, width=1 + chosen)
    if chosen:
        inset = max(3, round(radius * 0.5))
        page.panel(
            (left + inset, top + inset, right - inset, bottom - inset), pen, radius=max(1, radius - inset)
        )


def switch(page: Page, box: Box, style: str, on: bool, theme: Theme, *, enabled: bool = True) -> None:
    """A switch; on is to the right and in the accent colour, paler when it can't be used."""
    left, top, right, bottom = box
    height = bottom - top
    colour = theme.accent if on else theme.rule
    if not enabled:
        colour = mixed(colour, theme.panel, 0.6)
    knob = readable_on(colour) if on else (theme.panel if not theme.dark else theme.faint)
    if style == "pill":
        page.panel(box, colour, radius=round(height / 2))
        side = height - 4
        start = right - 2 - side if on else left + 2
        page.panel((start, top + 2, start + side, top + 2 + side), knob, radius=round(side / 2))
    elif style == "block":
        page.panel(box, theme.panel, radius=2, outline=colour, width=2)
        middle = (left + right) / 2
        half = (middle, top + 3, right - 3, bottom - 3) if on else (left + 3, top + 3, middle, bottom - 3)
        page.panel(half, colour if on else theme.faint, radius=1)
    else:
        page.panel(
            (left, top + height * 0.3, right, bottom - height * 0.3), colour, radius=round(height * 0.2)
        )
        start = right - height if on else left
        page.panel(
            (start, top, start + height, bottom), colour if on else theme.faint, radius=round(height / 2)
        )


def battery(page: Page, left: float, middle: float, percent: int, ink: RGB, height: int = 12) -> None:
    """A battery lying on its side, filled to its charge."""
    width, top = round(height * 2), middle - height / 2
    page.panel((left, top, left + width, top + height), ink, radius=3)
    inner = (left + 1, top + 1, left + width - 1, top + height - 1)
    page.panel(inner, page.canvas.getpixel((round(left) - 2, round(middle))), radius=2)  # type: ignore[arg-type]
    charge = max(1, round((width - 4) * percent / 100))
    page.rectangle((left + 2, top + 2, left + 2 + charge, top + height - 2), ink)
    page.rectangle((left + width, middle - 2, left + width + 2, middle + 2), ink)


def signal(page: Page, left: float, middle: float, bars: int, ink: RGB, faint: RGB) -> None:
    """Four bars of growing height, `bars` of them strong."""
    for index in range(4):
        height = 3 + 3 * index
        box = (left + index * 5, middle + 6 - height, left + index * 5 + 3, middle + 6)
        page.rectangle(box, ink if index < bars else faint)


def slider(page: Page, box: Box, share: float, theme: Theme) -> None:
    """A track with a knob at that share of its length."""
    left, top, right, bottom = box
    middle, radius = (top + bottom) / 2, round((bottom - top) / 2)
    x = left + radius + (right - left - 2 * radius) * share
    page.panel((left, middle - 2, right, middle + 2), theme.rule, radius=2)
    page.panel((left, middle - 2, max(x, left + 4), middle + 2), theme.accent, radius=2)
    page.panel((x - radius, top, x + radius, bottom), theme.accent, radius=radius)


def progress(page: Page, box: Box, share: float, theme: Theme) -> None:
    """A bar filled to that share."""
    left, top, right, bottom = box
    radius = round((bottom - top) / 2)
    page.panel(box, theme.rule, radius=radius)
    page.panel(
        (left, top, left + max(2 * radius, (right - left) * share), bottom), theme.accent, radius=radius
    )


def signature(page: Page, box: Box, ink: RGB, rng: random.Random) -> Box:
    """Flowing strokes like a name written in haste; returns what they cover."""
    left, top, right, bottom = box
    width, height, scale = round(right - left), round(bottom - top), 3
    mask = Image.new("L", (width * scale, height * scale), 0)
    waves, lean = rng.uniform(4, 9), rng.uniform(0.15, 0.4)
    phases = [rng.uniform(0, 2 * math.pi) for _ in range(4)]
    points = []
    for step in range(90):
        t = step / 89
        swing = 0.28 * math.sin(2 * math.pi * waves * t + phases[0]) * (1 - 0.6 * t)
        swing += 0.12 * math.sin(2 * math.pi * waves * 0.37 * t + phases[1])
        back = 0.055 * math.cos(2 * math.pi * waves * t + phases[2]) + 0.02 * math.sin(9 * t + phases[3])
        x, y = 0.1 + 0.8 * t + back + lean * 0.1 * swing, 0.52 + swing * (1.2 if step < 14 else 0.85)
        points.append((min(0.98, max(0.02, x)) * mask.width, min(0.96, max(0.04, y)) * mask.height))
    draw = ImageDraw.Draw(mask)
    draw.line(points, fill=255, width=round(scale * rng.uniform(1.2, 2.2)), joint="curve")
    if rng.random() < 0.5:
        draw.line(
            [(0.12 * mask.width, 0.9 * mask.height), (0.8 * mask.width, 0.8 * mask.height)],
            fill=255,
            width=scale,
        )
    return page.stamp(mask.reduce(scale), left, top, ink)


def mixed(a: RGB, b: RGB, share: float) -> RGB:
    """`a` with that share of `b`."""
    red, green, blue = (round(x * (1 - share) + y * share) for x, y in zip(a, b, strict=True))
    return red, green, blue
