"""Boards for puzzles: five styles of paper and lines, and the puzzles whose squares hold letters, digits or marks.

Every `draw_...` makes up a puzzle, draws it on a Board, and returns what was drawn as plain facts: `cells` are rows of
what stands in the squares ("" in an empty one), `boxes` where the squares are, and `smudged` the squares (row,
column, from 1) whose writing was made illegible; their cells are None.
"""

import random
from collections.abc import Collection, Sequence
from typing import Any

from clearsight.data.worlds.drawing.drafting import Box, Sheet
from clearsight.data.worlds.drawing.figures import of_split, shaded
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import RGB, background, readable_on, standing_out
from clearsight.data.worlds.scene import Placed, Split
from clearsight.data.worlds.vocabulary import vocabulary

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("pencil", "tiles", "slate"),
    "eval": ("blueprint", "newsprint"),
}
Facts = dict[str, Any]
Cells = list[list[str]]

PIECES = ("K", "Q", "R", "B", "N", "P")
LINES = (
    *(((row, 0), (row, 1), (row, 2)) for row in range(3)),
    *(((0, column), (1, column), (2, column)) for column in range(3)),
    ((0, 0), (1, 1), (2, 2)),
    ((0, 2), (1, 1), (2, 0)),
)


class Board:
    """A sheet in one of the styles. `begin` lays it out in the size that a puzzle needs."""

    def __init__(self, rng: random.Random, split: Split, template: str):
        self.rng, self.split, self.template = rng, split, template
        self.font = any_font(rng, split)
        shift = rng.randint(-10, 10)
        fixed = {"slate": (44, 52, 52), "blueprint": (30, 64, 122), "newsprint": (238, 232, 216)}
        if template in fixed:
            self.ground: RGB = of_split(tuple(c + shift for c in fixed[template]), split)  # type: ignore[arg-type]
        else:
            self.ground = (0, 0, 0)
            while (template == "pencil" and sum(self.ground) < 400) or self.ground == (0, 0, 0):
                _, self.ground = background(rng, split, plain=True)
        self.ink = readable_on(self.ground)
        self.tint = shaded(self.ground, 0.84 if sum(self.ground) > 380 else 1.3)
        self.width = {"pencil": 1.2, "tiles": 1.0, "slate": 3.0, "blueprint": 1.5, "newsprint": 1.0}[template]
        self.placed: list[Placed] = []
        self.sheet: Sheet

    def begin(self, width: float, height: float) -> None:
        self.sheet = Sheet(self.ground, (round(width), round(height)))
        if self.template == "blueprint":
            for step in range(0, max(self.sheet.size), 16):
                self.sheet.line([(step, 0), (step, height)], shaded(self.ground, 1.08), 1)
                self.sheet.line([(0, step), (width, step)], shaded(self.ground, 1.08), 1)
        elif self.template == "newsprint":
            self.sheet.box((5, 5, width - 5, height - 5), None, self.ink, 1)
            self.sheet.box((8, 8, width - 8, height - 8), None, self.ink, 1)

    def colour(self, least: float = 190) -> tuple[str, RGB]:
        return standing_out(self.rng, self.split, self.ground, least)

    def grid(
        self,
        left: float,
        top: float,
        columns: int,
        rows: int,
        side: float,
        *,
        dark: Collection[tuple[int, int]] = (),
        every: int = 0,
    ) -> list[list[Box]]:
        """Squares in the board's style, those of `dark` (row, column) filled, a thick line after `every` so many."""
        sheet, boxes = self.sheet, []
        gap = 2.5 if self.template == "tiles" else 0
        for row in range(rows):
            line = []
            for column in range(columns):
                x, y = left + column * side, top + row * side
                box = (x + gap, y + gap, x + side - gap, y + side - gap)
                fill = self.ink if (row, column) in dark else self.tint if self.template == "tiles" else None
                sheet.box(box, fill, None if gap else self.ink, self.width, radius=6 if gap else 0)
                line.append((x, y, x + side, y + side))
            boxes.append(line)
        right, bottom = left + columns * side, top + rows * side
        if self.template == "newsprint":
            sheet.box((left - 2, top - 2, right + 2, bottom + 2), None, self.ink, 3)
        for step in range(every, max(columns, rows), every) if every else ():
            if step < columns:
                sheet.line(
                    [(left + step * side, top), (left + step * side, bottom)], self.ink, self.width + 2
                )
            if step < rows:
                sheet.line([(left, top + step * side), (right, top + step * side)], self.ink, self.width + 2)
        return boxes

    def write(
        self, box: Box, text: str, share: float = 0.6, *, legible: bool = True, ink: RGB | None = None
    ) -> None:
        """Text in the middle of a box, `share` of its height."""
        size = max(12, int((box[3] - box[1]) * share))
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self.sheet.write(x, y, text, self.font, size, ink or self.ink, legible=legible)


