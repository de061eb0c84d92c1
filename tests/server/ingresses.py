"""One case of the corpus at every HTTP entrance: which request brings it in, and what is right there.

    for ingress in INGRESSES:
        request = ingress.convert(case)  # None where the case has no meaning

A verdict may change with the entrance: a list of strings is wrong as messages and right for moderations; what is a
role to chat is nothing to an upload. Pictures are asked for with low detail, which changes no verdict and makes the
model's part short.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.server.corpus.case import Case, Expectation
from tests.server.corpus.pictures import encoded, scene

MODEL = "mini"
JSON = "application/json"
BOUNDARY = "clearsight-boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
SPOKEN = 60
"""Characters of a case's text that are spoken: speaking takes longer than reading."""


@dataclass(frozen=True)
class Request:
    """What is posted. `{conversation}` in the path stands for a conversation of one's own."""

    path: str
    content: bytes = field(repr=False)
    media_type: str
    expect: Expectation
    names_field: bool = False
    """Whether a refusal has to say which field is meant."""


@dataclass(frozen=True)
class Ingress:
    """An entrance: `convert` gives the request that brings a case in, or None where there is no such thing."""

    name: str
    convert: Callable[[Case], Request | None]


def text_of(case: Case) -> str | None:
    """The text that a case is about; None for one that is about something else."""
    if case.fields is None or not isinstance(case.fields.get("messages"), list):
        return None
    if set(case.fields) - {"messages"} or case.group not in (19, 20, 21):
        return None
    texts = []
    for message in case.fields["messages"]:
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        if any(part.get("type") != "text" for part in parts):
            return None
        texts += [str(part["text"]) for part in parts]
    return "\n".join(texts)


def turn_of(case: Case) -> Any:
    """The content of a case's only message (also when it has a wrong type); None when it has several or none."""
    messages = case.messages()
    if not isinstance(messages, list) or len(messages) != 1 or not isinstance(messages[0], dict):
        return None
    return messages[0].get("content") if messages[0].get("role") == "user" else None


def is_text(given: Any) -> bool:
    """Whether this is a string or strings, which mean something where messages do not."""
    return isinstance(given, str) or (
        isinstance(given, list) and bool(given) and all(isinstance(one, str) for one in given)
    )


def has_role_of_its_own(case: Case) -> bool:
    """Whether a case is about who says something."""
    return case.kind == "body" and case.raw is None and ("role" in case.name or " of the " in case.name)


def low(content: Any) -> Any:
    """Content with low detail where a picture says none."""
    if not isinstance(content, list):
        return content
    changed = []
    for part in content:
        url = part.get("image_url") if isinstance(part, dict) else None
        if isinstance(url, dict) and set(url) == {"url"}:
            part = {**part, "image_url": {**url, "detail": "low"}}
        changed.append(part)
    return changed


def to_json(path: str, value: Any, expect: Expectation, names_field: bool = False) -> Request:
    return Request(path, json.dumps(value).encode(), JSON, expect, names_field)


def raw_json(path: str, case: Case, messages: str) -> Request:
    """Bytes that no JSON writer makes; `messages` is what the field is called here."""
    assert case.raw is not None
    content = case.raw.replace(b"MODEL", MODEL.encode()).replace(b'"messages"', f'"{messages}"'.encode())
    return Request(path, content, JSON, case.expect)


def names_field(case: Case) -> bool:
    """Whether a refusal of this case is about one field."""
    return case.kind != "body" or case.group == 23


# ---------------------------------------------------------------------------------------------------
# JSON


def chat(case: Case, path: str = "/v1/chat/completions") -> Request:
    if case.raw is not None:
        return raw_json(path, case, "messages")
    messages: Any = case.messages()
    if isinstance(messages, list):
        messages = [
            {**one, "content": low(one["content"])} if isinstance(one, dict) and "content" in one else one
            for one in messages
        ]
    body = {"model": MODEL, "max_tokens": 1, **(case.fields or {}), "messages": messages}
    return to_json(path, body, case.expect, names_field(case))


