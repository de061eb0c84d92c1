"""Answers about scatter plots, from where points lie against the ticks, without the world's own code."""

import math

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import legend, point_of, read_frame, value_at, words


class Dot:
    def __init__(self, scene: Scene, mark: Placed, colour: str):
        self.at = mark.middle
        self.colour = colour
        self.x = value_at(scene, "horizontal", mark.middle[0])
        self.y = value_at(scene, "vertical", mark.middle[1])
        near = [
            w
            for w in words(scene)
            if 0 < w.box[0] - mark.box[2] < 6 and abs(w.middle[1] - self.at[1] + 5) < 5
        ]
        self.letter = near[0].label if near else ""


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about = question.about
    colours = {p.box: p.label for p in scene.placed if p.kind == "colour"}
    dots = [Dot(scene, p, colours[p.box]) for p in scene.placed if p.kind == "object"]
    named = {dot.letter: dot for dot in dots}
    match question.skill:
        case "count points":
            return str(len(dots))
        case "count of series":
            return str(sum(legend(scene)[dot.colour] == about["series"] for dot in dots))
        case "most points":
            names = [legend(scene)[dot.colour] for dot in dots]
            return max(set(names), key=names.count)
        case "trend":
            x, y = np.array([(d.x, d.y) for d in dots]).T
            keep = np.ones(len(dots), bool)
            if any(q.skill == "outlier" for q in scene.questions):
                keep[_odd_one_out(dots)] = False
            slope = np.corrcoef(x[keep], y[keep])[0, 1]
            return "neither" if abs(slope) < 0.45 else "rise" if slope > 0 else "fall"
        case "outlier":
            return point_of(scene, *dots[_odd_one_out(dots)].at)
        case "count above":
            return str(sum(dot.y > about["threshold"] for dot in dots))
        case "count beyond":
            return str(sum(dot.x > about["threshold"] for dot in dots))
        case "across":
            return f"{named[about['letter']].x:.6g}"
        case "up":
            return f"{named[about['letter']].y:.6g}"
        case "value of what is absent":
            assert about["letter"] not in named
            return NOT_SHOWN
        case "highest" | "highest that can't be read":
            return max(dots, key=lambda d: d.y).letter or CANT_BE_READ
        case "lowest" | "lowest that can't be read":
            return min(dots, key=lambda d: d.y).letter or CANT_BE_READ
        case "furthest right" | "furthest right that can't be read":
            return max(dots, key=lambda d: d.x).letter or CANT_BE_READ
        case "nearest":
            own = named[about["letter"]]
            return min((d for d in dots if d is not own), key=lambda d: math.dist(d.at, own.at)).letter
        case "compare":
            return "yes" if named[about["a"]].y > named[about["b"]].y else "no"
        case "difference":
            return f"{named[about['a']].y - named[about['b']].y:.6g}"
        case "order":
            return ", ".join(dot.letter for dot in sorted(dots, key=lambda d: d.y))
        case "point":
            return point_of(scene, *named[about["letter"]].at)
    raise AssertionError(f"no reading for {question.skill!r}")


def _odd_one_out(dots: list[Dot]) -> int:
    """The point without which the others lie closest to a straight line."""

    def misfit(left_out: int) -> float:
        x, y = np.array([d.at for i, d in enumerate(dots) if i != left_out]).T
        return float(np.polyfit(x, y, 1, full=True)[1].sum())

    return min(range(len(dots)), key=misfit)
