"""Answers about changed pairs, worked out by comparing the two lists of things and what was placed on each page."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene

PAGES = {"first": 0, "second": 1}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(name, "removed") for name in before if name not in after]
    found += [(name, "added") for name in after if name not in before]
    for name in before:
        if name not in after:
            continue
        a, b = before[name], after[name]
        middles = [[(t["box"][i] + t["box"][i + 2]) / 2 for i in (0, 1)] for t in (a, b)]
        sides = [max(t["box"][2] - t["box"][0], t["box"][3] - t["box"][1]) for t in (a, b)]
        if a["colour"] != b["colour"]:
            found.append((name, "recoloured"))
        if a.get("text") != b.get("text"):
            found.append((name, "relabelled"))
        if a["turn"] != b["turn"]:
            found.append((name, "turned"))
        elif max(sides) > 1.4 * min(sides):
            found.append((name, "resized"))
        elif max(abs(middles[0][0] - middles[1][0]), abs(middles[0][1] - middles[1][1])) > 40:
            found.append((name, "moved"))
    return found


def _thousandths(scene: Scene, page: int, box: list[float]) -> list[float]:
    width, height = scene.pictures[page].size
    return [1000 * value / side for value, side in zip(box, (width, height, width, height), strict=True)]


def _colour(scene: Scene, page: int, thing: dict[str, Any]) -> str:
    """From the placed colours for drawings, whose boxes are known; words have none."""
    placed = [
        p for p in scene.placed if p.kind == "colour" and p.page == page and list(p.box) == list(thing["box"])
    ]
    return placed[0].label if placed else thing["colour"]


def _words_within(scene: Scene, page: int, box: list[float]) -> list[Placed]:
    left, top, right, bottom = box
    words = [p for p in scene.placed if p.kind == "word" and p.page == page]
    return [p for p in words if left <= p.middle[0] <= right and top <= p.middle[1] <= bottom]


def read(scene: Scene, question: Question) -> str:
    before, after = ({t["name"]: t for t in things} for things in scene.facts["pictures"])
    pages, about = (before, after), question.about
    found = _differences(before, after)
    assert len({name for name, _ in found}) == len(found), found
    names = [name for name, _ in found]
    page = PAGES[about["which"]] if "which" in about else 0
    match question.skill:
        case "different":
            return "yes" if found else "no"
        case "how many changes":
            return str(len(found))
        case "what changed":
            (name,) = names
            return name
        case "all that changed":
            return ", ".join(names)
        case "how it changed":
            return dict(found).get(about["name"], "left as it is")
        case "colour" | "colour before":
            return _colour(scene, page, pages[page][about["name"]])
        case "same colour":
            colours = [_colour(scene, page, pages[page][about["name"]]) for page in (0, 1)]
            return "yes" if colours[0] == colours[1] else "no"
        case "what is new":
            (name,) = set(after) - set(before)
            return name
        case "what is gone":
            (name,) = set(before) - set(after)
            return name
        case "where it was":
            left, top, right, bottom = _thousandths(scene, 0, before[about["name"]]["box"])
            return f"({(left + right) / 2:.0f}, {(top + bottom) / 2:.0f})"
        case "where it is":
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(
                *_thousandths(scene, 1, after[about["name"]]["box"])
            )
        case "direction":
            a, b = (pages[page][about["name"]]["box"] for page in (0, 1))
            dx, dy = b[0] + b[2] - a[0] - a[2], b[1] + b[3] - a[1] - a[3]
            if abs(dx) > abs(dy):
                return "right" if dx > 0 else "left"
            return "down" if dy > 0 else "up"
        case "where it is larger":
            a, b = (pages[page][about["name"]]["box"] for page in (0, 1))
            growth = (b[2] - b[0]) * (b[3] - b[1]) / ((a[2] - a[0]) * (a[3] - a[1]))
            return (
                "the second picture" if growth > 1.3 else "the first picture" if growth < 0.75 else "neither"
            )
        case "where there are more":
            more = len(after) - len(before)
            return "the second picture" if more > 0 else "the first picture" if more else "neither"
        case "things":
            drawn = sum(p.kind == "object" and p.page == page for p in scene.placed)
            return str(drawn + sum(t["called"].startswith("word ") for t in pages[page].values()))
        case "mark":
            (word,) = _words_within(scene, page, pages[page][about["name"]]["box"])
            return word.label
        case "colour of what is absent":
            assert about["name"] not in pages[page]
            return NOT_SHOWN
        case "mark that can't be read":
            thing = pages[page][about["name"]]
            assert not thing["legible"] and not _words_within(scene, page, thing["box"])
            return CANT_BE_READ
    raise AssertionError(f"no reading for {question.skill!r}")
