"""One step's work for the decoder: new tokens of many answers, laid end to end, over paged keys and values.

Shape suffixes: N new tokens, S sequences, B blocks of the longest sequence, M rows whose scores are wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class FlatBatch:
    """Where each new token stands and what it attends to; all tensors int32 on the CPU."""

    positions_N: Tensor  # of each new token within its sequence
    slots_N: Tensor  # where its key and value go: block * block_size + offset
    query_starts: Tensor  # (S + 1,): new tokens of sequence s are rows query_starts[s] to query_starts[s + 1]
    context_lens: Tensor  # (S,): tokens of s attended to in all, new ones included
    block_tables: Tensor  # (S, B): blocks of s in order, filled up with 0
    rows_M: Tensor  # rows whose scores are wanted

    @classmethod
    def of(
        cls, pieces: Sequence[tuple[range, Sequence[int]]], rows: Sequence[int], block_size: int
    ) -> "FlatBatch":
        """Of each sequence the positions of its new tokens and its blocks; `rows` are those whose scores are wanted."""
        positions: list[int] = []
        slots: list[int] = []
        starts = [0]
        tables = np.zeros((len(pieces), max((len(b) for _, b in pieces), default=0)), dtype=np.int32)
        for number, (places, blocks) in enumerate(pieces):
            positions += places
            slots += [blocks[place // block_size] * block_size + place % block_size for place in places]
            starts.append(len(positions))
            tables[number, : len(blocks)] = blocks
        return cls(
            positions_N=_int32(positions),
            slots_N=_int32(slots),
            query_starts=_int32(starts),
            context_lens=_int32([places.stop for places, _ in pieces]),
            block_tables=torch.from_numpy(tables),
            rows_M=_int32(rows),
        )


def _int32(values: Sequence[int]) -> Tensor:
    return torch.from_numpy(
        np.asarray(values, dtype=np.int32)
    )  # for a few numbers eight times as fast as torch.tensor
