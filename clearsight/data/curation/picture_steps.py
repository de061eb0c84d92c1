"""Steps that look at pictures: do they decode, are they of a sensible size, has the same one been here before."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from clearsight.data.curation import alignment, neighbours
from clearsight.data.curation.extras import require
from clearsight.data.curation.pictures import FINGERPRINT_BYTES, NUM_WINDOWS, measure
from clearsight.data.curation.pipeline import Outcome, Removal, Run
from clearsight.data.curation.store import Store
from clearsight.data.curation.tables import grouped, lists, write
from clearsight.processing.images import decode

PICTURES_AT_ONCE = 16


def decoding(run: Run, folder: Path) -> Outcome:
    """Measures every picture once; later steps look at these figures alone."""
    table = _measure_pictures(run, run.store, "Decoding pictures")
    write(table, folder / "pictures.parquet")
    for name, store in run.evaluation.items():
        write(_measure_pictures(run, store, f"Decoding {name}"), folder / f"evaluation-{name}.parquet")
    removals: dict[int, Removal] = {}
    for row, error in zip(table["row"].to_pylist(), table["error"].to_pylist(), strict=True):
        if error:
            removals.setdefault(row, Removal(row, _kind_of_error(error), error))
    return Outcome(list(removals.values()), f"{table.num_rows:,} pictures were measured")


def _measure_pictures(run: Run, store: Store, title: str) -> Any:
    daft = require("daft", "to run the pipeline")
    most = run.options.max_pixels

    def measured(pictures: list[list[bytes]]) -> list[Any]:
        return [
            [{"index": i, **asdict(measure(data, most))} for i, data in enumerate(row)] for row in pictures
        ]

    types = {
        "index": daft.DataType.int64(),
        "sha256": daft.DataType.string(),
        "error": daft.DataType.string(),
        "width": daft.DataType.int64(),
        "height": daft.DataType.int64(),
        "fingerprints": daft.DataType.binary(),
        **{name: daft.DataType.float64() for name in ("sharpness", "spread", "entropy")},
    }
    frame = run.frame("pictures", store=store)
    found = run.mapped(
        frame, measured, ["pictures"], daft.DataType.list(daft.DataType.struct(types)), PICTURES_AT_ONCE
    )
    found = found.explode("found").where(daft.col("found")["sha256"].not_null())
    found = found.select("row", *(daft.col("found")[name].alias(name) for name in types))
    return run.collected(found, title, None, ("row", "index"))


def _kind_of_error(error: str) -> str:
    if "more than" in error:
        return "too many pixels"
    if "not a picture" in error or "not supported" in error:
        return "not a supported picture"
    if "empty" in error:
        return "an empty file"
    return "damaged or cut short"


def sizes(run: Run, folder: Path) -> Outcome:
    pictures = run.measured("decode", "pictures")
    removals: dict[int, Removal] = {}
    for row, width, height in zip(*lists(pictures, "row", "width", "height"), strict=True):
        short, long = min(width, height), max(width, height)
        if not run.alive[row] or not short:
            continue
        size = f"{width} x {height} pixels"
        if short < run.options.least_side:
            removals.setdefault(row, Removal(row, "too small", size))
        elif long > run.options.most_aspect * short:
            removals.setdefault(row, Removal(row, "too long and narrow", size))
    return Outcome(list(removals.values()))


def similar_pictures(run: Run, folder: Path) -> Outcome:
    """Removes a record when each of its pictures is a copy of one that stands in an earlier record.

    Files that are equal byte for byte are one picture asked about several times, which is meant; only a copy that was
    resized, recompressed or cropped is not.
    """
    rows, shas, prints = fingerprints_of(run, "pictures", run.alive)
    unique, first, which = distinct(shas)
    pairs = neighbours.copies_within(prints[first], run.options.farthest_copy)
    # The picture that has the window is the outer one; either may come first.
    same = verified(
        run,
        folder,
        [(run.store, rows[first], shas[first])],
        np.column_stack([np.zeros(len(pairs), int), pairs[:, 0], np.zeros(len(pairs), int), pairs[:, 2]]),
        pairs[:, 1],
    )
    original = np.arange(len(unique))
    for outer, _, inner, _ in pairs[same]:
        later, earlier = max(outer, inner), min(outer, inner)
        original[later] = min(original[later], original[earlier])
    removals = []
    for row, of_row in grouped(rows, which).items():
        if all(original[one] != one and rows[first[original[one]]] < row for one in of_row):
            like = int(rows[first[original[of_row[0]]]])
            removals.append(Removal(row, "a copy of an earlier picture", like=like))
    return Outcome(removals, f"{len(pairs):,} pairs were alike and {int(same.sum()):,} of them copies")


def fingerprints_of(
    run: Run, name: str, alive: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, SHA-256 and fingerprints (n, windows, bytes) of the pictures of the rows that are left."""
    table = run.measured("decode", name)
    table = table.filter(table["error"].is_null())
    rows = table["row"].to_numpy()
    keep = np.ones(len(rows), dtype=bool) if alive is None else alive[rows]
    prints = np.frombuffer(b"".join(table["fingerprints"].to_pylist()), dtype=np.uint8)
    prints = prints.reshape(-1, NUM_WINDOWS, FINGERPRINT_BYTES)
    shas = np.asarray(table["sha256"].to_pylist(), dtype=object)
    return rows[keep], shas[keep], prints[keep]


