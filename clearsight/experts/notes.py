"""What the experts found, as text behind each picture of a conversation.

Findings are kept by picture and by `tenant`, so that nobody learns from the time an answer takes what others sent.
Text in a picture may be anybody's, and say anything: behind a picture it is as trustworthy as the picture.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from PIL import Image as PILImage

from clearsight import weights
from clearsight.conversation import Conversation, Image, Part, Text
from clearsight.experts import naming, reading
from clearsight.processing.images import from_conversation_image

log = logging.getLogger(__name__)
SUFFIX = "+experts"
"""Behind a model's name: the model with the experts' notes."""

OF_ONE = 1_200  # characters of the text of one picture, some 400 tokens
OF_ALL = 3_600  # of all pictures of a conversation
FEWEST = 40  # characters; less room is none
KEPT = 1_024  # pictures whose findings are kept
CUT = "..."


@dataclass(frozen=True)
class Notes:
    """What was found in one picture: its text, line by line, and what it may show. Empty is nothing."""

    writing: str = ""
    shows: str = ""

    def text(self, characters: int = OF_ONE) -> str:
        """For the model, with a line break at its end; lines that would make it longer than that are cut off."""
        said = f"The picture may show: {self.shows}.\n" if self.shows else ""
        lines: list[str] = []
        room = characters - len(said)
        for line in self.writing.splitlines():
            if len(line) + 1 > room:
                lines.append(line[: max(0, room - len(CUT))] + CUT)
                break
            lines.append(line)
            room -= len(line) + 1
        read = "Text in the picture:\n" + "\n".join(lines) + "\n" if lines else ""
        return read + said


def _asked(expert: str, look: Callable[[PILImage.Image], str], pixels: PILImage.Image) -> str:
    """What an expert finds; nothing when it fails, as the model answers without it."""
    try:
        return look(pixels)
    except Exception:
        log.exception("%s failed at a picture of %d x %d pixels", expert, *pixels.size)
        return ""


@dataclass
class Experts:
    """Those that are asked: PP-OCR reads, EfficientNet-Lite2 names. Safe in threads."""

    read: bool
    name: bool
    _kept: "OrderedDict[tuple[str, str], Notes]" = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def ready(cls, offline: bool | None = None) -> "Experts":
        """Those that work here; fetches what is missing, and says in the log what can't be had."""
        name = True
        try:
            naming.fetch(offline)
        except weights.WeightsError as error:
            log.warning("nothing will be named by %s: %s", naming.NAMER, error)
            name = False
        read = reading.can_read()
        if not read:
            log.warning("no text will be read: install %s with pip install 'clearsight[ocr]'", reading.READER)
        return cls(read, name)

    def fingerprint(self) -> str:
        """SHA-256 of what decides the notes: code, names, weights and the reader's version."""
        whole = hashlib.sha256(str(weights.TEACHER.sha256 if self.name else None).encode())
        whole.update(str(version("rapidocr") if self.read else None).encode())
        for file in sorted(Path(__file__).parent.iterdir()):
            if file.is_file():
                whole.update(file.name.encode() + file.read_bytes())
        return whole.hexdigest()

    def notes(self, image: Image, tenant: str = "") -> Notes:
        """Of one picture. Raises ImageError for one that can't be opened."""
        key = (tenant, image.sha256)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        pixels = from_conversation_image(image)
        found = Notes(
            _asked(reading.READER, reading.surely_written, pixels) if self.read else "",
            _asked(naming.NAMER, naming.shown, pixels) if self.name else "",
        )
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def told(self, conversation: Conversation, tenant: str = "", characters: int = OF_ALL) -> Conversation:
        """The conversation with notes behind each picture, `characters` in all. Raises ImageError."""
        pictures = sum(len(message.images) for message in conversation.messages)
        each = min(OF_ONE, characters // max(1, pictures))
        if not pictures or each < FEWEST or not (self.read or self.name):
            return conversation

        def with_notes(part: Part) -> tuple[Part, ...]:
            noted = self.notes(part, tenant).text(each) if isinstance(part, Image) else ""
            return (part, Text(noted)) if noted else (part,)

        return Conversation(
            tuple(
                replace(message, parts=tuple(one for part in message.parts for one in with_notes(part)))
                for message in conversation.messages
            )
        )
