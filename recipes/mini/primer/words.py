"""Short text in many fonts: one to three words, printed large."""

import random

from PIL import ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import background, standing_out
from clearsight.data.worlds.scene import (
    Placed,
    Question,
    Scene,
    Split,
    listed,
    one_of,
    rng_for,
    wording,
)
from clearsight.data.worlds.vocabulary import vocabulary

CAPITALISED = 0.15  # share of words
SIZE_RANGE = (44, 120)  # pixels of the font's em

READ = (
    "What does the text say?",
    "Read the text.",
    "What is written here?",
    "What word is shown?",
    "Which word is printed?",
)
READ_ALL = (
    "Read all the text from top to bottom.",
    "What does each line say?",
    "Write down all the text you see.",
)
LETTER = (
    "What is the first letter?",
    "Which letter does the text begin with?",
    "What letter does the word start with?",
)
CHOOSE = ("Which word is shown: {}?", "Is the word {}?", "Which of these is written: {}?")
INK = ("What colour is the text?", "Which colour are the letters?", "What is the colour of the writing?")
PRESENT = ("Does the text say {}?", "Is the word {} shown?", "Is {} written in the image?")


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("words", seed, split)
    canvas, ground = background(rng, split)
    draw = ImageDraw.Draw(canvas)
    ink_name, ink = standing_out(rng, split, ground, 260)
    scene = Scene("words", seed, split, canvas)
    count = 1 if rng.random() < 0.6 else rng.choice((2, 3))
    lines = []
    for index in range(count):
        word = rng.choice(vocabulary(split))
        if rng.random() < CAPITALISED:
            word = word.capitalize()
        font, size = any_font(rng, split), rng.randint(*SIZE_RANGE)
        size = max(
            20, min(size, int(size * 420 / max(1, lettering.width_of(word, font, size))), 400 // count)
        )
        width = lettering.width_of(word, font, size)
        left = rng.uniform(8, max(9, 440 - width))
        band = 448 / count
        top = band * index + rng.uniform(0, max(1, band - size * 1.3))
        line = lettering.draw_line(draw, left, top, word, font, size, ink)
        scene.placed += [Placed("colour", ink_name, line.box), *line.placed]
        lines.append(word)
    scene.caption = f'The {ink_name} text says "{" ".join(lines)}".'
    scene.questions = _questions(rng, split, lines, ink_name)
    return scene


def _questions(rng: random.Random, split: Split, lines: list[str], ink_name: str) -> list[Question]:
    questions = [Question("text colour", wording(rng, split, INK), ink_name)]
    present = rng.random() < 0.5
    asked = rng.choice(lines) if present else _another(rng, split, lines)
    questions.append(
        Question("word present", wording(rng, split, PRESENT).format(asked), "Yes" if present else "No")
    )
    if len(lines) > 1:
        questions.append(Question("read lines", wording(rng, split, READ_ALL), "\n".join(lines)))
        return questions
    word = lines[0]
    wrong: list[str] = []
    while len(wrong) < 3:
        wrong.append(_another(rng, split, [word, *wrong], capital=word[0].isupper()))
    choices = one_of(rng, word, wrong, 4)
    questions += [
        Question("read word", wording(rng, split, READ), word),
        Question("first letter", wording(rng, split, LETTER), word[0].upper()),
        Question("word choice", wording(rng, split, CHOOSE).format(listed(choices)), word, choices),
    ]
    return questions


def _another(rng: random.Random, split: Split, besides: list[str], capital: bool | None = None) -> str:
    """A word that is not among `besides`, capitalised as often as those that are drawn, or as asked."""
    taken = {word.lower() for word in besides}
    word = rng.choice([word for word in vocabulary(split) if word not in taken])
    return word.capitalize() if (rng.random() < CAPITALISED if capital is None else capital) else word
