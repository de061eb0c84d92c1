"""How well ink stands out from its ground: small letters need a difference in lightness, not in hue alone."""

import random

from clearsight.data.worlds.drawing.palette import RGB, standing_out
from clearsight.data.worlds.scene import Split


def contrast(a: RGB, b: RGB) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.1, with a plain power of 2.2 for the transfer curve)."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(value: RGB) -> float:
    red, green, blue = ((channel / 255) ** 2.2 for channel in value)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable_ink(rng: random.Random, split: Split, ground: RGB, least: float = 2.6) -> tuple[str, RGB]:
    """A named colour in which letters can be read on a ground."""
    while True:
        name, value = standing_out(rng, split, ground, 200)
        if contrast(value, ground) >= least:
            return name, value
