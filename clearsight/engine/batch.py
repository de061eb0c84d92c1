"""One step's work for the decoder: new tokens of many answers, laid end to end, over paged keys and values.

Shape suffixes: N new tokens, S sequences, B blocks of the longest sequence, M rows whose scores are wanted.
"""

from dataclasses import dataclass

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
