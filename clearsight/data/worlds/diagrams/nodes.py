"""What diagrams are drawn with: nodes of many shapes with text that fits them, and arrows.

Everything goes on a charts.page.Page, so it is drawn at twice the size and reduced, and text comes last.
"""

import itertools
import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from clearsight.data.worlds.charts.page import INSIDE, Box, Page, Text, text_width
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed

Point = tuple[float, float]

SHAPES = ("rectangle", "rounded rectangle", "diamond", "parallelogram", "hexagon", "oval", "circle")
ALTERNATIVES = {
    "rounded rectangle": ("rectangle with rounded corners", "pill"),
    "oval": ("ellipse",),
    "diamond": ("rhombus",),
}


@dataclass
class Node:
    """A named thing in a diagram. `fill` may be a colour without a name (""); `texts` are its lines once drawn."""

    name: str
    shape: str
    box: Box
    fill: tuple[str, RGB]
    ink: RGB
    legible: bool = True
    texts: list[Text] = field(default_factory=list)

    @property
    def middle(self) -> Point:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def places(self) -> list[int]:
        return [place for text in self.texts for place in text.places]


@dataclass
class Arrow:
    """From one node to another along `points`; without a head it is a line."""

    start: str
    end: str
    points: list[Point] = field(default_factory=list)
    label: str = ""


def draw_node(page: Page, node: Node, outline: RGB, width: int) -> None:
    """Draw a node with its name in it and note it, and its colour if that has a name."""
    left, top, right, bottom = node.box
    mask = Image.new("L", (round(right - left), round(bottom - top)))
    _draw_shape(ImageDraw.Draw(mask), node.shape, (0, 0, mask.width - 1, mask.height - 1), 255, None, 0)
    corners = (2 * left, 2 * top, 2 * right, 2 * bottom)
    _draw_shape(page.draw, node.shape, corners, node.fill[1], outline, width)
    page.placed.append(Placed("object", node.shape, node.box, mask))
    if node.fill[0]:
        page.placed.append(Placed("colour", node.fill[0], node.box, mask))
    lines, size = fitted(page, node.name, node.shape, right - left, bottom - top)
    step = page.line_height * size / page.size
    x, y = node.middle
    for number, line in enumerate(lines):
        at = y + (number - (len(lines) - 1) / 2) * step
        node.texts.append(page.write(line, x, at, INSIDE, size=size, ink=node.ink, legible=node.legible))


def _draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, box: Box, fill: RGB | int, outline: RGB | None, width: int
) -> None:
    left, top, right, bottom = box
    middle, level = (left + right) / 2, (top + bottom) / 2
    slant = min(right - left, bottom - top) * 0.28
    corners: list[Point] = []
    if shape == "rectangle":
        draw.rectangle(box, fill, outline, width)
    elif shape == "rounded rectangle":
        draw.rounded_rectangle(box, min(right - left, bottom - top) / 2.2, fill, outline, width)
    elif shape in ("oval", "circle"):
        draw.ellipse(box, fill, outline, width)
    elif shape == "diamond":
        corners = [(middle, top), (right, level), (middle, bottom), (left, level)]
    elif shape == "parallelogram":
        corners = [(left + slant, top), (right, top), (right - slant, bottom), (left, bottom)]
    elif shape == "hexagon":
        corners = [(left + slant, top), (right - slant, top), (right, level), (right - slant, bottom),
                   (left + slant, bottom), (left, level)]  # fmt: skip
    else:
        raise ValueError(f"no node is a {shape!r}")
    if corners:
        draw.polygon(corners, fill)
    if corners and outline is not None and width:
        draw.line([*corners, corners[0], corners[1]], fill=outline, width=width, joint="curve")


def _holds(shape: str, width: float, height: float, text_wide: float, text_high: float) -> bool:
    """Whether a block of text fits inside a shape."""
    across, down = (text_wide + 6) / width, (text_high + 4) / height
    if shape == "diamond":
        return across + down <= 1.05
    if shape in ("oval", "circle"):
        return across**2 + down**2 <= 1
    margin = 0.5 * height / width if shape in ("parallelogram", "hexagon") else 0.0
    return across + margin * down <= 1 and down <= 1


