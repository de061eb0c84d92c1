"""The decoder: a Llama-style transformer with a key-value cache and packed sequences.

Compatible with the `text_model` of Idefics3 and SmolVLM, that is with Llama: RMSNorm
(https://arxiv.org/abs/1910.07467), rotary positions in the half-split layout
(https://arxiv.org/abs/2104.09864), grouped-query attention (https://arxiv.org/abs/2305.13245), SwiGLU
(https://arxiv.org/abs/2002.05202). Left out: attention to padding on the left. Batches are padded on the
right, where causal attention never looks, or packed with `segment_ids`.

Shape suffixes: B sequences, T new tokens, S tokens attended to (cached and new), D channels, H query heads,
G key-value heads, R query heads a group, K channels a head, L tokens that are asked for.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearsight.models.config import TextConfig
from clearsight.models.packed import packed_attention, segment_bounds


class KVCache:
    """Keys and values of the tokens seen so far, preallocated and doubled when full.

    Holds for every layer keys and values (B, G, capacity, K). All sequences of the batch have the same
    length; `length` counts the tokens that are in.
    """

    def __init__(
        self,
        config: TextConfig,
        batch_size: int = 1,
        capacity: int = 256,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        shape = (batch_size, config.num_key_value_heads, capacity, config.head_dim)
        layers = range(config.num_hidden_layers)
        self.keys = [torch.empty(shape, dtype=dtype, device=device) for _ in layers]
        self.values = [torch.empty(shape, dtype=dtype, device=device) for _ in layers]
        self.length = 0

    @property
    def capacity(self) -> int:
        return self.keys[0].shape[2]

    def write(self, layer: int, k_BGTK: Tensor, v_BGTK: Tensor) -> tuple[Tensor, Tensor]:
        """Store a layer's new keys and values after the first `length`; returns all, (B, G, S, K) each.

        `length` itself moves only in `advance`, once every layer has written.
        """
        end = self.length + k_BGTK.shape[2]
        if end > self.keys[layer].shape[2]:
            self._grow(layer, end)
        self.keys[layer][:, :, self.length : end] = k_BGTK
        self.values[layer][:, :, self.length : end] = v_BGTK
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def advance(self, num_tokens: int) -> None:
        self.length += num_tokens

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        assert 0 <= length <= self.length
        self.length = length

    def _grow(self, layer: int, needed: int) -> None:
        for tensors in (self.keys, self.values):
            old = tensors[layer]
            capacity = max(needed, 2 * old.shape[2])
            new = old.new_empty((*old.shape[:2], capacity, old.shape[3]))
            new[:, :, : self.length] = old[:, :, : self.length]
            tensors[layer] = new


class RMSNorm(nn.Module):
    """x / rms(x) * weight, computed in fp32 whatever the dtype of x."""

    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x_BTD: Tensor) -> Tensor:
        return F.rms_norm(x_BTD.float(), self.weight.shape, self.weight.float(), self.eps).to(x_BTD.dtype)


def rotary_tables(config: TextConfig, position_ids_BT: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines (B, 1, T, K/2) of the rotary angles, computed in fp32 and given in `dtype`.

    They are computed from the configuration each time, not kept in a buffer: 32 frequencies cost nothing,
    and a model built on the meta device or cast to bf16 can't lose them.
    """
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32, device=position_ids_BT.device)
    frequencies = 1.0 / config.rope_theta ** (exponents / config.head_dim)
    angles = position_ids_BT[:, None, :, None].float() * frequencies
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x_BHTK: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pair (x[i], x[i + K/2]) by its position's i-th angle (half-split layout)."""
    first, second = x_BHTK.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class TextAttention(nn.Module):
    """Causal grouped-query self-attention without biases."""

    def __init__(self, config: TextConfig, layer: int):
        super().__init__()
        self.layer = layer
        self.head_dim = config.head_dim
        self.groups = config.num_attention_heads // config.num_key_value_heads
        query_width = config.num_attention_heads * config.head_dim
        key_width = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, query_width, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, key_width, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, key_width, bias=False)
        self.o_proj = nn.Linear(query_width, config.hidden_size, bias=False)

    def forward(
        self,
        x_BTD: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor | None,
        bounds: Tensor | None,
        cache: KVCache | None,
        kept_L: Tensor | None,
    ) -> Tensor:
        q_BHTK, k_BGTK, v_BGTK = (
            project(x_BTD).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        # under autocast the angles are fp32, and products are not
        q_BHTK, k_BGTK = (rotate(x, cos, sin).to(v_BGTK.dtype) for x in (q_BHTK, k_BGTK))
        k_BGSK, v_BGSK = (k_BGTK, v_BGTK) if cache is None else cache.write(self.layer, k_BGTK, v_BGTK)
        if bounds is not None:
            y_BHTK = packed_attention(q_BHTK, k_BGSK, v_BGSK, bounds)
        elif x_BTD.shape[1] == 1:
            # One query needs no mask, so the heads of a group stand in for positions: 8 times faster in bf16.
            q_BGRK = q_BHTK.reshape(q_BHTK.shape[0], -1, self.groups, self.head_dim)
            y_BHTK = F.scaled_dot_product_attention(q_BGRK, k_BGSK, v_BGSK).reshape(q_BHTK.shape)
        else:
            y_BHTK = F.scaled_dot_product_attention(
                q_BHTK, k_BGSK, v_BGSK, attn_mask=mask, is_causal=mask is None, enable_gqa=self.groups > 1
            )
        y_BTD = y_BHTK.transpose(1, 2).flatten(2)
        return self.o_proj(y_BTD if kept_L is None else _rows(y_BTD, kept_L))


def _rows(x_BTD: Tensor, kept_L: Tensor) -> Tensor:
    """Some tokens of all that lie end to end: (L, D)."""
    return x_BTD.flatten(0, 1).index_select(0, kept_L)


class TextMLP(nn.Module):
    def __init__(self, config: TextConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x_BTD)) * self.up_proj(x_BTD))


