"""Heat maps: a table of cells whose colour says how much, with figures in the cells or a colour bar beside them."""

import colorsys
import itertools
import random
from dataclasses import dataclass, field

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.asking import ask_title
from clearsight.data.worlds.charts.page import ACROSS_LABELS, INSIDE, UP_LABELS, Box, Page, Text, kept_apart
from clearsight.data.worlds.charts.subjects import Group, Quantity, any_group, any_quantity, any_title
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split, rng_for

LEAST_GAP = 0.16  # share of the range by which colours must differ to be told apart
TOLERANCE = 0.1  # share of the range within which a person reads a value off the colour bar
BAR_WIDTH = 14

VALUE = (
    "What is the value of {row} and {column}?",
    "How much does the map show for {row} and {column}?",
    "Read off the cell of {row} and {column}.",
    "What amount does the meeting of {row} and {column} stand for?",
)
PRINTED = (
    "Which number is printed in the cell of {row} and {column}?",
    "What is written where {row} and {column} meet?",
    "Read the figure in the cell of {row} and {column}.",
    "What figure was put into the field shared by {row} and {column}?",
)
HOTTEST = (
    "In which row and which column is the largest value?",
    "Name the row and the column of the greatest value.",
    "Where is the highest value? Name its row and its column.",
    "The peak of the whole map lies in which row and column?",
)
COLDEST = (
    "In which row and which column is the smallest value?",
    "Name the row and the column of the least value.",
    "Where is the lowest value? Name its row and its column.",
    "The minimum of the whole map lies in which row and column?",
)
BEST_IN_ROW = (
    "In which column does {row} have its largest value?",
    "Which {group} has the greatest value in the row of {row}?",
    "Along the row of {row}, which column is the highest?",
    "Staying within the row of {row}, under which heading is the peak?",
)
BEST_IN_COLUMN = (
    "In which row does {column} have its largest value?",
    "Which {group} has the greatest value in the column of {column}?",
    "Down the column of {column}, which row is the highest?",
    "Staying within the column of {column}, beside which heading is the peak?",
)
COMPARE = (
    "For {column}, is the value of {a} larger than that of {b}?",
    "In the column of {column}, is {a} above {b} in value?",
    "Is there more for {a} than for {b} in the column of {column}?",
    "Under {column}, does {a} outdo {b}?",
)
ABOVE = (
    "How many cells of the row of {row} are above {threshold}?",
    "In the row of {row}, how many values exceed {threshold}?",
    "Count the values above {threshold} in the row of {row}.",
    "How many fields of the row of {row} hold more than {threshold}?",
)
ROW_SUM = (
    "What do {a} and {b} add up to in the column of {column}?",
    "What is the sum of {a} and {b} for {column}?",
    "For {column}, how much are {a} and {b} together?",
    "Under {column}, what total do the fields of {a} and {b} give?",
)
DIFFERENCE = (
    "By how much do {a} and {b} differ for {column}?",
    "What is the difference between {a} and {b} in the column of {column}?",
    "For {column}, how far apart are the values of {a} and {b}?",
    "Under {column}, what gap is there between the fields of {a} and {b}?",
)
ROWS = (
    "How many rows does the map have?",
    "Count the rows of cells.",
    "How many rows are there?",
    "How many horizontal strips of fields make up the map?",
)
CELLS = (
    "How many cells are there in all?",
    "Count the cells.",
    "How many cells does the map have, rows times columns?",
    "Of how many coloured fields does the whole map consist?",
)
COLUMN_NAMES = (
    "List the columns from left to right.",
    "What are the columns called, from left to right?",
    "Name the columns in their order from the left.",
    "Write out the headings of the map's columns, leftmost first.",
)
ROW_NAMES = (
    "List the rows from top to bottom.",
    "What are the rows called, from top to bottom?",
    "Name the rows in their order from the top.",
    "Write out the headings of the map's rows, topmost first.",
)
POINT = (
    "Point to the cell of {row} and {column}.",
    "Where is the cell of {row} and {column}?",
    "Show the cell in which {row} and {column} meet.",
    "Put a finger on the field shared by {row} and {column}.",
)
BOX = (
    "Frame the cell of {row} and {column}.",
    "What is the box around the cell of {row} and {column}?",
    "Put a box around the cell of {row} and {column}.",
    "Enclose the field shared by {row} and {column} tightly.",
)


