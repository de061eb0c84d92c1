"""Things in a pair of pictures: where they may stand, what may happen to them, and how they are drawn.

A thing is an icon, a shape that may carry a mark, a sign with a word on it, or a plain word; their names are unique.
What happens to a thing must show: a colour is changed to one that is far from it, a turn to a drawing that overlaps
little with the one before, a size by more than a half.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import icon_drawings, lettering
from clearsight.data.worlds.drawing.fonts import any_font, sized
from clearsight.data.worlds.drawing.outlines import SHAPES, outline, places
from clearsight.data.worlds.drawing.palette import NAMES, RGB, distance, readable_on, standing_out
from clearsight.data.worlds.drawing.reading_order import in_reading_order
from clearsight.data.worlds.scene import SIZE, Placed, Scene, Split
from clearsight.data.worlds.vocabulary import vocabulary

KINDS = ("recoloured", "moved", "added", "removed", "resized", "turned", "relabelled")
MARKS = "ABCDEFHKLMNPRSTUXYZ2345679"
UNMARKED = {"ring", "cross", "star", "heart", "triangle", "diamond"}  # too little room for a mark
# Icons whose name is a plural, or also that of a shape.
LEFT_OUT = {
    *("glasses", "scissors", "headphones", "coins", "scales", "thumbs up", "thumbs down"),
    *("heart", "star", "diamond", "wifi"),
}
TURNS = (90, -90, 180, 45, -45)


@dataclass(frozen=True)
class Thing:
    """`name` answers a question, `called` stands after "the" in one. `place`: middle x, middle y and side of its slot.

    `share` is the part of the slot's side that the drawing takes; `base` is drawn upright and `turn` degrees turn it.
    `text` is a mark, a sign's word, or the word itself (then there is no `base`).
    """

    name: str
    called: str
    colour: str
    ink: RGB
    place: tuple[int, int, int]
    share: float
    base: Image.Image | None = None
    turn: int = 0
    text: str = ""
    legible: bool = True
    font: str = ""
    noise: int = 0

    @property
    def mask(self) -> Image.Image:
        assert self.base is not None
        scale = self.place[2] * self.share / max(self.base.size)
        size = (max(1, round(self.base.width * scale)), max(1, round(self.base.height * scale)))
        mask = self.base.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return mask.rotate(self.turn, Image.Resampling.BILINEAR, expand=True) if self.turn else mask


# ---------------------------------------------------------------------------------------------------
# Where things may stand


def _tint(ground: RGB, amount: int) -> RGB:
    """The ground moved a little towards its opposite."""
    step = -amount if sum(ground) > 380 else amount
    return tuple(min(255, max(0, channel + step)) for channel in ground)  # type: ignore[return-value]


def slots_of(
    rng: random.Random, template: str, canvas: Image.Image, ground: RGB, count: int
) -> tuple[Image.Image, list[tuple[int, int, int]]]:
    """The canvas in its shape and dressed up, and `count` slots (middle x, middle y, side) of one side, shuffled."""
    if template == "scattered":
        side = int(rng.uniform(200, 255) / count**0.5)
        found = [(x + side // 2, y + side // 2, side) for x, y, side in places(rng, count, side, side, 10)]
    elif template == "grid":
        columns, rows = rng.choice(
            [cr for cr in ((3, 3), (4, 3), (3, 4), (5, 2), (4, 4)) if cr[0] * cr[1] >= count]
        )
        cell = int(SIZE / (columns * rows) ** 0.5)
        canvas = canvas.resize((columns * cell, rows * cell), Image.Resampling.BILINEAR)
        side, slack = int(cell * 0.74), int(cell * 0.1)
        if rng.random() < 0.4:
            draw = ImageDraw.Draw(canvas)
            for step in range(1, max(columns, rows)):
                draw.line((step * cell, 0, step * cell, canvas.height), _tint(ground, 24), 2)
                draw.line((0, step * cell, canvas.width, step * cell), _tint(ground, 24), 2)
        found = [
            (
                int((column + 0.5) * cell) + rng.randint(-slack, slack),
                int((row + 0.5) * cell) + rng.randint(-slack, slack),
                side,
            )
            for column in range(columns)
            for row in range(rows)
        ]
    elif template == "shelves":
        columns, rows = (5, 2) if count <= 10 and rng.random() < 0.4 else (4, 3)
        across, down = (108, 168) if rows == 2 else (118, 132)
        canvas = canvas.resize((columns * across, rows * down), Image.Resampling.BILINEAR)
        draw, side, board = ImageDraw.Draw(canvas), rng.randint(82, 94), rng.randint(6, 14)
        wood, edge = _tint(ground, rng.randint(40, 80)), _tint(ground, rng.randint(90, 130))
        for row in range(1, rows + 1):
            draw.rectangle((0, row * down - board - 8, canvas.width, row * down - 9), wood)
            draw.line((0, row * down - 9, canvas.width, row * down - 9), edge, 2)
        found = [
            (
                int((column + 0.5) * across) + rng.randint(-8, 8),
                (row + 1) * down - board - 8 - side // 2,
                side,
            )
            for column in range(columns)
            for row in range(rows)
        ]
    elif template == "ring":
        width, height = rng.choice(((448, 448), (512, 416), (544, 400)))
        canvas = canvas.resize((width, height), Image.Resampling.BILINEAR)
        side, start = rng.randint(66, 78), rng.random() * 6.283
        wide, high = width / 2 - side / 2 - 8, height / 2 - side / 2 - 8
        table = (width / 2 - wide + side * 0.6, height / 2 - high + side * 0.6)
        ImageDraw.Draw(canvas).ellipse(
            (*table, width - table[0], height - table[1]), outline=_tint(ground, 40), width=3
        )
        angles = start + np.linspace(0, 2 * np.pi, count, endpoint=False)
        found = [
            (int(width / 2 + wide * np.cos(angle)), int(height / 2 + high * np.sin(angle)), side)
            for angle in angles
        ]
    else:
        rows_of = rng.choice(((3, 4, 3), (4, 3, 4)))
        cell, canvas = 122, canvas.resize((4 * 122 + 16, 3 * 122 + 16), Image.Resampling.BILINEAR)
        draw, side, card = ImageDraw.Draw(canvas), rng.randint(74, 86), _tint(ground, 16)
        found = []
        for row, columns in enumerate(rows_of):
            for column in range(columns):
                x, y = int(8 + cell * (column + 0.5 + (4 - columns) / 2)), int(8 + cell * (row + 0.5))
                corners = (x - cell // 2 + 6, y - cell // 2 + 6, x + cell // 2 - 6, y + cell // 2 - 6)
                draw.rounded_rectangle(corners, 14, card, _tint(ground, 50), 2)
                found.append((x, y, side))
    rng.shuffle(found)
    return canvas, found[:count]


# ---------------------------------------------------------------------------------------------------
# Things and what happens to them


@cache
def _icons() -> tuple[str, ...]:
    return tuple(label for label in icon_drawings.labels() if label not in LEFT_OUT)


@cache
def _words(split: Split) -> tuple[str, ...]:
    """Common short words that don't name a thing or a colour of these pictures."""
    taken = {*_icons(), *SHAPES, *NAMES, "sign"}
    return tuple(word for word in vocabulary(split)[:1500] if 3 <= len(word) <= 6 and word not in taken)


