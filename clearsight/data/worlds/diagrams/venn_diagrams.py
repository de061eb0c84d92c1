"""Venn diagrams: two or three overlapping circles with names or numbers in their regions: who is where, how many.

A number counts only its own region, as is usual; a name stands in the region of all the circles it belongs to.
"""

import itertools
import math
import random
from dataclasses import dataclass, field
from functools import cache

from PIL import Image, ImageDraw

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_title
from clearsight.data.worlds.charts.page import INSIDE, UP_TITLE, Box, Page, Text
from clearsight.data.worlds.charts.subjects import GROUPS, PLACES
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

Region = tuple[int, ...]  # the circles something is in, by their indices

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("side by side", "one above the other", "triangle", "upturned triangle"),
    "eval": ("slanted", "row of three"),
}
# Middles of the circles, whose radius is 1, y downward.
MIDDLES: dict[str, tuple[tuple[float, float], ...]] = {
    "side by side": ((-0.55, 0), (0.55, 0)),
    "one above the other": ((0, -0.55), (0, 0.55)),
    "triangle": ((0, -0.62), (-0.537, 0.31), (0.537, 0.31)),
    "upturned triangle": ((-0.537, -0.31), (0.537, -0.31), (0, 0.62)),
    "slanted": ((-0.42, -0.4), (0.42, 0.4)),
    "row of three": ((-1.24, 0), (0, 0), (1.24, 0)),
}
SIZES = {"row of three": (680, 320), "side by side": (560, 380), "one above the other": (400, 520)}
TITLES: dict[Split, tuple[str, ...]] = {
    "train": ("Members of {place}", "Who does what in {place}", "Clubs compared", "{place} survey"),
    "eval": ("Ensembles of {place}", "{place}, players and their choices"),
}

ONLY = (
    "How many are only in {a}?",
    "What number stands in {a} alone, outside every other circle?",
    "How many belong to {a} and to nothing else?",
    "Which figure was put where {a} overlaps nothing?",
)
IN = (
    "How many are in {a} altogether?",
    "What do the numbers inside the circle of {a} add up to?",
    "How many belong to {a}, with or without others?",
    "Counting every region of its circle, how large is {a}?",
)
BOTH = (
    "How many are in both {a} and {b}?",
    "How many belong to {a} and also to {b}?",
    "How many do {a} and {b} share?",
    "Counting everything common to them, how large is the overlap of {a} with {b}?",
)
EITHER = (
    "How many are in {a} or {b} or both?",
    "How many belong to at least one of {a} and {b}?",
    "What do the numbers inside {a} and {b} add up to, each counted once?",
    "If {a} and {b} were merged, how large would the union be?",
)
WITHOUT = (
    "How many are in {a} but not in {b}?",
    "How many belong to {a} without belonging to {b}?",
    "How many of {a} are outside {b}?",
    "Taking {b} away from {a}, how many remain?",
)
TOTAL = (
    "What do all the numbers add up to?",
    "How many are there in all?",
    "What is the sum of all the numbers in the diagram?",
    "Everything in the diagram counted once, how many does it hold?",
)
NONE = (
    "How many are in none of the circles?",
    "Which number stands outside all circles?",
    "How many belong to none of the circles?",
    "What figure was left outside every ring?",
)
LARGER = (
    "Are there more in {a} than in {b}?",
    "Does {a} have more members than {b}, overlaps included?",
    "Is the sum inside {a} greater than that inside {b}?",
    "Counting overlaps on both sides, does {a} outnumber {b}?",
)
MEMBERS = (
    "Who is only in {a}?",
    "Which names stand in {a} alone, outside every other circle?",
    "Name all who belong to {a} and to nothing else.",
    "List those who were put where {a} overlaps nothing.",
)
SHARED = (
    "Who is in both {a} and {b}?",
    "Which names stand where {a} and {b} overlap?",
    "Name all who belong to {a} and to {b}.",
    "List everyone common to {a} and {b}.",
)
SETS_OF = (
    "In which circles is {item}?",
    "To which circles does {item} belong?",
    "Name every circle that holds {item}.",
    "List all rings within which {item} was written.",
)
IS_IN = (
    "Is {item} in {a}?",
    "Does {item} belong to {a}?",
    "Does the circle of {a} hold {item}?",
    "Was {item} written inside the ring of {a}?",
)
NAME_COUNT = (
    "How many names are in {a}, overlaps included?",
    "Count the names inside the circle of {a}.",
    "How many names does the circle of {a} hold, legible or not?",
    "Overlaps included, how many names lie inside the ring of {a}?",
)
CIRCLE_COUNT = (
    "How many circles are there?",
    "Count the circles of the diagram.",
    "Of how many circles is the diagram made?",
    "How many rings overlap in this diagram?",
)
OUTLINE = (
    "In which colour is the circle of {a} outlined?",
    "What colour is the outline of {a}?",
    "Which colour has the line around {a}?",
    "What colour was the ring of {a} traced in?",
)
NAME_OF = (
    "Which circle is outlined in {colour}?",
    "What is the name of the circle with the {colour} line?",
    "Name the circle outlined in {colour}.",
    "What is the ring traced in {colour} called?",
)
POINT = (
    "Point to {item} in the diagram.",
    "Where in the diagram is {item} written?",
    "Show where {item} stands in the diagram.",
    "Put a finger on the spot within the rings where {item} was written.",
)
BOX = (
    "Frame the circle of {a}.",
    "What is the box around the circle of {a}?",
    "Put a box around the whole circle of {a}.",
    "Enclose the ring of {a} tightly, overlaps included.",
)


