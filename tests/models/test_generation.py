"""Generation: what stops it, what a seed promises, what a stream may show."""

import math

import pytest
import torch
from PIL import Image as PILImage
from tiny_model import TINY_BYTES, byte_processor
from torch import Tensor

from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.choice import filtered_logits
from clearsight.decoding.sampling import Sampling, SamplingError
from clearsight.decoding.text import ContextError, TokenEvent
from clearsight.generation import generate
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import ModelInput, Processor

SNOWMAN = "☃"


@pytest.fixture(scope="module")
def processor() -> Processor:
    return byte_processor()


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    torch.manual_seed(0)
    model = VisionLanguageModel(TINY_BYTES).eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=parameter[0].numel() ** -0.5)
    return model


@pytest.fixture(scope="module")
def prompt(processor: Processor) -> ModelInput:
    picture = PILImage.effect_noise((32, 32), 80).convert("RGB")
    return processor.prepare(Conversation((user(Image(pixels=picture), "What?"),)))


class Scripted(VisionLanguageModel):
    """Says given bytes, then the end token, whatever it reads."""

    def __init__(self, processor: Processor, said: str, ends: bool = True):
        super().__init__(TINY_BYTES)
        self.script = processor.tokenizer.encode_text(said)
        if ends:
            self.script.append(TINY_BYTES.eos_token_id)
        self.step = 0

    def logits(self, hidden: Tensor) -> Tensor:
        scores = torch.zeros(*hidden.shape[:-1], TINY_BYTES.text.vocab_size)
        scores[..., self.script[self.step % len(self.script)]] = 50.0
        self.step += 1
        return scores


def run(processor: Processor, prompt: ModelInput, said: str, **sampling: object) -> list[TokenEvent]:
    return list(generate(Scripted(processor, said), processor, prompt, Sampling(**sampling)))  # type: ignore[arg-type]


def test_greedy_text_equals_reading_everything_again_each_time(
    model: VisionLanguageModel, processor: Processor, prompt: ModelInput
) -> None:
    events = list(generate(model, processor, prompt, Sampling(max_tokens=12)))
    tiles = prompt.tiles_NCSS.float() / 127.5 - 1
    embeds = model.embed(prompt.input_ids_T[None], model.encode_images(tiles))
    for event in events:
        assert int(model.logits(model.text_model(embeds))[0, -1].argmax()) == event.token_id
        new = model.text_model.embed_tokens(torch.tensor([[event.token_id]]))
        embeds = torch.cat([embeds, new], dim=1)
    assert len(events) > 3


def test_the_end_token_stops_without_text(processor: Processor, prompt: ModelInput) -> None:
    events = run(processor, prompt, "hello")
    assert "".join(event.text for event in events) == "hello"
    assert [event.finish_reason for event in events] == [None] * 5 + ["stop"]
    assert events[-1].token_id == TINY_BYTES.eos_token_id


def test_a_limit_stops_with_its_own_reason(processor: Processor, prompt: ModelInput) -> None:
    events = run(processor, prompt, "hello", max_tokens=3)
    assert "".join(event.text for event in events) == "hel"
    assert [event.finish_reason for event in events] == [None, None, "length"]


def test_the_context_is_a_limit_too(processor: Processor, prompt: ModelInput) -> None:
    room = TINY_BYTES.text.max_position_embeddings - prompt.num_tokens
    events = run(processor, prompt, "x" * 1000)
    assert len(events) == room and events[-1].finish_reason == "length"
    long = processor.prepare(Conversation((user("y" * 600),)))
    with pytest.raises(ContextError, match=r"has \d+ tokens and the model reads 300"):
        run(processor, long, "x")


@pytest.mark.parametrize(
    ("said", "stop", "shown", "tokens"),
    [
        ("one. END two", ("END",), "one. ", 8),  # completed over three tokens
        ("aab", ("ab",), "a", 3),  # a false start just before
        ("ENEND", ("END",), "EN", 5),
        ("xENy", ("END",), "xENy", 5),  # only its beginning ever came
        ("abcdef", ("ef", "cd"), "ab", 4),  # the first to be complete wins
        (f"a{SNOWMAN}b", (SNOWMAN,), "a", 4),  # a character of three tokens
        ("END", ("END",), "", 3),
    ],
)
def test_a_stop_string_ends_the_text_before_it(
    processor: Processor, prompt: ModelInput, said: str, stop: tuple[str, ...], shown: str, tokens: int
) -> None:
    events = run(processor, prompt, said, stop=stop)
    assert "".join(event.text for event in events) == shown
    assert len(events) == tokens
    assert events[-1].finish_reason == "stop"


def test_a_stream_never_shows_what_it_must_take_back(processor: Processor, prompt: ModelInput) -> None:
    said = f"one {SNOWMAN} two EN three"
    shown = ""
    for event in run(processor, prompt, said, stop=("END",)):
        shown += event.text
        assert said.startswith(shown) and "�" not in shown
        assert not (shown.endswith("EN") and event.finish_reason is None)
    assert shown == said


