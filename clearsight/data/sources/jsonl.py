"""Conversations in a JSON file: one object a line, or one list of them, read a piece at a time.

The shape of the rows is found out (see rows.py); a file may also be compressed (.gz). A first row that is not
understood is an error with its line and cause; a later one is left out and counted, or an error too if the tally is
strict.
"""

import gzip
import json
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import NOT_JSON, UNKNOWN, SourceError, Tally, Unusable, records_of
from clearsight.data.sources.image_folder import finder
from clearsight.data.sources.rows import USUAL_COLUMNS, Columns, Load, record_from

_CHUNK = 1 << 20  # characters


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
    """A record of each row. `images` is the folder that pictures' names start from, by default the file's own.

    `source` (by default the file's name) and `licence` go into every record that does not bring its own. Raises
    SourceError when the file or folder is missing, or the file is not understood.
    """
    path = Path(path)
    if not path.is_file():
        raise SourceError(f"There is no file {path}; give the path of a .json or .jsonl file.")
    build = partial(
        _record,
        load=finder(Path(images) if images is not None else path.parent),
        source=source or path.name,
        licence=licence,
        columns=columns,
        file=path.name,
    )
    return records_of(str(path), islice(_rows(path), skip, None), build, skip=skip, tally=tally)


def _record(
    item: tuple[int, Any], *, load: Load, source: str, licence: str, columns: Columns, file: str
) -> Record:
    line, row = item
    if isinstance(row, bytes):
        try:
            row = json.loads(row)
        except (ValueError, RecursionError) as error:
            raise Unusable(NOT_JSON, str(error)) from error
    return record_from(row, load, Provenance(source, licence, uri=f"{file}:{line}"), columns)


def _rows(path: Path) -> Iterator[tuple[str, tuple[int, Any]]]:
    """Place in words, and line with the row: parsed if it stands in a list, else the bytes of its line."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            is_list = _first_character(file) == b"["
        if is_list:
            with opened(path, "rt", encoding="utf-8-sig") as file:
                yield from (
                    (f"{path.name}, line {line}", (line, row)) for line, row in _list(file, path.name)
                )
        else:
            with opened(path, "rb") as file:
                for line, text in enumerate(file, 1):
                    text = text.removeprefix(b"\xef\xbb\xbf") if line == 1 else text
                    if text.strip():
                        yield f"{path.name}, line {line}", (line, text)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} can't be read to its end: {error}. Fetch it again.") from error


def _first_character(file: IO[bytes]) -> bytes:
    for line in file:
        if stripped := line.removeprefix(b"\xef\xbb\xbf").strip():
            return stripped[:1]
    return b""


def _list(file: IO[str], name: str) -> Iterator[tuple[int, Any]]:
    """Line and value of each element of a JSON list, without ever holding the whole list."""
    decoder = json.JSONDecoder()
    text, at, line = file.read(_CHUNK), 0, 1
    at = text.index("[") + 1
    line += text.count("\n", 0, at)
    while True:
        while True:  # to the next element, over white space and one comma
            start = at
            while at < len(text) and text[at] in " \t\r\n,":
                at += 1
            line += text.count("\n", start, at)
            if at < len(text):
                break
            text, at = file.read(_CHUNK), 0
            if not text:
                raise SourceError(
                    f"{name}, line {line}: the list does not end; the file is cut short. Fetch it again."
                )
        if text[at] == "]":
            return
        while True:
            try:
                value, end = decoder.raw_decode(text, at)
                break
            except (ValueError, RecursionError) as error:
                more = file.read(max(_CHUNK, len(text)))
                if not more:
                    raise SourceError(f"{name}, line {line}: {NOT_JSON}: {error}.") from error
                text, at = text[at:] + more, 0
        yield line, value
        line += text.count("\n", at, end)
        at = end
