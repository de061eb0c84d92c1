"""Text as it is meant: what people do to a word so that a filter misses it is undone before anything is judged.

Undone are: full-width and styled letters (NFKC), accents, invisible characters, look-alike letters of other scripts
(the single letters of Unicode's table of confusables, UTS 39), capitals, digits and signs in place of letters, letters
set apart by spaces or points, letters repeated, and words run together. Guesses are taken only where they lead to a
word of the vocabulary, so that ordinary text stays as it is.

Left out: misspellings by a missing or changed letter, letters masked by a star, other languages, and ciphers.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "confusables.json"
# Small letters of other scripts that look like small capitals; the table lists only their capitals.
_SMALL_CAPITALS = str.maketrans("вкмнтʙᴋᴍʜᴛ", "bkmhtbkmht")

_LEET = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "+": "t", "€": "e"}
_LEET_AS_I = str.maketrans(_LEET | {"1": "i", "!": "i", "|": "i"})
_LEET_AS_L = str.maketrans(_LEET | {"1": "l", "!": "l", "|": "l"})

_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=\S)|\n{2,}")
_NUMBERING = re.compile(r"(?:(?<=\s)|^)[(]?\d{1,2}[.)](?=\s|$)")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[\w@$!|+€*·.-]*[^\W_][\w@$|+€*·.-]*")
_SET_APART = re.compile(r"(?<![^\W_])(?:[^\W_@$][ \t.*_·~,/\\|-]{1,2}){2,}[^\W_](?![^\W_])")
_INNER = re.compile(r"[^\w@$!|+€']|_")
_REPEATED = re.compile(r"([^\W\d_])\1{1,}")
_MIN_GLUED, _MAX_GLUED = 7, 64
_MAX_WORD = 24


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


def words(text: str, vocabulary: Set[str]) -> list[str]:
    """The words of `plain` text as they are meant. Numbers of a list are dropped."""
    text = _NUMBERING.sub(" ", text)
    text = _SET_APART.sub(lambda run: _joined(run[0], vocabulary), text)
    found: list[str] = []
    for token in _TOKEN.findall(text):
        found += _meant(token, vocabulary)
    return found


def split_glued(text: str, vocabulary: Set[str]) -> list[str] | None:
    """The fewest words of the vocabulary that a run of letters is made of; None when there are none.

    Words of one letter count only where they are words of English, "a" and "i".
    """
    if not _MIN_GLUED <= len(text) <= _MAX_GLUED:
        return None
    best: list[tuple[int, int] | None] = [None] * (len(text) + 1)  # words so far, and where the last begins
    best[0] = (0, 0)
    for end in range(1, len(text) + 1):
        for start in range(max(0, end - _MAX_WORD), end):
            before = best[start]
            piece = text[start:end]
            if before is None or piece not in vocabulary or (len(piece) == 1 and piece not in "ai"):
                continue
            here = best[end]
            if here is None or before[0] + 1 < here[0]:
                best[end] = (before[0] + 1, start)
    if best[-1] is None or 3 * best[-1][0] > len(text) + 2:  # words of under three letters on average are chance
        return None
    pieces, end = [], len(text)
    while end:
        step = best[end]
        assert step is not None
        pieces.append(text[step[1] : end])
        end = step[1]
    return pieces[::-1]


def _meant(token: str, vocabulary: Set[str]) -> Sequence[str]:
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
    return (token,)


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


def _joined(run: str, vocabulary: Set[str]) -> str:
    """Letters that were set apart, joined to words; a run that makes no words stays as it is."""
    wide = re.split(r"[ \t]{2,}", run)
    if len(wide) > 1 and all(len(part) > 1 for part in wide):
        return " ".join(_joined(part, vocabulary) for part in wide)
    letters = "".join(c for c in run if c.isalnum())
    for guess in (letters, *guesses(letters)):
        if guess in vocabulary and len(guess) > 2:
            return f" {guess} "
        glued = split_glued(guess, vocabulary)
        if glued:
            return f" {' '.join(glued)} "
    return run


@cache
def _confusables() -> dict[int, str]:
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {ord(character): letter for letter, alike in table["letters"].items() for character in alike}
