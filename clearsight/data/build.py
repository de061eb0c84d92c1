"""Builds a corpus of shards from a recipe, on all cores, and goes on where it was when it was stopped.

A recipe is a Python file that sets RECIPE, for instance:

    from clearsight.data.build import Recipe, Stream, Worlds
    from clearsight.data.sources import wordnet

    RECIPE = Recipe(parts=(Worlds(count=160_000), Stream("wordnet", wordnet.records, limit=40_000)))

Every record of a world is made from its number alone, so its shards are made in any order by any number of
processes. A stream is read in order by one process, and must give the same records when it is read again.
"""

import hashlib
import json
import os
import runpy
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from clearsight import __version__
from clearsight.data import examples
from clearsight.data.record import Record, is_permissive
from clearsight.data.shards import MANIFEST, ShardInfo, read_manifest, write_manifest, write_shard
from clearsight.data.worlds import WORLDS
from clearsight.data.worlds.scene import Split, rng_for

Licences = Literal["permissive", "any"]
BUILDING = "building"  # folder with what is known of finished shards, until the manifest is written


class BuildError(RuntimeError):
    """A corpus that can't be built; the message says what to do."""


@dataclass(frozen=True)
class Worlds:
    """`count` generated pictures with questions. `mix` gives each world's weight; all worlds alike by default."""

    count: int
    mix: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(WORLDS, 1.0))
    split: Split = "train"
    first_seed: int = 0
    name: str = "worlds"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.mix) - set(WORLDS))
        if unknown or not self.mix:
            raise ValueError(f"there is no world {unknown or 'in the mix'}; there are {', '.join(WORLDS)}")
        if self.count < 1:
            raise ValueError("count is at least 1")

    def record(self, number: int) -> Record:
        """The number-th record of this part."""
        seed = self.first_seed + number
        rng = rng_for("mix", seed, self.split)
        while True:
            (world,) = rng.choices(list(self.mix), list(self.mix.values()))
            try:
                return examples.example(world, seed, self.split)
            except examples.NothingToAsk:
                continue  # of a picture so degraded; another world gets the seed


@dataclass(frozen=True)
class Stream:
    """Records that `make` gives in order, the same ones each time; `limit` None takes all."""

    name: str
    make: Callable[[], Iterable[Record]]
    limit: int | None = None


@dataclass(frozen=True)
class Recipe:
    """What a corpus is made of. `filters` names what was done to the streams' records before (see curation)."""

    parts: tuple[Worlds | Stream, ...]
    records_per_shard: int = 2000
    filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        if not names or len(set(names)) != len(names):
            raise ValueError("a recipe has at least one part, and no two of the same name")
        if self.records_per_shard < 1:
            raise ValueError("records_per_shard is at least 1")


def read_recipe(path: Path) -> Recipe:
    """Run a recipe file. Raises BuildError when it is missing, fails, or sets no RECIPE."""
    if not path.is_file():
        raise BuildError(f"There is no recipe {path}. An example is recipes/data/first.py.")
    try:
        found = runpy.run_path(str(path)).get("RECIPE")
    except Exception as error:  # whatever the user's file raises
        raise BuildError(f"The recipe {path} fails: {type(error).__name__}: {error}") from error
    if not isinstance(found, Recipe):
        raise BuildError(f"The recipe {path} sets no RECIPE = Recipe(...) of clearsight.data.build.")
    return found


# ---------------------------------------------------------------------------------------------------
# Building

Progress = Callable[[str, int, int | None], None]  # part, records done, records in all if known

_recipe: Recipe
_counters: dict[str, Any]


