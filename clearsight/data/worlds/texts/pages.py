"""Pages of text: articles, newsletters, handouts, letters, with headings, paragraphs, columns, lists and page numbers.

Asked is what finding one's way on a page takes: which paragraph, which line, which word, under which heading, in
which column, in which order. Paragraphs are never broken across columns. Single lines are left to the world of lines.
"""

from PIL import Image

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.scene import NUMBERS, Scene, Split, listed, rng_for
from clearsight.data.worlds.texts import prose
from clearsight.data.worlds.texts.page_layouts import LAYOUTS, SHAPES, TEMPLATES, mark_word, random_style
from clearsight.data.worlds.texts.page_setting import Page

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


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("pages", seed, split)
    template = rng.choice(TEMPLATES[split])
    size = rng.choice(SHAPES[template])
    style = random_style(rng, split)
    scene = Scene("pages", seed, split, Image.new("RGB", size, style.paper))
    page = Page(scene, rng, style)
    loses = rng.random() < 0.4
    columns = LAYOUTS[template](page, loses)
    marked = mark_word(page) if rng.random() < 0.4 else None
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
