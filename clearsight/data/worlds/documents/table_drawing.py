"""Tables as drawn: where columns and rows lie, what is behind them, what is written, and the rules between them."""

import random
from dataclasses import dataclass

from clearsight.data.worlds.documents.table_topics import Cell, Figures, Table
from clearsight.data.worlds.drawing.page import Align, Face, Page, Theme, Type, any_type, blank, shade
from clearsight.data.worlds.drawing.palette import RGB, colour
from clearsight.data.worlds.scene import Scene, Split

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("ruled", "striped", "three rules", "spreadsheet"),
    "eval": ("ledger", "cards"),
}
WIDEST = 870  # pixels


@dataclass
class Layout:
    """Where the columns (left and right edges) and the lines of a table lie. The first column holds the keys."""

    type: Type
    edges: list[tuple[int, int]]
    left: int
    top: int
    row: int
    pad: int
    gap: int
    gutter: int

    @property
    def right(self) -> int:
        return self.edges[-1][1]


def draw_table(
    rng: random.Random, seed: int, split: Split, template: str, table: Table, theme: Theme, title: str
) -> Scene:
    """A scene with the table on it and nothing asked yet; notes in the table where its cells and rows are."""
    x_height = rng.choice((7.5, 8.0, 8.5, 9.0))
    margin, pad = rng.randint(8, 34), rng.randint(6, 13)
    gutter = 26 if template == "spreadsheet" else 0
    while True:
        kind = any_type(rng, split, x_height, "$%/-.,()")
        widths = _widths(table, kind, pad)
        if sum(widths) + 2 * margin + gutter <= WIDEST:
            break
        x_height = 7.5
    spare = max(0, rng.randint(250, 480) - 2 * margin - gutter - sum(widths))
    widths = [width + spare // len(widths) for width in widths]
    row = round(kind.text.size * rng.uniform(1.55, 2.2))
    gap = rng.randint(4, 7) if template == "cards" else 0
    large = kind.bold.scaled(1.2)
    heading = round(kind.text.size * 2.6) if title else 0
    lines = len(table.keys) + 1 + table.grouped + (table.total is not None) + (template == "spreadsheet")
    width = max(224, 2 * margin + max(sum(widths) + gutter, large.width(title)))
    height = max(224, 2 * margin + heading + lines * (row + gap))
    ground = theme.ground if template == "cards" or rng.random() < 0.4 else theme.panel
    grain = 3 if template == "ledger" else 0
    scene = Scene("tables", seed, split, blank(rng, (width, height), ground, grain))
    page = Page(scene, rng)
    left = (width - sum(widths) - gutter) // 2 + gutter
    top = max(margin, (height - heading - lines * (row + gap)) // 2)
    edges, x = [], left
    for each in widths:
        edges.append((x, x + each))
        x += each
    layout = Layout(kind, edges, left, top + heading, row, pad, gap, gutter)
    if title:
        page.write(left - gutter, top + heading * 0.36, title, large, theme.ink)
    _rows(page, template, table, theme, layout, split)
    return scene


def _widths(table: Table, kind: Type, pad: int) -> list[int]:
    widths = []
    for number, header in enumerate(table.headers):
        cells = [row[number - 1] for row in table.grid] if number else list(table.keys)
        if table.total is not None:
            cells = [*cells, table.total[number - 1] if number else Cell("Total", None)]
        written = [kind.bold.width(header.text), *(kind.bold.width(cell.text) for cell in cells if cell.text)]
        widths.append(max(written) + 2 * pad)
    if table.grouped:
        for group, headers in table.topic.groups.items():
            spanned = [i for i, column in enumerate(table.columns, 1) if column.header in headers]
            short = kind.bold.width(group) + 2 * pad - sum(widths[i] for i in spanned)
            for i in spanned:
                widths[i] += max(0, -(-short // len(spanned)))
    return widths


def _rows(page: Page, template: str, table: Table, theme: Theme, layout: Layout, split: Split) -> None:
    """All lines of the table from top to bottom, each with its ground first; the rules come last."""
    rng, y, step = page.rng, layout.top, layout.row + layout.gap
    head_ink, head_ground = theme.ink, None
    pale = shade(rng, split, 0.24 if theme.dark else 0.9, theme.accent, 0.12)
    lean = 0.18 if theme.dark else 0.45
    marked = shade(rng, split, 0.22 if theme.dark else 0.8, colour(rng, split, "yellow"), lean)
    if template == "striped":
        head_ink, head_ground = theme.on_accent, theme.accent
    elif template == "ruled" and rng.random() < 0.6:
        head_ground = pale
    numbers: Align = "right" if rng.random() < 0.75 else "middle"
    head, body = layout.type.bold, layout.type.text

    if template == "spreadsheet":
        _letters(page, layout, y, theme.faint, pale)
        y += step
    top = y
    if head_ground is not None:
        page.rectangle((layout.left, y, layout.right, y + step * (1 + table.grouped)), head_ground)
    if table.grouped:
        rule = theme.rule if template in ("three rules", "cards") else None
        _groups(page, table, layout, y, head_ink, rule)
        y += step
    lines = [(table.headers, head, head_ink)]
    lines += [([key, *cells], body, theme.ink) for key, cells in zip(table.keys, table.grid, strict=True)]
    if table.total is not None:
        lines.append(([Cell("Total", None), *table.total], head, theme.ink))
    for number, (cells, face, ink) in enumerate(lines):
        box = (layout.left, y, layout.right, y + layout.row)
        if 0 < number <= len(table.keys):
            is_marked = number - 1 == table.marked
            ground = marked if is_marked else pale if template == "striped" and number % 2 == 0 else None
            if template == "cards":
                page.panel(box, ground or theme.panel, radius=6, outline=theme.rule)
            elif ground is not None:
                page.rectangle(box, ground)
            table.row_boxes.append(box)
            page.place("row", box)
        if template == "spreadsheet":
            page.rectangle((layout.left - layout.gutter, y, layout.left, y + layout.row), pale)
            middle = layout.left - layout.gutter / 2
            page.write(middle, y + layout.row / 2, str(number + 1), body, theme.faint, align="middle")
        for column, cell in enumerate(cells):
            numeric = column > 0 and isinstance(table.columns[column - 1], Figures)
            _write(page, layout, column, y, cell, face, ink, numbers if numeric else "left")
        y += step
    _lines(page, template, table, theme, layout, top, y)


def _letters(page: Page, layout: Layout, y: int, ink: RGB, ground: RGB) -> None:
    """A spreadsheet's column letters."""
    page.rectangle((layout.left - layout.gutter, y, layout.right, y + layout.row), ground)
    for letter, (start, end) in zip("ABCDEFG", layout.edges, strict=False):
        page.write((start + end) / 2, y + layout.row / 2, letter, layout.type.text, ink, align="middle")


def _groups(page: Page, table: Table, layout: Layout, y: int, ink: RGB, rule: RGB | None) -> None:
    """Headings over several columns, with a rule under each if it is given."""
    for group, headers in table.topic.groups.items():
        spanned = [layout.edges[i] for i, column in enumerate(table.columns, 1) if column.header in headers]
        start, end = spanned[0][0], spanned[-1][1]
        page.write((start + end) / 2, y + layout.row / 2, group, layout.type.bold, ink, align="middle")
        if rule is not None:
            page.across(start + 6, end - 6, y + layout.row - 1, rule)


def _write(
    page: Page, layout: Layout, column: int, y: int, cell: Cell, face: Face, ink: RGB, align: Align
) -> None:
    """Write one cell, and note where it is."""
    left, right = layout.edges[column]
    cell.box = (left, y, right, y + layout.row)
    if cell.text:
        x = {"left": left + layout.pad, "middle": (left + right) / 2, "right": right - layout.pad}[align]
        line = page.write(x, y + layout.row / 2, cell.text, face, ink, align=align, legible=cell.legible)
        cell.places = line.places


def _lines(page: Page, template: str, table: Table, theme: Theme, layout: Layout, top: int, end: int) -> None:
    """The rules that make the style, from the first heading's `top` to the last line's `end`."""
    left, right, row = layout.left, layout.right, layout.row
    heading = top + row * table.grouped
    body = heading + row
    if template in ("ruled", "spreadsheet"):
        outer, first = left - layout.gutter, top - row if template == "spreadsheet" else top
        for y in range(first, end + 1, row):
            page.across(outer, right + 1, y, theme.rule)
        for x in (outer, left, right):
            page.down(x, first, end, theme.rule)
        for _, x in layout.edges[:-1]:
            page.down(x, heading, end, theme.rule)
    elif template == "three rules":
        for y, width in ((top, 2), (body, 1), (end, 2)):
            page.across(left, right, y, theme.ink, width)
    elif template == "ledger":
        for y in range(body, end + 1, row):
            page.across(left, right, y, theme.rule)
        for x, _ in layout.edges[1:]:
            page.down(x - 2, heading, end, theme.accent)
            page.down(x + 1, heading, end, theme.accent)
    if table.total is not None and template != "cards":
        width = 2 if template in ("ruled", "spreadsheet") else 1
        page.across(left, right, end - row - 1, theme.ink, width)
