"""Short lines of text as signs, labels and posters carry them: many fonts, sizes, angles, colours and scripts.

Everything is asked that reading one line takes: what it says, in which script, how large, in which colour, where.
Longer text is left to the world of pages.
"""

import random
from functools import cache

from PIL import Image

from clearsight.data.worlds.asking import Asker
from clearsight.data.worlds.drawing import lettering
from clearsight.data.worlds.drawing.fonts import SCRIPTS
from clearsight.data.worlds.drawing.palette import NAMES, background
from clearsight.data.worlds.scene import NUMBERS, Scene, Split, listed, rng_for
from clearsight.data.worlds.texts.line_contents import Text, make_texts
from clearsight.data.worlds.texts.line_layouts import LAYOUTS, ORDINALS, TEMPLATES
from clearsight.data.worlds.vocabulary import vocabulary

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


def sample(seed: int, split: Split) -> Scene:
    rng = rng_for("lines", seed, split)
    template = rng.choice(TEMPLATES[split])
    canvas, ground = background(rng, split)
    width, height = rng.choice(((448, 448), (448, 448), (560, 360), (360, 560), (640, 320)))
    if canvas.size != (width, height):
        canvas = canvas.resize((width, height), Image.Resampling.BILINEAR)
    scene = Scene("lines", seed, split, canvas)
    texts = make_texts(rng, split, rng.choice((1, 2, 3, 3, 4, 4, 5, 6)), width)
    LAYOUTS[template](rng, scene, texts, ground)
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
    scripts = list(dict.fromkeys(text.script for text in readable))
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
