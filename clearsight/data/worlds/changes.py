"""Changed pairs: two pictures that are equal but for none to three changes, and what is different.

A thing is an icon, a shape (some with a mark on it), a sign with a word on it, or a plain word. Each thing has at most
one change: recoloured, moved, added, removed, resized, turned or relabelled (the mark or the sign's word).
Names are unique in a pair, so that a question never fits two things. A change of the whole picture, such as other
light, is left out: it would make every thing differ.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds import icon_drawings, lettering
from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.fonts import any_font, sized
from clearsight.data.worlds.outlines import SHAPES, outline, places
from clearsight.data.worlds.palette import NAMES, RGB, background, distance, readable_on, standing_out
from clearsight.data.worlds.reading_order import in_reading_order
from clearsight.data.worlds.scene import SIZE, Placed, Scene, Split, rng_for, with_article
from clearsight.data.worlds.vocabulary import vocabulary

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("scattered", "grid", "shelves"),
    "eval": ("ring", "staggered cards"),
}
KINDS = ("recoloured", "moved", "added", "removed", "resized", "turned", "relabelled")
MARKS = "ABCDEFHKLMNPRSTUXYZ2345679"
UNMARKED = {"ring", "cross", "star", "heart", "triangle", "diamond"}  # too little room for a mark
# Icons whose name is a plural, or also that of a shape.
LEFT_OUT = {
    *("glasses", "scissors", "headphones", "coins", "scales", "thumbs up", "thumbs down"),
    *("heart", "star", "diamond", "wifi"),
}
TURNS = (90, -90, 180, 45, -45)
WHICH = ("first", "second")
TOLD = {"moved": "has moved", "added": "has been added", "removed": "is gone", "turned": "has been turned"}

DIFFERENT = (
    "Is anything different between the first and the second picture?",
    "Do the first and the second picture differ in anything?",
    "Has anything changed from the first picture to the second?",
    "Comparing picture one with picture two, can any change be found?",
)
HOW_MANY = (
    "How many things changed between the first and the second picture?",
    "Count the changes from the first picture to the second.",
    "How many differences are there between the first and the second picture?",
    "Going from picture one to picture two, what is the number of changes?",
)
WHAT = (
    "Which thing changed between the first and the second picture?",
    "One thing differs between the first and the second picture. Which one?",
    "Name the thing that changed from the first picture to the second.",
    "Only a single thing is not the same in picture one and picture two. What is it?",
)
WHICH_ALL = (
    "Which things changed between the first and the second picture?",
    "Name everything that changed from the first picture to the second.",
    "List the things that differ between the first and the second picture.",
    "Write down all things that are not the same in picture one and picture two.",
)
HOW = (
    "What happened to the {thing} from the first picture to the second: was it {choices}?",
    "Compare the {thing} in the first and the second picture. Was it {choices}?",
    "Between the first and the second picture, was the {thing} {choices}?",
    "Follow the {thing} from picture one to picture two: is it {choices}?",
)
COLOUR = (
    "What colour is the {thing} in the {which} picture?",
    "Which colour does the {thing} have in the {which} picture?",
    "In the {which} picture, what is the colour of the {thing}?",
    "Look at the {which} picture of the pair: name the colour of the {thing} there.",
)
BEFORE = (
    "What colour did the {thing} have before?",
    "The {thing} has changed its colour. Which one did it have in the first picture?",
    "Which colour was the {thing} before it changed?",
    "Before it was recoloured, what was the colour of the {thing}?",
)
NEW = (
    "Which thing is new in the second picture?",
    "What does the second picture show that the first does not?",
    "Name the thing that has been added in the second picture.",
    "What has come in addition in picture two?",
)
GONE = (
    "Which thing is gone in the second picture?",
    "What does the first picture show that the second does not?",
    "Name the thing that has been taken away from the first picture.",
    "What was in picture one and has vanished from picture two?",
)
WAS = (
    "Where was the {thing} in the first picture?",
    "Where did the {thing} stand in the first picture?",
    "Point to the {thing} in the first picture.",
    "In picture one, at which place is the {thing}?",
)
IS = (
    "Where is the {thing} in the second picture?",
    "What is the box around the {thing} in the second picture?",
    "Frame the {thing} in the second picture.",
    "In picture two, what space does the {thing} take?",
)
DIRECTION = (
    "In which direction did the {thing} move from the first picture to the second: {choices}?",
    "The {thing} has moved. Which way: {choices}?",
    "Which way did the {thing} go between the first and the second picture: {choices}?",
    "From picture one to picture two, where did the {thing} shift: {choices}?",
)
LARGER = (
    "In which picture is the {thing} larger: {choices}?",
    "Where is the {thing} bigger: {choices}?",
    "Compare the sizes of the {thing} in the two pictures. Where is it larger: {choices}?",
    "In which of the pair does the {thing} take more room: {choices}?",
)
MORE = (
    "Which picture shows more things: {choices}?",
    "Where are there more things: {choices}?",
    "Count the things in the first and in the second picture. Where are there more: {choices}?",
    "Which of the pair holds the greater number of things: {choices}?",
)
THINGS = (
    "How many things are in the {which} picture?",
    "Count the things in the {which} picture.",
    "What is the number of things in the {which} picture?",
    "Take the {which} picture of the pair: how many things does it hold?",
)
SAME_COLOUR = (
    "Does the {thing} have the same colour in the first and the second picture?",
    "Is the colour of the {thing} the same in the first and the second picture?",
    "Has the {thing} kept its colour from the first picture to the second?",
    "Is the {thing} of one and the same colour in picture one and in picture two?",
)
WRITTEN = (
    "What is written on the {thing} in the {which} picture?",
    "Read what is on the {thing} in the {which} picture.",
    "In the {which} picture, what does the {thing} say?",
    "What can be read on the {thing} in the {which} picture of the pair?",
)


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


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("changes", seed, split)
    template = rng.choice(TEMPLATES[split])
    count, spare = rng.randint(4, 8), 2
    canvas, ground = background(rng, split)
    canvas, slots = _slots(rng, template, canvas, ground, count + spare)
    scene = Scene("changes", seed, split, canvas.copy(), further=[canvas.copy()])
    names = _names(rng, split, count + 1)
    free = [slots.pop() for _ in range(len(slots) - count)]
    first = [
        _thing(rng, split, ground, name, kind, slot)
        for (name, kind), slot in zip(names[:-1], slots, strict=True)
    ]
    extra = _thing(rng, split, ground, *names[-1], free[0])
    second, changes = _changed(rng, split, ground, first, extra, free[1])
    standing = template == "shelves"
    boxes = [_draw(scene, page, things, standing) for page, things in enumerate((first, second))]
    scene.facts = {
        "template": template,
        "changes": changes,
        "pictures": [
            [
                {
                    "name": t.name,
                    "called": t.called,
                    "colour": t.colour,
                    "box": boxes[page][t.name],
                    "turn": t.turn,
                    **({"text": t.text, "legible": t.legible} if t.text else {}),
                }
                for t in things
            ]
            for page, things in enumerate((first, second))
        ],
    }
    _ask(Asker(scene, rng), first, second, changes, boxes)
    _describe(scene, first, second, changes)
    return scene


# ---------------------------------------------------------------------------------------------------
# Where things may stand


def _tint(ground: RGB, amount: int) -> RGB:
    """The ground moved a little towards its opposite."""
    step = -amount if sum(ground) > 380 else amount
    return tuple(min(255, max(0, channel + step)) for channel in ground)  # type: ignore[return-value]


def _slots(
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


def _names(rng: random.Random, split: Split, count: int) -> list[tuple[str, str]]:
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


def _thing(
    rng: random.Random, split: Split, ground: RGB, name: str, kind: str, slot: tuple[int, int, int]
) -> Thing:
    colour, ink = standing_out(rng, split, ground)
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


def _changed(
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


def _draw(scene: Scene, page: int, things: Sequence[Thing], standing: bool) -> dict[str, tuple[float, ...]]:
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


# ---------------------------------------------------------------------------------------------------
# Questions and captions


def _ask(
    ask: Asker,
    first: list[Thing],
    second: list[Thing],
    changes: list[dict[str, Any]],
    boxes: list[dict[str, tuple[float, ...]]],
) -> None:
    rng = ask.rng
    pictures = [{t.name: t for t in things} for things in (first, second)]
    called = {t.name: t.called for things in pictures for t in things.values()}
    by_kind = {change["kind"]: change["name"] for change in changes}
    kept = [t.name for t in first if t.name not in [change["name"] for change in changes]]
    if not changes or rng.random() < 0.43:
        ask.yes_no("different", DIFFERENT, bool(changes))
    ask.count("how many changes", HOW_MANY, len(changes))
    if len(changes) == 1:
        ask.text("what changed", WHAT, changes[0]["name"], alternatives=[f"word {changes[0]['name']}"])
    elif changes:
        ask.items("all that changed", WHICH_ALL, [change["name"] for change in changes], ordered=False)
    for change in changes[:2]:
        if rng.random() < 0.7:
            name = change["name"]
            ask.choice(
                "how it changed",
                HOW,
                change["kind"],
                (*KINDS, "left as it is"),
                thing=called[name],
                about={"name": name},
            )
    if kept and rng.random() < 0.25:
        name = rng.choice(kept)
        ask.choice("how it changed", HOW, "left as it is", KINDS, thing=called[name], about={"name": name})
    _ask_colours(ask, pictures, by_kind, kept, called)
    for kind, skill, ways in (("added", "what is new", NEW), ("removed", "what is gone", GONE)):
        if kind in by_kind:
            ask.text(skill, ways, by_kind[kind], alternatives=[f"word {by_kind[kind]}"])
    for kind in ("moved", "removed"):
        if kind in by_kind:
            name = by_kind[kind]
            ask.point("where it was", WAS, boxes[0][name], thing=called[name], about={"name": name})
    if "moved" in by_kind:
        name = by_kind["moved"]
        (x, y, _), (x2, y2, _) = (picture[name].place for picture in pictures)
        if max(abs(x2 - x), abs(y2 - y)) > 2 * min(abs(x2 - x), abs(y2 - y)):
            along = ("left", "right")[x2 > x] if abs(x2 - x) > abs(y2 - y) else ("up", "down")[y2 > y]
            ask.choice(
                "direction",
                DIRECTION,
                along,
                ("left", "right", "up", "down"),
                thing=called[name],
                about={"name": name},
            )
    placed_anew = [by_kind[kind] for kind in ("moved", "added", "resized") if kind in by_kind]
    name = rng.choice(placed_anew or list(pictures[1]))
    ask.box("where it is", IS, boxes[1][name], page=1, thing=called[name], about={"name": name})
    sizes = ("the first picture", "the second picture", "neither")
    solid = [name for name in kept if pictures[0][name].base is not None]
    if "resized" in by_kind or (solid and rng.random() < 0.12):
        name = by_kind.get("resized") or rng.choice(solid)
        grown = pictures[1][name].share - pictures[0][name].share
        answer = sizes[2 if not grown else grown > 0]
        ask.choice("where it is larger", LARGER, answer, sizes, thing=called[name], about={"name": name})
    which = rng.randrange(2)
    ask.count("things", THINGS, len(pictures[which]), which=WHICH[which])
    more = len(second) - len(first)
    if more or rng.random() < 0.2:
        ask.choice("where there are more", MORE, sizes[2 if not more else more > 0], sizes)
    _ask_writing(ask, pictures, by_kind)


def _ask_colours(
    ask: Asker,
    pictures: list[dict[str, Thing]],
    by_kind: dict[str, str],
    kept: list[str],
    called: dict[str, str],
) -> None:
    rng = ask.rng
    if "recoloured" in by_kind:
        name = by_kind["recoloured"]
        about = {"name": name, "which": "first"}
        ask.colour("colour before", BEFORE, pictures[0][name].colour, thing=called[name], about=about)
        if rng.random() < 0.6:
            ask.yes_no("same colour", SAME_COLOUR, False, thing=called[name], about={"name": name})
    elif kept and rng.random() < 0.25:
        name = rng.choice(kept)
        ask.yes_no("same colour", SAME_COLOUR, True, thing=called[name], about={"name": name})
    which = rng.randrange(2)
    name = rng.choice(list(pictures[which]))
    about = {"name": name, "which": WHICH[which]}
    ask.colour(
        "colour", COLOUR, pictures[which][name].colour, thing=called[name], which=WHICH[which], about=about
    )
    missing = [
        (by_kind[kind], WHICH[page]) for kind, page in (("added", 0), ("removed", 1)) if kind in by_kind
    ]
    if not missing and rng.random() < 0.3:
        absent = [
            s
            for s in (*SHAPES, *rng.sample(icon_drawings.labels(), 20))
            if s not in called and s not in LEFT_OUT
        ]
        missing = [(rng.choice(absent), rng.choice(WHICH))]
    for name, page in missing:
        about = {"name": name, "which": page}
        ask.not_shown(
            "colour of what is absent", COLOUR, thing=called.get(name, name), which=page, about=about
        )


def _ask_writing(ask: Asker, pictures: list[dict[str, Thing]], by_kind: dict[str, str]) -> None:
    rng = ask.rng
    asked = set()
    for legible in (True, False):
        which = rng.randrange(2)
        things = [
            t for t in pictures[which].values() if t.base is not None and t.text and t.legible == legible
        ]
        if not things:
            continue
        thing = rng.choice(things)
        about = {"name": thing.name, "which": WHICH[which]}
        asked.add((thing.name, which))
        if not legible:
            ask.cant_be_read(
                "mark that can't be read", WRITTEN, thing=thing.called, which=WHICH[which], about=about
            )
            continue
        box, places = thing.place, ask.scene.placed
        near = [
            i
            for i, p in enumerate(places)
            if p.kind == "word"
            and p.page == which
            and p.label == thing.text
            and abs(p.middle[0] - box[0]) < box[2] / 2
        ]
        ask.text(
            "mark", WRITTEN, thing.text, thing=thing.called, which=WHICH[which], needs=near[:1], about=about
        )
    if "relabelled" in by_kind:
        name = by_kind["relabelled"]
        for which in range(2):
            if (name, which) not in asked:
                about = {"name": name, "which": WHICH[which]}
                thing = pictures[which][name]
                ask.text("mark", WRITTEN, thing.text, thing=thing.called, which=WHICH[which], about=about)


def _described(thing: Thing, size: tuple[int, int]) -> str:
    row = ("top", "middle", "bottom")[min(2, thing.place[1] * 3 // size[1])]
    column = ("left", "centre", "right")[min(2, thing.place[0] * 3 // size[0])]
    where = "in the middle" if (row, column) == ("middle", "centre") else f"at the {row} {column}"
    if thing.base is None:
        return f'the word "{thing.text}" in {thing.colour} {where}'
    writing = ""
    if thing.text:
        writing = f' marked "{thing.text}"' if thing.legible else " with writing that can't be read"
    return f"{with_article(thing.colour)} {thing.name}{writing} {where}"


def _describe(scene: Scene, first: list[Thing], second: list[Thing], changes: list[dict[str, Any]]) -> None:
    before, after = ({t.name: t for t in things} for things in (first, second))
    told = []
    for change in changes:
        name, kind = change["name"], change["kind"]
        a, b = before.get(name), after.get(name)
        subject = f"the {(a or b).called}"  # type: ignore[union-attr]
        if kind == "recoloured":
            assert a and b
            told.append(f"{subject} turns from {a.colour} to {b.colour}")
        elif kind == "relabelled":
            assert a and b
            told.append(f'the writing on {subject} changes from "{a.text}" to "{b.text}"')
        elif kind == "resized":
            assert a and b
            told.append(f"{subject} becomes {'larger' if b.share > a.share else 'smaller'}")
        else:
            told.append(f"{subject} {TOLD[kind]}")
    changed = "; ".join(told) if told else "the two are the same"
    number = ("No", "One", "Two", "Three")[len(changes)]
    scene.short_caption = f"{number} change{'s' * (len(changes) != 1)} between two pictures."
    change = f"from the first to the second, {changed}" if told else changed
    scene.caption = f"Two pictures, the first of {len(first)} things; {change}."
    scene.long_caption = (
        "The first picture shows "
        + ", ".join(_described(t, scene.picture.size) for t in first)
        + ". "
        + (
            "From the first to the second picture, " + changed + "."
            if told
            else "The second picture is the same."
        )
    )
