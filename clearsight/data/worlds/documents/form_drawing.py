"""Forms as drawn: on lines, in boxes, in combs, on the web; for evaluation as a table and in filled fields on a screen.

A form is written from top to bottom on a sheet that is long enough and is cut to length. The fields and options are
told where they are.
"""

import random
from collections.abc import Callable

from clearsight.data.worlds.documents.form_contents import Field, Form, Option
from clearsight.data.worlds.drawing.page import Page, Type, any_theme, any_type, blank, shade
from clearsight.data.worlds.drawing.palette import RGB, colour, distance
from clearsight.data.worlds.drawing.widgets import TICK_STYLES, mixed, radio, signature, tick_box
from clearsight.data.worlds.scene import Placed, Scene, Split

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("lines", "boxes", "combs", "web"),
    "eval": ("table", "filled fields"),
}
ON_SCREEN = ("web", "filled fields")
TWO_ABREAST = ("boxes", "filled fields")
LONGEST = 896  # pixels
STACK_ABOVE = 370  # options stand below one another only so far up that the sheet is long enough


class Sheet:
    """A form under way. `print` is the form's own type, `hand` that of the entries."""

    def __init__(self, rng: random.Random, seed: int, split: Split, template: str, form: Form):
        self.rng, self.split, self.form, self.template = rng, split, form, template
        on_screen = template in ON_SCREEN
        theme = any_theme(rng, split, dark=None if on_screen else False)
        height = rng.choice((7.5, 7.5, 8.0, 8.5))
        self.print = any_type(rng, split, height, "-.*")
        self.hand = self.print if on_screen else any_type(rng, split, height + rng.choice((0, 0.5, 1)), "-.")
        self.theme, self.pen = theme, theme.ink if on_screen else self._pen(theme.panel)
        self.mark_pen = theme.accent if on_screen else self.pen
        self.tick_style = rng.choice(TICK_STYLES[split])
        margin, width = rng.randint(18, 38), rng.randint(360, 500)
        scene = Scene("forms", seed, split, blank(rng, (width, LONGEST), theme.panel, 0 if on_screen else 2))
        self.page, self.left, self.right, self.y = Page(scene, rng), margin, width - margin, margin
        self.size = self.print.text.size

    def _pen(self, paper: RGB) -> RGB:
        while True:
            pen = colour(self.rng, self.split, self.rng.choice(("blue", "black", "purple")))
            if distance(pen, paper) > 450:
                return pen

    def enter(self, field: Field, x: float, y: float) -> None:
        """Write the entry, if there is one."""
        if field.entry:
            line = self.page.write(x, y, field.entry, self.hand.text, self.pen, legible=field.legible)
            field.places = line.places

    def label(
        self, field: Field, x: float, y: float, kind: Type | None = None, ink: RGB | None = None
    ) -> float:
        """Write a field's label, starred if it is required; returns where it ends."""
        text, face = field.label + " *" * field.required, (kind or self.print).text
        self.page.write(x, y, text, face, ink or self.theme.ink)
        return x + face.width(text)

    def note(self, field: Field, left: float, top: float, right: float, bottom: float) -> None:
        field.box = (left, top, right, bottom)
        self.page.place("field", field.box)

    def heading(self) -> None:
        """The title: over a line, in a coloured band, or plain."""
        face, way = self.print.bold.scaled(1.4), self.rng.choice(("plain", "line", "band"))
        height = round(face.size * 2)
        if way == "band":
            self.page.rectangle((0, 0, self.page.canvas.width, height + 8), self.theme.accent)
            self.page.write(self.left, height / 2 + 4, self.form.title, face, self.theme.on_accent)
            self.y = height + 8 + self.size
            return
        self.page.write(self.left, self.y + face.size / 2, self.form.title, face, self.theme.ink)
        self.y += height
        if way == "line":
            self.page.across(self.left, self.right, self.y - 6, self.theme.ink, 2)
        self.y += round(self.size * 0.6)

    # Text fields

    def fields(self) -> None:
        draw = FIELD_STYLES[self.template]
        waiting = list(self.form.fields)
        while waiting:
            row = waiting[:2] if self.template in TWO_ABREAST else waiting[:1]
            half = (self.right - self.left - 14) / 2
            if len(row) == 2 and not all(self._fits(field, half - 18) for field in row):
                row = row[:1]
            del waiting[: len(row)]
            height = 0.0
            for index, field in enumerate(row):
                left = self.left + index * (half + 14)
                height = draw(self, field, left, left + half if len(row) == 2 else self.right, self.y)
            self.y += round(height)
        self.y += round(self.size * (1.1 if self.template == "table" else 0.5))

    def _fits(self, field: Field, width: float) -> bool:
        return max(self.hand.text.width(field.entry), self.print.text.width(field.label + " *")) <= width

    # Boxes to tick, one choice, signature, button

    def options(self, label: str, options: list[Option], *, one: bool) -> None:
        """A label, and options behind their boxes, in as many lines as they take."""
        self.page.write(self.left, self.y + self.size * 0.5, label, self.print.bold, self.theme.ink)
        self.y += round(self.size * 1.9)
        side, gap, x = round(self.size * 0.55) * 2, 8, float(self.left)
        stacked = self.rng.random() < 0.4 and self.y < STACK_ABOVE
        for option in options:
            width = side + gap + self.print.text.width(option.name)
            if x > self.left and (stacked or x + width > self.right):
                x, self.y = self.left, self.y + round(self.size * 1.7)
            middle = self.y + self.size * 0.4
            box = (x, round(middle - side / 2), x + side, round(middle - side / 2) + side)
            if one:
                radio(self.page, box, option.marked, self.theme, self.mark_pen)
            else:
                tick_box(
                    self.page, self.split, box, self.tick_style, option.marked, self.theme, self.mark_pen
                )
            option.box = box
            self.page.place("round button" if one else "tick box", box)
            self.page.write(x + side + gap, middle, option.name, self.print.text, self.theme.ink)
            x += width + 24
        self.y += round(self.size * 2.2)

    def sign(self) -> None:
        """A line to sign on, with or without a signature."""
        form, height, width = self.form, round(self.size * 2.8), (self.right - self.left) * 0.55
        box = (self.left, self.y, self.left + width, self.y + height)
        form.signature_box = box
        if form.signed:
            covered = signature(self.page, box, self.pen, self.rng)
            self.page.place("signature", covered)
        self.page.across(self.left, self.left + width, self.y + height, self.theme.ink)
        self.y += height + round(self.size * 0.9)
        self.page.write(self.left, self.y, form.signature_label, self.print.text, self.theme.faint)
        self.y += round(self.size * 1.2)

    def press(self) -> None:
        """The button, pale while something required is missing."""
        form, face = self.form, self.print.bold
        width, height = face.width(form.button) + 36, round(self.size * 2.2)
        ground, ink = self.theme.accent, self.theme.on_accent
        if not form.complete:
            ground, ink = self.theme.rule, mixed(self.theme.faint, self.theme.rule, 0.25)
        left = self.left if self.rng.random() < 0.5 else self.right - width
        form.button_box = (left, self.y, left + width, self.y + height)
        self.page.panel(form.button_box, ground, radius=6)
        self.page.place("button", form.button_box)
        self.page.write(left + width / 2, self.y + height / 2, form.button, face, ink, align="middle")
        self.y += height + round(self.size * 0.8)


