"""Histograms: how many things fall into each of several equal ranges, read off the axis or printed on the bars."""

import itertools
import math
import random
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_axes, ask_title
from clearsight.data.worlds.charts.axes import STEPS, Axis, Scale, draw_axes
from clearsight.data.worlds.charts.page import INSIDE, Box, Page, Text
from clearsight.data.worlds.charts.subjects import Group, Quantity, any_group, any_quantity, any_title
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

LEAST_GAP = 0.04  # share of the count axis by which bars must differ to be told apart
TOLERANCE = 0.03  # share of the count axis within which a person reads a bar

COUNT_IN = (
    "How many fall between {low} and {high}?",
    "How high is the bar from {low} to {high}?",
    "Read off the count for the range from {low} to {high}.",
    "What frequency belongs to the class of {low} to {high}?",
)
PRINTED = (
    "Which number is printed on the bar from {low} to {high}?",
    "What number is written above the bar from {low} to {high}?",
    "Read the label of the bar from {low} to {high}.",
    "What figure crowns the class of {low} to {high}?",
)
FULLEST = (
    "Which range has the highest bar?",
    "Between which two values do the most fall?",
    "Name the range with the greatest count.",
    "Which class of this distribution is the most frequent?",
)
EMPTIEST = (
    "Which range has the lowest bar?",
    "Between which two values do the fewest fall?",
    "Name the range with the least count.",
    "Which class of this distribution is the rarest?",
)
TOGETHER = (
    "How many fall between {low} and {high}, in both ranges together?",
    "What do the two bars between {low} and {high} add up to?",
    "Add up the counts of the two ranges from {low} to {high}.",
    "Merging the two classes between {low} and {high}, what frequency results?",
)
TOTAL = (
    "How many were counted in all?",
    "What do all the bars add up to?",
    "Add up all the counts.",
    "Over all classes, what is the sum of the frequencies?",
)
BELOW = (
    "How many are less than {edge}?",
    "What do the bars to the left of {edge} add up to?",
    "Add up all the counts below {edge}.",
    "What frequency have all the classes short of {edge} together?",
)
MEDIAN = (
    "In which range is the median?",
    "Within which range does the middle one of all values fall?",
    "Name the range that holds the median.",
    "Which class of this distribution contains the middle observation?",
)
HIGHER = (
    "Is the bar from {a} to {b} higher than the one from {c} to {d}?",
    "Do more fall between {a} and {b} than between {c} and {d}?",
    "Is the count from {a} to {b} greater than that from {c} to {d}?",
    "Is the class of {a} to {b} more frequent than that of {c} to {d}?",
)
BAR_COUNT = (
    "How many bars are there?",
    "Count the bars of the histogram.",
    "Into how many ranges are the values divided?",
    "How many classes does this distribution have?",
)
WIDTH = (
    "How wide is each range?",
    "By how much do the two ends of each range differ?",
    "What is the width of a range, in the unit of the axis?",
    "How broad was each class of this distribution chosen?",
)
ABOVE = (
    "How many ranges have a count above {threshold}?",
    "How many bars are higher than {threshold}?",
    "Count the bars above {threshold}.",
    "How many classes are more frequent than {threshold}?",
)
COLOUR = (
    "What colour are the bars?",
    "Which colour do the bars have?",
    "In which colour are the bars drawn?",
    "What colour was picked for the classes of this distribution?",
)
POINT = (
    "Point to the bar from {low} to {high}.",
    "Where is the bar from {low} to {high}?",
    "Show the bar of the range from {low} to {high}.",
    "Put a finger on the class of {low} to {high}.",
)
BOX = (
    "Frame the bar from {low} to {high}.",
    "What is the box around the bar from {low} to {high}?",
    "Put a box around the bar of the range from {low} to {high}.",
    "Enclose the class of {low} to {high} tightly.",
)


