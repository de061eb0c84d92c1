"""Pages of text: articles, newsletters, handouts, letters, with headings, paragraphs, columns, lists and page numbers.

Asked is what finding one's way on a page takes: which paragraph, which line, which word, under which heading, in
which column, in which order. Paragraphs are never broken across columns. Single lines are left to the world of lines.
"""

import random
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image, ImageDraw

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import latin_font, text_font
from clearsight.data.worlds.drawing.glyphs import advance
from clearsight.data.worlds.drawing.palette import RGB, colour, readable_on
from clearsight.data.worlds.drawing.running_text import (
    extent,
    set_words,
    size_of_x_height,
    width_of_words,
    wrap,
)
from clearsight.data.worlds.scene import NUMBERS, Placed, Scene, Split, listed, rng_for
from clearsight.data.worlds.texts import prose

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("article", "newsletter", "handout", "letter"),
    "eval": ("chapter", "leaflet"),
}
ORDINALS = (
    *(
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
    ),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth"),
)

LONGEST_SENTENCE = 110  # characters

TITLE = (
    "What is the title of this page?",
    "Read the title.",
    "Which title stands over the whole text?",
)
PAGE_NUMBER = (
    "What is the page number?",
    "Which page is this?",
    "What number does this page carry?",
)
PARAGRAPHS = (
    "How many paragraphs are there?",
    "Count the paragraphs.",
    "Into how many paragraphs is the running text divided?",
)
HEADINGS = (
    "List the headings in order.",
    "Which headings are there, in reading order?",
    "Name all section headings, first to last.",
)
COLUMNS = (
    "In how many columns is the text set?",
    "How many columns of text are there?",
    "Count the columns side by side on this page.",
)
UNDER = (
    'Under which heading is the paragraph that begins "{start}"?',
    'Which heading does the paragraph beginning "{start}" belong to?',
    'The paragraph opening with "{start}" stands below which heading?',
)
AFTER = (
    'Which heading comes next after "{heading}"?',
    'What is the heading that follows "{heading}"?',
    'Reading on from the section "{heading}", which heading is met next?',
)
FIRST = (
    "Which of these headings comes first: {choices}?",
    "Which heading is read first: {choices}?",
    "Which section opens earlier on the page: {choices}?",
)
WORD = (
    "What is the {nth} word in line {line} of the {which} paragraph?",
    "In the {which} paragraph, line {line}: what is the {nth} word?",
    "Read just the {nth} word of line {line} in the {which} paragraph.",
)
LINE = (
    "Read line {line} of the {which} paragraph.",
    "What does line {line} of the {which} paragraph say?",
    "Transcribe only line {line} of the {which} paragraph.",
)
PARAGRAPH = (
    "Transcribe the {which} paragraph.",
    "Read the {which} paragraph aloud, word for word.",
    "Write out everything the {which} paragraph says.",
)
LAST_WORD = (
    "What is the last word of the {which} paragraph?",
    "With which word does the {which} paragraph end?",
    "Name the word that closes the {which} paragraph.",
)
LENGTH = (
    "How many lines does the {which} paragraph have?",
    "Over how many lines does the {which} paragraph run?",
    "The {which} paragraph takes up how many lines?",
)
ITEM = (
    "What is the {nth} item of the list?",
    "Read the {nth} item of the list.",
    "Which entry is {nth} in the list?",
)
ITEMS = (
    "How many items does the list have?",
    "Count the items of the list.",
    "How many entries make up the list?",
)
PRESENT = (
    'Does the word "{word}" occur on this page?',
    'Is the word "{word}" on the page?',
    'Would a search of this page find the word "{word}"?',
)
MARKED = (
    "Which word is highlighted?",
    "Read the highlighted word.",
    "Over which single word has a marker been drawn?",
)
POINT_HEADING = (
    'Where is the heading "{heading}"?',
    'Point to the heading "{heading}".',
    'Show where the section "{heading}" starts.',
)
BOX_PARAGRAPH = (
    "Frame the {which} paragraph.",
    "What is the box around the {which} paragraph?",
    "Draw a tight frame around the {which} paragraph.",
)
SIGNED = ("Who signed the letter?", "Who is the letter from?", "Name the person who wrote this letter.")
ADDRESSED = (
    "To whom is the letter addressed?",
    "Whom does the letter greet?",
    "Name the person to whom this was written.",
)
DATED = ("What is the date of the letter?", "When was the letter written?", "Read the date on this letter.")

