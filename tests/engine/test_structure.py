"""Answers of a given form: two hundred schemas, and what hostile ones may cost."""

import json
import random
import resource
import string
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import torch

from clearsight.conversation import Conversation, user
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Grammars, Structure, StructureError
from clearsight.engine import Engine, EngineConfig
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

SCHEMAS = 200
CONTEXT = 8192
SECONDS = 3.0
MEGABYTES = 300


@pytest.fixture(scope="module")
def engine(model: VisionLanguageModel, processor: Processor) -> Iterator[Engine]:
    roomy = VisionLanguageModel(
        replace(model.config, text=replace(model.config.text, max_position_embeddings=CONTEXT))
    )
    roomy.load_state_dict(model.state_dict())
    with Engine(roomy, processor, EngineConfig(weights="model", threads=1, cache_tokens=65_536)) as engine:
        yield engine


def schema(rng: random.Random, depth: int = 3) -> dict[str, Any]:
    """A random schema whose values are bounded in length, as a person would write them.

    No dates: they are made of the right digits, but a grammar does not know which years have a 29th of February.
    """
    kinds = ["string", "integer", "number", "boolean", "null", "enum", "const", "pattern", "date"]
    kinds += ["object", "object", "array", "anyOf"] if depth else []
    kind = rng.choice(kinds)
    if kind == "string":
        return {"type": "string", "minLength": rng.randint(0, 2), "maxLength": rng.randint(2, 12)}
    if kind in ("integer", "number"):
        low = rng.randint(-1000, 1000)
        if kind == "number":
            return {"type": "integer", "minimum": low} | (
                {"maximum": low + 7} if rng.random() < 0.5 else {"maximum": 10**6}
            )
        return {"type": "integer", "minimum": low, "maximum": low + rng.randint(0, 5000)}
    if kind == "enum":
        return {
            "enum": [
                rng.choice([word(rng), rng.randint(0, 99), True, None]) for _ in range(rng.randint(1, 5))
            ]
        }
    if kind == "const":
        return {"const": rng.choice([word(rng), 3, {"a": [1, 2]}])}
    if kind == "pattern":
        return {
            "type": "string",
            "pattern": rng.choice(["^[A-Z]{2}[0-9]{3}$", "^(yes|no|maybe)$", "^[a-f0-9]{8}$"]),
        }
    if kind == "date":
        return {"type": "string", "format": rng.choice(["ipv4", "uuid"])}
    if kind == "array":
        least = rng.randint(0, 2)
        return {
            "type": "array",
            "items": schema(rng, depth - 1),
            "minItems": least,
            "maxItems": least + rng.randint(0, 3),
        }
    if kind == "anyOf":
        return {"anyOf": [schema(rng, depth - 1) for _ in range(rng.randint(1, 3))]}
    if kind == "object":
        names = list({word(rng) for _ in range(rng.randint(0, 4))})
        return {
            "type": "object",
            "properties": {name: schema(rng, depth - 1) for name in names},
            "required": [name for name in names if rng.random() < 0.7],
            "additionalProperties": False,
        }
    return {"type": kind}


def word(rng: random.Random) -> str:
    alphabet = string.ascii_letters + ' _-é☃"\\'
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 8)))


@pytest.mark.slow
def test_two_hundred_schemas_are_kept_to_every_time(engine: Engine) -> None:
    question = Conversation((user("?"),))
    rng = random.Random(0)
    drawn = [schema(rng) for _ in range(SCHEMAS)]
    streams = []
    for number, one in enumerate(drawn):
        structure = Structure.json_schema(one)
        streams.append(engine.submit(question, Sampling(temperature=1.3, seed=number, structure=structure)))
    for one, stream in zip(drawn, streams, strict=True):
        answer = stream.result()
        assert answer.finish_reason == "stop", one
        jsonschema.validate(json.loads(answer.text), one, format_checker=jsonschema.FormatChecker())


HOSTILE = {
    "deeply nested schema": Structure.json_schema('{"items":' * 2000 + "true" + "}" * 2000),
    "wide schema": Structure.json_schema(
        {"type": "object", "properties": {f"p{n}": {"type": "string", "maxLength": 500} for n in range(1500)}}
    ),
    "schema that means itself": Structure.json_schema(
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    ),
    "tree of doubling references": Structure.json_schema(
        {
            "$ref": "#/$defs/n0",
            "$defs": {f"n{n}": {"anyOf": [{"$ref": f"#/$defs/n{n + 1}"}] * 2} for n in range(40)}
            | {"n40": {}},
        }
    ),
    "pattern within a schema": Structure.json_schema(
        {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}
    ),
    "counted repeats of counted repeats": Structure.regex("((((a{1,99}){1,99}){1,99}){1,99}){1,99}"),
    "long count": Structure.regex("(a|b|ab){0,100000}c"),
    "nested stars": Structure.regex("(((a*)*)*)*b"),
    "many alternatives": Structure.regex("|".join(f"(x{n}|y{n}){{1,50}}" for n in range(3000))),
    "unicode classes": Structure.regex(r"(\p{L}{1,200}\s){1,200}"),
    "left-recursive grammar": Structure.lark('start: start start | "a" | start'),
    "ambiguous grammar": Structure.lark('start: x x x x x x\nx: x x | "a" | ""'),
    "grammar without end": Structure.lark("start: a\na: b\nb: a"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_structure_is_followed_or_refused_within_bounds(processor: Processor, name: str) -> None:
    grammars = Grammars(processor.tokenizer, 261, {257})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        matcher = grammars.matcher(HOSTILE[name])
        generator = torch.Generator().manual_seed(0)
        for _ in range(200):
            scores = torch.zeros(261)
            matcher.mask(scores)
            token = int(torch.multinomial(scores.softmax(-1), 1, generator=generator))
            matcher.take(token)
            if matcher.complete or token == 257:
                break
    except StructureError as error:
        assert len(str(error)) < 700
        assert "\n" not in str(error)
    assert time.process_time() - began < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES


def test_a_structure_too_long_to_read_is_refused() -> None:
    with pytest.raises(StructureError, match="at most 100,000"):
        Structure.regex("a" * 100_001)
    with pytest.raises(StructureError, match="not JSON"):
        Structure.json_schema({"a": object()})
    with pytest.raises(StructureError, match="choices"):
        Structure.choice([])


def test_a_choice_is_one_of_its_options(engine: Engine) -> None:
    options = ["a circle", 'a "square"', "☃"]
    for seed in range(4):
        sampling = Sampling(temperature=2.0, seed=seed, structure=Structure.choice(options))
        assert engine.submit(Conversation((user("?"),)), sampling).result().text in options
