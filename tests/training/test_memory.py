"""Predicted memory is what real sharded steps need, so that a plan that fits also runs."""

from dataclasses import replace

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from clearsight.models.config import ModelConfig, TextConfig, VisionConfig
from clearsight.models.packed import segment_bounds
from clearsight.models.presets import PRESETS
from clearsight.models.text import TextLayer, rotary_tables
from clearsight.models.vision import VisionLayer
from clearsight.models.vlm import VisionLanguageModel
from clearsight.training.config import Parallel
from clearsight.training.memory import (
    Counts,
    Layout,
    Learning,
    Work,
    saved_by_text_layer,
    saved_by_vision_layer,
    step_memory,
)
from clearsight.training.memory_probe import measure_memory

# 2 million parameters, mostly activations; 10 million, mostly scores; 19 million, mostly weights.
SMALL = ModelConfig(
    VisionConfig(96, 256, 3, 4, 64, 8), TextConfig(160, 432, 5, 5, 5, 32, 1000), image_token_id=999
)
TIED = ModelConfig(
    VisionConfig(192, 768, 4, 6, 64, 8),
    TextConfig(256, 768, 6, 8, 2, 32, 4096),
    image_token_id=4095,
    tie_word_embeddings=True,
)
WIDE = ModelConfig(
    VisionConfig(128, 512, 2, 4, 32, 8),
    TextConfig(512, 1536, 4, 8, 4, 64, 2048),
    scale_factor=2,
    image_token_id=2047,
)
SIZES = {
    "small": (SMALL, Work(512, 8, 300)),
    "tied": (TIED, Work(1024, 16, 600)),
    "wide": (WIDE, Work(256, 4, 100)),
}


def off(size: str, settings: Parallel, learning: Learning) -> float:
    """By which share the prediction for two processes is wrong."""
    config, work = SIZES[size]
    layout = Layout(
        shard=2 if settings.shard != 1 and settings.tensor == 1 else 1,
        tensor=settings.tensor,
        checkpoint_activations=settings.checkpoint_activations,
        bf16=settings.precision == "bf16",
        accelerator=False,
    )
    measured = measure_memory(config, work, settings, learning)
    assert measured.peak < 1.05 * measured.process, "the process can't be smaller than what is in it"
    return step_memory(config, work, layout, learning).total / measured.peak - 1


def test_a_sharded_step_needs_what_was_predicted():
    assert abs(off("wide", Parallel(precision="fp32"), Learning())) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "settings", "learning"),
    [
        ("small", {}, {}),
        ("tied", {}, {}),
        ("wide", {"precision": "bf16"}, {}),
        ("tied", {"checkpoint_activations": True}, {}),
        ("tied", {"shard": 1}, {}),
        ("tied", {"tensor": 2}, {}),
        ("small", {}, {"optimizer": "muon"}),
        ("tied", {}, {"trained": frozenset({"connector"})}),
        ("tied", {}, {"trained": frozenset({"connector", "text"}), "rank": 8}),
    ],
)
def test_steps_of_other_sizes_and_divisions_need_what_was_predicted(size, settings, learning):
    parallel = Parallel(**({"precision": "fp32"} | settings))
    assert abs(off(size, parallel, Learning(**learning))) < 0.05


def saved_bytes(compute, parameters) -> int:
    """What autograd keeps for the backward pass of `compute`, weights and small tables left out."""
    known = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.setdefault(
            tensor.untyped_storage().data_ptr(), tensor
        )  # alive, so that no other takes its place
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        compute()
    return sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in known)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("kept", [None, 17])
def test_a_decoder_layer_keeps_what_was_counted(dtype, trained, kept):
    text, tokens = TIED.text, 96
    layer = TextLayer(text, 0).to(dtype).requires_grad_(trained)
    x = torch.randn(1, tokens, text.hidden_size, dtype=dtype, requires_grad=True)
    cos, sin = rotary_tables(text, torch.arange(tokens)[None], dtype)
    bounds = segment_bounds(torch.arange(tokens)[None] // 32)
    tables = [cos, sin]
    places = None if kept is None else 5 * torch.arange(kept)
    found = saved_bytes(
        lambda: layer(x, cos, sin, None, bounds, None, places), [*layer.parameters(), *tables]
    )
    if dtype == torch.bfloat16:
        found -= 2 * 4 * text.hidden_size  # the norms' weights as fp32
    layout = Layout(bf16=dtype == torch.bfloat16, accelerator=False)
    learning = Learning(frozenset({"text", "vision"} if trained else {"vision"}))
    assert found == saved_by_text_layer(TIED, tokens, layout, learning, kept)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_tower_layer_keeps_what_was_counted(dtype):
    vision = TIED.vision
    layer = VisionLayer(vision).to(dtype)
    x = torch.randn(3, vision.num_patches, vision.hidden_size, dtype=dtype, requires_grad=True)
    found = saved_bytes(lambda: layer(x), layer.parameters())
    assert found == saved_by_vision_layer(TIED, 3, dtype == torch.bfloat16)


@pytest.mark.parametrize("name", ["mini", "smolvlm-256m", "smolvlm-2.2b"])
def test_parameters_are_those_of_the_real_model(name):
    config = PRESETS[name]
    with torch.device("meta"):
        model = VisionLanguageModel(config)
    assert Counts.of(config).total(config) == sum(parameter.numel() for parameter in model.parameters())


def test_what_is_said_to_save_memory_does():
    config, work = PRESETS["smolvlm-2.2b"], Work(4096, 25, 1024)
    whole = step_memory(config, work, Layout())
    assert step_memory(config, work, Layout(shard=8)).total < whole.total
    assert step_memory(config, work, Layout(checkpoint_activations=True)).activations < whole.activations / 4
    assert step_memory(config, work, Layout(bf16=False)).activations > whole.activations
    assert step_memory(config, work, Layout(), Learning(rank=16)).moments < whole.moments
    assert step_memory(config, work, Layout(), Learning(optimizer="muon")).moments < 0.6 * whole.moments
    assert step_memory(config, work, Layout(), Learning(ema=True)).moments == 1.5 * whole.moments


def test_gradients_of_several_micro_batches_are_whole_on_every_rank():
    config, work = PRESETS["smolvlm-2.2b"], Work(4096, 25, 1024)
    sharded = Layout(shard=64)
    gradients = step_memory(config, work, sharded, Learning(accumulates=True)).gradients
    assert gradients >= 4 * Counts.of(config).total(config)
    assert gradients > 10 * step_memory(config, work, sharded).gradients


def test_a_step_without_pictures_can_be_planned():
    config = replace(SMALL, tie_word_embeddings=True)
    assert step_memory(config, Work(512, 0, 100), Layout()).total > 0