def tokens(case: Case) -> Request:
    return chat(case, "/v1/tokens/count")


def responses(case: Case) -> Request:
    path = "/v1/responses"
    if case.raw is not None:
        return raw_json(path, case, "input")
    fields = dict(case.fields or {})
    messages: Any = fields.pop("messages", case.messages())
    items = [_item(one) for one in messages] if isinstance(messages, list) else messages
    limit = fields.pop("max_tokens", 16)
    tools = [
        {"type": one["type"], **one["function"]} if isinstance(one, dict) else one
        for one in fields.pop("tools", [])
    ]
    body = {"model": MODEL, "max_output_tokens": limit, **fields, "input": items} | (
        {"tools": tools} if tools else {}
    )
    expect = "either" if "a tool" in case.name and case.expect == "accepted" else case.expect
    return to_json(path, body | {"max_output_tokens": 1 if limit == 16 else limit}, expect, names_field(case))


def _item(message: Any) -> Any:
    if not isinstance(message, dict) or "content" not in message:
        return message
    said = "output_text" if message.get("role") == "assistant" else "input_text"
    content = low(message["content"])
    if isinstance(content, list):
        content = [_input_part(part, said) for part in content]
    return {**{key: value for key, value in message.items() if key != "name"}, "content": content}


def _input_part(part: Any, said: str) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("type") == "text":
        return {**part, "type": said}
    if part.get("type") != "image_url":
        return part
    url = part.get("image_url")
    if not isinstance(url, dict):
        return {"type": "input_image", "image_url": url}
    inner = {("image_url" if key == "url" else key): value for key, value in url.items()}
    return {"type": "input_image", **inner}


def moderations(case: Case) -> Request | None:
    path = "/v1/moderations"
    if case.raw is not None:
        return raw_json(path, case, "input")
    fields = dict(case.fields or {})
    messages: Any = fields.pop("messages", None)
    text = text_of(case)
    expect = case.expect
    if has_role_of_its_own(case) or case.name.startswith(("content ", "ten thousand messages")):
        return None
    if text is not None:
        given: Any = text
    elif case.kind != "body":
        given = low(case.messages()[0]["content"])
    elif case.name.startswith(("messages ", "a message ")):
        given = messages
        expect = "either" if is_text(given) else expect
    else:
        given = turn_of(case)
    if "model" in fields and fields["model"] is None:
        expect = "either"
    return to_json(path, {**fields, "input": given}, expect, names_field(case))


def answers(case: Case) -> Request | None:
    path = "/v1/conversations/{conversation}/answers"
    if case.raw is not None:
        return raw_json(path, case, "content")
    if has_role_of_its_own(case) or case.name.startswith(("content ", "ten thousand messages")):
        return None
    fields = dict(case.fields or {})
    messages: Any = fields.pop("messages", None)
    settings: dict[str, Any] = {"max_tokens": 1}
    expect = case.expect
    text = text_of(case)
    if case.name.endswith("by the system"):
        settings["system"] = messages[0]["content"]
        expect = "either"  # a system text has a length that it may have
        content: Any = "Hi"
    elif text is not None:
        content = text
    elif case.kind != "body":
        content = low(case.messages()[0]["content"])
    elif case.name.startswith(("messages ", "a message ")):
        content = messages
    else:
        content = turn_of(case)
    for name in ("max_tokens", "temperature", "seed", "model"):
        if name in fields:
            settings[name] = fields.pop(name)
            if settings[name] in (None, ""):
                expect = "either"  # the conversation's own, or the server's first
    return to_json(path, {**fields, "content": content, "settings": settings}, expect, names_field(case))