def test_a_character_cut_off_by_the_limit_is_shown_as_broken(
    processor: Processor, prompt: ModelInput
) -> None:
    events = run(processor, prompt, f"a{SNOWMAN}", max_tokens=3)
    assert "".join(event.text for event in events) == "a�"


def test_a_seed_repeats_its_text_and_another_does_not(
    model: VisionLanguageModel, processor: Processor, prompt: ModelInput
) -> None:
    def ids(seed: int | None) -> list[int]:
        torch.rand(3)  # somebody else uses the global generator
        sampling = Sampling(temperature=1.0, seed=seed, max_tokens=12)
        return [event.token_id for event in generate(model, processor, prompt, sampling)]

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)
    assert ids(None) != ids(None)


def test_top_k_of_one_is_greedy_at_any_temperature(
    model: VisionLanguageModel, processor: Processor, prompt: ModelInput
) -> None:
    greedy = list(generate(model, processor, prompt, Sampling(max_tokens=8)))
    drawn = list(generate(model, processor, prompt, Sampling(temperature=2.0, top_k=1, max_tokens=8)))
    assert [event.token_id for event in drawn] == [event.token_id for event in greedy]


def test_the_cuts_keep_what_their_definitions_say() -> None:
    scores = torch.tensor([0.1, 0.4, 0.2, 0.3]).log()

    def kept(**settings: float) -> list[int]:
        cut = filtered_logits(scores, Sampling(**{"temperature": 1.0, **settings}))  # type: ignore[arg-type]
        return (cut > -math.inf).nonzero()[:, 0].tolist()

    assert kept() == [0, 1, 2, 3]
    assert kept(top_k=2) == [1, 3]
    assert kept(top_k=99) == [0, 1, 2, 3]
    assert kept(top_p=0.39) == [1]
    assert kept(top_p=0.41) == [1, 3]
    assert kept(top_p=0.89) == [1, 2, 3]
    # Top-p is taken of what top-k left: 0.4 / 0.7 alone is above one half.
    assert kept(top_k=2, top_p=0.5) == [1]
    tied = filtered_logits(torch.zeros(5), Sampling(temperature=1.0, top_k=2))
    assert (tied > -math.inf).nonzero()[:, 0].tolist() == [0, 1]


def test_draws_follow_the_probabilities(processor: Processor, prompt: ModelInput) -> None:
    class Coin(Scripted):
        def logits(self, hidden: Tensor) -> Tensor:
            scores = torch.full((*hidden.shape[:-1], TINY_BYTES.text.vocab_size), -math.inf)
            scores[..., 65], scores[..., 66] = math.log(0.8), math.log(0.2)
            return scores

    events = list(generate(Coin(processor, ""), processor, prompt, Sampling(temperature=1.0, seed=3)))
    share = sum(event.token_id == 65 for event in events) / len(events)
    assert len(events) > 200 and 0.7 < share < 0.9


def test_logprobs_are_the_models_own(
    model: VisionLanguageModel, processor: Processor, prompt: ModelInput
) -> None:
    sampling = Sampling(temperature=0.5, seed=1, max_tokens=2, logprobs=3)
    event = next(generate(model, processor, prompt, sampling))
    scores = model(prompt.input_ids_T[None], prompt.tiles_NCSS.float() / 127.5 - 1)[0, -1].log_softmax(-1)
    assert event.logprob is not None
    assert event.logprob.token_id == event.token_id
    assert event.logprob.logprob == pytest.approx(float(scores[event.token_id]), abs=1e-4)
    best, ids = scores.topk(3)
    assert [one.token_id for one in event.logprob.top] == ids.tolist()
    assert [one.logprob for one in event.logprob.top] == pytest.approx(best.tolist(), abs=1e-4)
    assert event.logprob.token == processor.tokenizer.token_bytes(event.token_id)
    bare = next(generate(model, processor, prompt, Sampling(max_tokens=1, logprobs=0)))
    assert bare.logprob is not None and bare.logprob.top == ()
    assert next(generate(model, processor, prompt, Sampling(max_tokens=1))).logprob is None


def test_damaged_weights_are_an_error_and_not_a_text(processor: Processor, prompt: ModelInput) -> None:
    broken = VisionLanguageModel(TINY_BYTES).eval().requires_grad_(False)
    broken.text_model.norm.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="damaged"):
        next(generate(broken, processor, prompt, Sampling()))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", "1"),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", 0),
        ("top_k", 1.5),
        ("max_tokens", 0),
        ("max_tokens", True),
        ("seed", -1),
        ("logprobs", 21),
        ("stop", ("",)),
    ],
)
def test_a_setting_out_of_range_is_named(setting: str, value: object) -> None:
    with pytest.raises(SamplingError, match=f"^{setting} is "):
        Sampling(**{setting: value})  # type: ignore[arg-type]


def test_one_stop_string_may_come_alone() -> None:
    assert Sampling(stop="END").stop == ("END",)  # type: ignore[arg-type]
