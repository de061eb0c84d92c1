"""Answers about flags, worked out from masks of colours, boxes, labels as written, and the table of countries."""

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.places.national_flags import codes, nationals
from clearsight.data.worlds.scene import Placed, Question, Scene

ORDINALS = ["first", "second", "third", "fourth", "fifth"]


def _cloths(scene: Scene) -> list[Placed]:
    return [p for p in scene.placed if p.kind == "object" and p.label == "flag"]


def _in_rows(cloths: list[Placed]) -> list[list[Placed]]:
    rows: list[list[Placed]] = []
    for cloth in sorted(cloths, key=lambda p: p.box[1]):
        if rows and cloth.box[1] < rows[-1][0].middle[1]:
            rows[-1].append(cloth)
        else:
            rows.append([cloth])
    return [sorted(row, key=lambda p: p.box[0]) for row in rows]


def _fact(scene: Scene, cloth: Placed) -> dict:
    return next(fact for fact in scene.facts["flags"] if tuple(fact["box"]) == cloth.box)


def _named(scene: Scene, which: str) -> Placed:
    """The cloth that a phrase means, by place or by label."""
    cloths = _cloths(scene)
    if which.startswith("the flag labelled "):
        label = which.removeprefix("the flag labelled ")
        (cloth,) = [c for c in cloths if _fact(scene, c)["label"] == label and _fact(scene, c)["legible"]]
        assert set(label.split()) <= _written(scene)
        return cloth
    if "row" in which:
        row, column = (int(part.split()[-1]) for part in which.split(","))
        return _in_rows(cloths)[row - 1][column - 1]
    if which.startswith(("the first", "the second", "the third", "the fourth", "the fifth")):
        along = 0 if which.endswith("left") else 1
        return sorted(cloths, key=lambda c: c.box[along])[ORDINALS.index(which.split()[1])]
    (cloth,) = cloths
    return cloth


def _written(scene: Scene) -> set[str]:
    return {p.label for p in scene.placed if p.kind == "word"}


def _seen(scene: Scene, cloth: Placed) -> dict[str, float]:
    """Which share of a cloth's patches every colour covers."""
    tints = [p for p in scene.placed if p.kind == "colour" and p.box == cloth.box]
    counts = {p.label: int(np.count_nonzero(p.mask)) for p in tints}
    return {name: count / max(1, sum(counts.values())) for name, count in counts.items()}


def _band(scene: Scene, cloth: Placed, fact: dict, index: int) -> str:
    """The colour near one end of a stripe of an invented flag; signs stand further inward."""
    tints = [p for p in scene.placed if p.kind == "colour" and p.box == cloth.box]
    width, height = tints[0].mask.size
    share = (index + 0.5) / fact["stripes"]
    names = []
    for edge in (0.03, 0.06, 0.94, 0.97):
        x, y = (edge, share) if fact["way"] == "horizontal" else (share, edge)
        names += [t.label for t in tints if t.mask.getpixel((int(x * width), int(y * height)))]
    return max(names, key=names.count)


def read(scene: Scene, question: Question) -> str:
    about = question.about
    facts = scene.facts["flags"]
    if "which" in about:
        cloth = _named(scene, about["which"])
        fact = _fact(scene, cloth)
        country = nationals()[fact["code"]] if fact["code"] else None
    match question.skill:
        case "count":
            return str(len(_cloths(scene)))
        case "country" | "country that training never shows":
            assert (country.code in codes("train")) == (question.skill == "country")
            assert scene.split == "eval" or question.skill == "country"
            return country.name
        case "find":
            (fact,) = [
                f
                for f in facts
                if f["code"] and nationals()[f["code"]].name == about["country"].removeprefix("the ")
            ]
            left, top, right, bottom = fact["box"]
            width, height = scene.picture.size
            return f"({500 * (left + right) / width:.0f}, {500 * (top + bottom) / height:.0f})"
        case "find what is absent":
            assert about["country"].removeprefix("the ") not in {
                nationals()[f["code"]].name for f in facts if f["code"]
            }
            return NOT_SHOWN
        case "has colour":
            if country is None:
                return "yes" if _seen(scene, cloth).get(about["colour"], 0) > 0 else "no"
            assert about["colour"] not in country.traces
            return "yes" if about["colour"] in country.colours else "no"
        case "colours":
            return ", ".join(country.colours if country else _seen(scene, cloth))
        case "stripes":
            return str(country.stripes if country else fact["stripes"])
        case "way of the stripes":
            return country.way if country else fact["way"]
        case "bands":
            if scene.facts["template"] in ("poles", "single"):
                return ", ".join(fact["bands"])
            return ", ".join(_band(scene, cloth, fact, i) for i in range(fact["stripes"]))
        case "stripe at the edge":
            index = 0 if about["edge"] in ("top", "left") else fact["stripes"] - 1
            if scene.facts["template"] in ("poles", "single"):
                return fact["bands"][index]
            return _band(scene, cloth, fact, index)
        case "emblem":
            return country.emblem if country else fact["sign"]
        case "star":
            return "yes" if (country.emblem if country else fact["sign"]) in ("star", "stars") else "no"
        case "number of signs":
            assert fact["sign"]
            return str(fact["signs"])
        case "colour of a sign":
            assert fact["sign"] == about["sign"] and fact["sign colour"] in _seen(scene, cloth)
            return fact["sign colour"]
        case "colour of an absent sign":
            assert country is None and fact["sign"] != about["sign"]
            return NOT_SHOWN
        case "frame":
            width, height = scene.picture.size
            sides = (width, height, width, height)
            return str(tuple(round(1000 * v / s) for v, s in zip(cloth.box, sides, strict=True)))
        case "label":
            assert set(fact["label"].split()) <= _written(scene)
            return fact["label"]
        case "label that can't be read":
            assert fact["label"] and not fact["legible"]
            assert fact["label"] not in _written(scene)
            return CANT_BE_READ
        case "count colour":
            return str(sum(about["colour"] in f["colours"] for f in facts))
        case "only one with a colour":
            (fact,) = [f for f in facts if about["colour"] in f["colours"]]
            return fact["label"]
        case "neighbour":
            along = 1 if about["where"] in ("above", "below") else 0
            in_order = sorted(facts, key=lambda f: f["box"][along])
            here = next(i for i, f in enumerate(in_order) if f["label"] == about["label"])
            return in_order[here + (1 if about["where"] in ("below", "to the right of") else -1)]["label"]
    raise AssertionError(f"no reading for {question.skill!r}")
