"""Whether one picture is a copy of another, up to size, compression and a crop at its sides.

Two drawings of one template look alike and yet show other things: one digit of a table, one hand of a clock. So a
candidate is laid over the original, its edges are found to a fraction of a pixel (Lucas and Kanade, "An iterative image
registration technique", 1981), and then every small block must agree, in colour too. A copy differs a little
everywhere, and most where there are edges; another drawing differs much somewhere.

Left out: mirrored, rotated and recoloured copies, and pictures pasted into larger ones.
"""

import numpy as np
from PIL import Image as PILImage

from clearsight.data.curation.pictures import EDGES

LOOK = 128  # pixels a side, whatever the picture's own shape
BLOCK = 8  # pixels a side of the blocks that must agree
FARTHEST = 0.09  # of a side that an edge may lie inside or outside the other picture
WHOLE = np.array([0.0, 1.0, 0.0, 1.0])  # left, right, top, bottom edge
LONGEST_STEP = 0.02  # of a side; a longer one is a mistake of the linear model
ITERATIONS = {LOOK // 2: 6, LOOK: 3}  # for each size in pixels, the coarse one first
RIDGE = 0.5  # squared grey levels a side; keeps an edge where it is when nothing in the picture tells
NOISE = 8.0  # grey levels by which a block of a copy may differ on average without any edge in it
EDGE_SHARE = 0.45  # and how much more, as a share of the block's mean gradient


def look(picture: PILImage.Image) -> np.ndarray:
    """The picture as the comparison sees it: uint8 of shape (LOOK, LOOK, 3)."""
    size = (LOOK, LOOK)
    return np.asarray(picture.convert("RGB").resize(size, PILImage.Resampling.BOX, reducing_gap=None))


def difference(outer: np.ndarray, inner: np.ndarray, window: int) -> float:
    """How much the worst block differs, as a multiple of what a copy may differ: a copy is below 1.

    Both are looks; `inner` is held to be about the given window of `outer` (see pictures.EDGES). Alignments start from
    that window, from the whole and from between them, until one fits.
    """
    (top, bottom), (left, right) = EDGES[window // len(EDGES)], EDGES[window % len(EDGES)]
    guess = np.array([left, right, top, bottom])
    least = min(_worst_block(outer, inner, start) for start in (WHOLE, guess))
    levels = [(size, _grey(outer, size), _grey(inner, size)) for size in ITERATIONS]
    for start in (guess, (WHOLE + guess) / 2, WHOLE):
        if least < 1:  # it is a copy already
            break
        least = min(least, _worst_block(outer, inner, _aligned(levels, start)))
    return least


def is_copy(outer: np.ndarray, inner: np.ndarray, window: int) -> bool:
    return difference(outer, inner, window) < 1


def _worst_block(outer: np.ndarray, inner: np.ndarray, edges: np.ndarray) -> float:
    a, b = _window(PILImage.fromarray(outer), edges, LOOK).astype(np.float32), inner.astype(np.float32)
    off = np.abs(_smooth(a - b)).max(2) * _shared(edges, LOOK)
    steepness = np.maximum(_steepness(a), _steepness(b))
    return float((_block_means(off) / (NOISE + EDGE_SHARE * _block_means(steepness))).max())


def _aligned(levels: list[tuple[int, np.ndarray, np.ndarray]], edges: np.ndarray) -> np.ndarray:
    """Left, right, top, bottom of the inner picture within the outer as shares of its sides, found from a guess.

    `levels` are sizes in pixels with the grey outer and inner picture, from coarse to fine.
    """
    for size, outer, wanted in levels:
        source = PILImage.fromarray(outer)
        u = ((np.arange(size) + 0.5) / size).astype(np.float32)
        for _ in range(ITERATIONS[size]):
            found = _window(source, edges, size)
            down, across = (slope * size for slope in np.gradient(found))
            slopes = np.stack([across * (1 - u), across * u, down * (1 - u[:, None]), down * u[:, None]])
            slopes = slopes.reshape(4, -1)
            off = ((wanted - found) * _shared(edges, size)).ravel()
            weighted = slopes / (1 + np.abs(off) / 8)  # what has changed must not pull
            step = np.linalg.solve(weighted @ slopes.T + RIDGE * size**2 * np.eye(4), weighted @ off)
            before = edges
            edges = edges + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
            edges = np.clip(edges, WHOLE - FARTHEST, WHOLE + FARTHEST)
            if np.abs(edges - before).max() * size < 0.02:
                break
    return edges


def _window(source: PILImage.Image, edges: np.ndarray, size: int) -> np.ndarray:
    left, right, top, bottom = edges * source.width
    extent = (left, top, right, bottom)
    return np.asarray(
        source.transform((size, size), PILImage.Transform.EXTENT, extent, PILImage.Resampling.BILINEAR)
    )


def _shared(edges: np.ndarray, size: int) -> np.ndarray:
    """1 where a sample of the inner picture lies within the outer one, else 0."""
    u = (np.arange(size) + 0.5) / size
    x, y = (low + (high - low) * u for low, high in (edges[:2], edges[2:]))
    margin = 0.5 / size
    inside_x, inside_y = ((at > margin) & (at < 1 - margin) for at in (x, y))
    return (inside_y[:, None] & inside_x).astype(np.float32)


def _grey(picture: np.ndarray, size: int) -> np.ndarray:
    grey = PILImage.fromarray(picture).convert("L").resize((size, size), PILImage.Resampling.BOX)
    return _smooth(np.asarray(grey, dtype=np.float32))


def _smooth(x: np.ndarray) -> np.ndarray:
    """Weights 1 2 1 along both axes, edges repeated."""
    for axis in (0, 1):
        padded = np.concatenate([x.take([0], axis), x, x.take([-1], axis)], axis)
        size = x.shape[axis]
        first, middle, last = (padded.take(range(k, k + size), axis) for k in range(3))
        x = (first + 2 * middle + last) / 4
    return x


def _steepness(x: np.ndarray) -> np.ndarray:
    """The largest difference to a neighbour over the channels."""
    across, down = np.gradient(x, axis=(0, 1))
    return np.maximum(np.abs(across), np.abs(down)).max(2)


def _block_means(x: np.ndarray) -> np.ndarray:
    count = LOOK // BLOCK
    return x.reshape(count, BLOCK, count, BLOCK).mean((1, 3))
