"""Listings of code as editors, books and slides show them: small programs in nine languages, coloured by syntax.

A program is a list of functions over whole numbers. It is printed in the syntax of a language, and simple enough to
be run in the head, so that questions can ask what a function returns. Long files and classes are left out.
"""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import monospaced_font, text_font
from clearsight.data.worlds.drawing.glyphs import advance, glyph
from clearsight.data.worlds.drawing.legibility import contrast
from clearsight.data.worlds.drawing.palette import NAMES, RGB, colour
from clearsight.data.worlds.drawing.running_text import extent, set_words, size_of_x_height
from clearsight.data.worlds.scene import NUMBERS, Placed, Scene, Split, listed, rng_for
from clearsight.data.worlds.texts import prose

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("editor", "plain", "book"),
    "eval": ("window", "slide"),
}
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
KEYWORDS = (
    *(
        "def",
        "for",
        "in",
        "range",
        "if",
        "return",
        "function",
        "let",
        "int",
        "func",
        "fn",
        "mut",
        "i32",
        "do",
    ),
    *("end", "times", "puts", "local", "then", "var", "fun", "Int", "repeat", "echo"),
)
TOKEN = re.compile(
    r'(?P<comment>#.*|//.*|--.*|/\*.*)|(?P<string>"[^"]*")|(?P<number>\b\d+\b)|(?P<word>[A-Za-z_]\w*)'
)
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
LEAST_CONTRAST = 3.4  # of coloured code and its ground

LANGUAGE = (
    "Which programming language is this?",
    "In which language is this code written?",
    "The listing is a program in which language?",
)
READ_LINE = (
    "What does line {number} say?",
    "Read line {number} of the code.",
    "Transcribe what stands on line number {number}, without its indentation.",
)
DEFINED = (
    "On which line is {name} defined?",
    "At which line number does the definition of {name} begin?",
    "Give the line number where the function {name} is introduced.",
)
FUNCTIONS = (
    "Which functions are defined, from top to bottom?",
    "List the functions in the order of their definition.",
    "Name every function that this listing defines, in order.",
)
HOW_MANY = (
    "How many functions are defined?",
    "Count the function definitions.",
    "How many functions does the listing introduce?",
)
PARAMETER = (
    "What is the parameter of {name} called?",
    "Which parameter does {name} take?",
    "Give the name of the argument that {name} accepts.",
)
INITIAL = (
    "Which value is {variable} given first in {name}?",
    "To what is {variable} initialised in {name}?",
    "With which number does {variable} start out inside {name}?",
)
PRINTED = (
    "Which text does {name} print?",
    "What does {name} write out?",
    "Read the message that is printed by {name}.",
)
RETURNED = (
    "Which variable does {name} return?",
    "The value of which variable is returned by {name}?",
    "Name the variable that {name} hands back.",
)
RESULT = (
    "What does {name}({given}) return?",
    "Which number does {name} return for the argument {given}?",
    "Work out the value of {name}({given}).",
)
LOOP = (
    "How many times does the loop in {name} run?",
    "How often is the body of the loop in {name} run?",
    "The loop inside {name} goes round how many times?",
)
CALLER = (
    "Which function calls {name}?",
    "From within which function is {name} called?",
    "Find the function whose body contains a call to {name}.",
)
COMMENT = (
    "What does the comment in {name} say?",
    "Read the comment inside {name}.",
    "Transcribe only the words of the remark in {name}.",
)
DEFINES = (
    "Is a function called {name} defined here?",
    "Does this code define {name}?",
    "Would a call to {name} find its definition in this listing?",
)
POINT = (
    "Where is the definition of {name}?",
    "Point to where {name} is defined.",
    "Show the spot at which the function {name} is introduced.",
)
BOX_LINE = (
    "Frame line {number}.",
    "What is the box around the code on line {number}?",
    "Draw a box just around the code of line number {number}.",
)
MARKED = (
    "Which line is highlighted?",
    "What is the number of the highlighted line?",
    "Give the line number of the line with the bar behind it.",
)
FILE = (
    "What is the name of the file?",
    "Which file is shown?",
    "Read the file name over the listing.",
)


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


