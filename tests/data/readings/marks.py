"""Answers about marks, worked out from what was noted and from where ink and things lie."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

Fact = dict[str, Any]
WAYS = {
    "framed by a box": "box",
    "circled": "circle",
    "crossed out": "cross",
    "pointed at by an arrow": "arrow",
    "underlined": "underline",
    "highlighted": "highlight",
}


def _kind(mark: Fact) -> str:
    return "arrow" if mark["kind"] == "note" else mark["kind"]


def _marked(scene: Scene, about: dict[str, str]) -> list[Fact]:
    """The things under marks of this kind and colour; ink of that colour must lie at each."""
    found = []
    for mark in scene.facts["marks"]:
        if _kind(mark) == about["kind"] and about.get("colour", mark["colour"]) == mark["colour"]:
            thing = scene.facts["things"][mark["on"]]
            assert _ink_at(scene, thing, mark["colour"]), (mark, thing)
            found.append(thing)
    return found


def _ink_at(scene: Scene, thing: Fact, colour: str) -> bool:
    left, top, right, bottom = thing["box"]
    return any(
        p.kind == "colour"
        and p.label == colour
        and tuple(p.box) != tuple(thing["box"])
        and p.box[0] < right + 14
        and p.box[2] > left - 14
        and p.box[1] < bottom + 14
        and p.box[3] > top - 14
        for p in scene.placed
    )


def _thing(scene: Scene, name: str) -> tuple[int, Fact]:
    ((index, thing),) = [(i, t) for i, t in enumerate(scene.facts["things"]) if t["name"] == name]
    return index, thing


def _mark_on(scene: Scene, name: str) -> Fact:
    index, _ = _thing(scene, name)
    (mark,) = [m for m in scene.facts["marks"] if m["on"] == index]
    return mark


def _number(scene: Scene, name: str) -> int:
    """The digits written nearest to the thing's top."""
    _, thing = _thing(scene, name)
    left, top, right, _ = thing["box"]
    words = [p for p in scene.placed if p.kind == "word" and p.label.isdigit()]

    def away(p: Any) -> float:
        x, y = p.middle
        return min(abs(x - left), abs(x - (left + right) / 2)) + abs(y - top)

    return int(min(words, key=away).label)


def _middle(thing: Fact) -> tuple[float, float]:
    left, top, right, bottom = thing["box"]
    return (left + right) / 2, (top + bottom) / 2


def _thousandths(scene: Scene, values: tuple[float, ...]) -> str:
    sides = (*scene.picture.size, *scene.picture.size)
    return "(" + ", ".join(f"{1000 * v / side:.0f}" for v, side in zip(values, sides, strict=False)) + ")"


def _follow(scene: Scene, start: int) -> list[int]:
    """The places along the arrows from a thing on."""
    path = [start]
    while following := [m["on"] for m in scene.facts["marks"] if m["start"] == path[-1]]:
        path += following
    return path


