"""Coloured shapes on a plane, some with a letter on them: what, which colour, how many, where, and how large."""

import math
from typing import Any

from PIL import ImageDraw

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.outlines import SHAPES, outline, paste, places, plural
from clearsight.data.worlds.drawing.palette import NAMES, background, readable_on, standing_out
from clearsight.data.worlds.scene import Scene, Split, rng_for, with_article

LETTERS = "ABCDEFHKLMNPRSTUXYZ2345679"
LETTERED = 0.35  # share of pictures whose shapes carry letters

COUNT = ("How many shapes are there?", "Count all the shapes.", "How many shapes can be seen in all?")
COUNT_SHAPE = ("How many {plural} are there?", "Count the {plural}.", "What is the number of {plural}?")
COUNT_COLOUR = (
    "How many shapes are {colour}?",
    "Count the {colour} shapes.",
    "How many of the shapes are {colour}?",
)
COLOUR = (
    "What colour is the {shape}?",
    "Which colour does the {shape} have?",
    "Name the colour of the {shape}.",
)
SHAPE = (
    "Which shape is {colour}?",
    "What shape is the {colour} one?",
    "What is the shape of the {colour} thing?",
)
PRESENT = ("Is there {a} {shape}?", "Do you see {a} {shape}?", "Can {a} {shape} be seen here?")
SIDE = (
    "Is the {a} left or right of the {b}?",
    "Where is the {a}, left or right of the {b}?",
    "Does the {a} lie to the left or to the right of the {b}?",
)
HEIGHT = (
    "Is the {a} above or below the {b}?",
    "Where is the {a}, above or below the {b}?",
    "Does the {a} lie higher or lower than the {b}: above or below?",
)
LARGEST = ("Which shape is the largest?", "What is the largest shape?", "Name the biggest of the shapes.")
ORDER = (
    "List the shapes from left to right.",
    "Which shapes are there, from left to right?",
    "Name every shape, going from left to right.",
)
POINT = ("Where is the {shape}?", "Point to the {shape}.", "Show where the {shape} lies.")
BOX = ("Frame the {shape}.", "What is the box around the {shape}?", "Put a box around the {shape}.")
LETTER = (
    "Which letter or digit is on the {shape}?",
    "What is written on the {shape}?",
    "Read what the {shape} says.",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("shapes", seed, split)
    canvas, ground = background(rng, split)
    scene = Scene("shapes", seed, split, canvas)
    count = rng.choice((1, 2, 3, 3, 4, 5, 6, 8, 10))
    distinct = rng.random() < 0.6
    shapes = (
        rng.sample(SHAPES, count) if distinct else rng.choices(rng.sample(SHAPES, min(count, 3)), k=count)
    )
    lettered = rng.random() < LETTERED
    draw, font = ImageDraw.Draw(canvas), any_font(rng, split)
    low, high = (130, 330) if count == 1 else (56, int(240 / math.sqrt(count)) + 30)
    things: list[dict[str, Any]] = []
    for shape, (left, top, size) in zip(shapes, places(rng, count, low, high), strict=True):
        colour, ink = standing_out(rng, split, ground)
        paste(canvas, scene, outline(shape, size, rng.uniform(-14, 14)), left, top, shape, colour, ink)
        thing = {"shape": shape, "colour": colour, "box": [left, top, left + size, top + size]}
        if lettered and shape not in ("ring", "cross"):
            letter, height = rng.choice(LETTERS), max(18, int(size * 0.36))
            x = left + (size - lettering.width_of(letter, font, height)) / 2
            line = lettering.draw_line(
                draw, x, top + size * 0.5 - height * 0.6, letter, font, height, readable_on(ink)
            )
            thing |= {"letter": letter, "legible": rng.random() > 0.2, "place": len(scene.placed)}
            if thing["legible"]:
                scene.placed += line.placed
            else:
                lettering.smudge(canvas, line.box, rng)
        things.append(thing)
    scene.facts = {"things": [{k: v for k, v in thing.items() if k != "place"} for thing in things]}
    _ask(Asker(scene, rng), things)
    _describe(scene, things)
    return scene


def _ask(ask: Asker, things: list[dict[str, Any]]) -> None:
    rng = ask.rng
    shapes, colours = [t["shape"] for t in things], [t["colour"] for t in things]
    unique = [t for t in things if shapes.count(t["shape"]) == 1]
    ask.count("count", COUNT, len(things))
    shape = rng.choice(shapes)
    ask.count("count shape", COUNT_SHAPE, shapes.count(shape), shape=shape, plural=plural(shape))
    colour = rng.choice(colours if rng.random() < 0.8 else NAMES)
    ask.count("count colour", COUNT_COLOUR, colours.count(colour), colour=colour)
    present = rng.random() < 0.5
    asked = rng.choice(shapes if present else [s for s in SHAPES if s not in shapes] or shapes)
    ask.yes_no("present", PRESENT, asked in shapes, shape=asked, a="a")
    if len(set(shapes)) > 1 and apart([_middle(t)[0] for t in things], 12):
        in_order = sorted(things, key=lambda t: _middle(t)[0])
        ask.items("left to right", ORDER, [t["shape"] for t in in_order], ordered=True)
    absent = [s for s in SHAPES if s not in shapes]
    if absent:
        ask.not_shown("colour of what is absent", COLOUR, shape=rng.choice(absent))
    alone = [t for t in things if colours.count(t["colour"]) == 1]
    if alone:
        thing = rng.choice(alone)
        ask.text("shape of colour", SHAPE, thing["shape"], colour=thing["colour"])
    if not unique:
        return
    thing = rng.choice(unique)
    if rng.random() < 0.3:
        ask.choice("colour", COLOUR, thing["colour"], NAMES, shape=thing["shape"])
    else:
        ask.colour("colour", COLOUR, thing["colour"], shape=thing["shape"])
    ask.point("point", POINT, thing["box"], shape=thing["shape"])
    ask.box("box", BOX, thing["box"], shape=thing["shape"])
    sizes = sorted((t["box"][2] - t["box"][0] for t in things), reverse=True)
    largest = max(things, key=lambda t: t["box"][2] - t["box"][0])
    if len(things) > 1 and sizes[0] > 1.2 * sizes[1]:
        ask.text("largest", LARGEST, largest["shape"])
    if len(unique) >= 2:
        a, b = rng.sample(unique, 2)
        (xa, ya), (xb, yb) = _middle(a), _middle(b)
        if abs(xa - xb) > 30:
            ask.text("left or right", SIDE, "left" if xa < xb else "right", a=a["shape"], b=b["shape"])
        if abs(ya - yb) > 30:
            ask.text("above or below", HEIGHT, "above" if ya < yb else "below", a=a["shape"], b=b["shape"])
    for legible in (True, False):
        written = [t for t in unique if "letter" in t and t["legible"] == legible]
        if written:
            thing = rng.choice(written)
            if legible:
                ask.text("letter", LETTER, thing["letter"], shape=thing["shape"], needs=[thing["place"]])
            else:
                ask.cant_be_read("letter that can't be read", LETTER, shape=thing["shape"])


def _middle(thing: dict[str, Any]) -> tuple[float, float]:
    left, top, right, bottom = thing["box"]
    return (left + right) / 2, (top + bottom) / 2


def _describe(scene: Scene, things: list[dict[str, Any]]) -> None:
    names = [f"{with_article(t['colour'])} {t['shape']}" for t in things]
    scene.short_caption = names[0].capitalize() + "." if len(names) == 1 else f"{len(names)} coloured shapes."
    scene.caption = ("There is " if len(names) == 1 else "There are ") + ", ".join(names) + "."
    parts = []
    for name, thing in zip(names, things, strict=True):
        x, y = _middle(thing)
        row = "top" if y < 150 else "bottom" if y > 298 else "middle"
        column = "left" if x < 150 else "right" if x > 298 else "centre"
        where = "in the middle" if (row, column) == ("middle", "centre") else f"at the {row} {column}"
        letter = f' marked "{thing["letter"]}"' if thing.get("legible") else ""
        letter = letter or (" with a mark that can't be read" if "letter" in thing else "")
        parts.append(f"{name}{letter} {where}")
    scene.long_caption = "On a plain background: " + "; ".join(parts) + "."
