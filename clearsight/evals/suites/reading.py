"""Reading: transcription, in a form that a program which only reads can be held to as well.

Single lines are cut out of their pictures, so that the whole text is the answer, and judged by their error rate.
Of what stands in a larger picture it is asked whether the right text stands in the reply (OCRBench's definition):
a model answers the question, a reader gives everything it finds. Drawn from seeds that training never uses, Latin
script alone, since that is what all readers know.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from clearsight.conversation import Conversation, Image, user
from clearsight.data import worlds
from clearsight.data.worlds.scene import Question, Scene
from clearsight.evals.item import Item
from clearsight.evals.suites.mini import item_of
from clearsight.evals.suites.real import questions
from clearsight.evals.suites.suite import Suite

COUNT = 40  # questions of a group
SCENES = 400  # pictures of a world looked at, at most, to find them
FIRST_SEED = 2_000_000  # so that no other suite shows the same pictures
MARGIN = 0.4  # of a line's height, around it
MAX_TOKENS = 160
SHORTEST = 3  # characters of an answer in a real picture; shorter ones stand in many a text by chance
LINE = "Transcribe the text in this picture."
LARGER = {
    "lines": ("read", "below", "largest"),
    "pages": ("title", "line"),
    "code": ("comment", "printed"),
    "bar_charts": ("title", "axis title"),
}


def suite(count: int = COUNT) -> Suite:
    """`count` single lines, and as many questions about larger pictures of each world in `LARGER`."""

    def items() -> Iterator[Item]:
        yield from _lines(count)
        for world in LARGER:
            yield from _larger(world, count)
        for item in questions.suite().items():
            if item.group == "reading" and len(item.truth.answer) >= SHORTEST:
                yield replace(item, group="in real pictures", metric="ocrbench", max_tokens=MAX_TOKENS)

    about = (
        f"{count} single lines, {count} questions about each of {len(LARGER)} kinds of larger drawn pictures, and "
        "those about what is written in real ones."
    )
    return Suite("reading", items, about)


def _lines(count: int) -> Iterator[Item]:
    """Lines cut out of their pictures."""
    for scene, number, question in _questions("lines", ("read",), count):
        assert question.needs is not None
        boxes = [scene.placed[place].box for place in question.needs]
        left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
        margin = MARGIN * (bottom - top)
        width, height = scene.picture.size
        cut = scene.picture.crop(
            (
                round(max(0, left - margin)),
                round(max(0, top - margin)),
                round(min(width, right + margin)),
                round(min(height, bottom + margin)),
            )
        )
        whole = item_of(scene, [Image(pixels=cut)], number, question, "reading:cut", "one line", "one line")
        yield replace(whole, conversation=Conversation((user(Image(pixels=cut), LINE),)), metric="cer")


def _larger(world: str, count: int) -> Iterator[Item]:
    for scene, number, question in _questions(world, LARGER[world], count):
        pictures = [Image(pixels=picture) for picture in scene.pictures]
        whole = item_of(scene, pictures, number, question, "reading", f"in {world.replace('_', ' ')}")
        yield replace(whole, metric="ocrbench", max_tokens=MAX_TOKENS)


def _questions(world: str, skills: tuple[str, ...], count: int) -> Iterator[tuple[Scene, int, Question]]:
    """Questions in the order of seeds, two of a picture at most."""
    found = 0
    for seed in range(FIRST_SEED, FIRST_SEED + SCENES):
        scene = worlds.load(world).sample(seed, "eval")
        fitting = [(n, q) for n, q in enumerate(scene.questions) if q.skill in skills and _latin(q.answer)]
        for number, question in fitting[:2]:
            if found == count:
                return
            found += 1
            yield scene, number, question


def _latin(text: str) -> bool:
    kinds = Counter(unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha())
    return kinds[True] > 0 and not kinds[False]
