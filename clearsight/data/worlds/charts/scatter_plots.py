"""Scatter plots: points of two numbers, some lettered, some in groups, some with a trend and an outlier."""

import itertools
import math
import random
import statistics
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_axes, ask_legend, ask_title
from clearsight.data.worlds.charts.axes import Axis, Scale, any_scale, draw_axes
from clearsight.data.worlds.charts.page import INSIDE, Box, Page
from clearsight.data.worlds.charts.subjects import (
    LETTERS,
    Group,
    Quantity,
    any_group,
    any_quantity,
    any_title,
)
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

LEAST_GAP = 0.035  # share of an axis by which places must differ to be told apart
TOLERANCE = 0.03  # share of an axis within which a person reads a value
LEAST_APART = 24  # pixels between the middles of points

COUNT = (
    "How many points are there?",
    "Count the points.",
    "How many points does the plot have?",
    "How many observations were plotted altogether?",
)
GROUP_COUNT = (
    "How many points of {series} are there?",
    "Count the points of {series}.",
    "How many points belong to {series}?",
    "How many observations carry the colour of {series}?",
)
MOST_POINTS = (
    "Which entry of the legend has the most points?",
    "Whose points are the most numerous?",
    "Name the entry of the legend with the greatest number of points.",
    "Which name from the key was plotted the most often?",
)
TREND = (
    "As the horizontal value grows, does the vertical one rise, fall, or neither?",
    "What do the points do from left to right: rise, fall, or neither?",
    "Do the points rise or fall towards the right, or neither?",
    "Judging by the cloud as a whole, how does it run towards the right?",
)
OUTLIER = (
    "Point to the outlier.",
    "Which point lies far away from all the others?",
    "Where is the point that does not follow the rest?",
    "Put a finger on the one observation that breaks the pattern.",
)
ACROSS = (
    "What is the horizontal value of point {letter}?",
    "Read off {letter} on the horizontal axis.",
    "At which value of the horizontal axis is {letter}?",
    "Dropping straight down from {letter}, which value does one meet?",
)
UP = (
    "What is the vertical value of point {letter}?",
    "Read off {letter} on the vertical axis.",
    "At which value of the vertical axis is {letter}?",
    "Going level from {letter} to the vertical axis, which value does one meet?",
)
HIGHEST = (
    "Which letter marks the highest point?",
    "Which point is the highest? Give its letter.",
    "Name the letter of the point with the greatest vertical value.",
    "Which letter stands at the observation nearest to the ceiling?",
)
RIGHTMOST = (
    "Which letter marks the point furthest right?",
    "Which point is the furthest right? Give its letter.",
    "Name the letter of the point with the greatest horizontal value.",
    "Which letter stands at the observation with most along the bottom axis?",
)
LOWEST = (
    "Which letter marks the lowest point?",
    "Which point is the lowest? Give its letter.",
    "Name the letter of the point with the least vertical value.",
    "Which letter stands at the observation nearest to the floor?",
)
NEAREST = (
    "Which lettered point lies nearest to {letter}?",
    "Which point is closest to {letter}?",
    "Name the point with the least distance from {letter}.",
    "Measured on the page, which letter is the next neighbour of {letter}?",
)
COMPARE = (
    "Does {a} have a greater vertical value than {b}?",
    "Is {a} higher than {b}?",
    "Is the point {a} above the point {b}?",
    "Measured on the upright axis, does {a} outdo {b}?",
)
DIFFERENCE = (
    "How much higher is {a} than {b}, in the unit of the vertical axis?",
    "By how much do {a} and {b} differ vertically?",
    "What is the difference of the vertical values of {a} and {b}?",
    "Along the upright axis, what lies between {a} and {b}?",
)
ABOVE = (
    "How many points are above {threshold} on the vertical axis?",
    "Count the points with a vertical value of more than {threshold}.",
    "How many points lie higher than {threshold}?",
    "How many observations clear the mark of {threshold} on the upright axis?",
)
BEYOND = (
    "How many points are to the right of {threshold} on the horizontal axis?",
    "Count the points with a horizontal value of more than {threshold}.",
    "How many points lie further right than {threshold}?",
    "How many observations have passed {threshold} on the bottom axis?",
)
POINT = (
    "Point to {letter}.",
    "Where is the point {letter}?",
    "Show the point marked {letter}.",
    "Put a finger on the observation lettered {letter}.",
)
ORDER = (
    "List the letters from the lowest to the highest point.",
    "Order the lettered points by their vertical value, the least first.",
    "Put the letters in order of height, starting at the bottom.",
    "Climbing upward, in which sequence are the letters met?",
)


