"""Short lines of text as signs, labels and posters carry them: many fonts, sizes, angles, colours and scripts.

Everything is asked that reading one line takes: what it says, in which script, how large, in which colour, where.
Longer text is left to the world of pages.
"""

import itertools
import math
import random
from dataclasses import dataclass, field
from functools import cache

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import SCRIPTS, latin_font, script_font, shaping, sized
from clearsight.data.worlds.drawing.legibility import readable_ink
from clearsight.data.worlds.drawing.palette import (
    NAMES,
    RGB,
    background,
    colour,
    distance,
    readable_on,
    standing_out,
)
from clearsight.data.worlds.drawing.scripts import ACCENTED, RIGHT_TO_LEFT, SHAPED, draws, script_words
from clearsight.data.worlds.scene import NUMBERS, Placed, Scene, Split, belongs_to, listed, rng_for
from clearsight.data.worlds.vocabulary import vocabulary

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("board", "list", "labels", "poster"),
    "eval": ("stripes", "scattered"),
}
PANELS = {
    "labels": "label",
    "stripes": "stripe",
}  # templates whose lines stand on grounds of different colours
FOREIGN = 0.35  # share of pictures whose lines are in several scripts
LEAST_X_HEIGHT = 8  # pixels of a Latin "x"
LEAST_FOREIGN_SIZE, LARGEST_SIZE = 28, 92  # pixels of the font's em
# What is numbered on signs.
NUMBERED = (
    *(
        "Room",
        "Gate",
        "Exit",
        "Floor",
        "Platform",
        "Bus",
        "Route",
        "Shelf",
        "Table",
        "Locker",
        "Aisle",
        "Track",
    ),
    *("Dock", "Ward", "Lane", "Hall", "Level", "Unit", "Desk", "Window", "Box", "Bay", "Lot", "Tram", "Line"),
    *("Counter", "Studio", "Stage", "Court", "Row", "Seat", "Cabin", "Berth", "Pier", "Zone"),
)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
UNSPACED = ("Chinese", "Japanese", "Thai")  # words are not set apart there, so they are not counted

READ = (
    "What does the {where} say?",
    "Read the {where}.",
    "What is written on the {where}?",
    "Transcribe the text of the {where}, letter by letter.",
)
LARGEST = (
    "Read the text with the largest letters.",
    "What does the line in the largest letters say?",
    "Which words are set in the tallest letters of all?",
)
LARGER = (
    "Which of these is written larger: {choices}?",
    "Which text has the larger letters: {choices}?",
    "Whose letters stand taller: {choices}?",
)
FIRST_LETTER = (
    "With which letter does the {where} begin?",
    "What is the first letter on the {where}?",
    "Name the initial letter of the {where}.",
)
LETTERS = (
    "How many letters does the word on the {where} have?",
    "Count the letters on the {where}.",
    "Of how many letters is the word on the {where} made?",
)
WORDS = (
    "How many words are on the {where}?",
    "Count the words of the {where}.",
    "The {where} is made of how many words?",
)
LINES = (
    "How many lines of text are there?",
    "Count the lines of text.",
    "Over how many lines does the text in this picture run?",
)
COLOUR = (
    'What colour is the word "{word}"?',
    'In which colour is "{word}" written?',
    'Name the colour of the letters of "{word}".',
)
ODD = (
    "Which word is written in another colour than the rest?",
    "One word has a different colour. Which?",
    "Find the one word whose ink differs from all the others.",
)
SCRIPT = (
    "In which script is the {where} written?",
    "Which script does the {where} use?",
    "The letters of the {where} belong to which script?",
)
POINT_SCRIPT = (
    "Where is the text in {script} letters?",
    "Point to the {script} text.",
    "Show where {script} script is used.",
)
PRESENT = (
    'Is the word "{word}" shown?',
    'Does any line contain the word "{word}"?',
    'Can the word "{word}" be found in this picture?',
)
POINT = (
    'Where is the word "{word}"?',
    'Point to the word "{word}".',
    'Show the spot where "{word}" is written.',
)
BOX = (
    'Frame the word "{word}".',
    'What is the box around the word "{word}"?',
    'Draw a frame that just holds the written word "{word}".',
)
NEXT = (
    'Which word comes right after "{word}"?',
    'What is the next word after "{word}" on its line?',
    'Read on from "{word}": what is the following word?',
)
BELOW = (
    'What does the line directly below "{text}" say?',
    'Read the line just under "{text}".',
    'Which text stands on the very next line after "{text}"?',
)
ORDER = (
    "List the words from top to bottom.",
    "Which words are there, from top to bottom?",
    "Name each word, going down the picture.",
)
CAPITALS = (
    "How many lines are written in capital letters only?",
    "Count the lines that use nothing but capitals.",
    "On how many lines is every single letter a capital?",
)
NUMBER = (
    "Which number is on the {where}?",
    "What number does the {where} give?",
    "Read only the number that the {where} bears.",
)
TILTED = (
    "Read the line that is tilted.",
    "One line is set at an angle. What does it say?",
    "Which text does not run level like the others?",
)


