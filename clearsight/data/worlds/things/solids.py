"""Solids on a floor, in perspective, with light and shadow: how many of a kind, which is nearer, what hides what.

The rendering is in `solid_rendering`; what hides what is read off its pixels. Cubes may carry a letter on the face that
looks at the camera. Colours are only those that light and shadow leave beyond doubt.
"""

import itertools
import random
from typing import Any

from PIL import Image

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.outlines import plural
from clearsight.data.worlds.scene import Scene, Split, rng_for, with_article
from clearsight.data.worlds.things.solid_rendering import SHAPES, Rendered, render
from clearsight.data.worlds.things.solid_scenes import (
    ATTRIBUTES,
    COLOURS,
    ENLARGED,
    MATERIALS,
    REACHES,
    TEMPLATES,
    Thing,
    floor_of,
    note,
    place,
    view_of,
)

VALUES = {"size": tuple(REACHES), "colour": COLOURS, "material": MATERIALS, "shape": SHAPES}
LETTERED = 0.6  # share of pictures whose cubes carry letters
LEAST_VISIBLE = 0.35  # share of every solid that must be seen

COUNT = (
    "How many objects are there?",
    "Count all the objects.",
    "How many solid bodies stand on the floor in all?",
)
COUNT_KIND = ("How many {sort} are there?", "Count the {sort}.", "How many {sort} stand on the floor?")
EXISTS = ("Is there {sort}?", "Can you see {sort}?", "Does {sort} stand anywhere on the floor?")
COLOUR = (
    "What colour is the {thing}?",
    "What is the colour of the {thing}?",
    "In which colour was the {thing} painted?",
)
SHAPE = (
    "What shape is the {thing}?",
    "What is the shape of the {thing}?",
    "Which kind of solid is the {thing}?",
)
MATERIAL = (
    "Is the {thing} matte or shiny?",
    "What surface does the {thing} have, matte or shiny?",
    "Judging by its surface, is the {thing} matte or shiny?",
)
EXTENT = (
    "Is the {thing} large or small?",
    "What size is the {thing}, large or small?",
    "Of the two sizes, large or small, which has the {thing}?",
)
SAME = (
    "Do the {thing} and the {other} have the same {attribute}?",
    "Are the {thing} and the {other} of the same {attribute}?",
    "Comparing the {thing} with the {other}: is their {attribute} the same?",
)
COUNT_SAME = (
    "How many other objects have the same {attribute} as the {thing}?",
    "How many things share their {attribute} with the {thing}?",
    "Apart from itself, how many solids match the {thing} in {attribute}?",
)
MORE = (
    "Are there more {sort} than {others}?",
    "Is the number of {sort} greater than that of {others}?",
    "On this floor, do {sort} outnumber {others}?",
)
SIDE = (
    "Is the {thing} left or right of the {other}?",
    "Which side of the {other} is the {thing} on, left or right?",
    "From where the camera stands, is the {thing} left or right of the {other}?",
)
DEPTH = (
    "Is the {thing} in front of or behind the {other}?",
    "Does the {thing} stand in front of or behind the {other}?",
    "Seen by the camera, is the place of the {thing} in front of or behind the {other}?",
)
COUNT_SIDE = (
    "How many objects are {side} the {thing}?",
    "Count the objects {side} the {thing}.",
    "How many of the other solids stand {side} the {thing}?",
)
NEAREST = (
    "What shape is the object nearest to the camera?",
    "Which shape is closest to the viewer?",
    "Which kind of solid stands nearest to whoever took this picture?",
)
FARTHEST = (
    "What colour is the object farthest from the camera?",
    "Which colour does the most distant object have?",
    "In which colour is the solid that stands deepest in the scene?",
)
HIDDEN = (
    "Is the {thing} partly hidden by another object?",
    "Does another object cover part of the {thing}?",
    "Does something stand so that part of the {thing} can't be seen?",
)
HIDES = (
    "What shape is the object that partly hides the {thing}?",
    "The {thing} is partly hidden. By an object of which shape?",
    "Which kind of solid covers a part of the {thing}?",
)
ORDER = (
    "List the colours of the objects from left to right.",
    "Which colours do the objects have, from left to right?",
    "Going from the left to the right of the floor, name the colour of every solid.",
)
INWARD = (
    "List the shapes from the nearest to the farthest.",
    "Which shapes are there, from the nearest to the most distant?",
    "Starting at the camera and going deeper, name the shape of every solid.",
)
POINT = (
    "Where is the {thing}?",
    "Point to the {thing}.",
    "Show the spot on the floor where the {thing} stands.",
)
BOX = (
    "Frame the {thing}.",
    "What is the box around the {thing}?",
    "Enclose all that is visible of the {thing}.",
)
LETTER = (
    "Which character is on the {thing}?",
    "What is written on the {thing}?",
    "Read the face of the {thing}: which character does it bear?",
)