@dataclass
class Chart:
    """What is drawn. `values`, `boxes` and `labels` are by (row, column) names."""

    quantity: Quantity
    row_group: Group
    column_group: Group
    rows: list[str]
    columns: list[str]
    high: int
    printed: bool
    title: str
    values: dict[tuple[str, str], int] = field(default_factory=dict)
    boxes: dict[tuple[str, str], Box] = field(default_factory=dict)
    labels: dict[tuple[str, str], Text] = field(default_factory=dict)
    unread: str = ""
    smudged: str = ""

    @property
    def gap(self) -> float:
        return 1.0 if self.printed else LEAST_GAP * self.high

    @property
    def legible(self) -> list[tuple[str, str]]:
        """Cells whose row can be read."""
        return [cell for cell in self.values if cell[0] != self.smudged]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("heat_maps", seed, split)
    page = Page(rng, split)
    chart = _any_chart(rng, split)
    title = page.title(chart.title, chart.unread != "title")
    _draw(page, chart)
    scene = Scene("heat_maps", seed, split, page.finish(), placed=page.placed)
    scene.facts = {
        "template": page.template,
        "title": chart.title,
        "axes": {},
        "rows": chart.rows,
        "columns": chart.columns,
        "values": [[chart.values[row, column] for column in chart.columns] for row in chart.rows],
        "high": chart.high,
        "printed": chart.printed,
        "illegible": [chart.unread, chart.smudged] if chart.unread else [],
    }
    ask = Asker(scene, rng)
    ask_title(ask, chart.title, title, chart.unread)
    _ask_cells(ask, chart)
    _ask_order(ask, chart)
    _ask_table(ask, chart)
    _describe(scene, chart)
    return scene


def _any_chart(rng: random.Random, split: Split) -> Chart:
    row_group = any_group(rng, split, ordered=False)
    column_group = rng.choice(
        [g for g in (any_group(rng, split) for _ in range(30)) if g.kind != row_group.kind]
    )
    quantity = rng.choice([q for q in (any_quantity(rng, split) for _ in range(30)) if q.most >= 100])
    chart = Chart(
        *(quantity, row_group, column_group),
        rows=row_group.some(rng, rng.randint(3, 6)),
        columns=column_group.some(rng, rng.randint(3, 5)),
        high=rng.choice((20, 40, 60, 80, 100)),
        printed=rng.random() < 0.6,
        title=any_title(rng, split, quantity.name, row_group.kind),
    )
    chart.values = {
        (row, column): rng.randint(0, chart.high) for row in chart.rows for column in chart.columns
    }
    if rng.random() < 0.5:
        chart.unread = rng.choice(("title", "row", "row", "figure" if chart.printed else "row"))
    if chart.unread == "row":
        ranked = sorted(chart.values, key=lambda cell: chart.values[cell])
        chart.smudged = rng.choice((ranked[0][0], ranked[-1][0], rng.choice(chart.rows)))
    return chart


def _colours(page: Page) -> tuple[RGB, RGB]:
    """The colours of the least and of the greatest value: a pale or dark one, and a strong one."""
    rng = page.rng

    def tint(hue: float, saturation: float, value: float) -> RGB:
        red, green, blue = (round(255 * c) for c in colorsys.hsv_to_rgb(hue % 1, saturation, value))
        return kept_apart(page.split, (red, green, blue))

    hue = rng.random()
    if page.dark:
        return tint(hue, 0.5, 0.2), tint(hue + rng.uniform(-0.15, 0.15), rng.uniform(0.4, 0.8), 1.0)
    return tint(hue, 0.1, 0.97), tint(
        hue + rng.uniform(-0.15, 0.15), rng.uniform(0.7, 1), rng.uniform(0.3, 0.55)
    )


