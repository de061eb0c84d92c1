"""Records from what a person names on a command line: a corpus, a file, a folder, a data set of the hub."""

from collections.abc import Iterator
from pathlib import Path

from clearsight.data.record import Record
from clearsight.data.shards import MANIFEST, Corpus
from clearsight.data.sources.contract import UNKNOWN, SourceError, Tally

_FORMS = (
    "a corpus folder, a folder of pictures, a .jsonl, .json, .parquet or .tar file, "
    "or hub:owner/name[@commit][:split]"
)


def records(what: str, *, licence: str = UNKNOWN, tally: Tally | None = None) -> Iterator[Record]:
    """The records of `what`. `licence` (SPDX) is given to records that don't state their own.

    Raises SourceError for something that is not there or of no known kind, and as the sources do.
    """
    from clearsight.data.sources import folders, hub, jsonl, parquet, webdataset

    if what.startswith("hub:"):
        name, _, split = what.removeprefix("hub:").partition(":")
        name, _, revision = name.partition("@")
        stated = None if licence == UNKNOWN else licence
        return hub.records(name, revision=revision, split=split or "train", licence=stated, tally=tally)
    path = Path(what).expanduser()
    if (path / MANIFEST).exists():
        return iter(Corpus(path))
    if path.is_dir():
        return folders.records(path, licence=licence, tally=tally)
    kind = path.suffix.lower()
    if kind in (".jsonl", ".json"):
        return jsonl.records(path, licence=licence, tally=tally)
    if kind == ".parquet":
        return parquet.records(path, licence=licence, tally=tally)
    if kind in (".tar", ".gz", ".tgz"):
        return webdataset.records(what, licence=licence, tally=tally)
    raise SourceError(f"{what} is not something records can be read from; give {_FORMS}.")
