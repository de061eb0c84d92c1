"""Near neighbours among many fingerprints and signatures, without comparing all with all.

Pictures: a fingerprint is looked up in tables, each keyed by another random choice of its bits, so that near ones meet
in at least one table (Indyk and Motwani, "Approximate nearest neighbors", 1998). Texts: bands of a MinHash signature
are the keys (Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3). Only fingerprints are held in
memory: 272 bytes a picture, 512 a text.

A collection drawn from one template fills buckets with what is near and yet not the same. So that the work grows with
the collection and not with its square, each bucket gives its first PER_BUCKET members and each picture keeps its
MOST_CANDIDATES nearest.
"""

from collections.abc import Iterator

import numpy as np

TABLES = 32
PER_BUCKET = 64
MOST_CANDIDATES = 16
QUERIES_AT_ONCE = 1 << 14


def near_fingerprints(windows: np.ndarray, wholes: np.ndarray, farthest: int) -> np.ndarray:
    """Pairs of a picture's window and another's whole that differ in at most `farthest` bits.

    `windows` is uint8 of shape (n, w, bytes), `wholes` uint8 of shape (m, bytes). Returns int64 of shape (pairs, 4):
    picture of the window, window, picture of the whole, distance; the nearest window of each pair of pictures.
    """
    num_windows, width = windows.shape[1:]
    found = [np.empty((0, 4), dtype=np.int64)]
    flat = windows.reshape(-1, width)
    for bits in _choices_of_bits(8 * width, len(wholes)):
        keys = _keys(wholes, bits)
        order = np.argsort(keys, kind="stable")
        for start in range(0, len(flat), QUERIES_AT_ONCE):
            queries = flat[start : start + QUERIES_AT_ONCE]
            query, member = _members(_keys(queries, bits), keys[order])
            whole = order[member]
            distance = _distance(queries[query], wholes[whole])
            near = distance <= farthest
            at = query[near] + start
            found.append(
                np.stack([at // num_windows, at % num_windows, whole[near], distance[near]], axis=1).astype(
                    np.int64
                )
            )
        found = [_nearest(np.concatenate(found), by=(0, 2))]
    return found[0]


def copies_within(windows: np.ndarray, farthest: int) -> np.ndarray:
    """Candidate pairs among one collection: int64 of shape (pairs, 4): outer, window, inner, distance.

    Every picture has its MOST_CANDIDATES nearest among those before it.
    """
    pairs = near_fingerprints(windows, np.ascontiguousarray(windows[:, 0]), farthest)
    pairs = pairs[pairs[:, 0] != pairs[:, 2]]
    later, earlier = np.maximum(pairs[:, 0], pairs[:, 2]), np.minimum(pairs[:, 0], pairs[:, 2])
    order = np.lexsort((earlier, pairs[:, 3], later))
    pairs, later, earlier = pairs[order], later[order], earlier[order]
    _, first = np.unique(later * (len(windows) + 1) + earlier, return_index=True)
    keep = np.sort(first)
    return pairs[keep][_rank_in_group(later[keep]) < MOST_CANDIDATES]


def copies_between(windows: np.ndarray, others: np.ndarray, farthest: int) -> np.ndarray:
    """Candidate pairs between two collections: int64 of shape (pairs, 4): picture, other, window, which is outer.

    The last is 0 where the window is of the picture and 1 where it is of the other; every picture has its
    MOST_CANDIDATES nearest.
    """
    ahead = near_fingerprints(windows, np.ascontiguousarray(others[:, 0]), farthest)
    back = near_fingerprints(others, np.ascontiguousarray(windows[:, 0]), farthest)
    rows = np.concatenate(
        [
            np.column_stack([ahead[:, 0], ahead[:, 2], ahead[:, 1], np.zeros(len(ahead), int), ahead[:, 3]]),
            np.column_stack([back[:, 2], back[:, 0], back[:, 1], np.ones(len(back), int), back[:, 3]]),
        ]
    ).astype(np.int64)
    rows = _nearest(rows, by=(0, 1), distance=4)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 4], rows[:, 0]))]
    return rows[_rank_in_group(rows[:, 0]) < MOST_CANDIDATES][:, :4]


def similar_signatures(signatures: np.ndarray, bands: int, least: float) -> np.ndarray:
    """Pairs (later, earlier) whose MinHash signatures agree in at least a share `least` of their places.

    `signatures` is uint32 of shape (n, places); `bands` divides the places.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    for band in np.split(signatures, bands, axis=1):
        keys = _mixed(band)
        order = np.argsort(keys, kind="stable")
        query, member = _members(keys, keys[order])
        pairs = np.stack([query, order[member]], axis=1)
        found.append(pairs[pairs[:, 0] > pairs[:, 1]])
    pairs = np.unique(np.concatenate(found), axis=0)
    same = np.zeros(len(pairs))
    for start in range(0, len(pairs), QUERIES_AT_ONCE):
        part = pairs[start : start + QUERIES_AT_ONCE]
        same[start : start + QUERIES_AT_ONCE] = (signatures[part[:, 0]] == signatures[part[:, 1]]).mean(1)
    return pairs[same >= least]


def _choices_of_bits(width: int, count: int) -> Iterator[np.ndarray]:
    """So many bits that a bucket holds about one fingerprint of an even collection."""
    number = int(np.clip(np.ceil(np.log2(max(count, 2))) + 2, 10, 24))
    rng = np.random.Generator(np.random.PCG64(number))
    for _ in range(TABLES):
        yield rng.permutation(width)[:number]


def _keys(fingerprints: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """The chosen bits as one number each: uint32."""
    keys = np.zeros(len(fingerprints), dtype=np.uint32)
    for bit in bits:
        keys = (keys << np.uint32(1)) | ((fingerprints[:, bit // 8] >> (7 - bit % 8)) & 1)
    return keys


def _mixed(band: np.ndarray) -> np.ndarray:
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys


def _members(queries: np.ndarray, sorted_keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each query the places of equal keys, at most PER_BUCKET of them, as (query, place) pairs."""
    first = np.searchsorted(sorted_keys, queries, "left")
    counts = np.minimum(np.searchsorted(sorted_keys, queries, "right") - first, PER_BUCKET)
    query = np.repeat(np.arange(len(queries)), counts)
    return query, first[query] + _rank_in_group(query)


def _rank_in_group(groups: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal values."""
    if not len(groups):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.bitwise_count(a ^ b).sum(1, dtype=np.int64)


def _nearest(rows: np.ndarray, by: tuple[int, int], distance: int = 3) -> np.ndarray:
    """One row for each pair of columns `by`, the one of least distance."""
    order = np.lexsort((rows[:, 1], rows[:, distance], rows[:, by[1]], rows[:, by[0]]))
    rows = rows[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (rows[1:, by[0]] != rows[:-1, by[0]]) | (rows[1:, by[1]] != rows[:-1, by[1]])
    return rows[first]
