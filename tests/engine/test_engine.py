"""The engine as a caller sees it: the corner cases where others break, identity of pictures, streams, errors."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import pytest
import torch
from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Structure, StructureError
from clearsight.decoding.text import Answer, ContextError
from clearsight.engine import Cancelled, Engine, EngineConfig, EngineError
from clearsight.engine.prompt import read_prompt
from clearsight.generation import generate
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.images import ImageError
from clearsight.processing.processor import Processor

BLOCK = 4


def config(**changes: object) -> EngineConfig:
    settings = {"weights": "model", "block_size": BLOCK, "cache_tokens": 4096, "threads": 1} | changes
    return EngineConfig(**settings)  # type: ignore[arg-type]


@pytest.fixture
def engine(model: VisionLanguageModel, processor: Processor) -> Iterator[Engine]:
    with Engine(model, processor, config()) as engine:
        yield engine
        wait_until_idle(engine)
    engine.core.pool.check()
    assert engine.core.pool.num_free == engine.core.pool.num_blocks


def wait_until_idle(engine: Engine) -> None:
    deadline = time.monotonic() + 30
    while engine.core.busy:
        assert time.monotonic() < deadline, "the engine does not come to rest"
        time.sleep(0.01)


def asked(text: str, *pictures: PILImage.Image) -> Conversation:
    return Conversation((user(*(Image(pixels=picture) for picture in pictures), text),))


def alone(
    model: VisionLanguageModel, processor: Processor, conversation: Conversation, **settings: object
) -> list[int]:
    sampling = Sampling(**settings)  # type: ignore[arg-type]
    return [e.token_id for e in generate(model, processor, processor.prepare(conversation), sampling)]


def tokens(stream: object) -> list[int]:
    return [event.token_id for event in stream]  # type: ignore[attr-defined]


def length(processor: Processor, conversation: Conversation) -> int:
    return len(read_prompt(processor, conversation, b"")[0])


def of_length(processor: Processor, wanted: int) -> Conversation:
    """A conversation of exactly so many tokens; one byte is one token."""
    return asked("x" * (1 + wanted - length(processor, asked("x"))))


@pytest.fixture(scope="module")
def noise() -> PILImage.Image:
    return PILImage.effect_noise((32, 32), 90).convert("RGB")


# --- the five corner cases


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_prompt_that_is_a_multiple_of_the_block_answers_as_alone(
    engine: Engine, model: VisionLanguageModel, processor: Processor, over: int
) -> None:
    conversation = of_length(processor, 12 * BLOCK + over)
    expected = alone(model, processor, conversation, max_tokens=9)
    assert tokens(engine.submit(conversation, Sampling(max_tokens=9))) == expected


def test_a_prompt_that_is_wholly_known_still_computes_its_last_token(
    engine: Engine, model: VisionLanguageModel, processor: Processor
) -> None:
    conversation = of_length(processor, 12 * BLOCK)
    expected = alone(model, processor, conversation, max_tokens=9)
    assert tokens(engine.submit(conversation, Sampling(max_tokens=9))) == expected
    again = engine.submit(conversation, Sampling(max_tokens=9))
    assert tokens(again) == expected
    assert again.usage is not None
    assert again.usage.cached_tokens == 11 * BLOCK


def test_a_preempted_answer_finds_its_own_blocks_again(
    model: VisionLanguageModel, processor: Processor
) -> None:
    first, second = of_length(processor, 10 * BLOCK), of_length(processor, 11 * BLOCK + 2)
    budget = 6 * BLOCK
    needed = 10 + 11 + 8  # both prompts fit, but not both answers
    with Engine(model, processor, config(cache_tokens=needed * BLOCK)) as engine:
        streams = [engine.submit(c, Sampling(max_tokens=budget, min_tokens=budget)) for c in (first, second)]
        results = [tokens(stream) for stream in streams]
        assert engine.metrics.preemptions > 0
        wait_until_idle(engine)
        engine.core.pool.check()
    for conversation, result in zip((first, second), results, strict=True):
        assert result == alone(model, processor, conversation, max_tokens=budget, min_tokens=budget)


def test_two_answers_of_one_batch_share_a_beginning(
    engine: Engine, model: VisionLanguageModel, processor: Processor, noise: PILImage.Image
) -> None:
    first, second = asked("What is in this picture?", noise), asked("What is in this place?", noise)
    streams = [engine.submit(c, Sampling(max_tokens=12)) for c in (first, second, first)]
    for stream, conversation in zip(streams, (first, second, first), strict=True):
        assert tokens(stream) == alone(model, processor, conversation, max_tokens=12)


@pytest.mark.parametrize("events", [0, 1, 5])
def test_a_cancelled_answer_frees_its_blocks_in_every_phase(
    engine: Engine, processor: Processor, noise: PILImage.Image, events: int
) -> None:
    endless = Sampling(max_tokens=200, min_tokens=200)
    staying = engine.submit(asked("and this?", noise), Sampling(max_tokens=30, min_tokens=30))
    stream = engine.submit(asked("What?" * 10, noise), endless)
    for _ in range(events):
        next(stream)
    stream.cancel()
    with pytest.raises(Cancelled):
        for _ in stream:
            pass
    stream.cancel()  # no harm
    assert len(tokens(staying)) == 30
    wait_until_idle(engine)
    assert engine.core.pool.num_free == engine.core.pool.num_blocks
    assert engine.metrics.cancelled == 1


# --- identity of pictures


def test_two_pictures_of_equal_bytes_but_other_shape_do_not_share_a_cache_entry(
    engine: Engine, model: VisionLanguageModel, processor: Processor
) -> None:
    wide = PILImage.effect_noise((48, 16), 90).convert("RGB")
    tall = PILImage.frombytes("RGB", (16, 48), wide.tobytes())
    for picture in (wide, tall):
        conversation = asked("What?", picture)
        assert tokens(engine.submit(conversation, Sampling(max_tokens=9))) == alone(
            model, processor, conversation, max_tokens=9
        )
    assert len(engine.core.runner.features) == 2


def test_equal_questions_about_different_pictures_share_nothing(
    engine: Engine, processor: Processor, noise: PILImage.Image
) -> None:
    engine.submit(asked("What is this?", noise), Sampling(max_tokens=2)).result()
    other = engine.submit(
        asked("What is this?", PILImage.new("RGB", (32, 32), "red")), Sampling(max_tokens=2)
    )
    picture_starts = read_prompt(processor, asked("What is this?", noise), b"")[1][0].span.start
    assert other.result().usage.cached_tokens <= picture_starts


def test_a_second_question_about_a_picture_neither_decodes_nor_encodes_it_again(
    engine: Engine, noise: PILImage.Image
) -> None:
    engine.submit(asked("What?", noise), Sampling(max_tokens=2)).result()
    encoded = engine.metrics.tiles_encoded
    answer = engine.submit(asked("How many?", noise), Sampling(max_tokens=2)).result()
    assert engine.metrics.tiles_encoded == encoded
    assert answer.usage.cached_tokens >= answer.usage.image_tokens


def test_what_one_tenant_asked_is_never_reused_for_another(engine: Engine, noise: PILImage.Image) -> None:
    first = engine.submit(asked("What?", noise), Sampling(max_tokens=2), tenant="a").result()
    other = engine.submit(asked("What?", noise), Sampling(max_tokens=2), tenant="b").result()
    again = engine.submit(asked("What?", noise), Sampling(max_tokens=2), tenant="b").result()
    assert other.usage.cached_tokens == 0 < again.usage.cached_tokens
    assert engine.metrics.tiles_encoded == 2
    assert first.text == other.text == again.text


# --- choosing


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 1.0, "seed": 11},
        {"temperature": 1.3, "top_k": 20, "top_p": 0.9, "min_p": 0.01, "seed": 12},
        {"repetition_penalty": 1.5, "presence_penalty": 1.0, "frequency_penalty": -0.5},
        {"logit_bias": {65: 8.0}, "min_tokens": 20},
        {"temperature": 1.0, "seed": 5, "structure": Structure.regex("[a-c]{3,30}")},
    ],
)
def test_a_seed_gives_the_same_text_alone_in_company_and_from_the_oracle(
    engine: Engine, model: VisionLanguageModel, processor: Processor, noise: PILImage.Image, settings: dict
) -> None:
    conversation = asked("What is it? It is", noise)
    expected = alone(model, processor, conversation, max_tokens=24, **settings)
    sampling = Sampling(max_tokens=24, **settings)
    company = [engine.submit(asked("x" * n), Sampling(max_tokens=24)) for n in range(1, 6)]
    assert tokens(engine.submit(conversation, sampling)) == expected
    for stream in company:
        stream.result()
    assert tokens(engine.submit(conversation, sampling)) == expected


def test_several_answers_share_one_reading_of_the_prompt(engine: Engine, noise: PILImage.Image) -> None:
    sampling = Sampling(temperature=1.2, seed=3, max_tokens=16)
    conversation = asked("What is it?" * 4, noise)
    answers = [stream.result() for stream in engine.submit_many(conversation, sampling, 4)]
    assert len({answer.text for answer in answers}) > 1
    assert [answer.usage.cached_tokens > 40 for answer in answers] == [False, True, True, True]
    assert (
        engine.submit(conversation, Sampling(temperature=1.2, seed=5, max_tokens=16)).result().text
        == answers[2].text
    )


def test_logprobs_are_those_of_the_oracle(
    engine: Engine, model: VisionLanguageModel, processor: Processor, noise: PILImage.Image
) -> None:
    conversation = asked("What?", noise)
    sampling = Sampling(max_tokens=12, logprobs=5)
    expected = [e.logprob for e in generate(model, processor, processor.prepare(conversation), sampling)]
    got = engine.submit(conversation, sampling).result().logprobs
    for mine, theirs in zip(got, expected, strict=True):
        assert theirs is not None
        assert [t.token_id for t in mine.top] == [t.token_id for t in theirs.top]
        assert [t.logprob for t in mine.top] == pytest.approx([t.logprob for t in theirs.top], abs=1e-6)


def test_repeated_text_is_guessed_ahead_and_stays_the_same(
    model: VisionLanguageModel, processor: Processor
) -> None:
    conversation = asked("abcabcabcabc")
    settings = {"max_tokens": 40, "logit_bias": {97: 90.0}}
    expected = alone(model, processor, conversation, **settings)
    with Engine(model, processor, config(proposals=5)) as engine:
        assert tokens(engine.submit(conversation, Sampling(**settings))) == expected  # type: ignore[arg-type]
        assert engine.metrics.accepted_tokens > 20
        assert engine.metrics.steps < 30


# --- structure


def test_json_is_what_its_schema_says_whatever_the_model_would_say(engine: Engine) -> None:
    schema = {
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "green"]},
            "count": {"type": "integer", "minimum": 0, "maximum": 99},
        },
        "required": ["colour", "count"],
        "additionalProperties": False,
    }
    for seed in range(5):
        sampling = Sampling(
            temperature=1.5, seed=seed, structure=Structure.json_schema(schema), max_tokens=80
        )
        answer = engine.submit(asked("?"), sampling).result()
        value = json.loads(answer.text)
        assert answer.finish_reason == "stop"
        assert value["colour"] in ("red", "green")
        assert 0 <= value["count"] <= 99


def test_a_structure_that_makes_no_sense_is_refused_at_once(engine: Engine) -> None:
    with pytest.raises(StructureError, match="regex can't be used"):
        engine.submit(asked("?"), Sampling(structure=Structure.regex("(")))
    with pytest.raises(StructureError, match="json can't be used"):
        engine.submit(asked("?"), Sampling(structure=Structure.json_schema('{"type": 5}')))


# --- callers


def test_many_threads_get_their_own_answers(
    engine: Engine, model: VisionLanguageModel, processor: Processor
) -> None:
    questions = [asked("q" * n) for n in range(1, 25)]
    got: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        got[number] = tokens(engine.submit(questions[number], Sampling(max_tokens=8)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, question in enumerate(questions):
        assert got[number] == alone(model, processor, question, max_tokens=8)


def test_a_task_reads_a_stream_without_blocking_others(engine: Engine) -> None:
    async def read(conversation: Conversation) -> list[int]:
        return [event.token_id async for event in engine.submit(conversation, Sampling(max_tokens=12))]

    async def both() -> list[list[int]]:
        return await asyncio.gather(read(asked("one")), read(asked("two")))

    first, second = asyncio.run(both())
    assert first == tokens(engine.submit(asked("one"), Sampling(max_tokens=12)))
    assert second == tokens(engine.submit(asked("two"), Sampling(max_tokens=12)))


def test_the_urgent_is_answered_before_what_came_earlier(
    model: VisionLanguageModel, processor: Processor
) -> None:
    ended: list[str] = []
    with Engine(model, processor, config(max_sequences=1)) as engine:
        blocking = engine.submit(asked("first"), Sampling(max_tokens=60, min_tokens=60))
        next(blocking)
        late = engine.submit(asked("patient"), Sampling(max_tokens=10, min_tokens=10), priority=3)
        soon = engine.submit(asked("urgent"), Sampling(max_tokens=10, min_tokens=10), priority=-3)

        def wait(name: str, stream: object) -> None:
            tokens(stream)
            ended.append(name)

        threads = [threading.Thread(target=wait, args=pair) for pair in (("late", late), ("soon", soon))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tokens(blocking)) == 59
    assert ended == ["soon", "late"]


def test_what_can_not_be_answered_is_refused_at_once(engine: Engine, processor: Processor) -> None:
    with pytest.raises(ContextError, match="300"):
        engine.submit(asked("x" * 400))
    with pytest.raises(ImageError):
        engine.submit(Conversation((user(Image(data=b"not a picture"), "?"),)))
    assert engine.submit(asked("x"), Sampling(max_tokens=3)).result().usage.completion_tokens <= 3


def test_a_picture_that_breaks_off_fails_alone(engine: Engine, noise: PILImage.Image) -> None:
    whole = Image(pixels=noise.resize((64, 64))).encoded()
    with pytest.raises(ImageError):
        engine.submit(Conversation((user(Image(data=whole[: len(whole) // 2]), "?"),)))
    assert isinstance(engine.submit(asked("?", noise), Sampling(max_tokens=3)).result(), Answer)


def test_scores_that_are_not_numbers_end_one_answer_and_no_other(
    model: VisionLanguageModel, processor: Processor
) -> None:
    with Engine(model, processor, config(prefix_cache=False)) as engine:
        forward = engine.core.runner.decoder.forward

        def broken(embeds: torch.Tensor, batch: object) -> torch.Tensor:
            scores = forward(embeds, batch)  # type: ignore[arg-type]
            scores[0] = float("nan")
            return scores

        engine.core.runner.decoder.forward = broken  # type: ignore[method-assign]
        with pytest.raises(FloatingPointError, match="weights are damaged"):
            engine.submit(asked("?"), Sampling(max_tokens=5)).result()
        engine.core.runner.decoder.forward = forward  # type: ignore[method-assign]
        assert engine.submit(asked("?"), Sampling(max_tokens=3)).result().text is not None
        assert engine.metrics.failed == 1


def test_a_picture_that_two_answers_wait_for_and_that_can_not_be_encoded_ends_both_and_no_other(
    model: VisionLanguageModel, processor: Processor, noise: PILImage.Image
) -> None:
    with Engine(model, processor, config()) as engine:
        encoder = engine.core.runner.encoder

        def broken(tiles: torch.Tensor) -> torch.Tensor:
            raise MemoryError("no room for a tile")

        engine.core.runner.encoder = broken
        both_are_there, forward = threading.Event(), engine.core.runner.decoder.forward

        def waiting(embeds: torch.Tensor, batch: object) -> torch.Tensor:
            both_are_there.wait(timeout=30)
            return forward(embeds, batch)  # type: ignore[arg-type]

        engine.core.runner.decoder.forward = waiting  # type: ignore[method-assign]
        first = engine.submit(asked("without a picture"), Sampling(max_tokens=3))
        streams = [engine.submit(asked(text, noise), Sampling(max_tokens=3)) for text in ("one", "two")]
        both_are_there.set()
        first.result()
        for stream in streams:
            with pytest.raises(MemoryError):
                stream.result()
        engine.core.runner.encoder = encoder
        assert engine.submit(asked("three", noise), Sampling(max_tokens=3)).result().usage.image_tokens == 4
        wait_until_idle(engine)
        assert engine.core.pool.num_free == engine.core.pool.num_blocks


def test_a_mistake_of_the_engines_own_ends_what_runs_and_not_the_engine(
    model: VisionLanguageModel, processor: Processor
) -> None:
    with Engine(model, processor, config()) as engine:
        plan = engine.core.scheduler.plan

        def mistaken() -> None:
            engine.core.scheduler.plan = plan  # type: ignore[method-assign]
            raise KeyError("a block that is not there")

        engine.core.scheduler.plan = mistaken  # type: ignore[method-assign, assignment]
        with pytest.raises(EngineError, match="ask again"):
            engine.submit(asked("?"), Sampling(max_tokens=3)).result()
        assert engine.submit(asked("?"), Sampling(max_tokens=3)).result().finish_reason == "length"


def test_a_closed_engine_says_so(model: VisionLanguageModel, processor: Processor) -> None:
    engine = Engine(model, processor, config())
    stream = engine.submit(asked("?"), Sampling(max_tokens=200, min_tokens=200))
    next(stream)
    engine.close()
    with pytest.raises(Cancelled, match="closed"):
        tokens(stream)
    with pytest.raises(EngineError, match="closed"):
        engine.submit(asked("?"))


@pytest.mark.parametrize(
    "change", [{"block_size": 0}, {"cache_tokens": 1}, {"weights": "int3"}, {"proposals": -1}]
)
def test_settings_out_of_range_are_named(change: dict) -> None:
    with pytest.raises(EngineError, match=next(iter(change))):
        config(**change)
