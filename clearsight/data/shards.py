"""Records on disk: tar shards that WebDataset readers understand, with an index for random access and a manifest.

    corpus/
      manifest.json             what is in here, with counts, licences and hashes
      train-00000.tar           000000000.json, 000000000.0.png, 000000001.json, ...
      train-00000.index.npy     where each record begins: (records + 1,) int64 byte offsets

A record is its JSON (see Record.to_json) followed by its pictures, each under its place in the conversation. The
index lets a loader read any record with one seek. Only the standard library and NumPy are needed to read.

Shards are written beside their place, flushed and renamed, so that a shard either is there and whole or is not
there; nothing in them depends on the clock, so equal records give equal bytes.
"""

import hashlib
import io
import json
import os
import tarfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from clearsight.conversation import ConversationError
from clearsight.data.record import Record

FORMAT = "clearsight-shards/1"
MANIFEST = "manifest.json"


class ShardError(RuntimeError):
    """Shards that cannot be used; the message says which file and what to do."""


@dataclass
class ShardInfo:
    """What the manifest says of one shard. `sha256` covers the tar file, `index_sha256` the index."""

    file: str
    records: int
    pictures: int
    bytes: int
    sha256: str
    index_sha256: str
    licences: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    skills: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def write_shard(path: Path, records: Iterable[Record]) -> ShardInfo:
    """Write records to `path` (ending in .tar) and their index beside it; replaces what is there.

    Pictures are stored as the bytes they came with; pictures of pixels alone are stored as PNG.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    offsets, pictures = [0], 0
    licences: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    skills: Counter[str] = Counter()
    with staged.open("wb") as file:
        for number, record in enumerate(records):
            body = record.to_json()
            files = [image.encoded() for image in record.conversation.images]
            body["files"] = [f"{place}.{_suffix(data)}" for place, data in enumerate(files)]
            key = f"{number:09d}"
            _add(file, f"{key}.json", json.dumps(body, ensure_ascii=False, sort_keys=True).encode())
            for name, data in zip(body["files"], files, strict=True):
                _add(file, f"{key}.{name}", data)
            offsets.append(file.tell())
            pictures += len(files)
            licences[record.provenance.licence] += 1
            sources[record.provenance.source] += 1
            skills.update(record.skills)
        file.write(bytes(2 * tarfile.BLOCKSIZE))
        file.flush()
        os.fsync(file.fileno())
    index = io.BytesIO()
    np.save(index, np.array(offsets, dtype=np.int64))
    index_path = index_of(path)
    staged_index = index_path.with_name(f".{index_path.name}.{os.getpid()}")
    staged_index.write_bytes(index.getvalue())
    info = ShardInfo(
        path.name,
        len(offsets) - 1,
        pictures,
        staged.stat().st_size,
        file_sha256(staged),
        hashlib.sha256(index.getvalue()).hexdigest(),
        dict(sorted(licences.items())),
        dict(sorted(sources.items())),
        dict(sorted(skills.items())),
    )
    os.replace(staged_index, index_path)
    os.replace(staged, path)
    return info


def index_of(path: Path) -> Path:
    return path.with_suffix(".index.npy")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(file: IO[bytes], name: str, data: bytes) -> None:
    """One member, with nothing in its header that depends on who writes or when."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    file.write(info.tobuf(tarfile.USTAR_FORMAT))
    file.write(data)
    file.write(bytes(-len(data) % tarfile.BLOCKSIZE))


