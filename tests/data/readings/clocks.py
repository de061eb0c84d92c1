"""Answers about clocks, worked out from where the hands end and what the displays say."""

import math
import re

from clearsight.data.verify import CANT_BE_READ, NOT_SHOWN
from clearsight.data.worlds.scene import Question, Scene

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def _turn(start: list[float], end: list[float]) -> float:
    """Degrees clockwise from the top."""
    return math.degrees(math.atan2(end[0] - start[0], start[1] - end[1])) % 360


def _read_dial(clock: dict) -> int:
    hour = _turn(clock["centre"], clock["tips"]["hour"]) / 30
    minute = _turn(clock["centre"], clock["tips"]["minute"]) / 6
    past = math.floor(minute + 1e-6) % 60
    return round(hour - past / 60) % 12 * 60 + past


def _read_display(clock: dict) -> int:
    hour, minute = map(int, re.fullmatch(r"(\d+):(\d\d)", clock["text"]).groups())
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"] == "PM" else 0)
    return hour * 60 + minute


def _said(minutes: int, clock: dict) -> str:
    hour, minute = divmod(minutes % 1440, 60)
    if clock["kind"] == "dial" or clock["half"]:
        return f"{(hour - 1) % 12 + 1}:{minute:02d}"
    return f"{hour:02d}:{minute:02d}"


def _seconds(clock: dict) -> int:
    if "small dial" in clock:
        return round(_turn(clock["small dial"]["centre"], clock["small dial"]["tip"]) / 6) % 60
    return round(_turn(clock["centre"], clock["tips"]["second"]) / 6) % 60


def _words(scene: Scene) -> list[str]:
    return [p.label for p in scene.placed if p.kind == "word"]


def _thousandths(scene: Scene, box: list[float]) -> list[int]:
    sides = (*scene.picture.size, *scene.picture.size)
    return [round(1000 * value / side) for value, side in zip(box, sides, strict=True)]


def _middle(scene: Scene, box: list[float]) -> str:
    left, top, right, bottom = _thousandths(scene, box)
    return f"({(left + right) // 2}, {(top + bottom) // 2})"


