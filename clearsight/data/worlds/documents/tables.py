"""Tables: ruled, striped, with three rules, as a spreadsheet, a ledger or cards; some with groups, a total, gaps.

A cell may be empty (then its value is not shown) or illegible. What the tables are about is in `table_topics`, how they
are drawn in `table_drawing`. Left out: cells that span several rows, and tables over several pages.
"""

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.documents.table_drawing import TEMPLATES, draw_table
from clearsight.data.worlds.documents.table_topics import Cell, Figures, Labels, Table, any_table, written
from clearsight.data.worlds.drawing.page import any_theme
from clearsight.data.worlds.scene import Scene, Split, rng_for

CELL = (
    "What is the {column} of {row}?",
    "What does the table give as {column} for {row}?",
    "Look up {column} for {row}.",
    "Which entry stands where the row {row} meets the column {column}?",
)
HIGHEST = (
    "Which {key} has the highest {column}?",
    "For which {key} is {column} the largest?",
    "Whose figure under {column} tops all others, by {key}?",
)
LOWEST = (
    "Which {key} has the lowest {column}?",
    "For which {key} is {column} the smallest?",
    "Whose figure under {column} is beneath all others, by {key}?",
)
HIGHER = (
    "Is {column} higher for {a} than for {b}?",
    "Does {a} have a higher {column} than {b}?",
    "Under {column}, does {a} exceed {b}?",
)
DIFFERENCE = (
    "By how much does {column} differ between {a} and {b}?",
    "What is the difference in {column} between {a} and {b}?",
    "How far apart are {a} and {b} under {column}?",
)
SUM = (
    "What do {a} and {b} have together under {column}?",
    "Add up {column} for {a} and {b}.",
    "What do {a} and {b} sum to in the column {column}?",
)
COLUMN_SUM = (
    "What is the sum of the column {column}?",
    "Add up all values of {column}.",
    "What would a total beneath {column} read?",
)
TOTAL = (
    "What is the total of {column}?",
    "Which total does the last row give for {column}?",
    "Read off the bottom line's figure for {column}.",
)
ABOVE = (
    "How many rows have a {column} above {least}?",
    "For how many rows is {column} more than {least}?",
    "In how many rows does {column} exceed {least}?",
)
NAMES_ABOVE = (
    "Which rows have a {column} above {least}?",
    "Name every {key} whose {column} is more than {least}.",
    "List those rows, by {key}, where {column} exceeds {least}.",
)
SORTED = (
    "Sort the rows by {column}, highest first.",
    "Put the rows in order from the highest to the lowest {column}.",
    "Rank all rows by falling {column}.",
)
WITH_LABEL = (
    "How many rows say {label} under {column}?",
    "In how many rows is {column} given as {label}?",
    "Count how often {label} stands in the column {column}.",
)
WITH_VALUE = (
    "Which {key} has {entry} under {column}?",
    "In which row is the {column} {entry}?",
    "To which {key} does the {column} entry {entry} belong?",
)
ROWS = (
    "How many rows does the table have, without headings and totals?",
    "Count the rows below the headings, not counting a total.",
    "How many entries does the table list, one to a row?",
)
HEADINGS = (
    "List the column headings from left to right, without units.",
    "What are the columns called, from left to right? Leave out units.",
    "Read the headings of all columns in order, units aside.",
)
AFTER = (
    "Which row comes right below {row}?",
    "What stands directly under {row} in the first column?",
    "Name the entry that follows {row} going down.",
)
ACROSS = (
    "In which column does {row} have its highest figure?",
    "Under which heading is the figure of {row} the largest?",
    "Where does the row {row} peak: under which heading?",
)
GROUP = (
    "Under which group heading does {column} stand?",
    "Which heading spans {column}?",
    "What is written above {column}, over several columns at once?",
)
UNIT = (
    "In which unit is {column} given?",
    "What is the unit of {column}?",
    "Which measure is noted beside the heading {column}?",
)
MARKED = (
    "Which row is highlighted?",
    "Which row has a different background from all the others?",
    "Name the row that is picked out by colour.",
)
EMPTY_ROW = (
    "Which row has no value under {column}?",
    "For which {key} is {column} missing?",
    "Where does the column {column} have a gap: in which row?",
)
ADDRESS = (
    "What is in cell {address}?",
    "Which entry does cell {address} hold?",
    "Read out the content of the cell at {address}.",
)
TITLE = ("What is the title of the table?", "What is written above the table?", "How is this table headed?")
POINT = (
    "Where is the {column} of {row}?",
    "Point to the entry for {row} under {column}.",
    "Show where {row} and {column} meet.",
)
BOX = ("Frame the row of {row}.", "Where is the whole row of {row}?", "Put a box round the row headed {row}.")


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("tables", seed, split)
    template = rng.choice(TEMPLATES[split])
    table = any_table(rng, split)
    theme = any_theme(rng, split, dark=False if template == "ledger" else None)
    title = table.topic.title if rng.random() < 0.6 else ""
    scene = draw_table(rng, seed, split, template, table, theme, title)
    scene.facts = {
        "template": template,
        "title": title,
        "key": table.topic.key,
        "columns": [
            {
                "header": column.header,
                "unit": getattr(column, "unit", ""),
                "numeric": isinstance(column, Figures),
                "box": cell.box,
            }
            for column, cell in zip(table.columns, table.headers[1:], strict=True)
        ],
        "rows": [
            {
                "name": key.text,
                "box": box,
                "cells": [{"box": c.box, "legible": c.legible, "empty": c.value is None} for c in row],
            }
            for key, row, box in zip(table.keys, table.grid, table.row_boxes, strict=True)
        ],
        "total": None if table.total is None else [cell.box for cell in table.total],
        "groups": {g: list(h) for g, h in table.topic.groups.items()} if table.grouped else {},
        "highlighted": None if table.marked is None else table.keys[table.marked].text,
    }
    _ask(Asker(scene, rng), table, template, title)
    _describe(scene, table, title)
    return scene


