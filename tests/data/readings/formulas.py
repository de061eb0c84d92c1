"""Answers about formulas, by a reader of LaTeX of its own, after checking that what is drawn is what it says."""

import math
import re
from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

NAMES = {"∑": "sum", "∏": "prod", "∫": "int", "−": "-"}
GREEK = dict(
    zip(
        "βγδλμπσθωφψξ",
        "beta gamma delta lambda mu pi sigma theta omega phi psi xi".split(),  # noqa: SIM905
        strict=True,
    )
)
SIGNS = {
    "a fraction": r"\\frac",
    "a square root": r"\\sqrt",
    "a sum sign": r"\\sum",
    "a product sign": r"\\prod",
    "an integral sign": r"\\int",
    "a matrix": r"\\begin\{[bp]matrix",
    "a determinant": r"\\begin\{vmatrix",
}


def _formula(scene: Scene, number: int) -> dict[str, Any] | None:
    return next((f for f in scene.facts["formulas"] if f["number"] == number), None)


def _drawn(scene: Scene, formula: dict[str, Any]) -> list[str]:
    """What stands inside a formula's box, sorted: every number, letter and sign."""
    left, top, right, bottom = formula["box"]
    labels = [
        p.label
        for p in scene.placed
        if p.kind == "word" and left - 3 <= p.middle[0] <= right + 3 and top - 4 <= p.middle[1] <= bottom + 4
    ]
    return sorted(token for label in labels for token in _tokens(label))


def _tokens(text: str) -> list[str]:
    for sign, name in (NAMES | GREEK).items():
        text = text.replace(sign, f" {name} ")
    return re.findall(r"beta|gamma|delta|lambda|mu|pi|sigma|theta|omega|phi|psi|xi|sum|prod|int|\d+|\S", text)


def _written(latex: str) -> list[str]:
    """The same for LaTeX: commands that draw nothing of their own, braces and separators taken out."""
    bare = re.sub(r"\\(?:frac|sqrt)|\\(?:begin|end)\{\wmatrix\}|\\\\|&", " ", latex)
    if "\\int" not in latex and "\\prod" not in latex:
        assert "(" not in bare
    return sorted(_tokens(re.sub(r"[{}_^()\\]", " ", bare)))


def _group(text: str, start: int) -> tuple[str, int]:
    """What stands in the braces that open at `start`, and where they end."""
    assert text[start] == "{"
    depth = 0
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if not depth:
            return text[start + 1 : end], end + 1
    raise AssertionError(text)


def _after(latex: str, command: str, which: int = 0) -> str:
    at = latex.index(command) + len(command)
    for _ in range(which):
        _, at = _group(latex, at)
    return _group(latex, at)[0]


def _limits(latex: str) -> tuple[str, str]:
    at = re.search(r"\\(?:sum|prod|int)_", latex).end()
    low, at = _group(latex, at)
    return low, _group(latex, at + 1)[0]


def _matrix(latex: str) -> list[list[int]]:
    body = re.search(r"\\begin\{\wmatrix\}(.*)\\end", latex)[1]
    return [[int(cell) for cell in row.split("&")] for row in body.split("\\\\")]


def _polynomial(text: str, letter: str, value: float) -> float:
    total = 0.0
    for sign, factor, with_letter, power in re.findall(
        rf"([+-]?)\s*(\d*)({letter})?(?:\^\{{(\d)\}})?", text.strip("() ")
    ):
        if factor or with_letter:
            term = float(factor or 1) * (value ** int(power or 1) if with_letter else 1)
            total += -term if sign == "-" else term
    return total


def _value(latex: str) -> float:
    if "vmatrix" in latex:
        (a, b), (c, d) = _matrix(latex)
        return a * d - b * c
    if match := re.match(r"\\(sum|prod)", latex):
        low, high = _limits(latex)
        letter, start = low.split(" = ")
        body = latex[latex.index("}", latex.index("}^") + 2) + 1 :].strip()
        terms = [_polynomial(body, letter, i) for i in range(int(start), int(high) + 1)]
        return sum(terms) if match[1] == "sum" else math.prod(terms)
    if latex.startswith("\\int"):
        low, high = (int(v) for v in _limits(latex))
        body, letter = re.search(r"\((.*)\) d(\w)$", latex).groups()
        ends = [_polynomial(body, letter, v) for v in (low, high)]  # straight, so the trapezium is exact
        return (high - low) * sum(ends) / 2
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", latex)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"((\1)**0.5)", text)
    text = re.sub(r"(\d+)\^\{(\d+)\}", r"(\1**\2)", text)
    assert re.fullmatch(r"[\d+\-*/(). ]+", text), text
    return eval(text)


def read(scene: Scene, question: Question) -> str:
    about, formulas = question.about, scene.facts["formulas"]
    formula = _formula(scene, about["number"]) if "number" in about else None
    latex = formula["latex"] if formula else ""
    if formula and formula["legible"]:
        assert _drawn(scene, formula) == _written(latex), (_drawn(scene, formula), _written(latex))
    match question.skill:
        case "how many":
            return str(len(formulas))
        case "formula that can't be read":
            assert not formula["legible"] and not _drawn(scene, formula)
            return CANT_BE_READ
        case "formula that is absent":
            assert formula is None
            return NOT_SHOWN
        case "which has":
            (found,) = [f for f in formulas if re.search(SIGNS[about["thing"]], f["latex"])]
            return str(found["number"])
        case "largest":
            return str(max(formulas, key=lambda f: _value(f["latex"]))["number"])
        case "has":
            return "yes" if re.search(SIGNS[about["thing"]], latex) else "no"
        case "numerator that is absent":
            assert "\\frac" not in latex
            return NOT_SHOWN
        case "limit that is absent":
            sign = {"sum": "\\sum", "product": "\\prod", "integral": "\\int"}[about["operator"]]
            assert sign not in latex
            return NOT_SHOWN
        case "transcribe":
            return latex
        case "point" | "box":
            left, top, right, bottom = formula["box"]
            width, height = scene.picture.size
            edges = [1000 * v for v in (left / width, top / height, right / width, bottom / height)]
            if question.skill == "point":
                return f"({(edges[0] + edges[2]) / 2:.0f}, {(edges[1] + edges[3]) / 2:.0f})"
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*edges)
        case "value":
            return f"{_value(latex):g}"
        case "numerator":
            return _after(latex, "\\frac")
        case "denominator":
            return _after(latex, "\\frac", 1)
        case "radicand":
            return _after(latex, "\\sqrt")
        case "exponent":
            return re.search(rf"(?<!\\){about['letter']}\^\{{(\d+)\}}", latex)[1]
        case "coefficient":
            sign, number = re.search(rf"([+-]) (\d+){about['term']}(?!\^)", latex).groups()
            return sign.strip("+") + number
        case "upper limit":
            return _limits(latex)[1]
        case "lower limit":
            return re.search(r"\d+", _limits(latex)[0])[0]
        case "entry":
            return str(_matrix(latex)[about["row"] - 1][about["column"] - 1])
        case "rows":
            return str(len(_matrix(latex)))
        case "left side":
            return latex.split(" = ")[0]
        case "greek letter":
            (found,) = [name for name in GREEK.values() if f"\\{name} " in latex or f"\\{name}" in latex]
            return found
    raise AssertionError(f"no reading for {question.skill!r}")
