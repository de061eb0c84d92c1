"""Whether a picture shows something else once it is scaled down: text that a model would read and no person saw.

Scaling averages neighbouring pixels with weights. Where many pixels become one, somebody who knows the weights can
set pixels of little visible effect so that the small picture shows other content (Quiring et al., "Adversarial
Preprocessing: Understanding and Preventing Image-Scaling Attacks in Machine Learning", USENIX Security 2020). The
picture is scaled twice: as the model gets it (LANCZOS) and by equal weights (BOX), which no pixel can fool, then both
are blurred over a few pixels. Of an honest picture the two differ at edges, with both signs, and the blur takes that
away; of an attack they differ with one sign over whole strokes, and it stays.

A large difference is a warning, never a refusal: dithered and striped pictures can look like it.
"""

import numpy as np
from PIL import Image as PILImage
from PIL import ImageFilter

HIDDEN_TEXT_WARNING = "Scaled down for the model, this picture shows something that it doesn't show in full size: it may hide text."


def scaling_difference(pixels: PILImage.Image, edge: int) -> float:
    """How far the two small pictures lie apart, in grey levels of 0 to 255: exceeded by one pixel in two hundred.

    `edge` is the longer side, in pixels, that the model sees. 0 where the picture isn't made smaller by at least a
    quarter, for then each pixel weighs too much to hide in.
    """
    longer = max(pixels.size)
    if longer * 3 < edge * 4:
        return 0.0
    size = (max(pixels.width * edge // longer, 1), max(pixels.height * edge // longer, 1))
    grey = pixels.convert("L")
    seen = grey.resize(size, PILImage.Resampling.LANCZOS)
    even = grey.resize(size, PILImage.Resampling.BOX)
    blur = ImageFilter.BoxBlur(1)
    difference = np.abs(
        np.asarray(seen.filter(blur), dtype=np.int16) - np.asarray(even.filter(blur), dtype=np.int16)
    )
    return float(np.quantile(difference, 0.995))


THRESHOLD = 10.0


def hides_text_in_scaling(pixels: PILImage.Image, edge: int) -> bool:
    """Whether the picture, made `edge` pixels long, is another picture than by even averaging."""
    return scaling_difference(pixels, edge) > THRESHOLD