@dataclass
class Circle:
    """A set: its name, its middle and radius in pixels, and the colour of its outline."""

    name: str
    middle: tuple[float, float]
    radius: float
    colour: str
    ink: RGB

    @property
    def box(self) -> Box:
        x, y = self.middle
        return x - self.radius, y - self.radius, x + self.radius, y + self.radius

    def holds(self, point: tuple[float, float]) -> bool:
        return math.dist(point, self.middle) < self.radius


@dataclass
class Diagram:
    """`numbers` or `names` by region, one of them empty; `written` is all that stands in regions.

    `labels` are the texts of numbers; `unread` is "title", "region" or "circle".
    """

    circles: list[Circle]
    regions: dict[Region, tuple[float, float]]
    numbers: dict[Region, int] = field(default_factory=dict)
    names: dict[Region, list[str]] = field(default_factory=dict)
    labels: dict[Region, Text] = field(default_factory=dict)
    written: list[Text] = field(default_factory=list)
    title: str = ""
    unread: str = ""
    hidden: Region | str = ""  # the region whose number, the name, or the circle's name that can't be read

    def total(self, wanted: list[Region]) -> int:
        return sum(self.numbers[region] for region in wanted)

    def within(self, index: int) -> list[Region]:
        return [region for region in self.regions if index in region]

    @property
    def legible(self) -> list[int]:
        """Circles whose names can be read."""
        return [
            i
            for i, circle in enumerate(self.circles)
            if (self.unread, self.hidden) != ("circle", circle.name)
        ]

    def known(self, regions: list[Region]) -> bool:
        """Whether all that stands in these regions can be read."""
        if self.unread != "region":
            return True
        return not any(self.hidden == r or self.hidden in self.names.get(r, ()) for r in regions)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("venn_diagrams", seed, split)
    template = rng.choice(TEMPLATES[split])
    page = Page(rng, split, SIZES.get(template, (448, 448)))
    sets, people = {"train": ("sport", "person"), "eval": ("instrument", "guest")}[split]
    members = {group.kind: group.members for group in GROUPS[split]}
    title = rng.choice(TITLES[split]).format(place=rng.choice(PLACES[split])) if rng.random() < 0.5 else ""
    unread = (
        rng.choice(("title", "region", "circle") if title else ("region", "circle"))
        if rng.random() < 0.45
        else ""
    )
    lines = page.title(title, unread != "title") if title else []
    diagram = _lay_out(page, template, rng.sample(members[sets], len(MIDDLES[template])))
    diagram.title, diagram.unread = title, unread
    absent = _fill(rng, diagram, rng.sample(members[people], len(members[people])))
    _draw(page, diagram)
    scene = Scene("venn_diagrams", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": template,
        "title": title,
        "axes": {},
        "circles": [{"name": c.name, "middle": list(c.middle), "radius": c.radius} for c in diagram.circles],
        "numbers": [[list(region), number] for region, number in diagram.numbers.items()],
        "names": [[list(region), names] for region, names in diagram.names.items()],
        "illegible": [unread, diagram.hidden] if unread else [],
    }
    ask = Asker(scene, rng)
    if title:
        ask_title(ask, title, lines, unread)
    if diagram.numbers:
        _ask_numbers(
            ask, diagram, [name for name in members[sets] if name not in {c.name for c in diagram.circles}]
        )
    else:
        _ask_names(ask, diagram, absent)
    _ask_circles(ask, diagram)
    _describe(scene, diagram)
    return scene


