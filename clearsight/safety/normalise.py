"""Text as it is meant: what people do to a word so that a filter misses it is undone before anything is judged.

Undone are: full-width and styled letters (NFKC), accents, invisible characters, look-alike letters of other scripts
(the single letters of Unicode's table of confusables, UTS 39), capitals, digits and signs in place of letters, letters
set apart by spaces or points, letters repeated, and words run together. Guesses are taken only where they lead to a
word of the vocabulary, so that ordinary text stays as it is.

Left out: misspellings by a missing or changed letter, letters masked by a star, other languages, and ciphers.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "confusables.json"
# Small letters of other scripts that look like small capitals; the table lists only their capitals.
_SMALL_CAPITALS = str.maketrans("вкмнтʙᴋᴍʜᴛ", "bkmhtbkmht")

_LEET = {
    "0": "o",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "+": "t",
    "€": "e",
}
_LEET_AS_I = str.maketrans(_LEET | {"1": "i", "!": "i", "|": "i"})
_LEET_AS_L = str.maketrans(_LEET | {"1": "l", "!": "l", "|": "l"})

_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=\S)|\n{2,}")
_NUMBERING = re.compile(r"(?:(?<=\s)|^)[(]?\d{1,2}[.)](?=\s|$)")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[\w@$!|+€*·.-]*[^\W_][\w@$|+€*·.-]*")
_SET_APART = re.compile(r"(?<![^\W_])(?:[^\W_@$][ \t.*_·~,/\\|-]{1,2}){2,}[^\W_](?![^\W_])")
_INNER = re.compile(r"[^\w@$!|+€']|_")
_REPEATED = re.compile(r"([^\W\d_])\1{1,}")
_MIN_GLUED, _MAX_GLUED = 7, 160
_MAX_WORD = 24
_MIN_MISSPELT = 6
_UNKNOWN = 2  # what a letter of no word costs when a run is split; a word costs 1
_LETTERS_A_WORD = 3.2  # at least, on average: shorter pieces are chance ("spec-if-ied")
_LONG_RUN = 14  # letters from which a run may hold pieces that are no words


class Vocabulary:
    """Words that guesses may lead to. `watched` are those whose misspellings are worth undoing; read only."""

    def __init__(self, watched: Iterable[str], common: Iterable[str]):
        watched = frozenset(watched)
        self._words = watched | frozenset(common)
        self._one_lost: dict[str, str] = {}
        for word in sorted(watched):
            if len(word) >= _MIN_MISSPELT:
                for at in range(1, len(word)):
                    self._one_lost.setdefault(word[:at] + word[at + 1 :], word)

    def __contains__(self, word: str) -> bool:
        return word in self._words

    def misspelt(self, word: str) -> str | None:
        """The watched word that this may be: one letter lost, one too many, or two that changed places."""
        if word in self._one_lost:
            return self._one_lost[word]
        if _MIN_MISSPELT <= len(word) <= _MAX_WORD:
            for at in range(1, len(word)):
                swapped = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
                for guess in (word[:at] + word[at + 1 :], swapped):
                    if guess in self._words and len(guess) >= _MIN_MISSPELT:
                        return guess
        return None


def plain(text: str) -> str:
    """Lower-case text with styled letters, accents, invisible characters and look-alikes undone."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf" and c not in "ᅟᅠㅤ")
    table = _confusables()
    text = text.translate(table).casefold().translate(table).translate(_SMALL_CAPITALS)
    text = unicodedata.normalize("NFKD", text)
    return "".join(c for c in text if not unicodedata.combining(c)).replace("’", "'")


def sentences(text: str) -> list[str]:
    """Pieces of text that are judged by themselves: sentences, and paragraphs without a stop."""
    return [piece for piece in _SENTENCE.split(text) if piece.strip()]


def words(text: str, vocabulary: Vocabulary) -> list[str]:
    """The words of `plain` text as they are meant. Numbers of a list are dropped."""
    text = _NUMBERING.sub(" ", text)
    text = _SET_APART.sub(lambda run: _joined(run[0], vocabulary), text)
    found: list[str] = []
    for token in _TOKEN.findall(text):
        found += _meant(token, vocabulary)
    return found


def split_glued(text: str, vocabulary: Vocabulary, least: int = 3) -> list[str] | None:
    """The words that a run of letters is made of, as few as possible; None when they are fewer than `least`.

    A long run may hold pieces that are no words. Words of one letter count only where they are words of English.
    """
    if not _MIN_GLUED <= len(text) <= _MAX_GLUED:
        return None
    costs, starts = [0.0] + [math.inf] * len(text), [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - _MAX_WORD), end):
            piece = text[start:end]
            if piece in vocabulary and (len(piece) > 1 or piece in "ai"):
                cost = costs[start] + 1 + (len(piece) < 3)
            elif len(text) >= _LONG_RUN:
                cost = costs[start] + 1 + _UNKNOWN * len(piece)
            else:
                continue
            if cost < costs[end]:
                costs[end], starts[end] = cost, start
    pieces, end = [], len(text)
    while end and costs[-1] < math.inf:
        pieces.append(text[starts[end] : end])
        end = starts[end]
    known = sum(len(piece) for piece in pieces if piece in vocabulary)
    if len(pieces) < least or _LETTERS_A_WORD * len(pieces) > len(text) or 4 * known < 3 * len(text):
        return None
    return pieces[::-1]


def _meant(token: str, vocabulary: Vocabulary) -> Sequence[str]:
    token = token.strip("*·.-_|+")
    if token in vocabulary or not token:
        return (token,) if token else ()
    for guess in guesses(token):
        if guess in vocabulary:
            return (guess,)
    if "-" in token or "." in token or "_" in token:  # a compound: its parts are words too
        parts = [part for part in re.split(r"[-._]", token) if part]
        if len(parts) > 1:
            return [word for part in parts for word in _meant(part, vocabulary)]
    for guess in (token, *guesses(token)):
        glued = split_glued(guess, vocabulary)
        if glued:
            return glued
    return (vocabulary.misspelt(token) or token,)


def guesses(token: str) -> Iterator[str]:
    """What a token that is no known word may stand for, the likeliest first."""
    bare = _INNER.sub("", token)
    if bare != token:
        yield bare
    if not bare.isdigit():
        for table in (_LEET_AS_I, _LEET_AS_L):
            read = bare.translate(table)
            if read != bare:
                yield read
                yield _REPEATED.sub(r"\1", read)
    if _REPEATED.search(bare):
        yield _REPEATED.sub(r"\1\1", bare)
        yield _REPEATED.sub(r"\1", bare)


def _joined(run: str, vocabulary: Vocabulary) -> str:
    """Letters that were set apart, joined to words; a run that makes no words stays as it is."""
    for gap in (r"[ \t]{2,}", r"[ \t]"):
        parts = re.split(gap, run)
        if len(parts) > 1 and all(len(part) > 1 for part in parts):
            return " ".join(_joined(part, vocabulary) for part in parts)
    letters = "".join(c for c in run if c.isalnum())
    for guess in (letters, *guesses(letters)):
        if guess in vocabulary and len(guess) > 2:
            return f" {guess} "
        glued = split_glued(guess, vocabulary, least=2)
        if glued:
            return f" {' '.join(glued)} "
    return run


@cache
def _confusables() -> dict[int, str]:
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {ord(character): letter for letter, alike in table["letters"].items() for character in alike}
