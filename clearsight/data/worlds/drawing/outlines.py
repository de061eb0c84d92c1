"""Masks of plain shapes, places for things that do not touch, and painting a mask into a scene."""

import math
import random

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import SIZE, Placed, Scene

SHAPES = ("circle", "square", "triangle", "rectangle", "star", "heart", "diamond", "hexagon", "cross", "ring")
PLURALS = {"cross": "crosses"}


def plural(shape: str) -> str:
    return PLURALS.get(shape, shape + "s")


def outline(shape: str, size: int, turn: float) -> Image.Image:
    """A mask (L, size x size) of the shape, turned by `turn` degrees; drawn at double size for clean edges."""
    big = size * 2
    mask = Image.new("L", (big, big), 0)
    draw = ImageDraw.Draw(mask)
    middle, radius = big / 2, big * 0.48

    def polygon(corners: int, inner: float = 1.0, offset: float = -90) -> None:
        steps = corners if inner == 1.0 else corners * 2
        points = []
        for step in range(steps):
            reach = radius * (1.0 if step % 2 == 0 or inner == 1.0 else inner)
            angle = math.radians(offset + turn + 360 * step / steps)
            points.append((middle + reach * math.cos(angle), middle + reach * math.sin(angle)))
        draw.polygon(points, fill=255)

    if shape == "circle":
        draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=255)
    elif shape == "ring":
        draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=255)
        hole = radius * 0.58
        draw.ellipse((middle - hole, middle - hole, middle + hole, middle + hole), fill=0)
    elif shape == "square":
        polygon(4, offset=-45)
    elif shape == "diamond":
        points = [
            (middle, middle - radius),
            (middle + radius * 0.62, middle),
            (middle, middle + radius),
            (middle - radius * 0.62, middle),
        ]
        draw.polygon(points, fill=255)
    elif shape == "triangle":
        polygon(3)
    elif shape == "hexagon":
        polygon(6)
    elif shape == "star":
        polygon(5, inner=0.42)
    elif shape == "rectangle":
        draw.rectangle(
            (middle - radius, middle - radius * 0.5, middle + radius, middle + radius * 0.5), fill=255
        )
        mask = mask.rotate(turn, Image.Resampling.BILINEAR)
    elif shape == "cross":
        arm = radius * 0.33
        draw.rectangle((middle - radius, middle - arm, middle + radius, middle + arm), fill=255)
        draw.rectangle((middle - arm, middle - radius, middle + arm, middle + radius), fill=255)
        mask = mask.rotate(turn, Image.Resampling.BILINEAR)
    elif shape == "heart":
        lobe = radius * 0.5
        for side in (-1, 1):
            x = middle + side * lobe * 0.92
            draw.ellipse(
                (x - lobe, middle - radius * 0.75, x + lobe, middle - radius * 0.75 + 2 * lobe), fill=255
            )
        draw.polygon(
            [
                (middle - radius * 0.92, middle - radius * 0.05),
                (middle + radius * 0.92, middle - radius * 0.05),
                (middle, middle + radius * 0.9),
            ],
            fill=255,
        )
    else:
        raise ValueError(f"no shape is called {shape!r}")
    return mask.resize((size, size), Image.Resampling.BOX)


def places(rng: random.Random, count: int, low: int, high: int, gap: int = 8) -> list[tuple[int, int, int]]:
    """`count` squares (left, top, size) inside the picture that do not touch."""
    while True:
        found: list[tuple[int, int, int]] = []
        for _ in range(count * 40):
            size = rng.randint(low, high)
            left, top = rng.randint(4, SIZE - size - 4), rng.randint(4, SIZE - size - 4)
            if all(
                left + size + gap <= x or x + s + gap <= left or top + size + gap <= y or y + s + gap <= top
                for x, y, s in found
            ):
                found.append((left, top, size))
                if len(found) == count:
                    return found
        high = max(low, int(high * 0.9))
        low = min(low, high)


def paste(
    canvas: Image.Image, scene: Scene, mask: Image.Image, left: int, top: int, label: str, name: str, ink: RGB
) -> None:
    """Draw a mask in one colour and note the object and its colour in the scene's truth."""
    canvas.paste(ink, (left, top), mask)
    box = (left, top, left + mask.width, top + mask.height)
    scene.placed += [Placed("object", label, box, mask), Placed("colour", name, box, mask)]
