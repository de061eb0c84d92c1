"""Answers about screens, from the elements' states, the words written in their boxes, and where they lie."""

from typing import Any

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN, numbers_in
from clearsight.data.worlds.scene import Question, Scene


def _words(scene: Scene, box: list[float]) -> list[str]:
    left, top, right, bottom = box
    return [
        p.label
        for p in scene.placed
        if p.kind == "word" and left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    ]


def _after_label(scene: Scene, element: dict[str, Any]) -> str:
    """What is written in an element's box beside its label."""
    text = " ".join(_words(scene, element["box"])).replace(":", "", 1)
    assert element["label"] in text
    return text.replace(element["label"], "", 1).strip()


def _message(scene: Scene, element: dict[str, Any]) -> str:
    """The last of what is written in a message's box, by lines; its count of unread ones left out."""
    left, top, right, bottom = element["box"]
    inside = [
        p
        for p in scene.placed
        if p.kind == "word" and left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    ]
    name = next(p for p in inside if p.label == element["label"].split()[0])
    lower = [p for p in inside if p.box[1] > name.middle[1] + 2 and not p.label.isdigit()]
    lower = [p for p in lower if p.box[0] >= name.box[0] - 2]
    return " ".join(p.label for p in lower)


def _is_ticked(scene: Scene, element: dict[str, Any]) -> bool:
    left, top, right, bottom = element["box"]
    inside = scene.picture.crop((left + 2, top + 2, right - 2, bottom - 2))
    return bool(np.asarray(inside, dtype=float).std(axis=(0, 1)).max() > 4)


def _sides(scene: Scene, box: list[float]) -> list[int]:
    lengths = (*scene.picture.size, *scene.picture.size)
    return [round(1000 * side / length) for side, length in zip(box, lengths, strict=True)]


