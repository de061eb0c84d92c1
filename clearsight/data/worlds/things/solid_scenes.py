"""What stands where in a picture of solids: the camera, the floor, the things with their letters, and what is seen."""

import itertools
import math
import random
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import sized
from clearsight.data.worlds.drawing.palette import RGB, colour, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split
from clearsight.data.worlds.things.solid_rendering import SHAPES, Rendered, Solid, View

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("studio", "checkers", "boards"),
    "eval": ("tiles", "podium"),
}
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "gray")
REACHES = {"small": 0.4, "large": 0.84}
MATERIALS = ("matte", "shiny")
ATTRIBUTES = ("size", "colour", "material", "shape")
LETTERS = "ABCDEFGHJKLMNPRSTUVXYZ23456789"
ENLARGED = 1.7  # how much larger the picture is than what is rendered


@dataclass(eq=False)
class Thing:
    """A solid with its attributes by name, and what of it is seen."""

    size: str
    colour: str
    material: str
    shape: str
    solid: Solid
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    visible: float = 1.0
    distance: float = 0.0
    letter: str = ""
    legible: bool = True
    index: int = 0
    glyph: tuple[float, float, float, float] = (0, 0, 0, 0)  # where the letter is on its face, in its sides
    character: int | None = None

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    def is_a(self, kind: dict[str, str]) -> bool:
        return all(getattr(self, attribute) == value for attribute, value in kind.items())


def view_of(rng: random.Random) -> View:
    """A camera somewhere in front of the floor's middle."""
    width, height = rng.choice(((264, 212), (264, 238), (290, 212), (248, 248)))
    eye = (rng.uniform(-0.8, 0.8), -rng.uniform(8.0, 9.0), rng.uniform(3.8, 5.6))
    return View(width, height, eye, (0.0, 0.1, 0.35), 1.28 if width > height else 1.2)


def place(
    rng: random.Random, split: Split, template: str, view: View, lettered: bool, font: str
) -> list[Thing]:
    """Things that stand apart, lie in the picture, and do not hide each other too much."""
    wanted = rng.choice((1, 2, 3, 3, 4, 4, 5, 5, 6, 7))
    alike = rng.random() < 0.3  # few kinds, so that there is something to count
    colours = rng.sample(COLOURS, 2) if alike else COLOURS
    shapes = rng.sample(SHAPES, 2) if alike else SHAPES
    things: list[Thing] = []
    for attempt in range(wanted * 30):
        if len(things) == wanted:
            break
        size, (x, y) = rng.choice(tuple(REACHES)), _spot(rng, template, len(things), wanted)
        if attempt > wanted * 15:
            x, y, size = rng.uniform(-2.7, 2.7), rng.uniform(-2.0, 2.4), "small"
        if any(_touch(x, y, REACHES[size], other.solid) for other in things):
            continue
        shape, name, material = rng.choice(shapes), rng.choice(colours), rng.choice(MATERIALS)
        if lettered and rng.random() < 0.4 and not alike:
            shape = "cube"
        letter = rng.choice(LETTERS) if lettered and shape == "cube" else ""
        turn = rng.uniform(-0.35, 0.35) if letter else rng.uniform(-0.75, 0.75)
        paint = colour(rng, split, name)
        solid = Solid(shape, REACHES[size], x, y, turn, paint, material == "shiny")
        thing = Thing(size, name, material, shape, solid, letter=letter)
        corners = view.project(solid.corners())
        left, top, right, bottom = thing.box = (*corners.min(0).tolist(), *corners.max(0).tolist())
        inside = left > 3 and top > 3 and right < view.width - 3 and bottom < view.height - 3
        if not inside or any(_covers_most(thing, other) for other in things):
            continue
        if letter:
            thing.legible = rng.random() > 0.3
            texture, thing.glyph = _texture(rng, letter, font, thing.legible)
            thing.solid = replace(solid, texture=texture, ink=readable_on(paint))
        things.append(thing)
    return things


def _spot(rng: random.Random, template: str, number: int, wanted: int) -> tuple[float, float]:
    """A place on the floor: scattered, in two rows, or, in evaluation, on an arc or on the podium."""
    if template == "boards":
        row = number % 2
        return rng.uniform(-2.6, 2.6), (1.5 if row else -1.2) + rng.uniform(-0.15, 0.15)
    if template == "tiles":
        angle = np.pi * (0.1 + 0.8 * (number + 0.5 + rng.uniform(-0.2, 0.2)) / wanted)
        return float(-2.6 * np.cos(angle)), float(-1.5 + 3.2 * np.sin(angle))
    if template == "podium":
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2.4)
        return float(reach * np.cos(angle)), float(reach * np.sin(angle))
    return rng.uniform(-2.7, 2.7), rng.uniform(-2.1, 2.4)


def _touch(x: float, y: float, reach: float, other: Solid) -> bool:
    """Whether a solid of this reach would stand too close to another one."""
    return math.hypot(x - other.x, y - other.y) < 1.25 * (reach + other.reach)


def _covers_most(thing: Thing, other: Thing) -> bool:
    """Whether the nearer of two things may cover half of the other on the screen."""
    near, far = (thing.box, other.box) if thing.solid.y < other.solid.y else (other.box, thing.box)
    width = max(0.0, min(near[2], far[2]) - max(near[0], far[0]))
    height = max(0.0, min(near[3], far[3]) - max(near[1], far[1]))
    return width * height > 0.5 * (far[2] - far[0]) * (far[3] - far[1])


