"""Pie and doughnut charts: shares of a whole, named in a legend or around the disc, with or without percentages."""

import itertools
import math
import random
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.charts.asking import ask_title
from clearsight.data.worlds.charts.page import INSIDE, Box, Page, Text
from clearsight.data.worlds.charts.subjects import Group, any_group, any_quantity, any_title
from clearsight.data.worlds.drawing.palette import NAMES, RGB, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

TOLERANCE = 4  # percentage points within which a person reads a share that is not printed
LEAST_GAP = 4  # percentage points by which shares must differ to be told apart

SHARE = (
    "What share of the whole is {slice}, in percent?",
    "How many percent does {slice} have?",
    "What percentage does the slice of {slice} take up?",
    "Of a hundred parts of the pie, how many belong to {slice}?",
)
PRINTED = (
    "Which percentage is printed for {slice}?",
    "What figure is written at the slice of {slice}?",
    "Read the percentage given for {slice}.",
    "Which number accompanies the slice of {slice}?",
)
AMOUNT = (
    "The number in the middle is the total. How much of it is {slice}?",
    "Given the total in the middle, what amount does {slice} have?",
    "How much does {slice} come to, if the middle shows the sum of all?",
    "Working from the figure at the centre, what amount falls to {slice}?",
)
LARGEST = (
    "Which {group} has the largest slice?",
    "Which {group} takes the greatest share?",
    "Name the {group} with the biggest slice.",
    "Who or what gets the most of the pie (name the {group})?",
)
SMALLEST = (
    "Which {group} has the smallest slice?",
    "Which {group} takes the least share?",
    "Name the {group} with the thinnest slice.",
    "Who or what gets the least of the pie (name the {group})?",
)
SECOND = (
    "Which {group} has the second largest slice?",
    "Which {group} comes second by share?",
    "Name the {group} whose slice is the largest but one.",
    "After the biggest slice, whose is next in size (name the {group})?",
)
SUM = (
    "How many percent are {a} and {b} together?",
    "What share do {a} and {b} make up together, in percent?",
    "Add up the shares of {a} and {b}, in percent.",
    "If the slices of {a} and {b} were joined, how many percent would they fill?",
)
DIFFERENCE = (
    "By how many percentage points does {a} exceed {b}?",
    "How many percentage points lie between {a} and {b}?",
    "How much larger is the share of {a} than that of {b}, in percentage points?",
    "What lead, in percentage points, has the slice of {a} over that of {b}?",
)
QUARTER = (
    "Is {slice} more than a quarter of the whole?",
    "Does {slice} take up over a quarter of the pie?",
    "Is the slice of {slice} larger than a quarter?",
    "Would the slice of {slice} cover more than 90 of the 360 degrees?",
)
COMPARE = (
    "Is the slice of {a} larger than that of {b}?",
    "Does {a} have a greater share than {b}?",
    "Is the share of {a} above that of {b}?",
    "Put on a scale, would the slice of {a} outweigh that of {b}?",
)
RANKING = (
    "List the slices from the largest to the smallest.",
    "Order the names by share, the largest first.",
    "Put the slices in order of size, starting with the biggest.",
    "Rank the pie's names downward from the greatest share.",
)
SLICE_COUNT = (
    "How many slices are there?",
    "Count the slices.",
    "How many parts is the whole divided into?",
    "Into how many wedges has the round been cut?",
)
ABOVE = (
    "How many slices are larger than {threshold} percent?",
    "How many shares are above {threshold} percent?",
    "Count the slices with more than {threshold} percent.",
    "How many wedges of the round exceed {threshold} percent?",
)
COLOUR = (
    "Which colour is the slice of {slice}?",
    "What colour does {slice} have?",
    "In which colour is the share of {slice} drawn?",
    "By what colour does one find the wedge of {slice}?",
)
SLICE_OF = (
    "Which {group} has the {colour} slice?",
    "To which {group} does the {colour} slice belong?",
    "Name the {group} of the {colour} slice.",
    "The {colour} wedge stands for which {group}?",
)
CLOCKWISE = (
    "Which slice follows that of {slice} clockwise?",
    "Going clockwise, which slice comes after {slice}?",
    "Name the slice next to {slice} in clockwise direction.",
    "Turning like a clock's hand, which name is met right after {slice}?",
)
POINT = (
    "Point to the slice of {slice}.",
    "Where is the slice of {slice}?",
    "Show the slice of {slice}.",
    "Put a finger on the wedge of {slice}.",
)


@dataclass
class Slice:
    """One part of the whole; `start` and `end` are degrees clockwise from three o'clock."""

    name: str
    share: int
    colour: str
    ink: RGB
    start: float = 0.0
    end: float = 0.0
    label: Text | None = None
    spot: Box = (0, 0, 0, 0)

    def at(self, centre: tuple[float, float], radius: float) -> tuple[float, float]:
        """The place on the slice's middle line so far from the centre."""
        angle = math.radians((self.start + self.end) / 2)
        return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


