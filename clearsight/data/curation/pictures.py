"""What is measured of a picture, once: whether it decodes, how large and how sharp it is, and what it looks like.

The fingerprint finds copies that were resized, recompressed or cropped at the sides by up to about 6%. It is made of
the 63 lowest frequencies of a cosine transform (Zauner, "Implementation and benchmarking of perceptual image hash
functions", 2010), but the bits are not the signs of the frequencies: in a symmetric drawing half of these are zero,
and their signs are noise. Each bit is the sign of a random projection of all frequencies, as in Charikar's "Similarity
estimation techniques from rounding algorithms" (2002), so that small ones hardly count. The whole picture has one
fingerprint and each of 16 windows cut from it another; a copy is found when the whole of one is near a window of the
other. What is near is only a candidate: `alignment` decides.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image as PILImage

from clearsight.processing.images import ImageError, decode

FINGERPRINT_BITS = 128
FINGERPRINT_BYTES = FINGERPRINT_BITS // 8
GRID = 64  # samples a side that the transform sees
FREQUENCIES = 8  # a side; the constant one is left out
CUT = 0.045  # of a side that a window leaves out
# Left or top edge, and right or bottom edge, of the windows; first the whole.
EDGES = ((0.0, 1.0), (CUT, 1.0), (0.0, 1.0 - CUT), (CUT, 1.0 - CUT))
NUM_WINDOWS = len(EDGES) ** 2


@dataclass(frozen=True)
class PictureMeasures:
    """What is known of one picture. `error` says why it can't be decoded; then nothing else but `sha256` counts.

    `fingerprints` holds FINGERPRINT_BYTES for each window, the whole picture first. `sharpness` is the standard
    deviation of the Laplacian of the grey values. `spread` is that of the values of a colour channel and `entropy` is
    its, in bits, both of the channel where they are largest: a drawing in two colours of equal lightness is not blank.
    """

    sha256: str
    error: str | None = None
    width: int = 0
    height: int = 0
    fingerprints: bytes = b""
    sharpness: float = 0.0
    spread: float = 0.0
    entropy: float = 0.0


def measure(data: bytes, max_pixels: int) -> PictureMeasures:
    """Decode a picture's file and measure it. Never raises for a bad file."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        picture = decode(data, max_pixels=max_pixels)
    except ImageError as error:
        return PictureMeasures(sha256, str(error))
    grey = picture.convert("L")
    levels, counts = np.arange(256), np.array(picture.histogram(), dtype=np.float64).reshape(3, 256)
    share = counts / counts.sum(1, keepdims=True)
    means = share @ levels
    logarithms = np.log2(share, where=share > 0, out=np.zeros_like(share))
    return PictureMeasures(
        sha256=sha256,
        width=picture.width,
        height=picture.height,
        fingerprints=fingerprints(grey).tobytes(),
        sharpness=_sharpness(grey),
        spread=float(np.sqrt((share * (levels - means[:, None]) ** 2).sum(1).max())),
        entropy=float(-(share * logarithms).sum(1).min()),
    )


def fingerprints(picture: PILImage.Image) -> np.ndarray:
    """Fingerprints of the windows, the whole picture first: uint8 of shape (NUM_WINDOWS, FINGERPRINT_BYTES)."""
    grey = picture.convert("L").resize((GRID, GRID), PILImage.Resampling.BOX, reducing_gap=None)
    bases = _bases()
    spectra = (
        bases @ np.asarray(grey, dtype=np.float32) @ bases.T
    )  # every window at once: the transform is separable
    count = len(EDGES)
    spectra = spectra.reshape(count, FREQUENCIES, count, FREQUENCIES).transpose(0, 2, 1, 3)
    vectors = spectra.reshape(NUM_WINDOWS, FREQUENCIES**2)[:, 1:]
    vectors = np.sign(vectors) * np.sqrt(np.abs(vectors))  # no single frequency decides alone
    return np.packbits(vectors @ _projections() > 0, axis=1)


@cache
def _bases() -> np.ndarray:
    """Cosines over each of EDGES, integrated over the samples: shape (len(EDGES) * FREQUENCIES, GRID)."""
    borders = np.arange(GRID + 1) / GRID
    rows = []
    for low, high in EDGES:
        inside = (np.clip(borders, low, high) - low) / (high - low)
        for frequency in range(FREQUENCIES):
            whole = np.sin(np.pi * frequency * inside) / (np.pi * frequency) if frequency else inside
            rows.append(np.diff(whole))
    return np.array(rows, dtype=np.float32)


@cache
def _projections() -> np.ndarray:
    """The same on every machine and with every version of NumPy: normal deviates of a hash (Box and Muller)."""
    count = (FREQUENCIES**2 - 1) * FINGERPRINT_BITS
    raw = hashlib.shake_256(b"clearsight:fingerprint:1").digest(8 * count)
    uniform = (np.frombuffer(raw, dtype="<u4").astype(np.float64) + 0.5) / 2**32
    normal = np.sqrt(-2 * np.log(uniform[:count])) * np.cos(2 * np.pi * uniform[count:])
    return normal.reshape(FREQUENCIES**2 - 1, FINGERPRINT_BITS).astype(np.float32)


def _sharpness(grey: PILImage.Image) -> float:
    """Standard deviation of the Laplacian at no more than 512 pixels a side."""
    grey = grey.copy()
    grey.thumbnail((512, 512), PILImage.Resampling.BILINEAR)
    if min(grey.size) < 3:
        return 0.0
    x = np.asarray(grey, dtype=np.float32)
    middle = x[1:-1, 1:-1]
    return float(np.std(x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4 * middle))
