"""transformers as the arbiter: what it saves loads here with the same answers, and the other way round."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from clearsight.models import hf
from clearsight.models.presets import PRESETS
from clearsight.models.vlm import VisionLanguageModel

transformers = pytest.importorskip("transformers")
transformers.utils.logging.disable_progress_bar()

TINY_TEXT = {
    "model_type": "llama",
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
    "vocab_size": 211,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 100_000.0,
    "pad_token_id": 2,
    "bos_token_id": 1,
    "eos_token_id": 5,
}
TINY_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 4,
}
# As the 2.2B checkpoint: 27 patches a side, where the reference's bucketed positions could round away.
TINY_27_PATCHES = {**TINY_VISION, "image_size": 54, "patch_size": 2}
# As published: depth and inner width are left out, the top-level pad token is stale.
PUBLISHED_256M = {
    "image_token_id": 49190,
    "scale_factor": 4,
    "tie_word_embeddings": False,
    "pad_token_id": 128002,
    "text_config": {
        "model_type": "llama",
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "head_dim": 64,
        "vocab_size": 49280,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "rope_theta": 100000,
        "bos_token_id": 1,
        "eos_token_id": 49279,
        "pad_token_id": 2,
        "pixel_shuffle_factor": 4,
        "qk_layer_norms": False,
        "use_resampler": False,
    },
    "vision_config": {
        "hidden_size": 768,
        "image_size": 512,
        "max_image_size": {"longest_edge": 512},
        "num_attention_heads": 12,
        "patch_size": 16,
        "size": {"longest_edge": 2048},
        "use_base_siglip": False,
    },
}


def tiny_config(model_type: str, vision: dict[str, Any] = TINY_VISION, tied: bool = False) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "image_token_id": 200,
        "scale_factor": 3 if vision["image_size"] == 54 else 4,
        "tie_word_embeddings": tied,
        "text_config": TINY_TEXT,
        "vision_config": vision,
    }


@torch.no_grad()
def build_reference(config: dict[str, Any], folder: Path) -> Any:
    """A random model of transformers whose logits are far from flat, saved in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    model = transformers.AutoModelForImageTextToText.from_config(
        transformers.AutoConfig.from_pretrained(folder), dtype=torch.float32
    ).eval()
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            parameter.uniform_(-0.3, 0.3, generator=generator)
            if name.endswith("weight"):
                parameter += 1
        else:
            fan_in = parameter[0].numel()
            parameter.normal_(std=1.5 * fan_in**-0.5, generator=generator)
    model.tie_weights()
    model.save_pretrained(folder)
    return model


@dataclass(frozen=True)
class Pair:
    reference: Any
    ours: VisionLanguageModel
    folder: Path


@pytest.fixture(
    scope="module",
    params=["idefics3", "smolvlm", "idefics3-tied", "smolvlm-27-patches"],
)
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    model_type = request.param.split("-")[0]
    vision = TINY_27_PATCHES if request.param.endswith("27-patches") else TINY_VISION
    folder = tmp_path_factory.mktemp(request.param)
    reference = build_reference(tiny_config(model_type, vision, request.param.endswith("tied")), folder)
    return Pair(reference, hf.load(folder, torch.float32), folder)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("smolvlm-256m")
    reference = build_reference({**PUBLISHED_256M, "model_type": "idefics3"}, folder)
    yield Pair(reference, hf.load(folder, torch.float32), folder)
    shutil.rmtree(folder)


def make_prompt(
    model: VisionLanguageModel, tiles_per_image: list[int], seed: int = 0
) -> tuple[Tensor, Tensor | None]:
    """Random ids (1, T) with one run of placeholders a tile, text between pictures; tiles (N, 3, S, S)."""
    generator = torch.Generator().manual_seed(seed)
    config = model.config

    def text(count: int) -> Tensor:
        ids = torch.randint(6, config.text.vocab_size, (count,), generator=generator)
        return torch.where(ids == config.image_token_id, 3, ids)

    pieces = [text(5)]
    for tiles in tiles_per_image:
        for _ in range(tiles):
            pieces += [torch.full((config.tokens_per_tile,), config.image_token_id), text(2)]
        pieces.append(text(4))
    size = config.vision.image_size
    pixels = torch.rand(sum(tiles_per_image), 3, size, size, generator=generator) * 2 - 1
    return torch.cat(pieces)[None], pixels if tiles_per_image else None


def reference_logits(reference: Any, ids: Tensor, tiles: Tensor | None) -> Tensor:
    with torch.no_grad():
        pixels = None if tiles is None else tiles[None]
        return reference(input_ids=ids, pixel_values=pixels).logits


def assert_equal_logits(pair: Pair, tiles_per_image: list[int]) -> None:
    ids, tiles = make_prompt(pair.ours, tiles_per_image)
    expected = reference_logits(pair.reference, ids, tiles)
    assert expected.std() > 0.5, "the reference is too flat to tell a right model from a wrong one"
    with torch.no_grad():
        torch.testing.assert_close(pair.ours(ids, tiles), expected, atol=1e-4, rtol=0)


IMAGE_CASES = pytest.mark.parametrize(
    "tiles_per_image",
    [[], [1], [1, 1, 1], [5], [5, 1, 3]],
    ids=["text only", "one image", "several images", "tiled", "tiled and untiled"],
)


@IMAGE_CASES
def test_a_tiny_checkpoint_of_transformers_answers_the_same_here(
    tiny: Pair, tiles_per_image: list[int]
) -> None:
    assert_equal_logits(tiny, tiles_per_image)


