"""Listings of code as editors, books and slides show them: small programs in nine languages, coloured by syntax.

A program is a list of functions over whole numbers. It is printed in the syntax of a language, and simple enough to
be run in the head, so that questions can ask what a function returns. Long files and classes are left out.
"""

from PIL import Image

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.scene import NUMBERS, Scene, Split, listed, rng_for
from clearsight.data.worlds.texts import prose
from clearsight.data.worlds.texts.listings import TEMPLATES, draw_listing
from clearsight.data.worlds.texts.programs import (
    SYNTAX,
    THINGS,
    Function,
    Row,
    function_name,
    make_program,
    print_program,
)

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


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("code", seed, split)
    template = rng.choice(TEMPLATES[split])
    language = rng.choice(tuple(SYNTAX))
    functions = make_program(rng, split, language, rng.choice((1, 2, 2, 3)))
    rows = print_program(functions, language)
    numbered = template == "editor" or rng.random() < 0.6
    marked = rng.randrange(len(rows)) if numbered and rng.random() < 0.35 else None
    file = f"{prose.pick(rng, split, THINGS)}.{SYNTAX[language]['file']}" if template != "plain" else ""
    scene = Scene("code", seed, split, Image.new("RGB", (1, 1)))
    spoiled = (
        rng.choice([row for row in rows if len(row.code) > 6]) if numbered and rng.random() < 0.4 else None
    )
    if spoiled:
        spoiled.legible = False
    draw_listing(rng, scene, template, language, rows, numbered, marked, file)
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
        while (absent := function_name(rng, ask.split, facts["language"])) in {f.name for f in functions}:
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
