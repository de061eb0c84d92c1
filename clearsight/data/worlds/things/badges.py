"""People with name badges: who is who by the badge alone, who wears and holds what, and who stands where.

A name is known only from a badge or a place card that can be read. Somebody without one has no name here, and a
smudged one gives none: asked for the name, the answer is that it isn't shown or can't be read. Nothing else about a
person is ever asked: no gender, age, origin, mood or beauty, and no name is ever told from looks.
"""

from typing import Any

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import icon_drawings
from clearsight.data.worlds.drawing.drafting import sheet_on_background
from clearsight.data.worlds.drawing.reading_order import in_reading_order
from clearsight.data.worlds.names import FIRST_NAMES
from clearsight.data.worlds.scene import Scene, Split, rng_for, with_article
from clearsight.data.worlds.things.people import (
    HOLDABLE,
    TEMPLATES,
    Person,
    draw_people,
    make_people,
    make_spots,
)

IN_ONE_ROW = ("line", "table", "steps")
WORN = {"hat": "a hat", "glasses": "glasses", "scarf": "a scarf"}

PEOPLE = (
    "How many people are there?",
    "Count the people.",
    "How many persons does the picture show?",
    "What is the size of this group: how many people?",
)
WHO_WEARS = (
    "Who wears {item}?",
    "What is the name of the person who wears {item}?",
    "Name the person with {item}.",
    "Going by the badges, who has {item} on?",
)
WHO_HOLDS = (
    "Who holds the {thing}?",
    "What is the name of the person with the {thing}?",
    "Name the person who is holding the {thing}.",
    "Going by the badges, in whose hand is the {thing}?",
)
WHO_IN = (
    "What is the name of the person in the {colour} {top}?",
    "Who is the person in the {colour} {top}?",
    "Name the person who wears the {colour} {top}.",
    "Going by the badges, who is dressed in the {colour} {top}?",
)
HOLDS = (
    "What does {person} hold?",
    "What is {person} holding?",
    "Which thing does {person} have in the hand?",
    "Find {person}: what is in the hand there?",
)
COLOUR_OF = (
    "What colour is the {garment} of {person}?",
    "Which colour does the {garment} of {person} have?",
    "Name the colour of the {garment} that {person} wears.",
    "Find {person}: of which colour is the {garment}?",
)
WEARS = (
    "Does {person} wear {item}?",
    "Is {person} wearing {item}?",
    "Does {person} have {item} on?",
    "Find {person}: can {item} be seen on that person?",
)
BETWEEN = (
    "Who is between {a} and {b}?",
    "Name the person between {a} and {b}.",
    "Which person has {a} on one side and {b} on the other?",
    "Going by the badges, who has a place right between {a} and {b}?",
)
NEXT = (
    "Who is next to {person} on the {side} of the picture's view?",
    "Seen in the picture, who is directly to the {side} of {person}?",
    "Name the person just {side} of {person}, as seen in the picture.",
    "Looking at the picture, whose badge comes next to the {side} of {person}?",
)
HOW_MANY = (
    "How many people wear {item}?",
    "Count the people with {item}.",
    "What is the number of people wearing {item}?",
    "On how many of these people can {item} be seen?",
)
BOTH = (
    "How many people wear both {a} and {b}?",
    "Count the people with {a} as well as {b}.",
    "What is the number of people who wear {a} and {b} together?",
    "On how many of these people can both {a} and {b} be seen?",
)
NAMES = (
    "List the names from left to right.",
    "Read all the names, from left to right.",
    "Which names are given, going from left to right?",
    "Call the roll from the left end to the right end.",
)
READABLE = (
    "How many names can be read?",
    "Count the badges or cards whose name can be read.",
    "Of how many people can the name be read?",
    "For how many of the people is a legible name given?",
)
WHICH_OF = (
    "Which of these people wears {item}: {choices}?",
    "One of these people wears {item}. Is it {choices}?",
    "Who of these has {item}: {choices}?",
    "By badge and clothing, which one has {item} on: {choices}?",
)
POINT = (
    "Where is {person}?",
    "Point to {person}.",
    "Show where {person} is.",
    "Find {person} by the badge and point there.",
)
BOX = (
    "Frame {person}.",
    "What is the box around {person}?",
    "Put a box around {person}.",
    "Find {person} by the badge and draw a frame around the whole person.",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("badges", seed, split)
    template = rng.choice(TEMPLATES[split])
    size, spots = make_spots(rng, template)
    sheet, ground = sheet_on_background(rng, split, *size)
    people = make_people(rng, split, ground, spots)
    placed = draw_people(rng, split, sheet, ground, template, people)
    scene = Scene("badges", seed, split, sheet.finish(rng))
    words = in_reading_order(p for p in sheet.placed if p.kind == "word")
    scene.placed = [*placed, *words, *(p for p in sheet.placed if p.kind == "character")]
    scene.facts = {"template": template, "people": [_facts(person) for person in people]}
    _ask(Asker(scene, rng), template, people)
    _describe(scene, template, people)
    return scene


def _facts(person: Person) -> dict[str, Any]:
    look = person.look
    return {
        "name": person.name if person.known else None,
        "plate": person.state,
        "row": person.spot.row,
        "box": list(person.box),
        "top": look.top,
        "top colour": look.top_colour[0],
        "lower": look.lower if person.legs_show else None,
        "lower colour": look.lower_colour[0] if person.legs_show else None,
        "hat": look.hat,
        "hat colour": look.hat_colour[0] if look.hat_colour else None,
        "scarf colour": look.scarf_colour[0] if look.scarf_colour else None,
        "glasses": look.glasses,
        "holds": person.holds or None,
    }


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask(ask: Asker, template: str, people: list[Person]) -> None:
    rng = ask.rng
    ask.count("people", PEOPLE, len(people))
    ask.count("names that can be read", READABLE, sum(person.known for person in people))
    item = rng.choice(list(WORN))
    ask.count(
        "how many wear", HOW_MANY, sum(p.wears(item) for p in people), item=WORN[item], about={"item": item}
    )
    a, b = rng.sample(list(WORN), 2)
    both = sum(p.wears(a) and p.wears(b) for p in people)
    if both or rng.random() < 0.25:
        ask.count("how many wear both", BOTH, both, a=WORN[a], b=WORN[b], about={"items": [a, b]})
    _ask_who(ask, people)
    known = [person for person in people if person.known]
    _ask_about(ask, people, known)
    if template in IN_ONE_ROW:
        _ask_places(ask, people)
    if len(known) >= 3:
        item = rng.choice(list(WORN))
        wearing = [person for person in known if person.wears(item)]
        others = [person.name for person in known if not person.wears(item)]
        if wearing and len(others) >= 2:
            name = rng.choice(wearing).name
            ask.choice("which of them wears", WHICH_OF, name, others, item=WORN[item], about={"item": item})


def _ask_name(ask: Asker, skill: str, ways: tuple[str, ...], asked: Person, **rest: Any) -> None:
    """Ask for somebody's name: the plate tells it, or can't be read, or isn't there."""
    if asked.state == "legible":
        ask.text(skill, ways, asked.name, **rest)
    elif asked.state == "smudged":
        ask.cant_be_read(f"{skill}, smudged", ways, **rest)
    else:
        ask.not_shown(f"{skill}, without a badge", ways, **rest)


def _ask_who(ask: Asker, people: list[Person]) -> None:
    """From what is worn or held to the name."""
    rng = ask.rng
    unnamed = [person for person in people if not person.known]
    item = rng.choice(list(WORN))
    wearing = [person for person in people if person.wears(item)]
    if len(wearing) == 1:
        _ask_name(ask, "who wears", WHO_WEARS, wearing[0], item=WORN[item], about={"item": item})
    elif not wearing and rng.random() < 0.3:
        ask.not_shown("who wears what nobody wears", WHO_WEARS, item=WORN[item], about={"item": item})
    holding = [person for person in people if person.holds]
    if holding:
        person = rng.choice([p for p in holding if not p.known] or holding if rng.random() < 0.3 else holding)
        _ask_name(ask, "who holds", WHO_HOLDS, person, thing=person.holds)
    held = [person.holds for person in people]
    if rng.random() < 0.3:
        unlike = [set(icon_drawings.others(thing)) for thing in held if thing]
        absent = rng.choice([thing for thing in HOLDABLE if all(thing in others for others in unlike)])
        ask.not_shown("who holds what nobody holds", WHO_HOLDS, thing=absent)
    colours = [person.look.top_colour[0] for person in people]
    alone = [person for person in people if colours.count(person.look.top_colour[0]) == 1]
    if alone:
        person = rng.choice([p for p in unnamed if p in alone] or alone if rng.random() < 0.4 else alone)
        _ask_name(
            ask, "who is dressed in", WHO_IN, person, colour=person.look.top_colour[0], top=person.look.top
        )


def _ask_about(ask: Asker, people: list[Person], known: list[Person]) -> None:
    """From the name to what is worn and held."""
    rng = ask.rng
    person = rng.choice(known)
    ask.colour(
        "colour of the top", COLOUR_OF, person.look.top_colour[0], garment=person.look.top, person=person.name
    )
    dressed = [p for p in known if p.legs_show]
    garments = [("lower", p, p.look.lower, p.look.lower_colour) for p in dressed]
    garments += [("hat", p, "hat", p.look.hat_colour) for p in known if p.look.hat]
    garments += [("scarf", p, "scarf", p.look.scarf_colour) for p in known if p.look.scarf_colour]
    if garments:
        _, person, garment, named = rng.choice(garments)
        assert named
        ask.colour("colour of a garment", COLOUR_OF, named[0], garment=garment, person=person.name)
    without = [(p, item) for p in known for item in ("hat", "scarf") if not p.wears(item)]
    if without and rng.random() < 0.3:
        person, item = rng.choice(without)
        ask.not_shown("colour of what is not worn", COLOUR_OF, garment=item, person=person.name)
    if rng.random() < 0.35:
        absent = rng.choice([n for n in FIRST_NAMES[ask.split] if n not in [p.name for p in people]])
        if rng.random() < 0.5:
            ask.not_shown("what somebody absent holds", HOLDS, person=absent)
        else:
            ask.not_shown("somebody absent", COLOUR_OF, garment=rng.choice(people).look.top, person=absent)
    person = rng.choice([p for p in known if p.holds] or known if rng.random() < 0.6 else known)
    ask.text("what is held", HOLDS, person.holds or "nothing", person=person.name)
    person, truth = rng.choice(known), rng.random() < 0.5
    items = [item for item in WORN if person.wears(item) == truth]
    if items:
        item = rng.choice(items)
        about = {"person": person.name, "item": item}
        ask.yes_no("wears", WEARS, truth, person=person.name, item=WORN[item], about=about)
    person = rng.choice(known)
    ask.point("point", POINT, person.box, person=person.name)
    person = rng.choice(known)
    ask.box("box", BOX, person.box, person=person.name)


def _ask_places(ask: Asker, people: list[Person]) -> None:
    """Who is beside and between whom; `people` are in one row, from left to right."""
    rng = ask.rng
    between = [i for i in range(1, len(people) - 1) if people[i - 1].known and people[i + 1].known]
    if between:
        index = rng.choice(between)
        pair = [people[index - 1].name, people[index + 1].name]
        rng.shuffle(pair)
        _ask_name(ask, "between", BETWEEN, people[index], a=pair[0], b=pair[1])
    side, step = rng.choice((("left", -1), ("right", 1)))
    beside = [i for i in range(len(people)) if people[i].known and 0 <= i + step < len(people)]
    if beside:
        index = rng.choice(beside)
        _ask_name(ask, "next to", NEXT, people[index + step], person=people[index].name, side=side)
    end = people[0] if side == "left" else people[-1]
    if end.known and rng.random() < 0.2:
        ask.not_shown("beyond the end", NEXT, person=end.name, side=side)
    if all(person.known for person in people):
        ask.items("names", NAMES, [person.name for person in people], ordered=True)


# ---------------------------------------------------------------------------------------------------
# Captions


def _called(person: Person) -> str:
    if person.known:
        return person.name
    return (
        "somebody whose name can't be read" if person.state == "smudged" else "somebody without a name badge"
    )


def _described(person: Person) -> str:
    look = person.look
    worn = [f"{with_article(look.top_colour[0])} {look.top}"]
    if person.legs_show:
        lower = f"{look.lower_colour[0]} {look.lower}"
        worn.append(with_article(lower) if look.lower == "skirt" else lower)
    if look.hat and look.hat_colour:
        worn.append(f"{with_article(look.hat_colour[0])} {look.hat}")
    if look.scarf_colour:
        worn.append(f"{with_article(look.scarf_colour[0])} scarf")
    if look.glasses:
        worn.append("glasses")
    clothes = worn[0] if len(worn) == 1 else ", ".join(worn[:-1]) + " and " + worn[-1]
    holds = f" and holds {with_article(person.holds)}" if person.holds else ""
    return f"{_called(person)} wears {clothes}{holds}"


def _describe(scene: Scene, template: str, people: list[Person]) -> None:
    count = ("three", "four", "five", "six")[len(people) - 3]
    where = {
        "line": "standing in a line",
        "table": "behind a table",
        "two rows": "standing in two rows",
        "steps": "standing on blocks of different heights",
        "call": "in the tiles of a video call",
    }[template]
    told = [f"{_called(p)} in {with_article(p.look.top_colour[0])} {p.look.top}" for p in people]
    scene.short_caption = f"{count.capitalize()} people {where}."
    scene.caption = f"{count.capitalize()} people {where}: {', '.join(told[:-1])} and {told[-1]}."
    order = "from left to right" if template in IN_ONE_ROW else "row by row"
    scene.long_caption = (
        f"{count.capitalize()} people {where}, {order}: {'; '.join(_described(p) for p in people)}."
    )