def _suffix(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "png"
    if data.startswith(b"\xff\xd8"):
        return "jpg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "gif" if data.startswith(b"GIF8") else "bin"


# ---------------------------------------------------------------------------------------------------
# Manifest


def write_manifest(folder: Path, shards: list[ShardInfo], about: dict[str, Any]) -> dict[str, Any]:
    """Write what the folder holds; `about` says how it was made (recipe, code version, filters)."""
    manifest = {
        "format": FORMAT,
        **about,
        "records": sum(shard.records for shard in shards),
        "pictures": sum(shard.pictures for shard in shards),
        "bytes": sum(shard.bytes for shard in shards),
        **{
            name: _total(getattr(shard, name) for shard in shards)
            for name in ("licences", "sources", "skills")
        },
        "shards": [
            {k: v for k, v in shard.to_json().items() if k not in ("licences", "sources", "skills")}
            for shard in shards
        ],
    }
    staged = folder / f".{MANIFEST}.{os.getpid()}"
    staged.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    os.replace(staged, folder / MANIFEST)
    return manifest


def _total(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises ShardError when there is none, or it is of another format."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except FileNotFoundError:
        raise ShardError(
            f"There is no {MANIFEST} in {folder}. Build a corpus there with: "
            f"clearsight data build RECIPE --out {folder}"
        ) from None
    except (OSError, ValueError) as error:
        raise ShardError(f"{path} can't be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ShardError(f"{path} is not a manifest of {FORMAT}; build the corpus again with this version.")
    return manifest


# ---------------------------------------------------------------------------------------------------
# Reading


class Corpus:
    """A folder of shards, read by number: `corpus[i]` is the i-th record, `len(corpus)` how many there are.

    Only the indices are held in memory (eight bytes a record). Safe to use in forked and spawned workers.

    Raises ShardError for a folder without a manifest, and for a shard that is missing or does not have the size that
    the manifest names; `verify` reads everything again and compares the hashes.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.paths = [self.folder / shard["file"] for shard in self.manifest["shards"]]
        self.offsets: list[np.ndarray] = []
        for path, shard in zip(self.paths, self.manifest["shards"], strict=True):
            if not path.exists() or path.stat().st_size != shard["bytes"]:
                raise ShardError(
                    f"{path} is missing or cut short. Build the corpus again: finished shards are kept."
                )
            try:
                index = np.load(index_of(path), allow_pickle=False)
            except (OSError, ValueError) as error:
                raise ShardError(
                    f"{index_of(path)} can't be read: {error}. Build the corpus again."
                ) from error
            if len(index) != shard["records"] + 1:
                raise ShardError(f"{index_of(path)} does not belong to {path.name}. Build the corpus again.")
            self.offsets.append(index)
        self.firsts = np.concatenate([[0], np.cumsum([len(index) - 1 for index in self.offsets])]).tolist()

    def __len__(self) -> int:
        return self.firsts[-1]

    def __getitem__(self, number: int) -> Record:
        if not 0 <= number < len(self):
            raise IndexError(f"the corpus has {len(self)} records; there is no record {number}")
        shard = bisect_right(self.firsts, number) - 1
        place = number - self.firsts[shard]
        begin, end = (int(v) for v in self.offsets[shard][place : place + 2])
        data = os.pread(_opened(str(self.paths[shard]), os.getpid()), end - begin, begin)
        return _record(data, self.paths[shard], place)

    def __iter__(self) -> Iterator[Record]:
        return (self[number] for number in range(len(self)))

    def verify(self) -> Iterator[tuple[str, bool]]:
        """(file, whether its content is what the manifest says), shard by shard."""
        for path, shard in zip(self.paths, self.manifest["shards"], strict=True):
            good = (
                file_sha256(path) == shard["sha256"] and file_sha256(index_of(path)) == shard["index_sha256"]
            )
            yield path.name, good


@lru_cache(maxsize=64)
def _opened(path: str, process: int) -> int:
    """A file descriptor a process; forked workers open their own."""
    return os.open(path, os.O_RDONLY)


def _record(data: bytes, path: Path, place: int) -> Record:
    try:
        members = _members(data)
        body = json.loads(members.pop("json"))
        files = [members[name] for name in body.pop("files")]
        images = [
            part for message in body["messages"] for part in message["content"] if part["type"] == "image"
        ]
        by_hash = {part["sha256"]: file for part, file in zip(images, files, strict=True)}
        return Record.from_json(body, by_hash.__getitem__)
    except (KeyError, ValueError, TypeError, ConversationError, tarfile.TarError) as error:
        raise ShardError(f"record {place} of {path} is damaged: {error}. Build the corpus again.") from error


def _members(data: bytes) -> dict[str, bytes]:
    """The files of one record by what follows its number in their names."""
    found, position = {}, 0
    while position < len(data):
        info = tarfile.TarInfo.frombuf(data[position : position + tarfile.BLOCKSIZE], "utf-8", "strict")
        position += tarfile.BLOCKSIZE
        found[info.name.split(".", 1)[1]] = data[position : position + info.size]
        position += info.size + -info.size % tarfile.BLOCKSIZE
    return found
