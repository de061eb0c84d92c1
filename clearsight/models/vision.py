"""The vision tower: a pre-norm vision transformer with learned positions and no class token.

Compatible with the `vision_model` of Idefics3 and SmolVLM. Tiles are always full squares, so no patch mask
is needed, and the place of a patch is its number. (The reference finds it by rounding fractions, which is
the same for every published size, 26, 27 and 32 patches a side; for some others, such as 25, it rounds
wrongly, and that is not copied.) Left out: attention dropout and the padding mask of the reference, which
published checkpoints never use at inference.

Shape suffixes: N tiles, C channels, S pixels a side, P patches, D channels, H heads, K channels a head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clearsight.models.config import VisionConfig


class VisionAttention(nn.Module):
    """Bidirectional multi-head self-attention, all projections with bias."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        width = config.hidden_size
        self.num_heads = config.num_attention_heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x_NPD: Tensor) -> Tensor:
        q_NHPK, k_NHPK, v_NHPK = (
            project(x_NPD).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        y_NHPK = F.scaled_dot_product_attention(q_NHPK, k_NHPK, v_NHPK)
        return self.out_proj(y_NHPK.transpose(1, 2).flatten(2))


class VisionMLP(nn.Module):
    def __init__(self, config: VisionConfig):
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x_NPD: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x_NPD), approximate="tanh"))


class VisionLayer(nn.Module):
    def __init__(self, config: VisionConfig):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = VisionAttention(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = VisionMLP(config)

    def forward(self, x_NPD: Tensor) -> Tensor:
        x_NPD = x_NPD + self.self_attn(self.layer_norm1(x_NPD))
        return x_NPD + self.mlp(self.layer_norm2(x_NPD))


class VisionEmbeddings(nn.Module):
    def __init__(self, config: VisionConfig):
        super().__init__()
        patch = config.patch_size
        self.patch_embedding = nn.Conv2d(config.num_channels, config.hidden_size, patch, stride=patch)
        self.position_embedding = nn.Embedding(config.num_patches, config.hidden_size)

    def forward(self, pixels_NCSS: Tensor, position_ids_P: Tensor | None = None) -> Tensor:
        x_NPD = self.patch_embedding(pixels_NCSS).flatten(2).transpose(1, 2)
        positions = self.position_embedding.weight
        return x_NPD + (positions if position_ids_P is None else positions[position_ids_P])


class VisionEncoder(nn.Module):
    def __init__(self, config: VisionConfig):
        super().__init__()
        self.layers = nn.ModuleList(VisionLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x_NPD: Tensor) -> Tensor:
        for layer in self.layers:
            x_NPD = layer(x_NPD)
        return x_NPD


class VisionTower(nn.Module):
    """Tiles to patch features.

    `forward(pixels, position_ids=None)`: pixels (N, C, S, S) floating, normalised to [-1, 1];
    returns (N, P, hidden_size), patches row by row. `position_ids` (P,) int64 names the places of a
    smaller square within the tile, for training on crops.
    """

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.config = config
        self.embeddings = VisionEmbeddings(config)
        self.encoder = VisionEncoder(config)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixels_NCSS: Tensor, position_ids_P: Tensor | None = None) -> Tensor:
        if position_ids_P is None and tuple(pixels_NCSS.shape[-2:]) != (self.config.image_size,) * 2:
            height, width = pixels_NCSS.shape[-2:]
            raise ValueError(
                f"the vision tower takes {self.config.image_size}x{self.config.image_size} tiles, "
                f"not {width}x{height}"
            )
        return self.post_layernorm(self.encoder(self.embeddings(pixels_NCSS, position_ids_P)))


def crop_position_ids(config: VisionConfig, top: int, left: int, side: int) -> Tensor:
    """Positions (side*side,) int64 of a crop of `side` patches whose corner is patch (top, left)."""
    rows = torch.arange(top, top + side)[:, None] * config.patches_per_side
    return (rows + torch.arange(left, left + side)[None]).flatten()
