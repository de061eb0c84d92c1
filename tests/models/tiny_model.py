"""A model small enough for unit tests."""

from clearsight.models.config import ModelConfig, TextConfig, VisionConfig

TINY = ModelConfig(
    vision=VisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=4,
    ),
    text=TextConfig(
        hidden_size=24,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        vocab_size=101,
    ),
    image_token_id=100,
    eos_token_id=5,
)
