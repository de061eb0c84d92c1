"""The order in which people read lines that stand anywhere in a picture: row by row, each from left to right."""

from collections.abc import Iterable

from clearsight.data.worlds.lettering import Line


def in_reading_order(lines: Iterable[Line]) -> list[Line]:
    """Lines share a row when the middle of one lies within the height of the row's first."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box[1] + line.box[3]):
        middle = (line.box[1] + line.box[3]) / 2
        if rows and rows[-1][0].box[1] <= middle <= rows[-1][0].box[3]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box[0])]
