"""Pages of numbered formulas: textbooks, boards, exercise sheets; for evaluation notebooks and cards.

Formulas of one picture are set in one size, so that the widest fits. What they say is left to formula_kinds.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import font_file, text_font
from clearsight.data.worlds.drawing.glyphs import advance
from clearsight.data.worlds.drawing.palette import RGB, colour
from clearsight.data.worlds.drawing.running_text import set_words, size_of_x_height
from clearsight.data.worlds.scene import Placed, Scene, Split
from clearsight.data.worlds.texts.formula_kinds import Formula
from clearsight.data.worlds.texts.formula_layout import Faces, draw_formula, lay

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("textbook", "board", "exercises"),
    "eval": ("notebook", "cards"),
}
# Upright and italic fonts, and one that has every sign the first two may lack.
FACES: dict[Split, tuple[tuple[str, str, str], ...]] = {
    "train": (
        ("STIXGeneral-Regular", "STIXGeneral-Italic", "STIXGeneral-Regular"),
        ("cmunrm", "cmunti", "STIXGeneral-Regular"),
        ("LinLibertine_R", "LinLibertine_RI", "LinLibertine_R"),
        ("OldStandard-Regular", "OldStandard-Italic", "STIXGeneral-Regular"),
        ("LiberationSerif-Regular", "LiberationSerif-Italic", "LiberationSerif-Regular"),
        ("GFSDidot", "GFSDidotItalic", "STIXGeneral-Regular"),
    ),
    "eval": (
        ("GFSNeohellenic", "GFSNeohellenicIt", "Vollkorn-Regular"),
        ("Cardo104s", "Cardoi99", "Vollkorn-Regular"),
        ("NotoSerif-Regular", "NotoSerif-Italic", "Vollkorn-Regular"),
    ),
}
SUBJECTS = (
    *(
        "Fractions",
        "Sums and Products",
        "Integrals",
        "Roots",
        "Matrices",
        "Equations",
        "Powers",
        "Series",
        "Limits",
    ),
    *(
        "Algebra",
        "Determinants",
        "Polynomials",
        "Revision",
        "Practice",
        "Homework",
        "Worked Examples",
        "Exercises",
    ),
    *("Mixed Problems", "Test A", "Test B", "Summary", "Formulas", "First Steps", "Rules", "Identities"),
)


def _faces(rng: random.Random, split: Split) -> Faces:
    return Faces(*(font_file(name) for name in rng.choice(FACES[split])))


def _boxes(rng: random.Random, split: Split, formulas: list[Formula], room: float) -> list[Any]:
    """The formulas laid out in one size, so that the widest fits."""
    faces, size = _faces(rng, split), rng.uniform(28, 42)
    while True:
        boxes = [lay(formula.node, size, faces) for formula in formulas]
        if max(box.width for box in boxes) <= room or size < 26:
            return boxes
        size *= 0.93


def _put(
    scene: Scene, formula: Formula, box: Any, left: float, baseline: float, ink: RGB, rng: random.Random
) -> None:
    words, characters = draw_formula(scene.picture, box, left, baseline, ink)
    formula.box = (left, baseline - box.above, left + box.width, baseline + box.below)
    if not formula.legible:
        lettering.smudge(scene.picture, formula.box, rng)
        return
    formula.places = list(range(len(scene.placed), len(scene.placed) + len(words)))
    scene.placed += [*words, *characters, Placed("object", "formula", formula.box)]


def _write(scene: Scene, text: str, x: float, baseline: float, font: str, size: int, ink: RGB) -> None:
    words, characters = set_words(scene.picture, x, baseline, text.split(), font, size, ink)
    scene.placed += words + characters


def _numbered_page(
    rng: random.Random,
    scene: Scene,
    formulas: list[Formula],
    title: str,
    ground: RGB,
    ink: RGB,
    style: str,
    paint: Callable[[Image.Image, int], None] | None = None,
) -> None:
    """Formulas one below the other, numbered at the right ("right") or the left ("left")."""
    split, width = scene.split, rng.choice((400, 448, 480))
    font = text_font(rng, split)
    size = size_of_x_height(font, rng.uniform(8.5, 10.0))
    side = 70
    boxes = _boxes(rng, split, formulas, width - side - 50)
    gap = rng.randint(26, 44)
    top = 56 if title else 22
    height = max(260, round(top + sum(b.above + b.below + gap for b in boxes) + 8))
    scene.picture = Image.new("RGB", (width, height), ground)
    if paint:
        paint(scene.picture, top)
    if title:
        big = round(size * 1.25)
        _write(scene, title, 24, 36, font, big, ink)
    first = 1 if rng.random() < 0.6 else rng.randint(2, 40)
    y = top + (height - top - sum(b.above + b.below + gap for b in boxes)) / 2 + gap / 2
    for index, (formula, box) in enumerate(zip(formulas, boxes, strict=True)):
        formula.number = first + index
        label = f"({formula.number})"
        baseline = y + box.above
        if style == "right":
            x = (width - side - box.width) / 2 + 8
            _put(scene, formula, box, x, baseline, ink, rng)
            _write(scene, label, width - 20 - advance(font, size, label), baseline, font, size, ink)
        else:
            _write(scene, label, 20, baseline, font, size, ink)
            _put(scene, formula, box, side + 6, baseline, ink, rng)
        y += box.above + box.below + gap


def _textbook(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Centred formulas on white paper, their numbers at the right margin."""
    level = rng.randint(242, 255)
    shade = rng.randint(8, 50)
    _numbered_page(
        rng, scene, formulas, title, (level, level, level - rng.randint(0, 10)), (shade,) * 3, "right"
    )


