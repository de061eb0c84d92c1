"""Puzzles: noughts and crosses, digits and words in squares, pieces on a board, mazes, dice, dominoes, and patterns.

A picture holds one puzzle. How it is made up and drawn is in boards and patterns, what is asked in board_questions and
pattern_questions: what is there, and what follows from it: who has won, which digit is missing, where the way leads,
what comes in the gap. Only what follows beyond doubt is asked.
"""

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing.reading_order import in_reading_order
from clearsight.data.worlds.puzzles import boards, patterns
from clearsight.data.worlds.puzzles.board_questions import (
    ask_crossword,
    ask_noughts,
    ask_numbers,
    ask_pieces,
    ask_sudoku,
)
from clearsight.data.worlds.puzzles.boards import TEMPLATES, Board
from clearsight.data.worlds.puzzles.captions import describe
from clearsight.data.worlds.puzzles.pattern_questions import (
    ask_dice,
    ask_dominoes,
    ask_matrix,
    ask_maze,
    ask_odd,
    ask_pattern,
)
from clearsight.data.worlds.scene import Scene, Split, rng_for

KINDS = (
    *(
        "noughts and crosses",
        "sudoku",
        "magic square",
        "number grid",
        "crossword",
        "board with pieces",
        "maze",
    ),
    *("dice", "dominoes", "odd one out", "pattern", "matrix"),
)

KIND = (
    "What kind of puzzle is this?",
    "Which sort of puzzle does the picture show?",
    "Name the kind of puzzle.",
    "As what would a collector of puzzles file this one?",
)

DRAW = (
    *(boards.draw_noughts, boards.draw_sudoku, boards.draw_numbers),
    *(boards.draw_crossword, boards.draw_pieces, patterns.draw_maze),
    *(patterns.draw_dice, patterns.draw_dominoes, patterns.draw_odd_one),
    *(patterns.draw_pattern, patterns.draw_matrix),
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("puzzles", seed, split)
    template = rng.choice(TEMPLATES[split])
    board = Board(rng, split, template)
    facts = rng.choice(DRAW)(board)
    scene = Scene("puzzles", seed, split, board.sheet.finish(rng))
    placed = [*board.placed, *board.sheet.placed]
    words = in_reading_order(p for p in placed if p.kind == "word")
    scene.placed = [p for p in placed if p.kind in ("object", "colour")]
    scene.placed += [*words, *(p for p in placed if p.kind == "character")]
    scene.facts = {"template": template, **facts}
    ask = Asker(scene, rng)
    kind = facts["kind"]
    if rng.random() < 0.3:
        of_numbers = ("sudoku", "magic square", "number grid")  # each may be called by another's name
        ask.choice("kind", KIND, kind, [k for k in KINDS if kind not in of_numbers or k not in of_numbers])
    ASK[kind](ask, facts)
    scene.short_caption, scene.caption, scene.long_caption = describe(facts)
    return scene


ASK = {
    "noughts and crosses": ask_noughts,
    "sudoku": ask_sudoku,
    "magic square": ask_numbers,
    "number grid": ask_numbers,
    "crossword": ask_crossword,
    "board with pieces": ask_pieces,
    "maze": ask_maze,
    "dice": ask_dice,
    "dominoes": ask_dominoes,
    "odd one out": ask_odd,
    "pattern": ask_pattern,
    "matrix": ask_matrix,
}
