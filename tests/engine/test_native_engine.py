"""The engine on native kernels: the same bits alone and in company, and close to the exact generator."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from PIL import Image as PILImage
from tiny_model import TINY_BYTES

from clearsight import mini
from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine, EngineConfig, EngineError
from clearsight.engine.kernels import build
from clearsight.generation import generate
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

SMALL = replace(
    TINY_BYTES,
    text=replace(
        TINY_BYTES.text,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=2048,
    ),
)


def random_model() -> VisionLanguageModel:
    torch.manual_seed(3)
    model = VisionLanguageModel(SMALL).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=1.5 * parameter[0].numel() ** -0.5)
    return model


def conversations(count: int) -> list[Conversation]:
    rng = random.Random(count)
    pictures = [PILImage.effect_noise((32, 32), 50 + 20 * n).convert("RGB") for n in range(3)]
    found = []
    for _ in range(count):
        shown = [Image(pixels=rng.choice(pictures)) for _ in range(rng.choice([0, 1, 1, 2]))]
        found.append(Conversation((user(*shown, "What is it? " * rng.randint(1, 20)),)))
    return found


@pytest.mark.parametrize("weights", ["int8", "int4", "float32"])
def test_an_answer_has_the_same_bits_alone_in_company_and_in_pieces(
    processor: Processor, weights: str
) -> None:
    asked = conversations(12)
    sampling = Sampling(max_tokens=64, min_tokens=64, logprobs=0)
    alone = []
    with Engine(random_model(), processor, config(weights, prefix_cache=False, proposals=0)) as engine:
        for conversation in asked:
            alone.append(engine.submit(conversation, sampling).result())
    crowded = config(weights, max_step_tokens=37, cache_tokens=400, threads=2)
    with Engine(random_model(), processor, crowded) as engine:
        streams = [engine.submit(conversation, sampling) for conversation in asked]
        for stream, expected in zip(streams, alone, strict=True):
            answer = stream.result()
            assert answer.text == expected.text
            assert answer.logprobs == expected.logprobs
        assert engine.metrics.preemptions > 0


def config(weights: str, **changes: object) -> EngineConfig:
    return EngineConfig(weights=weights, **({"threads": 1} | changes))  # type: ignore[arg-type]


def test_full_precision_kernels_say_what_the_exact_generator_says(processor: Processor) -> None:
    model = random_model()
    asked = conversations(8)
    sampling = Sampling(max_tokens=20, logprobs=3)
    expected = [list(generate(model, processor, processor.prepare(c), sampling)) for c in asked]
    with Engine(model, processor, config("float32")) as engine:
        for conversation, events in zip(asked, expected, strict=True):
            got = engine.submit(conversation, sampling).result().logprobs
            assert [g.token_id for g in got] == [e.token_id for e in events]
            for mine, event in zip(got, events, strict=True):
                assert event.logprob is not None
                assert [t.token_id for t in mine.top] == [t.token_id for t in event.logprob.top]
                assert mine.logprob == pytest.approx(event.logprob.logprob, abs=1e-4)


def test_without_a_compiler_int8_is_refused_and_auto_computes_in_pytorch(
    processor: Processor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    build.library.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(EngineError, match=r"no C\+\+ compiler.*weights=model"):
        Engine(random_model(), processor, config("int8"))
    with Engine(random_model(), processor, config("auto")) as engine:
        assert engine.weights == "model"
    assert "slower" in caplog.text
    build.library.cache_clear()


@pytest.fixture(scope="module")
def bundled() -> Iterator[dict[str, Engine]]:
    engines = {
        "model": Engine(mini.load(torch.float32), mini.processor(), EngineConfig(weights="model")),
        "int8": Engine(mini.load(torch.float32), mini.processor(), EngineConfig(weights="int8")),
    }
    yield engines
    for engine in engines.values():
        engine.close()


@pytest.mark.bundled
def test_int8_weights_of_the_bundled_model_keep_its_answers(bundled: dict[str, Engine]) -> None:
    questions = ["What is the capital of France?", "Name three colours.", "How many legs has a spider?"]
    same = total = 0
    for question in questions:
        answers = [
            engine.submit(Conversation((user(question),)), Sampling(max_tokens=24, logprobs=0)).result()
            for engine in bundled.values()
        ]
        for exact, coarse in zip(answers[0].logprobs, answers[1].logprobs, strict=False):
            total += 1
            if exact.token_id != coarse.token_id:
                break
            same += 1
            assert coarse.logprob == pytest.approx(exact.logprob, abs=0.5)
    assert same / total > 0.8
