"""Items of the Responses API to messages, and to what is kept of them: pictures by their hash."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clearsight.server.chat.prompt import StoredPart, StoredTurn
from clearsight.server.chat.requests import (
    AssistantMessage,
    ChatMessage,
    FilePart,
    FileReference,
    FunctionCall,
    ImagePart,
    ImageUrl,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from clearsight.server.errors import ApiError
from clearsight.server.responses.requests import (
    FunctionCallItem,
    FunctionOutputItem,
    InputImage,
    InputMessage,
    InputText,
    Item,
    OutputMessage,
    OutputText,
)

if TYPE_CHECKING:
    from clearsight.server.ingest.ingest import Picture

Turn = ChatMessage | StoredTurn


def items_of(given: str | list[Item]) -> list[Item]:
    """A string is one message of the user."""
    return [InputMessage(role="user", content=given)] if isinstance(given, str) else given


def message_of(item: Item, where: str) -> ChatMessage:
    """The message that an item is. Raises ApiError for a picture without or with two sources."""
    if isinstance(item, FunctionCallItem):
        call = ToolCall(id=item.call_id, function=FunctionCall(name=item.name, arguments=item.arguments))
        return AssistantMessage(role="assistant", tool_calls=[call])
    if isinstance(item, FunctionOutputItem):
        return ToolMessage(role="tool", tool_call_id=item.call_id, content=_joined(item.output))
    if isinstance(item, OutputMessage):
        return AssistantMessage(role="assistant", content=_joined(item.content))
    if item.role != "user":
        if not isinstance(item.content, str) and any(isinstance(part, InputImage) for part in item.content):
            raise ApiError(400, f"{where}: pictures belong to user messages.", param=f"{where}.content")
        return SystemMessage(role=item.role, content=_joined(item.content))
    if isinstance(item.content, str):
        return UserMessage(role="user", content=item.content)
    parts: list[Any] = []
    for place, part in enumerate(item.content):
        if isinstance(part, InputText):
            parts.append(TextPart(type="text", text=part.text))
        elif (part.image_url is None) == (part.file_id is None):
            param = f"{where}.content[{place}]"
            raise ApiError(400, f"{param} has either image_url or file_id, exactly one.", param=param)
        elif part.image_url is not None:
            url = ImageUrl(url=part.image_url, detail=part.detail)
            parts.append(ImagePart(type="image_url", image_url=url))
        else:
            assert part.file_id is not None
            reference = FileReference(file_id=part.file_id, detail=part.detail)
            parts.append(FilePart(type="file", file=reference))
    return UserMessage(role="user", content=parts)


def kept(items: Sequence[Item], pictures: "Sequence[Picture]") -> list[dict[str, Any]]:
    """Items as they are stored: instead of a picture, its hash. `pictures` are those of the items, in order."""
    remaining = iter(pictures)
    found = []
    for item in items:
        value = item.model_dump(exclude_none=True)
        if isinstance(item, InputMessage) and not isinstance(item.content, str):
            value["content"] = [
                {"type": "input_text", "text": part.text}
                if isinstance(part, InputText)
                else {"type": "input_image", "sha256": next(remaining).sha256, "detail": part.detail}
                for part in item.content
            ]
        found.append(value)
    return found


def turn_of_kept(value: dict[str, Any]) -> Turn:
    """The message that a stored item is."""
    kind, role = value.get("type"), value.get("role")
    if kind == "function_call":
        return message_of(FunctionCallItem.model_validate(value), "")
    if kind == "function_call_output":
        return message_of(FunctionOutputItem.model_validate(value), "")
    if role == "assistant":
        return message_of(OutputMessage.model_validate(value), "")
    content = value["content"]
    if role != "user" or isinstance(content, str):
        return message_of(InputMessage.model_validate(value), "")
    return StoredTurn(
        tuple(
            TextPart(type="text", text=part["text"])
            if part["type"] == "input_text"
            else StoredPart(part["sha256"], part["detail"])
            for part in content
        )
    )


def _joined(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(
        part.text if isinstance(part, InputText | OutputText) else getattr(part, "refusal", "")
        for part in content
    )
