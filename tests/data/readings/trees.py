"""Answers about trees, by following the lines between boxes, without the world's own code."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene
from tests.data.readings.charts import box_of, point_of, read_frame
from tests.data.readings.diagrams import Seen, nodes


def _superiors(scene: Scene, seen: list[Seen]) -> dict[str, str]:
    """Whose lines lead up to whom: a line's two ends touch two boxes, and the first is the superior's."""

    def at(point: list[float]) -> str:
        x, y = point
        (node,) = [n for n in seen if n.box[0] - 2 <= x <= n.box[2] + 2 and n.box[1] - 2 <= y <= n.box[3] + 2]
        return node.text

    return {at(link[-1]): at(link[0]) for link in scene.facts["links"]}


def _chain(superior: dict[str, str], name: str) -> list[str]:
    return [] if name not in superior else [superior[name], *_chain(superior, superior[name])]


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, seen = question.about, nodes(scene)
    superior = _superiors(scene, seen)
    named = {node.text: node for node in seen}
    below = {name: [n for n in named if superior.get(n) == name] for name in named}
    item = about.get("item", "")
    match question.skill:
        case "superior":
            return superior[item]
        case "superior that can't be read":
            assert superior[item] == ""
            return CANT_BE_READ
        case "superior of what is absent":
            assert item not in named
            return NOT_SHOWN
        case "direct reports":
            return ", ".join(below[item])
        case "direct report that can't be read":
            assert below[item] == [""]
            return CANT_BE_READ
        case "count of direct reports":
            return str(len(below[item]))
        case "peers":
            return ", ".join(n for n in below[superior[item]] if n != item)
        case "head" | "head that can't be read":
            (head,) = [name for name in named if name not in superior]
            return head or CANT_BE_READ
        case "count of all below":
            return str(sum(item in _chain(superior, name) for name in named))
        case "is above":
            return "yes" if about["a"] in _chain(superior, about["b"]) else "no"
        case "common superior":
            other = _chain(superior, about["b"])
            return next(name for name in _chain(superior, about["a"]) if name in other)
        case "depth":
            return str(len(_chain(superior, item)))
        case "most direct reports" | "most direct reports that can't be read":
            return max(below, key=lambda name: len(below[name])) or CANT_BE_READ
        case "count of ranks":
            return str(1 + max(len(_chain(superior, name)) for name in named))
        case "count without reports":
            return str(sum(not below[name] for name in named))
        case "count boxes":
            return str(len(seen))
        case "shape":
            (shape,) = {named[name].shape for name in named if not below[name]}
            return shape
        case "colour":
            return named[item].colour
        case "point":
            left, top, right, bottom = named[item].box
            return point_of(scene, (left + right) / 2, (top + bottom) / 2)
        case "box":
            return box_of(scene, named[item].box)
    raise AssertionError(f"no reading for {question.skill!r}")
