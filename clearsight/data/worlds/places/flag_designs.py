"""Flags as pictures: national ones, and invented ones of stripes, crosses, cantons and signs; flat or in the wind.

A flag knows its colours, its stripes and what stands on it. Evaluation shows invented flags in patterns of its own,
countries that training never showed, and known countries in another drawing: square instead of 4:3.
"""

import itertools
import random
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from clearsight.data.sources import flags
from clearsight.data.worlds.drawing.drafting import distinct_colours
from clearsight.data.worlds.drawing.outlines import outline
from clearsight.data.worlds.drawing.palette import RGB
from clearsight.data.worlds.places.national_flags import National, codes, nationals
from clearsight.data.worlds.scene import Split

PATTERNS: dict[Split, tuple[str, ...]] = {
    "train": ("bars", "bars", "bars", "field", "cross", "canton", "triangle", "band"),
    "eval": ("bars", "bars", "saltire", "quarters", "border", "pile"),
}
FLAG_COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "black", "white")
SIGNS = ("star", "circle", "cross", "diamond", "heart", "triangle", "hexagon", "ring", "square")
UNUSUAL_SIGNS = ("diamond", "heart", "hexagon", "ring", "square")  # which no country has in such a place


@dataclass(frozen=True)
class Flag:
    """`country` is None for invented flags, `shades` what each named colour is here.

    `traces` are colours of small parts; `signs` is how many of `sign` there are, 0 where that is not known.
    `stripes` is 0 where the flag does not consist of stripes; their `bands` are known for invented flags only.
    """

    picture: Image.Image
    country: National | None
    shades: dict[str, RGB] = field(hash=False)
    traces: tuple[str, ...] = ()
    stripes: int = 0
    way: str = ""
    bands: tuple[str, ...] = ()
    sign: str = ""
    signs: int = 0
    sign_colour: str = ""

    @property
    def colours(self) -> tuple[str, ...]:
        return tuple(self.shades)


def any_country(rng: random.Random, split: Split) -> str:
    """A code; in evaluation, often that of a country which training showed in another drawing."""
    return rng.choice(codes("train" if split == "train" or rng.random() < 0.6 else "eval"))


def national_flag(code: str, split: Split) -> Flag:
    """The flag of a country: countries of training are drawn square in evaluation."""
    shape = "1x1" if split == "eval" and code in codes("train") else "4x3"
    country = nationals()[code]
    return Flag(
        flags.picture(code, shape),
        country,
        {name: shade for name, shade in _shades(code, shape).items() if name in country.colours},
        country.traces,
        country.stripes,
        country.way,
        sign=country.emblem,
    )


@cache
def _shades(code: str, shape: str) -> dict[str, RGB]:
    """What each of the country's colours is in the drawing: the pixel of that hue that occurs most."""
    picture = flags.picture(code, shape)
    small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.NEAREST)
    counted = sorted(small.getcolors(small.width * small.height) or [], reverse=True)
    found: dict[str, RGB] = {}
    for _, value in counted:
        found.setdefault(_called(value), value)  # type: ignore[arg-type]
    return {name: found[name] for name in nationals()[code].colours if name in found}


def _called(value: RGB) -> str:
    """A name for a colour as flags have them: by hue, with dark, pale and brownish ones told apart."""
    low, high = min(value), max(value)
    if high < 50:
        return "black"
    if high - low < 0.13 * high:
        return "white" if high > 200 else "gray"
    red, green, blue = value
    if high == red:
        hue = 60 * (green - blue) / (high - low) % 360
    elif high == green:
        hue = 60 * (blue - red) / (high - low) + 120
    else:
        hue = 60 * (red - green) / (high - low) + 240
    for limit, name in (
        (16, "red"),
        (42, "orange"),
        (66, "yellow"),
        (170, "green"),
        (260, "blue"),
        (330, "purple"),
    ):
        if hue < limit:
            return "brown" if name == "orange" and high < 150 else name
    return "red"


