"""What all sources have in common: where they are, what they left out and why, and which pictures they accept.

A source is a function `records(...)` that checks what it was asked for and gives an iterator of records. It reads
items (files, lines, rows, samples) in one fixed order; an item gives one record or, if it is unusable, none. `skip`
is a number of items: `records(..., skip=tally.position)` goes on where an earlier run stopped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clearsight.conversation import ConversationError, Image
from clearsight.data.record import Record
from clearsight.processing.images import ImageError, decode, image_size

UNKNOWN = "unknown"  # the licence of what states none
UNKNOWN_SHAPE, NOT_JSON = "unknown shape", "not JSON"  # causes that speak against the whole source
KEPT_EXAMPLES = 5
Item = TypeVar("Item")


class SourceError(RuntimeError):
    """A source that can't be read; the message is a sentence with what to do."""


class Unusable(ValueError):
    """One item that gives no record. `cause` is one of few words, to be counted; `detail` is about this item."""

    def __init__(self, cause: str, detail: str = ""):
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause, self.detail = cause, detail


@dataclass
class Tally:
    """How far a source has been read and what it left out. `strict` raises SourceError at the first such item."""

    strict: bool = False
    position: int = 0  # items passed, whether they gave a record or not
    records: int = 0
    left_out: Counter[str] = field(default_factory=Counter)  # items by cause
    examples: dict[str, list[str]] = field(
        default_factory=dict
    )  # the first few of each cause, with their places

    def leave_out(self, where: str, reason: Unusable) -> None:
        if self.strict:
            raise SourceError(f"{where}: {reason}.") from reason
        self.left_out[reason.cause] += 1
        examples = self.examples.setdefault(reason.cause, [])
        if len(examples) < KEPT_EXAMPLES:
            examples.append(f"{where}: {reason.detail}" if reason.detail else where)

    def __str__(self) -> str:
        """For people: how many records, and of what was left out the causes with an example each."""
        text = f"{self.records:,} records"
        causes = [
            f"{n:,} x {cause} (e.g. {self.examples[cause][0]})" for cause, n in self.left_out.most_common()
        ]
        return f"{text}; left out {self.left_out.total():,}: {'; '.join(causes)}" if causes else text


def records_of(
    name: str,
    items: Iterable[tuple[str, Item]],
    build: Callable[[Item], Record],
    *,
    skip: int,
    tally: Tally | None,
) -> Iterator[Record]:
    """A record of each item, counted. `items` gives each one's place in words, and has already skipped.

    What `build` raises as Unusable, ImageError or ConversationError concerns that item alone. When not even the first
    one is understood, or nothing at all is usable, the source as a whole is at fault and SourceError is raised.
    """
    tally = Tally() if tally is None else tally
    tally.position = skip
    for where, item in items:
        tally.position += 1
        try:
            record = build(item)
        except Unusable as reason:
            if reason.cause in (UNKNOWN_SHAPE, NOT_JSON) and not tally.records and not skip:
                raise SourceError(f"{where}: {reason}.") from reason
            tally.leave_out(where, reason)
        except ImageError as error:
            tally.leave_out(where, Unusable("unusable picture", str(error)))
        except ConversationError as error:
            tally.leave_out(where, Unusable("malformed", str(error)))
        else:
            tally.records += 1
            yield record
    if tally.left_out and not tally.records and not skip:
        raise SourceError(f"Nothing in {name} is usable. {tally}.")


def picture(data: bytes) -> Image:
    """An image part of these bytes. Raises ImageError for what is no picture, too large, or cut short.

    The header decides, and the way the file ends; only one that does not end as its format does is decoded here to
    find out. Damage in the middle is found by curation, which decodes everything.
    """
    image_size(data)
    if not _ends_as_it_should(data):
        decode(data)
    return Image(data=data)


def _ends_as_it_should(data: bytes) -> bool:
    if data.startswith(b"\xff\xd8"):
        return data.endswith(b"\xff\xd9")
    if data.startswith(b"\x89PNG"):
        return data[-8:-4] == b"IEND"
    if data.startswith(b"RIFF"):
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return False


def require(module: str, package: str, purpose: str) -> Any:
    """Import a library that only some sources need. Raises SourceError with the command that installs it."""
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise SourceError(
            f"{purpose} needs {package}, which is not installed: pip install {package}"
        ) from error
