"""Messages of a request to a conversation: pictures taken in, tools told, turns of one side joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from clearsight.conversation import Conversation, ConversationError, Detail, Image, Message, Part, Role, Text
from clearsight.server.chat.requests import (
    AssistantMessage,
    ChatMessage,
    FilePart,
    ImagePart,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from clearsight.server.chat.tools import Tools, called, result
from clearsight.server.errors import ApiError

if TYPE_CHECKING:
    from clearsight.server.ingest.ingest import Picture


@dataclass
class Prompt:
    """A conversation to be answered and the pictures in it, in order."""

    conversation: Conversation
    pictures: list["Picture"] = field(default_factory=list)

    @property
    def pixels(self) -> int:
        return sum(picture.width * picture.height for picture in self.pictures)


def picture_urls(messages: list[ChatMessage]) -> list[str]:
    """Every address of a picture, for limits that hold before any work is done."""
    return [
        part.image_url.url
        for message in messages
        if isinstance(message, UserMessage) and isinstance(message.content, list)
        for part in message.content
        if isinstance(part, ImagePart)
    ]


@dataclass(frozen=True)
class StoredPart:
    """A picture of an earlier turn that the store holds; never part of a request."""

    sha256: str
    detail: Detail


@dataclass(frozen=True)
class StoredTurn:
    """A user's turn that the store holds."""

    parts: tuple[TextPart | StoredPart, ...]


class Source(Protocol):
    """Where pictures come from; each method raises ApiError that names `param`."""

    async def from_url(self, url: str, param: str, detail: Detail) -> "Picture": ...

    async def from_file(self, file_id: str, param: str, detail: Detail) -> "Picture": ...

    async def from_store(self, sha256: str, param: str, detail: Detail) -> "Picture": ...


def in_messages(number: int) -> str:
    """How chat completions call a message."""
    return f"messages[{number}]"


async def read_messages(
    messages: Sequence[ChatMessage | StoredTurn],
    tools: Tools,
    source: Source,
    name: Callable[[int], str] = in_messages,
) -> Prompt:
    """The conversation that messages are. Raises ApiError that names the message as `name` calls it."""
    pictures: list[Picture] = []
    instructions: list[str] = [tools.instruction] if tools else []
    turns: list[tuple[Role, list[Part]]] = []
    for number, message in enumerate(messages):
        where = name(number)
        if isinstance(message, SystemMessage):
            if turns:
                raise ApiError(
                    400,
                    f"{where} is a {message.role} message after the conversation began; put all of them first.",
                    param=f"{where}.role",
                )
            instructions.append(_text(message.content))
            continue
        role: Role = "assistant" if isinstance(message, AssistantMessage) else "user"
        if isinstance(message, UserMessage | StoredTurn):
            parts = await _user_parts(message, where, pictures, source)
        else:
            parts = [Text(_said(message))]
        if not any(isinstance(part, Image) or part.text for part in parts):
            raise ApiError(400, f"{where} is empty; give it text or a picture.", param=f"{where}.content")
        if turns and turns[-1][0] == role:
            turns[-1][1].extend([Text("\n"), *parts])
        else:
            turns.append((role, parts))
    if not turns or turns[-1][0] != "user":
        raise ApiError(
            400,
            "The last message has to be the user's, or a tool's: it is what is answered.",
            param="messages",
        )
    told = "\n\n".join(text for text in instructions if text)
    whole = [Message("system", (Text(told),))] if told else []
    try:
        whole += [Message(role, tuple(parts)) for role, parts in turns]
        return Prompt(Conversation(tuple(whole)), pictures)
    except ConversationError as error:
        raise ApiError(400, f"The messages can't be read: {error}.", param="messages") from error


async def _user_parts(
    message: UserMessage | StoredTurn, where: str, pictures: "list[Picture]", source: Source
) -> list[Part]:
    """Text and pictures in their order; pictures are added to `pictures` as well."""
    content = message.content if isinstance(message, UserMessage) else message.parts
    if isinstance(content, str):
        return [Text(content)]
    parts: list[Part] = []
    for place, part in enumerate(content):
        param = f"{where}.content[{place}]"
        if isinstance(part, TextPart):
            parts.append(Text(part.text))
            continue
        if isinstance(part, ImagePart):
            url = part.image_url
            pictures.append(await source.from_url(url.url, f"{param}.image_url.url", url.detail))
        elif isinstance(part, FilePart):
            pictures.append(
                await source.from_file(part.file.file_id, f"{param}.file.file_id", part.file.detail)
            )
        else:
            pictures.append(await source.from_store(part.sha256, param, part.detail))
        parts.append(pictures[-1].image)
    return parts


def _said(message: AssistantMessage | ToolMessage) -> str:
    """What an earlier answer or a tool said, calls in the notation that the model knows."""
    if isinstance(message, ToolMessage):
        return result(_text(message.content))
    texts = [_text(message.content)] if message.content else []
    texts += [message.refusal] if message.refusal else []
    texts += [called(one.function.name, one.function.arguments) for one in message.tool_calls or ()]
    return "\n".join(texts)


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(part.text if isinstance(part, TextPart) else part.refusal for part in content)
    return str(content)


def picture_files(messages: list[ChatMessage]) -> list[str]:
    """Every file id that is named as a picture."""
    return [
        part.file.file_id
        for message in messages
        if isinstance(message, UserMessage) and isinstance(message.content, list)
        for part in message.content
        if isinstance(part, FilePart)
    ]
