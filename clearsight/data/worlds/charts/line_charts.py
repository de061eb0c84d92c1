"""Line and area charts over time: values, peaks, rises and falls, and lines that cross."""

import itertools
import random
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_axes, ask_legend, ask_title
from clearsight.data.worlds.charts.axes import Axis, Scale, any_scale, draw_axes
from clearsight.data.worlds.charts.page import INSIDE, Box, Page, Text
from clearsight.data.worlds.charts.subjects import Group, Quantity, any_group, any_quantity, any_title
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

LEAST_GAP = 0.035  # share of the axis by which values must differ to be told apart
TOLERANCE = 0.03  # share of the axis within which a person reads a value

VALUE = (
    "What is the value{of} at {when}?",
    "How much does the line{of} show at {when}?",
    "Read off the line{of} at {when}.",
    "At which height, on the value axis, does the line{of} pass {when}?",
)
PRINTED = (
    "Which number is printed at {when}?",
    "What number is written above {when} on the line?",
    "Read the label of the line at {when}.",
    "What figure has been put next to the line's point at {when}?",
)
HIGHEST = (
    "At which {group} is the line{of} highest?",
    "When does the line{of} peak (which {group})?",
    "Name the {group} with the greatest value{of}.",
    "Where along the axis does the line{of} have its summit (name the {group})?",
)
LOWEST = (
    "At which {group} is the line{of} lowest?",
    "When is the line{of} at its lowest (which {group})?",
    "Name the {group} with the least value{of}.",
    "Where along the axis does the line{of} touch its bottom (name the {group})?",
)
TREND = (
    "Does the line{of} rise or fall from {a} to {b}?",
    "From {a} to {b}, does the line{of} end up higher or lower: rise or fall?",
    "Is it a rise or a fall that the line{of} makes from {a} to {b}?",
    "Comparing only {a} with {b}, has the line{of} made a rise or a fall?",
)
STEEPEST = (
    "Between which two neighbouring points does the line{of} change most?",
    "Between which two successive points is the line{of} steepest?",
    "Name the two neighbouring points between which the line{of} changes the most.",
    "Which pair of adjoining points spans the greatest jump of the line{of}?",
)
TOP_SERIES = (
    "Which line is highest at {when}?",
    "Which entry of the legend has the greatest value at {when}?",
    "Whose line is on top at {when}?",
    "At {when}, which of the named lines runs above all others?",
)
CROSS = (
    "Do the lines of {a} and {b} cross?",
    "Is there a crossing of the lines of {a} and {b}?",
    "Does the line of {a} ever cross that of {b}?",
    "Do {a} and {b} ever swap places, their lines crossing?",
)
ABOVE = (
    "At how many points is the line{of} above {threshold}?",
    "Count the points at which the line{of} is above {threshold}.",
    "How many points of the line{of} lie above {threshold}?",
    "How often along its points does the line{of} stand above the mark of {threshold}?",
)
DIFFERENCE = (
    "How far apart are {a} and {b} at {when}?",
    "What is the difference between {a} and {b} at {when}?",
    "By how much do {a} and {b} differ at {when}?",
    "What gap, in the unit of the axis, separates {a} from {b} at {when}?",
)
CHANGE = (
    "By how much does the line{of} change from {a} to {b}?",
    "How large is the change of the line{of} between {a} and {b}?",
    "How much higher or lower is the line{of} at {b} than at {a}?",
    "What distance up or down has the line{of} covered when it gets from {a} to {b}?",
)
LINE_COUNT = (
    "How many lines are drawn?",
    "Count the lines in the plot.",
    "How many lines does the chart have?",
    "How many separate curves run through the plot?",
)
POINT_COUNT = (
    "How many points does each line have?",
    "At how many places along the axis is there a value?",
    "Count the labels along the horizontal axis.",
    "Over how many named places does the chart run from left to right?",
)
POINT = (
    "Point to the line{of} at {when}.",
    "Where is the line{of} at {when}?",
    "Show where the line{of} is at {when}.",
    "Put a finger on the line{of} right above {when}.",
)


@dataclass
class Line:
    """One series; `points` are where its values are drawn, `labels` what is printed at them."""

    name: str
    values: list[float]
    points: list[tuple[float, float]] = field(default_factory=list)
    labels: list[Text] = field(default_factory=list)

    @property
    def of(self) -> str:
        return f" of {self.name}" if self.name else ""


