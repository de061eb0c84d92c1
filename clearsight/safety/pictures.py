"""What is judged of a picture: whether it is sexual, and whether a list knows it.

Sexual content is judged by OpenNSFW, fetched by its hash. It was made for photographs and knows nothing of age: no
model here tells whether somebody in a picture is a minor. Known pictures are found by PDQ, a perceptual hash of 256
bits (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019, which takes
pictures at a Hamming distance of 31 or less for the same, and hashes of a quality under 50 for too plain to
compare), in all eight turns and reflections. Lists come from whoever may hold them: none is shipped.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from clearsight.data.curation.extras import require
from clearsight.data.curation.optional_models import as_file, nsfw_score
from clearsight.safety.policy import PolicyError

MATCHING_DISTANCE = 31  # of 256 bits
LEAST_QUALITY = 50  # of 100
JUDGED_SIDE = 512  # pixels that are enough for OpenNSFW, which looks at 256

_HASH = re.compile(r"[0-9a-f]{64}")
_BITS_SET = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


class HashList:
    """PDQ hashes, searched for near ones. Time is linear: about 5 ms for 100,000 hashes and 8 turns."""

    def __init__(self, hashes: Iterable[str]):
        rows = [bytes.fromhex(text) for text in hashes]
        self._hashes = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), 32)

    @classmethod
    def from_file(cls, path: Path) -> "HashList":
        """One hash of 64 hexadecimal digits a line; what follows a comma or # is ignored. Raises PolicyError."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"the hash list {path} can't be read: {error}") from error
        hashes = []
        for number, line in enumerate(lines, 1):
            value = re.split(r"[,#]", line)[0].strip().lower()
            if not value:
                continue
            if not _HASH.fullmatch(value):
                raise PolicyError(f"line {number} of the hash list {path} is not a PDQ hash of 64 hex digits")
            hashes.append(value)
        return cls(hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def distance(self, hashes: np.ndarray) -> int:
        """Least Hamming distance, 0 to 256, of any of `hashes` (uint8, shape (n, 32)) to any of the list."""
        if not len(self._hashes):
            return 256
        return min(int(_BITS_SET[self._hashes ^ row].sum(1, dtype=np.uint16).min()) for row in hashes)


def pdq(pixels: PILImage.Image) -> np.ndarray | None:
    """PDQ hashes of the picture's eight turns and reflections, uint8 (8, 32); None where it is too plain to compare."""
    library = require("pdqhash", "to compare pictures with hash lists", "safety")
    bits, quality = library.compute_dihedral(np.asarray(pixels.convert("RGB")))
    if quality < LEAST_QUALITY:
        return None
    return np.packbits(np.asarray(bits, dtype=np.uint8).reshape(8, 256), axis=1)


def sexual_score(pixels: PILImage.Image) -> float:
    """OpenNSFW's probability that the picture is sexual. Raises ExtraMissing or WeightsError when it can't be had."""
    small = pixels.convert("RGB")
    small.thumbnail((JUDGED_SIDE, JUDGED_SIDE), PILImage.Resampling.BILINEAR, reducing_gap=2.0)
    return nsfw_score(as_file(small))
