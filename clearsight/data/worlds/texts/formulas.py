"""Mathematical formulas, numbered, as books, boards and exercise sheets show them: reading and working them out.

Formulas are transcribed in LaTeX with braces around every script. Proofs, diagrams and units are left out.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import font_file, text_font
from clearsight.data.worlds.drawing.glyphs import advance
from clearsight.data.worlds.drawing.palette import RGB, colour
from clearsight.data.worlds.drawing.running_text import set_words, size_of_x_height
from clearsight.data.worlds.scene import NUMBERS, Placed, Scene, Split, belongs_to, listed, rng_for
from clearsight.data.worlds.texts.formula_layout import (
    GREEK,
    Faces,
    Fence,
    Fraction,
    Large,
    Matrix,
    Node,
    Root,
    Script,
    draw_formula,
    latex,
    lay,
    row,
)

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("textbook", "board", "exercises"),
    "eval": ("notebook", "cards"),
}
# Upright and italic fonts, and one that has every sign the first two may lack.
FACES: dict[Split, tuple[tuple[str, str, str], ...]] = {
    "train": (
        ("STIXGeneral-Regular", "STIXGeneral-Italic", "STIXGeneral-Regular"),
        ("cmunrm", "cmunti", "STIXGeneral-Regular"),
        ("LinLibertine_R", "LinLibertine_RI", "LinLibertine_R"),
        ("OldStandard-Regular", "OldStandard-Italic", "STIXGeneral-Regular"),
        ("LiberationSerif-Regular", "LiberationSerif-Italic", "LiberationSerif-Regular"),
        ("GFSDidot", "GFSDidotItalic", "STIXGeneral-Regular"),
    ),
    "eval": (
        ("GFSNeohellenic", "GFSNeohellenicIt", "Vollkorn-Regular"),
        ("Cardo104s", "Cardoi99", "Vollkorn-Regular"),
        ("NotoSerif-Regular", "NotoSerif-Italic", "Vollkorn-Regular"),
    ),
}
SUBJECTS = (
    *(
        "Fractions",
        "Sums and Products",
        "Integrals",
        "Roots",
        "Matrices",
        "Equations",
        "Powers",
        "Series",
        "Limits",
    ),
    *(
        "Algebra",
        "Determinants",
        "Polynomials",
        "Revision",
        "Practice",
        "Homework",
        "Worked Examples",
        "Exercises",
    ),
    *("Mixed Problems", "Test A", "Test B", "Summary", "Formulas", "First Steps", "Rules", "Identities"),
)

TRANSCRIBE = (
    "Write formula ({number}) in LaTeX.",
    "Transcribe formula ({number}) in LaTeX, with braces around every exponent and index.",
    "Give the LaTeX source of formula ({number}), every script in braces.",
)
HOW_MANY = (
    "How many formulas are there?",
    "Count the formulas.",
    "How many numbered formulas does the picture hold?",
)
NUMERATOR = (
    "What is the numerator in formula ({number})?",
    "What stands above the fraction bar in formula ({number})?",
    "Write down the upper part of the fraction in formula ({number}).",
)
DENOMINATOR = (
    "What is the denominator in formula ({number})?",
    "What stands below the fraction bar in formula ({number})?",
    "Write down the lower part of the fraction in formula ({number}).",
)
UPPER = (
    "What is the upper limit of the {operator} in formula ({number})?",
    "Up to what does the {operator} in formula ({number}) go?",
    "Read the limit written at the top of the {operator} in formula ({number}).",
)
LOWER = (
    "What is the lower limit of the {operator} in formula ({number})?",
    "At which value does the {operator} in formula ({number}) start?",
    "Read the number with which the {operator} in formula ({number}) begins.",
)
EXPONENT = (
    "What is the exponent of {letter} in formula ({number})?",
    "To which power is {letter} raised in formula ({number})?",
    "Read the power to which {letter} stands in formula ({number}).",
)
RADICAND = (
    "What is under the root in formula ({number})?",
    "Of what is the root taken in formula ({number})?",
    "Write down what the root sign covers in formula ({number}).",
)
ENTRY = (
    "Which number is in row {row}, column {column} of the matrix in formula ({number})?",
    "Read the entry of the matrix in formula ({number}) at row {row} and column {column}.",
    "What stands where row {row} and column {column} meet in formula ({number})?",
)
ROWS = (
    "How many rows does the matrix in formula ({number}) have?",
    "Count the rows of the matrix in formula ({number}).",
    "The matrix in formula ({number}) has how many rows?",
)
VALUE = (
    "What is the value of formula ({number})?",
    "Work out formula ({number}).",
    "Which number does formula ({number}) come to?",
)
LEFT_SIDE = (
    "What stands left of the equals sign in formula ({number})?",
    "Which letter does formula ({number}) define?",
    "Name the letter on the left-hand side of formula ({number}).",
)
COEFFICIENT = (
    "What is the coefficient of {term} in formula ({number})?",
    "By which number is {term} multiplied in formula ({number})?",
    "Give the number in front of {term} in formula ({number}), with its sign.",
)
GREEK_LETTER = (
    "Which of these Greek letters is in formula ({number})?",
    "Formula ({number}) contains which Greek letter?",
    "Pick the Greek letter that can be seen in formula ({number}).",
)
WHICH_HAS = (
    "Which formula contains {thing}? Give its number.",
    "What is the number of the formula with {thing}?",
    "In the formula of which number does {thing} occur?",
)
HAS = (
    "Does formula ({number}) contain {thing}?",
    "Is there {thing} in formula ({number})?",
    "Would one find {thing} in formula ({number})?",
)
POINT = (
    "Where is formula ({number})?",
    "Point to formula ({number}).",
    "Show where formula ({number}) stands.",
)
BOX = (
    "Frame formula ({number}).",
    "What is the box around formula ({number})?",
    "Draw a frame around formula ({number}), without its number.",
)
LARGEST = (
    "Which of the formulas has the largest value? Give its number.",
    "The value of which formula is the largest? Give its number.",
    "Work out every formula and give the number of the one that comes to most.",
)

THINGS = {
    "fraction": "a fraction",
    "root": "a square root",
    "sum": "a sum sign",
    "product": "a product sign",
    "integral": "an integral sign",
    "matrix": "a matrix",
    "determinant": "a determinant",
}


@dataclass
class Formula:
    """`parts` are what may be asked for, by name; `has` are keys of THINGS; `value` is what it comes to."""

    node: Node
    parts: dict[str, Any] = field(default_factory=dict)
    has: tuple[str, ...] = ()
    value: int | None = None
    number: int = 0
    legible: bool = True
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    places: list[int] = field(default_factory=list)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("formulas", seed, split)
    template = rng.choice(TEMPLATES[split])
    computed = rng.random() < 0.35  # all of them come to a number
    makers = rng.sample(_COMPUTED if computed else _COMPUTED + _STATED, rng.choice((1, 2, 3, 3, 4)))
    formulas = [make(rng) for make in makers]
    if len(formulas) > 1 and rng.random() < 0.35:
        rng.choice(formulas).legible = False
    scene = Scene("formulas", seed, split, Image.new("RGB", (1, 1)))
    title = rng.choice([s for s in SUBJECTS if belongs_to(split, s, every=4)]) if rng.random() < 0.6 else ""
    _LAYOUTS[template](rng, scene, formulas, title)
    scene.facts = {
        "template": template,
        "title": title,
        "formulas": [
            {
                "number": f.number,
                "latex": latex(f.node),
                "has": list(f.has),
                "legible": f.legible,
                "box": list(f.box),
            }
            for f in formulas
        ],
    }
    ask = Asker(scene, rng)
    _ask_about_all(ask, formulas)
    for formula in formulas:
        if formula.legible:
            _ask_about_one(ask, formula)
    _describe(scene, formulas, title)
    return scene


# ---------------------------------------------------------------------------------------------------
# Formulas that come to a number


def _whole_fraction(rng: random.Random) -> Formula:
    low, times = rng.randint(2, 9), rng.randint(2, 9)
    first = rng.randint(1, low * times - 1)
    above = row(str(first), " + ", str(low * times - first))
    if rng.random() < 0.5:
        return Formula(
            Fraction(above, row(str(low))), {"fraction": (above, row(str(low)))}, ("fraction",), times
        )
    more = rng.randint(1, 20)
    node = row(Fraction(above, row(str(low))), " + ", str(more))
    return Formula(node, {"fraction": (above, row(str(low)))}, ("fraction",), times + more)


def _root_of_square(rng: random.Random) -> Formula:
    base, more = rng.randint(2, 12), rng.randint(1, 15)
    first = rng.randint(1, base * base - 1)
    inner = row(str(base * base)) if rng.random() < 0.5 else row(str(first), " + ", str(base * base - first))
    return Formula(row(Root(inner), " + ", str(more)), {"radicand": inner}, ("root",), base + more)


def _power(rng: random.Random) -> Formula:
    base, exponent, less = rng.randint(2, 5), rng.randint(2, 3), rng.randint(1, 9)
    node = row(Script(row(str(base)), row(str(exponent))), " − ", str(less))
    return Formula(node, {"exponent": (str(base), str(exponent))}, (), base**exponent - less)


def _sum(rng: random.Random) -> Formula:
    low, high = rng.randint(1, 2), rng.randint(3, 6)
    letter, factor = rng.choice("ikn"), rng.randint(2, 5)
    squared = rng.random() < 0.4
    body = Script(row(letter), row("2")) if squared else row(str(factor), letter)
    value = sum(i * i if squared else factor * i for i in range(low, high + 1))
    node = row(Large("∑", row(letter, " = ", str(low)), row(str(high))), body)
    return Formula(node, {"limits": ("sum", low, high)}, ("sum",), value)


def _product(rng: random.Random) -> Formula:
    low, high, letter = rng.randint(1, 2), rng.randint(3, 4), rng.choice("jkn")
    more, value = rng.randint(0, 2), 1
    for i in range(low, high + 1):
        value *= i + more
    body = Fence(row(letter, " + ", str(more))) if more else row(letter)
    node = row(Large("∏", row(letter, " = ", str(low)), row(str(high))), body)
    return Formula(node, {"limits": ("product", low, high)}, ("product",), value)


def _integral(rng: random.Random) -> Formula:
    low, high, slope, constant = (
        rng.randint(0, 2),
        rng.randint(3, 6),
        2 * rng.randint(1, 4),
        rng.randint(1, 9),
    )
    letter = rng.choice("xtu")
    value = slope // 2 * (high * high - low * low) + constant * (high - low)
    body = Fence(row(str(slope), letter, " + ", str(constant)))
    node = row(Large("∫", row(str(low)), row(str(high))), body, " d" + letter)
    return Formula(node, {"limits": ("integral", low, high)}, ("integral",), value)


def _determinant(rng: random.Random) -> Formula:
    a, b, c, d = (rng.randint(1, 9) for _ in range(4))
    node = Matrix(((row(str(a)), row(str(b))), (row(str(c)), row(str(d)))), "v")
    return Formula(node, {}, ("determinant",), a * d - b * c)


# ---------------------------------------------------------------------------------------------------
# Formulas that state something


def _quadratic(rng: random.Random) -> Formula:
    letter = rng.choice("xyzt")
    a, b, c = (
        rng.randint(2, 9),
        rng.choice((-1, 1)) * rng.randint(2, 12),
        rng.choice((-1, 1)) * rng.randint(1, 20),
    )
    exponent = rng.choice((2, 2, 3, 4))
    node = row(
        str(a),
        Script(row(letter), row(str(exponent))),
        _sign(b),
        str(abs(b)),
        letter,
        _sign(c),
        str(abs(c)),
        " = ",
        "0",
    )
    return Formula(node, {"exponent": (letter, str(exponent)), "coefficient": (letter, b)})


def _sign(number: int) -> str:
    return " + " if number > 0 else " − "


def _definition(rng: random.Random) -> Formula:
    """A letter defined by a fraction with a Greek letter in it."""
    left, a, b = rng.sample("ABEFKLPQRSTVW", 1) + rng.sample("abcdhkmnpqrsv", 2)
    name = rng.choice(sorted(GREEK))
    above = (
        row(GREEK[name], Script(row(a), row(str(rng.randint(2, 4)))))
        if rng.random() < 0.5
        else row(GREEK[name], a)
    )
    below = row(str(rng.randint(2, 9)), b) if rng.random() < 0.6 else row(b, " + ", str(rng.randint(1, 9)))
    node = row(left, " = ", Fraction(above, below))
    return Formula(node, {"fraction": (above, below), "left": left, "greek": name}, ("fraction",))


def _root_definition(rng: random.Random) -> Formula:
    left, a, b = rng.sample("CDGHMNUXYZ", 1) + rng.sample("abefgkmpqrs", 2)
    inner = row(Script(row(a), row("2")), rng.choice((" + ", " − ")), str(rng.randint(2, 9)), b)
    return Formula(row(left, " = ", Root(inner)), {"radicand": inner, "left": left}, ("root",))


def _matrix(rng: random.Random) -> Formula:
    rows, columns = rng.choice(((2, 2), (2, 3), (3, 2), (3, 3)))
    numbers = [[rng.randint(0, 99 if rng.random() < 0.3 else 9) for _ in range(columns)] for _ in range(rows)]
    left = rng.choice("ABCMPT")
    cells = tuple(tuple(row(str(n)) for n in line) for line in numbers)
    node = row(left, " = ", Matrix(cells, rng.choice("bp")))
    return Formula(node, {"matrix": numbers, "left": left}, ("matrix",))


def _recursion(rng: random.Random) -> Formula:
    letter, index, name = rng.choice("abcuv"), rng.choice("nk"), rng.choice(sorted(GREEK))
    node = row(
        Script(row(letter), None, row(index, " + ", "1")),
        " = ",
        GREEK[name],
        Script(row(letter), None, row(index)),
        rng.choice((" + ", " − ")),
        str(rng.randint(2, 30)),
    )
    return Formula(node, {"greek": name})


_COMPUTED: tuple[Callable[[random.Random], Formula], ...] = (
    _whole_fraction,
    _root_of_square,
    _power,
    _sum,
    _product,
    _integral,
    _determinant,
)
_STATED: tuple[Callable[[random.Random], Formula], ...] = (
    _quadratic,
    _definition,
    _root_definition,
    _matrix,
    _recursion,
)


# ---------------------------------------------------------------------------------------------------
# Layouts


def _faces(rng: random.Random, split: Split) -> Faces:
    return Faces(*(font_file(name) for name in rng.choice(FACES[split])))


def _boxes(rng: random.Random, split: Split, formulas: list[Formula], room: float) -> list[Any]:
    """The formulas laid out in one size, so that the widest fits."""
    faces, size = _faces(rng, split), rng.uniform(28, 42)
    while True:
        boxes = [lay(formula.node, size, faces) for formula in formulas]
        if max(box.width for box in boxes) <= room or size < 26:
            return boxes
        size *= 0.93


def _put(
    scene: Scene, formula: Formula, box: Any, left: float, baseline: float, ink: RGB, rng: random.Random
) -> None:
    words, characters = draw_formula(scene.picture, box, left, baseline, ink)
    formula.box = (left, baseline - box.above, left + box.width, baseline + box.below)
    if not formula.legible:
        lettering.smudge(scene.picture, formula.box, rng)
        return
    formula.places = list(range(len(scene.placed), len(scene.placed) + len(words)))
    scene.placed += [*words, *characters, Placed("object", "formula", formula.box)]


def _write(scene: Scene, text: str, x: float, baseline: float, font: str, size: int, ink: RGB) -> None:
    words, characters = set_words(scene.picture, x, baseline, text.split(), font, size, ink)
    scene.placed += words + characters


def _numbered_page(
    rng: random.Random,
    scene: Scene,
    formulas: list[Formula],
    title: str,
    ground: RGB,
    ink: RGB,
    style: str,
    paint: Callable[[Image.Image, int], None] | None = None,
) -> None:
    """Formulas one below the other, numbered at the right ("right") or the left ("left")."""
    split, width = scene.split, rng.choice((400, 448, 480))
    font = text_font(rng, split)
    size = size_of_x_height(font, rng.uniform(8.5, 10.0))
    side = 70
    boxes = _boxes(rng, split, formulas, width - side - 50)
    gap = rng.randint(26, 44)
    top = 56 if title else 22
    height = max(260, round(top + sum(b.above + b.below + gap for b in boxes) + 8))
    scene.picture = Image.new("RGB", (width, height), ground)
    if paint:
        paint(scene.picture, top)
    if title:
        big = round(size * 1.25)
        _write(scene, title, 24, 36, font, big, ink)
    first = 1 if rng.random() < 0.6 else rng.randint(2, 40)
    y = top + (height - top - sum(b.above + b.below + gap for b in boxes)) / 2 + gap / 2
    for index, (formula, box) in enumerate(zip(formulas, boxes, strict=True)):
        formula.number = first + index
        label = f"({formula.number})"
        baseline = y + box.above
        if style == "right":
            x = (width - side - box.width) / 2 + 8
            _put(scene, formula, box, x, baseline, ink, rng)
            _write(scene, label, width - 20 - advance(font, size, label), baseline, font, size, ink)
        else:
            _write(scene, label, 20, baseline, font, size, ink)
            _put(scene, formula, box, side + 6, baseline, ink, rng)
        y += box.above + box.below + gap


def _textbook(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Centred formulas on white paper, their numbers at the right margin."""
    level = rng.randint(242, 255)
    shade = rng.randint(8, 50)
    _numbered_page(
        rng, scene, formulas, title, (level, level, level - rng.randint(0, 10)), (shade,) * 3, "right"
    )


