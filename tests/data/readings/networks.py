"""Answers about networks, from the nodes at the ends of every line, without the world's own code."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene
from tests.data.readings.charts import box_of, point_of
from tests.data.readings.diagrams import Link, links, nodes, ways

SIDES = {"left": (0, min), "top": (1, min), "right": (0, max), "bottom": (1, max)}


def _lengths(scene: Scene) -> list[int | None]:
    """The number on each line: the word at its middle, or a little before it."""
    found: list[int | None] = []
    numbers = [p for p in scene.placed if p.kind == "word" and p.label.isdigit()]
    for arrow in scene.facts["arrows"]:
        (ax, ay), (bx, by) = arrow["points"]
        share = 0.44 if scene.facts["directed"] else 0.5
        x, y = ax + (bx - ax) * share, ay + (by - ay) * share
        near = [w for w in numbers if abs(w.middle[0] - x) < 4 and abs(w.middle[1] - y) < 4]
        found.append(int(near[0].label) if near else None)
    return found


def _without_labels(scene: Scene) -> Scene:
    facts = scene.facts | {"arrows": [dict(arrow, label="") for arrow in scene.facts["arrows"]]}
    return Scene(scene.world, scene.seed, scene.split, scene.picture, placed=scene.placed, facts=facts)


def read(scene: Scene, question: Question) -> str:
    about, seen, joined = question.about, nodes(scene), links(_without_labels(scene))
    named = {node.text: node for node in seen}
    both = joined if scene.facts["directed"] else [*joined, *(Link(a.end, a.start, "") for a in joined)]
    near = {
        n: {a.end for a in joined if a.start == n} | {a.start for a in joined if a.end == n} for n in named
    }
    degree = {n: sum(n in (a.start, a.end) for a in joined) for n in named}
    match question.skill:
        case "count nodes":
            return str(len(seen))
        case "count links":
            return str(len(joined))
        case "degree":
            return str(degree[about["node"]])
        case "most links":
            return max(degree, key=lambda name: degree[name])
        case "most links that can't be read":
            assert max(degree, key=lambda name: degree[name]) == ""
            return CANT_BE_READ
        case "neighbours":
            return ", ".join(sorted(near[about["node"]], reverse=True))
        case "neighbours of what is absent":
            assert about["node"] not in named
            return NOT_SHOWN
        case "joined":
            return "yes" if about["b"] in near[about["a"]] else "no"
        case "arrows into":
            return str(sum(a.end == about["node"] for a in joined))
        case "after":
            return ", ".join(a.end for a in reversed(joined) if a.start == about["node"])
        case "reaches":
            return "yes" if about["b"] in ways(both, about["a"]) else "no"
        case "distance":
            return str(ways(both, about["a"])[about["b"]])
        case "length" | "length that can't be read":
            ends = {about["a"], about["b"]}
            (length,) = [n for a, n in zip(joined, _lengths(scene), strict=True) if {a.start, a.end} == ends]
            assert (length is None) == (question.skill != "length")
            return CANT_BE_READ if length is None else str(length)
        case "route":
            legs = ({about["a"], about["b"]}, {about["b"], about["c"]})
            found = [n for a, n in zip(joined, _lengths(scene), strict=True) if {a.start, a.end} in legs]
            assert len(found) == 2
            return str(sum(n or 0 for n in found))
        case "longest":
            link, _ = max(zip(joined, _lengths(scene), strict=True), key=lambda pair: pair[1] or 0)
            return f"{link.end}, {link.start}"
        case "extreme" | "extreme that can't be read":
            axis, pick = SIDES[about["side"]]
            node = pick(seen, key=lambda node: node.box[axis] + node.box[axis + 2])
            assert (node.text == "") == (question.skill != "extreme")
            return node.text or CANT_BE_READ
        case "colour":
            return named[about["node"]].colour
        case "count colour":
            return str(sum(node.colour == about["colour"] for node in seen))
        case "point":
            left, top, right, bottom = named[about["node"]].box
            return point_of(scene, (left + right) / 2, (top + bottom) / 2)
        case "box":
            return box_of(scene, named[about["node"]].box)
    raise AssertionError(f"no reading for {question.skill!r}")