def invented_flag(rng: random.Random, split: Split, width: int) -> Flag:
    """A flag of two or three plain colours, mostly with a sign or a row of them; drawn `width` pixels wide."""
    pattern = rng.choice(PATTERNS[split])
    must_have_sign = pattern == "field"
    height = round(width * rng.choice((0.6, 2 / 3, 0.75)))
    colours = distinct_colours(rng, split, [], 4, least=200, names=FLAG_COLOURS)
    if pattern == "cross" and {colours[0][0], colours[1][0]} <= {"red", "white", "blue", "yellow"}:
        pattern = "band"  # the cross would be that of a northern country
    (ground_name, ground), (second_name, second), (third_name, third), (sign_name, sign_ink) = colours
    picture = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(picture)
    used, bands, way, signs_here = [ground_name, second_name], (), "", SIGNS
    place, room = (width / 2, height / 2), 0.62
    third_of = height * 0.3
    if pattern == "bars":
        count = rng.choice((2, 3, 3, 4, 5))
        way = rng.choice(("horizontal", "vertical"))
        pool = colours[: min(3, count)]
        while True:
            order = [rng.choice(pool) for _ in range(count)]
            if all(a != b for a, b in itertools.pairwise(order)) and len({n for n, _ in order}) == len(pool):
                break
        for i, (_, ink) in enumerate(order):
            edges = (i * width / count, 0, (i + 1) * width / count, height)
            if way == "horizontal":
                edges = (0, i * height / count, width, (i + 1) * height / count)
            draw.rectangle(edges, fill=ink)
        bands = tuple(name for name, _ in order)
        if count <= 3 and "purple" not in bands:  # it might be a country's
            signs_here, must_have_sign = UNUSUAL_SIGNS, True
        used = list(dict.fromkeys(bands))
        room = 0.8 / count if way == "horizontal" else min(0.62, 1.1 / count)
        if count % 2 == 0 and (way == "horizontal" or count == 2):
            place = (place[0], height / (2 * count)) if way == "horizontal" else (width / 4, place[1])
    elif pattern == "field":
        used, signs_here = [ground_name], UNUSUAL_SIGNS
    elif pattern == "cross":
        thick = height * 0.16
        draw.rectangle((0, (height - thick) / 2, width, (height + thick) / 2), fill=second)
        draw.rectangle((width * 0.32, 0, width * 0.32 + thick, height), fill=second)
        room = 0.0
    elif pattern == "canton":
        draw.rectangle((0, 0, width * 0.42, height * 0.52), fill=second)
        place, room, signs_here = (width * 0.21, height * 0.26), 0.38, UNUSUAL_SIGNS
    elif pattern == "triangle":
        draw.rectangle((0, height / 2, width, height), fill=second)
        draw.polygon(((0, 0), (width * 0.42, height / 2), (0, height)), fill=third)
        used.append(third_name)
        place, room = (width * 0.14, height / 2), 0.26
        signs_here, must_have_sign = UNUSUAL_SIGNS, True
    elif pattern == "band":
        draw.line(((0, height), (width, 0)), fill=second, width=int(third_of))
        room = 0.0
    elif pattern == "saltire":
        for x0, x1 in ((0, width), (width, 0)):
            draw.line(((x0, 0), (x1, height)), fill=second, width=int(third_of / 2))
        room = 0.0
    elif pattern == "quarters":
        draw.rectangle((width / 2, 0, width, height / 2), fill=second)
        draw.rectangle((0, height / 2, width / 2, height), fill=second)
        place, room = (width / 4, height / 4), 0.36
    elif pattern == "border":
        draw.rectangle((0, 0, width, height), fill=second)
        edge = height * 0.15
        draw.rectangle((edge, edge, width - edge, height - edge), fill=ground)
        room = 0.5
    else:
        draw.polygon(((0, 0), (width, 0), (width / 2, height)), fill=second)
        place, room = (width / 2, height * 0.27), 0.36
    sign, signs = "", 0
    shades = {name: ink for name, ink in colours[:3] if name in used}
    if room and (must_have_sign or rng.random() < 0.55):
        sign, signs = rng.choice(signs_here), rng.choice((1, 1, 1, 2, 3)) if room > 0.3 else 1
        wide = pattern in ("field", "border") or (pattern == "bars" and way == "horizontal")
        size = int(min(height * room, (width if wide else width * 0.4) / (signs + 0.4) * 0.8))
        mask = outline(sign, size, 0)
        for i in range(signs):
            x = place[0] + (i - (signs - 1) / 2) * size * 1.2
            picture.paste(sign_ink, (int(x - size / 2), int(place[1] - size / 2)), mask)
        shades[sign_name] = sign_ink
    return Flag(
        picture,
        None,
        shades,
        stripes=len(bands),
        way=way,
        bands=bands,
        sign=sign,
        signs=signs,
        sign_colour=sign_name if sign else "",
    )


