"""Answers about pie charts, from the areas of the slices and the words at them, without the world's own code."""

import math

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import legend, point_of, read_frame, words


class Slice:
    def __init__(self, mark: Placed, colour: str, whole: float, centre: tuple[float, float]):
        pixels = np.asarray(mark.mask) > 127
        self.colour, self.pixels, self.box = colour, pixels, mark.box
        self.share = 100 * pixels.sum() / whole
        rows, columns = (places[::5] for places in np.nonzero(pixels))  # enough to tell the angles
        x, y = columns.mean() + mark.box[0] - centre[0], rows.mean() + mark.box[1] - centre[1]
        self.angle = math.atan2(y, x)
        across, down = columns + mark.box[0] + 0.5 - centre[0], rows + mark.box[1] + 0.5 - centre[1]
        far = np.hypot(across, down) > 30  # near the centre, pixels are too coarse to tell angles
        turns = np.arctan2(down, across)[far] - self.angle
        turns = (turns + np.pi) % (2 * np.pi) - np.pi
        self.middle = self.angle + (turns.min() + turns.max()) / 2
        self.name, self.figure = "", None

    def holds(self, x: float, y: float) -> bool:
        column, row = int(x - self.box[0]), int(y - self.box[1])
        inside = 0 <= row < self.pixels.shape[0] and 0 <= column < self.pixels.shape[1]
        return inside and bool(self.pixels[row, column])

    def far_from(self, word: Placed, centre: tuple[float, float], reach: float) -> float:
        """How badly a word outside the disc fits this slice: most of all by its height on the page."""
        x = centre[0] + (reach + 9) * math.cos(self.middle)
        y = centre[1] + (reach + 9) * math.sin(self.middle)
        on_right = x >= centre[0]
        off = word.box[0] - x if on_right else x - word.box[2]
        return 4 * abs(word.middle[1] - y) + abs(off) + (50 if off < -3 else 0)

    @property
    def exact(self) -> float:
        return self.share if self.figure is None else self.figure


def _slices(scene: Scene) -> list[Slice]:
    facts = scene.facts
    left, top, right, bottom = facts["plot"]
    centre = ((left + right) / 2, (top + bottom) / 2)
    colours = {p.box: p.label for p in scene.placed if p.kind == "colour"}
    marks = [p for p in scene.placed if p.kind == "object"]
    whole = sum((np.asarray(p.mask) > 127).sum() for p in marks)
    slices = [Slice(p, colours[p.box], whole, centre) for p in marks]
    if facts["naming"] == "legend":
        for part in slices:
            part.name = legend(scene)[part.colour]
    names = {part["name"] for part in facts["slices"]}
    reach = (right - left) / 2
    for word in words(scene):
        is_figure = word.label.endswith("%")
        inside = [part for part in slices if part.holds(*word.middle)]
        if is_figure and inside:
            inside[0].figure = int(word.label[:-1])
        elif is_figure or (word.label in names and facts["naming"] == "around"):
            part = min(slices, key=lambda part: part.far_from(word, centre, reach))
            if part.far_from(word, centre, reach) > 110:
                continue  # a word of the title
            if is_figure:
                part.figure = int(word.label[:-1])
            else:
                part.name = word.label
    return slices


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, facts, slices = question.about, scene.facts, _slices(scene)
    hidden = facts["illegible"][1:]

    def named(name: str) -> Slice:
        (found,) = [part for part in slices if part.name == name]
        return found

    ranked = sorted(slices, key=lambda part: -part.share)
    match question.skill:
        case "share" | "printed share":
            return f"{named(about['slice']).exact:.6g}"
        case "figure that can't be read":
            assert hidden == [about["slice"]] and named(about["slice"]).figure is None
            return CANT_BE_READ
        case "share of what is absent":
            assert about["slice"] not in {w.label for w in words(scene)}
            return NOT_SHOWN
        case "amount":
            return f"{facts['total'] * named(about['slice']).exact / 100:.6g}"
        case "sum":
            return f"{named(about['a']).exact + named(about['b']).exact:.6g}"
        case "difference":
            return f"{named(about['a']).exact - named(about['b']).exact:.6g}"
        case "more than a quarter":
            return "yes" if named(about["slice"]).share > 25 else "no"
        case "count above":
            return str(sum(part.share > about["threshold"] for part in slices))
        case "count slices":
            return str(len(slices))
        case "largest":
            return ranked[0].name
        case "smallest":
            return ranked[-1].name
        case "second largest":
            return ranked[1].name
        case "largest that can't be read":
            assert ranked[0].name == ""
            return CANT_BE_READ
        case "smallest that can't be read":
            assert ranked[-1].name == ""
            return CANT_BE_READ
        case "second largest that can't be read":
            assert ranked[1].name == ""
            return CANT_BE_READ
        case "ranking":
            return ", ".join(part.name for part in ranked)
        case "compare":
            return "yes" if named(about["a"]).share > named(about["b"]).share else "no"
        case "clockwise":
            own = named(about["slice"])
            others = [part for part in slices if part is not own]
            return min(others, key=lambda part: (part.angle - own.angle) % (2 * math.pi)).name
        case "colour":
            return named(about["slice"]).colour
        case "slice of colour":
            return next(part.name for part in slices if part.colour == about["colour"])
        case "name that can't be read":
            assert next(part.name for part in slices if part.colour == about["colour"]) == ""
            return CANT_BE_READ
        case "point":
            part = named(about["slice"])
            left, top, right, bottom = facts["plot"]
            x, y = (left + right) / 2, (top + bottom) / 2
            lit = [r for r in range(8, int((right - left) / 2)) if part.holds(*_polar(x, y, r, part.middle))]
            return point_of(scene, *_polar(x, y, (lit[0] + lit[-1]) / 2 + 2, part.middle))
    raise AssertionError(f"no reading for {question.skill!r}")


def _polar(x: float, y: float, radius: float, angle: float) -> tuple[float, float]:
    return x + radius * math.cos(angle), y + radius * math.sin(angle)
