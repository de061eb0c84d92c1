"""From the turns that are kept to a prompt: one branch from its root, pictures with what was marked on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from clearsight.server.chat.prompt import Prompt, Source, StoredPart, StoredTurn, read_messages
from clearsight.server.chat.requests import AssistantMessage, ChatMessage, SystemMessage, TextPart
from clearsight.server.chat.tools import Tools
from clearsight.server.store.tables import Message


def branch(messages: Sequence[Message], leaf_id: str) -> list[Message]:
    """The turns from the root to this one, in order."""
    by_id = {message.id: message for message in messages}
    found: list[Message] = []
    here: str | None = leaf_id
    while here is not None and here in by_id:
        found.append(by_id[here])
        here = by_id[here].parent_id
    return found[::-1]


async def prompt_of(turns: Sequence[Message], system: str | None, source: Source) -> Prompt:
    """What a model is given of these turns. Raises ApiError for pictures that are gone."""
    messages: list[ChatMessage | StoredTurn] = []
    if system:
        messages.append(SystemMessage(role="system", content=system))
    for turn in turns:
        if turn.role == "assistant":
            text = text_of(turn.content)
            if text:
                messages.append(AssistantMessage(role="assistant", content=text))
        else:
            messages.append(StoredTurn(tuple(_parts(turn.content))))
    return await read_messages(messages, Tools(), source, lambda number: "content")


def text_of(content: Sequence[Mapping[str, Any]]) -> str:
    """The text of a turn's parts."""
    return "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")


def marks_in_words(marks: Sequence[Mapping[str, Any]]) -> str:
    """What was marked, for a model that sees the drawn marks as well: places in percent from the top left."""
    told = []
    for mark in marks:
        points = [f"({round(100 * x)}%, {round(100 * y)}%)" for x, y in mark["points"]]
        ends = [points[0], points[-1]] if len(points) > 2 else points
        note = f": {mark['note']}" if mark["note"] else ""
        told.append(f"Mark {mark['number']}, {mark['kind']} at {' to '.join(ends)}{note}")
    return "Marked on the picture, from its top left corner: " + "; ".join(told) + "."


def _parts(content: Sequence[Mapping[str, Any]]) -> "list[TextPart | StoredPart]":
    parts: list[TextPart | StoredPart] = []
    for part in content:
        if part["type"] == "text":
            parts.append(TextPart(type="text", text=part["text"]))
            continue
        parts.append(StoredPart(part["sha256"], part.get("detail", "auto")))
        if part.get("marks"):
            parts.append(TextPart(type="text", text=marks_in_words(part["marks"]) + "\n"))
    return parts
