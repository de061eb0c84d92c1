"""Answers about sequences: the number of every moment is measured again where its drawing allows it."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene

COMPASS = ("up", "up and right", "right", "down and right", "down", "down and left", "left", "up and left")
CHANGING = {
    "candle": "the height of the candle",
    "glass": "the level in the glass",
    "plant": "the height of the plant",
    "ball": "the place of the ball",
    "queue": "the length of the queue",
    "stack": "the height of the stack",
    "disc": "the filled part of the disc",
    "clock": "the time on the clock",
    "arrow": "the direction of the arrow",
    "counter": "the number on the counter",
}


def _within(scene: Scene, moment: dict[str, Any], kind: str, label: str | None = None) -> list[Placed]:
    left, top, right, bottom = moment["box"]
    return [
        p
        for p in scene.placed
        if p.kind == kind and p.page == moment["page"] and label in (None, p.label)
        if left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    ]


def _value(scene: Scene, moment: dict[str, Any]) -> int:
    """Counted, measured or read where it can be; from the facts for dials."""
    process = scene.facts["process"]
    counted = {"queue": "person", "stack": "block", "disc": "slice"}
    if process in counted:
        return len(_within(scene, moment, "object", counted[process]))
    if process == "counter":
        (counter,) = _within(scene, moment, "object", "counter")
        left, top, right, bottom = counter.box
        words = _within(scene, moment, "word")
        (shown,) = [p for p in words if left < p.middle[0] < right and top < p.middle[1] < bottom]
        return int(shown.label)
    if moment["scale"]:
        (thing,) = _within(scene, moment, "object", "water" if process == "glass" else process)
        at = thing.middle[0] if process == "ball" else thing.box[1]
        zero, ten = moment["scale"]
        return round(10 * (at - zero) / (ten - zero))
    return moment["value"]


def _said(scene: Scene, value: int) -> str:
    if scene.facts["process"] == "clock":
        return f"{value // 60}:{value % 60:02d}"
    return COMPASS[value % 360 // 45] if scene.facts["process"] == "arrow" else str(value)


def _point_or_box(scene: Scene, moment: dict[str, Any], skill: str) -> str:
    thing = _within(scene, moment, "object", scene.facts["process"])[0]
    width, height = scene.pictures[moment["page"]].size
    sides = [1000 * v / s for v, s in zip(thing.box, (width, height) * 2, strict=True)]
    if skill == "point":
        return f"({(sides[0] + sides[2]) / 2:.0f}, {(sides[1] + sides[3]) / 2:.0f})"
    return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*sides)


def read(scene: Scene, question: Question) -> str:
    moments, about = {m["label"]: m for m in scene.facts["moments"]}, question.about
    values = {label: _value(scene, moment) for label, moment in moments.items()}
    assert all(values[label] == moment["value"] for label, moment in moments.items()), values
    rising = scene.facts["direction"] > 0
    shown = list(values.values())
    in_time = sorted(values, key=lambda label: values[label], reverse=not rising)
    step = shown[1] - shown[0]
    match question.skill:
        case "how many":
            return str(len(moments))
        case "what changes":
            return CHANGING[scene.facts["process"]]
        case "what comes next":
            return _said(scene, shown[-1] + step)
        case "what was before":
            return _said(scene, shown[0] - step)
        case "step":
            turned = scene.facts["process"] == "arrow"
            return str(min(step % 360, -step % 360) if turned else abs(step))
        case "grows":
            return "grow" if shown[-1] > shown[0] else "shrink"
        case "in order":
            return "yes" if in_time == list(values) else "no"
        case "which is first":
            return in_time[{"first": 0, "last": -1}[about["end"]]]
        case "order":
            return ", ".join(in_time)
        case "misplaced":
            fitting = []
            for label in values:
                rest = [v for other, v in values.items() if other != label]
                if rest == sorted(rest, reverse=not rising):
                    fitting.append(label)
            (only,) = fitting
            return only
        case "value":
            return _said(scene, values[about["panel"]])
        case "value where there is none":
            assert about["panel"].split()[-1] not in moments
            return NOT_SHOWN
        case "where":
            (only,) = [label for label, value in values.items() if value == about["value"]]
            return only
        case "difference":
            return str(abs(values[about["a"]] - values[about["b"]]))
        case "greatest":
            return (max if about["most"] == "greatest" else min)(values, key=lambda label: values[label])
        case "colour":
            placed = [p.label for p in scene.placed if p.kind == "colour"]
            return placed[0] if placed else scene.facts["colour"]
        case "colour of what is absent":
            assert about["thing"] not in {p.label for p in scene.placed if p.kind == "object"}
            return NOT_SHOWN
        case "point" | "box":
            return _point_or_box(scene, moments[about["panel"]], question.skill)
        case "caption":
            moment = moments[about["panel"]]
            (word,) = [p for p in _within(scene, moment, "word") if p.label == moment["note"]]
            return word.label
        case "which has the caption":
            (only,) = [
                label
                for label, m in moments.items()
                if any(p.label == about["word"] for p in _within(scene, m, "word"))
            ]
            return only
        case "caption that can't be read":
            moment = moments[about["panel"]]
            assert moment["noted"] and moment["note"] is None
            return CANT_BE_READ
        case "caption where there is none":
            assert not moments[about["panel"]]["noted"]
            return NOT_SHOWN
    raise AssertionError(f"no reading for {question.skill!r}")
