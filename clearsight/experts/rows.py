"""Pieces of text that lie somewhere, as lines in the order they are read."""

from collections.abc import Iterable
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""

OVERLAP = 0.5  # of the lower piece's height, from which two pieces are in one row
GAP = 1.2  # heights between two pieces of a row, from which they are kept apart
BETWEEN = "  "  # what keeps them apart


@dataclass
class _Row:
    top: float
    bottom: float
    pieces: list[tuple[Box, str]]

    def holds(self, box: Box) -> bool:
        common = min(self.bottom, box[3]) - max(self.top, box[1])
        return common >= OVERLAP * max(1e-6, min(self.bottom - self.top, box[3] - box[1]))


def in_rows(pieces: Iterable[tuple[Box, str]]) -> str:
    """Pieces of one height are a line, from left to right; lines go down. A wide gap becomes two spaces.

    A row is as high as its first piece, so that a tall one does not draw others together.
    """
    rows: list[_Row] = []
    for box, text in sorted(pieces, key=lambda piece: (piece[0][1] + piece[0][3], piece[0][0])):
        row = next((row for row in reversed(rows) if row.holds(box)), None)
        if row is None:
            row = _Row(box[1], box[3], [])
            rows.append(row)
        row.pieces.append((box, text))
    return "\n".join(map(_line, rows))


def _line(row: _Row) -> str:
    line, end = "", 0.0
    for (left, top, right, bottom), text in sorted(row.pieces):
        if line:
            line += BETWEEN if left - end > GAP * (bottom - top) else " "
        line += text
        end = right
    return line
