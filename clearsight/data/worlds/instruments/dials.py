"""Faces of clocks: dials with hands of many makes, and digital displays of segments or dots.

Drawing only: what a clock shows, and what is asked about it, is for the world of clocks to say. Hands and digits
are split, so that evaluation reads makes that training never showed.
"""

import random
from dataclasses import dataclass, field
from functools import lru_cache

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.drafting import Box, Point, Sheet, polar, sturdy_font
from clearsight.data.worlds.drawing.palette import RGB, colour, distance, readable_on
from clearsight.data.worlds.scene import Placed, Split

HAND_COLOURS = ("red", "blue", "green", "orange", "purple", "yellow", "pink", "white", "black")
RIMS: tuple[RGB, ...] = ((30, 30, 34), (120, 84, 52), (176, 178, 184), (196, 160, 70), (250, 250, 250))
ROMAN = ("XII", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI")
# Along the hand (0: pivot, 1: tip), and half its width there in terms of the hand's own.
HANDS: dict[Split, dict[str, tuple[tuple[float, float], ...]]] = {
    "train": {
        "baton": ((-0.16, 1.0), (1.0, 1.0)),
        "taper": ((-0.16, 1.2), (1.0, 0.3)),
        "leaf": ((-0.14, 0.4), (0.2, 0.8), (0.5, 1.4), (0.8, 0.8), (1.0, 0.1)),
        "arrow": ((-0.12, 0.6), (0.72, 0.6), (0.72, 1.9), (1.0, 0.0)),
        "needle": ((0.0, 1.0), (1.0, 0.1)),
    },
    "eval": {
        "sword": ((-0.14, 0.5), (0.0, 0.7), (0.72, 1.5), (1.0, 0.0)),
        "spade": ((-0.2, 0.9), (0.0, 0.4), (0.6, 0.4), (0.7, 2.0), (0.82, 1.4), (0.86, 0.4), (1.0, 0.0)),
        "bar": ((0.0, 0.45), (0.25, 0.45), (0.25, 1.3), (1.0, 1.3)),
    },
}
# Which of the seven segments (top, top left, top right, middle, bottom left, bottom right, bottom) a digit lights.
SEGMENTS = (
    *("1110111", "0010010", "1011101", "1011011", "0111010"),
    *("1101011", "1101111", "1010010", "1111111", "1111011"),
)
# Rows of five dots, one number a row, the leftmost dot its highest bit.
DOTS = (
    *(
        (14, 17, 19, 21, 25, 17, 14),
        (4, 12, 4, 4, 4, 4, 14),
        (14, 17, 1, 2, 4, 8, 31),
        (31, 2, 4, 2, 1, 17, 14),
    ),
    *(
        (2, 6, 10, 18, 31, 2, 2),
        (31, 16, 30, 1, 1, 17, 14),
        (6, 8, 16, 30, 17, 17, 14),
        (31, 1, 2, 4, 8, 8, 8),
    ),
    *((14, 17, 17, 14, 17, 17, 14), (14, 17, 17, 15, 1, 2, 12)),
)


@dataclass(frozen=True)
class Dial:
    """How a dial looks. `hands` are the colours of the hour, minute and second hand by name and value."""

    face: RGB
    face_name: str | None
    ink: RGB
    rim: RGB
    shape: str
    numerals: str
    ticks: str
    font: str
    make: str
    hands: dict[str, tuple[str, RGB]] = field(hash=False)


def any_dial(rng: random.Random, split: Split, ground: RGB, *, small: bool = False, shape: str = "") -> Dial:
    """A dial at random, of a `shape` if one is given; a small one has no crowded numerals."""
    face_name = rng.choice(("white", "white", "black", "yellow", "blue", "green", "red", "pink", "gray"))
    face = colour(rng, split, face_name)
    named = rng.random() < 0.55
    if not named:
        low = rng.choice((225, 236, 22))
        face = (rng.randint(low, low + 18), rng.randint(low, low + 14), rng.randint(low - 18, low + 10))
    ink = readable_on(face)
    rim = rng.choice(RIMS)
    if distance(rim, ground) < 90:
        rim = readable_on(ground)
    shades = {name: colour(rng, split, name) for name in HAND_COLOURS}
    fitting = [n for n, c in shades.items() if distance(c, face) > 230 and abs(light(c) - light(face)) > 75]
    plain = "black" if ink[0] < 128 else "white"
    hour = plain if rng.random() < 0.6 or not fitting else rng.choice(fitting)
    minute = hour if rng.random() < 0.7 or not fitting else rng.choice(fitting)
    sweep = rng.choice(fitting) if fitting and rng.random() < 0.85 else plain
    return Dial(
        face,
        face_name if named else None,
        ink,
        rim,
        shape or rng.choice(("round", "round", "round", "square", "octagonal")),
        rng.choice(
            ("arabic", "quarters", "none")
            if small
            else ("arabic", "arabic", "quarters", "roman", "roman", "none")
        ),
        rng.choice(("hours", "minutes") if small else ("minutes", "minutes", "hours", "dots", "none")),
        sturdy_font(rng, split),
        rng.choice(tuple(HANDS[split])),
        {"hour": (hour, shades[hour]), "minute": (minute, shades[minute]), "second": (sweep, shades[sweep])},
    )


def light(shade: RGB) -> float:
    """How light a colour is, 0 to 255 (the luma of ITU-R BT.601)."""
    return 0.299 * shade[0] + 0.587 * shade[1] + 0.114 * shade[2]


def draw_face(sheet: Sheet, dial: Dial, x: float, y: float, radius: float) -> None:
    """The dial without hands."""
    rim = radius * 1.07
    if dial.shape == "round":
        sheet.circle(x, y, rim, dial.rim)
        sheet.circle(x, y, radius, dial.face)
    elif dial.shape == "square":
        sheet.box((x - rim, y - rim, x + rim, y + rim), dial.rim, radius=radius * 0.16)
        sheet.box((x - radius, y - radius, x + radius, y + radius), dial.face, radius=radius * 0.12)
    else:
        for reach, ink in ((rim, dial.rim), (radius, dial.face)):
            sheet.polygon([polar(x, y, 22.5 + 45 * i, reach / 0.94) for i in range(8)], ink)
    _draw_ticks(sheet, dial, x, y, radius)
    _write_numerals(sheet, dial, x, y, radius)


def _draw_ticks(sheet: Sheet, dial: Dial, x: float, y: float, radius: float) -> None:
    if dial.ticks == "none" and dial.numerals != "none":
        return
    for minute in range(60):
        major = minute % 5 == 0
        if not major and dial.ticks != "minutes":
            continue
        if dial.ticks == "dots":
            sheet.circle(*polar(x, y, minute * 6, radius * 0.93), radius * 0.022, dial.ink)
            continue
        length = radius * (0.08 if major else 0.045)
        width = max(1.0, radius * (0.024 if major else 0.009))
        ends = [polar(x, y, minute * 6, reach) for reach in (radius * 0.97, radius * 0.97 - length)]
        sheet.line(ends, dial.ink, width)


def _write_numerals(sheet: Sheet, dial: Dial, x: float, y: float, radius: float) -> None:
    if dial.numerals == "none":
        return
    roman = dial.numerals.startswith("roman")
    size = max(13, round(radius * (0.17 if roman else 0.21)))
    reach = radius * (0.72 if roman else 0.75)
    for hour in range(12):
        if dial.numerals == "quarters" and hour % 3:
            continue
        text = ROMAN[hour] if roman else str(hour or 12)
        middle_x, middle_y = polar(x, y, hour * 30, reach)
        sheet.write(middle_x, middle_y, text, dial.font, size, dial.ink)


def hand_outline(make: str, x: float, y: float, degrees: float, length: float, width: float) -> list[Point]:
    profile = (HANDS["train"] | HANDS["eval"])[make]
    sides: tuple[list[Point], list[Point]] = ([], [])
    for along, half in profile:
        middle = polar(x, y, degrees, along * length)
        for side, turn in zip(sides, (-90, 90), strict=True):
            side.append(polar(*middle, degrees + turn, half * width / 2))
    return [*sides[0], *reversed(sides[1])]


def draw_hands(
    sheet: Sheet, dial: Dial, x: float, y: float, radius: float, minutes: float, seconds: int | None
) -> dict[str, Point]:
    """The hands at a time (minutes after twelve, with a fraction); gives their tips."""
    tips: dict[str, Point] = {}
    turns = {"hour": (minutes / 2, 0.55, 0.055), "minute": (minutes * 6, 0.86, 0.036)}
    for name, (degrees, reach, thick) in turns.items():
        outline = hand_outline(dial.make, x, y, degrees, radius * reach, max(2.6, radius * thick))
        sheet.polygon(outline, dial.hands[name][1])
        tips[name] = polar(x, y, degrees, radius * reach)
        sheet.placed.append(outlined(f"{name} hand", outline))
    sheet.circle(x, y, max(3.0, radius * 0.045), dial.hands["minute"][1])
    if seconds is not None:
        ends = [polar(x, y, seconds * 6, reach * radius) for reach in (-0.2, 0.92)]
        sheet.line(ends, dial.hands["second"][1], max(1.3, radius * 0.014))
        sheet.circle(x, y, max(2.0, radius * 0.03), dial.hands["second"][1])
        tips["second"] = ends[1]
    return tips


def outlined(label: str, outline: list[Point]) -> Placed:
    """An object whose mask is a polygon in pixels of the picture."""
    xs, ys = [p[0] for p in outline], [p[1] for p in outline]
    left, top = int(min(xs)), int(min(ys))
    size = (max(1, int(max(xs)) + 1 - left), max(1, int(max(ys)) + 1 - top))
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).polygon([(px - left, py - top) for px, py in outline], fill=255)
    return Placed("object", label, (left, top, left + size[0], top + size[1]), mask)


