"""Openly licensed fonts found on this machine, split by family.

Only families named here are used: each has an open licence. They come as Debian packages (see FAMILIES); on
another system put the files anywhere under a folder named in CLEARSIGHT_FONTS.
Families marked "eval" are never used for training. Slanted and symbol cuts are left out.

any_font                       the families of the first lessons, whose pictures must stay as they are
latin_font, text_font, monospaced_font
                               every Latin family, or those for running text, or for code
script_font                    families of another script, by the script's name
font_file                      one file by name, for whoever needs an upright and its italic
"""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import get_args

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
    """`prefix`: how the family's file names begin. `package`: the Debian package that holds it.

    `scripts` other than Latin that it draws, see SCRIPTS.
    """

    prefix: str
    package: str
    licence: str
    split: Split = "train"
    scripts: tuple[str, ...] = ()


# Ten letters of each script that a font must draw, each in its own way.
SCRIPTS = {
    "Greek": "αβγδεθλμξω",
    "Cyrillic": "бвгджийлшя",
    "Hebrew": "אבגדהלמשקצ",
    "Arabic": "ابجدهملكعق",
    "Devanagari": "कखगचजटतदनम",
    "Bengali": "কখগচজটতদনম",
    "Tamil": "கஙசஞடணதநபம",
    "Thai": "กขคงจชดตนม",
    "Georgian": "აბგდევზთიკ",
    "Armenian": "աբգդեզէըթժ",
    "Chinese": "的一是不人们国学说还",
    "Japanese": "あいうえおカキ東京駅",
    "Korean": "가나다라마바사한글집",
}
GREEK_CYRILLIC = ("Greek", "Cyrillic")

