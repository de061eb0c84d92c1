"""Puzzles made of drawings: mazes, dice, dominoes, odd ones out, mirrored patterns, and matrices with a gap.

As in boards, every `draw_...` makes up a puzzle, draws it on a Board and returns what was drawn as plain facts.
Things to choose from carry letters; a letter in `smudged` was made illegible.
"""

import random
from collections.abc import Sequence
from typing import Any

from clearsight.data.worlds.drawing.drafting import Box
from clearsight.data.worlds.drawing.figures import of_split
from clearsight.data.worlds.drawing.outlines import outline
from clearsight.data.worlds.drawing.palette import RGB, distance, readable_on
from clearsight.data.worlds.puzzles.boards import Board, Facts
from clearsight.data.worlds.scene import Placed

LETTERS = "ABCDEFGH"
PLAIN = ("circle", "square", "triangle", "star", "heart", "diamond", "hexagon", "cross")
TURNABLE = ("triangle", "heart")
PIPS = {
    1: ((0, 0),),
    2: ((-1, -1), (1, 1)),
    3: ((-1, -1), (0, 0), (1, 1)),
    4: ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    5: ((-1, -1), (-1, 1), (0, 0), (1, -1), (1, 1)),
    6: ((-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1)),
}


def _distinct(board: Board, count: int) -> list[tuple[str, RGB]]:
    """Colours that can be told from the ground and from each other."""
    found: list[tuple[str, RGB]] = []
    while len(found) < count:
        name, ink = board.colour(170)
        if all(name != other and distance(ink, value) >= 150 for other, value in found):
            found.append((name, ink))
    return found


def _label(board: Board, x: float, y: float, letter: str, *, legible: bool = True) -> None:
    board.sheet.write(x, y, letter, board.font, 22, board.ink, legible=legible)


def _smudged_letter(rng: random.Random, letters: Sequence[str], share: float = 0.35) -> list[str]:
    return [rng.choice(letters)] if rng.random() < share else []


# ---------------------------------------------------------------------------------------------------
# Mazes


def draw_maze(board: Board) -> Facts:
    """Every part of the maze leads to exactly one of three or four lettered exits; a dot marks the start."""
    rng = board.rng
    columns, rows = rng.randint(7, 10), rng.randint(7, 9)
    rim = [("top", (0, c)) for c in range(columns)] + [("bottom", (rows - 1, c)) for c in range(columns)]
    rim += [("left", (r, 0)) for r in range(rows)] + [("right", (r, columns - 1)) for r in range(rows)]
    exits: list[tuple[str, tuple[int, int]]] = []
    while len(exits) < 3:
        side, cell = rng.choice(rim)
        if all(abs(cell[0] - other[0]) + abs(cell[1] - other[1]) >= 4 for _, other in exits):
            exits.append((side, cell))
    owner = {cell: index for index, (_, cell) in enumerate(exits)}
    depth = {cell: 0 for _, cell in exits}
    stacks, passages = [[cell] for _, cell in exits], set()
    while any(stacks):
        index = rng.choice([i for i, stack in enumerate(stacks) if stack])
        row, column = stacks[index][-1]
        free = [
            (r, c)
            for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
            if 0 <= r < rows and 0 <= c < columns and (r, c) not in owner
        ]
        if not free:
            stacks[index].pop()
            continue
        cell = rng.choice(free)
        owner[cell], depth[cell] = index, depth[row, column] + 1
        passages.add(frozenset(((row, column), cell)))
        stacks[index].append(cell)
    deepest = [max((c for c in owner if owner[c] == i), key=lambda c: depth[c]) for i in range(len(exits))]
    start = rng.choice(
        [cell for cell in deepest if depth[cell] >= 5] or [max(deepest, key=lambda c: depth[c])]
    )
    side, margin = 400 // max(columns, rows), 40
    board.begin(columns * side + 2 * margin, rows * side + 2 * margin)
    sheet, thick = board.sheet, max(2.0, board.width + 1)
    openings = {(edge, cell) for edge, cell in exits}
    for r in range(rows):
        for c in range(columns):
            left, top = margin + c * side, margin + r * side
            right, bottom = left + side, top + side
            walls = {
                "top": (((left, top), (right, top)), r == 0),
                "left": (((left, top), (left, bottom)), c == 0),
                "bottom": (((left, bottom), (right, bottom)), r == rows - 1),
                "right": (((right, top), (right, bottom)), c == columns - 1),
            }
            for edge, (ends, outer) in walls.items():
                beyond = {"bottom": (r + 1, c), "right": (r, c + 1)}.get(edge)
                closed = outer and (edge, (r, c)) not in openings
                if closed or (not outer and beyond and frozenset(((r, c), beyond)) not in passages):
                    sheet.line(ends, board.ink, thick, round_ends=True)
    name, ink = board.colour(250)
    x, y = margin + (start[1] + 0.5) * side, margin + (start[0] + 0.5) * side
    sheet.circle(x, y, side * 0.26, ink)
    dot = (x - side * 0.26, y - side * 0.26, x + side * 0.26, y + side * 0.26)
    board.placed += [Placed("object", "dot", dot), Placed("colour", name, dot)]
    letters = LETTERS[: len(exits)]
    smudged = _smudged_letter(rng, letters, 0.3)
    steps = {"top": (0, -1), "bottom": (0, 1), "left": (-1, 0), "right": (1, 0)}
    for letter, (edge, (r, c)) in zip(letters, exits, strict=True):
        out = side / 2 + margin / 2
        x = margin + (c + 0.5) * side + steps[edge][0] * out
        y = margin + (r + 0.5) * side + steps[edge][1] * out
        _label(board, x, y, letter, legible=letter not in smudged)
    return {
        "kind": "maze",
        "size": [rows, columns],
        "passages": sorted(sorted(list(cell) for cell in pair) for pair in passages),
        "exits": {
            letter: {"side": edge, "cell": list(cell)}
            for letter, (edge, cell) in zip(letters, exits, strict=True)
        },
        "start": list(start),
        "leads to": letters[owner[start]],
        "dot": list(dot),
        "dot colour": name,
        "smudged": smudged,
    }


