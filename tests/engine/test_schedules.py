"""Random schedules against the oracle: whatever comes when, with whatever blocks, every answer is what it is alone.

A schedule draws a pool (sometimes hardly larger than one answer), limits of a step, requests that share beginnings and
pictures or have pictures of their own, arrivals, priorities, cancellations and settings; then steps run to the end.
"""

import random
from dataclasses import dataclass, field

import pytest
import torch
from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, Message, assistant, user
from clearsight.decoding.choice import Chooser
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import AnswerText, TokenEvent, Usage
from clearsight.engine.blocks import BlockPool
from clearsight.engine.core import Core
from clearsight.engine.paged import PagedDecoder
from clearsight.engine.pictures import FeatureCache
from clearsight.engine.prompt import read_prompt
from clearsight.engine.runner import Runner
from clearsight.engine.scheduler import Limits
from clearsight.engine.sequence import Sequence
from clearsight.engine.speculation import PromptLookup
from clearsight.engine.stream import Cancelled
from clearsight.generation import generate
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

PICTURES = [PILImage.new("RGB", (32, 32), color) for color in ("red", "navy", "olive", "white")]
TEXTS = [
    "a",
    "ab",
    "abababab",
    "What is in this picture?",
    "What is in that picture?",
    "aaaaaaaaaaaaaaaa",
    "b" * 31,
]
SAMPLINGS = (
    {},
    {},
    {},
    {"temperature": 1.0, "seed": 3},
    {"temperature": 0.7, "top_p": 0.8, "seed": 4, "frequency_penalty": 0.5},
    {"stop": ("a",)},
)
MOST_STEPS = 3000


@dataclass
class Request:
    """One answer asked for, and what came of it."""

    conversation: int
    sampling: Sampling
    arrives: int
    cancelled_at: int | None
    priority: float
    leader: int | None
    sequence: Sequence | None = None
    got: list[TokenEvent] = field(default_factory=list)
    usage: Usage | None = None
    error: Exception | None = None

    def deliver(self, event: TokenEvent | Exception, usage: Usage | None) -> None:
        if isinstance(event, Exception):
            self.error = event
        else:
            self.got.append(event)
        self.usage = usage


class Oracle:
    """Answers of the exact generator, each worked out once."""

    def __init__(self, model: VisionLanguageModel, processor: Processor):
        self.model, self.processor = model, processor
        self.conversations = _conversations()
        self._known: dict[tuple[int, Sampling], list[TokenEvent]] = {}

    def answer(self, conversation: int, sampling: Sampling) -> list[TokenEvent]:
        key = (conversation, sampling)
        if key not in self._known:
            prompt = self.processor.prepare(self.conversations[conversation])
            self._known[key] = list(generate(self.model, self.processor, prompt, sampling))
        return self._known[key]


def _conversations() -> list[Conversation]:
    rng = random.Random(0)
    found = []
    for _ in range(40):
        messages: list[Message] = []
        for turn in range(rng.choice([1, 1, 2])):
            pictures = [Image(pixels=rng.choice(PICTURES)) for _ in range(rng.choice([0, 1, 1, 2]))]
            messages += [assistant(rng.choice(TEXTS))] if turn else []
            messages.append(user(*pictures, rng.choice(TEXTS)))
        found.append(Conversation(tuple(messages)))
    return found


@pytest.fixture(scope="module")
def oracle(model: VisionLanguageModel, processor: Processor) -> Oracle:
    return Oracle(model, processor)


def drawn(rng: random.Random, oracle: Oracle) -> list[Request]:
    favourites = rng.sample(range(len(oracle.conversations)), 3)  # so that beginnings are shared often
    requests: list[Request] = []
    for number in range(rng.randint(1, 7)):
        settings = rng.choice(SAMPLINGS) | {"max_tokens": rng.choice([1, 2, 5, 12, 20])}
        leader = None
        conversation = rng.choice(favourites)
        if requests and rng.random() < 0.15:
            leader = rng.randrange(number)
            conversation = requests[leader].conversation
        requests.append(
            Request(
                conversation,
                Sampling(**settings),  # type: ignore[arg-type]
                arrives=rng.choice([0, 0, rng.randint(0, 30)])
                if leader is None
                else requests[leader].arrives,
                cancelled_at=rng.randint(0, 40) if rng.random() < 0.2 else None,
                priority=rng.choice([0, 0, 0, -20, 20]),
                leader=leader,
            )
        )
    return requests


