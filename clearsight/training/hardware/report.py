"""What a check of hardware found, in one shape for tables, JSON and exit codes."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

Progress = Callable[[str, float], None]
"""Is told what is being looked at, and the share of that which is done (0 to 1)."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `figure` and `bound` are in `unit`; a bound of None says that the figure is only shown.

    `passed` is False for what is wrong. What could not be looked at passes, with a figure of None and a sentence that
    says why.
    """

    check: str
    passed: bool
    figure: float | None
    bound: float | None
    unit: str
    sentence: str
    seconds: float = 0.0


def to_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """JSON-ready; figures that are not finite become strings, which JSON has no numbers for."""

    def plain(value: Any) -> Any:
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value

    return [{name: plain(value) for name, value in asdict(finding).items()} for finding in findings]


class Stopwatch:
    seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measures the time spent inside; also when what is inside raises."""
    watch, began = Stopwatch(), time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - began
