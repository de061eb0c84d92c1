"""The step that keeps evaluations out of training: their pictures, copies of these, and their texts."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from clearsight.data.curation import contamination, neighbours
from clearsight.data.curation.extras import require
from clearsight.data.curation.picture_steps import distinct, fingerprints_of, verified
from clearsight.data.curation.pipeline import Outcome, Removal, Run
from clearsight.data.curation.store import Store
from clearsight.data.curation.tables import lists
from clearsight.data.curation.text_steps import TEXTS_AT_ONCE
from clearsight.data.curation.texts import texts_of


def decontamination(run: Run, folder: Path) -> Outcome:
    if not run.evaluation:
        return Outcome(skipped="no evaluation sets are given")
    removals: dict[int, Removal] = {}
    for name, store in run.evaluation.items():
        _shown_in_evaluation(run, folder, name, store, removals)
    _said_in_evaluation(run, removals)
    return Outcome(list(removals.values()), "against " + ", ".join(run.evaluation))


def _shown_in_evaluation(
    run: Run, folder: Path, name: str, store: Store, removals: dict[int, Removal]
) -> None:
    rows, shas, prints = fingerprints_of(run, "pictures", run.alive)
    its_rows, its_shas, its_prints = fingerprints_of(run, f"evaluation-{name}", None)
    row_of_sha = dict(zip(its_shas[::-1], its_rows[::-1], strict=True))
    for row, sha in zip(rows, shas, strict=True):
        if sha in row_of_sha:
            like = int(row_of_sha[sha])
            removals.setdefault(int(row), Removal(int(row), "an evaluation's picture", name, like, True))
    (_, first, which), (_, its_first, _) = distinct(shas), distinct(its_shas)
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
    like_of: dict[int, int] = {}
    for one, its in pairs[same][:, :2]:
        like_of.setdefault(int(one), int(its_rows[its_first[its]]))
    for row, file in zip(rows, which, strict=True):
        if int(file) in like_of:
            removal = Removal(int(row), "a copy of an evaluation's picture", name, like_of[int(file)], True)
            removals.setdefault(int(row), removal)


def _said_in_evaluation(run: Run, removals: dict[int, Removal]) -> None:
    daft = require("daft", "to run the pipeline")
    known = contamination.EvaluationTexts(
        {
            name: (
                text
                for value in store.columns("json")["json"].to_pylist()
                for text in texts_of(json.loads(value))
            )
            for name, store in run.evaluation.items()
        }
    )

    def search(jsons: list[str]) -> list[Any]:
        return [known.hits(texts_of(json.loads(value))).tolist() for value in jsons]

    listed = daft.DataType.list(daft.DataType.int64())
    frame = run.mapped(run.frame("json"), search, ["json"], listed, TEXTS_AT_ONCE)
    table = run.collected(frame, "Looking for evaluation texts", int(run.alive.sum()))
    found = [(row, hits) for row, hits in zip(*lists(table, "row", "found"), strict=True) if hits]
    rows = np.array([row for row, hits in found for _ in hits], dtype=np.int64)
    hits = np.array([hit for _, hits in found for hit in hits], dtype=np.int64)
    for row, hit in contamination.contaminated(rows, hits, run.options.common_phrase).items():
        removal = Removal(row, "text of an evaluation", known.names[known.owners[hit]])
        removals.setdefault(row, removal)
