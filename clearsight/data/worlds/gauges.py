"""Instruments to read: gauges and meters alone, in rows and on panels, a dashboard, and things along a ruler.

A reading may be off by half of the scale's smallest division. Where the numbers of a scale are illegible its zones
can still be told. Instruments with two needles or with a scale that is not even are left out.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from clearsight.data.worlds import instruments
from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.drafting import (
    Box,
    Sheet,
    distinct_colours,
    fitting_size,
    least_size,
    sheet_on_background,
    sturdy_font,
)
from clearsight.data.worlds.instruments import Look, Reading, Scale
from clearsight.data.worlds.palette import NAMES, RGB, colour, distance, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split, belongs_to, rng_for, with_article

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("single", "single", "panel", "panel", "row", "dashboard", "ruler"),
    "eval": ("alone", "board", "board", "rack", "cockpit", "tape"),
}
SCALES = (
    *(Scale("bar", 0, 10, 2, 0.5), Scale("bar", 0, 6, 1, 0.2), Scale("bar", 0, 16, 4, 1)),
    *(Scale("psi", 0, 100, 20, 5), Scale("psi", 0, 60, 10, 2), Scale("kPa", 0, 400, 100, 20)),
    *(Scale("°C", 0, 100, 20, 5), Scale("°C", -20, 50, 10, 2), Scale("°C", 0, 250, 50, 10)),
    *(Scale("°F", 0, 200, 50, 10), Scale("V", 0, 15, 3, 0.5), Scale("V", 0, 300, 50, 10)),
    *(Scale("A", 0, 5, 1, 0.2), Scale("A", 0, 30, 5, 1), Scale("kW", 0, 8, 2, 0.5)),
    *(Scale("l/min", 0, 40, 10, 2), Scale("%", 0, 100, 20, 5), Scale("%", 0, 100, 25, 5)),
    *(Scale("kg", 0, 5, 1, 0.1), Scale("kg", 0, 120, 20, 5), Scale("dB", 30, 130, 20, 5)),
    *(Scale("m/s", 0, 30, 5, 1), Scale("g", 0, 500, 100, 20), Scale("cm", 0, 60, 10, 2)),
)
THERMOMETERS = (
    *(Scale("°C", -20, 50, 10, 2), Scale("°C", 34, 42, 1, 0.2), Scale("°C", 0, 100, 20, 5)),
    *(Scale("°C", -30, 30, 10, 2), Scale("°F", 0, 120, 20, 4), Scale("°C", 0, 40, 10, 1)),
)
SPEEDS = (Scale("km/h", 0, 200, 40, 10), Scale("km/h", 0, 120, 20, 5), Scale("mph", 0, 140, 20, 5))
JUGS = (
    Scale("ml", 0, 500, 100, 25),
    Scale("ml", 0, 1000, 200, 50),
    Scale("l", 0, 2, 0.5, 0.1),
    Scale("dl", 0, 10, 2, 0.5),
)
RULERS = (
    Scale("cm", 0, 20, 5, 1),
    Scale("cm", 0, 15, 1, 0.5),
    Scale("cm", 0, 12, 1, 0.5),
    Scale("mm", 0, 100, 10, 5),
)
FUEL, FUEL_LABELS = Scale("", 0, 100, 50, 12.5), ((0, "E"), (50, "1/2"), (100, "F"))
PLACES = (
    *(
        "Boiler",
        "Pump",
        "Kitchen",
        "Cellar",
        "Tank",
        "Engine",
        "Gearbox",
        "Attic",
        "Oven",
        "Freezer",
        "Garage",
    ),
    *(
        "Reactor",
        "Turbine",
        "Mixer",
        "Dryer",
        "Cabin",
        "Greenhouse",
        "Stable",
        "Workshop",
        "Office",
        "Laundry",
    ),
    *(
        "Furnace",
        "Silo",
        "Sauna",
        "Pool",
        "Lab",
        "Studio",
        "Bridge",
        "Hold",
        "Deck",
        "Galley",
        "Inlet",
        "Outlet",
    ),
    *(
        "North",
        "South",
        "East",
        "West",
        "Intake",
        "Filter",
        "Valve",
        "Basin",
        "Tower",
        "Shaft",
        "Vat",
        "Kiln",
    ),
    *(
        "Hall",
        "Barn",
        "Store",
        "Line",
        "Rotor",
        "Brake",
        "Loft",
        "Porch",
        "Press",
        "Crane",
        "Fan",
        "Drum",
        "Well",
    ),
)
THINGS = ("pencil", "ribbon", "nail", "strip", "rod", "stick")
KIND_NAMES = {
    "round": "gauge",
    "thermometer": "thermometer",
    "level": "level meter",
    "jug": "measuring jug",
    "lying": "meter",
    "fuel": "fuel gauge",
    "battery": "battery",
    "counter": "counter",
    "speed": "speedometer",
}
BLURRED = 0.14  # share of scales and counters whose numbers can't be read

READING = (
    "What does {which} show?",
    "What is the reading of {which}?",
    "Read off {which}: what value does it indicate?",
)
UNIT = (
    "In which unit does {which} measure?",
    "What is the unit of {which}?",
    "Which unit is printed on {which}?",
)
ZONE = (
    "In which coloured zone is the reading of {which}?",
    "Which colour has the zone in which {which} stands?",
    "The reading of {which} falls into a zone of what colour?",
)
IN_RED = (
    "Is {which} in the red?",
    "Does {which} stand in its red zone?",
    "Would you say that {which} reads within the red range?",
)
ABOVE = (
    "Is the reading of {which} above {limit}?",
    "Does {which} show more than {limit}?",
    "Has {which} gone beyond {limit}?",
)
TOP = (
    "What is the highest number on the scale of {which}?",
    "Up to which number does the scale of {which} go?",
    "At which number does the scale of {which} end?",
)
DIVISION = (
    "How much is one small division of {which} worth?",
    "What is the step between neighbouring marks of {which}?",
    "By how much do two adjacent marks on {which} differ?",
)
ROOM = (
    "How far is {which} below the top of its scale?",
    "How much is {which} short of its highest number?",
    "By what amount could {which} still rise until its scale ends?",
)
MORE = (
    "Which shows more, {a} or {b}?",
    "Which of the two has the higher reading, {a} or {b}?",
    "Between {a} and {b}, where is the greater value?",
)
DIFFERENCE = (
    "By how much do {a} and {b} differ?",
    "What is the difference between the readings of {a} and {b}?",
    "Subtract the lower from the higher reading of {a} and {b}: what remains?",
)
ORDER = (
    "Name the instruments from the lowest to the highest reading.",
    "Which labels do the instruments have, from the lowest reading to the highest?",
    "Sort the labels by what the instruments indicate, smallest value first.",
)
WHICH_UNIT = (
    "Which instrument measures in {unit}?",
    "What is the label of the instrument with the unit {unit}?",
    "Give the label of the one instrument that bears the unit {unit}.",
)
COUNT = (
    "How many instruments are there?",
    "Count the instruments.",
    "What number of measuring instruments can be made out?",
)
COUNT_RED = (
    "How many instruments are in the red?",
    "Count the instruments whose reading is in a red zone.",
    "How many of the instruments would alarm you by standing in red?",
)
TIP = (
    "Where does the pointer of {which} end?",
    "Point to the tip of the needle or the end of the bar of {which}.",
    "Show the very spot at which {which} indicates its value.",
)
FRAME = (
    "Frame {which}.",
    "What is the box around {which}?",
    "Put a frame around all of {which}.",
)
POINTER_COLOUR = (
    "What colour is the pointer or filling of {which}?",
    "Which colour has the part of {which} that shows the value?",
    "In what colour does {which} mark its value?",
)
DIGITS = (
    "Which digits does {which} show?",
    "What number stands on {which}?",
    "Copy the figures that {which} displays.",
)
DIGITS_LATER = (
    "What will {which} show after {steps} more?",
    "If {which} goes on by {steps}, what will it read?",
    "Let {which} advance by {steps}: which figures follow?",
)
HALF_FULL = (
    "Is {which} more than half full?",
    "Does {which} show more than a half?",
    "Is over one half left according to {which}?",
)
PERCENT = (
    "How full is the tank by {which}, in percent?",
    "What share of the tank is filled according to {which}, in percent?",
    "Judging by {which}, how many percent of the fuel are left?",
)
BARS = (
    "How many bars of {which} are lit?",
    "Count the lit bars of {which}.",
    "What number of bars still glows on {which}?",
)
LENGTH = (
    "How long is the {thing}, by the ruler?",
    "What length does the {thing} have?",
    "Measure the {thing} against the scale.",
)
ENDS = (
    "At which mark of the ruler does the {thing} end?",
    "Up to which mark does the {thing} reach?",
    "Where on the scale does the right end of the {thing} lie?",
)
LONGER = (
    "Which is longer, the {a} or the {b}?",
    "Which of the two is longer, the {a} or the {b}?",
    "Does the {a} or the {b} have the greater length?",
)
LENGTH_DIFFERENCE = (
    "By how much do the lengths of the {a} and the {b} differ?",
    "How much longer is one of them, comparing the {a} and the {b}?",
    "Lay the {a} beside the {b}: what length sticks out?",
)
THING_COLOUR = (
    "What colour is the {thing}?",
    "Which colour does the {thing} have?",
    "In what colour does the {thing} lie by the scale?",
)
THING_BOX = (
    "Frame the {thing}.",
    "What is the box around the {thing}?",
    "Put a frame around the {thing} that is being measured.",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("gauges", seed, split)
    template = rng.choice(TEMPLATES[split])
    if template in ("ruler", "tape"):
        sheet, facts = _measure(rng, split, template)
    else:
        sheet, found = LAYOUTS[template](rng, split)
        facts = {"instruments": found}
    scene = Scene("gauges", seed, split, sheet.finish(rng), placed=sheet.placed)
    scene.facts = {"template": template, **facts}
    ask = Asker(scene, rng)
    if "things" in facts:
        _ask_lengths(ask, facts)
        _describe_lengths(scene, facts)
    else:
        scene.placed += [
            Placed("object", KIND_NAMES[i["kind"]], tuple(i["box"])) for i in facts["instruments"]
        ]
        _ask(ask, facts["instruments"])
        _describe(scene, facts["instruments"])
    return scene


# ---------------------------------------------------------------------------------------------------
# Layouts: each gives a sheet and the instruments on it as plain data

Layout = tuple[Sheet, list[dict[str, Any]]]


def _single(rng: random.Random, split: Split) -> Layout:
    kind = rng.choice(
        ("round", "round", "round", "thermometer", "level", "lying", "jug", "fuel", "battery", "counter")
    )
    width, height = {
        "thermometer": (320, 512),
        "level": (320, 512),
        "lying": (560, 304),
        "battery": (512, 352),
        "counter": (512, 320),
    }.get(kind, rng.choice(((448, 448), (416, 480), (512, 400))))
    sheet, ground = sheet_on_background(rng, split, width, height)
    if kind in ("lying", "battery", "counter"):
        wide, tall = width * rng.uniform(0.72, 0.92), height * rng.uniform(0.42, 0.58)
    else:
        tall = min(width, height) * rng.uniform(0.7, 0.92)
        wide = tall
    if kind in ("thermometer", "level"):
        wide, tall = rng.uniform(150, 210), height * rng.uniform(0.8, 0.92)
    left, top = rng.uniform(8, width - wide - 8), rng.uniform(8, height - tall - 8)
    if kind == "jug":
        left, top, wide, tall = (width - tall * 0.95) / 2 - 14, top, tall * 0.86, tall
    return sheet, [_instrument(sheet, rng, split, kind, (left, top, left + wide, top + tall), ground)]


def _captioned(
    rng: random.Random,
    split: Split,
    size: tuple[int, int],
    boxes: Sequence[Box],
    kinds: Sequence[str],
    side: str,
) -> Layout:
    """Instruments in cells, each with a place's name above, below or to the left of it."""
    sheet, ground = sheet_on_background(rng, split, *size, plain=rng.random() < 0.6)
    if rng.random() < 0.4:
        board = distinct_colours(
            rng, split, [ground], 1, least=110, names=("gray", "black", "white", "blue", "brown")
        )
        if board:
            sheet.box((6, 6, size[0] - 6, size[1] - 6), board[0][1], radius=14)
            ground = board[0][1]
    names = rng.sample([place for place in PLACES if belongs_to(split, place)], len(boxes))
    font, ink, shared = sturdy_font(rng, split, "°"), readable_on(ground), rng.choice(SCALES)
    same, found = rng.random() < 0.55, []
    print_font = font if rng.random() < 0.8 else sturdy_font(rng, split, "°")
    if kinds[0] == "thermometer":
        shared = rng.choice(THERMOMETERS)
    for name, kind, (left, top, right, bottom) in zip(names, kinds, boxes, strict=True):
        wanted = max(19, least_size(font))
        if side == "left":
            indent = size[0] * 0.24
            fitted = fitting_size(name, font, wanted, indent - 16)
            sheet.write(left + 4, (top + bottom) / 2, name, font, fitted, ink, "left")
            box = (left + indent, top, right, bottom)
        else:
            fitted = fitting_size(name, font, wanted, right - left)
            level = bottom - fitted * 0.62 if side == "below" else top + fitted * 0.62
            sheet.write((left + right) / 2, level, name, font, fitted, ink)
            gap = fitted * 1.35
            box = (left, top, right, bottom - gap) if side == "below" else (left, top + gap, right, bottom)
        scale = shared if same else None
        found.append(_instrument(sheet, rng, split, kind, box, ground, scale, print_font) | {"caption": name})
    return sheet, found