def _board(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Chalk on a board, with traces of the sponge."""
    ground = rng.choice(((34, 62, 48), (26, 44, 40), (38, 40, 44), (24, 50, 66)))
    ground = tuple(v + rng.randint(-6, 6) for v in ground)
    ink = rng.choice(((244, 244, 238), (250, 240, 190), (225, 240, 250)))
    noise = np.random.default_rng(rng.getrandbits(32))

    def wipe(picture: Image.Image, top: int) -> None:
        grain = noise.normal(0, 1, (6, 5, 1)).clip(-2, 2) * 5
        field_ = Image.fromarray((128 + grain.repeat(3, 2)).astype(np.uint8)).resize(
            picture.size, Image.Resampling.BICUBIC
        )
        pixels = np.asarray(picture, dtype=np.int16) + np.asarray(field_, dtype=np.int16) - 128
        picture.paste(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))

    _numbered_page(rng, scene, formulas, title, ground, ink, rng.choice(("left", "right")), wipe)  # type: ignore[arg-type]


def _exercises(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """An exercise sheet: numbers at the left, thin rules between the problems."""
    tone = colour(rng, scene.split, rng.choice(("blue", "brown", "purple", "green")))
    ink = tuple(v // 3 for v in tone)

    def rule(picture: Image.Image, top: int) -> None:
        draw = ImageDraw.Draw(picture)
        draw.line((20, top - 8, picture.width - 20, top - 8), fill=tone, width=2)
        draw.rectangle((0, 0, 7, picture.height), fill=tone)

    _numbered_page(rng, scene, formulas, title, (253, 252, 250), ink, "left", rule)  # type: ignore[arg-type]


def _notebook(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Squared paper with a red margin, written in blue or black."""
    step = rng.randint(15, 19)
    ink = rng.choice(((22, 40, 120), (30, 30, 36), (16, 70, 60)))
    line = rng.choice(((214, 226, 240), (226, 226, 232)))

    def squares(picture: Image.Image, top: int) -> None:
        draw = ImageDraw.Draw(picture)
        for x in range(0, picture.width, step):
            draw.line((x, 0, x, picture.height), fill=line)
        for y in range(0, picture.height, step):
            draw.line((0, y, picture.width, y), fill=line)
        draw.line((66, 0, 66, picture.height), fill=(236, 150, 150), width=2)

    _numbered_page(rng, scene, formulas, title, (252, 252, 248), ink, "left", squares)


def _cards(rng: random.Random, scene: Scene, formulas: list[Formula], title: str) -> None:
    """Every formula on a card of its own, its number in the corner, two cards side by side."""
    split, font = scene.split, text_font(rng, scene.split)
    size = size_of_x_height(font, 8.5)
    columns = 1 if len(formulas) == 1 else 2
    boxes = _boxes(rng, split, formulas, 240)
    wide = max(200, round(max(box.width for box in boxes)) + 44)
    tall = max(120, round(max(box.above + box.below for box in boxes)) + 64)
    rows = -(-len(formulas) // columns)
    width, height = columns * (wide + 14) + 14, rows * (tall + 14) + 14
    table = colour(rng, split, rng.choice(("brown", "gray", "blue", "green")))
    scene.picture = Image.new("RGB", (max(width, 240), max(height, 240)), table)
    draw = ImageDraw.Draw(scene.picture)
    left0, top0 = (scene.picture.width - width) / 2, (scene.picture.height - height) / 2
    for index, (formula, box) in enumerate(zip(formulas, boxes, strict=True)):
        formula.number = index + 1
        left = left0 + 14 + (index % columns) * (wide + 14)
        top = top0 + 14 + (index // columns) * (tall + 14)
        level = rng.randint(236, 255)
        draw.rounded_rectangle(
            (left, top, left + wide, top + tall), 10, (level, level, level - rng.randint(0, 24))
        )
        _write(scene, f"({index + 1})", left + 10, top + 24, font, size, (70, 70, 76))
        baseline = top + 16 + (tall - box.above - box.below) / 2 + box.above
        _put(scene, formula, box, left + (wide - box.width) / 2, baseline, (24, 24, 30), rng)


LAYOUTS = {
    "textbook": _textbook,
    "board": _board,
    "exercises": _exercises,
    "notebook": _notebook,
    "cards": _cards,
}
