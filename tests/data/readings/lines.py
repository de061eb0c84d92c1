"""Answers about lines of text, worked out from what was placed and drawn, without the world's own code."""

from typing import Any

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Placed, Question, Scene

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]


def _lines(scene: Scene) -> list[dict[str, Any]]:
    """From top to bottom."""
    return sorted(scene.facts["lines"], key=lambda line: line["box"][1] + line["box"][3])


def _line(scene: Scene, where: str) -> dict[str, Any] | None:
    which, noun = where.split()
    if noun == "line":
        number = ORDINALS.index(which)
        return _lines(scene)[number] if number < len(_lines(scene)) else None
    return next((line for line in scene.facts["lines"] if line["ground"] == which), None)


def _inside(scene: Scene, line: dict[str, Any], kind: str) -> list[Placed]:
    left, top, right, bottom = line["box"]
    return [
        p
        for p in scene.placed
        if p.kind == kind and left <= p.middle[0] <= right and top <= p.middle[1] <= bottom
    ]


def _read(scene: Scene, line: dict[str, Any]) -> str:
    return " ".join(p.label for p in _inside(scene, line, "word"))


def _words(scene: Scene) -> list[Placed]:
    return [p for p in scene.placed if p.kind == "word"]


def _place(scene: Scene, box: tuple[float, ...]) -> tuple[float, ...]:
    width, height = scene.picture.size
    return tuple(1000 * v / side for v, side in zip(box, (width, height, width, height), strict=True))


def _colour(scene: Scene, word: str) -> str:
    return next(
        colour
        for line in scene.facts["lines"]
        for other, colour in zip(line["words"], line["colours"], strict=True)
        if other == word
    )


def read(scene: Scene, question: Question) -> str:
    about, lines = question.about, _lines(scene)
    line = _line(scene, about["where"]) if "where" in about else None
    match question.skill:
        case "read":
            return _read(scene, line)
        case "read what can't be read":
            assert not line["legible"] and not _inside(scene, line, "word")
            return CANT_BE_READ
        case "read what is absent":
            assert line is None
            return NOT_SHOWN
        case "lines":
            return str(len(lines))
        case "below":
            at = [_read(scene, line) for line in lines].index(about["text"])
            return _read(scene, lines[at + 1])
        case "top to bottom":
            return ", ".join(p.label for p in sorted(_words(scene), key=lambda p: p.middle[1]))
        case "tilted":
            (tilted,) = [line for line in lines if abs(line["turn"]) > 3]
            return _read(scene, tilted)
        case "first letter":
            return _read(scene, line)[0]
        case "letters":
            return str(len(_inside(scene, line, "character")))
        case "words":
            return str(len(_inside(scene, line, "word")))
        case "number":
            return "".join(p.label for p in _inside(scene, line, "character") if p.label.isdigit())
        case "point":
            (word,) = [p for p in _words(scene) if p.label == about["word"]]
            x, y = word.middle
            return "({:.0f}, {:.0f})".format(*_place(scene, (x, y, x, y))[:2])
        case "box":
            (word,) = [p for p in _words(scene) if p.label == about["word"]]
            return "({:.0f}, {:.0f}, {:.0f}, {:.0f})".format(*_place(scene, word.box))
        case "colour":
            return _colour(scene, about["word"])
        case "colour of what is absent":
            assert about["word"].casefold() not in {p.label.casefold() for p in _words(scene)}
            return NOT_SHOWN
        case "odd colour":
            words = [p.label for p in _words(scene)]
            colours = [_colour(scene, word) for word in words]
            (odd,) = [word for word, colour in zip(words, colours, strict=True) if colours.count(colour) == 1]
            return odd
        case "next word":
            words = [p.label for p in _words(scene)]
            return words[words.index(about["word"]) + 1]
        case "present":
            shown = {p.label.casefold() for p in _words(scene)}
            return "yes" if about["word"].casefold() in shown else "no"
        case "capitals":
            texts = [_read(scene, line) for line in lines]
            return str(sum(text == text.upper() != text.lower() for text in texts))
        case "script":
            return line["script"]
        case "point to script":
            (line,) = [line for line in lines if line["script"] == about["script"]]
            left, top, right, bottom = _place(scene, line["box"])
            return f"({(left + right) / 2:.0f}, {(top + bottom) / 2:.0f})"
        case "largest":
            return _read(scene, max(lines, key=lambda line: line["letter height"]))
        case "larger":
            by_text = {_read(scene, line): line["letter height"] for line in lines}
            return max(question.choices, key=lambda text: by_text[text])
    raise AssertionError(f"no reading for {question.skill!r}")
