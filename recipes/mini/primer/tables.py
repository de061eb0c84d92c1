"""Small tables: the number in a cell, which row has most, how many rows."""

from PIL import ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import any_font
from clearsight.data.worlds.drawing.palette import RGB, background
from clearsight.data.worlds.scene import NUMBERS, Question, Scene, Split, rng_for, wording
from clearsight.data.worlds.vocabulary import vocabulary

CELL = ("What is the number for {}?", "Which number stands beside {}?", "What value does the row {} have?")
MOST = (
    "Which row has the largest number?",
    "What has the highest number?",
    "Which name has the largest value?",
)
ROWS = ("How many rows does the table have?", "Count the rows.", "How many rows are in the table?")


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("tables", seed, split)
    canvas, ground = background(rng, split, plain=True)
    draw = ImageDraw.Draw(canvas)
    scene = Scene("tables", seed, split, canvas)
    ink: RGB = (235, 235, 235) if sum(ground) < 384 else (20, 20, 20)
    count = rng.randint(2, 5)
    words = rng.sample(vocabulary(split), count)
    numbers = rng.sample(range(1, 100), count)
    font, size = any_font(rng, split), rng.randint(34, 52)
    size = min(size, int(size * 250 / max(lettering.width_of(word, font, size) for word in words)))
    height = rng.uniform(1.35, 1.7) * size
    top = rng.uniform(10, max(11, 436 - height * count))
    left, middle, right = 14, 300, 434
    for row, (word, number) in enumerate(zip(words, numbers, strict=True)):
        y = top + row * height
        scene.placed += lettering.draw_line(draw, left + 10, y + height * 0.08, word, font, size, ink).placed
        scene.placed += lettering.draw_line(
            draw, middle + 16, y + height * 0.08, str(number), font, size, ink
        ).placed
    for row in range(count + 1):
        draw.line((left, top + row * height, right, top + row * height), fill=ink, width=2)
    for x in (left, middle, right):
        draw.line((x, top, x, top + count * height), fill=ink, width=2)
    ask = lambda options: wording(rng, split, options)  # noqa: E731
    row = rng.randrange(count)
    scene.questions = [
        Question("table cell", ask(CELL).format(words[row]), str(numbers[row])),
        Question("table largest", ask(MOST), words[numbers.index(max(numbers))]),
        Question("table rows", ask(ROWS), NUMBERS[count]),
    ]
    scene.caption = (
        "A table: " + ", ".join(f"{word} {number}" for word, number in zip(words, numbers, strict=True)) + "."
    )
    return scene
