"""Named shapes: the bundled model and the published checkpoints of the family."""

from dataclasses import replace

from clearsight.models.config import ModelConfig, TextConfig, VisionConfig

SMOLLM2_135M = TextConfig()
SMOLLM2_360M = replace(
    SMOLLM2_135M,
    hidden_size=960,
    intermediate_size=2560,
    num_hidden_layers=32,
    num_attention_heads=15,
    num_key_value_heads=5,
)
SMOLLM2_1B7 = TextConfig(
    hidden_size=2048,
    intermediate_size=8192,
    num_hidden_layers=24,
    num_attention_heads=32,
    num_key_value_heads=32,
    head_dim=64,
    vocab_size=49155,
    max_position_embeddings=16384,
    rope_theta=273_768.0,
)
SIGLIP_B16_512 = VisionConfig()
SIGLIP_SO400M_14_384 = VisionConfig(
    hidden_size=1152,
    intermediate_size=4304,
    num_hidden_layers=27,
    num_attention_heads=16,
    image_size=384,
    patch_size=14,
)

MINI = ModelConfig(
    vision=VisionConfig(
        hidden_size=384,
        intermediate_size=1536,
        num_hidden_layers=12,
        num_attention_heads=6,
        image_size=224,
        patch_size=14,
    ),
    text=SMOLLM2_135M,
    scale_factor=4,
    image_token_id=49190,
    eos_token_id=2,  # <|im_end|>: the bundled model keeps the ChatML template of its decoder
    tie_word_embeddings=True,
)
SMOLVLM_256M = ModelConfig(vision=SIGLIP_B16_512, text=SMOLLM2_135M)
SMOLVLM_500M = ModelConfig(vision=SIGLIP_B16_512, text=SMOLLM2_360M)
SMOLVLM_2B = ModelConfig(
    vision=SIGLIP_SO400M_14_384,
    text=SMOLLM2_1B7,
    scale_factor=3,
    image_token_id=49153,
    eos_token_id=49154,
)

PRESETS: dict[str, ModelConfig] = {
    "mini": MINI,
    "smolvlm-256m": SMOLVLM_256M,
    "smolvlm-500m": SMOLVLM_500M,
    "smolvlm-2.2b": SMOLVLM_2B,
    "smolvlm2-256m": replace(SMOLVLM_256M, model_type="smolvlm"),
    "smolvlm2-500m": replace(SMOLVLM_500M, model_type="smolvlm"),
    "smolvlm2-2.2b": replace(SMOLVLM_2B, model_type="smolvlm"),
}
