"""Is a picture usable, and what to do to get a better one, in words for somebody who can't see it.

Measured on the grey picture, its longer side brought down to 768 pixels:

- Blurred. The variance of the Laplacian tells sharp from blurred pictures of one thing (Pech-Pacheco et al., 2000),
  but a plain wall has little of it and grain has much. So it is taken along rows and along columns in cells of 32
  pixels, less what the flattest cells have (grain), over the variance of grey in the cell (contrast), only where there
  is contrast. The picture is as sharp as its sharpest cells in the worse of both directions: a shaken picture is sharp
  along one of them.
- Dark, washed out, flat: percentiles of grey.
- Small: pixels.
- Cut off: dark-on-light or light-on-dark strokes in a row that runs into an edge of the picture, as a line of writing
  does that goes on outside.

Cut-off writing is the weakest of these: on pictures held out it found 28 % of drawn ones that were cut through words
(n = 46) and complained about 5 of 93 real ones that nobody had cut.

Thresholds come from drawn and real pictures and the same ones made worse; `benchmarks/picture_quality.py` measures how
often they are right. Left out: glare (a white page and a reflection look alike to counting), fingers before
the lens, and shaking along a diagonal.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

Problem = Literal["small", "dark", "bright", "flat", "blurred", "cut off"]

SIDE = 768  # pixels of the longer side that is looked at
CELL = 32
CELL_CONTRAST = 12.0  # standard deviation of grey levels; cells below it say nothing about sharpness
SHARPEST = 0.9  # quantile over cells that is taken as the picture's sharpness
FLATTEST = 0.1  # quantile over cells that is taken as grain

SMALL = 160  # pixels of the shorter side
DARK = 78.0  # grey level that 98 % of the picture stay below
BRIGHT = 165.0  # grey level that all but a thousandth of the picture stay above
FLAT = 34.0  # grey levels between the darkest and the lightest thousandth
BLURRED = 0.06  # sharpness

BAND = 36  # pixels along an edge in which one line of writing is looked for
REACH = 96  # pixels from the edge inwards
BANDS_CUT = 2
INK_CONTRAST = 60.0  # grey levels between ink and paper
TWO_LEVELS = 0.16  # mean distance from the nearer of ink and paper, over their distance
ADVICE: dict[str, str] = {
    "small": "The picture is very small. Send a larger one, or go closer.",
    "dark": "It is too dark. Turn on a light or go where there is more light.",
    "bright": "It is too bright. Turn away from the light or cover the lamp.",
    "flat": "There is hardly any contrast. Check that nothing covers the camera, and go closer.",
    "blurred": "It is blurred. Hold still, and keep the camera a hand's length or more away.",
    "cut off left": "Writing is cut off at the left edge. Move the camera to the left.",
    "cut off right": "Writing is cut off at the right edge. Move the camera to the right.",
    "cut off top": "Writing is cut off at the top edge. Move the camera up.",
    "cut off bottom": "Writing is cut off at the bottom edge. Move the camera down.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `value` is what was measured, `edge` the side for "cut off"."""

    problem: Problem
    value: float
    edge: str = ""

    @property
    def advice(self) -> str:
        """What is wrong and what to do, in words."""
        return ADVICE[f"{self.problem} {self.edge}".strip()]

    def to_json(self) -> dict[str, object]:
        return {
            "problem": self.problem,
            "edge": self.edge,
            "advice": self.advice,
            "value": round(self.value, 4),
        }


@dataclass(frozen=True)
class Quality:
    """What is wrong with a picture, worst first; nothing when it is usable."""

    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        return not self.findings

    def to_json(self) -> dict[str, object]:
        return {"usable": self.usable, "findings": [finding.to_json() for finding in self.findings]}


