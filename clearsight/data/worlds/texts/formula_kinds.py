"""Formulas made up: those that come to a whole number, and those that state something.

Each is a tree for formula_layout together with what may be asked of it. Units and words in formulas are left out.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clearsight.data.worlds.texts.formula_layout import (
    GREEK,
    Fence,
    Fraction,
    Large,
    Matrix,
    Node,
    Root,
    Script,
    row,
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


COMPUTED: tuple[Callable[[random.Random], Formula], ...] = (
    _whole_fraction,
    _root_of_square,
    _power,
    _sum,
    _product,
    _integral,
    _determinant,
)
STATED: tuple[Callable[[random.Random], Formula], ...] = (
    _quadratic,
    _definition,
    _root_definition,
    _matrix,
    _recursion,
)
