"""Settings of sampling out of their range, and schemas made to hang or to fill memory: 400 with the field, soon."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from serving import Served

MODEL = "mini"
HELLO = [{"role": "user", "content": "Hello"}]
SECONDS = 10.0
"""Of processor time for one request, this client included. What hangs takes minutes."""

WRONG: dict[str, tuple[str, Any]] = {
    "n of a thousand million": ("n", 10**9),
    "n of none": ("n", 0),
    "n below none": ("n", -1),
    "best_of": ("best_of", 4),
    "max_tokens of a thousand million": ("max_tokens", 10**9),
    "max_tokens of none": ("max_tokens", 0),
    "max_tokens below none": ("max_tokens", -1),
    "max_tokens beyond 64 bits": ("max_tokens", 2**64),
    "max_tokens in words": ("max_tokens", "1"),
    "max_completion_tokens of none": ("max_completion_tokens", 0),
    "temperature below none": ("temperature", -0.1),
    "temperature too high": ("temperature", 2.1),
    "temperature of a bool": ("temperature", True),
    "top_p of none": ("top_p", 0),
    "top_p too high": ("top_p", 1.1),
    "top_k of none": ("top_k", 0),
    "min_p below none": ("min_p", -1),
    "repetition_penalty of none": ("repetition_penalty", 0),
    "presence_penalty too high": ("presence_penalty", 2.5),
    "frequency_penalty too low": ("frequency_penalty", -2.5),
    "seed beyond 64 bits": ("seed", 2**63),
    "seed below 64 bits": ("seed", -(2**63) - 1),
    "seed of a part": ("seed", 1.5),
    "five stops": ("stop", ["a", "b", "c", "d", "e"]),
    "ten thousand stops": ("stop", ["a"] * 10_000),
    "an empty stop": ("stop", ""),
    "an empty stop in a list": ("stop", [""]),
    "a stop of a megabyte": ("stop", "a" * 1_000_000),
    "a stop that is a number": ("stop", [1]),
    "a bias for no token": ("logit_bias", {"99999999": 1}),
    "a bias below none": ("logit_bias", {"-1": 1}),
    "a bias for a word": ("logit_bias", {"cat": 1}),
    "a bias for a wide digit": ("logit_bias", {"\uff11": 1}),
    "a bias too high": ("logit_bias", {"1": 101}),
    "a bias that is no number": ("logit_bias", {"1": "x"}),
    "a million biases": ("logit_bias", {str(number): 1 for number in range(1_000_000)}),
    "max_pixels of none": ("max_pixels", 0),
    "top_logprobs alone": ("top_logprobs", 5),
    "stream_options alone": ("stream_options", {"include_usage": True}),
    "a hundred tools": ("tools", [{"type": "function", "function": {"name": f"f{n}"}} for n in range(100)]),
    "a choice of no tool": ("tool_choice", {"type": "function", "function": {"name": "f"}}),
    "metadata without end": ("metadata", {str(number): "a" for number in range(17)}),
    "store": ("store", True),
    "a service tier": ("service_tier", "priority"),
    "audio": ("modalities", ["audio"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_out_of_its_range_is_refused_by_its_name(served: Served, name: str) -> None:
    field, value = WRONG[name]
    with served.client() as client:
        began = time.process_time()
        answer = client.post(
            "/v1/chat/completions", json={"model": MODEL, "messages": HELLO, "max_tokens": 1, field: value}
        )
        assert time.process_time() - began < SECONDS
        error = answer.json()["error"]
        assert answer.status_code == 400 and error["param"].split(".")[0].split("[")[0] == field, answer.text
        assert error["message"].endswith((".", "?")) and len(error["message"]) < 400


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize("field", ["temperature", "top_p", "presence_penalty", "min_p"])
def test_a_number_that_is_not_finite_is_refused(served: Served, field: str, text: str) -> None:
    body = json.dumps({"model": MODEL, "messages": HELLO, "max_tokens": 1, field: 0.5}).replace("0.5", text)
    with served.client() as client:
        answer = client.post(
            "/v1/chat/completions", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400 and answer.json()["error"]["message"].endswith("."), answer.text


# ---------------------------------------------------------------------------------------------------
# Schemas


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


def pattern(text: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"type": "string", "pattern": text}}, "required": ["a"]}


HOSTILE: dict[str, Any] = {
    "a pattern that backtracks": pattern("^(a+)+b$"),
    "a pattern that backtracks twice": pattern("^((a|a)*)*c$"),
    "a pattern of many repeats": pattern("^((a{1,1000}){1,1000}){1,1000}$"),
    "a pattern that looks ahead": pattern("(?=a)(?!b)(?<=c)a"),
    "a pattern that refers back": pattern(r"(a)\1\1"),
    "a pattern of all characters": pattern(r"^[\s\S]{0,100000}$"),
    "a broken pattern": pattern("(((("),
    "a pattern of a megabyte": pattern("a" * 1_000_000),
    "a huge choice": {"enum": [f"word {number}" for number in range(50_000)]},
    "a schema of itself": {"$ref": "#"},
    "schemas of each other": {
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "$ref": "#/$defs/a",
    },
    "a tree": {
        "$defs": {
            "t": {"type": "object", "properties": {name: {"$ref": "#/$defs/t"} for name in "abcdefgh"}}
        },
        "$ref": "#/$defs/t",
    },
    "a reference to a file": {"$ref": "file:///etc/passwd"},
    "a reference to a server": {"$ref": "http://127.0.0.1:1/schema.json"},
    "a reference to nothing": {"$ref": "#/$defs/none"},
    "a string of a thousand million": {"type": "string", "minLength": 10**9},
    "a list of a thousand million": {"type": "array", "items": {"type": "string"}, "minItems": 10**9},
    "numbers that are none": {"type": "integer", "minimum": 5, "maximum": 4},
    "what can't be": {"allOf": [{"type": "string"}, {"type": "integer"}]},
    "false": {"not": {}},
    "a type that is none": {"type": "unicorn"},
    "a type of a wrong type": {"type": 5},
    "properties of a wrong type": {"type": "object", "properties": []},
    "fifty levels": nested(50),
    "a thousand levels": nested(400),
    "ten thousand properties": {
        "type": "object",
        "properties": {f"p{number}": {"type": "string"} for number in range(10_000)},
    },
    "alternatives of alternatives": {
        "anyOf": [
            {"anyOf": [{"type": "object", "properties": {f"{a}{b}": {}}} for b in range(40)]}
            for a in range(40)
        ]
    },
    "a key that is no text": {"type": "object", "properties": {"\0": {"type": "string"}}, "required": ["\0"]},
}
LEAKS = ("llguidance", "serde", "panicked", ".rs", "0x", "/usr", "site-packages", "Traceback", "thread '")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_schema_is_answered_or_refused_soon(served: Served, name: str) -> None:
    format_ = {"type": "json_schema", "json_schema": {"name": "a", "schema": HOSTILE[name]}}
    body = {"model": MODEL, "messages": HELLO, "max_tokens": 4, "temperature": 0, "response_format": format_}
    with served.client() as client:
        began = time.process_time()
        answer = client.post("/v1/chat/completions", json=body)
        seconds = time.process_time() - began
        assert seconds < SECONDS, f"{seconds:.1f} s"
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 400:
            error = answer.json()["error"]
            assert (error["param"] or "").startswith("response_format"), error
            assert not [word for word in LEAKS if word in error["message"]], error
            assert len(error["message"]) < 500
        again = client.post("/v1/chat/completions", json={"model": MODEL, "messages": HELLO, "max_tokens": 1})
        assert again.status_code == 200, "the next request has to be answered"


def test_the_schema_of_a_tool_is_held_to_the_same(served: Served) -> None:
    with served.client() as client:
        for name in ("a pattern that backtracks", "a schema of itself", "a huge choice", "a broken pattern"):
            function = {"name": "f", "parameters": HOSTILE[name]}
            body = {
                "model": MODEL,
                "messages": HELLO,
                "max_tokens": 4,
                "tools": [{"type": "function", "function": function}],
                "tool_choice": "required",
            }
            began = time.process_time()
            answer = client.post("/v1/chat/completions", json=body)
            assert time.process_time() - began < SECONDS
            assert answer.status_code in (200, 400), answer.text
            assert answer.status_code == 200 or answer.json()["error"]["param"], answer.text


def resident() -> int:
    """MiB of this process, in which the server runs."""
    text = Path("/proc/self/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def ask_with_new_schemas(served: Served, first: int, count: int) -> None:
    with served.client() as client:
        for number in range(first, first + count):
            schema = {"type": "object", "properties": {f"field_{number}": {"type": "string"}}}
            format_ = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
            body = {"model": MODEL, "messages": HELLO, "max_tokens": 1, "response_format": format_}
            assert client.post("/v1/chat/completions", json=body).status_code == 200


def flat(served: Served, count: int) -> None:
    ask_with_new_schemas(served, 0, count // 3)
    before = resident()
    ask_with_new_schemas(served, count // 3, count - count // 3)
    assert resident() - before < 50, f"{before} MiB grew to {resident()} MiB over {count} schemas"


def test_new_schemas_leave_nothing_behind(served: Served) -> None:
    flat(served, 150)


@pytest.mark.exhaustive
def test_ten_thousand_new_schemas_leave_nothing_behind(served: Served) -> None:
    flat(served, 10_000)
