"""Eight hours' worth of mixed use in a quarter of an hour: an engine that errs, forgets or grows fails.

Requests come at random, faster than they can be answered for a while and then slower, from many threads: questions of
text and of pictures, old pictures again, several at once, short and long answers, sampled ones, several answers to
one prompt, answers that must fit a schema or be one of a choice, broken pictures and prompts that are too long. Some
are cancelled, before they begin or while they are written. Now and then everything pauses.

What fails it: an exception that is no user's error; a user's error that is not raised; an answer that breaks its
structure; usage that does not add up; a greedy question that, in a pause, is not answered as it was the first time; a
request that nobody answers; blocks that are not given back at the end; memory that grows by more than a few percent
behind the warm-up. The last line is JSON, the exit code 1 after a failure.

    python -m benchmarks.soak                       # 15 minutes
    python -m benchmarks.soak --minutes 2 --weights int4 --seed 7
"""

import argparse
import json
import os
import queue
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from clearsight.conversation import Conversation, Image, Part, Text, assistant, user
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.structure import Structure
from clearsight.decoding.text import ContextError
from clearsight.engine import Cancelled, Engine, EngineConfig
from clearsight.processing.images import ImageError
from recipes.mini.primer import shapes

WARM_UP = 0.25  # of the time: pages, compiled grammars and caches reach their size
FEATURE_CACHE = (
    8 * 2**20
)  # bytes: small enough that it is full, and gives up old pictures, behind the warm-up
MOST_AT_ONCE = 48
PATIENCE = 180.0  # seconds that one answer may take
SCHEMA = {
    "type": "object",
    "properties": {
        "shape": {"enum": ["circle", "square", "triangle", "star"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 20},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 3},
    },
    "required": ["shape", "count", "words"],
    "additionalProperties": False,
}
TOPICS = (
    "the sea",
    "a clock",
    "seven cats",
    "Paris",
    "rain in October",
    "an old map",
    "bread",
    "the number nine",
)


class Broken(RuntimeError):
    """Something that must not happen did; the message says what."""


@dataclass
class Tally:
    """What happened; written from many threads."""

    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    cancelled: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    written: int = 0
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def failed(self, kind: str, error: BaseException) -> None:
        with self.lock:
            self.failures.append(f"{kind}: {type(error).__name__}: {error}")


