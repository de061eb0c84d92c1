"""From one row of somebody's data set to a record, whichever of the common shapes it has.

    Clearsight's own     {"messages": [...], "provenance": {...}}, see clearsight.data.record
    LLaVA and ShareGPT   {"image": ..., "conversations": [{"from": "human", "value": "<image>\\n..."}, ...]}
    OpenAI messages      {"messages": [{"role": "user", "content": [{"type": "image_url", ...}, ...]}, ...]}
    FineVision, Cauldron {"images": [...], "texts": [{"user": ..., "assistant": ...}, ...]}
    question and answer  {"image": ..., "question": ..., "answer": ..., "choices": [...], "rejected": ...}
    caption or label     {"image": ..., "caption": ...} or {"image": ..., "label": "a word"}

`<image>` in a question is replaced by the next picture of the row; pictures that no `<image>` asks for come first.
Pictures may be bytes, {"bytes", "path"} as Parquet and the hub store them, data: URIs, or names that `load` finds.
Remote addresses are never fetched.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from clearsight.conversation import Conversation, Image, Message, Part, Role, Text, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.sources.contract import UNKNOWN_SHAPE, Unusable, picture
from clearsight.data.sources.questions import captioned, named
from clearsight.data.verify import Truth

Row = Mapping[str, Any]
Load = Callable[[str], bytes]  # a picture's bytes by the name a row has for it; raises Unusable

PLACEHOLDER = "<image>"
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "model", "bot", "chatgpt"), "assistant"),
    "system": "system",
}
_USUAL = {
    "images": ("images", "image", "img", "pictures", "picture"),
    "turns": ("conversations", "messages", "texts", "conversation"),
    "question": ("question", "query", "problem", "instruction", "prompt"),
    "answer": ("answer", "answers", "chosen", "response", "solution", "output"),
    "choices": ("choices", "options"),
    "rejected": ("rejected",),
    "caption": ("caption", "captions", "text", "description"),
    "label": ("label", "class", "class_name", "category"),
}


@dataclass(frozen=True)
class Columns:
    """The names of the columns that hold what is needed. An empty name means: one of the usual names."""

    images: str = ""
    turns: str = ""
    question: str = ""
    answer: str = ""
    choices: str = ""
    rejected: str = ""
    caption: str = ""
    label: str = ""

    def within(self, names: Sequence[str]) -> "Columns":
        """These columns among `names`; what is not there stays empty.

        Raises Unusable when a column that was asked for by name is missing.
        """
        found = {}
        for part in fields(self):
            wanted = getattr(self, part.name)
            if wanted and wanted not in names:
                raise Unusable(UNKNOWN_SHAPE, f"there is no column {wanted!r} among {', '.join(names)}")
            usual = (name for name in _USUAL[part.name] if name in names)
            found[part.name] = wanted or next(usual, "")
        return Columns(**found)

    @property
    def all(self) -> list[str]:
        return [getattr(self, part.name) for part in fields(self) if getattr(self, part.name)]


USUAL_COLUMNS = Columns()


def record_from(row: Any, load: Load, provenance: Provenance, columns: Columns) -> Record:
    """The record a row stands for. `provenance` is used for every shape but Clearsight's own, which brings its own.

    Raises Unusable, ImageError or ConversationError when it can't be made; of cause UNKNOWN_SHAPE when the row has
    none of the shapes above.
    """
    if not isinstance(row, Mapping):
        raise Unusable(UNKNOWN_SHAPE, f"an object is expected, not {type(row).__name__}")
    if "provenance" in row and "messages" in row:
        return _own(row, load)
    columns = columns.within(list(row))
    images = _images(row.get(columns.images), load)
    rejected = row.get(columns.rejected) if columns.rejected else None
    if columns.turns and row[columns.turns] is not None:
        conversation = Conversation(tuple(_with_images(_turns(row[columns.turns], load), images)))
        _check_order(conversation)
        return Record(conversation, provenance, rejected=_text(rejected) if rejected else None)
    if columns.question and columns.answer:
        return _question(row, columns, images, provenance, _text(rejected) if rejected else None)
    if columns.caption and images:
        caption = row[columns.caption]
        text = _text(
            caption[0] if isinstance(caption, Sequence) and not isinstance(caption, str) else caption
        )
        return _several(images, captioned(images[0], _whole(text), provenance))
    if columns.label and images:
        label = row[columns.label]
        if not isinstance(label, str):
            raise Unusable("no name", f"the label is {label!r}, and the name that stands for it is not known")
        return _several(images, named(images[0], _whole(label), provenance))
    raise Unusable(
        UNKNOWN_SHAPE,
        "no conversations, messages, texts, question and answer, or picture with caption or label among "
        f"{', '.join(map(str, row)) or 'no columns'}; name the columns",
    )


# ---------------------------------------------------------------------------------------------------
# Shapes


def _own(row: Row, load: Load) -> Record:
    try:
        return Record.from_json(dict(row), load)
    except (KeyError, TypeError) as error:
        raise Unusable("malformed", f"a Clearsight record without or with a wrong {error}") from error


def _turns(turns: Any, load: Load) -> list[Message]:
    """Messages of a list of turns; pictures that stand among the content parts are already in their place."""
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise Unusable("malformed", "the conversation is not a list of turns")
    found: list[Message] = []
    for turn in turns:
        if not isinstance(turn, Mapping):
            raise Unusable("malformed", f"a turn is {type(turn).__name__}, not an object")
        if "user" in turn and "assistant" in turn:
            found += [user(_whole(turn["user"])), assistant(_whole(turn["assistant"]))]
            continue
        name = turn.get("from", turn.get("role"))
        role = _ROLES.get(name) if isinstance(name, str) else None
        if role is None:
            raise Unusable("unknown role", f"{name!r} speaks; known are {', '.join(_ROLES)}")
        content = turn.get("value", turn.get("content"))
        parts = [Text(content)] if isinstance(content, str) else _parts(content, load)
        if role != "user" and not all(isinstance(part, Text) for part in parts):
            raise Unusable("malformed", f"a picture stands in a turn of {name}")
        if role != "user":
            parts = [Text(_whole("".join(part.text for part in parts if isinstance(part, Text))))]
        found.append(Message(role, tuple(parts)))
    return found


def _parts(content: Any, load: Load) -> list[Part]:
    """Content parts as the OpenAI API and the processors of transformers know them."""
    if not isinstance(content, Sequence):
        raise Unusable("malformed", "a turn has no text")
    parts: list[Part] = []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in ("text", "input_text", "output_text"):
            parts.append(Text(_text(part.get("text"))))
        elif kind in ("image_url", "input_image", "image"):
            names = ("image_url", "image", "url", "path", "bytes")
            value = next((part[name] for name in names if part.get(name) is not None), None)
            parts += [_image(value, load)] if value is not None else [Text(PLACEHOLDER)]
        else:
            raise Unusable("malformed", f"a content part is of type {kind!r}, not text or image_url")
    return parts


def _question(
    row: Row, columns: Columns, images: list[Image], provenance: Provenance, rejected: str | None
) -> Record:
    question, answer = _text(row[columns.question]), row[columns.answer]
    choices = row.get(columns.choices) if columns.choices else None
    truth = None
    if isinstance(choices, Sequence) and not isinstance(choices, str) and choices:
        listed = tuple(_text(choice) for choice in choices)
        answer = _chosen(answer, listed)
        truth = Truth("choice", answer, choices=listed)
        question += "\n" + "\n".join(f"{chr(65 + i)}. {choice}" for i, choice in enumerate(listed))
    elif isinstance(answer, Sequence) and not isinstance(answer, str):
        said = [_text(one.get("answer") if isinstance(one, Mapping) else one) for one in answer]
        if not said:
            raise Unusable("no answer")
        answer = max(said, key=said.count)
        others = tuple(dict.fromkeys(one for one in said if one != answer))
        truth = Truth("text", answer, alternatives=others)
    answer = _whole(_text(answer))
    messages = tuple(_with_images([user(question), assistant(answer)], images))
    return Record(Conversation(messages), provenance, (truth,) if truth else (), rejected=rejected)


def _chosen(answer: Any, choices: tuple[str, ...]) -> str:
    """The text of a choice that is given by number, letter or its own text."""
    if isinstance(answer, str) and answer not in choices and re.fullmatch(r"\(?[A-Z]\)?\.?", answer):
        answer = ord(answer.strip("().")) - 65
    if isinstance(answer, int) and 0 <= answer < len(choices):
        return choices[answer]
    if answer not in choices:
        raise Unusable("malformed", f"the answer {answer!r} is none of {', '.join(choices)}")
    return str(answer)


def _several(images: list[Image], record: Record) -> Record:
    """The record with all of a row's pictures in its question."""
    if len(images) == 1:
        return record
    question, answer = record.conversation.messages
    conversation = Conversation((Message("user", (*images, Text(question.text))), answer))
    return Record(conversation, record.provenance, record.truths, record.skills)