def _ask(ask: Asker, table: Table, template: str, title: str) -> None:
    rng, key = ask.rng, table.topic.key.lower()
    figures = [
        i
        for i, column in enumerate(table.columns)
        if isinstance(column, Figures) and table.is_whole(i) and len(set(table.numbers(i))) > 1
    ]
    _ask_cells(ask, table)
    ask.count("rows", ROWS, len(table.keys))
    ask.items("headings", HEADINGS, [table.topic.key, *(c.header for c in table.columns)], ordered=True)
    if figures:
        _ask_figures(ask, table, rng.choice(figures), key)
        _ask_pair(ask, table, rng.choice(figures))
    for i, column in enumerate(table.columns):
        shown = [row[i].text for row in table.grid]
        if isinstance(column, Labels) and table.is_whole(i):
            label = rng.choice(shown)
            ask.count("rows with a label", WITH_LABEL, shown.count(label), column=column.header, label=label)
        once = [r for r, row in enumerate(table.grid) if shown.count(row[i].text) == 1 and row[i].places]
        if once and table.is_whole(i) and rng.random() < 0.5:
            row = rng.choice(once)
            ask.text(
                "row with a value", WITH_VALUE, table.keys[row].text, key=key, column=column.header, entry=shown[row]
            )  # fmt: skip
        unit = getattr(column, "unit", "")
        if unit and rng.random() < 0.4:
            ask.text("unit", UNIT, unit, column=column.header, needs=table.headers[i + 1].places)
        gaps = [r for r, row in enumerate(table.grid) if row[i].value is None]
        if len(gaps) == 1:
            ask.text("row with a gap", EMPTY_ROW, table.keys[gaps[0]].text, key=key, column=column.header)
    if len(table.keys) > 2:
        row = rng.randrange(len(table.keys) - 1)
        ask.text("row below", AFTER, table.keys[row + 1].text, row=table.keys[row].text)
    if table.topic.alike and len(table.columns) > 2:
        _ask_across(ask, table)
    if table.grouped:
        group, headers = rng.choice(list(table.topic.groups.items()))
        ask.text("group", GROUP, group, column=rng.choice(headers))
    if table.marked is not None:
        ask.text("highlighted", MARKED, table.keys[table.marked].text)
    if title:
        ask.text("title", TITLE, title)
    if table.total is not None:
        i = rng.choice([i for i, cell in enumerate(table.total) if cell.text])
        cell = table.total[i]
        ask.number(
            "total", TOTAL, cell.value, answer=_said(cell, table.columns[i]), column=table.columns[i].header,
            needs=cell.places,
        )  # fmt: skip
    if template == "spreadsheet":
        row, i = rng.randrange(len(table.keys)), rng.randrange(len(table.columns))
        cell = table.grid[row][i]
        if cell.places and cell.value is not None:
            address = f"{'BCDEFGH'[i]}{row + 2}"
            ask.text("cell by address", ADDRESS, cell.text, address=address, needs=cell.places)