def shown(flag: Flag, width: int, wind: float, phase: float) -> tuple[Image.Image, dict[str, Image.Image]]:
    """The flag at a width as an RGBA picture, waving if there is wind, and where each of its colours is (masks)."""
    height = round(width * flag.picture.height / flag.picture.width)
    small = flag.picture.resize((width, height), Image.Resampling.BOX)
    pixels = np.asarray(small)
    coarse = pixels[2::4, 2::4].astype(np.int16)
    names = list(flag.shades)
    away = np.stack([np.abs(coarse - np.array(flag.shades[name], np.int16)).sum(-1) for name in names])
    nearest = away.argmin(0)
    nearest[away.min(0) > 150] = -1
    rows, columns = np.arange(height) // 4, np.arange(width) // 4
    labels = nearest[np.minimum(rows, len(nearest) - 1)][:, np.minimum(columns, nearest.shape[1] - 1)]
    if wind:
        pixels, labels = _waving(
            np.dstack([pixels, np.full((height, width), 255, np.uint8)]), labels, wind, phase
        )
    masks = {name: Image.fromarray((labels == i).astype(np.uint8) * 255) for i, name in enumerate(names)}
    return Image.fromarray(pixels).convert("RGBA"), masks


def _waving(
    picture: np.ndarray, labels: np.ndarray, wind: float, phase: float
) -> tuple[np.ndarray, np.ndarray]:
    """Every column shifted up or down along a wave and shaded by its slope; `wind` is a share of the height."""
    height, width = labels.shape
    along = np.arange(width) / width
    angle = 2 * np.pi * 1.4 * along + phase
    lift = wind * height * np.minimum(1, along * 2.5)
    tall = height + int(np.ceil(2 * wind * height)) + 1
    source = np.arange(tall)[:, None] - (lift * (1 + np.sin(angle)))[None, :]
    above = np.floor(source).astype(int)
    share = (source - above).astype(np.float32)[..., None]
    padded = np.zeros((height + 2, width, 4), np.uint8)  # clear rows above and below
    padded[1:-1] = picture
    padded[[0, -1], :, :3] = picture[[0, -1], :, :3]
    whole, columns = padded.view(np.uint32)[..., 0], np.arange(width)[None, :]
    first, second = (
        whole[np.clip(above + step, 0, height + 1), columns].view(np.uint8).reshape(tall, width, 4)
        for step in (1, 2)
    )
    waved = first + (second.astype(np.float32) - first) * share
    light = 0.88 + 0.28 * np.cos(angle) * np.minimum(1, along * 2.5)
    waved[..., :3] *= light.astype(np.float32)[None, :, None]
    within = (above >= 0) & (above < height)
    moved = np.where(within, labels[np.clip(above, 0, height - 1), columns], -1)
    return waved.clip(0, 255).astype(np.uint8), moved
