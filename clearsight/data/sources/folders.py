"""A folder of pictures: captions from files beside them, or the names of its sub-folders as labels.

    photos/cat.jpg, photos/cat.txt         a caption beside the picture
    photos/cat.jpg, photos/cat.json        a row beside it, in any shape that rows.py knows
    photos/metadata.jsonl, captions.csv    rows with a file_name (or file, image, path) and what belongs to it
    photos/cat/1.jpg, photos/dog/2.jpg     neither: the sub-folder is the label

Files that are no pictures, are broken, or have neither caption nor label are counted and left out.
"""

import csv
import json
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import (
    NOT_JSON,
    UNKNOWN,
    SourceError,
    Tally,
    Unusable,
    picture,
    records_of,
)
from clearsight.data.sources.questions import captioned, named
from clearsight.data.sources.rows import USUAL_COLUMNS, Columns, record_from

TABLES = ("metadata.jsonl", "captions.jsonl", "metadata.csv", "captions.csv")
SIDECARS = (".txt", ".caption", ".json")
_FILE_COLUMNS = ("file_name", "filename", "file", "image", "path", "name")


def records(
    folder: str | Path,
    *,
    licence: str = UNKNOWN,
    source: str = "",
    columns: Columns = USUAL_COLUMNS,
    skip: int = 0,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """A record of each picture below `folder`, in the order of their names.

    Raises SourceError when there is no such folder, a table in it can't be read, or nothing in it is usable.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SourceError(f"There is no folder {root}; give the path of a folder with pictures.")
    build = partial(
        _record,
        root=root,
        rows=_tables(root),
        source=source or root.resolve().name,
        licence=licence,
        columns=columns,
    )
    files = islice(_files(root), skip, None)
    return records_of(
        str(root), ((str(file.relative_to(root)), file) for file in files), build, skip=skip, tally=tally
    )


def _files(root: Path) -> Iterator[Path]:
    """Everything but tables, files beside pictures, and hidden files; sorted, one folder at a time."""
    entries = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    stems = {path.stem for path in entries if path.suffix.lower() not in SIDECARS and path.is_file()}
    for path in entries:
        if path.is_dir():
            if not path.is_symlink():  # which could lead round in a circle
                yield from _files(path)
        elif path.name not in TABLES and not (path.suffix.lower() in SIDECARS and path.stem in stems):
            yield path


def _record(
    path: Path, *, root: Path, rows: dict[Path, dict[str, Any]], source: str, licence: str, columns: Columns
) -> Record:
    name = path.relative_to(root).as_posix()
    try:
        image = picture(path.read_bytes())
    except OSError as error:
        raise Unusable("unreadable file", str(error.strerror)) from error
    provenance = Provenance(source, licence, uri=name)
    row = rows.get(path) or _sidecar(path)
    if isinstance(row, str):
        return captioned(image, row, provenance)
    if row is not None:
        row = {key: value for key, value in row.items() if key not in ("image", "images", columns.images)}
        return record_from(row | {columns.images or "images": [image.data]}, _nowhere, provenance, columns)
    if path.parent != root:
        return named(image, path.parent.name.replace("_", " ").strip(), provenance)
    raise Unusable("no caption", "there is neither a file beside it nor a sub-folder that names it")


def _sidecar(path: Path) -> str | dict[str, Any] | None:
    """The caption, or the row, that lies beside a picture; None when there is none or it is empty."""
    for suffix in SIDECARS:
        beside = path.with_suffix(suffix)
        if not beside.is_file():
            continue
        text = beside.read_text(encoding="utf-8-sig", errors="replace").strip()
        if suffix != ".json":
            return text or None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unusable("broken caption file", f"{beside.name} is not JSON: {error}") from error
        if isinstance(found, (str, dict)):
            return found or None
        raise Unusable("broken caption file", f"{beside.name} holds neither a caption nor an object")
    return None


def _tables(root: Path) -> dict[Path, dict[str, Any]]:
    """The rows of all tables below `root` by the picture they are about."""
    found = {}
    for name in TABLES:
        for table in sorted(root.rglob(name)):
            for line, row in _lines(table):
                column = next((c for c in _FILE_COLUMNS if isinstance(row.get(c), str) and row[c]), None)
                if column is None:
                    raise SourceError(
                        f"{table}, line {line}: no column {' or '.join(_FILE_COLUMNS)} names the picture."
                    )
                about = {
                    key: value for key, value in row.items() if key != column and value not in (None, "")
                }
                found[table.parent / row[column]] = about
    return found


def _lines(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        if table.suffix == ".csv":
            reader = csv.DictReader(file)
            yield from ((reader.line_num, row) for row in reader)
            return
        for line, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise SourceError(f"{table}, line {line}: {NOT_JSON}: {error}.") from error
            if not isinstance(row, dict):
                raise SourceError(f"{table}, line {line}: an object is expected, not {type(row).__name__}.")
            yield line, row


def _nowhere(name: str) -> bytes:
    raise Unusable("picture missing", f"{name} is named beside a picture, which must stand alone")
