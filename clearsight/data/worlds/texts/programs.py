"""Small programs over whole numbers, and printing them in the syntax of nine languages.

A program is a list of functions, simple enough to be run in the head; running one gives the answer to what it returns.
Input, recursion and types other than whole numbers are left out.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.texts import prose

# How each language writes the same program. `close` ends a block, if something does.
SYNTAX: dict[str, dict[str, str]] = {
    "Python": {
        "function": "def {name}({parameter}):",
        "let": "{name} = {value}",
        "add": "{name} += {value}",
        "loop": "for {name} in range({value}):",
        "test": "if {name} {sign} {value}:",
        "show": 'print("{text}")',
        "give": "return {name}",
        "call": "{name}({value})",
        "comment": "# {text}",
        "close": "",
        "file": "py",
    },
    "JavaScript": {
        "function": "function {name}({parameter}) {{",
        "let": "let {name} = {value};",
        "add": "{name} += {value};",
        "loop": "for (let {name} = 0; {name} < {value}; {name}++) {{",
        "test": "if ({name} {sign} {value}) {{",
        "show": 'console.log("{text}");',
        "give": "return {name};",
        "call": "{name}({value});",
        "comment": "// {text}",
        "close": "}",
        "file": "js",
    },
    "C": {
        "function": "int {name}(int {parameter}) {{",
        "let": "int {name} = {value};",
        "add": "{name} += {value};",
        "loop": "for (int {name} = 0; {name} < {value}; {name}++) {{",
        "test": "if ({name} {sign} {value}) {{",
        "show": 'puts("{text}");',
        "give": "return {name};",
        "call": "{name}({value});",
        "comment": "/* {text} */",
        "close": "}",
        "file": "c",
    },
    "Go": {
        "function": "func {name}({parameter} int) int {{",
        "let": "{name} := {value}",
        "add": "{name} += {value}",
        "loop": "for {name} := 0; {name} < {value}; {name}++ {{",
        "test": "if {name} {sign} {value} {{",
        "show": 'fmt.Println("{text}")',
        "give": "return {name}",
        "call": "{name}({value})",
        "comment": "// {text}",
        "close": "}",
        "file": "go",
    },
    "Rust": {
        "function": "fn {name}({parameter}: i32) -> i32 {{",
        "let": "let mut {name} = {value};",
        "add": "{name} += {value};",
        "loop": "for {name} in 0..{value} {{",
        "test": "if {name} {sign} {value} {{",
        "show": 'println!("{text}");',
        "give": "return {name};",
        "call": "{name}({value});",
        "comment": "// {text}",
        "close": "}",
        "file": "rs",
    },
    "Ruby": {
        "function": "def {name}({parameter})",
        "let": "{name} = {value}",
        "add": "{name} += {value}",
        "loop": "{value}.times do |{name}|",
        "test": "if {name} {sign} {value}",
        "show": 'puts "{text}"',
        "give": "return {name}",
        "call": "{name}({value})",
        "comment": "# {text}",
        "close": "end",
        "file": "rb",
    },
    "Lua": {
        "function": "function {name}({parameter})",
        "let": "local {name} = {value}",
        "add": "{name} = {name} + {value}",
        "loop": "for {name} = 1, {value} do",
        "test": "if {name} {sign} {value} then",
        "show": 'print("{text}")',
        "give": "return {name}",
        "call": "{name}({value})",
        "comment": "-- {text}",
        "close": "end",
        "file": "lua",
    },
    "PHP": {
        "function": "function {name}(${parameter}) {{",
        "let": "${name} = {value};",
        "add": "${name} += {value};",
        "loop": "for (${name} = 0; ${name} < {value}; ${name}++) {{",
        "test": "if (${name} {sign} {value}) {{",
        "show": 'echo "{text}";',
        "give": "return ${name};",
        "call": "{name}({value});",
        "comment": "// {text}",
        "close": "}",
        "file": "php",
    },
    "Kotlin": {
        "function": "fun {name}({parameter}: Int): Int {{",
        "let": "var {name} = {value}",
        "add": "{name} += {value}",
        "loop": "repeat({value}) {{ {name} ->",
        "test": "if ({name} {sign} {value}) {{",
        "show": 'println("{text}")',
        "give": "return {name}",
        "call": "{name}({value})",
        "comment": "// {text}",
        "close": "}",
        "file": "kt",
    },
}
CAMEL = ("JavaScript", "Go", "Kotlin")  # the others write names_like_this
ACTIONS = """
    load, count, merge, scan, build, check, sort, measure, fetch, store, split, update, render, collect, reduce, parse,
    pick, shift, limit, trace, weigh, rank, join, clean, test, start, plan, read, mark, sum, probe, fold, grow, spend
"""
THINGS = """
    items, rows, points, users, words, pages, frames, prices, files, tiles, nodes, bytes, orders, steps, votes, keys,
    tasks, cells, lines, parts, coins, seats, miles, cards, boxes, notes, waves, roads, marks, goals, trees, doors
"""
VARIABLES = """
    total, result, size, level, score, width, depth, speed, value, height, weight, offset, credit, stock, amount,
    budget, length, rate, power, balance, volume, margin, delta, sum, gain, load, heat, age
