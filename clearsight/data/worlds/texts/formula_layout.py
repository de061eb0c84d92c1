"""Typesetting formulas with boxes: fractions, powers, roots, sums, integrals, matrices.

A formula is a tree of nodes. `latex` writes a tree down; `lay` turns it into a box with a baseline, whose marks (glyphs
and strokes) are then drawn at twice the size and reduced. The proportions follow the habits of mathematical
typesetting: fractions are centred on the axis of the plus sign, scripts are set at about two thirds of the size.
Spacing is cruder than TeX's, and there are no accents, cases or alignments.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.fonts import sized
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.drawing.scripts import draws
from clearsight.data.worlds.scene import Placed

OVERSIZE = 2  # formulas are drawn this much larger and reduced
SCRIPT, LEAST_SCRIPT = 0.68, 17  # size of scripts as a share of their base's, and in pixels of the em
# Without those that look like Latin letters in italics.
GREEK = {
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "sigma": "σ",
    "theta": "θ",
    "omega": "ω",
    "phi": "φ",
    "psi": "ψ",
    "xi": "ξ",
}
COMMANDS = {sign: f"\\{name} " for name, sign in GREEK.items()} | {
    "·": "\\cdot ",
    "×": "\\times ",
    "≤": "\\le ",
    "≥": "\\ge ",
    "≠": "\\ne ",
    "±": "\\pm ",
    "−": "-",
}
OPERATORS = {"∑": "\\sum", "∏": "\\prod", "∫": "\\int"}


@dataclass(frozen=True)
class Text:
    """Numbers, variables (italic) or signs; signs with a space on each side are set with air around them."""

    text: str
    italic: bool = False


@dataclass(frozen=True)
class Row:
    items: tuple["Node", ...]


@dataclass(frozen=True)
class Fraction:
    above: "Node"
    below: "Node"


@dataclass(frozen=True)
class Script:
    """A base with an exponent, an index, or both."""

    base: "Node"
    power: "Node | None" = None
    index: "Node | None" = None


@dataclass(frozen=True)
class Root:
    inner: "Node"


@dataclass(frozen=True)
class Large:
    """A sum, product or integral sign (a key of OPERATORS) with its limits."""

    sign: str
    low: "Node"
    high: "Node"


@dataclass(frozen=True)
class Fence:
    """Parentheses as tall as what they hold."""

    inner: "Node"


@dataclass(frozen=True)
class Matrix:
    """`edge` is "b" for brackets, "p" for parentheses, "v" for the bars of a determinant."""

    rows: tuple[tuple["Node", ...], ...]
    edge: str = "b"


Node = Text | Row | Fraction | Script | Root | Large | Fence | Matrix


def row(*items: Node | str) -> Row:
    """Nodes side by side. A string of letters is a variable, of digits a number; any other is a sign."""
    return Row(tuple(Text(item, item.strip().isalpha()) if isinstance(item, str) else item for item in items))


def latex(node: Node) -> str:
    """The formula in LaTeX: braces around every script, one space around signs and commands."""
    text = re.sub(r"\s+", " ", _latex(node)).strip()
    return re.sub(r" ([}^_)])", r"\1", text)


def _latex(node: Node) -> str:
    match node:
        case Text(text):
            return "".join(COMMANDS.get(character, character) for character in text)
        case Row(items):
            return "".join(_latex(item) for item in items)
        case Fraction(above, below):
            return f"\\frac{{{_latex(above)}}}{{{_latex(below)}}}"
        case Script(base, power, index):
            index_text = f"_{{{_latex(index)}}}" if index else ""
            return _latex(base) + index_text + (f"^{{{_latex(power)}}}" if power else "")
        case Root(inner):
            return f"\\sqrt{{{_latex(inner)}}}"
        case Large(sign, low, high):
            return f"{OPERATORS[sign]}_{{{_latex(low)}}}^{{{_latex(high)}}} "
        case Fence(inner):
            return f"({_latex(inner)})"
        case Matrix(rows, edge):
            body = " \\\\ ".join(" & ".join(_latex(cell) for cell in cells) for cells in rows)
            return f"\\begin{{{edge}matrix}} {body} \\end{{{edge}matrix}}"


# ---------------------------------------------------------------------------------------------------
# Boxes. y grows downwards from the baseline; everything is in pixels of the final picture.


@dataclass(frozen=True)
class Glyphs:
    """A run of characters of one leaf, its pen at (x, y)."""

    x: float
    y: float
    text: str
    font: str
    size: float
    width: float
    above: float
    below: float


@dataclass(frozen=True)
class Stroke:
    points: tuple[tuple[float, float], ...]
    width: float


@dataclass(frozen=True)
class Box:
    width: float
    above: float
    below: float
    marks: tuple[Glyphs | Stroke, ...]

    def moved(self, x: float, y: float) -> tuple[Glyphs | Stroke, ...]:
        return tuple(
            Glyphs(m.x + x, m.y + y, m.text, m.font, m.size, m.width, m.above, m.below)
            if isinstance(m, Glyphs)
            else Stroke(tuple((a + x, b + y) for a, b in m.points), m.width)
            for m in self.marks
        )


@dataclass(frozen=True)
class Faces:
    """Font files: what a face lacks is taken from `symbols`."""

    upright: str
    italic: str
    symbols: str

    def of(self, text: str, *, italic: bool) -> str:
        face = self.italic if italic else self.upright
        return face if draws(face, text) else self.symbols


def lay(node: Node, size: float, faces: Faces) -> Box:
    axis, pen = 0.25 * size, max(1.0, size * 0.045)
    match node:
        case Text(text, italic):
            return _lay_text(text, size, faces.of(text.strip(), italic=italic), italic)
        case Row(items):
            return _beside([lay(item, size, faces) for item in items])
        case Fraction(above, below):
            over, under = (lay(part, max(LEAST_SCRIPT, size * 0.9), faces) for part in (above, below))
            width, gap = max(over.width, under.width) + 0.3 * size, 0.12 * size + pen
            top, bottom = -axis - gap - over.below, -axis + gap + under.above
            bar = Stroke(((0.05 * size, -axis), (width - 0.05 * size, -axis)), pen)
            marks = (
                *over.moved((width - over.width) / 2, top),
                bar,
                *under.moved((width - under.width) / 2, bottom),
            )
            return Box(width, over.above - top, bottom + under.below, marks)
        case Script(base, power, index):
            return _lay_scripts(lay(base, size, faces), power, index, size, faces)
        case Root(inner):
            held = lay(inner, size, faces)
            top, bottom = -held.above - 0.14 * size, held.below + 0.02 * size
            left = 0.55 * size
            end = left + held.width + 0.1 * size
            hook = (
                (0, top * 0.38),
                (0.16 * size, top * 0.45),
                (0.34 * size, bottom),
                (left, top),
                (end, top),
            )
            marks = (Stroke(hook, pen), *held.moved(left + 0.04 * size, 0))
            return Box(end + 0.08 * size, -top + pen, max(bottom, held.below), marks)
        case Large(sign, low, high):
            return _lay_large(sign, low, high, size, faces)
        case Fence(inner):
            return _fenced(lay(inner, size, faces), "p", size)
        case Matrix(rows, edge):
            return _lay_matrix(rows, edge, size, faces)


def _lay_text(text: str, size: float, font: str, italic: bool) -> Box:
    face = sized(font, round(size * OVERSIZE))
    shown = text.strip()
    air = 0.22 * size if text != shown else 0.0
    _, top, right, bottom = (v / OVERSIZE for v in face.getbbox(shown, anchor="ls"))
    width = max(face.getlength(shown) / OVERSIZE, right + (0.04 * size if italic else 0.0))
    glyphs = Glyphs(air, 0.0, shown, font, size, width, -top, bottom)
    return Box(width + 2 * air, -top, max(0.0, bottom), (glyphs,))


def _beside(boxes: Sequence[Box], gap: float = 0.0) -> Box:
    marks: list[Glyphs | Stroke] = []
    x = 0.0
    for box in boxes:
        marks += box.moved(x, 0)
        x += box.width + gap
    return Box(x - gap, max(b.above for b in boxes), max(b.below for b in boxes), tuple(marks))


def _lay_scripts(base: Box, power: Node | None, index: Node | None, size: float, faces: Faces) -> Box:
    small, marks = max(LEAST_SCRIPT, size * SCRIPT), list(base.marks)
    width, above, below = base.width, base.above, base.below
    if power:
        box = lay(power, small, faces)
        lift = max(0.38 * size, base.above - 0.3 * size) + box.below
        marks += box.moved(base.width + 0.05 * size, -lift)
        width, above = max(width, base.width + 0.1 * size + box.width), max(above, lift + box.above)
    if index:
        box = lay(index, small, faces)
        drop = 0.2 * size + base.below
        marks += box.moved(base.width + 0.02 * size, drop)
        width, below = max(width, base.width + 0.08 * size + box.width), max(below, drop + box.below)
    return Box(width, above, below, tuple(marks))


def _lay_large(sign: str, low: Node, high: Node, size: float, faces: Faces) -> Box:
    """Limits stand below and above a sum, and to the right of an integral."""
    face = sized(faces.symbols, 200)
    left, top, right, bottom = face.getbbox(sign, anchor="ls")
    tall = size * (1.9 if sign == "∫" else 1.35)
    scale = tall / (bottom - top)
    width, rise = (right - left) * scale, -0.25 * size + tall / 2 - bottom * scale
    glyph = Glyphs(
        -left * scale, rise, sign, faces.symbols, 200 * scale, right * scale, -top * scale, bottom * scale
    )
    above, below = 0.25 * size + tall / 2, tall / 2 - 0.25 * size
    small = max(LEAST_SCRIPT, size * 0.62)
    under, over = lay(low, small, faces), lay(high, small, faces)
    if sign == "∫":
        marks = (
            glyph,
            *over.moved(width + 0.1 * size, -above + over.above),
            *under.moved(width * 0.75, below - under.below + 0.05 * size),
        )
        reach = max(width * 0.75 + under.width, width + 0.1 * size + over.width)
        return Box(reach + 0.15 * size, above + 0.05 * size, below + 0.1 * size, marks)
    reach, gap = max(width, under.width, over.width), 0.12 * size
    x = (reach - width) / 2
    sign_box = Box(width, 0, 0, (glyph,))
    marks = (
        *sign_box.moved(x, 0),
        *over.moved((reach - over.width) / 2, -above - gap - over.below),
        *under.moved((reach - under.width) / 2, below + gap + under.above),
    )
    taller, deeper = above + gap + over.above + over.below, below + gap + under.above + under.below
    return Box(reach + 0.18 * size, taller, deeper, marks)


def _lay_matrix(rows: tuple[tuple[Node, ...], ...], edge: str, size: float, faces: Faces) -> Box:
    cells = [[lay(cell, size * 0.92, faces) for cell in line] for line in rows]
    widths = [max(line[c].width for line in cells) for c in range(len(cells[0]))]
    heights = [(max(b.above for b in line), max(b.below for b in line)) for line in cells]
    gap = 0.4 * size
    total = sum(a + b for a, b in heights) + gap * (len(rows) - 1)
    y = -total / 2 - 0.25 * size
    marks: list[Glyphs | Stroke] = []
    for line, (above, below) in zip(cells, heights, strict=True):
        x = 0.0
        for box, width in zip(line, widths, strict=True):
            marks += box.moved(x + (width - box.width) / 2, y + above)
            x += width + 0.7 * size
        y += above + below + gap
    inner = Box(
        sum(widths) + 0.7 * size * (len(widths) - 1),
        total / 2 + 0.25 * size,
        total / 2 - 0.25 * size,
        tuple(marks),
    )
    return _fenced(inner, edge, size)


def _fenced(inner: Box, edge: str, size: float) -> Box:
    """Put brackets, parentheses or bars around a box."""
    pen, wide = max(1.0, size * 0.045), 0.2 * size
    top, bottom = -inner.above - 0.1 * size, inner.below + 0.1 * size
    right = wide + 0.12 * size + inner.width + 0.12 * size

    def side(outer: float, towards: float) -> Stroke:
        if edge == "b":
            points = ((outer + towards, top), (outer, top), (outer, bottom), (outer + towards, bottom))
        elif edge == "v":
            points = ((outer + towards / 2, top), (outer + towards / 2, bottom))
        else:
            steps = [i / 8 for i in range(9)]
            points = tuple((outer + towards * (1 - 4 * t * (1 - t)), top + (bottom - top) * t) for t in steps)
        return Stroke(points, pen * (1.0 if edge != "p" else 1.15))

    shown = wide * 0.7
    marks = (
        side(0.06 * size, shown),
        *inner.moved(wide + 0.12 * size, 0),
        side(right + shown, -shown),
    )
    return Box(right + shown + 0.08 * size, -top, bottom, marks)


# ---------------------------------------------------------------------------------------------------
# Drawing


def draw_formula(
    canvas: Image.Image, box: Box, left: float, baseline: float, ink: RGB
) -> tuple[list[Placed], list[Placed]]:
    """Draw a box and give its leaves as words, in the order in which they are written, and their characters."""
    margin = 4
    size = (round(box.width) + 2 * margin, round(box.above + box.below) + 2 * margin)
    x0, y0 = round(left) - margin, round(baseline - box.above) - margin
    mask = Image.new("L", (size[0] * OVERSIZE, size[1] * OVERSIZE), 0)
    draw = ImageDraw.Draw(mask)
    words, characters = [], []
    for mark in box.marks:
        if isinstance(mark, Stroke):
            points = [((x + left - x0) * OVERSIZE, (y + baseline - y0) * OVERSIZE) for x, y in mark.points]
            draw.line(points, fill=255, width=round(mark.width * OVERSIZE), joint="curve")
            continue
        face = sized(mark.font, round(mark.size * OVERSIZE))
        x, y = left + mark.x, baseline + mark.y
        draw.text(((x - x0) * OVERSIZE, (y - y0) * OVERSIZE), mark.text, font=face, fill=255, anchor="ls")
        words.append(Placed("word", mark.text, (x, y - mark.above, x + mark.width, y + mark.below)))
        for character in mark.text:
            step = face.getlength(character) / OVERSIZE
            end = max(x + step, x + 1) if len(mark.text) > 1 else words[-1].box[2]
            characters.append(Placed("character", character, (x, y - mark.above, end, y + mark.below)))
            x += step
    mask = mask.resize(size, Image.Resampling.BOX)
    canvas.paste(ink, (x0, y0), mask)
    return words, characters
