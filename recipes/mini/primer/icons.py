"""Icons by name, in drawings by hands that training never showed when evaluated (see icon_drawings)."""

from clearsight.data.worlds.drawing.icon_drawings import icon_mask, labels, others
from clearsight.data.worlds.drawing.outlines import paste, places
from clearsight.data.worlds.drawing.palette import background, standing_out
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
from recipes.mini.primer.shapes import COLOUR as COLOUR_OF

NAME = (
    "What is this icon?",
    "What does the icon show?",
    "Name the icon.",
    "What icon is this?",
    "What is shown by this icon?",
)
CHOOSE = (
    "Which of these is it: {}?",
    "What is shown: {}?",
    "Pick the right name: {}.",
    "Which one is shown: {}?",
)
COLOUR = ("What colour is the icon?", "Which colour is it drawn in?", "What is the colour of the icon?")
COUNT = ("How many icons are there?", "Count the icons.", "How many icons do you see?")
PRESENT = ("Is there {}?", "Do you see {}?", "Does the image show {}?")
SIDE = (
    "Is the {} left or right of the {}?",
    "Left or right: where is the {} seen from the {}?",
    "Is the {} to the left or the right of the {}?",
)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("icons", seed, split)
    canvas, ground = background(rng, split)
    scene = Scene("icons", seed, split, canvas)
    count = 1 if rng.random() < 0.65 else rng.randint(2, 5)
    low, high = (150, 380) if count == 1 else (90, int(250 / count**0.5) + 30)
    chosen = rng.sample(labels(), count)
    things = []
    for label, (left, top, size) in zip(chosen, places(rng, count, low, high), strict=True):
        name, ink = standing_out(rng, split, ground)
        paste(canvas, scene, icon_mask(rng, split, label, size), left, top, label, name, ink)
        things.append((label, name, left + size / 2, size))
    scene.caption = "Icons: " + ", ".join(f"{with_article(name)} {label}" for label, name, *_ in things) + "."
    ask = lambda options: wording(rng, split, options)  # noqa: E731
    label, name = things[0][0], things[0][1]
    if count == 1:
        choices = one_of(rng, label, others(label), 10)
        few = one_of(rng, label, others(label), 4)
        scene.questions = [
            Question("icon name", ask(NAME), label),
            Question("icon of ten", ask(CHOOSE).format(listed(choices)), label, choices),
            Question("icon of four", ask(CHOOSE).format(listed(few)), label, few),
            Question("colour", ask(COLOUR), name),
        ]
    else:
        a, b = rng.sample(things, 2)
        side = "left" if a[2] < b[2] else "right"
        scene.questions = [
            Question("count to five", ask(COUNT), NUMBERS[count]),
            Question("colour", ask(COLOUR_OF).format(label), name),
        ]
        if abs(a[2] - b[2]) > (a[3] + b[3]) / 3:
            scene.questions.append(Question("left or right", ask(SIDE).format(a[0], b[0]), side))
    present = rng.random() < 0.5
    absent = set(labels()).intersection(*(others(label) for label in chosen))
    asked = rng.choice(chosen) if present else rng.choice(sorted(absent))
    scene.questions.append(
        Question("present", ask(PRESENT).format(with_article(asked)), "Yes" if present else "No")
    )
    return scene
