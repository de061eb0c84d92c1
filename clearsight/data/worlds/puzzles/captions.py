"""What can be said of a puzzle: its kind, what there is of it, and everything that can be read."""

from clearsight.data.worlds.asking import COUNT_WORDS
from clearsight.data.worlds.drawing.outlines import plural
from clearsight.data.worlds.puzzles.boards import Facts
from clearsight.data.worlds.scene import with_article

SHORT = {
    "noughts and crosses": "A game of noughts and crosses.",
    "sudoku": "A small sudoku.",
    "magic square": "A magic square.",
    "number grid": "A grid of numbers.",
    "crossword": "A crossword.",
    "board with pieces": "Pieces on a board.",
    "maze": "A maze.",
    "dice": "Several dice.",
    "dominoes": "A row of dominoes.",
    "odd one out": "Find the odd one out.",
    "pattern": "A pattern and four options.",
    "matrix": "A square of cells with a gap.",
}


def describe(facts: Facts) -> tuple[str, str, str]:
    """Short, middle and long caption."""
    kind = facts["kind"]
    if kind == "crossword":
        told, parts = _crossword(facts)
    elif kind == "board with pieces":
        told, parts = _pieces(facts)
    elif kind == "matrix":
        told = "nine cells of shapes, the last of them missing, with four options to choose from"
        parts = [
            f"row {r}: " + ", ".join(_shapes(cell) if cell else "a question mark" for cell in row)
            for r, row in enumerate(facts["cells"], 1)
        ]
    elif "cells" in facts:
        told, parts = _squares(facts)
    else:
        told, parts = {
            "maze": _maze,
            "dice": _dice,
            "dominoes": _dominoes,
            "odd one out": _odd_one,
            "pattern": _pattern,
        }[kind](facts)
    middle = told[0].upper() + told[1:] + "."
    return SHORT[kind], middle, middle[:-1] + ": " + "; ".join(parts) + "."


def _squares(facts: Facts) -> tuple[str, list[str]]:
    cells, said = facts["cells"], {"": "empty", None: "illegible", "?": "a question mark"}
    name = {
        "noughts and crosses": "a game of noughts and crosses",
        "sudoku": "a small sudoku",
        "number grid": "a grid of numbers",
    }.get(facts["kind"], "a magic square with a gap")
    told = f"{name} in {COUNT_WORDS[len(cells)]} rows and {COUNT_WORDS[len(cells[0])]} columns"
    return told, [f"row {r}: " + ", ".join(said.get(t, t) for t in row) for r, row in enumerate(cells, 1)]


def _crossword(facts: Facts) -> tuple[str, list[str]]:
    cells, parts = facts["cells"], []
    for entry in facts["entries"]:
        letters = [cells[r - 1][c - 1] for r, c in entry["places"]]
        shown = [{"": "an empty square", None: "an illegible letter"}.get(text, text) for text in letters]
        parts.append(f"{entry['name']} has " + ", ".join(shown))
    return "a crossword with one word across and two down", parts


def _pieces(facts: Facts) -> tuple[str, list[str]]:
    cells, sides, parts = facts["cells"], facts["sides"], []
    for r, row in enumerate(sides):
        for c, side in enumerate(row):
            if side:
                piece = f"{side} {cells[r][c]}" if cells[r][c] else f"{side} piece that can't be read"
                parts.append(f"{with_article(piece)} on {'abcdefgh'[c]}{len(cells) - r}")
    return (
        f"a chequered board of {len(cells)} by {len(cells)} squares with {COUNT_WORDS[len(parts)]} pieces",
        parts,
    )


def _maze(facts: Facts) -> tuple[str, list[str]]:
    exits = facts["exits"]
    parts = [f"exit {name} is at the {exits[name]['side']}" for name in exits if name not in facts["smudged"]]
    parts += ["the letter of one exit can't be read"] * len(facts["smudged"])
    if facts["leads to"] not in facts["smudged"]:
        parts.append(f"from the dot the way leads to exit {facts['leads to']}")
    return (
        f"a maze with {COUNT_WORDS[len(exits)]} exits and {with_article(facts['dot colour'])} dot in it",
        parts,
    )


def _dice(facts: Facts) -> tuple[str, list[str]]:
    parts = [f"{with_article(die['colour'])} one shows {COUNT_WORDS[die['pips']]}" for die in facts["dice"]]
    return f"{COUNT_WORDS[len(parts)]} dice", parts


def _dominoes(facts: Facts) -> tuple[str, list[str]]:
    parts = []
    for tile in facts["tiles"]:
        name = "one whose letter can't be read" if tile["letter"] in facts["smudged"] else tile["letter"]
        parts.append(f"{name} has {tile['upper']} over {tile['lower']}")
    return f"{COUNT_WORDS[len(parts)]} dominoes in a row", parts


def _odd_one(facts: Facts) -> tuple[str, list[str]]:
    parts, largest = [], max(thing["size"] for thing in facts["things"])
    for thing in facts["things"]:
        name = "one whose letter can't be read" if thing["letter"] in facts["smudged"] else thing["letter"]
        size = "small " if thing["size"] < largest else ""
        turned = " upside down" if thing["turn"] else ""
        parts.append(f"{name} is {with_article(size + thing['colour'])} {thing['shape']}{turned}")
    return f"{COUNT_WORDS[len(parts)]} lettered things, of which one is not like the others", parts


def _pattern(facts: Facts) -> tuple[str, list[str]]:
    parts = []
    for r, row in enumerate(facts["model"], 1):
        filled = [str(c) for c, square in enumerate(row, 1) if square]
        parts.append(
            f"row {r} of the pattern has {'squares ' + ', '.join(filled) if filled else 'nothing'} filled"
        )
    return "a pattern of filled squares, and four lettered ones to choose from", parts


def _shapes(cell: Facts) -> str:
    shape = cell["shape"] if cell["number"] == 1 else plural(cell["shape"])
    return f"{COUNT_WORDS[cell['number']]} {cell['colour']} {shape}"
