"""WordNet 3.0 as Debian has it: what words mean, as questions of text alone.

A set of synonyms gives one question: what one of them means, which word a definition belongs to, or, for a noun, what
kind of thing it is. Definitions that say a word is offensive or obscene are left out.

WordNet has a licence of its own: use, change and redistribution without a fee as long as its copyright notice stays.
SPDX has no identifier for it, hence LicenseRef-WordNet-3.0. The file format: wndb(5WN).
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import SourceError, Tally, Unusable, records_of
from clearsight.data.sources.debian import find, named_with_version
from clearsight.data.sources.questions import answered, wording
from clearsight.data.verify import Truth

PACKAGE = "wordnet-base"
PLACES = ("/usr/share/wordnet", "/usr/local/share/wordnet/dict", "/usr/local/WordNet-3.0/dict")
LICENCE = "LicenseRef-WordNet-3.0"
PARTS_OF_SPEECH = {"noun": "noun", "verb": "verb", "adj": "adjective", "adv": "adverb"}  # file suffix to name
MEANS = (
    "What does {word} mean as {article}?",
    "Define {word} as {article}.",
    "What is one meaning of {word} as {article}?",
    "Explain {word} in a few words, as {article}.",
)
WHICH = (
    "Which {part} means: {definition}?",
    "What is the {part} for this: {definition}?",
    "Name the {part} with this meaning: {definition}.",
    "Give {article} that means: {definition}.",
)
KIND = (
    "What kind of thing is {word} ({definition})?",
    "{word}, meaning {definition}, is a kind of what?",
    "Name what {word} ({definition}) is a kind of.",
)
_UNWANTED = re.compile(
    r"\b(offensive|disparag\w+|derogatory|slurs?|obscene|vulgar|ethnic slur|insulting)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Synset:
    """One meaning: the words that have it, its definition, and where in the file of nouns its kind is described."""

    words: tuple[str, ...]
    definition: str
    kind_offset: int | None  # bytes


def records(
    folder: str | Path | None = None, *, skip: int = 0, tally: Tally | None = None
) -> Iterator[Record]:
    """A record of each meaning: nouns, verbs, adjectives, adverbs. Raises SourceError when WordNet is not there."""
    root = find(PACKAGE, PLACES, folder, "WordNet (data.noun and so on)")
    missing = [part for part in PARTS_OF_SPEECH if not (root / f"data.{part}").is_file()]
    if missing:
        raise SourceError(f"{root} has no data.{missing[0]}. On Debian or Ubuntu: apt-get install {PACKAGE}")
    source = named_with_version(PACKAGE) if folder is None else "WordNet"

    def build(item: tuple[str, bytes]) -> Record:
        suffix, line = item
        synset = parse(line)
        if _UNWANTED.search(synset.definition):
            raise Unusable("offensive word", synset.words[0])
        place = f"data.{suffix}:{int(line[:8])}"
        return _record(synset, PARTS_OF_SPEECH[suffix], root, Provenance(source, LICENCE, uri=place))

    return records_of(str(root), islice(_lines(root), skip, None), build, skip=skip, tally=tally)


def parse(line: bytes) -> Synset:
    """A line of a data file. Raises Unusable when it is damaged."""
    data, _, gloss = line.decode("utf-8", "replace").partition(" | ")
    fields = data.split()
    try:
        count = int(fields[3], 16)
        words = tuple(_word(fields[4 + 2 * i]) for i in range(count))
        at = 4 + 2 * count
        pointers = [fields[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(fields[at]))]
        kinds = [int(offset) for symbol, offset, part, _ in pointers if symbol in ("@", "@i") and part == "n"]
    except (IndexError, ValueError) as error:
        raise Unusable("damaged line", data[:40]) from error
    definition = gloss.split('"')[0].strip().rstrip(";:, ")
    if not definition or not words:
        raise Unusable("no definition", data[:40])
    return Synset(words, definition, kinds[0] if kinds else None)


def _record(synset: Synset, part: str, root: Path, provenance: Provenance) -> Record:
    key = provenance.uri
    article = f"{'an' if part[0] in 'aeiou' else 'a'} {part}"
    first, definition = synset.words[0], synset.definition
    form = zlib.crc32(b"form " + key.encode()) % 3
    if form == 0 and part == "noun" and synset.kind_offset is not None:
        kind = _at(root / "data.noun", synset.kind_offset)
        question = wording(KIND, key).format(word=_quoted(first), definition=definition)
        truth = Truth("text", kind.words[0], alternatives=kind.words[1:])
        return answered(question, kind.words[0], truth, "kind of thing", provenance)
    if form == 1:
        question = wording(WHICH, key).format(part=part, article=article, definition=definition)
        truth = Truth("text", first, alternatives=synset.words[1:])
        return answered(question, first, truth, "find the word", provenance)
    question = wording(MEANS, key).format(word=_quoted(first), article=article)
    return answered(question, definition, Truth("text", definition), "define", provenance)


def _lines(root: Path) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for suffix in PARTS_OF_SPEECH:
        with (root / f"data.{suffix}").open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.startswith(b"  "):  # the licence stands at the beginning
                    yield f"data.{suffix}, line {number}", (suffix, line)


def _at(path: Path, offset: int) -> Synset:
    with path.open("rb") as file:
        file.seek(offset)
        return parse(file.readline())


def _word(field: str) -> str:
    """A word as people write it: spaces for underscores, no mark of where an adjective may stand."""
    return re.sub(r"\((?:a|p|ip)\)$", "", field).replace("_", " ")


def _quoted(word: str) -> str:
    return f"“{word}”"