def read(scene: Scene, question: Question) -> str:
    things, marks, about = scene.facts["things"], scene.facts["marks"], question.about
    names = [t["name"] for t in things]
    match question.skill:
        case "what is marked":
            (thing,) = _marked(scene, about["mark"])
            return thing["name"]
        case "what an absent mark holds":
            assert not [
                m
                for m in marks
                if _kind(m) == about["mark"]["kind"] and m["colour"] == about["mark"]["colour"]
            ]
            return NOT_SHOWN
        case "word that can't be read":
            (thing,) = _marked(scene, about["mark"])
            assert not thing["legible"]
            assert thing["name"] not in {p.label for p in scene.placed if p.kind == "word"}
            return CANT_BE_READ
        case "how":
            (mark,) = [m for m in marks if m["on"] == about["on"]]
            return next(way for way, kind in WAYS.items() if kind == mark["kind"])
        case "colour of the mark":
            (mark,) = [m for m in marks if m["on"] == about["on"]]
            return mark["colour"]
        case "is marked":
            return "yes" if any(m["on"] == about["on"] and _kind(m) == about["kind"] for m in marks) else "no"
        case "count way":
            return str(len(_marked(scene, about)))
        case "count marked":
            return str(len({m["on"] for m in marks}))
        case "unmarked":
            return ", ".join(t["name"] for i, t in enumerate(things) if i not in {m["on"] for m in marks})
        case "colour of what is marked":
            (thing,) = _marked(scene, about["mark"])
            return next(
                p.label for p in scene.placed if p.kind == "colour" and tuple(p.box) == tuple(thing["box"])
            )
        case "is of colour":
            (thing,) = _marked(scene, about["mark"])
            return "yes" if thing["colour"] == about["colour"] else "no"
        case "side":
            (a,), (b,) = _marked(scene, about["a"]), _marked(scene, about["b"])
            return "left" if _middle(a)[0] < _middle(b)[0] else "right"
        case "point" | "box":
            (thing,) = _marked(scene, about["mark"])
            return _thousandths(scene, _middle(thing) if question.skill == "point" else thing["box"])
        case "note":
            (mark,) = [m for m in marks if m["on"] == about["on"]]
            words = [p for p in scene.placed if p.kind == "word"]
            return min(words, key=lambda p: abs(p.middle[1] - _middle(things[about["on"]])[1])).label
        case "noted":
            (mark,) = [m for m in marks if m["note"] == about["note"]]
            return things[mark["on"]]["name"]
        case "note that can't be read":
            (mark,) = [m for m in marks if m["on"] == about["on"]]
            assert mark["note"] and not mark["legible"]
            return CANT_BE_READ
        case "number of":
            return str(_number(scene, about["thing"]))
        case "sum":
            return str(_number(scene, about["thing"]) + _number(scene, about["other"]))
        case "numbered":
            return next(
                things[m["on"]]["name"] for m in marks if m["legible"] and m["number"] == about["number"]
            )
        case "point to number":
            return _thousandths(
                scene, _middle(next(things[m["on"]] for m in marks if m["number"] == about["number"]))
            )
        case "highest":
            ranked = sorted(marks, key=lambda m: m["number"], reverse=about["end"] == "highest")
            return things[ranked[0]["on"]]["name"]
        case "in order":
            return ", ".join(things[m["on"]]["name"] for m in sorted(marks, key=lambda m: m["number"]))
        case "number that can't be read":
            assert not _mark_on(scene, about["thing"])["legible"]
            return CANT_BE_READ
        case "what an absent number marks":
            assert all(m["legible"] and m["number"] != about["number"] for m in marks)
            assert str(about["number"]) not in {p.label for p in scene.placed if p.kind == "word"}
            return NOT_SHOWN
        case "count pins":
            return str(sum(p.kind == "object" and p.label == "pin" for p in scene.placed))
        case "count pins of colour":
            return str(sum(m["kind"] == "pin" and m["colour"] == about["colour"] for m in marks))
        case "colour of the pin":
            return _mark_on(scene, about["thing"])["colour"]
        case "pinned":
            (mark,) = [m for m in marks if m["colour"] == about["colour"]]
            return things[mark["on"]]["name"]
        case "point to the pinned":
            (mark,) = [m for m in marks if m["colour"] == about["colour"]]
            return _thousandths(scene, _middle(things[mark["on"]]))
        case "what an absent pin marks":
            assert about["colour"] not in {m["colour"] for m in marks}
            return NOT_SHOWN
        case "leads":
            return things[_follow(scene, _thing(scene, about["thing"])[0])[1]]["name"]
        case "comes":
            index, _ = _thing(scene, about["thing"])
            return next(things[m["start"]]["name"] for m in marks if m["on"] == index)
        case "ends":
            return things[_follow(scene, _thing(scene, about["thing"])[0])[-1]]["name"]
        case "chain":
            (first,) = {m["start"] for m in marks} - {m["on"] for m in marks}
            return ", ".join(things[i]["name"] for i in _follow(scene, first))
        case "arrow of what is absent":
            assert about["thing"] not in names
            return NOT_SHOWN
    raise AssertionError(f"no reading for {question.skill!r}")
