"""One question with its truth, and the control: the same question to a model that sees nothing of it."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal

from PIL import Image as PILImage

from clearsight.conversation import Conversation, Detail, Image, Message, Part, Text
from clearsight.data.verify import Truth
from clearsight.processing.images import from_conversation_image

Control = Literal["grey", "name"]
GREY = (128, 128, 128)


class EvalError(ValueError):
    """An evaluation that can't be made as asked; the message says what to do."""


@dataclass(frozen=True)
class Reasoning:
    """The model explains first, at a temperature of its own; then `asks` is asked, and that reply is judged."""

    asks: str
    temperature: float = 0.3
    max_tokens: int = 192


@dataclass(frozen=True)
class Item:
    """A conversation that ends with a question, and what is known about the right answer.

    `id` is unique in its suite. `group` and `skill` are what scores are told by, the second within the first.
    Questions of one `cluster` share a picture (or another cause of being right together); by default the pictures
    decide. The first `examples` messages are solved examples: their pictures are not the question's. `points` is
    what the question is worth where a suite counts points.
    """

    id: str
    conversation: Conversation
    truth: Truth
    metric: str = "judged"
    group: str = ""
    skill: str = ""
    cluster: str = ""
    max_tokens: int = 64
    reasoning: Reasoning | None = None
    examples: int = 0
    points: float | None = None

    def __post_init__(self) -> None:
        if self.conversation.messages[-1].role != "user":
            raise EvalError(
                f"item {self.id}: the conversation ends with an answer; it must end with the question"
            )
        if not self.cluster:
            pictures = "".join(image.sha256 for image in self.pictures)
            digest = hashlib.sha256(pictures.encode()).hexdigest()[:16] if pictures else self.id
            object.__setattr__(self, "cluster", digest)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the score: question, pictures, truth, metric."""
        body = [
            self.conversation.to_json(with_data=False),
            self.truth.to_json(),
            self.metric,
            self.max_tokens,
            *([asdict(self.reasoning)] if self.reasoning else []),
        ]
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def question(self) -> str:
        return self.conversation.messages[-1].text

    @property
    def pictures(self) -> tuple[Image, ...]:
        """What the question is about; without the pictures of its examples."""
        return tuple(
            image for message in self.conversation.messages[self.examples :] for image in message.images
        )


def unseen(item: Item, control: Control) -> Item:
    """The item without its pictures: plain grey ones of the same size, or the meaningless names of files.

    The second is the control of the GPT-4 report's exams ("IMAGE: " and a file name). Raises ImageError for a picture
    that can't be opened.
    """
    number = 0
    messages = []
    for message in item.conversation.messages:
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, Image):
                number += 1
                parts.append(_blind(part, number, control))
            else:
                parts.append(part)
        messages.append(Message(message.role, tuple(parts)))
    return replace(item, conversation=Conversation(tuple(messages)))


def _blind(image: Image, number: int, control: Control) -> Part:
    if control == "name":
        return Text(f"IMAGE: {hashlib.sha256(str(number).encode()).hexdigest()[:8]}.jpg\n")
    pixels = image.pixels if image.pixels is not None else from_conversation_image(image)
    return _grey(pixels.size, image.detail)


@lru_cache(maxsize=256)
def _grey(size: tuple[int, int], detail: Detail) -> Image:
    return Image(pixels=PILImage.new("RGB", size, GREY), detail=detail)


def items_fingerprint(items: list[Item]) -> str:
    """SHA-256 over the items, in any order."""
    whole: Any = hashlib.sha256()
    for one in sorted(f"{item.id}\0{item.fingerprint}" for item in items):
        whole.update(one.encode())
    return str(whole.hexdigest())