Kind = Literal[
    "title", "heading", "paragraph", "item", "number", "running head", "date", "greeting", "signature"
]


@dataclass
class Block:
    """A piece of the page. `lines` are the words of each line as broken; `places` index them in scene.placed."""

    kind: Kind
    text: str
    column: int = 0
    lines: list[list[str]] = field(default_factory=list)
    places: list[list[int]] = field(default_factory=list)
    box: tuple[float, float, float, float] = (0, 0, 0, 0)
    lost: int | None = None  # the line that can't be read

    @property
    def all_places(self) -> list[int]:
        return [place for line in self.places for place in line]


@dataclass
class Style:
    """How a page is set. Sizes are in pixels of the em."""

    paper: RGB
    ink: RGB
    accent: RGB
    font: str
    size: int
    heading_font: str
    heading_size: int
    leading: float
    justified: bool
    indent: float  # of a paragraph's first line; 0: paragraphs are set apart by space


class Page:
    """What has been set so far, and where the pen is: columns are filled from top to bottom."""

    def __init__(self, scene: Scene, rng: random.Random, style: Style):
        self.scene, self.rng, self.style = scene, rng, style
        self.draw = ImageDraw.Draw(scene.picture)
        self.blocks: list[Block] = []
        self.characters: list[Placed] = []
        self.lost_lines: list[tuple[float, float, float, float]] = []
        self.column, self.left, self.right, self.top, self.bottom = 0, 0.0, 0.0, 0.0, 0.0
        self.pen = 0.0

    def open_column(self, number: int, left: float, top: float, right: float, bottom: float) -> None:
        self.column, self.left, self.right, self.top, self.bottom = number, left, right, top, bottom
        self.pen = top

    def put(
        self,
        kind: Kind,
        text: str,
        *,
        font: str = "",
        size: int = 0,
        ink: RGB | None = None,
        align: Literal["left", "centre", "right"] = "left",
        inset: float = 0.0,
        before: float = 0.0,
        spare: float = 0.0,
        loses: bool = False,
    ) -> Block | None:
        """Set a block at the pen; None when it, and `spare` more pixels, do not fit into the column."""
        style = self.style
        font, size = font or style.font, size or style.size
        above, below = extent(font, size)
        step = max(size * style.leading, above + below + 1)
        first = style.indent if kind == "paragraph" else 0.0
        room = self.right - self.left - inset
        lines = wrap(text, font, size, room, first)
        pen = self.pen + (before if self.pen > self.top else 0.0)
        if pen + step * (len(lines) - 1) + above + below + spare > self.bottom:
            return None
        block = Block(kind, text, self.column, lines)
        if loses and len(lines) >= 3:
            block.lost = self.rng.randrange(1, len(lines) - 1)
        boxes = []
        for number, words in enumerate(lines):
            x = self.left + inset + (first if number == 0 else 0.0)
            width, gap = width_of_words(words, font, size), None
            if align != "left":
                x += (room - width) * (0.5 if align == "centre" else 1.0)
            elif style.justified and kind == "paragraph" and number < len(lines) - 1 and len(words) > 2:
                gap = advance(font, size, " ") + (self.right - x - width) / (len(words) - 1)
            placed, characters = set_words(
                self.scene.picture, x, pen + above, words, font, size, ink or style.ink, gap=gap
            )
            boxes.append((x, pen, placed[-1].box[2], pen + above + below))
            at = len(self.scene.placed)
            if number == block.lost:
                self.lost_lines.append(boxes[-1])
                block.places.append([])
            else:
                block.places.append(list(range(at, at + len(placed))))
                self.scene.placed += placed
                self.characters += characters
            pen += step
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        block.box = (min(lefts), tops[0], max(rights), bottoms[-1])
        self.blocks.append(block)
        self.pen = bottoms[-1]
        return block

    def paragraph(self, sentences: int, *, loses: bool = False, before: float | None = None) -> Block | None:
        text = prose.paragraph(self.rng, self.scene.split, sentences)
        gap = self.style.size * (0.3 if self.style.indent else 0.75) if before is None else before
        return self.put("paragraph", text, before=gap, loses=loses)

    def heading(self, text: str, align: Literal["left", "centre"] = "left") -> Block | None:
        """A heading, if it and the longest sentence below it fit."""
        style = self.style
        lines = 2 + LONGEST_SENTENCE * advance(style.font, style.size, "n") // (self.right - self.left)
        return self.put(
            "heading",
            text,
            font=style.heading_font,
            size=style.heading_size,
            ink=style.accent,
            before=style.size * 1.1,
            spare=style.size * style.leading * lines,
            align=align,
        )

    def of_kind(self, *kinds: Kind) -> list[Block]:
        return [block for block in self.blocks if block.kind in kinds]


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("pages", seed, split)
    template = rng.choice(TEMPLATES[split])
    size = rng.choice(_SHAPES[template])
    style = _style(rng, split)
    scene = Scene("pages", seed, split, Image.new("RGB", size, style.paper))
    page = Page(scene, rng, style)
    loses = rng.random() < 0.4
    columns = _LAYOUTS[template](page, loses)
    marked = _mark(page) if rng.random() < 0.4 else None
    for box in page.lost_lines:
        lettering.smudge(scene.picture, box, rng)
    scene.placed += page.characters
    scene.facts = {
        "template": template,
        "columns": columns,
        "marked": None if marked is None else list(scene.placed[marked].box),
        "blocks": [
            {
                "kind": block.kind,
                "text": block.text,
                "lines": block.lines,
                "column": block.column,
                "lost line": block.lost,
                "box": list(block.box),
            }
            for block in page.blocks
        ],
    }
    ask = Asker(scene, rng)
    _ask_about_page(ask, page, columns)
    _ask_about_paragraphs(ask, page)
    _ask_about_words(ask, page, marked)
    _describe(scene, page, columns)
    return scene


