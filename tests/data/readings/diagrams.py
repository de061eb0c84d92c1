"""What all diagrams have in common, read from the places of boxes, words and the ends of arrows."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearsight.data.worlds.scene import Placed, Scene

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Seen:
    """A node as seen: its text is empty when it can't be read."""

    text: str
    shape: str
    colour: str
    box: Box


@dataclass(frozen=True)
class Link:
    start: str
    end: str
    label: str


def nodes(scene: Scene) -> list[Seen]:
    words = [p for p in scene.placed if p.kind == "word"]
    colours = {p.box: p.label for p in scene.placed if p.kind == "colour"}
    found = []
    for mark in (p for p in scene.placed if p.kind == "object"):
        inside = [w.label for w in words if _within(w.middle, mark.box, 0)]
        found.append(Seen(" ".join(inside), mark.label, colours.get(mark.box, ""), mark.box))
    return found


def links(scene: Scene) -> list[Link]:
    """Arrows by the nodes their ends touch, with the word drawn nearest to where they begin, if they have one."""
    seen, found = nodes(scene), []
    free = [
        p for p in scene.placed if p.kind == "word" and not any(_within(p.middle, n.box, 0) for n in seen)
    ]
    for arrow in scene.facts["arrows"]:
        points = arrow["points"]
        start, end = (min(seen, key=lambda n: _gap(point, n.box)).text for point in (points[0], points[-1]))
        label = ""
        if arrow["label"]:
            label = min(free, key=lambda w: _gap_along(w, points[0], points[1])).label
        found.append(Link(start, end, label))
    return found


def ways(arrows: Sequence[Link], start: str) -> dict[str, int]:
    """How many arrows it takes from `start` to each node that can be reached."""
    found, edge, steps = {start: 0}, {start}, 0
    while edge:
        steps += 1
        edge = {a.end for a in arrows if a.start in edge} - set(found)
        found |= dict.fromkeys(edge, steps)
    return found


def _within(point: Sequence[float], box: Box, margin: float) -> bool:
    x, y = point
    return box[0] - margin <= x <= box[2] + margin and box[1] - margin <= y <= box[3] + margin


def _gap(point: Sequence[float], box: Box) -> float:
    x, y = point
    return max(box[0] - x, x - box[2], 0) + max(box[1] - y, y - box[3], 0)


def _gap_along(word: Placed, start: Sequence[float], end: Sequence[float]) -> float:
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    return _gap(middle, word.box)