Named = tuple[Thing, dict[str, str]]  # a thing and attributes that none but it has


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("solids", seed, split)
    template = rng.choice(TEMPLATES[split])
    lettered, font = rng.random() < LETTERED, any_font(rng, split)
    while True:
        view = view_of(rng)
        things = place(rng, split, template, view, lettered, font)
        lamp = (rng.choice((-1, 1)) * rng.uniform(0.3, 0.9), -rng.uniform(0.3, 0.8), rng.uniform(0.9, 1.4))
        floor = floor_of(rng, split, template, view)
        drawn = render(view, floor, [thing.solid for thing in things], lamp)
        if all(drawn.visible(i) > LEAST_VISIBLE for i in range(len(things))):
            break
    size = round(view.width * ENLARGED), round(view.height * ENLARGED)
    scene = Scene("solids", seed, split, drawn.picture.resize(size, Image.Resampling.BILINEAR))
    for index, thing in enumerate(things):
        note(scene, view, drawn, index, thing)
    scene.facts = {
        "template": template,
        "solids": [
            {a: getattr(t, a) for a in (*ATTRIBUTES, "box", "visible", "distance", "letter", "legible")}
            | {"x": t.solid.x, "y": t.solid.y}
            for t in things
        ],
        "hides": drawn.hides,
    }
    _ask(Asker(scene, rng), things, drawn)
    _describe(scene, things)
    return scene


# ---------------------------------------------------------------------------------------------------
# The scene


# ---------------------------------------------------------------------------------------------------
# What is asked


def phrase(kind: dict[str, str], *, several: bool = False) -> str:
    """ "large red shiny cube", "small objects"."""
    words = [kind[a] for a in ("size", "colour", "material") if a in kind]
    noun = kind.get("shape", "object")
    return " ".join([*words, plural(noun) if several else noun])


def _usable(things: list[Thing], without: str = "") -> list[str]:
    """Attributes that can be spoken of: a size only where there is another one to compare it with."""
    sizes = {thing.size for thing in things}
    return [a for a in ATTRIBUTES if a != without and (a != "size" or len(sizes) > 1)]


def _naming(
    rng: random.Random, things: list[Thing], thing: Thing, without: str = ""
) -> dict[str, str] | None:
    """As few attributes as tell this thing from all the others; None when none do."""
    usable = _usable(things, without)
    for count in range(1, len(usable) + 1):
        ways = [
            {a: getattr(thing, a) for a in attributes} for attributes in itertools.combinations(usable, count)
        ]
        rng.shuffle(ways)
        for kind in ways:
            if sum(other.is_a(kind) for other in things) == 1:
                return kind
    return None


def _absent_kind(rng: random.Random, things: list[Thing], without: str = "") -> dict[str, str] | None:
    """Two attributes that things in the picture have, but none has both."""
    ways = []
    for a, b in itertools.combinations(_usable(things, without), 2):
        shown = {(getattr(t, a), getattr(t, b)) for t in things}
        firsts, seconds = {first for first, _ in shown}, {second for _, second in shown}
        for first, second in itertools.product(VALUES[a], VALUES[b]):
            if (first in firsts or second in seconds) and (first, second) not in shown:
                ways.append((first in firsts and second in seconds, {a: first, b: second}))
    close = [kind for both, kind in ways if both] or [kind for _, kind in ways]
    return rng.choice(close) if close else None


def _ask(ask: Asker, things: list[Thing], drawn: Rendered) -> None:
    ask.count("count", COUNT, len(things), about={})
    named = [(thing, kind) for thing in things if (kind := _naming(ask.rng, things, thing))]
    _ask_kinds(ask, things)
    _ask_attributes(ask, things)
    _ask_places(ask, things, named)
    if len(named) > 1:
        _ask_pairs(ask, things, named)
    _ask_hiding(ask, things, named, drawn)
    _ask_letters(ask, named)