# ---------------------------------------------------------------------------------------------------
# Layouts


def _style(rng: random.Random, split: Split) -> Style:
    dark = rng.random() < 0.12
    level = rng.randint(18, 42) if dark else rng.randint(236, 255)
    paper = (level, level - rng.randint(0, 6), level - rng.randint(0, 16))
    ink = readable_on(paper)
    if rng.random() < 0.3:
        ink = tuple(round(0.85 * i + 0.15 * p) for i, p in zip(ink, paper, strict=True))  # type: ignore[assignment]
    accent = ink
    if rng.random() < 0.5:
        accent = colour(
            rng, split, rng.choice(("orange", "yellow") if dark else ("red", "blue", "purple", "brown"))
        )
    font = text_font(rng, split)
    heading_font = font if rng.random() < 0.25 else latin_font(rng, split)
    x_height = rng.uniform(7.6, 8.8)
    return Style(
        paper,
        ink,
        accent,
        font,
        size_of_x_height(font, x_height),
        heading_font,
        size_of_x_height(heading_font, x_height * rng.uniform(1.15, 1.45)),
        rng.uniform(1.2, 1.42),
        rng.random() < 0.4,
        rng.choice((0.0, 0.0, 14.0, 20.0)),
    )


def _title(page: Page, align: Literal["left", "centre"], ratio: float = 1.5) -> None:
    style = page.style
    font = style.heading_font
    size = round(style.heading_size * ratio)
    text = prose.heading(page.rng, page.scene.split)
    while width_of_words(text.split(), font, size) > page.right - page.left:
        size -= 1
    page.put("title", text, font=font, size=size, ink=style.accent, align=align)
    page.pen += style.size * 0.5


def _fresh_heading(page: Page) -> str:
    while True:
        text = prose.heading(page.rng, page.scene.split)
        if all(text != block.text for block in page.blocks):
            return text


def _number_page(page: Page, x: float, baseline: float, align: str, form: str) -> None:
    """A page number, its right edge, middle or left edge at x."""
    style, number = page.style, page.rng.randint(2, 480)
    words = form.format(number).split()
    width = width_of_words(words, style.font, style.size)
    x -= {"left": 0.0, "centre": width / 2, "right": width}[align]
    at = len(page.scene.placed)
    placed, characters = set_words(page.scene.picture, x, baseline, words, style.font, style.size, style.ink)
    page.scene.placed += placed
    page.characters += characters
    box = (placed[0].box[0], placed[0].box[1], placed[-1].box[2], placed[-1].box[3])
    page.blocks.append(Block("number", str(number), 0, [words], [list(range(at, at + len(words)))], box))


