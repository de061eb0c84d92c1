"""What an engine counts about itself, as plain numbers; a server turns them into the form its monitoring reads."""

import threading
from collections import deque
from dataclasses import dataclass, field, fields

from clearsight.decoding.text import Usage

WINDOW = 1024
"""So many of the latest times are kept for medians."""


@dataclass
class Metrics:
    """Totals since the start; times in seconds of the latest answers. Written by the engine's thread alone."""

    requests: int = 0
    finished: int = 0
    cancelled: int = 0
    failed: int = 0
    steps: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    image_tokens: int = 0
    completion_tokens: int = 0
    proposed_tokens: int = 0
    accepted_tokens: int = 0
    tiles_encoded: int = 0
    preemptions: int = 0
    step_seconds: float = 0.0
    waiting: int = 0
    running: int = 0
    blocks_free: int = 0
    blocks_known: int = 0
    feature_hits: int = 0
    feature_misses: int = 0
    first_token_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    token_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, usage: Usage) -> None:
        """Add a finished answer."""
        self.finished += 1
        self.prompt_tokens += usage.prompt_tokens
        self.image_tokens += usage.image_tokens
        self.cached_tokens += usage.cached_tokens
        self.completion_tokens += usage.completion_tokens

    def time_event(self, now: float, submitted: float, before: float | None, tokens: int) -> None:
        """Note when tokens came: after `submitted` the first ones, after `before` all others."""
        with self.lock:
            if before is None:
                self.first_token_seconds.append(now - submitted)
            else:
                self.token_seconds.append((now - before) / tokens)

    def snapshot(self) -> dict[str, float]:
        """All totals and gauges, and medians of the times."""
        with self.lock:
            told: dict[str, float] = {
                one.name: getattr(self, one.name)
                for one in fields(self)
                if one.type in ("int", "float", int, float)
            }
            for name in ("first_token_seconds", "token_seconds"):
                times = sorted(getattr(self, name))
                told[f"median_{name}"] = times[len(times) // 2] if times else 0.0
        return told
