"""The one data type that crosses every room: a conversation of text and pictures.

The same object is an API request after ingestion, a training example, an evaluation item, a red-team
probe and a row in the store. It knows nothing of tokens, tiles or models.

A picture is either encoded bytes as they came (PNG, JPEG, ...) or pixels that were drawn or decoded here.
Its identity is a SHA-256 over a domain tag and everything that determines what is seen: for pixels that
includes mode, width and height, so two pictures of equal bytes but other shape never share an identity.
"""

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image as PILImage

Role = Literal["system", "user", "assistant"]
Detail = Literal["auto", "low", "high"]
ROLES: tuple[str, ...] = get_args(Role)
DETAILS: tuple[str, ...] = get_args(Detail)


class ConversationError(ValueError):
    """A conversation that cannot be used; the message says which part and what to do."""


@dataclass(frozen=True)
class Text:
    """A run of text. Special tokens written in it stay text."""

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ConversationError(f"a text part holds a string, not {type(self.text).__name__}")
        try:
            self.text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ConversationError("a text part holds half a surrogate pair; send valid Unicode") from error


@dataclass(frozen=True)
class Image:
    """A picture: encoded `data`, or RGB `pixels`; exactly one of the two.

    `sha256` is derived, never supplied. `detail` is the wish of whoever sent it: `low` is one tile,
    `high` as many as the model takes, `auto` lets the processor decide by size.
    """

    data: bytes | None = field(default=None, repr=False)
    pixels: PILImage.Image | None = field(default=None, repr=False, compare=False)
    detail: Detail = "auto"
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        if (self.data is None) == (self.pixels is None):
            raise ConversationError("an image part holds either encoded bytes or pixels, exactly one of them")
        if self.detail not in DETAILS:
            raise ConversationError(f"detail is one of {', '.join(DETAILS)}, not {self.detail!r}")
        if self.data is not None:
            if not isinstance(self.data, bytes):
                raise ConversationError(f"image data is bytes, not {type(self.data).__name__}")
            digest = hashlib.sha256(b"clearsight:file:1\0" + self.data)
        else:
            pixels = self.pixels
            assert pixels is not None
            header = f"clearsight:pixels:1\0{pixels.mode}\0{pixels.width}\0{pixels.height}\0"
            digest = hashlib.sha256(header.encode())
            digest.update(pixels.tobytes())
        object.__setattr__(self, "sha256", digest.hexdigest())

    @classmethod
    def from_file(cls, path: str | Path, detail: Detail = "auto") -> "Image":
        """Read a picture's bytes. Raises ConversationError when there is no such readable file."""
        path = Path(path)
        if path.is_dir():
            raise ConversationError(f"{path} is a folder; name a picture inside it")
        try:
            return cls(data=path.read_bytes(), detail=detail)
        except FileNotFoundError:
            raise ConversationError(f"there is no file {path}; check the spelling and the folder") from None
        except OSError as error:
            raise ConversationError(f"{path} can't be read: {error.strerror or error}") from error

    def encoded(self) -> bytes:
        """The picture as file bytes; pixels are written as lossless PNG."""
        if self.data is not None:
            return self.data
        assert self.pixels is not None
        buffer = io.BytesIO()
        self.pixels.save(buffer, format="PNG")
        return buffer.getvalue()


Part = Text | Image