def fitted(page: Page, text: str, shape: str, width: float, height: float) -> tuple[list[str], int]:
    """The lines a text is broken into to fit a shape, and its size: that of the page unless it must be smaller."""
    words = text.split(" ")
    breaks = [[text]]
    if len(words) > 1:
        cuts = [[" ".join(words[:cut]), " ".join(words[cut:])] for cut in range(1, len(words))]
        breaks.append(min(cuts, key=lambda lines: max(map(len, lines))))
    for size in range(page.size, 9, -1):
        for lines in breaks:
            wide = max(text_width(line, page.font, size) for line in lines)
            if _holds(shape, width, height, wide, len(lines) * page.line_height * size / page.size):
                return lines, size
    raise ValueError(f"{text!r} does not fit a {shape} of {width:g} x {height:g}")


def draw_arrow(page: Page, arrow: Arrow, ink: RGB, width: int, head: float = 9, dashed: bool = False) -> None:
    """Draw a line along the arrow's points, with a head of so many pixels at its end (none if 0)."""
    *before, last, tip = arrow.points
    length = math.dist(last, tip)
    along = ((tip[0] - last[0]) / length, (tip[1] - last[1]) / length)
    neck = (tip[0] - along[0] * head * 0.8, tip[1] - along[1] * head * 0.8)
    points = [*before, last, neck]
    if dashed:
        for start, end in itertools.pairwise(points):
            page.dashes(start, end, ink, width, 5)
    else:
        page.draw.line([(2 * x, 2 * y) for x, y in points], fill=ink, width=width, joint="curve")
    if head:
        base = (tip[0] - along[0] * head, tip[1] - along[1] * head)
        side = (-along[1] * head * 0.5, along[0] * head * 0.5)
        corners = [tip, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])]
        page.draw.polygon([(2 * x, 2 * y) for x, y in corners], fill=ink)


def node_fills(page: Page, count: int, rng: random.Random) -> tuple[list[tuple[str, RGB]], bool]:
    """Fills for `count` sorts of nodes: named colours, or pale tints of the page without names; and whether named."""
    if rng.random() < 0.6:
        return page.inks(count), True
    pale = [("", page.mixed(page.ground, page.accent, 0.08 + 0.14 * index)) for index in range(count)]
    return pale, False


def reachable(arrows: Sequence[Arrow], start: str) -> dict[str, int]:
    """Every node that arrows lead to from `start`, and how many of them it takes."""
    found, queue = {start: 0}, deque([start])
    while queue:
        node = queue.popleft()
        for arrow in arrows:
            if arrow.start == node and arrow.end not in found:
                found[arrow.end] = found[node] + 1
                queue.append(arrow.end)
    return found


def leaving(node: Node, towards: Point) -> Point:
    """Where the straight line from the node's middle to a point leaves the node."""
    x, y = node.middle
    across, down = towards[0] - x, towards[1] - y
    half_wide, half_high = (node.box[2] - node.box[0]) / 2, (node.box[3] - node.box[1]) / 2
    if node.shape in ("circle", "oval"):
        share = 1 / math.hypot(across / half_wide, down / half_high)
    elif node.shape == "hexagon":
        slant = 0.28 * 2 * min(half_wide, half_high)
        share = 1 / max(
            abs(down) / half_high, abs(across) / half_wide + abs(down) * slant / (half_high * half_wide)
        )
    else:
        share = 1 / max(abs(across) / half_wide, abs(down) / half_high)
    return x + across * share, y + down * share


def meets(box: Box, start: Point, end: Point, margin: float) -> bool:
    """Whether a straight line enters a box with a margin (clipping by Liang and Barsky, 1984)."""
    low, high = 0.0, 1.0
    for axis in (0, 1):
        step = end[axis] - start[axis]
        for edge, sign in ((box[axis] - margin, -1), (box[axis + 2] + margin, 1)):
            outward, room = sign * step, sign * (edge - start[axis])
            if outward == 0:
                if room < 0:
                    return False
            elif outward < 0:
                low = max(low, room / outward)
            else:
                high = min(high, room / outward)
    return low <= high


def cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> bool:
        return (q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)
