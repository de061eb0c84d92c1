"""Worlds: generators that draw a picture and know everything in it. One module each, with `sample(seed, split)`.

scene, asking              what a world returns, and how it asks
fonts, lettering, palette, outlines, icon_drawings, vocabulary
                           what the worlds draw with, split between training and evaluation
the others                 the worlds named in WORLDS
"""

from importlib import import_module
from types import ModuleType

WORLDS = (
    "shapes",
    "clocks",
    "changes",
    "bar_charts",
    "tables",
    "lines",
    "icons",
    "line_charts",
    "gauges",
    "pie_charts",
    "receipts",
    "pages",
    "code",
    "formulas",
    "solids",
    "flow_charts",
    "badges",
    "forms",
    "networks",
    "maps",
    "marks",
    "screens",
    "sequences",
    "box_plots",
    "flags",
    "heat_maps",
    "puzzles",
    "scatter_plots",
    "histograms",
    "trees",
    "venn_diagrams",
)


def load(name: str) -> ModuleType:
    """The world of this name. Raises ValueError with the names there are."""
    if name not in WORLDS:
        raise ValueError(f"there is no world {name!r}; there are {', '.join(WORLDS)}")
    return import_module(f"clearsight.data.worlds.{name}")