@dataclass
class Text:
    """One line to be set: its words, how, and, once drawn, where."""

    words: list[str]
    script: str
    font: str
    size: int
    turn: float = 0.0  # degrees, counter-clockwise
    legible: bool = True
    where: str = ""
    inks: list[tuple[str, RGB]] = field(default_factory=list)  # one a word
    ground: str = ""
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    places: list[int] = field(default_factory=list)  # of its words in scene.placed

    @property
    def said(self) -> str:
        return " ".join(self.words)

    @property
    def face(self) -> FreeTypeFont:
        return (shaping if self.script in SHAPED else sized)(self.font, self.size)

    @property
    def tallness(self) -> int:
        """Height of a small letter without ascender, in pixels."""
        _, top, _, bottom = self.face.getbbox("x")
        return int(bottom - top)


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("lines", seed, split)
    template = rng.choice(TEMPLATES[split])
    canvas, ground = background(rng, split)
    width, height = rng.choice(((448, 448), (448, 448), (560, 360), (360, 560), (640, 320)))
    if canvas.size != (width, height):
        canvas = canvas.resize((width, height), Image.Resampling.BILINEAR)
    scene = Scene("lines", seed, split, canvas)
    texts = _texts(rng, split, rng.choice((1, 2, 3, 3, 4, 4, 5, 6)), width)
    _LAYOUTS[template](rng, scene, texts, ground)
    for text in texts:
        if not text.legible:
            lettering.smudge(canvas, text.box, rng)
    scene.facts = {
        "template": template,
        "lines": [
            {
                "where": text.where,
                "words": text.words,
                "script": text.script,
                "letter height": text.tallness,
                "turn": round(text.turn, 1),
                "legible": text.legible,
                "colours": [name for name, _ in text.inks],
                "ground": text.ground,
                "box": list(text.box),
            }
            for text in texts
        ],
    }
    _ask(Asker(scene, rng), texts)
    _describe(scene, texts)
    return scene


# ---------------------------------------------------------------------------------------------------
# What is written


def _texts(rng: random.Random, split: Split, count: int, width: int) -> list[Text]:
    foreign = rng.random() < FOREIGN
    scripts = rng.sample(["Latin", *SCRIPTS], count) if foreign else ["Latin"] * count
    single = rng.random() < 0.35  # one word a line
    spoiled = rng.randrange(count) if count > 1 and rng.random() < 0.3 else -1
    used: set[str] = set()
    texts = []
    for index, script in enumerate(scripts):
        longest = 1 if single else 3
        if script == "Latin":
            words, font = _latin(rng, split, longest, used)
            size = rng.randint(_least_size(script, font), LARGEST_SIZE)
        else:
            known = [
                word for word in script_words(split, script) if word not in used
            ]  # Chinese and Japanese share some
            words = rng.sample(known, rng.randint(1, longest))
            font, size = script_font(rng, split, script), rng.randint(LEAST_FOREIGN_SIZE, LARGEST_SIZE)
        used |= {word.casefold() for word in words}
        texts.append(Text(words, script, font, size, legible=index != spoiled))
        _fit(texts[-1], width * 0.8)
    return texts


