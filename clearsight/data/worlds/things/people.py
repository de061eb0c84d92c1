"""People with name badges, as drawn: where they stand, what they wear and hold, and the plates with their names.

Names go to people at random, whatever they look like. What is asked of them is left to badges.
"""

import random
from dataclasses import dataclass

from clearsight.data.worlds.drawing import figures, icon_drawings
from clearsight.data.worlds.drawing.drafting import Box, Sheet, fitting_size, least_size
from clearsight.data.worlds.drawing.figures import Figure, Look, of_split, shaded
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import RGB, distance, readable_on, standing_out
from clearsight.data.worlds.names import FIRST_NAMES
from clearsight.data.worlds.scene import Placed, Split

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("line", "table", "two rows"),
    "eval": ("steps", "call"),
}
HOLDABLE = (
    *(
        "book",
        "umbrella",
        "key",
        "gift",
        "flower",
        "camera",
        "phone",
        "flag",
        "microphone",
        "hammer",
        "pencil",
    ),
    *("newspaper", "trophy", "bell", "basketball", "magnifying glass", "paintbrush", "ticket", "wrench"),
    *(
        "clipboard",
        "briefcase",
        "hourglass",
        "light bulb",
        "compass",
        "map",
        "cactus",
        "cookie",
        "leaf",
        "lamp",
    ),
    *(
        "fish",
        "cake",
        "package",
        "shopping cart",
        "calculator",
        "envelope",
        "laptop",
        "medal",
        "puzzle piece",
    ),
)


@dataclass(frozen=True)
class Spot:
    """A place for a person: the figure's middle, soles and unit, where it is hidden below, and the name's plate."""

    x: float
    soles: float
    unit: float
    hidden: float
    plate: Box
    row: int


@dataclass
class Person:
    """`name` is what the plate says; `state` is whether it is "legible", "smudged" or "none" is there."""

    name: str
    state: str
    look: Look
    spot: Spot
    holds: str
    box: Box = (0, 0, 0, 0)

    @property
    def known(self) -> bool:
        return self.state == "legible"

    @property
    def legs_show(self) -> bool:
        return self.spot.hidden >= self.spot.soles

    def wears(self, item: str) -> bool:
        look = self.look
        return {"hat": look.hat is not None, "glasses": look.glasses, "scarf": look.scarf_colour is not None}[
            item
        ]


# ---------------------------------------------------------------------------------------------------
# Where people are


def make_spots(rng: random.Random, template: str) -> tuple[tuple[int, int], list[Spot]]:
    """The picture's size, and everybody's place, row by row from left to right."""
    spots = []
    if template in ("line", "steps"):
        count, slot = rng.randint(3, 5), rng.randint(116, 130)
        width, height = max(360, count * slot + 44), rng.randint(330, 400)
        unit = min((height - 60) / 112, slot / 49)
        if template == "steps":
            unit *= 0.8
        for index in range(count):
            x = width / 2 + (index - (count - 1) / 2) * slot
            if template == "line":
                soles = height - rng.uniform(10, 30)
                plate = (x - 13 * unit, soles - 67 * unit, x + 13 * unit, soles - 57 * unit)
            else:
                soles = height - rng.uniform(38, max(40, height - 112 * unit))
                plate = (x - slot * 0.4, soles + 6, x + slot * 0.4, soles + 31)
            spots.append(Spot(x, soles, unit, soles, plate, 0))
    elif template == "table":
        count, slot = rng.randint(3, 4), rng.randint(138, 156)
        width, height = max(400, count * slot + 50), rng.randint(310, 360)
        table, unit = height * rng.uniform(0.66, 0.74), 2.8
        for index in range(count):
            x = width / 2 + (index - (count - 1) / 2) * slot
            plate = (x - slot * 0.37, table + 14, x + slot * 0.37, table + 52)
            spots.append(Spot(x, table + rng.uniform(40.5, 44) * unit, unit, table, plate, 0))
    elif template == "two rows":
        count, slot = rng.randint(5, 6), rng.randint(140, 152)
        width, height = 3 * slot + 20, 485
        for index in range(count):
            row, column = divmod(index, 3)
            columns = 3 if row == 0 else count - 3
            x, soles = width / 2 + (column - (columns - 1) / 2) * slot, 207 + row * 242
            plate = (x - slot * 0.4, soles + 5, x + slot * 0.4, soles + 31)
            spots.append(Spot(x, soles, 1.78, soles, plate, row))
    else:
        columns, rows = rng.choice(((2, 2), (3, 2), (2, 3), (3, 2)))
        wide, high = (210, 190) if columns == 2 else (184, 190)
        width, height = columns * wide + 8, rows * high + 8
        for row in range(rows):
            for column in range(columns):
                left, top = 8 + column * wide, 8 + row * high
                bottom = top + high - 8
                x, unit = left + (wide - 8) / 2, 2.45
                plate = (left, bottom - 30, left + wide * 0.56, bottom)
                spots.append(Spot(x, bottom + 42 * unit, unit, bottom, plate, row))
    return (int(width), int(height)), spots


def make_people(rng: random.Random, split: Split, ground: RGB, spots: list[Spot]) -> list[Person]:
    """Somebody for every spot, dressed at random, with a name; some of the names are smudged or missing."""
    names = [name for name in FIRST_NAMES[split] if len(name) <= 6]
    states = ["legible"] * len(spots)
    if rng.random() < 0.6:
        for index in rng.sample(range(len(spots)), rng.choice((1, 1, 2)) if len(spots) > 3 else 1):
            states[index] = rng.choice(("smudged", "none"))
    things = rng.sample(HOLDABLE, len(spots))
    people = []
    for name, state, thing, spot in zip(rng.sample(names, len(spots)), states, things, spots, strict=True):
        sides = (-1, 1) if not people or people[-1].look.raised < 1 else (1,)  # no two hands meet
        raised = rng.choice(sides) if rng.random() < 0.6 else 0
        look = figures.random_look(rng, split, ground, raised=raised)
        people.append(Person(name, state, look, spot, thing if raised else ""))
    return people


