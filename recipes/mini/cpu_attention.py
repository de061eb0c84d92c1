"""Attention written out, for training on processors.

On CPU the backward pass of torch 2.13's fused attention is slow for short sequences: in the bridge stage (batch 4,
140 tokens, bf16, one thread) it took 0.70 s of a 2.4 s step. Plain matrix products and a softmax give the same
result, within bf16 rounding, several times faster; their memory, quadratic in a length of a few hundred, is no
matter here. Inference keeps the fused form.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def written_out(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    is_causal: bool = False,
    enable_gqa: bool = False,
) -> Tensor:
    """As the function it replaces: query (B, H, T, K), key and value (B, G, S, K), mask (T, S) or (B, 1, T, S)."""
    batch, heads, length, width = query.shape
    query, key = query.to(value.dtype), key.to(value.dtype)  # rotation leaves them in float32 under autocast
    groups = key.shape[1] if enable_gqa else heads
    rows = query.reshape(batch, groups, heads // groups * length, width)
    with torch.autocast(query.device.type, enabled=False):
        scores = (rows * (1 / math.sqrt(width))) @ key.transpose(-1, -2)
        if is_causal:
            attn_mask = torch.ones(length, length, dtype=torch.bool, device=query.device).tril()
        if attn_mask is not None:  # the heads of a group lie one below the other
            heads_apart = scores.unflatten(2, (-1, length))
            scores = heads_apart.masked_fill(~attn_mask.unsqueeze(-3), -torch.inf).flatten(2, 3)
        return (scores.softmax(-1) @ value).reshape(batch, heads, length, width)


def use_on_cpu(device: str) -> None:
    """From now on this process computes attention written out, if it trains on a processor."""
    if device == "cpu":
        functional: Any = F
        functional.scaled_dot_product_attention = written_out
