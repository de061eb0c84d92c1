"""Coverage-guided fuzzing of what reads a request's JSON: python tests/fuzz/requests.py -max_total_time=600

The first byte says which route's model reads the rest. Bytes are changed at random, and as often values of the JSON, so
that more than the parser is reached. For every input: either a value that can be written as UTF-8
again, or a refusal in a sentence of ours that can. Without a folder of inputs in the arguments it starts from the
bodies of the corpus.
"""

import copy
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import atheris

if __name__ == "__main__":
    sys.path.pop(0)  # this folder: `requests` is a library's name as well
    sys.path.insert(0, str(Path(__file__).parents[2]))  # the repository that this file is part of

with atheris.instrument_imports(include=["clearsight.server.body", "clearsight.server.chat", "json"]):
    from clearsight.server import body
    from clearsight.server.chat.requests import ChatRequest
    from clearsight.server.conversing.requests import Ask, ConversationChanges, NewConversation
    from clearsight.server.errors import ApiError
    from clearsight.server.responses.requests import ResponseRequest
    from clearsight.server.routes.moderations import ModerationRequest

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

MODELS: tuple[type[BaseModel], ...] = (
    *(ChatRequest, ResponseRequest, ModerationRequest),
    *(Ask, NewConversation, ConversationChanges),
)
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 0.5, 10**30, -(2**63), 1e308, "", "a", "\0", "\ud800", "\u2028", "a" * 700),
    *([], {}, [[]], {"": {}}, {"type": "text", "text": "a"}, {"role": "user", "content": "a"}),
)
NAMES = sorted(
    {name for model in MODELS for name in model.model_fields} | {"", "\0", "\udfff", "type", "a.b[0]"}
)
LEAKS = ("pydantic", "Traceback", "Input should", "0x", "object at", "codec", "<class")
LONGEST = 600  # characters of a sentence


def check_one_input(data: bytes) -> None:
    """Raises whatever must not happen."""
    if not data:
        return
    try:
        read(MODELS[data[0] % len(MODELS)], data[1:])
    except ApiError as error:
        told = error.to_json()["error"]
        assert error.status == 400 and error.code, told
        assert len(told["message"]) < LONGEST and told["message"].rstrip()[-1] in ".?!", told
        assert told["param"] is None or 0 < len(told["param"]) <= 300, told
        json.dumps(told, ensure_ascii=False).encode()
        named = told["message"].replace(told["param"] or "\0", "")
        quoted = data.decode("utf-8", "replace")
        assert not [word for word in LEAKS if word in named and word not in quoted], told


def read(model: type[BaseModel], data: bytes) -> None:
    """As a route does it. Raises ApiError."""
    value: Any = body.parse(data)
    try:
        kept = model.model_validate(value)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise body.invalid(RequestValidationError(found, body=value)) from None
    json.dumps(kept.model_dump(), ensure_ascii=False, allow_nan=False).encode()


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Another input: some value of the JSON is dropped, doubled, renamed or put in another's place; else some bytes."""
    chance = random.Random(seed)
    try:
        if chance.random() < 0.5:
            raise ValueError
        value = json.loads(data[1:])
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(data, most))
    for _ in range(chance.randint(1, 3)):
        changed(value, chance)
    first = bytes([chance.choice((data[0], chance.randrange(len(MODELS))))])
    return (first + json.dumps(value).encode())[:most]


def changed(value: Any, chance: random.Random) -> None:
    """Change one place inside a value."""
    places = list(inside(value))
    if not places:
        return
    holder, key = chance.choice(places)
    other_holder, other_key = chance.choice(places)
    kind = chance.randrange(5)
    if kind == 0:
        holder[key] = copy.deepcopy(chance.choice(ODD))
    elif kind == 1:
        holder[key] = copy.deepcopy(other_holder[other_key])
    elif kind == 2:
        del holder[key]
    elif kind == 3 and isinstance(holder, dict):
        holder[chance.choice((*NAMES, str(key) + "x"))] = holder.pop(key)
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ODD))


def inside(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place that holds something, as container and key."""
    waiting = [value]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict | list):
            for key in list(held) if isinstance(held, dict) else range(len(held)):
                yield held, key
                waiting.append(held[key])


def seeds() -> list[bytes]:
    """Bodies of the corpus that are not long, for the models that they are meant for."""
    from tests.server.corpus import cases
    from tests.server.ingresses import answers, chat, conversations, moderations, responses

    found = []
    for case in cases({1, 19, 20, 21, 22, 23}):
        for number, convert in enumerate((chat, responses, moderations, answers, conversations)):
            request = convert(case)
            if request is not None and len(request.content) < 2_000:
                found.append(bytes([number]) + request.content)
    return found


def main() -> None:
    arguments = sys.argv
    if not any(not argument.startswith("-") for argument in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="clearsight-fuzz-"))
        for number, data in enumerate(seeds()):
            (folder / f"{number:05}").write_bytes(data)
        arguments = [*arguments, str(folder)]
    atheris.Setup(
        [*arguments, "-max_len=4000", "-timeout=20", "-rss_limit_mb=3000"],
        check_one_input,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