def _draw(page: Page, chart: Chart) -> None:
    """Headings, cells, and a colour bar where no figures are printed."""
    rng = page.rng
    pale, strong = _colours(page)
    left, top, right, bottom = page.rest
    aside = max(page.width_of(row) for row in chart.rows) + 8
    if not chart.printed:
        right -= BAR_WIDTH + page.width_of(str(chart.high)) + 22
    wide = (right - left - aside) / len(chart.columns)
    sideways = max(page.width_of(column) for column in chart.columns) > wide - 6
    strip = max(page.width_of(column) for column in chart.columns) + 8 if sideways else page.line_height + 4
    headings_below = rng.random() < 0.5
    first, last = (top + 4, bottom - strip) if headings_below else (top + strip, bottom - 4)
    high = (last - first) / len(chart.rows)
    seam = rng.choice((0, 1, 2))
    if chart.unread == "figure":
        chart.smudged = " and ".join(rng.choice(list(chart.values)))
    for (row, column), value in chart.values.items():
        x, y = left + aside + wide * chart.columns.index(column), first + high * chart.rows.index(row)
        x, y, to_x, to_y = (round(v) for v in (x, y, x + wide, y + high))
        chart.boxes[row, column] = box = (x, y, to_x, to_y)
        ink = page.mixed(pale, strong, value / chart.high)
        page.draw.rectangle((2 * x, 2 * y, 2 * to_x - 1 - 2 * seam, 2 * to_y - 1 - 2 * seam), fill=ink)
        page.placed.append(Placed("object", "cell", box))
        if chart.printed:
            legible = (chart.unread, chart.smudged) != ("figure", f"{row} and {column}")
            at = ((x + to_x) / 2 - seam / 2, (y + to_y) / 2 - seam / 2)
            text = page.write(str(value), *at, INSIDE, ink=readable_on(ink), legible=legible)
            chart.labels[row, column] = text
    for index, row in enumerate(chart.rows):
        legible = (chart.unread, chart.smudged) != ("row", row)
        page.write(
            row, left + aside - 6, first + high * (index + 0.5), UP_LABELS, across="right", legible=legible
        )
    for index, column in enumerate(chart.columns):
        y = (bottom - strip if headings_below else top) + strip / 2
        x = left + aside + wide * (index + 0.5)
        page.write(column, x, y, ACROSS_LABELS if headings_below else UP_LABELS - 1, sideways=sideways)
    if not chart.printed:
        half = page.line_height / 2
        bar = (right + 14, round(first + half), right + 14 + BAR_WIDTH, round(last - half))
        _draw_bar(page, chart, bar, pale, strong)


