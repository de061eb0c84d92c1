"""Coloured shapes: naming, colours, counting, and where things are."""

import math
import random

from clearsight.data.worlds.drawing.outlines import SHAPES, outline, paste, places, plural
from clearsight.data.worlds.drawing.palette import NAMES, background, standing_out
from clearsight.data.worlds.scene import (
    NUMBERS,
    Question,
    Scene,
    Split,
    listed,
    one_of,
    rng_for,
    with_article,
    wording,
)

SHAPE = ("What shape is this?", "What shape is shown?", "Name the shape.", "Which shape do you see?")
COLOUR = ("What colour is the {}?", "Which colour does the {} have?", "Tell me the colour of the {}.")
COUNT = ("How many shapes are there?", "Count the shapes.", "How many shapes do you see?")
COUNT_KIND = ("How many {} are there?", "Count the {}.", "How many {} do you see?")
WHICH = ("Which shape is {}?", "What shape is the {} one?", "Name the {} shape.")
SIDE = (
    "Is the {} left or right of the {}?",
    "On which side of the {1} is the {0}, left or right?",
    "Seen from the {1}, is the {0} left or right?",
)
HEIGHT = (
    "Is the {} above or below the {}?",
    "Above or below: where is the {} compared with the {}?",
    "Does the {} lie above or below the {}?",
)
PRESENT = ("Is there {} {}?", "Do you see {} {}?", "Does the image show {} {}?")


def counting(count: int) -> str:
    """The skill that counting so many things asks for."""
    return "count to five" if count <= 5 else "count six to ten"


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("shapes", seed, split)
    canvas, ground = background(rng, split)
    scene = Scene("shapes", seed, split, canvas)
    draws = rng.random()
    if draws < 0.3:
        count, same_shape = 1, True
    elif draws < 0.65:
        count, same_shape = rng.randint(1, 5 if rng.random() < 0.7 else 10), True
    else:
        count, same_shape = rng.randint(2, 5), False
    low, high = (130, 330) if count == 1 else (60, int(240 / math.sqrt(count)) + 30)
    shape = rng.choice(SHAPES)
    name, ink = standing_out(rng, split, ground)
    single_colour = same_shape and rng.random() < 0.7
    things: list[tuple[str, str, int, int, int]] = []
    for left, top, size in places(rng, count, low, high):
        if not same_shape:
            shape = rng.choice(SHAPES)
        if not single_colour:
            name, ink = standing_out(rng, split, ground)
        paste(canvas, scene, outline(shape, size, rng.uniform(-14, 14)), left, top, shape, name, ink)
        things.append((shape, name, left, top, size))
    scene.caption = (
        ("There is " if count == 1 else "There are ")
        + ", ".join(f"{with_article(n)} {s}" for s, n, *_ in things)
        + "."
    )
    scene.questions = _questions(rng, split, things)
    return scene


def _questions(
    rng: random.Random, split: Split, things: list[tuple[str, str, int, int, int]]
) -> list[Question]:
    ask = lambda options: wording(rng, split, options)  # noqa: E731
    shapes, colours = [t[0] for t in things], [t[1] for t in things]
    questions: list[Question] = []
    if len(things) == 1:
        questions += [
            Question("shape", ask(SHAPE), shapes[0]),
            Question("colour", ask(COLOUR).format("shape"), colours[0]),
        ]
        choices = one_of(rng, colours[0], NAMES, 4)
        questions.append(
            Question(
                "colour choice",
                f"{ask(COLOUR).format(shapes[0])} Choose: {listed(choices)}.",
                colours[0],
                choices,
            )
        )
    questions.append(Question(counting(len(things)), ask(COUNT), NUMBERS[len(things)]))
    for shape in rng.sample(sorted(set(shapes)), 1):
        if len(set(shapes)) > 1:
            questions.append(
                Question("count kind", ask(COUNT_KIND).format(plural(shape)), NUMBERS[shapes.count(shape)])
            )
        elif len(things) > 1:
            questions.append(
                Question(counting(len(things)), ask(COUNT_KIND).format(plural(shape)), NUMBERS[len(things)])
            )
    unique = [i for i in range(len(things)) if shapes.count(shapes[i]) == 1]
    if len(things) > 1 and unique:
        i = rng.choice(unique)
        questions.append(Question("colour", ask(COLOUR).format(shapes[i]), colours[i]))
    single = [i for i in range(len(things)) if colours.count(colours[i]) == 1]
    if len(things) > 1 and single:
        i = rng.choice(single)
        questions.append(Question("shape", ask(WHICH).format(colours[i]), shapes[i]))
    if len(unique) >= 2:
        a, b = rng.sample(unique, 2)
        (_, _, xa, ya, sa), (_, _, xb, yb, sb) = things[a], things[b]
        if abs((xa + sa / 2) - (xb + sb / 2)) > (sa + sb) / 3:
            side = "left" if xa + sa / 2 < xb + sb / 2 else "right"
            questions.append(Question("left or right", ask(SIDE).format(shapes[a], shapes[b]), side))
        if abs((ya + sa / 2) - (yb + sb / 2)) > (sa + sb) / 3:
            place = "above" if ya + sa / 2 < yb + sb / 2 else "below"
            questions.append(Question("above or below", ask(HEIGHT).format(shapes[a], shapes[b]), place))
    if rng.random() < 0.5:
        shape, name = rng.choice(list(zip(shapes, colours, strict=True)))
        questions.append(Question("present", ask(PRESENT).format(with_article(name), shape), "Yes"))
    else:
        absent = [
            (s, n) for s in SHAPES for n in NAMES if (s, n) not in set(zip(shapes, colours, strict=True))
        ]
        hard = [(s, n) for s, n in absent if (s in shapes) != (n in colours)] or absent
        shape, name = rng.choice(hard)
        questions.append(Question("present", ask(PRESENT).format(with_article(name), shape), "No"))
    return questions