def _said(cell: Cell, column: Figures | Labels) -> str:
    """A cell with its unit, as a person would say it."""
    unit = getattr(column, "unit", "")
    return _with_unit(cell.text, unit)


def _with_unit(text: str, unit: str) -> str:
    if unit == "$":
        return f"${text}"
    return f"{text}{'' if unit in ('', '%') else ' '}{unit}"


def _ask_cells(ask: Asker, table: Table) -> None:
    """Look-ups: of a cell that can be read, one that is empty, one that is illegible, and of what is not there."""
    rng = ask.rng
    spots = [(r, c) for r in range(len(table.keys)) for c in range(len(table.columns))]
    rng.shuffle(spots)
    shown = [(r, c) for r, c in spots if table.grid[r][c].places and table.grid[r][c].value is not None]
    for row, column in shown[:2]:
        cell, fills = table.grid[row][column], _fills(table, row, column)
        needs = (*cell.places, *table.keys[row].places, *table.headers[column + 1].places)
        if isinstance(cell.value, str):
            ask.text("cell", CELL, cell.text, needs=needs, **fills)
        else:
            answer = _said(cell, table.columns[column])
            ask.number("cell", CELL, cell.value, answer=answer, needs=needs, **fills)  # type: ignore[arg-type]
    row, column = shown[-1]
    ask.point("point to a cell", POINT, table.grid[row][column].box, **_fills(table, row, column))
    row = rng.randrange(len(table.keys))
    ask.box("box of a row", BOX, table.row_boxes[row], row=table.keys[row].text)
    for row, column in spots:
        cell = table.grid[row][column]
        if not cell.legible:
            ask.cant_be_read("cell that can't be read", CELL, **_fills(table, row, column))
        elif cell.value is None:
            ask.not_shown("empty cell", CELL, **_fills(table, row, column))
    absent = [c.header for c in table.topic.columns if c not in table.columns]
    others = table.topic.rows[ask.split] if isinstance(table.topic.rows, dict) else table.topic.rows
    others = [name for name in others if name not in {key.text for key in table.keys}]
    row, column = rng.choice(spots)
    if absent and rng.random() < 0.5:
        ask.not_shown("absent column", CELL, column=rng.choice(absent), row=table.keys[row].text)
    else:
        ask.not_shown("absent row", CELL, column=table.columns[column].header, row=rng.choice(others))


def _fills(table: Table, row: int, column: int) -> dict[str, str]:
    return {"row": table.keys[row].text, "column": table.columns[column].header}


