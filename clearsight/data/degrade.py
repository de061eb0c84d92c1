"""What cameras, scanners and networks do to pictures, with a known strength and an honest truth.

    blur, shrink, noise, low_light, jpeg, moire, perspective, crop

A degradation takes a Scene and a strength in (0, 1] and gives a new one. Truth follows: what is placed moves with
the picture, and writing is judged by how far its strokes survive. Writing that is clearly gone turns a question that
needs it into one whose answer is that it can't be read; where a person might or might not still read it, the
question is dropped. Thresholds are on the safe side of both (see `legibility`); nothing has held
them against an OCR engine yet.
"""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from clearsight.data.worlds.asking import CANT_BE_READ
from clearsight.data.worlds.scene import Placed, Question, Scene, wording

# Height of a line's ink in standard deviations of the blur, and in pixels after shrinking: above `clear` it can be
# read, below `gone` it can't.
CLEAR_BLUR, GONE_BLUR = 11.0, 3.0
CLEAR_PIXELS, GONE_PIXELS = 11.0, 3.0
# Contrast over the noise that is left when a stroke (a tenth of the ink's height wide) is averaged.
CLEAR_NOISE, GONE_NOISE = 4.0, 0.35
# Grey levels between ink and ground that are left.
CLEAR_CONTRAST, GONE_CONTRAST = 40.0, 4.0
# Questions whose answers rest on colour are dropped where light or noise hides it.
COLOUR_SAFE_STRENGTH = 0.5


@dataclass(frozen=True)
class Loss:
    """What a degradation takes away: a Gaussian blur's standard deviation (pixels of the original), the factor by
    which the picture was shrunk, the standard deviation of noise relative to the contrast that is left (both
    in grey levels of the original), and the share of contrast that is left."""

    blur: float = 0.0
    shrink: float = 1.0
    noise: float = 0.0
    light: float = 1.0
    hides_colour: bool = False


def legibility(height: float, contrast: float, loss: Loss) -> float:
    """1 clear, 0 gone, 0.5 between: whether ink of this height (pixels) and contrast (grey levels) can be read."""
    if height <= 0:
        return 0.0
    scores = [
        (height / loss.blur if loss.blur else np.inf, CLEAR_BLUR, GONE_BLUR),
        (height * loss.shrink if loss.shrink < 1 else np.inf, CLEAR_PIXELS, GONE_PIXELS),
        (contrast * height / 10 / loss.noise if loss.noise else np.inf, CLEAR_NOISE, GONE_NOISE),
        (contrast * loss.light if loss.light < 1 else np.inf, CLEAR_CONTRAST, GONE_CONTRAST),
    ]
    if any(value <= gone for value, _, gone in scores):
        return 0.0
    return 1.0 if all(value >= clear for value, clear, _ in scores) else 0.5


# ---------------------------------------------------------------------------------------------------
# The degradations: picture in, picture and loss out


def _blur(rng: random.Random, picture: Image.Image, strength: float) -> tuple[Image.Image, Loss]:
    """Out of focus."""
    sigma = 0.4 + 7 * strength**1.5
    return picture.filter(ImageFilter.GaussianBlur(sigma)), Loss(blur=sigma)


def _shrink(rng: random.Random, picture: Image.Image, strength: float) -> tuple[Image.Image, Loss]:
    """Too few pixels: made small, then as large as before."""
    factor = 1 / (1 + 8 * strength**1.5)
    size = (max(2, round(picture.width * factor)), max(2, round(picture.height * factor)))
    small = picture.resize(size, Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.BILINEAR), Loss(shrink=factor)


def _noise(rng: random.Random, picture: Image.Image, strength: float) -> tuple[Image.Image, Loss]:
    """Grain of a small sensor, independent a pixel and channel."""
    deviation = 4 + 76 * strength**1.5
    pixels = np.asarray(picture, dtype=np.int16) + _grain(rng, picture, deviation)
    return _picture(pixels), Loss(noise=deviation * 0.6, hides_colour=strength > COLOUR_SAFE_STRENGTH)


