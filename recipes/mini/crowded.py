"""Pictures full of things, for the dense stage alone: every patch should have something to teach.

A picture with one word on it has truth on a tenth of its patches; a page of words in mixed fonts, or a field
of icons and shapes, has it on most.
"""

import random

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import icon_drawings, lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.outlines import SHAPES, outline, paste
from clearsight.data.worlds.drawing.palette import background, standing_out
from clearsight.data.worlds.scene import SIZE, Placed, Scene, Split, rng_for
from clearsight.data.worlds.vocabulary import vocabulary


def page(seed: int, split: Split) -> Scene:
    """Lines of large words, each in its own font and size, one ink a line."""
    rng = rng_for("page", seed, split)
    canvas, ground = background(rng, split)
    scene = Scene("page", seed, split, canvas)
    draw = ImageDraw.Draw(canvas)
    top = rng.uniform(-10, 10)
    while top < SIZE - 20:
        font, size = any_font(rng, split), rng.randint(36, 110)
        name, ink = standing_out(rng, split, ground, 260)
        left = rng.uniform(-20, 30)
        while left < SIZE - 20:
            word = _word(rng, split)
            line = lettering.draw_line(draw, left, top, word, font, size, ink)
            scene.placed += [Placed("colour", name, line.box), *line.placed]
            left = line.box[2] + size * rng.uniform(0.25, 0.5)
        top = line.box[3] + rng.uniform(4, 24)
    return scene


def _word(rng: random.Random, split: Split) -> str:
    word = rng.choice(vocabulary(split))
    kind = rng.random()
    if kind < 0.15:
        return word.capitalize()
    if kind < 0.25:
        return word.upper()
    return word if kind < 0.85 else str(rng.randint(0, 9999))


def field(seed: int, split: Split) -> Scene:
    """Icons and shapes side by side in a loose grid of 1 x 1 to 4 x 4, some places left empty."""
    rng = rng_for("field", seed, split)
    canvas, ground = background(rng, split)
    scene = Scene("field", seed, split, canvas)
    side = rng.choice((1, 1, 2, 2, 2, 3, 3, 4))
    cell = SIZE // side
    share = rng.uniform(0.4, 1.0)
    for row in range(side):
        for column in range(side):
            if scene.placed and rng.random() > share:
                continue
            size = int(cell * rng.uniform(0.65, 0.95))
            name, ink = standing_out(rng, split, ground)
            if rng.random() < 0.85:
                label = rng.choice(icon_drawings.labels())
                mask: Image.Image = icon_drawings.icon_mask(rng, split, label, size)
            else:
                label = rng.choice(SHAPES)
                mask = outline(label, size, rng.uniform(-14, 14))
            left = column * cell + rng.randint(0, max(0, cell - mask.width))
            top = row * cell + rng.randint(0, max(0, cell - mask.height))
            paste(canvas, scene, mask, left, top, label, name, ink)
    return scene