def conversations(case: Case) -> Request | None:
    """Text on its way into the store alone: as a title, and inside metadata."""
    path = "/v1/conversations"
    if case.raw is not None:
        return raw_json(path, case, "metadata")
    if case.kind == "picture" or has_role_of_its_own(case):
        return None
    text = case.url if case.kind == "url" else text_of(case)
    expect: Expectation = "refused" if case.expect == "refused" and case.kind == "body" else "either"
    if text is not None:
        return to_json(path, {"title": text[:300], "metadata": {text[:300]: [text]}}, expect)
    return to_json(path, {**(case.fields or {}), "title": "a"}, expect)


def speech(case: Case) -> Request | None:
    path = "/v1/audio/speech"
    if case.raw is not None:
        return raw_json(path, case, "input")
    if case.kind == "picture" or has_role_of_its_own(case) or case.name.startswith("content "):
        return None
    body: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "Hello."}
    text = text_of(case)
    if case.kind == "url":
        return to_json(path, body | {"voice": case.url}, "refused", names_field=True)
    if text is not None:
        expect: Expectation = "refused" if case.expect == "refused" else "either"
        return to_json(path, body | {"input": text[:SPOKEN]}, expect)
    fields = {key: value for key, value in (case.fields or {}).items() if key != "messages"}
    if fields:
        return to_json(path, body | fields, case.expect, names_field(case))
    return to_json(path, body | {"input": case.messages()}, case.expect)


# ---------------------------------------------------------------------------------------------------
# Forms


def multipart(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A form of (name, file name, content), with nothing escaped."""
    lines = []
    for name, file_name, content in parts:
        disposition = f'form-data; name="{name}"' + ("" if file_name is None else f'; filename="{file_name}"')
        head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n"
        lines.append(head.encode("utf-8", "surrogatepass") + content + b"\r\n")
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


GOOD = encoded(scene())


def upload(path: str, *fields: tuple[str, str | None, bytes]) -> Callable[[Case], Request | None]:
    """Pictures come as the file, addresses and texts as its name, wrong bodies as a body that is no form."""

    def convert(case: Case) -> Request | None:
        if case.raw is not None:
            return Request(path, case.raw, MULTIPART, "refused")
        if case.picture is not None:
            body = multipart(*fields, ("file", "picture", case.picture))
            return Request(path, body, MULTIPART, case.expect, names_field=True)
        name = case.url if case.url is not None else text_of(case)
        if name is not None:
            return Request(path, multipart(*fields, ("file", name, GOOD)), MULTIPART, "either")
        assert case.fields is not None
        if case.group == 23:
            extra = [
                (key, None, json.dumps(value).encode())
                for key, value in case.fields.items()
                if key != "messages"
            ]
            body = multipart(*fields, ("file", "picture", GOOD), *extra)
            return Request(path, body, MULTIPART, "refused", names_field=True)
        return to_json(path, case.fields, "refused")

    return convert


def transcriptions(case: Case) -> Request | None:
    """What is no recording is refused whatever stands around it."""
    path = "/v1/audio/transcriptions"
    model = ("model", None, b"whisper-1")
    if case.raw is not None:
        return Request(path, case.raw, MULTIPART, "refused")
    if case.picture is not None:
        body = multipart(model, ("file", "recording.wav", case.picture))
        return Request(path, body, MULTIPART, "refused", names_field=True)
    text = case.url if case.url is not None else text_of(case)
    if text is not None:
        told = text.encode("utf-8", "surrogatepass")
        name = "language" if case.url is not None else "prompt"
        body = multipart(model, (name, None, told), ("file", text, b"RIFF"))
        return Request(path, body, MULTIPART, "refused")
    assert case.fields is not None
    return to_json(path, case.fields, "refused")


INGRESSES = (
    Ingress("chat completions", chat),
    Ingress("responses", responses),
    Ingress("moderations", moderations),
    Ingress("tokens/count", tokens),
    Ingress("files", upload("/v1/files", ("purpose", None, b"vision"))),
    Ingress("images", upload("/v1/images")),
    Ingress("conversations", conversations),
    Ingress("conversations/answers", answers),
    Ingress("audio/speech", speech),
    Ingress("audio/transcriptions", transcriptions),
)
