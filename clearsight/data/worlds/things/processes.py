"""Things that go on in steps, drawn at one moment each: a candle, a glass, a queue, a clock and their like.

Every process has a whole number that a person can read off its drawing: marks on a scale, things to count, digits, or a
dial. Each can be drawn in two ways that training sees and one that is kept for evaluation.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from clearsight.data.worlds.drawing.drafting import Box, Sheet, fitting_size, least_size, polar
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.scene import Split

WAYS: dict[Split, tuple[str, ...]] = {"train": ("round", "slim"), "eval": ("angular",)}
DIRECTIONS = {
    0: "up",
    45: "up and right",
    90: "right",
    135: "down and right",
    180: "down",
    225: "down and left",
    270: "left",
    315: "up and left",
}


@dataclass
class Panel:
    """Where a moment is drawn and in which colours. `things` and `scale` are filled in by the drawing.

    `things` are names and boxes of what was drawn; `scale` is where 0 and 10 lie, in pixels, from the top or left.
    """

    sheet: Sheet
    box: Box
    way: str
    ink: RGB
    main: RGB
    second: RGB
    font: str
    things: list[tuple[str, Box]] = field(default_factory=list)
    scale: tuple[float, float] | None = None

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    def x(self, share: float) -> float:
        return self.box[0] + share * self.width

    def y(self, share: float) -> float:
        return self.box[1] + share * self.height


@dataclass(frozen=True)
class Process:
    """A thing with a number that goes up or down by steps.

    `measure` is that number, `quantity` what changes, `steady` what does not. `rising` and `falling` say what goes on,
    where the thing does that at all.
    """

    name: str
    thing: str
    measure: str
    quantity: str
    steady: tuple[str, ...]
    rising: str
    falling: str
    values: tuple[int, int]
    steps: tuple[int, ...]
    draw: Callable[[Panel, int], None]
    unit: str = ""
    grain: int = 1  # numbers start at a multiple of this


def _scale(panel: Panel, upright: bool) -> tuple[float, float]:
    """Draw marks from 0 to 10 along the left or the lower edge; returns where 0 and 10 are."""
    sheet, size = panel.sheet, max(11, least_size(panel.font, 6.5))
    zero, ten = (panel.y(0.92), panel.y(0.1)) if upright else (panel.x(0.1), panel.x(0.9))
    along = panel.x(0.2) if upright else panel.y(0.8)
    ends = [(along, zero), (along, ten)] if upright else [(zero, along), (ten, along)]
    sheet.line(ends, panel.ink, 1.5)
    for mark in range(11):
        at, reach = zero + (ten - zero) * mark / 10, 7 if mark % 5 == 0 else 4
        tick = [(along - reach, at), (along, at)] if upright else [(at, along), (at, along + reach)]
        sheet.line(tick, panel.ink, 1.5 if mark % 5 == 0 else 1)
        if mark % 5 == 0:
            x, y = (along - 10, at) if upright else (at, along + 15)
            sheet.write(x, y, str(mark), panel.font, size, panel.ink, "right" if upright else "middle")
    panel.scale = zero, ten
    return zero, ten


def _height(panel: Panel, value: int) -> tuple[float, float]:
    """The heights, in pixels, of the ground and of this value on an upright scale."""
    zero, ten = _scale(panel, upright=True)
    return zero, zero + (ten - zero) * value / 10


def draw_candle(panel: Panel, value: int) -> None:
    base, top = _height(panel, value)
    half = panel.width * {"round": 0.11, "slim": 0.06, "angular": 0.16}[panel.way]
    middle, sheet = panel.x(0.6), panel.sheet
    sheet.box((panel.x(0.32), base, panel.x(0.88), base + 5), panel.ink, radius=2)
    box = (middle - half, top, middle + half, base)
    sheet.box(box, panel.main, panel.ink, 1.2)
    sheet.line([(middle, top), (middle, top - 5)], panel.ink, 1.5)
    flame = panel.second
    if panel.way == "angular":
        sheet.polygon(
            [(middle - 4, top - 7), (middle, top - 18), (middle + 4, top - 7), (middle, top - 4)], flame
        )
    else:
        sheet.circle(middle, top - 8, 4, flame)
        sheet.polygon([(middle - 3.4, top - 10), (middle, top - 18), (middle + 3.4, top - 10)], flame)
    panel.things.append(("candle", box))


def draw_glass(panel: Panel, value: int) -> None:
    base, level = _height(panel, value)
    sheet, middle, rim = panel.sheet, panel.x(0.62), panel.scale[1] if panel.scale else 0.0
    low, high = {"round": (0.24, 0.24), "slim": (0.16, 0.24), "angular": (0.2, 0.3)}[panel.way]
    low, high = low * panel.width, high * panel.width
    half = low + (high - low) * value / 10
    if value:
        water = [(middle - half, level), (middle + half, level), (middle + low, base), (middle - low, base)]
        sheet.polygon(water, panel.main)
    walls = [(middle - high, rim - 6), (middle - low, base), (middle + low, base), (middle + high, rim - 6)]
    sheet.line(walls, panel.ink, 2.5)
    if panel.way == "angular":
        ends = [rim + (base - rim) * share for share in (0.15, 0.6)]
        wall = [middle + low + (high - low) * (base - y) / (base - rim) for y in ends]
        handle = [(wall[0], ends[0]), (wall[0] + 14, ends[0]), (wall[0] + 14, ends[1]), (wall[1], ends[1])]
        sheet.line(handle, panel.ink, 2)
    panel.things.append(("glass", (middle - high, rim - 6, middle + high, base)))
    if value:
        panel.things.append(("water", (middle - half, level, middle + half, base)))


def draw_plant(panel: Panel, value: int) -> None:
    base, top = _height(panel, value)
    sheet, middle = panel.sheet, panel.x(0.62)
    sheet.box((panel.x(0.34), base, panel.x(0.9), base + 7), panel.ink, radius=2)
    sheet.line([(middle, base), (middle, top)], panel.main, 3)
    leaf = panel.width * 0.13
    pairs = (value + 1) // 2
    for pair in range(1, pairs + 1):
        y = base + (top - base) * (pair - 0.3) / pairs
        for side in (-1, 1):
            tip = (middle + side * leaf, y - leaf * 0.5)
            if panel.way == "round":
                sheet.circle(middle + side * leaf * 0.55, y - 2, leaf * 0.34, panel.main)
            elif panel.way == "slim":
                sheet.line([(middle, y), tip], panel.main, 3, round_ends=True)
            else:
                sheet.polygon(
                    [(middle, y + 2), (middle + side * leaf * 0.7, y + 1), tip, (middle, y - 4)], panel.main
                )
    panel.things.append(("plant", (middle - leaf, min(top, base - 6), middle + leaf, base)))


def draw_ball(panel: Panel, value: int) -> None:
    zero, ten = _scale(panel, upright=False)
    sheet, radius, ground = panel.sheet, min(panel.width * 0.09, panel.height * 0.16), panel.y(0.8)
    x = zero + (ten - zero) * value / 10
    y = ground - radius - 1
    sheet.circle(x, y, radius, panel.main, panel.ink, 1.2)
    if panel.way == "angular":
        sheet.line([(x - radius, y), (x + radius, y)], panel.ink, 1.5)
    elif panel.way == "round":
        sheet.circle(x - radius * 0.3, y - radius * 0.3, radius * 0.28, panel.second)
    sheet.polygon([(x - 3.5, ground + 1), (x + 3.5, ground + 1), (x, ground - 5)], panel.ink)
    panel.things.append(("ball", (x - radius, y - radius, x + radius, y + radius)))


def draw_queue(panel: Panel, value: int) -> None:
    sheet, step = panel.sheet, panel.width * 0.84 / 7
    ground, tall = panel.y(0.86), min(panel.height * 0.5, step * 3.2)
    sheet.line([(panel.x(0.04), ground), (panel.x(0.96), ground)], panel.ink, 2)
    for place in range(value):
        x = panel.x(0.1) + step * (place + 0.35)
        head, half = step * 0.3, step * 0.36
        if panel.way == "angular":
            sheet.polygon(
                [(x, ground - tall * 0.75), (x + half, ground - 1), (x - half, ground - 1)], panel.main
            )
        else:
            radius = half if panel.way == "round" else 1
            sheet.box((x - half, ground - tall * 0.68, x + half, ground - 1), panel.main, radius=radius)
        sheet.circle(x, ground - tall + head, head, panel.main if panel.way == "slim" else panel.second)
        panel.things.append(("person", (x - half, ground - tall, x + half, ground - 1)))
    if value:
        first, last = panel.things[0][1], panel.things[-1][1]
        panel.things.insert(0, ("queue", (first[0], first[1], last[2], last[3])))


def draw_stack(panel: Panel, value: int) -> None:
    sheet, high, ground = panel.sheet, panel.height * 0.84 / 8, panel.y(0.94)
    half = panel.width * {"round": 0.16, "slim": 0.1, "angular": 0.24}[panel.way]
    sheet.line([(panel.x(0.1), ground), (panel.x(0.9), ground)], panel.ink, 2)
    for place in range(value):
        x, bottom = panel.x(0.5), ground - place * high - 1
        box = (x - half, bottom - high + 2, x + half, bottom)
        fill = panel.second if panel.way == "angular" and place % 2 else panel.main
        sheet.box(box, fill, panel.ink, 1.2, radius=high * 0.4 if panel.way == "round" else 0)
        panel.things.append(("block", box))
    if value:
        top = panel.things[-1][1][1]
        panel.things.insert(0, ("stack", (panel.x(0.5) - half, top, panel.x(0.5) + half, ground)))


def draw_disc(panel: Panel, value: int) -> None:
    sheet, x, y = panel.sheet, panel.x(0.5), panel.y(0.5)
    radius = min(panel.width, panel.height) * 0.42
    sheet.circle(x, y, radius, None, panel.ink, 2)
    for part in range(8):
        if part < value:
            gap = 6 if panel.way == "slim" else 0
            edge = [polar(x, y, part * 45 + gap + (45 - 2 * gap) * step / 8, radius - 3) for step in range(9)]
            sheet.polygon([(x, y), *edge], panel.main)
            panel.things.append(("slice", _around([(x, y), *edge])))
    for part in range(8):
        sheet.line([(x, y), polar(x, y, part * 45, radius)], panel.ink, 2 if panel.way == "angular" else 1.2)
    panel.things.insert(0, ("disc", (x - radius, y - radius, x + radius, y + radius)))


def draw_clock(panel: Panel, value: int) -> None:
    sheet, x, y = panel.sheet, panel.x(0.5), panel.y(0.5)
    radius = min(panel.width, panel.height) * 0.45
    box = (x - radius, y - radius, x + radius, y + radius)
    if panel.way == "angular":
        sheet.box(box, None, panel.ink, 3, radius=4)
    else:
        sheet.circle(x, y, radius, None, panel.ink, 4 if panel.way == "round" else 2)
    size = max(least_size(panel.font, 6.5), int(radius * 0.24))
    for hour in range(1, 13):
        if panel.way == "slim" or hour % 3:
            inner, outer = polar(x, y, hour * 30, radius * 0.8), polar(x, y, hour * 30, radius * 0.9)
            sheet.line([inner, outer], panel.ink, 2)
        if panel.way != "slim" and hour % 3 == 0:
            sheet.write(*polar(x, y, hour * 30, radius * 0.76), str(hour), panel.font, size, panel.ink)
    sheet.line([(x, y), polar(x, y, value / 2, radius * 0.46)], panel.main, 5, round_ends=True)
    sheet.line([(x, y), polar(x, y, value * 6, radius * 0.68)], panel.main, 2.5, round_ends=True)
    sheet.circle(x, y, 3.5, panel.ink)
    panel.things.append(("clock", box))


def draw_arrow(panel: Panel, value: int) -> None:
    sheet, x, y = panel.sheet, panel.x(0.5), panel.y(0.5)
    reach = min(panel.width, panel.height) * 0.4
    if panel.way != "slim":
        sheet.circle(x, y, reach * 1.12, None, panel.ink, 1.5)
    tip, tail = polar(x, y, value, reach), polar(x, y, value + 180, reach)
    sides = [polar(x, y, value + side, reach * 0.52) for side in (-42, 42)]
    if panel.way == "angular":
        foot = [polar(x, y, value + side, reach * 0.95) for side in (150, 210)]
        sheet.polygon(
            [tip, foot[0], polar(x, y, value + 180, reach * 0.4), foot[1]], panel.main, panel.ink, 1
        )
    else:
        sheet.line(
            [tail, polar(x, y, value, reach * 0.4)],
            panel.main,
            reach * (0.2 if panel.way == "round" else 0.08),
        )
        sheet.polygon([tip, *sides], panel.main)
    panel.things.append(("arrow", (x - reach, y - reach, x + reach, y + reach)))


def draw_counter(panel: Panel, value: int) -> None:
    sheet, middle, half = panel.sheet, panel.y(0.5), panel.height * 0.24
    box = (panel.x(0.12), middle - half, panel.x(0.88), middle + half)
    if panel.way == "angular":
        sheet.box((box[0] - 5, box[1] - 5, box[2] + 5, box[3] + 5), None, panel.ink, 2)
    sheet.box(box, panel.main, panel.ink, 2, radius=10 if panel.way == "round" else 0)
    size = fitting_size(str(value), panel.font, int(half * 1.5), panel.width * 0.6)
    sheet.write(panel.x(0.5), middle, str(value), panel.font, size, readable_on(panel.main))
    panel.things.append(("counter", box))


def _around(points: list[tuple[float, float]]) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


PROCESSES = (
    Process(
        "candle",
        "candle",
        "the height of the candle on the scale",
        "the height of the candle",
        ("the colour of the candle", "the width of the candle", "the number of candles"),
        "",
        "the candle burns down",
        (1, 9),
        (1, 2, 3),
        draw_candle,
    ),
    Process(
        "glass",
        "glass",
        "the level in the glass on the scale",
        "the level in the glass",
        ("the shape of the glass", "the number of glasses", "the colour of what is in the glass"),
        "the glass is being filled",
        "the glass is being emptied",
        (1, 10),
        (1, 2, 3),
        draw_glass,
    ),
    Process(
        "plant",
        "plant",
        "the height of the plant on the scale",
        "the height of the plant",
        ("the colour of the plant", "the number of plants", "the soil under the plant"),
        "the plant grows",
        "",
        (1, 10),
        (1, 2, 3),
        draw_plant,
    ),
    Process(
        "ball",
        "ball",
        "the mark at which the ball is",
        "the place of the ball",
        ("the size of the ball", "the colour of the ball", "the number of balls"),
        "the ball rolls to the right",
        "the ball rolls to the left",
        (0, 10),
        (1, 2, 3),
        draw_ball,
    ),
    Process(
        "queue",
        "queue",
        "the number of people in the queue",
        "the length of the queue",
        ("the colour of the people", "the height of the people", "the ground under the people"),
        "the queue gets longer",
        "the queue gets shorter",
        (1, 7),
        (1, 2),
        draw_queue,
    ),
    Process(
        "stack",
        "stack",
        "the number of blocks in the stack",
        "the height of the stack",
        ("the width of the blocks", "the number of stacks", "the ground under the stack"),
        "blocks are piled up",
        "the stack is taken down",
        (1, 8),
        (1, 2),
        draw_stack,
    ),
    Process(
        "disc",
        "disc",
        "the number of filled slices",
        "the filled part of the disc",
        ("the size of the disc", "the number of discs", "the colour of the slices"),
        "the disc fills up",
        "the disc is used up",
        (1, 8),
        (1, 2),
        draw_disc,
    ),
    Process(
        "clock",
        "clock",
        "the time on the clock",
        "the time on the clock",
        ("the size of the clock", "the shape of the clock", "the number of clocks"),
        "time goes on within one morning",
        "",
        (60, 700),
        (5, 10, 15, 20, 30, 60),
        draw_clock,
        "minutes",
        5,
    ),
    Process(
        "arrow",
        "arrow",
        "the direction of the arrow",
        "the direction of the arrow",
        ("the size of the arrow", "the colour of the arrow", "the number of arrows"),
        "the arrow turns clockwise",
        "the arrow turns counter-clockwise",
        (0, 315),
        (45, 90),
        draw_arrow,
        "degrees",
        45,
    ),
    Process(
        "counter",
        "counter",
        "the number on the counter",
        "the number on the counter",
        ("the size of the counter", "the colour of the counter", "the number of counters"),
        "the counter counts up",
        "the counter counts down",
        (3, 960),
        (1, 2, 3, 4, 5, 7, 10, 11, 25),
        draw_counter,
    ),
)


def moments(rng: random.Random, process: Process, count: int) -> tuple[list[int], int]:
    """The numbers of `count` moments in the order in which they happen, and the equal step between them.

    An arrow's degrees start again after a full turn.
    """
    low, high = process.values
    while True:
        sign = rng.choice([sign for sign, going in ((1, process.rising), (-1, process.falling)) if going])
        step = sign * rng.choice(process.steps)
        start = rng.randint(low, high) // process.grain * process.grain
        found = [start + step * index for index in range(count)]
        if process.name == "arrow":
            return [value % 360 for value in found], step
        if all(low <= value <= high for value in found):
            return found, step
