"""Invented land: regions with winding borders, coasts, rivers, and names for all of it.

Regions are the cells around scattered seats (a Voronoi diagram) whose plane has been bent by smooth noise. All is
worked out at half the picture's size, which the borders' own width hides.
"""

import random
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageFilter

from clearsight.data.worlds.drawing.drafting import Point
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.scene import Split, belongs_to

SEA = -1
STARTS = (
    "B",
    "Br",
    "C",
    "Cal",
    "D",
    "Dr",
    "El",
    "F",
    "Fal",
    "G",
    "Gr",
    "H",
    "Har",
    "K",
    "Kel",
    "L",
    "M",
    "Mar",
)
STARTS += (
    "N",
    "Or",
    "P",
    "Pel",
    "Qu",
    "R",
    "S",
    "Sel",
    "St",
    "T",
    "Tor",
    "Tr",
    "V",
    "Val",
    "W",
    "Wen",
    "Y",
    "Z",
)
MIDDLES = (
    "a",
    "e",
    "i",
    "o",
    "u",
    "an",
    "en",
    "in",
    "or",
    "al",
    "el",
    "ar",
    "ost",
    "und",
    "im",
    "av",
    "ev",
    "ath",
)
REAL = ("Poland", "Denmark", "Harland", "Holland")
ENDS = {
    "town": (
        "ton",
        "ford",
        "burg",
        "ham",
        "by",
        "wick",
        "port",
        "dale",
        "mere",
        "stad",
        "vik",
        "ley",
        "gate",
    ),
    "region": ("ia", "land", "mark", "ora", "shire", "ana", "essa", "wald", "heim", "onia"),
    "river": ("a", "e", "o", "en", "is", "ona", "ell", "ine", "ava"),
}


def invented_name(rng: random.Random, split: Split, kind: str, taken: set[str]) -> str:
    """A name for a town, a region or a river that was not taken; it is noted as taken."""
    while True:
        name = rng.choice(STARTS) + rng.choice(MIDDLES) + rng.choice(ENDS[kind])
        doubled = any(pair in name for pair in ("aa", "ii", "oo", "uu", "oa", "ua", "ie"))
        fits = 5 <= len(name) <= 9 and not doubled and belongs_to(split, name)
        if fits and name not in REAL and all(name[:4] != other[:4] for other in taken):
            taken.add(name)
            return name


