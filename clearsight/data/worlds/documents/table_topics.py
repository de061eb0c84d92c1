"""What the tables are about, and their content before it is drawn: topics with columns, rows and groups, by split.

A cell may be empty or illegible. Values are kept as they will be written, rounded, so that sums and differences of
what a person reads are exact.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clearsight.data.worlds import names
from clearsight.data.worlds.drawing.page import Box
from clearsight.data.worlds.names import Names
from clearsight.data.worlds.scene import Split

MISSING = ("", "-", "n/a")


@dataclass(frozen=True)
class Figures:
    """A column of numbers from `low` to `high`. `adds`: whether a total makes sense."""

    header: str
    low: float
    high: float
    unit: str = ""
    decimals: int = 0
    adds: bool = True


@dataclass(frozen=True)
class Labels:
    """A column of words."""

    header: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """What a table may be about. `groups` are headings over columns; `alike`: its figures can be compared across."""

    title: str
    key: str
    rows: Names | tuple[str, ...]
    columns: tuple[Figures | Labels, ...]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    alike: bool = False


def _alike(headers: Sequence[str], *figures: Any, **rest: Any) -> tuple[Figures, ...]:
    return tuple(Figures(header, *figures, **rest) for header in headers)


QUARTERS = {"First half": ("Quarter 1", "Quarter 2"), "Second half": ("Quarter 3", "Quarter 4")}
REGIONS = {"Coast": ("North", "South"), "Inland": ("East", "West")}
HEATS = {"Morning": ("Heat A", "Heat B"), "Evening": ("Heat C", "Heat D")}
TOPICS: dict[Split, tuple[Topic, ...]] = {
    "train": (
        Topic(
            "Climate of cities",
            "City",
            names.CITIES,
            (
                Figures("Rain", 12, 190, "mm"),
                Figures("Sun", 60, 320, "h"),
                Figures("Wind", 4, 38, "km/h", 1, adds=False),
                Labels("Sky", ("clear", "cloudy", "foggy", "stormy")),
            ),
        ),
        Topic(
            "Staff list",
            "Name",
            names.FIRST_NAMES,
            (
                Figures("Age", 19, 64, adds=False),
                Figures("Hours", 12, 44, "h", 1),
                Figures("Leave days", 0, 28),
                Labels("Team", names.DEPARTMENTS["train"]),
            ),
        ),
        Topic(
            "Stock on hand",
            "Article",
            names.PRODUCTS,
            (
                Figures("Price", 3, 180, "$", 2, adds=False),
                Figures("Stock", 0, 420),
                Figures("Sold", 3, 380),
                Labels("Aisle", ("front", "back", "upper", "lower")),
            ),
        ),
        Topic(
            "Results by company",
            "Company",
            names.COMPANIES,
            (
                Figures("Revenue", 120, 4800, "k$"),
                Figures("Profit", -80, 640, "k$"),
                Figures("Staff", 80, 9800),
                Figures("Growth", -9, 24, "%", 1, adds=False),
            ),
        ),
        Topic(
            "What is in it, per 100 g",
            "Food",
            names.GROCERIES,
            (
                Figures("Energy", 40, 880, "kcal", adds=False),
                Figures("Fat", 1, 60, "g", 1, adds=False),
                Figures("Sugar", 1, 58, "g", 1, adds=False),
                Figures("Protein", 1, 32, "g", 1, adds=False),
                Labels("Kept", ("cold", "dry", "frozen")),
            ),
        ),
        Topic("Marks of the term", "Pupil", names.FIRST_NAMES, _alike(("Maths", "History", "Biology", "Music"), 31, 99),
              alike=True),
        Topic("Spending by quarter", "Department", names.DEPARTMENTS,
              _alike(("Quarter 1", "Quarter 2", "Quarter 3", "Quarter 4"), 14, 960, "k$"), QUARTERS, alike=True),
        Topic("Visitors by region", "Month", names.MONTHS,
              _alike(("North", "South", "East", "West"), 110, 2900), REGIONS, alike=True),
    ),
    "eval": (
        Topic(
            "From our kitchen",
            "Dish",
            names.DISHES,
            (
                Figures("Calories", 90, 990, "cal", adds=False),
                Figures("Fibre", 1, 19, "g", 1, adds=False),
                Figures("Portions", 4, 88),
                Labels("Course", ("starter", "main", "dessert")),
            ),
        ),
        Topic("Harvest in tonnes", "Place", names.CITIES, _alike(("Wheat", "Maize", "Oats", "Barley"), 21, 1870, "t"),
              {"Bread grain": ("Wheat", "Maize"), "Feed grain": ("Oats", "Barley")}, alike=True),
        Topic(
            "Personnel report",
            "Section",
            names.DEPARTMENTS,
            (
                Figures("Headcount", 4, 260),
                Figures("Leavers", 0, 31),
                Figures("Overtime", 2, 96, "hrs", 1),
                Labels("Manager", names.SURNAMES["eval"]),
            ),
        ),
        Topic(
            "Traffic census",
            "Street",
            names.STREETS,
            (
                Figures("Cars", 80, 4200),
                Figures("Buses", 2, 140),
                Figures("Bicycles", 5, 1300),
                Labels("Surface", ("gravel", "asphalt", "cobbles")),
            ),
        ),
        Topic("Swimming heats", "Swimmer", names.SURNAMES,
              _alike(("Heat A", "Heat B", "Heat C", "Heat D"), 24, 79, "s", 1, adds=False), HEATS, alike=True),
    ),
}  # fmt: skip


@dataclass
class Cell:
    """`value` is a number or a word; None when empty. `text` is how it is written."""

    text: str
    value: float | str | None
    legible: bool = True
    box: Box = (0, 0, 0, 0)
    places: tuple[int, ...] = ()


@dataclass
class Table:
    """What is in a table, and once it is drawn, where. `grid[row][column]` leaves out the first column, `keys`."""

    topic: Topic
    columns: list[Figures | Labels]
    keys: list[Cell]
    grid: list[list[Cell]]
    headers: list[Cell]
    total: list[Cell] | None
    grouped: bool
    marked: int | None
    row_boxes: list[Box] = field(default_factory=list)

    def numbers(self, column: int) -> list[float]:
        return [row[column].value for row in self.grid if isinstance(row[column].value, int | float)]

    def is_whole(self, column: int) -> bool:
        """Whether every cell of the column holds something that can be read."""
        return all(row[column].legible and row[column].value is not None for row in self.grid)


def any_table(rng: random.Random, split: Split) -> Table:
    topic = rng.choice(TOPICS[split])
    count = rng.choice((3, 4, 4, 5, 5, 6, 6, 7, 8, 9))
    if isinstance(topic.rows, dict):
        found = rng.sample(topic.rows[split], count)
    else:
        first = rng.randrange(len(topic.rows) - count + 1)
        found = list(topic.rows[first : first + count])
    wanted = rng.randint(2, len(topic.columns))
    grouped = bool(topic.groups) and wanted == len(topic.columns) and rng.random() < 0.8
    chosen = sorted(rng.sample(range(len(topic.columns)), wanted))
    columns = [topic.columns[i] for i in chosen]
    commas = rng.random() < 0.5
    missing = rng.choice(MISSING)
    grid = [[_cell(rng, column, commas) for column in columns] for _ in found]
    gaps = rng.random() < 0.45
    illegible = rng.random() < 0.35
    spots = rng.sample([(r, c) for r in range(count) for c in range(wanted)], 3)
    if gaps:
        for row, column in spots[: rng.randint(1, 2)]:
            grid[row][column] = Cell(missing, None)
    if illegible:
        row, column = spots[2]
        grid[row][column].legible = False
    adding = [i for i, column in enumerate(columns) if isinstance(column, Figures) and column.adds]
    total = None
    if adding and not illegible and rng.random() < 0.4:
        total = [Cell("", None) for _ in columns]
        for i in adding:
            column = columns[i]
            value = round(sum(row[i].value or 0 for row in grid), column.decimals)  # type: ignore[misc]
            total[i] = Cell(written(value, column.decimals, commas), value)
    return Table(
        topic,
        columns,
        [Cell(name, name) for name in found],
        grid,
        [Cell(topic.key, topic.key), *(Cell(header_of(column), column.header) for column in columns)],
        total,
        grouped,
        rng.randrange(count) if rng.random() < 0.25 else None,
    )


def header_of(column: Figures | Labels) -> str:
    unit = getattr(column, "unit", "")
    return f"{column.header} ({unit})" if unit else column.header


def _cell(rng: random.Random, column: Figures | Labels, commas: bool) -> Cell:
    if isinstance(column, Labels):
        label = rng.choice(column.options)
        return Cell(label, label)
    value = round(rng.uniform(column.low, column.high), column.decimals)
    value = int(value) if not column.decimals else value
    return Cell(written(value, column.decimals, commas), value)


def written(value: float, decimals: int, commas: bool) -> str:
    return f"{value:,.{decimals}f}" if commas else f"{value:.{decimals}f}"
