"""Clocks: dials of many makes, alarm clocks, watches, digital displays, and clocks of cities side by side.

The times of cities differ as their standard times do in the world. Seconds, a date, a maker's name and a small dial
are there in some. Summer time and dials of twenty-four hours are left out.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from clearsight.data.worlds import dials
from clearsight.data.worlds.asking import Asker, apart
from clearsight.data.worlds.drafting import (
    Sheet,
    distinct_colours,
    fitting_size,
    least_size,
    polar,
    sheet_on_background,
    sturdy_font,
)
from clearsight.data.worlds.palette import RGB, colour, distance, readable_on
from clearsight.data.worlds.scene import Placed, Scene, Split, belongs_to, rng_for, with_article
from clearsight.data.worlds.vocabulary import vocabulary

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("wall", "wall", "watch", "cities", "cities", "display", "list"),
    "eval": ("bells", "bells", "square of four", "radio", "table"),
}
# Cities by the minutes that their standard time is ahead of Greenwich.
STANDARD_TIMES = {
    -600: "Honolulu",
    -540: "Anchorage",
    -480: "Seattle, Vancouver, Portland",
    -420: "Phoenix, Denver, Calgary",
    -360: "Chicago, Dallas, Winnipeg, Houston, San Jose",
    -300: "Boston, Toronto, Lima, Bogota, Quito, Miami, Montreal",
    -240: "Caracas, La Paz, Halifax, Santiago",
    -180: "Recife, Montevideo, Salvador, Cordoba",
    0: "Reykjavik, Accra, Dakar, London, Lisbon, Dublin, Porto",
    60: "Lagos, Tunis, Madrid, Paris, Berlin, Rome, Oslo, Vienna, Prague, Warsaw, Zurich, Milan, Lyon, Bergen",
    120: "Cairo, Athens, Helsinki, Kyiv, Riga, Sofia, Maputo, Vilnius, Durban, Harare",
    180: "Istanbul, Nairobi, Riyadh, Baghdad, Ankara, Doha",
    210: "Tehran",
    240: "Dubai, Baku, Tbilisi, Muscat",
    270: "Kabul",
    300: "Karachi, Tashkent, Lahore",
    330: "Delhi, Colombo, Mumbai, Chennai",
    360: "Dhaka",
    420: "Bangkok, Jakarta, Hanoi",
    480: "Manila, Beijing, Perth, Singapore, Taipei, Shanghai",
    540: "Seoul, Tokyo, Osaka, Busan, Kyoto",
    600: "Sydney, Brisbane, Melbourne, Cairns",
    660: "Noumea",
    720: "Auckland, Wellington, Dunedin, Suva",
    780: "Apia",
}
CITIES = {city: ahead for ahead, cities in STANDARD_TIMES.items() for city in cities.split(", ")}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WAYS = {"cities": "left to right", "list": "top to bottom", "table": "top to bottom"}
NUMERALS = {"arabic": "digits", "quarters": "digits", "roman": "Roman numerals", "none": "no numerals"}
SMUDGED = 0.25  # share of the writing beside clocks that can't be read

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
# Layouts: each gives a sheet and the clocks on it as plain data


Layout = tuple[Sheet, list[dict[str, Any]]]


def _wall(rng: random.Random, split: Split) -> Layout:
    width, height = rng.choice(((448, 448), (400, 480), (512, 400), (384, 384)))
    sheet, ground = sheet_on_background(rng, split, width, height)
    radius = rng.uniform(0.3, 0.43) * min(width, height)
    x, y = (side / 2 + rng.uniform(-1, 1) * (side / 2 - radius * 1.16) for side in (width, height))
    return sheet, [_dial_with_extras(sheet, rng, split, ground, x, y, radius)]


def _watch(rng: random.Random, split: Split) -> Layout:
    width, height = rng.choice(((352, 576), (384, 512)))
    sheet, _ = sheet_on_background(rng, split, width, height)
    radius = rng.uniform(112, 140)
    x, y = width / 2 + rng.uniform(-12, 12), height / 2 + rng.uniform(-20, 20)
    strap = colour(rng, split, rng.choice(("brown", "black", "blue", "red", "green", "gray")))
    seam = tuple(min(255, c + 40) for c in strap)
    for side in (-1, 1):
        end = height + 4 if side > 0 else -4
        wide, narrow = radius * 0.78, radius * 0.62
        sheet.polygon([(x - wide, y), (x + wide, y), (x + narrow, end), (x - narrow, end)], strap)
        for edge in (-1, 1):
            sheet.line([(x + edge * (wide - 9), y), (x + edge * (narrow - 9), end)], seam, 1.5)  # type: ignore[arg-type]
    sheet.box((x + radius, y - 11, x + radius * 1.2, y + 11), (150, 150, 156), radius=4)
    return sheet, [_dial_with_extras(sheet, rng, split, strap, x, y, radius)]


def _bells(rng: random.Random, split: Split) -> Layout:
    width, height = rng.choice(((400, 496), (448, 448)))
    sheet, _ = sheet_on_background(rng, split, width, height)
    radius = rng.uniform(120, 142)
    x, y = width / 2 + rng.uniform(-20, 20), height / 2 + 18
    metal = colour(rng, split, rng.choice(("red", "blue", "green", "purple", "gray")))
    for side in (-1, 1):
        sheet.line([(x, y), polar(x, y, side * 150, radius * 1.38)], metal, 13, round_ends=True)
        sheet.line([(x, y), polar(x, y, side * 36, radius * 1.24)], metal, 7)
        sheet.circle(*polar(x, y, side * 36, radius * 1.26), radius * 0.26, metal)
    sheet.box((x - 7, y - radius * 1.36, x + 7, y - radius), metal, radius=5)
    sheet.circle(x, y, radius * 1.15, metal)
    return sheet, [_dial_with_extras(sheet, rng, split, metal, x, y, radius, shape="round")]


def _dial_with_extras(
    sheet: Sheet,
    rng: random.Random,
    split: Split,
    ground: RGB,
    x: float,
    y: float,
    radius: float,
    shape: str = "",
) -> dict[str, Any]:
    """A large dial, perhaps with a name, a date window, or a small dial for the seconds where no hand hides them."""
    dial = dials.any_dial(rng, split, ground, shape=shape)
    minutes = rng.randrange(144) * 5 if rng.random() < 0.35 else rng.randrange(720)
    seconds = rng.randrange(60) if rng.random() < 0.5 else None
    clock = _clock(dial, x, y, radius, minutes, 1.0 if dial.ticks == "minutes" else 2.0)
    dials.draw_face(sheet, dial, x, y, radius)
    hidden = [minutes / 2 % 360, minutes * 6 % 360, *([] if seconds is None else [seconds * 6])]

    def is_free(direction: float, margin: float) -> bool:
        return all(abs((angle - direction + 180) % 360 - 180) > margin for angle in hidden)

    free = [direction for direction in (0, 180) if is_free(direction, 52)]
    if free and rng.random() < 0.7:
        direction = free.pop(rng.randrange(len(free)))
        legible = rng.random() > SMUDGED
        name = rng.choice([word for word in vocabulary(split)[200:] if 4 <= len(word) <= 8]).capitalize()
        font = sturdy_font(rng, split)
        size = fitting_size(name, font, max(round(radius * 0.16), least_size(font) + 2), radius * 0.86)
        if size >= least_size(font):
            sheet.write(*polar(x, y, direction, radius * 0.4), name, font, size, dial.ink, legible=legible)
            clock |= {"maker": name, "maker legible": legible}
    if is_free(90, 30) and dial.shape == "round" and rng.random() < 0.6:
        legible, date = rng.random() > SMUDGED, rng.randint(1, 31)
        middle, half = x + radius * 0.47, radius * 0.115
        sheet.box(
            (middle - half, y - half * 0.85, middle + half, y + half * 0.85), (250, 250, 248), dial.ink, 1
        )
        size = max(13, round(radius * 0.14))
        sheet.write(middle, y, str(date), dial.font, size, (20, 20, 20), legible=legible)
        clock |= {"date": date, "date legible": legible}
    if seconds is not None and 180 in free and "maker" not in clock and rng.random() < 0.7:
        middle, small = y + radius * 0.42, radius * 0.2
        sheet.circle(x, middle, small, None, dial.ink, 1.2)
        for mark in range(12):
            ends = [polar(x, middle, mark * 30, small * reach) for reach in (0.98, 0.8)]
            sheet.line(ends, dial.ink, 1.4 if mark % 3 else 2.6)
        tip = polar(x, middle, seconds * 6, small * 0.86)
        sheet.line([(x, middle), tip], dial.hands["second"][1], 2)
        clock |= {"small dial": {"centre": [x, middle], "tip": list(tip)}}
    sweep = None if "small dial" in clock else seconds
    clock["tips"] = dials.draw_hands(sheet, dial, x, y, radius, minutes + (seconds or 0) / 60, sweep)
    return clock | {"seconds": seconds}


def _cities(rng: random.Random, split: Split) -> Layout:
    count = rng.choice((2, 2, 3))
    width, height = (640, 320) if count == 2 else (784, 288)
    sheet, ground = sheet_on_background(rng, split, width, height, plain=rng.random() < 0.5)
    step, below = width / count, rng.random() < 0.8
    spots = [(step * (i + 0.5), height * (0.43 if below else 0.57)) for i in range(count)]
    return sheet, _city_dials(sheet, rng, split, ground, spots, min(step * 0.4, height * 0.34), below)


def _square_of_four(rng: random.Random, split: Split) -> Layout:
    width = height = 464
    sheet, ground = sheet_on_background(rng, split, width, height)
    spots = [(width * (0.26 + 0.48 * (i % 2)), height * (0.29 + 0.49 * (i // 2))) for i in range(4)]
    return sheet, _city_dials(sheet, rng, split, ground, spots, width * 0.165, False)


def _city_dials(
    sheet: Sheet,
    rng: random.Random,
    split: Split,
    ground: RGB,
    spots: list[tuple[float, float]],
    radius: float,
    below: bool,
) -> list[dict[str, Any]]:
    base, smudged = rng.randrange(288) * 5, rng.randrange(len(spots)) if rng.random() < 0.35 else None
    alike, font = dials.any_dial(rng, split, ground, small=radius < 90), sturdy_font(rng, split)
    same, clocks = rng.random() < 0.6, []
    for index, ((x, y), city) in enumerate(zip(spots, _some_cities(rng, split, len(spots)), strict=True)):
        dial = alike if same else dials.any_dial(rng, split, ground, small=radius < 90)
        minutes = (base + CITIES[city]) % 720
        clock = _clock(dial, x, y, radius, minutes, 2.0 if radius > 90 else 3.0)
        dials.draw_face(sheet, dial, x, y, radius)
        clock["tips"] = dials.draw_hands(sheet, dial, x, y, radius, minutes, None)
        legible = index != smudged
        size = fitting_size(city, font, max(20, least_size(font)), radius * 2.3)
        away = radius * 1.07 + size * 0.85
        sheet.write(
            x, y + away if below else y - away, city, font, size, readable_on(ground), legible=legible
        )
        clocks.append(clock | {"city": city, "city legible": legible})
    return clocks


def _clock(
    dial: dials.Dial, x: float, y: float, radius: float, minutes: int, tolerance: float
) -> dict[str, Any]:
    reach = radius * 1.07
    return {
        "kind": "dial",
        "minutes": minutes,
        "tolerance": tolerance if dial.numerals != "none" or dial.ticks == "minutes" else 3.0,
        "centre": [x, y],
        "box": [x - reach, y - reach, x + reach, y + reach],
        "shape": dial.shape,
        "numerals": dial.numerals,
        "face": dial.face_name,
        "hands": {name: colour_name for name, (colour_name, _) in dial.hands.items()},
    }


def _some_cities(rng: random.Random, split: Split, count: int) -> list[str]:
    """Cities whose clocks on twelve-hour dials differ."""
    found: list[str] = []
    for city in rng.sample(sorted(CITIES), len(CITIES)):
        if belongs_to(split, city) and all((CITIES[city] - CITIES[other]) % 720 for other in found):
            found.append(city)
            if len(found) == count:
                break
    return found


def _display(rng: random.Random, split: Split) -> Layout:
    width, height = rng.choice(((512, 384), (560, 352)))
    sheet, ground = sheet_on_background(rng, split, width, height)
    body = distinct_colours(rng, split, [ground], 1, least=120)[0][1]
    frame = (36, 56, width - 36, height - 60)
    for x in (90, width - 90):
        sheet.box((x - 26, height - 70, x + 26, height - 44), body, radius=6)
    sheet.box(frame, body, radius=rng.choice((10, 26, 44)))
    panel = (frame[0] + 24, frame[1] + 24, frame[2] - 24, frame[3] - 24)
    return sheet, [_panel(sheet, rng, split, panel)]


def _radio(rng: random.Random, split: Split) -> Layout:
    width, height = 608, 336
    sheet, ground = sheet_on_background(rng, split, width, height)
    body = distinct_colours(rng, split, [ground], 1, least=120)[0][1]
    sheet.box((24, 44, width - 24, height - 44), body, radius=18)
    for i in range(3):
        sheet.circle(width - 74, 98 + i * 70, 21, (70, 70, 74), (30, 30, 30), 2)
        sheet.line(
            [(width - 74, 98 + i * 70), polar(width - 74, 98 + i * 70, rng.uniform(0, 360), 18)],
            (240,) * 3,
            3,
        )
    return sheet, [_panel(sheet, rng, split, (48, 66, width - 118, height - 66))]


def _panel(
    sheet: Sheet, rng: random.Random, split: Split, panel: tuple[int, int, int, int]
) -> dict[str, Any]:
    """A display with the time and some of: half of the day, weekday and date, alarm."""
    backlit = rng.random() < 0.3
    ground: RGB = (172, 190, 160) if backlit else (14, 14, 18)
    name = "black" if backlit else rng.choice(("red", "green", "blue", "orange", "yellow", "white", "pink"))
    lit = colour(rng, split, name)
    if distance(lit, ground) < 200:
        lit = max((colour(rng, split, name) for _ in range(12)), key=lambda c: distance(c, ground))
    sheet.box(panel, ground, (60, 60, 60), 2, radius=6)
    left, top, right, bottom = panel
    minutes, halves = rng.randrange(1440), rng.random() < 0.5
    hour = (minutes // 60 % 12 or 12) if halves else minutes // 60
    text = f"{hour}:{minutes % 60:02d}" if halves else f"{hour:02d}:{minutes % 60:02d}"
    half = ("AM" if minutes < 720 else "PM") if halves else None
    legible = rng.random() > 0.12
    tall = min((bottom - top) * 0.46, (right - left - 76) / 3.3)
    middle = (left + right) / 2 - (28 if half else 0), (top + bottom) / 2
    slant = rng.choice((0.0, 0.0, 0.05))
    box = dials.draw_digits(sheet, split, *middle, tall, text, lit, ground, slant=slant, legible=legible)
    font = sturdy_font(rng, split)
    size = max(20, least_size(font))
    if half:
        sheet.write(box[2] + 10, box[3] - size * 0.5, half, font, size, lit, "left")
    clock: dict[str, Any] = {"kind": "digital", "text": text, "half": half, "legible": legible, "lit": name}
    clock |= {"box": list(panel), "display": list(box), "minutes": minutes}
    if rng.random() < 0.65:
        day, date = rng.choice(WEEKDAYS), rng.randint(1, 31)
        fine = rng.random() > SMUDGED
        shown = rng.choice((day, day[:3], day.upper()[:3], day))
        sheet.write(left + 16, top + size * 0.95, f"{shown} {date}", font, size, lit, "left", legible=fine)
        clock |= {"weekday": day, "weekday legible": fine}
    if rng.random() < 0.55:
        alarm = (minutes + rng.randrange(5, 180)) % 1440 // 5 * 5
        shown = (
            f"{alarm // 60 % 12 or 12}:{alarm % 60:02d}" if halves else f"{alarm // 60:02d}:{alarm % 60:02d}"
        )
        suffix = (" AM" if alarm < 720 else " PM") if halves else ""
        sheet.write(right - 16, bottom - size * 0.95, f"Alarm {shown}{suffix}", font, size, lit, "right")
        clock["alarm"] = alarm
    return clock


def _list(rng: random.Random, split: Split) -> Layout:
    return _rows(rng, split, 480, 400, True, False)


def _table(rng: random.Random, split: Split) -> Layout:
    return _rows(rng, split, 432, 464, False, True)


def _rows(rng: random.Random, split: Split, width: int, height: int, city_first: bool, ruled: bool) -> Layout:
    """Cities with the weekday and time of each, one below the other."""
    sheet, ground = sheet_on_background(rng, split, width, height, plain=True)
    font, ink, count = sturdy_font(rng, split), readable_on(ground), rng.choice((3, 4, 4, 5))
    size, row = max(22, least_size(font)), height / (count + 0.4)
    base = rng.randrange(7 * 288) * 5
    smudged = rng.randrange(count) if rng.random() < 0.35 else None
    lit = distinct_colours(rng, split, [ground], 1, least=260)[0][1] if rng.random() < 0.5 else ink
    clocks = []
    for index, city in enumerate(_some_cities(rng, split, count)):
        local, y = base + CITIES[city], row * (index + 0.7)
        day, minutes = WEEKDAYS[local // 1440 % 7], local % 1440
        text, legible = f"{minutes // 60:02d}:{minutes % 60:02d}", index != smudged
        fitted = fitting_size(city, font, size, width * 0.4)
        if city_first:
            sheet.write(28, y, city, font, fitted, ink, legible=legible, anchor="left")
        sheet.write(width * (0.57 if city_first else 0.4), y, day[:3], font, size, ink)
        tall = min(row * 0.42, 40)
        across = tall * (4 * 0.72 + 0.3)
        middle = width - 24 - across / 2 if city_first else 26 + across / 2
        if split == "train":
            dials.draw_digits(sheet, split, middle, y, tall, text, lit, ground)
            clock_box = [middle - across / 2, y - tall / 2, middle + across / 2, y + tall / 2]
        else:
            large = fitting_size(text, font, 34, across)
            clock_box = list(sheet.write(middle, y, text, font, large, lit))
        if not city_first:
            sheet.write(width * 0.53, y, city, font, fitted, ink, legible=legible, anchor="left")
        if ruled:
            sheet.line([(20, y + row / 2), (width - 20, y + row / 2)], ink, 1)
        clock: dict[str, Any] = {
            "kind": "digital",
            "text": text,
            "half": None,
            "minutes": minutes,
            "weekday": day,
        }
        clocks.append(clock | {"box": clock_box, "city": city, "city legible": legible})
    return sheet, clocks


LAYOUTS: dict[str, Callable[[random.Random, Split], Layout]] = {
    "wall": _wall,
    "watch": _watch,
    "bells": _bells,
    "cities": _cities,
    "square of four": _square_of_four,
    "display": _display,
    "radio": _radio,
    "list": _list,
    "table": _table,
}


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
