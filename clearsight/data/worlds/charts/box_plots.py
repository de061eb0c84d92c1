"""Box plots of several groups: medians, quartiles, whiskers, spreads and outliers.

Whiskers reach to the least and greatest value that is no outlier; outliers are single dots beyond them.
"""

import itertools
import random
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.charts.asking import ask_axes, ask_title
from clearsight.data.worlds.charts.axes import Axis, Scale, any_scale, draw_axes
from clearsight.data.worlds.charts.page import Box, Page
from clearsight.data.worlds.charts.subjects import Group, Quantity, any_group, any_quantity, any_title
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

LEAST_GAP = 0.04  # share of the axis by which values must differ to be told apart
TOLERANCE = 0.03  # share of the axis within which a person reads a value

MEDIAN = (
    "What is the median of {item}?",
    "At which value is the line inside the box of {item}?",
    "Read off the median of {item}.",
    "Which value splits the observations of {item} into halves?",
)
UPPER = (
    "What is the upper quartile of {item}?",
    "Where does the box of {item} end at the high side?",
    "Read off the third quartile of {item}.",
    "Three quarters of the observations of {item} lie below which value?",
)
LOWER = (
    "What is the lower quartile of {item}?",
    "Where does the box of {item} begin at the low side?",
    "Read off the first quartile of {item}.",
    "One quarter of the observations of {item} lies below which value?",
)
WHISKER = (
    "Up to which value does the upper whisker of {item} reach?",
    "Where does the upper whisker of {item} end?",
    "Read off the end of the upper whisker of {item}.",
    "What is the greatest observation of {item} that is no outlier?",
)
SPREAD = (
    "What is the interquartile range of {item}?",
    "How long is the box of {item}, measured on the axis?",
    "How far apart are the quartiles of {item}?",
    "Over how many units of the axis does the middle half of {item} stretch?",
)
HIGHEST = (
    "Which {group} has the highest median?",
    "Name the {group} with the greatest median.",
    "The median of which {group} is the largest?",
    "Going by medians alone, which {group} leads?",
)
LOWEST = (
    "Which {group} has the lowest median?",
    "Name the {group} with the smallest median.",
    "The median of which {group} is the least?",
    "Going by medians alone, which {group} trails?",
)
WIDEST = (
    "Which {group} has the largest interquartile range?",
    "Which {group} has the longest box?",
    "Name the {group} whose quartiles are furthest apart.",
    "For which {group} is the middle half spread out the most?",
)
COMPARE = (
    "Is the median of {a} higher than that of {b}?",
    "Does {a} have a greater median than {b}?",
    "Is the median line of {a} at a higher value than that of {b}?",
    "Would {a} beat {b} if only medians counted?",
)
WHOLE_BOX = (
    "Is the whole box of {a} above the median of {b}?",
    "Is the lower quartile of {a} higher than the median of {b}?",
    "Does the box of {a} begin above the median of {b}?",
    "Do three quarters of {a} exceed the middle observation of {b}?",
)
RANKING = (
    "List the names by their median, the highest first.",
    "Order the boxes by median, from the largest to the smallest.",
    "Put the names in order of their medians, starting with the greatest.",
    "Rank the boxes downward by where their middle lines are.",
)
OUTLIERS = (
    "How many outliers does {item} have?",
    "Count the outliers of {item}.",
    "How many single dots belong to {item}?",
    "How many observations of {item} were drawn apart from whiskers and box?",
)
ALL_OUTLIERS = (
    "How many outliers are there in all?",
    "Count all the outliers.",
    "How many single dots does the plot have?",
    "How many observations were drawn on their own in the whole plot?",
)
BOX_COUNT = (
    "How many boxes are there?",
    "Count the boxes.",
    "How many groups are compared?",
    "How many distributions have been put side by side?",
)
ABOVE = (
    "How many medians are above {threshold}?",
    "How many boxes have a median of more than {threshold}?",
    "Count the medians above {threshold}.",
    "For how many distributions is the middle line past the mark of {threshold}?",
)
POINT = (
    "Point to the box of {item}.",
    "Where is the box of {item}?",
    "Show the box of {item}.",
    "Put a finger on the middle half of {item}.",
)
FRAME = (
    "Frame the box of {item}, without its whiskers.",
    "What is the frame of the box of {item}, whiskers left out?",
    "Put a frame around the box of {item} but not its whiskers.",
    "Enclose the middle half of {item} tightly.",
)


