"""What a run learns from, opened by name; what is not a corpus yet is made one in the run's folder, once.

runs/data/first               a corpus that was built
mine.jsonl                    anything that `clearsight.data.sources.named` reads
worlds:2000                   generated pictures of all worlds, or of some: worlds:2000:shapes,clocks
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from clearsight.data.build import Worlds
from clearsight.data.record import Record
from clearsight.data.shards import MANIFEST, Corpus, ShardInfo, write_manifest, write_shard
from clearsight.data.sources import named
from clearsight.data.sources.contract import SourceError, Tally
from clearsight.training.config import ConfigError

RECORDS_PER_SHARD = 1000
Progress = Callable[[str, int, int | None], None]  # what, records done, records in all if known


def open_corpus(what: str, folder: Path, progress: Progress = lambda what, done, total: None) -> Corpus:
    """The corpus `what` names; made in a folder of its own within `folder` if it has to be.

    A made corpus is used again as long as the file it comes from has not changed. Raises ConfigError or SourceError
    for what can't be read or holds nothing.
    """
    if (Path(what).expanduser() / MANIFEST).exists():
        return Corpus(Path(what).expanduser())
    path = Path(what).expanduser()
    state = [path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else []
    digest = hashlib.sha256(json.dumps([what, *state]).encode()).hexdigest()[:8]
    made = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', path.stem).strip('-') or 'corpus'}-{digest}"
    if not (made / MANIFEST).exists():
        _make(what, made, progress)
    return Corpus(made)


def _make(what: str, folder: Path, progress: Progress) -> None:
    staged = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    tally = Tally()
    records, total = _records(what, tally)

    def counted() -> Iterator[Record]:
        for number, record in enumerate(records, 1):
            yield record
            if number % 20 == 0:
                progress(what, number, total)

    try:
        shards: list[ShardInfo] = []
        source = counted()
        while portion := list(islice(source, RECORDS_PER_SHARD)):
            shards.append(write_shard(staged / f"train-{len(shards):05d}.tar", portion))
        if not shards:
            left = f": {tally}" if tally.left_out else ""
            raise SourceError(f"{what} holds no conversation that can be learned from{left}")
        write_manifest(staged, shards, {"recipe": what, "left_out": str(tally) if tally.left_out else ""})
        os.replace(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _records(what: str, tally: Tally) -> tuple[Iterable[Record], int | None]:
    if not what.startswith("worlds:"):
        return named.records(what, tally=tally), None
    match = re.fullmatch(r"worlds:(\d+)(?::([\w,]+))?", what)
    if match is None:
        raise ConfigError(f"{what!r} is not worlds:COUNT or worlds:COUNT:NAME,NAME")
    count = int(match[1])
    try:
        part = Worlds(count, dict.fromkeys(match[2].split(","), 1.0)) if match[2] else Worlds(count)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return map(part.record, range(count)), count
