"""The Open Clip Art Library of 2005 as Debian has it: drawings of everyday things with titles and keywords.

Each drawing states its own title, keywords and licence. Most were dedicated to the public domain with the text that
SPDX calls CC-PDDC; a few state nothing, or the GPL. Titles that many drawings share name a collection, not what is
drawn, and are left out: six of ten.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import track

from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import UNKNOWN, Tally, Unusable, records_of
from clearsight.data.sources.debian import find, named_with_version
from clearsight.data.sources.drawings import drawn
from clearsight.data.sources.questions import named

PACKAGE = "openclipart-svg"
PLACES = ("/usr/share/openclipart/svg",)
MOST_SHARED = 3  # drawings of one title; variants of one thing, not a collection
_LICENCES = {
    "publicdomain": "CC-PDDC",
    "http://web.resource.org/cc/publicdomain": "CC-PDDC",
    "http://creativecommons.org/licenses/publicdomain": "CC-PDDC",
    "http://creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
    "http://creativecommons.org/licenses/gpl/2.0": "GPL-2.0-only",
}
_TITLE = re.compile(r"<(?:\w+:)?Work\b.*?<(?:\w+:)?title>\s*([^<]*?)\s*</", re.DOTALL)
_LICENCE = re.compile(r"<(?:\w+:)?license\s+(?:rdf:)?resource=\"([^\"]*)\"")
_SUBJECT = re.compile(r"<(?:\w+:)?subject>(.*?)</(?:\w+:)?subject>", re.DOTALL)
_KEYWORD = re.compile(r"<(?:\w+:)?li>\s*([^<]+?)\s*</")


def records(
    folder: str | Path | None = None, *, side: int = 448, skip: int = 0, tally: Tally | None = None
) -> Iterator[Record]:
    """A record of each drawing below `folder`, by default where the Debian package puts them, within `side` pixels.

    Raises SourceError when they are not there.
    """
    root = find(PACKAGE, PLACES, folder, "clip art (.svg)")
    files = sorted(root.rglob("*.svg"))
    source = named_with_version(PACKAGE) if folder is None else root.resolve().name
    shared: Counter[str] = Counter()

    def build(path: Path) -> Record:
        if not shared:  # once, when the first drawing is wanted: all titles have to be known
            for file in track(files, description="reading titles", transient=True):
                shared[title_of(_read(file))] += 1
        svg = _read(path)
        title = title_of(svg)
        if shared[title] > MOST_SHARED:
            raise Unusable("title of a collection", title)
        name = name_of(title, path.relative_to(root).parts[:-1])
        provenance = Provenance(source, licence_of(svg), uri=path.relative_to(root).as_posix())
        record = named(drawn(svg, side), name, provenance)
        return replace(record, tags={"keywords": keywords_of(svg)})

    items = ((path.relative_to(root).as_posix(), path) for path in files[skip:])
    return records_of(str(root), items, build, skip=skip, tally=tally)


def title_of(svg: str) -> str:
    """The title a drawing's metadata states, or nothing."""
    found = _TITLE.search(svg)
    return " ".join(html.unescape(found[1]).split()) if found else ""


def keywords_of(svg: str) -> list[str]:
    """The keywords of a drawing's metadata, in their order, without what a program of the library's left by mistake."""
    found = _SUBJECT.search(svg)
    words = [html.unescape(word) for word in _KEYWORD.findall(found[1])] if found else []
    return [word for word in dict.fromkeys(words) if not re.match(r"hash\b|0x|unsorted", word)]


def licence_of(svg: str) -> str:
    """The SPDX identifier of the licence a drawing states, "unknown" if it states none that is known."""
    found = _LICENCE.search(svg)
    address = (
        found[1].strip().rstrip("/").lower().replace(" ", "").replace("https:", "http:") if found else ""
    )
    return _LICENCES.get(address, UNKNOWN)


def name_of(title: str, folders: Sequence[str]) -> str:
    """What is drawn, without the artist, numbers of variants and underscores; a country among flags is its flag.

    Raises Unusable when nothing is left.
    """
    name = re.sub(r"^clip ?art by .*? - ", "", title, flags=re.IGNORECASE).replace(" - ", ", ")
    name = re.sub(r"^0\d\W+|[\W_]*\d+$", "", re.sub(r"[_-]+", " ", name))
    name = " ".join(name.split()).strip(" .")
    letters = sum(character.isalpha() for character in name)
    if letters < 3 or len(name) > 60 or re.search(r"\d{4}|\.svg|\b(part of|by|theme)\b", name, re.IGNORECASE):
        raise Unusable("no title", title)
    return f"flag of {name}" if "flags" in folders and "flag" not in name.lower() else name


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
