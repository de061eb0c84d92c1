"""Simple drawn people: clothes, hair, hats, glasses and scarves, as polygons in units of a hundredth of their height.

A Figure is a list of parts, each with a tag, so that the same parts give the picture and the masks of the person and
of every garment. Looks are drawn at random and independently of each other: nothing that is worn says
anything about who wears it. Faces are the same calm face for everybody, because no world asks about them.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.drafting import Box, Point, Sheet
from clearsight.data.worlds.drawing.palette import RGB, distance, standing_out
from clearsight.data.worlds.scene import Split

SKINS: tuple[RGB, ...] = (
    *((250, 222, 198), (241, 194, 160), (224, 172, 132), (198, 140, 96), (160, 106, 68), (118, 76, 48)),
    (84, 54, 38),
)
HAIR: tuple[RGB, ...] = (
    *((30, 24, 22), (66, 42, 28), (112, 70, 36), (170, 110, 50), (214, 174, 96), (150, 60, 28)),
    *((150, 150, 152), (222, 222, 220)),
)
HAIRDOS = ("bald", "short", "curls", "bob", "long", "bun", "ponytail", "parted")
TOPS = ("jacket", "sweater", "shirt")
LOWERS = ("trousers", "trousers", "skirt")
HATS = ("cap", "beanie", "top hat", "sun hat")


@dataclass(frozen=True)
class Look:
    """What a person wears. Colours of garments come with their names; None where there is no such garment."""

    skin: RGB
    hair: RGB
    hairdo: str
    top: str
    top_colour: tuple[str, RGB]
    lower: str
    lower_colour: tuple[str, RGB]
    hat: str | None
    hat_colour: tuple[str, RGB] | None
    scarf_colour: tuple[str, RGB] | None
    glasses: bool
    raised: int  # the side of the raised hand: -1 left, 1 right, 0 none


def of_split(value: RGB, split: Split) -> RGB:
    """The nearest colour whose exact value the split may use (see palette)."""
    red, green, blue = value
    step = 1 if blue < 128 else -1
    while ((red + green + blue) % 5 == 0) != (split == "eval"):
        blue += step
    return red, green, blue


def random_look(rng: random.Random, split: Split, ground: RGB, *, raised: int) -> Look:
    def jittered(value: RGB) -> RGB:
        shift = rng.randint(-8, 8)
        return of_split(tuple(min(255, max(0, c + shift)) for c in value), split)  # type: ignore[arg-type]

    def apart_from(*others: RGB) -> tuple[str, RGB]:
        while True:
            name, value = standing_out(rng, split, ground, 150)
            if all(distance(value, other) >= 150 for other in others):
                return name, value

    skin, hair = jittered(rng.choice(SKINS)), jittered(rng.choice(HAIR))
    top = apart_from(skin)
    hat = rng.choice(HATS) if rng.random() < 0.35 else None
    return Look(
        skin,
        hair,
        rng.choice(HAIRDOS),
        rng.choice(TOPS),
        top,
        rng.choice(LOWERS),
        apart_from(top[1]),
        hat,
        apart_from(hair, skin) if hat else None,
        apart_from(top[1], skin) if rng.random() < 0.28 else None,
        rng.random() < 0.35,
        raised,
    )


def shaded(value: RGB, share: float) -> RGB:
    """Darker for a share below one, lighter above."""
    if share <= 1:
        return tuple(round(channel * share) for channel in value)  # type: ignore[return-value]
    return tuple(round(255 - (255 - channel) / share) for channel in value)  # type: ignore[return-value]


@cache
def _circle(end: float, steps: int) -> np.ndarray:
    """Points (steps + 1, 2) of the unit circle from the right to an angle in degrees, counter-clockwise."""
    angles = np.radians(np.linspace(0, end, steps + 1))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


class Figure:
    """A person whose middle is at x and whose soles are at y; `unit` is a hundredth of the height in pixels."""

    def __init__(self, x: float, y: float, unit: float):
        self.x, self.y, self.unit = x, y, unit
        self.parts: list[tuple[np.ndarray, RGB, str]] = []  # (corners, 2) in pixels, colour, tag

    def polygon(self, points: Sequence[Point] | np.ndarray, ink: RGB, tag: str = "") -> None:
        """Points in units: x to the right of the middle, y upwards from the soles."""
        corners = np.array(points, dtype=np.float64) * (self.unit, -self.unit) + (self.x, self.y)
        self.parts.append((corners, ink, tag))

    def ellipse(
        self, x: float, y: float, wide: float, high: float, ink: RGB, tag: str = "", end: float = 360
    ) -> None:
        """An ellipse of these half axes, or its part up to an angle (counter-clockwise from the right)."""
        steps = 10 if wide < 1.5 else 16 if wide < 5 else 28
        self.polygon(_circle(end, steps) * (wide, high) + (x, y), ink, tag)

    def ring(self, x: float, y: float, outer: float, inner: float, ink: RGB, tag: str = "") -> None:
        """A circle's band: one polygon that runs around its outer edge and back around its inner one."""
        circle = _circle(360, 24)
        self.polygon(np.vstack([circle * outer, circle[::-1] * inner]) + np.array((x, y)), ink, tag)

    def limb(self, joints: Sequence[Point], thick: float, ink: RGB, tag: str = "") -> None:
        """A thick line through the joints, round at all but the first, which the body hides."""
        for (x, y), (x2, y2) in pairwise(joints):
            length = math.hypot(x2 - x, y2 - y)
            across, up = (y2 - y) / length * thick, -(x2 - x) / length * thick
            sides = [
                (x + across, y + up),
                (x2 + across, y2 + up),
                (x2 - across, y2 - up),
                (x - across, y - up),
            ]
            self.polygon(sides, ink, tag)
        for x, y in joints[1:]:
            self.ellipse(x, y, thick, thick, ink, tag)

    def paint(self, sheet: Sheet) -> None:
        for corners, ink, _ in self.parts:
            sheet.polygon(corners.tolist(), ink)

    def mask(self, tag: str, cut: float = math.inf) -> tuple[Box, Image.Image]:
        """Box and mask of the parts with this tag, or of all; what lies below `cut` in the picture is left out."""
        parts = [corners for corners, _, tag_of in self.parts if not tag or tag_of == tag]
        every = np.concatenate(parts)
        left, top = (math.floor(v) for v in every.min(axis=0))
        right, bottom = (math.ceil(v) for v in every.max(axis=0))
        bottom = max(top + 1, math.floor(min(bottom, cut)))
        mask = Image.new("L", (max(1, right - left), bottom - top))
        draw = ImageDraw.Draw(mask)
        for corners in parts:
            draw.polygon((corners - (left, top)).ravel().tolist(), fill=255)
        return (left, top, right, bottom), mask

    def hand(self, side: int) -> Point:
        """Where a raised hand is, in pixels."""
        return self.x + side * 19.5 * self.unit, self.y - 58 * self.unit


