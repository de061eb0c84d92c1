"""Marks as people draw them on a picture: boxes, circles, loops, arrows, crosses, strokes, pins and numbers.

Every mark is drawn with smooth edges from a mask, and given back as that mask and its place, so that a world can note
what its ink covers.
"""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import sized
from clearsight.data.worlds.drawing.palette import RGB, readable_on

Box = tuple[float, float, float, float]
Points = list[tuple[float, float]]
FINE = 3  # masks are drawn so many times larger, and reduced


@dataclass(frozen=True)
class Ink:
    """What a mark covers: a mask (L) and the box in pixels that it fills."""

    box: tuple[int, int, int, int]
    mask: Image.Image


def _within(canvas: Image.Image, points: Points, margin: float) -> tuple[int, int, int, int]:
    """The part of the picture around the points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top = max(0, math.floor(min(xs) - margin)), max(0, math.floor(min(ys) - margin))
    right = max(left + 1, min(canvas.width, math.ceil(max(xs) + margin)))
    return left, top, right, max(top + 1, min(canvas.height, math.ceil(max(ys) + margin)))


def _inked(canvas: Image.Image, box: tuple[int, int, int, int], large: Image.Image, colour: RGB) -> Ink:
    """Paint a mask that was drawn FINE times too large."""
    mask = large.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BOX)
    canvas.paste(colour, box[:2], mask)
    return Ink(box, mask)


def stroke(canvas: Image.Image, lines: list[Points], colour: RGB, width: float, *, head: float = 0) -> Ink:
    """Lines through points, with round ends; with `head`, an arrowhead so long at the end of the last line."""
    everything = [point for line in lines for point in line]
    box = _within(canvas, everything, width + head)
    large = Image.new("L", ((box[2] - box[0]) * FINE, (box[3] - box[1]) * FINE), 0)
    draw = ImageDraw.Draw(large)
    radius = width * FINE / 2
    for line in lines:
        points = [((x - box[0]) * FINE, (y - box[1]) * FINE) for x, y in line]
        draw.line(points, fill=255, width=round(width * FINE), joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    if head:
        (x, y), (tail_x, tail_y) = points[-1], points[0]
        angle = math.atan2(y - tail_y, x - tail_x)
        wings = [
            (x - head * FINE * math.cos(angle + turn), y - head * FINE * math.sin(angle + turn))
            for turn in (0.45, -0.45)
        ]
        tip = (x + radius * 1.5 * math.cos(angle), y + radius * 1.5 * math.sin(angle))
        draw.polygon([tip, *wings], fill=255)
    return _inked(canvas, box, large, colour)


def frame(canvas: Image.Image, around: Box, colour: RGB, width: float) -> Ink:
    """A rectangle."""
    left, top, right, bottom = around
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return stroke(canvas, [corners], colour, width)


def loop(
    rng: random.Random, canvas: Image.Image, around: Box, colour: RGB, width: float, *, freehand: bool
) -> Ink:
    """An ellipse around a box; by free hand, it wobbles and its ends cross."""
    x, y = (around[0] + around[2]) / 2, (around[1] + around[3]) / 2
    across, down = (around[2] - around[0]) * 0.66, (around[3] - around[1]) * 0.66
    start, wobble = rng.uniform(0, 2 * math.pi), rng.uniform(0.03, 0.07) if freehand else 0.0
    turns = 2 * math.pi * (rng.uniform(1.03, 1.12) if freehand else 1.0)
    waves = [rng.uniform(0, 2 * math.pi) for _ in range(2)]
    points = []
    for step in range(49):
        angle = start + turns * step / 48
        reach = 1 + wobble * (math.sin(2 * angle + waves[0]) + 0.6 * math.sin(3 * angle + waves[1]))
        drift = 1 + (0.05 * step / 48 if freehand else 0)
        points.append(
            (x + across * reach * drift * math.cos(angle), y + down * reach * drift * math.sin(angle))
        )
    return stroke(canvas, [points], colour, width)


def cross(rng: random.Random, canvas: Image.Image, over: Box, colour: RGB, width: float) -> Ink:
    """Two strokes from corner to corner."""
    left, top, right, bottom = (value + rng.uniform(-3, 3) for value in over)
    return stroke(canvas, [[(left, top), (right, bottom)], [(right, top), (left, bottom)]], colour, width)


def wavering(
    rng: random.Random, canvas: Image.Image, left: float, right: float, y: float, colour: RGB, width: float
) -> Ink:
    """A nearly straight line from left to right, as under or through a word."""
    steps = max(3, round((right - left) / 14))
    points = [(left + (right - left) * step / steps, y + rng.uniform(-1.2, 1.2)) for step in range(steps + 1)]
    return stroke(canvas, [points], colour, width)


def highlight(rng: random.Random, canvas: Image.Image, over: Box, colour: RGB) -> Ink:
    """A transparent band of ink over a word: what is dark below it stays dark."""
    left, top, right, bottom = (round(v) for v in (over[0] - 5, over[1] - 3, over[2] + 5, over[3] + 3))
    left, top = max(0, left), max(0, top)
    right, bottom = min(canvas.width, right), min(canvas.height, bottom)
    mask = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE), 0)
    slant = rng.uniform(-2, 2) * FINE
    ImageDraw.Draw(mask).polygon(
        [
            (3, 4 + slant),
            (mask.width - 2, 4 - slant),
            (mask.width - 4, mask.height - 4 - slant),
            (1, mask.height - 4 + slant),
        ],
        fill=255,
    )
    mask = mask.resize((right - left, bottom - top), Image.Resampling.BOX)
    piece = canvas.crop((left, top, right, bottom))
    canvas.paste(ImageChops.multiply(piece, Image.new("RGB", piece.size, colour)), (left, top), mask)
    return Ink((left, top, right, bottom), mask)


def pin(canvas: Image.Image, tip: tuple[float, float], colour: RGB, head: float) -> tuple[Ink, Box]:
    """A map pin whose point is at `tip`; also the box of its round head."""
    x, y = tip
    middle = y - head * 2.3
    box = _within(canvas, [(x - head, middle - head), (x + head, y)], 1)
    large = Image.new("L", ((box[2] - box[0]) * FINE, (box[3] - box[1]) * FINE), 0)
    draw = ImageDraw.Draw(large)
    a, b, c, r = (x - box[0]) * FINE, (middle - box[1]) * FINE, (y - box[1]) * FINE, head * FINE
    draw.ellipse((a - r, b - r, a + r, b + r), fill=255)
    draw.polygon([(a - r * 0.9, b + r * 0.43), (a + r * 0.9, b + r * 0.43), (a, c)], fill=255)
    return _inked(canvas, box, large, colour), (x - head, middle - head, x + head, middle + head)


def disc(canvas: Image.Image, middle: tuple[float, float], colour: RGB, radius: float) -> Ink:
    """A filled circle."""
    x, y = middle
    box = _within(canvas, [(x - radius, y - radius), (x + radius, y + radius)], 1)
    large = Image.new("L", ((box[2] - box[0]) * FINE, (box[3] - box[1]) * FINE), 0)
    corners = (x - radius - box[0], y - radius - box[1], x + radius - box[0], y + radius - box[1])
    ImageDraw.Draw(large).ellipse([value * FINE for value in corners], fill=255)
    return _inked(canvas, box, large, colour)


def number_in(canvas: Image.Image, box: Box, number: int, font: str, colour: RGB) -> lettering.Line:
    """Write a number into the middle of a round head or disc of this colour."""
    text, size = str(number), round((box[3] - box[1]) * (0.66 if number < 10 else 0.54))
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=sized(font, size))
    x = (box[0] + box[2]) / 2 - (left + right) / 2
    y = (box[1] + box[3]) / 2 - (top + bottom) / 2
    return lettering.draw_line(draw, x, y, text, font, size, readable_on(colour))
