"""Where instruments stand: alone, on panels and dashboards, in racks; and things that lie along a ruler.

Every layout gives a sheet and the instruments on it as plain data, from which the world of gauges asks and describes.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from clearsight.data.worlds.drawing.drafting import (
    Box,
    Sheet,
    distinct_colours,
    fitting_size,
    least_size,
    sheet_on_background,
    sturdy_font,
)
from clearsight.data.worlds.drawing.palette import NAMES, RGB, colour, distance, readable_on
from clearsight.data.worlds.instruments import meters
from clearsight.data.worlds.instruments.meters import Look, Reading, Scale
from clearsight.data.worlds.scene import Placed, Split, belongs_to

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
BLURRED = 0.14  # share of scales and counters whose numbers can't be read

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
    faint = ("brown", "yellow") if face[0] > 128 else ("brown",)
    names = (
        ("yellow", "orange", "pink") if kind == "jug" else tuple(name for name in NAMES if name not in faint)
    )
    against = [face] if kind == "jug" else [face, tuple((2 * c + 235) // 3 for c in face)]
    pointer = distinct_colours(rng, split, against, 1, least=120 if kind == "jug" else 215, names=names)[0]  # type: ignore[arg-type]
    font = font or sturdy_font(rng, split, "°")
    return Look(face, readable_on(face), rim, font, rng.choice(tuple(meters.NEEDLES[split])), pointer)


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
        meters.draw_counter(sheet, box, digits, look, legible)
        return fact | {"digits": digits}
    if kind == "battery":
        bars = rng.choice((4, 5, 6))
        lit = rng.randint(1, bars)
        name = "red" if lit == 1 else rng.choice(("green", "green", "yellow", "blue"))
        geometry = meters.draw_battery(
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
        geometry = meters.draw_round(sheet, rng, split, box, reading, look, sweep)
        left, top, right, bottom = box
        radius = min(right - left, bottom - top) / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        fact["box"] = [x - radius, y - radius, x + radius, y + radius]
    elif kind == "lying":
        geometry = meters.draw_lying(sheet, rng, split, box, reading, look, rng.random() < 0.4)
    else:
        geometry = meters.draw_upright(sheet, rng, split, box, reading, look, kind)
    fact |= {
        "unit": scale.unit,
        "low": scale.low,
        "high": scale.high,
        "major": scale.major,
        "minor": scale.minor,
    }
    return fact | {"value": value, "zones": [list(zone) for zone in zones], "legible": legible, **geometry}


def measured(rng: random.Random, split: Split, template: str) -> tuple[Sheet, dict[str, Any]]:
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
