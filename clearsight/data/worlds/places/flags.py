"""Flags: national and invented ones, alone, on poles, in charts, on a string; whose they are and how they look.

Flags are spoken of by their label or by their place. What is asked about the colours of national flags leaves out
those of small parts, about which people may differ.
"""

import itertools
import random
from typing import Any

from clearsight.data.worlds import asking
from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.places.flag_designs import (
    FLAG_COLOURS,
    SIGNS,
    Flag,
    shown,
)
from clearsight.data.worlds.places.flag_settings import LAYOUTS, Hung
from clearsight.data.worlds.places.national_flags import codes, nationals
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for, with_article, wording

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("single", "poles", "poles", "chart", "chart"),
    "eval": ("lone", "string", "string", "ladder", "ladder"),
}
EMBLEMS = (
    "eagle",
    "leaf",
    "tree",
    "dragon",
    "lion",
    "cross",
    "crescent",
    "disc",
    "trident",
    "temple",
    "wheel",
)
EMBLEMS += ("hat", "keys", "map", "star", "sun", "bird", "coat of arms", "shield", "sword")
# Emblems that a person might also see in a flag with this one.
ALIKE = {
    "star": {"crescent", "coat of arms", "sun"},
    "stars": {"star", "crescent", "cross", "coat of arms", "sun"},
    "crescent": {"star", "sun", "disc"},
    "sun": {"star", "disc", "bird", "wheel"},
    "disc": {"sun", "wheel"},
    "wheel": {"sun", "disc"},
    "eagle": {"bird", "coat of arms", "shield"},
    "bird": {"eagle", "star", "disc", "coat of arms", "leaf"},
    "parrot": {"bird", "eagle", "star", "cross", "disc"},
    "coat of arms": {"shield", "eagle", "lion", "tree", "leaf", "cross", "bird", "sun", "star"},
    "cross": {"coat of arms", "shield"},
    "shield": {"coat of arms"},
    "globe": {"disc", "star"},
    "map": {"leaf", "star"},
    "keys": {"coat of arms", "cross"},
    "lion": {"sword", "leaf"},
    "wreath": {"leaf", "tree", "star"},
    "triangle": set(),
    "diamonds": set(),
    "rifle": {"star", "sword"},
}
WITHOUT_STARS = (
    "",
    "leaf",
    "tree",
    "disc",
    "trident",
    "dragon",
    "temple",
    "wheel",
    "hat",
    "keys",
    "triangle",
    "sword",
)