def _latin(rng: random.Random, split: Split, longest: int, used: set[str]) -> tuple[list[str], str]:
    """Words of one line in one way of using capitals, and a font that has every letter of theirs."""
    way = rng.random()
    if way < 0.18 and longest > 1:
        head = rng.choice([w for w in NUMBERED if belongs_to(split, w, every=5) and w.casefold() not in used])
        number = str(rng.randint(1, 9 if rng.random() < 0.3 else 499))
        words = [head, number if number not in used else number + "0"]
    elif way < 0.3:
        words = rng.sample(script_words(split, rng.choice(tuple(ACCENTED))), rng.randint(1, min(2, longest)))
        words = [w for w in words if w.casefold() not in used] or _fresh(rng, split, 1, used)
    else:
        words = _fresh(rng, split, rng.randint(1, longest), used)
        case = rng.random()
        if case < 0.3:
            words = [word.upper() for word in words]
        elif case < 0.6:
            words = [word.capitalize() for word in words]
    while not draws(font := latin_font(rng, split), "".join(words)):
        pass  # some fonts lack accented letters
    return words, font


def _fresh(rng: random.Random, split: Split, count: int, used: set[str]) -> list[str]:
    return rng.sample([w for w in rng.sample(vocabulary(split), 24) if len(w) > 2 and w not in used], count)


@cache
def _least_size(script: str, font: str) -> int:
    """The smallest size at which a font's letters can still be read."""
    if script != "Latin":
        return LEAST_FOREIGN_SIZE
    _, top, _, bottom = sized(font, 100).getbbox("x")
    return math.ceil(LEAST_X_HEIGHT * 100 / (bottom - top))


def _fit(text: Text, room: float) -> None:
    """Make a line narrow enough: smaller letters first, then fewer words."""
    least = _least_size(text.script, text.font)
    while (width := _width(text)) > room:
        if text.size > least:
            text.size = max(least, min(text.size - 1, int(text.size * room / width)))
        elif len(text.words) > 1:
            text.words.pop()
        else:
            text.size -= 1


def _width(text: Text) -> float:
    return lettering.width_of(text.said, text.font, text.size)


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
        shrinkable = [text for text in texts if text.size > _least_size(text.script, text.font)]
        if not shrinkable and len(texts) > 1:
            texts.pop()
        for text in shrinkable or texts:
            smaller = int(text.size * max(0.8, height / sum(heights)) * 0.98)
            text.size = max(_least_size(text.script, text.font), smaller) if shrinkable else smaller


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
        _fit(text, area[2] - area[0] - 44)
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
        _fit(text, width * 0.74)
        text.turn = angle if way == "all" or (way == "one" and index == tilted) else 0.0
    _ink(rng, scene, texts, ground)
    _stack(rng, scene, texts, (10, 8, width - 10, height - 8), "centre")


def _scattered(rng: random.Random, scene: Scene, texts: list[Text], ground: RGB) -> None:
    """Every line somewhere else between left and right, each at its own angle."""
    width, height = scene.picture.size
    for text in texts:
        _fit(text, width * 0.7)
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
        _fit(text, cell_width - 50)
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


_LAYOUTS = {
    "board": _board,
    "list": _list,
    "labels": _labels,
    "poster": _poster,
    "stripes": _stripes,
    "scattered": _scattered,
}


# ---------------------------------------------------------------------------------------------------
# Questions


@cache
def _look_alikes(split: Split) -> dict[tuple[str, int], list[str]]:
    """Words that begin with the same letter and are equally long."""
    found: dict[tuple[str, int], list[str]] = {}
    for word in vocabulary(split):
        found.setdefault((word[0], len(word)), []).append(word)
    return found