@dataclass
class Theme:
    ground: RGB
    ink: RGB
    faint: RGB
    bar: RGB  # behind a highlighted line, and the chrome
    colours: dict[str, RGB]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("code", seed, split)
    template = rng.choice(TEMPLATES[split])
    language = rng.choice(tuple(SYNTAX))
    functions = _program(rng, split, language, rng.choice((1, 2, 2, 3)))
    rows = _print(functions, language)
    numbered = template == "editor" or rng.random() < 0.6
    marked = rng.randrange(len(rows)) if numbered and rng.random() < 0.35 else None
    file = f"{prose.pick(rng, split, THINGS)}.{SYNTAX[language]['file']}" if template != "plain" else ""
    scene = Scene("code", seed, split, Image.new("RGB", (1, 1)))
    spoiled = (
        rng.choice([row for row in rows if len(row.code) > 6]) if numbered and rng.random() < 0.4 else None
    )
    if spoiled:
        spoiled.legible = False
    _draw(rng, scene, template, language, rows, numbered, marked, file)
    scene.facts = {
        "template": template,
        "language": language,
        "numbered": numbered,
        "marked": None if marked is None else marked + 1,
        "file": file,
        "rows": [
            {"function": row.function, "opens": row.opens, "legible": row.legible, "box": list(row.box)}
            for row in rows
        ],
        "program": [{"name": f.name, "parameter": f.parameter, "body": f.body} for f in functions],
    }
    _ask(Asker(scene, rng), functions, rows)
    _describe(scene, functions, rows)
    return scene


# ---------------------------------------------------------------------------------------------------
# Programs


def _name(rng: random.Random, split: Split, language: str) -> str:
    action, thing = prose.pick(rng, split, ACTIONS), prose.pick(rng, split, THINGS)
    return action + thing.capitalize() if language in CAMEL else f"{action}_{thing}"


def _program(rng: random.Random, split: Split, language: str, count: int) -> list[Function]:
    """Functions of different names; a later one may call an earlier one."""
    functions: list[Function] = []
    while len(functions) < count:
        function = Function(_name(rng, split, language), prose.pick(rng, split, PARAMETERS))
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


def _print(functions: list[Function], language: str) -> list[Row]:
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


# ---------------------------------------------------------------------------------------------------
# Drawing


def _theme(rng: random.Random, split: Split, *, dark: bool) -> Theme:
    level = rng.randint(14, 46) if dark else rng.randint(240, 255)
    tint = rng.randint(-8, 8)
    ground = (level, level, max(0, min(255, level + tint)))
    ink = (228, 228, 222) if dark else (28, 28, 34)
    toward = 255 if dark else 0

    def mixed(share: float) -> RGB:
        return tuple(round((1 - share) * g + share * toward) for g in ground)  # type: ignore[return-value]

    colours: dict[str, RGB] = {"comment": mixed(0.55)}
    usable = [
        n
        for n in NAMES
        if n not in ("black", "white", "gray", *(("brown", "purple") if dark else ("yellow",)))
    ]
    for role, name in zip(("keyword", "string", "number", "function"), rng.sample(usable, 4), strict=True):
        value = colour(rng, split, name)
        while contrast(value, ground) < LEAST_CONTRAST:  # lighten or darken it until it can be read
            value = tuple(round(0.85 * v + 0.15 * i) for v, i in zip(value, ink, strict=True))  # type: ignore[assignment]
        colours[role] = value
    return Theme(ground, ink, mixed(0.42), mixed(0.11), colours)


def _inks(row: Row, theme: Theme, functions: set[str]) -> list[RGB]:
    """The colour of each character of a line."""
    inks = [theme.ink] * len(row.text)
    for match in TOKEN.finditer(row.text):
        role = match.lastgroup or ""
        if role == "word":
            role = "keyword" if match[0] in KEYWORDS else "function" if match[0] in functions else ""
        if role in theme.colours:
            inks[match.start() : match.end()] = [theme.colours[role]] * len(match[0])
    return inks


