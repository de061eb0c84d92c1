"""Answers about icons and emoji, worked out from where they were placed and what was noted on them."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene

Box = tuple[float, float, float, float]


def _objects(scene: Scene) -> list[Placed]:
    return [p for p in scene.placed if p.kind == "object"]


def _only(scene: Scene, name: str) -> Placed:
    (found,) = [p for p in _objects(scene) if p.label == name]
    return found


def _fact(scene: Scene, name: str) -> dict:
    (found,) = [t for t in scene.facts["things"] if t["name"] == name]
    return found


def _gap(a: Placed, b: Placed) -> float:
    return (a.middle[0] - b.middle[0]) ** 2 + (a.middle[1] - b.middle[1]) ** 2


def _thousandths(scene: Scene, values: tuple[float, ...]) -> str:
    sides = (*scene.picture.size, *scene.picture.size)
    return "(" + ", ".join(f"{1000 * v / side:.0f}" for v, side in zip(values, sides, strict=False)) + ")"


def _written_below(scene: Scene, name: str) -> str:
    """The word that is horizontally within reach of the thing and nearest below it."""
    thing = _only(scene, name)
    words = [p for p in scene.placed if p.kind == "word" and p.middle[1] > thing.middle[1]]
    return min(words, key=lambda w: abs(w.middle[0] - thing.middle[0]) * 2 + w.middle[1] - thing.box[3]).label


def _price(scene: Scene, name: str) -> float:
    return round(float(_written_below(scene, name).lstrip("$")), 2)


def _in_column(scene: Scene, name: str) -> list[Placed]:
    """The things of the column of the one named, from the top."""
    thing = _only(scene, name)
    reach = thing.box[2] - thing.box[0]
    column = [p for p in _objects(scene) if abs(p.middle[0] - thing.middle[0]) < max(30, 0.4 * reach)]
    return sorted(column, key=lambda p: p.middle[1])


def _in_row(scene: Scene, number: int) -> list[str]:
    """The names of a row's things, from the left, by the rows that their places form."""
    row = [t for t in scene.facts["things"] if t["row"] == number]
    return [t["name"] for t in sorted(row, key=lambda t: t["box"][0] + t["box"][2])]


def read(scene: Scene, question: Question) -> str:
    things, about = _objects(scene), question.about
    names = [p.label for p in things]
    match question.skill:
        case "what is shown":
            (only,) = names
            return only
        case "count":
            return str(len(things))
        case "count thing":
            return str(names.count(about["thing"]))
        case "count sort":
            return str(sum(t["sort"] == about["sort"] for t in scene.facts["things"]))
        case "present":
            return "yes" if about["thing"] in names else "no"
        case "more":
            return "yes" if names.count(about["a"]) > names.count(about["b"]) else "no"
        case "difference":
            return str(names.count(about["a"]) - names.count(about["b"]))
        case "most":
            return max(sorted(set(names)), key=names.count)
        case "stranger":
            (odd,) = [t["name"] for t in scene.facts["things"] if t["sort"] != about["sort"]]
            return odd
        case "colour":
            thing = _only(scene, about["thing"])
            return next(p.label for p in scene.placed if p.kind == "colour" and p.box == thing.box)
        case "of colour":
            (box,) = [
                p.box
                for p in scene.placed
                if p.kind == "colour" and p.label == about["colour"] and p.box in _boxes(scene)
            ]
            return next(p.label for p in things if p.box == box)
        case "tile":
            x, y = _only(scene, about["thing"]).middle
            tiles = [p for p in scene.placed if p.kind == "colour" and p.box not in _boxes(scene)]
            return next(p.label for p in tiles if p.box[0] < x < p.box[2] and p.box[1] < y < p.box[3])
        case "side":
            a, b = (_only(scene, about[key]) for key in ("thing", "other"))
            return "left" if a.middle[0] < b.middle[0] else "right"
        case "height":
            a, b = (_only(scene, about[key]) for key in ("thing", "other"))
            return "higher" if a.middle[1] < b.middle[1] else "lower"
        case "nearest":
            thing = _only(scene, about["thing"])
            return min((p for p in things if p is not thing), key=lambda p: _gap(p, thing)).label
        case "largest":
            return max(things, key=lambda p: (p.box[2] - p.box[0]) * (p.box[3] - p.box[1])).label
        case "beside":
            row = _in_row(scene, _fact(scene, about["thing"])["row"])
            return row[row.index(about["thing"]) + (1 if about["side"] == "right" else -1)]
        case "between":
            row = _in_row(scene, _fact(scene, about["thing"])["row"])
            first, last = row.index(about["thing"]), row.index(about["other"])
            assert last - first == 2
            return row[first + 1]
        case "above":
            column = _in_column(scene, about["thing"])
            place = [p.label for p in column].index(about["thing"])
            return column[place + (1 if about["side"] == "below" else -1)].label
        case "cell":
            return _in_row(scene, about["row"])[about["column"] - 1]
        case "row":
            return ", ".join(_in_row(scene, about["row"]))
        case "point":
            return _thousandths(scene, _only(scene, about["thing"]).middle)
        case "box":
            return _thousandths(scene, _only(scene, about["thing"]).box)
        case "label":
            return _written_below(scene, about["thing"])
        case "labelled":
            return next(
                name for name in names if names.count(name) == 1 and _label(scene, name) == about["label"]
            )
        case "price":
            return f"{_price(scene, about['thing']):g}"
        case "cheaper":
            return "yes" if _price(scene, about["thing"]) < _price(scene, about["other"]) else "no"
        case "total":
            return f"{_price(scene, about['thing']) + _price(scene, about['other']):.2f}"
        case "dearest":
            return max(scene.facts["things"], key=lambda t: float(t["label"][1:]))["name"]
        case "place of what is absent":
            assert about["thing"] not in names
            return NOT_SHOWN
        case "label that can't be read" | "price that can't be read":
            fact = _fact(scene, about["thing"])
            assert fact["label"] and not fact["legible"]
            assert fact["label"] not in {p.label for p in scene.placed if p.kind == "word"}
            return CANT_BE_READ
    raise AssertionError(f"no reading for {question.skill!r}")


def _boxes(scene: Scene) -> set[Box]:
    return {p.box for p in _objects(scene)}


def _label(scene: Scene, name: str) -> str:
    fact = _fact(scene, name)
    return fact["label"] if fact["legible"] else ""
