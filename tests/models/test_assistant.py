"""The assistant: what may be asked, what comes back, what is refused."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image as PILImage
from tiny_model import TINY, TINY_BYTES, byte_processor

from clearsight.assistant import Assistant
from clearsight.conversation import Conversation, ConversationError, Image, user
from clearsight.decoding.sampling import SamplingError
from clearsight.engine import Engine, EngineConfig, EngineError, Upstream
from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel
from clearsight.weights import WeightsError

ON_TORCH = EngineConfig(weights="model")


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    torch.manual_seed(0)
    return VisionLanguageModel(TINY_BYTES).eval()


@pytest.fixture(scope="module")
def assistant(model: VisionLanguageModel) -> Iterator[Assistant]:
    with Assistant(Engine(model, byte_processor(), ON_TORCH)) as assistant:
        yield assistant


@pytest.fixture
def picture() -> PILImage.Image:
    return PILImage.linear_gradient("L").convert("RGB").resize((40, 30))


def test_every_way_to_give_a_picture_means_the_same(
    assistant: Assistant, picture: PILImage.Image, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    ways = [
        [tmp_path / "a.png", "What?"],
        [buffer.getvalue(), "What?"],
        [picture, "What?"],
        [Image(pixels=picture), "What?"],
        Conversation((user(Image(pixels=picture), "What?"),)),
    ]
    answers = [assistant.ask(way, max_tokens=6) for way in ways]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].usage.image_tokens == 4
    assert 0 < answers[0].usage.completion_tokens <= 6
    assert answers[0].usage.prompt_tokens > 20


def test_a_string_that_names_a_file_stays_text(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(b"not even a picture")
    assert assistant.ask(["photo.png"], max_tokens=1).usage.image_tokens == 0
    assert assistant.ask("photo.png", max_tokens=1).usage.image_tokens == 0


def test_a_stream_adds_up_to_the_answer(assistant: Assistant) -> None:
    settings = {"temperature": 1.0, "seed": 5, "max_tokens": 20, "logprobs": 2}
    stream = assistant.stream("Hello", **settings)
    with pytest.raises(RuntimeError, match="not finished"):
        _ = stream.answer
    text = "".join(stream)
    assert stream.answer.logprobs == assistant.ask("Hello", **settings).logprobs
    assert stream.answer.text == text
    assert len(stream.answer.logprobs) == stream.answer.usage.completion_tokens


def test_a_misspelt_setting_names_the_right_one(assistant: Assistant) -> None:
    with pytest.raises(SamplingError, match="did you mean temperature"):
        assistant.ask("Hello", temprature=1)


def test_what_is_no_question_is_refused_at_once(assistant: Assistant, picture: PILImage.Image) -> None:
    for wrong in (picture, b"bytes", Path("a.png")):
        with pytest.raises(ConversationError, match="a list such as"):
            assistant.stream(wrong)  # type: ignore[arg-type]
    with pytest.raises(ConversationError, match="not int"):
        assistant.stream([3])  # type: ignore[list-item]
    with pytest.raises(ConversationError, match="no file"):
        assistant.describe(Path("absent.png"))


def test_a_folder_loads_by_path_and_describes(
    assistant: Assistant, model: VisionLanguageModel, picture: PILImage.Image, tmp_path: Path
) -> None:
    hf.save(model, tmp_path)
    byte_processor().save(tmp_path)
    with Assistant.load(tmp_path, replace(ON_TORCH, dtype=torch.float32)) as again:
        assert again.describe(picture, max_tokens=5).text == assistant.describe(picture, max_tokens=5).text
    with pytest.raises(WeightsError, match="no file or folder"):
        Assistant.load(tmp_path / "absent")


def test_a_processor_of_another_checkpoint_is_refused() -> None:
    with pytest.raises(hf.CheckpointError, match="disagree about the image token: 100 and 258"):
        Engine(VisionLanguageModel(TINY), byte_processor())


def test_a_servers_model_is_named_behind_its_address() -> None:
    with pytest.raises(EngineError, match="names no model"):
        Assistant.load("http://127.0.0.1:9/v1")
    with Assistant.load("http://127.0.0.1:9/v1#some/model") as assistant:
        assert isinstance(assistant.engine, Upstream) and assistant.engine.model == "some/model"


@pytest.mark.bundled
def test_the_base_decoder_knows_the_capital_of_france() -> None:
    """A wrong row order or rope layout of the GGUF file would give fluent nonsense or noise."""
    from clearsight import mini

    engine = Engine(mini.base_model(torch.float32), mini.processor(), ON_TORCH)
    with Assistant(engine) as assistant:
        assert "Paris" in assistant.ask("What is the capital of France?", max_tokens=20).text
