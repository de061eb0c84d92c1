"""Steps that ask a model, on a sample where it is slow: reading again, relevance, decency."""

import json
from pathlib import Path
from typing import Any

from clearsight.data.curation import optional_models
from clearsight.data.curation.extras import require
from clearsight.data.curation.pipeline import Outcome, Removal, Run
from clearsight.data.curation.store import record_of
from clearsight.data.curation.tables import lists, sample, write

RECORDS_AT_ONCE = 16


def reading(run: Run, folder: Path) -> Outcome:
    """Reads pictures of transcription records again and compares."""
    if not run.options.ocr_share:
        return Outcome(skipped="ocr_share is 0")
    daft = require("daft", "to run the pipeline")

    def read(jsons: list[str], pictures: list[list[bytes]]) -> list[Any]:
        found: list[Any] = []
        for value, row in zip(map(json.loads, jsons), pictures, strict=True):
            answers = [t["answer"] for t in value.get("truths") or () if t and t["kind"] == "verbatim"]
            answers = [answer for answer in answers if optional_models.readable(answer)]
            if not answers or not row:
                found.append(None)
                continue
            seen = "\n".join(map(optional_models.read_text, row))
            share = min(optional_models.agreement(answer, seen) for answer in answers)
            found.append({"read": seen, "agreement": share})
        return found

    kind = daft.DataType.struct({"read": daft.DataType.string(), "agreement": daft.DataType.float64()})
    rows = sample(run, "ocr", run.options.ocr_share)
    frame = run.frame("json", "pictures", rows=rows)
    table = run.collected(
        run.mapped(frame, read, ["json", "pictures"], kind, RECORDS_AT_ONCE),
        "Reading pictures",
        int(rows.sum()),
    )
    found = [
        (row, one)
        for row, one in zip(*lists(table, "row", "found"), strict=True)
        if one and one["agreement"] is not None
    ]
    arrow = require("pyarrow", "to keep results")
    read_rows = arrow.array([row for row, _ in found], arrow.int64())
    read_texts = arrow.array([one["read"] for _, one in found], arrow.string())
    write(arrow.table({"row": read_rows, "read": read_texts}), folder / "read.parquet")
    return Outcome(
        [
            Removal(
                row,
                "the answer is not what is written",
                f"agreement {one['agreement']:.2f}; read: {one['read'][:200]}",
            )
            for row, one in found
            if one["agreement"] < run.options.least_ocr_agreement
        ],
        f"{len(found):,} transcriptions were read again, a sample of {run.options.ocr_share:.0%} of the records",
    )


def relevance(run: Run, folder: Path) -> Outcome:
    """Scores how well text and picture fit; see optional_models for the judge that comes along."""
    if run.scorer is None:
        return Outcome(skipped="no scorer is given")
    if not run.options.relevance_share:
        return Outcome(skipped="relevance_share is 0")
    daft = require("daft", "to run the pipeline")
    make = run.scorer
    made: list[optional_models.Scorer] = []  # on each worker, when its first record comes

    def score(jsons: list[str], pictures: list[list[bytes]]) -> list[float | None]:
        if not made:
            made.append(make())
        found: list[float | None] = []
        for value, files in zip(jsons, pictures, strict=True):
            record = record_of({"json": value, "pictures": files}) if files else None
            told = record and any(m.role == "assistant" for m in record.conversation.messages)
            found.append(made[0](record.conversation) if record and told else None)
        return found

    rows = sample(run, "relevance", run.options.relevance_share)
    frame = run.frame("json", "pictures", rows=rows)
    frame = run.mapped(frame, score, ["json", "pictures"], daft.DataType.float64(), RECORDS_AT_ONCE)
    table = run.collected(frame, "Scoring relevance", int(rows.sum()))
    write(table, folder / "relevance.parquet")
    scored = [(row, one) for row, one in zip(*lists(table, "row", "found"), strict=True) if one is not None]
    return Outcome(
        [
            Removal(row, "text and picture do not fit", f"score {one:.2f}")
            for row, one in scored
            if one < run.options.least_relevance
        ],
        f"{len(scored):,} records were scored",
    )


def indecency(run: Run, folder: Path) -> Outcome:
    if not run.options.nsfw:
        return Outcome(skipped="nsfw is off")
    daft = require("daft", "to run the pipeline")

    def score(pictures: list[list[bytes]]) -> list[float | None]:
        return [max(map(optional_models.nsfw_score, row), default=None) for row in pictures]

    frame = run.mapped(run.frame("pictures"), score, ["pictures"], daft.DataType.float64(), RECORDS_AT_ONCE)
    table = run.collected(frame, "Looking for indecent pictures", int(run.alive.sum()))
    write(table, folder / "nsfw.parquet")
    return Outcome(
        [
            Removal(row, "an indecent picture", f"probability {one:.2f}")
            for row, one in zip(*lists(table, "row", "found"), strict=True)
            if one is not None and one > run.options.most_nsfw
        ]
    )