def quality(picture: Image.Image) -> Quality:
    """What is wrong with a picture of any mode, upright."""
    found: list[Finding] = []
    if min(picture.size) < SMALL:
        found.append(Finding("small", float(min(picture.size))))
    grey = luminance(picture)
    low, most, high = np.percentile(grey, (0.1, 98, 99.9))
    if most < DARK:
        found.append(Finding("dark", float(most)))
    elif low > BRIGHT:
        found.append(Finding("bright", float(low)))
    elif high - low < FLAT:
        found.append(Finding("flat", float(high - low)))
    else:
        sharp = sharpness(grey)
        if sharp is not None and sharp < BLURRED:
            found.append(Finding("blurred", sharp))
        else:
            found += [Finding("cut off", share, edge) for edge, share in cut_off(grey)]
    return Quality(tuple(found))


def luminance(picture: Image.Image) -> np.ndarray:
    """Grey levels (height, width) float32, 0 to 255 (ITU-R BT.601), the longer side at most SIDE pixels."""
    grey = picture.convert("L")
    if max(grey.size) > SIDE:
        factor = SIDE / max(grey.size)
        size = (max(round(grey.width * factor), 1), max(round(grey.height * factor), 1))
        grey = grey.resize(size, Image.Resampling.BOX, reducing_gap=None)
    return np.asarray(grey, dtype=np.float32)


def sharpness(grey_HW: np.ndarray) -> float | None:
    """0 for fog and about 1 to 2 for hard edges; None for a picture smaller than a cell."""
    height, width = (side // CELL * CELL for side in grey_HW.shape)
    if height < CELL or width < CELL:
        return None
    grey = grey_HW[:height, :width]
    contrast = _cells(grey).var(axis=-1)
    usable = contrast > CELL_CONTRAST**2
    if not usable.any():
        return 0.0
    found = []
    for axis in (0, 1):
        curved = np.zeros_like(grey)
        inner = np.diff(grey, 2, axis=axis)
        curved[(slice(1, -1), slice(None)) if axis == 0 else (slice(None), slice(1, -1))] = inner
        energy = (_cells(curved) ** 2).mean(axis=-1)
        grain = np.quantile(energy, FLATTEST)
        ratio = np.clip(energy - grain, 0, None)[usable] / contrast[usable]
        found.append(float(np.quantile(ratio, SHARPEST)))
    return min(found)


def _cells(values_HW: np.ndarray) -> np.ndarray:
    """(cells, CELL * CELL)"""
    rows, columns = values_HW.shape[0] // CELL, values_HW.shape[1] // CELL
    return values_HW.reshape(rows, CELL, columns, CELL).swapaxes(1, 2).reshape(rows * columns, CELL * CELL)


def cut_off(grey_HW: np.ndarray) -> list[tuple[str, float]]:
    """Edges that writing runs into, and the share of bands along the edge where it does; left and right only.

    A band is writing against the edge when it has two clear levels, the rarer one is ink in thin strokes, rows of ink
    have free rows above and below, and ink stands in the outermost columns.
    """
    found = []
    for edge, turned in (("left", grey_HW), ("right", grey_HW[:, ::-1])):
        if turned.shape[1] < 2 * REACH or turned.shape[0] < BAND:
            continue
        starts = range(0, turned.shape[0] - BAND + 1, BAND // 3)
        hits = sum(_writing_against_edge(turned[start : start + BAND, :REACH]) for start in starts)
        if hits >= BANDS_CUT:
            found.append((edge, hits / len(starts)))
    return found


def _writing_against_edge(band: np.ndarray) -> bool:
    """Whether a band (BAND, REACH), the edge at its left, shows a line of writing that goes on beyond the edge."""
    low, high = np.percentile(band, (4, 96))
    if high - low < INK_CONTRAST:
        return False
    dark = band < (low + high) / 2
    within = np.where(dark, np.abs(band - low), np.abs(band - high)).mean() / (high - low)
    ink = dark if dark.mean() < 0.5 else ~dark
    if within > TWO_LEVELS or not 0.04 < ink.mean() < 0.42:
        return False
    rows = ink.mean(axis=1)
    line = rows > 0.05
    if line[0] or line[-1] or not 6 <= line.sum() <= BAND - 6 or np.diff(line).sum() != 2:
        return False
    strokes = np.diff(ink[line].astype(np.int8), axis=1).clip(0).sum(axis=1).mean()
    heights = line.sum()
    return bool(ink[line, :2].any(axis=1).mean() > 0.15 and strokes > REACH / heights / 2.2)
