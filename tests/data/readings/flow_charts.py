"""Answers about flow charts, by following the arrows from box to box, without the world's own code."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene
from tests.data.readings.charts import box_of, point_of, read_frame
from tests.data.readings.diagrams import links, nodes, ways


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, boxes, arrows = question.about, nodes(scene), links(scene)
    named = {box.text: box for box in boxes}
    ends = [a.end for a in arrows if a.start == about.get("node")]
    match question.skill:
        case "next":
            (end,) = ends
            return end
        case "next that can't be read":
            assert ends == [""]
            return CANT_BE_READ
        case "next of what is absent":
            assert about["node"] not in named
            return NOT_SHOWN
        case "previous":
            (start,) = [a.start for a in arrows if a.end == about["node"]]
            return start
        case "branch":
            return next(a.end for a in arrows if a.start == about["node"] and a.label == about["label"])
        case "branch that can't be read":
            assert "" in [a.end for a in arrows if a.start == about["node"] and a.label == about["label"]]
            return CANT_BE_READ
        case "answer":
            return next(a.label for a in arrows if (a.start, a.end) == (about["a"], about["b"]))
        case "into":
            return ", ".join(sorted(a.start for a in arrows if a.end == about["node"]))
        case "first":
            (first,) = [box.text for box in boxes if box.text not in {a.end for a in arrows}]
            return first
        case "distance":
            return str(ways(arrows, about["a"])[about["b"]])
        case "reaches":
            return "yes" if about["b"] in ways(arrows, about["a"]) else "no"
        case "always the same answer":
            here = about["node"]
            for _ in boxes:
                onward = [a.end for a in arrows if a.start == here and a.label in ("", about["label"])]
                here = onward[0] if onward else here
            return here
        case "count boxes":
            return str(len(boxes))
        case "count arrows":
            return str(len(arrows))
        case "count decisions":
            return str(sum(box.shape == "diamond" for box in boxes))
        case "shape":
            return named[about["node"]].shape
        case "boxes of a shape":
            return ", ".join(box.text for box in reversed(boxes) if box.shape == about["shape"])
        case "colour":
            return named[about["node"]].colour
        case "point":
            left, top, right, bottom = named[about["node"]].box
            return point_of(scene, (left + right) / 2, (top + bottom) / 2)
        case "box":
            return box_of(scene, named[about["node"]].box)
    raise AssertionError(f"no reading for {question.skill!r}")
