"""Places where icons and emoji stand: shelves, grids, a phone's screen, a road, a room, cards, a wall, stickers.

Each backdrop is drawn first, with slots that say where a thing goes, what may stand there, and where its label goes.
Slots of rows and columns are numbered from 1, from the top left.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.outlines import places
from clearsight.data.worlds.drawing.palette import RGB, background, colour
from clearsight.data.worlds.scene import SIZE, Split

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("portrait", "scatter", "grid", "shelves", "apps", "road"),
    "eval": ("frame", "stickers", "cards", "room"),
}
ON_ROADS = ("car", "taxi", "police car", "bus", "truck", "fire engine", "ambulance", "tractor", "motorcycle")
ON_ROADS += ("bicycle", "scooter")
IN_THE_SKY = (
    "sun",
    "cloud",
    "rainbow",
    "crescent moon",
    "star",
    "airplane",
    "helicopter",
    "balloon",
    "kite",
    "rocket",
)
BESIDE_ROADS = ("castle", "church", "factory", "house", "palm tree", "Christmas tree", "cactus", "tent")
ON_FLOORS = (
    "cat",
    "dog",
    "rabbit",
    "turtle",
    "mouse",
    "chair",
    "bed",
    "bathtub",
    "guitar",
    "drum",
    "suitcase",
    "backpack",
)
ON_FLOORS += ("basketball", "soccer ball", "broom", "bucket", "telescope", "umbrella", "teddy bear", "basket")
ON_TABLES = (
    "teapot",
    "wine glass",
    "laptop",
    "candle",
    "book",
    "apple",
    "banana",
    "birthday cake",
    "radio",
    "microscope",
)
ON_TABLES += (
    "camera",
    "telephone",
    "trophy",
    "hamburger",
    "pineapple",
    "alarm clock",
    "magnifying glass",
    "envelope",
)
ON_WALLS = (
    "television",
    "watch",
    "crown",
    "bell",
    "key",
    "top hat",
    "violin",
    "kite",
    "umbrella",
    "coat",
    "rainbow",
)


@dataclass(frozen=True)
class Slot:
    """Where one thing goes: a box (left, top, width, height) it is fitted into, and how.

    `stands`: it rests on the box's lower edge instead of floating in the middle. `label`: the middle, top and
    greatest width of what is written below it. `among`: the things that belong there; None: all.
    """

    box: tuple[float, float, float, float]
    ground: RGB
    stands: bool = False
    label: tuple[float, float, float] | None = None
    label_ground: RGB = (255, 255, 255)
    row: int = 0
    column: int = 0
    among: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Backdrop:
    """`where` says for captions where the things are; `row_name` what a row is called, if there are rows."""

    template: str
    picture: Image.Image
    slots: tuple[Slot, ...]
    where: str
    row_name: str = ""
    labels: str = ""  # what the labels are: "word", "price", or nothing
    style: str = "plain"  # how things are drawn: "plain", "tile" or "sticker"


@lru_cache(maxsize=256)
def rounded(width: int, height: int, radius: int) -> Image.Image:
    """A mask (L) of a rectangle with round corners and smooth edges."""
    mask = Image.new("L", (width * 3, height * 3), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width * 3 - 1, height * 3 - 1), radius * 3, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)


def shade(value: RGB, factor: float) -> RGB:
    """The colour darker (factor below 1) or nearer to white (above 1)."""
    if factor <= 1:
        return tuple(round(c * factor) for c in value)  # type: ignore[return-value]
    return tuple(round(255 - (255 - c) * (2 - factor)) for c in value)  # type: ignore[return-value]


def soft(rng: random.Random, split: Split, *, dark: bool = False) -> RGB:
    """A pale (or deep) colour for walls, skies and paper."""
    name = rng.choice(("blue", "green", "orange", "purple", "pink", "yellow", "gray", "brown"))
    value = colour(rng, split, name)
    return shade(value, rng.uniform(0.2, 0.32)) if dark else shade(value, rng.uniform(1.74, 1.9))


def gradient(size: tuple[int, int], top: RGB, bottom: RGB) -> Image.Image:
    """A canvas whose colour runs from the top to the bottom."""
    steps = np.linspace(0, 1, size[1])[:, None, None]
    column = np.asarray(top) * (1 - steps) + np.asarray(bottom) * steps
    return Image.fromarray(column.round().astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


def backdrop(rng: random.Random, split: Split) -> Backdrop:
    """A backdrop of one of the split's templates."""
    return _BACKDROPS[rng.choice(TEMPLATES[split])](rng, split)


