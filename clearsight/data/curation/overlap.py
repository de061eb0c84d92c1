"""Which questions of an evaluation a corpus holds: by the rules of the step that keeps evaluations out of training.

That step says which records must go; this says which questions were met, so that a score can be told with and without
them. Nothing is removed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clearsight.data.curation import contamination
from clearsight.data.curation.evaluation_steps import evaluation_texts, said_in_both, shown_in_both
from clearsight.data.curation.options import Options
from clearsight.data.curation.picture_steps import decoding
from clearsight.data.curation.pipeline import Run, use_runner
from clearsight.data.curation.store import Store
from clearsight.data.curation.tables import lists
from clearsight.data.curation.texts import texts_of
from clearsight.data.record import Record

How = Literal["the same file", "a copy of the picture", "text"]
_QUESTIONS = "questions"


@dataclass(frozen=True)
class Met:
    """A question, by its number, and a record of the corpus that holds its picture or text."""

    question: int
    how: How
    record: str
    source: str


@dataclass(frozen=True)
class Overlap:
    """`comparable` are the numbers of the questions whose text is long enough to be told from others."""

    met: list[Met]
    records: int
    comparable: frozenset[int]


def overlap(
    corpus: Iterable[Record], questions: Iterable[Record], folder: Path, options: Options | None = None
) -> Overlap:
    """Compare a corpus with questions; `folder` is empty, and takes a copy of both while that lasts.

    Raises ExtraMissing when the libraries of curation are not installed.
    """
    use_runner("native")
    run = Run(folder, options or Options(), "native", None, [_QUESTIONS])
    store = run.evaluation[_QUESTIONS]
    for target, records, title in (
        (run.store, corpus, "Reading the corpus"),
        (store, questions, "Reading questions"),
    ):
        with run.progress(title, None) as advance:
            target.ingest(records, advance)
    names, sources = lists(run.store.columns("id", "source"), "id", "source")
    run.alive = np.ones(len(names), dtype=bool)
    measures = run.stages / "decode"
    measures.mkdir(parents=True)
    decoding(run, measures)
    found: dict[tuple[int, How], int] = {}
    for one in shown_in_both(run, measures, _QUESTIONS, store):
        found.setdefault(
            (one.evaluation_row, "the same file" if one.same_file else "a copy of the picture"), one.row
        )
    texts = _Texts(store, run.options.common_phrase)
    for question, row in texts.met(run):
        found.setdefault((question, "text"), row)
    met = [Met(question, how, names[row], sources[row]) for (question, how), row in sorted(found.items())]
    return Overlap(met, len(names), frozenset(texts.comparable))


class _Texts:
    """The runs of all questions, and which questions own each. A run of half of them, or of many, is how they ask."""

    def __init__(self, store: Store, common: int):
        self.known, self.common = evaluation_texts({_QUESTIONS: store}), common
        own = [self.known.hits(texts_of(record.to_json())) for record in store.records()]
        question = np.repeat(np.arange(len(own)), [len(places) for places in own])
        places = np.concatenate(own) if own else np.empty(0, np.int64)
        kept = contamination.telling(places, min(common, max(1, len(own) // 2)))
        self.owners: dict[int, list[int]] = defaultdict(list)
        for place, number in zip(places[kept].tolist(), question[kept].tolist(), strict=True):
            self.owners[place].append(number)
        self.comparable = {number for numbers in self.owners.values() for number in numbers}

    def met(self, run: Run) -> Iterator[tuple[int, int]]:
        """Question and row of a record that says some of it."""
        rows, hits = said_in_both(run, self.known)
        kept = contamination.telling(hits, self.common)
        for row, hit in zip(rows[kept].tolist(), hits[kept].tolist(), strict=True):
            for question in self.owners.get(hit, ()):
                yield question, row
