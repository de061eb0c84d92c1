"""The text classifier: how likely a message belongs to each category of content, well under a millisecond each.

Text is normalised (see normalise), its words are replaced by the concepts they stand for (see concepts), and a linear
head weighs concepts, pairs of concepts, pairs in order that stand close together, and the remaining words, hashed. The
head is trained on generated sentences (see train_text) in which made-up words stand for whatever does harm. Sentences
are judged alone, with the sentence before, and in windows; the highest score counts. Whether numbers are somebody's
private data is `private_data`, by their checksums.

What this can do: find plainly worded requests, threats, insults and injections in English that use words of the
lexicon, however they are disguised in the ways that `normalise` undoes; and let pass questions that merely share
words with them. What it can't: understand. It misses euphemisms, other languages, harm that no word betrays, and
arguments spread over many sentences; it flags quotations. Measured by benchmarks/moderation.py, thresholds of
`public`, 95% intervals: of 558 templates that were kept from training, filled with words that were too, 89% are
found (86 to 92), 76 to 89% in disguise and 67% when every long word is misspelt, while 5.4% (4 to 8) of 522 benign
ones made to look like them are flagged. That flatters: one hand wrote templates and lexicon. Of prompts by other
people that were not looked at before, it finds 62% of 103 of HarmBench (52 to 71) and 31% of 128 of the misuse part
of Do-Not-Answer (24 to 40), at a threshold of 0.5; of 3,000 sentences of Python's documentation it flags 0.4%. It is
a first line. Where that isn't enough, put a guard model behind the same interface.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from clearsight.data.curation import personal
from clearsight.data.worlds.vocabulary import vocabulary
from clearsight.safety import normalise
from clearsight.safety.concepts import Lexicon, lexicon
from clearsight.safety.policy import CATEGORIES

HEAD = Path(__file__).parent / "text_head.safetensors"
SETTINGS = Path(__file__).parent / "text_head.json"

BUCKETS = 1 << 12
WINDOW, STRIDE = 48, 32  # words
NEAR = 3  # words that may stand between two concepts that are close together

# How sure a kind of personal data makes that it is somebody's.
_PRIVATE = {
    "card number": 0.95,
    "IBAN": 0.95,
    "social security number": 0.95,
    "e-mail address": 0.6,
    "phone number": 0.6,
    "IP address": 0.4,
}


@dataclass(frozen=True)
class FeatureSpace:
    """Where each feature of a sentence stands in the head: an index for every concept, pair and bucket of words."""

    num_concepts: int

    @property
    def size(self) -> int:
        return self.num_concepts + 2 * self.num_concepts**2 + BUCKETS

    def of(self, words: Sequence[str], concepts: Lexicon) -> list[int]:
        """Indices of what is present, each once."""
        count = self.num_concepts
        found: set[int] = set()
        taken: set[int] = set()
        matches = concepts.matches(words)
        for at, match in enumerate(matches):
            taken.update(range(match.start, match.end))
            found.update(match.concepts)
            for earlier in matches[:at]:
                near = match.start - earlier.end <= NEAR
                for first in earlier.concepts:
                    for second in match.concepts:
                        found.add(count + min(first, second) * count + max(first, second))
                        if near:
                            found.add(count + count**2 + first * count + second)
        base = count + 2 * count**2
        found.update(base + _bucket(word) for at, word in enumerate(words) if at not in taken)
        return sorted(found)


class TextClassifier:
    """A head over the features of sentences. Read only after it is made, so threads may share it."""

    def __init__(self, weights: np.ndarray, biases: np.ndarray, known: Iterable[str]):
        self.lexicon = lexicon()
        self.space = FeatureSpace(len(self.lexicon.names))
        assert weights.shape == (self.space.size, len(CATEGORIES)), (
            "the head is of another lexicon: train it again"
        )
        self._weights, self._biases = weights.astype(np.float32), biases.astype(np.float32)
        self.vocabulary = known_words(known)

    def tensors(self) -> dict[str, np.ndarray]:
        """The head as it is kept in a file."""
        return {"weights": self._weights.astype(np.float16), "biases": self._biases}

    def scores(self, text: str) -> dict[str, float]:
        """Probability per category, 0 to 1: the highest of any sentence. Time grows with the length of the text."""
        best = np.zeros(len(CATEGORIES))
        for words in self._windows(normalise.plain(text)):
            best = np.maximum(best, self._judge(words))
        return dict(zip(CATEGORIES, best.tolist(), strict=True))

    def words(self, text: str) -> list[str]:
        """The words of a text as they are judged."""
        return normalise.words(normalise.plain(text), self.vocabulary)

    def joined_scores(self, texts: Sequence[str]) -> dict[str, float]:
        """As `scores`, of short texts that belong together and are read as one sentence, whatever stops they hold."""
        words = [word for text in texts for word in self.words(text)]
        best = np.zeros(len(CATEGORIES))
        for window in _cut(words):
            best = np.maximum(best, self._judge(window))
        return dict(zip(CATEGORIES, best.tolist(), strict=True))

    def mentions(self, texts: Iterable[str], concept: str) -> bool:
        """Whether a word of any text stands for a concept of the lexicon."""
        number = self.lexicon.names.index(concept)
        return any(
            number in match.concepts for text in texts for match in self.lexicon.matches(self.words(text))
        )

    def _windows(self, text: str) -> Iterator[list[str]]:
        before: list[str] = []
        for sentence in normalise.sentences(text):
            words = normalise.words(sentence, self.vocabulary)
            yield from _cut(words)
            if before and len(before) + len(words) <= WINDOW:
                yield before + words
            before = words

    def _judge(self, words: Sequence[str]) -> np.ndarray:
        logits = self._weights[self.space.of(words, self.lexicon)].sum(0) + self._biases
        return 1 / (1 + np.exp(-logits))


def private_data(text: str) -> float:
    """How sure it is that the text holds somebody's private data: numbers with valid checksums, addresses of e-mail.

    Raises ExtraMissing when there are digits to look at and the package phonenumbers is not installed.
    """
    if not any(character.isdigit() or character == "@" for character in text):
        return 0.0
    return max((_PRIVATE[finding.kind] for finding in personal.find(text)), default=0.0)


def known_words(known: Iterable[str]) -> normalise.Vocabulary:
    """What disguises are undone to: words of the lexicon, of the sentences trained on, and common ones."""
    return normalise.Vocabulary(lexicon().vocabulary, (*known, *vocabulary("train"), *vocabulary("eval")))


@cache
def text_classifier() -> TextClassifier:
    """The shipped classifier."""
    settings: Mapping[str, Any] = json.loads(SETTINGS.read_text(encoding="utf-8"))
    tensors = load_file(HEAD)
    assert settings["categories"] == list(CATEGORIES), "the head is of other categories: train it again"
    return TextClassifier(tensors["weights"], tensors["biases"], settings["vocabulary"].split())


def _cut(words: list[str]) -> Iterator[list[str]]:
    """Windows that overlap; a short text is one window."""
    if words:
        for start in range(0, max(1, len(words) - WINDOW + STRIDE), STRIDE):
            yield words[start : start + WINDOW]


def _bucket(word: str) -> int:
    return zlib.crc32(word.encode(errors="replace")) % BUCKETS