@dataclass
class Summary:
    """Five numbers of a group, its outliers, and the box drawn for the middle half, in pixels."""

    name: str
    five: tuple[float, float, float, float, float]
    outliers: list[float]
    box: Box = (0, 0, 0, 0)

    @property
    def median(self) -> float:
        return self.five[2]

    @property
    def spread(self) -> float:
        return round(self.five[3] - self.five[1], 4)


@dataclass
class Chart:
    """What is drawn; `unread` is the kind of text that is smudged, `smudged` the name if it is one."""

    upright: bool
    quantity: Quantity
    group: Group
    scale: Scale
    title: str
    summaries: list[Summary] = field(default_factory=list)
    unread: str = ""
    smudged: str = ""

    @property
    def gap(self) -> float:
        return LEAST_GAP * self.scale.span

    @property
    def legible(self) -> list[Summary]:
        return [summary for summary in self.summaries if summary.name != self.smudged]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("box_plots", seed, split)
    page = Page(rng, split)
    chart = _any_chart(rng, split)
    title = page.title(chart.title, chart.unread != "title")
    along, across = ("vertical", "horizontal") if chart.upright else ("horizontal", "vertical")
    names = [summary.name for summary in chart.summaries]
    names_axis = Axis.of_names(
        names if chart.upright else names[::-1],
        chart.group.kind.capitalize() if rng.random() < 0.6 else "",
        chart.smudged or None,
    )
    values = Axis.of(chart.scale, chart.quantity.title, rng.random() < 0.6, chart.unread != f"{along} axis")
    plot = draw_axes(page, names_axis, values) if chart.upright else draw_axes(page, values, names_axis)
    _draw_boxes(page, chart, plot)
    scene = Scene("box_plots", seed, split, page.finish(), placed=page.placed)
    axes = {along: chart.quantity.title, across: names_axis.title}
    scene.facts = {
        "template": page.template,
        "upright": chart.upright,
        "title": chart.title,
        "axes": axes,
        "plot": list(plot),
        "categories": names,
        "summaries": [
            {"name": s.name, "five": list(s.five), "outliers": s.outliers} for s in chart.summaries
        ],
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    ask_axes(ask, axes, chart.unread)
    _ask_values(ask, chart)
    _ask_order(ask, chart)
    _describe(scene, chart)
    return scene


def _any_chart(rng: random.Random, split: Split) -> Chart:
    upright = rng.random() < 0.7
    group = any_group(rng, split)
    quantity = any_quantity(rng, split, signed=True)
    chart = Chart(
        *(upright, quantity, group),
        scale=any_scale(rng, quantity.most, quantity.least, quantity.signed),
        title=any_title(rng, split, f"Spread of {quantity.name.lower()}", group.kind),
    )
    chart.summaries = [_any_summary(rng, chart.scale, name) for name in group.some(rng, rng.randint(3, 6))]
    kinds = (
        "title",
        f"{'vertical' if upright else 'horizontal'} axis",
        *(() if group.ordered else ("name", "name")),
    )
    chart.unread = rng.choice(kinds) if rng.random() < 0.5 else ""
    if chart.unread == "name":
        extremes = [pick(chart.summaries, key=lambda s: s.median).name for pick in (min, max)]
        chart.smudged = rng.choice([*extremes, max(chart.summaries, key=lambda s: s.spread).name])
    return chart


def _any_summary(rng: random.Random, scale: Scale, name: str) -> Summary:
    """Five numbers between a tenth and nine tenths of the scale, each clear of the next, and up to two outliers."""
    middle = rng.uniform(0.3, 0.7)
    below, above = rng.uniform(0.04, 0.15), rng.uniform(0.04, 0.15)
    low, high = middle - below, middle + above
    least, most = low - rng.uniform(0.04, 0.12), high + rng.uniform(0.04, 0.12)
    outliers = []
    if rng.random() < 0.35 and least > 0.12:
        outliers.append(least - rng.uniform(0.05, least - 0.05))
    if rng.random() < 0.35 and most < 0.86:
        outliers.append(most + rng.uniform(0.06, 0.96 - most))
    numbers = [scale.rounded(scale.low + share * scale.span) for share in (least, low, middle, high, most)]
    far = [scale.rounded(scale.low + share * scale.span) for share in outliers]
    return Summary(name, (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]), far)


