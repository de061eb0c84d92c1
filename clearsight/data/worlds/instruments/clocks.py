"""Clocks: dials of many makes, alarm clocks, watches, digital displays, and clocks of cities side by side.

The times of cities differ as their standard times do in the world. Seconds, a date, a maker's name and a small dial
are there in some. Summer time and dials of twenty-four hours are left out.
"""

from collections.abc import Sequence
from typing import Any

from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.instruments.clock_settings import CITIES, LAYOUTS, WEEKDAYS
from clearsight.data.worlds.scene import Placed, Scene, Split, belongs_to, rng_for, with_article

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("wall", "wall", "watch", "cities", "cities", "display", "list"),
    "eval": ("bells", "bells", "square of four", "radio", "table"),
}
WAYS = {"cities": "left to right", "list": "top to bottom", "table": "top to bottom"}
NUMERALS = {"arabic": "digits", "quarters": "digits", "roman": "Roman numerals", "none": "no numerals"}

TIME = (
    "What time does the clock show?",
    "What time is it by this clock?",
    "Read the clock and tell the hour and the minute.",
)
LATER = (
    "What time will the clock show {step} minutes from now?",
    "Which time will it be by this clock in {step} minutes?",
    "If {step} more minutes pass, where will the clock then stand, as a time?",
)
EARLIER = (
    "What time did the clock show {step} minutes ago?",
    "Which time was it by this clock {step} minutes earlier?",
    "Turn the clock back by {step} minutes: which time does that give?",
)
LEFT_OF_HOUR = (
    "How many minutes are left until the next full hour?",
    "In how many minutes will the hour be full?",
    "How many minutes must pass before the clock strikes its next hour?",
)
LAST_HOUR = (
    "Which hour, from 1 to 12, has the hour hand reached or passed last?",
    "What is the last hour mark (1 to 12) that the hour hand has reached?",
    "Of the hours 1 to 12, at which has the short hand been most recently?",
)
MINUTE_MARK = (
    "At which hour mark, from 1 to 12, does the minute hand point?",
    "To which of the hours 1 to 12 on the dial does the long hand point?",
    "Where 1 to 12 stand on a dial: which of them does the minute hand indicate?",
)
PAST_HALF = (
    "Has the minute hand passed the half hour?",
    "Is more than half of the hour over?",
    "Does the long hand stand in the second half of its round?",
)
NEARER = (
    "Which hand points closer to the 12, the hour hand or the minute hand?",
    "Is it the hour hand or the minute hand that is nearer to the top of the dial?",
    "Of the hour hand and the minute hand, which makes the smaller angle with twelve o'clock?",
)
SECONDS = (
    "How many seconds does the clock show?",
    "At which second does the second hand stand?",
    "Read off the seconds from this clock.",
)
HAS_SECONDS = (
    "Does the clock have a second hand?",
    "Is there a hand for the seconds?",
    "Can one read seconds from any hand of this clock?",
)
HAND_COLOUR = (
    "What colour is the {hand} hand?",
    "Which colour does the clock's {hand} hand have?",
    "In what colour has the clock's {hand} hand been painted?",
)
FACE_COLOUR = (
    "What colour is the face of the clock?",
    "Which colour does the clock face have?",
    "In what colour is the ground of the dial painted?",
)
FACE_SHAPE = (
    "What shape is the clock face?",
    "Which shape does the dial have?",
    "Which outline does the face of this clock have?",
)
NUMERAL_STYLE = (
    "Which kind of numerals does the clock face have?",
    "How are the hours written on the dial?",
    "In what manner does the dial number its hours?",
)
TIP = (
    "Where is the tip of the {hand} hand?",
    "Point to the end of the {hand} hand.",
    "Show where the {hand} hand ends, away from the pivot.",
)
FRAME = (
    "Frame the face of the clock.",
    "What is the box around the clock's face?",
    "Put a frame around the dial alone.",
)
DATE = (
    "Which day of the month does the little window show?",
    "What date is in the window of the dial?",
    "Read the number in the dial's date window.",
)
MAKER = (
    "What name is written on the dial?",
    "Which word is printed on the clock face?",
    "Transcribe the maker's name from the dial.",
)
CITY_TIME = (
    "What time is it in {city}?",
    "What time does the clock of {city} show?",
    "Tell the time that stands with the name {city}.",
)
CITY_AT = (
    "In which city is it {time}?",
    "Which city's clock shows {time}?",
    "To which city belongs the clock that stands at {time}?",
)
SHORTER_WAY = (
    "By how many hours do the dials of {a} and {b} differ, the shorter way round?",
    "How many hours apart are the dials of {a} and {b}, at most six?",
    "Going the shorter way round the dial, how many hours separate {a} from {b}?",
)
AHEAD = (
    "By how many hours is {a} ahead of {b}?",
    "How many hours later is it in {a} than in {b}?",
    "What number of hours must be added to the time in {b} to get that in {a}?",
)
CITIES_IN_ORDER = (
    "Name the cities from {way}.",
    "Which cities are named, from {way}?",
    "Give the names of the cities as they stand, {way}.",
)
COUNT = ("How many clocks are there?", "Count the clocks.", "What number of clocks does the picture hold?")
CITY_POINT = (
    "Where is the clock of {city}?",
    "Point to the clock that belongs to {city}.",
    "Show which clock {city} has.",
)
LATEST = (
    "Where is it latest, by weekday and time?",
    "Which city is furthest ahead in time?",
    "Which of these cities has got furthest into the week?",
)
SAME_DAY = (
    "Is it the same weekday in {a} and {b}?",
    "Do {a} and {b} have the same day of the week?",
    "Would a diary in {a} and one in {b} be open at the same day?",
)
FRAME_DISPLAY = (
    "Frame the time on the display.",
    "What is the box around the large figures of the display?",
    "Put a frame around the figures that tell the time.",
)
DISPLAY = (
    "What does the display of the clock read?",
    "Copy the time as the display writes it.",
    "Transcribe the large figures of the clock's display.",
)
FORENOON = (
    "Is it before noon?",
    "Is it still morning by this clock, that is before twelve noon?",
    "Has noon yet to come by the display?",
)
ALARM = (
    "For what time is the alarm set?",
    "When will the alarm go off?",
    "At which time is this clock going to ring?",
)
UNTIL_ALARM = (
    "How many minutes are left until the alarm?",
    "In how many minutes will the alarm ring?",
    "Counted in minutes, how long will it be quiet until the alarm?",
)
WEEKDAY = (
    "Which day of the week does the clock show?",
    "What weekday is it by the clock?",
    "Name the day of the week beside the time.",
)
TOMORROW = (
    "Which weekday follows the one that the clock shows?",
    "Going by the clock, what day of the week is tomorrow?",
    "What will be the weekday one day after the one displayed?",
)
LIT = (
    "What colour are the digits of the display?",
    "In which colour does the display show the time?",
    "Which colour do the lit figures have?",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("clocks", seed, split)
    template = rng.choice(TEMPLATES[split])
    sheet, clocks = LAYOUTS[template](rng, split)
    scene = Scene("clocks", seed, split, sheet.finish(rng), placed=sheet.placed)
    scene.placed += [Placed("object", "clock", tuple(clock["box"])) for clock in clocks]
    scene.facts = {"template": template, "clocks": clocks}
    ask = Asker(scene, rng)
    if len(clocks) > 1:
        _ask_cities(ask, clocks, WAYS.get(template))
    elif clocks[0]["kind"] == "dial":
        _ask_dial(ask, clocks[0])
    else:
        _ask_display(ask, clocks[0])
    _describe(scene, clocks)
    return scene


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask_dial(ask: Asker, clock: dict[str, Any]) -> None:
    rng, minutes, tolerance = ask.rng, clock["minutes"], clock["tolerance"]
    past = minutes % 60
    ask.time("time", TIME, minutes, tolerance=tolerance)
    step = rng.choice((10, 15, 20, 25, 30, 40, 45, 90, 100, 120))
    if rng.random() < 0.5:
        ask.time("later", LATER, (minutes + step) % 720, tolerance=tolerance, step=step)
    else:
        ask.time("earlier", EARLIER, (minutes - step) % 720, tolerance=tolerance, step=step)
    if 4 < past < 56:
        ask.number("left of the hour", LEFT_OF_HOUR, 60 - past, tolerance=tolerance)
        ask.number("last hour", LAST_HOUR, minutes // 60 or 12)
    if abs(past - 30) > 3 and 3 < past < 57:
        ask.yes_no("past half", PAST_HALF, past > 30)
    if past % 5 == 0 and not (clock["seconds"] or 0) > 20:
        ask.number("minute mark", MINUTE_MARK, past // 5 or 12)
    hour_off, minute_off = (min(a % 360, 360 - a % 360) for a in (minutes / 2, minutes * 6))
    if abs(hour_off - minute_off) > 12:
        hand = "hour" if hour_off < minute_off else "minute"
        ask.text("nearer to twelve", NEARER, f"{hand} hand", alternatives=(hand,))
    centre = clock["seconds"] is not None and "small dial" not in clock
    if clock["seconds"] is not None:
        ask.number("seconds", SECONDS, clock["seconds"], tolerance=1 if centre else 3)
    if "small dial" not in clock:
        ask.yes_no("has seconds", HAS_SECONDS, centre)
    hand = rng.choice(("hour", "minute", *(("second",) * 2 if centre else ())))
    ask.colour("hand colour", HAND_COLOUR, clock["hands"][hand], hand=hand)
    if clock["seconds"] is None and rng.random() < 0.5:
        ask.not_shown("colour of an absent hand", HAND_COLOUR, hand="second")
    if clock["face"]:
        ask.colour("face colour", FACE_COLOUR, clock["face"])
    ask.choice("face shape", FACE_SHAPE, clock["shape"], ("round", "square", "octagonal"))
    ask.choice("numerals", NUMERAL_STYLE, NUMERALS[clock["numerals"]], sorted(set(NUMERALS.values())))
    tip = clock["tips"]["minute"]
    ask.point("tip", TIP, (tip[0] - 14, tip[1] - 14, tip[0] + 14, tip[1] + 14), hand="minute")
    ask.box("frame", FRAME, clock["box"])
    if "date" not in clock:
        if rng.random() < 0.5:
            ask.not_shown("date that is absent", DATE)
    elif clock["date legible"]:
        ask.number("date", DATE, clock["date"])
    else:
        ask.cant_be_read("date that can't be read", DATE)
    if "maker" not in clock:
        if rng.random() < 0.3:
            ask.not_shown("maker that is absent", MAKER)
    elif clock["maker legible"]:
        ask.verbatim("maker", MAKER, clock["maker"])
    else:
        ask.cant_be_read("maker that can't be read", MAKER)


def _said(minutes: int) -> str:
    return f"{minutes // 60 % 12 or 12}:{minutes % 60:02d}"


def _ask_cities(ask: Asker, clocks: list[dict[str, Any]], way: str | None) -> None:
    rng, dial = ask.rng, clocks[0]["kind"] == "dial"
    named = [clock for clock in clocks if clock["city legible"]]
    ask.count("count", COUNT, len(clocks))
    for clock in rng.sample(named, min(2, len(named))):
        if dial:
            ask.time(
                "time of a city",
                CITY_TIME,
                clock["minutes"],
                tolerance=clock["tolerance"],
                city=clock["city"],
            )
        else:
            _tell(ask, "time of a city", CITY_TIME, clock["minutes"], clock, city=clock["city"])
    absent = rng.choice(
        sorted(c for c in CITIES if belongs_to(ask.split, c) and c not in {k["city"] for k in clocks})
    )
    if len(named) == len(clocks):
        ask.not_shown("time of an absent city", CITY_TIME, city=absent)
        if way:
            ask.items("order", CITIES_IN_ORDER, [clock["city"] for clock in clocks], ordered=True, way=way)
    for legible in (True, False):
        fitting = [c for c in clocks if c["city legible"] == legible]
        if fitting and apart([c["minutes"] % 720 for c in clocks], 10):
            clock = rng.choice(fitting)
            shown = _said(clock["minutes"]) if dial else clock["text"]
            if legible:
                ask.text("city at a time", CITY_AT, clock["city"], time=shown)
            else:
                ask.cant_be_read("city that can't be read", CITY_AT, time=shown)
    ask.point("point", CITY_POINT, (clock := rng.choice(named))["box"], city=clock["city"])
    if len(named) < 2:
        return
    a, b = rng.sample(named, 2)
    apart_by = (a["minutes"] - b["minutes"]) % 720
    if dial:
        ask.number(
            "shorter way",
            SHORTER_WAY,
            min(apart_by, 720 - apart_by) / 60,
            tolerance=0.1,
            a=a["city"],
            b=b["city"],
        )
        return
    ahead = CITIES[a["city"]] - CITIES[b["city"]]
    if ahead < 0:
        a, b, ahead = b, a, -ahead
    ask.number("ahead", AHEAD, ahead / 60, a=a["city"], b=b["city"])
    if a["weekday"] != b["weekday"] or rng.random() < 0.5:
        ask.yes_no("same day", SAME_DAY, a["weekday"] == b["weekday"], a=a["city"], b=b["city"])
    if len(named) == len(clocks) and not {"Sunday", "Monday"} <= {clock["weekday"] for clock in clocks}:
        ask.text("latest", LATEST, max(named, key=lambda c: CITIES[c["city"]])["city"])


def _tell(
    ask: Asker, skill: str, ways: Sequence[str], minutes: int, clock: dict[str, Any], **fills: Any
) -> None:
    """A time as a digital clock would write it: of twelve or of twenty-four hours."""
    hour, minute = divmod(minutes % 1440, 60)
    if clock["half"]:
        ask.time(skill, ways, minutes % 720, **fills)
    else:
        others = (f"{hour}:{minute:02d}", f"{hour % 12 or 12}:{minute:02d} {'AM' if hour < 12 else 'PM'}")
        ask.text(skill, ways, f"{hour:02d}:{minute:02d}", alternatives=others, **fills)


def _ask_display(ask: Asker, clock: dict[str, Any]) -> None:
    rng, minutes = ask.rng, clock["minutes"]
    ask.colour("colour of digits", LIT, clock["lit"])
    ask.box("frame", FRAME_DISPLAY, clock["display"])
    if clock["legible"]:
        ask.verbatim("display", DISPLAY, clock["text"])
        _tell(ask, "time", TIME, minutes, clock)
        step = rng.choice((5, 12, 20, 35, 48, 55, 75, 110))
        _tell(ask, "later", LATER, minutes + step, clock, step=step)
        if minutes % 60:
            ask.number("left of the hour", LEFT_OF_HOUR, 60 - minutes % 60)
        ask.yes_no("before noon", FORENOON, minutes < 720)
    else:
        ask.cant_be_read("display that can't be read", DISPLAY)
    if "alarm" in clock:
        _tell(ask, "alarm", ALARM, clock["alarm"], clock)
        wait = (clock["alarm"] - minutes) % 1440
        if clock["legible"] and 0 < wait <= 180:
            ask.number("until the alarm", UNTIL_ALARM, wait)
    else:
        ask.not_shown("alarm that is absent", ALARM)
    if "weekday" not in clock:
        ask.not_shown("weekday that is absent", WEEKDAY)
    elif clock["weekday legible"]:
        ask.text("weekday", WEEKDAY, clock["weekday"], alternatives=(clock["weekday"][:3],))
        following = WEEKDAYS[(WEEKDAYS.index(clock["weekday"]) + 1) % 7]
        ask.text("tomorrow", TOMORROW, following, alternatives=(following[:3],))
    else:
        ask.cant_be_read("weekday that can't be read", WEEKDAY)


# ---------------------------------------------------------------------------------------------------
# Captions


def _describe(scene: Scene, clocks: list[dict[str, Any]]) -> None:
    if len(clocks) > 1:
        kind = "dials" if clocks[0]["kind"] == "dial" else "digital times"
        names = [c["city"] if c["city legible"] else "a city whose name can't be read" for c in clocks]
        times = [
            _said(c["minutes"]) if c["kind"] == "dial" else f"{c['weekday']} {c['text']}" for c in clocks
        ]
        scene.short_caption = f"Clocks of {len(clocks)} cities."
        scene.caption = f"{len(clocks)} {kind} of cities: {', '.join(names)}."
        parts = [f"{time} in {name}" for name, time in zip(names, times, strict=True)]
        scene.long_caption = f"{len(clocks)} {kind} of cities. It is " + "; ".join(parts) + "."
        return
    (clock,) = clocks
    if clock["kind"] == "digital":
        shown = clock["text"] + (f" {clock['half']}" if clock["half"] else "")
        shown = f"showing {shown}" if clock["legible"] else "whose time can't be read"
        scene.short_caption = "A digital clock."
        scene.caption = f"A digital clock {shown}."
        more = [f"The digits are {clock['lit']}"]
        if "weekday" in clock:
            more.append(
                f"the day is {clock['weekday']}" if clock["weekday legible"] else "the day is illegible"
            )
        if "alarm" in clock:
            more.append(f"the alarm is set for {_said(clock['alarm'])}")
        scene.long_caption = f"A digital clock {shown}. {_joined(more)}."
        return
    face = (with_article(clock["shape"]) + " clock").capitalize()
    scene.short_caption = face + "."
    scene.caption = f"{face} showing {_said(clock['minutes'])}."
    more = [f"It has {NUMERALS[clock['numerals']]}"]
    if clock["face"]:
        more.append(f"a {clock['face']} face" if clock["face"] != "orange" else "an orange face")
    hour, minute, second = (clock["hands"][hand] for hand in ("hour", "minute", "second"))
    more.append(
        f"{hour} hands"
        if hour == minute
        else f"{with_article(hour)} hour hand, {with_article(minute)} minute hand"
    )
    if "small dial" in clock:
        more.append(f"a small dial showing {clock['seconds']} seconds")
    elif clock["seconds"] is not None:
        more.append(f"{with_article(second)} second hand at {clock['seconds']} seconds")
    if "date" in clock:
        more.append(
            f"the date {clock['date']} in a window"
            if clock["date legible"]
            else "an illegible date in a window"
        )
    if "maker" in clock:
        more.append(f'the name "{clock["maker"]}"' if clock["maker legible"] else "an illegible name")
    scene.long_caption = f"{scene.caption} {_joined(more)}."


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
