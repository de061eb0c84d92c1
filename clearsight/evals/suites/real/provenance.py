"""The pictures of the suite, where each is from and under which licence."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from clearsight.conversation import Conversation, Image, Message, assistant, user
from clearsight.data.record import Provenance, Record

FOLDER = Path(__file__).parent
PICTURES = FOLDER / "pictures"


@dataclass(frozen=True)
class Picture:
    """A picture and where it is from. `path` is in the package; the rest says what of it and what was done to it.

    `member` is a file in a Qt resource collection, `page` one of a PDF (from 0), `crop` left, top, right and bottom as
    shares of the sides. The longer side has at most `side` pixels. A PNG has `colours`, a WebP a `quality`. `licence`
    is SPDX, as `stated` in the place named; `origin` is where the package has it from, if it says so.
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

    def read(self) -> bytes:
        return (PICTURES / self.file).read_bytes()


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The lines of one of the suite's JSONL files."""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def pictures() -> Iterator[Picture]:
    for row in rows("pictures.jsonl"):
        yield Picture(**{**row, "crop": tuple(row.get("crop", ()))})


def records() -> Iterator[Record]:
    """A record of each picture with all that is asked of it, for what must keep them out of training."""
    asked: dict[str, list[Message]] = defaultdict(list)
    for row in rows("questions.jsonl"):
        answer = row["truth"]["answer"] if "truth" in row else row["answer"]
        asked[row["image"]] += [user(row["question"]), assistant(answer)]
    for one in pictures():
        first, *others = asked[one.file]
        shown = user(Image(data=one.read()), first.text)
        source = Provenance(f"{one.package} {one.version}", one.licence, "eval", uri=one.path)
        yield Record(Conversation((shown, *others)), source)
