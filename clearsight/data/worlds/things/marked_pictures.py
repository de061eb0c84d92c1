"""Pictures that get marks drawn on them: boards and galleries of things, maps, and pages of words.

Things stand in the cells of a loose grid, so that a mark has room around each; words stand far enough apart to be
boxed, circled or underlined one by one.
"""

import random
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from clearsight.data.worlds.drawing import emoji_drawings, lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.outlines import outline
from clearsight.data.worlds.drawing.palette import RGB, colour, standing_out
from clearsight.data.worlds.scene import Placed, Scene, Split
from clearsight.data.worlds.things.icon_backdrops import shade, soft, stands_out
from clearsight.data.worlds.vocabulary import vocabulary

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("board", "map", "page"),
    "eval": ("gallery", "note"),
}
OF_WORDS = ("page", "note")  # templates whose things are words
SHAPES = ("triangle", "heart", "hexagon", "star", "diamond")
LIKE_SHAPES = ("star", "diamond", "ring")  # emoji whose names are those of shapes
MARGIN = 118  # pixels kept free for notes at the right


@dataclass
class Thing:
    """Something that can be marked: an emoji, a coloured shape, or a word. `index` is its place in `scene.placed`."""

    name: str
    box: tuple[float, float, float, float]
    row: int
    column: int
    colour: str = ""
    legible: bool = True
    index: int | None = None

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class Marked:
    """A picture before it is marked. `ground` is its mean colour; `margin` says whether notes have room."""

    template: str
    scene: Scene
    things: list[Thing]
    ground: RGB
    rows: int
    columns: int
    margin: bool = False


@cache
def nameable() -> tuple[str, ...]:
    """Emoji that go by a singular name which no shape has."""
    names = emoji_drawings.names()
    return tuple(n for n in names if emoji_drawings.is_countable(n) and n not in LIKE_SHAPES)


def base(rng: random.Random, seed: int, split: Split) -> Marked:
    """A picture of one of the split's templates, with its things placed in a new scene."""
    template = rng.choice(TEMPLATES[split])
    if template in OF_WORDS:
        return _words(rng, seed, split, template)
    rows, columns = rng.choice(((2, 2), (2, 3), (2, 3), (3, 3), (2, 4), (3, 3)))
    margin = template != "map" and columns < 4 and rng.random() < 0.65
    wide, tall = rng.randint(124, 146), rng.randint(126, 140)
    size = columns * wide + 20 + MARGIN * margin, rows * tall + 20
    if template == "board":
        canvas, ground = _texture(rng, split, size)
    elif template == "map":
        canvas, ground = _map(rng, split, size)
    else:
        ground = soft(rng, split, dark=rng.random() < 0.4)
        canvas = Image.new("RGB", size, ground)
    scene = Scene("marks", seed, split, canvas)
    things = []
    names = emoji_drawings.some(rng, rows * columns, nameable())
    shapes = rng.sample(SHAPES, min(len(SHAPES), rng.choice((0, 1, 2, 3)))) if template != "map" else []
    names[: len(shapes)] = shapes
    rng.shuffle(names)
    for place, name in enumerate(names):
        row, column = divmod(place, columns)
        x = 10 + (column + 0.5) * wide + rng.uniform(-7, 7)
        y = 10 + (row + 0.5) * tall + rng.uniform(-2, 8) + 8
        here = _framed(rng, scene, x, y) if template == "gallery" else ground
        things.append(_draw(rng, scene, name, (x, y), here, row, column))
    return Marked(template, scene, things, ground, rows, columns, margin)


def _draw(
    rng: random.Random,
    scene: Scene,
    name: str,
    middle: tuple[float, float],
    ground: RGB,
    row: int,
    column: int,
) -> Thing:
    size, shade_name = rng.randint(62, 78), ""
    if name in SHAPES:
        shade_name, ink = standing_out(rng, scene.split, ground)
        mask = outline(name, size, rng.uniform(-10, 10))
        picture = Image.new("RGBA", mask.size, ink)
        picture.putalpha(mask)
    else:
        picture = emoji_drawings.drawing(rng, scene.split, name, size)
        if not stands_out(picture, ground):
            _glow(scene.picture, picture, middle, (245, 245, 242) if sum(ground) < 400 else (64, 72, 88))
    left, top = round(middle[0] - picture.width / 2), round(middle[1] - picture.height / 2)
    scene.picture.paste(picture, (left, top), picture)
    box = (left, top, left + picture.width, top + picture.height)
    alpha = picture.getchannel("A")
    thing = Thing(name, box, row, column, shade_name, index=len(scene.placed))
    scene.placed.append(Placed("object", name, box, alpha))
    if shade_name:
        scene.placed.append(Placed("colour", shade_name, box, alpha))
    return thing


