"""The sheet a map is drawn on: how six kinds of maps look, and where the panel with their legend stands.

Land is made, and a Chart of it drawn part by part, each leaving free what was written before. What is asked of a map is
left to maps.
"""

import random

from PIL import Image

from clearsight.data.worlds.drawing.drafting import Sheet, distinct_colours
from clearsight.data.worlds.drawing.palette import NAMES, RGB
from clearsight.data.worlds.places.cartography import Chart
from clearsight.data.worlds.places.terrain import make_land
from clearsight.data.worlds.scene import Split

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("political", "political", "parchment", "roads"),
    "eval": ("atlas", "atlas", "night", "sketch"),
}
# Side of the panel with legend and scale, whether regions have colours of their own, and the tints of the rest.
STYLES: dict[str, tuple[str, bool, dict[str, RGB]]] = {
    "political": ("right", True, {"sea": (196, 220, 238), "paper": (250, 250, 248), "line": (70, 70, 76)}),
    "parchment": (
        "right",
        False,
        {"land": (236, 220, 180), "sea": (202, 206, 188), "paper": (243, 231, 199), "line": (128, 88, 50)},
    ),
    "roads": (
        "bottom",
        False,
        {"land": (238, 240, 228), "sea": (170, 208, 232), "paper": (255, 255, 255), "line": (150, 140, 160)},
    ),
    "atlas": ("left", True, {"sea": (178, 206, 222), "paper": (240, 244, 240), "line": (96, 60, 92)}),
    "night": (
        "left",
        False,
        {"land": (38, 46, 54), "sea": (14, 24, 40), "paper": (24, 28, 34), "line": (120, 128, 120)},
    ),
    "sketch": (
        "top",
        False,
        {"land": (222, 232, 214), "sea": (214, 228, 244), "paper": (252, 248, 252), "line": (90, 110, 84)},
    ),
}
REGION_COLOURS = tuple(name for name in NAMES if name not in ("black", "white"))


def draw_map(rng: random.Random, split: Split, template: str) -> tuple[Chart, list[str]]:
    """A chart with everything on it, and the name of each region's colour, "" when none is meant to be told."""
    side, coloured, tints = STYLES[template]
    wide, tall = rng.choice(((384, 384), (416, 352), (368, 416)))
    sheet_size = (wide + 140, tall + 12) if side in ("left", "right") else (wide + 12, tall + 104)
    count = rng.choice((4, 5, 5, 6, 7))
    land = make_land(rng, wide, tall, count, rng.choice(("none", "island", "west", "east", "north", "south")))
    shades = distinct_colours(rng, split, [tints["sea"]], count, least=105, names=REGION_COLOURS)
    coloured = coloured and len(shades) == count
    if not coloured:
        base = tints.get("land", (232, 234, 224))
        shift = [rng.randint(-9, 9) for _ in range(count)]
        shades = [("", tuple(min(255, max(0, c + s)) for c in base)) for s in shift]  # type: ignore[misc]
    fills = [shade for _, shade in shades]
    ground = Image.new("RGB", sheet_size, tints["paper"])
    left, top = {"right": (6, 6), "bottom": (6, 6), "left": (134, 6), "top": (6, 98)}[side]
    ground.paste(land.paint((wide, tall), fills, tints["sea"], tints["line"]), (left, top))
    chart = Chart(
        rng, split, Sheet(ground, sheet_size), land, (left, top, left + wide, top + tall), fills, tints
    )
    chart.draw_grid()
    chart.draw_river()
    chart.place_towns(rng.choice((5, 6, 7, 8)))
    chart.name_regions()
    chart.draw_roads()
    chart.draw_towns()
    chart.draw_signs()
    chart.name_river()
    panel = {
        "right": (left + wide + 8, 6, sheet_size[0] - 6, sheet_size[1] - 6),
        "left": (6, 6, left - 8, sheet_size[1] - 6),
        "bottom": (6, top + tall + 6, sheet_size[0] - 6, sheet_size[1] - 6),
        "top": (6, 6, sheet_size[0] - 6, top - 6),
    }[side]
    chart.draw_panel(panel)
    return chart, [name for name, _ in shades]