"""
PARAMETERS = (
    "n, start, base, given, first, seed, origin, extra, bonus, fee, tax, tip, shift, step, lead, input, k, m"
)
MESSAGES = """
    all done, now ready, please wait, step over, try again, well done, still open, next round, no change, good night,
    hello there, too late, half way, over here, once more, right on, as planned, not yet, full stop, come in,
    keep going, last call, on time, last one
"""
REMARKS = """
    keep this small, see the notes, slow but safe, fix this later, works for now, check the limits, never negative,
    do not change, about right, used by tests, add one more, taken from the plan, ask before use, order matters,
    faster than before, must stay first, only for today, small numbers only, as agreed, needs a review
"""


@dataclass
class Function:
    """`body` holds statements: {"kind", ...} with a nested "body" for a loop and a test."""

    name: str
    parameter: str
    body: list[dict[str, Any]] = field(default_factory=list)

    def statements(self, kind: str) -> list[dict[str, Any]]:
        """All statements of a kind, nested ones too."""
        found = []
        for statement in self.body:
            found += [s for s in (statement, *statement.get("body", ())) if s["kind"] == kind]
        return found

    def run(self, given: int) -> int:
        """What the function returns for an argument."""
        known = {self.parameter: given}

        def follow(body: list[dict[str, Any]]) -> None:
            for s in body:
                if s["kind"] == "let":
                    known[s["name"]] = s["value"]
                elif s["kind"] == "add":
                    known[s["name"]] += known[s["value"]] if isinstance(s["value"], str) else s["value"]
                elif s["kind"] == "loop":
                    for _ in range(s["value"]):
                        follow(s["body"])
                elif s["kind"] == "test":
                    left, right = known[s["name"]], s["value"]
                    if left < right if s["sign"] == "<" else left > right:
                        follow(s["body"])

        follow(self.body)
        return known[self.statements("give")[0]["name"]]


@dataclass
class Row:
    """A printed line. `function` is the one it belongs to; `box` surrounds its code."""

    number: int
    text: str
    depth: int
    function: str
    opens: bool = False
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    places: list[int] = field(default_factory=list)
    legible: bool = True

    @property
    def code(self) -> str:
        return self.text.strip()


def function_name(rng: random.Random, split: Split, language: str) -> str:
    """A verb and a noun, joined as the language has it."""
    action, thing = prose.pick(rng, split, ACTIONS), prose.pick(rng, split, THINGS)
    return action + thing.capitalize() if language in CAMEL else f"{action}_{thing}"


def make_program(rng: random.Random, split: Split, language: str, count: int) -> list[Function]:
    """Functions of different names; a later one may call an earlier one."""
    functions: list[Function] = []
    while len(functions) < count:
        function = Function(function_name(rng, split, language), prose.pick(rng, split, PARAMETERS))
        variable = prose.pick(rng, split, VARIABLES)
        names = {f.name for f in functions}
        if function.name in names or variable == function.parameter:
            continue
        body = function.body
        if rng.random() < 0.45:
            body.append({"kind": "comment", "text": prose.pick(rng, split, REMARKS)})
        body.append({"kind": "let", "name": variable, "value": rng.randint(0, 20)})
        if rng.random() < 0.6:
            body.append({"kind": "add", "name": variable, "value": function.parameter})
        inner = {"kind": "add", "name": variable, "value": rng.randint(1, 9)}
        shape = rng.random()
        if shape < 0.45:
            body.append({"kind": "loop", "name": "i", "value": rng.randint(2, 6), "body": [inner]})
        elif shape < 0.8:
            name = rng.choice((variable, function.parameter))
            test = {"kind": "test", "name": name, "sign": rng.choice(("<", ">")), "value": rng.randint(3, 25)}
            body.append(test | {"body": [inner]})
        if rng.random() < 0.4:
            body.append({"kind": "show", "text": prose.pick(rng, split, MESSAGES)})
        if functions and rng.random() < 0.5:
            called = rng.choice(functions).name
            body.append({"kind": "call", "name": called, "value": rng.randint(1, 30)})
        body.append({"kind": "give", "name": variable})
        functions.append(function)
    return functions


def print_program(functions: list[Function], language: str) -> list[Row]:
    """The lines of a listing, functions apart by an empty one."""
    syntax = SYNTAX[language]
    unit = 2 if language in ("Ruby", "JavaScript", "Lua") else 4
    rows: list[Row] = []

    def put(text: str, depth: int, function: str, opens: bool = False) -> None:
        rows.append(Row(len(rows) + 1, " " * unit * depth + text, depth, function, opens))

    def put_body(body: list[dict[str, Any]], depth: int, function: Function) -> None:
        for s in body:
            value = s.get("value")
            if language == "PHP" and isinstance(value, str):
                value = "$" + value
            put(syntax[s["kind"]].format(**{**s, "value": value}), depth, function.name)
            if "body" in s:
                put_body(s["body"], depth + 1, function)
                if syntax["close"]:
                    put(syntax["close"], depth, function.name)

    for function in functions:
        if rows:
            put("", 0, "")
        put(
            syntax["function"].format(name=function.name, parameter=function.parameter),
            0,
            function.name,
            True,
        )
        put_body(function.body, 1, function)
        if syntax["close"]:
            put(syntax["close"], 0, function.name)
    return rows