def _fill(
    page: Page,
    loses: bool,
    sentences: tuple[int, int] = (1, 3),
    headed: float = 0.45,
    align: Literal["left", "centre"] = "left",
) -> bool:
    """Headings and paragraphs to the end of the column. Gives whether a line was lost."""
    rng, lost, since = page.rng, False, 9
    while True:
        if (since > 1 or rng.random() < headed) and page.heading(_fresh_heading(page), align):
            since = 0
        before = None if since else page.style.size * 0.4
        block = page.paragraph(rng.randint(*sentences), loses=loses and not lost, before=before)
        block = block or page.paragraph(1, before=before)
        if block is None:
            return lost
        lost, since = lost or block.lost is not None, since + 1


def _article(page: Page, loses: bool) -> int:
    """A title over sections in one column, and mostly a page number at the foot."""
    width, height = page.scene.picture.size
    margin, rng = page.rng.randint(24, 42), page.rng
    numbered = rng.random() < 0.7
    page.open_column(0, margin, margin * 0.8, width - margin, height - (44 if numbered else 20))
    _title(page, rng.choice(("left", "centre")))
    if rng.random() < 0.4:
        page.draw.line(
            (margin, page.pen, width - margin, page.pen), fill=page.style.accent, width=rng.choice((1, 2))
        )
    page.pen += page.style.size * 0.5
    _fill(page, loses)
    if numbered:
        align = rng.choice(("centre", "right"))
        x = width / 2 if align == "centre" else width - margin
        _number_page(page, x, height - 16, align, rng.choice(("{}", "- {} -", "Page {}")))
    return 1


def _newsletter(page: Page, loses: bool) -> int:
    """A title across two columns."""
    width, height = page.scene.picture.size
    rng, margin, gutter = page.rng, page.rng.randint(18, 26), page.rng.randint(22, 34)
    page.open_column(0, margin, margin * 0.7, width - margin, height - 40)
    _title(page, rng.choice(("left", "centre")), 1.7)
    page.draw.line(
        (margin, page.pen, width - margin, page.pen), fill=page.style.ink, width=rng.choice((1, 2, 3))
    )
    top = page.pen + page.style.size * 0.8
    column_width = (width - 2 * margin - gutter) / 2
    lost = False
    for number in range(2):
        left = margin + number * (column_width + gutter)
        page.open_column(number, left, top, left + column_width, height - 40)
        lost = _fill(page, loses and not lost, (1, 2)) or lost
    if rng.random() < 0.5:
        x = margin + column_width + gutter / 2
        page.draw.line((x, top, x, height - 40), fill=page.style.accent, width=1)
    if rng.random() < 0.7:
        _number_page(page, width - margin, height - 14, "right", rng.choice(("{}", "Page {}")))
    return 2


def _list_of_tasks(page: Page, marks: str, count: int) -> None:
    rng, style, tasks = page.rng, page.style, set()
    above, _ = extent(style.font, style.size)
    for number in range(count):
        while (text := prose.task(rng, page.scene.split)) in tasks:
            pass
        tasks.add(text)
        block = page.put("item", text, inset=style.size * 1.7, before=style.size * 0.35)
        if block is None:
            return
        baseline = block.box[1] + above
        left, middle = page.left + style.size * 0.4, baseline - above * 0.36
        if marks == "numbers":
            face_words = [f"{number + 1}."]
            set_words(page.scene.picture, left - 3, baseline, face_words, style.font, style.size, style.ink)
        elif marks == "boxes":
            page.draw.rectangle((left, middle - 4, left + 9, middle + 5), outline=style.ink)
        else:
            page.draw.ellipse((left + 2, middle - 2, left + 7, middle + 3), fill=style.accent)


def _handout(page: Page, loses: bool) -> int:
    """A title, a paragraph, a list of things to do, and whatever text still fits."""
    width, height = page.scene.picture.size
    rng, margin = page.rng, page.rng.randint(22, 40)
    page.open_column(0, margin, margin * 0.8, width - margin, height - 20)
    _title(page, "left")
    page.paragraph(rng.randint(1, 2), loses=loses)
    page.heading(_fresh_heading(page))
    page.pen += page.style.size * 0.3
    _list_of_tasks(page, rng.choice(("numbers", "boxes", "dots")), rng.randint(3, 6))
    _fill(page, False)
    return 1


