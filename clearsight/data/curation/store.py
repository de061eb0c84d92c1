"""Records as rows of Parquet files, which any number of workers read, and results that are there whole or not at all.

A row is its number, the record's identity and JSON, the files of its pictures, and what is asked of it most: source,
licence, generator. Parts hold at most PART_BYTES of pictures, so that a worker's memory is bounded.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clearsight.data.curation.extras import require
from clearsight.data.record import Record

PART_BYTES = 64 << 20
PART_ROWS = 2048
ROWS_PER_GROUP = 64


def row_of(number: int, record: Record) -> dict[str, Any]:
    provenance = record.provenance
    return {
        "row": number,
        "id": record.id,
        "json": json.dumps(record.to_json(), ensure_ascii=False),
        "pictures": [image.encoded() for image in record.conversation.images],
        "source": provenance.source,
        "licence": provenance.licence,
        "generator": provenance.generator,
    }


def record_of(row: dict[str, Any]) -> Record:
    """Inverse of `row_of`. Raises as Record.from_json does."""
    value = json.loads(row["json"])
    named = [
        part["sha256"]
        for message in value["messages"]
        for part in message["content"]
        if part["type"] == "image"
    ]
    return Record.from_json(value, dict(zip(named, row["pictures"], strict=True)).__getitem__)


class Store:
    """A folder of parts. `ingest` fills it once; a second call finds it filled and takes nothing from its input."""

    def __init__(self, folder: Path):
        self.folder = folder

    def ingest(self, records: Iterable[Record], advance: Callable[[int], None]) -> None:
        if self.folder.exists():
            return
        with whole_folder(self.folder) as folder:
            rows: list[dict[str, Any]] = []
            size = part = 0
            for number, record in enumerate(records):
                rows.append(row_of(number, record))
                size += sum(map(len, rows[-1]["pictures"]))
                advance(1)
                if len(rows) >= PART_ROWS or size >= PART_BYTES:
                    _write(rows, folder / f"part-{part:06d}.parquet")
                    rows, size, part = [], 0, part + 1
            if rows or not part:
                _write(rows, folder / f"part-{part:06d}.parquet")

    @property
    def parts(self) -> list[Path]:
        return sorted(self.folder.glob("part-*.parquet"))

    def columns(self, *names: str) -> Any:
        """Small columns of every row, in order, as an Arrow table."""
        parquet, arrow = require("pyarrow.parquet", "to read records"), require("pyarrow", "to read records")
        return arrow.concat_tables([parquet.read_table(part, columns=list(names)) for part in self.parts])

    def records(self) -> Iterator[Record]:
        """Every record in order, one part in memory at a time."""
        parquet = require("pyarrow.parquet", "to read records")
        for part in self.parts:
            with parquet.ParquetFile(part) as file:
                for batch in file.iter_batches(ROWS_PER_GROUP):
                    yield from map(record_of, batch.to_pylist())


def schema() -> Any:
    arrow = require("pyarrow", "to keep records")
    return arrow.schema(
        [
            ("row", arrow.int64()),
            *((name, arrow.string()) for name in ("id", "json")),
            ("pictures", arrow.list_(arrow.binary())),
            *((name, arrow.string()) for name in ("source", "licence", "generator")),
        ]
    )


def _write(rows: list[dict[str, Any]], target: Path) -> None:
    arrow, parquet = require("pyarrow", "to keep records"), require("pyarrow.parquet", "to keep records")
    parquet.write_table(
        arrow.Table.from_pylist(rows, schema()), target, row_group_size=ROWS_PER_GROUP, compression="zstd"
    )


def write_part(rows: list[dict[str, Any]], target: Path) -> None:
    """Like the parts of a Store, and never half: written beside its place, then moved there."""
    partial = target.with_suffix(".new")
    _write(rows, partial)
    partial.replace(target)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill that takes its name only when all went well; what an interrupted run left is discarded."""
    partial = target.with_name(target.name + ".new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    partial.replace(target)