COUNTRY = (
    "Which country's flag is {which}?",
    "To which country does {which} belong?",
    "Of what country is {which}?",
)
FIND = (
    "Where is the flag of {country}?",
    "Point to the flag of {country}.",
    "Find the flag that {country} flies.",
)
COUNT = (
    "How many flags are there?",
    "Count the flags.",
    "What number of flags can be seen flying or hanging?",
)
HAS_COLOUR = (
    "Is there {colour} in {which}?",
    "Does {which} have {colour} in it?",
    "Would a painter need {colour} for {which}?",
)
COLOURS = (
    "Which colours does {which} have?",
    "Name the colours of {which}.",
    "List all the colours that make up {which}.",
)
STRIPES = (
    "How many stripes does {which} have?",
    "Count the stripes of {which}.",
    "Of what number of stripes is {which} composed?",
)
WAY = (
    "Are the stripes of {which} horizontal or vertical?",
    "Which way do the stripes of {which} run, horizontal or vertical?",
    "Do horizontal or vertical stripes make up {which}?",
)
BANDS = (
    "Name the colours of the stripes of {which}, from {way}.",
    "Which colours do the stripes of {which} have, from {way}?",
    "Go through the stripes of {which} from {way}: which colours come up?",
)
EDGE = (
    "What colour is the {edge} stripe of {which}?",
    "Which colour has the {edge} stripe of {which}?",
    "In what colour is the {edge} one of the stripes of {which}?",
)
EMBLEM = (
    "What stands on {which}?",
    "Which sign or figure is on {which}?",
    "Apart from plain fields of colour, what does {which} bear?",
)
STAR = (
    "Is there a star on {which}?",
    "Does {which} bear any star?",
    "Can a star be found within {which}?",
)
SIGN_COUNT = (
    "How many {plural} are on {which}?",
    "Count the {plural} on {which}.",
    "What number of {plural} does {which} bear?",
)
SIGN_COLOUR = (
    "What colour is the {sign} on {which}?",
    "Which colour does the {sign} of {which} have?",
    "In what colour does the {sign} stand on {which}?",
)
LABEL = (
    "What is written with {which}?",
    "Which label does {which} have?",
    "Transcribe the label that goes with {which}.",
)
ONLY_ONE_WITH = (
    "What is the label of the only flag with {colour} in it?",
    "Which label has the one flag that contains {colour}?",
    "One flag alone has {colour}: give its label.",
)
COUNT_COLOUR = (
    "How many of the flags have {colour} in them?",
    "Count the flags that contain {colour}.",
    "On what number of flags does {colour} appear?",
)
NEIGHBOUR = (
    "What is the label of the flag {where} the one labelled {label}?",
    "Which label has the flag {where} the flag labelled {label}?",
    "Name the label right {where} that of {label}.",
)
FRAME = (
    "Frame {which}.",
    "What is the box around {which}?",
    "Put a frame around the cloth of {which}.",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("flags", seed, split)
    template = rng.choice(TEMPLATES[split])
    sheet, hung = LAYOUTS[template](rng, split)
    picture, phase = sheet.finish(rng), rng.uniform(0, 6)
    scene = Scene("flags", seed, split, picture, placed=sheet.placed)
    for one in hung:
        cloth, masks = shown(one.flag, one.width, one.wind, phase)
        left, top = round(one.left), round(one.top)
        picture.paste(cloth, (left, top), cloth)
        one.box = (left, top, left + cloth.width, top + cloth.height)
        scene.placed.append(Placed("object", "flag", one.box))
        scene.placed += [Placed("colour", name, one.box, mask) for name, mask in masks.items()]
    scene.facts = {"template": template, "flags": [_fact(one) for one in hung]}
    _ask(Asker(scene, rng), hung, template)
    _describe(scene, hung)
    return scene


def _fact(one: Hung) -> dict[str, Any]:
    flag = one.flag
    return {
        "place": one.place,
        "label": one.label,
        "legible": one.legible,
        "box": list(one.box),
        "code": flag.country.code if flag.country else None,
        "colours": list(flag.colours),
        "traces": list(flag.traces),
        "stripes": flag.stripes,
        "way": flag.way,
        "bands": list(flag.bands),
        "sign": flag.sign,
        "signs": flag.signs,
        "sign colour": flag.sign_colour,
    }


# ---------------------------------------------------------------------------------------------------
# Questions


def _which(rng: random.Random, one: Hung) -> str:
    """A flag by its place or, where it can be read, by its label; never by a name that gives its country away."""
    if one.label and one.legible and not one.is_named and rng.random() < 0.6:
        return f"the flag labelled {one.label}"
    return one.place


def _ask(ask: Asker, hung: list[Hung], template: str) -> None:
    rng = ask.rng
    if len(hung) > 1:
        ask.count("count", COUNT, len(hung))
        _ask_of_all(ask, hung, template)
    for one in rng.sample(hung, min(3, len(hung))):
        which = _which(rng, one)
        _ask_look(ask, one, which)
        if one.flag.country is not None and not one.is_named:
            _ask_country(ask, one, which)
    one = rng.choice(hung)
    ask.box("frame", FRAME, one.box, which=_which(rng, one))
    for one in rng.sample([h for h in hung if h.label], min(2, len([h for h in hung if h.label]))):
        if one.legible:
            ask.verbatim("label", LABEL, one.label, which=one.place)
    for one in hung:
        if one.label and not one.legible:
            ask.cant_be_read("label that can't be read", LABEL, which=one.place)
    national = [h for h in hung if h.flag.country]
    if national and len(hung) > 1:
        one = rng.choice(national)
        ask.point("find", FIND, one.box, country=one.flag.country.in_text)  # type: ignore[union-attr]
    shown_codes = {h.flag.country.code for h in national if h.flag.country}
    absent = rng.choice([code for code in codes(ask.split) if code not in shown_codes])
    where = " " + wording(ask.rng, ask.split, asking.POINT)
    ask.not_shown("find what is absent", FIND, after=where, country=nationals()[absent].in_text)


def _ask_country(ask: Asker, one: Hung, which: str) -> None:
    country = one.flag.country
    assert country is not None
    known = country.code in codes("train")
    skill = "country" if known else "country that training never shows"
    if ask.rng.random() < 0.4:
        others = [nationals()[code].name for code in codes(ask.split) + codes("train")]
        ask.choice(skill, COUNTRY, country.name, sorted(set(others) - {country.name}), which=which)
    else:
        ask.text(skill, COUNTRY, country.name, alternatives=country.alternatives, which=which)


def _ask_look(ask: Asker, one: Hung, which: str) -> None:
    rng, flag = ask.rng, one.flag
    others = [name for name in FLAG_COLOURS if name not in (*flag.colours, *flag.traces)]
    present = bool(flag.colours) and rng.random() < 0.5
    asked = rng.choice(flag.colours if present else others)
    ask.yes_no("has colour", HAS_COLOUR, present, colour=asked, which=which)
    if flag.colours and not flag.traces:
        ask.items("colours", COLOURS, flag.colours, ordered=False, which=which)
    if flag.stripes:
        ask.count("stripes", STRIPES, flag.stripes, which=which)
        ask.text("way of the stripes", WAY, flag.way, which=which)
    if flag.bands:
        way = "top to bottom" if flag.way == "horizontal" else "left to right"
        ask.items("bands", BANDS, flag.bands, ordered=True, which=which, way=way)
        first = rng.random() < 0.5
        edge = ("top" if first else "bottom") if flag.way == "horizontal" else ("left" if first else "right")
        ask.colour("stripe at the edge", EDGE, flag.bands[0 if first else -1], which=which, edge=edge)
    if flag.country is not None:
        if flag.sign in ALIKE:
            others = [emblem for emblem in EMBLEMS if emblem != flag.sign and emblem not in ALIKE[flag.sign]]
            ask.choice("emblem", EMBLEM, flag.sign, others, which=which)
        starred = flag.sign in ("star", "stars")
        if starred or (flag.sign in WITHOUT_STARS and rng.random() < 0.35):
            ask.yes_no("star", STAR, starred, which=which)
        return
    if flag.sign == "star" or rng.random() < 0.2:
        ask.yes_no("star", STAR, flag.sign == "star", which=which)
    if flag.sign:
        ask.choice("emblem", EMBLEM, flag.sign, SIGNS, which=which)
        plural = "crosses" if flag.sign == "cross" else flag.sign + "s"
        ask.count(
            "number of signs", SIGN_COUNT, flag.signs, which=which, plural=plural, about={"which": which}
        )
        if flag.signs == 1:
            ask.colour("colour of a sign", SIGN_COLOUR, flag.sign_colour, which=which, sign=flag.sign)
    absent = rng.choice([sign for sign in ("star", "heart", "circle", "ring") if sign != flag.sign])
    ask.not_shown("colour of an absent sign", SIGN_COLOUR, which=which, sign=absent)


def _ask_of_all(ask: Asker, hung: list[Hung], template: str) -> None:
    rng = ask.rng
    clear = [name for name in FLAG_COLOURS if not any(name in one.flag.traces for one in hung)]
    having = {name: [one for one in hung if name in one.flag.colours] for name in clear}
    if clear:
        name = rng.choice(clear)
        ask.count("count colour", COUNT_COLOUR, len(having[name]), colour=name)
    single = [name for name in clear if len(having[name]) == 1 and having[name][0].label]
    single = [name for name in single if having[name][0].legible]
    if single:
        name = rng.choice(single)
        ask.text("only one with a colour", ONLY_ONE_WITH, having[name][0].label, colour=name)
    if template == "chart" or not hung[0].label:
        return
    pairs = [(a, b) for a, b in itertools.pairwise(hung) if a.legible and b.legible]
    if pairs:
        a, b = rng.choice(pairs)
        first, second = ("above", "below") if template == "ladder" else ("to the left of", "to the right of")
        if rng.random() < 0.5:
            ask.text("neighbour", NEIGHBOUR, a.label, where=first, label=b.label)
        else:
            ask.text("neighbour", NEIGHBOUR, b.label, where=second, label=a.label)


# ---------------------------------------------------------------------------------------------------
# Captions


def _look(flag: Flag) -> str:
    """A flag in words, after "flag"."""
    if flag.country is not None:
        return f"of {flag.country.in_text}"
    if flag.bands:
        text = f"with {flag.stripes} {flag.way} stripes in {', '.join(flag.bands)}"
    else:
        text = f"in {' and '.join(name for name in flag.colours if name != flag.sign_colour)}"
    if flag.sign:
        number = with_article(flag.sign_colour) if flag.signs == 1 else f"{flag.signs} {flag.sign_colour}"
        plural = "" if flag.signs == 1 else "es" if flag.sign == "cross" else "s"
        text += f", bearing {number} {flag.sign}{plural}"
    return text


def _describe(scene: Scene, hung: list[Hung]) -> None:
    names = [
        f"the flag {_look(one.flag)}" if one.flag.country else f"a flag {_look(one.flag)}" for one in hung
    ]
    if len(hung) == 1:
        scene.short_caption = "A flag."
        scene.caption = names[0][0].upper() + names[0][1:] + "."
    else:
        scene.short_caption = f"{len(hung)} flags."
        scene.caption = f"{len(hung)} flags: {'; '.join(names)}."
    parts = []
    for one, name in zip(hung, names, strict=True):
        label = f', labelled "{one.label}"' if one.label and one.legible else ""
        label = label or (", with a label that can't be read" if one.label else "")
        where = (
            f"{one.place[0].upper()}{one.place[1:]} is {name}"
            if len(hung) > 1
            else name[0].upper() + name[1:]
        )
        parts.append(f"{where}{label}.")
        if one.flag.country and one.flag.stripes:
            parts.append(f"It has {one.flag.stripes} {one.flag.way} stripes.")
        if one.flag.country and one.flag.sign and one.flag.sign in ALIKE:
            bears = one.flag.sign if one.flag.sign.endswith("s") and one.flag.sign != "cross" else None
            bears = bears if bears and bears != "coat of arms" else with_article(one.flag.sign)
            parts.append(f"It bears {bears}.")
    scene.long_caption = " ".join(parts)