def _some_kind(rng: random.Random, things: list[Thing]) -> dict[str, str]:
    """One or two attributes of some thing."""
    thing = rng.choice(things)
    return {a: getattr(thing, a) for a in rng.sample(_usable(things), rng.choice((1, 1, 2)))}


def _ask_kinds(ask: Asker, things: list[Thing]) -> None:
    rng = ask.rng
    kind = _some_kind(rng, things)
    number = sum(t.is_a(kind) for t in things)
    ask.count("count kind", COUNT_KIND, number, sort=phrase(kind, several=True), about={"kind": kind})
    kind = _some_kind(rng, things)
    if rng.random() < 0.5:
        kind = _absent_kind(rng, things) or kind
    shown = any(t.is_a(kind) for t in things)
    ask.yes_no("exists", EXISTS, shown, sort=with_article(phrase(kind)), about={"kind": kind})
    absent = _absent_kind(rng, things, "colour")
    if absent:
        ask.not_shown("colour of what is absent", COLOUR, thing=phrase(absent), about={"thing": absent})
    attribute = rng.choice(("shape", "colour", "size", "material"))
    values = sorted({getattr(t, attribute) for t in things})
    if len(values) > 1:
        a, b = rng.sample(values, 2)
        first, second = (sum(getattr(t, attribute) == v for t in things) for v in (a, b))
        if first != second:
            ask.yes_no(
                "more",
                MORE,
                first > second,
                sort=phrase({attribute: a}, several=True),
                others=phrase({attribute: b}, several=True),
                about={"a": {attribute: a}, "b": {attribute: b}},
            )


def _ask_attributes(ask: Asker, things: list[Thing]) -> None:
    rng = ask.rng
    for attribute, ways in (("colour", COLOUR), ("shape", SHAPE), ("material", MATERIAL), ("size", EXTENT)):
        thing = rng.choice(things)
        kind = _naming(rng, things, thing, attribute)
        if not kind or attribute not in _usable(things):
            continue
        value, fills = getattr(thing, attribute), {"thing": phrase(kind), "about": {"thing": kind}}
        if attribute == "colour":
            ask.colour("colour", ways, value, needs=[thing.index], **fills)
        elif attribute == "shape" and rng.random() < 0.3:
            ask.choice("shape", ways, value, SHAPES, needs=[thing.index], **fills)
        else:
            ask.text(attribute, ways, value, needs=[thing.index] if attribute != "size" else None, **fills)


def _ask_places(ask: Asker, things: list[Thing], named: list[Named]) -> None:
    rng = ask.rng
    if named:
        thing, kind = rng.choice(named)
        ask.point("point", POINT, thing.box, thing=phrase(kind), about={"thing": kind}, needs=[thing.index])
        thing, kind = rng.choice(named)
        ask.box("box", BOX, thing.box, thing=phrase(kind), about={"thing": kind}, needs=[thing.index])
        side = rng.choice(("left of", "right of"))
        gaps = [abs(t.middle[0] - thing.middle[0]) for t in things if t is not thing]
        if gaps and min(gaps) > 14:
            sign = 1 if side == "right of" else -1
            number = sum(sign * (t.middle[0] - thing.middle[0]) > 0 for t in things)
            about = {"side": side, "thing": kind}
            ask.count("count side", COUNT_SIDE, number, side=side, thing=phrase(kind), about=about)
    if len(things) < 2:
        return
    inward = sorted(things, key=lambda t: t.distance)
    if inward[1].distance - inward[0].distance > 0.5:
        ask.text("nearest", NEAREST, inward[0].shape, about={})
    if inward[-1].distance - inward[-2].distance > 0.5:
        ask.colour("farthest", FARTHEST, inward[-1].colour, about={})
    if len(things) < 6 and apart([t.distance for t in things], 0.5):
        ask.items("inward", INWARD, [t.shape for t in inward], ordered=True, about={})
    if len(things) < 7 and apart([t.middle[0] for t in things], 16):
        across = sorted(things, key=lambda t: t.middle[0])
        ask.items("left to right", ORDER, [t.colour for t in across], ordered=True, about={})


