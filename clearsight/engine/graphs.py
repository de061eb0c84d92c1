"""Steps of one token a sequence as CUDA graphs: hundreds of small kernels are launched as one.

A graph replays fixed shapes from fixed memory. So a step is filled up to the next size that has a graph: sequences to a
power of two, contexts to a multiple of `CONTEXT`. What fills it writes to a slot that nobody reads, and its scores are
dropped. A graph is captured when its size first comes up.

Shape suffixes: S sequences, L tokens of context, D channels, V vocabulary.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from clearsight.engine.gather import Gather, StepInputs

CONTEXT = 256  # tokens


class DecodeGraphs:
    """Carries out steps of `compute` in which every sequence has one new token and wants its scores."""

    def __init__(self, compute: Callable[[StepInputs], Tensor], unread_slot: int):
        self._compute = compute
        self._unread_slot = unread_slot
        self._captured: dict[torch.Size, tuple[StepInputs, Tensor, torch.cuda.CUDAGraph]] = {}

    def __call__(self, inputs: StepInputs) -> Tensor:
        """Scores (S, V) fp32, in a tensor of their own."""
        padded = filled_up(inputs, self._unread_slot)
        assert padded.gather.single_slots_SL is not None
        size = padded.gather.single_slots_SL.shape
        if size not in self._captured:
            self._captured[size] = self._capture(padded)
        static, scores_SV, graph = self._captured[size]
        for own, new in zip(_tensors(static), _tensors(padded), strict=True):
            own.copy_(new)
        graph.replay()
        return scores_SV[: len(inputs.rows_M)].clone()

    def _capture(self, inputs: StepInputs) -> tuple[StepInputs, Tensor, torch.cuda.CUDAGraph]:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # what is chosen or allocated at first use must not be captured
            for _ in range(2):
                self._compute(inputs)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            scores_SV = self._compute(inputs)
        return inputs, scores_SV, graph


def filled_up(inputs: StepInputs, unread_slot: int) -> StepInputs:
    """The same step in the next size that has a graph; rows of its own sequences come first, in order."""
    gather = inputs.gather
    assert (
        gather.single_rows is not None
        and gather.single_slots_SL is not None
        and gather.single_mask is not None
    )
    count, context = gather.single_slots_SL.shape
    more = (1 << (count - 1).bit_length()) - count
    longer = -context % CONTEXT
    mask = F.pad(gather.single_mask, (0, longer, 0, 0, 0, 0, 0, more))
    mask[count:, ..., 0] = True  # attention to nothing would be no number
    rows = torch.arange(count + more, device=inputs.rows_M.device)
    return StepInputs(
        embeds_ND=F.pad(inputs.embeds_ND, (0, 0, 0, more)),
        positions_N=F.pad(inputs.positions_N, (0, more)),
        slots_N=F.pad(inputs.slots_N, (0, more), value=unread_slot),
        rows_M=rows,
        gather=Gather(
            single_rows=rows.clone(),
            single_slots_SL=F.pad(gather.single_slots_SL, (0, longer, 0, more), value=unread_slot),
            single_mask=mask,
            several=[],
        ),
    )


def _tensors(inputs: StepInputs) -> list[Tensor]:
    gather = inputs.gather
    assert (
        gather.single_rows is not None
        and gather.single_slots_SL is not None
        and gather.single_mask is not None
    )
    return [
        inputs.embeds_ND,
        inputs.positions_N,
        inputs.slots_N,
        inputs.rows_M,
        gather.single_rows,
        gather.single_slots_SL,
        gather.single_mask,
    ]