def _cells(size: tuple[int, int], columns: int, rows: int, margin: float = 18, gap: float = 16) -> list[Box]:
    wide = (size[0] - 2 * margin - (columns - 1) * gap) / columns
    tall = (size[1] - 2 * margin - (rows - 1) * gap) / rows
    return [
        (x := margin + column * (wide + gap), y := margin + row * (tall + gap), x + wide, y + tall)
        for row in range(rows)
        for column in range(columns)
    ]


def _panel(rng: random.Random, split: Split) -> Layout:
    columns, rows, size = rng.choice(((2, 2, (496, 480)), (2, 1, (560, 320)), (3, 2, (720, 480))))
    boxes = _cells(size, columns, rows)
    pool = ("round", "round", "lying", "thermometer") if rng.random() < 0.5 else ("round",)
    return _captioned(rng, split, size, boxes, [rng.choice(pool) for _ in boxes], "below")


def _row(rng: random.Random, split: Split) -> Layout:
    size = (640, 352)
    kind = rng.choice(("thermometer", "level", "level"))
    return _captioned(
        rng, split, size, (boxes := _cells(size, rng.choice((3, 4)), 1, gap=20)), [kind] * len(boxes), "below"
    )


def _board(rng: random.Random, split: Split) -> Layout:
    columns, rows, size = rng.choice(((3, 1, (704, 320)), (2, 2, (512, 512)), (3, 2, (736, 496))))
    boxes = _cells(size, columns, rows, margin=22)
    return _captioned(
        rng, split, size, boxes, [rng.choice(("round", "round", "level")) for _ in boxes], "above"
    )


