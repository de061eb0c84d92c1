"""Questions that every chart answers: its title, its axes' titles, and what its colours stand for.

One thing on a chart at most is made illegible. Its name is given as `unread`: "title", "horizontal axis",
"vertical axis", "legend", or whatever else a world smudges and asks about itself.
"""

import random
from collections.abc import Sequence

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.charts.page import Text
from clearsight.data.worlds.drawing.palette import NAMES

TITLE = (
    "What is the title of the chart?",
    "Read the chart's title.",
    "Which title does the chart carry?",
    "What is this chart called?",
    "Copy out the heading given to this chart.",
)
AXIS_TITLE = (
    "What is the title of the {axis} axis?",
    "How is the {axis} axis labelled?",
    "Read the title of the {axis} axis.",
    "What does it say along the {axis} axis as its caption?",
)
COLOUR_OF = (
    "Which colour stands for {entry}?",
    "What colour is {entry} drawn in?",
    "In which colour is {entry} shown?",
    "By which colour can {entry} be recognised in this chart?",
)
NAME_OF = (
    "What does the colour {colour} stand for?",
    "Which entry of the legend is {colour}?",
    "What is shown in {colour}?",
    "Going by the key, what has been given the colour {colour}?",
)
SERIES_COUNT = (
    "How many entries does the legend have?",
    "Count the entries of the legend.",
    "How many names are in the legend?",
    "How many names does the key of this chart explain?",
)


def ask_title(ask: Asker, text: str, title: Sequence[Text], unread: str | None) -> None:
    if unread == "title":
        ask.cant_be_read("title that can't be read", TITLE)
    else:
        ask.verbatim("title", TITLE, text, needs=[place for line in title for place in line.places])


def ask_axes(ask: Asker, titles: dict[str, str], unread: str | None) -> None:
    """`titles` by "horizontal" and "vertical"; an axis without a title has the empty string."""
    for axis, title in titles.items():
        if unread == f"{axis} axis":
            ask.cant_be_read("axis title that can't be read", AXIS_TITLE, axis=axis)
        elif title and ask.rng.random() < 0.5:
            ask.verbatim("axis title", AXIS_TITLE, title, axis=axis)


def ask_legend(
    ask: Asker, names: Sequence[str], colours: Sequence[str], others: Sequence[str], unread: str | None = None
) -> None:
    """`others` are names that would suit the legend and are not in it; `unread` is the name that is smudged."""
    rng: random.Random = ask.rng
    ask.count("legend entries", SERIES_COUNT, len(names))
    readable = [index for index, name in enumerate(names) if name != unread]
    index = rng.choice(readable)
    if rng.random() < 0.3:
        ask.choice("colour of series", COLOUR_OF, colours[index], NAMES, entry=names[index])
    else:
        ask.colour("colour of series", COLOUR_OF, colours[index], entry=names[index])
    index = rng.choice(readable)
    ask.text("series of colour", NAME_OF, names[index], colour=colours[index])
    if unread is not None:
        ask.cant_be_read("series that can't be read", NAME_OF, colour=colours[list(names).index(unread)])
    elif others:
        ask.not_shown("colour of an absent series", COLOUR_OF, entry=rng.choice(list(others)))
