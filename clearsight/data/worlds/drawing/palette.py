"""Colours with the names people give them, and backgrounds they stand out from.

Every value is jittered within its name. Values whose channels sum to a multiple of five are kept for
evaluation, so no exact colour value is shared between the splits.
"""

import colorsys
import random

import numpy as np
from PIL import Image

from clearsight.data.worlds.scene import SIZE, Split

RGB = tuple[int, int, int]

# name: hue range (degrees), saturation range, value range
RANGES: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": ((-8, 8), (0.8, 1.0), (0.75, 1.0)),
    "orange": ((24, 34), (0.85, 1.0), (0.9, 1.0)),
    "yellow": ((50, 60), (0.8, 1.0), (0.9, 1.0)),
    "green": ((100, 145), (0.6, 1.0), (0.45, 0.85)),
    "blue": ((208, 238), (0.7, 1.0), (0.65, 1.0)),
    "purple": ((268, 288), (0.55, 0.95), (0.45, 0.8)),
    "pink": ((318, 345), (0.3, 0.55), (0.95, 1.0)),
    "brown": ((18, 30), (0.6, 0.85), (0.35, 0.55)),
    "black": ((0, 360), (0.0, 0.2), (0.0, 0.1)),
    "white": ((0, 360), (0.0, 0.02), (0.97, 1.0)),
    "gray": ((0, 360), (0.0, 0.05), (0.42, 0.6)),
}
NAMES = tuple(RANGES)
COLOUR_IDS = {name: index + 1 for index, name in enumerate(NAMES)}  # 0: background


def colour(rng: random.Random, split: Split, name: str) -> RGB:
    """An RGB value that people would call `name`."""
    hues, saturations, values = RANGES[name]
    while True:
        hue = rng.uniform(*hues) % 360 / 360
        channels = colorsys.hsv_to_rgb(hue, rng.uniform(*saturations), rng.uniform(*values))
        red, green, blue = (round(channel * 255) for channel in channels)
        if ((red + green + blue) % 5 == 0) == (split == "eval"):
            return red, green, blue


def distance(a: RGB, b: RGB) -> float:
    """A cheap perceptual distance, 0 to about 765 (the "redmean" approximation of CIELUV)."""
    mean = (a[0] + b[0]) / 2
    red, green, blue = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return ((2 + mean / 256) * red * red + 4 * green * green + (2 + (255 - mean) / 256) * blue * blue) ** 0.5


def background(rng: random.Random, split: Split, *, plain: bool = False) -> tuple[Image.Image, RGB]:
    """A canvas and its mean colour: flat, a soft gradient, or grainy; mostly light, sometimes dark."""
    level = rng.uniform(0.82, 1.0) if rng.random() < 0.75 else rng.uniform(0.05, 0.3)
    hue, saturation = rng.random(), rng.uniform(0, 0.25)
    first = tuple(round(c * 255) for c in colorsys.hsv_to_rgb(hue, saturation, level))
    kind = "flat" if plain else rng.choice(("flat", "flat", "gradient", "grain"))
    canvas = Image.new("RGB", (SIZE, SIZE), first)  # type: ignore[arg-type]
    if kind == "gradient":
        shade = min(1.0, max(0.0, level + rng.uniform(-0.12, 0.12)))
        second = tuple(round(c * 255) for c in colorsys.hsv_to_rgb(hue, saturation, shade))
        ramp = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize((SIZE, SIZE))
        canvas = Image.composite(canvas, Image.new("RGB", (SIZE, SIZE), second), ramp)  # type: ignore[arg-type]
    elif kind == "grain":
        noise = np.random.default_rng(rng.getrandbits(32)).normal(
            0, rng.uniform(3, 9), (SIZE // 2, SIZE // 2, 1)
        )
        pixels = np.asarray(canvas, dtype=np.int16) + noise.astype(np.int16).repeat(2, 0).repeat(2, 1)
        canvas = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return canvas, first  # type: ignore[return-value]


def standing_out(rng: random.Random, split: Split, against: RGB, least: float = 190) -> tuple[str, RGB]:
    """A named colour that can be told from the background."""
    while True:
        name = rng.choice(NAMES)
        value = colour(rng, split, name)
        if distance(value, against) >= least:
            return name, value


def readable_on(ground: RGB) -> RGB:
    """Near black or near white, whichever stands out more from the background."""
    return max(((20, 20, 20), (245, 245, 245)), key=lambda ink: distance(ink, ground))
