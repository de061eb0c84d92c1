"""Bar charts: upright or lying, single, grouped or stacked bars, with values read off an axis or printed."""

import itertools
import random
from dataclasses import dataclass, field
from typing import Literal

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.charts.asking import ask_axes, ask_legend, ask_title
from clearsight.data.worlds.charts.axes import Axis, Scale, any_scale, draw_axes
from clearsight.data.worlds.charts.page import INSIDE, Box, Page, Text
from clearsight.data.worlds.charts.subjects import Group, Quantity, any_group, any_quantity, any_title
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

LEAST_GAP = 0.035  # share of the axis by which values must differ to be told apart
TOLERANCE = 0.03  # share of the axis within which a person reads a value

VALUE = (
    "What is the value of {cell}?",
    "How much does the chart show for {cell}?",
    "Read off the value of {cell}.",
    "Up to which number does the bar of {cell} count?",
)
PRINTED = (
    "Which number is printed on the bar of {cell}?",
    "What number is written at the bar of {cell}?",
    "Read the label on the bar of {cell}.",
    "What figure stands beside or on the bar of {cell}?",
)
LARGEST = (
    "Which {group} has the largest value{of}?",
    "Which {group} is the highest{of}?",
    "Name the {group} with the greatest value{of}.",
    "Whose bar marks the top value{of} (name the {group})?",
)
SMALLEST = (
    "Which {group} has the smallest value{of}?",
    "Which {group} is the lowest{of}?",
    "Name the {group} with the least value{of}.",
    "Whose bar marks the bottom value{of} (name the {group})?",
)
DIFFERENCE = (
    "How much larger is the value of {a} than that of {b}?",
    "What is the difference between {a} and {b}?",
    "By how much does the bar of {a} exceed that of {b}?",
    "By what amount, in the unit of the axis, does {a} top {b}?",
)
SUM = (
    "What do {a} and {b} add up to?",
    "What is the sum of {a} and {b}?",
    "How much are {a} and {b} together?",
    "If the bars of {a} and {b} were put end to end, what value would they reach?",
)
TOTAL = (
    "What is the total of {name}?",
    "How high is the whole stack of {name}?",
    "What do all parts of {name} come to?",
    "Where does the full stack of {name} end on the axis?",
)
ABOVE = (
    "How many bars{of} are above {threshold}?",
    "How many of the bars{of} exceed {threshold}?",
    "Count the bars{of} with more than {threshold}.",
    "How many bars{of} get past the mark of {threshold}?",
)
COMPARE = (
    "Is the value of {a} larger than that of {b}?",
    "Does the bar of {a} have a greater value than that of {b}?",
    "Does the chart show more for {a} than for {b}?",
    "Does {a} come out ahead of {b} in value?",
)
RANKING = (
    "List the names from the largest to the smallest value{of}.",
    "Order the bars{of} by value, the largest first.",
    "Put the {group} names in order of value{of}, starting with the highest.",
    "Rank the bars{of} downward from the greatest, by {group}.",
)
BAR_COUNT = (
    "How many bars are there?",
    "Count the bars.",
    "How many bars does the chart have?",
    "How many separate bars have been drawn here?",
)
NEXT = (
    "Which {group} comes directly after {name}?",
    "Which {group} is next after {name}?",
    "Name the {group} that follows {name} on the axis.",
    "Going along the axis, whose bars stand right behind those of {name}?",
)
HIGHEST_SERIES = (
    "Which entry of the legend is the largest for {name}?",
    "For {name}, which of the legend's entries has the highest value?",
    "Which colour's name has the greatest value at {name}?",
    "Looking only at {name}, which name from the key comes out on top?",
)
POINT = (
    "Point to the bar of {cell}.",
    "Where is the bar of {cell}?",
    "Show the bar of {cell}.",
    "Put a finger on the bar that belongs to {cell}.",
)
BOX = (
    "Frame the bar of {cell}.",
    "What is the box around the bar of {cell}?",
    "Put a box around the bar of {cell}.",
    "Draw the tightest rectangle around the bar that belongs to {cell}.",
)


