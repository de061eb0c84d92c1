"""Answers about Venn diagrams, from which circles each written word lies in, without the world's own code."""

import math

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene
from tests.data.readings.charts import box_of, point_of, read_frame


class Circle:
    def __init__(self, scene: Scene, mark: Placed, colour: str):
        self.box, self.colour = mark.box, colour
        self.x, self.y = mark.middle
        self.radius = (mark.box[2] - mark.box[0]) / 2
        names = {circle["name"] for circle in scene.facts["circles"]}
        near = [
            w
            for w in scene.placed
            if w.kind == "word" and w.label in names and abs(w.middle[0] - self.x) < 4
            and 0 < abs(w.middle[1] - self.y) - self.radius < 24
        ]  # fmt: skip
        self.name = near[0].label if near else ""

    def holds(self, point: tuple[float, float]) -> bool:
        return math.hypot(point[0] - self.x, point[1] - self.y) < self.radius


def read(scene: Scene, question: Question) -> str:
    common = read_frame(scene, question)
    if common is not None:
        return common
    about, facts = question.about, scene.facts
    colours = {p.box: p.label for p in scene.placed if p.kind == "colour"}
    circles = [Circle(scene, p, colours[p.box]) for p in scene.placed if p.kind == "object"]
    named = {circle.name: circle for circle in circles}
    title = set(facts["title"].split())
    written = [p for p in scene.placed if p.kind == "word" and p.label not in {*named, *title}]
    numbers = [(int(p.label), p.middle) for p in written if p.label.isdigit()]
    people = {p.label: p.middle for p in written if not p.label.isdigit()}
    a, b = (named.get(about.get(key, "")) for key in "ab")

    def alone(circle: Circle, point: tuple[float, float]) -> bool:
        return circle.holds(point) and not any(c.holds(point) for c in circles if c is not circle)

    def total(inside) -> str:
        return str(sum(n for n, at in numbers if inside(at)))

    match question.skill:
        case "only in":
            return total(lambda at: alone(a, at))
        case "number that can't be read":
            assert not any(alone(a, at) for _, at in numbers)
            return CANT_BE_READ
        case "shared number that can't be read":
            assert not any(a.holds(at) and b.holds(at) for _, at in numbers)
            return CANT_BE_READ
        case "number of what is absent":
            assert about["a"] not in named
            return NOT_SHOWN
        case "in":
            return total(a.holds)
        case "both":
            return total(lambda at: a.holds(at) and b.holds(at))
        case "either":
            return total(lambda at: a.holds(at) or b.holds(at))
        case "without":
            return total(lambda at: a.holds(at) and not b.holds(at))
        case "larger":
            return "yes" if int(total(a.holds)) > int(total(b.holds)) else "no"
        case "total":
            return total(lambda at: True)
        case "in none":
            return total(lambda at: not any(c.holds(at) for c in circles))
        case "only in, by name":
            return ", ".join(name for name, at in people.items() if alone(a, at))
        case "names that can't be read":
            assert facts["illegible"][0] == "region" and facts["illegible"][1] not in people
            return CANT_BE_READ
        case "shared, by name":
            return ", ".join(name for name, at in people.items() if a.holds(at) and b.holds(at))
        case "circles of a name":
            return ", ".join(c.name for c in circles if c.holds(people[about["item"]]))
        case "circles of what is absent":
            assert about["item"] not in people
            return NOT_SHOWN
        case "is in":
            return "yes" if a.holds(people[about["item"]]) else "no"
        case "count of names":
            hidden = 0
            for region, names in facts["names"]:
                circle = next(i for i, c in enumerate(facts["circles"]) if c["name"] == about["a"])
                hidden += sum(circle in region and name not in people for name in names)
            return str(hidden + sum(a.holds(at) for at in people.values()))
        case "count circles":
            return str(len(circles))
        case "outline":
            return a.colour
        case "circle of colour" | "circle that can't be read":
            (circle,) = [c for c in circles if c.colour == about["colour"]]
            return circle.name or CANT_BE_READ
        case "point":
            (word,) = [w for w in written if w.label == about["item"]]
            return point_of(scene, *word.middle)
        case "box":
            return box_of(scene, a.box)
    raise AssertionError(f"no reading for {question.skill!r}")