def read(scene: Scene, question: Question) -> str:
    clocks, about = scene.facts["clocks"], question.about
    if len(clocks) > 1:
        return _read_cities(scene, question)
    (clock,) = clocks
    minutes = (_read_dial if clock["kind"] == "dial" else _read_display)(clock)
    match question.skill:
        case "time":
            return _said(minutes, clock)
        case "later":
            return _said(minutes + about["step"], clock)
        case "earlier":
            return _said(minutes - about["step"], clock)
        case "left of the hour":
            return str(60 - minutes % 60)
        case "last hour":
            return str(int(_turn(clock["centre"], clock["tips"]["hour"]) // 30) or 12)
        case "minute mark":
            return str(round(_turn(clock["centre"], clock["tips"]["minute"]) / 30 - 0.1) % 12 or 12)
        case "past half":
            return "yes" if clock["tips"]["minute"][0] < clock["centre"][0] else "no"
        case "nearer to twelve":
            turns = {hand: _turn(clock["centre"], clock["tips"][hand]) for hand in ("hour", "minute")}
            return min(turns, key=lambda hand: min(turns[hand], 360 - turns[hand]))
        case "seconds":
            return str(_seconds(clock))
        case "has seconds":
            return "yes" if "second" in clock["tips"] else "no"
        case "hand colour":
            assert about["hand"] in clock["tips"]
            return clock["hands"][about["hand"]]
        case "colour of an absent hand":
            assert about["hand"] not in clock["tips"] and clock["seconds"] is None
            return NOT_SHOWN
        case "face colour":
            return clock["face"]
        case "face shape":
            return clock["shape"]
        case "numerals":
            written = set(_words(scene))
            assert {"arabic", "quarters"} & {clock["numerals"]} or not {"6", "9"} <= written
            return (
                "Roman numerals" if {"VI", "IX"} <= written else "digits" if "6" in written else "no numerals"
            )
        case "tip":
            x, y = clock["tips"][about["hand"]]
            return _middle(scene, [x, y, x, y])
        case "frame":
            if clock["kind"] == "digital":
                return str(tuple(_thousandths(scene, clock["display"])))
            (face,) = [p.box for p in scene.placed if p.kind == "object" and p.label == "clock"]
            return str(tuple(_thousandths(scene, face)))
        case "date":
            assert str(clock["date"]) in _words(scene)
            return str(clock["date"])
        case "date that is absent":
            assert "date" not in clock
            return NOT_SHOWN
        case "date that can't be read":
            assert not clock["date legible"]
            return CANT_BE_READ
        case "maker":
            (name,) = [word for word in _words(scene) if len(word) > 3 and word[1:].islower()]
            return name
        case "maker that is absent":
            assert "maker" not in clock
            return NOT_SHOWN
        case "maker that can't be read":
            assert not clock["maker legible"] and clock["maker"] not in _words(scene)
            return CANT_BE_READ
        case "colour of digits":
            return clock["lit"]
        case "display":
            return next(word for word in _words(scene) if ":" in word)
        case "display that can't be read":
            assert not clock["legible"]
            return CANT_BE_READ
        case "before noon":
            return "yes" if minutes < 720 else "no"
        case "alarm" | "until the alarm":
            shown = _words(scene)[_words(scene).index("Alarm") + 1 :]
            hour, minute = map(int, shown[0].split(":"))
            if shown[1:2] in (["AM"], ["PM"]):
                hour = hour % 12 + (12 if shown[1] == "PM" else 0)
            if question.skill == "alarm":
                return _said(hour * 60 + minute, clock)
            return str((hour * 60 + minute - minutes) % 1440)
        case "alarm that is absent":
            assert "Alarm" not in _words(scene) and "alarm" not in clock
            return NOT_SHOWN
        case "weekday" | "tomorrow":
            (day,) = [
                i for i, d in enumerate(DAYS) for w in _words(scene) if d.lower().startswith(w.lower()[:6])
            ]
            return DAYS[(day + (question.skill == "tomorrow")) % 7]
        case "weekday that is absent":
            assert "weekday" not in clock
            return NOT_SHOWN
        case "weekday that can't be read":
            assert not clock["weekday legible"]
            return CANT_BE_READ
    raise AssertionError(f"no reading for {question.skill!r}")


def _read_cities(scene: Scene, question: Question) -> str:
    clocks, about, dial = scene.facts["clocks"], question.about, scene.facts["clocks"][0]["kind"] == "dial"
    by_city = {clock["city"]: clock for clock in clocks if clock["city legible"]}

    def minutes(clock: dict) -> int:
        return _read_dial(clock) if dial else _read_display(clock)

    def in_week(clock: dict) -> int:
        return DAYS.index(clock["weekday"]) * 1440 + _read_display(clock)

    match question.skill:
        case "count":
            return str(sum(p.kind == "object" and p.label == "clock" for p in scene.placed))
        case "time of a city":
            return _said(minutes(by_city[about["city"]]), by_city[about["city"]])
        case "time of an absent city":
            assert about["city"] not in by_city and len(by_city) == len(clocks)
            return NOT_SHOWN
        case "order":
            along = 0 if about["way"] == "left to right" else 1
            return ", ".join(sorted(by_city, key=lambda city: by_city[city]["box"][along]))
        case "city at a time" | "city that can't be read":
            (clock,) = [c for c in clocks if _said(minutes(c), c) == about["time"]]
            if question.skill == "city at a time":
                return next(city for city, other in by_city.items() if other is clock)
            assert not clock["city legible"]
            return CANT_BE_READ
        case "point":
            return _middle(scene, by_city[about["city"]]["box"])
        case "shorter way":
            apart = abs(minutes(by_city[about["a"]]) - minutes(by_city[about["b"]]))
            return f"{min(apart, 720 - apart) / 60:g}"
        case "ahead":
            apart = in_week(by_city[about["a"]]) - in_week(by_city[about["b"]])
            return f"{apart % (7 * 1440) / 60:g}"
        case "same day":
            return "yes" if by_city[about["a"]]["weekday"] == by_city[about["b"]]["weekday"] else "no"
        case "latest":
            times = {city: in_week(clock) for city, clock in by_city.items()}
            first = next(iter(times.values()))
            return max(times, key=lambda city: (times[city] - first + 3 * 1440) % (7 * 1440))
    raise AssertionError(f"no reading for {question.skill!r}")
