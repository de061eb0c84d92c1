"""Answers about code, worked out from the characters as they stand in the picture, without the world's own code.

The listing is put together again from the boxes of its words, and run by a reader of its own.
"""

import re
from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

OPENING = re.compile(r"^(?:def|function|int|func|fn|fun) (\w+)\((?:int )?\$?(\w+)")
LANGUAGES = {
    "Rust": r"^fn ",
    "Kotlin": r"^fun ",
    "Go": r"^func ",
    "C": r"^int \w+\(int",
    "PHP": r"^function \w+\(\$",
    "JavaScript": r"^function \w+\(\w+\) \{",
    "Lua": r"^function \w+\(\w+\)$",
    "Python": r"^def .*:$",
    "Ruby": r"^def .*\)$",
}


def _rows(scene: Scene) -> list[str]:
    """The text of every line, empty where it can't be read."""
    rows = []
    for row in scene.facts["rows"]:
        top, bottom = row["box"][1], row["box"][3]
        words = [p for p in scene.placed if p.kind == "word" and p.box[1] == top and p.box[3] == bottom]
        rows.append(" ".join(p.label for p in sorted(words, key=lambda p: p.box[0])))
    return rows


def _functions(scene: Scene) -> dict[str, list[str]]:
    """Lines of each function, its opening line first."""
    found: dict[str, list[str]] = {}
    current = ""
    for text, row in zip(_rows(scene), scene.facts["rows"], strict=True):
        opening = OPENING.match(text)
        if opening:
            current = opening[1]
            found[current] = []
        elif row["opens"]:
            current = ""  # it can't be read
        if text and current:
            found[current].append(text)
    return found


def _run(lines: list[str], given: int) -> int:
    """Run a function line by line. A loop or a test holds exactly the one line after it."""
    parameter = OPENING.match(lines[0])[2]
    known = {parameter: given}

    def value(text: str) -> int:
        return known[text] if text in known else int(text)

    times = 1
    for line in (line.replace("$", "") for line in lines[1:]):
        held, times = times, 1
        if loop := _repeats(line):
            times = loop
        elif test := re.match(r"if \(?(\w+) ([<>]) (\d+)", line):
            left, right = value(test[1]), int(test[3])
            times = int(left < right if test[2] == "<" else left > right)
        elif add := re.match(r"(\w+) (?:\+=|= \1 \+) (\w+);?$", line):
            known[add[1]] += held * value(add[2])
        elif let := re.match(r"(?:int |let mut |let |var |local )?(\w+) :?= (\d+);?$", line):
            known[let[1]] = int(let[2])
        elif give := re.match(r"return (\w+)", line):
            return known[give[1]]
    raise AssertionError(f"nothing is returned: {lines}")


def _repeats(line: str) -> int | None:
    patterns = (
        r"in range\((\d+)\)",
        r"i < (\d+); i\+\+",
        r"in 0\.\.(\d+)",
        r"^(\d+)\.times",
        r"i = 1, (\d+) do",
        r"^repeat\((\d+)\)",
    )
    for pattern in patterns:
        if found := re.search(pattern, line.replace("$", "")):
            return int(found[1])
    return None


def _only(lines: list[str], pattern: str) -> re.Match[str]:
    (found,) = [match for line in lines if (match := re.search(pattern, line.replace("$", "")))]
    return found


def read(scene: Scene, question: Question) -> str:
    about: dict[str, Any] = question.about
    rows, functions = _rows(scene), _functions(scene)
    own = functions.get(about.get("name", ""), [])
    number = about.get("number", 1)
    match question.skill:
        case "language":
            return next(name for name, mark in LANGUAGES.items() if any(re.search(mark, row) for row in rows))
        case "file":
            return next(p.label for p in scene.placed if p.kind == "word")
        case "read line":
            return rows[number - 1]
        case "line that can't be read":
            assert not rows[number - 1] and not scene.facts["rows"][number - 1]["legible"]
            return CANT_BE_READ
        case "line that is absent":
            assert number > len(rows)
            return NOT_SHOWN
        case "box of line":
            box = scene.facts["rows"][number - 1]["box"]
            inside = [p.box for p in scene.placed if p.kind == "word" and p.box[1] == box[1]]
            width, height = scene.picture.size
            edges = (
                min(b[0] for b in inside) / width,
                box[1] / height,
                max(b[2] for b in inside) / width,
                box[3] / height,
            )
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*(1000 * edge for edge in edges))
        case "marked":
            return str(scene.facts["marked"])
        case "how many functions":
            return str(len(functions))
        case "functions":
            return ", ".join(functions)
        case "defines":
            return "yes" if about["name"] in functions else "no"
        case "parameter of what is absent":
            assert about["name"] not in functions
            return NOT_SHOWN
        case "parameter":
            return OPENING.match(own[0])[2]
        case "point":
            at = next(i for i, row in enumerate(rows) if row == own[0])
            left, top, right, bottom = scene.facts["rows"][at]["box"]
            width, height = scene.picture.size
            return f"({500 * (left + right) / width:.0f}, {500 * (top + bottom) / height:.0f})"
        case "defined":
            return str(rows.index(own[0]) + 1)
        case "initial value":
            return _only(own, rf"^(?:int |let mut |let |var |local )?{about['variable']} :?= (\d+);?$")[1]
        case "returned":
            return _only(own, r"^return (\w+)")[1]
        case "result":
            return str(_run(own, about["given"]))
        case "loop":
            return str(next(times for line in own if (times := _repeats(line))))
        case "printed":
            return _only(own, r'"(.*)"')[1]
        case "comment":
            return _only(own, r"^(?:#|//|--|/\*) (.*?)(?: \*/)?$")[1]
        case "caller":
            return next(
                name
                for name, lines in functions.items()
                if any(re.match(rf"{about['name']}\(\d+\);?$", line) for line in lines[1:])
            )
    raise AssertionError(f"no reading for {question.skill!r}")