def _on_line(sheet: Sheet, field: Field, left: float, right: float, y: float) -> float:
    """Label and entry on one line with a rule under the entry."""
    middle, size = y + sheet.size * 0.9, sheet.size
    start = sheet.label(field, left, middle) + 10
    sheet.note(field, start, y, right, middle + size * 0.6)
    sheet.enter(field, start + 6, middle)
    sheet.page.across(start, right, middle + size * 0.65, sheet.theme.faint, 1, dash=0)
    return size * 2.1


def _in_box(sheet: Sheet, field: Field, left: float, right: float, y: float) -> float:
    """A ruled box with the label small in its upper left corner."""
    size, height = sheet.size, sheet.size * 3.1
    sheet.page.panel((left, y, right, y + height), sheet.theme.panel, outline=sheet.theme.faint)
    sheet.label(field, left + 7, y + size * 0.8, ink=sheet.theme.faint)
    sheet.note(field, left, y, right, y + height)
    sheet.enter(field, left + 9, y + size * 2.1)
    return height + 8


def _in_comb(sheet: Sheet, field: Field, left: float, right: float, y: float) -> float:
    """A row of cells, one for each character."""
    size, page = sheet.size, sheet.page
    sheet.label(field, left, y + size * 0.5)
    cell = max(sheet.hand.text.width(character) for character in "MW0m") + 3
    count = int((right - left) // cell)
    count = min(count, max(len(field.entry), sheet.rng.randint(12, 24)))
    top, bottom = y + size * 1.2, y + size * 2.7
    for index in range(count):
        x = left + index * cell
        page.panel((x, top, x + cell + 1, bottom), sheet.theme.panel, outline=sheet.theme.faint)
    sheet.note(field, left, top, left + count * cell, bottom)
    placed, start = page.scene.placed, len(page.scene.placed)
    for index, character in enumerate(field.entry):
        if character != " ":
            x, y = left + (index + 0.5) * cell, (top + bottom) / 2
            page.write(x, y, character, sheet.hand.text, sheet.pen, align="middle", legible=field.legible)
    characters = [thing for thing in placed[start:] if thing.kind == "character"]
    del placed[start:]
    index = 0
    for word in field.entry.split() if field.legible else ():
        boxes = [thing.box for thing in characters[index : index + len(word)]]
        index += len(word)
        around = (boxes[0][0], min(b[1] for b in boxes), boxes[-1][2], max(b[3] for b in boxes))
        placed.append(Placed("word", word, around))
    placed += characters
    field.places = tuple(range(start, len(placed)))
    return size * 3.5


def _under_label(sheet: Sheet, field: Field, left: float, right: float, y: float) -> float:
    """A round input under its label."""
    size = sheet.size
    sheet.label(field, left, y + size * 0.5)
    top, bottom = y + size * 1.2, y + size * 3.2
    box = (left, round(top), right, round(bottom))
    sheet.page.panel(box, sheet.theme.ground, radius=6, outline=sheet.theme.rule)
    sheet.note(field, *box)
    sheet.enter(field, left + 10, (top + bottom) / 2)
    return size * 3.9


def _in_table(sheet: Sheet, field: Field, left: float, right: float, y: float) -> float:
    """A row of a table: a tinted cell with the label, a cell for the entry."""
    height = round(sheet.size * 2.3)
    widest = max(sheet.print.text.width(f.label + " *") for f in sheet.form.fields)
    middle = left + widest + 22
    tint = shade(sheet.page.rng, sheet.split, 0.9, sheet.theme.accent, 0.1)
    sheet.page.panel((left, y, middle + 1, y + height + 1), tint, outline=sheet.theme.faint)
    sheet.page.panel((middle, y, right, y + height + 1), sheet.theme.panel, outline=sheet.theme.faint)
    sheet.label(field, left + 10, y + height / 2)
    sheet.note(field, middle, y, right, y + height)
    sheet.enter(field, middle + 10, y + height / 2)
    return height


def _filled(sheet: Sheet, field: Field, left: float, right: float, y: float) -> float:
    """A tinted field with a strong lower edge, the label small inside; in the middle while nothing is entered."""
    size, height = sheet.size, sheet.size * 3
    tint = mixed(sheet.theme.panel, sheet.theme.accent, 0.1)
    sheet.page.panel((left, y, right, y + height), tint, radius=4)
    sheet.page.across(left, right, y + height - 2, sheet.theme.accent if field.entry else sheet.theme.rule, 2)
    sheet.label(field, left + 10, y + (size * 0.8 if field.entry else height / 2), ink=sheet.theme.faint)
    sheet.note(field, left, y, right, y + height)
    sheet.enter(field, left + 10, y + size * 2.05)
    return height + 9


FieldStyle = Callable[[Sheet, Field, float, float, float], float]
FIELD_STYLES: dict[str, FieldStyle] = {
    "lines": _on_line,
    "boxes": _in_box,
    "combs": _in_comb,
    "web": _under_label,
    "table": _in_table,
    "filled fields": _filled,
}


def draw_form(rng: random.Random, seed: int, split: Split, template: str, form: Form) -> Scene:
    """A scene with the form on it and nothing asked yet."""
    sheet = Sheet(rng, seed, split, template, form)
    sheet.heading()
    parts = [
        lambda: sheet.options(form.ticks_label, form.ticks, one=False),
        lambda: sheet.options(form.choice_label, form.choice, one=True),
    ]
    rng.shuffle(parts)
    sheet.fields()
    for part in parts:
        part()
    if form.signed is not None:
        sheet.sign()
    if form.button:
        sheet.press()
    assert sheet.y <= LONGEST, "the form is longer than its sheet"
    sheet.page.cut(min(LONGEST, round(sheet.y + rng.randint(6, 20))))
    return sheet.page.scene