# ---------------------------------------------------------------------------------------------------
# Training


def _portrait(rng: random.Random, split: Split) -> Backdrop:
    canvas, ground = background(rng, split)
    size = rng.randint(150, 330)
    left, top = rng.randint(30, SIZE - 30 - size), rng.randint(20, max(21, SIZE - 80 - size))
    label = (left + size / 2, top + size + 14, 300) if rng.random() < 0.6 else None
    slot = Slot((left, top, size, size), ground, label=label, label_ground=ground)
    return Backdrop("portrait", canvas, (slot,), "on a plain background", labels="word")


def _scatter(rng: random.Random, split: Split) -> Backdrop:
    canvas, ground = background(rng, split)
    count = rng.choice((2, 3, 4, 5, 6, 7, 8, 10))
    labelled = count <= 6 and rng.random() < 0.5
    slots = []
    for left, top, size in places(rng, count, 64, 230 - 16 * count, gap=10):
        side = size - 28 if labelled else size
        label = (left + size / 2, top + side + 4, size + 6) if labelled else None
        slots.append(
            Slot((left + (size - side) / 2, top, side, side), ground, label=label, label_ground=ground)
        )
    return Backdrop("scatter", canvas, tuple(slots), "spread over a plain background", labels="word")


def _grid(rng: random.Random, split: Split) -> Backdrop:
    rows, columns = rng.choice(((1, 3), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4), (3, 4), (4, 3)))
    cell = rng.randint(102, 150) if rows * columns > 6 else rng.randint(120, 176)
    width, height = columns * cell + 24, rows * cell + 24
    dark = rng.random() < 0.25
    ground = soft(rng, split, dark=dark)
    canvas = Image.new("RGB", (max(224, width), max(224, height)), ground)
    draw = ImageDraw.Draw(canvas)
    left, top = (canvas.width - columns * cell) // 2, (canvas.height - rows * cell) // 2
    style = rng.choice(("lines", "tiles", "checkered", "bare"))
    labelled = rng.random() < 0.5
    other = shade(ground, 0.9 if not dark else 1.12)
    slots = []
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * cell, top + row * cell
            here = ground
            if style == "checkered" and (row + column) % 2:
                here = other
                draw.rectangle((x, y, x + cell - 1, y + cell - 1), fill=here)
            elif style == "tiles":
                here = other
                canvas.paste(here, (x + 4, y + 4), rounded(cell - 8, cell - 8, 10))
            inset = 14
            side = cell - 2 * inset - (20 if labelled else 0)
            label = (x + cell / 2, y + inset + side + 3, cell - 10) if labelled else None
            box = (x + (cell - side) / 2, y + inset, side, side)
            slots.append(Slot(box, here, False, label, here, row + 1, column + 1))
    if style == "lines":
        line = shade(ground, 0.6 if not dark else 1.4)
        for row in range(rows + 1):
            draw.line((left, top + row * cell, left + columns * cell, top + row * cell), fill=line, width=2)
        for column in range(columns + 1):
            draw.line(
                (left + column * cell, top, left + column * cell, top + rows * cell), fill=line, width=2
            )
    return Backdrop("grid", canvas, tuple(slots), f"in a grid of {rows} by {columns}", "row", "word")


