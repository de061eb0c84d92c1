"""Marks on pictures: what is boxed, circled, crossed out, pointed at, underlined, highlighted, pinned or numbered.

The pictures are boards, maps, galleries and pages of words (see `marked_pictures`); the marks are drawn over them by
`marking`. A picture has marks of several kinds, or numbers, or coloured pins, or arrows from thing to thing.
"""

import random

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import emoji_drawings
from clearsight.data.worlds.drawing.palette import NAMES
from clearsight.data.worlds.scene import Scene, Split, rng_for
from clearsight.data.worlds.things import marked_pictures
from clearsight.data.worlds.things.marked_pictures import OF_WORDS, SHAPES, Marked, Thing
from clearsight.data.worlds.things.pen import COLOURS, OF_PAGES, OF_THINGS, Mark, Pen

TEMPLATES = marked_pictures.TEMPLATES

# kind of mark: what is said of the marked thing, with the mark's colour, and without
PHRASES = {
    "box": ("inside the {colour} box", "inside the box"),
    "circle": ("circled in {colour}", "circled"),
    "cross": ("crossed out in {colour}", "crossed out"),
    "arrow": ("pointed at by the {colour} arrow", "pointed at by the arrow"),
    "underline": ("underlined in {colour}", "underlined"),
    "highlight": ("highlighted in {colour}", "highlighted"),
}
WAYS = {
    "box": "framed by a box",
    "circle": "circled",
    "cross": "crossed out",
    "arrow": "pointed at by an arrow",
    "underline": "underlined",
    "highlight": "highlighted",
}