def draw_digits(
    sheet: Sheet,
    split: Split,
    x: float,
    y: float,
    height: float,
    text: str,
    lit: RGB,
    ground: RGB,
    *,
    slant: float = 0.0,
    legible: bool = True,
) -> Box:
    """A display of digits and colons around the middle (x, y); gives its box."""
    advance = {character: height * (0.3 if character == ":" else 0.72) for character in text}
    width = sum(advance[character] for character in text)
    left, top = x - width / 2, y - height / 2
    edge, characters = left, []
    for character in text:
        mask = _digit(character, round(advance[character] * 2), round(height * 2), split, slant)
        if split == "train" and character != ":":
            unlit = tuple(round(g + (i - g) * 0.08) for g, i in zip(ground, lit, strict=True))
            sheet.paste(unlit, edge, top, _digit("8", mask.width, mask.height, split, slant))  # type: ignore[arg-type]
        sheet.paste(lit, edge, top, mask)
        box = (edge, top, edge + advance[character], top + height)
        characters.append(Placed("character", character, box))
        edge += advance[character]
    box = (left, top, edge, top + height)
    if legible:
        sheet.placed += [Placed("word", text, box), *characters]
    else:
        sheet.spoil(box)
    return box


@lru_cache(maxsize=512)
def _digit(character: str, width: int, height: int, split: Split, slant: float) -> Image.Image:
    """A mask (L) of seven segments in training, of dots in evaluation."""
    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    if character == ":":
        dot = height * 0.055
        for level in (0.32, 0.68):
            middle = width / 2 + slant * height * (0.5 - level)
            draw.ellipse((middle - dot, height * level - dot, middle + dot, height * level + dot), fill=255)
        return mask
    if split == "eval":
        step, dot = min(width / 5.6, height / 7), min(width / 5.6, height / 7) * 0.44
        for row, bits in enumerate(DOTS[int(character)]):
            for column in range(5):
                if bits >> (4 - column) & 1:
                    cx, cy = (column + 0.6) * step, (row + 0.5) * height / 7
                    draw.ellipse((cx - dot, cy - dot, cx + dot, cy + dot), fill=255)
        return mask
    thick = height * 0.1
    ends = {"left": width * 0.16, "right": width * 0.84, "top": thick * 0.6, "bottom": height - thick * 0.6}
    middle = height / 2
    corners = (
        ((ends["left"], ends["top"]), (ends["right"], ends["top"])),
        ((ends["left"], ends["top"]), (ends["left"], middle)),
        ((ends["right"], ends["top"]), (ends["right"], middle)),
        ((ends["left"], middle), (ends["right"], middle)),
        ((ends["left"], middle), (ends["left"], ends["bottom"])),
        ((ends["right"], middle), (ends["right"], ends["bottom"])),
        ((ends["left"], ends["bottom"]), (ends["right"], ends["bottom"])),
    )
    for lights, ((x0, y0), (x1, y1)) in zip(SEGMENTS[int(character)], corners, strict=True):
        if lights == "1":
            draw.polygon(_segment(x0, y0, x1, y1, thick, height, slant), fill=255)
    return mask


def _segment(
    x0: float, y0: float, x1: float, y1: float, thick: float, height: float, slant: float
) -> list[Point]:
    """A bar with pointed ends, a little shorter than the way between its corners, sheared by `slant`."""
    half, gap = thick / 2, thick * 0.12
    if y0 == y1:
        x0, x1 = x0 + gap, x1 - gap
        points = [
            *((x0, y0), (x0 + half, y0 - half), (x1 - half, y0 - half)),
            *((x1, y0), (x1 - half, y0 + half), (x0 + half, y0 + half)),
        ]
    else:
        y0, y1 = y0 + gap, y1 - gap
        points = [
            *((x0, y0), (x0 + half, y0 + half), (x0 + half, y1 - half)),
            *((x0, y1), (x0 - half, y1 - half), (x0 - half, y0 + half)),
        ]
    return [(px + slant * (height / 2 - py), py) for px, py in points]
