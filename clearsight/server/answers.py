"""What answers look like, for the OpenAPI document alone: `responses=told(ModelList)` on a route.

Nothing is computed or checked from these while serving; a test asks every route and holds its answers to them
(tests/server/test_openapi.py). Objects of OpenAI's API that have more fields than are worth listing name the ones
that are always there and allow others.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Responses = dict[int | str, dict[str, Any]]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class ErrorDetails(_Exact):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(_Exact):
    error: ErrorDetails


class Deleted(_Open):
    id: str
    object: str
    deleted: bool


class ModelEntry(_Exact):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    ready: bool
    context_length: int | None


class ModelList(_Exact):
    object: Literal["list"]
    data: list[ModelEntry]


class FileEntry(_Exact):
    id: str
    object: Literal["file"]
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: str


class FileList(_Exact):
    object: Literal["list"]
    data: list[FileEntry]
    has_more: bool
    first_id: str | None
    last_id: str | None


class ImageEntry(_Exact):
    object: Literal["image"]
    sha256: str
    media_type: str
    bytes: int
    width: int
    height: int
    alt: str | None
    warnings: list[str]


class Note(_Exact):
    by: str
    text: str


class ImageNotes(_Exact):
    object: Literal["image.notes"]
    model: str
    notes: list[Note]


class CountedPicture(_Exact):
    width: int
    height: int
    detail: str
    rows: int
    columns: int
    tiles: int
    tokens_per_tile: int
    image_tokens: int
    prompt_tokens: int
    warnings: list[str]


class TokenCount(_Exact):
    object: Literal["token_count"]
    model: str
    prompt_tokens: int
    image_tokens: int
    context_length: int
    pictures: list[CountedPicture]


class ModerationResult(_Exact):
    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]
    clearsight: dict[str, Any]
    """What the policy makes of it, in this project's own categories."""


class Moderation(_Exact):
    id: str
    model: str
    results: list[ModerationResult]


class ChatUsage(_Exact):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int]


class ChatAnswer(_Open):
    role: Literal["assistant"]
    content: str | None
    refusal: str | None


class ChatChoice(_Exact):
    index: int
    message: ChatAnswer
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]
    logprobs: dict[str, Any] | None


class ChatCompletion(_Exact):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    system_fingerprint: str
    service_tier: str
    choices: list[ChatChoice]
    usage: ChatUsage


class ResponseObject(_Open):
    """A response; the fields beside these are OpenAI's."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete", "failed", "in_progress"]
    error: dict[str, Any] | None
    incomplete_details: dict[str, Any] | None
    model: str
    output: list[dict[str, Any]]
    usage: dict[str, Any] | None


class ItemList(_Exact):
    object: Literal["list"]
    data: list[dict[str, Any]]
    has_more: bool
    first_id: str | None
    last_id: str | None


class ConversationEntry(_Exact):
    id: str
    object: Literal["conversation"]
    title: str
    pinned: bool
    shared: bool
    settings: dict[str, Any]
    metadata: dict[str, Any]
    created_at: float
    updated_at: float


class ConversationList(_Exact):
    object: Literal["list"]
    data: list[ConversationEntry]
    has_more: bool
    next_cursor: str | None


class TurnEntry(_Exact):
    id: str
    object: Literal["conversation.message"]
    conversation_id: str
    parent_id: str | None
    sequence: int
    role: Literal["user", "assistant"]
    content: list[dict[str, Any]]
    status: Literal["complete", "streaming", "stopped", "failed"]
    details: dict[str, Any]
    created_at: float


class WholeConversation(ConversationEntry):
    messages: list[TurnEntry]


class Account(_Exact):
    id: str
    name: str
    role: str


class SessionEntry(_Exact):
    object: Literal["session"]
    kind: Literal["key", "session"]
    user: Account
    organisation_id: str
    scopes: list[str]
    csrf_token: str | None
    hand_over: str | None


class KeyEntry(_Exact):
    id: str
    object: Literal["api_key"]
    name: str
    begins: str
    scopes: list[str]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked: bool


class NewKeyEntry(KeyEntry):
    key: str


class KeyList(_Exact):
    object: Literal["list"]
    data: list[KeyEntry]


class Health(_Exact):
    status: str


class Readiness(_Exact):
    status: str
    parts: dict[str, bool]


ERRORS: Responses = {
    "default": {"model": ErrorAnswer, "description": "An error: what it is, and the field that is meant."}
}
EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}
"""The other form of an answer that can be streamed."""


def told(model: type[BaseModel], *, streams: bool = False) -> Responses:
    """A route's 200; with `streams` also as events."""
    answer: dict[str, Any] = {"model": model, "description": "As asked."}
    return {200: answer | ({"content": EVENTS} if streams else {})}


def bytes_of(*media_types: str) -> Responses:
    """A route whose 200 is a file."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    return {200: {"description": "The bytes.", "content": content}}


EVENTS_ALONE: Responses = {200: {"description": "Server-sent events.", "content": EVENTS}}
PICTURE = bytes_of("image/png", "image/jpeg", "image/webp", "image/gif")
