"""Icons and colour emoji in simple scenes: what is there, how many, where, beside what, and under which name.

Things are drawn as colour emoji or, in pictures of plain icons, as drawings in one named colour; both by hands that
evaluation does not share with training. Labels are words or prices. Colours are asked of plain icons alone: an emoji
has several.
"""

import math

from clearsight.data.worlds import asking
from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import emoji_drawings
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import NAMES, standing_out
from clearsight.data.worlds.scene import Scene, Split, rng_for, wording
from clearsight.data.worlds.things import icon_backdrops
from clearsight.data.worlds.things.icon_backdrops import Backdrop
from clearsight.data.worlds.things.icon_scenes import (
    COUNTED_SORTS,
    PLAIN,
    PLURAL_NOUNS,
    Thing,
    absent,
    cast,
    draw,
    is_countable,
    labels_for,
    plural,
    sort_of,
    with_determiner,
    write,
)

TEMPLATES = icon_backdrops.TEMPLATES
ORDINALS = ("first", "second", "third", "fourth")

WHAT = ("What is shown?", "What does the picture show?", "What is depicted, in a word or two?")
COUNT = (
    "How many things are there?",
    "Count everything drawn here.",
    "What is the total number of drawings here?",
)
COUNT_THING = (
    "How many {plural} are there?",
    "Count the {plural}.",
    "How often does the drawing of {a} occur?",
)
COUNT_SORT = (
    "How many {things} are there?",
    "Count the {things}.",
    "How many of the drawings are {things}, by your count?",
)
PRESENT = ("Is there {a} in the picture?", "Do you see {a} here?", "Does {a} occur among the drawings?")
MORE = (
    "Are there more {plural} than {others}?",
    "Do the {plural} outnumber the {others}?",
    "Is the number of {plural} above the number of {others}?",
)
DIFFERENCE = (
    "How many more {plural} than {others} are there?",
    "By how many do the {plural} outnumber the {others}?",
    "What is the surplus of {plural} over {others}?",
)
MOST = (
    "Which thing is drawn most often?",
    "What occurs most often?",
    "Name the drawing that is repeated more than any other.",
)
STRANGER = (
    "Which one is not {sort}?",
    "One drawing is not {sort}. Which?",
    "Name the odd one out, the only one that isn't {sort}.",
)
COLOUR = (
    "What colour {be} the {thing}?",
    "Which colour {be} the {thing} drawn in?",
    "Name the colour that was used to draw the {thing}.",
)
OF_COLOUR = (
    "Which icon is {colour}?",
    "What is drawn in {colour}?",
    "Name the only icon that was given the colour {colour}.",
)
TILE = (
    "What colour is the tile of the {thing}?",
    "Which colour is behind the {thing}?",
    "On a square of which colour {do} the {thing} lie?",
)
SIDE = (
    "{Be} the {thing} to the left or right of the {other}?",
    "On which side of the {other} {be} the {thing}, left or right?",
    "Seen from the {other}, {do} the {thing} lie towards the left or the right?",
)
HEIGHT = (
    "{Be} the {thing} higher or lower than the {other}?",
    "{Do} the {thing} lie higher or lower in the picture than the {other}?",
    "Compared with the {other}, is the place of the {thing} higher or lower?",
)
BESIDE = (
    "What is directly to the {side} of the {thing}?",
    "Which thing comes next to the {side} of the {thing}?",
    "Name the direct neighbour on the {side} of the {thing}.",
)
ABOVE = (
    "What is directly {side} the {thing}?",
    "Which thing is right {side} the {thing} in the same column?",
    "Name the thing straight {side} the {thing}.",
)
CELL = (
    "What is in row {row}, column {column}?",
    "Which thing is in the {ordinal} row, column {column}?",
    "Name what occupies column {column} of row {row}.",
)
BETWEEN = (
    "What is between the {thing} and the {other}?",
    "Which thing lies between the {thing} and the {other} in their row?",
    "Name what stands in the row right between the {thing} and the {other}.",
)
ROW = (
    "List what is {where}, from left to right.",
    "Which things are {where}, from left to right?",
    "Going from left to right, name everything {where}.",
)
NEAREST = (
    "Which thing is closest to the {thing}?",
    "What is nearest to the {thing}?",
    "Name the drawing at the smallest distance from the {thing}.",
)
LARGEST = (
    "Which thing is drawn largest?",
    "What is the largest drawing of?",
    "Name the drawing that takes up the greatest space.",
)
POINT = ("Where {be} the {thing}?", "Point to the {thing}.", "Mark the place of the drawing of the {thing}.")
BOX = (
    "Frame the {thing}.",
    "What box holds the {thing}?",
    "Draw a tight frame around the drawing of the {thing}.",
)
LABEL = (
    "What is written below the {thing}?",
    "Which word stands under the {thing}?",
    "Read out the word printed beneath the {thing}.",
)
LABELLED = (
    'What is labelled "{label}"?',
    'Which thing has "{label}" written below it?',
    'Name the drawing whose label says "{label}".',
)
PRICE = (
    "What {do} the {thing} cost?",
    "What is the price of the {thing}?",
    "Read off the price on the shelf under the {thing}.",
)
DEAREST = (
    "Which thing costs the most?",
    "What is the most expensive thing?",
    "Name the thing with the highest price on its shelf.",
)
CHEAPER = (
    "{Do} the {thing} cost less than the {other}?",
    "{Be} the {thing} cheaper than the {other}?",
    "Is the price under the {thing} lower than that under the {other}?",
)
TOTAL = (
    "What do the {thing} and the {other} cost together?",
    "How much do you pay for the {thing} and the {other}?",
    "Add the prices of the {thing} and the {other}: what is the sum?",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("icons", seed, split)
    stage = icon_backdrops.backdrop(rng, split)
    scene = Scene("icons", seed, split, stage.picture)
    plain = not any(slot.among for slot in stage.slots) and rng.random() < PLAIN
    names = cast(rng, stage, plain)
    labels = labels_for(rng, split, stage) if stage.labels else [""] * len(names)
    font = any_font(rng, split)
    same_ink = standing_out(rng, split, stage.slots[0].ground) if rng.random() < 0.3 else None
    hands: dict[str, int] = {}
    things = []
    for slot, name, label in zip(stage.slots, names, labels, strict=True):
        hand = hands.setdefault(name, rng.randrange(1000)) if rng.random() < 0.7 else rng.randrange(1000)
        thing = draw(rng, scene, stage, slot, name, plain, hand, same_ink)
        if label:
            write(rng, scene, slot, thing, label, font)
        things.append(thing)
    scene.facts = {
        "template": stage.template,
        "plain": plain,
        "labels": stage.labels if any(labels) else "",
        "things": [
            {
                key: getattr(thing, key)
                for key in ("name", "box", "row", "column", "colour", "tile", "label", "legible")
            }
            | {"sort": sort_of(thing.name)}
            for thing in things
        ],
    }
    _ask(Asker(scene, rng), stage, things, plain)
    _describe(scene, stage, things)
    return scene


# ---------------------------------------------------------------------------------------------------
# What is drawn


def _subject(name: str) -> dict[str, str]:
    """What fills in a wording whose subject is the thing: its name and the forms of its verbs."""
    several = name in PLURAL_NOUNS
    be, do = ("are", "do") if several else ("is", "does")
    return {"thing": name, "be": be, "Be": be.capitalize(), "do": do, "Do": do.capitalize()}


# ---------------------------------------------------------------------------------------------------
# What is asked


def _ask(ask: Asker, stage: Backdrop, things: list[Thing], plain: bool) -> None:
    names = [thing.name for thing in things]
    unique = [thing for thing in things if names.count(thing.name) == 1]
    if len(things) == 1:
        ask.text("what is shown", WHAT, names[0], about={})
    else:
        ask.count("count", COUNT, len(things), about={})
        _ask_counts(ask, names, plain)
    _ask_presence(ask, names, plain)
    if unique:
        _ask_places(ask, things, unique)
        if stage.row_name:
            _ask_rows(ask, stage, things, unique)
        if plain:
            _ask_colours(ask, things, unique)
        if stage.labels == "price":
            _ask_prices(ask, things, unique)
        else:
            _ask_labels(ask, unique)


def _ask_counts(ask: Asker, names: list[str], plain: bool) -> None:
    rng = ask.rng
    countable = sorted({name for name in names if is_countable(name)})
    if countable:
        name = rng.choice(countable)
        ask.count(
            "count thing",
            COUNT_THING,
            names.count(name),
            thing=name,
            plural=plural(name),
            a=with_determiner(name),
        )
    if len(countable) > 1:
        a, b = rng.sample(countable, 2)
        more, fewer = names.count(a), names.count(b)
        if more != fewer:
            ask.yes_no("more", MORE, more > fewer, plural=plural(a), others=plural(b), about={"a": a, "b": b})
        if more > fewer:
            about = {"a": a, "b": b}
            ask.count("difference", DIFFERENCE, more - fewer, plural=plural(a), others=plural(b), about=about)
    numbers = sorted(((names.count(name), name) for name in set(names)), reverse=True)
    if len(numbers) > 1 and numbers[0][0] > numbers[1][0]:
        ask.text("most", MOST, numbers[0][1], about={})
    if plain or "teddy bear" in names:
        return
    sorts = [sort_of(name) for name in names]
    for sort in COUNTED_SORTS:
        if len(names) > 2 and sorts.count(sort) == len(names) - 1:
            (odd,) = [name for name in names if sort_of(name) != sort]
            ask.text(
                "stranger",
                STRANGER,
                odd,
                sort="something to eat" if sort == "food" else emoji_drawings.with_determiner(sort),
                about={"sort": sort},
            )
    sort = rng.choice([s for s in COUNTED_SORTS if s in sorts] or list(COUNTED_SORTS))
    ask.count("count sort", COUNT_SORT, sorts.count(sort), things=COUNTED_SORTS[sort], about={"sort": sort})


def _ask_presence(ask: Asker, names: list[str], plain: bool) -> None:
    rng = ask.rng
    present = rng.random() < 0.5
    name = rng.choice(names) if present else absent(rng, names, plain)
    ask.yes_no("present", PRESENT, present, a=with_determiner(name), about={"thing": name})
    missing = _subject(absent(rng, names, plain))
    ask.not_shown(
        "place of what is absent", POINT, after=" " + wording(rng, ask.split, asking.POINT), **missing
    )


def _ask_places(ask: Asker, things: list[Thing], unique: list[Thing]) -> None:
    rng = ask.rng
    thing = rng.choice(unique)
    ask.point("point", POINT, thing.box, **_subject(thing.name), needs=[thing.index])
    thing = rng.choice(unique)
    ask.box("box", BOX, thing.box, thing=thing.name, needs=[thing.index])
    if len(unique) > 1:
        a, b = rng.sample(unique, 2)
        (xa, ya), (xb, yb) = a.middle, b.middle
        if abs(xa - xb) > 0.4 * (a.side + b.side):
            ask.text("side", SIDE, "left" if xa < xb else "right", **_subject(a.name), other=b.name)
        if abs(ya - yb) > 0.3 * (a.side + b.side):
            ask.text("height", HEIGHT, "higher" if ya < yb else "lower", **_subject(a.name), other=b.name)
    thing = rng.choice(unique)
    others = sorted(
        (math.dist(thing.middle, other.middle), other.name) for other in things if other is not thing
    )
    if len(others) > 1 and others[1][0] > 1.3 * others[0][0]:
        ask.text("nearest", NEAREST, others[0][1], thing=thing.name)
    sizes = sorted(((t.box[2] - t.box[0]) * (t.box[3] - t.box[1]), t.name) for t in things)
    if len(things) > 1 and sizes[-1][0] > 1.5 * sizes[-2][0]:
        ask.text("largest", LARGEST, sizes[-1][1], about={})


def _ask_rows(ask: Asker, stage: Backdrop, things: list[Thing], unique: list[Thing]) -> None:
    rng = ask.rng
    at = {(thing.row, thing.column): thing for thing in things}
    thing = rng.choice(unique)
    sides = [(s, at.get((thing.row, thing.column + d))) for s, d in (("left", -1), ("right", 1))]
    sides = [(side, other) for side, other in sides if other]
    if sides:
        side, other = rng.choice(sides)
        ask.text("beside", BESIDE, other.name, side=side, thing=thing.name)
    ends = [(a, b) for a in unique for b in unique if a.row == b.row and b.column == a.column + 2]
    if ends:
        a, b = rng.choice(ends)
        ask.text("between", BETWEEN, at[a.row, a.column + 1].name, thing=a.name, other=b.name)
    rows = sorted({t.row for t in things})
    row = rng.choice(rows)
    line = [t.name for t in sorted(things, key=lambda t: t.column) if t.row == row]
    if len(rows) > 1 and len(line) > 1:
        if stage.row_name == "shelf":
            end = {1: "top", rows[-1]: "bottom"}.get(row, "middle")
            where = f"on the {end} shelf"
        else:
            where = f"in the {ORDINALS[row - 1]} row"
        ask.items("row", ROW, line, ordered=True, where=where, about={"row": row})
    if stage.row_name != "row":
        return
    thing = rng.choice(things)
    if len(things) > 2:
        place = {"row": thing.row, "column": thing.column}
        ask.text("cell", CELL, thing.name, ordinal=ORDINALS[thing.row - 1], about=place, **place)
    thing = rng.choice(unique)
    over = [(s, at.get((thing.row + d, thing.column))) for s, d in (("above", -1), ("below", 1))]
    over = [(side, other) for side, other in over if other]
    if over:
        side, other = rng.choice(over)
        ask.text("above", ABOVE, other.name, side=side, thing=thing.name)


def _ask_colours(ask: Asker, things: list[Thing], unique: list[Thing]) -> None:
    rng = ask.rng
    thing = rng.choice(unique)
    if rng.random() < 0.3:
        ask.choice("colour", COLOUR, thing.colour, NAMES, **_subject(thing.name), needs=[thing.index])
    else:
        ask.colour("colour", COLOUR, thing.colour, **_subject(thing.name), needs=[thing.index])
    colours = [t.colour for t in things]
    alone = [t for t in things if colours.count(t.colour) == 1]
    if alone and len(things) > 1:
        thing = rng.choice(alone)
        ask.text("of colour", OF_COLOUR, thing.name, colour=thing.colour)
    thing = rng.choice(unique)
    if thing.tile:
        ask.colour("tile", TILE, thing.tile, **_subject(thing.name))


def _ask_labels(ask: Asker, unique: list[Thing]) -> None:
    rng = ask.rng
    written = [t for t in unique if t.label and t.legible]
    smudged = [t for t in unique if t.label and not t.legible]
    if written:
        thing = rng.choice(written)
        ask.text("label", LABEL, thing.label, thing=thing.name, needs=thing.words)
        thing = rng.choice(written)
        if len(written) > 1:
            ask.text("labelled", LABELLED, thing.name, label=thing.label)
    if smudged:
        ask.cant_be_read("label that can't be read", LABEL, thing=rng.choice(smudged).name)


def _ask_prices(ask: Asker, things: list[Thing], unique: list[Thing]) -> None:
    rng = ask.rng
    written = [t for t in unique if t.legible]
    smudged = [t for t in unique if not t.legible]
    if smudged:
        ask.cant_be_read("price that can't be read", PRICE, **_subject(rng.choice(smudged).name))
    if written:
        thing = rng.choice(written)
        ask.number(
            "price", PRICE, _cents(thing) / 100, answer=thing.label, **_subject(thing.name), needs=thing.words
        )
    if len(written) > 1:
        a, b = rng.sample(written, 2)
        ask.yes_no("cheaper", CHEAPER, _cents(a) < _cents(b), **_subject(a.name), other=b.name)
        total = _cents(a) + _cents(b)
        answer = f"${total // 100}.{total % 100:02d}"
        ask.number("total", TOTAL, total / 100, answer=answer, thing=a.name, other=b.name)
    if len(things) > 1 and all(t.legible for t in things):
        dearest = max(things, key=_cents)
        ask.text("dearest", DEAREST, dearest.name, about={})


def _cents(thing: Thing) -> int:
    return int(thing.label.replace("$", "").replace(".", ""))


# ---------------------------------------------------------------------------------------------------
# Captions


def _describe(scene: Scene, stage: Backdrop, things: list[Thing]) -> None:
    names = [thing.name for thing in things]
    groups = []
    for name in dict.fromkeys(names):
        count = names.count(name)
        groups.append(
            with_determiner(name) if count == 1 or not is_countable(name) else f"{count} {plural(name)}"
        )
    everything = _and(groups)
    kind = "icons" if scene.facts["plain"] else "drawings"
    scene.short_caption = (
        f"{_upper(groups[0])}." if len(things) == 1 else f"{len(things)} {kind} {stage.where}."
    )
    scene.caption = f"{_upper(everything)} {stage.where}."
    if len(scene.short_caption) > len(scene.caption):
        scene.short_caption = scene.caption
    parts = [scene.caption[:-1]]
    for thing in things:
        said = [f"in {thing.colour}"] if thing.colour else []
        said += [f"on a {thing.tile} tile"] if thing.tile else []
        if thing.label:
            said.append(f'marked "{thing.label}"' if thing.legible else "labelled illegibly")
        be = "are" if thing.name in PLURAL_NOUNS else "is"
        if said:
            parts.append(f"the {thing.name} {be} {_and(said)}" if len(things) > 1 else f"it is {_and(said)}")
    if stage.row_name and len(things) > 1:
        for row in sorted({thing.row for thing in things}):
            line = [with_determiner(t.name) for t in sorted(things, key=lambda t: t.column) if t.row == row]
            parts.append(f"{stage.row_name} {row}, from the left: {', '.join(line)}")
    scene.long_caption = "; ".join(parts) + "."


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]