def _board(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Chalk on a board, with traces of the sponge."""
    ground = rng.choice(((34, 62, 48), (26, 44, 40), (38, 40, 44), (24, 50, 66)))
    ground = tuple(v + rng.randint(-6, 6) for v in ground)
    ink = rng.choice(((244, 244, 238), (250, 240, 190), (225, 240, 250)))
    noise = np.random.default_rng(rng.getrandbits(32))

    def wipe(picture: Image.Image, top: int) -> None:
        grain = noise.normal(0, 1, (6, 5, 1)).clip(-2, 2) * 5
        field_ = Image.fromarray((128 + grain.repeat(3, 2)).astype(np.uint8)).resize(
            picture.size, Image.Resampling.BICUBIC
        )
        pixels = np.asarray(picture, dtype=np.int16) + np.asarray(field_, dtype=np.int16) - 128
        picture.paste(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))

    _numbered_page(rng, scene, formulas, title, ground, ink, rng.choice(("left", "right")), wipe)  # type: ignore[arg-type]


def _exercises(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """An exercise sheet: numbers at the left, thin rules between the problems."""
    tone = colour(rng, scene.split, rng.choice(("blue", "brown", "purple", "green")))
    ink = tuple(v // 3 for v in tone)

    def rule(picture: Image.Image, top: int) -> None:
        draw = ImageDraw.Draw(picture)
        draw.line((20, top - 8, picture.width - 20, top - 8), fill=tone, width=2)
        draw.rectangle((0, 0, 7, picture.height), fill=tone)

    _numbered_page(rng, scene, formulas, title, (253, 252, 250), ink, "left", rule)  # type: ignore[arg-type]


def _notebook(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Squared paper with a red margin, written in blue or black."""
    step = rng.randint(15, 19)
    ink = rng.choice(((22, 40, 120), (30, 30, 36), (16, 70, 60)))
    line = rng.choice(((214, 226, 240), (226, 226, 232)))

    def squares(picture: Image.Image, top: int) -> None:
        draw = ImageDraw.Draw(picture)
        for x in range(0, picture.width, step):
            draw.line((x, 0, x, picture.height), fill=line)
        for y in range(0, picture.height, step):
            draw.line((0, y, picture.width, y), fill=line)
        draw.line((66, 0, 66, picture.height), fill=(236, 150, 150), width=2)

    _numbered_page(rng, scene, formulas, title, (252, 252, 248), ink, "left", squares)


def _cards(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Every formula on a card of its own, its number in the corner, two cards side by side."""
    split, font = scene.split, text_font(rng, scene.split)
    size = size_of_x_height(font, 8.5)
    columns = 1 if len(formulas) == 1 else 2
    boxes = _boxes(rng, split, formulas, 240)
    wide = max(200, round(max(box.width for box in boxes)) + 44)
    tall = max(120, round(max(box.above + box.below for box in boxes)) + 64)
    rows = -(-len(formulas) // columns)
    width, height = columns * (wide + 14) + 14, rows * (tall + 14) + 14
    table = colour(rng, split, rng.choice(("brown", "gray", "blue", "green")))
    scene.picture = Image.new("RGB", (max(width, 240), max(height, 240)), table)
    draw = ImageDraw.Draw(scene.picture)
    left0, top0 = (scene.picture.width - width) / 2, (scene.picture.height - height) / 2
    for index, (formula, box) in enumerate(zip(formulas, boxes, strict=True)):
        formula.number = index + 1
        left = left0 + 14 + (index % columns) * (wide + 14)
        top = top0 + 14 + (index // columns) * (tall + 14)
        level = rng.randint(236, 255)
        draw.rounded_rectangle(
            (left, top, left + wide, top + tall), 10, (level, level, level - rng.randint(0, 24))
        )
        _write(scene, f"({index + 1})", left + 10, top + 24, font, size, (70, 70, 76))
        baseline = top + 16 + (tall - box.above - box.below) / 2 + box.above
        _put(scene, formula, box, left + (wide - box.width) / 2, baseline, (24, 24, 30), rng)


_LAYOUTS = {
    "textbook": _textbook,
    "board": _board,
    "exercises": _exercises,
    "notebook": _notebook,
    "cards": _cards,
}


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask_about_all(ask: Asker, formulas: list[Formula]) -> None:
    rng, legible = ask.rng, [f for f in formulas if f.legible]
    ask.count("how many", HOW_MANY, len(formulas))
    for formula in formulas:
        if not formula.legible:
            ask.cant_be_read("formula that can't be read", TRANSCRIBE, number=formula.number)
    highest = max(f.number for f in formulas)
    ask.not_shown("formula that is absent", TRANSCRIBE, number=highest + rng.randint(1, 2))
    if len(legible) == len(formulas):
        things = [thing for f in formulas for thing in f.has]
        single = [f for f in formulas if any(things.count(thing) == 1 for thing in f.has)]
        if single and len(formulas) > 1:
            formula = rng.choice(single)
            thing = next(thing for thing in formula.has if things.count(thing) == 1)
            ask.number("which has", WHICH_HAS, formula.number, thing=THINGS[thing], needs=formula.places)
        values = sorted(f.value for f in formulas if f.value is not None)
        if len(values) == len(formulas) > 1 and values[-1] > values[-2]:
            ask.number("largest", LARGEST, next(f.number for f in formulas if f.value == values[-1]))
    formula = rng.choice(legible)
    if formula.has:
        present = rng.random() < 0.5
        others = [thing for thing in THINGS if thing not in formula.has]
        if set(formula.has) & {"matrix", "determinant"}:  # people call either a matrix
            others = [thing for thing in others if thing not in ("matrix", "determinant")]
        thing = rng.choice(formula.has) if present else rng.choice(others)
        ask.yes_no("has", HAS, present, number=formula.number, thing=THINGS[thing], needs=formula.places)
    if "fraction" not in formula.has:
        ask.not_shown("numerator that is absent", NUMERATOR, number=formula.number)
    operators = [op for op in ("sum", "product", "integral") if op not in formula.has]
    if len(operators) < 3:
        ask.not_shown("limit that is absent", UPPER, number=formula.number, operator=rng.choice(operators))


def _ask_about_one(ask: Asker, formula: Formula) -> None:
    rng, parts = ask.rng, formula.parts
    about: dict[str, Any] = {"number": formula.number, "needs": formula.places}
    ask.verbatim("transcribe", TRANSCRIBE, latex(formula.node), **about)
    if rng.random() < 0.5:
        ask.point("point", POINT, formula.box, **about)
    else:
        ask.box("box", BOX, formula.box, **about)
    if formula.value is not None:
        ask.number("value", VALUE, formula.value, **about)
    if "fraction" in parts:
        above, below = parts["fraction"]
        ask.verbatim("numerator", NUMERATOR, latex(above), **about)
        ask.verbatim("denominator", DENOMINATOR, latex(below), **about)
    if "radicand" in parts:
        ask.verbatim("radicand", RADICAND, latex(parts["radicand"]), **about)
    if "exponent" in parts:
        letter, exponent = parts["exponent"]
        ask.number("exponent", EXPONENT, int(exponent), letter=letter, **about)
    if "coefficient" in parts:
        letter, number = parts["coefficient"]
        ask.number("coefficient", COEFFICIENT, number, term=letter, **about)
    if "limits" in parts:
        operator, low, high = parts["limits"]
        ask.number("upper limit", UPPER, high, operator=operator, **about)
        ask.number("lower limit", LOWER, low, operator=operator, **about)
    if "matrix" in parts:
        numbers = parts["matrix"]
        i, j = rng.randrange(len(numbers)), rng.randrange(len(numbers[0]))
        ask.number("entry", ENTRY, numbers[i][j], row=i + 1, column=j + 1, **about)
        ask.count("rows", ROWS, len(numbers), **about)
    if "left" in parts:
        ask.text("left side", LEFT_SIDE, parts["left"], **about)
    if "greek" in parts:
        ask.choice("greek letter", GREEK_LETTER, parts["greek"], sorted(GREEK), **about)


def _describe(scene: Scene, formulas: list[Formula], title: str) -> None:
    where = {
        "textbook": "in a textbook",
        "board": "on a board",
        "exercises": "on an exercise sheet",
        "notebook": "in a notebook of squared paper",
        "cards": "on cards" if len(formulas) > 1 else "on a card",
    }[scene.facts["template"]]
    many = "A formula" if len(formulas) == 1 else f"{NUMBERS[len(formulas)].capitalize()} formulas"
    scene.short_caption = f"{many} {where}."
    headed = f' headed "{title}"' if title and scene.facts["template"] != "cards" else ""
    things = list(dict.fromkeys(THINGS[thing] for f in formulas if f.legible for thing in f.has))
    held = (
        ", with " + (" and ".join(listed(things).rsplit(" or ", 1)) if len(things) > 1 else things[0])
        if things
        else ""
    )
    scene.caption = f"{many} {where}{headed}{held}."
    parts = [
        f"({f.number}) is {latex(f.node)}" if f.legible else f"({f.number}) can't be read" for f in formulas
    ]
    scene.long_caption = f"{scene.caption[:-1]}: " + "; ".join(parts) + "."