def _glow(canvas: Image.Image, picture: Image.Image, middle: tuple[float, float], ink: RGB) -> None:
    """A soft rim around where a drawing (RGBA) will be, for one that the ground would swallow."""
    mask = Image.new("L", (picture.width + 16, picture.height + 16), 0)
    mask.paste(picture.getchannel("A"), (8, 8))
    mask = mask.filter(ImageFilter.BoxBlur(3)).point(lambda v: min(255, v * 4))
    canvas.paste(
        ink, (round(middle[0] - picture.width / 2) - 8, round(middle[1] - picture.height / 2) - 8), mask
    )


def _blobs(rng: random.Random, size: tuple[int, int], cells: int) -> Image.Image:
    """Smooth noise (L)."""
    noise = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, (cells, cells), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def _texture(rng: random.Random, split: Split, size: tuple[int, int]) -> tuple[Image.Image, RGB]:
    """Two close colours that run into each other."""
    first = soft(rng, split, dark=rng.random() < 0.25)
    second = shade(first, rng.uniform(0.88, 0.96))
    blend = Image.composite(
        Image.new("RGB", size, first), Image.new("RGB", size, second), _blobs(rng, size, 5)
    )
    return blend, first


def _map(rng: random.Random, split: Split, size: tuple[int, int]) -> tuple[Image.Image, RGB]:
    """Land with lakes and roads, seen from above."""
    land = shade(colour(rng, split, rng.choice(("green", "yellow", "orange"))), rng.uniform(1.62, 1.75))
    water = shade(colour(rng, split, "blue"), 1.55)
    lakes = _blobs(rng, size, 6).point(lambda v: min(255, max(0, (v - 182) * 24)))
    canvas = Image.composite(Image.new("RGB", size, water), Image.new("RGB", size, land), lakes)
    draw = ImageDraw.Draw(canvas)
    width, height = size
    for _ in range(rng.randint(1, 3)):
        points = [(width * step / 4, rng.uniform(0.1, 0.9) * height) for step in range(5)]
        if rng.random() < 0.5:
            points = [(rng.uniform(0.1, 0.9) * width, height * step / 4) for step in range(5)]
        draw.line(points, fill=shade(land, 0.78), width=9, joint="curve")
        draw.line(points, fill=(250, 248, 240), width=6, joint="curve")
    return canvas, land


def _framed(rng: random.Random, scene: Scene, x: float, y: float) -> RGB:
    """A small framed picture's ground around a place; its colour."""
    draw = ImageDraw.Draw(scene.picture)
    paper, wood = (
        soft(rng, scene.split),
        shade(colour(rng, scene.split, rng.choice(("brown", "gray"))), 0.9),
    )
    draw.rectangle((x - 50, y - 48, x + 50, y + 48), fill=wood)
    draw.rectangle((x - 45, y - 43, x + 45, y + 43), fill=paper)
    return paper


def _words(rng: random.Random, seed: int, split: Split, template: str) -> Marked:
    """A page with lines of single words, or a ruled note with one word a line."""
    page = template == "page"
    size = rng.randint(20, 26) if page else rng.randint(24, 30)
    columns, rows = (rng.randint(2, 3), rng.randint(3, 6)) if page else (1, rng.randint(4, 7))
    gap = round(size * rng.uniform(2.3, 2.7))
    wide = round(size * 7.2)
    canvas_size = max(260, columns * wide + 40), max(240, rows * gap + 50)
    if page:
        paper = rng.choice(((255, 255, 255), (252, 249, 240), (240, 244, 250)))
        canvas = Image.new("RGB", canvas_size, paper)
    else:
        paper = shade(colour(rng, split, rng.choice(("yellow", "pink", "green", "blue"))), 1.88)
        canvas = Image.new("RGB", canvas_size, paper)
        draw = ImageDraw.Draw(canvas)
        for row in range(rows):
            y = 30 + (row + 1) * gap - gap // 5
            draw.line((0, y, canvas.width, y), fill=shade(paper, 0.86), width=2)
    scene = Scene("marks", seed, split, canvas)
    draw, font, things = ImageDraw.Draw(canvas), any_font(rng, split), []
    ink = rng.choice(((20, 20, 24), (24, 32, 74), (52, 40, 34)))
    used: set[str] = set()
    for row in range(rows):
        for column in range(columns):
            word = rng.choice(vocabulary(split))
            while word in used or not 4 <= len(word) <= 8 or lettering.width_of(word, font, size) > wide - 34:
                word = rng.choice(vocabulary(split))
            used.add(word)
            left = (
                24 + column * wide + rng.uniform(0, wide - 34 - lettering.width_of(word, font, size)) * page
            )
            line = lettering.draw_line(
                draw, left + 10 * (not page), 26 + row * gap + gap * 0.1, word, font, size, ink
            )
            thing = Thing(word, line.box, row, column, legible=rng.random() > 0.22, index=len(scene.placed))
            if thing.legible:
                scene.placed += line.placed
            else:
                lettering.smudge(canvas, line.box, rng)
                thing.index = None
            things.append(thing)
    return Marked(template, scene, things, paper, rows, columns)
