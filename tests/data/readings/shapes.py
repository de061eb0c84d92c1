"""Answers about shapes, worked out from what was placed and drawn, without the world's own code."""

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene


def _things(scene: Scene) -> list[tuple[str, str, tuple[float, float, float, float]]]:
    objects = [p for p in scene.placed if p.kind == "object"]
    colours = {p.box: p.label for p in scene.placed if p.kind == "colour"}
    return [(p.label, colours[p.box], p.box) for p in objects]


def _only(scene: Scene, shape: str) -> Placed:
    (found,) = [p for p in scene.placed if p.kind == "object" and p.label == shape]
    return found


def read(scene: Scene, question: Question) -> str:
    things, about = _things(scene), question.about
    match question.skill:
        case "count":
            return str(len(things))
        case "count shape":
            return str(sum(shape == about["shape"] for shape, _, _ in things))
        case "count colour":
            return str(sum(colour == about["colour"] for _, colour, _ in things))
        case "present":
            return "yes" if about["shape"] in {shape for shape, _, _ in things} else "no"
        case "left to right":
            return ", ".join(shape for shape, _, box in sorted(things, key=lambda t: t[2][0] + t[2][2]))
        case "colour":
            return next(colour for shape, colour, _ in things if shape == about["shape"])
        case "shape of colour":
            return next(shape for shape, colour, _ in things if colour == about["colour"])
        case "largest":
            return max(things, key=lambda t: t[2][2] - t[2][0])[0]
        case "left or right":
            a, b = (_only(scene, about[key]).middle[0] for key in "ab")
            return "left" if a < b else "right"
        case "above or below":
            a, b = (_only(scene, about[key]).middle[1] for key in "ab")
            return "above" if a < b else "below"
        case "point":
            x, y = _only(scene, about["shape"]).middle
            return f"({x / scene.picture.width * 1000:.0f}, {y / scene.picture.height * 1000:.0f})"
        case "box":
            width, height = scene.picture.size
            left, top, right, bottom = _only(scene, about["shape"]).box
            sides = (left / width, top / height, right / width, bottom / height)
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*(side * 1000 for side in sides))
        case "letter":
            box = _only(scene, about["shape"]).box
            inside = [
                p.label
                for p in scene.placed
                if p.kind == "character"
                and box[0] <= p.middle[0] <= box[2]
                and box[1] <= p.middle[1] <= box[3]
            ]
            return "".join(inside)
        case "colour of what is absent":
            assert about["shape"] not in {shape for shape, _, _ in things}
            return NOT_SHOWN
        case "letter that can't be read":
            (thing,) = [t for t in scene.facts["things"] if t["shape"] == about["shape"]]
            assert not thing["legible"]
            return CANT_BE_READ
    raise AssertionError(f"no reading for {question.skill!r}")