def _shelves(rng: random.Random, split: Split) -> Backdrop:
    shelves, width = rng.choice((2, 2, 3, 3)), rng.randint(400, 520)
    reach = rng.randint(126, 158)
    wood = shade(colour(rng, split, rng.choice(("brown", "orange", "gray"))), rng.uniform(0.8, 1.2))
    wall = soft(rng, split)
    canvas = gradient((width, shelves * reach + 20), wall, shade(wall, 0.92))
    draw = ImageDraw.Draw(canvas)
    slots = []
    for shelf in range(shelves):
        board = 10 + (shelf + 1) * reach - 28
        draw.rectangle((12, board, width - 13, board + 24), fill=wood)
        draw.rectangle((12, board, width - 13, board + 2), fill=shade(wood, 1.3))
        draw.rectangle((12, board + 25, width - 13, board + 29), fill=shade(wall, 0.78))
        count = rng.randint(2, 4)
        step = (width - 40) / count
        for place in range(count):
            size = min(step - 16, reach - 44, rng.uniform(78, 118))
            x = 20 + (place + 0.5) * step + rng.uniform(-0.5, 0.5) * max(0.0, step - size - 30)
            box = (x - size / 2, board - size + 2, size, size)
            slots.append(Slot(box, wall, True, (x, board + 4, step - 10), wood, shelf + 1, place + 1))
    draw.rectangle((4, 0, 12, canvas.height), fill=shade(wood, 0.75))
    draw.rectangle((width - 13, 0, width - 5, canvas.height), fill=shade(wood, 0.75))
    return Backdrop(
        "shelves", canvas, tuple(slots), f"on {shelves} shelves", "shelf", rng.choice(("price", "price", ""))
    )


