"""What POST /v1/responses may hold. As in chat/requests.py, what has no effect is refused or listed in `IGNORED`."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from clearsight.conversation import Detail
from clearsight.server.body import Body
from clearsight.server.chat.requests import MOST_MESSAGES, MOST_TOOLS, Number

IGNORED = ("prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls")
NAME = r"^[a-zA-Z0-9_-]+$"


class InputText(Body):
    type: Literal["input_text"]
    text: str


class OutputText(Body):
    type: Literal["output_text"]
    text: str
    annotations: list[Any] = Field(default_factory=list)
    logprobs: list[Any] | None = None


class OutputRefusal(Body):
    type: Literal["refusal"]
    refusal: str


class InputImage(Body):
    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: Detail = "auto"


class InputMessage(Body):
    type: Literal["message"] = "message"
    role: Literal["user", "system", "developer"]
    content: (
        str
        | Annotated[list[Annotated[InputText | InputImage, Field(discriminator="type")]], Field(min_length=1)]
    )
    id: str | None = None
    status: str | None = None


class OutputMessage(Body):
    type: Literal["message"] = "message"
    role: Literal["assistant"]
    content: str | list[Annotated[OutputText | OutputRefusal | InputText, Field(discriminator="type")]]
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class FunctionCallItem(Body):
    type: Literal["function_call"]
    call_id: str
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=NAME)]
    arguments: str
    id: str | None = None
    status: str | None = None
    namespace: None = None


class FunctionOutputItem(Body):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[InputText]
    id: str | None = None
    status: str | None = None


def _kind(value: Any) -> str | None:
    """Which item this is: messages may leave their type out."""
    get = value.get if isinstance(value, dict) else lambda name: getattr(value, name, None)
    kind = get("type")
    if kind in (None, "message"):
        return "answer" if get("role") == "assistant" else "message"
    return kind if isinstance(kind, str) else None


Item = Annotated[
    Annotated[InputMessage, Tag("message")]
    | Annotated[OutputMessage, Tag("answer")]
    | Annotated[FunctionCallItem, Tag("function_call")]
    | Annotated[FunctionOutputItem, Tag("function_call_output")],
    Discriminator(_kind),
]


class PlainFormat(Body):
    type: Literal["text", "json_object"]


class SchemaFormat(Body):
    type: Literal["json_schema"]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=NAME)]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None


class TextSettings(Body):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["medium"] | None = None


class FunctionTool(Body):
    type: Literal["function"]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=NAME)]
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class ChosenFunction(Body):
    type: Literal["function"]
    name: str


class Reasoning(Body):
    effort: Literal["none"] | None = None


class ResponseStreamOptions(Body):
    include_obfuscation: Literal[False] = False


class ResponseRequest(Body):
    """A response."""

    model: str
    input: str | Annotated[list[Item], Field(min_length=1, max_length=MOST_MESSAGES)]
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: None = None
    store: bool | None = None
    background: Literal[False] | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    text: TextSettings | None = None
    tools: Annotated[list[FunctionTool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenFunction | None = None
    parallel_tool_calls: bool | None = None
    truncation: Literal["disabled"] | None = None
    include: list[Literal["message.output_text.logprobs"]] | None = None
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None = None
    stream: bool | None = None
    stream_options: ResponseStreamOptions | None = None
    reasoning: Reasoning | None = None
    service_tier: Literal["auto", "default"] | None = None
    user: Annotated[str, Field(max_length=512)] | None = None
    safety_identifier: Annotated[str, Field(max_length=512)] | None = None
    prompt_cache_key: Annotated[str, Field(max_length=512)] | None = None
    prompt_cache_retention: str | None = None
    max_pixels: Annotated[int, Field(ge=1)] | None = None