class TextLayer(nn.Module):
    def __init__(self, config: TextConfig, layer: int):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = TextAttention(config, layer)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = TextMLP(config)

    def forward(
        self,
        x_BTD: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor | None,
        bounds: Tensor | None,
        cache: KVCache | None,
        kept_L: Tensor | None = None,
    ) -> Tensor:
        """(B, T, D), or of the tokens `kept_L` alone (L, D): the others are only attended to."""
        y = self.self_attn(self.input_layernorm(x_BTD), cos, sin, mask, bounds, cache, kept_L)
        x = y + (x_BTD if kept_L is None else _rows(x_BTD, kept_L))
        return x + self.mlp(self.post_attention_layernorm(x))


def positions_within_segments(segment_ids_BT: Tensor) -> Tensor:
    """Positions (B, T) int64 that restart at 0 wherever the segment id changes."""
    index_T = torch.arange(segment_ids_BT.shape[1], device=segment_ids_BT.device)
    starts_BT = torch.ones_like(segment_ids_BT, dtype=torch.bool)
    starts_BT[:, 1:] = segment_ids_BT[:, 1:] != segment_ids_BT[:, :-1]
    start_BT = torch.where(starts_BT, index_T, torch.zeros_like(index_T)).cummax(dim=1).values
    return index_T - start_BT


class TextDecoder(nn.Module):
    """Embeddings to final hidden states.

    `forward(inputs_embeds, position_ids=None, cache=None, segment_ids=None, kept=None)`: inputs_embeds
    (B, T, D) floating; position_ids (B, T) int64, by default counting on from the cache or within each
    segment; segment_ids (B, T) int64: tokens of different segments never attend to each other, each segment
    one contiguous run; kept (L,) int64, places in the rows laid end to end: what leaves the last layer is
    computed for these alone, which spares two thirds of that layer's work for all others. Returns (B, T, D)
    after the final norm, or (L, D) of what is kept. Raises ValueError for segments together with a cache.
    """

    def __init__(self, config: TextConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(TextLayer(config, layer) for layer in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self,
        inputs_embeds_BTD: Tensor,
        position_ids_BT: Tensor | None = None,
        cache: KVCache | None = None,
        segment_ids_BT: Tensor | None = None,
        kept_L: Tensor | None = None,
    ) -> Tensor:
        if cache is not None and segment_ids_BT is not None:
            raise ValueError("packed segments can't continue a cache; run the segments one by one instead")
        past = 0 if cache is None else cache.length
        new = inputs_embeds_BTD.shape[1]
        device = inputs_embeds_BTD.device
        if position_ids_BT is None and segment_ids_BT is not None:
            position_ids_BT = positions_within_segments(segment_ids_BT)
        elif position_ids_BT is None:
            position_ids_BT = torch.arange(past, past + new, device=device)[None]

        x_BTD, mask, bounds = inputs_embeds_BTD, None, None
        if segment_ids_BT is not None:  # rows are laid end to end
            bounds = segment_bounds(segment_ids_BT)
            position_ids_BT = position_ids_BT.expand_as(segment_ids_BT).reshape(1, -1)
            x_BTD = x_BTD.flatten(0, 1)[None]
        elif past and new > 1:
            mask = torch.ones(new, past + new, dtype=torch.bool, device=device).tril(past)

        cos, sin = rotary_tables(self.config, position_ids_BT, x_BTD.dtype)
        last = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            x_BTD = layer(x_BTD, cos, sin, mask, bounds, cache, kept_L if number == last else None)
        if cache is not None:
            cache.advance(new)
        hidden = self.norm(x_BTD)
        return hidden if kept_L is not None else hidden.reshape(inputs_embeds_BTD.shape)