def dress(figure: Figure, look: Look) -> None:
    """Add the parts of a person with this look, from the back to the front."""
    top, lower = look.top_colour[1], look.lower_colour[1]
    _hair_behind(figure, look)
    for side in (-1, 1):
        if look.lower == "trousers":
            figure.limb([(side * 5, 38), (side * 5.4, 5)], 4.6, lower, "lower")
        else:
            figure.limb([(side * 4.4, 26), (side * 4.6, 5)], 2.8, look.skin)
        figure.ellipse(side * 6.4, 2.2, 5.4, 2.8, (52, 46, 44))
    if look.lower == "skirt":
        figure.polygon([(-10, 42), (10, 42), (15, 20), (-15, 20)], lower, "lower")
    else:
        figure.polygon([(-9.6, 42), (9.6, 42), (9.8, 34), (-9.8, 34)], lower, "lower")
    sleeve = shaded(top, 0.86)
    for side in (-1, 1):
        if look.raised == side:
            figure.limb([(side * 12, 69), (side * 16.5, 55), (side * 19, 57)], 3.2, sleeve, "top")
        else:
            figure.limb([(side * 12.4, 69), (side * 15, 45)], 3.2, sleeve, "top")
        hand = (19.5, 58) if look.raised == side else (15.2, 41.5)
        figure.ellipse(side * hand[0], hand[1], 3, 3, look.skin)
    body = [(-9, 75), (9, 75), (14, 71), (12.4, 40), (-12.4, 40), (-14, 71)]
    figure.polygon(body, top, "top")
    if look.top == "jacket":
        figure.polygon([(-4.5, 75), (4.5, 75), (0, 62)], (246, 246, 242))
        for side in (-1, 1):
            lapel = [(side * 4, 75.4), (side * 7.6, 71), (side * 0.3, 60), (side * 0.3, 62)]
            figure.polygon(lapel, shaded(top, 0.7), "top")
        figure.polygon([(-0.4, 61), (0.4, 61), (0.4, 40), (-0.4, 40)], shaded(top, 0.6), "top")
    elif look.top == "shirt":
        for side in (-1, 1):
            figure.polygon([(0, 71), (side * 5.6, 76), (side * 5.4, 69.6)], shaded(top, 1.5), "top")
        for height in (66, 60, 54, 48):
            figure.ellipse(0, height, 0.8, 0.8, shaded(top, 0.5), "top")
    else:
        figure.polygon([(-12.5, 43), (12.5, 43), (12.4, 40), (-12.4, 40)], shaded(top, 0.75), "top")
        figure.ellipse(0, 75, 6, 2.6, shaded(top, 0.75), "top")
    figure.limb([(0, 74), (0, 79)], 3.4, shaded(look.skin, 0.9))
    if look.scarf_colour:
        scarf = look.scarf_colour[1]
        figure.ellipse(0, 74.6, 7.6, 3.2, scarf, "scarf")
        figure.polygon([(4, 74), (8, 73), (8.6, 59), (4.4, 59)], shaded(scarf, 0.85), "scarf")
    figure.ellipse(0, 86, 9.4, 10.4, look.skin)
    for side in (-1, 1):
        figure.ellipse(side * 9.4, 85.5, 1.7, 2.3, look.skin)
        figure.ellipse(side * 3.6, 86.5, 1, 1.3, (36, 30, 28))
    figure.polygon([(-2.4, 81.2), (2.4, 81.2), (1.6, 80.5), (-1.6, 80.5)], shaded(look.skin, 0.6))
    _hair_in_front(figure, look)
    if look.glasses:
        frame = (34, 32, 38) if sum(look.skin) > 330 else (238, 232, 214)
        for side in (-1, 1):
            figure.ring(side * 3.8, 86.4, 3.4, 2.6, frame, "glasses")
            figure.limb([(side * 6.9, 86.8), (side * 9.6, 87.4)], 0.4, frame, "glasses")
        figure.limb([(-0.8, 87), (0.8, 87)], 0.4, frame, "glasses")
    if look.hat and look.hat_colour:
        _hat(figure, look.hat, look.hat_colour[1])


