"""Coloured shapes: naming, colours, counting, and where things are."""

import math
import random

from PIL import Image, ImageDraw

from clearsight.data.worlds.palette import NAMES, RGB, background, standing_out
from clearsight.data.worlds.scene import (
    SIZE,
    Placed,
    Question,
    Scene,
    Split,
    listed,
    one_of,
    rng_for,
    with_article,
    wording,
)

SHAPES = ("circle", "square", "triangle", "rectangle", "star", "heart", "diamond", "hexagon", "cross", "ring")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PLURALS = {"cross": "crosses"}

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


def plural(shape: str) -> str:
    return PLURALS.get(shape, shape + "s")


def outline(shape: str, size: int, turn: float) -> Image.Image:
    """A mask (L, size x size) of the shape, turned by `turn` degrees; drawn at double size for clean edges."""
    big = size * 2
    mask = Image.new("L", (big, big), 0)
    draw = ImageDraw.Draw(mask)
    middle, radius = big / 2, big * 0.48

    def polygon(corners: int, inner: float = 1.0, offset: float = -90) -> None:
        steps = corners if inner == 1.0 else corners * 2
        points = []
        for step in range(steps):
            reach = radius * (1.0 if step % 2 == 0 or inner == 1.0 else inner)
            angle = math.radians(offset + turn + 360 * step / steps)
            points.append((middle + reach * math.cos(angle), middle + reach * math.sin(angle)))
        draw.polygon(points, fill=255)

    if shape == "circle":
        draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=255)
    elif shape == "ring":
        draw.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=255)
        hole = radius * 0.58
        draw.ellipse((middle - hole, middle - hole, middle + hole, middle + hole), fill=0)
    elif shape == "square":
        polygon(4, offset=-45)
    elif shape == "diamond":
        points = [
            (middle, middle - radius),
            (middle + radius * 0.62, middle),
            (middle, middle + radius),
            (middle - radius * 0.62, middle),
        ]
        draw.polygon(points, fill=255)
    elif shape == "triangle":
        polygon(3)
    elif shape == "hexagon":
        polygon(6)
    elif shape == "star":
        polygon(5, inner=0.42)
    elif shape == "rectangle":
        draw.rectangle(
            (middle - radius, middle - radius * 0.5, middle + radius, middle + radius * 0.5), fill=255
        )
        mask = mask.rotate(turn, Image.Resampling.BILINEAR)
    elif shape == "cross":
        arm = radius * 0.33
        draw.rectangle((middle - radius, middle - arm, middle + radius, middle + arm), fill=255)
        draw.rectangle((middle - arm, middle - radius, middle + arm, middle + radius), fill=255)
        mask = mask.rotate(turn, Image.Resampling.BILINEAR)
    elif shape == "heart":
        lobe = radius * 0.5
        for side in (-1, 1):
            x = middle + side * lobe * 0.92
            draw.ellipse(
                (x - lobe, middle - radius * 0.75, x + lobe, middle - radius * 0.75 + 2 * lobe), fill=255
            )
        draw.polygon(
            [
                (middle - radius * 0.92, middle - radius * 0.05),
                (middle + radius * 0.92, middle - radius * 0.05),
                (middle, middle + radius * 0.9),
            ],
            fill=255,
        )
    else:
        raise ValueError(f"no shape is called {shape!r}")
    return mask.resize((size, size), Image.Resampling.BOX)


def places(rng: random.Random, count: int, low: int, high: int, gap: int = 8) -> list[tuple[int, int, int]]:
    """`count` squares (left, top, size) inside the picture that do not touch."""
    while True:
        found: list[tuple[int, int, int]] = []
        for _ in range(count * 40):
            size = rng.randint(low, high)
            left, top = rng.randint(4, SIZE - size - 4), rng.randint(4, SIZE - size - 4)
            if all(
                left + size + gap <= x or x + s + gap <= left or top + size + gap <= y or y + s + gap <= top
                for x, y, s in found
            ):
                found.append((left, top, size))
                if len(found) == count:
                    return found
        high = max(low, int(high * 0.9))
        low = min(low, high)


def paste(
    canvas: Image.Image, scene: Scene, mask: Image.Image, left: int, top: int, label: str, name: str, ink: RGB
) -> None:
    """Draw a mask in one colour and note the object and its colour in the scene's truth."""
    canvas.paste(ink, (left, top), mask)
    box = (left, top, left + mask.width, top + mask.height)
    scene.placed += [Placed("object", label, box, mask), Placed("colour", name, box, mask)]


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
