"""Icon sets from the Iconify collection: 238 sets of SVG drawings with names and licences.

Only sets whose SPDX licence allows use, change and redistribution with at most attribution are read. The
drawings are vectors; `masks` and `pictures` rasterise those that are asked for once and keep them in the
cache folder, for the worlds; `records` gives them one by one with their names.

The collection and its data format: https://iconify.design/docs/types/iconify-json.html
"""

import hashlib
import io
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from rich.progress import track

from clearsight import weights
from clearsight.data.record import Provenance, Record, is_permissive
from clearsight.data.sources.contract import SourceError, Tally, Unusable, records_of
from clearsight.data.sources.drawings import drawn
from clearsight.data.sources.questions import named

MASK_SIDE = 160
# Sets whose names say what is drawn: four of emoji, and pictograms of things.
TELLING = ("noto", "twemoji", "emojione", "fxemoji", "game-icons", "mdi")
# Families that evaluation draws with, here under all names they have in the collection.
KEPT_FOR_EVALUATION = frozenset(
    {"ph", "ri", "codicon", "fluent-emoji", "fluent-emoji-flat", "fluent-emoji-high-contrast"}
)
_STYLE = re.compile(
    r"-(fill|line|bold|light|duotone|outline|solid|outlined|filled|rounded|round|sharp|linear|broken|regular|thin"
    r"|twotone|variant|alt|\d+)$"
)


@dataclass(frozen=True)
class IconSet:
    """One set: names to SVG bodies, drawn on a canvas of width x height units."""

    prefix: str
    title: str
    licence: str
    width: float
    height: float
    icons: dict[str, dict[str, Any]]

    def svg(self, name: str, ink: str = "black") -> str:
        """The drawing as a document of its own; single-coloured sets are drawn in `ink`."""
        icon = self.icons[name]
        width, height = icon.get("width", self.width), icon.get("height", self.height)
        left, top = icon.get("left", 0), icon.get("top", 0)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}" color="{ink}">'
            f"{icon['body']}</svg>"
        )


def read(prefixes: Iterable[str]) -> dict[str, IconSet]:
    """The sets of these prefixes, fetched on first use.

    Raises WeightsError when they cannot be had, ValueError for a prefix that is unknown or whose licence is not
    permissive.
    """
    wanted = {f"package/json/{prefix}.json": prefix for prefix in prefixes}
    found: dict[str, Any] = {}
    with tarfile.open(weights.fetch(weights.ICON_SETS), "r|gz") as archive:
        for member in archive:
            if member.name in wanted or member.name == "package/collections.json":
                file = archive.extractfile(member)
                assert file is not None
                found[member.name] = json.load(file)
    collections = found.pop("package/collections.json")
    sets = {}
    for path, prefix in wanted.items():
        if path not in found:
            raise ValueError(f"There is no icon set {prefix!r}.")
        licence = collections[prefix]["license"].get("spdx", "unknown")
        if not is_permissive(licence):
            raise ValueError(f"The icon set {prefix!r} is licensed {licence}, which is not permissive.")
        data = found[path]
        sets[prefix] = IconSet(
            prefix,
            collections[prefix]["name"],
            licence,
            data.get("width", 16),
            data.get("height", 16),
            data["icons"],
        )
    return sets


def records(
    prefixes: Sequence[str] = TELLING, *, side: int = 224, skip: int = 0, tally: Tally | None = None
) -> Iterator[Record]:
    """A record of each icon of these sets, black or coloured on white, with the licence of its set.

    Raises SourceError for a set that is unknown, not permissive or kept for evaluation, WeightsError when the
    collection can't be had.
    """
    kept = KEPT_FOR_EVALUATION.intersection(prefixes)
    if kept:
        raise SourceError(f"The icon set {min(kept)!r} is kept for evaluation; leave it out.")
    try:
        sets = read(prefixes)
    except ValueError as error:
        raise SourceError(str(error)) from error

    def build(icon: tuple[str, str]) -> Record:
        prefix, name = icon
        if sets[prefix].icons[name].get("hidden"):
            raise Unusable("withdrawn icon")
        provenance = Provenance(
            f"Iconify {weights.ICON_SETS.version}, {sets[prefix].title}",
            sets[prefix].licence,
            uri=f"{prefix}:{name}",
        )
        return named(drawn(sets[prefix].svg(name), side), spoken(name), provenance)

    icons = [(prefix, name) for prefix in prefixes for name in sets[prefix].icons]
    items = ((f"{prefix}:{name}", (prefix, name)) for prefix, name in icons[skip:])
    return records_of("the icon sets", items, build, skip=skip, tally=tally)