def test_a_batch_of_unequal_prompts_answers_as_transformers_does(tiny: Pair) -> None:
    long_ids, long_tiles = make_prompt(tiny.ours, [2, 1], seed=1)
    short_ids, short_tiles = make_prompt(tiny.ours, [1], seed=2)
    padding = long_ids.shape[1] - short_ids.shape[1]
    ids = torch.cat([long_ids, torch.nn.functional.pad(short_ids, (0, padding), value=2)])
    assert long_tiles is not None and short_tiles is not None
    padded_tiles = torch.stack([long_tiles, torch.cat([short_tiles, torch.zeros_like(long_tiles[:2])])])
    with torch.no_grad():
        expected = tiny.reference(input_ids=ids, pixel_values=padded_tiles).logits
        torch.testing.assert_close(
            tiny.ours(ids, torch.cat([long_tiles, short_tiles])), expected, atol=1e-4, rtol=0
        )


def test_greedy_text_equals_transformers(tiny: Pair) -> None:
    ids, tiles = make_prompt(tiny.ours, [1, 2])
    assert tiles is not None
    expected = tiny.reference.generate(
        input_ids=ids, pixel_values=tiles[None], max_new_tokens=32, do_sample=False, eos_token_id=-1
    )[0, ids.shape[1] :]
    cache = tiny.ours.new_cache()
    found = []
    with torch.inference_mode():
        step = tiny.ours(ids, tiles, cache=cache, logits_to_keep=1)
        for _ in range(32):
            found.append(int(step[0, -1].argmax()))
            embeds = tiny.ours.text_model.embed_tokens(torch.tensor([[found[-1]]]))
            step = tiny.ours.logits(tiny.ours.text_model(embeds, cache=cache))
    assert found == expected.tolist()
    assert len(set(found)) > 3


def test_what_is_saved_here_loads_in_transformers_with_equal_names(tiny: Pair, tmp_path: Path) -> None:
    hf.save(tiny.ours, tmp_path)
    again = transformers.AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    assert type(again) is type(tiny.reference)
    ids, tiles = make_prompt(tiny.ours, [2, 1])
    with torch.no_grad():
        torch.testing.assert_close(
            reference_logits(again, ids, tiles), tiny.ours(ids, tiles), atol=1e-4, rtol=0
        )
    with (
        safe_open(tiny.folder / "model.safetensors", "pt") as theirs,
        safe_open(tmp_path / "model.safetensors", "pt") as ours,
    ):
        assert sorted(ours.keys()) == sorted(theirs.keys())
        assert ours.metadata() == theirs.metadata() == {"format": "pt"}
    generation = transformers.GenerationConfig.from_pretrained(tmp_path)
    assert (generation.bos_token_id, generation.eos_token_id, generation.pad_token_id) == (1, 5, 2)
    assert hf.read_config(tmp_path) == tiny.ours.config


def test_a_configuration_written_here_means_the_same_to_transformers(tmp_path: Path) -> None:
    for name, config in PRESETS.items():
        (tmp_path / "config.json").write_text(json.dumps(hf.config_to_json(config)))
        public = transformers.AutoConfig.from_pretrained(tmp_path)
        assert public.model_type == config.model_type, name
        assert public.text_config.rope_parameters["rope_theta"] == config.text.rope_theta
        assert public.text_config.pad_token_id == config.pad_token_id
        assert public.vision_config.num_hidden_layers == config.vision.num_hidden_layers
        public.save_pretrained(tmp_path)
        assert hf.read_config(tmp_path) == config, name


def test_a_sharded_checkpoint_of_transformers_loads_here(tmp_path: Path) -> None:
    reference = build_reference(tiny_config("idefics3"), tmp_path / "whole")
    reference.save_pretrained(tmp_path / "shards", max_shard_size="100KB")
    assert (tmp_path / "shards" / "model.safetensors.index.json").exists()
    ours = hf.load(tmp_path / "shards", torch.float32)
    assert_equal_logits(Pair(reference, ours, tmp_path), [1, 2])


def test_positions_of_27_patches_a_side_are_those_of_the_reference(tmp_path: Path) -> None:
    reference = build_reference(tiny_config("smolvlm", TINY_27_PATCHES), tmp_path)
    table = reference.model.vision_model.embeddings.position_embedding
    seen: list[Tensor] = []
    table.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    ids, tiles = make_prompt(hf.load(tmp_path, torch.float32), [1])
    reference_logits(reference, ids, tiles)
    assert seen[0][0].tolist() == list(range(27 * 27))


@pytest.mark.slow
@pytest.mark.parametrize("tiles_per_image", [[], [2]], ids=["text only", "two tiles"])
def test_the_256m_shape_answers_as_transformers_does(large: Pair, tiles_per_image: list[int]) -> None:
    assert_equal_logits(large, tiles_per_image)


@pytest.mark.slow
def test_the_256m_shape_round_trips_under_the_newer_name(large: Pair, tmp_path: Path) -> None:
    """The second generation has the same tensors under another class."""
    assert large.ours.config == PRESETS["smolvlm-256m"]
    folder = large.folder / "second"
    folder.mkdir()
    config = json.loads((large.folder / "config.json").read_text())
    config["model_type"] = "smolvlm"
    config["vision_config"]["model_type"] = "smolvlm_vision"
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").symlink_to(large.folder / "model.safetensors")
    reference = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    assert type(reference).__name__ == "SmolVLMForConditionalGeneration"
    ours = hf.load(folder, torch.float32)
    assert ours.config == PRESETS["smolvlm2-256m"]
    assert_equal_logits(Pair(reference, ours, folder), [1])
