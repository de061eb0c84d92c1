"""Which words of an answer other answers to the same question don't bear out.

A model that knows says the same thing each time it is asked; one that guesses says something else. Blind users who
were shown where several answers differ were 4.9 times better at spotting what was wrong
(https://arxiv.org/abs/2507.15692). So the same prompt is answered a few times more, at a temperature, and each word
of the first answer gets

    support(w) = (1 / n) * number of the n others that contain w

where "contain" is judged on normalised words: lower case without accents, "two" as 2, 1,000 as 1000, plurals as
their singular. Words that carry nothing ("the", "is", "there") have no support of their own, unless the answer has no
other words: "that" may be what a sign says. A word with less than half is doubtful; doubtful neighbours are one span,
with the lowest support among them. `answer_support` is the lowest of an answer's words: an answer is as uncertain as
its most uncertain word.

What this can't see: an error that is made every time. What it gets wrong: another word for the same thing ("sofa",
"couch") counts as disagreement; long answers that pick other details do so too, which is why few words of a long
answer ought to be believed or doubted by this alone. `benchmarks/agreement.py` measures how far low support foretells
wrong answers.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from clearsight.data.verify import NUMBER_WORDS

SAMPLES = 5
TEMPERATURE = 0.8
DOUBTFUL = 0.5
"""Words with less support than this are doubtful."""

_WORD = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*%?", re.UNICODE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_EMPTY_WORDS = """
    a an the this that these those it its is are was were be been being am there here and or but of in on at to from by
    with for as into onto over under near next which who whose what where when has have had having do does did can could
    may might will would should i you he she they we his her their our your my me him them us some any all also very so
    such then than too just only more most other another each both one's it's there's that's image picture photo
    photograph shows show showing shown appear appears seem seems see seen visible looks look depicts depict featuring
    features contains contain
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_TEN_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS = {word: 10 * (place + 2) for place, word in enumerate(_TEN_WORDS)}
_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "leaves": "leaf",
    "knives": "knife",
    "shelves": "shelf",
}


@dataclass(frozen=True)
class Doubt:
    """Characters `start` to `end` of the answer, and the share of other answers that bear them out."""

    start: int
    end: int
    text: str
    support: float

    def to_json(self) -> dict[str, object]:
        return {"start": self.start, "end": self.end, "text": self.text, "support": round(self.support, 3)}


@dataclass(frozen=True)
class _Word:
    start: int
    end: int
    norm: str


def words(text: str, *, empty: bool = False) -> list[_Word]:
    """The words of a text that carry something (with `empty` all of its words), in order, with where they stand."""
    found = [_Word(match.start(), match.end(), normal(match[0])) for match in _WORD.finditer(text)]
    return [word for word in found if empty or word.norm not in _EMPTY]


def normal(word: str) -> str:
    """A word as it is compared: case, accents, plural and the way a number is written don't count."""
    word = unicodedata.normalize("NFKD", word.casefold().replace("’", "'"))
    word = "".join(sign for sign in word if not unicodedata.combining(sign))
    word = _THOUSANDS.sub("", word)
    if word in NUMBER_WORDS:
        return str(NUMBER_WORDS.index(word))
    if word in _TENS:
        return str(_TENS[word])
    ten, _, one = word.partition("-")
    if ten in _TENS and one in NUMBER_WORDS[1:10]:
        return str(_TENS[ten] + NUMBER_WORDS.index(one))
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    return _singular(word.removesuffix("'s"))


def _singular(word: str) -> str:
    if not word.isalpha() or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "zes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


def supports(answer: str, others: Sequence[str]) -> list[tuple[int, int, float]]:
    """(start, end, support) of each word of an answer that carries something, or of each word where none does.

    Needs at least one other answer.
    """
    assert others, "support is measured against other answers"
    carrying = words(answer) or words(answer, empty=True)
    sets = [{word.norm for word in words(other, empty=True)} for other in others]
    return [(word.start, word.end, sum(word.norm in one for one in sets) / len(sets)) for word in carrying]


def answer_support(answer: str, others: Sequence[str]) -> float:
    """The lowest support of an answer's words, in [0, 1]; 1 for one without words."""
    return min((support for _, _, support in supports(answer, others)), default=1.0)


def doubts(answer: str, others: Sequence[str], below: float = DOUBTFUL) -> list[Doubt]:
    """What of an answer is doubtful, in order; doubtful words with only space or empty words between are one span."""
    found: list[Doubt] = []
    carrying = supports(answer, others)
    for place, (start, end, support) in enumerate(carrying):
        if support >= below:
            continue
        joined = found and place and carrying[place - 1][1] == found[-1].end
        if joined and re.fullmatch(r"[\s\w'’-]*", answer[found[-1].end : start]):
            last = found.pop()
            start, support = last.start, min(last.support, support)
        found.append(Doubt(start, end, answer[start:end], support))
    return found
