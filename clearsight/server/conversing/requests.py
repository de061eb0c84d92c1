"""What the addresses below /v1/conversations take."""

from typing import Annotated, Any, Literal

from pydantic import Field

from clearsight.conversation import Detail
from clearsight.server.body import Body
from clearsight.server.chat.requests import ImagePart, Number, TextPart

LONGEST_TEXT = 200_000
MOST_MARKS = 50
MOST_POINTS = 500
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Of a picture's width or height, from its left or top edge."""


class Mark(Body):
    """Something that was marked on a picture; the pixels sent show it too."""

    kind: Literal["pin", "box", "arrow", "freehand", "text"]
    number: Annotated[int, Field(ge=1, le=999)]
    points: Annotated[
        list[Annotated[list[Share], Field(min_length=2, max_length=2)]], Field(max_length=MOST_POINTS)
    ]
    note: Annotated[str, Field(max_length=500)] = ""


class StoredImage(Body):
    """A picture that was uploaded to /v1/images before."""

    type: Literal["image"]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    detail: Detail = "auto"
    original: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The picture without marks, when this one has them drawn in."""
    marks: Annotated[list[Mark], Field(max_length=MOST_MARKS)] = Field(default_factory=list)


ConversationPart = Annotated[TextPart | ImagePart | StoredImage, Field(discriminator="type")]


class AnswerSettings(Body):
    """How to answer; what is absent is taken from the conversation's own settings."""

    model: str | None = None
    system: Annotated[str, Field(max_length=20_000)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None

    def over(self, kept: dict[str, Any]) -> "AnswerSettings":
        """These settings, and for what is absent those that a conversation keeps."""
        return AnswerSettings.model_validate({**kept, **self.model_dump(exclude_none=True)})


class NewConversation(Body):
    title: Annotated[str, Field(max_length=300)] = ""
    settings: AnswerSettings = Field(default_factory=AnswerSettings)
    metadata: Annotated[dict[str, Any], Field(max_length=16)] = Field(default_factory=dict)


class ConversationChanges(Body):
    title: Annotated[str, Field(max_length=300)] | None = None
    pinned: bool | None = None
    settings: AnswerSettings | None = None


class Ask(Body):
    """A new turn to be answered (`content` after `parent_id`), or another answer to an earlier one (`reply_to`)."""

    content: Annotated[str, Field(max_length=LONGEST_TEXT)] | list[ConversationPart] | None = None
    parent_id: str | None = None
    reply_to: str | None = None
    settings: AnswerSettings = Field(default_factory=AnswerSettings)
