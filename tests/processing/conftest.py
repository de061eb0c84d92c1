"""A small SmolLM2-like vocabulary, trained here, with the special tokens of SmolVLM 256M behind it."""

import json

import pytest
from tokenizers import Tokenizer as RawTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

from clearsight.processing.processor import Processor
from clearsight.processing.template import Template
from clearsight.processing.tiles import TileSettings
from clearsight.processing.tokenizer import Tokenizer

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
ADDED = [
    "<global-img>",
    *[f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)],
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
]


@pytest.fixture(scope="session")
def vocabulary() -> tuple[list[str], list[str]]:
    """Tokens in id order and merges, as a GGUF file lists them."""
    raw = RawTokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=CONTROL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = "User: What is this? Assistant: The house.\n\n<image> <|im_start|>user assistant\n\n the the"
    raw.train_from_iterator([text] * 3, trainer)
    model = json.loads(raw.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return tokens, [" ".join(merge) for merge in model["merges"]]


@pytest.fixture(scope="session")
def tokenizer(vocabulary: tuple[list[str], list[str]]) -> Tokenizer:
    tokens, merges = vocabulary
    special = {name: index for index, name in enumerate(CONTROL)}
    special |= {name: len(tokens) + index for index, name in enumerate(ADDED)}
    return Tokenizer.from_vocab(tokens, merges, special)


@pytest.fixture(params=["smolvlm", "chatml"])
def processor(tokenizer: Tokenizer, request: pytest.FixtureRequest) -> Processor:
    settings = TileSettings(tile_size=16, longest_edge=64, tokens_per_tile=3)
    return Processor(settings, tokenizer, Template(request.param))
