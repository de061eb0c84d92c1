"""Which concepts the words of a sentence stand for: a lexicon of plain words, in concepts.toml.

A concept is what several words have in common for moderation: a thing that does harm, a person, asking for
instructions, a harmless frame such as history or medicine; related concepts form families. Phrases win over the
words in them ("bath bomb" is no bomb). Slurs are kept as hashes of the normalised word, so that none is written
down.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clearsight.safety.normalise import guesses, plain

_HERE = Path(__file__).parent
_TOKEN_SUFFIXES = ("s", "ed", "ing")
SLUR = "slur"


@dataclass(frozen=True)
class Match:
    """Words `start` to `end` of a sentence stand for these concepts (numbers of Lexicon.names)."""

    start: int
    end: int
    concepts: tuple[int, ...]


class Lexicon:
    """Concepts by phrase. Made once, by `lexicon()`; read only, so threads may share it."""

    def __init__(self, table: dict[str, dict[str, str]], families: dict[str, str], slurs: frozenset[str]):
        self.names = (*table, *families)
        self.words = {name: listed(entry["words"]) for name, entry in table.items()}
        self.tokens = {name: listed(entry.get("tokens", "")) for name, entry in table.items()}
        self._slurs = slurs
        found: dict[tuple[str, ...], set[int]] = {}
        family = {
            self.names.index(c): self.names.index(f)
            for f, members in families.items()
            for c in listed(members)
        }
        for number, name in enumerate(table):
            for entry in (*self.words[name], *self.tokens[name]):
                for form in _forms(entry):
                    found.setdefault(tuple(form.split()), set()).add(number)
        self._phrases = {phrase: _with_families(numbers, family) for phrase, numbers in found.items()}
        self._slur = _with_families({self.names.index(SLUR)}, family)
        self._longest: dict[str, int] = {}
        for phrase in self._phrases:
            self._longest[phrase[0]] = max(len(phrase), self._longest.get(phrase[0], 0))
        self.vocabulary = frozenset(word for phrase in self._phrases for word in phrase)

    def matches(self, words: Sequence[str]) -> list[Match]:
        """The longest phrases from left to right, without overlaps."""
        found, at = [], 0
        while at < len(words):
            word = words[at]
            longest = self._longest.get(word)
            step = 1
            if longest is None:
                if self.is_slur(word):
                    found.append(Match(at, at + 1, self._slur))
            else:
                for length in range(min(longest, len(words) - at), 0, -1):
                    concepts = self._phrases.get(tuple(words[at : at + length]))
                    if concepts is not None:
                        found.append(Match(at, at + length, concepts))
                        step = length
                        break
            at += step
        return found

    def is_slur(self, word: str) -> bool:
        if not 4 <= len(word) <= 20:
            return False
        return any(_hash(form) in self._slurs for form in (word, word.removesuffix("s"), *guesses(word)))


def listed(text: str) -> tuple[str, ...]:
    """Entries separated by commas, over any number of lines."""
    return tuple(entry for entry in " ".join(text.split()).split(", ") if entry)


@cache
def lexicon() -> Lexicon:
    """The shipped lexicon."""
    table: dict[str, Any] = tomllib.loads((_HERE / "concepts.toml").read_text(encoding="utf-8"))
    slurs = json.loads((_HERE / "slurs.json").read_text(encoding="utf-8"))
    families = table.pop("families")
    return Lexicon(table, families, frozenset(slurs["hashes"]))


def _with_families(concepts: set[int], family: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(sorted(concepts | {family[concept] for concept in concepts if concept in family}))


def _hash(word: str) -> str:
    return hashlib.blake2b(
        word.encode(errors="replace"), digest_size=6, person=b"clearsight:slur"
    ).hexdigest()


def _forms(entry: str) -> Iterator[str]:
    """A word or phrase as normalised text has it, its plural, and endings of verbs on its first word.

    Forms that are no English word do no harm: nobody writes them.
    """
    entry = plain(entry).replace("-", " ")
    yield entry
    if "'" in entry:
        yield entry.replace("'", "")
    first, _, rest = entry.partition(" ")
    rest = f" {rest}" if rest else ""
    if not rest or len(rest.split()) == 1:
        yield entry + "s"
        if entry.endswith("y") and entry[-2:-1] not in tuple("aeiou"):
            yield entry[:-1] + "ies"
    if len(first) < 3:
        return
    for ending in _TOKEN_SUFFIXES:
        yield first + ending + rest
    if first.endswith("e"):
        yield first + "d" + rest
        yield first[:-1] + "ing" + rest
    elif first[-1] not in "aeiouwxy" and first[-2] in "aeiou" and first[-3] not in "aeiou":
        yield first + first[-1] + "ed" + rest
        yield first + first[-1] + "ing" + rest
    if first.endswith(("s", "x", "ch", "sh")):
        yield first + "es" + rest
    if first.endswith("y"):
        yield first[:-1] + "ied" + rest
        yield first[:-1] + "ies" + rest
