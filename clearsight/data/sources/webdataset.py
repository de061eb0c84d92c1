"""WebDataset: tar files in which the files of one sample follow one another and share their name up to the first dot.

    000123.jpg  000123.txt        a picture and its caption
    000123.png  000123.json       a picture and a row in any shape that rows.py knows
    000123.webp 000123.cls        a picture and the name or number of its class
    000123.0.jpg 000123.1.jpg     several pictures

Shards are read from beginning to end and never unpacked to the disk. A shard that breaks off gives what it has and is
counted as left out once. The format: https://github.com/webdataset/webdataset
"""

import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from clearsight.conversation import Image
from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import UNKNOWN, SourceError, Tally, Unusable, picture, records_of
from clearsight.data.sources.questions import captioned, named
from clearsight.data.sources.rows import USUAL_COLUMNS, Columns, record_from

PICTURES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
CAPTIONS = ("txt", "caption", "text")
LARGEST_MEMBER = 256 << 20  # bytes; what is larger is no picture or row

# The files of a sample by what follows the first dot, or why there is none.
Sample = dict[str, bytes] | Unusable


def records(
    shards: str | Path | Iterable[str | Path],
    *,
    licence: str = UNKNOWN,
    source: str = "",
    classes: Sequence[str] = (),
    columns: Columns = USUAL_COLUMNS,
    skip: int = 0,
    tally: Tally | None = None,
) -> Iterator[Record]:
    """A record of each sample. `shards` may have braces, `data-{000..012}.tar`, be a folder, or several of these.

    `classes` are the names that numbers in .cls files stand for. Raises SourceError when a shard is missing.
    """
    paths = [
        path for one in ([shards] if isinstance(shards, (str, Path)) else shards) for path in _paths(str(one))
    ]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise SourceError(
            f"There is no shard {missing[0] if missing else shards}; {len(paths)} are named in all."
        )

    def build(item: tuple[str, Sample]) -> Record:
        uri, sample = item
        if isinstance(sample, Unusable):
            raise sample
        return _record(sample, classes, columns, Provenance(source or _common_name(paths), licence, uri=uri))

    return records_of(str(shards), _samples(paths, skip), build, skip=skip, tally=tally)


def expand(pattern: str) -> list[str]:
    """The names a pattern with braces means: `{08..11}` counts, with leading zeros, `{a,b}` lists."""
    pieces = re.split(r"\{([^{}]*)\}", pattern)
    choices = []
    for place, piece in enumerate(pieces):
        counting = re.fullmatch(r"(\d+)\.\.(\d+)", piece)
        if place % 2 == 0:
            choices.append([piece])
        elif counting:
            width = len(counting[1]) if counting[1].startswith("0") else 0
            choices.append([f"{n:0{width}d}" for n in range(int(counting[1]), int(counting[2]) + 1)])
        else:
            choices.append(piece.split(",") if "," in piece else [f"{{{piece}}}"])
    return ["".join(parts) for parts in product(*choices)]


def _paths(name: str) -> list[Path]:
    if Path(name).is_dir():
        return sorted(p for p in Path(name).iterdir() if p.name.endswith((".tar", ".tar.gz", ".tgz")))
    return [Path(one) for one in expand(name)]


def _common_name(paths: list[Path]) -> str:
    return paths[0].name if len(paths) == 1 else paths[0].resolve().parent.name


def _samples(paths: list[Path], skip: int) -> Iterator[tuple[str, tuple[str, Sample]]]:
    """Place in words, and address with the sample; the files of the first `skip` samples are not read."""
    count = 0
    key: tuple[str, str] | None
    sample: Sample
    for path in paths:
        key, sample = None, {}
        for name, read in _members(path):
            if name is None:  # the sample at which the shard breaks off may lack files
                found = read()
                assert isinstance(found, Unusable)
                key, sample = key or ("", "?"), found
                continue
            folder, _, base = name.rpartition("/")
            stem, _, kind = base.partition(".")
            if (folder, stem) != key:
                if key is not None:
                    if count >= skip:
                        yield _placed(path, key, sample)
                    count += 1
                key, sample = (folder, stem), {}
            if count >= skip and isinstance(sample, dict):
                found = read()
                if isinstance(found, Unusable):
                    sample = found
                else:
                    sample[kind.lower()] = found
        if key is not None:
            if count >= skip:
                yield _placed(path, key, sample)
            count += 1


