"""A model small enough for unit tests."""

from dataclasses import replace

from clearsight.models.config import ModelConfig, TextConfig, VisionConfig
from clearsight.processing.processor import Processor
from clearsight.processing.template import Template
from clearsight.processing.tiles import TileSettings
from clearsight.processing.tokenizer import Tokenizer, _byte_characters

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

BYTE_SPECIALS = {
    "<|im_start|>": 256,
    "<|im_end|>": 257,
    "<image>": 258,
    "<fake_token_around_image>": 259,
    "<global-img>": 260,
}
TINY_BYTES = replace(
    TINY,
    text=replace(TINY.text, vocab_size=261, max_position_embeddings=300),
    image_token_id=258,
    bos_token_id=256,
    pad_token_id=257,
    eos_token_id=257,
)
"""A model whose vocabulary is the 256 bytes and five special tokens; token ids of bytes are the bytes."""


def byte_processor() -> Processor:
    """The processor of `TINY_BYTES`: one tile a picture, ChatML."""
    characters = {byte: character for character, byte in _byte_characters().items()}
    tokens = [characters[byte] for byte in range(256)] + list(BYTE_SPECIALS)
    settings = TileSettings(tile_size=32, longest_edge=32, tokens_per_tile=4, do_image_splitting=False)
    return Processor(settings, Tokenizer.from_vocab(tokens, [], BYTE_SPECIALS), Template("chatml"))
