"""Answers about forms: entries from the words in their boxes, ticks and signatures from the pixels."""

import datetime

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _entry(scene: Scene, label: str) -> str:
    """What is written in the field's box, the label itself left out."""
    (field,) = [f for f in scene.facts["fields"] if f["label"] == label]
    left, top, right, bottom = field["box"]
    words = [
        p.label
        for p in scene.placed
        if p.kind == "word" and left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    ]
    inside = label.split() + ["*"] * field["required"]
    if words[: len(inside)] == inside:
        words = words[len(inside) :]
    return " ".join(words)


def _is_marked(scene: Scene, box: list[float], inset: int = 2) -> bool:
    """Whether anything is drawn inside a box: an empty one has one colour."""
    left, top, right, bottom = (round(side) for side in box)
    inside = scene.picture.crop((left + inset, top + inset, right - inset, bottom - inset))
    return bool(np.asarray(inside, dtype=float).std(axis=(0, 1)).max() > 4)


def _is_chosen(scene: Scene, box: list[float]) -> bool:
    """Whether a round button has something in the middle of its middle line."""
    left, top, right, bottom = (round(side) for side in box)
    middle = (top + bottom) // 2
    line = scene.picture.crop((left + 3, middle, right - 3, middle + 1))
    return bool(np.asarray(line, dtype=float).std(axis=(0, 1)).max() > 4)


def _date(text: str) -> datetime.date:
    if " " in text:
        day, month, year = text.split()
        return datetime.date(int(year), MONTHS.index(month) + 1, int(day))
    if "." in text:
        day, month, year = text.split(".")
        return datetime.date(int(year), int(month), int(day))
    return datetime.date.fromisoformat(text)


def _sides(scene: Scene, box: list[float]) -> list[int]:
    lengths = (*scene.picture.size, *scene.picture.size)
    return [round(1000 * side / length) for side, length in zip(box, lengths, strict=True)]


def _middle(scene: Scene, box: list[float]) -> str:
    left, top, right, bottom = _sides(scene, box)
    return f"({(left + right) // 2}, {(top + bottom) // 2})"


def read(scene: Scene, question: Question) -> str:
    about, facts = question.about, scene.facts
    fields = {field["label"]: field for field in facts["fields"]}
    empty = [label for label in fields if _entry(scene, label) == "" and fields[label]["legible"]]
    ticks, choice = facts["ticks"]["options"], facts["choice"]["options"]
    ticked = [name for name, box in ticks.items() if _is_marked(scene, box)]
    match question.skill:
        case "entry":
            return _entry(scene, about["label"])
        case "empty entry":
            assert about["label"] in empty and not fields[about["label"]]["filled"]
            return NOT_SHOWN
        case "entry of an absent field":
            assert about["label"] not in fields
            return NOT_SHOWN
        case "entry that can't be read":
            field = fields[about["label"]]
            assert _entry(scene, about["label"]) == "" and field["filled"] and not field["legible"]
            return CANT_BE_READ
        case "field of an entry":
            (label,) = [label for label in fields if _entry(scene, label) == about["entry"]]
            return label
        case "empty field":
            (label,) = empty
            return label
        case "empty fields":
            return ", ".join(empty)
        case "missing field":
            (label,) = [label for label in empty if fields[label]["required"]]
            return label
        case "filled":
            return str(len(fields) - len(empty))
        case "has entry":
            return "no" if about["label"] in empty else "yes"
        case "required":
            words = [p.label for p in scene.placed if p.kind == "word"]
            first, *rest = about["label"].split()
            starts = [
                i
                for i, word in enumerate(words)
                if word == first and words[i + 1 : i + 1 + len(rest)] == rest
            ]
            following = {words[i + 1 + len(rest)] for i in starts}
            assert ("*" in following) == fields[about["label"]]["required"]
            return "yes" if "*" in following else "no"
        case "next field":
            labels = list(fields)
            return labels[labels.index(about["label"]) + 1]
        case "point to a field":
            return _middle(scene, fields[about["label"]]["box"])
        case "days between":
            return str((_date(_entry(scene, about["b"])) - _date(_entry(scene, about["a"]))).days)
        case "year":
            return str(_date(_entry(scene, about["label"])).year)
        case "ticked":
            return ", ".join(ticked)
        case "count ticked":
            return str(len(ticked))
        case "unticked":
            (name,) = [name for name in ticks if name not in ticked]
            return name
        case "is ticked":
            return "yes" if about["option"] in ticked else "no"
        case "chosen" | "chosen of three":
            (name,) = [name for name, box in choice.items() if _is_chosen(scene, box)]
            return name
        case "nothing chosen":
            assert not any(_is_chosen(scene, box) for box in choice.values())
            return NOT_SHOWN
        case "point to an option":
            return _middle(scene, ticks[about["option"]])
        case "title":
            words = [p.label for p in scene.placed if p.kind == "word"]
            assert words[: len(facts["title"].split())] == facts["title"].split()
            return facts["title"]
        case "signed":
            return "yes" if any(p.label == "signature" for p in scene.placed) else "no"
        case "absent signature":
            assert all(p.label != "signature" for p in scene.placed)
            return NOT_SHOWN
        case "box of the signature":
            (found,) = [p for p in scene.placed if p.label == "signature"]
            return "({}, {}, {}, {})".format(*_sides(scene, list(found.box)))
        case "pressable":
            return "no" if any(fields[label]["required"] for label in empty) else "yes"
        case "button":
            return facts["button"]["text"]
        case "box of the button":
            return "({}, {}, {}, {})".format(*_sides(scene, facts["button"]["box"]))
    raise AssertionError(f"no reading for {question.skill!r}")