def _rack(rng: random.Random, split: Split) -> Layout:
    count = rng.choice((2, 3, 4))
    size = (576, 116 * count + 36)
    return _captioned(rng, split, size, _cells(size, 1, count, gap=12), ["lying"] * count, "left")


def _dashboard(rng: random.Random, split: Split) -> Layout:
    """What a driver sees: speed, fuel, perhaps the distance and the battery."""
    width, height = 688, 320
    sheet = Sheet((22, 23, 27), (width, height))
    ground: RGB = (22, 23, 27)
    sheet.box((8, 8, width - 8, height - 8), (38, 40, 46), radius=60)
    found = [_instrument(sheet, rng, split, "speed", (30, 24, 302, 296), ground)]
    found.append(_instrument(sheet, rng, split, "fuel", (496, 40, 660, 204), ground))
    if rng.random() < 0.7:
        found.append(_instrument(sheet, rng, split, "counter", (326, 206, 476, 258), ground))
    if rng.random() < 0.6:
        found.append(_instrument(sheet, rng, split, "battery", (330, 76, 474, 162), ground))
    return sheet, found


def _cockpit(rng: random.Random, split: Split) -> Layout:
    """The same from another maker: everything in one row, the fuel at the left."""
    width, height = 736, 288
    ground: RGB = rng.choice(((214, 216, 222), (20, 34, 44)))
    sheet = Sheet(ground, (width, height))
    found = [_instrument(sheet, rng, split, "fuel", (16, 52, 202, 238), ground)]
    found.append(_instrument(sheet, rng, split, "speed", (222, 12, 486, 276), ground))
    if rng.random() < 0.7:
        found.append(_instrument(sheet, rng, split, "counter", (512, 56, 710, 112), ground))
    if rng.random() < 0.7:
        found.append(_instrument(sheet, rng, split, "battery", (528, 150, 694, 250), ground))
    return sheet, found


