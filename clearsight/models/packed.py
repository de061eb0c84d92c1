"""Causal attention over packed sequences: each token sees what stands before it in its own segment, and nothing else.

Segments lie side by side in one long row. The work is that of the segments alone: on an accelerator through PyTorch's
variable-length kernel, elsewhere segment by segment, which for eight conversations a row is seven times faster than
one dense mask (figures in docs/LOG.md).

Shape suffixes: L tokens of all rows, H query heads, G key-value heads, K channels a head, S segments.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def segment_bounds(segment_ids_BT: Tensor) -> Tensor:
    """Where segments begin when rows are laid end to end, and where the last one ends: (S + 1,) int32, same device.

    Every run of equal ids within a row is a segment, padding included.
    """
    starts_BT = torch.ones_like(segment_ids_BT, dtype=torch.bool)
    starts_BT[:, 1:] = segment_ids_BT[:, 1:] != segment_ids_BT[:, :-1]
    starts = starts_BT.flatten().nonzero()[:, 0]
    return torch.cat([starts, starts.new_tensor([segment_ids_BT.numel()])]).int()


@torch.compiler.disable  # the number of segments changes with every batch
def packed_attention(q_1HLK: Tensor, k_1GLK: Tensor, v_1GLK: Tensor, bounds: Tensor) -> Tensor:
    """Attention output (1, H, L, K). `bounds` as from `segment_bounds`."""
    if q_1HLK.is_cuda and q_1HLK.dtype in (torch.bfloat16, torch.float16):
        return _on_accelerator(q_1HLK, k_1GLK, v_1GLK, bounds)
    lengths = bounds.diff().tolist()
    shared = q_1HLK.shape[1] != k_1GLK.shape[1]
    segments = zip(*(x.split(lengths, dim=2) for x in (q_1HLK, k_1GLK, v_1GLK)), strict=True)
    return torch.cat(
        [F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=shared) for q, k, v in segments],
        dim=2,
    )


def _on_accelerator(q_1HLK: Tensor, k_1GLK: Tensor, v_1GLK: Tensor, bounds: Tensor) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    groups = q_1HLK.shape[1] // k_1GLK.shape[1]
    q_LHK, k_LHK, v_LHK = (
        x[0].transpose(0, 1)
        for x in (q_1HLK, *(x.repeat_interleave(groups, dim=1) for x in (k_1GLK, v_1GLK)))
    )
    longest = q_LHK.shape[0]  # a bound is enough, and needs no wait for the device
    y_LHK = varlen_attn(q_LHK, k_LHK, v_LHK, bounds, bounds, longest, longest, window_size=(-1, 0))
    assert isinstance(y_LHK, Tensor)  # a pair only when more is asked for
    return y_LHK.transpose(0, 1)[None]
