"""What was measured, made into medians, ratios against the best peer, and the JSON of the last line."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.engine_peers.contenders import OURS, Contender

MANY = (1, 4, 8, 16)  # chats at once
DEFAULT_BITS = 8  # Clearsight's own choice where nothing is asked for


@dataclass(frozen=True)
class Measure:
    """`key` of a reply's figure; `better` is what is better of two."""

    name: str
    key: str
    title: str
    unit: str
    better: Callable[..., Any] = max
    digits: int = 0


MEASURES = (
    Measure("prefill", "rate", "prefill", "tok/s"),
    Measure("decode", "rate", "decode", "tok/s"),
    Measure("first_1", "seconds", "first token, 1 tile", "ms", min),
    Measure("first_9", "seconds", "first token, 9 tiles", "ms", min),
    *(Measure(f"chats_{n}", "rate", f"chats, {n}", "tok/s") for n in MANY),
    Measure("again", "ratio", "second, question", "of first", min, 2),
    Measure("again_9", "ratio", "second, 9 tiles", "of first", min, 2),
    Measure("under_load", "kept", "decode, under load", "of quiet", max, 2),
)


@dataclass
class Figures:
    """Every figure of every contender, round by round."""

    contenders: Sequence[Contender]
    seen: dict[str, dict[str, list[float]]] = field(
        default_factory=dict
    )  # contender, measure, a figure a round
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    agreement: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, contender: Contender, measure: str, value: float) -> None:
        self.seen.setdefault(contender.name, {}).setdefault(measure, []).append(value)

    def values(self, contender: Contender, measure: str) -> list[float]:
        return self.seen.get(contender.name, {}).get(measure, [])

    def median(self, contender: Contender, measure: str) -> float | None:
        values = self.values(contender, measure)
        return statistics.median(values) if values else None

    def ours(self, bits: int | None = None) -> Contender | None:
        """Clearsight at a width; at its default one, or else the widest there is, without one."""
        found = {one.bits: one for one in self.contenders if one.program == OURS and one.name in self.seen}
        if bits is None:
            bits = DEFAULT_BITS if DEFAULT_BITS in found else max(found, default=0)
        return found.get(bits)

    def best_peer(self, measure: Measure, bits: int | None = None) -> tuple[Contender, float] | None:
        """The peer with the best median, among those of a width or among all."""
        medians = [
            (one, median)
            for one in self.contenders
            if one.program != OURS and one.headline and bits in (None, one.bits)
            if (median := self.median(one, measure.name)) is not None
        ]
        if not medians:
            return None
        best = measure.better(median for _, median in medians)
        return next(pair for pair in medians if pair[1] == best)

    def ratio(self, name: str, bits: int | None = None, *, against_all: bool = False) -> float | None:
        """How much better Clearsight is than the best peer; above 1 is better, whatever the measure."""
        measure = next(one for one in MEASURES if one.name == name)
        ours = self.ours(bits)
        best = self.best_peer(measure, None if against_all else bits)
        mine = self.median(ours, name) if ours else None
        if best is None or mine is None:
            return None
        return mine / best[1] if measure.better is max else best[1] / mine

    def by_bits(self, name: str) -> dict[str, float]:
        found = {}
        for bits, width in sorted({(one.bits, one.width) for one in self.contenders}, reverse=True):
            if (ratio := self.ratio(name, bits)) is not None:
                found[width] = round(ratio, 3)
        return found

    def headline(self) -> dict[str, Any]:
        """The figures that the bars are set for."""
        ours = self.ours()
        equal = [ratio for bits in (8, 4) if (ratio := self.ratio("decode", bits)) is not None]
        if not equal and (ratio := self.ratio("decode", 16)) is not None:
            equal = [ratio]

        def mine(measure: str) -> float | None:
            return None if ours is None else _rounded(self.median(ours, measure))

        return {
            "prefill_vs_best_peer": _rounded(self.ratio("prefill", against_all=True)),
            "decode_vs_best_peer": _rounded(min(equal, default=None)),
            "concurrent8_vs_best_peer": _rounded(self.ratio("chats_8", against_all=True)),
            "repeat_image_ttft_ratio": mine("again"),
            "repeat_nine_images_ttft_ratio": mine("again_9"),
            "decode_under_load_ratio": mine("under_load"),
            "peak_memory_gb": None if ours is None else self.memory.get(ours.name, {}).get("peak_gb"),
            "of": None if ours is None else ours.name,
        }

    def everything(self) -> dict[str, Any]:
        """Headline, ratios by width, and each contender's medians with the least and the most that was seen."""
        return self.headline() | {
            "by_bits": {
                name: self.by_bits(name) for name in ("prefill", "decode", "first_1", "first_9", "chats_8")
            },
            "contenders": {one.name: self._of(one) for one in self.contenders if one.name in self.seen},
            "absent": self.problems,
        }

    def _of(self, one: Contender) -> dict[str, Any]:
        found: dict[str, Any] = {"bits": one.width}
        for measure in MEASURES:
            if values := self.values(one, measure.name):
                spread = [statistics.median(values), min(values), max(values)]
                found[measure.name] = [round(value, 4) for value in spread]
        found["memory_gb"] = self.memory.get(one.name)
        found["agrees"] = self.agreement.get(one.name)
        return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
