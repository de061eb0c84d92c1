"""Answers about people with badges, from the facts of what they wear and the words that lie on their plates."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

COLOURS = {"hat": "hat colour", "scarf": "scarf colour"}


def _wears(person: dict[str, Any], item: str) -> bool:
    return person["glasses"] if item == "glasses" else bool(person[COLOURS[item]])


def _colour(person: dict[str, Any], garment: str) -> str | None:
    if garment in COLOURS:
        return person[COLOURS[garment]]
    return next((person[f"{place} colour"] for place in ("top", "lower") if person[place] == garment), None)


def _named(people: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [person for person in people if person["name"] == name]
    return found


def _who(person: dict[str, Any], skill: str) -> str:
    """The name, unless the skill says that there is none to be read."""
    if skill.endswith(", smudged"):
        assert person["plate"] == "smudged" and person["name"] is None
        return CANT_BE_READ
    if skill.endswith(", without a badge"):
        assert person["plate"] == "none" and person["name"] is None
        return NOT_SHOWN
    return person["name"]


def _only(people: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = people
    return found


def read(scene: Scene, question: Question) -> str:
    people, about, skill = scene.facts["people"], question.about, question.skill
    names = [person["name"] for person in people if person["name"]]
    words = [p.label for p in scene.placed if p.kind == "word"]
    assert sorted(words) == sorted(names), (words, names)
    left_to_right = sorted(people, key=lambda person: person["box"][0] + person["box"][2])
    match skill.split(",")[0]:
        case "people":
            return str(sum(p.kind == "object" and p.label == "person" for p in scene.placed))
        case "names that can be read":
            return str(len(words))
        case "how many wear":
            if about["item"] == "glasses":
                return str(sum(p.kind == "object" and p.label == "glasses" for p in scene.placed))
            return str(sum(_wears(person, about["item"]) for person in people))
        case "how many wear both":
            return str(sum(all(_wears(person, item) for item in about["items"]) for person in people))
        case "who wears":
            return _who(_only([p for p in people if _wears(p, about["item"])]), skill)
        case "who holds":
            return _who(_only([p for p in people if p["holds"] == about["thing"]]), skill)
        case "who is dressed in":
            found = [p for p in people if p["top"] == about["top"] and p["top colour"] == about["colour"]]
            return _who(_only(found), skill)
        case "who wears what nobody wears":
            assert not any(_wears(person, about["item"]) for person in people)
            return NOT_SHOWN
        case "who holds what nobody holds":
            assert about["thing"] not in {p.label for p in scene.placed if p.kind == "object"}
            return NOT_SHOWN
        case "colour of the top" | "colour of a garment":
            colour = _colour(_named(people, about["person"]), about["garment"])
            assert colour
            return colour
        case "colour of what is not worn":
            assert _colour(_named(people, about["person"]), about["garment"]) is None
            return NOT_SHOWN
        case "somebody absent" | "what somebody absent holds":
            assert about["person"] not in words
            return NOT_SHOWN
        case "what is held":
            return _named(people, about["person"])["holds"] or "nothing"
        case "wears":
            return "yes" if _wears(_named(people, about["person"]), about["item"]) else "no"
        case "which of them wears":
            return _only([p for p in people if p["name"] in question.choices and _wears(p, about["item"])])[
                "name"
            ]
        case "between":
            places = sorted(left_to_right.index(_named(people, about[key])) for key in "ab")
            assert places[1] - places[0] == 2
            return _who(left_to_right[places[0] + 1], skill)
        case "next to":
            step = {"left": -1, "right": 1}[about["side"]]
            return _who(left_to_right[left_to_right.index(_named(people, about["person"])) + step], skill)
        case "beyond the end":
            end = left_to_right[{"left": 0, "right": -1}[about["side"]]]
            assert end["name"] == about["person"]
            return NOT_SHOWN
        case "names":
            return ", ".join(person["name"] for person in left_to_right)
        case "point" | "box":
            width, height = scene.picture.size
            left, top, right, bottom = _named(people, about["person"])["box"]
            sides = [
                1000 * v / s for v, s in zip((left, top, right, bottom), (width, height) * 2, strict=True)
            ]
            if skill == "point":
                return f"({(sides[0] + sides[2]) / 2:.0f}, {(sides[1] + sides[3]) / 2:.0f})"
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*sides)
    raise AssertionError(f"no reading for {skill!r}")