def distinct(shas: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Different files in the order of their first place, that place, and for each picture which file it is."""
    numbers: dict[str, int] = {}
    which = np.array([numbers.setdefault(sha, len(numbers)) for sha in shas], dtype=np.int64)
    first = np.full(len(numbers), len(shas), dtype=np.int64)
    np.minimum.at(first, which, np.arange(len(shas)))
    return list(numbers), first, which


def verified(
    run: Run,
    folder: Path,
    collections: list[tuple[Store, np.ndarray, np.ndarray]],
    pairs: np.ndarray,
    windows: np.ndarray,
) -> np.ndarray:
    """Which candidate pairs are copies, by their pixels: bool of shape (pairs,).

    `collections` are stores with the row and hash of their pictures; a pair is (collection, picture) twice, the outer
    picture first. Only candidates are decoded, to a file that every worker maps.
    """
    if not len(pairs):
        return np.zeros(0, dtype=bool)
    daft, arrow = require("daft", "to run the pipeline"), require("pyarrow", "to run the pipeline")
    wanted, places = np.unique(np.concatenate([pairs[:, :2], pairs[:, 2:]]), axis=0, return_inverse=True)
    shape = (len(wanted), alignment.LOOK, alignment.LOOK, 3)
    file = folder / "looks.npy"
    looks = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
    for number, (store, rows, shas) in enumerate(collections):
        _fill_looks(run, store, rows, shas, wanted, number, looks)
    looks.flush()
    del looks
    path = str(file.resolve())

    def compared(outer: list[int], inner: list[int], window: list[int]) -> list[bool]:
        mapped = np.load(path, mmap_mode="r")
        return [
            alignment.is_copy(np.array(mapped[o]), np.array(mapped[i]), w)
            for o, i, w in zip(outer, inner, window, strict=True)
        ]

    places = places.reshape(2, -1)
    columns = {"row": np.arange(len(pairs)), "outer": places[0], "inner": places[1], "window": windows}
    frame = daft.from_arrow(arrow.table(columns))
    if run.runner == "ray":
        frame = frame.into_partitions(int(np.clip(len(pairs) // 256, 1, 4096)))
    found = run.mapped(frame, compared, ["outer", "inner", "window"], daft.DataType.bool(), 64)
    same = run.collected(found, "Comparing pictures", len(pairs))["found"].to_numpy(zero_copy_only=False)
    file.unlink()
    return same


def _fill_looks(
    run: Run,
    store: Store,
    rows: np.ndarray,
    shas: np.ndarray,
    wanted: np.ndarray,
    number: int,
    looks: np.ndarray,
) -> None:
    """Decode the wanted pictures of one collection and put each in its place."""
    daft = require("daft", "to run the pipeline")
    mine = np.flatnonzero(wanted[:, 0] == number)
    pictures = wanted[mine, 1]
    place_of = {shas[picture]: int(place) for picture, place in zip(pictures, mine, strict=True)}
    needed = np.zeros(len(store.columns("row")), dtype=bool)
    needed[rows[pictures]] = True
    names, most = set(place_of), run.options.max_pixels

    def shown(pictures: list[list[bytes]]) -> list[Any]:
        found = []
        for row in pictures:
            hashed = {hashlib.sha256(data).hexdigest(): data for data in row}
            found.append(
                [
                    {"sha256": sha, "look": alignment.look(decode(data, max_pixels=most)).tobytes()}
                    for sha, data in hashed.items()
                    if sha in names
                ]
            )
        return found

    kind = daft.DataType.struct({"sha256": daft.DataType.string(), "look": daft.DataType.binary()})
    frame = run.mapped(
        run.frame("pictures", rows=needed, store=store),
        shown,
        ["pictures"],
        daft.DataType.list(kind),
        PICTURES_AT_ONCE,
    )
    for batch in run.batches(frame, "Reading pictures that are alike", int(needed.sum())):
        for found in batch.column("found").to_pylist():
            for one in found:
                looks[place_of[one["sha256"]]] = np.frombuffer(one["look"], np.uint8).reshape(looks.shape[1:])
