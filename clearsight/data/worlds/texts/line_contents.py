"""What short lines say: words of signs and labels in many scripts, and fonts and sizes in which they can be read.

Only words and sizes are chosen here; where a line stands and in which colours is left to line_layouts.
"""

import math
import random
from dataclasses import dataclass, field
from functools import cache

from PIL.ImageFont import FreeTypeFont

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import SCRIPTS, latin_font, script_font, shaping, sized
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.drawing.scripts import ACCENTED, SHAPED, draws, script_words
from clearsight.data.worlds.scene import Split, belongs_to
from clearsight.data.worlds.vocabulary import vocabulary

FOREIGN = 0.35  # share of pictures whose lines are in several scripts
LEAST_X_HEIGHT = 8  # pixels of a Latin "x"
LEAST_FOREIGN_SIZE, LARGEST_SIZE = 28, 92  # pixels of the font's em
# What is numbered on signs.
NUMBERED = (
    *(
        "Room",
        "Gate",
        "Exit",
        "Floor",
        "Platform",
        "Bus",
        "Route",
        "Shelf",
        "Table",
        "Locker",
        "Aisle",
        "Track",
    ),
    *("Dock", "Ward", "Lane", "Hall", "Level", "Unit", "Desk", "Window", "Box", "Bay", "Lot", "Tram", "Line"),
    *("Counter", "Studio", "Stage", "Court", "Row", "Seat", "Cabin", "Berth", "Pier", "Zone"),
)


@dataclass
class Text:
    """One line to be set: its words, how, and, once drawn, where."""

    words: list[str]
    script: str
    font: str
    size: int
    turn: float = 0.0  # degrees, counter-clockwise
    legible: bool = True
    where: str = ""
    inks: list[tuple[str, RGB]] = field(default_factory=list)  # one a word
    ground: str = ""
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    places: list[int] = field(default_factory=list)  # of its words in scene.placed

    @property
    def said(self) -> str:
        return " ".join(self.words)

    @property
    def face(self) -> FreeTypeFont:
        return (shaping if self.script in SHAPED else sized)(self.font, self.size)

    @property
    def tallness(self) -> int:
        """Height of a small letter without ascender, in pixels."""
        _, top, _, bottom = self.face.getbbox("x")
        return int(bottom - top)


def make_texts(rng: random.Random, split: Split, count: int, width: int) -> list[Text]:
    """Lines whose words differ, each at most four fifths of `width` pixels long; one of several may be illegible."""
    foreign = rng.random() < FOREIGN
    scripts = rng.sample(["Latin", *SCRIPTS], count) if foreign else ["Latin"] * count
    single = rng.random() < 0.35  # one word a line
    spoiled = rng.randrange(count) if count > 1 and rng.random() < 0.3 else -1
    used: set[str] = set()
    texts = []
    for index, script in enumerate(scripts):
        longest = 1 if single else 3
        if script == "Latin":
            words, font = _latin(rng, split, longest, used)
            size = rng.randint(least_size(script, font), LARGEST_SIZE)
        else:
            known = [
                word for word in script_words(split, script) if word not in used
            ]  # Chinese and Japanese share some
            words = rng.sample(known, rng.randint(1, longest))
            font, size = script_font(rng, split, script), rng.randint(LEAST_FOREIGN_SIZE, LARGEST_SIZE)
        used |= {word.casefold() for word in words}
        texts.append(Text(words, script, font, size, legible=index != spoiled))
        fit(texts[-1], width * 0.8)
    return texts


def _latin(rng: random.Random, split: Split, longest: int, used: set[str]) -> tuple[list[str], str]:
    """Words of one line in one way of using capitals, and a font that has every letter of theirs."""
    way = rng.random()
    if way < 0.18 and longest > 1:
        head = rng.choice([w for w in NUMBERED if belongs_to(split, w, every=5) and w.casefold() not in used])
        number = str(rng.randint(1, 9 if rng.random() < 0.3 else 499))
        words = [head, number if number not in used else number + "0"]
    elif way < 0.3:
        words = rng.sample(script_words(split, rng.choice(tuple(ACCENTED))), rng.randint(1, min(2, longest)))
        words = [w for w in words if w.casefold() not in used] or _fresh(rng, split, 1, used)
    else:
        words = _fresh(rng, split, rng.randint(1, longest), used)
        case = rng.random()
        if case < 0.3:
            words = [word.upper() for word in words]
        elif case < 0.6:
            words = [word.capitalize() for word in words]
    while not draws(font := latin_font(rng, split), "".join(words)):
        pass  # some fonts lack accented letters
    return words, font


def _fresh(rng: random.Random, split: Split, count: int, used: set[str]) -> list[str]:
    return rng.sample([w for w in rng.sample(vocabulary(split), 24) if len(w) > 2 and w not in used], count)


@cache
def least_size(script: str, font: str) -> int:
    """The smallest size at which a font's letters can still be read."""
    if script != "Latin":
        return LEAST_FOREIGN_SIZE
    _, top, _, bottom = sized(font, 100).getbbox("x")
    return math.ceil(LEAST_X_HEIGHT * 100 / (bottom - top))


def fit(text: Text, room: float) -> None:
    """Make a line narrow enough: smaller letters first, then fewer words."""
    least = least_size(text.script, text.font)
    while (width := _width(text)) > room:
        if text.size > least:
            text.size = max(least, min(text.size - 1, int(text.size * room / width)))
        elif len(text.words) > 1:
            text.words.pop()
        else:
            text.size -= 1


def _width(text: Text) -> float:
    return lettering.width_of(text.said, text.font, text.size)
