"""Mathematical formulas, numbered, as books, boards and exercise sheets show them: reading and working them out.

Formulas are transcribed in LaTeX with braces around every script. Proofs, diagrams and units are left out.
"""

from typing import Any

from PIL import Image

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.scene import NUMBERS, Scene, Split, belongs_to, listed, rng_for
from clearsight.data.worlds.texts.formula_kinds import COMPUTED, STATED, THINGS, Formula
from clearsight.data.worlds.texts.formula_layout import GREEK, latex
from clearsight.data.worlds.texts.formula_pages import LAYOUTS, SUBJECTS, TEMPLATES

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


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("formulas", seed, split)
    template = rng.choice(TEMPLATES[split])
    computed = rng.random() < 0.35  # all of them come to a number
    makers = rng.sample(COMPUTED if computed else COMPUTED + STATED, rng.choice((1, 2, 3, 3, 4)))
    formulas = [make(rng) for make in makers]
    if len(formulas) > 1 and rng.random() < 0.35:
        rng.choice(formulas).legible = False
    scene = Scene("formulas", seed, split, Image.new("RGB", (1, 1)))
    title = rng.choice([s for s in SUBJECTS if belongs_to(split, s, every=4)]) if rng.random() < 0.6 else ""
    LAYOUTS[template](rng, scene, formulas, title)
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
