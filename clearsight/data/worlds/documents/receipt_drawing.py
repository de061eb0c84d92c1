"""Receipts as drawn: a till roll, a guest check, an invoice; for evaluation an order card and a bill with a side panel.

Each takes the width it needs, is written from top to bottom on a sheet that is long enough, and is cut to length. Where
each field, item and sum stands is noted in `marks`.
"""

import random

from clearsight.data.worlds.documents.receipt_contents import Receipt
from clearsight.data.worlds.drawing.page import (
    Align,
    Box,
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
from clearsight.data.worlds.scene import Scene, Split

LONGEST = 896  # pixels
X_HEIGHTS = (7.5, 7.5, 8.0, 8.5)


class Slip:
    """A receipt under way between two edges, `y` being the middle of the next line."""

    def __init__(self, page: Page, receipt: Receipt, left: int, right: int, y: int, kind: Type, ink: RGB):
        self.page, self.receipt, self.left, self.right, self.y = page, receipt, left, right, y
        self.type, self.ink, self.step = kind, ink, round(kind.text.size * page.rng.uniform(1.4, 1.75))
        self.marks: dict[str, Writing] = {}
        self.lines: dict[str, Box] = {}

    def put(
        self,
        key: str,
        x: float,
        text: str,
        face: Face | None = None,
        align: Align = "left",
        ink: RGB | None = None,
    ) -> None:
        """Write on the current line, and remember it under `key` unless that is empty."""
        legible = key not in self.receipt.illegible
        face, ink = face or self.type.text, ink or self.ink
        writing = self.page.write(x, self.y, text, face, ink, align=align, legible=legible)
        if key:
            self.marks[key] = writing

    def down(self, lines: float = 1) -> None:
        self.y += round(self.step * lines)

    def field(self, name: str) -> None:
        """A field with its label, if it has both, on a line of its own."""
        text = self.receipt.fields.get(name)
        if text is None:
            return
        x = self.left
        if label := self.receipt.labels.get(name):
            self.put("", x, label)
            x += self.type.text.width(label + " ")
        self.put(name, x, text)
        self.down()

    def note(self, key: str, top: float, bottom: float) -> None:
        """Remember where a whole line is."""
        self.lines[key] = (self.left, top, self.right, bottom)
        self.page.place("line", self.lines[key])

    def sums(self, left: float, *, large: float = 1.0, leaders: bool = False) -> None:
        """Subtotal, tax, total, payment: labels at `left`, amounts at the right edge."""
        receipt = self.receipt
        for name, cents in receipt.sums:
            face = self.type.bold.scaled(large) if name == "total" else self.type.text
            label, amount = receipt.labels[name], receipt.money(cents)
            self.put("", left, label, face)
            self.put(name, self.right, amount, face, "right")
            if leaders:
                self.leaders(left + face.width(label), self.right - face.width(amount))
            self.down(large if name == "total" else 1)

    def leaders(self, start: float, end: float) -> None:
        """Dots between a name and its amount."""
        for x in range(round(start) + 6, round(end) - 6, 6):
            self.page.rectangle((x, self.y + 3, x + 2, self.y + 5), self.ink)

    def item(self, number: int, left: float, *, quantity_first: bool = True, leaders: bool = False) -> None:
        """One line: how many, of what, and the amount."""
        item = self.receipt.items[number]
        text = f"{item.quantity} x" if quantity_first else str(item.quantity)
        x = left
        if item.quantity > 1 or not quantity_first:
            self.put(f"quantity {number}", x, text)
            x += self.type.text.width("4 x ")
        elif any(other.quantity > 1 for other in self.receipt.items):
            x += self.type.text.width("4 x ")
        self.put(f"name {number}", x, item.name)
        amount = self.receipt.money(item.amount)
        self.put(f"amount {number}", self.right, amount, align="right")
        if leaders:
            end = self.right - self.type.text.width(amount)
            self.leaders(x + self.type.text.width(item.name), end)
        self.note(f"item {number}", self.y - self.step / 2, self.y + self.step / 2)
        self.down()


def width_needed(receipt: Receipt, kind: Type, large: float = 1.0) -> int:
    """Pixels between the edges for the longest line of a one-column receipt."""
    items = [f"4 x {item.name}    {receipt.money(item.amount)}" for item in receipt.items]
    sums = [f"{receipt.labels[name]}    {receipt.money(cents)}" for name, cents in receipt.sums]
    fields = [f"{receipt.labels.get(name, '')} {text}" for name, text in receipt.fields.items()]
    together = "   ".join(receipt.fields[name] for name in ("date", "time"))
    return max(
        *(kind.text.width(text) for text in (*items, *fields, together, receipt.thanks)),
        *(kind.bold.scaled(large).width(text) for text in sums),
    )


def _type_for(rng: random.Random, split: Split, receipt: Receipt, *, monospaced: bool = False) -> Type:
    return any_type(rng, split, rng.choice(X_HEIGHTS), f"%#:.,/-{receipt.sign}", monospaced=monospaced)


def till_roll(rng: random.Random, seed: int, split: Split, receipt: Receipt, theme: Theme) -> Slip:
    """A narrow strip of thermal paper with torn ends on a table."""
    kind = _type_for(rng, split, receipt, monospaced=rng.random() < 0.75)
    pad, margin, large = rng.randint(14, 24), rng.randint(8, 40), rng.choice((1.0, 1.25))
    width = max(width_needed(receipt, kind, large) + 2 * (pad + margin), 224)
    desk = colour(rng, split, rng.choice(("brown", "gray", "blue", "green", "black")))
    paper = shade(rng, split, rng.uniform(0.92, 0.99), colour(rng, split, "yellow"), rng.choice((0, 0.03)))
    scene = Scene("receipts", seed, split, blank(rng, (width, LONGEST), desk, rng.uniform(3, 8)))
    page = Page(scene, rng)
    top = rng.randint(10, 24)
    page.rectangle((margin, top, width - margin, LONGEST), paper)
    ink = shade(rng, split, rng.uniform(0.05, 0.25))
    slip = Slip(page, receipt, margin + pad, width - margin - pad, top + 26, kind, ink)
    middle, dash = width / 2, rng.choice((0, 3, 5))
    slip.put("shop", middle, receipt.fields["shop"], kind.bold.scaled(1.25), "middle")
    slip.down(1.2)
    for line in kind.text.wrapped(receipt.fields["address"], slip.right - slip.left):
        slip.put("", middle, line, align="middle")
        slip.down()
    slip.put("date", slip.left, receipt.fields["date"])
    slip.put("time", slip.right, receipt.fields["time"], align="right")
    slip.down()
    for name in ("number", "cashier"):
        slip.field(name)
    page.across(slip.left, slip.right, slip.y - 4, ink, 1, dash)
    slip.down(0.6)
    for number in range(len(receipt.items)):
        slip.item(number, slip.left)
    page.across(slip.left, slip.right, slip.y - 4, ink, 1, dash)
    slip.down(0.7)
    slip.sums(slip.left, large=large)
    slip.down(0.3)
    if rng.random() < 0.6:
        bars(page, (slip.left + 10, slip.y - 6, slip.right - 10, slip.y + 26), ink)
        slip.y += 44
    if receipt.thanks:
        slip.put("", middle, receipt.thanks, align="middle")
        slip.down()
    end = slip.y + rng.randint(4, 18)
    _tear(page, margin, width - margin, end, desk)
    page.cut(end + rng.randint(10, 26))
    return slip


def _tear(page: Page, left: int, right: int, y: int, desk: RGB) -> None:
    """Cover what is below `y`, with teeth along the edge."""
    page.rectangle((left, y, right, LONGEST), desk)
    for x in range(left, right, 8):
        end = min(x + 8, right)
        page.draw.polygon([(x, y), (end, y), ((x + end) / 2, y - 5)], fill=desk)


def guest_check(rng: random.Random, seed: int, split: Split, receipt: Receipt, theme: Theme) -> Slip:
    """A ruled pad with a coloured head and a column for the quantity."""
    kind = _type_for(rng, split, receipt)
    margin = rng.randint(14, 26)
    width = max(width_needed(receipt, kind) + 2 * margin + rng.randint(20, 90), 260)
    paper = shade(rng, split, 0.95, colour(rng, split, rng.choice(("green", "yellow", "pink"))), 0.1)
    scene = Scene("receipts", seed, split, blank(rng, (width, LONGEST), paper, rng.choice((0, 2))))
    page = Page(scene, rng)
    band = round(kind.bold.size * 3.1)
    page.rectangle((0, 0, width, band), theme.accent)
    slip = Slip(page, receipt, margin, width - margin, round(band / 2), kind, shade(rng, split, 0.08))
    slip.put("shop", margin, receipt.fields["shop"], kind.bold.scaled(1.25), ink=theme.on_accent)
    slip.y = band + slip.step
    slip.put("", margin, receipt.fields["address"])
    slip.down()
    slip.put("date", margin, receipt.fields["date"])
    slip.put("time", slip.right, receipt.fields["time"], align="right")
    slip.down()
    for name in ("cashier", "number"):
        slip.field(name)
    slip.down(0.2)
    rule = shade(rng, split, 0.6, theme.accent, 0.3)
    slip.step, first = round(slip.step * 1.15), slip.y - slip.step // 2
    column = margin + kind.text.width("4") + 10
    pen = colour(rng, split, rng.choice(("blue", "black", "purple")))
    slip.ink, printed = pen, slip.ink
    for number, item in enumerate(receipt.items):
        page.across(0, width, slip.y - slip.step / 2, rule)
        slip.put(f"quantity {number}", margin, str(item.quantity))
        slip.put(f"name {number}", column + 10, item.name)
        slip.put(f"amount {number}", slip.right, receipt.money(item.amount), align="right")
        slip.note(f"item {number}", slip.y - slip.step / 2, slip.y + slip.step / 2)
        slip.down()
    page.across(0, width, slip.y - slip.step / 2, rule, 2)
    page.down(column, first, slip.y - slip.step / 2, rule)
    slip.ink = printed
    slip.sums(width * 0.3)
    if receipt.thanks:
        slip.put("", width / 2, receipt.thanks, align="middle")
        slip.down()
    page.cut(slip.y + 8)
    return slip


def invoice(rng: random.Random, seed: int, split: Split, receipt: Receipt, theme: Theme) -> Slip:
    """A letter-like sheet: a table with the price of one, sums at the lower right."""
    kind = _type_for(rng, split, receipt)
    margin = rng.randint(22, 40)
    columns = [
        max(kind.bold.width(text) for text in ("Amount", "Price", receipt.money(receipt.total))) + 16
    ] * 2
    quantity = kind.bold.width("Qty") + 14
    name = max(kind.text.width(item.name) for item in receipt.items) + 20
    sums = max(kind.bold.width(receipt.labels[n] + "    " + receipt.money(c)) for n, c in receipt.sums)
    width = max(name + quantity + sum(columns), sums, width_needed(receipt, kind)) + 2 * margin
    scene = Scene("receipts", seed, split, blank(rng, (width, LONGEST), theme.panel))
    page = Page(scene, rng)
    slip = Slip(page, receipt, margin, width - margin, margin + 12, kind, theme.ink)
    slip.put("shop", margin, receipt.fields["shop"], kind.bold.scaled(1.4), ink=theme.headline)
    slip.down(1.3)
    slip.put("", margin, receipt.fields["address"], ink=theme.faint)
    slip.down(1.4)
    slip.put("date", margin, receipt.fields["date"])
    slip.put("time", slip.right, receipt.fields["time"], align="right")
    slip.down()
    for field in ("number", "cashier"):
        slip.field(field)
    slip.down(0.4)
    ends = (slip.right - 2 * columns[0], slip.right - columns[0], slip.right)
    filled = rng.random() < 0.5
    if filled:
        page.rectangle(
            (margin - 6, slip.y - slip.step / 2, slip.right + 6, slip.y + slip.step / 2), theme.accent
        )
    head = theme.on_accent if filled else theme.ink
    slip.put("", margin, "Item", kind.bold, ink=head)
    for text, x in zip(("Qty", "Price", "Amount"), ends, strict=True):
        slip.put("", x, text, kind.bold, "right", ink=head)
    slip.down(1.1)
    for number, item in enumerate(receipt.items):
        slip.put(f"name {number}", margin, item.name)
        texts = {
            "quantity": str(item.quantity),
            "price": receipt.money(item.price),
            "amount": receipt.money(item.amount),
        }
        for (key, text), x in zip(texts.items(), ends, strict=True):
            slip.put(f"{key} {number}", x, text, align="right")
        slip.note(f"item {number}", slip.y - slip.step / 2, slip.y + slip.step / 2)
        page.across(margin, slip.right, slip.y + slip.step / 2, theme.rule)
        slip.down()
    slip.down(0.5)
    slip.sums(min(slip.right - sums, width * 0.5))
    page.cut(slip.y + margin // 2)
    return slip


def order_card(rng: random.Random, seed: int, split: Split, receipt: Receipt, theme: Theme) -> Slip:
    """A card on a screen: a heading, leaders, and the sums in a tinted block."""
    kind = _type_for(rng, split, receipt)
    margin, pad = rng.randint(12, 36), rng.randint(16, 26)
    width = max(width_needed(receipt, kind) + 2 * (margin + pad) + rng.randint(0, 70), 260)
    lines = len(receipt.items) + len(receipt.sums) + len(receipt.fields)
    scene = Scene("receipts", seed, split, blank(rng, (width, LONGEST), theme.ground))
    page = Page(scene, rng)
    slip = Slip(page, receipt, margin + pad, width - margin - pad, margin + pad + 8, kind, theme.ink)
    step = slip.step
    bottom = slip.y + round(step * (lines - 0.2)) + pad
    page.panel((margin, margin, width - margin, bottom), theme.panel, radius=14, outline=theme.rule)
    slip.put("shop", slip.left, receipt.fields["shop"], kind.bold.scaled(1.3), ink=theme.headline)
    slip.down(1.2)
    slip.put("", slip.left, receipt.fields["address"], ink=theme.faint)
    slip.down()
    slip.put("date", slip.left, receipt.fields["date"], ink=theme.faint)
    slip.put("time", slip.right, receipt.fields["time"], align="right", ink=theme.faint)
    slip.down()
    for name in ("number", "cashier"):
        slip.field(name)
    slip.down(0.3)
    for number in range(len(receipt.items)):
        slip.item(number, slip.left, leaders=True)
    slip.down(0.5)
    tint = shade(rng, split, 0.2 if theme.dark else 0.92, theme.accent, 0.12)
    block = (margin + 8, slip.y - step * 0.75, width - margin - 8, slip.y + step * (len(receipt.sums) - 0.3))
    page.panel(block, tint, radius=8)
    slip.sums(slip.left)
    page.cut(bottom + margin)
    return slip


def side_panel_bill(rng: random.Random, seed: int, split: Split, receipt: Receipt, theme: Theme) -> Slip:
    """A bill whose sender stands in a coloured panel at the left, the items at the right."""
    kind = _type_for(rng, split, receipt)
    side = max(
        *(kind.text.width(text) for text in (*receipt.fields["address"].split(", "), receipt.fields["date"])),
        kind.bold.scaled(1.15).width(receipt.fields["shop"]),
        kind.text.width(receipt.labels["number"] + " 99999"),
        kind.text.width(receipt.labels["cashier"] + " Xxxxxxxx"),
    )
    pad = rng.randint(12, 20)
    items = max(kind.text.width(f"4 x {i.name}    {receipt.money(i.amount)}") for i in receipt.items)
    sums = max(kind.bold.width(f"{receipt.labels[n]}    {receipt.money(c)}") for n, c in receipt.sums)
    width = side + max(items, sums) + 4 * pad
    scene = Scene("receipts", seed, split, blank(rng, (width, LONGEST), theme.panel))
    page = Page(scene, rng)
    slip = Slip(page, receipt, pad, side + pad, pad + 16, kind, theme.on_accent)
    length = round(slip.step * (len(receipt.items) + len(receipt.sums) + 1.6)) + 2 * pad
    length = max(length, 224, round(slip.step * 7.6) + 2 * pad)
    page.rectangle((0, 0, side + 2 * pad, length), theme.accent)
    slip.put("shop", pad, receipt.fields["shop"], kind.bold.scaled(1.15))
    slip.down(1.4)
    for line in receipt.fields["address"].split(", "):
        slip.put("", pad, line)
        slip.down()
    for name in ("date", "time", "number", "cashier"):
        slip.field(name)
    slip.left, slip.right, slip.y, slip.ink = side + 3 * pad, width - pad, pad + 16, theme.ink
    for number in range(len(receipt.items)):
        slip.item(number, slip.left)
        page.across(slip.left, slip.right, slip.y - slip.step / 2, theme.rule)
    slip.down(0.6)
    slip.sums(slip.left)
    page.cut(length)
    return slip


RECEIPT_LAYOUTS = {
    "till roll": till_roll,
    "guest check": guest_check,
    "invoice": invoice,
    "order card": order_card,
    "side panel bill": side_panel_bill,
}


def bars(page: Page, box: Box, ink: RGB) -> None:
    """A barcode; notes it as an object."""
    x, top, right, bottom = (round(side) for side in box)
    start = x
    while x < right - 4:
        width = page.rng.choice((1, 1, 2, 3))
        page.rectangle((x, top, x + width, bottom), ink)
        x += width + page.rng.choice((1, 1, 2, 3))
    page.place("barcode", (start, top, x, bottom))
