"""What is written in a picture, by PP-OCR (RapidOCR).

Who must miss nothing (moderation, reading aloud) gets all that may be text: a picture without any legible line is
read once more with its contrast stretched, and a tall one turned to both sides. A model that is told what stands in a
picture gets what is surely there, in one look.
"""

import threading

import numpy as np
from PIL import Image as PILImage
from PIL import ImageOps

from clearsight.data.curation.extras import installed
from clearsight.data.curation.optional_models import as_file, read_pieces
from clearsight.experts.rows import in_rows

READER = "PP-OCR"
READ_SIDE = 1600  # pixels: the longest side that is read; larger pictures are reduced
SMALL_SIDE = 480  # pixels: pictures whose longest side is shorter are read at twice the size
SURE = 0.8  # confidence, of 1: strokes in photographs that are taken for letters have less
FEW_LETTERS = 4  # a picture in which fewer are read is read again

_reading = threading.Lock()  # RapidOCR keeps state between its three models


def written(pixels: PILImage.Image) -> str:
    """All text in a picture, line by line (see rows.py). Raises ExtraMissing without RapidOCR."""
    picture = _of_good_size(pixels)
    found = _read(picture)
    if _letters(found) >= FEW_LETTERS:
        return found
    others = []
    if _has_contrast(picture):
        others.append(ImageOps.autocontrast(picture.convert("L"), cutoff=2).convert("RGB"))
    if picture.height > picture.width:
        others += [
            picture.transpose(t) for t in (PILImage.Transpose.ROTATE_90, PILImage.Transpose.ROTATE_270)
        ]
    return max((found, *map(_read, others)), key=_letters)


def surely_written(pixels: PILImage.Image) -> str:
    """What is surely text, line by line, after one look; a stray character is nothing. Raises ExtraMissing."""
    found = _read(_of_good_size(pixels), SURE)
    return found if _letters(found) > 1 else ""


def can_read() -> bool:
    """Whether there is what reading needs."""
    return installed("rapidocr", "onnxruntime")


def _of_good_size(pixels: PILImage.Image) -> PILImage.Image:
    picture = pixels.convert("RGB")
    longest = max(picture.size)
    if longest > READ_SIDE:
        picture.thumbnail((READ_SIDE, READ_SIDE), PILImage.Resampling.BICUBIC)
    elif longest < SMALL_SIDE:
        picture = picture.resize((2 * picture.width, 2 * picture.height), PILImage.Resampling.BICUBIC)
    return picture


def _read(picture: PILImage.Image, confidence: float = 0.0) -> str:
    with _reading:
        pieces = read_pieces(as_file(picture))
    return in_rows((piece.box, piece.text) for piece in pieces if piece.confidence >= confidence)


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _has_contrast(picture: PILImage.Image) -> bool:
    """Whether there is anything at all to be stretched."""
    return int(np.ptp(np.asarray(picture.convert("L")))) >= 4