def _low_light(rng: random.Random, picture: Image.Image, strength: float) -> tuple[Image.Image, Loss]:
    """Little light: darker, flatter, grainy."""
    light = 1 - 0.8 * strength
    deviation = 1 + 8 * strength
    pixels = (np.asarray(picture, dtype=np.float32) * light).astype(np.int16) + _grain(
        rng, picture, deviation
    )
    return _picture(pixels), Loss(
        noise=deviation / light * 0.6, light=light, hides_colour=strength > COLOUR_SAFE_STRENGTH
    )


def _grating(size: tuple[int, int], angle: float, period: float) -> np.ndarray:
    """Parallel waves (height, width) float32; a sum of products of rows and columns, which is fast."""
    x = np.arange(size[0], dtype=np.float32) * np.float32(2 * np.pi / period * np.cos(angle))
    y = np.arange(size[1], dtype=np.float32)[:, None] * np.float32(2 * np.pi / period * np.sin(angle))
    return np.sin(x) * np.cos(y) + np.cos(x) * np.sin(y)


def _jpeg(rng: random.Random, picture: Image.Image, strength: float) -> tuple[Image.Image, Loss]:
    """Compressed hard; what JPEG takes from fine strokes is counted as blur."""
    quality = round(80 - 74 * strength)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    reopened = Image.open(file)
    reopened.load()
    blur = 0.5 + max(0, 30 - quality) * 0.06
    return reopened, Loss(blur=blur, noise=20 * strength, hides_colour=strength > 0.8)


def _moire(rng: random.Random, picture: Image.Image, strength: float) -> tuple[Image.Image, Loss]:
    """Photographed from a screen: two line grids that beat against each other."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.2, 4.5)
    waves = np.ones((picture.height, picture.width), dtype=np.float32)
    for turn, stretch in ((0.0, 1.0), (rng.uniform(-0.06, 0.06), rng.uniform(0.92, 1.08))):
        waves *= _grating(picture.size, angle + turn, period * stretch)
    amplitude = 6 + 34 * strength
    pixels = np.asarray(picture, dtype=np.int16) + (waves * amplitude)[..., None].astype(np.int16)
    return _picture(pixels), Loss(noise=amplitude * 0.5, hides_colour=strength > COLOUR_SAFE_STRENGTH)


LOSSY: dict[str, Callable[[random.Random, Image.Image, float], tuple[Image.Image, Loss]]] = {
    "blur": _blur,
    "shrink": _shrink,
    "noise": _noise,
    "low light": _low_light,
    "jpeg": _jpeg,
    "moire": _moire,
}
GEOMETRIC = ("perspective", "crop")
KINDS = (*LOSSY, *GEOMETRIC)


def degrade(scene: Scene, kind: str, strength: float, rng: random.Random) -> Scene:
    """The scene as it looks after a degradation, with the questions that can still be answered.

    Raises ValueError for an unknown kind and for a strength outside (0, 1].
    """
    if not 0 < strength <= 1:
        raise ValueError(f"strength lies above 0 and up to 1, not at {strength}")
    if kind in GEOMETRIC:
        changed = _warped(scene, kind, strength, rng)
    elif kind in LOSSY:
        changed = _lossy(scene, kind, strength, rng)
    else:
        raise ValueError(f"there is no degradation {kind!r}; there are {', '.join(KINDS)}")
    history = [*scene.facts.get("degraded", []), {"kind": kind, "strength": round(strength, 3)}]
    changed.facts = scene.facts | {"degraded": history}
    return changed


# ---------------------------------------------------------------------------------------------------
# Losing detail


def _lossy(scene: Scene, kind: str, strength: float, rng: random.Random) -> Scene:
    pictures, loss = [], Loss()
    for picture in scene.pictures:
        changed, loss = LOSSY[kind](rng, picture, strength)
        pictures.append(changed)
    grey = [np.asarray(picture.convert("L")) for picture in scene.pictures]
    lines = _line_heights(scene.placed)
    clear = [
        legibility(lines[place], _contrast(grey[thing.page], thing.box), loss)
        if thing.kind in ("word", "character")
        else _visibility(thing, loss)
        for place, thing in enumerate(scene.placed)
    ]
    questions = [q for q in (_judged(q, scene, clear, loss, rng) for q in scene.questions) if q is not None]
    kept = [place for place, value in enumerate(clear) if value == 1.0]
    questions = _renumbered(questions, kept)
    all_clear = len(kept) == len(scene.placed)
    return replace(
        scene,
        picture=pictures[0],
        further=pictures[1:],
        placed=[scene.placed[place] for place in kept],
        questions=questions,
        # a caption may quote what is gone
        caption=scene.caption if all_clear else "",
        short_caption=scene.short_caption if all_clear else "",
        long_caption=scene.long_caption if all_clear else "",
    )


def _judged(
    question: Question, scene: Scene, clear: list[float], loss: Loss, rng: random.Random
) -> Question | None:
    """The question as it is, turned into one that can't be read, or None where nobody could say."""
    if loss.hides_colour and ("colour" in question.skill or "colour" in question.text.lower()):
        return None
    needed = range(len(scene.placed)) if question.needs is None else question.needs
    worst = min((clear[place] for place in needed), default=1.0)
    if worst == 1.0:
        return question
    writing = question.needs and all(scene.placed[p].kind in ("word", "character") for p in question.needs)
    gone = writing and all(clear[place] == 0.0 for place in question.needs or ())
    if gone and question.kind in ("text", "verbatim", "number", "time"):
        answer = wording(rng, scene.split, CANT_BE_READ)
        return replace(question, answer=answer, kind="can't be read", value=None, alternatives=(), needs=None)
    return None