def grid_facts(kind: str, cells: Cells, boxes: list[list[Box]], smudged: Sequence[tuple[int, int]]) -> Facts:
    return {
        "kind": kind,
        "cells": [
            [None if (r + 1, c + 1) in smudged else text for c, text in enumerate(row)]
            for r, row in enumerate(cells)
        ],
        "boxes": [[list(box) for box in row] for row in boxes],
        "smudged": [list(place) for place in smudged],
    }


def _smudged(rng: random.Random, cells: Cells, share: float = 0.35) -> list[tuple[int, int]]:
    """At most one square (row, column, from 1) whose writing is to be made illegible."""
    filled = [(r + 1, c + 1) for r, row in enumerate(cells) for c, text in enumerate(row) if text]
    return [rng.choice(filled)] if rng.random() < share else []


def _fill(board: Board, cells: Cells, boxes: list[list[Box]], smudged: Sequence[tuple[int, int]]) -> None:
    for r, row in enumerate(cells):
        for c, text in enumerate(row):
            if text:
                board.write(boxes[r][c], text, legible=(r + 1, c + 1) not in smudged)


# ---------------------------------------------------------------------------------------------------
# Noughts and crosses


def winner(cells: Sequence[Sequence[str | None]]) -> str | None:
    """Who has three in a row."""
    for line in LINES:
        marks = {cells[row][column] for row, column in line}
        if len(marks) == 1 and marks <= {"X", "O"}:
            return marks.pop()
    return None


def draw_noughts(board: Board) -> Facts:
    rng = board.rng
    cells: Cells = [[""] * 3 for _ in range(3)]
    moves, ends = rng.sample([(row, column) for row in range(3) for column in range(3)], 9), rng.randint(3, 9)
    for turn, (row, column) in enumerate(moves[:ends]):
        cells[row][column] = "XO"[turn % 2]
        if winner(cells):
            break
    side = rng.randint(96, 124)
    board.begin(3 * side + 60, 3 * side + 60)
    sheet, smudged = board.sheet, _smudged(rng, cells, 0.3)
    if board.template in ("tiles", "newsprint"):
        boxes = board.grid(30, 30, 3, 3, side)
    else:
        boxes = [
            [(30 + c * side, 30 + r * side, 30 + (c + 1) * side, 30 + (r + 1) * side) for c in range(3)]
            for r in range(3)
        ]
        for step in (1, 2):
            at = 30 + step * side
            sheet.line([(at, 30), (at, 30 + 3 * side)], board.ink, board.width + 2)
            sheet.line([(30, at), (30 + 3 * side, at)], board.ink, board.width + 2)
    inks, thick = {mark: board.colour()[1] for mark in "XO"}, rng.uniform(5, 12)
    for row in range(3):
        for column in range(3):
            left, top, right, bottom = boxes[row][column]
            mark, edge = cells[row][column], side * 0.24
            box = (left + edge, top + edge, right - edge, bottom - edge)
            if mark == "X":
                sheet.line([box[:2], box[2:]], inks["X"], thick, round_ends=True)
                sheet.line([(box[0], box[3]), (box[2], box[1])], inks["X"], thick, round_ends=True)
            elif mark == "O":
                sheet.circle((left + right) / 2, (top + bottom) / 2, side * 0.28, None, inks["O"], thick)
            if mark and (row + 1, column + 1) in smudged:
                sheet.spoil((box[0] - thick, box[1] - thick, box[2] + thick, box[3] + thick))
            elif mark:
                board.placed += [Placed("word", mark, box), Placed("character", mark, box)]
    return grid_facts("noughts and crosses", cells, boxes, smudged)


# ---------------------------------------------------------------------------------------------------
# Digits


