"""What all charts have in common, read from the places of words and marks: axes, legends, titles."""

import re
from itertools import pairwise

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene


def words(scene: Scene) -> list[Placed]:
    return [p for p in scene.placed if p.kind == "word"]


def number(text: str) -> float | None:
    return float(text.replace(",", "")) if re.fullmatch(r"-?[\d,]*\.?\d+", text) else None


def ticks(scene: Scene, axis: str) -> list[tuple[float, float]]:
    """Pixel and value of the ticks beside the plot (axis "vertical") or below it ("horizontal")."""
    left, top, right, bottom = scene.facts["plot"]
    found = []
    for word in words(scene):
        (x, y), value = word.middle, number(word.label)
        if value is None:
            continue
        beside = 0 < left - word.box[2] < 16 or 0 < word.box[0] - right < 16
        if axis == "vertical" and beside and top - 12 <= y <= bottom + 12:
            found.append((y, value))
        if axis == "horizontal" and y > bottom and left - 5 <= x <= right + 5 and word.box[1] < bottom + 18:
            found.append((x, value))
    found = [tick for tick in found if sum(abs(tick[0] - other[0]) < 4 for other in found) == 1]
    return sorted(found)


def value_at(scene: Scene, axis: str, pixel: float) -> float:
    """What a place along an axis is worth."""
    marks = ticks(scene, axis)
    (p, a), (q, b) = marks[0], marks[-1]
    steps = {round((d - c) / (t - s), 2) for (s, c), (t, d) in pairwise(marks)}
    assert max(steps) - min(steps) <= 0.25 * abs((b - a) / (q - p)) + 0.02, marks
    return a + (pixel - p) * (b - a) / (q - p)


def extent(scene: Scene, axis: str) -> float:
    """From the least tick to the greatest."""
    values = [value for _, value in ticks(scene, axis)]
    return max(values) - min(values)


def legend(scene: Scene) -> dict[str, str]:
    """Colour to name: each swatch outside the plot is explained by the words to its right."""
    left, top, right, bottom = scene.facts["plot"]
    found = {}
    for swatch in scene.placed:
        x, y = swatch.middle
        if swatch.kind != "colour" or (left <= x <= right and top <= y <= bottom):
            continue
        near = [w for w in words(scene) if abs(w.middle[1] - y) < 8 and -1 <= w.box[0] - swatch.box[2] < 12]
        found[swatch.label] = near[0].label if near else ""
    return found


def title(scene: Scene, question: Question) -> str:
    return " ".join(scene.placed[place].label for place in question.needs or ())


def point_of(scene: Scene, x: float, y: float) -> str:
    return f"({x / scene.picture.width * 1000:.0f}, {y / scene.picture.height * 1000:.0f})"


def box_of(scene: Scene, box: tuple[float, float, float, float]) -> str:
    width, height = scene.picture.size
    sides = (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
    return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*(1000 * side for side in sides))


def read_frame(scene: Scene, question: Question) -> str | None:
    """Answers to what is asked of every chart; None for other skills."""
    about, facts = question.about, scene.facts
    match question.skill:
        case "title":
            assert title(scene, question) == facts["title"]
            return facts["title"]
        case "title that can't be read":
            assert facts["illegible"][0] == "title"
            return CANT_BE_READ
        case "axis title":
            found = facts["axes"][about["axis"]]
            assert set(found.split()) <= {w.label for w in words(scene)}
            return found
        case "axis title that can't be read":
            assert facts["illegible"][0] == about["axis"] + " axis"
            return CANT_BE_READ
        case "legend entries":
            return str(len(legend(scene)))
        case "colour of series":
            return next(colour for colour, name in legend(scene).items() if name == about["entry"])
        case "series of colour":
            return legend(scene)[about["colour"]]
        case "series that can't be read":
            assert legend(scene)[about["colour"]] == ""
            return CANT_BE_READ
        case "colour of an absent series":
            assert about["entry"] not in {w.label for w in words(scene)}
            return NOT_SHOWN
    return None
