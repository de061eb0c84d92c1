"""Pictures that look like one thing and, scaled down by a known kernel, like another: attacks for the detector.

Scaling is linear in each direction, small = R big C^T, so the change of least energy that makes the small picture what
the attacker wants is known in closed form. Here it is asked besides to leave the evenly averaged picture as it was:
that is what somebody sees who looks at the picture from afar.
"""

import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

KERNELS = ("nearest", "bilinear", "lanczos")


def kernel_matrix(size: int, small: int, kernel: str) -> np.ndarray:
    """(small, size): each row holds the weights of one small pixel. Bilinear is the one without averaging."""
    if kernel in ("lanczos", "box"):
        resample = PILImage.Resampling.LANCZOS if kernel == "lanczos" else PILImage.Resampling.BOX
        unit = PILImage.fromarray(np.eye(size, dtype=np.float32))
        return np.asarray(unit.resize((small, size), resample)).T
    matrix = np.zeros((small, size))
    centres = (np.arange(small) + 0.5) * size / small - 0.5
    if kernel == "nearest":
        # Pillow takes the pixel that the centre falls into.
        matrix[np.arange(small), np.floor(centres + 0.5).astype(int)] = 1
    else:
        low = np.floor(centres).astype(int)
        matrix[np.arange(small), low] = 1 - (centres - low)
        matrix[np.arange(small), np.minimum(low + 1, size - 1)] += centres - low
    return matrix


def solve_side(size: int, small: int, kernel: str) -> np.ndarray:
    """(size, small): the change of least energy per unit of the small picture that the even average doesn't show."""
    wanted, even = kernel_matrix(size, small, kernel), kernel_matrix(size, small, "box")
    stacked = np.concatenate([wanted, even])
    gram = stacked @ stacked.T
    inverse = np.linalg.inv(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)))
    return (stacked.T @ inverse)[:, :small]


def hidden_text(size: tuple[int, int], words: str, seed: int) -> np.ndarray:
    """Where text lies on a small picture: 1 in its strokes."""
    picture = PILImage.new("L", size)
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng(seed)
    font = ImageFont.load_default(int(rng.integers(28, 48)))
    for line in range(5):
        draw.text((12, 20 + line * size[1] // 6), words, fill=255, font=font)
    return np.asarray(picture, dtype=np.float64) / 255


def attack(
    cover: PILImage.Image, edge: int, kernel: str, words: str, strength: float, seed: int
) -> PILImage.Image:
    """`cover` changed so that text appears, `strength` grey levels brighter or darker, at `edge` pixels' length."""
    longer = max(cover.size)
    small = (cover.width * edge // longer, cover.height * edge // longer)
    wanted = hidden_text(small, words, seed) * strength
    values = np.asarray(cover.convert("RGB"), dtype=np.float64)
    if values.mean() > 127:
        wanted = -wanted
    rows = solve_side(cover.height, small[1], kernel)
    cols = solve_side(cover.width, small[0], kernel)
    change = rows @ wanted @ cols.T
    return PILImage.fromarray(np.clip(np.rint(values + change[..., None]), 0, 255).astype(np.uint8))