# ---------------------------------------------------------------------------------------------------
# Dice and dominoes


def _face(board: Board, box: Box, pips: int, ink: RGB) -> None:
    left, top, right, bottom = box
    reach, radius = (right - left) * 0.27, (right - left) * 0.09
    for across, down in PIPS.get(pips, ()):
        board.sheet.circle(
            (left + right) / 2 + across * reach, (top + bottom) / 2 + down * reach, radius, ink
        )


def draw_dice(board: Board) -> Facts:
    rng = board.rng
    count = rng.randint(3, 6)
    columns = 3 if count > 3 else count
    rows, side = -(-count // columns), rng.randint(96, 118)
    board.begin(columns * (side + 34) + 20, rows * (side + 34) + 20)
    colours = _distinct(board, count) if rng.random() < 0.6 else rng.choices(_distinct(board, 3), k=count)
    dice = []
    for index, (name, ink) in enumerate(colours):
        left = 27 + index % columns * (side + 34) + rng.randint(-8, 8)
        top = 27 + index // columns * (side + 34) + rng.randint(-8, 8)
        box, pips = (left, top, left + side, top + side), rng.randint(1, 6)
        pip_ink = of_split(readable_on(ink), board.split)
        board.sheet.box(box, ink, board.ink, 1.5, radius=side * 0.16)
        _face(board, box, pips, pip_ink)
        board.placed += [Placed("object", "die", box), Placed("colour", name, box)]
        dice.append({"colour": name, "pips": pips, "box": list(box)})
    return {"kind": "dice", "dice": dice}


def draw_dominoes(board: Board) -> Facts:
    rng = board.rng
    count = rng.randint(3, 5)
    board.begin(count * 92 + 30, 232)
    pairs: list[list[int]] = []
    while len(pairs) < count:
        pair = [rng.randint(0, 6), rng.randint(0, 6)]
        if sorted(pair) not in [sorted(other) for other in pairs]:
            pairs.append(pair)
    light = rng.random() < 0.5
    face = of_split((244, 240, 228) if light else (34, 34, 38), board.split)
    pip = of_split((28, 28, 30) if light else (242, 242, 238), board.split)
    letters = LETTERS[:count]
    smudged, tiles = _smudged_letter(rng, letters, 0.4), []
    for index, (letter, (upper, lower)) in enumerate(zip(letters, pairs, strict=True)):
        left, top = 28 + index * 92, 20
        box = (left, top, left + 76, top + 152)
        board.sheet.box(box, face, board.ink, 1.5, radius=8)
        board.sheet.line([(left + 8, top + 76), (left + 68, top + 76)], pip, 2)
        _face(board, (left, top, left + 76, top + 76), upper, pip)
        _face(board, (left, top + 76, left + 76, top + 152), lower, pip)
        _label(board, left + 38, top + 180, letter, legible=letter not in smudged)
        board.placed.append(Placed("object", "domino", box))
        tiles.append({"letter": letter, "upper": upper, "lower": lower, "box": list(box)})
    return {"kind": "dominoes", "tiles": tiles, "smudged": smudged}


# ---------------------------------------------------------------------------------------------------
# Shapes


def _shape(board: Board, box: Box, shape: str, name: str, ink: RGB, turn: float = 0) -> None:
    side = round(box[2] - box[0])
    mask = outline(shape, side * 2, turn)
    board.sheet.paste(ink, box[0], box[1], mask)
    small = mask.reduce(2)
    ends = (box[0], box[1], box[0] + small.width, box[1] + small.height)
    board.placed += [Placed("object", shape, ends, small), Placed("colour", name, ends, small)]


def draw_odd_one(board: Board) -> Facts:
    """Equal things but for one, which has another colour, shape, size or direction."""
    rng = board.rng
    columns, rows = rng.choice(((3, 2), (4, 2), (2, 2), (5, 1), (4, 1)))
    side = {5: 100, 4: 118, 3: 138, 2: 160}[columns]
    board.begin(columns * side + 20, rows * (side + 30) + 16)
    differs = rng.choice(("colour", "shape", "size", "direction"))
    shapes = rng.sample(TURNABLE if differs == "direction" else PLAIN, 2)
    colours = _distinct(board, 2)
    odd, letters = rng.randrange(columns * rows), LETTERS[: columns * rows]
    smudged, things = _smudged_letter(rng, letters, 0.4), []
    for index, letter in enumerate(letters):
        other = index == odd
        wide = side * (0.62 if not other or differs != "size" else 0.36)
        shape = shapes[other and differs == "shape"]
        name, ink = colours[other and differs == "colour"]
        turn = 180 if other and differs == "direction" else 0
        x = 10 + (index % columns + 0.5) * side
        y = 8 + index // columns * (side + 30) + side * 0.46
        box = (round(x - wide / 2), round(y - wide / 2), round(x + wide / 2), round(y + wide / 2))
        _shape(board, box, shape, name, ink, turn)
        _label(board, x, 8 + index // columns * (side + 30) + side + 6, letter, legible=letter not in smudged)
        things.append(
            {
                "letter": letter,
                "shape": shape,
                "colour": name,
                "turn": turn,
                "size": round(wide),
                "box": list(box),
            }
        )
    return {"kind": "odd one out", "things": things, "smudged": smudged}


def mirrored(cells: Sequence[Sequence[int]]) -> list[list[int]]:
    """Left and right exchanged."""
    return [list(reversed(row)) for row in cells]


def turned(cells: Sequence[Sequence[int]]) -> list[list[int]]:
    """A quarter turn clockwise."""
    return [list(row) for row in zip(*reversed(cells), strict=True)]


def draw_pattern(board: Board) -> Facts:
    """A pattern of filled squares above, and four lettered ones of which one is its mirror image or a quarter turn."""
    rng = board.rng
    count = rng.choice((3, 4, 4))
    while True:
        model = [[int(rng.random() < 0.45) for _ in range(count)] for _ in range(count)]
        asked = rng.choice(("mirror", "turn"))
        right = mirrored(model) if asked == "mirror" else turned(model)
        half = turned(turned(model))
        wrong = [model, half, turned(model) if asked == "mirror" else mirrored(model), mirrored(half)]
        options = [right]
        for cells in rng.sample(wrong, 4):
            if cells not in options and len(options) < 4:
                options.append(cells)
        if len(options) == 4:
            break
    rng.shuffle(options)
    side = 26
    board.begin(4 * (count * side + 22) + 30, 2 * count * side + 110)
    _, ink = board.colour(220)

    def squares(left: float, top: float, cells: Sequence[Sequence[int]]) -> Box:
        boxes = board.grid(left, top, count, count, side)
        for r in range(count):
            for c in range(count):
                if cells[r][c]:
                    x, y = boxes[r][c][:2]
                    board.sheet.box((x + 2, y + 2, x + side - 2, y + side - 2), ink)
        return left, top, left + count * side, top + count * side

    model_box = squares((board.sheet.size[0] - count * side) / 2, 20, model)
    boxes = []
    for index, cells in enumerate(options):
        left, top = 26 + index * (count * side + 22), count * side + 56
        boxes.append(list(squares(left, top, cells)))
        _label(board, left + count * side / 2, top + count * side + 20, LETTERS[index])
    for box in (model_box, *boxes):
        board.placed.append(Placed("object", "pattern", tuple(box)))  # type: ignore[arg-type]
    facts: Facts = {"kind": "pattern", "model": model, "model box": list(model_box), "asked": asked}
    return {
        **facts,
        "options": dict(zip(LETTERS, options, strict=False)),
        "boxes": dict(zip(LETTERS, boxes, strict=False)),
    }


def draw_matrix(board: Board) -> Facts:
    """Three by three cells of shapes; shape, colour and number follow rows or columns, and the last cell is missing."""
    rng = board.rng
    shapes, colours = rng.sample(PLAIN, 3), _distinct(board, 3)
    rules = {name: rng.choice(("row", "column")) for name in ("shape", "colour", "number")}
    if len(set(rules.values())) == 1:
        rules["number"] = "column" if rules["shape"] == "row" else "row"
    numbers = rng.sample((1, 2, 3), 3) if rng.random() < 0.5 else [1, 2, 3]

    def cell(row: int, column: int) -> dict[str, Any]:
        at = {name: row if rule == "row" else column for name, rule in rules.items()}
        return {
            "shape": shapes[at["shape"]],
            "colour": colours[at["colour"]][0],
            "number": numbers[at["number"]],
        }

    cells = [[cell(row, column) for column in range(3)] for row in range(3)]
    answer, options = cells[2][2], [cells[2][2]]
    while len(options) < 4:
        other = {**answer}
        for name in rng.sample(("shape", "colour", "number"), rng.choice((1, 1, 2))):
            pool = {"shape": shapes, "colour": [c for c, _ in colours], "number": [1, 2, 3]}[name]
            other[name] = rng.choice([value for value in pool if value != answer[name]])
        if other not in options:
            options.append(other)
    rng.shuffle(options)
    side, inks = 92, dict(colours)
    board.begin(4 * 98 + 24, 3 * side + 196)
    boxes = board.grid((board.sheet.size[0] - 3 * side) / 2, 18, 3, 3, side)

    def fill(box: Box, what: dict[str, Any]) -> None:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        wide = 26 if what["number"] > 1 else 30
        for index in range(what["number"]):
            middle = x + (index - (what["number"] - 1) / 2) * 28
            place = (
                round(middle - wide / 2),
                round(y - wide / 2),
                round(middle + wide / 2),
                round(y + wide / 2),
            )
            _shape(board, place, what["shape"], what["colour"], inks[what["colour"]])

    for row in range(3):
        for column in range(3):
            if (row, column) != (2, 2):
                fill(boxes[row][column], cells[row][column])
    board.write(boxes[2][2], "?", 0.5)
    choices = []
    for index, option in enumerate(options):
        left, top = 18 + index * 98, 3 * side + 48
        box = board.grid(left, top, 1, 1, side)[0][0]
        fill(box, option)
        _label(board, left + side / 2, top + side + 22, LETTERS[index])
        choices.append(list(box))
    return {
        "kind": "matrix",
        "cells": [
            [what if (r, c) != (2, 2) else None for c, what in enumerate(row)] for r, row in enumerate(cells)
        ],
        "gap": list(boxes[2][2]),
        "options": dict(zip(LETTERS, options, strict=False)),
        "boxes": dict(zip(LETTERS, choices, strict=False)),
    }


def completed(cells: Sequence[Sequence[dict[str, Any] | None]]) -> dict[str, Any]:
    """What belongs in the last cell: what is equal along the rows comes from its row, the rest from its column."""
    first, last = cells[2][0], cells[0][2]
    assert first and last
    found = {}
    for name in first:
        along_rows = all(row[0] and row[1] and row[0][name] == row[1][name] for row in cells)
        found[name] = (first if along_rows else last)[name]
    return found
