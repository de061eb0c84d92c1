"""Where clocks hang: one on a wall, a wrist or a table, dials of cities side by side, lists of times.

Every layout gives a sheet and the clocks on it as plain data, from which the world of clocks asks and describes.
"""

import random
from collections.abc import Callable
from typing import Any

from clearsight.data.worlds.drawing.drafting import (
    Sheet,
    distinct_colours,
    fitting_size,
    least_size,
    polar,
    sheet_on_background,
    sturdy_font,
)
from clearsight.data.worlds.drawing.palette import RGB, colour, distance, readable_on
from clearsight.data.worlds.instruments import dials
from clearsight.data.worlds.scene import Split, belongs_to
from clearsight.data.worlds.vocabulary import vocabulary

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
SMUDGED = 0.25  # share of the writing beside clocks that can't be read

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
