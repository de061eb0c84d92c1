"""Small copies of the pictures of wrong answers, kept beside a run so that its report can show them."""

import base64
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as PILImage

from clearsight.evals.runner import Judged
from clearsight.processing.images import ImageError, from_conversation_image

FOLDER = "pictures"
SIDE = 320  # pixels of the longer side
A_GROUP = 6  # wrong answers shown


def keep(judged: Sequence[Judged], folder: Path) -> None:
    """Write the pictures of the first wrong answers of each group, one file a picture under its hash."""
    (folder / FOLDER).mkdir(exist_ok=True)
    shown: Counter[str] = Counter()
    for one in judged:
        if one.scored.score >= 1 or shown[one.item.group] >= A_GROUP:
            continue
        shown[one.item.group] += 1
        for image in one.item.pictures:
            path = folder / FOLDER / f"{image.sha256}.jpg"
            if path.exists():
                continue
            try:
                pixels = image.pixels if image.pixels is not None else from_conversation_image(image)
            except ImageError:
                continue  # it failed for this very reason, which the report tells
            small = pixels.convert("RGB")
            small.thumbnail((SIDE, SIDE), PILImage.Resampling.LANCZOS)
            file = io.BytesIO()
            small.save(file, "JPEG", quality=80)
            path.write_bytes(file.getvalue())


def data_uri(folder: Path, sha256: str) -> str | None:
    """A kept picture as a data: URI; None for one that was not kept."""
    path = folder / FOLDER / f"{sha256}.jpg"
    if not path.is_file():
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