def _draw(
    rng: random.Random,
    scene: Scene,
    template: str,
    language: str,
    rows: list[Row],
    numbered: bool,
    marked: int | None,
    file: str,
) -> None:
    split = scene.split
    theme = _theme(rng, split, dark=rng.random() < (0.15 if template == "book" else 0.55))
    font = monospaced_font(rng, split)
    size = size_of_x_height(font, rng.uniform(7.6, 11.0))
    while True:
        cell, (above, below) = advance(font, size, "0"), extent(font, size)
        gutter = cell * 3.2 if numbered else 0.0
        longest = max(len(row.text) for row in rows) * cell
        pitch = max(above + below + 2, size * rng.uniform(1.2, 1.5))
        top = {"editor": 34, "plain": 14, "book": 30, "window": 46, "slide": 70}[template]
        edge = {"editor": 10, "plain": 16, "book": 34, "window": 30, "slide": 36}[template]
        width, height = longest + gutter + 2 * edge + 8, len(rows) * pitch + top + edge
        if (width <= 640 and height <= 640) or size <= size_of_x_height(font, 7.0):
            break
        size -= 1
    width, height = max(320, min(880, round(width))), max(224, min(880, round(height)))
    left, top = edge + gutter, float(top)
    scene.picture = Image.new("RGB", (width, height), theme.ground)
    draw = ImageDraw.Draw(scene.picture)
    _FURNITURE[template](rng, scene, draw, theme, file, edge)
    if numbered and template == "editor":
        draw.line((left - cell * 0.6, 28, left - cell * 0.6, height), fill=theme.bar, width=1)
    names = {row.function for row in rows}
    characters: list[Placed] = []
    for index, row in enumerate(rows):
        y = top + index * pitch
        baseline = round(y + above)
        if index == marked:
            draw.rectangle((edge - 6, y - 2, width - edge + 4, y + above + below + 1), fill=theme.bar)
        if numbered:
            number = str(index + 1)
            set_words(
                scene.picture, left - cell * (0.9 + len(number)), baseline, [number], font, size, theme.faint
            )
        drawn = _set_row(scene, row, left, baseline, font, size, cell, _inks(row, theme, names))
        if row.code:
            start = left + (len(row.text) - len(row.text.lstrip())) * cell
            row.box = (start, baseline - above, left + len(row.text) * cell, baseline + below)
        else:
            row.box = (left, baseline - above, left, baseline + below)
        if not row.legible:
            continue
        for match in re.finditer(r"\S+", row.text):
            row.places.append(len(scene.placed))
            box = (left + match.start() * cell, row.box[1], left + match.end() * cell, row.box[3])
            scene.placed.append(Placed("word", match[0], box))
        characters += drawn
    scene.placed += characters
    for row in rows:
        if not row.legible:
            lettering.smudge(scene.picture, row.box, rng)


def _set_row(
    scene: Scene, row: Row, left: float, baseline: int, font: str, size: int, cell: float, inks: list[RGB]
) -> list[Placed]:
    above, below = extent(font, size)
    characters = []
    for column, (character, ink) in enumerate(zip(row.text, inks, strict=True)):
        if character == " ":
            continue
        drawn = glyph(font, size, character)
        x = left + column * cell
        if drawn.mask is not None:
            scene.picture.paste(ink, (round(x) + drawn.right, baseline + drawn.down), drawn.mask)
        characters.append(Placed("character", character, (x, baseline - above, x + cell, baseline + below)))
    return characters


def _caption(
    scene: Scene, rng: random.Random, text: str, x: float, baseline: float, pixels: float, ink: RGB
) -> None:
    font = text_font(rng, scene.split)
    size = size_of_x_height(font, pixels)
    words, characters = set_words(scene.picture, x, baseline, text.split(), font, size, ink)
    scene.placed += words + characters