@dataclass
class Chart:
    """What is drawn. `naming` says where names are, `figures` where percentages are; `total` stands in the hole."""

    group: Group
    slices: list[Slice]
    title: str
    naming: str
    figures: str
    doughnut: bool
    total: int | None
    unread: str
    smudged: str = ""
    plot: Box = field(default=(0, 0, 0, 0))

    @property
    def printed(self) -> bool:
        return self.figures != "none"


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("pie_charts", seed, split)
    page = Page(rng, split)
    chart = _any_chart(page)
    title = page.title(chart.title, chart.unread != "title")
    unread_name = chart.smudged if chart.unread == "name" else None
    if chart.naming == "legend":
        inks = [(part.colour, part.ink) for part in chart.slices]
        page.legend([part.name for part in chart.slices], inks, illegible=unread_name)
    _draw_pie(page, chart)
    scene = Scene("pie_charts", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": page.template,
        "form": "doughnut" if chart.doughnut else "pie",
        "title": chart.title,
        "axes": {},
        "plot": list(chart.plot),
        "naming": chart.naming,
        "figures": chart.figures,
        "total": chart.total,
        "slices": [{"name": s.name, "share": s.share, "colour": s.colour} for s in chart.slices],
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    _ask_shares(ask, chart)
    _ask_order(ask, chart)
    _ask_colours_and_places(ask, chart)
    _describe(scene, chart)
    return scene


def _any_chart(page: Page) -> Chart:
    rng, split = page.rng, page.split
    count = rng.randint(3, 7)
    group = rng.choice(
        [g for g in (any_group(rng, split) for _ in range(9)) if len(g.members) > count] or [None]
    )
    group = group or any_group(rng, split, ordered=False)
    names, inks = group.some(rng, count), page.inks(count)
    slices = [
        Slice(name, share, colour, ink)
        for name, share, (colour, ink) in zip(names, _any_shares(rng, count), inks, strict=True)
    ]
    doughnut = rng.random() < 0.45
    naming = rng.choice(("legend", "around"))
    figures = rng.choice(("none", "inside", "outside"))
    if figures == "inside" and min(part.share for part in slices) < 9:
        figures = "outside"
    unread = (
        rng.choice(("title", "name", "figure" if figures != "none" else "name"))
        if rng.random() < 0.45
        else ""
    )
    chart = Chart(
        *(group, slices),
        title=any_title(rng, split, f"Share of {any_quantity(rng, split).name.lower()}", group.kind),
        naming=naming,
        figures=figures,
        doughnut=doughnut,
        total=rng.randint(2, 60) * 100 if doughnut and figures != "none" and rng.random() < 0.6 else None,
        unread=unread,
    )
    if unread == "name" and group.ordered:
        chart.unread = ""  # what is smudged could be told from its neighbours
    elif unread == "figure":
        chart.smudged = rng.choice(names)
    elif unread == "name":
        extremes = [pick(slices, key=lambda part: part.share).name for pick in (min, max)]
        chart.smudged = rng.choice([*extremes, rng.choice(names)])
    return chart


def _any_shares(rng: random.Random, count: int) -> list[int]:
    """Whole percentages that sum to a hundred, each at least six."""
    while True:
        parts = [rng.uniform(0.5, 3) ** 1.4 for _ in range(count)]
        shares = [round(100 * part / sum(parts)) for part in parts]
        shares[0] += 100 - sum(shares)
        if min(shares) >= 6:
            return shares


def _around(page: Page, chart: Chart, part: Slice) -> str:
    """What is written outside the disc at a slice; "" when nothing is."""
    name = part.name if chart.naming == "around" else ""
    figure = f"{part.share}%" if chart.figures == "outside" else ""
    return f"{name} {figure}".strip()


def _draw_pie(page: Page, chart: Chart) -> None:
    rng = page.rng
    left, top, right, bottom = page.rest
    labels = [_around(page, chart, part) for part in chart.slices]
    aside = max(page.width_of(label) for label in labels) + 12 if any(labels) else 6
    above = page.line_height + 6 if any(labels) else 6
    radius = int(min((right - left) / 2 - aside, (bottom - top) / 2 - above))
    centre = (round((left + right) / 2), round((top + bottom) / 2))
    chart.plot = (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius)
    for _ in range(200):
        _turn(chart, rng.uniform(0, 360))
        if not any(labels) or _labels_fit(page, chart, labels, centre, radius):
            break
    hole = radius * rng.uniform(0.5, 0.62) if chart.doughnut else 0.0
    seam = rng.choice((0, 2, 4, 6))
    for part in chart.slices:
        _draw_slice(page, chart, part, hole, seam)
    if chart.doughnut:
        x, y = (2 * v for v in centre)
        page.draw.ellipse((x - 2 * hole, y - 2 * hole, x + 2 * hole, y + 2 * hole), fill=page.ground)
    for part, label in zip(chart.slices, labels, strict=True):
        _write_labels(page, chart, part, label, centre, radius, hole)
    if chart.total is not None:
        page.write(f"{chart.total:,}", *centre, INSIDE, size=round(page.size * 1.3))


def _turn(chart: Chart, start: float) -> None:
    for part in chart.slices:
        part.start, part.end = start, start + 3.6 * part.share
        start = part.end


def _label_place(part: Slice, centre: tuple[float, float], radius: float) -> tuple[float, float, bool]:
    """Where a label outside the disc begins (or ends, on the left side)."""
    x, y = part.at(centre, radius + 9)
    return x, y, x >= centre[0]


def _labels_fit(
    page: Page, chart: Chart, labels: list[str], centre: tuple[float, float], radius: float
) -> bool:
    """Whether no label touches another; none may stand right above or below the centre, where sides change."""
    boxes = []
    for part, label in zip(chart.slices, labels, strict=True):
        x, y, on_right = _label_place(part, centre, radius)
        if abs(x - centre[0]) < 0.08 * radius:
            return False
        wide, half = page.width_of(label), page.line_height / 2 + 1
        boxes.append((x, y - half, x + wide, y + half) if on_right else (x - wide, y - half, x, y + half))
    return not any(
        min(a[2], b[2]) - max(a[0], b[0]) > -4 and min(a[3], b[3]) - max(a[1], b[1]) > 0
        for a, b in itertools.combinations(boxes, 2)
    )


def _draw_slice(page: Page, chart: Chart, part: Slice, hole: float, seam: int) -> None:
    left, top, right, bottom = chart.plot
    outline = page.ground if seam else None
    page.draw.pieslice([2 * v for v in chart.plot], part.start, part.end, part.ink, outline, seam)
    mask = Image.new("L", (int(right - left), int(bottom - top)))
    draw = ImageDraw.Draw(mask)
    draw.pieslice((0, 0, mask.width - 1, mask.height - 1), part.start, part.end, fill=255)
    if hole:
        middle = mask.width / 2
        draw.ellipse((middle - hole, middle - hole, middle + hole, middle + hole), fill=0)
    bounds = mask.getbbox()
    assert bounds is not None
    box = (left + bounds[0], top + bounds[1], left + bounds[2], top + bounds[3])
    mask = mask.crop(bounds)
    page.placed += [Placed("object", "slice", box, mask), Placed("colour", part.colour, box, mask)]
    x, y = part.at(((left + right) / 2, (top + bottom) / 2), ((right - left) / 2 + hole) / 2 + 4)
    part.spot = (x - 9, y - 9, x + 9, y + 9)


def _write_labels(
    page: Page, chart: Chart, part: Slice, label: str, centre: tuple[float, float], radius: float, hole: float
) -> None:
    """The name and percentage of a slice, wherever they belong; one of them may be illegible."""
    smudged = part.name == chart.smudged
    if chart.figures == "inside":
        x, y = part.at(centre, (radius + hole) / 2 if hole else 0.66 * radius)
        legible = not (smudged and chart.unread == "figure")
        part.label = page.write(f"{part.share}%", x, y, INSIDE, ink=readable_on(part.ink), legible=legible)
    if not label:
        return
    x, y, on_right = _label_place(part, centre, radius)
    words = label.split(" ")
    at = x if on_right else x - page.width_of(label)
    for word in words:
        is_figure = word.endswith("%")
        text = page.write(
            *(word, at, y, INSIDE),
            across="left",
            legible=not (smudged and chart.unread == ("figure" if is_figure else "name")),
        )
        part.label = text if is_figure else part.label
        at += page.width_of(word + " ")


# ---------------------------------------------------------------------------------------------------
# Asking


def _named(chart: Chart) -> list[Slice]:
    return [part for part in chart.slices if (chart.unread, part.name) != ("name", chart.smudged)]


def _ask_shares(ask: Asker, chart: Chart) -> None:
    """Percentages, exact where they are printed, and what is worked out from them."""
    rng, named = ask.rng, _named(chart)
    tolerance = 0.0 if chart.printed else float(TOLERANCE)
    if chart.unread == "figure":
        ask.cant_be_read("figure that can't be read", PRINTED, slice=chart.smudged)
        named = [part for part in named if part.name != chart.smudged]
    part = rng.choice(named)
    needs = part.label.places if part.label and chart.printed else None
    ask.number("share", SHARE, part.share, tolerance=tolerance, slice=part.name, needs=needs)
    if chart.printed:
        part = rng.choice(named)
        ask.number("printed share", PRINTED, part.share, answer=f"{part.share}%", slice=part.name)
    absent = [name for name in chart.group.members if name not in {part.name for part in chart.slices}]
    if absent and chart.unread != "name":
        ask.not_shown("share of what is absent", SHARE, slice=rng.choice(absent))
    if chart.total is not None:
        part = rng.choice(named)
        ask.number("amount", AMOUNT, chart.total * part.share // 100, slice=part.name)
    if len(named) >= 2:
        a, b = rng.sample(named, 2)
        ask.number("sum", SUM, a.share + b.share, tolerance=1.5 * tolerance, a=a.name, b=b.name)
        a, b = sorted(rng.sample(named, 2), key=lambda part: -part.share)
        if a.share - b.share >= LEAST_GAP:
            difference = a.share - b.share
            ask.number("difference", DIFFERENCE, difference, tolerance=1.5 * tolerance, a=a.name, b=b.name)
    clear = [part for part in named if abs(part.share - 25) >= 3]
    if clear:
        over = rng.random() < 0.5
        part = rng.choice([part for part in clear if (part.share > 25) == over] or clear)
        ask.yes_no("more than a quarter", QUARTER, part.share > 25, slice=part.name)
    thresholds = [t for t in (10, 15, 20, 30) if all(abs(part.share - t) >= 2 for part in chart.slices)]
    if thresholds:
        threshold = rng.choice(thresholds)
        ask.count("count above", ABOVE, sum(s.share > threshold for s in chart.slices), threshold=threshold)


def _ask_order(ask: Asker, chart: Chart) -> None:
    """Superlatives, comparisons and order, by size and by place."""
    rng, group = ask.rng, chart.group.kind
    ask.count("count slices", SLICE_COUNT, len(chart.slices))
    ranked = sorted(chart.slices, key=lambda part: -part.share)
    gaps = [a.share - b.share for a, b in itertools.pairwise(ranked)]
    for skill, ways, part, clear in (
        ("largest", LARGEST, ranked[0], gaps[0] >= LEAST_GAP),
        ("smallest", SMALLEST, ranked[-1], gaps[-1] >= LEAST_GAP),
        ("second largest", SECOND, ranked[1], min(gaps[:2]) >= LEAST_GAP),
    ):
        if clear and (chart.unread, part.name) == ("name", chart.smudged):
            ask.cant_be_read(f"{skill} that can't be read", ways, group=group)
        elif clear:
            ask.text(skill, ways, part.name, group=group)
    if len(ranked) <= 5 and apart([part.share for part in ranked], LEAST_GAP) and chart.unread != "name":
        ask.items("ranking", RANKING, [part.name for part in ranked], ordered=True)
    named = _named(chart)
    pairs = [(a, b) for a, b in itertools.permutations(named, 2) if abs(a.share - b.share) >= LEAST_GAP]
    if pairs:
        a, b = rng.choice(pairs)
        ask.yes_no("compare", COMPARE, a.share > b.share, a=a.name, b=b.name)
    following = [
        (a, b) for a, b in itertools.pairwise([*chart.slices, chart.slices[0]]) if a in named and b in named
    ]
    if following:
        a, b = rng.choice(following)
        ask.text("clockwise", CLOCKWISE, b.name, slice=a.name)


def _ask_colours_and_places(ask: Asker, chart: Chart) -> None:
    rng, named, group = ask.rng, _named(chart), chart.group.kind
    part = rng.choice(named)
    if rng.random() < 0.3:
        ask.choice("colour", COLOUR, part.colour, NAMES, slice=part.name)
    else:
        ask.colour("colour", COLOUR, part.colour, slice=part.name)
    part = rng.choice(named)
    ask.text("slice of colour", SLICE_OF, part.name, group=group, colour=part.colour)
    if chart.unread == "name":
        (hidden,) = [part for part in chart.slices if part.name == chart.smudged]
        ask.cant_be_read("name that can't be read", SLICE_OF, group=group, colour=hidden.colour)
    part = rng.choice(named)
    ask.point("point", POINT, part.spot, slice=part.name)


def _describe(scene: Scene, chart: Chart) -> None:
    form = "doughnut chart" if chart.doughnut else "pie chart"
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    scene.short_caption = f"A {form}."
    scene.caption = f"A {form} {titled}, with {len(chart.slices)} slices."
    parts = []
    for part in chart.slices:
        name = "one whose name can't be read" if part not in _named(chart) else part.name
        figure = f"{part.share}%"
        if not chart.printed:
            figure = "about " + figure
        elif (chart.unread, part.name) == ("figure", chart.smudged):
            figure = "a figure that can't be read"
        parts.append(f"{name} ({part.colour}) with {figure}")
    total = f" The total in the middle is {chart.total:,}." if chart.total is not None else ""
    scene.long_caption = f"{scene.caption} Clockwise they are {', '.join(parts[:-1])} and {parts[-1]}.{total}"
