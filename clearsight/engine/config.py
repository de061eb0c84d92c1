"""How an engine uses its machine."""

from dataclasses import dataclass
from typing import Literal

import torch

WeightFormat = Literal["auto", "model", "float32", "int8", "int4"]


class EngineError(RuntimeError):
    """The engine can't do what is asked; the message says what to do."""


@dataclass(frozen=True)
class EngineConfig:
    """Settings of one engine. Raises EngineError for values out of range."""

    weights: WeightFormat = "auto"
    """`int8`, `int4` and `float32` compute with native kernels on a processor, which need a C++ compiler once; `model`
    computes in PyTorch in the checkpoint's own dtype. `auto` is int8 where that is possible, else `model`."""
    threads: int | None = None  # all cores by default
    device: str | None = None  # a GPU if there is one, else cpu
    dtype: torch.dtype | None = None  # of `model`; by default the fastest that loses nothing
    block_size: int = 16  # tokens
    cache_tokens: int = 16_384  # keys and values for so many tokens in all
    max_sequences: int = 16  # at once; others wait
    max_step_tokens: int = 512
    feature_cache_bytes: int = 256 * 2**20
    proposals: int = 4  # most tokens guessed ahead (prompt lookup); 0 for none
    prefix_cache: bool = True

    def __post_init__(self) -> None:
        for name, least in (
            ("block_size", 1),
            ("cache_tokens", self.block_size),
            ("max_sequences", 1),
            ("max_step_tokens", 1),
            ("feature_cache_bytes", 0),
            ("proposals", 0),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise EngineError(f"{name} is a whole number from {least}, not {value!r}")
        if self.weights not in ("auto", "model", "float32", "int8", "int4"):
            raise EngineError(f"weights are auto, model, float32, int8 or int4, not {self.weights!r}")
