"""The native kernels against the network in PyTorch, and their promise that company changes nothing."""

import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from clearsight import mini
from clearsight.engine.batch import FlatBatch
from clearsight.engine.kernels import NativeDecoder, NativeVision, NoCompiler
from clearsight.engine.kernels.build import build, library
from clearsight.engine.kernels.layout import Precision
from clearsight.engine.kernels.quantise import int4_weights, int8_weights
from clearsight.models.config import ModelConfig, TextConfig, VisionConfig
from clearsight.models.presets import MINI
from clearsight.models.vlm import VisionLanguageModel

SMALL = ModelConfig(
    vision=VisionConfig(
        hidden_size=128,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=72,
        patch_size=6,
    ),
    text=TextConfig(
        hidden_size=192,
        intermediate_size=320,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=32,
        vocab_size=101,
        max_position_embeddings=1024,
    ),
)
PRECISIONS: tuple[Precision, ...] = ("float32", "int8", "int4")


@pytest.fixture(scope="module", autouse=True)
def _compiler() -> None:
    try:
        library()
    except NoCompiler as reason:
        pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


@cache
def random_model(config: ModelConfig = SMALL) -> VisionLanguageModel:
    with torch.inference_mode():
        torch.manual_seed(0)
        model = VisionLanguageModel(config)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=1.5 / parameter[0].numel() ** 0.5)
            else:
                parameter.normal_(mean=1, std=0.2)
        model.text_model.embed_tokens.weight.normal_()
        return model.eval()


def native(
    model: VisionLanguageModel,
    weights: Precision = "float32",
    *,
    num_blocks: int = 64,
    block_size: int = 16,
    threads: int = 1,
    kv: str = "float32",
) -> NativeDecoder:
    return NativeDecoder(
        model.text_model,
        model.lm_head.weight,
        weights=weights,
        num_blocks=num_blocks,
        block_size=block_size,
        threads=threads,
        kv=kv,
    )


def flat_batch(
    pieces: list[tuple[int, int, list[int]]], block_size: int = 16, rows: list[int] | None = None
) -> FlatBatch:
    """Of each piece its first position, its number of new tokens and its sequence's blocks."""
    total = sum(count for _, count, _ in pieces)
    return FlatBatch.of(
        [(range(start, start + count), blocks) for start, count, blocks in pieces],
        list(range(total)) if rows is None else rows,
        block_size,
    )


def embeddings(model: VisionLanguageModel, count: int, seed: int = 0) -> Tensor:
    ids = torch.randint(model.config.text.vocab_size, (count,), generator=torch.Generator().manual_seed(seed))
    return model.text_model.embed_tokens(ids)


def expected(model: VisionLanguageModel, embeds_ND: Tensor) -> Tensor:
    return model.logits(model.text_model(embeds_ND[None]))[0]


def correlation(a: Tensor, b: Tensor) -> float:
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].item()


