"""Answers about instruments, worked out from where pointers end and scales begin and end."""

import math

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene


def _value(gauge: dict) -> float:
    """What the pointer's geometry says."""
    tip = gauge["tip"]
    if "centre" in gauge:
        x, y = gauge["centre"]
        turned = math.degrees(math.atan2(tip[0] - x, y - tip[1]))
        share = ((turned - gauge["start"] + 30) % 360 - 30) / gauge["sweep"]
    else:
        along = 0 if gauge["low at"][1] == gauge["high at"][1] else 1
        low, high = gauge["low at"][along], gauge["high at"][along]
        share = (tip[along] - low) / (high - low)
    return gauge["low"] + share * (gauge["high"] - gauge["low"])


def _zone(gauge: dict) -> str:
    (zone,) = [name for low, high, name in gauge["zones"] if low <= _value(gauge) < high] or [
        gauge["zones"][-1][2]
    ]
    return zone


def _words(scene: Scene, box: list[float]) -> list[str]:
    left, top, right, bottom = box
    return [
        p.label
        for p in scene.placed
        if p.kind == "word" and left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    ]


def _thousandths(scene: Scene, box: list[float]) -> list[int]:
    sides = (*scene.picture.size, *scene.picture.size)
    return [min(1000, max(0, round(1000 * v / side))) for v, side in zip(box, sides, strict=True)]


def read(scene: Scene, question: Question) -> str:
    if "things" in scene.facts:
        return _read_lengths(scene, question)
    found, about = scene.facts["instruments"], question.about
    captioned = {i["caption"]: i for i in found if "caption" in i}
    named = {i["name"]: i for i in found}
    assert all(caption in _words(scene, [0, 0, *scene.picture.size]) for caption in captioned)
    gauge = named.get(about.get("which"))
    match question.skill:
        case "count":
            return str(len([p for p in scene.placed if p.kind == "object"]))
        case "reading of what is absent":
            assert gauge is None
            return NOT_SHOWN
        case "frame":
            return str(tuple(_thousandths(scene, gauge["box"])))
        case "bars":
            return str(gauge["lit"])
        case "half full":
            share = gauge["lit"] / gauge["bars"] if gauge["kind"] == "battery" else _value(gauge) / 100
            return "yes" if share > 0.5 else "no"
        case "percent":
            return f"{_value(gauge):.1f}"
        case "digits":
            (digits,) = _words(scene, gauge["box"])
            return digits
        case "digits later":
            (digits,) = _words(scene, gauge["box"])
            return str(int(digits) + about["steps"])
        case "digits that can't be read" | "reading that can't be read":
            assert not gauge["legible"]
            assert not any(word.lstrip("-")[:1].isdigit() for word in _words(scene, gauge["box"]))
            return CANT_BE_READ
        case "tip":
            x, y = gauge["tip"]
            return "({}, {})".format(*_thousandths(scene, [x, y, x, y])[:2])
        case "pointer colour":
            return gauge["pointer"]
        case "zone":
            return _zone(gauge)
        case "in the red":
            return "yes" if _zone(gauge) == "red" else "no"
        case "unit":
            assert gauge["unit"] in _words(scene, gauge["box"])
            return gauge["unit"]
        case "reading":
            return f"{_value(gauge):.3f}"
        case "above a limit":
            return "yes" if _value(gauge) > float(about["limit"].split()[0]) else "no"
        case "top of the scale":
            return f"{gauge['high']:g}"
        case "division":
            return f"{gauge['minor']:g} {gauge['unit']}"
        case "room":
            return f"{gauge['high'] - _value(gauge):.3f}"
        case "count red":
            return str(sum(_zone(i) == "red" for i in found if i.get("zones") and i["kind"] != "fuel"))
        case "which unit":
            (caption,) = [c for c, i in captioned.items() if i["unit"] == about["unit"]]
            return caption
        case "which shows more":
            return max((about["a"], about["b"]), key=lambda c: _value(captioned[c]))
        case "difference":
            return f"{abs(_value(captioned[about['a']]) - _value(captioned[about['b']])):.3f}"
        case "order":
            return ", ".join(sorted(captioned, key=lambda c: _value(captioned[c])))
    raise AssertionError(f"no reading for {question.skill!r}")


def _read_lengths(scene: Scene, question: Question) -> str:
    facts, about = scene.facts, question.about
    boxes = {thing["thing"]: thing["box"] for thing in facts["things"]}

    def at(x: float) -> float:
        return (x - facts["zero at"]) / (facts["end at"] - facts["zero at"]) * facts["end"]

    def length(thing: str) -> float:
        return at(boxes[thing][2]) - at(boxes[thing][0])

    match question.skill:
        case "frame of a thing":
            return str(tuple(_thousandths(scene, boxes[about["thing"]])))
        case "colour of a thing":
            (box,) = boxes.values()
            return next(p.label for p in scene.placed if p.kind == "colour" and p.box == tuple(box))
        case "length of what is absent":
            assert about["thing"] not in boxes
            return NOT_SHOWN
        case "colour of what is absent":
            assert about["thing"] not in {p.label for p in scene.placed if p.kind == "object"}
            return NOT_SHOWN
        case "longer":
            return max((about["a"], about["b"]), key=length)
        case "difference in length":
            return f"{abs(length(about['a']) - length(about['b'])):.3f}"
        case "length that can't be read":
            assert not facts["legible"]
            assert not any(word[0].isdigit() for word in _words(scene, facts["body"]))
            return CANT_BE_READ
        case "length":
            return f"{length(about['thing']):.3f}"
        case "end":
            return f"{at(boxes[about['thing']][2]):.3f}"
    raise AssertionError(f"no reading for {question.skill!r}")
