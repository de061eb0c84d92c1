"""Answers about histograms, from the bars against the ticks, without the world's own code."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import box_of, number, point_of, read_frame, ticks, value_at, words


class Bar:
    def __init__(self, scene: Scene, mark: Placed):
        edges = ticks(scene, "horizontal")
        self.box = mark.box
        self.low = min(edges, key=lambda tick: abs(tick[0] - mark.box[0]))[1]
        self.high = min(edges, key=lambda tick: abs(tick[0] - mark.box[2]))[1]
        self.count = value_at(scene, "vertical", mark.box[1])
        self.printed = None
        plot = scene.facts["plot"]
        for word in words(scene):
            x, y = word.middle
            if mark.box[0] < x < mark.box[2] and plot[1] < y < mark.box[1] and mark.box[1] - y < 20:
                self.printed = number(word.label)

    @property
    def exact(self) -> float:
        return self.count if self.printed is None else self.printed

    @property
    def name(self) -> str:
        return f"{self.low:g} to {self.high:g}"


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about = question.about
    bars = [Bar(scene, p) for p in scene.placed if p.kind == "object"]

    def bar(low: str, high: str) -> Bar:
        (found,) = [b for b in bars if f"{b.low:g}" == low and f"{b.high:g}" == high]
        return found

    match question.skill:
        case "colour":
            (colour,) = {p.label for p in scene.placed if p.kind == "colour"}
            return colour
        case "count in a range" | "printed count":
            return f"{bar(about['low'], about['high']).exact:.6g}"
        case "count that can't be read":
            assert bar(about["low"], about["high"]).printed is None
            return CANT_BE_READ
        case "count of a range that is absent":
            assert about["low"] not in {f"{b.low:g}" for b in bars}
            return NOT_SHOWN
        case "two ranges":
            inside = [b for b in bars if float(about["low"]) <= b.low < float(about["high"])]
            assert len(inside) == 2
            return f"{sum(b.exact for b in inside):.6g}"
        case "total":
            return f"{sum(b.exact for b in bars):g}"
        case "below":
            return f"{sum(b.exact for b in bars if b.low < float(about['edge'])):g}"
        case "median":
            values = [b.name for b in bars for _ in range(int(b.exact))]
            assert values[(len(values) - 1) // 2] == values[len(values) // 2]
            return values[len(values) // 2]
        case "count bars":
            return str(len(bars))
        case "width":
            return f"{bars[0].high - bars[0].low:.6g}"
        case "fullest":
            return max(bars, key=lambda b: b.count).name
        case "emptiest":
            return min(bars, key=lambda b: b.count).name
        case "higher":
            return "yes" if bar(about["a"], about["b"]).count > bar(about["c"], about["d"]).count else "no"
        case "count above":
            return str(sum(b.count > float(about["threshold"]) for b in bars))
        case "point":
            left, top, right, bottom = bar(about["low"], about["high"]).box
            return point_of(scene, (left + right) / 2, (top + bottom) / 2)
        case "box":
            return box_of(scene, bar(about["low"], about["high"]).box)
    raise AssertionError(f"no reading for {question.skill!r}")