def _absent_word(rng: random.Random, split: Split, texts: list[Text]) -> str:
    """A word that is not shown but looks like one that is, if there is any."""
    shown = {word.casefold() for text in texts for word in text.words}
    like = [
        word
        for known in sorted(shown)
        for word in _look_alikes(split).get((known[0], len(known)), ())
        if word not in shown
    ]
    return rng.choice(like or [word for word in vocabulary(split)[:200] if word not in shown])


def _ask(ask: Asker, texts: list[Text]) -> None:
    legible = [text for text in texts if text.legible]
    _ask_to_read(ask, texts, legible)
    _ask_about_words(ask, texts, legible)
    _ask_about_looks(ask, texts, legible)


def _ask_to_read(ask: Asker, texts: list[Text], legible: list[Text]) -> None:
    rng = ask.rng
    for text in rng.sample(legible, min(2, len(legible))):
        ask.verbatim("read", READ, text.said, where=text.where, needs=text.places)
    for text in texts:
        if not text.legible:
            ask.cant_be_read("read what can't be read", READ, where=text.where)
    if texts[0].ground and texts[0].where.split()[-1] != "line":
        noun, grounds = texts[0].where.split()[-1], [text.ground for text in texts]
        absent = rng.choice([name for name in NAMES if name not in grounds])
        ask.not_shown("read what is absent", READ, where=f"{absent} {noun}")
    else:
        ask.not_shown("read what is absent", READ, where=f"{ORDINALS[len(texts) + rng.randrange(2)]} line")
        ask.count("lines", LINES, len(texts))
        if len(legible) == len(texts):
            if len(texts) >= 3 and all(len(text.words) == 1 for text in texts):
                ask.items("top to bottom", ORDER, [text.said for text in texts], ordered=True)
            if len(texts) >= 2:
                above = rng.randrange(len(texts) - 1)
                below = texts[above + 1]
                ask.verbatim("below", BELOW, below.said, text=texts[above].said, needs=below.places)
    tilted = [text for text in texts if abs(text.turn) > 5]
    level = [text for text in texts if abs(text.turn) < 1]
    if len(tilted) == 1 and tilted[0].legible and len(level) == len(texts) - 1 > 0:
        ask.verbatim("tilted", TILTED, tilted[0].said, needs=tilted[0].places)
    latin = [text for text in legible if text.script == "Latin"]
    for text in rng.sample(latin, min(1, len(latin))):
        ask.text("first letter", FIRST_LETTER, text.said[0], where=text.where, needs=text.places[:1])
    single = [text for text in latin if len(text.words) == 1]
    for text in rng.sample(single, min(1, len(single))):
        ask.count("letters", LETTERS, len(text.words[0]), where=text.where, needs=text.places)
    spaced = [text for text in legible if text.script not in UNSPACED and not text.words[-1].isdigit()]
    for text in rng.sample(spaced, min(1, len(spaced))):
        ask.count("words", WORDS, len(text.words), where=text.where, needs=text.places)
    numbered = [text for text in legible if text.words[-1].isdigit()]
    for text in numbered[:1]:
        ask.number("number", NUMBER, int(text.words[-1]), where=text.where, needs=text.places[-1:])


def _ask_about_words(ask: Asker, texts: list[Text], legible: list[Text]) -> None:
    rng = ask.rng
    latin = [text for text in legible if text.script == "Latin"]
    all_latin = len(latin) == len(texts)
    words = [
        (word, place, ink[0])
        for text in legible
        for word, place, ink in zip(text.words, text.places, text.inks, strict=True)
        if not word.isdigit()
    ]
    if words:
        word, place, _ = rng.choice(words)
        ask.point("point", POINT, ask.scene.placed[place].box, word=word, needs=[place])
        word, place, _ = rng.choice(words)
        ask.box("box", BOX, ask.scene.placed[place].box, word=word, needs=[place])
        word, place, name = rng.choice(words)
        ask.colour("colour", COLOUR, name, word=word, needs=[place])
    following = [(text, i) for text in latin for i in range(len(text.words) - 1)]
    if following:
        text, i = rng.choice(following)
        ask.text("next word", NEXT, text.words[i + 1], word=text.words[i], needs=text.places[i : i + 2])
    if all_latin and words:
        if rng.random() < 0.5:
            ask.yes_no("present", PRESENT, True, word=rng.choice(words)[0])
        else:
            ask.yes_no("present", PRESENT, False, word=_absent_word(rng, ask.split, texts))
        if rng.random() < 0.5:
            ask.not_shown("colour of what is absent", COLOUR, word=_absent_word(rng, ask.split, texts))
    if all_latin and len(texts) >= 2:
        ask.count("capitals", CAPITALS, sum(text.said.isupper() for text in texts))