def build(
    path: Path,
    out: Path,
    *,
    licences: Licences = "permissive",
    workers: int | None = None,
    progress: Progress = lambda part, done, total: None,
) -> dict[str, Any]:
    """Build the recipe in `path` into the folder `out` and give the manifest.

    A folder in which the same recipe was begun is continued, finished shards are kept; when it is finished nothing
    is done. Raises BuildError for a recipe that can't be run, and for a folder that holds something else.
    """
    recipe = read_recipe(path)
    identity = {
        "recipe": path.name,
        "recipe_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licences_allowed": licences,
        "clearsight": __version__,
        "filters": [*recipe.filters, *(["licences: permissive"] if licences == "permissive" else [])],
    }
    if (out / MANIFEST).exists():
        made = read_manifest(out)
        if {key: made.get(key) for key in identity} != identity:
            raise BuildError(f"{out} holds another corpus, made by {made.get('recipe')}. Name another --out.")
        return made
    notes = out / BUILDING
    notes.mkdir(parents=True, exist_ok=True)
    started = notes / "recipe.json"
    if started.exists() and json.loads(started.read_text()) != identity:
        raise BuildError(
            f"Another recipe, or this one before it was changed, was begun in {out}. Name another --out, or remove "
            "that folder."
        )
    _write(started, identity)
    for stale in out.glob(".*"):  # left by a process that was killed
        stale.unlink()

    workers = workers or len(os.sched_getaffinity(0))
    context = get_context("fork" if os.name == "posix" else "spawn")
    counters = {part.name: context.Value("q", 0) for part in recipe.parts}
    tasks = [
        (part.name, number) for part in recipe.parts for number in (_shard_numbers(part, recipe) or (None,))
    ]
    with ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(path, counters)) as pool:
        waiting: set[Future[None]] = {
            pool.submit(_make_shards, name, number, out, licences) for name, number in tasks
        }
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.3, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                for part in recipe.parts:
                    total = part.count if isinstance(part, Worlds) else part.limit
                    progress(part.name, counters[part.name].value, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    infos, refused = [], Counter[str]()
    for part in recipe.parts:
        for note in sorted(notes.glob(f"{part.name}-*.json")):
            stored = json.loads(note.read_text())
            infos.append(ShardInfo(**stored["shard"]))
            refused.update(stored["refused"])
    manifest = write_manifest(
        out, [info for info in infos if info.records], identity | {"refused": dict(sorted(refused.items()))}
    )
    shutil.rmtree(notes)
    return manifest


def _shard_numbers(part: Worlds | Stream, recipe: Recipe) -> range | None:
    """The shards of a part that can be made one without the other."""
    if isinstance(part, Stream):
        return None
    return range(-(-part.count // recipe.records_per_shard))


def _start_worker(path: Path, counters: dict[str, Any]) -> None:
    global _recipe, _counters
    _recipe, _counters = read_recipe(path), counters


def _make_shards(name: str, number: int | None, out: Path, licences: Licences) -> None:
    """One shard of a world part, or all shards of a stream, but those that are there."""
    (part,) = [part for part in _recipe.parts if part.name == name]
    size = _recipe.records_per_shard
    if isinstance(part, Worlds):
        assert number is not None
        first, last = number * size, min(part.count, (number + 1) * size)
        if _finished(out, name, number):
            _advance(name, last - first)
        else:
            _make_shard(out, name, number, (part.record(i) for i in range(first, last)), licences)
        return
    records = iter(islice(part.make(), part.limit))
    number = 0
    while True:
        portion = list(islice(records, size)) if not _finished(out, name, number) else None
        if portion is None:
            _advance(name, sum(1 for _ in islice(records, size)))
        elif portion:
            _make_shard(out, name, number, portion, licences)
        else:
            return
        number += 1


def _make_shard(out: Path, name: str, number: int, records: Iterable[Record], licences: Licences) -> None:
    refused: Counter[str] = Counter()

    def allowed() -> Iterator[Record]:
        for record in records:
            _advance(name, 1)
            licence = record.provenance.licence
            if licences == "permissive" and not is_permissive(licence):
                refused[f"{record.provenance.source}: {licence}"] += 1
            else:
                yield record

    info = write_shard(out / f"{name}-{number:05d}.tar", allowed())
    if not info.records:
        (out / info.file).unlink()
        (out / info.file).with_suffix(".index.npy").unlink()
    _write(_note(out, name, number), {"shard": info.to_json(), "refused": dict(refused)})


def _note(out: Path, name: str, number: int) -> Path:
    return out / BUILDING / f"{name}-{number:05d}.json"


def _finished(out: Path, name: str, number: int) -> bool:
    return _note(out, name, number).exists()


def _advance(name: str, count: int) -> None:
    with _counters[name].get_lock():
        _counters[name].value += count


def _write(path: Path, content: dict[str, Any]) -> None:
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(json.dumps(content))
    os.replace(staged, path)