# ---------------------------------------------------------------------------------------------------
# Drawing


def draw_people(
    rng: random.Random, split: Split, sheet: Sheet, ground: RGB, template: str, people: list[Person]
) -> list[Placed]:
    """Everybody with what they wear and hold, their plates, and what they stand on. Gives what is placed but text."""
    width, height = sheet.size
    darker = of_split(shaded(ground, rng.uniform(0.72, 0.88) if sum(ground) > 380 else 1.25), split)
    if template in ("line", "two rows"):
        for spot in [person.spot for person in people]:
            sheet.box((0, spot.soles - 24, width, height if template == "line" else spot.soles + 36), darker)
    elif template == "steps":
        for spot in [person.spot for person in people]:
            sheet.box(
                (spot.plate[0] - 6, spot.soles - 3, spot.plate[2] + 6, height + 8),
                darker,
                readable_on(ground),
                1,
            )
    placed: list[Placed] = []
    for person in people:
        if template == "call":
            left, top = person.spot.plate[0], person.spot.hidden - 182
            right = 2 * person.spot.x - left
            tile = of_split(
                shaded(ground, rng.uniform(0.88, 0.98) if sum(ground) > 380 else rng.uniform(1.04, 1.2)),
                split,
            )
            sheet.box((left, top, right, person.spot.hidden), tile)
        placed += _draw_person(rng, split, sheet, ground, person)
    if template == "call":
        for spot in [person.spot for person in people]:
            sheet.box((0, spot.hidden, width, spot.hidden + 8), darker)
        for spot in [person.spot for person in people]:
            sheet.box((spot.plate[0] - 8, 0, spot.plate[0], height), darker)
        sheet.box((width - 8, 0, width, height), darker)
        sheet.box((0, 0, width, 8), darker)
    elif template == "table":
        table = people[0].spot.hidden
        wood = of_split(rng.choice(((150, 104, 62), (196, 160, 112), (92, 66, 48), (226, 224, 218))), split)
        sheet.box((0, table, width, height), wood)
        sheet.box((0, table, width, table + 7), shaded(wood, 0.82))
    _draw_plates(rng, split, sheet, people)
    return placed


def _draw_person(rng: random.Random, split: Split, sheet: Sheet, ground: RGB, person: Person) -> list[Placed]:
    spot, look = person.spot, person.look
    figure = Figure(spot.x, spot.soles, spot.unit)
    figures.dress(figure, look)
    figure.paint(sheet)
    person.box, mask = figure.mask("", spot.hidden)
    placed = [Placed("object", "person", person.box, mask)]
    garments = [(look.top, "top", look.top_colour[0])]
    if person.legs_show:
        garments.append((look.lower, "lower", look.lower_colour[0]))
    if look.scarf_colour:
        garments.append(("scarf", "scarf", look.scarf_colour[0]))
    if look.hat_colour:
        garments.append(("hat", "hat", look.hat_colour[0]))
    for garment, tag, name in garments:
        box, mask = figure.mask(tag, spot.hidden)
        placed += [Placed("object", garment, box, mask), Placed("colour", name, box, mask)]
    if look.glasses:
        placed.append(Placed("object", "glasses", *figure.mask("glasses")))
    if person.holds:
        side = round(18 * spot.unit)
        mask = icon_drawings.icon_mask(rng, split, person.holds, side * 2)
        name, ink = standing_out(rng, split, ground, 210)
        x, y = figure.hand(look.raised)
        left, top = x + look.raised * 0.22 * side - mask.width / 4, y - mask.height / 2 - 1.5 * spot.unit
        sheet.paste(ink, left, top, mask)
        small = mask.reduce(2)
        box = (left, top, left + small.width, top + small.height)
        placed += [Placed("object", person.holds, box, small), Placed("colour", name, box, small)]
    return placed


def _draw_plates(rng: random.Random, split: Split, sheet: Sheet, people: list[Person]) -> None:
    """Badges or cards, all in one style. Nobody gets a blank one: somebody without a name has none."""
    light = rng.random() < 0.75
    paper = of_split((rng.randint(240, 255),) * 3 if light else (rng.randint(20, 60),) * 3, split)
    _, accent = standing_out(rng, split, paper)
    accented, radius = rng.random() < 0.4, rng.choice((0, 2, 5))
    height = min(person.spot.plate[3] - person.spot.plate[1] for person in people)
    room = min(person.spot.plate[2] - person.spot.plate[0] for person in people) - 8

    def largest(font: str) -> int:
        return min(fitting_size(person.name, font, int(height * 0.8), room) for person in people)

    fonts = [any_font(rng, split) for _ in range(12)]
    font = next((font for font in fonts if largest(font) >= least_size(font)), None)
    font = font or max(fonts, key=lambda font: largest(font) / least_size(font))
    size = largest(font)
    ink = accent if accented and distance(accent, paper) > 400 else readable_on(paper)
    for person in people:
        if person.state == "none":
            continue
        left, top, right, bottom = person.spot.plate
        sheet.box(
            person.spot.plate,
            paper,
            accent if accented else shaded(paper, 0.7 if light else 1.5),
            1.5,
            radius,
        )
        sheet.write(
            (left + right) / 2, (top + bottom) / 2, person.name, font, size, ink, legible=person.known
        )
