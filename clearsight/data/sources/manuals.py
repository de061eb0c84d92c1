"""Manual pages of this machine as pictures of pages, with their text as the truth, character by character.

`man` sets the text; one page of each manual is drawn in a monospaced font. The licence is what the package that
brought the manual states for its files, and unknown where it does not do so by rule.
"""

import io
import os
import random
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image as PILImage
from PIL import ImageDraw

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.sources import debian
from clearsight.data.sources.contract import UNKNOWN, SourceError, Tally, Unusable, records_of
from clearsight.data.sources.questions import wording
from clearsight.data.verify import Truth
from clearsight.data.worlds.drawing import fonts
from clearsight.data.worlds.scene import Split

PLACES = ("/usr/share/man",)
INSTALLED = Path("/var/lib/dpkg/info")
COLUMNS = 60  # characters in a line
LINES = (8, 20)  # on a page, least and most
SHORTEST = 120  # characters on a page that is worth reading
TRANSCRIBE = (
    "Transcribe the text in the picture.",
    "Write down the text exactly as it stands here.",
    "Read this page out, word for word.",
    "What does this page say? Keep to its words.",
)
_OVERSTRUCK = re.compile(".\b")


def records(
    folder: str | Path | None = None, *, split: Split = "train", skip: int = 0, tally: Tally | None = None
) -> Iterator[Record]:
    """A record of one page of each manual below `folder` (with man1 to man8 in it), drawn in fonts of the split.

    Raises SourceError when there are no manuals, or no `man` to set them.
    """
    root = debian.find("manpages", PLACES, folder, "manual pages")
    if shutil.which("man") is None or shutil.which("groff") is None:
        raise SourceError(
            "Manuals are set with man and groff, which are not here: apt-get install man-db groff-base"
        )
    files = sorted(path for path in root.glob("man[1-8]/*") if path.is_file() and not path.is_symlink())

    def build(path: Path) -> Record:
        uri = path.relative_to(root).as_posix()
        rng = random.Random(zlib.crc32(f"{split} {uri}".encode()))
        page = rng.choice(_pages(typeset(path), rng.randint(*LINES)))
        package = _owners(INSTALLED).get(str(path), "")
        return Record(
            Conversation(
                (user(Image(data=_drawn(page, split, rng)), wording(TRANSCRIBE, uri)), assistant(page))
            ),
            Provenance(
                debian.named_with_version(package) if package else "manual pages",
                debian.licence(package) if package else UNKNOWN,
                split,
                uri=uri,
            ),
            (Truth("verbatim", page),),
            ("transcribe",),
        )

    items = ((path.relative_to(root).as_posix(), path) for path in files[skip:])
    return records_of(str(root), items, build, skip=skip, tally=tally)


def typeset(path: Path) -> str:
    """The text of a manual in lines of COLUMNS characters. Raises Unusable when man can't set it."""
    settings = {"MANWIDTH": str(COLUMNS), "MAN_KEEP_FORMATTING": "", "GROFF_NO_SGR": "1", "LC_ALL": "C.UTF-8"}
    asked = subprocess.run(
        ["man", "--local-file", "--encoding=UTF-8", "--no-justification", "--no-hyphenation", str(path)],
        capture_output=True,
        env=os.environ | settings,
        check=False,
    )
    text = _OVERSTRUCK.sub("", asked.stdout.decode("utf-8", "replace"))
    if asked.returncode != 0 or not text.strip():
        raise Unusable("not set by man", asked.stderr.decode("utf-8", "replace").strip()[:100])
    return text


def _pages(text: str, length: int) -> list[str]:
    """The text cut into pages of at most `length` lines, at its blank lines where it has some; none too short."""
    lines = [line.rstrip() for line in text.splitlines()][
        1:-1
    ]  # header and footer name the machine's versions
    pages: list[list[str]] = [[]]
    for line in lines:
        page = pages[-1]
        if len(page) >= length or (len(page) >= length * 2 // 3 and not line):
            pages.append([])
        pages[-1].append(line)
    trimmed = ["\n".join(_trimmed(page)) for page in pages]
    long = [page for page in trimmed if len(page) >= SHORTEST]
    if not long:
        raise Unusable("too short", f"{len(text)} characters")
    return long


def _trimmed(lines: list[str]) -> list[str]:
    """Without blank lines around and without the margin that all lines share."""
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return [line[margin:] for line in lines]


def _drawn(page: str, split: Split, rng: random.Random) -> bytes:
    """PNG of a page: dark on light or light on dark, one font."""
    size = rng.randint(13, 22)
    font = fonts.sized(rng.choice(rng.choice(fonts.monospaced_files(split))), size)
    missing = {character for character in page if character != "\n" and not font.getmask(character).getbbox()}
    if missing - {" "}:
        raise Unusable("font lacks characters", "".join(sorted(missing)))
    lines, step = page.splitlines(), round(size * rng.uniform(1.25, 1.5))
    margin = rng.randint(size // 2, 2 * size)
    width = max(round(font.getlength(line)) for line in lines) + 2 * margin
    dark, light = rng.randint(0, 60), rng.randint(225, 255)
    ink, paper = (light, dark) if rng.random() < 0.25 else (dark, light)
    picture = PILImage.new("L", (width, len(lines) * step + 2 * margin), paper)
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((margin, margin + number * step), line, fill=ink, font=font)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "PNG", compress_level=6)
    return out.getvalue()


@cache
def _owners(lists: Path) -> dict[str, str]:
    """The package of every manual that dpkg installed, by path."""
    found = {}
    for file in lists.glob("*.list"):
        package = file.stem.partition(":")[0]
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("/usr/share/man/man"):
                found[line] = package
    return found