def _ask_about_looks(ask: Asker, texts: list[Text], legible: list[Text]) -> None:
    rng = ask.rng
    names = [(name, word) for text in legible for word, (name, _) in zip(text.words, text.inks, strict=True)]
    counts = {name: sum(other == name for other, _ in names) for name, _ in names}
    if len(counts) == 2 and min(counts.values()) == 1 and len(names) >= 3 and len(legible) == len(texts):
        rare = min(counts, key=lambda name: counts[name])
        ask.text("odd colour", ODD, next(word for name, word in names if name == rare))
    foreign = [text for text in legible if text.script != "Latin"]
    if foreign:
        text = rng.choice(legible)
        ask.choice("script", SCRIPT, text.script, ("Latin", *SCRIPTS), where=text.where, needs=text.places)
        text = rng.choice(foreign)
        ask.point("point to script", POINT_SCRIPT, text.box, script=text.script, needs=text.places)
    latin = [text for text in legible if text.script == "Latin"]
    if len(latin) >= 2 and len(latin) == len(texts):
        first, second = sorted(latin, key=lambda text: -text.tallness)[:2]
        if first.tallness >= 1.3 * second.tallness:
            ask.verbatim("largest", LARGEST, first.said, needs=first.places)
        a, b = rng.sample(latin, 2)
        if max(a.tallness, b.tallness) >= 1.35 * min(a.tallness, b.tallness):
            larger, smaller = (a, b) if a.tallness > b.tallness else (b, a)
            ask.choice("larger", LARGER, larger.said, (smaller.said,), count=2)


def _describe(scene: Scene, texts: list[Text]) -> None:
    readable = [text for text in texts if text.legible]
    scripts = list(dict.fromkeys(text.script for text in texts))
    kind = "one line" if len(texts) == 1 else f"{NUMBERS[len(texts)]} lines"
    what = {"labels": "labels", "stripes": "coloured stripes", "board": "sign"}.get(
        scene.facts["template"], ""
    )
    scene.short_caption = (
        f"{kind.capitalize()} of text{' on ' + ('a ' if what == 'sign' else '') + what if what else ''}."
    )
    if what == "labels" and len(texts) == 1:
        scene.short_caption = "One line of text on a label."
    elif what == "coloured stripes" and len(texts) == 1:
        scene.short_caption = "One line of text on a coloured stripe."
    quoted = ", ".join(f'"{text.said}"' for text in readable)
    spoiled = len(texts) - len(readable)
    scene.caption = (f"The text reads {quoted}." if quoted else "There is writing.") + (
        " One line can't be read." if spoiled else ""
    )
    if len(scripts) > 1:
        scene.caption += f" The scripts are {' and '.join(listed(scripts).rsplit(' or ', 1))}."
    parts = []
    for text in texts:
        if not text.legible:
            parts.append(f"the {text.where} is illegible")
            continue
        inks = list(dict.fromkeys(name for name, _ in text.inks))
        script = "" if text.script == "Latin" else f" {text.script}"
        angle = " at an angle" if abs(text.turn) > 3 else ""
        parts.append(f'the {text.where} reads "{text.said}" in {" and ".join(inks)}{script} letters{angle}')
    scene.long_caption = scene.short_caption[:-1] + ": " + "; ".join(parts) + "."
