"""Sentences to train and measure the text classifier on, made from templates: nothing harmful is written down.

Whatever does harm is a slot of a template. In training it holds a made-up word that stands for it ("zorvex" for a
drug); in measuring it may hold the dictionary words of the lexicon, put together in memory and never stored. Some
fillers are kept for measuring, disguises are never trained on, and templates take turns (see `fold`).
"""

import random
import re
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from clearsight.data.worlds.texts import prose
from clearsight.safety.concepts import lexicon, listed

Split = Literal["train", "held_out"]
Filling = Literal["made-up", "dictionary"]

_SLOT = re.compile(r"{([a-z_]+)}")
_TEMPLATES = Path(__file__).parent / "templates.toml"
# Which dictionary words fit a slot's grammar is not known, so longer phrases, which fit least, are left out.
_LONGEST_FILLER = 2
FOLDS = 5
FILLED_BY_CONCEPT = (
    *("drug", "explosive", "weapon", "poison", "malware", "fraud", "theft", "suicide", "sexual", "minor"),
    *("hurt", "gore", "group", "dehumanise", "slur", "insult"),
)


@dataclass(frozen=True)
class Sentence:
    """A text, what is to be found in it (nothing, if it is benign), and the group of templates it comes from."""

    text: str
    categories: frozenset[str]
    group: str


def sentence(
    rng: random.Random, split: Split, filling: Filling, group: str, template: str | None = None
) -> Sentence:
    """One sentence of a group of templates; `split` and `filling` say what the slots may hold."""
    found = _table()["groups"][group]
    template = template or rng.choice(templates(group))
    text = _SLOT.sub(lambda slot: _fill(rng, split, filling, slot[1]), template)
    return Sentence(text, frozenset(found.get("categories", ())), group)


def groups(benign: bool | None = None) -> list[str]:
    """Names of the groups: all, or those that are benign, or those that are not."""
    table = _table()["groups"]
    return [name for name in table if benign is None or ("categories" not in table[name]) == benign]


@cache
def templates(group: str) -> tuple[str, ...]:
    lines = (line for line in _table()["groups"][group]["templates"].split("\n") if line)
    return tuple(dict.fromkeys(lines))


def fold(template: str) -> int:
    """In which of FOLDS turns a template is measured and not trained on."""
    return zlib.crc32(template.encode()) % FOLDS


def small_talk(rng: random.Random, split: Split) -> str:
    """A sentence about nothing in particular."""
    return prose.sentence(rng, "train" if split == "train" else "eval")


def template_words() -> frozenset[str]:
    """Every word of the templates and their fillers that are trained on, for undoing disguises."""
    table = _table()
    texts = [" ".join(templates(group)) for group in groups()]
    texts += [entry["train"] for entry in table["slots"].values()]
    return frozenset(re.findall(r"[a-z']{2,}", _SLOT.sub(" ", " ".join(texts))))


def disguised(rng: random.Random, text: str, disguise: str) -> str:
    """The text as somebody would write it who wants to get past a filter; see DISGUISES."""
    return DISGUISES[disguise](rng, text)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(_TEMPLATES.read_text(encoding="utf-8"))


def _fill(rng: random.Random, split: Split, filling: Filling, slot: str) -> str:
    if slot in FILLED_BY_CONCEPT:
        return rng.choice(_concept_fillers(split, filling, slot))
    return rng.choice(_slot_fillers(split, slot))


@cache
def _slot_fillers(split: Split, slot: str) -> tuple[str, ...]:
    return listed(_table()["slots"][slot][split])


@cache
def _concept_fillers(split: Split, filling: Filling, slot: str) -> tuple[str, ...]:
    """Of made-up words two in three are trained on; dictionary words are for measuring alone."""
    if filling == "made-up" or slot == "slur":
        words = lexicon().tokens[slot]
        kept = len(words) - len(words) // 3
        return words[:kept] if split == "train" else words[kept:]
    assert split == "held_out"
    return tuple(word for word in lexicon().words[slot] if len(word.split()) <= _LONGEST_FILLER)


# ------------------------------------------------------------------------------------------------------ disguises

_LOOK_ALIKES = str.maketrans("aceopxyi", "асеорхуі")  # Cyrillic
_FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_LEET = str.maketrans("aeiost", "431057")


def _long_words(rng: random.Random, text: str, change: Callable[[str], str], least: int = 4) -> str:
    """Change every word of so many letters: whoever disguises a word doesn't stop at the first."""
    return " ".join(
        change(word) if len(word) >= least and word.isalpha() and "{" not in word else word
        for word in text.split(" ")
    )


def _one_letter_lost(rng: random.Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1 :]


DISGUISES: dict[str, Callable[[random.Random, str], str]] = {
    "capitals": lambda rng, text: "".join(c.upper() if rng.random() < 0.5 else c for c in text),
    "look-alikes": lambda rng, text: text.translate(_LOOK_ALIKES),
    "full-width": lambda rng, text: text.translate(_FULL_WIDTH),
    "invisible": lambda rng, text: "".join(c + rng.choice(("", "\u200b", "\u200d", "\u00ad")) for c in text),
    "accents": lambda rng, text: "".join(
        c + (rng.choice("\u0301\u0308\u0323") if c.isalpha() else "") for c in text
    ),
    "leet": lambda rng, text: _long_words(rng, text, lambda word: word.translate(_LEET)),
    "spaced": lambda rng, text: _long_words(rng, text, lambda word: " ".join(word)),
    "dotted": lambda rng, text: _long_words(rng, text, lambda word: ".".join(word)),
    "all spaced": lambda rng, text: "  ".join(" ".join(word) for word in text.split(" ")),
    "repeated": lambda rng, text: _long_words(
        rng, text, lambda word: word[:2] + word[2] * 4 + word[3:], least=4
    ),
    "glued": lambda rng, text: "".join(text.split(" ")),
    "misspelt": lambda rng, text: _long_words(rng, text, lambda word: _one_letter_lost(rng, word), least=5),
}
"""By name. Misspelling is measured although it is not undone."""
