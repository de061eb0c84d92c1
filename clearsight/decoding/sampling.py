"""How tokens are chosen and when to stop: the settings of one answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from clearsight.decoding.structure import Structure


class SamplingError(ValueError):
    """A sampling setting out of range; the message names it and its range."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen and when to stop.

    `temperature` 0 is greedy. `top_k` None, `top_p` 1 and `min_p` 0 leave everything in. `presence_penalty` is taken
    once from the score of each token the answer holds, `frequency_penalty` once each time (as in OpenAI's API);
    `repetition_penalty` divides positive and multiplies negative scores of tokens in prompt or answer (CTRL,
    https://arxiv.org/abs/1909.05858). `logit_bias` maps token ids to what is added to their scores. `stop` strings end
    the text before them. `max_tokens` None is what the context has left; before `min_tokens` the answer can't end by
    itself. `structure` confines the text to a schema, a pattern or a grammar. `logprobs` None gives none, 0 the chosen
    token's alone, n also the n likeliest. Raises SamplingError for a value out of range.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: Mapping[int, float] = field(default_factory=dict, hash=False)
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    min_tokens: int = 0
    structure: Structure | None = None
    logprobs: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        object.__setattr__(self, "stop", tuple(self.stop))
        object.__setattr__(self, "logit_bias", dict(self.logit_bias))
        checks = (
            ("temperature", "a number from 0 to 2", _is_number(self.temperature, 0, 2)),
            ("top_p", "a number above 0 and up to 1", _is_number(self.top_p, 0, 1) and self.top_p > 0),
            ("top_k", "a whole number from 1, or None", _is_whole_or_none(self.top_k, 1)),
            ("min_p", "a number from 0 to 1", _is_number(self.min_p, 0, 1)),
            ("presence_penalty", "a number from -2 to 2", _is_number(self.presence_penalty, -2, 2)),
            ("frequency_penalty", "a number from -2 to 2", _is_number(self.frequency_penalty, -2, 2)),
            ("repetition_penalty", "a number from 0.1 to 10", _is_number(self.repetition_penalty, 0.1, 10)),
            ("logit_bias", "token ids with numbers from -100 to 100", _is_bias(self.logit_bias)),
            ("seed", "a whole number from 0 to 2**63 - 1, or None", _is_whole_or_none(self.seed, 0)),
            ("max_tokens", "a whole number from 1, or None", _is_whole_or_none(self.max_tokens, 1)),
            ("min_tokens", "a whole number from 0", _is_whole(self.min_tokens, 0)),
            ("logprobs", "a whole number from 0 to 20, or None", _is_whole_or_none(self.logprobs, 0, 20)),
            ("stop", "strings that are not empty", all(isinstance(s, str) and s for s in self.stop)),
        )
        for name, wanted, holds in checks:
            if not holds:
                raise SamplingError(f"{name} is {wanted}, not {getattr(self, name)!r}")

    def nth(self, number: int) -> "Sampling":
        """The settings of the `number`-th of several answers, from 0: the seed counts on."""
        return self if self.seed is None else replace(self, seed=(self.seed + number) % 2**63)

    @property
    def is_plain_greedy(self) -> bool:
        """Whether the likeliest token is always the choice, whatever was said before."""
        changed = self.presence_penalty or self.frequency_penalty or self.repetition_penalty != 1
        return not (self.temperature or changed or self.logit_bias or self.min_tokens or self.structure)


def _is_number(value: object, least: float, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


def _is_whole(value: object, least: int, most: int = 2**63 - 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_whole_or_none(value: object, least: int, most: int = 2**63 - 1) -> bool:
    return value is None or _is_whole(value, least, most)


def _is_bias(bias: Mapping[int, float]) -> bool:
    return all(
        _is_whole(token, 0) and _is_number(value, -100, 100) and math.isfinite(value)
        for token, value in bias.items()
    )
