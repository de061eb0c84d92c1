"""Answers about line charts, from where their points are drawn against the ticks, without the world's own code."""

from itertools import pairwise

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene
from tests.data.readings.charts import legend, number, point_of, read_frame, value_at, words


def _lines(scene: Scene) -> dict[str, dict[str, float]]:
    """Name of each line to its values by place, as its drawn points show them."""
    facts, found = scene.facts, {}
    named = legend(scene)
    marks = [(p, c) for p, c in pairwise(scene.placed) if p.kind == "object" and c.kind == "colour"]
    assert len(marks) == len(facts["vertices"])
    for (mark, colour), vertices in zip(marks, facts["vertices"], strict=True):
        left, top = mark.box[:2]
        lit = np.asarray(mark.mask)
        for x, y in vertices:
            assert lit[max(0, int(y - top) - 2) : int(y - top) + 3, int(x - left)].any()
        name = named[colour.label] if facts["series"] else ""
        labels = [w for w in words(scene) if w.label in facts["times"]]
        values = {}
        for x, y in vertices:
            below = min(labels, key=lambda w: abs(w.middle[0] - x) + (w.middle[1] < facts["plot"][3]) * 1000)
            values[below.label] = value_at(scene, "vertical", y)
        found[name] = values
    return found


def _printed(scene: Scene, when: str) -> float:
    left, top, right, bottom = scene.facts["plot"]
    x, y = scene.facts["vertices"][0][scene.facts["times"].index(when)]
    inside = [w for w in words(scene) if left < w.middle[0] < right and top < w.middle[1] < bottom]
    near = [w for w in inside if abs(w.middle[0] - x) < 4 and abs(w.middle[1] - y) < 30]
    value = number(near[0].label)
    assert len(near) == 1 and value is not None
    return value


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, facts = question.about, scene.facts
    lines = _lines(scene)
    line = lines.get(about.get("series", ""), {})
    times = list(line)
    match question.skill:
        case "count lines":
            return str(len(lines))
        case "count points":
            return str(len(next(iter(lines.values()))))
        case "value":
            exact = _printed(scene, about["when"]) if facts["printed"] else line[about["when"]]
            return f"{exact:.6g}"
        case "printed value":
            return f"{_printed(scene, about['when']):.6g}"
        case "printed value that can't be read":
            assert facts["illegible"] == ["value", about["when"]]
            return CANT_BE_READ
        case "value at an absent place":
            assert about["when"] not in {w.label for w in words(scene)}
            return NOT_SHOWN
        case "highest":
            return max(times, key=lambda t: line[t])
        case "lowest":
            return min(times, key=lambda t: line[t])
        case "trend":
            return "rise" if line[about["b"]] > line[about["a"]] else "fall"
        case "change":
            ends = [about["a"], about["b"]]
            if question.tolerance == 0:
                return f"{abs(_printed(scene, ends[1]) - _printed(scene, ends[0])):.6g}"
            return f"{abs(line[ends[1]] - line[ends[0]]):.6g}"
        case "steepest":
            a, b = max(pairwise(times), key=lambda pair: abs(line[pair[0]] - line[pair[1]]))
            return f"{b} and {a}"
        case "count above":
            return str(sum(value > about["threshold"] for value in line.values()))
        case "point":
            index = list(lines).index(about["series"])
            return point_of(scene, *facts["vertices"][index][facts["times"].index(about["when"])])
        case "highest line":
            return max(lines, key=lambda name: lines[name][about["when"]])
        case "difference":
            return f"{abs(lines[about['a']][about['when']] - lines[about['b']][about['when']]):.6g}"
        case "cross":
            over = [lines[about["a"]][t] > lines[about["b"]][t] for t in facts["times"]]
            return "no" if len(set(over)) == 1 else "yes"
    raise AssertionError(f"no reading for {question.skill!r}")
