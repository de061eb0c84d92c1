"""Worlds: generators that draw a picture and know everything in it. One module each, with `sample(seed, split)`.

The worlds are named in WORLDS; everything else here is what they share or are made of:

    scene, asking                      what a world returns, and how it asks
    fonts, scripts, vocabulary, prose, names
                                       writing, split between training and evaluation like everything that is drawn
    lettering, running_text, page, drafting, legibility, reading_order
                                       setting text so that every word's place is known
    palette, outlines, icon_drawings, emoji_drawings, figures, widgets, pen
                                       colours, shapes, pictures of things and people, parts of screens and forms
    chart_*, diagram_*, table_*, form_*, receipt_*, ticket_drawing, *_screens, screen_contents, dials, instruments,
    terrain, cartography, flag_*, national_flags, formula_layout, solid_*, icon_*, mark*, puzzle_*, processes, ...
                                       contents and drawing of single worlds
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
