"""Openly licensed fonts found on this machine, split by family.

Only families named here are used: each has an open licence. They come as Debian packages (see FAMILIES); on
another system put the files anywhere under a folder named in CLEARSIGHT_FONTS.
Families marked "eval" are never used for training. Slanted and symbol cuts are left out.
"""

import os
import random
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

from clearsight.data.worlds.scene import Split

SYSTEM_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
)


@dataclass(frozen=True)
class Family:
    """`prefix`: how the family's file names begin. `package`: the Debian package that holds it."""

    prefix: str
    package: str
    licence: str
    split: Split = "train"


FAMILIES = (
    Family("DejaVu", "fonts-dejavu-core", "Bitstream-Vera"),
    Family("Liberation", "fonts-liberation2", "OFL-1.1"),
    Family("Lato-", "fonts-lato", "OFL-1.1"),
    Family("OpenSans-", "fonts-open-sans", "Apache-2.0"),
    Family("Roboto-", "fonts-roboto-unhinted", "Apache-2.0"),
    Family("Cantarell-", "fonts-cantarell", "OFL-1.1"),
    Family("Inter-", "fonts-inter", "OFL-1.1"),
    Family("Quicksand-", "fonts-quicksand", "OFL-1.1"),
    Family("Comfortaa-", "fonts-comfortaa", "OFL-1.1"),
    Family("EBGaramond", "fonts-ebgaramond", "OFL-1.1"),
    Family("LinLibertine_", "fonts-linuxlibertine", "OFL-1.1"),
    Family("LinBiolinum_", "fonts-linuxlibertine", "OFL-1.1"),
    Family("JetBrainsMono-", "fonts-jetbrains-mono", "OFL-1.1"),
    Family("FiraCode-", "fonts-firacode", "OFL-1.1"),
    Family("Hack-", "fonts-hack", "MIT and Bitstream-Vera"),
    Family("Cabin-", "fonts-cabin", "OFL-1.1"),
    Family("Dosis-", "fonts-dosis", "OFL-1.1"),
    Family("CourierPrime", "fonts-courier-prime", "OFL-1.1"),
    Family("Carlito-", "fonts-crosextra-carlito", "OFL-1.1"),
    Family("Caladea-", "fonts-crosextra-caladea", "Apache-2.0"),
    Family("OldStandard", "fonts-oldstandard", "OFL-1.1"),
    Family("Play-", "fonts-play", "OFL-1.1"),
    Family("Karla-", "fonts-karla", "OFL-1.1"),
    Family("Jura-", "fonts-jura", "OFL-1.1"),
    Family("B612-", "fonts-b612", "OFL-1.1"),
    Family("ComicNeue-", "fonts-comic-neue", "OFL-1.1"),
    Family("mononoki-", "fonts-mononoki", "OFL-1.1"),
    Family("FantasqueSansMono-", "fonts-fantasque-sans", "OFL-1.1"),
    Family("LeagueSpartan", "fonts-league-spartan", "OFL-1.1"),
    Family("Manrope", "fonts-manrope", "OFL-1.1"),
    Family("PT", "fonts-paratype", "ParaType Free Font Licence"),
    Family("ClearSans-", "fonts-clear-sans", "Apache-2.0"),
    Family("Quattrocento", "fonts-quattrocento", "OFL-1.1"),
    Family("RobotoSlab-", "fonts-roboto-slab", "Apache-2.0", "eval"),
    Family("Inconsolata", "fonts-inconsolata", "OFL-1.1", "eval"),
    Family("Arapey-", "fonts-arapey", "OFL-1.1", "eval"),
    Family("AveriaSans", "fonts-averia-sans-gwf", "OFL-1.1", "eval"),
    Family("GFSNeohellenic", "fonts-gfs-neohellenic", "OFL-1.1", "eval"),
    Family("OpenDin", "fonts-opendin", "OFL-1.1", "eval"),
    Family("Cardo", "fonts-cardo", "OFL-1.1", "eval"),
    Family("Allerta", "fonts-allerta", "OFL-1.1", "eval"),
    Family("NationalPark-", "fonts-national-park", "OFL-1.1", "eval"),
    Family("Hermit-", "fonts-hermit", "OFL-1.1", "eval"),
)
LEFT_OUT = (
    "italic",
    "oblique",
    "ital",
    "symbol",
    "cond",
    "math",
    "initials",
    "keyboard",
    "display",
    "thin",
    "outline",
    "biolinum_k",  # keys of a keyboard
)
LEAST_FAMILIES = {"train": 10, "eval": 4}


class FontsMissing(RuntimeError):
    """Too few of the families are installed; the message says how to get them."""


def _is_upright_text(path: str) -> bool:
    """Whether the file draws upright letters and digits: symbol fonts draw one box for each."""
    face = ImageFont.truetype(path, 32)
    if any(slant in (face.getname()[1] or "") for slant in ("Italic", "Oblique")):
        return False
    return len({bytes(face.getmask(character)) for character in "abegkqQR07"}) == 10


@cache
def font_files(split: Split) -> tuple[tuple[str, ...], ...]:
    """Font files of the split, grouped by family so that large families do not crowd out small ones.

    Raises FontsMissing when too few families are there to draw a varied world.
    """
    extra = [folder for folder in os.environ.get("CLEARSIGHT_FONTS", "").split(os.pathsep) if folder]
    files: dict[str, str] = {}
    for folder in (*extra, *SYSTEM_FOLDERS):
        for path in sorted(Path(folder).expanduser().rglob("*")):
            if path.suffix.lower() in (".ttf", ".otf") and path.stem not in files:
                files[path.stem] = str(path)
    groups = []
    for family in FAMILIES:
        if family.split != split:
            continue
        found = [
            path
            for stem, path in sorted(files.items())
            if stem.startswith(family.prefix)
            and not any(word in stem.lower() for word in LEFT_OUT)
            and _is_upright_text(path)
        ]
        if found:
            groups.append(tuple(found))
    if len(groups) < LEAST_FAMILIES[split]:
        packages = " ".join(sorted({family.package for family in FAMILIES}))
        raise FontsMissing(
            f"{len(groups)} of the {split} font families are installed, {LEAST_FAMILIES[split]} are needed.\n"
            f"On Debian or Ubuntu: apt-get install --no-install-recommends {packages}\n"
            "Elsewhere: put those font files in a folder and name it in CLEARSIGHT_FONTS."
        )
    return tuple(groups)


def check() -> None:
    """End the program with what to install when the worlds lack fonts; for the Makefile."""
    try:
        font_files("train"), font_files("eval")
    except FontsMissing as error:
        raise SystemExit(str(error)) from None


def any_font(rng: random.Random, split: Split) -> str:
    """A font file: first a family, then one of its cuts."""
    return rng.choice(rng.choice(font_files(split)))


@lru_cache(maxsize=4096)
def sized(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
