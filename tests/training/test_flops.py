"""FLOPs are what the real network computes, so that an MFU can be believed."""

import pytest
import torch
from tiny_model import TINY
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from clearsight.models.lora import add_low_rank
from clearsight.models.presets import SMOLVLM_256M
from clearsight.models.vlm import VisionLanguageModel
from clearsight.training import flops, hardware_catalog
from clearsight.training.flops import batch_flops, peak_flops

LENGTHS = (40, 30, 58)
TILES, RANK = 2, 3


def counted(trained: frozenset[str], rank: int) -> tuple[int, int]:
    """FLOPs of forward and backward that PyTorch counts for the real model, and how many tokens were learned."""
    torch.manual_seed(0)
    model = VisionLanguageModel(TINY)
    parts = {"vision": [model.vision_model], "connector": [model.connector]}
    parts["text"] = [model.text_model, model.lm_head]
    for part, modules in parts.items():
        for module in modules:
            module.requires_grad_(part in trained)
    if rank:
        model.text_model.requires_grad_(False)
        model.lm_head.requires_grad_(False)
        add_low_rank(model.text_model, rank, 1.0)
    segment_ids = torch.cat([torch.full((length,), i) for i, length in enumerate(LENGTHS)])[None]
    input_ids = torch.randint(0, 99, segment_ids.shape)
    input_ids[0, : TILES * TINY.tokens_per_tile] = TINY.image_token_id
    labels = torch.where(torch.arange(input_ids.shape[1]) % 3 == 0, input_ids, -100)
    starts = segment_ids[:, 1:] != segment_ids[:, :-1]
    learned = int((labels[:, 1:] != -100).logical_and(~starts).sum())
    tiles = torch.randn(TILES, 3, 32, 32)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:  # MATH counts its products
        loss = model(input_ids, tiles, segment_ids=segment_ids, labels=labels, reduction="sum")
        if trained:
            loss.backward()
    return counter.get_total_flops(), learned


@pytest.mark.parametrize(
    ("trained", "rank"),
    [
        ("vision connector text", 0),
        ("connector text", 0),
        ("connector", 0),
        ("vision", 0),
        ("text", 0),
        ("text", RANK),
        ("vision text", RANK),
        ("", 0),
    ],
)
def test_flops_are_those_of_the_real_model_whatever_is_frozen(trained, rank):
    parts = frozenset(trained.split())
    expected, learned = counted(parts, rank)
    ours = batch_flops(TINY, LENGTHS, TILES, learned, parts, rank).total
    # The program multiplies whole squares of queries and keys; the causal half is all that is needed.
    width = TINY.text.num_attention_heads * TINY.text.head_dim * TINY.text.num_hidden_layers
    masked = sum(length * (length - 1) // 2 for length in LENGTHS)
    masked *= 4 * width * (3 if parts else 1)
    assert ours + masked == expected


def test_attention_is_counted_within_samples_and_not_across_them():
    whole = batch_flops(TINY, [128], 0, 0)
    packed = batch_flops(TINY, [64, 64], 0, 0)
    width = TINY.text.num_attention_heads * TINY.text.head_dim
    pairs_across = 64 * 64
    assert whole.text - packed.text == 3 * 4 * width * TINY.text.num_hidden_layers * pairs_across


def test_most_of_a_pictures_work_is_counted_where_it_happens():
    one = batch_flops(SMOLVLM_256M, [200], 1, 50)
    assert one.vision > 3 * one.text  # 1,024 patches against 200 tokens
    assert one.total == one.vision + one.connector + one.text + one.head


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA GB200", "GB200"),
        ("NVIDIA A100-SXM4-40GB", "A100 40GB"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB"),
        ("NVIDIA A100 80GB PCIe", "A100 80GB PCIe"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("AMD Instinct MI300X", "MI300X"),
    ],
)
def test_an_accelerator_is_not_measured_against_another_ones_peak(name, entry):
    found = hardware_catalog.find(name)
    assert found is not None
    assert found.name == entry


def test_an_unknown_accelerator_has_no_mfu_rather_than_a_wrong_one():
    assert hardware_catalog.find("Some Accelerator 9000") is None


def test_peaks_in_32_bits_follow_how_products_are_computed():
    h200 = hardware_catalog.find("NVIDIA H200")
    assert h200 is not None
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        assert h200.peak(torch.float32) == h200.tf32
        torch.set_float32_matmul_precision("highest")
        assert h200.peak(torch.float32) == h200.fp32
    finally:
        torch.set_float32_matmul_precision(before)
    assert h200.peak(torch.bfloat16) == h200.bf16


def test_the_peak_of_a_processor_is_measured_once_and_can_be_reached():
    peak = peak_flops("cpu", torch.float32)
    assert peak is not None and peak > 1e9
    assert peak_flops("cpu", torch.float32) == peak  # kept: a second measurement would differ
    assert flops._measured_peak.cache_info().currsize >= 1


def test_a_batch_without_samples_needs_nothing():
    assert batch_flops(TINY, [], 0, 0).total == 0
