"""Tickets as drawn: with a stub, as a tall card, as a plain printed slip; for evaluation a notched coupon and a pass.

Fields stand in cells, the label small above the value, which flow into as many columns as there is room for. Where
each value stands is noted in `marks`; `repeated` are those that stand in two places.
"""

import random
from dataclasses import replace

from PIL import Image, ImageDraw

from clearsight.data.worlds.documents.receipt_contents import Ticket
from clearsight.data.worlds.documents.receipt_drawing import X_HEIGHTS, bars
from clearsight.data.worlds.drawing.page import (
    Align,
    Face,
    Page,
    Theme,
    Type,
    Writing,
    any_type,
    blank,
    shade,
)
from clearsight.data.worlds.drawing.palette import RGB, colour
from clearsight.data.worlds.drawing.widgets import mixed
from clearsight.data.worlds.scene import Scene, Split


class Pass:
    """A ticket under way: first measured, then, once `begin` has given it a page, drawn."""

    page: Page

    def __init__(self, ticket: Ticket, kind: Type, theme: Theme):
        self.ticket, self.type, self.theme = ticket, kind, theme
        self.label_face = kind.text.scaled(0.95)
        self.pitch = round(kind.text.size * 3.1)
        self.marks: dict[str, Writing] = {}
        self.repeated: set[str] = set()

    def begin(
        self,
        rng: random.Random,
        seed: int,
        split: Split,
        size: tuple[float, float],
        ground: RGB,
        grain: float = 0,
    ) -> Page:
        width, height = max(224, round(size[0])), max(224, round(size[1]))
        scene = Scene("receipts", seed, split, blank(rng, (width, height), ground, grain))
        self.page = Page(scene, rng)
        return self.page

    def put(
        self, key: str, x: float, y: float, text: str, face: Face, ink: RGB, align: Align = "left"
    ) -> None:
        """Write, and remember it under `key` unless that is empty."""
        writing = self.page.write(
            x, y, text, face, ink, align=align, legible=key not in self.ticket.illegible
        )
        if key in self.marks:
            self.repeated.add(key)
        elif key:
            self.marks[key] = writing

    # Cells: a label, and below it the value.

    def cell_width(self, name: str, face: Face) -> int:
        label, value = self.ticket.labels[name], self.ticket.fields[name]
        return max(self.label_face.width(label), face.width(value))

    def _drop(self, face: Face) -> float:
        """From the middle of a label to the middle of its value."""
        return self.label_face.size * 0.65 + face.size * 0.72

    def cell(self, name: str, x: float, y: float, face: Face | None = None, align: Align = "left") -> None:
        """A cell whose label's middle is at `y`."""
        face = face or self.type.bold
        self.put("", x, y, self.ticket.labels[name], self.label_face, self.theme.faint, align)
        self.put(name, x, y + self._drop(face), self.ticket.fields[name], face, self.theme.ink, align)

    def _columns(self, fields: list[str], width: float) -> int:
        widest = max(self.cell_width(name, self.type.bold) for name in fields) + 16
        columns = max(1, int((width + 16) // widest))
        rows = -(-len(fields) // columns)
        return -(-len(fields) // rows)

    def grid_height(self, fields: list[str], width: float) -> int:
        return -(-len(fields) // self._columns(fields, width)) * self.pitch

    def grid(self, fields: list[str], left: float, right: float, y: float) -> None:
        """Cells from `y` on, row by row."""
        columns = self._columns(fields, right - left)
        for index, name in enumerate(fields):
            x = left + index % columns * (right - left) / columns
            self.cell(name, x, y + index // columns * self.pitch)

    # The journey: from and to, large, with an arrow between; or the title of a film or act.

    def journey_width(self, face: Face) -> int:
        if self.ticket.title:
            return face.width(self.ticket.title)
        return self.cell_width("from", face) + self.cell_width("to", face) + 50

    def journey_height(self, face: Face) -> int:
        return round(face.size * 1.9) if self.ticket.title else round(self._drop(face) + face.size * 1.7)

    def journey(self, left: float, right: float, y: float, face: Face) -> None:
        if self.ticket.title:
            self.put("title", left, y + face.size * 0.3, self.ticket.title, face, self.theme.ink)
            return
        self.cell("from", left, y, face)
        self.cell("to", right, y, face, "right")
        start = left + self.cell_width("from", face) + 12
        end = right - self.cell_width("to", face) - 12
        below = y + self._drop(face)
        self.page.across(start, end - 4, below, self.theme.accent, 2)
        tip = [(end - 8, below - 5), (end, below + 1), (end - 8, below + 7)]
        self.page.draw.polygon(tip, fill=self.theme.accent)

    @property
    def rest(self) -> list[str]:
        """The fields that `journey` does not show."""
        return [name for name in self.ticket.fields if name not in ("from", "to")]


def _type_for(rng: random.Random, split: Split, ticket: Ticket, *, monospaced: bool = False) -> Type:
    return any_type(rng, split, rng.choice(X_HEIGHTS), f"#:.,/-{ticket.sign}", monospaced=monospaced)


def with_stub(rng: random.Random, seed: int, split: Split, ticket: Ticket, theme: Theme) -> Pass:
    """Wide, with a coloured head, and a stub behind a perforation that repeats what the gate keeper needs."""
    sheet, margin = Pass(ticket, _type_for(rng, split, ticket), theme), rng.randint(8, 22)
    bold, large = sheet.type.bold, sheet.type.bold.scaled(1.4)
    wanted = [n for n in ("seat", "gate", "platform", "row", "date") if n in ticket.fields][:3]
    shown = [name for name in wanted if name not in ticket.illegible]
    stub = max([110, *(sheet.cell_width(name, bold) + 28 for name in shown)])
    inner = max(sheet.journey_width(large), bold.width(ticket.heading), rng.randint(320, 420))
    width, head = inner + stub + 2 * margin + 36, round(bold.size * 2.2)
    start, fields = margin + head + 22, sheet.rest
    body = sheet.journey_height(large) + sheet.grid_height(fields, inner)
    bottom = start + max(body, len(shown) * sheet.pitch + 44)
    page = sheet.begin(rng, seed, split, (width, bottom + margin), theme.ground, rng.choice((0, 4)))
    page.panel((margin, margin, width - margin, bottom), theme.panel, radius=10)
    page.panel((margin, margin, width - margin, margin + head + 12), theme.accent, radius=10)
    page.rectangle((margin, margin + head, width - margin, margin + head + 12), theme.panel)
    left, right, edge = margin + 18, margin + 18 + inner, width - margin - stub
    sheet.put("heading", left, margin + head / 2, ticket.heading, bold, theme.on_accent)
    if inner > bold.width(ticket.heading) + sheet.type.text.width(ticket.kind) + 20:
        sheet.put("kind", right, margin + head / 2, ticket.kind, sheet.type.text, theme.on_accent, "right")
    sheet.journey(left, right, start, large)
    sheet.grid(fields, left, right, start + sheet.journey_height(large))
    for index, name in enumerate(shown):
        sheet.cell(name, edge + 14, start + index * sheet.pitch)
    code = start + len(shown) * sheet.pitch
    bars(page, (edge + 14, code - 2, width - margin - 12, code + 34), theme.ink)
    page.down(edge, margin + head, bottom, theme.faint, 2, dash=5)
    return sheet


def tall_card(rng: random.Random, seed: int, split: Split, ticket: Ticket, theme: Theme) -> Pass:
    """A card that is taller than wide, with a barcode at its foot."""
    sheet, margin = Pass(ticket, _type_for(rng, split, ticket), theme), rng.randint(10, 34)
    bold, large, heading = sheet.type.bold, sheet.type.bold.scaled(1.5), sheet.type.bold.scaled(1.2)
    inner = max(sheet.journey_width(large), heading.width(ticket.heading), rng.randint(200, 260))
    width, head, fields = inner + 2 * margin + 40, round(bold.size * 3), sheet.rest
    start = margin + head + 24
    grid = start + sheet.journey_height(large) + 8
    code = grid + sheet.grid_height(fields, inner)
    bottom = code + 76
    page = sheet.begin(rng, seed, split, (width, bottom + margin), theme.ground)
    left, right = margin + 20, margin + 20 + inner
    page.panel((margin, margin, width - margin, bottom), theme.panel, radius=12, outline=theme.rule)
    page.panel((margin, margin, width - margin, margin + head + 14), theme.accent, radius=12)
    page.rectangle((margin + 1, margin + head, width - margin - 1, margin + head + 14), theme.panel)
    sheet.put("heading", width / 2, margin + head / 2, ticket.heading, heading, theme.on_accent, "middle")
    sheet.journey(left, right, start, large)
    page.across(left, right, grid - 14, theme.rule, 1, dash=rng.choice((0, 4)))
    sheet.grid(fields, left, right, grid)
    bars(page, (left, code, right, code + 40), theme.ink)
    sheet.put("number", width / 2, code + 56, ticket.number, sheet.type.text, theme.ink, "middle")
    return sheet


def printed_slip(rng: random.Random, seed: int, split: Split, ticket: Ticket, theme: Theme) -> Pass:
    """Plain paper from a ticket machine: one line a field, in type of one width."""
    sheet = Pass(ticket, _type_for(rng, split, ticket, monospaced=True), theme)
    kind, margin = sheet.type, rng.randint(16, 30)
    heading, step = kind.bold.scaled(1.25), round(kind.text.size * rng.uniform(1.5, 1.9))
    labels = max(kind.text.width(ticket.labels[name] + ":  ") for name in ticket.fields)
    values = max(kind.bold.width(text) for text in ticket.fields.values())
    inner = max(labels + values, heading.width(ticket.heading), heading.width(ticket.title))
    heads = [("heading", ticket.heading)] + ([("title", ticket.title)] if ticket.title else [])
    lines = len(ticket.fields) + 1.2 * len(heads) + 1.7
    paper = shade(rng, split, 0.94, colour(rng, split, rng.choice(("yellow", "blue", "pink", "green"))), 0.12)
    size = (inner + 2 * margin, lines * step + 2 * margin + 44)
    page, ink = sheet.begin(rng, seed, split, size, paper, rng.choice((0, 2, 4))), shade(rng, split, 0.12)
    right, y, dash = page.canvas.width - margin, margin + 10, rng.choice((0, 4))
    for key, text in heads:
        sheet.put(key, margin, y, text, heading, ink)
        y += round(step * 1.2)
    page.across(margin, right, y - step * 0.4, ink, 1, dash)
    y += round(step * 0.4)
    for name, text in ticket.fields.items():
        sheet.put("", margin, y, ticket.labels[name] + ":", kind.text, ink)
        sheet.put(name, margin + labels, y, text, kind.bold, ink)
        y += step
    page.across(margin, right, y - step * 0.4, ink, 1, dash)
    bars(page, (margin, y + step * 0.2, right, y + step * 0.2 + 32), ink)
    sheet.put("number", margin, y + step * 0.2 + 46, ticket.number, kind.text, ink)
    return sheet


def notched_coupon(rng: random.Random, seed: int, split: Split, ticket: Ticket, theme: Theme) -> Pass:
    """Wide, with round notches at both ends and a square code at the right."""
    sheet, margin = Pass(ticket, _type_for(rng, split, ticket), theme), rng.randint(12, 24)
    code, large, heading = rng.randint(84, 108), sheet.type.bold.scaled(1.3), sheet.type.bold.scaled(1.15)
    inner = max(sheet.journey_width(large), heading.width(ticket.heading), rng.randint(280, 360))
    number = sheet.label_face.width(ticket.number)
    side, fields = max(code, number) + 60, sheet.rest
    width, start = inner + side + 2 * margin + 30, margin + 56
    body = start + sheet.journey_height(large) + sheet.grid_height(fields, inner)
    bottom = max(body + 4, margin + code + 74, 224 - margin)
    page = sheet.begin(rng, seed, split, (width, bottom + margin), theme.ground)
    left, x = margin + 28, margin + 30 + inner + (side + 18) / 2
    page.rectangle((margin, margin, width - margin, bottom), theme.panel)
    for end in (margin, width - margin):
        for middle in range(margin + 14, bottom - 4, 26):
            page.panel((end - 8, middle - 8, end + 8, middle + 8), theme.ground, radius=8)
    page.down(left + inner + 14, margin + 8, bottom - 8, theme.rule, 2, dash=3)
    sheet.put("heading", left, margin + 24, ticket.heading, heading, theme.headline)
    sheet.journey(left, left + inner, start, large)
    sheet.grid(fields, left, left + inner, start + sheet.journey_height(large))
    middle = (margin + bottom) / 2
    square_code(page, x - code / 2, middle - code / 2 - 10, code)
    sheet.put("number", x, middle + code / 2 + 8, ticket.number, sheet.label_face, theme.ink, "middle")
    return sheet


def phone_pass(rng: random.Random, seed: int, split: Split, ticket: Ticket, theme: Theme) -> Pass:
    """A pass on a telephone: a round card in one colour with a square code on white at its foot."""
    margin, code = rng.randint(10, 28), rng.randint(96, 130)
    ground = shade(rng, split, 0.2 if theme.dark else 0.86, theme.accent, 0.25)
    theme = replace(theme, panel=ground, faint=mixed(theme.ink, ground, 0.25), accent=theme.ink)
    sheet = Pass(ticket, _type_for(rng, split, ticket), theme)
    bold, text, large = sheet.type.bold, sheet.type.text, sheet.type.bold.scaled(1.35)
    heading = bold.width(ticket.heading) + text.width(ticket.kind) + 24
    inner, fields = max(sheet.journey_width(large), heading, rng.randint(230, 300)), sheet.rest
    width, start = inner + 2 * margin + 40, margin + 62
    grid = start + sheet.journey_height(large) + 4
    foot = grid + sheet.grid_height(fields, inner)
    bottom = foot + code + 40
    page = sheet.begin(rng, seed, split, (width, bottom + margin), theme.ground)
    left, right = margin + 20, margin + 20 + inner
    page.panel((margin, margin, width - margin, bottom), ground, radius=20)
    sheet.put("heading", left, margin + 28, ticket.heading, bold, theme.ink)
    sheet.put("kind", right, margin + 28, ticket.kind, text, theme.faint, "right")
    sheet.journey(left, right, start, large)
    sheet.grid(fields, left, right, grid)
    square_code(page, width / 2 - code / 2, foot, code)
    return sheet


TICKET_LAYOUTS = {
    "ticket with a stub": with_stub,
    "tall ticket": tall_card,
    "printed slip": printed_slip,
    "notched coupon": notched_coupon,
    "pass on a phone": phone_pass,
}


def square_code(page: Page, left: float, top: float, side: int) -> None:
    """A square of random modules with three corner marks, on white; it looks like a code and says nothing."""
    cells = page.rng.choice((21, 25))
    small = Image.new("L", (cells, cells), 0)
    bits = page.rng.getrandbits(cells * cells)
    small.putdata([255 * (bits >> i & 1) for i in range(cells * cells)])
    draw = ImageDraw.Draw(small)
    for x, y in ((0, 0), (cells - 7, 0), (0, cells - 7)):
        draw.rectangle((x - 1, y - 1, x + 7, y + 7), fill=0)
        draw.rectangle((x, y, x + 6, y + 6), outline=255)
        draw.rectangle((x + 2, y + 2, x + 4, y + 4), fill=255)
    scale = side // cells
    mask = small.resize((cells * scale, cells * scale), Image.Resampling.NEAREST)
    offset = (side - mask.width) / 2
    page.panel((left - 8, top - 8, left + side + 8, top + side + 8), (250, 250, 250), radius=6)
    box = page.stamp(mask, left + offset, top + offset, (20, 20, 20))
    page.place("square code", box)
