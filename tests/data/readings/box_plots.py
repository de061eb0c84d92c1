"""Answers about box plots, from boxes and dots against the ticks, without the world's own code."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import box_of, point_of, read_frame, value_at, words


def _column(scene: Scene, mark: Placed) -> str:
    """The name whose label is level with (or straight below or above) a mark; "" if it can't be read."""
    facts = scene.facts
    left, _top, right, bottom = facts["plot"]
    axis = 0 if facts["upright"] else 1
    labels = [w for w in words(scene) if w.label in facts["categories"]]
    labels = [
        w for w in labels if (w.middle[1] > bottom if facts["upright"] else not left < w.middle[0] < right)
    ]
    near = [w for w in labels if abs(w.middle[axis] - mark.middle[axis]) < 8]
    return near[0].label if near else ""


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, facts = question.about, scene.facts
    axis = "vertical" if facts["upright"] else "horizontal"
    boxes = {_column(scene, p): p for p in scene.placed if p.kind == "object" and p.label == "box"}
    dots = [_column(scene, p) for p in scene.placed if p.kind == "object" and p.label == "outlier"]
    low, high = {}, {}
    for name, mark in boxes.items():
        sides = (mark.box[3], mark.box[1]) if facts["upright"] else (mark.box[0], mark.box[2])
        low[name], high[name] = (value_at(scene, axis, side) for side in sides)
    drawn = {"" if s["name"] in facts["illegible"] else s["name"]: s for s in facts["summaries"]}
    median = {name: s["five"][2] for name, s in drawn.items()}
    assert all(low[name] <= median[name] <= high[name] for name in boxes)
    spread = {name: high[name] - low[name] for name in boxes}
    match question.skill:
        case "median":
            return f"{median[about['item']]:g}"
        case "median of what is absent":
            assert about["item"] not in {w.label for w in words(scene)}
            return NOT_SHOWN
        case "upper quartile":
            return f"{high[about['item']]:.6g}"
        case "lower quartile":
            return f"{low[about['item']]:.6g}"
        case "upper whisker":
            (most,) = [
                value for value in drawn[about["item"]]["five"] if value > drawn[about["item"]]["five"][3]
            ]
            return f"{most:g}"
        case "interquartile range":
            return f"{spread[about['item']]:.6g}"
        case "outliers":
            return str(dots.count(about["item"]))
        case "all outliers":
            return str(len(dots))
        case "count boxes":
            return str(len(boxes))
        case "highest median" | "highest median that can't be read":
            return max(median, key=lambda name: median[name]) or CANT_BE_READ
        case "lowest median" | "lowest median that can't be read":
            return min(median, key=lambda name: median[name]) or CANT_BE_READ
        case "widest" | "widest that can't be read":
            return max(spread, key=lambda name: spread[name]) or CANT_BE_READ
        case "ranking":
            return ", ".join(sorted(median, key=lambda name: -median[name]))
        case "compare":
            return "yes" if median[about["a"]] > median[about["b"]] else "no"
        case "whole box above":
            return "yes" if low[about["a"]] > median[about["b"]] else "no"
        case "count above":
            return str(sum(value > about["threshold"] for value in median.values()))
        case "point":
            return point_of(scene, *boxes[about["item"]].middle)
        case "box":
            return box_of(scene, boxes[about["item"]].box)
    raise AssertionError(f"no reading for {question.skill!r}")
