"""Answers about bar charts, measured from the bars' boxes against the ticks, without the world's own code."""

import re

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import box_of, legend, number, point_of, read_frame, value_at, words


class Bar:
    """A bar as it is seen: whose it is, how long it is, and which number stands by it."""

    def __init__(self, scene: Scene, mark: Placed, colour: str):
        facts, self.box = scene.facts, mark.box
        upright, plot = facts["upright"], facts["plot"]
        places = len(facts["categories"])
        share = (mark.middle[0] - plot[0]) / (plot[2] - plot[0])
        if not upright:
            share = (mark.middle[1] - plot[1]) / (plot[3] - plot[1])
        self.category = facts["categories"][int(share * places)]
        self.series = legend(scene)[colour] if facts["series"] else ""
        axis = "vertical" if upright else "horizontal"
        start, end = (mark.box[3], mark.box[1]) if upright else (mark.box[0], mark.box[2])
        low, high = value_at(scene, axis, start), value_at(scene, axis, end)
        self.value = high - low
        if facts["form"] != "stacked" and abs(high) < abs(low):
            self.value = low - high
        self.printed = None
        if facts["printed"]:
            inside = [
                w for w in words(scene) if plot[0] < w.middle[0] < plot[2] and plot[1] < w.middle[1] < plot[3]
            ]
            beside = [w for w in inside if self._beside(w.middle, facts["form"] == "stacked", upright)]
            if beside:
                self.printed = number(min(beside, key=lambda w: self._gap(w.middle)).label)

    def _gap(self, point: tuple[float, float]) -> float:
        left, top, right, bottom = self.box
        return max(left - point[0], point[0] - right, 0) + max(top - point[1], point[1] - bottom, 0)

    def _beside(self, point: tuple[float, float], inside: bool, upright: bool) -> bool:
        """Whether a number at `point` is this bar's: within a part of a stack, else just beyond a bar's end."""
        left, top, right, bottom = self.box
        if inside:
            return left < point[0] < right and top < point[1] < bottom
        off = point[0] - (left + right) / 2 if upright else point[1] - (top + bottom) / 2
        return abs(off) < 5 and self._gap(point) < 40

    @property
    def exact(self) -> float:
        return self.value if self.printed is None else self.printed


def _bars(scene: Scene) -> list[Bar]:
    colours = {p.box: p.label for p in scene.placed if p.kind == "colour"}
    return [Bar(scene, p, colours[p.box]) for p in scene.placed if p.kind == "object"]


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, facts, bars = question.about, scene.facts, _bars(scene)

    def named(cell: str) -> Bar:
        match = re.fullmatch(r"(\w+)(?: \((\w+)\))?", cell)
        assert match
        (found,) = [b for b in bars if b.category == match[1] and b.series == (match[2] or "")]
        return found

    row = [b for b in bars if b.series == about.get("series", "")]
    match question.skill:
        case "value" | "printed value":
            return f"{named(about['cell']).exact:.6g}"
        case "value of what is absent":
            assert about["cell"].split()[0] not in {w.label for w in words(scene)}
            return NOT_SHOWN
        case "printed value that can't be read":
            assert facts["illegible"] == ["value", about["cell"]]
            return CANT_BE_READ
        case "difference":
            return f"{named(about['a']).exact - named(about['b']).exact:.6g}"
        case "sum":
            return f"{named(about['a']).exact + named(about['b']).exact:.6g}"
        case "total":
            return f"{sum(b.value for b in bars if b.category == about['name']):.6g}"
        case "largest":
            return max(row, key=lambda b: b.value).category
        case "smallest":
            return min(row, key=lambda b: b.value).category
        case "largest that can't be read":
            assert facts["illegible"] == ["category", max(row, key=lambda b: b.value).category]
            return CANT_BE_READ
        case "smallest that can't be read":
            assert facts["illegible"] == ["category", min(row, key=lambda b: b.value).category]
            return CANT_BE_READ
        case "ranking":
            return ", ".join(b.category for b in sorted(row, key=lambda b: -b.value))
        case "count above":
            return str(sum(b.value > about["threshold"] for b in row))
        case "compare":
            return "yes" if named(about["a"]).value > named(about["b"]).value else "no"
        case "count bars":
            assert facts["form"] != "stacked"
            return str(len(bars))
        case "next":
            side = 0 if facts["upright"] else 1
            centres = {b.category: (b.box[side] + b.box[side + 2]) / 2 for b in bars}
            order = sorted(centres, key=lambda name: centres[name])
            return order[order.index(about["name"]) + 1]
        case "largest series":
            return max((b for b in bars if b.category == about["name"]), key=lambda b: b.value).series
        case "point":
            box = named(about["cell"]).box
            return point_of(scene, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        case "box":
            return box_of(scene, named(about["cell"]).box)
    raise AssertionError(f"no reading for {question.skill!r}")