@dataclass
class Bar:
    """One bar, or one part of a stack; `box` is in pixels, `label` the value printed on it."""

    category: str
    series: str
    value: float
    box: Box = (0, 0, 0, 0)
    label: Text | None = None

    @property
    def cell(self) -> str:
        return f"{self.category} ({self.series})" if self.series else self.category


@dataclass
class Chart:
    """What is drawn. `series` is [""] without a legend. `unread` is the kind of text smudged, `smudged` which."""

    form: str
    upright: bool
    quantity: Quantity
    group: Group
    series_group: Group
    categories: list[str]
    series: list[str]
    scale: Scale
    title: str
    unread: str
    bars: list[Bar] = field(default_factory=list)
    smudged: str = ""
    printed: bool = False

    def row(self, series: str) -> list[Bar]:
        return [bar for bar in self.bars if bar.series == series]

    def stack(self, category: str) -> list[Bar]:
        return [bar for bar in self.bars if bar.category == category]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("bar_charts", seed, split)
    page = Page(rng, split)
    chart = _any_chart(rng, split)
    title = page.title(chart.title, chart.unread != "title")
    inks = page.inks(len(chart.series))
    if chart.series != [""]:
        page.legend(chart.series, inks, illegible=chart.smudged if chart.unread == "legend" else None)
    elif rng.random() < 0.3 and len(chart.categories) <= 6:
        inks = page.inks(len(chart.categories))
    along, across = ("vertical", "horizontal") if chart.upright else ("horizontal", "vertical")
    names = Axis.of_names(
        chart.categories if chart.upright else chart.categories[::-1],
        chart.group.kind.capitalize() if rng.random() < 0.7 else "",
        chart.smudged if chart.unread == "category" else None,
    )
    values = Axis.of(chart.scale, chart.quantity.title, rng.random() < 0.7, chart.unread != f"{along} axis")
    plot = draw_axes(page, names, values) if chart.upright else draw_axes(page, values, names)
    _draw_bars(page, chart, plot, inks)
    scene = Scene("bar_charts", seed, split, page.finish(), placed=page.placed)
    axes = {along: chart.quantity.title, across: names.title}
    scene.facts = {
        "template": page.template,
        "form": chart.form,
        "upright": chart.upright,
        "title": chart.title,
        "axes": axes,
        "plot": list(plot),
        "kind": chart.group.kind,
        "categories": chart.categories,
        "series": chart.series if chart.series != [""] else [],
        "colours": [name for name, _ in inks],
        "values": [[bar.value for bar in chart.row(series)] for series in chart.series],
        "printed": chart.printed,
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    ask_axes(ask, axes, chart.unread)
    if chart.series != [""]:
        others = [name for name in chart.series_group.members if name not in chart.series]
        unread = chart.smudged if chart.unread == "legend" else None
        ask_legend(ask, chart.series, scene.facts["colours"], others, unread)
    _ask_values(ask, chart)
    _ask_order(ask, chart)
    _ask_places(ask, chart)
    _describe(scene, chart)
    return scene


def _any_chart(rng: random.Random, split: Split) -> Chart:
    form = rng.choice(("single", "single", "single", "grouped", "stacked"))
    upright = rng.random() < 0.65
    group = any_group(rng, split)
    series_group = rng.choice([g for g in (any_group(rng, split) for _ in range(20)) if g.kind != group.kind])
    quantity = any_quantity(rng, split, signed=form != "stacked")
    series = [""] if form == "single" else series_group.some(rng, rng.choice((2, 2, 3, 3, 4)))
    most = {"single": 8, "grouped": 5 if len(series) < 4 else 3, "stacked": 6}[form]
    categories = group.some(rng, rng.randint(3 if form == "single" else 2, most))
    chart = Chart(
        *(form, upright, quantity, group, series_group, categories, series),
        scale=any_scale(rng, quantity.most, quantity.least, quantity.signed),
        title=any_title(rng, split, quantity.name, group.kind),
        unread=rng.choice(
            ("title", "category", "value", "legend", f"{'vertical' if upright else 'horizontal'} axis")
        )
        if rng.random() < 0.5
        else "",
    )
    if (chart.unread == "legend" and form == "single") or (chart.unread == "category" and group.ordered):
        chart.unread = ""  # there is no legend, or what is smudged could be inferred from its neighbours
    for category in categories:
        chart.bars += _any_bars(rng, chart, category)
    if chart.unread == "category":
        extremes = [pick(chart.bars, key=lambda bar: bar.value).category for pick in (min, max)]
        chart.smudged = rng.choice([*extremes, rng.choice(categories)])
    if chart.unread == "legend":
        chart.smudged = rng.choice(series)
    return chart


def _any_bars(rng: random.Random, chart: Chart, category: str) -> list[Bar]:
    scale = chart.scale
    if chart.form == "stacked":
        shares = [rng.uniform(0.6, 2) for _ in chart.series]
        height = rng.uniform(0.14 * len(shares) + 0.1, 0.95) * scale.high / sum(shares)
        return [
            Bar(category, s, scale.rounded(share * height))
            for s, share in zip(chart.series, shares, strict=True)
        ]
    bars = []
    for series in chart.series:
        value = rng.uniform(0.05, 0.92) * scale.high
        if scale.low < 0 and rng.random() < 0.35:
            value = rng.uniform(0.2, 0.8) * scale.low
        bars.append(Bar(category, series, scale.rounded(value)))
    return bars


def _draw_bars(page: Page, chart: Chart, plot: Box, inks: list[tuple[str, RGB]]) -> None:
    """Lay out and draw all bars, and print their values where there is room and the dice say so."""
    rng = page.rng
    left, top, right, bottom = plot
    slot = ((right - left) if chart.upright else (bottom - top)) / len(chart.categories)
    abreast = len(chart.series) if chart.form == "grouped" else 1
    thick = slot * rng.uniform(0.55, 0.8) / abreast
    for number, category in enumerate(chart.categories):
        base = 0.0
        for index, bar in enumerate(chart.stack(category)):
            shift = index * thick if chart.form == "grouped" else 0.0
            start = (number + 0.5) * slot - thick * abreast / 2 + shift
            low, high = sorted(chart.scale.at(end) for end in (base, base + bar.value))
            if chart.upright:
                ends = bottom - high * (bottom - top), bottom - low * (bottom - top)
                bar.box = (left + start, ends[0], left + start + thick, ends[1])
            else:
                ends = left + low * (right - left), left + high * (right - left)
                bar.box = (ends[0], top + start, ends[1], top + start + thick)
            base += bar.value if chart.form == "stacked" else 0.0
            name, ink = inks[number if len(inks) > len(chart.series) else index]
            bar.box = tuple(round(2 * edge) / 2 for edge in bar.box)  # type: ignore[assignment]
            corners = [2 * edge for edge in bar.box]
            page.draw.rectangle((*corners[:2], corners[2] - 1, corners[3] - 1), fill=ink)
            page.placed += [Placed("object", "bar", bar.box), Placed("colour", name, bar.box)]
    if chart.scale.low < 0:
        nought = chart.scale.at(0)
        x, y = left + nought * (right - left), bottom - nought * (bottom - top)
        ends = (left, y, right, y) if chart.upright else (x, top, x, bottom)
        page.draw.line([2 * v for v in ends], fill=page.ink, width=2)
    chart.printed = _room_for_values(page, chart, plot) and (rng.random() < 0.6 or chart.unread == "value")
    if not chart.printed:
        chart.unread = "" if chart.unread == "value" else chart.unread
        return
    if chart.unread == "value":
        chart.smudged = rng.choice(chart.bars).cell
    for bar in chart.bars:
        x, y, side = _value_place(page, chart, bar)
        ink = page.ink
        if chart.form == "stacked":
            ink = readable_on(inks[chart.series.index(bar.series)][1])
        legible = not (chart.unread == "value" and chart.smudged == bar.cell)
        bar.label = page.write(f"{bar.value:g}", x, y, INSIDE, across=side, ink=ink, legible=legible)


def _value_place(
    page: Page, chart: Chart, bar: Bar
) -> tuple[float, float, Literal["left", "middle", "right"]]:
    """Where a bar's value is written: in the middle of a stack's part, else just beyond the bar's end."""
    left, top, right, bottom = bar.box
    x, y = (left + right) / 2, (top + bottom) / 2
    beyond = page.line_height / 2 + 1
    if chart.form == "stacked":
        return x, y, "middle"
    if chart.upright:
        return x, top - beyond if bar.value >= 0 else bottom + beyond, "middle"
    return (right + 4, y, "left") if bar.value >= 0 else (left - 4, y, "right")


def _room_for_values(page: Page, chart: Chart, plot: Box) -> bool:
    """Whether every value can be printed without touching another, an axis or the end of the plot."""
    for bar in chart.bars:
        x, y, side = _value_place(page, chart, bar)
        left, top, right, bottom = bar.box
        wide, high = page.width_of(f"{bar.value:g}"), page.line_height
        across = {"left": x, "middle": x - wide / 2, "right": x - wide}[side]
        if (
            across < plot[0] + 4
            or across + wide > plot[2] - 8
            or y - high / 2 < plot[1]
            or y + high / 2 > plot[3]
        ):
            return False
        crosswise, lengthwise = (wide + 4, high) if chart.upright else (high, wide + 6)
        thick, length = (right - left, bottom - top) if chart.upright else (bottom - top, right - left)
        if crosswise > thick * (1.3 if chart.form == "single" else 1) or (
            chart.form == "stacked" and lengthwise > length
        ):
            return False
    return True


# ---------------------------------------------------------------------------------------------------
# Asking


def _of(series: str) -> str:
    return f" for {series}" if series else ""


def _readable(chart: Chart) -> list[Bar]:
    """Bars whose category and series can be read."""
    hidden = chart.smudged if chart.unread in ("category", "legend") else None
    return [bar for bar in chart.bars if hidden not in (bar.category, bar.series)]


def _ask_values(ask: Asker, chart: Chart) -> None:
    """Values, sums and differences, exact where they are printed."""
    rng, bars = ask.rng, _readable(chart)
    span = chart.scale.span
    if chart.unread == "value":
        ask.cant_be_read("printed value that can't be read", PRINTED, cell=chart.smudged)
        bars = [bar for bar in bars if bar.cell != chart.smudged]
    exact = 0.0 if chart.printed else 1.0
    shown = rng.choice(bars)
    tolerance = TOLERANCE * span * (1.4 if chart.form == "stacked" else 1) * exact
    ask.number("value", VALUE, shown.value, tolerance=tolerance, cell=shown.cell, needs=_needs(shown))
    if chart.printed:
        printed = rng.choice(bars)
        ask.number("printed value", PRINTED, printed.value, cell=printed.cell, needs=_needs(printed))
    others = [name for name in chart.group.members if name not in chart.categories]
    if others and chart.unread != "category":
        absent = Bar(rng.choice(others), shown.series, 0).cell
        ask.not_shown("value of what is absent", VALUE, cell=absent)
    series = rng.choice(bars).series
    row = [bar for bar in bars if bar.series == series]
    if len(row) >= 2:
        a, b = sorted(rng.sample(row, 2), key=lambda bar: -bar.value)
        if a.value - b.value >= LEAST_GAP * span:
            answer = round(a.value - b.value, 4)
            ask.number("difference", DIFFERENCE, answer, tolerance=1.6 * tolerance, a=a.cell, b=b.cell)
        a, b = rng.sample(row, 2)
        if min(a.value, b.value) > 0:
            answer = round(a.value + b.value, 4)
            ask.number("sum", SUM, answer, tolerance=1.6 * tolerance, a=a.cell, b=b.cell)
    if chart.form == "stacked":
        names = [c for c in chart.categories if (chart.unread, chart.smudged) != ("category", c)]
        name = rng.choice(names)
        total = round(sum(bar.value for bar in chart.stack(name)), 4)
        ask.number("total", TOTAL, total, tolerance=TOLERANCE * span, name=name)


def _needs(bar: Bar) -> tuple[int, ...] | None:
    return bar.label.places if bar.label else None


def _ask_order(ask: Asker, chart: Chart) -> None:
    """Superlatives, comparisons, rankings and counts."""
    rng, gap = ask.rng, LEAST_GAP * chart.scale.span
    kind, hidden = chart.group.kind, chart.smudged
    if chart.form != "stacked":
        ask.count("count bars", BAR_COUNT, len(chart.bars))
    series = rng.choice([s for s in chart.series if (chart.unread, s) != ("legend", hidden)])
    of, row = _of(series), chart.row(series)
    about = {"group": kind, "of": of, "series": series}
    ranked = sorted(row, key=lambda bar: -bar.value)
    for skill, ways, bar, second in (
        ("largest", LARGEST, ranked[0], ranked[1]),
        ("smallest", SMALLEST, ranked[-1], ranked[-2]),
    ):
        if abs(bar.value - second.value) < gap:
            continue
        if chart.unread == "category" and bar.category == hidden:
            ask.cant_be_read(f"{skill} that can't be read", ways, group=kind, of=of, about=about)
        else:
            ask.text(skill, ways, bar.category, group=kind, of=of, about=about)
    if 3 <= len(row) <= 5 and apart([bar.value for bar in row], gap) and chart.unread != "category":
        names = [bar.category for bar in ranked]
        ask.items("ranking", RANKING, names, ordered=True, group=kind, of=of, about=about)
    clear = [t for t in chart.scale.ticks[1:-1] if all(abs(bar.value - t) >= gap * 0.7 for bar in row)]
    if clear and chart.form != "stacked":
        threshold = rng.choice(clear)
        count = sum(bar.value > threshold for bar in row)
        shown = f"{threshold:g}"
        ask.count("count above", ABOVE, count, of=of, threshold=shown, about=about | {"threshold": threshold})
    bars = [bar for bar in _readable(chart) if bar.series == series]
    pairs = [(a, b) for a, b in itertools.permutations(bars, 2) if abs(a.value - b.value) >= gap]
    if pairs:
        a, b = rng.choice(pairs)
        ask.yes_no("compare", COMPARE, a.value > b.value, a=a.cell, b=b.cell)
    names = [c for c in chart.categories if (chart.unread, c) != ("category", hidden)]
    following = [(a, b) for a, b in itertools.pairwise(chart.categories) if a in names and b in names]
    if following:
        a, b = rng.choice(following)
        ask.text("next", NEXT, b, group=kind, name=a)
    if len(chart.series) > 1 and chart.unread != "legend":
        name = rng.choice(names)
        best, second = sorted(chart.stack(name), key=lambda bar: -bar.value)[:2]
        if best.value - second.value >= gap * (1.5 if chart.form == "stacked" else 1):
            ask.text("largest series", HIGHEST_SERIES, best.series, name=name)


def _ask_places(ask: Asker, chart: Chart) -> None:
    large = [b for b in _readable(chart) if min(b.box[2] - b.box[0], b.box[3] - b.box[1]) >= 8]
    if not large:
        return
    bar = ask.rng.choice(large)
    ask.point("point", POINT, bar.box, cell=bar.cell)
    bar = ask.rng.choice(large)
    ask.box("box", BOX, bar.box, cell=bar.cell)


def _describe(scene: Scene, chart: Chart) -> None:
    form = {"single": "bar chart", "grouped": "grouped bar chart", "stacked": "stacked bar chart"}[chart.form]
    lying = "" if chart.upright else "horizontal "
    scene.short_caption = f"A {lying}{form}."
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    names = [
        "one that can't be read" if (chart.unread, name) == ("category", chart.smudged) else name
        for name in chart.categories
    ]
    scene.caption = f"A {lying}{form} {titled}, with bars for {_enumerated(names)}."
    sentences = [scene.caption]
    if chart.unread.endswith("axis"):
        sentences.append("The title of the value axis can't be read.")
    else:
        sentences.append(
            f"The axis shows {chart.quantity.title} from {chart.scale.low:g} to {chart.scale.high:g}."
        )
    for series in chart.series:
        said = (
            "a series that can't be read" if (chart.unread, series) == ("legend", chart.smudged) else series
        )
        colour = f" ({scene.facts['colours'][chart.series.index(series)]})" if series else ""
        parts = [
            f"{name} {'' if chart.printed and bar.cell != chart.smudged else 'about '}{bar.value:g}"
            for name, bar in zip(names, chart.row(series), strict=True)
        ]
        first = f"{said}{colour}: " if series else "Values: "
        sentences.append(first[0].upper() + first[1:] + ", ".join(parts) + ".")
    if chart.unread == "value":
        sentences.append(f"The figure printed for {chart.smudged} can't be read.")
    scene.long_caption = " ".join(sentences)


def _enumerated(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1]
