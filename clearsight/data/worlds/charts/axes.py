"""Axes: scales with round steps, and drawing them with ticks, labels, titles, grid lines and a frame."""

import itertools
import random
from dataclasses import dataclass

from clearsight.data.worlds.charts.page import ACROSS_LABELS, ACROSS_TITLE, UP_LABELS, UP_TITLE, Box, Page

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` in `count` steps."""

    low: float
    step: float
    count: int

    @property
    def span(self) -> float:
        return self.step * self.count

    @property
    def high(self) -> float:
        return round(self.low + self.span, 6)

    @property
    def ticks(self) -> list[float]:
        return [round(self.low + self.step * index, 6) for index in range(self.count + 1)]

    def at(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high."""
        return (value - self.low) / self.span

    def rounded(self, value: float) -> float:
        """As finely as a careful person could say it: to a twentieth of a step."""
        fine = self.step / 20
        whole = 1.0 if self.step >= 10 else fine
        return round(round(value / max(fine, whole)) * max(fine, whole), 4)

    def written(self, value: float, commas: bool = True) -> str:
        """A value as it stands at a tick."""
        decimals = 1 if self.step < 1 else 0
        return f"{value:,.{decimals}f}" if commas else f"{value:.{decimals}f}"


def any_scale(rng: random.Random, most: float = 6000, least: float = 0.5, signed: bool = False) -> Scale:
    """From nought (or below it, if signed) up to somewhere between `least` and `most`."""
    count = rng.randint(4, 6)
    step = rng.choice([step for step in STEPS if least <= step * count <= most])
    below = rng.randint(1, 2) if signed else 0
    return Scale(-below * step, step, count)


@dataclass(frozen=True)
class Axis:
    """`labels` are texts at places from 0 to 1; `grid` draws lines across the plot; `unread` is a smudged label."""

    title: str
    labels: tuple[tuple[float, str], ...]
    grid: bool = False
    unread: str | None = None
    title_legible: bool = True

    @classmethod
    def of(cls, scale: Scale, title: str, commas: bool = True, title_legible: bool = True) -> "Axis":
        labels = tuple((scale.at(tick), scale.written(tick, commas)) for tick in scale.ticks)
        return cls(title, labels, grid=True, title_legible=title_legible)

    @classmethod
    def of_names(
        cls, names: list[str], title: str, unread: str | None = None, title_legible: bool = True
    ) -> "Axis":
        """Names in the middle of equal shares of the axis."""
        labels = tuple(((index + 0.5) / len(names), name) for index, name in enumerate(names))
        return cls(title, labels, unread=unread, title_legible=title_legible)


def draw_axes(page: Page, across: Axis, up: Axis) -> Box:
    """Draw both axes on what is left of the page; the box returned is for the marks."""
    left, top, right, bottom = page.rest
    look, line, on_left = page.look, page.line_height, page.look.axis == "left"
    gap = 9 if look.ticks == "out" else 5
    titles = []  # written once the plot's middle is known
    if up.title and look.up_title == "above":
        side, x = ("left", left) if on_left else ("right", right)
        page.write(up.title, x, top + line / 2, UP_TITLE, across=side, legible=up.title_legible)
        top += line + 6
    elif up.title:
        titles.append((up, left + line / 2 if on_left else right - line / 2))
        left, right = (left + line + 3, right) if on_left else (left, right - line - 3)
    wide = max(page.width_of(text) for _, text in up.labels) + gap
    left, right = (left + wide, right) if on_left else (left, right - wide)
    top += line / 2
    across_title = bottom - line / 2 + 1
    if across.title:
        bottom -= line + 2
    sideways = _crowded(page, across, right - left)
    if sideways:
        bottom -= max(page.width_of(text) for _, text in across.labels) + gap
    else:
        bottom -= line + gap - 2
        overhang = [(right - left) * (1 - at) - page.width_of(text) / 2 for at, text in across.labels]
        right += min(0.0, min(overhang) if on_left else 0.0)
        before = [(right - left) * at - page.width_of(text) / 2 + wide for at, text in across.labels]
        left -= min(0.0, min(before) if on_left else min(before) - wide)
    left, top, right, bottom = plot = round(left), round(top), round(right), round(bottom)
    _ground(page, plot, across, up)
    for at, text in sorted(up.labels, key=lambda label: -label[0]):
        y = bottom - at * (bottom - top)
        x, side = (left - gap, "right") if on_left else (right + gap, "left")
        page.write(text, x, y, UP_LABELS, across=side, legible=text != up.unread)
    for at, text in across.labels:
        x = left + at * (right - left)
        y = bottom + gap + (page.width_of(text) / 2 if sideways else line / 2 - 2)
        page.write(text, x, y, ACROSS_LABELS, sideways=sideways, legible=text != across.unread)
    for axis, x in titles:
        page.write(axis.title, x, (top + bottom) / 2, UP_TITLE, sideways=True, legible=axis.title_legible)
    if across.title:
        page.write(across.title, (left + right) / 2, across_title, ACROSS_TITLE, legible=across.title_legible)
    return plot


def _crowded(page: Page, axis: Axis, length: float) -> bool:
    """Whether neighbouring labels would touch if they were written level."""
    ends = [(at * length, page.width_of(text) / 2) for at, text in axis.labels if text]
    return any(b - a < half + other + 6 for (a, half), (b, other) in itertools.pairwise(ends))


def _ground(page: Page, plot: Box, across: Axis, up: Axis) -> None:
    """Panel, bands, grid lines, ticks and frame."""
    left, top, right, bottom = (2 * v for v in plot)
    draw, look = page.draw, page.look
    xs = [left + at * (right - left) for at, _ in across.labels]
    ys = [bottom - at * (bottom - top) for at, _ in up.labels]
    if look.grid == "panel":
        draw.rectangle((left, top, right, bottom), fill=page.panel)
    level = [((left, y), (right, y)) for y in ys] if up.grid else []
    upright = [((x, top), (x, bottom)) for x in xs] if across.grid else []
    if look.grid == "bands" and (level or upright):
        edges = ys if level else xs
        for a, b in list(itertools.pairwise(edges))[::2]:
            draw.rectangle((left, b, right, a) if level else (a, top, b, bottom), fill=page.panel)
    for start, end in level + upright:
        if look.grid in ("lines", "panel"):
            ink, width = (page.ground, 3) if look.grid == "panel" else (page.faint, 2)
            draw.line((*start, *end), fill=ink, width=width)
        elif look.grid == "dashes":
            page.dashes((start[0] / 2, start[1] / 2), (end[0] / 2, end[1] / 2), page.faint, 2, 4)
    if look.ticks != "none":
        reach = 10 if look.ticks == "out" else -10
        side, out = (left, -reach) if look.axis == "left" else (right, reach)
        for y in ys:
            draw.line((side, y, side + out, y), fill=page.ink, width=2)
        for x in xs:
            draw.line((x, bottom, x, bottom + reach), fill=page.ink, width=2)
    if look.frame == "box":
        draw.rectangle((left, top, right, bottom), outline=page.ink, width=2)
    if look.frame in ("open", "base"):
        draw.line((left, bottom, right, bottom), fill=page.ink, width=3)
    if look.frame == "open":
        side = left if look.axis == "left" else right
        draw.line((side, top, side, bottom), fill=page.ink, width=3)
