"""Boxes and points: IoU, right from an overlap of a half (RefCOCO's accuracy), and whether a point lies in a box.

Places are thousandths of the picture's sides unless the task says otherwise; the unit is never guessed from the
size of the numbers. A box is (left, top, right, bottom), a point (x, y); brackets, JSON and "x1=" around the
numbers do not matter, a second box or point does: then the reply names no one place, and is unread.
"""

import re

from clearsight.data.verify import overlap
from clearsight.evals.metrics.scored import Scored

Box = tuple[float, float, float, float]


def box_overlap(reply: str, right: Box, least: float = 0.5) -> Scored:
    """Whether the boxes overlap (IoU) by `least`; `mean IoU` is the overlap itself. Swapped corners are no box."""
    found = coordinates(reply, 4)
    if found is None:
        return Scored.unread(reply.strip()[:80], {"mean IoU": 0.0, "at 0.75": 0.0, "corners sorted": 0.0})
    share = overlap(found, right) if found[0] < found[2] and found[1] < found[3] else 0.0
    left, top, right_, bottom = found
    ordered = (min(left, right_), min(top, bottom), max(left, right_), max(top, bottom))
    under = {
        "mean IoU": share,
        "at 0.75": float(share >= 0.75),
        "corners sorted": float(overlap(ordered, right) >= least),
    }
    return Scored(float(share >= least), True, str(tuple(found)), under)


def point_in_box(reply: str, right: Box) -> Scored:
    """Whether the point lies in the box, its edges included. `middle of a box` takes a box for its middle."""
    found = coordinates(reply, 2)
    box = coordinates(reply, 4)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) if box else None
    under = {"middle of a box": float(_inside(found or middle, right))}
    if found is None:
        return Scored.unread(reply.strip()[:80], under)
    return Scored(float(_inside(found, right)), True, str(tuple(found)), under)


def coordinates(reply: str, count: int) -> tuple[float, ...] | None:
    """The `count` numbers of a reply that has just so many; None otherwise. Names such as x1 are no numbers."""
    numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)", reply)
    return tuple(float(number) for number in numbers) if len(numbers) == count else None


def _inside(point: tuple[float, ...] | None, box: Box) -> bool:
    return point is not None and box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
