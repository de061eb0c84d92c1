"""Data that comes as a Debian package: where it lies, which version it is, and what its licence is called in SPDX."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from clearsight.data.sources.contract import UNKNOWN, SourceError

DOCUMENTS = Path("/usr/share/doc")
_SPDX = {
    "expat": "MIT",
    "mit": "MIT",
    "isc": "ISC",
    "zlib": "Zlib",
    "cc0": "CC0-1.0",
    "cc0-1.0": "CC0-1.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd-4-clause": "BSD-4-Clause",
    "apache-2": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl",
    "artistic-2.0": "Artistic-2.0",
    "psf-2": "PSF-2.0",
    "ofl-1.1": "OFL-1.1",
    "unlicense": "Unlicense",
}


def find(package: str, places: Sequence[str | Path], given: str | Path | None, what: str) -> Path:
    """The folder `given`, or else the first of the places where the package puts `what`.

    Raises SourceError with the command that installs it.
    """
    for place in [given] if given is not None else places:
        if Path(place).is_dir():
            return Path(place)
    looked = given if given is not None else " or ".join(map(str, places))
    raise SourceError(
        f"There is no folder {looked} with {what}. On Debian or Ubuntu: apt-get install {package}; elsewhere give "
        "the folder that holds them."
    )


@cache
def named_with_version(package: str) -> str:
    """`package` with its installed version, `package 1.2-3`; without one where dpkg does not know it."""
    if shutil.which("dpkg-query") is None:
        return package
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False
    )
    return f"{package} {asked.stdout}" if asked.returncode == 0 and asked.stdout else package


@cache
def licence(package: str) -> str:
    """SPDX expression of all that a package's files are licensed under; "unknown" where it is not stated by rule.

    Read from the machine-readable copyright file (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/),
    the packaging itself left out. It says which file has which licence by patterns of the source, which do not name
    what was built; so all of them count.
    """
    try:
        text = (DOCUMENTS / package / "copyright").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    if not text.startswith("Format:"):
        return UNKNOWN
    found: dict[str, None] = {}
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$", paragraph))
        if "Files" not in fields or fields["Files"].strip().startswith("debian/"):
            continue
        if not fields.get("License", "").strip():
            return UNKNOWN
        found.update(dict.fromkeys(_expression(fields["License"])))
    return " AND ".join(found) or UNKNOWN


def _expression(stated: str) -> list[str]:
    """The parts, to be joined by AND, of a licence in the copyright format's terms. Of alternatives all are taken."""
    return [spdx(name) for name in re.split(r",?\s+(?:and|or|and/or)\s+", stated.strip())]


def spdx(name: str) -> str:
    """The SPDX identifier of a licence by its short name in Debian; LicenseRef-... when it has none."""
    plain = name.strip().rstrip(".,").lower()
    if plain in _SPDX:
        return _SPDX[plain]
    gnu = re.fullmatch(r"(l?gpl|agpl|gfdl)(?:-niv)?-?v?(\d)(?:\.(\d))?(\+?)", plain)
    if gnu:
        kind, major, minor, later = gnu.groups()
        return f"{kind.upper()}-{major}.{minor or 0}-{'or-later' if later else 'only'}"
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", name.strip()).strip("-")