@dataclass
class Dot:
    """One point: its values, which series it is of (its index), its letter if it has one, and its middle in pixels."""

    x: float
    y: float
    series: int = 0
    letter: str = ""
    at: tuple[float, float] = (0.0, 0.0)
    outlier: bool = False


@dataclass
class Chart:
    """What is drawn. `series` is [""] without a legend; `smudged` is a letter or a name of the legend."""

    across: Quantity
    up: Quantity
    across_scale: Scale
    up_scale: Scale
    series_group: Group
    series: list[str]
    title: str
    dots: list[Dot] = field(default_factory=list)
    unread: str = ""
    smudged: str = ""

    @property
    def lettered(self) -> list[Dot]:
        return [dot for dot in self.dots if dot.letter and dot.letter != self.smudged]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("scatter_plots", seed, split)
    page = Page(rng, split)
    chart = _any_chart(rng, split)
    title = page.title(chart.title, chart.unread != "title")
    inks = page.inks(len(chart.series))
    if chart.series != [""]:
        page.legend(
            chart.series, inks, mark="dot", illegible=chart.smudged if chart.unread == "legend" else None
        )
    axes = {"vertical": chart.up.title, "horizontal": chart.across.title}
    plot = draw_axes(
        page,
        Axis.of(chart.across_scale, axes["horizontal"], title_legible=chart.unread != "horizontal axis"),
        Axis.of(chart.up_scale, axes["vertical"], title_legible=chart.unread != "vertical axis"),
    )
    letters = (
        list(LETTERS[split])
        if chart.series == [""] and (rng.random() < 0.6 or chart.unread == "letter")
        else []
    )
    _place_dots(rng, chart, plot, rng.sample(letters, len(letters)))
    _draw_dots(page, chart, inks)
    scene = Scene("scatter_plots", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": page.template,
        "title": chart.title,
        "axes": axes,
        "plot": list(plot),
        "series": chart.series if chart.series != [""] else [],
        "colours": [name for name, _ in inks],
        "points": [{"x": d.x, "y": d.y, "series": d.series, "letter": d.letter} for d in chart.dots],
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    ask_axes(ask, axes, chart.unread)
    if chart.series != [""]:
        others = [name for name in chart.series_group.members if name not in chart.series]
        unread = chart.smudged if chart.unread == "legend" else None
        ask_legend(ask, chart.series, scene.facts["colours"], others, unread)
        _ask_groups(ask, chart)
    _ask_cloud(ask, chart)
    if chart.lettered:
        _ask_letters(
            ask, chart, [letter for letter in letters if letter not in {d.letter for d in chart.dots}]
        )
    _describe(scene, chart)
    return scene


def _any_chart(rng: random.Random, split: Split) -> Chart:
    up, across = any_quantity(rng, split, signed=True), any_quantity(rng, split)
    while across.name == up.name:
        across = any_quantity(rng, split)
    group = any_group(rng, split, ordered=False)
    series = group.some(rng, rng.choice((2, 2, 3))) if rng.random() < 0.45 else [""]
    first = f"{up.name} and {across.name[0].lower()}{across.name[1:]}"
    title = first if rng.random() < 0.5 else any_title(rng, split, up.name, group.kind)
    kinds = (
        "title",
        "vertical axis",
        "horizontal axis",
        *(("legend",) if series != [""] else ("letter", "letter")),
    )
    chart = Chart(
        *(
            across,
            up,
            any_scale(rng, across.most, across.least),
            any_scale(rng, up.most, up.least, up.signed),
        ),
        *(group, series, f"{title}, plotted" if split == "eval" and title == first else title),
        unread=rng.choice(kinds) if rng.random() < 0.45 else "",
    )
    if chart.unread == "legend":
        chart.smudged = rng.choice(series)
    return chart


def _place_dots(rng: random.Random, chart: Chart, plot: Box, letters: list[str]) -> None:
    """Points along a slope with some scatter (or none at all in a cloud), apart from one another, maybe an outlier."""
    left, top, right, bottom = plot
    slope = rng.choice((-1, -1, 0, 1, 1))
    noise = rng.uniform(0.03, 0.17) if slope else 0.5
    count = rng.randint(4, 9) if letters else rng.randint(5, 14)
    wild = slope and count >= 6 and chart.series == [""] and rng.random() < 0.5
    for _ in range(400):
        if len(chart.dots) == count:
            break
        outlier = bool(wild) and len(chart.dots) == count - 1
        across = rng.uniform(0.06, 0.9)
        up = 0.5 + slope * (across - 0.5) * 0.8 + rng.uniform(-noise, noise) * (0.9 if slope == 0 else 1)
        if outlier:
            up = rng.uniform(0.08, 0.92)
            if abs(up - 0.5 - slope * (across - 0.5) * 0.8) < 0.4:
                continue
        if not 0.05 < up < 0.95:
            continue
        x = chart.across_scale.rounded(chart.across_scale.low + across * chart.across_scale.span)
        y = chart.up_scale.rounded(chart.up_scale.low + up * chart.up_scale.span)
        at = (
            left + chart.across_scale.at(x) * (right - left),
            bottom - chart.up_scale.at(y) * (bottom - top),
        )
        if all(math.dist(at, dot.at) >= LEAST_APART for dot in chart.dots):
            letter = letters[len(chart.dots)] if letters else ""
            number = len(chart.dots)  # the first points go round, so that every series has one
            series = number if number < len(chart.series) else rng.randrange(len(chart.series))
            chart.dots.append(Dot(x, y, series, letter, at, outlier))
    if chart.unread == "letter":
        ends = [pick(chart.dots, key=key) for key in (lambda d: d.y, lambda d: d.x) for pick in (min, max)]
        chart.smudged = rng.choice(ends[:2] + ends[3:]).letter


def _draw_dots(page: Page, chart: Chart, inks: list[tuple[str, RGB]]) -> None:
    radius = page.rng.uniform(4, 6)
    mark = page.rng.choice(("dot", "dot", "square", "diamond"))
    rim = page.ink if page.rng.random() < 0.4 else None
    for dot in chart.dots:
        x, y = dot.at
        name, ink = inks[dot.series]
        box = (x - radius, y - radius, x + radius, y + radius)
        corners = [2 * v for v in box]
        if mark == "dot":
            page.draw.ellipse(corners, fill=ink, outline=rim, width=2)
        elif mark == "square":
            page.draw.rectangle(corners, fill=ink, outline=rim, width=2)
        else:
            reach = 2.7 * radius
            ends = [
                (2 * x, 2 * y - reach),
                (2 * x + reach, 2 * y),
                (2 * x, 2 * y + reach),
                (2 * x - reach, 2 * y),
            ]
            page.draw.polygon(ends, fill=ink, outline=rim)
        page.placed += [Placed("object", "point", box), Placed("colour", name, box)]
        if dot.letter:
            page.write(
                dot.letter, x + radius + 3, y - 5, INSIDE, across="left", legible=dot.letter != chart.smudged
            )


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_groups(ask: Asker, chart: Chart) -> None:
    """How many points each entry of the legend has."""
    counts = [sum(dot.series == index for dot in chart.dots) for index in range(len(chart.series))]
    legible = [index for index, name in enumerate(chart.series) if name != chart.smudged]
    index = ask.rng.choice(legible)
    ask.count("count of series", GROUP_COUNT, counts[index], series=chart.series[index])
    best, second = sorted(range(len(counts)), key=lambda i: -counts[i])[:2]
    if counts[best] > counts[second] and best in legible:
        ask.text("most points", MOST_POINTS, chart.series[best])


def _ask_cloud(ask: Asker, chart: Chart) -> None:
    """The points as a whole."""
    rng, dots = ask.rng, chart.dots
    ask.count("count points", COUNT, len(dots))
    regular = [dot for dot in dots if not dot.outlier]
    if len(regular) >= 5:
        slope = statistics.correlation([dot.x for dot in regular], [dot.y for dot in regular])
        answer = (
            "rise" if slope > 0.75 else "fall" if slope < -0.75 else "neither" if abs(slope) < 0.2 else ""
        )
        if answer:
            ask.choice("trend", TREND, answer, ("rise", "fall", "neither"), count=3)
    for dot in dots:
        if dot.outlier:
            ask.point("outlier", OUTLIER, _around(dot))
    for skill, ways, scale, values in (
        ("count above", ABOVE, chart.up_scale, [dot.y for dot in dots]),
        ("count beyond", BEYOND, chart.across_scale, [dot.x for dot in dots]),
    ):
        clear = [
            t for t in scale.ticks[1:-1] if all(abs(v - t) >= 0.7 * LEAST_GAP * scale.span for v in values)
        ]
        if clear:
            threshold = rng.choice(clear)
            count = sum(value > threshold for value in values)
            ask.count(skill, ways, count, threshold=f"{threshold:g}", about={"threshold": threshold})


def _around(dot: Dot) -> Box:
    x, y = dot.at
    return x - 9, y - 9, x + 9, y + 9


def _ask_letters(ask: Asker, chart: Chart, absent: list[str]) -> None:
    """Single points, by their letters."""
    rng, dots = ask.rng, chart.lettered
    dot = rng.choice(dots)
    ask.number("across", ACROSS, dot.x, tolerance=TOLERANCE * chart.across_scale.span, letter=dot.letter)
    dot = rng.choice(dots)
    ask.number("up", UP, dot.y, tolerance=TOLERANCE * chart.up_scale.span, letter=dot.letter)
    if chart.unread != "letter":
        letter = rng.choice(absent)
        ask.not_shown("value of what is absent", rng.choice((ACROSS, UP)), letter=letter)
    for skill, ways, value, span in (
        ("highest", HIGHEST, lambda d: d.y, chart.up_scale.span),
        ("lowest", LOWEST, lambda d: -d.y, chart.up_scale.span),
        ("furthest right", RIGHTMOST, lambda d: d.x, chart.across_scale.span),
    ):
        best, second = sorted(chart.dots, key=value, reverse=True)[:2]
        if value(best) - value(second) < LEAST_GAP * span:
            continue
        if best.letter == chart.smudged:
            ask.cant_be_read(f"{skill} that can't be read", ways)
        else:
            ask.text(skill, ways, best.letter)
    dot = rng.choice(dots)
    near = sorted((math.dist(dot.at, other.at), other.letter) for other in chart.dots if other is not dot)
    if near[0][0] * 1.25 < near[1][0] and near[0][1] != chart.smudged:
        ask.text("nearest", NEAREST, near[0][1], letter=dot.letter)
    pairs = [
        (a, b)
        for a, b in itertools.permutations(dots, 2)
        if abs(a.y - b.y) >= LEAST_GAP * chart.up_scale.span
    ]
    if pairs:
        a, b = rng.choice(pairs)
        ask.yes_no("compare", COMPARE, a.y > b.y, a=a.letter, b=b.letter)
        a, b = sorted(rng.choice(pairs), key=lambda d: -d.y)
        tolerance = 1.6 * TOLERANCE * chart.up_scale.span
        ask.number("difference", DIFFERENCE, round(a.y - b.y, 4), tolerance=tolerance, a=a.letter, b=b.letter)
    heights = sorted(chart.dots, key=lambda d: d.y)
    steps = [b.y - a.y for a, b in itertools.pairwise(heights)]
    if len(heights) <= 6 and min(steps) >= LEAST_GAP * chart.up_scale.span and chart.unread != "letter":
        ask.items("order", ORDER, [d.letter for d in heights], ordered=True)
    dot = rng.choice(dots)
    ask.point("point", POINT, _around(dot), letter=dot.letter)


def _describe(scene: Scene, chart: Chart) -> None:
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    scene.short_caption = "A scatter plot."
    scene.caption = f"A scatter plot {titled}, with {len(chart.dots)} points."
    sentences = [scene.caption]
    for axis, quantity, scale in (
        ("horizontal", chart.across, chart.across_scale),
        ("vertical", chart.up, chart.up_scale),
    ):
        shown = "something that can't be read" if chart.unread == f"{axis} axis" else quantity.title
        sentences.append(f"The {axis} axis shows {shown} from {scale.low:g} to {scale.high:g}.")
    for index, name in enumerate(chart.series if chart.series != [""] else []):
        count = sum(dot.series == index for dot in chart.dots)
        said = "a series that can't be read" if name == chart.smudged else name
        sentences.append(f"The {scene.facts['colours'][index]} points ({said}) are {count}.")
    parts = [f"{dot.letter} at about ({dot.x:g}, {dot.y:g})" for dot in chart.lettered]
    if parts:
        sentences.append(f"The lettered points are {', '.join(parts)}.")
    if chart.unread == "letter":
        sentences.append("One letter can't be read.")
    scene.long_caption = " ".join(sentences)
