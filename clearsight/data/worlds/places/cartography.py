"""Drawing a map: rivers, towns, roads, signs and all their names, so that nothing written covers anything else.

A Chart keeps two rasters of what is taken: by writing, which roads must go round, and by anything at all, which
writing must keep clear of. What finds no room is left out, so the truth holds only what was drawn.
"""

import itertools
import math
import random
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.drafting import (
    Box,
    Point,
    Sheet,
    breadth,
    distinct_colours,
    least_size,
    polar,
    sturdy_font,
    text_box,
)
from clearsight.data.worlds.drawing.fonts import font_files
from clearsight.data.worlds.drawing.palette import RGB, readable_on
from clearsight.data.worlds.places.terrain import SEA, Land, invented_name, river_course
from clearsight.data.worlds.scene import Placed, Split

ON_LIGHT, ON_DARK = (
    ("red", "blue", "purple", "green", "orange", "brown"),
    ("red", "green", "orange", "yellow", "pink"),
)
SIGNS = {
    "castle": "square",
    "mine": "diamond",
    "airport": "triangle",
    "harbour": "pentagon",
    "lighthouse": "star",
    "hospital": "cross",
    "camp site": "tent",
    "museum": "columns",
}


class Chart:
    """A map while it is drawn: what is on it so far, and the boxes that further writing must leave free."""

    def __init__(
        self,
        rng: random.Random,
        split: Split,
        sheet: Sheet,
        land: Land,
        frame: tuple[int, int, int, int],
        fills: list[RGB],
        tints: dict[str, RGB],
    ):
        self.rng, self.split, self.sheet, self.land, self.frame = rng, split, sheet, land, frame
        self.fills, self.tints = fills, tints
        self.font = sturdy_font(rng, split)
        self.size = max(15, least_size(self.font, 7.0))
        # Marks and legend repeat from map to map: in few fonts, most of them need not be drawn anew.
        self.plain_font = rng.choice(plain_fonts(split))
        width, height = sheet.size
        self.written = np.zeros((height, width), dtype=bool)
        self.taken = np.zeros((height, width), dtype=bool)
        self.names: set[str] = set()
        self.towns: list[dict[str, Any]] = []
        self.roads: list[dict[str, Any]] = []
        self.signs: list[dict[str, Any]] = []
        self.regions: list[tuple[str, bool]] = []
        self.river: dict[str, Any] | None = None
        self.grid: dict[str, Any] | None = None
        self.legend: list[dict[str, Any]] = []
        self.scale: dict[str, Any] = {}
        # At most one name a map is illegible, of a town, a region or a road.
        self.spoilt = rng.choice(("town", "region", "road")) if rng.random() < 0.45 else None

    def facts(self) -> dict[str, Any]:
        return {
            "frame": list(self.frame),
            "towns": self.towns,
            "roads": self.roads,
            "river": self.river,
            "signs": self.signs,
            "legend": self.legend,
            "grid": self.grid,
            "scale": self.scale,
        }

    def ground_at(self, x: float, y: float) -> RGB:
        region = self.land.region_at(x - self.frame[0], y - self.frame[1])
        return self.tints["sea"] if region == SEA else self.fills[region]

    def is_free(self, box: Box, gap: float = 3) -> bool:
        """Whether a box lies on the map and nothing has been drawn there or close by."""
        left, top, right, bottom = self.frame
        if not (left + 3 <= box[0] and top + 3 <= box[1] and box[2] <= right - 3 and box[3] <= bottom - 3):
            return False
        x0, y0, x1, y1 = int(box[0] - gap), int(box[1] - gap), int(box[2] + gap) + 1, int(box[3] + gap) + 1
        return not self.taken[y0:y1, x0:x1].any()

    def take(self, box: Box, *, writing: bool = False) -> None:
        x0, y0, x1, y1 = int(max(0, box[0])), int(max(0, box[1])), int(box[2]) + 1, int(box[3]) + 1
        self.taken[y0:y1, x0:x1] = True
        if writing:
            self.written[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4] = True

    def is_even(self, box: Box) -> bool:
        """Whether the ground below a box is one region or sea, so that one ink can be read on all of it."""
        left, top = self.frame[:2]
        x0, y0, x1, y1 = ((v - o) / 2 for v, o in zip(box, (left, top, left, top), strict=True))
        return not self.land.edges[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1].any()

    def draw_grid(self) -> None:
        """Squares with letters across and numbers down, on most maps; their marks stand at the map's edge."""
        left, top, right, bottom = self.frame
        if self.rng.random() < 0.25:
            return
        columns, rows = self.rng.choice((4, 5, 6)), self.rng.choice((4, 5, 6))
        wide, tall = (right - left) / columns, (bottom - top) / rows
        line = tuple((a + b) // 2 for a, b in zip(self.tints["line"], self.fills[0], strict=True))
        for i in range(1, columns):
            self.sheet.line([(left + i * wide, top), (left + i * wide, bottom)], line, 0.5)  # type: ignore[arg-type]
        for i in range(1, rows):
            self.sheet.line([(left, top + i * tall), (right, top + i * tall)], line, 0.5)  # type: ignore[arg-type]
        marks = [(chr(65 + i), left + (i + 0.5) * wide, top + 11) for i in range(columns)]
        marks += [(str(i + 1), left + 10, top + (i + 0.5) * tall) for i in range(rows)]
        for text, x, y in marks:
            box = (x - 9, y - 9, x + 9, y + 9)
            self.sheet.box(box, self.tints["paper"], self.tints["line"], 1, radius=3)
            self.sheet.write(x, y, text, self.plain_font, 14, readable_on(self.tints["paper"]))
            self.take(box, writing=True)
        self.grid = {"left": left, "top": top, "wide": wide, "tall": tall, "columns": columns, "rows": rows}

    def square_of(self, x: float, y: float) -> str | None:
        """The grid square of a place; None near a line, or without a grid."""
        if self.grid is None:
            return None
        across, down = (x - self.grid["left"]) / self.grid["wide"], (y - self.grid["top"]) / self.grid["tall"]
        near = min(
            abs(across - round(across)) * self.grid["wide"], abs(down - round(down)) * self.grid["tall"]
        )
        return f"{chr(65 + int(across))}{int(down) + 1}" if near >= 6 else None

    def draw_river(self) -> None:
        left, top, right, bottom = self.frame
        course = (
            river_course(self.rng, self.land, right - left, bottom - top) if self.rng.random() < 0.75 else []
        )
        if not course:
            return
        points = [(x + left, y + top) for x, y in course]
        clipped = [(min(right, max(left, x)), min(bottom, max(top, y))) for x, y in points]
        ink = (96, 168, 216) if self.fills[0][0] < 100 else (36, 100, 190)
        for part in range(4):  # it widens on its way
            first, last = len(clipped) * part // 4, len(clipped) * (part + 1) // 4
            self.sheet.line(clipped[first : last + 1], ink, 1.6 + 0.7 * part, round_ends=True)
        for x, y in clipped:
            self.take((x - 4, y - 4, x + 4, y + 4))
        crossed = [0.0] * self.land.count
        for (x0, y0), (x1, y1) in itertools.pairwise(course):
            region = self.land.region_at(x1, y1)
            if region != SEA:
                crossed[region] += math.hypot(x1 - x0, y1 - y0)
        self.river = {
            "points": [list(p) for p in clipped],
            "crossed": [round(c, 1) for c in crossed],
            "name": None,
        }
        xs, ys = [p[0] for p in clipped], [p[1] for p in clipped]
        box = (int(min(xs)) - 2, int(min(ys)) - 2, int(max(xs)) + 3, int(max(ys)) + 3)
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]), 0)
        ImageDraw.Draw(mask).line([(x - box[0], y - box[1]) for x, y in clipped], fill=255, width=5)
        self.sheet.placed.append(Placed("object", "river", box, mask))

    def place_towns(self, wanted: int) -> None:
        """Find places for towns and their names; they are drawn after the roads."""
        left, top, right, bottom = self.frame
        for _ in range(wanted * 12):
            if len(self.towns) == wanted:
                break
            x, y = self.rng.uniform(left + 30, right - 30), self.rng.uniform(top + 30, bottom - 30)
            mark = (x - 6, y - 6, x + 6, y + 6)
            near = any(math.hypot(x - t["at"][0], y - t["at"][1]) < 54 for t in self.towns)
            on_line = self.grid is not None and self.square_of(x, y) is None
            if near or on_line or not self.land.is_inland(x - left, y - top) or not self.is_free(mark, 7):
                continue
            name = invented_name(self.rng, self.split, "town", self.names)
            spots = [(x + 10, y, "left"), (x - 10, y, "right"), (x, y - 17, "middle"), (x, y + 17, "middle")]
            self.rng.shuffle(spots)
            for spot_x, spot_y, anchor in spots:
                label = text_box(spot_x, spot_y, name, self.font, self.size, anchor)
                if self.is_free(label, 2) and self.is_even(label):
                    self.take(mark)
                    self.take(label, writing=True)
                    town = {"name": name, "legible": True, "at": [x, y], "square": self.square_of(x, y)}
                    self.towns.append(town | {"label": [spot_x, spot_y, anchor], "capital": not self.towns})
                    break
        if self.spoilt == "town" and len(self.towns) > 3:
            self.rng.choice(self.towns[1:])["legible"] = False
        for town in self.towns:
            x, y = town["at"]
            town["region"] = self.land.region_at(x - left, y - top)

    def name_regions(self) -> None:
        """Write every region's name where it fits; in wide capitals, to be told from the towns'."""
        left, top = self.frame[:2]
        spoilt = self.rng.randrange(self.land.count) if self.spoilt == "region" else None
        rows, columns = np.nonzero(self.land.clear)
        some = self.rng.sample(range(len(rows)), min(160, len(rows)))
        rows, columns = rows[some], columns[some]
        within = self.land.labels[rows, columns]
        for number in range(self.land.count):
            name = invented_name(self.rng, self.split, "region", self.names)
            tried = np.flatnonzero(within == number)
            if len(tried):  # the middle first
                off = [np.abs(v[tried] - v[tried].mean()) for v in (rows, columns)]
                tried = tried[np.argsort(off[0] + off[1])]
            text, legible = name.upper(), number != spoilt
            half, size = breadth(text, self.font, self.size) / 2, self.size
            for i in tried:
                x, y = float(columns[i]) * 2 + left, float(rows[i]) * 2 + top
                box = (x - half, y - size * 0.45, x + half, y + size * 0.6)
                if self.is_free(box, 3) and self.is_even(box):
                    self.sheet.write(
                        x, y, text, self.font, size, readable_on(self.fills[number]), legible=legible
                    )
                    self.take(box, writing=True)
                    break
            else:
                name, legible = "", True
            self.regions.append((name, legible))

    def draw_roads(self) -> None:
        """Join towns that are near each other; no road passes through a name, another town, or much water."""
        pairs = sorted(
            itertools.combinations(range(len(self.towns)), 2), key=lambda pair: math.dist(*self._ends(*pair))
        )
        group = list(range(len(self.towns)))
        numbers = self.rng.sample(range(1, 90), 20)
        prefix = self.rng.choice(("A", "B", "R", "E", ""))
        tracks: list[tuple[int, int, list[Point]]] = []
        casing, ink = self.tints["line"], self.rng.choice(((236, 190, 60), (226, 90, 70), (250, 250, 250)))
        for a, b in pairs[:11]:
            joins = group[a] != group[b]
            if (not joins and self.rng.random() < 0.55) or math.dist(*self._ends(a, b)) > 210:
                continue
            text = f"{prefix}{numbers[len(self.roads)]}"
            half = breadth(text, self.font, 14) / 2 + 4
            for _ in range(3):
                points = self._way(a, b)
                boxes = [(x - half, y - 9, x + half, y + 9) for x, y in (points[12], points[9], points[15])]
                box = next((box for box in boxes if self.is_free(box, 2)), None)
                if box and self._is_clear(points, a, b, tracks):
                    break
            else:
                continue
            assert box is not None
            group = [group[b] if g == group[a] else g for g in group]
            self.sheet.line(points, casing, 5.2)
            self.sheet.line(points, ink, 3)
            for x, y in points:
                self.take((x - 5, y - 5, x + 5, y + 5))
            self.take(box, writing=True)
            tracks.append((a, b, points))
            self.roads.append({"number": text, "ends": [a, b], "legible": True, "sign": list(box)})
        if self.spoilt == "road" and self.roads:
            self.rng.choice(self.roads)["legible"] = False
        for road in self.roads:
            left, top, right, bottom = road["sign"]
            self.sheet.box((left, top, right, bottom), (252, 252, 250), (30, 30, 30), 1, radius=4)
            at = ((left + right) / 2, (top + bottom) / 2)
            self.sheet.write(*at, road["number"], self.font, 14, (20, 20, 20), legible=road["legible"])

    def _ends(self, a: int, b: int) -> tuple[Point, Point]:
        return tuple(self.towns[a]["at"]), tuple(self.towns[b]["at"])  # type: ignore[return-value]

    def _way(self, a: int, b: int) -> list[Point]:
        """A slightly bent line between two towns (a quadratic Bezier curve)."""
        (x0, y0), (x1, y1) = self._ends(a, b)
        bend = self.rng.uniform(-0.14, 0.14)
        cx, cy = (x0 + x1) / 2 + bend * (y1 - y0), (y0 + y1) / 2 - bend * (x1 - x0)
        steps = [i / 24 for i in range(25)]
        return [
            (
                (1 - t) ** 2 * x0 + 2 * t * (1 - t) * cx + t * t * x1,
                (1 - t) ** 2 * y0 + 2 * t * (1 - t) * cy + t * t * y1,
            )
            for t in steps
        ]

    def _is_clear(
        self, points: list[Point], a: int, b: int, tracks: list[tuple[int, int, list[Point]]]
    ) -> bool:
        """Whether a road from town a to b keeps to the land, off all writing, and away from other towns and roads."""
        left, top = self.frame[:2]
        places = np.array(points)
        columns, rows = places.astype(int).T
        if (self.land.labels[(rows - top) // 2, (columns - left) // 2] == SEA).sum() > 1:
            return False
        if self.written[rows, columns].any():
            return False
        others = [town["at"] for i, town in enumerate(self.towns) if i not in (a, b)]
        if others and _least_distance(places, np.array(others)) < 19:
            return False
        for c, d, track in tracks:
            own = places
            for end in {a, b} & {c, d}:
                own = own[np.hypot(*(own - self.towns[end]["at"]).T) > 30]
            if len(own) and _least_distance(own, np.array(track)) < 11:
                return False
        return True

    def draw_towns(self) -> None:
        mark = self.rng.choice(("dot", "ring", "square")) if self.split == "train" else "target"
        for town in self.towns:
            (x, y), (label_x, label_y, anchor) = town["at"], town["label"]
            ink = readable_on(self.ground_at(x, y))
            self.sheet.circle(x, y, 7.5, self.ground_at(x, y))
            if town["capital"]:
                star = [polar(x, y, 36 * i, 8 if i % 2 == 0 else 3.4) for i in range(10)]
                self.sheet.polygon(star, ink)
            elif mark == "square":
                self.sheet.box((x - 4.5, y - 4.5, x + 4.5, y + 4.5), ink)
            else:
                self.sheet.circle(x, y, 5, ink)
                if mark != "dot":
                    self.sheet.circle(x, y, 3.2, self.ground_at(x, y))
                if mark == "target":
                    self.sheet.circle(x, y, 1.8, ink)
            self.sheet.placed.append(Placed("object", "town", (x - 7, y - 7, x + 7, y + 7)))
            text_ink = readable_on(self.ground_at(label_x, label_y))
            self.sheet.write(
                label_x,
                label_y,
                town["name"],
                self.font,
                self.size,
                text_ink,
                anchor,
                legible=town["legible"],
            )
            del town["label"]

    def draw_signs(self) -> None:
        """Coloured signs for castles, mines and so on; the legend says which is which."""
        left, top, right, bottom = self.frame
        hues = ON_LIGHT if self.tints["paper"][0] > 128 else ON_DARK
        for meaning in self.rng.sample(sorted(SIGNS), self.rng.choice((2, 2, 3))):
            (name, ink), *_ = distinct_colours(
                self.rng, self.split, [self.tints["paper"]], 1, least=190, names=hues
            )
            self.legend.append(
                {"meaning": meaning, "shape": SIGNS[meaning], "colour": name, "ink": list(ink)}
            )
            for _ in range(self.rng.choice((1, 1, 2, 3))):
                for _ in range(25):
                    x, y = self.rng.uniform(left + 16, right - 16), self.rng.uniform(top + 16, bottom - 16)
                    box = (x - 11, y - 11, x + 11, y + 11)
                    if self.land.is_inland(x - left, y - top) and self.is_free(box, 4):
                        draw_sign(self.sheet, SIGNS[meaning], x, y, 9, ink, self.tints["paper"])
                        self.sheet.placed.append(Placed("object", meaning, box))
                        self.take(box, writing=True)
                        region = self.land.region_at(x - left, y - top)
                        self.signs.append({"meaning": meaning, "at": [x, y], "region": region})
                        break

    def name_river(self) -> None:
        if self.river is None:
            return
        name = invented_name(self.rng, self.split, "river", self.names)
        points = self.river["points"][4:-4]
        for x, y in self.rng.sample(points, len(points)):
            for side in (-1, 1):
                at = (x + side * (breadth(name, self.font, self.size) / 2 + 9), y)
                box = text_box(*at, name, self.font, self.size)
                if self.is_free(box, 1) and self.is_even(box):
                    on_light = readable_on(self.ground_at(*at))[0] < 128
                    ink = (14, 38, 104) if on_light else (196, 228, 255)
                    self.sheet.write(*at, name, self.font, self.size, ink)
                    self.take(box, writing=True)
                    self.river["name"] = name
                    return

    def draw_panel(self, panel: Box) -> None:
        """Legend, compass rose and scale bar beside the map."""
        left, top, right, bottom = panel
        lying, ink = right - left > bottom - top, readable_on(self.tints["paper"])
        self.sheet.box((*self.frame,), None, ink, 1.5)
        size = max(15, least_size(self.plain_font, 7.0))
        row = size * 1.5
        rows = [(left + 14, top + 14 + row * (i + 0.4)) for i in range(len(self.legend) + 1)]
        if lying:
            rows = [
                (left + 14 + 124 * (i // 3), top + 14 + row * (i % 3 + 0.3))
                for i in range(len(self.legend) + 1)
            ]
        self.sheet.placed.append(Placed("object", "legend", self._draw_legend(rows, size, ink)))
        rose_x, rose_y = (
            ((left + right) / 2, top + (bottom - top) * 0.6) if not lying else (right - 138, bottom - 40)
        )
        self._draw_rose(rose_x, rose_y, 30, ink)
        self.sheet.placed.append(
            Placed("object", "compass", (rose_x - 32, rose_y - 44, rose_x + 32, rose_y + 32))
        )
        kilometres, length = self.rng.choice((10, 20, 40, 50, 100, 200)), self.rng.uniform(66, 92)
        x, y = (
            (left + (right - left - length) / 2, bottom - 36)
            if not lying
            else (right - length - 6, bottom - 52)
        )
        for i in range(2):
            fill = ink if i == 0 else self.tints["paper"]
            self.sheet.box((x + length / 2 * i, y, x + length / 2 * (i + 1), y + 6), fill, ink, 1)
        self.sheet.write(x + length / 2, y + 20, f"{kilometres} km", self.plain_font, size, ink)
        self.sheet.placed.append(Placed("object", "scale bar", (x, y, x + length, y + 6 + size * 1.6)))
        self.scale = {"km": kilometres, "from": x, "to": x + length}

    def _draw_legend(self, rows: list[Point], size: int, ink: RGB) -> Box:
        ends = []
        entries = [(entry["shape"], entry["meaning"], tuple(entry["ink"])) for entry in self.legend]
        for (x, y), (shape, text, shade) in zip(rows, [("star town", "capital", ink), *entries], strict=True):
            if shape == "star town":
                self.sheet.polygon([polar(x, y, 36 * i, 8 if i % 2 == 0 else 3.4) for i in range(10)], ink)
            else:
                draw_sign(self.sheet, shape, x, y, 9, shade, self.tints["paper"])
            ends.append(self.sheet.write(x + 18, y, text, self.plain_font, size, ink, "left"))
        for entry in self.legend:
            del entry["ink"]
        return min(e[0] for e in ends) - 28, rows[0][1] - 12, max(e[2] for e in ends), max(e[3] for e in ends)

    def _draw_rose(self, x: float, y: float, reach: float, ink: RGB) -> None:
        points = 4 if self.split == "train" else 8
        for i in range(points):
            angle, length = 360 / points * i, reach if i % (points // 4) == 0 else reach * 0.55
            tip, hip = polar(x, y, angle, length), polar(x, y, angle + 45, reach * 0.16)
            other = polar(x, y, angle - 45, reach * 0.16)
            self.sheet.polygon([(x, y), hip, tip], self.tints["paper"], ink, 0.8)
            self.sheet.polygon([(x, y), other, tip], ink)
        self.sheet.write(x, y - reach - 9, "N", self.plain_font, 15, ink)


@cache
def plain_fonts(split: Split) -> tuple[str, ...]:
    """One font of each family."""
    return tuple(
        next((font for font in group if "light" not in font.lower()), group[0]) for group in font_files(split)
    )


def _least_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Between any of the points (n, 2) and any of the others (m, 2)."""
    return float(np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1).min()))


def draw_sign(sheet: Sheet, shape: str, x: float, y: float, reach: float, ink: RGB, paper: RGB) -> None:
    """A sign on a light disc, which sets it off from whatever it stands on."""
    sheet.circle(x, y, reach + 2, paper, ink, 1)
    r = reach * 0.74
    if shape == "square":
        sheet.box((x - r * 0.8, y - r * 0.8, x + r * 0.8, y + r * 0.8), ink)
    elif shape == "cross":
        sheet.box((x - r, y - r * 0.34, x + r, y + r * 0.34), ink)
        sheet.box((x - r * 0.34, y - r, x + r * 0.34, y + r), ink)
    elif shape == "star":
        sheet.polygon([polar(x, y, 36 * i, r * 1.15 if i % 2 == 0 else r * 0.5) for i in range(10)], ink)
    elif shape == "tent":
        sheet.line([(x - r, y + r * 0.8), (x + r * 0.15, y - r)], ink, 2)
        sheet.line([(x + r, y + r * 0.8), (x - r * 0.15, y - r)], ink, 2)
        sheet.line([(x - r, y + r * 0.8), (x + r, y + r * 0.8)], ink, 2)
    elif shape == "columns":
        for i in (-1, 0, 1):
            sheet.line([(x + i * r * 0.6, y - r * 0.7), (x + i * r * 0.6, y + r * 0.7)], ink, 2)
    else:
        corners = {"triangle": 3, "diamond": 4, "pentagon": 5}[shape]
        sheet.polygon([polar(x, y, 360 / corners * i, r * 1.1) for i in range(corners)], ink)