@dataclass
class Bin:
    """One range of values, how many fall into it, and its bar in pixels."""

    low: float
    high: float
    count: int
    box: Box = (0, 0, 0, 0)
    label: Text | None = None

    @property
    def ends(self) -> dict[str, str]:
        return {"low": f"{self.low:g}", "high": f"{self.high:g}"}

    @property
    def name(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    @property
    def other_names(self) -> tuple[str, ...]:
        low, high = f"{self.low:g}", f"{self.high:g}"
        return (
            f"{low}-{high}",
            f"{low}–{high}",
            f"{low} - {high}",
            f"between {low} and {high}",
            f"from {low} to {high}",
        )


@dataclass
class Chart:
    """What is drawn; the edges of the bins are the ticks of `edges`."""

    quantity: Quantity
    group: Group
    edges: Scale
    counts: Scale
    title: str
    bins: list[Bin] = field(default_factory=list)
    unread: str = ""
    smudged: int = -1  # the bin whose printed count can't be read

    @property
    def printed(self) -> bool:
        return self.bins[0].label is not None

    @property
    def gap(self) -> float:
        return LEAST_GAP * self.counts.span


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("histograms", seed, split)
    page = Page(rng, split)
    chart = _any_chart(rng, split)
    title = page.title(chart.title, chart.unread != "title")
    colour, ink = page.inks(1)[0]
    counted = {"train": ("Count", "Frequency", "Number of cases"), "eval": ("Occurrences", "Tally")}[split]
    axes = {"vertical": rng.choice(counted), "horizontal": chart.quantity.title}
    across = Axis.of(chart.edges, axes["horizontal"], title_legible=chart.unread != "horizontal axis")
    plot = draw_axes(
        page,
        Axis(across.title, across.labels, title_legible=across.title_legible),
        Axis.of(chart.counts, axes["vertical"], title_legible=chart.unread != "vertical axis"),
    )
    _draw_bars(page, chart, plot, colour, ink)
    scene = Scene("histograms", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": page.template,
        "title": chart.title,
        "axes": axes,
        "plot": list(plot),
        "colour": colour,
        "bins": [{"low": b.low, "high": b.high, "count": b.count} for b in chart.bins],
        "printed": chart.printed,
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    ask_axes(ask, axes, chart.unread)
    ask.colour("colour", COLOUR, colour)
    _ask_counts(ask, chart)
    _ask_order(ask, chart)
    _describe(scene, chart, colour)
    return scene


def _any_chart(rng: random.Random, split: Split) -> Chart:
    quantity = any_quantity(rng, split)
    count = rng.randint(4, 8)
    width = rng.choice([step for step in STEPS if quantity.least <= step * count <= quantity.most])
    edges = Scale(rng.choice((0, 0, 1, 2)) * width, width, count)
    step = rng.choice((1, 2, 5, 5, 10, 20))
    counts = Scale(0, step, rng.randint(4, 6))
    group = any_group(rng, split)
    peak, spread = rng.uniform(0, count), rng.uniform(1, count / 1.6)
    chart = Chart(
        *(quantity, group, edges, counts),
        title=any_title(rng, split, f"Distribution of {quantity.name.lower()}", group.kind),
    )
    if rng.random() < 0.5:
        chart.unread = rng.choice(("title", "vertical axis", "horizontal axis", "count", "count"))
    for low, high in itertools.pairwise(edges.ticks):
        place = (edges.at((low + high) / 2)) * count
        share = 0.88 * math.exp(-(((place - peak) / spread) ** 2) / 2) * rng.uniform(0.75, 1)
        chart.bins.append(Bin(low, high, max(1, round(share * counts.high))))
    return chart


def _draw_bars(page: Page, chart: Chart, plot: Box, colour: str, ink: RGB) -> None:
    rng = page.rng
    left, top, right, bottom = plot
    wide, seam = (right - left) / len(chart.bins), rng.choice((1, 2, 3))
    for index, part in enumerate(chart.bins):
        height = chart.counts.at(part.count) * (bottom - top)
        part.box = (left + index * wide, round(2 * (bottom - height)) / 2, left + (index + 1) * wide, bottom)
        x, y, to_x, to_y = (2 * edge for edge in part.box)
        page.draw.rectangle((x + seam, y, to_x - seam, to_y - 1), fill=ink)
        page.placed += [Placed("object", "bar", part.box), Placed("colour", colour, part.box)]
    fits = max(page.width_of(str(part.count)) for part in chart.bins) < wide - 4
    if fits and (rng.random() < 0.5 or chart.unread == "count"):
        if chart.unread == "count":
            chart.smudged = rng.randrange(len(chart.bins))
        for index, part in enumerate(chart.bins):
            x, y = (part.box[0] + part.box[2]) / 2, part.box[1] - page.line_height / 2 - 1
            part.label = page.write(str(part.count), x, y, INSIDE, legible=index != chart.smudged)
    elif chart.unread == "count":
        chart.unread = ""


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_counts(ask: Asker, chart: Chart) -> None:
    """Counts of single ranges and sums of several, exact where they are printed."""
    rng, bins = ask.rng, chart.bins
    known = [part for index, part in enumerate(bins) if index != chart.smudged]
    tolerance = 0.0 if chart.printed else TOLERANCE * chart.counts.span
    part = rng.choice(known)
    needs = part.label.places if part.label else None
    ask.number("count in a range", COUNT_IN, part.count, tolerance=tolerance, needs=needs, **part.ends)
    if chart.printed:
        part = rng.choice(known)
        ask.number("printed count", PRINTED, part.count, **part.ends)
    if chart.unread == "count":
        ask.cant_be_read("count that can't be read", PRINTED, **bins[chart.smudged].ends)
    start = chart.edges.high + chart.edges.step * rng.randint(1, 3)
    absent = Bin(round(start, 4), round(start + chart.edges.step, 4), 0)
    ask.not_shown("count of a range that is absent", COUNT_IN, **absent.ends)
    pairs = [(a, b) for a, b in itertools.pairwise(bins) if a in known and b in known]
    if pairs:
        a, b = rng.choice(pairs)
        ends = {"low": a.ends["low"], "high": b.ends["high"]}
        ask.number("two ranges", TOGETHER, a.count + b.count, tolerance=1.6 * tolerance, **ends)
    if chart.printed and chart.unread != "count":
        total, half = sum(part.count for part in bins), 0
        ask.number("total", TOTAL, total)
        edge = rng.choice(bins[2:]).low
        below = sum(part.count for part in bins if part.high <= edge + 1e-6)
        ask.number("below", BELOW, below, edge=f"{edge:g}")
        for part in bins:
            if half < total / 2 - 0.5 and half + part.count > total / 2 + 0.5:
                ask.text("median", MEDIAN, part.name, alternatives=part.other_names)
            half += part.count


def _ask_order(ask: Asker, chart: Chart) -> None:
    """Superlatives, comparisons, counts of bars, and where they are."""
    rng, bins, gap = ask.rng, chart.bins, chart.gap
    ask.count("count bars", BAR_COUNT, len(bins))
    ask.number("width", WIDTH, chart.edges.step)
    ranked = sorted(bins, key=lambda part: part.count)
    if ranked[-1].count - ranked[-2].count >= gap:
        ask.text("fullest", FULLEST, ranked[-1].name, alternatives=ranked[-1].other_names)
    if ranked[1].count - ranked[0].count >= gap:
        ask.text("emptiest", EMPTIEST, ranked[0].name, alternatives=ranked[0].other_names)
    pairs = [(a, b) for a, b in itertools.permutations(bins, 2) if abs(a.count - b.count) >= gap]
    if pairs:
        a, b = rng.choice(pairs)
        ends = {"a": a.ends["low"], "b": a.ends["high"], "c": b.ends["low"], "d": b.ends["high"]}
        ask.yes_no("higher", HIGHER, a.count > b.count, **ends)
    clear = [t for t in chart.counts.ticks[1:-1] if all(abs(part.count - t) >= 0.7 * gap for part in bins)]
    if clear:
        threshold = rng.choice(clear)
        ask.count("count above", ABOVE, sum(p.count > threshold for p in bins), threshold=f"{threshold:g}")
    tall = [part for part in bins if part.box[3] - part.box[1] >= 8]
    part = rng.choice(tall)
    ask.point("point", POINT, part.box, **part.ends)
    part = rng.choice(tall)
    ask.box("box", BOX, part.box, **part.ends)


def _describe(scene: Scene, chart: Chart, colour: str) -> None:
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    scene.short_caption = "A histogram."
    scene.caption = f"A histogram {titled}, with {len(chart.bins)} {colour} bars."
    shown = "The values" if chart.unread == "horizontal axis" else chart.quantity.title
    parts = []
    for index, part in enumerate(chart.bins):
        about = "" if chart.printed and index != chart.smudged else "about "
        parts.append(f"{about}{part.count} from {part.name}")
    scene.long_caption = f"{scene.caption} {shown} in ranges of {chart.edges.step:g}: {', '.join(parts)}."