def sequence_of(
    request: Request, requests: list[Request], oracle: Oracle, now: int, proposals: int
) -> Sequence:
    processor, config = oracle.processor, oracle.model.config
    ids, pictures = read_prompt(processor, oracle.conversations[request.conversation], b"test")
    end_ids = {config.eos_token_id, processor.end_of_turn_id}
    decoder = processor.tokenizer.stream_decoder()
    budget = request.sampling.max_tokens
    assert budget is not None
    return Sequence(
        tokens=ids,
        pictures=pictures,
        chooser=Chooser(request.sampling, ids, end_ids),
        text=AnswerText(decoder, request.sampling.stop, end_ids, budget),
        lookup=PromptLookup(proposals, frozenset({processor.image_token_id})),
        domain=b"test",
        deliver=request.deliver,
        order=now + request.priority,
        submitted=0.0,
        leader=None if request.leader is None else requests[request.leader].sequence,
    )


def run_schedule(seed: int, oracle: Oracle) -> None:
    rng = random.Random(seed)
    requests = drawn(rng, oracle)
    block_size = rng.choice([1, 2, 4, 7, 16])
    longest = max(
        len(read_prompt(oracle.processor, oracle.conversations[r.conversation], b"")[0])
        + (r.sampling.max_tokens or 0)
        for r in requests
    )
    num_blocks = -(-longest // block_size) + rng.choice([0, 0, 1, 3, 10, 200])
    pool = BlockPool(num_blocks, block_size)
    model = oracle.model
    runner = Runner(
        oracle.processor,
        model.text_model.embed_tokens.weight,
        model.encode_images,
        PagedDecoder(model, num_blocks, block_size),
        FeatureCache(rng.choice([0, 4 * 16 * 8, 10**6])),
    )
    limits = Limits(rng.choice([1, 2, 4, 16]), rng.choice([1, 3, 8, 64, 512]), tiles=rng.choice([1, 8]))
    core = Core(runner, pool, limits, prefix_cache=rng.random() < 0.8)
    proposals = rng.choice([0, 2, 5])
    step = 0
    while step < MOST_STEPS:
        for request in requests:
            if request.arrives == step:
                request.sequence = sequence_of(request, requests, oracle, step, proposals)
                core.add(request.sequence)
            if request.cancelled_at == step and request.sequence is not None:
                core.cancel(request.sequence)
        if core.busy:
            core.step()
            pool.check()
        elif all(request.arrives <= step for request in requests):
            break
        step += 1
    assert step < MOST_STEPS, "some answer never ended"
    assert pool.num_free == num_blocks, "blocks are still held when everything has ended"
    for request in requests:
        expected = oracle.answer(request.conversation, request.sampling)
        if request.error is not None:
            assert isinstance(request.error, Cancelled)
            assert request.got == expected[: len(request.got)]
        else:
            assert request.got == expected
            assert request.usage is not None
            assert request.usage.completion_tokens == len(expected)
            assert (request.usage.cached_tokens or 0) < request.usage.prompt_tokens


def run_many(seeds: range, oracle: Oracle) -> None:
    torch.set_num_threads(1)
    for seed in seeds:
        try:
            run_schedule(seed, oracle)
        except BaseException as error:
            error.add_note(f"schedule {seed}")
            raise


def test_answers_in_any_schedule_are_those_given_alone(oracle: Oracle) -> None:
    run_many(range(60), oracle)


@pytest.mark.slow
def test_answers_in_many_more_schedules(oracle: Oracle, num_schedules: int) -> None:
    run_many(range(60, num_schedules), oracle)