class Soak:
    """One engine and everything that is asked of it."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.tally = Tally()
        self._random = random.Random(seed)
        self._drawn = 0
        self._old = [self._new_picture() for _ in range(24)]
        self._known: dict[str, str] = {}
        self._kinds: dict[str, tuple[float, Callable[[random.Random], None]]] = {
            "text": (20, self._text),
            "long": (6, self._long),
            "turns": (8, self._turns),
            "picture": (20, self._picture),
            "old picture": (14, self._old_picture),
            "pictures": (5, self._pictures),
            "sampled": (8, self._sampled),
            "several": (3, self._several),
            "structured": (8, self._structured),
            "choice": (4, self._choice),
            "cancelled": (10, self._cancelled),
            "broken": (3, self._broken),
            "too long": (1, self._too_long),
        }

    def request(self) -> None:
        """One request of a kind drawn at random; whatever goes wrong is noted."""
        with self.tally.lock:
            shares = [share for share, _ in self._kinds.values()]
            kind = self._random.choices(list(self._kinds), shares)[0]
            drawn = random.Random(self._random.getrandbits(64))
            self.tally.kinds[kind] += 1
        began = time.monotonic()
        try:
            self._kinds[kind][1](drawn)
        except Exception as error:
            self.tally.failed(kind, error)
        with self.tally.lock:
            self.tally.slowest = max(self.tally.slowest, time.monotonic() - began)

    def check_alone(self) -> None:
        """Greedy questions, asked one after the other: each answer as it was the first time."""
        for number, topic in enumerate(TOPICS):
            parts: tuple[Part, ...] = (Text(f"Write a sentence about {topic}."),)
            if number % 2:
                parts = (self._old[number], *parts)
            text = self._whole(Conversation((user(*parts),)), Sampling(max_tokens=24)).text
            if self._known.setdefault(topic, text) != text:
                error = Broken(f"about {topic} it said {self._known[topic]!r}, and later {text!r}")
                self.tally.failed("greedy", error)

    # Kinds of requests

    def _text(self, drawn: random.Random) -> None:
        question = f"Tell me about {drawn.choice(TOPICS)}, {drawn.randrange(10**6)}."
        self._whole(Conversation((user(question),)), Sampling(max_tokens=drawn.randint(1, 48)))

    def _long(self, drawn: random.Random) -> None:
        words = " ".join(drawn.choice(TOPICS) for _ in range(drawn.randint(100, 400)))
        settings = Sampling(max_tokens=drawn.randint(100, 300), min_tokens=drawn.choice((0, 90)))
        self._whole(Conversation((user(f"Go on: {words}"),)), settings)

    def _turns(self, drawn: random.Random) -> None:
        conversation = Conversation((user(f"My number is {drawn.randrange(10**9)}. What is it?"),))
        for topic in drawn.sample(TOPICS, drawn.randint(1, 3)):
            said = self._whole(conversation, Sampling(max_tokens=16)).text
            conversation = conversation.with_message(assistant(said or "Well.")).with_message(
                user(f"And {topic}?")
            )

    def _picture(self, drawn: random.Random) -> None:
        self._about(drawn, [self._new_picture()])

    def _old_picture(self, drawn: random.Random) -> None:
        self._about(drawn, [drawn.choice(self._old)])

    def _pictures(self, drawn: random.Random) -> None:
        self._about(drawn, drawn.choices([*self._old, self._new_picture()], k=drawn.randint(2, 9)))

    def _sampled(self, drawn: random.Random) -> None:
        settings = Sampling(
            temperature=drawn.uniform(0.2, 1.5),
            top_p=drawn.uniform(0.5, 1),
            top_k=drawn.choice((None, 20)),
            seed=drawn.randrange(2**31),
            presence_penalty=drawn.choice((0.0, 0.5)),
            stop=(drawn.choice(("the", ".", "\n\n")),),
            max_tokens=drawn.randint(1, 64),
            logprobs=drawn.choice((None, 0, 5)),
        )
        answer = self._whole(Conversation((user(f"A story of {drawn.choice(TOPICS)}."),)), settings)
        if settings.stop[0] in answer.text:
            raise Broken(f"{settings.stop[0]!r} was to stop the answer and is in it: {answer.text!r}")
        if settings.logprobs is not None and len(answer.logprobs) != answer.usage.completion_tokens:
            raise Broken(f"{len(answer.logprobs)} logprobs of {answer.usage.completion_tokens} tokens")

    def _several(self, drawn: random.Random) -> None:
        conversation = Conversation((user(drawn.choice(self._old), "What might this be?"),))
        settings = Sampling(temperature=1.0, seed=drawn.randrange(2**31), max_tokens=24)
        for stream in self.engine.submit_many(conversation, settings, drawn.randint(2, 5)):
            self._count(stream.result().usage, settings)

    def _structured(self, drawn: random.Random) -> None:
        parts = (drawn.choice(self._old), Text("Describe it as JSON."))
        settings = Sampling(
            structure=Structure.json_schema(SCHEMA), max_tokens=160, temperature=drawn.choice((0.0, 1.0))
        )
        answer = self._whole(Conversation((user(*parts),)), settings)
        if answer.finish_reason == "stop" and set(json.loads(answer.text)) != set(SCHEMA["required"]):
            raise Broken(f"this does not fit the schema: {answer.text!r}")

    def _choice(self, drawn: random.Random) -> None:
        options = drawn.sample(("circle", "square", "star", "nothing of the kind"), 3)
        settings = Sampling(structure=Structure.choice(options))
        answer = self._whole(Conversation((user(self._new_picture(), "What shape is it?"),)), settings)
        if answer.text not in options:
            raise Broken(f"{answer.text!r} is none of {options}")

    def _cancelled(self, drawn: random.Random) -> None:
        picture = drawn.random() < 0.5
        parts: tuple[Part, ...] = (Text(f"Write {drawn.randrange(10**6)} words on {drawn.choice(TOPICS)}."),)
        if picture:
            parts = (self._new_picture(), *parts)
        stream = self.engine.submit(Conversation((user(*parts),)), Sampling(max_tokens=200, min_tokens=100))
        wanted = drawn.choice((0, 0, 1, 5, 30))
        try:
            if wanted:
                for seen, _ in enumerate(stream, 1):
                    if seen == wanted:
                        break
            else:
                time.sleep(drawn.choice((0.0, 0.005, 0.2)))
            stream.cancel()
            for _ in stream:
                pass
        except Cancelled:
            with self.tally.lock:
                self.tally.cancelled += 1
        else:
            raise Broken("it was cancelled long before its end, and ended all the same")

    def _broken(self, drawn: random.Random) -> None:
        data = self._old[0].encoded()
        cut = data[: drawn.randrange(8, len(data) // 2)] if drawn.random() < 0.5 else os.urandom(200)
        try:
            self.engine.submit(
                Conversation((user(Image(data=cut), "What is it?"),)), Sampling(max_tokens=4)
            ).result()
        except ImageError:
            return
        raise Broken("a broken picture was answered")

    def _too_long(self, drawn: random.Random) -> None:
        words = " ".join(drawn.choice(TOPICS) for _ in range(9_000))
        try:
            self.engine.submit(Conversation((user(words),)), Sampling(max_tokens=4)).result()
        except ContextError:
            return
        raise Broken("a prompt longer than the context was answered")

    # What they share

    def _about(self, drawn: random.Random, pictures: list[Image]) -> None:
        question = drawn.choice(
            ("What shape is this?", "How many shapes are there?", "Describe this picture.")
        )
        settings = Sampling(max_tokens=drawn.choice((8, 24)))
        answer = self._whole(Conversation((user(*pictures, question),)), settings)
        if answer.usage.image_tokens < len(pictures):
            raise Broken(f"{answer.usage.image_tokens} image tokens for {len(pictures)} pictures")

    def _whole(self, conversation: Conversation, settings: Sampling) -> Any:
        answer = self.engine.submit(conversation, settings).result()
        self._count(answer.usage, settings)
        return answer

    def _count(self, usage: Any, settings: Sampling) -> None:
        most = settings.max_tokens or 10**9
        if not (0 < usage.completion_tokens <= most and 0 <= usage.cached_tokens < usage.prompt_tokens):
            raise Broken(f"this usage can't be: {usage}")
        with self.tally.lock:
            self.tally.prompt_tokens += usage.prompt_tokens
            self.tally.cached_tokens += usage.cached_tokens
            self.tally.written += usage.completion_tokens

    def _new_picture(self) -> Image:
        with self.tally.lock:
            self._drawn += 1
            seed = 5_000_000 + self._drawn
        return Image(data=Image(pixels=shapes.sample(seed, "eval").picture).encoded())


class Memory:
    """This process's resident memory, looked at every half second."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._ended.wait(0.5):
            resident = int(Path("/proc/self/statm").read_text().split()[1])
            self.seen.append((time.monotonic(), resident * page))

    def stop(self) -> None:
        self._ended.set()

    def medians(self, began: float, seconds: float) -> tuple[float, float]:
        """Bytes just behind the warm-up, and at the end: medians over a tenth of the time each."""
        span = seconds / 10

        def median(start: float) -> float:
            values = [size for moment, size in self.seen if start <= moment < start + span]
            return statistics.median(values or [self.seen[-1][1]])

        return median(began + WARM_UP * seconds), median(began + seconds - span)


