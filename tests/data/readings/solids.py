"""Answers about solids, worked out from their noted attributes and places, without the world's own code."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

Fact = dict[str, Any]


def _matching(scene: Scene, kind: dict[str, str]) -> list[Fact]:
    return [s for s in scene.facts["solids"] if kind.items() <= s.items()]


def _only(scene: Scene, kind: dict[str, str]) -> Fact:
    (found,) = _matching(scene, kind)
    return found


def _across(solid: Fact) -> float:
    return (solid["box"][0] + solid["box"][2]) / 2


def _covered(scene: Scene, solid: Fact) -> list[Fact]:
    """The solids that hide a visible part of this one."""
    solids = scene.facts["solids"]
    column = solids.index(solid)
    most = sum(row[column] for row in scene.facts["hides"])
    return [
        other for other, row in zip(solids, scene.facts["hides"], strict=True) if row[column] > 0.02 * most
    ]


def _thousandths(scene: Scene, values: tuple[float, ...]) -> str:
    sides = (*scene.picture.size, *scene.picture.size)
    return "(" + ", ".join(f"{1000 * v / side:.0f}" for v, side in zip(values, sides, strict=False)) + ")"


def read(scene: Scene, question: Question) -> str:
    solids, about = scene.facts["solids"], question.about
    assert [p.label for p in scene.placed if p.kind == "object"] == [s["shape"] for s in solids]
    match question.skill:
        case "count":
            return str(len(solids))
        case "count kind":
            return str(len(_matching(scene, about["kind"])))
        case "exists":
            return "yes" if _matching(scene, about["kind"]) else "no"
        case "more":
            return "yes" if len(_matching(scene, about["a"])) > len(_matching(scene, about["b"])) else "no"
        case "colour" | "shape" | "material" | "size":
            return _only(scene, about["thing"])[question.skill]
        case "same":
            a, b = (_only(scene, about[key]) for key in "ab")
            return "yes" if a[about["attribute"]] == b[about["attribute"]] else "no"
        case "count same":
            solid = _only(scene, about["thing"])
            alike = [
                s for s in solids if s[about["attribute"]] == solid[about["attribute"]] and s is not solid
            ]
            return str(len(alike))
        case "side":
            a, b = (_only(scene, about[key]) for key in "ab")
            return "left" if _across(a) < _across(b) else "right"
        case "depth":
            a, b = (_only(scene, about[key]) for key in "ab")
            assert (a["y"] < b["y"]) == (a["distance"] < b["distance"])
            return "in front" if a["distance"] < b["distance"] else "behind"
        case "count side":
            solid = _only(scene, about["thing"])
            lefts = sum(_across(s) < _across(solid) for s in solids)
            return str(lefts if about["side"] == "left of" else len(solids) - 1 - lefts)
        case "nearest":
            return min(solids, key=lambda s: s["distance"])["shape"]
        case "farthest":
            return max(solids, key=lambda s: s["distance"])["colour"]
        case "inward":
            return ", ".join(s["shape"] for s in sorted(solids, key=lambda s: s["distance"]))
        case "left to right":
            return ", ".join(s["colour"] for s in sorted(solids, key=_across))
        case "hidden":
            return "yes" if _only(scene, about["thing"])["visible"] < 0.9 else "no"
        case "hides":
            solid = _only(scene, about["thing"])
            assert solid["visible"] < 0.9
            return max(
                _covered(scene, solid),
                key=lambda s: scene.facts["hides"][solids.index(s)][solids.index(solid)],
            )["shape"]
        case "point":
            box = _only(scene, about["thing"])["box"]
            return _thousandths(scene, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
        case "box":
            return _thousandths(scene, _only(scene, about["thing"])["box"])
        case "letter":
            box = _only(scene, about["thing"])["box"]
            (found,) = [
                p.label
                for p in scene.placed
                if p.kind == "character"
                and box[0] <= p.box[0] <= p.box[2] <= box[2]
                and box[1] <= p.box[1] <= p.box[3] <= box[3]
                and p.label == _only(scene, about["thing"])["letter"]
            ]
            return found
        case "colour of what is absent":
            assert not _matching(scene, about["thing"])
            return NOT_SHOWN
        case "letter that can't be read":
            assert not _only(scene, about["thing"])["legible"]
            return CANT_BE_READ
    raise AssertionError(f"no reading for {question.skill!r}")
