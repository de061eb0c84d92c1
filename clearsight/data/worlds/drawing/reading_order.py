"""The order in which people read lines that stand anywhere in a picture: row by row, each from left to right."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Boxed(Protocol):
    """Anything with a box (left, top, right, bottom): a line, or a placed word."""

    @property
    def box(self) -> tuple[float, float, float, float]: ...


T = TypeVar("T", bound=Boxed)


def in_reading_order(things: Iterable[T]) -> list[T]:
    """Things share a row when the middle of one lies within the height of the row's first."""
    rows: list[list[T]] = []
    for thing in sorted(things, key=lambda thing: thing.box[1] + thing.box[3]):
        middle = (thing.box[1] + thing.box[3]) / 2
        if rows and rows[-1][0].box[1] <= middle <= rows[-1][0].box[3]:
            rows[-1].append(thing)
        else:
            rows.append([thing])
    return [thing for row in rows for thing in sorted(row, key=lambda thing: thing.box[0])]
