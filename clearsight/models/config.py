"""Shapes of the network. Field names are those of the Idefics3 / SmolVLM configuration files.

Only what changes a tensor's shape or value is here; `models.hf` reads and writes the public JSON.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class VisionConfig:
    """A SigLIP-style vision transformer over square tiles. Lengths in pixels or channels."""

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    image_size: int = 512
    patch_size: int = 16
    layer_norm_eps: float = 1e-6
    num_channels: int = 3

    @property
    def patches_per_side(self) -> int:
        return self.image_size // self.patch_size

    @property
    def num_patches(self) -> int:
        return self.patches_per_side**2


@dataclass(frozen=True)
class TextConfig:
    """A Llama decoder: RMSNorm, rotary positions (half-split), grouped-query attention, SiLU gate."""

    hidden_size: int = 576
    intermediate_size: int = 1536
    num_hidden_layers: int = 30
    num_attention_heads: int = 9
    num_key_value_heads: int = 3
    head_dim: int = 64
    vocab_size: int = 49280
    max_position_embeddings: int = 8192
    rope_theta: float = 100_000.0
    rms_norm_eps: float = 1e-5


@dataclass(frozen=True)
class ModelConfig:
    """Vision tower, pixel-shuffle connector, decoder.

    `model_type` is the public name (`idefics3` or `smolvlm`); both have the same tensors.
    """

    vision: VisionConfig
    text: TextConfig
    scale_factor: int = 4
    image_token_id: int = 49190
    bos_token_id: int = 1
    pad_token_id: int = 2
    eos_token_id: int = 49279
    tie_word_embeddings: bool = False
    model_type: str = "idefics3"

    def __post_init__(self) -> None:
        if self.vision.patches_per_side < 1:
            raise ValueError(
                f"a tile of {self.vision.image_size} pixels holds no patch; give a larger image_size"
            )
        if self.text.num_attention_heads % self.text.num_key_value_heads:
            raise ValueError(
                f"{self.text.num_attention_heads} query heads can't share {self.text.num_key_value_heads} "
                "key-value heads evenly"
            )
        if self.vision.patches_per_side % self.scale_factor:
            raise ValueError(
                f"{self.vision.patches_per_side} patches a side can't be shuffled by {self.scale_factor}"
            )

    @property
    def tokens_per_tile(self) -> int:
        return (self.vision.patches_per_side // self.scale_factor) ** 2
