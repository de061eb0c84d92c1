"""What every world returns: a picture, or several, and the whole truth about them.

A world is a module with `sample(seed, split) -> Scene`. The same seed and split always give the same picture,
on every machine with the same fonts. Evaluation is disjoint from training by construction: its seeds,
fonts, icon drawings, words, templates, question wordings and colour values are never used for training.

The truth has three forms. `questions` is what the language model is asked. `placed` says where everything is, and
`dense(grid)` what lies under every patch (which character, word, colour, object), which teaches a vision tower far
faster than the decoder's gradient does. `facts` is what was drawn, as plain data, so that others can work
out the answers on their own and check them.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from PIL import Image

from clearsight.data.verify import Kind, Truth

Split = Literal["train", "eval"]
SIZE = 448  # pixels a side of every picture drawn here

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CHARACTER_IDS = {character: index + 1 for index, character in enumerate(CHARACTERS)}  # 0: no character


@dataclass(frozen=True)
class Question:
    """A question with one exact answer; `kind` says how an answer is judged (see clearsight.data.verify).

    `choices` is set when the wording lists them. `about` names what is asked, in terms of the scene's facts.
    `needs` are the places in `placed` that must be seen to answer; None: the whole picture.
    """

    skill: str
    text: str
    answer: str
    choices: tuple[str, ...] = ()
    kind: Kind = "text"
    value: Any = None
    alternatives: tuple[str, ...] = ()
    tolerance: float = 0.0
    about: dict[str, Any] = field(default_factory=dict, hash=False)
    needs: tuple[int, ...] | None = None

    @property
    def truth(self) -> Truth:
        return Truth(self.kind, self.answer, self.value, self.choices, self.alternatives, self.tolerance)


@dataclass(frozen=True)
class Placed:
    """Something that lies somewhere: box (left, top, right, bottom) in pixels, and what it is called.

    `mask` is a single-channel picture of the box's size whose non-zero pixels belong to the thing;
    without one the whole box does. `page` is the number of the picture it is in. Words are placed in reading order.
    """

    kind: Literal["character", "word", "object", "colour"]
    label: str
    box: tuple[float, float, float, float]
    mask: Image.Image | None = None
    page: int = 0

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass
class Scene:
    """A picture (RGB), the questions it answers, and where everything is.

    `captions` are three, from a few words to everything, and mention only what is there; `caption` is the middle
    one. `further` holds the other pictures of a world that shows several. `facts` is JSON-ready.
    """

    world: str
    seed: int
    split: Split
    picture: Image.Image
    questions: list[Question] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    caption: str = ""
    short_caption: str = ""
    long_caption: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    further: list[Image.Image] = field(default_factory=list)

    @property
    def pictures(self) -> list[Image.Image]:
        return [self.picture, *self.further]

    @property
    def captions(self) -> tuple[str, str, str]:
        """Short, middle, long."""
        return self.short_caption, self.caption, self.long_caption

    def thousandths(self, box: Sequence[float], page: int = 0) -> tuple[int, int, int, int]:
        """A box in pixels as whole thousandths of the picture's sides, the form in which answers name places."""
        width, height = self.pictures[page].size
        left, top, right, bottom = (
            min(1000, max(0, round(1000 * v / side)))
            for v, side in zip(box, (width, height, width, height), strict=True)
        )
        return left, top, right, bottom

    def dense(self, kind: str, ids: dict[str, int], grid: int, page: int = 0) -> np.ndarray:
        """Which of `ids` lies under each patch: (grid, grid) int64, 0 where none does.

        The picture is divided into grid x grid patches whatever its shape. Later things cover earlier ones, as they
        do in the picture.
        """
        return self._paint(
            ((ids[t.label], t) for t in self.placed if t.kind == kind and t.page == page and t.label in ids),
            grid,
            page,
        )

    def reading_order(self, grid: int, page: int = 0) -> np.ndarray:
        """Which word, counted from 1 in reading order, lies under each patch: (grid, grid) int64, 0 where none."""
        words = (t for t in self.placed if t.kind == "word" and t.page == page)
        return self._paint(enumerate(words, 1), grid, page)

    def _paint(self, things: Iterable[tuple[int, Placed]], grid: int, page: int) -> np.ndarray:
        truth = np.zeros((grid, grid), dtype=np.int64)
        width, height = self.pictures[page].size
        across, down = width / grid, height / grid
        for number, thing in things:
            left, top, right, bottom = thing.box
            columns = _patches_within(left, right, across, grid)
            rows = _patches_within(top, bottom, down, grid)
            if not len(columns) or not len(rows):
                continue
            if thing.mask is None:
                truth[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = number
                continue
            pixels = np.asarray(thing.mask)
            y = np.clip(((rows + 0.5) * down - top).astype(int), 0, pixels.shape[0] - 1)
            x = np.clip(((columns + 0.5) * across - left).astype(int), 0, pixels.shape[1] - 1)
            inside = pixels[np.ix_(y, x)] > 127
            truth[np.ix_(rows, columns)] = np.where(inside, number, truth[np.ix_(rows, columns)])
        return truth


def _patches_within(low: float, high: float, patch: float, grid: int) -> np.ndarray:
    """Indices of the patches whose centres lie in [low, high)."""
    first = max(int(np.ceil(low / patch - 0.5)), 0)
    last = min(int(np.ceil(high / patch - 0.5)), grid)
    return np.arange(first, max(first, last))


def rng_for(world: str, seed: int, split: Split) -> random.Random:
    """A generator whose stream differs by world and split, so no seed draws the same picture twice."""
    digest = hashlib.sha256(f"{world}:{split}:{seed}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "little"))


def belongs_to(split: Split, name: str, every: int = 8) -> bool:
    """Whether a word (or any name) belongs to the split: one in `every` is kept for evaluation."""
    held_out = hashlib.sha256(name.encode()).digest()[0] % every == 0
    return held_out == (split == "eval")


def wording(rng: random.Random, split: Split, wordings: Sequence[str]) -> str:
    """One way to ask: the last wording is kept for evaluation."""
    return wordings[-1] if split == "eval" else rng.choice(wordings[:-1])


def one_of(rng: random.Random, answer: str, others: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` choices in random order, the answer among them."""
    choices = [answer, *rng.sample([other for other in others if other != answer], count - 1)]
    rng.shuffle(choices)
    return tuple(choices)


def with_article(name: str) -> str:
    """ "a car", "an apple"."""
    return ("an " if name[0] in "aeiou" else "a ") + name


def listed(choices: Sequence[str]) -> str:
    return ", ".join(choices[:-1]) + " or " + choices[-1]