def _renumbered(questions: list[Question], kept: list[int]) -> list[Question]:
    """Questions whose needs point into the list of what was kept."""
    new = {place: index for index, place in enumerate(kept)}
    return [
        q if q.needs is None else replace(q, needs=tuple(new[place] for place in q.needs)) for q in questions
    ]


def _line_heights(placed: list[Placed]) -> list[float]:
    """Ink height a thing: characters and words are drawn with the ink box of their line."""
    return [thing.box[3] - thing.box[1] for thing in placed]


def _visibility(thing: Placed, loss: Loss) -> float:
    """Objects and colours are clear while they are much larger than the blur."""
    side = min(thing.box[2] - thing.box[0], thing.box[3] - thing.box[1])
    if loss.blur * 6 > side or side * loss.shrink < 5:
        return 0.5
    return 1.0


def _contrast(grey: np.ndarray, box: tuple[float, float, float, float]) -> float:
    """Grey levels between ink and ground in a box: from the 4th to the 96th percentile."""
    left, top, right, bottom = (max(0, round(v)) for v in box)
    piece = grey[top : bottom + 1, left : right + 1]
    if piece.size == 0:
        return 0.0
    flat = np.sort(piece[::1, ::1].ravel())
    return float(flat[int(len(flat) * 0.96)]) - float(flat[int(len(flat) * 0.04)])


GRAIN_SIDE = 1024


@cache
def _normals() -> np.ndarray:
    """Normal deviates (GRAIN_SIDE, GRAIN_SIDE, 3) float32, drawn once: it takes longer than drawing a picture."""
    return np.random.default_rng(0).standard_normal((GRAIN_SIDE, GRAIN_SIDE, 3), dtype=np.float32)


