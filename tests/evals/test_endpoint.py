"""The official client talks to the endpoint as it would to OpenAI, and what can't be answered is said in its words."""

import base64
import io
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import uvicorn
from PIL import Image as PILImage
from tiny_run import tiny_engine

from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.evals.endpoint import application, main
from clearsight.evals.subject import Subject


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    with tiny_engine() as engine:
        yield Subject(engine, "tiny", "tiny-1", 8)


@pytest.fixture(scope="module")
def address(subject: Subject) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application(subject), log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join()


def picture() -> bytes:
    file = io.BytesIO()
    PILImage.new("RGB", (20, 12), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def asked(data: bytes, text: str, kind: str = "image/png") -> list[dict[str, Any]]:
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}]
    return [{"role": "user", "content": parts}]


def test_the_official_client_gets_what_the_engine_says(address: str, subject: Subject) -> None:
    client = openai.OpenAI(base_url=address, api_key="none")
    assert [model.id for model in client.models.list()] == ["tiny"]
    said = client.chat.completions.create(
        model="tiny", messages=asked(picture(), "What is it?"), max_tokens=12, temperature=0
    )
    conversation = Conversation((user(Image(data=picture()), "What is it?"),))
    wanted = subject.engine.submit(conversation, Sampling(max_tokens=12)).result()
    assert said.choices[0].message.content == wanted.text and wanted.text
    assert said.choices[0].finish_reason == wanted.finish_reason
    assert said.usage.prompt_tokens == wanted.usage.prompt_tokens
    assert said.usage.completion_tokens == wanted.usage.completion_tokens


def test_many_at_once_are_answered_each_with_its_own(address: str, subject: Subject) -> None:
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        body = {
            "model": "tiny",
            "messages": asked(picture(), f"Is it {number}?"),
            "max_tokens": 8,
            "temperature": 0,
        }
        answer = httpx2.post(f"{address}/chat/completions", json=body, timeout=60).json()
        found[number] = answer["choices"][0]["message"]["content"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(12):
        conversation = Conversation((user(Image(data=picture()), f"Is it {number}?"),))
        assert found[number] == subject.engine.submit(conversation, Sampling(max_tokens=8)).result().text


def test_a_model_that_is_not_there_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["endpoint", "--model", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="none"):
        main()


GOOD = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}


@pytest.mark.parametrize(
    ("change", "status", "param", "message"),
    [
        ({"model": "gpt-4o"}, 404, "model", "the only model here is 'tiny'"),
        ({"messages": []}, 400, "messages", "at least one message"),
        ({"messages": "Hello"}, 400, "messages", "a list"),
        ({"messages": [{"role": "robot", "content": "Hello"}]}, 400, "messages", "a role is one of"),
        (
            {"messages": [{"role": "user", "content": [{"type": "audio"}]}]},
            400,
            "messages",
            "message 0, part 0",
        ),
        (
            {"messages": [{"role": "assistant", "content": "Hello"}]},
            400,
            "messages",
            "the last message is the user's",
        ),
        ({"messages": asked(b"no picture", "What?")}, 400, "messages", "picture"),
        ({"messages": asked(picture(), "What?", "text/html")}, 400, "messages", "data URL"),
        ({"temperature": 3}, 400, None, "temperature is a number from 0 to 2"),
        ({"max_tokens": "ten"}, 400, None, "max_tokens is a whole number"),
        ({"stop": 5}, 400, "stop", "a string or a list of strings"),
        ({"stop": [5]}, 400, None, "stop is strings that are not empty"),
        ({"stream": True}, 400, "stream", "stream can only be false"),
        ({"n": 3}, 400, "n", "n can only be 1"),
        ({"best_of": 2}, 400, "best_of", "there is no setting 'best_of'"),
        (
            {"messages": [{"role": "user", "content": "long " * 2000}]},
            400,
            "messages",
            "shorten the conversation",
        ),
    ],
)
def test_what_can_not_be_answered_is_refused_in_openais_shape(
    address: str, change: dict[str, Any], status: int, param: str | None, message: str
) -> None:
    reply = httpx2.post(f"{address}/chat/completions", json=GOOD | change, timeout=60)
    error = reply.json()["error"]
    assert reply.status_code == status and message in error["message"], error
    assert error["type"] == "invalid_request_error" and error["param"] == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_request_is_refused(address: str, body: bytes) -> None:
    reply = httpx2.post(f"{address}/chat/completions", content=body, timeout=60)
    assert reply.status_code == 400 and "body" in reply.json()["error"]["message"]


def test_other_paths_say_what_there_is(address: str) -> None:
    reply = httpx2.get(f"{address}/completions")
    assert reply.status_code == 404 and "POST /v1/chat/completions" in reply.json()["error"]["message"]
    assert httpx2.get(f"{address}/chat/completions").status_code == 405
