"""Short lines laid out: on boards, in lists, on labels, posters and stripes, level or at an angle.

A line is measured on a sheet of its own, which is then turned and laid down, so that the place of every word and letter
is known at any angle. Lines too tall for the picture are made smaller; what still doesn't fit is left out.
"""

import itertools
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

from clearsight.data.worlds.drawing.legibility import readable_ink
from clearsight.data.worlds.drawing.palette import NAMES, RGB, colour, distance, readable_on, standing_out
from clearsight.data.worlds.drawing.scripts import RIGHT_TO_LEFT
from clearsight.data.worlds.scene import Placed, Scene, Split
from clearsight.data.worlds.texts.line_contents import Text, fit, least_size

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("board", "list", "labels", "poster"),
    "eval": ("stripes", "scattered"),
}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


# ---------------------------------------------------------------------------------------------------
# Setting a line


@dataclass
class Sheet:
    """A line measured on a sheet of its own, before it is turned and laid down. All in pixels of the sheet."""

    size: tuple[int, int]
    baseline: float
    starts: list[float]  # where the pen is put down for each word
    words: list[tuple[float, float, float, float]]


def _set(text: Text) -> Sheet:
    face = text.face
    words = text.words[::-1] if text.script in RIGHT_TO_LEFT else text.words
    boxes = [face.getbbox(word, anchor="ls") for word in words]
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    gap, pen, margin = max(face.getlength(" "), text.size * 0.22), 0.0, max(2, text.size // 10)
    starts = []
    for word in words:
        starts.append(pen)
        pen += face.getlength(word) + gap
    left = min(start + box[0] for start, box in zip(starts, boxes, strict=True))
    right = max(start + box[2] for start, box in zip(starts, boxes, strict=True))
    starts, baseline = [start - left + margin for start in starts], margin - top
    placed = [
        (start + box[0], baseline + box[1], start + box[2], baseline + box[3])
        for start, box in zip(starts, boxes, strict=True)
    ]
    if text.script in RIGHT_TO_LEFT:
        starts, placed = starts[::-1], placed[::-1]
    size = (math.ceil(right - left) + 2 * margin, math.ceil(bottom - top) + 2 * margin)
    return Sheet(size, baseline, starts, placed)


def _turned_size(size: tuple[float, float], turn: float) -> tuple[float, float]:
    cos, sin = abs(math.cos(math.radians(turn))), abs(math.sin(math.radians(turn)))
    return size[0] * cos + size[1] * sin, size[0] * sin + size[1] * cos


def _lay(scene: Scene, text: Text, sheet: Sheet, middle: tuple[float, float]) -> None:
    """Draw a sheet turned about its middle, and note its words and characters."""
    cos, sin = math.cos(math.radians(text.turn)), math.sin(math.radians(text.turn))
    half_width, half_height = sheet.size[0] / 2, sheet.size[1] / 2

    def corners(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
        return [
            (
                middle[0] + (x - half_width) * cos + (y - half_height) * sin,
                middle[1] - (x - half_width) * sin + (y - half_height) * cos,
            )
            for x, y in ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
        ]

    face = text.face
    for word, start, (_, ink) in zip(text.words, sheet.starts, text.inks, strict=True):
        if not text.turn:
            place = (middle[0] - half_width + start, middle[1] - half_height + sheet.baseline)
            ImageDraw.Draw(scene.picture).text(place, word, font=face, fill=ink, anchor="ls")
            continue
        mask = Image.new("L", sheet.size, 0)
        ImageDraw.Draw(mask).text((start, sheet.baseline), word, font=face, fill=255, anchor="ls")
        mask = mask.rotate(text.turn, Image.Resampling.BICUBIC, expand=True)
        scene.picture.paste(
            ink, (round(middle[0] - mask.width / 2), round(middle[1] - mask.height / 2)), mask
        )
    quads = [corners(box) for box in sheet.words]
    text.box = _around([point for quad in quads for point in quad])
    if not text.legible:
        return
    text.places = list(range(len(scene.placed), len(scene.placed) + len(quads)))
    for word, quad in zip(text.words, quads, strict=True):
        scene.placed.append(Placed("word", word, _around(quad), _quad_mask(quad) if text.turn % 90 else None))
    if text.script == "Latin":
        for word, start, (_, top, _, bottom) in zip(text.words, sheet.starts, sheet.words, strict=True):
            edges = [start + face.getlength(word[:count]) for count in range(len(word) + 1)]
            for character, box in zip(word, itertools.pairwise(edges), strict=True):
                quad = corners((box[0], top, box[1], bottom))
                scene.placed.append(Placed("character", character, _around(quad)))


def _around(points: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _quad_mask(quad: list[tuple[float, float]]) -> Image.Image:
    left, top, right, bottom = _around(quad)
    mask = Image.new("L", (max(1, math.ceil(right - left)), max(1, math.ceil(bottom - top))), 0)
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in quad], fill=255)
    return mask


def _ink(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Give every word its colour: one for all, one for all but one word, or one a line."""
    way = rng.choice(("one", "odd", "odd", "lines"))
    common = readable_ink(rng, scene.split, ground)
    for text in texts:
        ink = readable_ink(rng, scene.split, ground) if way == "lines" else common
        text.inks = [ink] * len(text.words)
    legible = [text for text in texts if text.legible]
    if way == "odd" and sum(len(text.words) for text in legible) >= 3:
        text = rng.choice(legible)
        for _ in range(20):
            other = readable_ink(rng, scene.split, ground)
            if other[0] != common[0] and distance(other[1], common[1]) > 200:
                text.inks[rng.randrange(len(text.words))] = other
                return


# ---------------------------------------------------------------------------------------------------
# Layouts. Lines come from top to bottom in the order in which they are named.


def _sheets(texts: list[Text], height: float) -> tuple[list[Sheet], list[float]]:
    """Sheets and their heights once turned, made smaller until they fill less than `height`; a last line may go."""
    while True:
        sheets = [_set(text) for text in texts]
        heights = [_turned_size(sheet.size, text.turn)[1] for sheet, text in zip(sheets, texts, strict=True)]
        if sum(heights) <= height:
            return sheets, heights
        shrinkable = [text for text in texts if text.size > least_size(text.script, text.font)]
        if not shrinkable and len(texts) > 1:
            texts.pop()
        for text in shrinkable or texts:
            smaller = int(text.size * max(0.8, height / sum(heights)) * 0.98)
            text.size = max(least_size(text.script, text.font), smaller) if shrinkable else smaller


def _stack(
    rng: random.Random,
    scene: Scene,
    texts: list[Text],
    area: tuple[float, float, float, float],
    align: str,
) -> list[float]:
    """Lay lines one below the other inside an area; gives the heights of the gaps between them."""
    left, top, right, bottom = area
    sheets, heights = _sheets(texts, (bottom - top) * (0.94 - 0.03 * len(texts)))
    gap = min((bottom - top - sum(heights)) / (len(texts) + 1), 60)
    y = top + (bottom - top - sum(heights) - gap * (len(texts) - 1)) * (
        0.5 if align != "left" else rng.uniform(0.1, 0.6)
    )
    gaps = []
    for index, (text, sheet, height) in enumerate(zip(texts, sheets, heights, strict=True)):
        width = _turned_size(sheet.size, text.turn)[0]
        spare = max(0.0, right - left - width)
        x = left + width / 2 + {"left": 0.0, "centre": spare / 2, "any": rng.uniform(0, spare)}[align]
        text.where = f"{ORDINALS[index]} line"
        _lay(scene, text, sheet, (x, y + height / 2))
        y += height + gap
        gaps.append(y - gap / 2)
    return gaps[:-1]


def _board(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """A sign board with a border."""
    width, height = scene.picture.size
    name, fill = standing_out(rng, scene.split, ground, 120)
    left, top = rng.randint(8, 26), rng.randint(8, 26)
    area = (left, top, width - rng.randint(8, 26), height - rng.randint(8, 26))
    draw, radius = ImageDraw.Draw(scene.picture), rng.choice((0, 8, 20, 34))
    draw.rounded_rectangle(area, radius, fill)
    if rng.random() < 0.6:
        inset, edge = rng.randint(3, 8), readable_on(fill)
        frame = (area[0] + inset, area[1] + inset, area[2] - inset, area[3] - inset)
        draw.rounded_rectangle(frame, max(0, radius - inset), outline=edge, width=rng.randint(1, 4))
    for text in texts:
        text.ground = name
        fit(text, area[2] - area[0] - 44)
    _ink(rng, scene, texts, fill)
    inner = (area[0] + 18, area[1] + 14, area[2] - 18, area[3] - 14)
    _stack(rng, scene, texts, inner, rng.choice(("left", "centre", "centre")))


def _list(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Lines flush left on the bare ground, some with rules between them."""
    width, height = scene.picture.size
    _ink(rng, scene, texts, ground)
    ruled = rng.random() < 0.4
    margin = rng.randint(14, 40)
    gaps = _stack(rng, scene, texts, (margin, 12, width - 10, height - 12), "left")
    if ruled:
        draw = ImageDraw.Draw(scene.picture)
        shade = tuple((3 * g + i) // 4 for g, i in zip(ground, readable_on(ground), strict=True))
        for y in gaps:
            draw.line((margin, y, width - margin, y), fill=shade, width=1)


def _poster(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Centred lines, all level or all at one angle, or one of them tilted."""
    width, height = scene.picture.size
    way, angle = rng.choice(("level", "all", "one")), rng.choice((-1, 1)) * rng.uniform(6, 13)
    tilted = rng.randrange(len(texts))
    for index, text in enumerate(texts):
        fit(text, width * 0.74)
        text.turn = angle if way == "all" or (way == "one" and index == tilted) else 0.0
    _ink(rng, scene, texts, ground)
    _stack(rng, scene, texts, (10, 8, width - 10, height - 8), "centre")


def _scattered(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Every line somewhere else between left and right, each at its own angle."""
    width, height = scene.picture.size
    for text in texts:
        fit(text, width * 0.7)
        text.turn = rng.choice((0.0, rng.uniform(-9, 9)))
    _ink(rng, scene, texts, ground)
    _stack(rng, scene, texts, (8, 8, width - 8, height - 8), "any")


def _grounds(rng: random.Random, split: Split, count: int, behind: RGB | None) -> list[tuple[str, RGB]]:
    """Colours with different names, apart from each other and from what is behind."""
    found: list[tuple[str, RGB]] = []
    for name in rng.sample([name for name in NAMES if name != "white"], len(NAMES) - 1):
        value = colour(rng, split, name)
        if all(
            distance(value, other) > 130 for other in [v for _, v in found] + ([behind] if behind else [])
        ):
            found.append((name, value))
    return found[:count]


def _labels(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Labels of different colours, one line on each, in one column or two."""
    width, height = scene.picture.size
    del texts[5:]
    grounds = _grounds(rng, scene.split, len(texts), ground)
    del texts[len(grounds) :]
    columns = 2 if len(texts) >= 3 and width >= 448 and rng.random() < 0.6 else 1
    rows = math.ceil(len(texts) / columns)
    cell_width, cell_height = width / columns, height / rows
    draw, radius, edged = ImageDraw.Draw(scene.picture), rng.choice((0, 6, 16)), rng.random() < 0.4
    for index, (text, (name, fill)) in enumerate(zip(texts, grounds, strict=True)):
        ink = readable_ink(rng, scene.split, fill)
        text.ground, text.where = name, f"{name} label"
        fit(text, cell_width - 50)
        text.inks = [ink] * len(text.words)
        (sheet,), _ = _sheets([text], min(cell_height - 44, 120))
        x = cell_width * (index % columns + 0.5) + rng.uniform(-4, 4)
        y = cell_height * (index // columns + 0.5) + rng.uniform(-4, 4)
        spare = min(cell_width - sheet.size[0] - 16, 90), min(cell_height - sheet.size[1] - 16, 50)
        across, down = (
            side / 2 + rng.uniform(8, max(9, room)) / 2 for side, room in zip(sheet.size, spare, strict=True)
        )
        box = (x - across, y - down, x + across, y + down)
        draw.rounded_rectangle(box, radius, fill, outline=readable_on(fill) if edged else None, width=2)
        scene.placed += [Placed("object", "label", box), Placed("colour", name, box)]
        _lay(scene, text, sheet, (x, y))


def _stripes(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Stripes of different colours from edge to edge, one line on each."""
    width, height = scene.picture.size
    grounds = _grounds(rng, scene.split, len(texts), None)
    del texts[len(grounds) :]
    shares = [rng.uniform(1, 1.7) for _ in texts]
    draw, y = ImageDraw.Draw(scene.picture), 0.0
    for text, (name, fill), share in zip(texts, grounds, shares, strict=True):
        tall = height * share / sum(shares)
        text.ground, text.where = name, f"{name} stripe"
        text.inks = [readable_ink(rng, scene.split, fill)] * len(text.words)
        (sheet,), _ = _sheets([text], tall - 12)
        box = (0, y, width, y + tall)
        draw.rectangle(box, fill)
        scene.placed += [Placed("object", "stripe", box), Placed("colour", name, box)]
        half = sheet.size[0] / 2
        _lay(scene, text, sheet, (rng.uniform(half + 6, width - half - 6), y + tall / 2))
        y += tall


LAYOUTS = {
    "board": _board,
    "list": _list,
    "labels": _labels,
    "poster": _poster,
    "stripes": _stripes,
    "scattered": _scattered,
}