def _draw_boxes(page: Page, chart: Chart, plot: Box) -> None:
    rng = page.rng
    left, top, right, bottom = plot
    inks: list[tuple[str, RGB]] = page.inks(len(chart.summaries) if rng.random() < 0.4 else 1)
    slot = ((right - left) if chart.upright else (bottom - top)) / len(chart.summaries)
    half, width, reach = slot * rng.uniform(0.2, 0.32), rng.choice((3, 4)), rng.uniform(5, 8)
    cap = half * rng.uniform(0.4, 0.8)

    def at(value: float, aside: float) -> tuple[float, float]:
        """A place on the doubled page, from a value and a distance along the other axis."""
        share = chart.scale.at(value)
        if chart.upright:
            return 2 * (left + aside), 2 * (bottom - share * (bottom - top))
        return 2 * (left + share * (right - left)), 2 * (top + aside)

    for number, summary in enumerate(chart.summaries):
        centre = (number + 0.5) * slot
        least, low, median, high, most = summary.five
        name, ink = inks[number % len(inks)]
        for inner, outer in ((low, least), (high, most)):
            page.draw.line((*at(inner, centre), *at(outer, centre)), fill=page.ink, width=width)
            page.draw.line((*at(outer, centre - cap), *at(outer, centre + cap)), fill=page.ink, width=width)
        (x, y), (other_x, other_y) = at(low, centre - half), at(high, centre + half)
        corners = (min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y))
        page.draw.rectangle(corners, fill=ink, outline=page.ink, width=width)
        line = (*at(median, centre - half), *at(median, centre + half))
        page.draw.line(line, fill=readable_on(ink), width=width + 3)
        for value in summary.outliers:
            x, y = at(value, centre)
            page.draw.ellipse(
                (x - reach, y - reach, x + reach, y + reach), fill=ink, outline=page.ink, width=2
            )
            dot = ((x - reach) / 2, (y - reach) / 2, (x + reach) / 2, (y + reach) / 2)
            page.placed.append(Placed("object", "outlier", dot))
        summary.box = (corners[0] / 2, corners[1] / 2, corners[2] / 2, corners[3] / 2)
        page.placed += [Placed("object", "box", summary.box), Placed("colour", name, summary.box)]


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_values(ask: Asker, chart: Chart) -> None:
    """Values read off the axis, and what is missing."""
    rng, tolerance = ask.rng, TOLERANCE * chart.scale.span
    for skill, ways, index in (
        ("median", MEDIAN, 2),
        ("upper quartile", UPPER, 3),
        ("lower quartile", LOWER, 1),
        ("upper whisker", WHISKER, 4),
    ):
        summary = rng.choice(chart.legible)
        ask.number(skill, ways, summary.five[index], tolerance=tolerance, item=summary.name)
    summary = rng.choice(chart.legible)
    ask.number("interquartile range", SPREAD, summary.spread, tolerance=1.6 * tolerance, item=summary.name)
    absent = [name for name in chart.group.members if name not in {s.name for s in chart.summaries}]
    if absent and not chart.smudged:
        ask.not_shown("median of what is absent", MEDIAN, item=rng.choice(absent))
    summary = rng.choice(chart.legible)
    ask.count("outliers", OUTLIERS, len(summary.outliers), item=summary.name)
    ask.count("all outliers", ALL_OUTLIERS, sum(len(s.outliers) for s in chart.summaries))
    ask.count("count boxes", BOX_COUNT, len(chart.summaries))
    summary = rng.choice(chart.legible)
    ask.point("point", POINT, summary.box, item=summary.name)
    summary = rng.choice(chart.legible)
    ask.box("box", FRAME, summary.box, item=summary.name)


