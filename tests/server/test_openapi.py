"""GET /openapi.json is true: requests drawn from it are answered as it says, and never with a server error.

Schemathesis draws requests that fit the document and requests that don't, and holds the answers to it. Names of models
are put in afterwards and answers are kept short, so that a request that fits gets to the model.
"""

import json
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from serving import Served

from clearsight.server.app import create_app
from clearsight.server.config import ServerConfig

TRUTH = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MODELS = {"/v1/audio/speech": "tts-1", "/v1/moderations": "omni-moderation-latest"}
LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
DOCUMENT = create_app(ServerConfig()).document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    (method.upper(), path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
    if not path.startswith(
        "/v1/audio/"
    )  # speech needs weights that a test machine may not have: test_audio.py
]
FEW, MANY = 6, 200
"""Requests of one kind to one operation; the second when it may be slow."""


def brought_to_the_model(case: Any) -> None:
    """A body with the name of a model that exists, and for a short answer; what is wrong with it stays wrong."""
    body = case.body
    if not isinstance(body, dict):
        return
    if isinstance(body.get("model"), str):
        body["model"] = MODELS.get(case.operation.path, "mini")
    for name in (*LENGTHS, "n"):
        if type(body.get(name)) is int and body[name] > 1:
            body[name] = 1
    if case.operation.path in ("/v1/chat/completions", "/v1/responses"):
        body.setdefault("max_output_tokens" if "responses" in case.operation.path else "max_tokens", 1)


def draw(served: Served, method: str, path: str, examples: int) -> None:
    """Ask one operation with requests that fit and with others. Raises for an answer that the document doesn't know."""
    operation = SCHEMA[path][method]
    draw_as(served, operation, GenerationMode.POSITIVE, TRUTH, examples)
    if operation.body or operation.query:
        checks = [*TRUTH, negative_data_rejection]
        draw_as(served, operation, GenerationMode.NEGATIVE, checks, examples)


def draw_as(served: Served, operation: Any, mode: GenerationMode, checks: list[Any], examples: int) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        brought_to_the_model(case)
        case.call_and_validate(base_url=served.url, headers=served.admin_headers, checks=checks, timeout=60)

    ask()


def test_the_document_is_what_a_client_gets(served: Served) -> None:
    with served.client() as client:
        assert client.get("/openapi.json").json() == json.loads(json.dumps(DOCUMENT))
    assert len(OPERATIONS) >= 50


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(one) for one in OPERATIONS])
def test_an_operation_answers_as_the_document_says(served: Served, method: str, path: str) -> None:
    draw(served, method, path, FEW)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(one) for one in OPERATIONS])
def test_an_operation_answers_as_the_document_says_at_length(served: Served, method: str, path: str) -> None:
    draw(served, method, path, MANY)


def test_answers_to_good_requests_have_the_documented_shape(served: Served, sample: bytes) -> None:
    """Drawn ids are unknown ones; here everything exists, so that each 200 is held to its model."""
    hello = [{"role": "user", "content": "Hello"}]
    with served.client() as client:
        client.headers.update(served.admin_headers)
        checked = set()

        def ask(method: str, path: str, ids: dict[str, str] | None = None, **options: Any) -> Any:
            answer = client.request(method, path.format_map(ids or {}), **options)
            assert answer.status_code == 200, answer.text
            kind = answer.headers["content-type"].partition(";")[0]
            told = DOCUMENT["paths"][path][method.lower()]["responses"]["200"]["content"]
            assert kind in told, f"{method} {path} answers {kind}"
            checked.add((method, path))
            if kind != "application/json":
                return answer.text if kind == "text/event-stream" else answer.content
            whole = {"components": DOCUMENT["components"], **told[kind]["schema"]}
            jsonschema.Draft202012Validator(whole).validate(answer.json())
            return answer.json()

        for path in ("/healthz", "/readyz", "/metrics", "/v1/session", "/v1/models", "/v1/usage"):
            ask("GET", path)
        ask("GET", "/v1/models/{name}", {"name": "mini"})
        chat = {"model": "mini", "messages": hello, "max_tokens": 2}
        ask("POST", "/v1/chat/completions", json=chat | {"logprobs": True, "n": 2})
        ask("POST", "/v1/chat/completions", json=chat | {"stream": True})
        ask("POST", "/v1/tokens/count", json=chat)
        ask("POST", "/v1/moderations", json={"input": ["a", "b"]})
        kept = ask("POST", "/v1/responses", json={"model": "mini", "input": "Hello", "max_output_tokens": 2})
        ids = {"response_id": kept["id"]}
        ask("GET", "/v1/responses/{response_id}", ids)
        ask("GET", "/v1/responses/{response_id}/input_items", ids)
        ask("DELETE", "/v1/responses/{response_id}", ids)
        upload = {"file": ("a.png", sample, "image/png")}
        file = ask("POST", "/v1/files", files=upload, data={"purpose": "vision"})
        ids = {"file_id": file["id"]}
        ask("GET", "/v1/files")
        ask("GET", "/v1/files/{file_id}", ids)
        ask("GET", "/v1/files/{file_id}/content", ids)
        ask("DELETE", "/v1/files/{file_id}", ids)
        image = ask("POST", "/v1/images", files=upload)
        ids = {"sha256": image["sha256"], "image_id": image["sha256"]}
        ask("GET", "/v1/images/{sha256}", ids)
        ask("GET", "/v1/images/{sha256}/about", ids)
        ask("GET", "/v1/images/{image_id}/tiles", ids)
        ask("GET", "/v1/images/{image_id}/notes", ids)
        made = ask("POST", "/v1/conversations", json={"title": "a"})
        ids = {"conversation_id": made["id"]}
        ask("GET", "/v1/conversations")
        ask("PATCH", "/v1/conversations/{conversation_id}", ids, json={"pinned": True})
        text = ask(
            "POST",
            "/v1/conversations/{conversation_id}/answers",
            ids,
            json={"content": "Hello", "settings": {"max_tokens": 2}},
        )
        done = json.loads(text.strip().splitlines()[-1].removeprefix("data: "))
        ids |= {"message_id": done["message"]["id"]}
        ask("GET", "/v1/conversations/{conversation_id}", ids)
        ask("GET", "/v1/conversations/{conversation_id}/messages/{message_id}/events", ids)
        ask("POST", "/v1/conversations/{conversation_id}/messages/{message_id}/stop", ids)
        ask("POST", "/v1/feedback", json={"message_id": ids["message_id"], "good": True})
        ask("POST", "/v1/reports", json={"subject": ids["message_id"], "category": "wrong"})
        ask("DELETE", "/v1/conversations/{conversation_id}/messages/{message_id}", ids)
        shared = ask("POST", "/v1/conversations/{conversation_id}/share", ids)
        ask("GET", "/v1/shared/{token}", {"token": shared["url"].rpartition("/")[2]})
        ask("DELETE", "/v1/conversations/{conversation_id}/share", ids)
        ask("DELETE", "/v1/conversations/{conversation_id}", ids)
        key = ask("POST", "/v1/account/keys", json={"name": "a"})
        ask("GET", "/v1/account/keys")
        ask("DELETE", "/v1/account/keys/{key_id}", {"key_id": key["id"]})
        for path in ("settings", "sessions", "strikes"):
            ask("GET", f"/v1/account/{path}")
        for path in ("review/reports", "review/appeals", "review/hashes", "admin/audit"):
            ask("GET", f"/v1/{path}")
        assert len(checked) >= 40
