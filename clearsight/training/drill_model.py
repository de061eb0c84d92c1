"""What a drill trains: a small vision-language model, and packed conversations that are made up from a step's number.

A picture of one colour, a few words, and a reply that names the colour and goes on with words that follow from each
other four times out of five. There is something to learn for tower, connector and decoder, and nothing to fetch.
"""

import random
from dataclasses import replace

import torch

from clearsight.data.loader import Batch, pack
from clearsight.models.config import ModelConfig, TextConfig, VisionConfig
from clearsight.processing.processor import ModelInput

WORDS, COLOURS, IMAGE, PAD = 64, 8, 72, 73  # ids: words from 0, colours from 64
MODEL = ModelConfig(
    vision=VisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=16,
        patch_size=4,
    ),
    text=TextConfig(
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=12,
        vocab_size=74,
    ),
    scale_factor=2,
    image_token_id=IMAGE,
)
LARGER = replace(  # 9 million parameters: calls of small tensors take longer than what is done to them
    MODEL, text=replace(MODEL.text, hidden_size=384, intermediate_size=1024, num_hidden_layers=6, head_dim=64)
)
ROWS, ROW_TOKENS = 2, 160
LARGER_ROWS = 8


def batch_of(step: int, rows: int = ROWS) -> Batch:
    """The packed conversations of a step, always the same ones: a picture, a few words, a colour, words that follow."""
    chance = random.Random(step)
    packed = []
    for _ in range(rows):
        row, room = [], ROW_TOKENS
        while room >= 64:
            row.append(_conversation(chance))
            room -= row[-1].num_tokens
        packed.append(row)
    return pack(packed, ROW_TOKENS, PAD)


def _conversation(chance: random.Random) -> ModelInput:
    colour, side = chance.randrange(COLOURS), MODEL.vision.image_size
    tile = torch.tensor([255 * (colour >> channel & 1) for channel in range(3)], dtype=torch.uint8)
    words = [chance.randrange(WORDS)]
    for _ in range(chance.randrange(20, 44)):
        words.append((5 * words[-1] + 7) % WORDS if chance.random() < 0.8 else chance.randrange(WORDS))
    asked = chance.randrange(4, 12)
    question = [IMAGE] * MODEL.tokens_per_tile + words[:asked]
    reply = [WORDS + colour, *words[asked:]]
    return ModelInput(
        torch.tensor(question + reply),
        torch.tensor([False] * len(question) + [True] * len(reply)),
        tile[None, :, None, None].expand(1, 3, side, side),
        (MODEL.tokens_per_tile,),
        (),
    )