# What `any_font` draws from. Adding or moving a family here redraws the first lessons of the bundled model.
FIRST_FAMILIES = (
    Family(
        "DejaVu", "fonts-dejavu-core", "Bitstream-Vera", scripts=(*GREEK_CYRILLIC, "Armenian", "Georgian")
    ),
    Family("Liberation", "fonts-liberation2", "OFL-1.1", scripts=(*GREEK_CYRILLIC, "Hebrew")),
    Family("Lato-", "fonts-lato", "OFL-1.1"),
    Family("OpenSans-", "fonts-open-sans", "Apache-2.0", scripts=GREEK_CYRILLIC),
    Family("Roboto-", "fonts-roboto-unhinted", "Apache-2.0", scripts=GREEK_CYRILLIC),
    Family("Cantarell-", "fonts-cantarell", "OFL-1.1"),
    Family("Inter-", "fonts-inter", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("Quicksand-", "fonts-quicksand", "OFL-1.1"),
    Family("Comfortaa-", "fonts-comfortaa", "OFL-1.1"),
    Family("EBGaramond", "fonts-ebgaramond", "OFL-1.1"),
    Family("LinLibertine_", "fonts-linuxlibertine", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("LinBiolinum_", "fonts-linuxlibertine", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("JetBrainsMono-", "fonts-jetbrains-mono", "OFL-1.1"),
    Family("FiraCode-", "fonts-firacode", "OFL-1.1"),
    Family("Hack-", "fonts-hack", "MIT and Bitstream-Vera"),
    Family("Cabin-", "fonts-cabin", "OFL-1.1"),
    Family("Dosis-", "fonts-dosis", "OFL-1.1"),
    Family("CourierPrime", "fonts-courier-prime", "OFL-1.1"),
    Family("Carlito-", "fonts-crosextra-carlito", "OFL-1.1"),
    Family("Caladea-", "fonts-crosextra-caladea", "Apache-2.0"),
    Family("OldStandard", "fonts-oldstandard", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("Play-", "fonts-play", "OFL-1.1"),
    Family("Karla-", "fonts-karla", "OFL-1.1"),
    Family("Jura-", "fonts-jura", "OFL-1.1"),
    Family("B612-", "fonts-b612", "OFL-1.1"),
    Family("ComicNeue-", "fonts-comic-neue", "OFL-1.1"),
    Family("mononoki-", "fonts-mononoki", "OFL-1.1"),
    Family("FantasqueSansMono-", "fonts-fantasque-sans", "OFL-1.1"),
    Family("LeagueSpartan", "fonts-league-spartan", "OFL-1.1"),
    Family("Manrope", "fonts-manrope", "OFL-1.1"),
    Family("PT", "fonts-paratype", "ParaType Free Font Licence", scripts=("Cyrillic",)),
    Family("ClearSans-", "fonts-clear-sans", "Apache-2.0"),
    Family("Quattrocento", "fonts-quattrocento", "OFL-1.1"),
    Family("RobotoSlab-", "fonts-roboto-slab", "Apache-2.0", "eval"),
    Family("Inconsolata", "fonts-inconsolata", "OFL-1.1", "eval"),
    Family("Arapey-", "fonts-arapey", "OFL-1.1", "eval"),
    Family("AveriaSans", "fonts-averia-sans-gwf", "OFL-1.1", "eval"),
    Family("GFSNeohellenic", "fonts-gfs-neohellenic", "OFL-1.1", "eval", ("Greek",)),
    Family("OpenDin", "fonts-opendin", "OFL-1.1", "eval"),
    Family("Cardo", "fonts-cardo", "OFL-1.1", "eval", ("Greek",)),
    Family("Allerta", "fonts-allerta", "OFL-1.1", "eval"),
    Family("NationalPark-", "fonts-national-park", "OFL-1.1", "eval"),
    Family("Hermit-", "fonts-hermit", "OFL-1.1", "eval"),
)
FURTHER_LATIN_FAMILIES = (
    Family("NotoSans-", "fonts-noto-core", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("Andika-", "fonts-sil-andika", "OFL-1.1", scripts=("Cyrillic",)),
    Family("GenBas", "fonts-sil-gentium-basic", "OFL-1.1"),
    Family("GenBkBas", "fonts-sil-gentium-basic", "OFL-1.1"),
    Family("Go-", "fonts-go", "BSD-3-Clause", scripts=GREEK_CYRILLIC),
    Family("Oxygen", "fonts-oxygen", "OFL-1.1"),
    Family("YanoneKaffeesatz-", "fonts-yanone-kaffeesatz", "OFL-1.1"),
    Family("DancingScript-", "fonts-dancingscript", "OFL-1.1"),
    Family("KaushanScript-", "fonts-kaushanscript", "OFL-1.1"),
    Family("Junction", "fonts-junction", "OFL-1.1"),
    Family("GoudyBookletter", "fonts-goudybookletter", "public domain"),
    Family("Fanwood", "fonts-fanwood", "MIT"),
    Family("Tuffy", "fonts-tuffy", "public domain", scripts=GREEK_CYRILLIC),
    Family("cmun", "fonts-cmu", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("LobsterTwo-", "fonts-lobstertwo", "OFL-1.1"),
    Family("Anonymous Pro", "fonts-anonymous-pro", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("agave-", "fonts-agave", "MIT"),
    Family("3270-", "fonts-3270", "BSD-3-Clause"),
    Family("routed-gothic", "fonts-routed-gothic", "OFL-1.1"),
    Family("STIXGeneral-", "fonts-stix", "OFL-1.1", scripts=GREEK_CYRILLIC),
    Family("Century-Catalogue", "fonts-century-catalogue", "OFL-1.1"),
    Family("LindenHill", "fonts-lindenhill", "MIT"),
    Family("LeckerliOne-", "fonts-leckerli-one", "OFL-1.1"),
    Family("Monoid-", "fonts-monoid", "MIT"),
    Family("Courier Prime", "fonts-courier-prime", "OFL-1.1"),
    Family("Lemonada-", "fonts-lemonada", "OFL-1.1"),
    Family("GFSDidot", "fonts-gfs-didot", "OFL-1.1", scripts=("Greek",)),
    Family("GFSArtemisia", "fonts-gfs-artemisia", "OFL-1.1", scripts=("Greek",)),
    Family("NotoSerif-", "fonts-noto-core", "OFL-1.1", "eval", GREEK_CYRILLIC),
    Family("AveriaGWF-", "fonts-averia-gwf", "OFL-1.1", "eval"),
    Family("AveriaSerif", "fonts-averia-serif-gwf", "OFL-1.1", "eval"),
    Family("Vollkorn-", "fonts-vollkorn", "OFL-1.1", "eval", GREEK_CYRILLIC),
    Family("Yrsa-", "fonts-yrsa-rasa", "OFL-1.1", "eval"),
    Family("Sora-", "fonts-sora", "OFL-1.1", "eval"),
    Family("LeagueMono-", "fonts-league-mono", "OFL-1.1", "eval"),
    Family("Prociono", "fonts-prociono", "public domain", "eval"),
    Family("Rufscript", "fonts-rufscript", "GPL-3 with font exception", "eval"),
    Family("OSP-DIN", "fonts-opendin", "OFL-1.1", "eval"),
    Family("allerta_medium", "fonts-allerta", "OFL-1.1", "eval"),
)
# Families that draw a script and are not needed for Latin.
SCRIPT_FAMILIES = (
    *(
        Family(f"NotoSans{script}-", "fonts-noto-core", "OFL-1.1", scripts=(script,))
        for script in ("Hebrew", "Arabic", "Devanagari", "Bengali", "Tamil", "Thai", "Georgian", "Armenian")
    ),
    *(
        Family(f"NotoSerif{script}-", "fonts-noto-core", "OFL-1.1", "eval", (script,))
        for script in ("Hebrew", "Devanagari", "Bengali", "Tamil", "Thai", "Georgian", "Armenian")
    ),
    Family("NotoKufiArabic-", "fonts-noto-core", "OFL-1.1", scripts=("Arabic",)),
    Family("NotoNaskhArabic-", "fonts-noto-core", "OFL-1.1", "eval", ("Arabic",)),
    Family("Amiri-", "fonts-hosny-amiri", "OFL-1.1", scripts=("Arabic",)),
    Family("Scheherazade-", "fonts-sil-scheherazade", "OFL-1.1", scripts=("Arabic",)),
    Family("SILEOT", "fonts-sil-ezra", "OFL-1.1", scripts=("Hebrew",)),
    Family("FrankRuehlCLM-", "culmus", "GPL-2 with font exception", scripts=("Hebrew",)),
    Family("MiriamCLM-", "culmus", "GPL-2 with font exception", scripts=("Hebrew",)),
    Family("NachlieliCLM-", "culmus", "GPL-2 with font exception", scripts=("Hebrew",)),
    Family("SimpleCLM-", "culmus", "GPL-2 with font exception", "eval", ("Hebrew",)),
    Family("AnnapurnaSIL-", "fonts-sil-annapurna", "OFL-1.1", scripts=("Devanagari",)),
    Family("Lohit-Devanagari", "fonts-lohit-deva", "OFL-1.1", scripts=("Devanagari",)),
    Family("Lohit-Bengali", "fonts-lohit-beng-bengali", "OFL-1.1", scripts=("Bengali",)),
    Family("Lohit-Tamil", "fonts-lohit-taml", "OFL-1.1", scripts=("Tamil",)),
    Family("MeeraInimai-", "fonts-meera-inimai", "OFL-1.1", scripts=("Tamil",)),
    Family("Arundina", "fonts-arundina", "Bitstream-Vera", scripts=("Thai",)),
    Family("Garuda", "fonts-tlwg-garuda-otf", "GPL-2 with font exception", scripts=("Thai",)),
    Family("Kinnari", "fonts-tlwg-kinnari-otf", "GPL-2 with font exception", scripts=("Thai",)),
    Family("Umpush", "fonts-tlwg-umpush-otf", "GPL-2 with font exception", "eval", ("Thai",)),
    Family("wqy-microhei", "fonts-wqy-microhei", "Apache-2.0", scripts=("Chinese", "Korean")),
    Family("gbsn00lp", "fonts-arphic-gbsn00lp", "Arphic Public Licence", "eval", ("Chinese",)),
    Family("sawarabi-mincho-", "fonts-sawarabi-mincho", "OFL-1.1", scripts=("Japanese",)),
    Family("MTLc3m", "fonts-motoya-l-cedar", "Apache-2.0", scripts=("Japanese",)),
    Family("BIZUD", "fonts-morisawa-bizud-mincho", "OFL-1.1", "eval", ("Japanese",)),
    Family("Bandal", "fonts-alee", "Artistic", scripts=("Korean",)),
    Family("Guseul", "fonts-alee", "Artistic", scripts=("Korean",)),
    Family("D2Coding-", "fonts-naver-d2coding", "OFL-1.1", "eval", ("Korean",)),
)
LATIN_FAMILIES = (*FIRST_FAMILIES, *FURTHER_LATIN_FAMILIES)
FAMILIES = (*LATIN_FAMILIES, *SCRIPT_FAMILIES)
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
# Cuts of the further families that are too light, or draw small letters as capitals, or lean.
ALSO_LEFT_OUT = (
    "extralight",
    "ultralight",
    "smallcaps",
    "minus",
    "slanted",
    "ssdc",
    "cmunui",
    "gruesa",
    "stencil",
)
# Hands, posters and heavy cuts, which nobody sets a page in.
NOT_FOR_TEXT = (
    *(
        "dancingscript",
        "kaushan",
        "lobster",
        "leckerli",
        "lemonada",
        "rufscript",
        "leaguespartan",
        "comfortaa",
    ),
    *(
        "yanone",
        "osp-din",
        "black",
        "heavy",
        "bold",
        "light",
        "semibd",
        "narrow",
        "wide",
        "extended",
        "blank",
    ),
)
LEAST_FAMILIES = {"train": 10, "eval": 4}


class FontsMissing(RuntimeError):
    """Too few of the families are installed; the message says how to get them."""


def _is_upright_text(path: str, letters: str = "abegkqQR07") -> bool:
    """Whether the file draws upright letters and digits: symbol fonts draw one box for each."""
    face = ImageFont.truetype(path, 32)
    if any(slant in (face.getname()[1] or "") for slant in ("Italic", "Oblique")):
        return False
    return len({bytes(face.getmask(character)) for character in letters}) == len(letters)


def _installed() -> dict[str, str]:
    """Path of every font file on this machine, by its name without the ending."""
    extra = [folder for folder in os.environ.get("CLEARSIGHT_FONTS", "").split(os.pathsep) if folder]
    return _files_under((*extra, *SYSTEM_FOLDERS))


@cache
def _files_under(folders: tuple[str, ...]) -> dict[str, str]:
    files: dict[str, str] = {}
    for folder in folders:
        for path in sorted(Path(folder).expanduser().rglob("*")):
            if path.suffix.lower() in (".ttf", ".otf", ".ttc") and path.stem not in files:
                files[path.stem] = str(path)
    return dict(sorted(files.items()))


def _groups(
    families: Sequence[Family], split: Split, least: int, left_out: Sequence[str], letters: str = "abegkqQR07"
) -> tuple[tuple[str, ...], ...]:
    """Files of the split's families that draw `letters` upright, grouped by family.

    Raises FontsMissing when fewer than `least` families are there.
    """
    groups = []
    for family in families:
        if family.split != split:
            continue
        found = [
            path
            for stem, path in _installed().items()
            if stem.startswith(family.prefix)
            and not any(word in stem.lower() for word in left_out)
            and _is_upright_text(path, letters)
        ]
        if found:
            groups.append(tuple(found))
    if len(groups) < least:
        packages = " ".join(sorted({family.package for family in families}))
        raise FontsMissing(
            f"{len(groups)} of the {split} font families are installed, {least} are needed.\n"
            f"On Debian or Ubuntu: apt-get install --no-install-recommends {packages}\n"
            "Elsewhere: put those font files in a folder and name it in CLEARSIGHT_FONTS."
        )
    return tuple(groups)


@cache
def font_files(split: Split) -> tuple[tuple[str, ...], ...]:
    """Font files of the first families, grouped by family so that large families do not crowd out small ones.

    Raises FontsMissing when too few families are there to draw a varied world.
    """
    return _groups(FIRST_FAMILIES, split, LEAST_FAMILIES[split], LEFT_OUT)


@cache
def latin_files(split: Split) -> tuple[tuple[str, ...], ...]:
    """Font files of all Latin families, grouped by family."""
    further = _groups(FURTHER_LATIN_FAMILIES, split, LEAST_FAMILIES[split], (*LEFT_OUT, *ALSO_LEFT_OUT))
    return (*font_files(split), *further)


@cache
def text_files(split: Split) -> tuple[tuple[str, ...], ...]:
    """Those Latin files that whole pages can be set in, grouped by family."""
    groups = []
    for family in latin_files(split):
        found = tuple(
            path for path in family if not any(word in Path(path).stem.lower() for word in NOT_FOR_TEXT)
        )
        if found:
            groups.append(found)
    return tuple(groups)


@cache
def monospaced_files(split: Split) -> tuple[tuple[str, ...], ...]:
    """Those Latin files in which every character is as wide as any other, grouped by family."""
    groups = []
    for family in latin_files(split):
        found = tuple(path for path in family if len({sized(path, 32).getlength(c) for c in "iM.("}) == 1)
        if found:
            groups.append(found)
    return tuple(groups)


@cache
def script_files(split: Split, script: str) -> tuple[tuple[str, ...], ...]:
    """Font files that draw a script of SCRIPTS, grouped by family. Raises FontsMissing when there is none."""
    families = [family for family in FAMILIES if script in family.scripts]
    return _groups(families, split, 1, (*LEFT_OUT, *ALSO_LEFT_OUT), SCRIPTS[script])


def check() -> None:
    """End the program with what to install when the worlds lack fonts; for the Makefile."""
    try:
        for split in get_args(Split):
            latin_files(split), monospaced_files(split)
            for script in SCRIPTS:
                script_files(split, script)
    except FontsMissing as error:
        raise SystemExit(str(error)) from None


def any_font(rng: random.Random, split: Split) -> str:
    """A font file of the first families: first a family, then one of its cuts."""
    return rng.choice(rng.choice(font_files(split)))


def latin_font(rng: random.Random, split: Split) -> str:
    """A font file of any Latin family."""
    return rng.choice(rng.choice(latin_files(split)))


def text_font(rng: random.Random, split: Split) -> str:
    """A font file for running text: neither heavy nor a hand."""
    return rng.choice(rng.choice(text_files(split)))


def monospaced_font(rng: random.Random, split: Split) -> str:
    """A font file for code: every character is equally wide."""
    return rng.choice(rng.choice(monospaced_files(split)))


def script_font(rng: random.Random, split: Split, script: str) -> str:
    """A font file that draws a script of SCRIPTS."""
    return rng.choice(rng.choice(script_files(split, script)))


def font_file(name: str) -> str:
    """The path of a font file by its name without the ending. Raises FontsMissing when it isn't installed."""
    if name not in _installed():
        raise FontsMissing(f"the font {name} is not installed; run make test once, or see CLEARSIGHT_FONTS")
    return _installed()[name]


@lru_cache(maxsize=4096)
def sized(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A font file at a size in pixels, for letters that stand side by side; several times faster than `shaping`."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1024)
def shaping(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A font file at a size in pixels, for scripts whose letters join, stack or run from right to left."""
    return ImageFont.truetype(path, size)