def _letter(page: Page, loses: bool) -> int:
    """Date, greeting, paragraphs, a signature."""
    width, height = page.scene.picture.size
    rng, split, margin = page.rng, page.scene.split, page.rng.randint(30, 48)
    step = page.style.size * page.style.leading
    page.open_column(0, margin, margin * 0.8, width - margin, height - 24 - 3.2 * step)
    month = rng.choice(("January", "March", "April", "June", "July", "September", "October", "December"))
    page.put(
        "date", f"{rng.randint(1, 28)} {month} {rng.randint(1961, 2024)}", align=rng.choice(("left", "right"))
    )
    page.put("greeting", f"Dear {prose.person(rng, split)},", before=step * 0.9)
    page.pen += step * 0.3
    lost = False
    for _ in range(rng.randint(2, 6)):
        block = page.paragraph(rng.randint(1, 3), loses=loses and not lost)
        if block is None:
            break
        lost = lost or block.lost is not None
    page.bottom = height - 8
    page.put(
        "greeting", rng.choice(("Yours sincerely,", "Kind regards,", "With best wishes,")), before=step * 0.8
    )
    hand = page.style.heading_font
    size = round(page.style.heading_size * 1.1)
    page.put(
        "signature", prose.person(rng, split), font=hand, size=size, ink=page.style.accent, before=step * 0.5
    )
    return 1


def _chapter(page: Page, loses: bool) -> int:
    """A page of a book: a running head with the page number, a rule, numbered sections, indented paragraphs."""
    width, height = page.scene.picture.size
    rng, style, margin = page.rng, page.style, page.rng.randint(34, 54)
    style.justified, style.indent = True, 16.0
    above, _ = extent(style.font, style.size)
    page.open_column(0, margin, 12, width - margin, height - 22)
    page.put("running head", f"Chapter {rng.randint(1, 19)}")
    _number_page(page, width - margin, 12 + above, "right", "{}")
    page.pen += 5
    page.draw.line((margin, page.pen, width - margin, page.pen), fill=style.ink, width=1)
    page.pen += style.size * 0.9
    page.top = page.pen
    _fill(page, loses, align="centre")
    return 1


def _leaflet(page: Page, loses: bool) -> int:
    """Two columns, each on a tinted card; the second ends with a list."""
    width, height = page.scene.picture.size
    rng, style, margin, gutter = page.rng, page.style, 14, 14
    page.open_column(0, margin, 10, width - margin, height)
    _title(page, "left", 1.6)
    top = page.pen + 2
    column_width = (width - 2 * margin - gutter) / 2
    tint = tuple(round(0.93 * p + 0.07 * a) for p, a in zip(style.paper, style.accent, strict=True))
    for number in range(2):
        left = margin + number * (column_width + gutter)
        page.draw.rounded_rectangle((left, top, left + column_width, height - margin), 10, tint, style.accent)
    lost = False
    for number in range(2):
        left = margin + number * (column_width + gutter) + 11
        bottom = height - margin - 8
        listed_tasks = rng.randint(3, 4) if number else 0
        room = listed_tasks * style.size * style.leading * 1.9
        page.open_column(number, left, top + 10, left + column_width - 22, bottom - room)
        lost = _fill(page, loses and not lost, (1, 2), headed=0.2) or lost
        if listed_tasks:
            page.bottom = bottom
            page.heading(_fresh_heading(page))
            _list_of_tasks(page, "dots", listed_tasks)
    return 2


_LAYOUTS = {
    "article": _article,
    "newsletter": _newsletter,
    "handout": _handout,
    "letter": _letter,
    "chapter": _chapter,
    "leaflet": _leaflet,
}
_SHAPES = {
    "article": ((448, 448), (416, 544), (448, 576), (512, 448)),
    "newsletter": ((560, 448), (576, 416), (640, 448)),
    "handout": ((448, 448), (416, 512), (480, 480)),
    "letter": ((448, 448), (416, 512), (448, 544)),
    "chapter": ((400, 544), (432, 560), (448, 480)),
    "leaflet": ((576, 448), (608, 432), (544, 480)),
}