def _lay_out(page: Page, template: str, names: list[str]) -> Diagram:
    """Circles as large as the page allows, and the middle of every region they make."""
    left, top, right, bottom = page.rest
    strip = page.line_height + 4
    places = MIDDLES[template]
    xs, ys = [x for x, _ in places], [y for _, y in places]
    radius = min(
        (right - left - 8) / (max(xs) - min(xs) + 2), (bottom - top - 2 * strip - 4) / (max(ys) - min(ys) + 2)
    )
    centre = ((left + right) / 2, (top + bottom) / 2)
    across, down = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    inks = page.inks(len(places))
    circles = [
        Circle(name, (centre[0] + (x - across) * radius, centre[1] + (y - down) * radius), radius, *ink)
        for name, (x, y), ink in zip(names, places, inks, strict=True)
    ]
    spots = {
        region: (centre[0] + (x - across) * radius, centre[1] + (y - down) * radius)
        for region, (x, y) in _regions(template).items()
    }
    return Diagram(circles, spots)


@cache
def _regions(template: str) -> dict[Region, tuple[float, float]]:
    """The place in every region that is furthest from its borders, in terms of MIDDLES; none where it is too small."""
    middles, found = MIDDLES[template], {}
    steps = [0.05 * step - 1 for step in range(41)]
    for size in range(1, len(middles) + 1):
        for region in itertools.combinations(range(len(middles)), size):
            x, y = middles[region[0]]
            room, spot = max(
                (
                    min((1 - math.dist(spot, m)) * (1 if i in region else -1) for i, m in enumerate(middles)),
                    spot,
                )
                for spot in itertools.product([x + step for step in steps], [y + step for step in steps])
            )
            if room > 0.2:
                found[region] = spot
    return found


def _fill(rng: random.Random, diagram: Diagram, people: list[str]) -> list[str]:
    """Numbers, or names, for every region; the people who are in none."""
    if rng.random() < 0.5:
        values = rng.sample(range(1, 40), len(diagram.regions) + 1)
        diagram.numbers = dict(zip(diagram.regions, values, strict=False))
        if rng.random() < 0.4:
            diagram.numbers[()] = values[-1]
        if diagram.unread == "region":
            diagram.hidden = rng.choice(list(diagram.regions))
    else:
        for region in diagram.regions:
            more = len(diagram.circles) == 2  # then there is more room
            count = rng.randint(1, 2 + more) if len(region) == 1 else rng.randint(0, 1 + more)
            diagram.names[region] = [people.pop() for _ in range(count)]
        if diagram.unread == "region":
            diagram.hidden = rng.choice([name for names in diagram.names.values() for name in names])
    if diagram.unread == "circle":
        diagram.hidden = rng.choice(diagram.circles).name
    return people