def _placed(path: Path, key: tuple[str, str], sample: Sample) -> tuple[str, tuple[str, Sample]]:
    name = "/".join(part for part in key if part)
    return f"{path.name}, sample {name}", (f"{path.name}/{name}", sample)


def _members(path: Path) -> Iterator[tuple[str | None, Callable[[], bytes | Unusable]]]:
    """Name of each file, None where the shard breaks off, and a function that reads it or says why it can't."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if member.isfile() and not member.name.rpartition("/")[2].startswith("."):
                    yield member.name, partial(_read, archive, member)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        reason = Unusable("broken shard", f"{path.name} is damaged or cut short: {error}")
        yield None, lambda: reason


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | Unusable:
    if member.size > LARGEST_MEMBER:
        return Unusable("file too large", f"{member.name} has {member.size:,} bytes")
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def _record(
    sample: dict[str, bytes], classes: Sequence[str], columns: Columns, provenance: Provenance
) -> Record:
    files = {kind: data for kind, data in sample.items() if kind.rpartition(".")[2] in PICTURES}
    row = _row(sample)
    if row is not None and "provenance" in row and "messages" in row:
        return record_from(row, _by_hash(row, sample), provenance, columns)
    caption = next((sample[kind] for kind in CAPTIONS if kind in sample), None)
    if row is not None:
        row = {key: value for key, value in row.items() if key not in ("image", "images", columns.images)}
        about = columns.within([*row, columns.images or "images"])
        if about.turns or about.question or caption is None:
            row[columns.images or "images"] = list(files.values())
            return record_from(row, _not_in_sample, provenance, columns)
    images = [picture(data) for data in files.values()]
    if not images:
        raise Unusable("no picture", f"only {', '.join(sorted(sample)) or 'nothing'}")
    if caption is not None:
        text = caption.decode("utf-8", "replace").strip()
        if not text:
            raise Unusable("empty text")
        return captioned(images[0], text, provenance)
    if "cls" in sample:
        return _of_class(images[0], sample["cls"].decode("utf-8", "replace").strip(), classes, provenance)
    raise Unusable("no caption", f"only {', '.join(sorted(sample))}")


def _row(sample: dict[str, bytes]) -> dict[str, Any] | None:
    if "json" not in sample:
        return None
    try:
        row = json.loads(sample["json"])
    except (ValueError, RecursionError) as error:
        raise Unusable("broken caption file", f"its .json is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise Unusable("broken caption file", "its .json holds no object")
    return row


def _of_class(image: Image, label: str, classes: Sequence[str], provenance: Provenance) -> Record:
    if label.isdecimal():
        if int(label) >= len(classes):
            raise Unusable("no name", f"there is no name for class {label}; give `classes`")
        label = classes[int(label)]
    if not label:
        raise Unusable("empty text")
    return named(image, label, provenance)


def _by_hash(row: dict[str, Any], sample: dict[str, bytes]) -> Any:
    """Finds the pictures of Clearsight's own shards, whose record lists its files in the order of its pictures."""
    hashes = [
        part["sha256"]
        for message in row["messages"]
        for part in message["content"]
        if part["type"] == "image"
    ]
    files = dict(zip(hashes, row.get("files", ()), strict=False))

    def load(name: str) -> bytes:
        if name not in files or files[name] not in sample:
            raise Unusable("picture missing", f"no file for {name[:12]}...")
        return sample[files[name]]

    return load


def _not_in_sample(name: str) -> bytes:
    raise Unusable("picture missing", f"{name} is named, and pictures must be in the sample")