# ---------------------------------------------------------------------------------------------------
# Parts


def _with_images(messages: list[Message], images: list[Image]) -> list[Message]:
    """Put the pictures where `<image>` stands, those that are left before the first question."""
    wanted = sum(message.text.count(PLACEHOLDER) for message in messages if message.role == "user")
    if wanted > len(images):
        raise Unusable("pictures missing", f"{PLACEHOLDER} stands {wanted} times, for {len(images)} pictures")
    first, rest = images[: len(images) - wanted], iter(images[len(images) - wanted :])
    found = []
    for message in messages:
        if message.role != "user":
            found.append(message)
            continue
        parts: list[Part] = [*first]
        first = []
        for part in message.parts:
            if not isinstance(part, Text):
                parts.append(part)
                continue
            pieces = part.text.split(PLACEHOLDER)
            for i, piece in enumerate(pieces):
                if i:
                    parts.append(next(rest))
                piece = piece.strip("\n") if len(pieces) > 1 else piece
                if piece.strip():
                    parts.append(Text(piece))
        if not parts:
            raise Unusable("malformed", "a question is empty")
        found.append(Message("user", tuple(parts)))
    if first:
        raise Unusable("malformed", "there are pictures, and nobody asks about them")
    return found


def _images(value: Any, load: Load) -> list[Image]:
    if value is None:
        return []
    many = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    return [_image(one, load) for one in (value if many else [value]) if one is not None]


def _image(value: Any, load: Load) -> Image:
    if isinstance(value, bytes):
        return picture(value)
    if isinstance(value, Mapping):
        inner = next((value[name] for name in ("bytes", "url", "path") if value.get(name) is not None), None)
        if inner is not None:
            return _image(inner, load)
    if not isinstance(value, str):
        raise Unusable("malformed", f"a picture is {type(value).__name__}, not a name or bytes")
    if value.startswith("data:"):
        try:
            return picture(base64.b64decode(value.partition(",")[2], validate=True))
        except binascii.Error as error:
            raise Unusable("malformed", "a data: URI is not base64") from error
    if re.match(r"[a-z][a-z0-9+.-]+://", value):
        raise Unusable("remote picture", f"{value[:80]} is not fetched; download it and name the file")
    return picture(load(value))


def _text(value: Any) -> str:
    """A value as text; numbers and truth values are written out."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Unusable("malformed", f"text is expected, not {type(value).__name__}")


def _whole(value: Any) -> str:
    text = _text(value).strip()
    if not text:
        raise Unusable("empty text")
    return text


def _check_order(conversation: Conversation) -> None:
    if conversation.messages[-1].role != "assistant":
        raise Unusable("no answer", "the conversation does not end with an answer")
