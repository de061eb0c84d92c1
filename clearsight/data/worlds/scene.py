"""What every world returns: a picture and the whole truth about it.

A world is a module with `sample(seed, split) -> Scene`. The same seed and split always give the same picture,
on every machine with the same fonts. Evaluation is disjoint from training by construction: its seeds,
fonts, icon drawings, words, question wordings and colour values are never used for training.

The truth has two forms. `questions` is what the language model is asked. `dense(grid)` says what lies under
every patch of the picture (which character, colour, object), which teaches a vision tower far faster
than the decoder's gradient does.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL import Image

Split = Literal["train", "eval"]
SIZE = 448  # pixels a side of every picture drawn here

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CHARACTER_IDS = {character: index + 1 for index, character in enumerate(CHARACTERS)}  # 0: no character


@dataclass(frozen=True)
class Question:
    """A question with one exact answer. `choices` is set when the wording lists them."""

    skill: str
    text: str
    answer: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """Something that lies somewhere: box (left, top, right, bottom) in pixels, and what it is called.

    `mask` is a single-channel picture of the box's size whose non-zero pixels belong to the thing;
    without one the whole box does.
    """

    kind: Literal["character", "word", "object", "colour"]
    label: str
    box: tuple[float, float, float, float]
    mask: Image.Image | None = None


@dataclass
class Scene:
    """A picture (RGB, SIZE x SIZE), the questions it answers, and where everything is."""

    world: str
    seed: int
    split: Split
    picture: Image.Image
    questions: list[Question] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    caption: str = ""

    def dense(self, kind: str, ids: dict[str, int], grid: int) -> np.ndarray:
        """Which of `ids` lies under each patch: (grid, grid) int64, 0 where none does.

        Later things cover earlier ones, as they do in the picture.
        """
        truth = np.zeros((grid, grid), dtype=np.int64)
        patch = SIZE / grid
        for thing in self.placed:
            if thing.kind != kind or thing.label not in ids:
                continue
            left, top, right, bottom = thing.box
            columns = _patches_within(left, right, patch, grid)
            rows = _patches_within(top, bottom, patch, grid)
            if not len(columns) or not len(rows):
                continue
            if thing.mask is None:
                truth[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = ids[thing.label]
                continue
            pixels = np.asarray(thing.mask)
            y = np.clip(((rows + 0.5) * patch - top).astype(int), 0, pixels.shape[0] - 1)
            x = np.clip(((columns + 0.5) * patch - left).astype(int), 0, pixels.shape[1] - 1)
            inside = pixels[np.ix_(y, x)] > 127
            truth[np.ix_(rows, columns)] = np.where(inside, ids[thing.label], truth[np.ix_(rows, columns)])
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