LAYOUTS: dict[str, Callable[[random.Random, Split], Layout]] = {
    "single": _single,
    "alone": _single,
    "panel": _panel,
    "row": _row,
    "board": _board,
    "rack": _rack,
    "dashboard": _dashboard,
    "cockpit": _cockpit,
}


def _look(rng: random.Random, split: Split, ground: RGB, kind: str, font: str | None) -> Look:
    face: RGB = rng.choice(((250, 250, 248), (244, 240, 226), (232, 238, 244), (24, 25, 28), (14, 30, 46)))
    if kind == "jug":
        face = (246, 249, 252)
    rim = max(((40, 40, 44), (150, 152, 158), (235, 235, 235)), key=lambda c: min(distance(c, ground), 260))
    names = (
        ("yellow", "orange", "pink") if kind == "jug" else tuple(name for name in NAMES if name != "brown")
    )
    against = [face] if kind == "jug" else [face, tuple((2 * c + 235) // 3 for c in face)]
    pointer = distinct_colours(rng, split, against, 1, least=120 if kind == "jug" else 215, names=names)[0]  # type: ignore[arg-type]
    font = font or sturdy_font(rng, split, "°")
    return Look(face, readable_on(face), rim, font, rng.choice(tuple(instruments.NEEDLES[split])), pointer)


def _zones(rng: random.Random, scale: Scale) -> tuple[tuple[float, float, str], ...]:
    """Two or three zones that meet at marks, the red one at either end."""
    step = scale.minor * 2 if scale.major / scale.minor % 2 == 0 else scale.minor
    cuts = [
        scale.low + step * round((scale.high - scale.low) * share / step) for share in (0.35, 0.6, 0.72, 0.8)
    ]
    if rng.random() < 0.3:
        return ((scale.low, cuts[0], "red"), (cuts[0], scale.high, "green"))
    if rng.random() < 0.5:
        return ((scale.low, cuts[1], "green"), (cuts[1], cuts[3], "yellow"), (cuts[3], scale.high, "red"))
    if rng.random() < 0.5:
        return ((scale.low, cuts[0], "blue"), (cuts[0], cuts[2], "green"), (cuts[2], scale.high, "red"))
    return ((scale.low, cuts[2], "green"), (cuts[2], scale.high, "red"))


def _fitting(scale: Scale, kind: str, box: Box) -> Scale:
    """The scale with as many of its small divisions as can be told apart in the box."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    length = {"lying": wide - 60, "round": min(wide, tall) * 1.4, "speed": min(wide, tall) * 1.4}.get(
        kind, tall * 0.7
    )
    most = round((scale.high - scale.low) / scale.major)
    for each in (round(scale.major / scale.minor), 5, 4, 2):
        if each <= round(scale.major / scale.minor) and most * each * 4.5 <= length:
            return replace(scale, minor=round(scale.major / each, 6))
    return replace(scale, minor=scale.major)


def _instrument(
    sheet: Sheet,
    rng: random.Random,
    split: Split,
    kind: str,
    box: Box,
    ground: RGB,
    scale: Scale | None = None,
    font: str | None = None,
) -> dict[str, Any]:
    """Draw one instrument with a value of its own; what is known about it."""
    look, legible = _look(rng, split, ground, kind, font), rng.random() > BLURRED
    fact: dict[str, Any] = {"kind": kind, "box": list(box), "legible": legible, "pointer": look.pointer[0]}
    if kind == "counter":
        digits = "".join(rng.choice("0123456789") for _ in range(rng.choice((5, 6))))
        instruments.draw_counter(sheet, box, digits, look, legible)
        return fact | {"digits": digits}
    if kind == "battery":
        bars = rng.choice((4, 5, 6))
        lit = rng.randint(1, bars)
        name = "red" if lit == 1 else rng.choice(("green", "green", "yellow", "blue"))
        geometry = instruments.draw_battery(
            sheet, box, lit, bars, colour(rng, split, name), readable_on(ground), look.face
        )
        return fact | {"lit": lit, "bars": bars, "legible": True, "pointer": name, **geometry}
    if kind == "fuel":
        scale, legible = FUEL, True
    elif scale is None or (kind == "thermometer" and not scale.unit.startswith("°")):
        pools = {"thermometer": THERMOMETERS, "jug": JUGS, "speed": SPEEDS}
        scale = rng.choice(pools.get(kind, SCALES))
    scale = _fitting(scale, kind, box)
    halves = round((scale.high - scale.low) / scale.minor * 2)
    value = round(scale.low + rng.randint(2, halves - 2) * scale.minor / 2, 6)
    zones: tuple[tuple[float, float, str], ...] = ()
    if kind == "fuel":
        zones = ((0, 12.5, "red"),) if rng.random() < 0.6 else ()
    elif kind not in ("jug", "speed") and rng.random() < 0.6:
        zones = _zones(rng, scale)
    reading = Reading(scale, value, zones, FUEL_LABELS if kind == "fuel" else (), legible)
    if kind in ("round", "speed", "fuel"):
        sweep = 180 if kind == "fuel" else rng.choice((180, 240, 270, 270))
        geometry = instruments.draw_round(sheet, rng, split, box, reading, look, sweep)
        left, top, right, bottom = box
        radius = min(right - left, bottom - top) / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        fact["box"] = [x - radius, y - radius, x + radius, y + radius]
    elif kind == "lying":
        geometry = instruments.draw_lying(sheet, rng, split, box, reading, look, rng.random() < 0.4)
    else:
        geometry = instruments.draw_upright(sheet, rng, split, box, reading, look, kind)
    fact |= {
        "unit": scale.unit,
        "low": scale.low,
        "high": scale.high,
        "major": scale.major,
        "minor": scale.minor,
    }
    return fact | {"value": value, "zones": [list(zone) for zone in zones], "legible": legible, **geometry}


def _measure(rng: random.Random, split: Split, template: str) -> tuple[Sheet, dict[str, Any]]:
    """Coloured things along a ruler, or below a tape, that start at its zero or at another mark."""
    width, height = rng.choice(((640, 304), (592, 336)))
    sheet, ground = sheet_on_background(rng, split, width, height)
    scale, count, font = rng.choice(RULERS), rng.choice((1, 2, 3)), sturdy_font(rng, split)
    legible = rng.random() > BLURRED
    paper = (242, 214, 150) if template == "ruler" else (250, 226, 60)
    left, right, tall = 30.0, width - 30.0, 76.0
    top = height - tall - 20 if template == "ruler" else 20.0
    body = (left - 20, top, right + 20, top + tall)
    sheet.box(body, paper, (90, 70, 40), 1.5, radius=4)
    edge, inward = (top, 1) if template == "ruler" else (top + tall, -1)

    def across(value: float) -> float:
        return left + (right - left) * scale.share(value)

    for value, is_long in scale.marks():
        ends = [(across(value), edge), (across(value), edge + inward * (20 if is_long else 11))]
        sheet.line(ends, (20, 20, 20), 1.8 if is_long else 1.1)
    size = max(15, least_size(font) - 1)
    for value, is_long in scale.marks():
        if is_long:
            sheet.write(
                across(value), edge + inward * 33, f"{value:g}", font, size, (20, 20, 20), legible=legible
            )
    sheet.write(right + 12, edge + inward * 60, scale.unit, font, size, (20, 20, 20), "right")
    room = (top - 24) if template == "ruler" else height - top - tall - 24
    thick, things = min(30.0, room / count * 0.6), []
    shades = distinct_colours(rng, split, [ground], count)
    for i, (name, ink) in enumerate(shades):
        starts = [value for value, is_long in scale.marks() if is_long and scale.share(value) < 0.45]
        start = 0.0 if rng.random() < 0.5 else rng.choice(starts)
        steps = round((scale.high - start) / scale.minor * 2)
        end = round(start + rng.randint(max(4, steps // 5), steps - 1) * scale.minor / 2, 6)
        y = edge - inward * (12 + room / count * (i + 0.5))
        box = (across(start), y - thick / 2, across(end), y + thick / 2)
        sheet.box(box, ink, radius=2)
        for value in (start, end):
            sheet.line([(across(value), y), (across(value), edge)], readable_on(ground), 0.6)
        thing = rng.choice(THINGS)
        things.append(
            {"thing": f"{name} {thing}", "colour": name, "from": start, "to": end, "box": list(box)}
        )
        sheet.placed += [Placed("object", thing, box), Placed("colour", name, box)]
    sheet.placed.append(Placed("object", "ruler", body))
    facts = {"unit": scale.unit, "minor": scale.minor, "zero at": left, "end at": right, "end": scale.high}
    return sheet, {"things": things, "legible": legible, "body": list(body), **facts}


# ---------------------------------------------------------------------------------------------------
# Questions


def _name(instrument: dict[str, Any], count: int) -> str:
    if "caption" in instrument:
        return f"the instrument labelled {instrument['caption']}"
    return "the " + KIND_NAMES[instrument["kind"]]


def _amount(value: float, unit: str) -> str:
    return f"{round(value, 4):g} {unit}".strip()


def _zone_of(instrument: dict[str, Any]) -> str | None:
    """The colour of the zone in which the value lies clearly; None at a boundary or without zones."""
    value, margin = instrument["value"], instrument["minor"] * 0.4
    for low, high, name in instrument["zones"]:
        lowest = low + margin if low > instrument["low"] else low
        if lowest <= value <= (high - margin if high < instrument["high"] else high):
            return name
    return None


def _ask(ask: Asker, found: list[dict[str, Any]]) -> None:
    rng = ask.rng
    for instrument in found:
        instrument["name"] = _name(instrument, len(found))
    if len(found) > 1:
        ask.count("count", COUNT, len(found))
    absent = _absent(ask, found)
    ask.not_shown("reading of what is absent", READING, which=absent)
    framed = rng.choice(found)
    ask.box("frame", FRAME, framed["box"], which=framed["name"])
    for instrument in rng.sample(found, min(3, len(found))):
        if instrument["kind"] == "counter":
            _ask_counter(ask, instrument)
        elif instrument["kind"] == "battery":
            ask.count("bars", BARS, instrument["lit"], which=instrument["name"])
            if instrument["lit"] * 2 != instrument["bars"]:
                more = instrument["lit"] * 2 > instrument["bars"]
                ask.yes_no("half full", HALF_FULL, more, which=instrument["name"])
        else:
            _ask_scale(ask, instrument)
    scaled = [i for i in found if "value" in i and i["kind"] != "fuel"]
    if (
        any(i["zones"] for i in scaled)
        and len(found) > 1
        and all(_zone_of(i) or not i["zones"] for i in scaled)
    ):
        ask.count("count red", COUNT_RED, sum(_zone_of(i) == "red" for i in scaled))
    _compare(ask, [i for i in scaled if i["legible"]], len(found))


def _absent(ask: Asker, found: list[dict[str, Any]]) -> str:
    if "caption" in found[0]:
        shown = {i["caption"] for i in found}
        others = [place for place in PLACES if belongs_to(ask.split, place) and place not in shown]
        return f"the instrument labelled {ask.rng.choice(others)}"
    shown = {KIND_NAMES[i["kind"]] for i in found}
    others = ["thermometer", "fuel gauge", "battery", "speedometer", "measuring jug"]
    if "gauge" in shown:  # a round gauge might be taken for one of these
        others = ["thermometer", "measuring jug", "battery"]
        others = others[1:] if found[0].get("unit", "").startswith("°") else others
    return "the " + ask.rng.choice([name for name in others if name not in shown])


def _ask_counter(ask: Asker, counter: dict[str, Any]) -> None:
    name, digits = counter["name"], counter["digits"]
    if not counter["legible"]:
        ask.cant_be_read("digits that can't be read", DIGITS, which=name)
        return
    ask.verbatim("digits", DIGITS, digits, which=name)
    steps = ask.rng.choice((1, 2, 5, 10, 20, 100))
    if int(digits) + steps < 10 ** len(digits):
        ask.number(
            "digits later",
            DIGITS_LATER,
            int(digits) + steps,
            answer=str(int(digits) + steps).zfill(len(digits)),
            which=name,
            steps=steps,
        )


def _ask_scale(ask: Asker, gauge: dict[str, Any]) -> None:
    rng, name, unit, half = ask.rng, gauge["name"], gauge["unit"], gauge["minor"] / 2
    tip = gauge["tip"]
    ask.point("tip", TIP, (tip[0] - 13, tip[1] - 13, tip[0] + 13, tip[1] + 13), which=name)
    if rng.random() < 0.5:
        ask.colour("pointer colour", POINTER_COLOUR, gauge["pointer"], which=name)
    zone = _zone_of(gauge)
    if gauge["zones"] and zone and gauge["kind"] != "fuel":
        ask.colour("zone", ZONE, zone, which=name)
        ask.yes_no("in the red", IN_RED, zone == "red", which=name)
    if gauge["kind"] == "fuel":
        ask.number(
            "percent",
            PERCENT,
            gauge["value"],
            answer=f"{gauge['value']:.0f} percent",
            tolerance=7,
            which=name,
        )
        if abs(gauge["value"] - 50) > 5:
            ask.yes_no("half full", HALF_FULL, gauge["value"] > 50, which=name)
        return
    ask.text("unit", UNIT, unit, which=name)
    if not gauge["legible"]:
        ask.cant_be_read("reading that can't be read", READING, which=name)
        return
    value, high = gauge["value"], gauge["high"]
    ask.number("reading", READING, value, answer=_amount(value, unit), tolerance=half, which=name)
    marks = [
        gauge["low"] + gauge["major"] * i for i in range(1, round((high - gauge["low"]) / gauge["major"]))
    ]
    limits = [mark for mark in marks if abs(mark - value) >= gauge["minor"]]
    if limits:
        over, under = [m for m in limits if m < value], [m for m in limits if m > value]
        limit = rng.choice(over if over and (rng.random() < 0.5 or not under) else under)
        ask.yes_no("above a limit", ABOVE, value > limit, which=name, limit=_amount(limit, unit))
    if rng.random() < 0.5:
        ask.number("top of the scale", TOP, high, answer=_amount(high, unit), which=name)
    else:
        ask.number("division", DIVISION, gauge["minor"], answer=_amount(gauge["minor"], unit), which=name)
    ask.number("room", ROOM, high - value, answer=_amount(high - value, unit), tolerance=half, which=name)


def _compare(ask: Asker, gauges: list[dict[str, Any]], shown: int) -> None:
    rng = ask.rng
    if len(gauges) < 2 or "caption" not in gauges[0]:
        return
    units = [g["unit"] for g in gauges]
    alone = [g for g in gauges if units.count(g["unit"]) == 1]
    if alone and len(gauges) == shown:
        gauge = rng.choice(alone)
        ask.text("which unit", WHICH_UNIT, gauge["caption"], unit=gauge["unit"])
    pairs = [(a, b) for i, a in enumerate(gauges) for b in gauges[i + 1 :] if a["unit"] == b["unit"]]
    pairs = [(a, b) for a, b in pairs if abs(a["value"] - b["value"]) >= a["minor"] + b["minor"]]
    if pairs:
        a, b = rng.choice(pairs)
        names = {"a": a["caption"], "b": b["caption"]}
        ask.text("which shows more", MORE, max(a, b, key=lambda g: g["value"])["caption"], **names)
        gap, slack = abs(a["value"] - b["value"]), (a["minor"] + b["minor"]) / 2
        ask.number("difference", DIFFERENCE, gap, answer=_amount(gap, a["unit"]), tolerance=slack, **names)
    least = max(g["minor"] for g in gauges)
    if len(gauges) == shown >= 3 and len(set(units)) == 1 and apart([g["value"] for g in gauges], least):
        in_order = sorted(gauges, key=lambda g: g["value"])
        ask.items("order", ORDER, [g["caption"] for g in in_order], ordered=True)


def _ask_lengths(ask: Asker, facts: dict[str, Any]) -> None:
    rng, things, unit, minor = ask.rng, facts["things"], facts["unit"], facts["minor"]
    thing = rng.choice(things)
    name = thing["thing"]
    ask.box("frame of a thing", THING_BOX, thing["box"], thing=name)
    if len(things) == 1:
        kind = name.split()[-1]
        ask.colour("colour of a thing", THING_COLOUR, thing["colour"], thing=kind)
    others = [colour_name for colour_name in NAMES if colour_name not in {t["colour"] for t in things}]
    ask.not_shown("length of what is absent", LENGTH, thing=f"{rng.choice(others)} {name.split()[-1]}")
    ask.not_shown("colour of what is absent", THING_COLOUR, thing=rng.choice(_unused(things)))
    if len(things) >= 2:
        a, b = rng.sample(things, 2)
        gap = abs((a["to"] - a["from"]) - (b["to"] - b["from"]))
        names = {"a": a["thing"], "b": b["thing"]}
        if gap >= minor:
            longer = max(a, b, key=lambda t: t["to"] - t["from"])["thing"]
            ask.text("longer", LONGER, longer, **names)
        if facts["legible"]:
            ask.number(
                "difference in length",
                LENGTH_DIFFERENCE,
                gap,
                answer=_amount(gap, unit),
                tolerance=minor,
                **names,
            )
    if not facts["legible"]:
        ask.cant_be_read("length that can't be read", LENGTH, thing=name)
        return
    for thing in things:
        length, name = thing["to"] - thing["from"], thing["thing"]
        ask.number("length", LENGTH, length, answer=_amount(length, unit), tolerance=minor / 2, thing=name)
        if thing["from"]:
            end = thing["to"]
            ask.number("end", ENDS, end, answer=_amount(end, unit), tolerance=minor / 2, thing=name)


def _unused(things: list[dict[str, Any]]) -> list[str]:
    shown = {thing["thing"].split()[-1] for thing in things}
    return [thing for thing in THINGS if thing not in shown]


# ---------------------------------------------------------------------------------------------------
# Captions


def _says(instrument: dict[str, Any]) -> str:
    if instrument["kind"] == "battery":
        return f"with {instrument['lit']} of {instrument['bars']} bars lit"
    if not instrument["legible"]:
        return "whose numbers can't be read"
    if instrument["kind"] == "counter":
        return f"showing {instrument['digits']}"
    if instrument["kind"] == "fuel":
        return f"at about {instrument['value']:.0f} percent"
    return f"showing {_amount(instrument['value'], instrument['unit'])}"


def _describe(scene: Scene, found: list[dict[str, Any]]) -> None:
    kinds = [KIND_NAMES[i["kind"]] for i in found]
    labelled = [
        f"{with_article(kind)}{' labelled ' + i['caption'] if 'caption' in i else ''}"
        for kind, i in zip(kinds, found, strict=True)
    ]
    said = [f"{name} {_says(i)}" for name, i in zip(labelled, found, strict=True)]
    if len(found) == 1:
        scene.short_caption = with_article(kinds[0]).capitalize() + "."
        scene.caption = said[0][0].upper() + said[0][1:] + "."
    else:
        scene.short_caption = f"{len(found)} instruments."
        scene.caption = f"{len(found)} instruments: {', '.join(labelled)}."
    more = []
    for instrument, name in zip(found, labelled, strict=True):
        zone = _zone_of(instrument) if instrument.get("zones") else None
        if zone and instrument["kind"] != "fuel":
            more.append(f"The reading of the {name.split(' ', 1)[1]} is in the {zone} zone.")
    listed = scene.caption if len(found) == 1 else f"{len(found)} instruments: {'; '.join(said)}."
    scene.long_caption = " ".join([listed, *more])


def _describe_lengths(scene: Scene, facts: dict[str, Any]) -> None:
    names = [with_article(thing["thing"]) for thing in facts["things"]]
    scene.short_caption = "Measuring with a ruler."
    scene.caption = f"A ruler and, beside it, {', '.join(names)}."
    if not facts["legible"]:
        scene.long_caption = scene.caption + " The numbers of the ruler can't be read."
        return
    parts = [
        f"the {t['thing']} reaches from {t['from']:g} to {t['to']:g} {facts['unit']}" for t in facts["things"]
    ]
    text = "; ".join(parts)
    scene.long_caption = f"{scene.caption} {text[0].upper() + text[1:]}."
