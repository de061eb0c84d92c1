"""Worlds: generators that draw a picture and know everything in it. One module each, with `sample(seed, split)`.

What all of them share lies here: `scene` is what a world returns, `asking` how it asks, `vocabulary` and `names` the
words it writes, split between training and evaluation like everything that is drawn. The rest is in folders:

    drawing       fonts, text whose every place is known, colours, lines, shapes, icons, people, parts of pages
    charts        bars, lines, pies, points, boxes, histograms, heat maps
    diagrams      flow charts, networks, trees, Venn diagrams
    texts         lines, pages, code, formulas
    documents     tables, receipts and tickets, forms
    screens       telephones and computers
    instruments   clocks, gauges
    places        maps, flags
    things        shapes, icons, solids, badges, marks, changes, sequences
    puzzles       boards, mazes, dice, dominoes, patterns

A world's module holds what is asked; its contents and its drawing are in modules beside it. No folder uses another
but `drawing`, which all do, and `charts`, on whose page diagrams stand.
"""

from importlib import import_module
from types import ModuleType

# Every world and the folder it is in. The order is part of what a seed means: a build draws worlds by their number.
WORLDS = {
    "shapes": "things",
    "clocks": "instruments",
    "changes": "things",
    "bar_charts": "charts",
    "tables": "documents",
    "lines": "texts",
    "icons": "things",
    "line_charts": "charts",
    "gauges": "instruments",
    "pie_charts": "charts",
    "receipts": "documents",
    "pages": "texts",
    "code": "texts",
    "formulas": "texts",
    "solids": "things",
    "flow_charts": "diagrams",
    "badges": "things",
    "forms": "documents",
    "networks": "diagrams",
    "maps": "places",
    "marks": "things",
    "screens": "screens",
    "sequences": "things",
    "box_plots": "charts",
    "flags": "places",
    "heat_maps": "charts",
    "puzzles": "puzzles",
    "scatter_plots": "charts",
    "histograms": "charts",
    "trees": "diagrams",
    "venn_diagrams": "diagrams",
}


def load(name: str) -> ModuleType:
    """The world of this name. Raises ValueError with the names there are."""
    if name not in WORLDS:
        raise ValueError(f"there is no world {name!r}; there are {', '.join(WORLDS)}")
    return import_module(f"clearsight.data.worlds.{WORLDS[name]}.{name}")