@dataclass(frozen=True)
class Message:
    """One turn: who speaks, and text and pictures in the order they are meant."""

    role: Role
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ConversationError(f"a role is one of {', '.join(ROLES)}, not {self.role!r}")
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts:
            raise ConversationError(f"a {self.role} message is empty; give it text or an image")
        for part in self.parts:
            if not isinstance(part, (Text, Image)):
                raise ConversationError(f"a message holds Text and Image parts, not {type(part).__name__}")
        if self.role != "user" and any(isinstance(part, Image) for part in self.parts):
            raise ConversationError(f"pictures belong to user messages, not to {self.role} messages")

    @property
    def text(self) -> str:
        """The text parts joined, pictures left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def images(self) -> tuple[Image, ...]:
        return tuple(part for part in self.parts if isinstance(part, Image))


@dataclass(frozen=True)
class Conversation:
    """An ordered list of messages, checked on construction.

    A system message may stand first and only there; nothing else about the order is forced, because
    training data and red-team probes need unusual orders.
    """

    messages: tuple[Message, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", tuple(self.messages))
        if not self.messages:
            raise ConversationError("a conversation needs at least one message")
        for index, message in enumerate(self.messages):
            if not isinstance(message, Message):
                raise ConversationError(f"message {index} is a {type(message).__name__}, not a Message")
            if message.role == "system" and index > 0:
                raise ConversationError(f"message {index} is a system message; only the first may be one")

    @property
    def images(self) -> tuple[Image, ...]:
        """Every picture, in reading order."""
        return tuple(image for message in self.messages for image in message.images)

    def with_message(self, message: Message) -> "Conversation":
        return Conversation((*self.messages, message))

    def to_json(self, *, with_data: bool = True) -> dict[str, Any]:
        """A JSON-ready dictionary. Without data, pictures are named by their hash alone."""
        return {"messages": [_message_to_json(message, with_data) for message in self.messages]}

    @classmethod
    def from_json(
        cls, value: str | dict[str, Any], load_image: Callable[[str], bytes] | None = None
    ) -> "Conversation":
        """Inverse of `to_json`; `load_image` finds the bytes of pictures that came without data.

        Raises ConversationError for anything malformed, and when a picture's bytes do not have the hash
        that the JSON claims for them.
        """
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (json.JSONDecodeError, RecursionError) as error:
                raise ConversationError(f"not JSON: {error}") from error
        if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
            raise ConversationError('a conversation is an object {"messages": [...]}')
        return cls(tuple(_message_from_json(m, i, load_image) for i, m in enumerate(value["messages"])))


def user(*parts: str | Part) -> Message:
    """A user message from strings and parts, e.g. `user(Image.from_file("a.png"), "What is this?")`."""
    return Message("user", tuple(_as_parts(parts)))


def assistant(text: str) -> Message:
    return Message("assistant", (Text(text),))


def system(text: str) -> Message:
    return Message("system", (Text(text),))


def _as_parts(values: Iterable[str | Part]) -> Iterator[Part]:
    for value in values:
        yield Text(value) if isinstance(value, str) else value


def _message_to_json(message: Message, with_data: bool) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, Text):
            content.append({"type": "text", "text": part.text})
            continue
        item: dict[str, Any] = {"type": "image", "sha256": part.sha256, "detail": part.detail}
        if part.pixels is not None:
            item["pixels"] = {"mode": part.pixels.mode, "size": list(part.pixels.size)}
        if with_data:
            raw = part.data if part.data is not None else part.encoded()
            item["data"] = base64.b64encode(raw).decode("ascii")
        content.append(item)
    return {"role": message.role, "content": content}


def _message_from_json(value: Any, index: int, load_image: Callable[[str], bytes] | None) -> Message:
    where = f"message {index}"
    if not isinstance(value, dict):
        raise ConversationError(f"{where} is not an object")
    content = value.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise ConversationError(f"{where} has no content list")
    role = value.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise ConversationError(f"{where}: a role is one of {', '.join(ROLES)}, not {role!r}")
    parts = [_part_from_json(item, f"{where}, part {i}", load_image) for i, item in enumerate(content)]
    return Message(role, tuple(parts))  # type: ignore[arg-type]  # checked against ROLES above


def _part_from_json(value: Any, where: str, load_image: Callable[[str], bytes] | None) -> Part:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return Text(value.get("text"))
    if kind != "image":
        raise ConversationError(f"{where}: type is text or image, not {kind!r}")
    if "data" in value:
        try:
            data = base64.b64decode(value["data"], validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise ConversationError(f"{where}: image data is not base64") from error
    elif load_image is not None and isinstance(value.get("sha256"), str):
        data = load_image(value["sha256"])
    else:
        raise ConversationError(f"{where}: the picture's data is missing")
    detail = value.get("detail", "auto")
    image = Image(
        detail=detail, **({"pixels": _reopen(data, where)} if "pixels" in value else {"data": data})
    )
    claimed = value.get("sha256", image.sha256)
    if claimed != image.sha256:
        raise ConversationError(
            f"{where}: the picture's bytes do not match their hash {str(claimed)[:12]}..."
        )
    return image


def _reopen(data: bytes, where: str) -> PILImage.Image:
    """Pixels that `encoded` wrote as PNG; nothing else is accepted here."""
    try:
        with PILImage.open(io.BytesIO(data), formats=["PNG"]) as picture:
            picture.load()
            return picture
    except Exception as error:  # Pillow raises many types for broken files
        raise ConversationError(f"{where}: the picture's pixels can't be read back") from error