WHAT = ("What is {mark}?", "Which thing is {mark}?", "Of all that is shown, what is {mark}?")
WORD = (
    "Which word is {mark}?",
    "What does the word that is {mark} say?",
    "Read the only word on the sheet that is {mark}.",
)
HOW = (
    "How is the {thing} marked?",
    "In which way is the {thing} marked?",
    "What was done with a pen to the {thing}?",
)
MARK_COLOUR = (
    "In which colour is the {thing} marked?",
    "What is the colour of the mark on the {thing}?",
    "Someone marked the {thing}. Name the colour of that ink.",
)
IS_MARKED = (
    "Is the {thing} {way}?",
    "Has the {thing} been {way}?",
    "Did someone see to it that the {thing} is {way}?",
)
MARKED_COLOUR = (
    "What colour is the thing {mark}?",
    "Which colour does the thing {mark} have?",
    "Name the colour of the thing itself that is {mark}.",
)
IS_COLOUR = (
    "Is the thing {mark} {colour}?",
    "Is it {colour}, the thing {mark}?",
    "Would you call the thing {mark} {colour}?",
)
COUNT_MARKED = (
    "How many {things} are marked?",
    "Count the marked {things}.",
    "How many {things} bear a mark of any kind?",
)
COUNT_WAY = (
    "How many {things} are {way}?",
    "Count the {things} that are {way}.",
    "How many of all the {things} are {way} by pen?",
)
UNMARKED = (
    "Which things are not marked?",
    "List the things without a mark.",
    "Name everything that was left without any mark.",
)
SIDE = (
    "Is the thing {mark} left or right of the one {other}?",
    "Where is the thing {mark}, left or right of the one {other}?",
    "Which side of the thing {other} is the one {mark} on, left or right?",
)
POINT = ("Point to what is {mark}.", "Where is the thing {mark}?", "Show the place of whatever is {mark}.")
BOX = (
    "Frame what is {mark}.",
    "What is the box around the thing {mark}?",
    "Give the outline of whatever is {mark}, as a frame.",
)
NUMBER_OF = (
    "Which number marks the {thing}?",
    "What number is on the {thing}?",
    "Under which number can the {thing} be found?",
)
NUMBERED = (
    "What is marked with the number {number}?",
    "Which thing has the number {number}?",
    "Look for the number {number}: which thing does it mark?",
)
POINT_NUMBER = (
    "Point to number {number}.",
    "Where is number {number}?",
    "Show what the number {number} was put on.",
)
HIGHEST = (
    "Which thing has the {end} number?",
    "What is marked with the {end} number?",
    "Of all things with numbers, which has the {end}?",
)
IN_ORDER = (
    "List the things in the order of their numbers.",
    "Which things are numbered, from the lowest number to the highest?",
    "Call the numbers upwards from the lowest: which things do they mark, in turn?",
)
SUM = (
    "What is the sum of the numbers on the {thing} and the {other}?",
    "Add the number of the {thing} to that of the {other}.",
    "Taken together, what do the numbers of the {thing} and the {other} come to?",
)
COUNT_PINS = ("How many pins are there?", "Count the pins.", "How many pins were stuck into this picture?")
COUNT_PINS_OF = (
    "How many pins are {colour}?",
    "Count the {colour} pins.",
    "How many {colour} pins were stuck into this picture?",
)
PIN_COLOUR = (
    "What colour is the pin on the {thing}?",
    "Which colour has the pin that marks the {thing}?",
    "Name the colour of the pin stuck into the {thing}.",
)
PINNED = (
    "What does the {colour} pin mark?",
    "Which thing has the {colour} pin?",
    "Into which thing was the {colour} pin stuck?",
)
LEADS = (
    "Where does the arrow from the {thing} lead?",
    "What does the arrow that starts at the {thing} point to?",
    "Which thing comes after the {thing} along its arrow?",
)
COMES = (
    "From which thing does the arrow to the {thing} come?",
    "Where does the arrow that ends at the {thing} start?",
    "Which thing comes before the {thing} along the arrows?",
)
ENDS = (
    "Follow the arrows from the {thing}. Where do they end?",
    "Starting at the {thing}, which thing do the arrows end at?",
    "At which thing does one stop who follows every arrow from the {thing}?",
)
CHAIN = (
    "List the things that the arrows connect, from the start to the end.",
    "In which order do the arrows visit the things?",
    "Walk along the arrows from their first thing to their last, naming each on the way.",
)
NOTE = (
    "What does the note on the {thing} say?",
    "Which word is noted for the {thing}?",
    "An arrow leads from a note to the {thing}. What is that note?",
)
NOTED = (
    'Which thing does the note "{note}" belong to?',
    'What does the arrow from "{note}" point to?',
    'To which thing was the remark "{note}" attached?',
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("marks", seed, split)
    base = marked_pictures.base(rng, seed, split)
    scene, pen = base.scene, Pen(rng, base)
    way = "mixed"
    if base.template == "map":
        way = rng.choice(("mixed", "numbers", "numbers", "pins", "chain"))
    elif base.template not in OF_WORDS:
        way = rng.choice(("mixed", "mixed", "mixed", "numbers", "pins", "chain"))
    marks = {"mixed": pen.mixed, "numbers": pen.numbers, "pins": pen.pins, "chain": pen.chain}[way]()
    scene.facts = {
        "template": base.template,
        "way": way,
        "things": [
            {key: getattr(t, key) for key in ("name", "box", "row", "column", "colour", "legible")}
            for t in base.things
        ],
        "marks": [
            {key: getattr(m, key) for key in ("kind", "on", "colour", "number", "note", "legible", "start")}
            for m in marks
        ],
    }
    asker = Asker(scene, rng)
    if way == "mixed":
        _ask_mixed(asker, base, marks)
        _ask_notes(asker, base.things, marks)
    elif way == "numbers":
        _ask_numbers(asker, base.things, marks)
    elif way == "pins":
        _ask_pins(asker, base.things, marks)
    else:
        _ask_chain(asker, base.things, marks)
    _describe(scene, base, marks, way)
    return scene


# ---------------------------------------------------------------------------------------------------
# Drawing the marks


# ---------------------------------------------------------------------------------------------------
# What is asked


def _phrase(rng: random.Random, marks: list[Mark], mark: Mark) -> tuple[str, dict[str, str]]:
    """What is said of the thing under a mark, with its colour unless it is the only one of its kind."""
    alone = (
        sum(other.kind == mark.kind or {other.kind, mark.kind} == {"arrow", "note"} for other in marks) == 1
    )
    if alone and rng.random() < 0.5:
        return PHRASES[mark.kind][1], {"kind": mark.kind}
    return PHRASES[mark.kind][0].format(colour=mark.colour), {"kind": mark.kind, "colour": mark.colour}


def _absent_mark(rng: random.Random, marks: list[Mark], kinds: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """A mark that isn't there: of a kind that is, in another colour, where there is one."""
    colours = sorted({m.colour for m in marks})
    shown = {("arrow" if m.kind == "note" else m.kind, m.colour) for m in marks}
    ways = [(k, c) for k in kinds for c in colours if (k, c) not in shown]
    close = [(k, c) for k, c in ways if any(k == kind for kind, _ in shown)]
    if not ways:
        ways = [(k, c) for k in kinds for c in COLOURS if (k, c) not in shown]
    kind, name = rng.choice(close or ways)
    return PHRASES[kind][0].format(colour=name), {"kind": kind, "colour": name}


def _ask_mixed(ask: Asker, base: Marked, marks: list[Mark]) -> None:
    rng, things, words = ask.rng, base.things, base.template in OF_WORDS
    pen = [m for m in marks if m.kind != "note"]
    kinds = OF_PAGES if words else OF_THINGS
    ways = WORD if words else WHAT

    def called(on: int) -> str:
        return f'word "{things[on].name}"' if words else things[on].name

    readable = [m for m in pen if things[m.on].legible]
    for mark in rng.sample(readable, min(2, len(readable))):
        phrase, about = _phrase(rng, marks, mark)
        index = things[mark.on].index
        assert index is not None
        ask.text(
            "what is marked", ways, things[mark.on].name, mark=phrase, about={"mark": about}, needs=[index]
        )
    for mark in pen:
        if not things[mark.on].legible:
            phrase, about = _phrase(rng, marks, mark)
            ask.cant_be_read("word that can't be read", WORD, mark=phrase, about={"mark": about})
            break
    phrase, about = _absent_mark(rng, marks, kinds)
    ask.not_shown("what an absent mark holds", ways, mark=phrase, about={"mark": about})
    if readable:
        mark = rng.choice(readable)
        others = [WAYS[kind] for kind in kinds]
        ask.choice("how", HOW, WAYS[mark.kind], others, thing=called(mark.on), about={"on": mark.on})
        mark = rng.choice(readable)
        ask.colour(
            "colour of the mark", MARK_COLOUR, mark.colour, thing=called(mark.on), about={"on": mark.on}
        )
        mark = rng.choice(readable)
        kind = mark.kind if rng.random() < 0.5 else rng.choice([k for k in kinds if k != mark.kind])
        about = {"on": mark.on, "kind": kind}
        ask.yes_no(
            "is marked", IS_MARKED, kind == mark.kind, thing=called(mark.on), way=WAYS[kind], about=about
        )
    kind = rng.choice([m.kind for m in pen])
    number = sum(m.kind == kind or {m.kind, kind} == {"arrow", "note"} for m in marks)
    called_all = "words" if words else "things"
    ask.count("count way", COUNT_WAY, number, things=called_all, way=WAYS[kind], about={"kind": kind})
    ask.count("count marked", COUNT_MARKED, len(marks), things=called_all, about={})
    mark = rng.choice(pen)
    phrase, about = _phrase(rng, marks, mark)
    ask.point("point", POINT, things[mark.on].box, mark=phrase, about={"mark": about})
    mark = rng.choice(pen)
    phrase, about = _phrase(rng, marks, mark)
    ask.box("box", BOX, things[mark.on].box, mark=phrase, about={"mark": about})
    if words:
        return
    bare = [t.name for on, t in enumerate(things) if on not in {m.on for m in marks}]
    if 0 < len(bare) < 5:
        ask.items("unmarked", UNMARKED, bare, ordered=False, about={})
    _ask_marked_things(ask, things, marks, pen)


def _ask_marked_things(ask: Asker, things: list[Thing], marks: list[Mark], pen: list[Mark]) -> None:
    """Questions that go from a mark to what the marked thing is like, or where it is."""
    rng = ask.rng
    shapes = [m for m in pen if things[m.on].colour]
    if shapes:
        mark = rng.choice(shapes)
        (phrase, about), right = _phrase(rng, marks, mark), things[mark.on].colour
        ask.colour("colour of what is marked", MARKED_COLOUR, right, mark=phrase, about={"mark": about})
        mark = rng.choice(shapes)
        (phrase, about), right = _phrase(rng, marks, mark), things[mark.on].colour
        others = sorted({m.colour for m in pen} - {right}) or [n for n in NAMES if n != right]
        asked = right if rng.random() < 0.5 else rng.choice(others)
        about = {"mark": about, "colour": asked}
        ask.yes_no("is of colour", IS_COLOUR, asked == right, mark=phrase, colour=asked, about=about)
    if len(pen) > 1:
        a, b = rng.sample(pen, 2)
        (first, one), (second, other) = _phrase(rng, marks, a), _phrase(rng, marks, b)
        left, right_of = things[a.on].middle[0], things[b.on].middle[0]
        if abs(left - right_of) > 50:
            answer = "left" if left < right_of else "right"
            ask.text("side", SIDE, answer, mark=first, other=second, about={"a": one, "b": other})


def _ask_notes(ask: Asker, things: list[Thing], marks: list[Mark]) -> None:
    rng = ask.rng
    notes = [m for m in marks if m.kind == "note"]
    written, smudged = [m for m in notes if m.legible], [m for m in notes if not m.legible]
    if written:
        mark = rng.choice(written)
        assert mark.written is not None
        name = things[mark.on].name
        ask.text("note", NOTE, mark.note, thing=name, about={"on": mark.on}, needs=[mark.written])
        mark = rng.choice(written)
        ask.text("noted", NOTED, things[mark.on].name, note=mark.note)
    if smudged:
        mark = rng.choice(smudged)
        ask.cant_be_read("note that can't be read", NOTE, thing=things[mark.on].name, about={"on": mark.on})


def _ask_numbers(ask: Asker, things: list[Thing], marks: list[Mark]) -> None:
    rng = ask.rng
    legible, smudged = [m for m in marks if m.legible], [m for m in marks if not m.legible]
    if smudged:
        name = things[rng.choice(smudged).on].name
        ask.cant_be_read("number that can't be read", NUMBER_OF, thing=name)
    if legible:
        mark = rng.choice(legible)
        assert mark.written is not None
        ask.number("number of", NUMBER_OF, mark.number, thing=things[mark.on].name, needs=[mark.written])
        mark = rng.choice(legible)
        ask.text("numbered", NUMBERED, things[mark.on].name, number=mark.number)
        mark = rng.choice(legible)
        ask.point("point to number", POINT_NUMBER, things[mark.on].box, number=mark.number)
    if len(legible) > 1:
        a, b = rng.sample(legible, 2)
        names = {"thing": things[a.on].name, "other": things[b.on].name}
        ask.number("sum", SUM, a.number + b.number, **names)
    if not smudged:
        taken = {m.number for m in marks}
        number = rng.choice([n for n in range(1, max(taken) + 3) if n not in taken])
        ask.not_shown("what an absent number marks", NUMBERED, number=number)
        end = rng.choice(("highest", "lowest"))
        best = (max if end == "highest" else min)(marks, key=lambda m: m.number)
        ask.text("highest", HIGHEST, things[best.on].name, end=end)
        if len(marks) < 7:
            inorder = [things[m.on].name for m in sorted(marks, key=lambda m: m.number)]
            ask.items("in order", IN_ORDER, inorder, ordered=True, about={})
    ask.count("count marked", COUNT_MARKED, len(marks), things="things", about={})
    bare = [t.name for on, t in enumerate(things) if on not in {m.on for m in marks}]
    if bare:
        ask.items("unmarked", UNMARKED, bare, ordered=False, about={})


def _ask_pins(ask: Asker, things: list[Thing], marks: list[Mark]) -> None:
    rng, colours = ask.rng, [m.colour for m in marks]
    ask.count("count pins", COUNT_PINS, len(marks), about={})
    name = rng.choice(colours)
    ask.count("count pins of colour", COUNT_PINS_OF, colours.count(name), colour=name)
    mark = rng.choice(marks)
    ask.colour("colour of the pin", PIN_COLOUR, mark.colour, thing=things[mark.on].name)
    alone = [m for m in marks if colours.count(m.colour) == 1]
    if alone:
        mark = rng.choice(alone)
        ask.text("pinned", PINNED, things[mark.on].name, colour=mark.colour)
        ask.point(
            "point to the pinned",
            POINT,
            things[mark.on].box,
            mark=f"under the {mark.colour} pin",
            about={"colour": mark.colour},
        )
    ask.not_shown(
        "what an absent pin marks", PINNED, colour=rng.choice([c for c in COLOURS if c not in colours])
    )
    bare = [t.name for on, t in enumerate(things) if on not in {m.on for m in marks}]
    if 0 < len(bare) < 5:
        ask.items("unmarked", UNMARKED, bare, ordered=False, about={})


def _ask_chain(ask: Asker, things: list[Thing], marks: list[Mark]) -> None:
    rng = ask.rng
    mark = rng.choice(marks)
    assert mark.start is not None and marks[0].start is not None
    ask.text("leads", LEADS, things[mark.on].name, thing=things[mark.start].name)
    mark = rng.choice(marks)
    assert mark.start is not None
    ask.text("comes", COMES, things[mark.start].name, thing=things[mark.on].name)
    path = [things[marks[0].start].name, *(things[m.on].name for m in marks)]
    ask.text("ends", ENDS, path[-1], thing=rng.choice(path[:-1]))
    ask.items("chain", CHAIN, path, ordered=True, about={})
    emoji = [thing.name for thing in things if thing.name not in SHAPES]
    absent = emoji_drawings.absent(rng, emoji, rng.choice(emoji)) if emoji else None
    if absent in marked_pictures.nameable():
        ask.not_shown("arrow of what is absent", LEADS, thing=absent)


# ---------------------------------------------------------------------------------------------------
# Captions


def _describe(scene: Scene, base: Marked, marks: list[Mark], way: str) -> None:
    words = base.template in OF_WORDS
    what = {"map": "map", "page": "page of words", "note": "note with a list of words"}.get(
        base.template, "picture of things"
    )
    how = {"mixed": "marks", "numbers": "numbers", "pins": "pins", "chain": "arrows"}[way]
    scene.short_caption = f"A {what} with {how} on it."
    legible = [t.name for t in base.things if t.legible]
    names = ", ".join(f'"{n}"' if words else n for n in legible) or "no legible word"
    lost = len(base.things) - len(legible)
    scene.caption = f"A {what}: {names}{f', and {lost} illegible' if lost else ''}; with {how} on it."
    said = []
    for mark in marks:
        thing = base.things[mark.on]
        name = (f'"{thing.name}"' if thing.legible else "an illegible word") if words else f"the {thing.name}"
        if mark.kind == "number":
            said.append(
                f"{name} has {'number ' + str(mark.number) if mark.legible else 'an illegible number'}"
            )
        elif mark.kind == "note":
            said.append(
                f"{name} has {f'the note {chr(34)}{mark.note}{chr(34)}' if mark.legible else 'an illegible note'}"
            )
        elif mark.kind == "pin":
            said.append(f"{name} has a {mark.colour} pin")
        elif mark.kind == "link":
            assert mark.start is not None
            said.append(f"an arrow leads from the {base.things[mark.start].name} to {name}")
        else:
            said.append(f"{name} is {WAYS[mark.kind]}, in {mark.colour}")
    scene.long_caption = f"{scene.caption[:-1]}. On it, {'; '.join(said)}."
