"""Answers about heat maps, from cells, their headings and the colours of pixels, without the world's own code."""

import numpy as np

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import box_of, point_of, read_frame, words


def _cells(scene: Scene) -> dict[tuple[str, str], Placed]:
    """Cells by the headings of their row ("" if it can't be read) and column."""
    marks = [p for p in scene.placed if p.kind == "object"]
    left, right = min(p.box[0] for p in marks), max(p.box[2] for p in marks)
    top, bottom = min(p.box[1] for p in marks), max(p.box[3] for p in marks)
    found = {}
    for mark in marks:
        x, y = mark.middle
        beside = [w for w in words(scene) if w.middle[0] < left and top < w.middle[1] < bottom]
        row = [w for w in beside if abs(w.middle[1] - y) < 8]
        outside = [
            w for w in words(scene) if w.label in scene.facts["columns"] and left < w.middle[0] < right
        ]
        outside = [w for w in outside if not top < w.middle[1] < bottom and abs(w.middle[0] - x) < 8]
        column = min(outside, key=lambda w: min(abs(w.box[3] - top), abs(w.box[1] - bottom)))
        found[row[0].label if row else "", column.label] = mark
    return found


def _value(scene: Scene, mark: Placed) -> float:
    """The number printed in a cell, or how far its colour is from that of the least to that of the greatest value."""
    left, top, right, bottom = mark.box
    inside = [w for w in words(scene) if left < w.middle[0] < right and top < w.middle[1] < bottom]
    if inside:
        return float(inside[0].label)
    pixels = np.asarray(scene.picture, dtype=float)
    colour = pixels[int(top) + 5, int(left) + 5]
    if scene.facts["printed"]:
        return float("nan")
    edge = max(p.box[2] for p in scene.placed if p.kind == "object")
    labels = sorted(
        (w.middle[1], float(w.label)) for w in words(scene) if w.box[0] > edge + 14 and w.label.isdigit()
    )
    (high, most), (low, least) = labels[0], labels[-1]
    assert least == 0 and most == scene.facts["high"]
    bar = pixels[int(high) + 2 : int(low) - 1, int(edge) + 14 + 7]
    away = np.abs(bar - colour).sum(1)
    at = float(np.flatnonzero(away <= away.min() + 0.5).mean()) + int(high) + 2.5
    return most * (low - at) / (low - high)


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, facts, cells = question.about, scene.facts, _cells(scene)
    values = {cell: _value(scene, mark) for cell, mark in cells.items()}
    row, column = about.get("row", ""), about.get("column", "")
    match question.skill:
        case "value" | "printed figure":
            return f"{values[row, column]:.6g}"
        case "figure that can't be read":
            assert np.isnan(values[row, column])
            return CANT_BE_READ
        case "value of what is absent":
            assert row not in {w.label for w in words(scene)}
            return NOT_SHOWN
        case "sum":
            return f"{values[about['a'], column] + values[about['b'], column]:.6g}"
        case "difference":
            return f"{abs(values[about['a'], column] - values[about['b'], column]):.6g}"
        case "compare":
            return "yes" if values[about["a"], column] > values[about["b"], column] else "no"
        case "largest" | "largest that can't be read":
            best = max(values, key=lambda cell: values[cell])
            return f"{best[1]}, {best[0]}" if best[0] else CANT_BE_READ
        case "smallest" | "smallest that can't be read":
            best = min(values, key=lambda cell: values[cell])
            return f"{best[1]}, {best[0]}" if best[0] else CANT_BE_READ
        case "largest in a row":
            return max((c for r, c in values if r == row), key=lambda c: values[row, c])
        case "largest in a column" | "largest in a column that can't be read":
            return max((r for r, c in values if c == column), key=lambda r: values[r, column]) or CANT_BE_READ
        case "count above":
            return str(sum(value > about["threshold"] for (r, _), value in values.items() if r == row))
        case "count rows":
            return str(len({mark.box[1] for mark in cells.values()}))
        case "count cells":
            return str(len(cells))
        case "column names":
            return ", ".join(dict.fromkeys(c for _, c in sorted(cells, key=lambda k: cells[k].box[0])))
        case "row names" | "row names that can't be read":
            names = list(dict.fromkeys(r for r, _ in sorted(cells, key=lambda k: cells[k].box[1])))
            assert ("" in names) == (facts["illegible"][:1] == ["row"])
            return CANT_BE_READ if "" in names else ", ".join(names)
        case "point":
            return point_of(scene, *cells[row, column].middle)
        case "box":
            return box_of(scene, cells[row, column].box)
    raise AssertionError(f"no reading for {question.skill!r}")