def spoken(name: str) -> str:
    """An icon's name as people say it: `alarm-clock-outline` is an alarm clock. Raises Unusable for a mere code."""
    while shorter := _STYLE.sub("", name) if _STYLE.search(name) else "":
        name = shorter
    words = name.replace("-", " ").strip()
    if not re.fullmatch(r"[a-z]{3,}( [a-z]+)*", words):
        raise Unusable("no telling name", name)
    return words


def rasterise(svg: str, side: int) -> Image.Image:
    """RGBA picture of an SVG document, its longer side `side` pixels."""
    import resvg_py

    picture = Image.open(
        io.BytesIO(
            bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, width=side, height=side))
        )
    )
    picture.load()
    return picture


def masks(
    key: str, prefixes: tuple[str, ...], wanted: Callable[[str, str], bool]
) -> dict[tuple[str, str], bytes]:
    """(prefix, name) -> PNG of the coverage (L, at most MASK_SIDE a side, trimmed) of every icon that is wanted.

    `wanted(prefix, name)` decides; `key` names that decision, and a change of it must change the key. The result
    is kept in the cache folder, so that only the first call takes long (about 4 ms a drawing).
    """
    identity = repr((weights.ICON_SETS.sha256, key, prefixes, MASK_SIDE))
    return _drawn_once(identity, prefixes, wanted, _coverage)


def pictures(
    key: str, prefixes: tuple[str, ...], wanted: Callable[[str, str], bool]
) -> dict[tuple[str, str], bytes]:
    """(prefix, name) -> PNG in colours (RGBA, at most MASK_SIDE a side, trimmed); otherwise like `masks`."""
    identity = repr((weights.ICON_SETS.sha256, key, prefixes, MASK_SIDE, "RGBA"))
    return _drawn_once(identity, prefixes, wanted, _colours)


def _drawn_once(
    identity: str,
    prefixes: tuple[str, ...],
    wanted: Callable[[str, str], bool],
    draw: Callable[[str], Image.Image | None],
) -> dict[tuple[str, str], bytes]:
    """PNGs of what `draw` makes of the SVG documents that are wanted, kept under `identity` in the cache folder."""
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    path = weights.cache_folder() / "icons" / f"{name}.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sets = read(prefixes)
        names = [(p, n) for p, s in sets.items() for n in s.icons if wanted(p, n)]
        staged = path.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_STORED) as archive:
            for prefix, name in track(names, description="drawing icons", transient=True):
                picture = draw(sets[prefix].svg(name))
                if picture is not None:
                    out = io.BytesIO()
                    picture.save(out, "PNG", compress_level=6)
                    archive.writestr(f"{prefix}/{name}", out.getvalue())
        os.replace(staged, path)
    with zipfile.ZipFile(path) as archive:
        return {tuple(name.split("/", 1)): archive.read(name) for name in archive.namelist()}  # type: ignore[misc]


def _coverage(svg: str) -> Image.Image | None:
    """How much ink each pixel has, trimmed to what is drawn; None for a drawing that is empty or fills its canvas."""
    mask = rasterise(svg, MASK_SIDE).getchannel("A")
    box = mask.getbbox()
    if box is None or np.asarray(mask).mean() > 235:
        return None
    return mask.crop(box)


def _colours(svg: str) -> Image.Image | None:
    """The drawing in its colours, trimmed to what is drawn; None for one that is empty."""
    picture = rasterise(svg, MASK_SIDE).convert("RGBA")
    box = picture.getchannel("A").getbbox()
    return picture.crop(box) if box else None


@cache
def decoded(png: bytes) -> Image.Image:
    """The mask a PNG of `masks` holds."""
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return picture