def _ask_pairs(ask: Asker, things: list[Thing], named: list[Named]) -> None:
    rng = ask.rng
    (a, first), (b, second) = rng.sample(named, 2)
    fills: dict[str, Any] = {
        "thing": phrase(first),
        "other": phrase(second),
        "about": {"a": first, "b": second},
    }
    if abs(a.middle[0] - b.middle[0]) > 24:
        ask.text("side", SIDE, "left" if a.middle[0] < b.middle[0] else "right", **fills)
    if abs(a.solid.y - b.solid.y) > 0.8 and (a.distance < b.distance) == (a.solid.y < b.solid.y):
        answer = "in front" if a.solid.y < b.solid.y else "behind"
        ask.text(
            "depth", DEPTH, answer, alternatives=(f"{answer} of", f"{answer} of it", f"{answer} it"), **fills
        )
    attribute = rng.choice([x for x in _usable(things) if x not in first and x not in second] or [""])
    if attribute:
        same = getattr(a, attribute) == getattr(b, attribute)
        fills["about"] = {"a": first, "b": second, "attribute": attribute}
        ask.yes_no("same", SAME, same, attribute=attribute, **fills)
    thing, kind = rng.choice(named)
    attribute = rng.choice([x for x in _usable(things) if x not in kind] or [""])
    if attribute:
        number = sum(getattr(t, attribute) == getattr(thing, attribute) for t in things) - 1
        about = {"thing": kind, "attribute": attribute}
        ask.count("count same", COUNT_SAME, number, attribute=attribute, thing=phrase(kind), about=about)


def _ask_hiding(ask: Asker, things: list[Thing], named: list[Named], drawn: Rendered) -> None:
    rng = ask.rng
    covered, free = [], []
    for thing, kind in named:
        j = things.index(thing)
        if thing.visible < 0.9:
            hiding = [i for i in range(len(things)) if drawn.hides[i][j] > 0.03 * drawn.pixels[j]]
            covered.append((thing, kind, hiding))
        elif not any(drawn.hides[i][j] for i in range(len(things))):
            free.append((thing, kind, []))
    asked = (
        covered if covered and rng.random() < 0.7 else free if len(things) > 1 and rng.random() < 0.35 else []
    )
    if asked:
        thing, kind, _ = rng.choice(asked)
        ask.yes_no("hidden", HIDDEN, asked is covered, thing=phrase(kind), about={"thing": kind})
    alone = [(thing, kind, hiding[0]) for thing, kind, hiding in covered if len(hiding) == 1]
    if alone:
        thing, kind, index = rng.choice(alone)
        ask.text("hides", HIDES, things[index].shape, thing=phrase(kind), about={"thing": kind})


def _ask_letters(ask: Asker, named: list[Named]) -> None:
    for legible in (True, False):
        lettered = [(t, kind) for t, kind in named if t.letter and t.legible == legible]
        if not lettered:
            continue
        thing, kind = ask.rng.choice(lettered)
        fills = {"thing": phrase(kind), "about": {"thing": kind}}
        if legible:
            assert thing.character is not None
            ask.text("letter", LETTER, thing.letter, needs=[thing.character], **fills)
        else:
            ask.cant_be_read("letter that can't be read", LETTER, **fills)


def _describe(scene: Scene, things: list[Thing]) -> None:
    across = sorted(things, key=lambda t: t.middle[0])
    names = [with_article(f"{t.colour} {t.shape}") for t in across]
    one = len(things) == 1
    scene.short_caption = f"{names[0].capitalize()}." if one else f"{len(things)} solids on a floor."
    scene.caption = ("There is " if one else "From left to right: ") + ", ".join(names) + "."
    parts = []
    for t in across:
        said = with_article(phrase({a: getattr(t, a) for a in ATTRIBUTES}))
        if t.letter:
            said += f' with "{t.letter}" on it' if t.legible else " with an illegible letter on it"
        if t.visible < 0.9:
            said += ", partly hidden"
        parts.append(said)
    front = min(things, key=lambda t: t.distance)
    scene.long_caption = (
        "A rendered floor with " if one else "A rendered floor with, from left to right: "
    ) + "; ".join(parts)
    scene.long_caption += "." if one else f". The {front.colour} {front.shape} stands nearest."