def _texture(
    rng: random.Random, letter: str, font: str, legible: bool
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """How much ink covers a cube's face (64 x 64), with the letter in its middle, or what is left of one, and where."""
    face = Image.new("L", (64, 64), 0)
    draw, letters = ImageDraw.Draw(face), sized(font, 50)
    left, top, right, bottom = draw.textbbox((0, 0), letter, font=letters)
    draw.text((32 - (left + right) / 2, 32 - (top + bottom) / 2), letter, font=letters, fill=255)
    box = face.getbbox()
    assert box is not None
    if not legible:
        lettering.smudge(face, box, rng)
    return np.asarray(face, dtype=np.float32) / 255, tuple(v / 64 for v in box)  # type: ignore[return-value]


def floor_of(rng: random.Random, split: Split, template: str, view: View) -> np.ndarray:
    """The colours (height, width, 3) of the floor, and of what is beyond it."""
    rays = view.rays
    far = -view.eye[2] / np.minimum(rays[2], -0.02)
    x, y = view.eye[0] + far * rays[0], view.eye[1] + far * rays[1]
    pale = np.asarray(_pale(rng, split), dtype=np.float32)
    fade = np.clip(1.08 - far / 60, 0.5, 1.0)
    if template == "studio":
        return fade[..., None] * pale
    if template == "podium":
        out = np.sqrt(x * x + y * y)
        dark = np.asarray(_pale(rng, split), dtype=np.float32) * 0.5
        fade *= np.where(np.abs(out - 3.3) < 0.06, np.float32(0.8), np.float32(1))
        inner = np.clip((3.5 - out) * 12, 0, 1)
        return ((1 - inner) * fade)[..., None] * dark + (inner * fade)[..., None] * pale
    side, pixel = rng.uniform(0.8, 1.5), far / (view.focal * view.width)
    if template == "checkers":
        cover = ((np.floor(x / side) + np.floor(y / side)).astype(np.int32) & 1).astype(np.float32)
    else:
        cover = _lines(x, side, pixel)
        if template == "tiles":
            cover = np.maximum(cover, _lines(y, side, pixel * far / view.eye[2]))
    return (fade * (1 - cover * rng.uniform(0.14, 0.28)))[..., None] * pale


def _lines(along: np.ndarray, side: float, pixel: np.ndarray) -> np.ndarray:
    """How much of each pixel, `pixel` wide on the floor, is covered by lines that lie `side` apart."""
    off = np.abs(along - side * np.round(along / side))
    wide = np.maximum(pixel, 0.02)
    return (np.clip(0.5 + (0.02 - off) / wide, 0, 1) * np.minimum(1, 0.04 / wide)).astype(np.float32)


def _pale(rng: random.Random, split: Split) -> RGB:
    """A floor's colour, light and little saturated."""
    value = colour(rng, split, rng.choice(("gray", "brown", "blue", "green", "orange", "purple", "white")))
    lift = rng.uniform(0.72, 0.86)
    return tuple(round(c + (235 - c) * lift) for c in value)  # type: ignore[return-value]


def note(scene: Scene, view: View, drawn: Rendered, index: int, thing: Thing) -> None:
    """What of a thing is seen goes into the scene's truth, and its letter if that can be read."""
    mine = drawn.shown == index
    rows, columns = np.flatnonzero(mine.any(1)), np.flatnonzero(mine.any(0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    thing.box = tuple(round(float(v) * ENLARGED) for v in (left, top, right, bottom))  # type: ignore[assignment]
    thing.visible = round(drawn.visible(index), 3)
    solid = thing.solid
    thing.distance = round(float(np.hypot(solid.x - view.eye[0], solid.y - view.eye[1])), 3)
    mask = Image.fromarray(mine[top:bottom, left:right].astype(np.uint8) * 255)
    mask = mask.resize((thing.box[2] - thing.box[0], thing.box[3] - thing.box[1]), Image.Resampling.NEAREST)
    thing.index = len(scene.placed)
    scene.placed += [
        Placed("object", thing.shape, thing.box, mask),
        Placed("colour", thing.colour, thing.box, mask),
    ]
    if not thing.letter:
        return
    cos, sin = np.cos(solid.turn), np.sin(solid.turn)
    corners = []
    for u, v in itertools.product(thing.glyph[::2], thing.glyph[1::2]):
        x, y = (2 * u - 1) * solid.reach, -solid.reach
        corners.append((solid.x + cos * x - sin * y, solid.y + sin * x + cos * y, (1 - v) * 2 * solid.reach))
    pixels = view.project(np.array(corners))
    (left, top), (right, bottom) = pixels.min(0), pixels.max(0)
    if not mine[int(top) : int(bottom) + 1, int(left) : int(right) + 1].mean() > 0.98:
        thing.letter = ""  # part of the face is hidden: nothing is asked about it
    elif thing.legible:
        thing.character = len(scene.placed)
        box = tuple(float(value) * ENLARGED for value in (left, top, right, bottom))
        scene.placed.append(Placed("character", thing.letter, box))  # type: ignore[arg-type]