def _grain(rng: random.Random, picture: Image.Image, deviation: float) -> np.ndarray:
    """Noise (height, width, 3) int16: a random piece of the deviates, as it is, mirrored or with colours exchanged."""
    grain = _normals()
    if picture.width > GRAIN_SIDE or picture.height > GRAIN_SIDE:
        grain = np.tile(grain, (-(-picture.height // GRAIN_SIDE), -(-picture.width // GRAIN_SIDE), 1))
    top, left = (
        rng.randint(0, side - size) for side, size in zip(grain.shape, picture.size[::-1], strict=False)
    )
    piece = grain[top : top + picture.height, left : left + picture.width]
    piece = piece[:: rng.choice((1, -1)), :: rng.choice((1, -1)), :: rng.choice((1, -1))]
    return (piece * np.float32(deviation)).astype(np.int16)


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


# ---------------------------------------------------------------------------------------------------
# Moving pixels


def _warped(scene: Scene, kind: str, strength: float, rng: random.Random) -> Scene:
    """Seen from the side, or framed closer; everything that was placed stays in the picture."""
    pictures: list[Image.Image] = []
    placed = list(scene.placed)
    matrices = []
    for page, picture in enumerate(scene.pictures):
        boxes = [thing.box for thing in scene.placed if thing.page == page]
        corners = _corners(kind, strength, rng, picture.size, boxes)
        matrix = homography(corners, picture.size)
        back = np.linalg.inv(matrix)
        pictures.append(_apply(picture, back, picture.size))
        matrices.append(matrix)
        for place, thing in enumerate(placed):
            if thing.page == page:
                placed[place] = _moved(thing, matrix, back)
    changed = replace(scene, picture=pictures[0], further=pictures[1:], placed=placed)
    changed.questions = [_relocated(q, scene, changed, matrices) for q in scene.questions]
    return changed


def _corners(
    kind: str,
    strength: float,
    rng: random.Random,
    size: tuple[int, int],
    boxes: list[tuple[float, float, float, float]],
) -> list[tuple[float, float]]:
    """The points of the picture that become its corners (top left, top right, bottom right, bottom left)."""
    width, height = size
    if kind == "crop":
        left = min([box[0] for box in boxes], default=width / 4) - 4
        top = min([box[1] for box in boxes], default=height / 4) - 4
        right = max([box[2] for box in boxes], default=width * 0.75) + 4
        bottom = max([box[3] for box in boxes], default=height * 0.75) + 4
        x0, y0 = max(0, left) * strength * rng.random(), max(0, top) * strength * rng.random()
        x1 = width - max(0, width - right) * strength * rng.random()
        y1 = height - max(0, height - bottom) * strength * rng.random()
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    reach = 0.14 * strength
    offsets = [(rng.uniform(0, reach) * width, rng.uniform(0, reach) * height) for _ in range(4)]
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))  # outwards, so that nothing leaves the picture
    points = ((0, 0), (width, 0), (width, height), (0, height))
    return [
        (x + sx * dx, y + sy * dy) for (x, y), (sx, sy), (dx, dy) in zip(points, signs, offsets, strict=True)
    ]


def homography(corners: list[tuple[float, float]], size: tuple[int, int]) -> np.ndarray:
    """3 x 3 matrix that takes four points to the corners of a picture of this size."""
    width, height = size
    targets = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, right = [], []
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, dtype=float), np.array(right, dtype=float)), 1).reshape(
        3, 3
    )


def _apply(picture: Image.Image, back: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Warp by the inverse matrix; what lies outside is filled with the picture's own border colour."""
    coefficients = (back / back[2, 2]).flatten()[:8].tolist()
    fill = picture.getpixel((0, 0)) if picture.mode == "RGB" else 0
    resampling = Image.Resampling.BILINEAR if picture.mode == "RGB" else Image.Resampling.NEAREST
    return picture.transform(size, Image.Transform.PERSPECTIVE, coefficients, resampling, fillcolor=fill)


def _carried(box: tuple[float, ...], matrix: np.ndarray) -> tuple[float, float, float, float]:
    """The upright box around a box's warped corners."""
    left, top, right, bottom = box
    points = matrix @ np.array([[left, right, right, left], [top, top, bottom, bottom], [1, 1, 1, 1]])
    x, y = points[0] / points[2], points[1] / points[2]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _moved(thing: Placed, matrix: np.ndarray, back: np.ndarray) -> Placed:
    box = _carried(thing.box, matrix)
    if thing.mask is None:
        return replace(thing, box=box)
    size = (max(1, round(box[2] - box[0])), max(1, round(box[3] - box[1])))
    to_picture = np.array([[1, 0, box[0]], [0, 1, box[1]], [0, 0, 1]], dtype=float)
    to_mask = np.array([[1, 0, -thing.box[0]], [0, 1, -thing.box[1]], [0, 0, 1]], dtype=float)
    return replace(thing, box=box, mask=_apply(thing.mask, to_mask @ back @ to_picture, size))


def _relocated(question: Question, before: Scene, after: Scene, matrices: list[np.ndarray]) -> Question:
    """Points and boxes in the new picture's thousandths."""
    if question.kind not in ("point", "box"):
        return question
    page = question.about.get("page", 0)
    width, height = before.pictures[page].size
    left, top, right, bottom = question.value
    box = (left * width / 1000, top * height / 1000, right * width / 1000, bottom * height / 1000)
    corners = after.thousandths(_carried(box, matrices[page]), page)
    if question.kind == "box":
        return replace(question, value=list(corners), answer=str(corners))
    middle = ((corners[0] + corners[2]) // 2, (corners[1] + corners[3]) // 2)
    return replace(question, value=list(corners), answer=str(middle))