@dataclass
class Chart:
    """What is drawn. A chart without a legend has one line without a name."""

    area: bool
    quantity: Quantity
    group: Group
    series_group: Group
    times: list[str]
    lines: list[Line]
    scale: Scale
    title: str
    unread: str = ""
    smudged: str = ""

    @property
    def gap(self) -> float:
        return LEAST_GAP * self.scale.span

    @property
    def printed(self) -> bool:
        return bool(self.lines[0].labels)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("line_charts", seed, split)
    page = Page(rng, split)
    chart = _any_chart(rng, split)
    title = page.title(chart.title, chart.unread != "title")
    inks = page.inks(len(chart.lines))
    names = [line.name for line in chart.lines]
    if names != [""]:
        page.legend(names, inks, mark="line", illegible=chart.smudged if chart.unread == "legend" else None)
    axes = {
        "vertical": chart.quantity.title,
        "horizontal": chart.group.kind.capitalize() if rng.random() < 0.6 else "",
    }
    plot = draw_axes(
        page,
        Axis.of_names(chart.times, axes["horizontal"]),
        Axis.of(chart.scale, axes["vertical"], rng.random() < 0.6, chart.unread != "vertical axis"),
    )
    _draw_lines(page, chart, plot, inks)
    scene = Scene("line_charts", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": page.template,
        "form": "area" if chart.area else "line",
        "title": chart.title,
        "axes": axes,
        "plot": list(plot),
        "times": chart.times,
        "group": list(chart.group.members),
        "series": names if names != [""] else [],
        "colours": [name for name, _ in inks],
        "values": [line.values for line in chart.lines],
        "vertices": [[list(point) for point in line.points] for line in chart.lines],
        "printed": chart.printed,
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    ask_axes(ask, axes, chart.unread)
    if names != [""]:
        others = [name for name in chart.series_group.members if name not in names]
        unread = chart.smudged if chart.unread == "legend" else None
        ask_legend(ask, names, scene.facts["colours"], others, unread)
    _ask_line(ask, chart)
    if len(chart.lines) > 1:
        _ask_lines(ask, chart)
    _describe(scene, chart)
    return scene


def _any_chart(rng: random.Random, split: Split) -> Chart:
    count = rng.choice((1, 1, 2, 2, 3, 4))
    area = count == 1 and rng.random() < 0.4
    group = any_group(rng, split, ordered=True)
    series_group = any_group(rng, split, ordered=False)
    quantity = any_quantity(rng, split, signed=not area)
    scale = any_scale(rng, quantity.most, quantity.least, quantity.signed)
    if not area and not quantity.signed and rng.random() < 0.35:
        low = rng.choice((1, 2, 4)) * scale.step
        if low + scale.span <= quantity.most:
            scale = Scale(low, scale.step, scale.count)
    times = group.some(rng, rng.randint(5, 7 if group.kind == "weekday" else 10))
    names = series_group.some(rng, count) if count > 1 or rng.random() < 0.2 else [""]
    unread = rng.choice(("title", "value", "legend", "vertical axis")) if rng.random() < 0.5 else ""
    chart = Chart(
        *(area, quantity, group, series_group, times),
        lines=[Line(name, _any_walk(rng, scale, len(times))) for name in names],
        scale=scale,
        title=any_title(rng, split, quantity.name, group.kind),
        unread="" if (unread == "legend" and names == [""]) or (unread == "value" and count > 1) else unread,
    )
    if chart.unread == "legend":
        chart.smudged = rng.choice(names)
        if count == 1:
            chart.unread = chart.smudged = ""
    return chart


def _any_walk(rng: random.Random, scale: Scale, count: int) -> list[float]:
    """Values that wander, with a drift, within the middle of the scale."""
    low, high = scale.low + 0.06 * scale.span, scale.high - 0.08 * scale.span
    value, drift = rng.uniform(low, high), rng.uniform(-0.06, 0.06) * scale.span
    spread = rng.choice((0.06, 0.14, 0.22)) * scale.span
    values = []
    for _ in range(count):
        values.append(scale.rounded(value))
        value += drift + rng.gauss(0, spread)
        if not low <= value <= high:
            value = (
                min(high, max(low, value)) + (1 if value < low else -1) * rng.uniform(0, 0.15) * scale.span
            )
    return values


def _draw_lines(page: Page, chart: Chart, plot: Box, inks: list[tuple[str, RGB]]) -> None:
    rng = page.rng
    left, top, right, bottom = plot
    slot = (right - left) / len(chart.times)
    thick, marker = rng.randint(4, 7), rng.choice(("none", "dot", "dot", "square", "ring"))
    dashed = len(chart.lines) > 1 and rng.random() < 0.2
    for number, (line, (colour, ink)) in enumerate(zip(chart.lines, inks, strict=True)):
        line.points = [
            (left + (index + 0.5) * slot, bottom - chart.scale.at(value) * (bottom - top))
            for index, value in enumerate(line.values)
        ]
        doubled = [(2 * x, 2 * y) for x, y in line.points]
        mask = Image.new("L", (right - left, bottom - top))
        trace = [(x - left, y - top) for x, y in line.points]
        if chart.area:
            page.draw.polygon(
                [(doubled[0][0], 2 * bottom), *doubled, (doubled[-1][0], 2 * bottom)],
                fill=page.mixed(page.panel, ink, 0.45),
            )
        ImageDraw.Draw(mask).line(trace, fill=255, width=max(3, thick // 2 + 1))
        if dashed and number % 2:
            for start, end in itertools.pairwise(line.points):
                page.dashes(start, end, ink, thick, 5)
        else:
            page.draw.line(doubled, fill=ink, width=thick, joint="curve")
        for x, y in doubled:
            _mark(page, x, y, thick + 3, marker, ink)
        page.placed += [Placed("object", "line", plot, mask), Placed("colour", colour, plot, mask)]
    if len(chart.lines) == 1 and (chart.unread == "value" or rng.random() < 0.35) and len(chart.times) <= 8:
        _print_values(page, chart, plot, slot)
    if chart.unread == "value" and not chart.printed:
        chart.unread = ""


def _mark(page: Page, x: float, y: float, reach: float, marker: str, ink: RGB) -> None:
    box = (x - reach, y - reach, x + reach, y + reach)
    if marker in ("dot", "ring"):
        page.draw.ellipse(box, fill=ink if marker == "dot" else page.ground, outline=ink, width=4)
    elif marker == "square":
        page.draw.rectangle(box, fill=ink)


def _print_values(page: Page, chart: Chart, plot: Box, slot: float) -> None:
    """Print every value above or below its point, on the side the line leaves free, if all fit."""
    (line,) = chart.lines
    texts = [f"{value:g}" for value in line.values]
    if max(page.width_of(text) for text in texts) > slot - 6:
        return
    away = page.line_height / 2 + 8
    places = []
    for index, (x, y) in enumerate(line.points):
        beside = [line.points[i][1] for i in (index - 1, index + 1) if 0 <= i < len(line.points)]
        over = sum(beside) / len(beside) >= y
        places.append((x, y - away if over else y + away))
        if not plot[1] + away / 2 < places[-1][1] < plot[3] - away / 2:
            return
    if chart.unread == "value":
        chart.smudged = page.rng.choice(chart.times)
    for text, time, (x, y) in zip(texts, chart.times, places, strict=True):
        legible = (chart.unread, chart.smudged) != ("value", time)
        line.labels.append(page.write(text, x, y, INSIDE, legible=legible))


# ---------------------------------------------------------------------------------------------------
# Asking


def _clear(chart: Chart, line: Line) -> list[int]:
    """Where a line does not hide among others."""
    return [
        index
        for index, value in enumerate(line.values)
        if all(
            abs(value - other.values[index]) >= chart.gap * 0.7 for other in chart.lines if other is not line
        )
    ]


def _legible(chart: Chart) -> list[Line]:
    return [line for line in chart.lines if (chart.unread, line.name) != ("legend", chart.smudged)]


def _ask_line(ask: Asker, chart: Chart) -> None:
    """About one line, its name given when there are several."""
    rng, span, times = ask.rng, chart.scale.span, chart.times
    line = rng.choice(_legible(chart))
    about = {"series": line.name, "of": line.of, "group": chart.group.kind}
    ask.count("count lines", LINE_COUNT, len(chart.lines))
    ask.count("count points", POINT_COUNT, len(times))
    open_to_view = _clear(chart, line)
    if chart.unread == "value":
        ask.cant_be_read("printed value that can't be read", PRINTED, when=chart.smudged)
        open_to_view.remove(times.index(chart.smudged))
    if open_to_view:
        index = rng.choice(open_to_view)
        tolerance = 0.0 if chart.printed else TOLERANCE * span
        needs = line.labels[index].places if chart.printed else None
        fills = {"of": line.of, "when": times[index]}
        value = line.values[index]
        ask.number("value", VALUE, value, tolerance=tolerance, about=about | fills, needs=needs, **fills)
        if chart.printed:
            index = rng.choice(open_to_view)
            needs = line.labels[index].places
            ask.number("printed value", PRINTED, line.values[index], when=times[index], needs=needs)
        index = rng.choice(open_to_view)
        fills, (x, y) = {"of": line.of, "when": times[index]}, line.points[index]
        ask.point("point", POINT, (x - 11, y - 9, x + 11, y + 9), about=about | fills, **fills)
    absent = [name for name in chart.group.members if name not in times]
    if absent:
        when = rng.choice(absent)
        ask.not_shown("value at an absent place", VALUE, of=line.of, when=when)
    ranked = sorted(range(len(times)), key=lambda i: line.values[i])
    for skill, ways, best, second in (
        ("highest", HIGHEST, ranked[-1], ranked[-2]),
        ("lowest", LOWEST, ranked[0], ranked[1]),
    ):
        if abs(line.values[best] - line.values[second]) >= chart.gap:
            ask.text(skill, ways, times[best], of=line.of, group=chart.group.kind, about=about)
    pairs = [
        (a, b)
        for a, b in itertools.combinations(range(len(times)), 2)
        if abs(line.values[a] - line.values[b]) >= 1.3 * chart.gap
    ]
    if pairs:
        a, b = rng.choice(pairs)
        rises = line.values[b] > line.values[a]
        answer = "rise" if rises else "fall"
        forms = (f"a {answer}", f"{answer}s", f"it {answer}s")
        fills = {"of": line.of, "a": times[a], "b": times[b]}
        ask.text("trend", TREND, answer, alternatives=forms, about=about | fills, **fills)
        a, b = rng.choice(pairs)
        fills = {"of": line.of, "a": times[a], "b": times[b]}
        change = round(abs(line.values[b] - line.values[a]), 4)
        exact = chart.printed and chart.smudged not in (times[a], times[b])
        tolerance = 0.0 if exact else 1.6 * TOLERANCE * span
        ask.number("change", CHANGE, change, tolerance=tolerance, about=about | fills, **fills)
    steps = [abs(b - a) for a, b in itertools.pairwise(line.values)]
    first, second = sorted(range(len(steps)), key=lambda i: -steps[i])[:2]
    if steps[first] - steps[second] >= 1.3 * chart.gap:
        pair = [times[first], times[first + 1]]
        ask.items("steepest", STEEPEST, pair, ordered=False, of=line.of, about=about)
    clear = [t for t in chart.scale.ticks[1:-1] if all(abs(v - t) >= 0.7 * chart.gap for v in line.values)]
    if clear:
        threshold = rng.choice(clear)
        count = sum(value > threshold for value in line.values)
        fills = {"of": line.of, "threshold": f"{threshold:g}"}
        ask.count("count above", ABOVE, count, about=about | {"threshold": threshold}, **fills)


def _ask_lines(ask: Asker, chart: Chart) -> None:
    """About several lines at once."""
    rng, times = ask.rng, chart.times
    legible = _legible(chart)
    index = rng.randrange(len(times))
    best, second = sorted(chart.lines, key=lambda line: -line.values[index])[:2]
    if best in legible and best.values[index] - second.values[index] >= chart.gap:
        ask.text("highest line", TOP_SERIES, best.name, when=times[index])
    if len(legible) < 2:
        return
    a, b = rng.sample(legible, 2)
    index = rng.choice(list(range(len(times))))
    gap = round(abs(a.values[index] - b.values[index]), 4)
    if gap >= chart.gap:
        tolerance = 1.6 * TOLERANCE * chart.scale.span
        ask.number("difference", DIFFERENCE, gap, tolerance=tolerance, a=a.name, b=b.name, when=times[index])
    a, b = rng.sample(legible, 2)
    between = [x - y for x, y in zip(a.values, b.values, strict=True)]
    crosses = min(between) < 0 < max(between)
    if min(between) >= chart.gap or max(between) <= -chart.gap or (
        crosses and min(-min(between), max(between)) >= chart.gap
    ):  # fmt: skip
        ask.yes_no("cross", CROSS, crosses, a=a.name, b=b.name)


def _describe(scene: Scene, chart: Chart) -> None:
    form = "area chart" if chart.area else "line chart"
    scene.short_caption = f"A{'n' if chart.area else ''} {form}."
    first = scene.short_caption[:-1]
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    count = f"{len(chart.lines)} lines" if len(chart.lines) > 1 else "one line"
    scene.caption = f"{first} {titled}, with {count} from {chart.times[0]} to {chart.times[-1]}."
    said = "The title of the vertical axis can't be read"
    if chart.unread != "vertical axis":
        said = f"The vertical axis shows {chart.quantity.title}"
    sentences = [scene.caption, f"{said}; it runs from {chart.scale.low:g} to {chart.scale.high:g}."]
    for line, colour in zip(chart.lines, scene.facts["colours"], strict=True):
        name = f" of {line.name}" if line.name else ""
        if (chart.unread, line.name) == ("legend", chart.smudged):
            name = ", whose name can't be read,"
        start, end = line.values[0], line.values[-1]
        course = "rises" if end - start >= chart.gap else "falls" if start - end >= chart.gap else "goes"
        peak = chart.times[line.values.index(max(line.values))]
        sentences.append(
            f"The {colour} line{name} {course} from about {start:g} to about {end:g}, and is highest"
            f" at {peak} with about {max(line.values):g}."
        )
    if chart.unread == "value":
        sentences.append(f"The figure printed at {chart.smudged} can't be read.")
    scene.long_caption = " ".join(sentences)