def read(scene: Scene, question: Question) -> str:
    about, facts = question.about, scene.facts
    elements: list[dict[str, Any]] = facts["elements"]

    def of(*kinds: str) -> list[dict[str, Any]]:
        return [element for element in elements if element["kind"] in kinds]

    def named(label: str, *kinds: str) -> dict[str, Any]:
        (element,) = [element for element in of(*kinds) if element["label"] == label]
        return element

    def across(found: list[dict[str, Any]]) -> list[str]:
        return [element["label"] for element in sorted(found, key=lambda element: element["box"][0])]

    def nobody(label: str) -> str:
        assert all(element["label"] != label for element in elements)
        return NOT_SHOWN

    match question.skill:
        case "switched on":
            return "yes" if named(about["label"], "switch")["on"] else "no"
        case (
            "absent switch"
            | "absent button"
            | "absent tab"
            | "absent value"
            | "absent sender"
            | "absent product"
        ):
            return nobody(about["label"])
        case "count on":
            return str(sum(element["on"] for element in of("switch")))
        case "all on":
            return ", ".join(element["label"] for element in of("switch") if element["on"])
        case "usable":
            return "yes" if named(about["label"], "switch", "button")["enabled"] else "no"
        case "checked":
            element = named(about["label"], "check")
            assert _is_ticked(scene, element) == element["on"]
            return "yes" if _is_ticked(scene, element) else "no"
        case "main button":
            (element,) = [element for element in of("button") if element["on"]]
            return " ".join(_words(scene, element["box"]))
        case "greyed button":
            (element,) = [element for element in of("button") if not element["enabled"]]
            return " ".join(_words(scene, element["box"]))
        case "buttons":
            return ", ".join(across(of("button")))
        case "active tab":
            (element,) = [element for element in of("tab") if element["on"]]
            return " ".join(_words(scene, element["box"]))
        case "tabs":
            return ", ".join(across(of("tab")))
        case "selected item":
            (element,) = [element for element in of("item") if element["on"]]
            return element["label"]
        case "badge":
            return _after_label(scene, named(about["label"], "item"))
        case "absent badge":
            assert _after_label(scene, named(about["label"], "item")) == ""
            return NOT_SHOWN
        case "below":
            rows = of("item") or of("message") or of("switch", "setting", "slider")
            rows = sorted(rows, key=lambda element: element["box"][1])
            labels = [element["label"] for element in rows]
            return labels[labels.index(about["label"]) + 1]
        case "value":
            return _after_label(scene, named(about["label"], "setting"))
        case "value that can't be read":
            element = named(about["label"], "setting")
            assert _after_label(scene, element) == "" and not element["legible"]
            return CANT_BE_READ
        case "slider":
            return f"{named(about['label'], 'slider')['number']}%"
        case "higher slider":
            a, b = (named(about[key], "slider")["number"] for key in "ab")
            return "yes" if a > b else "no"
        case "progress":
            return _after_label(scene, named(about["label"], "progress"))
        case "progress that can't be read":
            assert _after_label(scene, named(about["label"], "progress")) == ""
            return CANT_BE_READ
        case "furthest":
            values = {e["label"]: numbers_in(_after_label(scene, e))[0] for e in of("progress")}
            return max(values, key=lambda label: values[label])
        case "message":
            return _message(scene, named(about["label"], "message"))
        case "message that can't be read":
            assert _message(scene, named(about["label"], "message")) == ""
            return CANT_BE_READ
        case "sender":
            (sender,) = [e["label"] for e in of("message") if _message(scene, e) == about["text"]]
            return sender
        case "unread":
            return f"{named(about['label'], 'message')['number']}"
        case "all unread":
            return f"{sum(element['number'] for element in of('message'))}"
        case "all read":
            return str(sum(not element["number"] for element in of("message")))
        case "most unread":
            return max(of("message"), key=lambda element: element["number"])["label"]
        case "price":
            (price,) = numbers_in(_after_label(scene, named(about["label"], "product")))
            return str(price)
        case "price that can't be read":
            assert not numbers_in(_after_label(scene, named(about["label"], "product")))
            return CANT_BE_READ
        case "cheapest":
            prices = {e["label"]: numbers_in(_after_label(scene, e))[0] for e in of("product")}
            return min(prices, key=lambda label: prices[label])
        case "price of two":
            prices = [numbers_in(_after_label(scene, named(about[key], "product")))[0] for key in "ab"]
            return f"{sum(prices):.2f}"
        case "sold out":
            return ", ".join(e["label"] for e in of("product") if "Sold" in _words(scene, e["box"]))
        case "available":
            return "yes" if "Buy" in _words(scene, named(about["label"], "product")["box"]) else "no"
        case "title":
            assert facts["title"].split()[0] in [p.label for p in scene.placed if p.kind == "word"]
            return facts["title"]
        case "theme":
            dark = np.asarray(scene.picture.convert("L")).mean() < 128
            assert dark == facts["dark"] or facts["template"] in ("dialog", "tiles", "notifications")
            return "dark" if facts["dark"] else "light"
        case "body":
            words = [p.label for p in scene.placed if p.kind == "word"]
            start = len(facts["title"].split())
            return " ".join(words[start : start + len(facts["body"][0].split())])
        case "body that can't be read":
            words = {p.label for p in scene.placed if p.kind == "word"}
            assert not words & {word for word in facts["body"][0].split() if len(word) > 5}
            return CANT_BE_READ
        case "clock":
            assert facts["clock"] in [p.label for p in scene.placed if p.kind == "word"]
            return facts["clock"]
        case "battery":
            said = [
                p.label for p in scene.placed if p.kind == "word" and p.label.endswith("%") and p.box[3] < 40
            ]
            return said[0] if said else f"{facts['battery']}%"
        case "point":
            left, top, right, bottom = _sides(scene, named(about["label"], about["element"])["box"])
            return f"({(left + right) // 2}, {(top + bottom) // 2})"
        case "box":
            return "({}, {}, {}, {})".format(*_sides(scene, named(about["label"], about["element"])["box"]))
    raise AssertionError(f"no reading for {question.skill!r}")
