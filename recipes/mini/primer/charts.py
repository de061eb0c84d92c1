"""Bar charts with few, large parts: which bar is tallest, what a bar's value is, how many there are."""

import random

from PIL import ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import RGB, background, standing_out
from clearsight.data.worlds.scene import NUMBERS, Placed, Question, Scene, Split, rng_for, wording
from clearsight.data.worlds.vocabulary import vocabulary

TALLEST = (
    "Which colour is the tallest bar?",
    "What colour is the highest bar?",
    "The tallest bar is which colour?",
)
SHORTEST = (
    "Which colour is the shortest bar?",
    "What colour is the lowest bar?",
    "The shortest bar is which colour?",
)
LARGEST = (
    "Which label has the largest value?",
    "What does the tallest bar stand for?",
    "Which bar label has the highest value?",
)
COUNT = ("How many bars are there?", "Count the bars.", "How many bars do you see?")
VALUE = ("What is the value of {}?", "Which number does {} have?", "What value does {} show?")
COMPARE = (
    "Is the {} bar taller than the {} bar?",
    "Is the {} bar higher than the {} bar?",
    "Does the {} bar reach higher than the {} bar?",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("charts", seed, split)
    canvas, ground = background(rng, split, plain=True)
    draw = ImageDraw.Draw(canvas)
    scene = Scene("charts", seed, split, canvas)
    dark = sum(ground) < 384
    ink: RGB = (235, 235, 235) if dark else (25, 25, 25)
    count = rng.randint(2, 5)
    values = _values(rng, count)
    names, inks = _colours(rng, split, ground, count)
    labels = rng.sample([word for word in vocabulary(split) if len(word) <= 5], count)
    font = any_font(rng, split)
    left, bottom, top = 24, 392, 56
    step = (448 - left - 8) / count
    for index in range(count):
        height = (bottom - top) * values[index] / 100
        x0 = left + step * index + step * 0.14
        x1 = left + step * (index + 1) - step * 0.14
        box = (x0, bottom - height, x1, bottom)
        draw.rectangle(box, fill=inks[index])
        scene.placed += [Placed("colour", names[index], box), Placed("object", "bar", box)]
        for text, middle_top, size in (
            (str(values[index]), bottom - height - 34, 26),
            (labels[index], bottom + 8, 26),
        ):
            size = min(size, int(size * step * 0.96 / max(1.0, lettering.width_of(text, font, size))))
            x = (x0 + x1 - lettering.width_of(text, font, size)) / 2
            scene.placed += lettering.draw_line(draw, x, middle_top, text, font, size, ink).placed
    draw.line((left, top - 30, left, bottom), fill=ink, width=2)
    draw.line((left, bottom, 444, bottom), fill=ink, width=2)
    ask = lambda options: wording(rng, split, options)  # noqa: E731
    tallest, shortest = values.index(max(values)), values.index(min(values))
    any_bar = rng.randrange(count)
    a, b = rng.sample(range(count), 2)
    scene.questions = [
        Question("tallest bar", ask(TALLEST), names[tallest]),
        Question("shortest bar", ask(SHORTEST), names[shortest]),
        Question("chart label", ask(LARGEST), labels[tallest]),
        Question("count to five", ask(COUNT), NUMBERS[count]),
        Question("chart value", ask(VALUE).format(labels[any_bar]), str(values[any_bar])),
        Question(
            "compare bars", ask(COMPARE).format(names[a], names[b]), "Yes" if values[a] > values[b] else "No"
        ),
    ]
    scene.caption = (
        "A bar chart: "
        + ", ".join(f"{label} {value}" for label, value in zip(labels, values, strict=True))
        + "."
    )
    return scene


def _values(rng: random.Random, count: int) -> list[int]:
    """Distinct heights that differ enough to be told apart."""
    while True:
        values = [rng.randint(8, 99) for _ in range(count)]
        if all(abs(a - b) >= 8 for i, a in enumerate(values) for b in values[:i]):
            return values


def _colours(rng: random.Random, split: Split, ground: RGB, count: int) -> tuple[list[str], list[RGB]]:
    """Differently named bar colours that stand out from the background."""
    names: list[str] = []
    inks: list[RGB] = []
    while len(names) < count:
        name, ink = standing_out(rng, split, ground)
        if name not in names:
            names.append(name)
            inks.append(ink)
    return names, inks