def _ask_figures(ask: Asker, table: Table, i: int, key: str) -> None:
    """Questions over a whole column of figures."""
    rng, column = ask.rng, table.columns[i]
    assert isinstance(column, Figures)
    values = table.numbers(i)
    by_value = sorted(zip(values, (k.text for k in table.keys), strict=True), reverse=True)
    header = column.header
    if by_value[0][0] > by_value[1][0] and rng.random() < 0.6:
        ask.text("highest", HIGHEST, by_value[0][1], column=header, key=key)
    elif by_value[-1][0] < by_value[-2][0]:
        ask.text("lowest", LOWEST, by_value[-1][1], column=header, key=key)
    if len(set(values)) == len(values) <= 6:
        ask.items("sorted", SORTED, [name for _, name in by_value], ordered=True, column=header)
    cut = rng.randrange(1, len(values))
    high, low = by_value[cut - 1][0], by_value[cut][0]
    least = low  # "above" leaves out the value itself
    if high > low:
        step = 10 ** max(0, len(str(int(abs(high)))) - 1)
        rounded = int(high // step * step)
        least = rounded if low <= rounded < high else low
        above = [name for value, name in by_value if value > least]
        said = _with_unit(written(least, column.decimals if least == low else 0, False), column.unit)
        if rng.random() < 0.5:
            ask.count(
                "rows above",
                ABOVE,
                len(above),
                column=header,
                least=said,
                about={"column": header, "least": least},
            )
        elif len(above) <= 4:
            ask.items(
                "names above", NAMES_ABOVE, above, ordered=False, column=header, least=said, key=key,
                about={"column": header, "least": least},
            )  # fmt: skip
    if column.adds and table.total is None and len(values) <= 5:
        total = round(sum(values), column.decimals)
        answer = _with_unit(written(total, column.decimals, False), column.unit)
        ask.number("column sum", COLUMN_SUM, total, answer=answer, column=header)


def _ask_pair(ask: Asker, table: Table, i: int) -> None:
    """Questions about two rows."""
    rng, column = ask.rng, table.columns[i]
    assert isinstance(column, Figures)
    a, b = rng.sample(range(len(table.keys)), 2)
    first, second = table.grid[a][i].value, table.grid[b][i].value
    assert isinstance(first, int | float) and isinstance(second, int | float)
    fills = {"a": table.keys[a].text, "b": table.keys[b].text, "column": column.header}
    needs = [p for r in (a, b) for p in (*table.keys[r].places, *table.grid[r][i].places)]
    needs += table.headers[i + 1].places
    if first != second:
        ask.yes_no("higher", HIGHER, first > second, needs=needs, **fills)
        apart = round(abs(first - second), column.decimals)
        answer = _with_unit(written(apart, column.decimals, False), column.unit)
        ask.number("difference", DIFFERENCE, apart, answer=answer, needs=needs, **fills)
    if column.adds:
        both = round(first + second, column.decimals)
        answer = _with_unit(written(both, column.decimals, False), column.unit)
        ask.number("sum", SUM, both, answer=answer, needs=needs, **fills)


def _ask_across(ask: Asker, table: Table) -> None:
    row = ask.rng.randrange(len(table.keys))
    cells = table.grid[row]
    values = [cell.value for cell in cells]
    if (
        all(cell.legible and isinstance(cell.value, int | float) for cell in cells)
        and values.count(max(values)) == 1
    ):
        best = values.index(max(values))  # type: ignore[type-var]
        ask.text("highest across", ACROSS, table.columns[best].header, row=table.keys[row].text)


def _describe(scene: Scene, table: Table, title: str) -> None:
    rows, key = len(table.keys), table.topic.key.lower()
    headers = [column.header for column in table.columns]
    scene.short_caption = f'A table headed "{title}".' if title else f"A table with {rows} rows."
    given = f"{', '.join(headers[:-1])} and {headers[-1]}"
    scene.caption = f"A table of {rows} rows, one for each {key}, giving {given}."
    lines = []
    for name, cells in zip(table.keys, table.grid, strict=True):
        parts = [
            f"{column.header} "
            + ("illegible" if not c.legible else "not given" if c.value is None else _said(c, column))
            for column, c in zip(table.columns, cells, strict=True)
        ]
        lines.append(f"{name.text}: {', '.join(parts)}")
    ending = (
        f" The row of {table.keys[table.marked].text} is highlighted." if table.marked is not None else ""
    )
    if table.total is not None:
        totals = [
            f"{column.header} {_said(c, column)}"
            for column, c in zip(table.columns, table.total, strict=True)
            if c.text
        ]
        ending += f" The totals are: {', '.join(totals)}."
    scene.long_caption = (
        f"{scene.caption} " + (f'The title is "{title}". ' if title else "") + "; ".join(lines) + "." + ending
    )