def drive(soak: Soak, seconds: float, rate: float, advance: Callable[[float], None]) -> int:
    """Send requests until the time is over, then wait for their answers; how many nobody answered."""
    began = time.monotonic()
    places = threading.Semaphore(MOST_AT_ONCE)
    done: queue.SimpleQueue[None] = queue.SimpleQueue()
    drawn, sent, next_check = random.Random(0), 0, seconds / 6

    def run() -> None:
        try:
            soak.request()
        finally:
            places.release()
            done.put(None)

    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        while (now := time.monotonic() - began) < seconds:
            advance(now)
            if now >= next_check:  # a pause: what was sent is answered, and greedy answers are compared alone
                _wait(places)
                soak.check_alone()
                next_check += seconds / 6
            if places.acquire(timeout=1):
                threads.submit(run)
                sent += 1
            busy = 2.0 if int(now / 20) % 3 == 0 else 0.7  # every minute a rush of twenty seconds
            time.sleep(min(drawn.expovariate(rate * busy), 2))
        unanswered = _wait(places)
        threads.shutdown(wait=unanswered == 0, cancel_futures=True)
    return unanswered


def _wait(places: threading.Semaphore) -> int:
    """Until all that was sent is answered; how many are not after a long while."""
    end, taken = time.monotonic() + PATIENCE, 0
    while taken < MOST_AT_ONCE and places.acquire(timeout=max(0, end - time.monotonic())):
        taken += 1
    places.release(taken)
    return MOST_AT_ONCE - taken


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rate", type=float, default=4, help="requests a second, on average")
    parser.add_argument("--weights", default="auto", help="auto, model, float32, int8 or int4")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--growth", type=float, default=4, help="percent that memory may grow behind the warm-up"
    )
    arguments = parser.parse_args()
    console = Console(stderr=True)
    seconds = arguments.minutes * 60
    with console.status("Loading ..."):
        config = EngineConfig(
            weights=arguments.weights,
            threads=arguments.threads,
            cache_tokens=8_192,
            feature_cache_bytes=FEATURE_CACHE,
        )
        engine = Engine.load("mini", config)
        soak = Soak(engine, arguments.seed)
        soak.check_alone()
    memory, began = Memory(), time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Soaking", total=seconds)

        def advance(now: float) -> None:
            text = f"{sum(soak.tally.kinds.values())} requests, {len(soak.tally.failures)} failures"
            bar.update(task, completed=now, description=text)

        unanswered = drive(soak, seconds, arguments.rate, advance)
    memory.stop()
    early, late = memory.medians(began, seconds)
    time.sleep(0.5)
    metrics = engine.metrics.snapshot()
    growth = 100 * (late / early - 1)
    failures = list(soak.tally.failures)
    if unanswered:
        failures.append(f"{unanswered} requests were not answered within {PATIENCE:.0f} s")
    if metrics["running"] or metrics["waiting"]:
        failures.append(f"{metrics['running']} running and {metrics['waiting']} waiting when all was read")
    if metrics["blocks_free"] != config.cache_tokens // config.block_size:
        failures.append(f"only {metrics['blocks_free']} blocks were given back")
    if growth > arguments.growth:
        failures.append(
            f"memory grew by {growth:.1f}%: {early / 1e9:.2f} GB behind the warm-up, then {late / 1e9:.2f} GB"
        )
    for text in failures[:20]:
        console.print(f"[red]{text}[/]", highlight=False)
    print(
        json.dumps(
            {
                "passed": not failures,
                "failures": len(failures),
                "first_failures": failures[:5],
                "requests": sum(soak.tally.kinds.values()),
                "kinds": dict(soak.tally.kinds),
                "cancelled": soak.tally.cancelled,
                "prompt_tokens": soak.tally.prompt_tokens,
                "cached_tokens": soak.tally.cached_tokens,
                "written_tokens": soak.tally.written,
                "slowest_request_s": round(soak.tally.slowest, 2),
                "preemptions": metrics["preemptions"],
                "memory_gb": [round(early / 1e9, 3), round(late / 1e9, 3)],
                "memory_growth_percent": round(growth, 2),
                "weights": engine.weights,
                "minutes": arguments.minutes,
                "seed": arguments.seed,
            }
        )
    )
    if not unanswered:
        engine.close()
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
