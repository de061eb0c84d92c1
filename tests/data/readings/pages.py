"""Answers about pages, worked out from where the words were placed, without the world's own code."""

from itertools import pairwise
from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene

ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
fifteenth sixteenth seventeenth eighteenth""".split()  # noqa: SIM905


def _blocks(scene: Scene, kind: str) -> list[dict[str, Any]]:
    """In reading order: column by column, from top to bottom."""
    found = [block for block in scene.facts["blocks"] if block["kind"] == kind]
    return sorted(found, key=lambda block: (block["column"], block["box"][1]))


def _words(scene: Scene, box: list[float]) -> list[Placed]:
    left, top, right, bottom = box
    return [
        p
        for p in scene.placed
        if p.kind == "word" and left - 1 <= p.middle[0] <= right + 1 and top - 1 <= p.middle[1] <= bottom + 1
    ]


def _lines(scene: Scene, box: list[float]) -> list[list[str]]:
    """The words in a box, broken wherever the next word stands left of the one before it."""
    words = _words(scene, box)
    lines = [[words[0].label]] if words else []
    for before, word in pairwise(words):
        if word.box[0] < before.box[0]:
            lines.append([])
        lines[-1].append(word.label)
    return lines


def _text(scene: Scene, box: list[float]) -> str:
    return " ".join(word.label for word in _words(scene, box))


def _paragraph(scene: Scene, which: str) -> dict[str, Any] | None:
    paragraphs, number = _blocks(scene, "paragraph"), ORDINALS.index(which)
    return paragraphs[number] if number < len(paragraphs) else None


def _line_of(scene: Scene, block: dict[str, Any], number: int) -> list[str]:
    """A line of a paragraph; the one that can't be read has no words and is counted all the same."""
    lines = _lines(scene, block["box"])
    if block["lost line"] is not None:
        lines.insert(block["lost line"], [])
    return lines[number - 1]


def _thousandths(scene: Scene, box: list[float]) -> list[float]:
    width, height = scene.picture.size
    return [1000 * v / side for v, side in zip(box, (width, height, width, height), strict=True)]


def read(scene: Scene, question: Question) -> str:
    about = question.about
    headings = [_text(scene, block["box"]) for block in _blocks(scene, "heading")]
    paragraph = _paragraph(scene, about["which"]) if "which" in about else None
    match question.skill:
        case "title":
            (title,) = _blocks(scene, "title")
            return _text(scene, title["box"])
        case "page number":
            (number,) = _blocks(scene, "number")
            return "".join(c for c in _text(scene, number["box"]) if c.isdigit())
        case "page number that is absent":
            assert not _blocks(scene, "number")
            return NOT_SHOWN
        case "columns":
            kinds = ("paragraph", "heading", "item") if not _blocks(scene, "running head") else ("paragraph",)
            lefts = sorted(block["box"][0] for kind in kinds for block in _blocks(scene, kind))
            return str(1 + sum(b - a > 90 for a, b in pairwise(lefts)))
        case "headings":
            return ", ".join(headings)
        case "next heading":
            return headings[headings.index(about["heading"]) + 1]
        case "first heading":
            return min(question.choices, key=headings.index)
        case "point to heading":
            (block,) = [b for b in _blocks(scene, "heading") if b["text"] == about["heading"]]
            left, top, right, bottom = _thousandths(scene, block["box"])
            return f"({(left + right) / 2:.0f}, {(top + bottom) / 2:.0f})"
        case "heading above":
            (block,) = [
                b for b in _blocks(scene, "paragraph") if _text(scene, b["box"]).startswith(about["start"])
            ]
            key = (block["column"], block["box"][1])
            above = [b for b in _blocks(scene, "heading") if (b["column"], b["box"][1]) < key]
            return _text(scene, above[-1]["box"])
        case "items":
            return str(len(_blocks(scene, "item")))
        case "item":
            return _text(scene, _blocks(scene, "item")[ORDINALS.index(about["nth"])]["box"])
        case "item that is absent":
            assert len(_blocks(scene, "item")) <= ORDINALS.index(about["nth"])
            return NOT_SHOWN
        case "signed":
            return _text(scene, _blocks(scene, "signature")[0]["box"])
        case "addressed":
            return _text(scene, _blocks(scene, "greeting")[0]["box"]).removeprefix("Dear ").rstrip(",")
        case "date":
            return _text(scene, _blocks(scene, "date")[0]["box"])
        case "paragraphs":
            return str(len(_blocks(scene, "paragraph")))
        case "box of paragraph":
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*_thousandths(scene, paragraph["box"]))
        case "length":
            lost = paragraph["lost line"] is not None
            return str(len(_lines(scene, paragraph["box"])) + lost)
        case "paragraph":
            return _text(scene, paragraph["box"])
        case "line":
            return " ".join(_line_of(scene, paragraph, about["line"]))
        case "line that is absent":
            assert paragraph is None
            return NOT_SHOWN
        case "line that can't be read":
            assert not _line_of(scene, paragraph, about["line"])
            return CANT_BE_READ
        case "word":
            words = _line_of(scene, paragraph, about["line"])
            return words[ORDINALS.index(about["nth"])].rstrip(".,")
        case "last word":
            return _words(scene, paragraph["box"])[-1].label.rstrip(".,")
        case "marked":
            return _text(scene, scene.facts["marked"]).rstrip(".,")
        case "present":
            shown = {p.label.rstrip(".,").casefold() for p in scene.placed if p.kind == "word"}
            return "yes" if about["word"] in shown else "no"
    raise AssertionError(f"no reading for {question.skill!r}")