def names_of(rng: random.Random, split: Split, count: int) -> list[tuple[str, str]]:
    """Unique names with their kind: icon, shape, sign or word."""
    found: list[tuple[str, str]] = []
    while len(found) < count:
        kind = rng.choice((*("icon",) * 4, *("shape",) * 4, "sign", "word"))
        name = {
            "icon": rng.choice(_icons()),
            "shape": rng.choice(SHAPES),
            "sign": "sign",
            "word": rng.choice(_words(split)),
        }[kind]
        close = kind == "icon" and any(k == "icon" and n not in icon_drawings.others(name) for n, k in found)
        if not close and name not in [n for n, _ in found]:
            found.append((name, kind))
    return found


def _text(rng: random.Random, split: Split, kind: str) -> str:
    if kind == "sign":
        return rng.choice([word for word in _words(split) if len(word) <= 5])
    return "".join(rng.choices(MARKS, k=rng.choice((1, 2))))


def random_thing(
    rng: random.Random, split: Split, ground: RGB, name: str, kind: str, slot: tuple[int, int, int]
) -> Thing:
    colour, ink = standing_out(rng, split, ground, 230 if kind == "icon" else 190)
    share, noise = rng.uniform(0.72, 0.95), rng.getrandbits(32)
    font = any_font(rng, split)
    if kind == "word":  # strokes are thin: they need more contrast
        colour, ink = standing_out(rng, split, ground, 280)
        return Thing(name, f'word "{name}"', colour, ink, slot, 1.0, None, 0, name, True, font, noise)
    side = int(slot[2] * 0.95)
    if kind == "icon":
        return Thing(name, name, colour, ink, slot, share, icon_drawings.icon_mask(rng, split, name, side))
    if kind == "shape":
        base, text = outline(name, side, rng.uniform(-9, 9)), ""
        if name not in UNMARKED and rng.random() < 0.75:
            text, share = _text(rng, split, kind), 0.95
    else:
        base, share, text = Image.new("L", (side * 2, side), 0), 1.0, _text(rng, split, kind)
        ImageDraw.Draw(base).rounded_rectangle(
            (0, 0, side * 2 - 1, side - 1), rng.choice((0, side // 6)), 255
        )
        base = base.reduce(2)
    return Thing(name, name, colour, ink, slot, share, base, 0, text, rng.random() > 0.25, font, noise)


def _turn_that_shows(rng: random.Random, mask: Image.Image) -> int:
    """Degrees by which turning changes the drawing clearly; 0 when none does."""
    side = max(mask.size) * 3 // 2
    square = Image.new("L", (side, side))
    square.paste(mask, ((side - mask.width) // 2, (side - mask.height) // 2))
    before = np.asarray(square) > 127
    for turn in rng.sample(TURNS, len(TURNS)):
        after = np.asarray(square.rotate(turn)) > 127
        if (before & after).sum() < 0.6 * (before | after).sum():
            return turn
    return 0


def changed(
    rng: random.Random,
    split: Split,
    ground: RGB,
    first: list[Thing],
    extra: Thing,
    free: tuple[int, int, int],
) -> tuple[list[Thing], list[dict[str, Any]]]:
    """The second picture's things and the changes. `first` is mended where a change needs room, as for growing."""
    wanted = 0 if rng.random() < 0.3 else rng.randint(1, 3)
    second: list[Thing | None] = list(first)
    changes: list[dict[str, Any]] = []
    kinds = rng.sample(KINDS, len(KINDS)) + rng.choices(("recoloured", "removed", "resized", "turned"), k=6)
    for kind in kinds:
        if len(changes) == wanted:
            break
        if kind == "added":
            second.append(extra)
            changes.append({"kind": kind, "name": extra.name})
            continue
        able = [
            i
            for i, thing in enumerate(first)
            if thing.name not in [change["name"] for change in changes]
            and (kind not in ("resized", "turned") or not thing.text)
            and (kind != "relabelled" or (thing.base is not None and thing.text and thing.legible))
        ]
        if not able:
            continue
        index = rng.choice(able)
        thing = first[index]
        after: Thing | None = None
        if kind == "recoloured":
            colour, ink = thing.colour, thing.ink
            while colour == thing.colour or distance(ink, thing.ink) < 200:
                colour, ink = standing_out(rng, split, ground, 190 if thing.base else 280)
            after = replace(thing, colour=colour, ink=ink)
        elif kind == "moved":
            if max(abs(thing.place[0] - free[0]), abs(thing.place[1] - free[1])) < 60:
                continue
            after = replace(thing, place=free)
        elif kind == "resized":
            small, large = rng.uniform(0.5, 0.58), rng.uniform(0.92, 1.0)
            before, share = rng.sample((small, large), 2)
            first[index] = replace(thing, share=before)
            second[index] = after = replace(thing, share=share)
        elif kind == "turned":
            first[index] = thing = replace(thing, share=0.68)
            turn = _turn_that_shows(rng, thing.mask)
            if not turn:
                second[index] = thing
                continue
            after = replace(thing, turn=turn)
        elif kind == "relabelled":
            text = thing.text
            while text == thing.text:
                text = _text(rng, split, "sign" if thing.name == "sign" else "shape")
            after = replace(thing, text=text)
        second[index] = after
        changes.append({"kind": kind, "name": thing.name})
    return [thing for thing in second if thing is not None], changes


# ---------------------------------------------------------------------------------------------------
# Drawing


def _letter(
    canvas: Image.Image, thing: Thing, left: int, top: int, width: int, height: int
) -> lettering.Line:
    """Write the thing's text in the middle of a box, as large as fits."""
    plain_word = thing.base is None
    size = max(16, int(height * (0.42 if thing.base and thing.name != "sign" else 0.6)))
    room = width * (1.08 if plain_word else 0.86 if thing.name == "sign" else 0.6)
    while size > 14 and lettering.width_of(thing.text, thing.font, size) > room:
        size -= 1
    _, ink_top, _, ink_bottom = sized(thing.font, size).getbbox(thing.text)
    x = left + (width - lettering.width_of(thing.text, thing.font, size)) / 2
    y = top + (height - ink_bottom - ink_top) / 2
    ink = thing.ink if plain_word else readable_on(thing.ink)
    return lettering.draw_line(ImageDraw.Draw(canvas), x, y, thing.text, thing.font, size, ink)


def draw(scene: Scene, page: int, things: Sequence[Thing], standing: bool) -> dict[str, tuple[float, ...]]:
    """Draw one picture and note where everything is. Returns the boxes of the things by name."""
    canvas, lines, boxes = scene.pictures[page], [], {}
    for thing in things:
        x, y, side = thing.place
        if thing.base is None:
            line = _letter(canvas, thing, x - side // 2, y if standing else y - side // 4, side, side // 2)
            boxes[thing.name] = line.box
            lines.append(line)
            continue
        mask = thing.mask
        left, top = x - mask.width // 2, y + side // 2 - mask.height if standing else y - mask.height // 2
        canvas.paste(thing.ink, (left, top), mask)
        box = (left, top, left + mask.width, top + mask.height)
        boxes[thing.name] = box
        scene.placed += [
            Placed("object", thing.name, box, mask, page),
            Placed("colour", thing.colour, box, mask, page),
        ]
        if thing.text:
            line = _letter(canvas, thing, left, top, *mask.size)
            if thing.legible:
                lines.append(line)
            else:
                lettering.smudge(canvas, line.box, random.Random(thing.noise))
    for line in in_reading_order(lines):
        scene.placed += [replace(placed, page=page) for placed in line.placed]
    return boxes