def _apps(rng: random.Random, split: Split) -> Backdrop:
    columns = rng.choice((3, 3, 4))
    rows = rng.randint(2, 4)
    tile, across = (rng.randint(66, 76), 116) if columns == 3 else (rng.randint(58, 64), 98)
    down = tile + 46
    width, height = columns * across + 28, rows * down + 74
    dark = rng.random() < 0.4
    top = soft(rng, split, dark=dark)
    canvas = Image.new("RGB", (width, height), (28, 28, 32))
    screen = gradient((width - 16, height - 16), top, shade(top, 0.8 if not dark else 1.2))
    canvas.paste(screen, (8, 8), rounded(width - 16, height - 16, 22))
    draw = ImageDraw.Draw(canvas)
    ink = (240, 240, 240) if dark else (30, 30, 30)
    draw.rounded_rectangle((width // 2 - 26, 18, width // 2 + 26, 24), 3, fill=ink)
    slots = []
    for row in range(rows):
        for column in range(columns):
            x, y = 14 + (column + 0.5) * across, 44 + row * down
            label = (x, y + tile + 6, across - 6)
            slots.append(
                Slot((round(x - tile / 2), y, tile, tile), top, False, label, top, row + 1, column + 1)
            )
    return Backdrop("apps", canvas, tuple(slots), "as apps on a phone's screen", "row", "word", "tile")


def _road(rng: random.Random, split: Split) -> Backdrop:
    width, height = rng.randint(500, 620), rng.randint(340, 400)
    night = rng.random() < 0.2
    sky = shade(colour(rng, split, "blue"), 0.35 if night else 1.65)
    canvas = gradient((width, height), shade(sky, 0.9), shade(sky, 1.2))
    draw = ImageDraw.Draw(canvas)
    horizon, near, far = round(height * 0.5), round(height * 0.86), round(height * 0.64)
    grass = shade(colour(rng, split, "green"), 0.5 if night else 1.15)
    asphalt = (52, 53, 58) if night else (104, 105, 110)
    draw.rectangle((0, horizon, width, height), fill=grass)
    draw.rectangle((0, far, width, near), fill=asphalt)
    draw.rectangle((0, far, width, far + 3), fill=shade(asphalt, 1.5))
    draw.rectangle((0, near - 3, width, near), fill=shade(asphalt, 1.5))
    middle = (far + near) // 2
    for x in range(rng.randint(-30, 0), width, 60):
        draw.rectangle((x, middle - 2, x + 32, middle + 2), fill=(225, 222, 205))
    slots = []
    for among, low, top, bottom, row, ground in (
        (IN_THE_SKY, 1, 8, horizon - 92, 1, sky),
        (BESIDE_ROADS, 1, horizon - 84, far - 6, 2, grass),
        (ON_ROADS, 2, far - 6, near - 12, 3, asphalt),
    ):
        count = rng.randint(low, 3)
        step = width / count
        for place in range(count):
            size = min(step - 24, bottom - top, 128)
            x = (place + 0.5) * step + rng.uniform(-0.5, 0.5) * max(0.0, step - size - 20)
            box = (x - size / 2, bottom - size, size, size)
            slots.append(Slot(box, ground, row > 1, row=row, column=place + 1, among=among))
    return Backdrop("road", canvas, tuple(slots), "by a road" + (" at night" if night else ""))


# ---------------------------------------------------------------------------------------------------
# Evaluation


def _frame(rng: random.Random, split: Split) -> Backdrop:
    wall = soft(rng, split)
    canvas = Image.new("RGB", (SIZE, SIZE), wall)
    draw = ImageDraw.Draw(canvas)
    for y in range(0, SIZE, rng.choice((16, 28, 44))):
        draw.line((y, 0, y, SIZE), fill=shade(wall, 0.95), width=3)
    size = rng.randint(190, 270)
    left, top = (SIZE - size) // 2 + rng.randint(-40, 40), rng.randint(50, 90)
    wood, paper = shade(colour(rng, split, rng.choice(("brown", "black", "orange"))), 1.0), (250, 249, 244)
    for inset, fill in ((-40, shade(wall, 0.8)), (-36, wood), (-24, shade(wood, 0.7)), (-20, paper)):
        draw.rectangle((left + inset, top + inset, left + size - inset, top + size - inset), fill=fill)
    plate = top + size + 46
    draw.rectangle((left + size // 2 - 90, plate, left + size // 2 + 90, plate + 28), fill=(214, 190, 120))
    label = (left + size / 2, plate + 5, 160)
    slot = Slot((left, top, size, size), paper, label=label, label_ground=(214, 190, 120))
    return Backdrop("frame", canvas, (slot,), "in a frame on a wall", labels="word")


def _stickers(rng: random.Random, split: Split) -> Backdrop:
    metal = shade(colour(rng, split, rng.choice(("gray", "blue", "purple", "brown"))), rng.uniform(0.5, 1.3))
    canvas = gradient((SIZE, SIZE), shade(metal, 1.12), shade(metal, 0.85))
    count = rng.choice((2, 3, 4, 5, 6, 8))
    labelled = count <= 5
    slots = []
    for left, top, size in places(rng, count, 78, 240 - 16 * count, gap=10):
        side = size - 36 if labelled else size - 12
        label = (left + size / 2, top + side + 12, size + 4) if labelled else None
        box = (left + (size - side) / 2, top + 6, side, side)
        slots.append(Slot(box, (255, 255, 255), label=label, label_ground=metal))
    return Backdrop("stickers", canvas, tuple(slots), "as stickers on a lid", labels="word", style="sticker")


def _cards(rng: random.Random, split: Split) -> Backdrop:
    rows, columns = rng.choice(((2, 3), (3, 3), (2, 4), (3, 4), (2, 2)))
    wide = rng.randint(100, 122)
    tall = wide + rng.randint(27, 36)
    felt = shade(colour(rng, split, rng.choice(("green", "blue", "red", "purple"))), 0.55)
    width, height = columns * (wide + 14) + 30, rows * (tall + 14) + 30
    canvas = Image.new("RGB", (width, height), felt)
    border = colour(rng, split, rng.choice(("red", "blue", "orange", "black")))
    slots = []
    for row in range(rows):
        for column in range(columns):
            x, y = 22 + column * (wide + 14), 22 + row * (tall + 14)
            canvas.paste(shade(felt, 0.6), (x + 3, y + 4), rounded(wide, tall, 12))
            canvas.paste(border, (x, y), rounded(wide, tall, 12))
            canvas.paste((252, 251, 246), (x + 4, y + 4), rounded(wide - 8, tall - 8, 9))
            side = wide - 26
            label = (x + wide / 2, y + side + 24, wide - 14)
            box = (x + 13, y + 16, side, side)
            slots.append(Slot(box, (252, 251, 246), False, label, (252, 251, 246), row + 1, column + 1))
    return Backdrop("cards", canvas, tuple(slots), f"on {rows * columns} cards on a table", "row", "word")


def _room(rng: random.Random, split: Split) -> Backdrop:
    width, height = rng.randint(500, 580), rng.randint(380, 430)
    wall, wood = soft(rng, split), shade(colour(rng, split, "brown"), rng.uniform(1.1, 1.5))
    canvas = gradient((width, height), wall, shade(wall, 0.93))
    draw = ImageDraw.Draw(canvas)
    floor = round(height * 0.68)
    boards = shade(colour(rng, split, rng.choice(("brown", "gray"))), 1.45)
    draw.rectangle((0, floor, width, height), fill=boards)
    for x in range(-width, 2 * width, 70):
        draw.line((width / 2 + (x - width / 2) * 0.8, floor, x, height), fill=shade(boards, 0.85), width=2)
    draw.rectangle((0, floor - 8, width, floor), fill=shade(wall, 1.5))
    on_left = rng.random() < 0.5
    table_left = 30 if on_left else width - 290
    table, legs = round(height * 0.58), round(height * 0.88)
    draw.rectangle((table_left + 12, table, table_left + 24, legs), fill=shade(wood, 0.7))
    draw.rectangle((table_left + 236, table, table_left + 248, legs), fill=shade(wood, 0.7))
    draw.rectangle((table_left, table, table_left + 260, table + 14), fill=wood)
    slots = []
    for place in range(rng.randint(1, 3)):
        x = table_left + 46 + place * 84
        slots.append(Slot((x - 38, table - 75, 76, 76), wall, True, None, wall, 2, place + 1, ON_TABLES))
    start = 310 if on_left else 20
    for place in range(rng.randint(1, 2)):
        x = start + 50 + place * 104
        slots.append(Slot((x - 46, height - 112, 92, 92), boards, True, None, wall, 3, place + 1, ON_FLOORS))
    for place in range(rng.randint(1, 3)):
        x = width * (0.2 + 0.3 * place)
        slots.append(Slot((x - 42, 22, 84, 84), wall, False, None, wall, 1, place + 1, ON_WALLS))
    return Backdrop("room", canvas, tuple(slots), "in a room with a table")


_BACKDROPS: dict[str, Callable[[random.Random, Split], Backdrop]] = {
    "portrait": _portrait,
    "scatter": _scatter,
    "grid": _grid,
    "shelves": _shelves,
    "apps": _apps,
    "road": _road,
    "frame": _frame,
    "stickers": _stickers,
    "cards": _cards,
    "room": _room,
}


def stands_out(picture: Image.Image, ground: RGB) -> bool:
    """Whether enough of a drawing (RGBA) can be told from a ground of this colour."""
    pixels = np.asarray(picture.resize((16, 16), Image.Resampling.NEAREST), dtype=np.float32)
    shown = pixels[..., 3] > 127
    far = np.abs(pixels[..., :3] - np.asarray(ground, dtype=np.float32)).sum(-1) > 110
    return bool((far & shown).sum() > 0.4 * shown.sum())
