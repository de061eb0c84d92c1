"""The bundled model's trained parts: stored small, they answer like what was trained."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import TINY
from torch import Tensor

from clearsight import mini
from clearsight.models.hf import CheckpointError
from clearsight.models.lora import add_low_rank
from clearsight.models.vlm import VisionLanguageModel

TINY_MINI = replace(
    TINY,
    vision=replace(TINY.vision, hidden_size=64, intermediate_size=96),
    tie_word_embeddings=True,
)
NUM_BASE_TOKENS = 90


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> VisionLanguageModel:
    """A model at random that stands for the base decoder, put in its place."""
    torch.manual_seed(0)
    model = VisionLanguageModel(TINY_MINI).eval().requires_grad_(False)
    kept = {name: p.clone() for name, p in model.named_parameters() if ".text_model." in name}

    def base_tensors() -> Iterator[tuple[str, Tensor]]:
        for name, tensor in kept.items():
            yield name, tensor.clone()

    monkeypatch.setattr(mini, "MINI", TINY_MINI)
    monkeypatch.setattr(mini, "NUM_BASE_TOKENS", NUM_BASE_TOKENS)
    monkeypatch.setattr(mini, "QUANTISED_FROM", 256)
    monkeypatch.setattr(mini, "base_tensors", base_tensors)
    return model


def test_stored_parts_give_back_the_trained_model(base: VisionLanguageModel, tmp_path: Path) -> None:
    ids = torch.tensor([[1] + [100] * 4 + [95, 2, 3]])
    tiles = torch.rand(1, 3, 32, 32) * 2 - 1
    untrained = base(ids, tiles)
    add_low_rank(base.text_model, rank=2, alpha=4)
    for name, parameter in base.named_parameters():
        if name.endswith("lora_b"):
            parameter.data.normal_(std=0.1)
    base.text_model.embed_tokens.weight.data[NUM_BASE_TOKENS:].normal_()
    trained = base(ids, tiles)

    file = mini.save_parts(base, tmp_path)
    restored = mini.load(torch.float32, tmp_path)
    assert set(dict(restored.named_parameters())) == set(
        dict(VisionLanguageModel(TINY_MINI).named_parameters())
    )
    error = (restored(ids, tiles) - trained).abs().max()
    assert error < 0.02 * trained.std()
    assert error < 0.05 * (untrained - trained).abs().max()

    stored = load_file(file)
    connector = "model.connector.modality_projection.proj.weight"
    assert stored[connector].dtype == torch.int8
    step = stored[f"{connector}.scale"][:, None]
    difference = (
        restored.connector.modality_projection.proj.weight - base.connector.modality_projection.proj.weight
    )
    assert (difference.abs() <= 0.5001 * step).all()


def test_missing_parts_say_what_to_do(base: VisionLanguageModel, tmp_path: Path) -> None:
    with pytest.raises(mini.PartsMissing, match="reinstall clearsight"):
        mini.load(folder=tmp_path)


def test_parts_of_another_model_are_refused(base: VisionLanguageModel, tmp_path: Path) -> None:
    add_low_rank(base.text_model, rank=2, alpha=4)
    file = mini.save_parts(base, tmp_path)
    for change, message in (
        ({"model.text_model.layers.99.mlp.up_proj.lora_a": torch.ones(2, 2)}, "layers.99"),
        ({"new_embeddings": torch.ones(1, 3)}, "do not fit"),
    ):
        save_file(load_file(file) | change, file)
        with pytest.raises(CheckpointError, match=message):
            mini.load(folder=tmp_path)


def test_training_goes_on_from_what_was_stored(base: VisionLanguageModel, tmp_path: Path) -> None:
    add_low_rank(base.text_model, rank=2, alpha=4)
    for name, parameter in base.named_parameters():
        if name.endswith("lora_b"):
            parameter.data.normal_(std=0.1)
    mini.save_parts(base, tmp_path)
    torch.manual_seed(1)
    again = VisionLanguageModel(TINY_MINI).eval().requires_grad_(False)
    again.text_model.load_state_dict(_unwrapped(base))
    add_low_rank(again.text_model, rank=2, alpha=4)
    mini.restore_parts(again, tmp_path)
    ids, tiles = torch.tensor([[1] + [100] * 4 + [95, 2, 3]]), torch.rand(1, 3, 32, 32) * 2 - 1
    shipped = mini.load(torch.float32, tmp_path)
    assert torch.allclose(again(ids, tiles), shipped(ids, tiles), atol=1e-3)


def _unwrapped(model: VisionLanguageModel) -> dict[str, Tensor]:
    """The decoder's plain weights below its low-rank updates."""
    return {
        name.replace(".base.", "."): value
        for name, value in model.text_model.state_dict().items()
        if not name.endswith(("lora_a", "lora_b"))
    }
