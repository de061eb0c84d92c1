"""Where a step's tokens read and write: worked out once, used by every layer.

Shape suffixes: N new tokens, S sequences, L tokens of the longest context, T new tokens of one sequence, D channels, M
rows whose scores are wanted.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from clearsight.engine.batch import FlatBatch


@dataclass(frozen=True)
class Gather:
    """Which slots each sequence attends to: worked out once a step, used by every layer."""

    single_rows: Tensor | None  # (S,) rows of sequences with one new token
    single_slots_SL: Tensor | None
    single_mask: Tensor | None  # (S, 1, 1, L) bool
    several: list[tuple[int, int, Tensor, Tensor]]  # first and last row, slots (L,), mask (T, L) bool

    @classmethod
    def of(cls, batch: FlatBatch, block_size: int, device: torch.device) -> "Gather":
        starts, lengths = batch.query_starts.tolist(), batch.context_lens.tolist()
        offsets = torch.arange(block_size)
        slots = (batch.block_tables.to(torch.int64)[:, :, None] * block_size + offsets).flatten(1)
        counts = [end - start for start, end in pairwise(starts)]
        singles = [s for s, count in enumerate(counts) if count == 1]
        several = []
        for s, count in enumerate(counts):
            if count > 1:
                mask = torch.ones(count, lengths[s], dtype=torch.bool).tril(lengths[s] - count)
                several.append((starts[s], starts[s + 1], slots[s, : lengths[s]].to(device), mask.to(device)))
        if not singles:
            return cls(None, None, None, several)
        longest = max(lengths[s] for s in singles)
        mask = torch.arange(longest)[None] < torch.tensor([lengths[s] for s in singles])[:, None]
        return cls(
            torch.tensor([starts[s] for s in singles], device=device),
            torch.where(mask, slots[singles, :longest], 0).to(device),
            mask[:, None, None].to(device),
            several,
        )


@dataclass(frozen=True)
class StepInputs:
    """All that a step needs, on its device."""

    embeds_ND: Tensor
    positions_N: Tensor
    slots_N: Tensor  # int64
    rows_M: Tensor  # int64
    gather: Gather
