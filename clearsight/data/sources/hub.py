"""Data sets of the Hugging Face hub by name, streamed, at one revision; or a folder that is laid out like one.

The library `datasets` does the reading, and is imported only here; from version 4 on it runs no code of a data set.
A revision is a commit: a branch would give other data tomorrow. The licence is the one that the data set's card
states; under `permissive` a set that states none, or another one, is refused before any row is streamed. Gated data
sets need a token (HF_TOKEN).
"""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from clearsight.data.record import Provenance, Record, is_permissive
from clearsight.data.sources.contract import UNKNOWN, SourceError, Tally, Unusable, records_of, require
from clearsight.data.sources.image_folder import finder
from clearsight.data.sources.rows import USUAL_COLUMNS, Columns, record_from

# Names that cards use, where upper case does not already make them SPDX identifiers.
_SPDX = {
    "apache-2.0": "Apache-2.0",
    "odc-by": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
    "odbl": "ODbL-1.0",
    "unlicense": "Unlicense",
    "zlib": "Zlib",
    "etalab-2.0": "etalab-2.0",
    "bsd": UNKNOWN,
    "cc": UNKNOWN,
    "gpl": UNKNOWN,
    "other": UNKNOWN,
    "unknown": UNKNOWN,
}


def records(
    name: str,
    *,
    revision: str = "",
    config: str | None = None,
    split: str = "train",
    licence: str | None = None,
    permissive: bool = False,
    columns: Columns = USUAL_COLUMNS,
    skip: int = 0,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """A record of each row of a split. `name` is owner/name on the hub, with `revision` a commit; or a local folder.

    `licence` (SPDX) overrules the card, for who knows better. Raises SourceError when `datasets` is missing, the data
    set can't be had or is not understood, or its licence is refused.
    """
    datasets = require("datasets", "datasets", "Reading data sets of the hub")
    folder = Path(name) if Path(name).is_dir() else None
    if folder is None and not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SourceError(
            f"{name} needs a revision, so that the same data comes again: the commit (40 characters) that the "
            "history of its files on the hub shows."
        )
    try:
        rows = datasets.load_dataset(
            name, config, split=split, revision=None if folder else revision, streaming=True
        )
        if rows.features is not None:
            rows = rows.decode(False)
    except Exception as error:  # the library and what it stands on raise many types
        raise _explained(name, error) from error
    stated = licence or _licence(name, revision, folder)
    if permissive and not is_permissive(stated):
        states = (
            "states no licence" if stated == UNKNOWN else f"is licensed {stated}, which is not permissive"
        )
        raise SourceError(
            f"The data set {name} {states}, and only permissive ones are wanted. Leave it out, allow any licence, or "
            "name its licence if you know it."
        )
    source = folder.resolve().name if folder else f"{name}@{revision[:12]}"
    load = finder(folder) if folder else _nowhere
    labels = _label_names(rows.features)
    about = f"{config}/{split}" if config else split

    def build(item: tuple[int, dict[str, Any]]) -> Record:
        number, row = item
        for column, names in labels.items():
            if isinstance(row.get(column), int) and 0 <= row[column] < len(names):
                row[column] = names[row[column]]
        return record_from(row, load, Provenance(source, stated, uri=f"{about}:{number}"), columns)

    return records_of(
        name, _rows(name, rows.skip(skip) if skip else rows, about, skip), build, skip=skip, tally=tally
    )


def rows(name: str, *, revision: str, config: str | None, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row as it stands, all columns, with its place: for who knows the columns. Raises as `records`."""
    datasets = require("datasets", "datasets", "Reading data sets of the hub")
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SourceError(f"{name} needs a revision: the commit (40 characters) of its files on the hub.")
    try:
        stream = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
        stream = stream.decode(False) if stream.features is not None else stream
    except Exception as error:  # the library and what it stands on raise many types
        raise _explained(name, error) from error
    yield from ((f"{split}:{number}", row) for _, (number, row) in _rows(name, stream, split, 0))


def card_licence(card: str) -> str:
    """The SPDX expression of the licence in a card's front matter; "unknown" when it states none that is exact.

    Several licences count as joined by AND, since cards do not say which row has which.
    """
    front = re.match(r"---\s*\n(.*?)\n---", card, re.DOTALL)
    if not front:
        return UNKNOWN
    yaml = require("yaml", "pyyaml", "Reading a data set's card")
    try:
        stated = (yaml.safe_load(front[1]) or {}).get("license")
    except (yaml.YAMLError, AttributeError):
        return UNKNOWN
    names = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    known = [_SPDX.get(str(one).lower(), str(one).upper()) for one in names]
    return " AND ".join(known) if known and UNKNOWN not in known else UNKNOWN


def _licence(name: str, revision: str, folder: Path | None) -> str:
    if folder is not None:
        card = folder / "README.md"
        return card_licence(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else UNKNOWN
    import fsspec  # a requirement of datasets

    try:
        with fsspec.open(f"hf://datasets/{name}@{revision}/README.md", "rt", encoding="utf-8") as file:
            return card_licence(file.read())
    except FileNotFoundError:
        return UNKNOWN  # no card
    except Exception as error:  # the library and what it stands on raise many types
        raise _explained(name, error) from error


def _rows(name: str, rows: Any, about: str, skip: int) -> Iterator[tuple[str, tuple[int, dict[str, Any]]]]:
    numbers, stream = count(skip), iter(rows)
    while True:
        try:
            row = next(stream)
        except StopIteration:
            return
        except Exception as error:  # the library and what it stands on raise many types
            raise _explained(name, error) from error
        number = next(numbers)
        yield f"{name}, {about}, row {number}", (number, row)


def _label_names(features: Any) -> dict[str, list[str]]:
    """The names that the numbers of a column of class labels stand for, by column."""
    return {
        column: feature.names
        for column, feature in (features or {}).items()
        if getattr(feature, "names", None)
    }


def _nowhere(name: str) -> bytes:
    raise Unusable("picture missing", f"the row only names {name}, and holds no picture")


def _explained(name: str, error: Exception) -> SourceError:
    """Why the library failed, in a sentence."""
    kind, said = type(error).__name__, " ".join(str(error).split())[:160]
    if kind == "DatasetNotFoundError" or "gated" in said.lower() or "401" in said:
        return SourceError(
            f"The hub has no data set {name} at this revision, or does not show it to you ({said}). Check the name "
            "and revision; for a gated one accept its terms and set HF_TOKEN."
        )
    if (
        isinstance(error, (ConnectionError, TimeoutError))
        or "Connect" in kind
        or "Timeout" in kind
        or "Offline" in kind
    ):
        return SourceError(
            f"The hub can't be reached for {name} ({said}). Check the network, proxy and HF_ENDPOINT, and unset "
            "HF_HUB_OFFLINE; or download the data set once and give its folder."
        )
    return SourceError(f"The data set {name} can't be read: {kind}: {said}")
