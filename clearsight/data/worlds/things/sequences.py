"""Sequences: three or four moments of something going on, in order, shuffled, or with one moment out of its place.

The moments are panels of one picture or pictures of their own; numbers name them when they are in order, letters when
that must be found. The step between neighbours is always equal, so what comes next can be said exactly. Sequences
whose order can't be told, such as a shuffled arrow that might turn either way, are left out.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing.drafting import Box, Sheet, fitting_size, least_size
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import RGB, background, distance, readable_on, standing_out
from clearsight.data.worlds.drawing.reading_order import in_reading_order
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for, with_article
from clearsight.data.worlds.things.processes import DIRECTIONS, PROCESSES, WAYS, Panel, Process, moments
from clearsight.data.worlds.vocabulary import vocabulary

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("row", "two by two", "pictures"),
    "eval": ("column", "slides"),
}
APART = ("pictures", "slides")  # templates whose moments are pictures of their own
NOT_SORTED = ("arrow",)  # what has no order of its own
ONE_COLOUR = (
    "candle",
    "plant",
    "ball",
    "stack",
    "arrow",
    "counter",
)  # things that are drawn in the main colour
FILLED = ("candle", "counter", "water")  # things that fill their box with it

HOW_MANY = (
    "How many {noun}s are there?",
    "Count the {noun}s of this sequence.",
    "Of how many {noun}s does the sequence consist?",
    "What is the number of {noun}s in the whole series?",
)
VALUE = (
    "What is {measure} in {panel}?",
    "In {panel}, what is {measure}?",
    "Give {measure} in {panel}.",
    "Turn to {panel} of the series: what is {measure} there?",
)
WHERE = (
    "In which {noun} is {measure} {reading}?",
    "Which {noun} shows {reading} as {measure}?",
    "Find the {noun} where {measure} is {reading}.",
    "Of the whole series, in which {noun} is {measure} exactly {reading}?",
)
DIFFERENCE = (
    "By how much does {measure} differ between {a} and {b}?",
    "What is the difference in {measure} between {a} and {b}?",
    "Compare {a} and {b}: by how much does {measure} differ?",
    "Hold {a} against {b}: how far apart is {measure}?",
)
GREATEST = (
    "In which {noun} is {measure} the {most}?",
    "Which {noun} shows the {most} number when it comes to {measure}?",
    "Find the {noun} in which {measure} is the {most}.",
    "Of the whole series, in which {noun} does one find {measure} to be the {most}?",
)
NEXT = (
    "If it goes on like this, what will be {measure} in the next {noun}?",
    "The sequence goes on in equal steps. What is {measure} in the {noun} that comes next?",
    "What comes next: what will be {measure} one step after the last {noun}?",
    "Carry the series on by one {noun}: what must be {measure} then?",
)
BEFORE = (
    "If it was always like this, what was {measure} one step before the first {noun}?",
    "The steps are equal. What was {measure} just before the first {noun}?",
    "Go back one step from the first {noun}: what was {measure}?",
    "Carry the series back by one {noun}: what must {measure} have been?",
)
STEP = (
    "By how much does {measure} change from one {noun} to the next{unit}?",
    "How large is the step of {measure} from {noun} to {noun}{unit}?",
    "What is the constant change of {measure} between neighbouring {noun}s{unit}?",
    "From each {noun} of the series to its follower, what is added to or taken from {measure}{unit}?",
)
WHAT = (
    "What changes from {noun} to {noun}: {choices}?",
    "Which of these is not the same in all {noun}s: {choices}?",
    "What makes the {noun}s differ: {choices}?",
    "Running through the series of {noun}s, what varies: {choices}?",
)
GROWS = (
    "From the first {noun} to the last, does this grow or shrink: {quantity}?",
    "Is it growing or shrinking from {noun} to {noun}: {quantity}?",
    "Say whether it grows or shrinks from the first {noun} to the last: {quantity}.",
    "Running through the series of {noun}s, is this growing or shrinking: {quantity}?",
)
IN_ORDER = (
    "Are the {noun}s in the right order, if {going}?",
    "Suppose {going}. Are the {noun}s in the right order?",
    "Does the order of the {noun}s fit, when {going}?",
    "Knowing that {going}, do the {noun}s of the series follow each other correctly?",
)
FIRST = (
    "The {noun}s are shuffled: {going}. Which {noun} comes {end}?",
    "In these shuffled {noun}s, {going}. Which {noun} is the {end} one?",
    "Put in order, {going}. Which of the {noun}s stands {end}?",
    "Sort the series so that {going}: which {noun} has the {end} place?",
)
ORDER = (
    "The {noun}s are shuffled: {going}. Give their letters in the right order.",
    "In which order do the {noun}s belong, if {going}?",
    "Sort the {noun}s so that {going}, and list their letters.",
    "Write down the letters of the series in the sequence in which {going}.",
)
MISPLACED = (
    "Which {noun} is out of order, if {going}?",
    "One {noun} stands in the wrong place, because {going}. Which one?",
    "Suppose {going}. Which {noun} breaks the order?",
    "Knowing that {going}, which {noun} of the series has been put in the wrong place?",
)
COLOUR = (
    "What colour is the {thing} in {panel}?",
    "Which colour does the {thing} in {panel} have?",
    "In {panel}, what is the colour of the {thing}?",
    "Turn to {panel} of the series: name the colour of the {thing} there.",
)
POINT = (
    "Where is the {thing} in {panel}?",
    "Point to the {thing} in {panel}.",
    "In {panel}, where is the {thing}?",
    "Turn to {panel} of the series and point to the {thing} there.",
)
BOX = (
    "Frame the {thing} in {panel}.",
    "What is the box around the {thing} in {panel}?",
    "In {panel}, put a box around the {thing}.",
    "Turn to {panel} of the series and draw a frame around the {thing} there.",
)
NOTE = (
    "Which word is written under {panel}?",
    "What is the caption of {panel}?",
    "Read the word that stands below {panel}.",
    "Turn to {panel} of the series: which word goes with it?",
)
NOTED = (
    'Which {noun} has the word "{word}" under it?',
    'Under which {noun} does "{word}" stand?',
    'Find the {noun} with the caption "{word}".',
    'Of the whole series, which {noun} goes with the word "{word}"?',
)


@dataclass
class Moment:
    """A panel as drawn: its label, its number, its place in time counted from 0, and what is written under it."""

    label: str
    value: int
    turn: int
    page: int
    box: Box
    note: str
    legible: bool
    panel: Panel | None = None

    def thing(self) -> Box:
        assert self.panel
        return self.panel.things[0][1]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("sequences", seed, split)
    template = rng.choice(TEMPLATES[split])
    process = rng.choice(PROCESSES)
    order = rng.choices(("in order", "shuffled", "one misplaced"), (50, 28, 22))[0]
    if process.name in NOT_SORTED:
        order = "in order"
    count = 4 if template == "two by two" or order == "one misplaced" else rng.randint(3, 4)
    values, step = moments(rng, process, count)
    turns = _arranged(rng, order, count)
    labels = "1234" if order == "in order" else "ABCD"
    sizes, places = _layout(rng, template, count)
    notes = rng.sample(_captions(split), count) if rng.random() < 0.6 else [""] * count
    shown = [
        Moment(labels[i], values[turn], turn, page, box, note, rng.random() > 0.25)
        for i, (turn, (page, box), note) in enumerate(zip(turns, places, notes, strict=True))
    ]
    canvas, ground = background(rng, split)
    sheets = [Sheet(canvas, size) for size in sizes]
    colour, main = standing_out(rng, split, ground)
    _draw(rng, split, template, process, sheets, ground, main, shown)
    pictures = [sheet.finish(rng) for sheet in sheets]
    scene = Scene("sequences", seed, split, pictures[0], further=pictures[1:])
    _place(scene, sheets, shown, colour)
    noun = "picture" if template in APART else "panel"
    scene.facts = _facts(template, process, order, noun, step, colour, shown)
    _ask(Asker(scene, rng), process, order, noun, step, colour, shown)
    _describe(scene, process, order, noun, step, colour, shown)
    return scene


def _captions(split: Split) -> list[str]:
    return [word for word in vocabulary(split)[:900] if 4 <= len(word) <= 6]


def _arranged(rng: random.Random, order: str, count: int) -> list[int]:
    """The places in time of the panels, as they are shown."""
    turns = list(range(count))
    if order == "shuffled":
        while turns in (sorted(turns), sorted(turns, reverse=True)):
            rng.shuffle(turns)
    elif order == "one misplaced":
        here, there = rng.choice([(a, b) for a in range(count) for b in range(count) if abs(a - b) >= 2])
        turns.insert(there, turns.pop(here))
    return turns


def _layout(
    rng: random.Random, template: str, count: int
) -> tuple[list[tuple[int, int]], list[tuple[int, Box]]]:
    """Sizes of the pictures, and the page and box of every panel."""
    if template in APART:
        size = rng.choice(((300, 300), (320, 272), (280, 320)))
        return [size] * count, [(page, (6, 6, size[0] - 6, size[1] - 6)) for page in range(count)]
    columns = {"row": count, "two by two": 2, "column": 1}[template]
    rows = -(-count // columns)
    wide, high = {
        "row": (rng.randint(168, 200), rng.randint(220, 270)),
        "two by two": (rng.randint(206, 240), rng.randint(206, 240)),
        "column": (rng.randint(330, 380), 166),
    }[template]
    gap = rng.randint(6, 14)
    size = (columns * wide + (columns + 1) * gap, rows * high + (rows + 1) * gap)
    places = []
    for index in range(count):
        row, column = divmod(index, columns)
        left, top = gap + column * (wide + gap), gap + row * (high + gap)
        places.append((0, (left, top, left + wide, top + high)))
    return [size], places


def _draw(
    rng: random.Random,
    split: Split,
    template: str,
    process: Process,
    sheets: list[Sheet],
    ground: RGB,
    main: RGB,
    shown: list[Moment],
) -> None:
    ink = readable_on(ground)
    second = main
    while distance(second, main) < 150:
        _, second = standing_out(rng, split, ground)
    way, font = rng.choice(WAYS[split]), any_font(rng, split)
    frame, size = rng.choice((0, 1, 2, 3)), max(least_size(font), rng.randint(16, 20))
    beside, radius = template == "column", 0 if template == "slides" else rng.choice((0, 8))
    for moment in shown:
        sheet = sheets[moment.page]
        left, top, right, bottom = moment.box
        if frame or template == "slides":
            sheet.box(moment.box, None, ink, max(frame, 1), radius=radius)
        strip = size * 1.5 if moment.note and not beside else 6
        if beside:
            inner = (left + 80, top + 8, right - 8, bottom - 8)
            sheet.line([(left + 78, top), (left + 78, bottom)], ink, 1)
            sheet.write(left + 39, top + 30, moment.label, font, size + 8, ink)
        elif template == "slides":
            inner = (left + 10, top + 8, right - 10, bottom - strip - 30)
            sheet.box((left, bottom - strip - 24, right, bottom), ink)
            sheet.write(left + 20, bottom - strip / 2 - 12, moment.label, font, size + 4, ground)
        else:
            inner = (left + 6, top + size * 1.4, right - 6, bottom - strip)
            sheet.write(left + 16, top + size * 0.85, moment.label, font, size, ink)
        if moment.note and beside:
            note_size = fitting_size(moment.note, font, size, 70)
            sheet.write(left + 39, bottom - 26, moment.note, font, note_size, ink, legible=moment.legible)
        elif moment.note:
            on_bar = template == "slides"
            y = bottom - strip / 2 - (12 if on_bar else 2)
            note_ink = ground if on_bar else ink
            sheet.write((left + right) / 2, y, moment.note, font, size, note_ink, legible=moment.legible)
        moment.panel = Panel(sheet, inner, way, ink, main, second, font)
        process.draw(moment.panel, moment.value)


def _place(scene: Scene, sheets: list[Sheet], shown: list[Moment], colour: str) -> None:
    for moment in shown:
        assert moment.panel
        for name, box in moment.panel.things:
            scene.placed.append(Placed("object", name, box, page=moment.page))
            if name in FILLED:
                scene.placed.append(Placed("colour", colour, box, page=moment.page))
    for page, sheet in enumerate(sheets):
        words = in_reading_order(p for p in sheet.placed if p.kind == "word")
        characters = [p for p in sheet.placed if p.kind == "character"]
        scene.placed += [replace(placed, page=page) for placed in (*words, *characters)]


def _facts(
    template: str, process: Process, order: str, noun: str, step: int, colour: str, shown: list[Moment]
) -> dict[str, Any]:
    return {
        "template": template,
        "process": process.name,
        "way": order,
        "noun": noun,
        "direction": 1 if step > 0 else -1,
        "colour": colour,
        "moments": [
            {
                "label": moment.label,
                "value": moment.value,
                "page": moment.page,
                "box": list(moment.box),
                "note": moment.note if moment.legible else None,
                "noted": bool(moment.note),
                "scale": list(moment.panel.scale) if moment.panel and moment.panel.scale else None,
            }
            for moment in shown
        ],
    }


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask(
    ask: Asker,
    process: Process,
    order: str,
    noun: str,
    step: int,
    colour: str,
    shown: list[Moment],
) -> None:
    rng = ask.rng
    going = process.rising if step > 0 else process.falling
    ask.count("how many", HOW_MANY, len(shown), noun=noun)
    ask.choice("what changes", WHAT, process.quantity, process.steady, noun=noun)
    if order == "in order":
        _ask_on(ask, process, noun, step, shown)
    elif order == "shuffled":
        ends = sorted(shown, key=lambda moment: moment.turn)
        end = rng.randrange(2)
        _ask_which(ask, "which is first", FIRST, noun, ends[-end], going=going, end=("first", "last")[end])
        ask.items("order", ORDER, [moment.label for moment in ends], ordered=True, noun=noun, going=going)
    else:
        _ask_which(ask, "misplaced", MISPLACED, noun, _misplaced(shown), going=going)
    if process.name not in NOT_SORTED and rng.random() < {"in order": 0.9, "shuffled": 0.35}.get(order, 0.9):
        ask.yes_no("in order", IN_ORDER, order == "in order", noun=noun, going=going)
    _ask_values(ask, process, noun, shown)
    moment = rng.choice(shown)
    panel = f"{noun} {moment.label}"
    if process.name in ONE_COLOUR:
        ask.colour("colour", COLOUR, colour, thing=process.thing, panel=panel)
    absent = rng.choice([other.thing for other in PROCESSES if other.name != process.name])
    if rng.random() < 0.4:
        ask.not_shown("colour of what is absent", COLOUR, thing=absent, panel=panel)
    about = {"panel": moment.label}
    thing = process.thing
    ask.point("point", POINT, moment.thing(), page=moment.page, thing=thing, panel=panel, about=about)
    moment = rng.choice(shown)
    panel, about = f"{noun} {moment.label}", {"panel": moment.label}
    ask.box("box", BOX, moment.thing(), page=moment.page, thing=thing, panel=panel, about=about)
    _ask_notes(ask, noun, shown)


def _ask_value(
    ask: Asker, skill: str, ways: Sequence[str], process: Process, value: int, **rest: Any
) -> None:
    """Ask for a number, a time, or a direction, whatever the process has."""
    if process.name == "clock":
        ask.time(skill, ways, value, **rest)
    elif process.name == "arrow":
        ask.choice(skill, ways, DIRECTIONS[value % 360], list(DIRECTIONS.values()), **rest)
    else:
        ask.number(skill, ways, value, **rest)


def _ask_which(ask: Asker, skill: str, ways: Sequence[str], noun: str, moment: Moment, **rest: Any) -> None:
    """Ask for a panel, by its letter or number."""
    ask.text(skill, ways, moment.label, alternatives=[f"{noun} {moment.label}"], noun=noun, **rest)


def _ask_on(ask: Asker, process: Process, noun: str, step: int, shown: list[Moment]) -> None:
    """What a sequence in order lets one tell about what comes next and what was before."""
    low, high = process.values
    measure, values = process.measure, [moment.value for moment in shown]
    fills = {"measure": measure, "noun": noun}
    endless = process.name == "arrow"
    if endless or low <= values[-1] + step <= high:
        _ask_value(ask, "what comes next", NEXT, process, values[-1] + step, **fills)
    if (endless or low <= values[0] - step <= high) and ask.rng.random() < 0.6:
        _ask_value(ask, "what was before", BEFORE, process, values[0] - step, **fills)
    unit = f", in {process.unit}" if process.unit else ""
    ask.number("step", STEP, abs(step), unit=unit, **fills)
    if process.name not in ("clock", "arrow", "ball"):
        answer = "grow" if step > 0 else "shrink"
        ask.choice("grows", GROWS, answer, ("grow", "shrink"), quantity=process.quantity, noun=noun)


def _ask_values(ask: Asker, process: Process, noun: str, shown: list[Moment]) -> None:
    rng, measure = ask.rng, process.measure
    moment = rng.choice(shown)
    fills = {"measure": measure, "panel": f"{noun} {moment.label}"}
    _ask_value(ask, "value", VALUE, process, moment.value, about={"panel": moment.label}, **fills)
    beyond = f"{noun} {'5' if moment.label.isdigit() else 'E'}"
    if rng.random() < 0.4:
        ask.not_shown("value where there is none", VALUE, measure=measure, panel=beyond)
    if process.name == "arrow":
        return
    moment = rng.choice(shown)
    fills = {"measure": measure, "reading": _written(process, moment.value)}
    _ask_which(ask, "where", WHERE, noun, moment, about={"value": moment.value}, **fills)
    if process.name == "clock":
        return
    a, b = rng.sample(shown, 2)
    fills = {"a": f"{noun} {a.label}", "b": f"{noun} {b.label}"}
    about = {"a": a.label, "b": b.label}
    ask.number("difference", DIFFERENCE, abs(a.value - b.value), measure=measure, about=about, **fills)
    most = rng.choice(("greatest", "least"))
    chosen = (max if most == "greatest" else min)(shown, key=lambda moment: moment.value)
    _ask_which(ask, "greatest", GREATEST, noun, chosen, measure=measure, most=most)


def _ask_notes(ask: Asker, noun: str, shown: list[Moment]) -> None:
    rng = ask.rng
    for legible in (True, False):
        noted = [moment for moment in shown if moment.note and moment.legible == legible]
        if not noted:
            continue
        moment = rng.choice(noted)
        panel, about = f"{noun} {moment.label}", {"panel": moment.label}
        if not legible:
            ask.cant_be_read("caption that can't be read", NOTE, panel=panel, about=about)
            continue
        places = [i for i, p in enumerate(ask.scene.placed) if p.kind == "word" and p.label == moment.note]
        ask.text("caption", NOTE, moment.note, panel=panel, about=about, needs=places[:1])
        moment = rng.choice(noted)
        _ask_which(ask, "which has the caption", NOTED, noun, moment, word=moment.note)
    if not shown[0].note and rng.random() < 0.3:
        label = rng.choice(shown).label
        ask.not_shown("caption where there is none", NOTE, panel=f"{noun} {label}", about={"panel": label})


def _misplaced(shown: list[Moment]) -> Moment:
    """The one moment without which the others are in order."""
    for moment in shown:
        rest = [other.turn for other in shown if other is not moment]
        if rest == sorted(rest):
            return moment
    raise AssertionError("no single moment is misplaced")


# ---------------------------------------------------------------------------------------------------
# Captions


def _written(process: Process, value: int) -> str:
    if process.name == "clock":
        return f"{value // 60 % 12 or 12}:{value % 60:02d}"
    return DIRECTIONS[value % 360] if process.name == "arrow" else str(value)


def _describe(
    scene: Scene, process: Process, order: str, noun: str, step: int, colour: str, shown: list[Moment]
) -> None:
    count = ("Three", "Four")[len(shown) - 3]
    going = process.rising if step > 0 else process.falling
    named = f"{colour} {process.thing}" if process.name in ONE_COLOUR else process.thing
    scene.short_caption = f"{count} {noun}s of {with_article(process.thing)}."
    if order == "in order":
        told = f"from the first to the last, {going}"
    elif order == "shuffled":
        told = f"they are shuffled; in order, {going}"
    else:
        told = f"{going}, but {noun} {_misplaced(shown).label} stands in the wrong place"
    scene.caption = f"{count} {noun}s of {with_article(named)}: {told}."
    parts = []
    for moment in shown:
        note = f', with "{moment.note}" under it' if moment.note and moment.legible else ""
        note = note or (", with a caption that can't be read" if moment.note else "")
        parts.append(f"in {noun} {moment.label} it is {_written(process, moment.value)}{note}")
    scene.long_caption = f"{scene.caption[:-1]}. Told as {process.measure}: {'; '.join(parts)}."
