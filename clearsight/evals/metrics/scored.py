"""The worth of one reply, and of many together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Scored:
    """What one reply is worth.

    `score` in [0, 1], higher is better. `parsed` is False when the metric could not read the reply; then the score
    is 0. `reading` is what it was read as. `under` holds the score under other conventions in use, by their names.
    `counts` are added up over replies where a metric is a ratio of sums, such as wrong characters to characters.
    """

    score: float
    parsed: bool = True
    reading: str = ""
    under: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)

    @property
    def spread(self) -> float:
        """How far the conventions lie apart on this reply."""
        values = [self.score, *self.under.values()]
        return max(values) - min(values)

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"score": self.score, "parsed": self.parsed, "reading": self.reading}
        found |= {"under": dict(self.under)} if self.under else {}
        return found | ({"counts": dict(self.counts)} if self.counts else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Scored":
        return cls(**value)

    @classmethod
    def unread(cls, reading: str = "", under: Mapping[str, float] | None = None) -> "Scored":
        """A reply the metric can't read."""
        return cls(0.0, False, reading, under or {})


def total(scored: Iterable[Scored]) -> dict[str, float]:
    """The counts of many replies, added up."""
    sums: dict[str, float] = {}
    for one in scored:
        for name, value in one.counts.items():
            sums[name] = sums.get(name, 0.0) + value
    return sums


def ratio(part: float, whole: float) -> float:
    """A share, 0 of nothing."""
    return part / whole if whole else 0.0
