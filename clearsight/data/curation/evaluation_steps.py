"""The step that keeps evaluations out of training: their pictures, copies of these, and their texts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearsight.data.curation import contamination, neighbours
from clearsight.data.curation.extras import require
from clearsight.data.curation.picture_steps import distinct, fingerprints_of, verified
from clearsight.data.curation.pipeline import Outcome, Removal, Run
from clearsight.data.curation.store import Store
from clearsight.data.curation.tables import grouped, lists
from clearsight.data.curation.text_steps import TEXTS_AT_ONCE
from clearsight.data.curation.texts import texts_of


@dataclass(frozen=True)
class Shared:
    """A record that shows a picture of an evaluation record: the same file, or a copy of it."""

    row: int
    evaluation_row: int
    same_file: bool


def decontamination(run: Run, folder: Path) -> Outcome:
    if not run.evaluation:
        return Outcome(skipped="no evaluation sets are given")
    removals: dict[int, Removal] = {}
    for name, store in run.evaluation.items():
        for one in shown_in_both(run, folder, name, store):
            reason = "an evaluation's picture" if one.same_file else "a copy of an evaluation's picture"
            removals.setdefault(one.row, Removal(one.row, reason, name, one.evaluation_row, True))
    known = evaluation_texts(run.evaluation)
    rows, hits = said_in_both(run, known)
    for row, hit in contamination.contaminated(rows, hits, run.options.common_phrase).items():
        removal = Removal(row, "text of an evaluation", known.names[known.owners[hit]])
        removals.setdefault(row, removal)
    return Outcome(list(removals.values()), "against " + ", ".join(run.evaluation))


def shown_in_both(run: Run, folder: Path, name: str, store: Store) -> Iterator[Shared]:
    """Every pair of a record that is left and an evaluation record with a picture in common; same files come first."""
    rows, shas, prints = fingerprints_of(run, "pictures", run.alive)
    its_rows, its_shas, its_prints = fingerprints_of(run, f"evaluation-{name}", None)
    (its_files, its_first, its_which), (_, first, which) = distinct(its_shas), distinct(shas)
    rows_of_file = grouped(its_which, its_rows)
    numbers = {sha: number for number, sha in enumerate(its_files)}
    for row, sha in zip(rows.tolist(), shas, strict=True):
        for its in rows_of_file[numbers[sha]] if sha in numbers else ():
            yield Shared(row, its, True)
    pairs = neighbours.copies_between(prints[first], its_prints[its_first], run.options.farthest_copy)
    mine, other, windows, back = pairs.T
    # A pair is (collection, picture) twice with the outer one first: 0 is training, 1 the evaluation.
    ahead = np.column_stack([np.zeros_like(mine), mine, np.ones_like(mine), other])
    same = verified(
        run,
        folder,
        [(run.store, rows[first], shas[first]), (store, its_rows[its_first], its_shas[its_first])],
        np.where(back[:, None] == 0, ahead, ahead[:, [2, 3, 0, 1]]),
        windows,
    )
    like = grouped(pairs[same][:, 0], pairs[same][:, 1])
    for row, file in zip(rows.tolist(), which.tolist(), strict=True):
        for its_file in like.get(file, ()):
            for its in rows_of_file[its_file]:
                yield Shared(row, its, False)


def evaluation_texts(stores: Mapping[str, Store]) -> contamination.EvaluationTexts:
    return contamination.EvaluationTexts(
        {
            name: (text for value in store.columns("json")["json"].to_pylist() for text in _texts(value))
            for name, store in stores.items()
        }
    )


def said_in_both(run: Run, known: contamination.EvaluationTexts) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of a row that is left and the place in `known.hashes` of a run of words or characters that it says too."""
    daft = require("daft", "to run the pipeline")

    def search(jsons: list[str]) -> list[Any]:
        return [known.hits(_texts(value)).tolist() for value in jsons]

    listed = daft.DataType.list(daft.DataType.int64())
    frame = run.mapped(run.frame("json"), search, ["json"], listed, TEXTS_AT_ONCE)
    table = run.collected(frame, "Looking for evaluation texts", int(run.alive.sum()))
    found = [(row, hits) for row, hits in zip(*lists(table, "row", "found"), strict=True) if hits]
    rows = np.array([row for row, hits in found for _ in hits], dtype=np.int64)
    return rows, np.array([hit for _, hits in found for hit in hits], dtype=np.int64)


def _texts(value: str) -> list[str]:
    return texts_of(json.loads(value))