def _draw_bar(page: Page, chart: Chart, box: Box, pale: RGB, strong: RGB) -> None:
    """The colour bar, from nought at the foot, with five labels."""
    left, top, right, bottom = box
    for row in range(round(2 * top), round(2 * bottom)):
        share = (2 * bottom - row) / (2 * bottom - 2 * top)
        page.draw.line((2 * left, row, 2 * right - 1, row), fill=page.mixed(pale, strong, share))
    for step in range(4, -1, -1):
        y = bottom - (bottom - top) * step / 4
        page.write(str(chart.high * step // 4), right + 6, y, ACROSS_LABELS + 1, across="left")


# ---------------------------------------------------------------------------------------------------
# Asking


def _ask_cells(ask: Asker, chart: Chart) -> None:
    """Single cells and what is worked out from two of them."""
    rng, cells = ask.rng, chart.legible
    tolerance = 0.0 if chart.printed else TOLERANCE * chart.high
    if chart.unread == "figure":
        row, column = chart.smudged.split(" and ")
        ask.cant_be_read("figure that can't be read", PRINTED, row=row, column=column)
        cells = [cell for cell in cells if cell != (row, column)]

    def needs(cell: tuple[str, str]) -> tuple[int, ...] | None:
        return chart.labels[cell].places if chart.printed else None

    cell = rng.choice(cells)
    ask.number(
        "value",
        VALUE,
        chart.values[cell],
        tolerance=tolerance,
        row=cell[0],
        column=cell[1],
        needs=needs(cell),
    )
    if chart.printed:
        cell = rng.choice(cells)
        ask.number(
            "printed figure", PRINTED, chart.values[cell], row=cell[0], column=cell[1], needs=needs(cell)
        )
    if chart.unread != "row":
        absent = rng.choice([name for name in chart.row_group.members if name not in chart.rows])
        ask.not_shown("value of what is absent", VALUE, row=absent, column=rng.choice(chart.columns))
    column = rng.choice(chart.columns)
    rows = [row for row, other in cells if other == column]
    pairs = [(a, b) for a, b in itertools.permutations(rows, 2)]
    if pairs:
        a, b = rng.choice(pairs)
        total = chart.values[a, column] + chart.values[b, column]
        fills = {"a": a, "b": b, "column": column}
        if chart.printed:
            ask.number("sum", ROW_SUM, total, **fills)
        difference = abs(chart.values[a, column] - chart.values[b, column])
        ask.number("difference", DIFFERENCE, difference, tolerance=1.5 * tolerance, **fills)
    clear = [(a, b) for a, b in pairs if abs(chart.values[a, column] - chart.values[b, column]) >= chart.gap]
    if clear:
        a, b = rng.choice(clear)
        more = chart.values[a, column] > chart.values[b, column]
        ask.yes_no("compare", COMPARE, more, a=a, b=b, column=column)
    cell = rng.choice(cells)
    ask.point("point", POINT, chart.boxes[cell], row=cell[0], column=cell[1])
    cell = rng.choice(cells)
    ask.box("box", BOX, chart.boxes[cell], row=cell[0], column=cell[1])


def _ask_order(ask: Asker, chart: Chart) -> None:
    """Superlatives over the whole map, a row or a column, and counts."""
    rng, values = ask.rng, chart.values
    hidden_figure = chart.unread == "figure"
    ranked = sorted(values, key=lambda cell: values[cell])
    for skill, ways, best, second in (
        ("largest", HOTTEST, ranked[-1], ranked[-2]),
        ("smallest", COLDEST, ranked[0], ranked[1]),
    ):
        if hidden_figure or abs(values[best] - values[second]) < (
            chart.gap if chart.printed else 0.6 * chart.gap
        ):
            continue
        if best[0] == chart.smudged:
            ask.cant_be_read(f"{skill} that can't be read", ways)
        else:
            ask.items(skill, ways, list(best), ordered=False)
    row = rng.choice([row for row in chart.rows if row != chart.smudged])
    if hidden_figure and row == chart.smudged.split(" and ")[0]:
        return
    along = sorted(chart.columns, key=lambda column: values[row, column])
    if values[row, along[-1]] - values[row, along[-2]] >= chart.gap:
        ask.text("largest in a row", BEST_IN_ROW, along[-1], row=row, group=chart.column_group.kind)
    thresholds = [
        t
        for t in range(10, chart.high, 10)
        if all(abs(values[row, c] - t) >= chart.gap * 0.6 for c in chart.columns)
    ]
    if thresholds:
        threshold = rng.choice(thresholds)
        count = sum(values[row, column] > threshold for column in chart.columns)
        ask.count("count above", ABOVE, count, row=row, threshold=threshold)
    column = rng.choice(chart.columns)
    if hidden_figure and column == chart.smudged.split(" and ")[1]:
        return
    down = sorted(chart.rows, key=lambda row: values[row, column])
    if values[down[-1], column] - values[down[-2], column] >= chart.gap:
        fills = {"column": column, "group": chart.row_group.kind}
        if down[-1] == chart.smudged:
            ask.cant_be_read("largest in a column that can't be read", BEST_IN_COLUMN, **fills)
        else:
            ask.text("largest in a column", BEST_IN_COLUMN, down[-1], **fills)


def _ask_table(ask: Asker, chart: Chart) -> None:
    """How the map is laid out."""
    ask.count("count rows", ROWS, len(chart.rows))
    ask.count("count cells", CELLS, len(chart.values))
    if ask.rng.random() < 0.5:
        ask.items("column names", COLUMN_NAMES, chart.columns, ordered=True)
    elif chart.unread == "row":
        ask.cant_be_read("row names that can't be read", ROW_NAMES)
    else:
        ask.items("row names", ROW_NAMES, chart.rows, ordered=True)


def _describe(scene: Scene, chart: Chart) -> None:
    titled = "whose title can't be read" if chart.unread == "title" else f'titled "{chart.title}"'
    scene.short_caption = "A heat map."
    scene.caption = f"A heat map {titled}, with {len(chart.rows)} rows and {len(chart.columns)} columns."
    sentences = [scene.caption, f"The columns are {', '.join(chart.columns[:-1])} and {chart.columns[-1]}."]
    about = "" if chart.printed else "about "
    for row in chart.rows:
        figures = []
        for column in chart.columns:
            hidden = (chart.unread, chart.smudged) == ("figure", f"{row} and {column}")
            figures.append("a figure that can't be read" if hidden else f"{about}{chart.values[row, column]}")
        name = "A row whose name can't be read" if (chart.unread, chart.smudged) == ("row", row) else row
        sentences.append(f"{name}: {', '.join(figures)}.")
    scene.long_caption = " ".join(sentences)
