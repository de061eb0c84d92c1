"""One input and what shall become of it."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Literal

Expectation = Literal["accepted", "refused", "either"]
Kind = Literal["picture", "url", "body"]


@dataclass(frozen=True)
class Case:
    """`picture` are a file's bytes, `url` stands in an image part, `fields` replace or join a chat request's fields.

    `raw` is a body that no JSON writer makes; then nothing else is set.
    """

    group: int
    name: str
    expect: Expectation
    picture: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    fields: dict[str, Any] | None = field(default=None, repr=False)
    raw: bytes | None = field(default=None, repr=False)
    media_type: str = "image/png"

    @property
    def kind(self) -> Kind:
        """What an entrance must be able to take: files take pictures, chat takes all."""
        if self.picture is not None:
            return "picture"
        return "url" if self.url is not None else "body"

    @property
    def image_url(self) -> str:
        """The address of an image part: the picture as a data URL, or the URL itself."""
        if self.picture is not None:
            return f"data:{self.media_type};base64,{base64.b64encode(self.picture).decode('ascii')}"
        assert self.url is not None
        return self.url

    def messages(self) -> list[dict[str, Any]]:
        """OpenAI chat messages that bring the case in."""
        if self.fields is not None and "messages" in self.fields:
            return self.fields["messages"]
        content: list[dict[str, Any]] = [{"type": "text", "text": "What is this?"}]
        if self.kind != "body":
            content.append({"type": "image_url", "image_url": {"url": self.image_url}})
        return [{"role": "user", "content": content}]

    def body(self, model: str, **fields: Any) -> bytes:
        """The whole body of a chat completion; `fields` such as max_tokens join it."""
        if self.raw is not None:
            return self.raw.replace(b"MODEL", model.encode())
        whole = {
            "model": model,
            "max_tokens": 1,
            **fields,
            **(self.fields or {}),
            "messages": self.messages(),
        }
        return json.dumps(whole).encode()
