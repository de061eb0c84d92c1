"""Pieces of text become lines as a person would read them."""

import random

import pytest

from clearsight.experts.rows import in_rows


def test_what_is_at_one_height_is_a_line_from_left_to_right():
    pieces = [((60, 11, 90, 21), "two"), ((0, 10, 30, 20), "one"), ((0, 40, 30, 50), "below")]
    assert in_rows(pieces) == "one  two\nbelow"


def test_a_narrow_gap_is_one_space_and_a_wide_one_two():
    assert in_rows([((0, 0, 30, 10), "a"), ((34, 0, 60, 10), "b"), ((90, 0, 99, 10), "c")]) == "a b  c"


def test_a_tall_piece_does_not_draw_lines_together():
    tall = ((0, 0, 20, 100), "tall")
    lines = [((40, 20 * n, 90, 20 * n + 12), f"line {n}") for n in range(5)]
    assert [line for line in in_rows([tall, *lines]).splitlines() if "line" in line] == [
        f"line {n}" if n != 2 else "tall  line 2" for n in range(5)
    ]


@pytest.mark.parametrize("seed", range(50))
def test_a_table_is_read_row_by_row_however_its_cells_jitter(seed):
    rng = random.Random(seed)
    cells = []
    for row in range(6):
        for column in range(4):
            left, top = 100 * column + rng.uniform(-5, 5), 30 * row + rng.uniform(-3, 3)
            box = (left, top, left + 60, top + 16 + rng.uniform(-2, 2))
            cells.append((box, f"{row}.{column}"))
    rng.shuffle(cells)
    assert in_rows(cells) == "\n".join("  ".join(f"{r}.{c}" for c in range(4)) for r in range(6))


def test_nothing_is_nothing():
    assert in_rows([]) == ""