def draw_sudoku(board: Board) -> Facts:
    """Four by four; the digit of the square marked "?" follows from its row, column and block. Some hold a mistake."""
    rng = board.rng
    digits, pattern = rng.sample("1234", 4), ["0123", "2301", "1032", "3210"]
    blocks = rng.sample([pattern[:2], pattern[2:]], 2)
    full = [[digits[int(d)] for d in row] for block in blocks for row in rng.sample(block, 2)]
    places = [(row, column) for row in range(4) for column in range(4)]
    asked = rng.choice(places)

    def sees(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return a[0] == b[0] or a[1] == b[1] or (a[0] // 2, a[1] // 2) == (b[0] // 2, b[1] // 2)

    kept = set()
    for digit in digits:
        if digit != full[asked[0]][asked[1]]:
            kept.add(rng.choice([p for p in places if sees(p, asked) and full[p[0]][p[1]] == digit]))
    extra = rng.sample([p for p in places if p not in kept and p != asked], rng.randint(3, 6))
    cells = [[full[r][c] if (r, c) in kept or (r, c) in extra else "" for c in range(4)] for r in range(4)]
    wrong = rng.random() < 0.35
    if wrong:
        row = rng.choice([r for r in range(4) if sum(map(bool, cells[r])) >= 2])
        here, there = rng.sample([c for c in range(4) if cells[row][c]], 2)
        cells[row][here] = cells[row][there]
    else:
        cells[asked[0]][asked[1]] = "?"
    smudged = []
    if not wrong and rng.random() < 0.4:
        row, column = rng.choice(extra)
        smudged = [(row + 1, column + 1)]
    side = rng.randint(84, 100)
    board.begin(4 * side + 48, 4 * side + 48)
    boxes = board.grid(24, 24, 4, 4, side, every=2)
    _fill(board, cells, boxes, smudged)
    return grid_facts("sudoku", cells, boxes, smudged)


def draw_numbers(board: Board) -> Facts:
    """A grid of numbers; sometimes a magic square with a gap, whose rows, columns and diagonals have one sum."""
    rng, smudged = board.rng, []
    magic = rng.random() < 0.45
    if magic:
        scale, offset = rng.randint(1, 4), rng.randint(0, 12)
        rows = [[2, 7, 6], [9, 5, 1], [4, 3, 8]]
        for _ in range(rng.randrange(4)):
            rows = [list(row) for row in zip(*rows[::-1], strict=True)]
        if rng.random() < 0.5:
            rows = rows[::-1]
        cells = [[str(scale * number + offset) for number in row] for row in rows]
        cells[rng.randrange(3)][rng.randrange(3)] = "?"
    else:
        columns, height = rng.choice(((3, 3), (4, 3), (4, 4), (3, 4)))
        numbers = rng.sample(range(1, rng.choice((30, 100))), columns * height)
        cells = [[str(number) for number in numbers[r * columns : (r + 1) * columns]] for r in range(height)]
        smudged = _smudged(rng, cells, 0.5)
    side = rng.randint(84, 116)
    board.begin(len(cells[0]) * side + 48, len(cells) * side + 48)
    boxes = board.grid(24, 24, len(cells[0]), len(cells), side)
    for r, row in enumerate(cells):
        for c, text in enumerate(row):
            board.write(boxes[r][c], text, 0.42, legible=(r + 1, c + 1) not in smudged)
    return grid_facts("magic square" if magic else "number grid", cells, boxes, smudged)


# ---------------------------------------------------------------------------------------------------
# Letters


def draw_crossword(board: Board) -> Facts:
    """One word across and two down; in one of them a letter may be left out."""
    rng = board.rng
    words = [word for word in vocabulary(board.split)[:2000] if 4 <= len(word) <= 6]
    while True:
        across = rng.choice(words)
        first = rng.randrange(len(across) - 2)
        second = rng.randrange(first + 2, len(across))
        downs = []
        for column in (first, second):
            found = [
                w for w in rng.sample(words, min(200, len(words))) if across[column] in w and w != across
            ]
            if found:
                downs.append((column, found[0], found[0].index(across[column])))
        if len(downs) == 2 and downs[0][1] != downs[1][1]:
            break
    above = max(cross for _, _, cross in downs)
    height = above + max(len(word) - cross for _, word, cross in downs)
    entries = [("across", across, [(above, column) for column in range(len(across))])]
    for column, word, cross in downs:
        entries.append(("down", word, [(above - cross + i, column) for i in range(len(word))]))
    letters = {place: word[i].upper() for _, word, places in entries for i, place in enumerate(places)}
    starts = sorted({places[0] for _, _, places in entries})
    shared = [(above, column) for column, _, _ in downs]
    gap = rng.choice([place for place in letters if place not in shared]) if rng.random() < 0.5 else None
    cells = [[letters.get((r, c), "") for c in range(len(across))] for r in range(height)]
    if gap:
        cells[gap[0]][gap[1]] = ""
    spare = [place for place in letters if place != gap]
    smudged = [tuple(v + 1 for v in rng.choice(spare))] if rng.random() < 0.4 else []
    side = min(76, 470 // height, 470 // len(across))
    board.begin(len(across) * side + 48, height * side + 48)
    dark = {(r, c) for r in range(height) for c in range(len(across)) if (r, c) not in letters}
    boxes = board.grid(24, 24, len(across), height, side, dark=dark)
    for r, row in enumerate(cells):
        for c, text in enumerate(row):
            left, top, right, bottom = boxes[r][c]
            if (r, c) in starts:
                size = max(11, side // 5)
                number = str(starts.index((r, c)) + 1)
                board.sheet.write(left + 5, top + size * 0.75, number, board.font, size, board.ink, "left")
            if text:
                low = (left, top + side * 0.12, right, bottom)
                board.write(low, text, 0.62, legible=(r + 1, c + 1) not in smudged)  # type: ignore[comparison-overlap]
    facts = grid_facts("crossword", cells, boxes, smudged)  # type: ignore[arg-type]
    facts["entries"] = [
        {
            "name": f"{starts.index(places[0]) + 1} {direction}",
            "places": [[r + 1, c + 1] for r, c in places],
            "word": word.upper(),
            "whole": not any(place == gap or (place[0] + 1, place[1] + 1) in smudged for place in places),
            "gap": gap in places,
        }
        for direction, word, places in entries
    ]
    return facts


def draw_pieces(board: Board) -> Facts:
    """A chequered board with lettered pieces of two sides; squares are named by file and rank, as in chess."""
    rng = board.rng
    count = rng.randint(5, 8)
    side = 384 // count
    board.begin(count * side + 60, count * side + 60)
    sheet = board.sheet
    shade = rng.choice((0, 1))
    light, dark = of_split((236, 222, 196), board.split), of_split((158, 116, 84), board.split)
    if board.template in ("slate", "blueprint"):
        light, dark = of_split((206, 214, 218), board.split), of_split((98, 122, 146), board.split)
    boxes: list[list[Box]] = []
    for r in range(count):
        row: list[Box] = []
        for c in range(count):
            box = (40 + c * side, 14 + r * side, 40 + (c + 1) * side, 14 + (r + 1) * side)
            sheet.box(box, (light, dark)[(r + c + shade) % 2])
            row.append(box)
        boxes.append(row)
        board.write((8, row[0][1], 40, row[0][3]), str(count - r), 18 / side)
    for c in range(count):
        box = boxes[-1][c]
        board.write((box[0], box[3] + 4, box[2], box[3] + 40), "abcdefgh"[c], 0.5)
    sheet.box((40, 14, 40 + count * side, 14 + count * side), None, board.ink, 2)
    cells = [[""] * count for _ in range(count)]
    sides = [[""] * count for _ in range(count)]
    squares = [(r, c) for r in range(count) for c in range(count)]
    for r, c in rng.sample(squares, rng.randint(4, 8)):
        cells[r][c], sides[r][c] = rng.choice(PIECES), rng.choice(("white", "black"))
    smudged = _smudged(rng, cells, 0.4)
    white, black = of_split((250, 250, 248), board.split), of_split((24, 24, 26), board.split)
    inks = {"white": (white, black), "black": (black, white)}
    for r, c in squares:
        if not cells[r][c]:
            continue
        left, top, right, bottom = boxes[r][c]
        fill, ink = inks[sides[r][c]]
        x, y, radius = (left + right) / 2, (top + bottom) / 2, side * 0.4
        sheet.circle(x, y, radius, fill, ink, 1.5)
        board.write(boxes[r][c], cells[r][c], 0.5, legible=(r + 1, c + 1) not in smudged, ink=ink)
        board.placed.append(
            Placed("object", f"{sides[r][c]} piece", (x - radius, y - radius, x + radius, y + radius))
        )
    return {**grid_facts("board with pieces", cells, boxes, smudged), "sides": sides}