def _ask_order(ask: Asker, chart: Chart) -> None:
    """Superlatives, comparisons and counts."""
    rng, group, gap = ask.rng, chart.group.kind, chart.gap
    by_median = sorted(chart.summaries, key=lambda s: s.median)
    by_spread = sorted(chart.summaries, key=lambda s: s.spread)
    for skill, ways, best, clear in (
        ("highest median", HIGHEST, by_median[-1], by_median[-1].median - by_median[-2].median >= gap),
        ("lowest median", LOWEST, by_median[0], by_median[1].median - by_median[0].median >= gap),
        ("widest", WIDEST, by_spread[-1], by_spread[-1].spread - by_spread[-2].spread >= gap),
    ):
        if clear and best.name == chart.smudged:
            ask.cant_be_read(f"{skill} that can't be read", ways, group=group)
        elif clear:
            ask.text(skill, ways, best.name, group=group)
    if len(by_median) <= 5 and apart([s.median for s in by_median], gap) and not chart.smudged:
        ask.items("ranking", RANKING, [s.name for s in reversed(by_median)], ordered=True)
    pairs = list(itertools.permutations(chart.legible, 2))
    clear_pairs = [(a, b) for a, b in pairs if abs(a.median - b.median) >= gap]
    if clear_pairs:
        a, b = rng.choice(clear_pairs)
        ask.yes_no("compare", COMPARE, a.median > b.median, a=a.name, b=b.name)
    whole = rng.random() < 0.5
    fitting = [
        (a, b) for a, b in pairs if abs(a.five[1] - b.median) >= gap and (a.five[1] > b.median) == whole
    ]
    if fitting:
        a, b = rng.choice(fitting)
        ask.yes_no("whole box above", WHOLE_BOX, whole, a=a.name, b=b.name)
    clear_ticks = [
        t for t in chart.scale.ticks[1:-1] if all(abs(s.median - t) >= 0.7 * gap for s in chart.summaries)
    ]
    if clear_ticks:
        threshold = rng.choice(clear_ticks)
        count = sum(s.median > threshold for s in chart.summaries)
        ask.count("count above", ABOVE, count, threshold=f"{threshold:g}", about={"threshold": threshold})


def _describe(scene: Scene, chart: Chart) -> None:
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    scene.short_caption = "A box plot."
    scene.caption = f"A box plot {titled}, comparing {len(chart.summaries)} groups."
    sentences = [scene.caption]
    if chart.unread.endswith("axis"):
        sentences.append("The title of the value axis can't be read.")
    else:
        sentences.append(
            f"The axis shows {chart.quantity.title} from {chart.scale.low:g} to {chart.scale.high:g}."
        )
    for summary in chart.summaries:
        name = "One whose name can't be read" if summary.name == chart.smudged else summary.name
        count = len(summary.outliers)
        outliers = f", and has {count} outlier{'s' if count > 1 else ''}" if count else ""
        _, low, median, high, _ = summary.five
        sentences.append(
            f"{name} has a median of about {median:g} and a box from about {low:g} to {high:g}{outliers}."
        )
    scene.long_caption = " ".join(sentences)
