"""The last steps: how often to draw each source, and writing what is left."""

import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from clearsight.data.curation import personal
from clearsight.data.curation.extras import require
from clearsight.data.curation.mixing import mixture
from clearsight.data.curation.pipeline import Outcome, Run
from clearsight.data.curation.store import record_of, write_part
from clearsight.data.curation.tables import left, lists, texts_left


def mixing(run: Run, folder: Path) -> Outcome:
    """Removes nothing: says how often each source should be drawn."""
    rows = left(run)
    words = dict(zip(*lists(texts_left(run), "row", "words"), strict=True)) if len(rows) else {}
    pictures: dict[int, int] = defaultdict(int)
    for row in run.measured("decode", "pictures")["row"].to_pylist():
        pictures[row] += 1
    table = mixture(
        [(run.index["source"][row], pictures[row], words[row]) for row in rows],
        run.options.mixing,
        run.options.most_repeats,
    )
    (folder / "mixing.json").write_text(
        json.dumps([asdict(share) for share in table], ensure_ascii=False, indent=1)
    )
    return Outcome(note="; ".join(f"{share.source}: x{share.factor:.2f}" for share in table[:8]))


def keeping(run: Run, folder: Path) -> Outcome:
    """Writes what is left, masked where asked, a file for each part of the input."""
    daft = require("daft", "to run the pipeline")
    target = run.kept.folder
    target.mkdir(exist_ok=True)
    packed = np.packbits(run.alive)
    masked = (
        run.measured("personal", "masked")["row"].to_pylist() if run.options.personal_data == "mask" else []
    )
    to_mask, regions, stages = set(masked), run.options.phone_regions, run.stages
    parts = [str(part) for part in run.store.parts]

    def written(paths: list[str]) -> list[int]:
        return [_keep_part(Path(path), target, stages, packed, to_mask, regions) for path in paths]

    frame = daft.from_pydict({"row": list(range(len(parts))), "part": parts})
    if run.runner == "ray":
        frame = frame.into_partitions(len(parts))
    found = run.mapped(frame, written, ["part"], daft.DataType.int64(), 1)
    count = sum(run.collected(found, "Writing what is kept", len(parts))["found"].to_pylist())
    return Outcome(note=f"{count:,} records in {len(parts):,} files")


def _keep_part(
    part: Path, target: Path, stages: Path, packed: np.ndarray, to_mask: set[int], regions: tuple[str, ...]
) -> int:
    parquet = require("pyarrow.parquet", "to keep records")
    rows = [
        row
        for row in parquet.read_table(part).to_pylist()
        if packed[row["row"] >> 3] >> (7 - (row["row"] & 7)) & 1
    ]
    if rows:
        within = [("row", ">=", rows[0]["row"]), ("row", "<=", rows[-1]["row"])]
        texts = parquet.read_table(stages / "exact" / "texts.parquet", filters=within)
        pictures = parquet.read_table(stages / "decode" / "pictures.parquet", filters=within)
        tags: dict[int, dict[str, Any]] = defaultdict(dict)
        for one in texts.select(["row", "language", "words", "repetition", "symbols"]).to_pylist():
            tags[one.pop("row")] = {k: v for k, v in one.items() if v != ""}
        for one in pictures.select(["row", "sharpness", "entropy"]).to_pylist():
            for name in ("sharpness", "entropy"):
                tags[one["row"]].setdefault(name, []).append(round(one[name], 3))
        for row in rows:
            value = json.loads(row["json"])
            if row["row"] in to_mask:
                value = personal.mask_record(value, regions)
            value["tags"] = value.get("tags", {}) | {"curation": tags[row["row"]]}
            row["json"] = json.dumps(value, ensure_ascii=False)
            row["id"] = record_of(row).id
    write_part(rows, target / part.name)
    return len(rows)