@dataclass(frozen=True)
class Land:
    """Regions by number, SEA where there is none; `labels` is (height / 2, width / 2) of the picture's pixels."""

    labels: np.ndarray
    count: int

    @cached_property
    def edges(self) -> np.ndarray:
        """Where a region meets another or the sea."""
        found = np.zeros(self.labels.shape, dtype=bool)
        across, down = self.labels[:, 1:] != self.labels[:, :-1], self.labels[1:] != self.labels[:-1]
        found[:, 1:] |= across
        found[1:] |= down
        return found

    @cached_property
    def clear(self) -> np.ndarray:
        """Land that is at least some 15 pixels of the picture from any edge."""
        near = Image.fromarray(self.edges.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(7))
        return (np.asarray(near) == 0) & (self.labels != SEA)

    def region_at(self, x: float, y: float) -> int:
        height, width = self.labels.shape
        return int(self.labels[min(height - 1, max(0, int(y / 2))), min(width - 1, max(0, int(x / 2)))])

    def is_inland(self, x: float, y: float) -> bool:
        """Whether a place is on land and clear of all edges."""
        height, width = self.clear.shape
        row, column = int(y / 2), int(x / 2)
        return 0 <= row < height and 0 <= column < width and bool(self.clear[row, column])

    @cached_property
    def borders(self) -> dict[tuple[int, int], int]:
        """How many pixels long the border between two regions is, about; pairs that do not touch are not there."""
        found: dict[tuple[int, int], int] = {}
        grid = self.labels + 1
        for a, b in ((grid[:, 1:], grid[:, :-1]), (grid[1:], grid[:-1])):
            low, high = np.minimum(a, b), np.maximum(a, b)
            codes = np.bincount((low * 32 + high)[(low != high) & (low > 0)])
            for code in np.flatnonzero(codes):
                pair = (int(code) // 32 - 1, int(code) % 32 - 1)
                found[pair] = found.get(pair, 0) + 2 * int(codes[code])
        return found

    def paint(self, size: tuple[int, int], shades: list[RGB], sea: RGB, line: RGB) -> Image.Image:
        """A picture of the regions in their colours, with a line between them and along the coast."""
        table = np.array([*shades, sea], dtype=np.uint8)
        plain = Image.fromarray(table[self.labels]).resize(size, Image.Resampling.NEAREST)
        lines = Image.fromarray(self.edges.astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
        plain.paste(line, (0, 0), lines.point([min(255, v * 2) for v in range(256)]))
        return plain

    def mask(self, region: int) -> tuple[tuple[int, int, int, int], Image.Image]:
        """The box of a region in the picture, and its mask."""
        inside = self.labels == region
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        piece = Image.fromarray(inside[top:bottom, left:right].astype(np.uint8) * 255)
        box = (int(left) * 2, int(top) * 2, int(right) * 2, int(bottom) * 2)
        return box, piece.resize((piece.width * 2, piece.height * 2), Image.Resampling.NEAREST)


def make_land(rng: random.Random, width: int, height: int, count: int, coast: str) -> Land:
    """Land with `count` regions, none of them tiny. `coast` is "none", "island", or a side where the sea is."""
    noise = np.random.default_rng(rng.getrandbits(32))
    rows, columns = height // 2, width // 2
    y = np.arange(rows, dtype=np.float32)[:, None]
    x = np.arange(columns, dtype=np.float32)[None, :]
    while True:
        bent_x, bent_y = (plane + _smooth(noise, columns, rows, 13.0, 2.5) for plane in (x, y))
        rise = np.ones((rows, columns), dtype=np.float32)
        if coast == "island":
            rise -= ((x - columns / 2) / (columns * 0.46)) ** 2 + ((y - rows / 2) / (rows * 0.46)) ** 2
        elif coast != "none":
            ways = {"west": x / columns, "east": 1 - x / columns, "north": y / rows, "south": 1 - y / rows}
            rise = np.broadcast_to((ways[coast] - 0.2) * 2, rise.shape)
        if coast != "none":
            rise = rise + _smooth(noise, columns, rows, 0.2, 0.07)
        seats = _seats(rng, columns, rows, count, rise)
        away = np.stack([(bent_x - sx) ** 2 + (bent_y - sy) ** 2 for sx, sy in seats])
        labels = np.where(rise < 0, SEA, away.argmin(0))
        if np.bincount(labels.ravel() + 1, minlength=count + 1)[1:].min() >= 0.035 * rows * columns:
            return Land(labels, count)


def _smooth(noise: np.random.Generator, width: int, height: int, broad: float, fine: float) -> np.ndarray:
    """Smooth noise with broad and fine bumps of these sizes."""
    coarse = Image.fromarray(noise.normal(0, broad, (5, 5)).astype(np.float32))
    bumps = np.asarray(coarse.resize((16, 16), Image.Resampling.BICUBIC)) + noise.normal(0, fine, (16, 16))
    smooth = Image.fromarray(bumps.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth)


def _seats(rng: random.Random, width: int, height: int, count: int, rise: np.ndarray) -> list[Point]:
    """Places on land far from each other: each is the best of some candidates."""
    found: list[Point] = []
    while len(found) < count:
        candidates = []
        while len(candidates) < 12:
            x, y = rng.uniform(0.06, 0.94) * width, rng.uniform(0.06, 0.94) * height
            if rise[int(y), int(x)] > 0.12:
                candidates.append((x, y))
        found.append(
            max(
                candidates,
                key=lambda c: min(((c[0] - x) ** 2 + (c[1] - y) ** 2 for x, y in found), default=0),
            )
        )
    return found


def river_course(rng: random.Random, land: Land, width: int, height: int) -> list[Point]:
    """A winding way from inland to the sea or over the map's edge; empty when none was found."""
    for _ in range(8):
        x, y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.25, 0.75) * height
        if not land.is_inland(x, y):
            continue
        heading, points = rng.uniform(0, 2 * np.pi), [(x, y)]
        drift = rng.uniform(-0.05, 0.05)
        for _ in range(160):
            heading += drift + rng.uniform(-0.34, 0.34)
            x, y = x + 6 * float(np.cos(heading)), y + 6 * float(np.sin(heading))
            points.append((x, y))
            outside = not (-2 <= x <= width + 2 and -2 <= y <= height + 2)
            if outside or land.region_at(x, y) == SEA:
                if len(points) >= 26:
                    return points
                break
    return []
