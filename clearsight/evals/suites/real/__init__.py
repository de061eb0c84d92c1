"""Real: questions about pictures that nobody here drew: photographs, screens, charts, pages, maps and games.

pictures/         the pictures, scaled and compressed, from packages of Debian
pictures.jsonl    where each is from: package, version, path, licence, author, what was done to it, hash
questions.jsonl   the questions with their truths, as clearsight.evals.suites.files reads them
checked.jsonl     what a second look at each picture, without the answers in view, gave for each question
rebuild.py        makes the pictures again from the packages

A picture's kind is its group, a question's skill is "kind: skill".
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from clearsight.evals.suites.files import load
from clearsight.evals.suites.suite import Suite

FOLDER = Path(__file__).parent
PICTURES = "pictures"


@dataclass(frozen=True)
class Picture:
    """A picture and where it is from. `path` is in the package; the rest says what of it and what was done to it.

    `member` is a file in a Qt resource collection, `page` one of a PDF (from 0), `crop` left, top, right and bottom as
    shares of the sides. The longer side has at most `side` pixels. A PNG has `colours`, a WebP a `quality`. `licence`
    is SPDX, as `stated` by the file named.
    """

    file: str
    kind: str
    package: str
    version: str
    path: str
    licence: str
    stated: str
    author: str
    side: int
    member: str = ""
    page: int | None = None
    crop: tuple[float, ...] = ()
    colours: int = 0
    quality: int = 0
    origin: str = ""
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, JSON-ready."""
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if getattr(self, one.name) != one.default
        }


def pictures() -> Iterator[Picture]:
    """Every picture of the suite with its provenance."""
    for line in (FOLDER / "pictures.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Picture(**{**row, "crop": tuple(row.get("crop", ()))})


def suite() -> Suite:
    """The questions, about 2 to 3 of each picture."""
    about = "Questions about photographs, screens, charts, pages, maps and games from Debian's packages."
    notes = ("The pictures and their answers are public: a model trained on the repository has seen them.",)
    return Suite("real", load(FOLDER / "questions.jsonl", FOLDER / PICTURES).items, about, notes=notes)