@pytest.mark.parametrize("block_size", [8, 16, 32, 64])
@pytest.mark.parametrize("kv", ["float32", "float16"])
def test_scores_are_those_of_the_network(block_size: int, kv: str) -> None:
    model = random_model()
    embeds = embeddings(model, 150)
    blocks = torch.randperm(160 // block_size + 1, generator=torch.Generator().manual_seed(1)).tolist()
    decoder = native(model, block_size=block_size, kv=kv)
    scores = decoder.forward(embeds, flat_batch([(0, 150, blocks)], block_size))
    torch.testing.assert_close(
        scores, expected(model, embeds), atol=1e-4 if kv == "float32" else 2e-2, rtol=1e-4
    )


@pytest.mark.parametrize(
    "text",
    [
        replace(SMALL.text, num_attention_heads=2, num_key_value_heads=2, head_dim=96),
        replace(SMALL.text, num_attention_heads=2, num_key_value_heads=1, head_dim=128),
        replace(
            SMALL.text, hidden_size=64, intermediate_size=64, num_attention_heads=14, num_key_value_heads=1
        ),
        replace(MINI.text, num_hidden_layers=1, vocab_size=999),
    ],
)
def test_other_shapes_give_the_scores_of_the_network(text: TextConfig) -> None:
    model = random_model(replace(SMALL, text=text))
    embeds = embeddings(model, 70)
    scores = native(model).forward(embeds, flat_batch([(0, 70, [4, 3, 2, 1, 0])]))
    torch.testing.assert_close(scores, expected(model, embeds), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_quantised_scores_follow_those_of_the_network(weights: Precision) -> None:
    model = random_model()
    embeds = embeddings(model, 100)
    scores = native(model, weights).forward(embeds, flat_batch([(0, 100, list(range(7)))]))
    assert correlation(scores, expected(model, embeds)) > (0.998 if weights == "int8" else 0.92)


@pytest.mark.parametrize("weights", ["int8", "int4"])
@pytest.mark.parametrize("rows", [1, 7])
def test_the_largest_sums_are_exact(weights: Precision, rows: int) -> None:
    """Inputs that are all 127 as bytes, weights of one sign but for one in a group: sums as large as they come."""
    model = deepcopy(random_model())
    signs = torch.tensor([1.0, -1.0])
    for parameter in model.text_model.layers.parameters():
        if parameter.dim() > 1:
            parameter.copy_(signs.repeat(len(parameter))[: len(parameter), None] * 0.02)
            parameter[:, ::32] *= -1
            parameter *= torch.linspace(0.5, 1, len(parameter))[:, None]
        else:
            parameter.fill_(1)
    embeds = torch.ones(rows, SMALL.text.hidden_size)
    scores = native(model, weights).forward(embeds, flat_batch([(0, rows, [0])]))
    wanted = expected(model, embeds)
    torch.testing.assert_close(scores, wanted, atol=0.05 * wanted.abs().max().item(), rtol=0)


@pytest.mark.parametrize("weights", PRECISIONS)
@pytest.mark.parametrize(("block_size", "kv"), [(8, "float16"), (16, "float16"), (32, "float32")])
@pytest.mark.parametrize("threads", [1, 2])
def test_pieces_company_and_threads_do_not_change_a_bit(
    weights: Precision, block_size: int, kv: str, threads: int
) -> None:
    model = random_model()
    embeds, company = embeddings(model, 200), embeddings(model, 300, seed=1)
    num_blocks = 640 // block_size
    blocks, others = list(range(224 // block_size)), list(range(320 // block_size, num_blocks))
    whole = native(model, weights, block_size=block_size, num_blocks=num_blocks, kv=kv)
    alone = whole.forward(embeds, flat_batch([(0, 200, blocks)], block_size))

    decoder = native(model, weights, block_size=block_size, num_blocks=num_blocks, kv=kv, threads=threads)
    pieces, seen = [], 0
    for count in [1, 70, 1, 1, 2, 63, 13, 49]:
        others_start = seen // 2
        others_count = min(3 * count, 300 - others_start) if others_start < 150 else 1
        batch = flat_batch(
            [(others_start, others_count, others), (seen, count, blocks)],
            block_size,
            rows=list(range(others_count + count - 1, others_count - 1, -1)),
        )
        mixed = torch.cat([company[others_start : others_start + others_count], embeds[seen : seen + count]])
        pieces.append(decoder.forward(mixed, batch).flip(0))
        seen += count
    assert seen == 200
    assert torch.equal(torch.cat(pieces), alone)


def test_a_long_context_over_scattered_blocks_decodes_as_the_network_does() -> None:
    model = random_model()
    embeds = embeddings(model, 900)
    blocks = torch.randperm(64, generator=torch.Generator().manual_seed(0)).tolist()
    decoder = native(model)
    decoder.forward(embeds[:899], flat_batch([(0, 899, blocks)], rows=[]))
    scores = decoder.forward(embeds[899:], flat_batch([(899, 1, blocks)]))
    torch.testing.assert_close(scores, expected(model, embeds)[-1:], atol=1e-4, rtol=1e-4)


def test_what_a_freed_block_held_does_not_reach_its_next_owner() -> None:
    model = random_model()
    decoder = native(model)
    embeds = embeddings(model, 20)
    fresh = decoder.forward(embeds, flat_batch([(0, 20, [0, 1])]))
    decoder.forward(torch.full((32, 192), torch.nan), flat_batch([(0, 32, [0, 1])]))
    assert torch.equal(decoder.forward(embeds, flat_batch([(0, 20, [0, 1])])), fresh)


def test_an_empty_batch_and_a_batch_that_wants_nothing_give_no_rows() -> None:
    model = random_model()
    decoder = native(model)
    assert decoder.forward(torch.empty(0, 192), flat_batch([])).shape == (0, 101)
    wants_nothing = flat_batch([(0, 5, [0])], rows=[])
    assert decoder.forward(embeddings(model, 5), wants_nothing).shape == (0, 101)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"slots_N": torch.tensor([0, 1, 1024], dtype=torch.int32)}, "slots_N must be in"),
        ({"positions_N": torch.tensor([0, 1, 5000], dtype=torch.int32)}, "positions_N must be in"),
        ({"block_tables": torch.tensor([[64]], dtype=torch.int32)}, "block_tables must be in"),
        ({"rows_M": torch.tensor([-1], dtype=torch.int32)}, "rows_M must be in"),
        ({"rows_M": torch.tensor([1])}, "rows_M must be int32"),
        ({"context_lens": torch.tensor([17], dtype=torch.int32)}, "its blocks do not hold"),
        ({"query_starts": torch.tensor([0, 2], dtype=torch.int32)}, "do not fit each other"),
    ],
)
def test_a_batch_that_points_outside_the_cache_is_refused(change: dict, complaint: str) -> None:
    model = random_model()
    batch = replace(flat_batch([(0, 3, [0])]), **change)
    with pytest.raises(ValueError, match=complaint):
        native(model).forward(embeddings(model, 3), batch)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (replace(SMALL.text, hidden_size=100), "hidden size that divides by 64, not 100"),
        (replace(SMALL.text, num_attention_heads=4, num_key_value_heads=4, head_dim=48), "not 48"),
    ],
)
def test_a_shape_the_kernels_do_not_take_is_refused_in_a_sentence(text: TextConfig, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        native(VisionLanguageModel(replace(SMALL, text=text)))


def test_quantised_weights_are_near_the_weights() -> None:
    weight_OI = torch.randn(64, 256, generator=torch.Generator().manual_seed(0))
    weight_OI[3] = 0
    weight_OI[4, 7] = 40
    for quantised, allowed in ((int8_weights(weight_OI), 0.02), (int4_weights(weight_OI), 0.11)):
        difference = quantised.dequantised() - weight_OI
        assert (difference.norm() / weight_OI.norm()).item() < allowed
        assert difference[3].abs().max() < 1e-6
    int4 = int4_weights(weight_OI)
    assert int(int4.levels_OI.max()) <= 15
    assert int((int4.steps_OG.int() * 15 + int4.lows_OG).max()) <= 255


@pytest.mark.parametrize("threads", [1, 2])
def test_image_tokens_are_those_of_the_network_and_of_each_tile_alone(threads: int) -> None:
    model = random_model()
    tiles = torch.rand(3, 3, 72, 72, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = model.encode_images(tiles)
    exact = NativeVision(model.vision_model, model.connector, weights="float32", threads=threads)
    torch.testing.assert_close(exact(tiles), features, atol=1e-4, rtol=1e-4)
    rounded = NativeVision(model.vision_model, model.connector, weights="int8", threads=threads)
    assert correlation(rounded(tiles), features) > 0.999
    assert torch.equal(rounded(tiles[1:2])[0], rounded(tiles)[1])
    assert rounded(tiles[:0]).shape == (0, 9, 192)


def test_tiles_of_another_size_are_refused() -> None:
    model = random_model()
    vision = NativeVision(model.vision_model, model.connector, weights="int8", threads=1)
    with pytest.raises(ValueError, match="takes 72x72 tiles"):
        vision(torch.zeros(1, 3, 60, 72))


@pytest.mark.bundled
@pytest.mark.slow
def test_the_bundled_model_keeps_its_wits_when_quantised() -> None:
    model = mini.load(torch.float32)
    tokenizer = mini.processor().tokenizer
    text = Path("README.md").read_text()
    ids = torch.tensor(tokenizer.encode_text(text)[:256])
    embeds = model.text_model.embed_tokens(ids)
    batch = flat_batch([(0, 256, list(range(16)))])
    reference = expected(model, embeds)

    def loss(scores: Tensor) -> float:
        return F.cross_entropy(scores[:-1], ids[1:]).item()

    least = {"float32": (0.999, 0.995), "int8": (0.995, 0.85), "int4": (0.97, 0.7)}
    for weights, (correlated, agreeing) in least.items():
        scores = native(model, weights, kv="float16").forward(embeds, batch)
        assert correlation(scores, reference) > correlated, weights
        assert (scores.argmax(-1) == reference.argmax(-1)).float().mean() > agreeing, weights
        assert loss(scores) < loss(reference) + 0.15, weights
    tiles = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    vision = NativeVision(model.vision_model, model.connector, weights="int8", threads=1)
    assert torch.cosine_similarity(vision(tiles), model.encode_images(tiles), dim=-1).min() > 0.99


def stand_in_compiler(folder: Path, script: str) -> Path:
    file = folder / "compiler"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_a_machine_without_a_compiler_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompiler, match="install g\\+\\+ or clang\\+\\+"):
        build(tmp_path / "cache")


def test_a_compiler_that_fails_is_quoted_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = stand_in_compiler(tmp_path, "echo 'x.cpp:1: error: no such luck' >&2; exit 1")
    monkeypatch.setenv("CXX", str(compiler))
    with pytest.raises(NoCompiler, match="no such luck"):
        build(tmp_path / "cache")
    assert [file for file in (tmp_path / "cache").iterdir() if file.suffix != ".lock"] == []


def test_processes_that_start_together_build_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    script = f'echo run >> {log}; sleep 1; while [ "$1" != -o ]; do shift; done; echo library > "$2"'
    monkeypatch.setenv("CXX", str(stand_in_compiler(tmp_path, script)))
    code = (
        "import pathlib, sys; from clearsight.engine.kernels.build import build; "
        "print(build(pathlib.Path(sys.argv[1])).read_text())"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "cache")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in both] == ["library", "library"]
    assert log.read_text().split() == ["run"]
