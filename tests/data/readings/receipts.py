"""Answers about receipts and tickets, worked out from the words that lie where fields and amounts were written."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN, numbers_in
from clearsight.data.worlds.scene import Question, Scene

TICKET_FIELDS = (
    *("date", "departure time", "arrival time", "boarding time", "starting time", "seat", "row", "gate"),
    *("platform", "coach", "bay", "hall", "block", "class", "passenger", "flight", "price"),
)


def _written(scene: Scene, mark: str) -> str:
    """What is written where the mark is; nothing if it is illegible."""
    left, top, right, bottom = scene.facts["marks"][mark]["box"]
    return " ".join(
        p.label
        for p in scene.placed
        if p.kind == "word" and left - 1 <= p.middle[0] <= right + 1 and top - 1 <= p.middle[1] <= bottom + 1
    )


def _amount(scene: Scene, mark: str) -> float:
    (value,) = numbers_in(_written(scene, mark))
    return value


def _names(scene: Scene) -> list[str]:
    """The items' names from top to bottom."""
    marks = [mark for mark in scene.facts["marks"] if mark.startswith("name ")]
    marks.sort(key=lambda mark: scene.facts["marks"][mark]["box"][1])
    return [_written(scene, mark) for mark in marks]


def _amounts(scene: Scene) -> dict[str, float]:
    return {name: _amount(scene, f"amount {i}") for i, name in enumerate(_names(scene))}


def _quantities(scene: Scene) -> dict[str, int]:
    marks = scene.facts["marks"]
    return {
        name: int(_amount(scene, f"quantity {i}")) if f"quantity {i}" in marks else 1
        for i, name in enumerate(_names(scene))
    }


def _minutes(scene: Scene, mark: str) -> int:
    hours, minutes = _written(scene, mark).split(":")
    return int(hours) * 60 + int(minutes)


def _sides(scene: Scene, box: list[float]) -> list[int]:
    lengths = (*scene.picture.size, *scene.picture.size)
    return [round(1000 * side / length) for side, length in zip(box, lengths, strict=True)]


def read(scene: Scene, question: Question) -> str:
    if scene.facts["document"] == "receipt":
        return _read_receipt(scene, question)
    return _read_ticket(scene, question)


def _read_receipt(scene: Scene, question: Question) -> str:
    about, marks = question.about, scene.facts["marks"]
    match question.skill:
        case "amount":
            number = _names(scene).index(about["item"])
            return f"{_amount(scene, f'amount {number}'):.2f}"
        case "amount of what is absent":
            assert about["item"] not in _names(scene)
            return NOT_SHOWN
        case "amount that can't be read":
            mark = f"amount {_names(scene).index(about['item'])}"
            assert _written(scene, mark) == "" and not marks[mark]["legible"]
            return CANT_BE_READ
        case "price of one":
            number = _names(scene).index(about["item"])
            return f"{_amount(scene, f'amount {number}') / _amount(scene, f'quantity {number}'):.2f}"
        case "quantity":
            return str(_quantities(scene)[about["item"]])
        case "pieces":
            return str(sum(_quantities(scene).values()))
        case "bought":
            return "yes" if about["item"] in _names(scene) else "no"
        case "lines":
            return str(sum(p.label == "line" for p in scene.placed if p.kind == "object"))
        case "items":
            return ", ".join(_names(scene))
        case "dearest":
            return max(_amounts(scene).items(), key=lambda item: item[1])[0]
        case "cheapest":
            return min(_amounts(scene).items(), key=lambda item: item[1])[0]
        case "together":
            return f"{sum(_amounts(scene)[about[key]] for key in 'ab'):.2f}"
        case "apart":
            amounts = _amounts(scene)
            return f"{amounts[about['a']] - amounts[about['b']]:.2f}"
        case "lines over":
            return str(sum(amount > about["least"] for amount in _amounts(scene).values()))
        case "without":
            return f"{sum(amount for name, amount in _amounts(scene).items() if name != about['item']):.2f}"
        case "total":
            total = _amount(scene, "total")
            if all(mark["legible"] for mark in marks.values()):
                tax = _amount(scene, "tax") if "tax" in marks else 0
                assert abs(sum(_amounts(scene).values()) + tax - total) < 0.005
            return f"{total:.2f}"
        case "tax" | "subtotal" | "cash":
            return f"{_amount(scene, question.skill):.2f}"
        case "change":
            change = _amount(scene, "change")
            assert abs(_amount(scene, "cash") - _amount(scene, "total") - change) < 0.005
            return f"{change:.2f}"
        case "absent tax" | "absent change":
            assert question.skill.removeprefix("absent ") not in marks
            return NOT_SHOWN
        case "paid in cash":
            return "yes" if "cash" in marks else "no"
        case "point to the total":
            left, top, right, bottom = _sides(scene, marks["total"]["box"])
            return f"({(left + right) // 2}, {(top + bottom) // 2})"
        case "box of a line":
            number = _names(scene).index(about["item"])
            return "({}, {}, {}, {})".format(*_sides(scene, scene.facts["lines"][f"item {number}"]))
        case "field":
            return _written(scene, about["name"])
        case "absent field":
            assert about["name"] not in marks
            return NOT_SHOWN
        case "field that can't be read":
            assert _written(scene, about["name"]) == "" and not marks[about["name"]]["legible"]
            return CANT_BE_READ
    raise AssertionError(f"no reading for {question.skill!r}")


def _read_ticket(scene: Scene, question: Question) -> str:
    about, marks = question.about, scene.facts["marks"]
    match question.skill:
        case "ticket field" | "price":
            return _written(scene, about["field"])
        case "from" | "to" | "heading" | "kind":
            return _written(scene, question.skill)
        case "show":
            return _written(scene, "title")
        case "ticket field that can't be read":
            assert _written(scene, about["field"]) == "" and not marks[about["field"]]["legible"]
            return CANT_BE_READ
        case "from that can't be read" | "to that can't be read":
            assert _written(scene, question.skill.split()[0]) == ""
            return CANT_BE_READ
        case "absent ticket field":
            assert about["field"] in TICKET_FIELDS and about["field"] not in marks
            return NOT_SHOWN
        case "has field":
            return "yes" if about["field"] in marks else "no"
        case "duration":
            return str(_minutes(scene, "arrival time") - _minutes(scene, "departure time"))
        case "boarding":
            return str(_minutes(scene, "departure time") - _minutes(scene, "boarding time"))
        case "before noon":
            return "yes" if _minutes(scene, about["name"]) < 12 * 60 else "no"
        case "price for a group":
            return f"{_amount(scene, 'price') * about['count']:.2f}"
        case "point to a field":
            left, top, right, bottom = _sides(scene, marks[about["field"]]["box"])
            return f"({(left + right) // 2}, {(top + bottom) // 2})"
        case "box of the code":
            (code,) = [p for p in scene.placed if p.kind == "object"]
            return "({}, {}, {}, {})".format(*_sides(scene, list(code.box)))
    raise AssertionError(f"no reading for {question.skill!r}")
