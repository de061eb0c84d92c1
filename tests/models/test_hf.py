"""Public files: what is refused and why, and the layouts of other programs."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import TINY

from clearsight.models import hf
from clearsight.models.lora import add_low_rank
from clearsight.models.vlm import VisionLanguageModel
from clearsight.weights import WeightsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hf.save(VisionLanguageModel(TINY), tmp_path)
    return tmp_path


def rewrite_weights(folder: Path, **changes: torch.Tensor | None) -> None:
    tensors: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
    for name, tensor in changes.items():
        if tensor is None:
            del tensors[name]
        else:
            tensors[name] = tensor
    save_file(tensors, folder / "model.safetensors")


NORM = "model.text_model.norm.weight"


def test_a_saved_model_comes_back_with_the_same_configuration_and_weights(folder: Path) -> None:
    model = hf.load(folder, torch.float32)
    assert model.config == TINY
    assert not model.training
    saved = load_file(folder / "model.safetensors")
    assert all(torch.equal(saved[name], tensor) for name, tensor in model.state_dict().items())
    assert not list(folder.glob("*.part"))


def test_a_missing_tensor_is_named(folder: Path) -> None:
    rewrite_weights(folder, **{NORM: None})
    with pytest.raises(hf.CheckpointError, match=rf"lack {NORM}"):
        hf.load(folder)


def test_an_unknown_tensor_is_named(folder: Path) -> None:
    rewrite_weights(folder, extra=torch.zeros(2))
    with pytest.raises(hf.CheckpointError, match="hold the unknown extra"):
        hf.load(folder)


def test_a_tensor_of_another_shape_is_refused_with_both_shapes(folder: Path) -> None:
    rewrite_weights(folder, **{NORM: torch.zeros(25)})
    with pytest.raises(hf.CheckpointError, match=r"\(25,\) but the configuration says \(24,\)"):
        hf.load(folder)


def test_a_folder_without_safetensors_says_what_to_download(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="holds no safetensors file"):
        hf.load(folder)
    with pytest.raises(hf.CheckpointError, match=r"no config\.json"):
        hf.load(folder / "absent")


def test_a_shard_outside_the_folder_is_never_read(folder: Path) -> None:
    inside = folder / "inside"
    inside.mkdir()
    (inside / "config.json").write_text((folder / "config.json").read_text())
    index = {"weight_map": {NORM: "../model.safetensors"}}
    (inside / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(WeightsError, match="outside its folder"):
        hf.load(inside)


def test_low_rank_updates_are_merged_before_saving(tmp_path: Path) -> None:
    model = VisionLanguageModel(TINY)
    add_low_rank(model.text_model, rank=2, alpha=2)
    with pytest.raises(hf.CheckpointError, match="Merge low-rank updates"):
        hf.save(model, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "llava"}, "model_type is 'llava'"),
        ({"text_config": {"attention_bias": True}}, "attention_bias is True"),
        ({"text_config": {"rope_scaling": {"type": "yarn"}}}, "yarn"),
        ({"vision_config": {"hidden_act": "relu"}}, "hidden_act is 'relu'"),
    ],
)
def test_an_architecture_that_is_not_this_one_is_refused(change: dict, message: str) -> None:
    with pytest.raises(hf.CheckpointError, match=message):
        hf.config_from_json({"model_type": "idefics3", **change})


def test_the_rope_base_is_found_in_both_places() -> None:
    def read(text: dict) -> float:
        return hf.config_from_json(
            {"model_type": "smolvlm", "text_config": text, "vision_config": {"image_size": 512}}
        ).text.rope_theta

    assert read({"rope_theta": 273768}) == 273768
    assert read({"rope_parameters": {"rope_theta": 100000, "rope_type": "default"}}) == 100000
    assert read({"rope_theta": 1, "rope_parameters": {"rope_theta": 100000}}) == 100000


def test_the_end_token_of_the_generation_file_wins() -> None:
    public = hf.config_to_json(TINY)
    assert hf.config_from_json(public).eos_token_id == 5
    assert hf.config_from_json(public, {"eos_token_id": [7, 8]}).eos_token_id == 7


def llama_cpp_permute(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """As written in llama.cpp's converter."""
    return (
        weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
        .swapaxes(1, 2)
        .reshape(weights.shape)
    )


def test_the_row_order_of_llama_cpp_is_undone() -> None:
    weight = torch.randn(4 * 6, 5)
    for short, long, heads in (("attn_q", "q_proj", 4), ("attn_k", "k_proj", 2)):
        permuted = llama_cpp_permute(weight, heads)
        assert not torch.equal(permuted, weight)
        name, restored = hf.gguf_to_public(f"blk.7.{short}.weight", permuted, 4, 2)
        assert name == f"model.text_model.layers.7.self_attn.{long}.weight"
        assert torch.equal(restored, weight)


def test_every_llama_cpp_name_lands_in_the_model() -> None:
    public = set(VisionLanguageModel(TINY).state_dict())
    layer_names = [f"blk.{i}.{name}.weight" for i in range(3) for name in hf.GGUF_LAYER_NAMES]
    ours = {hf.gguf_to_public(n, torch.zeros(24, 1), 4, 2)[0] for n in [*hf.GGUF_NAMES, *layer_names]}
    assert ours == {name for name in public if "text_model" in name or "lm_head" in name}
    with pytest.raises(hf.CheckpointError, match="rope_freqs"):
        hf.gguf_to_public("rope_freqs.weight", torch.zeros(1), 4, 2)
