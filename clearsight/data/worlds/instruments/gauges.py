"""Instruments to read: gauges and meters alone, in rows and on panels, a dashboard, and things along a ruler.

A reading may be off by half of the scale's smallest division. Where the numbers of a scale are illegible its zones
can still be told. Instruments with two needles or with a scale that is not even are left out.
"""

from typing import Any

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.drawing.palette import NAMES
from clearsight.data.worlds.instruments.panels import LAYOUTS, PLACES, THINGS, measured
from clearsight.data.worlds.scene import Placed, Scene, Split, belongs_to, rng_for, with_article

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("single", "single", "panel", "panel", "row", "dashboard", "ruler"),
    "eval": ("alone", "board", "board", "rack", "cockpit", "tape"),
}
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
        sheet, facts = measured(rng, split, template)
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
# Questions


def _name(instrument: dict[str, Any]) -> str:
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
        instrument["name"] = _name(instrument)
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
        if zone == "red" or rng.random() < 0.45:
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