def _editor(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A tab with the file's name over a gutter with line numbers."""
    width = scene.picture.width
    draw.rectangle((0, 0, width, 26), fill=theme.bar)
    draw.rectangle((0, 0, 22 + 10 * len(file), 26), fill=theme.ground)
    draw.line((0, 0, 22 + 10 * len(file), 0), fill=theme.colours["keyword"], width=3)
    _caption(scene, rng, file, 11, 18, 7.6, theme.ink)


def _plain(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """Nothing but the code."""


def _book(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A listing between two rules, as printed in a book."""
    width, height = scene.picture.size
    for y in (22, height - 10):
        draw.line((14, y, width - 14, y), fill=theme.faint, width=rng.choice((1, 2)))
    _caption(scene, rng, file, 16, 16, 7.4, theme.ink)


def _window(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A window with round buttons on a coloured desktop."""
    width, height = scene.picture.size
    desktop = colour(rng, scene.split, rng.choice(("blue", "purple", "green", "orange", "pink")))
    draw.rectangle((0, 0, width, height), fill=desktop)
    draw.rounded_rectangle((12, 10, width - 12, height - 12), 9, theme.ground)
    for index, name in enumerate(("red", "yellow", "green")):
        draw.ellipse((22 + 16 * index, 18, 32 + 16 * index, 28), fill=colour(rng, scene.split, name))
    _caption(scene, rng, file, 84, 28, 7.6, theme.ink)


def _slide(
    rng: random.Random, scene: Scene, draw: ImageDraw.ImageDraw, theme: Theme, file: str, edge: int
) -> None:
    """A slide of a talk: a coloured band with the file's name in large letters, the code below."""
    width, height = scene.picture.size
    band = colour(rng, scene.split, rng.choice(("blue", "purple", "brown", "red")))
    draw.rectangle((0, 0, width, 50), fill=band)
    draw.rectangle((0, height - 6, width, height), fill=band)
    _caption(scene, rng, file, 24, 34, 12.0, (250, 250, 250))


_FURNITURE = {"editor": _editor, "plain": _plain, "book": _book, "window": _window, "slide": _slide}


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask(ask: Asker, functions: list[Function], rows: list[Row]) -> None:
    facts, rng = ask.scene.facts, ask.rng
    if any(row.opens and row.legible for row in rows):
        ask.choice("language", LANGUAGE, facts["language"], tuple(SYNTAX))
    if facts["file"]:
        ask.text("file", FILE, facts["file"], needs=[0])
    if facts["numbered"]:
        _ask_by_number(ask, rows)
    whole = all(row.legible for row in rows)
    if whole:
        ask.count("how many functions", HOW_MANY, len(functions))
        if len(functions) > 1:
            ask.items("functions", FUNCTIONS, [f.name for f in functions], ordered=True)
        while (absent := _name(rng, ask.split, facts["language"])) in {f.name for f in functions}:
            pass
        present = rng.random() < 0.5
        ask.yes_no("defines", DEFINES, present, name=rng.choice(functions).name if present else absent)
        ask.not_shown("parameter of what is absent", PARAMETER, name=absent)
    for function in functions:
        own = [row for row in rows if row.function == function.name]
        if all(row.legible for row in own):
            _ask_about(ask, function, functions, own)


def _ask_by_number(ask: Asker, rows: list[Row]) -> None:
    rng, facts = ask.rng, ask.scene.facts
    readable = [row for row in rows if row.legible and len(row.code) > 3]
    row = rng.choice(readable)
    ask.verbatim("read line", READ_LINE, row.code, number=row.number, needs=row.places)
    row = rng.choice(readable)
    ask.box("box of line", BOX_LINE, row.box, number=row.number, needs=row.places)
    for row in rows:
        if not row.legible:
            ask.cant_be_read("line that can't be read", READ_LINE, number=row.number)
    ask.not_shown("line that is absent", READ_LINE, number=len(rows) + rng.randint(1, 4))
    if facts["marked"]:
        ask.number("marked", MARKED, facts["marked"])


def _ask_about(ask: Asker, function: Function, functions: list[Function], own: list[Row]) -> None:
    rng, name = ask.rng, function.name
    needs = [place for row in own for place in row.places]
    first = own[0]
    given_name, returned = function.parameter, function.statements("give")[0]["name"]
    ask.text(
        "parameter", PARAMETER, given_name, alternatives=("$" + given_name,), name=name, needs=first.places
    )
    ask.point("point", POINT, first.box, name=name, needs=first.places)
    if ask.scene.facts["numbered"]:
        ask.number("defined", DEFINED, first.number, name=name, needs=first.places)
    start = function.statements("let")[0]
    ask.number("initial value", INITIAL, start["value"], name=name, variable=start["name"], needs=needs)
    ask.text("returned", RETURNED, returned, alternatives=("$" + returned,), name=name, needs=needs)
    given = rng.randint(1, 20)
    ask.number("result", RESULT, function.run(given), name=name, given=given, needs=needs)
    for loop in function.statements("loop"):
        ask.number("loop", LOOP, loop["value"], name=name, needs=needs)
    for show in function.statements("show"):
        ask.verbatim("printed", PRINTED, show["text"], name=name, needs=needs)
    for remark in function.statements("comment"):
        ask.verbatim("comment", COMMENT, remark["text"], name=name, needs=needs)
    callers = [f.name for f in functions if any(s["name"] == name for s in f.statements("call"))]
    if len(callers) == 1 and all(row["legible"] for row in ask.scene.facts["rows"]):
        ask.text("caller", CALLER, callers[0], name=name)


def _describe(scene: Scene, functions: list[Function], rows: list[Row]) -> None:
    facts = scene.facts
    scene.short_caption = f"Code in {facts['language']}."
    lost = {row.function for row in rows if not row.legible and row.opens}
    names = [f.name for f in functions if f.name not in lost]
    quoted = " and ".join(listed(names).rsplit(" or ", 1)) if len(names) > 1 else "".join(names)
    many = "one function" if len(functions) == 1 else f"{NUMBERS[len(functions)]} functions"
    where = {
        "editor": "in an editor",
        "plain": "",
        "book": "printed as a listing",
        "window": "in a window",
        "slide": "on a slide",
    }[facts["template"]]
    language = f"Code in {facts['language']}"
    where = " " + where if where else ""
    defined = f": {many}, {quoted}." if quoted else f": {many}."
    scene.caption = language + where + defined
    file = f", the file {facts['file']}," if facts["file"] else ""
    numbered = " with line numbers" if facts["numbered"] else ""
    listing = "\n".join(row.text if row.legible else "(a line that can't be read)" for row in rows)
    scene.long_caption = f"{language}{file}{where}{numbered}{defined} It reads:\n{listing}"
