"""Pictures in files, which have any size and may be see-through."""

from pathlib import Path

from PIL import Image as PILImage

LARGEST_PIXELS = 40_000_000


def opened(path: Path) -> PILImage.Image:
    """A picture as RGBA, no side longer than 640 pixels. Raises OSError or ValueError for one that can't be used."""
    with PILImage.open(path) as picture:
        if picture.width * picture.height > LARGEST_PIXELS:
            raise ValueError(f"{path} has {picture.width} x {picture.height} pixels")
        picture.thumbnail((640, 640), reducing_gap=2.0)
        return picture.convert("RGBA")