def _hair_behind(figure: Figure, look: Look) -> None:
    if look.hairdo == "long":
        figure.polygon([(-11, 90), (11, 90), (12.6, 66), (-12.6, 66)], look.hair)
    elif look.hairdo == "bob":
        figure.ellipse(0, 84, 12.2, 11.4, look.hair)
    elif look.hairdo == "ponytail":
        figure.limb([(8, 92), (13, 86), (13.6, 74)], 2.8, look.hair)
    elif look.hairdo == "curls":
        for turn in range(-20, 201, 22):
            angle = math.radians(turn)
            figure.ellipse(10 * math.cos(angle), 88 + 9.6 * math.sin(angle), 3.8, 3.8, look.hair)
    elif look.hairdo == "bun":
        figure.ellipse(0, 99.5, 4.4, 4.0, look.hair)


def _hair_in_front(figure: Figure, look: Look) -> None:
    if look.hairdo == "bald":
        return
    fringe = {
        "short": 90.5,
        "curls": 91.5,
        "bob": 89.8,
        "long": 91,
        "bun": 91.4,
        "ponytail": 91,
        "parted": 90,
    }
    figure.ellipse(0, fringe[look.hairdo], 10, 98 - fringe[look.hairdo], look.hair, end=180)
    if look.hairdo == "parted":
        figure.polygon([(-9.9, 90), (-4, 96), (-9, 85.5)], look.hair)
        figure.polygon([(9.9, 90), (-4, 96), (9.2, 85.5)], look.hair)


def _hat(figure: Figure, hat: str, ink: RGB) -> None:
    band = shaded(ink, 0.62) if sum(ink) > 160 else shaded(ink, 1.6)
    if hat == "cap":
        figure.ellipse(0, 91, 10.4, 9, ink, "hat", end=180)
        figure.polygon([(2, 92.4), (16.5, 91.6), (17, 90), (2, 90)], band, "hat")
    elif hat == "beanie":
        figure.ellipse(0, 92, 10.6, 10, ink, "hat", end=180)
        figure.polygon([(-10.8, 93.6), (10.8, 93.6), (10.8, 90), (-10.8, 90)], band, "hat")
        figure.ellipse(0, 102.6, 2.6, 2.6, band, "hat")
    elif hat == "top hat":
        figure.polygon([(-8.4, 92), (8.4, 92), (9, 107), (-9, 107)], ink, "hat")
        figure.polygon([(-8.5, 95.6), (8.5, 95.6), (8.4, 92.6), (-8.4, 92.6)], band, "hat")
        figure.ellipse(0, 92, 14, 1.7, ink, "hat")
    else:
        figure.ellipse(0, 92, 9.4, 9, ink, "hat", end=180)
        figure.polygon([(-9.4, 94.8), (9.4, 94.8), (9.4, 92), (-9.4, 92)], band, "hat")
        figure.ellipse(0, 92, 17.5, 2.4, ink, "hat")