def _mark(page: Page) -> int | None:
    """Draw a marker over one long word of a paragraph, below its letters."""
    words = [
        place
        for block in page.of_kind("paragraph")
        for line in block.places
        for place in line
        if len(page.scene.placed[place].label.strip(".,")) > 4
    ]
    if not words:
        return None
    place = page.rng.choice(words)
    left, top, right, bottom = (round(v) for v in page.scene.placed[place].box)
    box = (left - 2, top - 1, right + 2, bottom + 1)
    piece = page.scene.picture.crop(box)
    light = sum(page.style.paper) > 380
    shade = colour(
        page.rng, page.scene.split, page.rng.choice(("yellow", "pink") if light else ("blue", "purple"))
    )
    paint = Image.new("RGB", piece.size, shade)
    mask = piece.convert("L")
    low, high = mask.getextrema()
    spread = max(1, high - low)
    mask = mask.point([max(0, min(255, (v - low) * 255 // spread)) for v in range(256)])
    letters = piece if light else Image.new("RGB", piece.size, page.style.ink)
    result = Image.composite(paint, letters, mask) if light else Image.composite(letters, paint, mask)
    page.scene.picture.paste(result, box[:2])
    return place


# ---------------------------------------------------------------------------------------------------
# Questions


def _ask_about_page(ask: Asker, page: Page, columns: int) -> None:
    rng, headings = ask.rng, page.of_kind("heading")
    titles, numbers = page.of_kind("title"), page.of_kind("number")
    if titles:
        ask.verbatim("title", TITLE, titles[0].text, needs=titles[0].all_places)
    if numbers:
        ask.number("page number", PAGE_NUMBER, int(numbers[0].text), needs=numbers[0].places[0])
    else:
        ask.not_shown("page number that is absent", PAGE_NUMBER)
    ask.count("columns", COLUMNS, columns)
    if 2 <= len(headings) <= 6:
        ask.items("headings", HEADINGS, [block.text for block in headings], ordered=True)
        at = rng.randrange(len(headings) - 1)
        ask.text("next heading", AFTER, headings[at + 1].text, heading=headings[at].text)
        a, b = sorted(rng.sample(range(len(headings)), 2))
        ask.choice("first heading", FIRST, headings[a].text, (headings[b].text,), count=2)
    if headings:
        block = rng.choice(headings)
        ask.point("point to heading", POINT_HEADING, block.box, heading=block.text, needs=block.all_places)
    items = page.of_kind("item")
    if items:
        ask.count("items", ITEMS, len(items))
        at = rng.randrange(len(items))
        ask.text("item", ITEM, items[at].text, nth=ORDINALS[at], needs=items[at].all_places)
        ask.not_shown("item that is absent", ITEM, nth=ORDINALS[len(items) + rng.randrange(2)])
    signature = page.of_kind("signature")
    if signature:
        ask.text("signed", SIGNED, signature[0].text, needs=signature[0].places[0])
        greeting, date = page.of_kind("greeting")[0], page.of_kind("date")[0]
        ask.text("addressed", ADDRESSED, greeting.text[len("Dear ") : -1], needs=greeting.places[0][1:])
        ask.text("date", DATED, date.text, needs=date.places[0])


def _ask_about_paragraphs(ask: Asker, page: Page) -> None:
    rng, paragraphs = ask.rng, page.of_kind("paragraph")
    if not page.of_kind("greeting"):
        ask.count("paragraphs", PARAGRAPHS, len(paragraphs))
    at = rng.randrange(len(paragraphs))
    block = paragraphs[at]
    ask.box("box of paragraph", BOX_PARAGRAPH, block.box, which=ORDINALS[at])
    ask.count("length", LENGTH, len(block.lines), which=ORDINALS[at])
    whole = [i for i, block in enumerate(paragraphs) if block.lost is None and len(block.lines) <= 7]
    if whole:
        at = rng.choice(whole)
        block = paragraphs[at]
        ask.verbatim("paragraph", PARAGRAPH, block.text, which=ORDINALS[at], needs=block.all_places)
    under = []
    for block in page.blocks:
        if block.kind == "heading":
            under.append((block, None))
        elif block.kind == "paragraph" and under and (not block.lost or block.lost > 0):
            under.append((under[-1][0], block))
    pairs = [(heading, block) for heading, block in under if block is not None]
    if pairs and len({heading.text for heading, _ in pairs}) >= 2:
        heading, block = rng.choice(pairs)
        start = " ".join(block.lines[0][:3]).rstrip(".,")
        if sum(other.text.startswith(start) for other in paragraphs) == 1:
            needs = heading.all_places + block.places[0][:3]
            ask.text("heading above", UNDER, heading.text, start=start, needs=needs)
    if len(paragraphs) < len(ORDINALS) - 1:
        which = ORDINALS[len(paragraphs) + rng.randrange(2)]
        ask.not_shown("line that is absent", LINE, line=rng.randint(1, 2), which=which)


def _ask_about_words(ask: Asker, page: Page, marked: int | None) -> None:
    rng, paragraphs = ask.rng, page.of_kind("paragraph")
    placed = ask.scene.placed
    lines = [(i, n) for i, block in enumerate(paragraphs) for n, places in enumerate(block.places) if places]
    at, number = rng.choice(lines)
    said = " ".join(paragraphs[at].lines[number])
    ask.verbatim("line", LINE, said, line=number + 1, which=ORDINALS[at], needs=paragraphs[at].places[number])
    at, number = rng.choice(lines)
    words = paragraphs[at].lines[number]
    nth = rng.randrange(min(len(words), 5))
    ask.text(
        "word",
        WORD,
        words[nth].strip(".,"),
        nth=ORDINALS[nth],
        line=number + 1,
        which=ORDINALS[at],
        needs=[paragraphs[at].places[number][nth]],
    )
    at = rng.randrange(len(paragraphs))
    last = paragraphs[at].lines[-1][-1].strip(".,")
    ask.text("last word", LAST_WORD, last, which=ORDINALS[at], needs=paragraphs[at].places[-1][-1:])
    for i, block in enumerate(paragraphs):
        if block.lost is not None:
            ask.cant_be_read("line that can't be read", LINE, line=block.lost + 1, which=ORDINALS[i])
    if marked is not None:
        ask.text("marked", MARKED, placed[marked].label.strip(".,"), needs=[marked])
    if not page.lost_lines:
        shown = {p.label.strip(".,").casefold() for p in placed if p.kind == "word"}
        pool = prose.of_split(ask.split, rng.choice((prose.NOUNS, prose.ADJECTIVES, prose.VERBS)))
        there, missing = (
            [w for w in pool if w in shown],
            [w for w in pool if w + "s" not in shown and w not in shown],
        )
        if there and missing:
            present = rng.random() < 0.5
            ask.yes_no("present", PRESENT, present, word=rng.choice(there if present else missing))


def _describe(scene: Scene, page: Page, columns: int) -> None:
    kinds = {
        "article": "an article",
        "newsletter": "a newsletter",
        "handout": "a handout with a list",
        "letter": "a letter",
        "chapter": "a page of a book",
        "leaflet": "a leaflet",
    }
    what = kinds[scene.facts["template"]]
    titles, headings = page.of_kind("title"), page.of_kind("heading")
    paragraphs, items = page.of_kind("paragraph"), page.of_kind("item")
    scene.short_caption = f"{what[0].upper()}{what[1:]}."
    named = f' titled "{titles[0].text}"' if titles else ""
    signature = page.of_kind("signature")
    if signature:
        greeted = page.of_kind("greeting")[0].text[len("Dear ") : -1]
        named = f" from {signature[0].text} to {greeted}"
    set_in = " in two columns" if columns == 2 else ""
    many = NUMBERS[len(paragraphs)] if len(paragraphs) < len(NUMBERS) else str(len(paragraphs))
    text = "one paragraph" if len(paragraphs) == 1 else f"{many} paragraphs"
    scene.caption = f"{what[0].upper()}{what[1:]}{named}{set_in}, with {text} of text."
    parts = [scene.caption]
    if headings:
        quoted = [f'"{block.text}"' for block in headings]
        parts.append(
            f"The heading is {quoted[0]}."
            if len(quoted) == 1
            else f"The headings are {' and '.join(listed(quoted).rsplit(' or ', 1))}."
        )
    for block, which in zip(paragraphs, ORDINALS, strict=False):
        readable = " ".join(w for n, line in enumerate(block.lines) if n != block.lost for w in line[:99])
        if block.lost is None:
            parts.append(f'The {which} paragraph reads: "{readable}"')
        else:
            begun = " ".join(w for line in block.lines[: block.lost] for w in line)
            parts.append(f'The {which} paragraph begins "{begun}", then has a line that can\'t be read.')
    if items:
        parts.append("The list says: " + "; ".join(block.text for block in items) + ".")
    numbers = page.of_kind("number")
    if numbers:
        parts.append(f"The page number is {numbers[0].text}.")
    scene.long_caption = " ".join(parts)
