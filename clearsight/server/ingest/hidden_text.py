"""Whether a picture was made to show something else once it is scaled down: text that a model reads and no person saw.

Scalers that take few pixels for each small one (nearest, and bilinear without averaging) can be fed a second picture
by setting just those pixels (Quiring et al., "Adversarial Preprocessing: Understanding and Preventing Image-Scaling
Attacks in Machine Learning", USENIX Security 2020). Clearsight's own engine scales with LANCZOS over all pixels, where
such text fades to less than a few grey levels; another engine behind it may not.

So the sign of an attack is looked for, whichever scaler it was made for. Each small pixel stands for a block of large
ones. The pixel in the block's middle differs from the block's mean by about the block's standard deviation, up in one
block and down in the next; in an attack it differs by several, with one sign all along a stroke. The ratio of the two,
both averaged over 5 x 5 blocks, tells them apart. Comparing LANCZOS with the mean does not: honest pictures with
sharp lines differ there more than attacks do.

Measured at 512 pixels: 0 of the 52 pictures of the suite `real` that are large enough raise an alarm (greatest ratio
0.77), all attacks on the nearest pixel of 40 grey levels and more do (least ratio 1.24). Dithered and finely striped
pictures may raise one falsely, so it is a warning and never a refusal.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

HIDDEN_TEXT_WARNING = (
    "Scaled down, this picture may show something that it doesn't show in full size, such as hidden text."
)

THRESHOLD = 1.0
_BAND_ROWS = 64  # of the small picture, computed at once, so that memory stays small
_REACH = 2  # blocks to each side that are averaged
_NOISE = 8.0  # grey levels that sensors and compression add to everything


def hides_text_in_scaling(pixels: PILImage.Image, edge: int) -> bool:
    """Whether the picture, made `edge` pixels long, could be another picture."""
    return scaling_ratio(pixels, edge) > THRESHOLD


def scaling_ratio(pixels: PILImage.Image, edge: int) -> float:
    """Difference of the middle pixel from its block over the block's deviation: exceeded by 1 in 200 small pixels.

    `edge` is the longer side, in pixels, of the small picture. 0 where it isn't smaller by at least a quarter, for
    then every pixel weighs too much to hide in.
    """
    longer = max(pixels.size)
    if longer * 3 < edge * 4:
        return 0.0
    width, height = max(pixels.width * edge // longer, 1), max(pixels.height * edge // longer, 1)
    grey = pixels.convert("L")
    middle = np.asarray(grey.resize((width, height), PILImage.Resampling.NEAREST), dtype=np.float32)
    mean, variance = _block_moments(grey, width, height)
    difference = np.abs(_averaged(middle - mean))
    return float(np.quantile(difference / np.sqrt(_averaged(variance) + _NOISE**2), 0.995))


def _block_moments(
    grey: PILImage.Image, width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and variance of each block, both (height, width)."""
    mean = np.empty((height, width), np.float32)
    square = np.empty((height, width), np.float32)
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        first, last = top * grey.height / height, bottom * grey.height / height
        rows = np.asarray(grey.crop((0, int(first), grey.width, int(np.ceil(last)))), dtype=np.float32)
        box = (0, first - int(first), grey.width, last - int(first))
        for moment, values in ((mean, rows), (square, rows * rows)):
            band = PILImage.fromarray(values).resize((width, bottom - top), PILImage.Resampling.BOX, box=box)
            moment[top:bottom] = np.asarray(band)
    return mean, np.maximum(square - mean * mean, 0)


def _averaged(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean over a square of 2 * _REACH + 1, by sums of sums; edges are repeated outwards."""
    side = 2 * _REACH + 1
    sums = np.pad(values, _REACH, mode="edge").cumsum(0, dtype=np.float64).cumsum(1)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    return (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]) / side**2
