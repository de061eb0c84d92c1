"""Kinds of pages: articles, newsletters, handouts and letters; chapters and leaflets for evaluation.

Each is a function that sets a whole page and gives the number of its columns. What is asked of it is left to pages.
"""

import random
from typing import Literal

from PIL import Image

from clearsight.data.worlds.drawing.fonts import latin_font, text_font
from clearsight.data.worlds.drawing.palette import colour, readable_on
from clearsight.data.worlds.drawing.running_text import extent, set_words, size_of_x_height, width_of_words
from clearsight.data.worlds.scene import Split
from clearsight.data.worlds.texts import prose
from clearsight.data.worlds.texts.page_setting import Block, Page, Style

TEMPLATES: dict[Split, tuple[str, ...]] = {
    "train": ("article", "newsletter", "handout", "letter"),
    "eval": ("chapter", "leaflet"),
}


def random_style(rng: random.Random, split: Split) -> Style:
    """Paper and ink, light or dark, and fonts of sizes in which they can be read."""
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


LAYOUTS = {
    "article": _article,
    "newsletter": _newsletter,
    "handout": _handout,
    "letter": _letter,
    "chapter": _chapter,
    "leaflet": _leaflet,
}
SHAPES = {
    "article": ((448, 448), (416, 544), (448, 576), (512, 448)),
    "newsletter": ((560, 448), (576, 416), (640, 448)),
    "handout": ((448, 448), (416, 512), (480, 480)),
    "letter": ((448, 448), (416, 512), (448, 544)),
    "chapter": ((400, 544), (432, 560), (448, 480)),
    "leaflet": ((576, 448), (608, 432), (544, 480)),
}


def mark_word(page: Page) -> int | None:
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
