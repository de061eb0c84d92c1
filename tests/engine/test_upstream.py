"""A real server of another make, asked through the engine's interface: `transformers serve` with a tiny checkpoint."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image as PILImage
from tiny_model import TINY_BYTES, byte_processor

from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Structure
from clearsight.engine.config import EngineError
from clearsight.engine.stream import Cancelled
from clearsight.engine.upstream import Upstream, request_body
from clearsight.generation import generate
from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel

QUESTION = Conversation((user(Image(pixels=PILImage.effect_noise((32, 32), 90).convert("RGB")), "What?"),))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_only_what_is_asked_for_is_sent() -> None:
    sampling = Sampling(seed=4, stop=("x",), top_k=3, max_tokens=5)
    body = request_body("m", QUESTION, sampling.nth(2), "low")
    picture, text = body["messages"][0]["content"]
    assert picture["image_url"]["detail"] == "low"
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert text == {"type": "text", "text": "What?"}
    assert {name: body[name] for name in ("seed", "stop", "top_k", "max_tokens", "temperature")} == {
        "seed": 6,
        "stop": ["x"],
        "top_k": 3,
        "max_tokens": 5,
        "temperature": 0.0,
    }
    assert not {"top_p", "min_p", "logit_bias", "logprobs", "response_format"} & set(body)
    schema = request_body("m", QUESTION, Sampling(structure=Structure.json_schema({"type": "integer"})))
    assert schema["response_format"]["json_schema"]["schema"] == {"type": "integer"}


def test_a_server_that_is_not_there_is_named() -> None:
    with Upstream(f"http://127.0.0.1:{free_port()}/v1", "m", retries=0) as upstream:
        stream = upstream.submit(QUESTION)
        with pytest.raises(EngineError, match=r"can't be reached.*is it running"):
            stream.result()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    torch.manual_seed(2)
    config = replace(TINY_BYTES, text=replace(TINY_BYTES.text, max_position_embeddings=2048))
    model = VisionLanguageModel(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(std=1.5 * parameter[0].numel() ** -0.5)
    hf.save(model, folder)
    byte_processor().save(folder)
    return folder


@pytest.fixture(scope="module")
def served(checkpoint: Path) -> Iterator[Upstream]:
    port = free_port()
    command = [Path(sys.executable).with_name("transformers"), "serve", checkpoint]
    server = subprocess.Popen(
        [
            *map(str, command),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--device",
            "cpu",
            "--dtype",
            "float32",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and server.poll() is None:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.3)
        else:
            pytest.fail("transformers serve did not start")
        with Upstream(f"http://127.0.0.1:{port}/v1", str(checkpoint)) as upstream:
            yield upstream
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.mark.slow
def test_another_servers_answer_is_that_of_the_same_weights_here(served: Upstream, checkpoint: Path) -> None:
    model, processor = hf.load(checkpoint, torch.float32), byte_processor()
    expected = list(generate(model, processor, processor.prepare(QUESTION), Sampling(max_tokens=12)))
    answer = served.submit(QUESTION, Sampling(max_tokens=12)).result()
    assert answer.text == "".join(event.text for event in expected)
    assert answer.usage.prompt_tokens == processor.prepare(QUESTION).num_tokens
    assert answer.usage.completion_tokens == 12


@pytest.mark.slow
def test_a_model_that_is_not_served_is_refused_in_the_servers_words(served: Upstream) -> None:
    with (
        Upstream(served.base_url, "no/such-model") as other,
        pytest.raises(EngineError, match="refused with status"),
    ):
        other.submit(QUESTION, Sampling(max_tokens=2)).result()


@pytest.mark.slow
def test_a_cancelled_answer_ends(served: Upstream) -> None:
    stream = served.submit(QUESTION, Sampling(max_tokens=1500))
    next(stream)
    stream.cancel()
    with pytest.raises(Cancelled):
        stream.result()
