"""A pen that marks things in a picture: marks of several kinds, numbers, pins, notes, and arrows between things."""

import itertools
import math
import random
from dataclasses import dataclass

from PIL import ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import RGB, colour, distance, readable_on
from clearsight.data.worlds.scene import Placed
from clearsight.data.worlds.things import marking
from clearsight.data.worlds.things.icon_backdrops import shade
from clearsight.data.worlds.things.marked_pictures import OF_WORDS, Marked, Thing
from clearsight.data.worlds.vocabulary import vocabulary

COLOURS = ("red", "blue", "green", "orange", "purple", "pink", "black", "white")
HIGHLIGHTERS = ("yellow", "green", "pink", "orange")
ILLEGIBLE = 0.2  # share of numbers and notes that can't be read
OF_THINGS = ("box", "circle", "cross", "arrow")
OF_PAGES = ("box", "circle", "cross", "underline", "highlight")


@dataclass
class Mark:
    """One mark. `on` and `start` are places in the list of things; `start` is where an arrow between two comes from."""

    kind: str
    on: int
    colour: str
    number: int = 0
    note: str = ""
    legible: bool = True
    start: int | None = None
    written: int | None = None


class Pen:
    """Draws the marks of a picture, and notes in the scene's truth what they cover."""

    def __init__(self, rng: random.Random, base: Marked):
        self.rng, self.base, self.scene = rng, base, base.scene
        self.things, self.canvas, self.split = base.things, base.scene.picture, base.scene.split
        self.font = any_font(rng, self.split)
        self.width = rng.uniform(3.2, 5.0)

    def _ink(self, kind: str, unlike: tuple[str, ...] = ()) -> tuple[str, RGB]:
        """A colour for a mark that stands out from the picture's ground."""
        names = HIGHLIGHTERS if kind == "highlight" else COLOURS
        while True:
            name = self.rng.choice(names)
            value = colour(self.rng, self.split, name)
            if name not in unlike and (kind == "highlight" or distance(value, self.base.ground) > 200):
                return name, value

    def _note_ink(self, ink: marking.Ink, name: str, label: str = "") -> None:
        box = tuple(float(v) for v in ink.box)
        if label:
            self.scene.placed.append(Placed("object", label, box, ink.mask))  # type: ignore[arg-type]
        self.scene.placed.append(Placed("colour", name, box, ink.mask))  # type: ignore[arg-type]

    def mixed(self) -> list[Mark]:
        """Marks of several kinds and colours; no two are alike in both."""
        rng, marks, taken = self.rng, [], set()
        kinds = OF_PAGES if self.base.template in OF_WORDS else OF_THINGS
        count = min(len(self.things) - 1, rng.choice((2, 3, 3, 4, 5)))
        chosen = rng.sample(range(len(self.things)), count)
        for on in chosen:
            kind = rng.choice(kinds)
            unlike = tuple(name for k, name in taken if k == kind)
            name, ink = self._ink(kind, unlike if len(unlike) < 4 else ())
            if (kind, name) in taken:
                continue
            taken.add((kind, name))
            self._note_ink(self._draw(kind, self.things[on], ink), name, "arrow" if kind == "arrow" else "")
            marks.append(Mark(kind, on, name))
        if self.base.margin:
            arrows = tuple(mark.colour for mark in marks if mark.kind == "arrow")
            marks += self._notes({mark.on for mark in marks}, arrows)
        return marks

    def _draw(self, kind: str, thing: Thing, ink: RGB) -> marking.Ink:
        rng, canvas, width = self.rng, self.canvas, self.width
        left, top, right, bottom = thing.box
        words = self.base.template in OF_WORDS
        gap = 6 if words else 9
        around = (left - gap, top - gap, right + gap, bottom + gap)
        if words:
            width = min(width, 3.6)
        if kind == "box":
            return marking.frame(canvas, around, ink, width)
        if kind == "circle":
            if words:
                around = (left + 2, top - 1, right - 2, bottom + 1)
            return marking.loop(rng, canvas, around, ink, width, freehand=rng.random() < 0.6)
        if kind == "underline":
            return marking.wavering(rng, canvas, left - 2, right + 2, bottom + 4, ink, width)
        if kind == "highlight":
            return marking.highlight(rng, canvas, thing.box, shade(ink, 1.3))
        if kind == "cross" and words:
            return marking.wavering(rng, canvas, left - 4, right + 4, (top + bottom) / 2, ink, 2.6)
        if kind == "cross":
            over = (left - 3, top - 3, right + 3, bottom + 3)
            state = rng.getstate()
            marking.cross(rng, canvas, over, readable_on(ink), width + 3)
            rng.setstate(state)
            return marking.cross(rng, canvas, over, ink, width)
        angle = self._free_side(thing)
        x, y = thing.middle
        reach = max(right - left, bottom - top) / 2 + 4
        tip = (x + reach * math.cos(angle), y + reach * math.sin(angle))
        tail = (x + (reach + 46) * math.cos(angle), y + (reach + 46) * math.sin(angle))
        return marking.stroke(canvas, [[tail, tip]], ink, width, head=15)

    def _free_side(self, thing: Thing) -> float:
        """The direction from which an arrow comes: its tail far from other things and inside the picture."""

        def room(angle: float) -> float:
            x, y = (m + 84 * f(angle) for m, f in zip(thing.middle, (math.cos, math.sin), strict=True))
            others = [math.dist((x, y), other.middle) for other in self.things if other is not thing]
            edge = min(x, y, self.canvas.width - x, self.canvas.height - y)
            return min([*others, 70.0]) if edge > 8 else edge - 100

        return max((self.rng.uniform(0, 2 * math.pi) for _ in range(16)), key=room)

    def _notes(self, taken: set[int], unlike: tuple[str, ...]) -> list[Mark]:
        """Words at the right margin, each with an arrow to the last thing of its row."""
        marks: list[Mark] = []
        for on, thing in enumerate(self.things):
            if thing.column != self.base.columns - 1 or on in taken or self.rng.random() < 0.25:
                continue
            word = ""
            while not 4 <= len(word) <= 8 or word in [m.note for m in marks]:
                word = self.rng.choice(vocabulary(self.split))
            size = next(s for s in range(20, 9, -1) if s == 10 or lettering.width_of(word, self.font, s) < 84)
            name, ink = self._ink("arrow", unlike)
            left, y = self.canvas.width - 92, thing.middle[1]
            line = lettering.draw_line(
                ImageDraw.Draw(self.canvas), left, y - size * 0.6, word, self.font, size, ink
            )
            arrow = marking.stroke(self.canvas, [[(left - 8, y), (thing.box[2] + 6, y)]], ink, 2.6, head=11)
            self._note_ink(arrow, name, "arrow")
            mark = Mark("note", on, name, note=word, legible=self.rng.random() > ILLEGIBLE * 1.5)
            if mark.legible:
                mark.written = len(self.scene.placed)
                self.scene.placed += line.placed
            else:
                lettering.smudge(self.canvas, line.box, self.rng)
            marks.append(mark)
        return marks

    def numbers(self) -> list[Mark]:
        """A number on most things: on a disc at their corner or on the head of a pin."""
        rng = self.rng
        pins = self.base.template == "map" or rng.random() < 0.4
        count = len(self.things) - (rng.random() < 0.3)
        chosen = rng.sample(range(len(self.things)), count)
        numbers = rng.sample(range(1, count + 1) if rng.random() < 0.6 else range(1, 30), count)
        name, ink = self._ink("pin")
        marks = []
        for on, number in zip(chosen, numbers, strict=True):
            left, top, right, _ = self.things[on].box
            if pins:
                drawn, head = marking.pin(self.canvas, ((left + right) / 2, top + 8), ink, 13)
            else:
                radius = 14
                drawn = marking.disc(self.canvas, (left - 2, top + 2), ink, radius)
                head = (left - 2 - radius, top + 2 - radius, left - 2 + radius, top + 2 + radius)
            self._note_ink(drawn, name, "pin" if pins else "")
            line = marking.number_in(self.canvas, head, number, self.font, ink)
            mark = Mark("number", on, name, number, legible=rng.random() > ILLEGIBLE * 0.6)
            if mark.legible:
                mark.written = len(self.scene.placed)
                self.scene.placed += line.placed
            else:
                lettering.smudge(self.canvas, line.box, rng)
            marks.append(mark)
        return marks

    def pins(self) -> list[Mark]:
        """Coloured pins without numbers."""
        rng = self.rng
        chosen = rng.sample(range(len(self.things)), rng.randint(2, len(self.things)))
        inks = [self._ink("pin") for _ in range(rng.choice((2, 3, 4)))]
        marks = []
        for on in chosen:
            left, top, right, _ = self.things[on].box
            name, ink = rng.choice(inks)
            drawn, (x, y, a, b) = marking.pin(self.canvas, ((left + right) / 2, top + 8), ink, 11)
            self._note_ink(drawn, name, "pin")
            marking.disc(self.canvas, ((x + a) / 2, (y + b) / 2), readable_on(ink), 4)
            marks.append(Mark("pin", on, name))
        return marks

    def chain(self) -> list[Mark]:
        """Arrows from thing to neighbouring thing, without branches."""
        rng = self.rng
        at = {(t.row, t.column): on for on, t in enumerate(self.things)}
        path = [rng.choice(list(at))]
        for _ in range(rng.randint(2, 5)):
            row, column = path[-1]
            steps = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
            steps = [step for step in steps if step in at and step not in path]
            if not steps:
                break
            path.append(rng.choice(steps))
        name, ink = self._ink("arrow")
        marks = []
        for first, second in itertools.pairwise(path):
            a, b = self.things[at[first]], self.things[at[second]]
            arrow = marking.stroke(self.canvas, [[_edge(a, b), _edge(b, a)]], ink, self.width, head=14)
            self._note_ink(arrow, name, "arrow")
            marks.append(Mark("link", at[second], name, start=at[first]))
        return marks


def _edge(thing: Thing, toward: Thing) -> tuple[float, float]:
    """Where the line from the middle of a thing to that of another leaves its box, and a little further."""
    (x, y), (a, b) = thing.middle, toward.middle
    half_width, half_height = (thing.box[2] - thing.box[0]) / 2 + 6, (thing.box[3] - thing.box[1]) / 2 + 6
    share = min(half_width / max(1e-6, abs(a - x)), half_height / max(1e-6, abs(b - y)))
    return x + (a - x) * share, y + (b - y) * share
