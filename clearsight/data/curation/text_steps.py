"""Steps that look at texts: the same again, nearly the same again, in what language, how good, about whom."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from clearsight.data.curation import neighbours, personal, quality
from clearsight.data.curation.extras import require
from clearsight.data.curation.pipeline import Outcome, Removal, Run
from clearsight.data.curation.tables import lists, texts_left, write
from clearsight.data.curation.texts import BANDS, exact_key, language, signature, texts_of

TEXTS_AT_ONCE = 256


def exact_copies(run: Run, folder: Path) -> Outcome:
    """Measures every text once; later steps look at these figures alone."""
    daft = require("daft", "to run the pipeline")
    told_by, with_pictures = run.options.languages, run.options.similar_text_with_pictures

    def measured(jsons: list[str]) -> list[Any]:
        found = []
        for value in map(json.loads, jsons):
            texts = texts_of(value)
            seen = any(part["type"] == "image" for m in value["messages"] for part in m["content"])
            compared = with_pictures or not seen
            code, probability = language("\n".join(_prose(value))) if told_by else ("", 0.0)
            found.append(
                {
                    "key": exact_key(value),
                    "signature": signature(" ".join(texts)) if compared else None,
                    "language": code,
                    "language_probability": probability,
                    **asdict(quality.text_quality(texts)),
                }
            )
        return found

    types = {
        "key": daft.DataType.string(),
        "signature": daft.DataType.binary(),
        "language": daft.DataType.string(),
        "language_probability": daft.DataType.float64(),
        "words": daft.DataType.int64(),
        "repetition": daft.DataType.float64(),
        "symbols": daft.DataType.float64(),
    }
    frame = run.mapped(run.frame("json"), measured, ["json"], daft.DataType.struct(types), TEXTS_AT_ONCE)
    frame = frame.select("row", *(daft.col("found")[name].alias(name) for name in types))
    table = run.collected(frame, "Measuring texts", int(run.alive.sum()))
    write(table, folder / "texts.parquet")
    first: dict[str, int] = {}
    removals = []
    for row, key in zip(*lists(table, "row", "key"), strict=True):
        if first.setdefault(key, row) != row:
            removals.append(Removal(row, "the same pictures and the same text", like=first[key]))
    return Outcome(removals)


def _prose(record: dict[str, Any]) -> list[str]:
    """Texts whose language is the record's own: an answer with a truth is what the picture says, in any language."""
    truths = iter(record.get("truths") or ())
    kept = []
    for message in record["messages"]:
        if message["role"] == "assistant" and next(truths, None):
            continue
        kept += [part["text"] for part in message["content"] if part["type"] == "text"]
    return kept


def similar_texts(run: Run, folder: Path) -> Outcome:
    table = texts_left(run)
    table = table.filter(table["signature"].is_valid())
    rows = table["row"].to_numpy()
    if not len(rows):
        return Outcome(skipped="no records without pictures are left")
    signatures = np.frombuffer(b"".join(table["signature"].to_pylist()), dtype=np.uint32).reshape(
        len(rows), -1
    )
    pairs = neighbours.similar_signatures(signatures, BANDS, run.options.similar_text)
    like: dict[int, int] = {}
    for later, earlier in pairs:
        like.setdefault(int(later), int(earlier))
    return Outcome(
        [Removal(int(rows[a]), "nearly the same text", like=int(rows[b])) for a, b in like.items()],
        f"{len(rows):,} texts were compared",
    )


def languages(run: Run, folder: Path) -> Outcome:
    accepted = run.options.languages
    if not accepted:
        return Outcome(skipped="every language is accepted")
    columns = lists(texts_left(run), "row", "language", "language_probability")
    return Outcome(
        [
            Removal(row, f"language {code}", f"probability {probability:.2f}")
            for row, code, probability in zip(*columns, strict=True)
            if code and code not in accepted and probability >= run.options.language_certainty
        ]
    )


def text_and_picture_quality(run: Run, folder: Path) -> Outcome:
    options, removals = run.options, {}
    columns = lists(texts_left(run), "row", "words", "repetition", "symbols")
    for row, words, repetition, symbols in zip(*columns, strict=True):
        measured = quality.TextQuality(words, repetition, symbols)
        fault = quality.text_fault(measured, options.most_repetition, options.most_symbols)
        if fault:
            removals[row] = Removal(row, fault, f"repetition {repetition:.2f}, symbols {symbols:.2f}")
    columns = lists(run.measured("decode", "pictures"), "row", "spread", "entropy", "sharpness")
    for row, spread, entropy, sharpness in zip(*columns, strict=True):
        if run.alive[row] and row not in removals:
            fault = quality.picture_fault(spread, entropy, sharpness, options.least_sharpness)
            if fault:
                removals[row] = Removal(row, fault, f"spread {spread:.2f}, sharpness {sharpness:.1f}")
    return Outcome(list(removals.values()))


def personal_data(run: Run, folder: Path) -> Outcome:
    """Looks in the texts, and in what was read in pictures; what stands in a picture can't be masked."""
    options = run.options
    if options.personal_data == "keep":
        return Outcome(skipped="personal data is kept")
    daft = require("daft", "to run the pipeline")
    read = run.stages / "ocr" / "read.parquet"
    seen = {}
    if read.exists():
        seen = dict(zip(*lists(run.measured("ocr", "read"), "row", "read"), strict=True))
    rows = run.alive.copy()
    if not options.personal_data_in_generated:
        rows &= run.index["generator"] == ""
    regions, masking = options.phone_regions, options.personal_data == "mask"

    def search(numbers: list[int], jsons: list[str]) -> list[Any]:
        found = []
        for number, value in zip(numbers, map(json.loads, jsons), strict=True):
            said = {f.kind for text in _all_texts(value) for f in personal.find(text, regions)}
            shown = {f.kind for f in personal.find(seen.get(number, ""), regions)}
            found.append({"said": sorted(said), "shown": sorted(shown)})
        return found

    listed = daft.DataType.list(daft.DataType.string())
    frame = run.frame("json", rows=rows).with_column("number", daft.col("row"))
    kind = daft.DataType.struct({"said": listed, "shown": listed})
    table = run.collected(
        run.mapped(frame, search, ["number", "json"], kind, TEXTS_AT_ONCE),
        "Looking for personal data",
        int(rows.sum()),
    )
    masked, removals = [], []
    for row, one in zip(*lists(table, "row", "found"), strict=True):
        if one["shown"]:
            removals.append(Removal(row, f"{one['shown'][0]} in the picture", ", ".join(one["shown"])))
        elif one["said"] and masking:
            masked.append(row)
        elif one["said"]:
            removals.append(Removal(row, one["said"][0], ", ".join(one["said"])))
    arrow = require("pyarrow", "to keep results")
    write(arrow.table({"row": arrow.array(masked, arrow.int64())}), folder / "masked.parquet")
    return Outcome(removals, f"{len(masked):,} records were masked" if masking else "")


def _all_texts(record: dict[str, Any]) -> list[str]:
    truths = [t for t in record.get("truths") or () if t]
    return texts_of(record) + [
        text for t in truths for text in (t["answer"], *t.get("choices", ()), *t.get("alternatives", ()))
    ]