def _draw(page: Page, diagram: Diagram) -> None:
    """Tinted circles with a strong outline, their names above or below them, and what is in the regions."""
    width, tint = page.rng.choice((6, 8, 10)), page.rng.randint(20, 55)
    for circle in diagram.circles:
        left, top, right, bottom = (round(2 * edge) for edge in circle.box)
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=tint)
        page.big.paste(circle.ink, (left, top), mask)
    for circle in diagram.circles:
        page.draw.ellipse([2 * edge for edge in circle.box], outline=circle.ink, width=width)
        size = round(2 * circle.radius)
        mask = Image.new("L", (size, size))
        ImageDraw.Draw(mask).ellipse((0, 0, size - 1, size - 1), outline=255, width=max(3, width // 2))
        page.placed += [
            Placed("object", "circle", circle.box),
            Placed("colour", circle.colour, circle.box, mask),
        ]
    lowest, highest = (pick(c.middle[1] for c in diagram.circles) for pick in (max, min))
    for circle in diagram.circles:
        x, y = circle.middle
        below = y > highest + 1 and y > lowest - 1
        away = (circle.radius + page.line_height / 2 + 2) * (1 if below else -1)
        legible = (diagram.unread, diagram.hidden) != ("circle", circle.name)
        page.write(circle.name, x, y + away, UP_TITLE, legible=legible)
    for region, (x, y) in diagram.regions.items():
        if region in diagram.numbers:
            legible = (diagram.unread, diagram.hidden) != ("region", region)
            text = page.write(str(diagram.numbers[region]), x, y, INSIDE, legible=legible)
            diagram.labels[region] = text
            diagram.written.append(text)
        names = diagram.names.get(region, [])
        for index, name in enumerate(names):
            at = y + (index - (len(names) - 1) / 2) * page.line_height
            legible = (diagram.unread, diagram.hidden) != ("region", name)
            diagram.written.append(page.write(name, x, at, INSIDE, legible=legible))
    if () in diagram.numbers:
        x, y = page.rest[0] + 16, page.rest[3] - page.line_height
        if any(math.dist((x, y), c.middle) < c.radius + 22 for c in diagram.circles):
            y = page.rest[1] + page.line_height / 2
        diagram.labels[()] = page.write(str(diagram.numbers[()]), x, y, INSIDE)


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_numbers(ask: Asker, diagram: Diagram, absent: list[str]) -> None:
    """How many are where, and sums over regions."""
    rng, numbers = ask.rng, diagram.numbers
    name = {index: diagram.circles[index].name for index in diagram.legible}
    alone = [index for index in name if (index,) in numbers]
    for index in rng.sample(alone, len(alone)):
        if diagram.known([(index,)]):
            ask.number("only in", ONLY, numbers[index,], a=name[index], needs=diagram.labels[index,].places)
            break
    hidden = diagram.hidden
    if diagram.unread == "region" and isinstance(hidden, tuple) and len(hidden) == 1:
        ask.cant_be_read("number that can't be read", ONLY, a=name[hidden[0]])
    elif diagram.unread == "region" and len(diagram.circles) == 2:
        ask.cant_be_read("shared number that can't be read", BOTH, a=name[0], b=name[1])
    if diagram.unread != "circle":
        ask.not_shown("number of what is absent", ONLY, a=rng.choice(absent))
    index = rng.choice(list(name))
    if diagram.known(diagram.within(index)):
        ask.number("in", IN, diagram.total(diagram.within(index)), a=name[index])
    if () in numbers:
        ask.number("in none", NONE, numbers[()])
    if diagram.unread != "region":
        ask.number("total", TOTAL, sum(numbers.values()))
    if len(name) < 2:
        return
    a, b = rng.sample(list(name), 2)
    inside, other = diagram.within(a), diagram.within(b)
    fills = {"a": name[a], "b": name[b]}
    for skill, ways, regions in (
        ("both", BOTH, [r for r in inside if r in other]),
        ("either", EITHER, [r for r in diagram.regions if r in inside or r in other]),
        ("without", WITHOUT, [r for r in inside if r not in other]),
    ):
        if regions and diagram.known(regions):
            ask.number(skill, ways, diagram.total(regions), **fills)
    if diagram.known(inside + other) and diagram.total(inside) != diagram.total(other):
        ask.yes_no("larger", LARGER, diagram.total(inside) > diagram.total(other), **fills)


def _ask_names(ask: Asker, diagram: Diagram, absent: list[str]) -> None:
    """Who is where."""
    rng = ask.rng
    name = {index: diagram.circles[index].name for index in diagram.legible}
    for index in rng.sample(list(name), len(name)):
        if diagram.names.get((index,)) and diagram.known([(index,)]):
            ask.items("only in, by name", MEMBERS, diagram.names[index,], ordered=False, a=name[index])
            break
    for index in name:
        if diagram.unread == "region" and diagram.hidden in diagram.names.get((index,), ()):
            ask.cant_be_read("names that can't be read", MEMBERS, a=name[index])
    for a, b in rng.sample(list(itertools.combinations(name, 2)), len(name) * (len(name) - 1) // 2):
        regions = [region for region in diagram.regions if a in region and b in region]
        shared = [person for region in regions for person in diagram.names[region]]
        if shared and diagram.known(regions):
            ask.items("shared, by name", SHARED, shared, ordered=False, a=name[a], b=name[b])
            break
    people = [(p, r) for r, names in diagram.names.items() for p in names if p != diagram.hidden]
    whole = [(p, r) for p, r in people if all(index in name for index in r)]
    if whole:
        person, region = rng.choice(whole)
        ask.items("circles of a name", SETS_OF, [name[i] for i in region], ordered=False, item=person)
    ask.not_shown("circles of what is absent", SETS_OF, item=rng.choice(absent))
    true = rng.random() < 0.5
    pairs = [(p, index) for p, region in people for index in name if (index in region) == true]
    if pairs:
        person, index = rng.choice(pairs)
        ask.yes_no("is in", IS_IN, true, item=person, a=name[index])
    index = rng.choice(list(name))
    count = sum(len(diagram.names[region]) for region in diagram.within(index))
    ask.count("count of names", NAME_COUNT, count, a=name[index])


def _ask_circles(ask: Asker, diagram: Diagram) -> None:
    rng, circles = ask.rng, diagram.circles
    ask.count("count circles", CIRCLE_COUNT, len(circles))
    circle = circles[rng.choice(diagram.legible)]
    ask.colour("outline", OUTLINE, circle.colour, a=circle.name)
    circle = circles[rng.choice(diagram.legible)]
    ask.text("circle of colour", NAME_OF, circle.name, colour=circle.colour)
    for hidden in circles:
        if (diagram.unread, diagram.hidden) == ("circle", hidden.name):
            ask.cant_be_read("circle that can't be read", NAME_OF, colour=hidden.colour)
    text = rng.choice([text for text in diagram.written if text.legible])
    left, top, right, bottom = text.box
    ask.point("point", POINT, (left - 6, top - 6, right + 6, bottom + 6), item=text.text, needs=text.places)
    circle = circles[rng.choice(diagram.legible)]
    ask.box("box", BOX, circle.box, a=circle.name)


def _describe(scene: Scene, diagram: Diagram) -> None:
    said = [
        c.name if index in diagram.legible else "a circle whose name can't be read"
        for index, c in enumerate(diagram.circles)
    ]
    titled = f' titled "{diagram.title}"' if diagram.title and diagram.unread != "title" else ""
    titled = titled or (" whose title can't be read" if diagram.unread == "title" else "")
    scene.short_caption = f"A Venn diagram of {'two' if len(said) == 2 else 'three'} circles."
    scene.caption = f"A Venn diagram{titled}: {', '.join(said[:-1])} and {said[-1]}."
    parts = []
    for region in diagram.regions:
        where = " and ".join(said[index] for index in region)
        if region in diagram.numbers:
            hidden = (diagram.unread, diagram.hidden) == ("region", region)
            what = "a number that can't be read" if hidden else str(diagram.numbers[region])
        else:
            names = [
                "somebody whose name can't be read"
                if (diagram.unread, diagram.hidden) == ("region", n)
                else n
                for n in diagram.names[region]
            ]
            what = " and ".join(names) or "nobody"
        parts.append(f"{what} in {where}" + (" only" if len(region) < len(said) else ""))
    outside = f"; {diagram.numbers[()]} in none" if () in diagram.numbers else ""
    scene.long_caption = f"{scene.caption} Region by region: {'; '.join(parts)}{outside}."
