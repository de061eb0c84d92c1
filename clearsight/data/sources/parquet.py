"""Parquet files, one row group at a time: pictures as bytes or {"bytes", "path"}, alone or in lists, and texts.

The shapes of rows are those of rows.py; only the columns that are needed are read. Row groups that are skipped are not
read at all.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import UNKNOWN, SourceError, Tally, Unusable, records_of, require
from clearsight.data.sources.image_folder import finder
from clearsight.data.sources.rows import USUAL_COLUMNS, Columns, record_from

_ROWS_AT_ONCE = 64


def records(
    path: str | Path,
    images: str | Path | None = None,
    *,
    licence: str = UNKNOWN,
    source: str = "",
    columns: Columns = USUAL_COLUMNS,
    skip: int = 0,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """A record of each row of one file, or of all .parquet files below a folder in the order of their names.

    `images` is the folder of pictures that rows only name, by default that of the file. Raises SourceError when
    pyarrow or the file is missing, or the file is not understood.
    """
    path = Path(path)
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise SourceError(
            f"There is no Parquet file {path}, or none in it; give the path of a file or folder."
        )
    arrow = require("pyarrow.parquet", "pyarrow", "Reading Parquet")
    load = finder(Path(images) if images is not None else files[0].parent)

    def build(item: tuple[str, dict[str, Any]]) -> Record:
        place, row = item
        return record_from(row, load, Provenance(source or path.name, licence, uri=place), columns)

    return records_of(str(path), _rows(arrow, files, columns, skip), build, skip=skip, tally=tally)


def rows(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row as it stands, all columns, with its place: for who knows the columns. Raises as `records`."""
    path = Path(path)
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise SourceError(
            f"There is no Parquet file {path}, or none in it; give the path of a file or folder."
        )
    arrow = require("pyarrow.parquet", "pyarrow", "Reading Parquet")
    for file in files:
        with _opened(arrow, file) as table:
            for group in range(table.num_row_groups):
                yield from (item for _, item in _group(table, file, group, 0, 0, None))


def _rows(
    arrow: Any, files: list[Path], columns: Columns, skip: int
) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    for file in files:
        opened = partial(_opened, arrow, file)
        with opened() as table:
            wanted = _needed(columns, table.schema_arrow.names, file)
            first = 0  # row of the file at which a row group begins
            for group in range(table.num_row_groups):
                count = table.metadata.row_group(group).num_rows
                if skip >= count:
                    skip -= count
                else:
                    yield from _group(table, file, group, first, skip, wanted)
                    skip = 0
                first += count


def _group(
    table: Any, file: Path, group: int, first: int, skip: int, wanted: list[str] | None
) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    number = first
    try:
        for batch in table.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=wanted):
            if number + len(batch) - first <= skip:
                number += len(batch)
                continue
            past = max(0, skip - (number - first))
            for place, row in enumerate(batch.slice(past).to_pylist(), number + past):
                yield f"{file.name}, row {place}", (f"{file.name}:{place}", row)
            number += len(batch)
    except OSError as error:
        raise SourceError(f"{file} is damaged at row group {group}: {error}. Fetch it again.") from error


def _opened(arrow: Any, file: Path) -> Any:
    try:
        return arrow.ParquetFile(file)
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these kinds
        raise SourceError(f"{file} can't be read as Parquet: {error}. Fetch it again.") from error


def _needed(columns: Columns, names: list[str], file: Path) -> list[str] | None:
    """The columns to read; None for all, which Clearsight's own records need."""
    if "provenance" in names and "messages" in names:
        return None
    try:
        found = columns.within(names).all
    except Unusable as error:
        raise SourceError(f"{file}: {error}.") from error
    return found or None
