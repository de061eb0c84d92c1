"""How fast an engine is on this machine, measured as its callers would feel it.

Every figure is a median over rounds, of questions about generated pictures that differ, so that no cache helps unless
the figure is about the cache.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.engine.engine import Engine
from clearsight.engine.stream import Stream
from clearsight.process_memory import peak_memory

CONCURRENT = (1, 4, 8, 16)
WORDS = "What is shown in this picture, and which of its parts stands out? "


@dataclass
class Measured:
    """Seconds and tokens a second; `concurrent` maps how many chats about pictures go on at once to their total."""

    weights: str
    first_token: float = 0.0  # one new picture and a short question
    first_token_again: float = 0.0  # another question about the same picture
    prefill: float = 0.0  # tokens of a long prompt a second
    prefill_tokens: int = 0
    decode: float = 0.0  # one answer, after its first token
    concurrent: dict[int, float] = field(default_factory=dict)
    memory_gb: float = 0.0  # largest resident size of this process
    rounds: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    engine: Engine, *, rounds: int = 3, tokens: int = 64, progress: Callable[[str], None] = lambda what: None
) -> Measured:
    """Measure an idle engine; takes seconds to minutes. `progress` is told what comes next."""
    pictures = _pictures()
    found = Measured(engine.weights, rounds=rounds)
    progress("warming up")
    engine.submit(_asked(next(pictures)), _exactly(8)).result()
    first, again, prefill, decode = [], [], [], []
    long_prompt = min(1024, engine.context - 32)
    concurrent: dict[int, list[float]] = {
        count: [] for count in CONCURRENT if count <= engine.config.max_sequences
    }
    for number in range(1, rounds + 1):
        progress(f"round {number} of {rounds}: first token")
        picture = next(pictures)
        first.append(_first_token(engine, _asked(picture)))
        again.append(_first_token(engine, _asked(picture, "How many colours are there?")))
        progress(f"round {number} of {rounds}: long prompt")
        text = _text_of(engine, long_prompt, number)
        found.prefill_tokens = long_prompt
        prefill.append(long_prompt / _first_token(engine, text))
        progress(f"round {number} of {rounds}: one answer")
        decode.append(_decode(engine, _asked(next(pictures)), 2 * tokens))
        for count in concurrent:
            progress(f"round {number} of {rounds}: {count} at once")
            concurrent[count].append(
                _together(engine, [_asked(next(pictures)) for _ in range(count)], tokens)
            )
    found.first_token, found.first_token_again = statistics.median(first), statistics.median(again)
    found.prefill, found.decode = statistics.median(prefill), statistics.median(decode)
    found.concurrent = {count: statistics.median(rates) for count, rates in concurrent.items()}
    found.memory_gb = peak_memory() / 1e9
    return found


def _exactly(tokens: int) -> Sampling:
    return Sampling(max_tokens=tokens, min_tokens=tokens)


def _pictures() -> Iterator[PILImage.Image]:
    """Pictures that are never the same twice."""
    start = time.time_ns()
    for number in itertools.count(start):
        noise = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        yield PILImage.fromarray(noise).resize((448, 448))


def _asked(picture: PILImage.Image, question: str = WORDS) -> Conversation:
    return Conversation((user(Image(pixels=picture), question),))


def _text_of(engine: Engine, tokens: int, number: int) -> Conversation:
    """A text-only question of about so many tokens that no other shares a beginning with."""
    encode = engine.processor.tokenizer.encode_text
    beginning = f"{time.time_ns()} {number} "
    words = beginning + WORDS * (tokens // len(encode(WORDS)) + 1)
    ids = encode(words)[: max(1, tokens - 8)]
    return Conversation((user(engine.processor.tokenizer.decode(ids)),))


def _first_token(engine: Engine, conversation: Conversation) -> float:
    began = time.perf_counter()
    stream = engine.submit(conversation, _exactly(2))
    next(stream)
    seconds = time.perf_counter() - began
    stream.result()
    return seconds


def _decode(engine: Engine, conversation: Conversation, tokens: int) -> float:
    stream = engine.submit(conversation, _exactly(tokens))
    next(stream)
    began = time.perf_counter()
    count = sum(1 for _ in stream)
    return count / (time.perf_counter() - began)


def _together(engine: Engine, conversations: list[Conversation], tokens: int) -> float:
    began = time.perf_counter()
    streams: list[Stream] = [engine.submit(conversation, _exactly(tokens)) for conversation in conversations]
    total = sum(stream.result().usage.completion_tokens for stream in streams)
    return total / (time.perf_counter() - began)
