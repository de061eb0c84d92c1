"""Public names and files: the only place that knows how the Idefics3 / SmolVLM family is written down.

Reads and writes `config.json`, `generation_config.json` and `model.safetensors` (one file, or shards with an
index) so that transformers and everything built on it loads what is saved here, and the other way round.
Also renames the tensors of llama.cpp's GGUF files. Left out: pickle checkpoints, on purpose.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from clearsight.models.config import ModelConfig, TextConfig, VisionConfig
from clearsight.models.precision import native_dtype
from clearsight.models.vlm import VisionLanguageModel
from clearsight.weights import open_safetensors

ARCHITECTURES = {
    "idefics3": "Idefics3ForConditionalGeneration",
    "smolvlm": "SmolVLMForConditionalGeneration",
}
VISION_MODEL_TYPES = {"idefics3": "idefics3_vision", "smolvlm": "smolvlm_vision"}
# What a missing key means; published files leave keys out and rely on the values of transformers.
VISION_DEFAULTS: dict[str, Any] = {
    "hidden_size": 1152,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "image_size": 224,
    "patch_size": 32,
    "layer_norm_eps": 1e-6,
    "num_channels": 3,
}
TEXT_DEFAULTS: dict[str, Any] = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
}
# Switches of the public configuration that this network does not have, and the value each must keep.
FIXED_VISION = {"hidden_act": "gelu_pytorch_tanh"}
FIXED_TEXT = {
    "model_type": "llama",
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "qk_layer_norms": False,
    "use_resampler": False,
}


class CheckpointError(ValueError):
    """A checkpoint that can't be used; the message says what is wrong with it and what to do."""


def config_from_json(value: dict[str, Any], generation: dict[str, Any] | None = None) -> ModelConfig:
    """The shape described by a public `config.json`, and by `generation_config.json` where there is one.

    Omitted sizes take the defaults of transformers. The rope base is read from `rope_parameters` (version 5)
    or `rope_theta` (version 4). The stale top-level `pad_token_id` is never read. Of several end tokens the
    first counts. Raises CheckpointError for another architecture or a switch this network does not have.
    """
    model_type = value.get("model_type")
    if model_type not in ARCHITECTURES:
        raise CheckpointError(
            f"model_type is {model_type!r}; this loads {' and '.join(ARCHITECTURES)}. "
            "Serve other models through another server and `upstream`"
        )
    vision_json = dict(value.get("vision_config") or {})
    text_json = dict(value.get("text_config") or {})
    _require_fixed(vision_json, FIXED_VISION, "vision_config")
    _require_fixed(text_json, FIXED_TEXT, "text_config")

    text = {key: text_json.get(key, default) for key, default in TEXT_DEFAULTS.items()}
    text["num_key_value_heads"] = text_json.get("num_key_value_heads") or text["num_attention_heads"]
    text["head_dim"] = text_json.get("head_dim") or text["hidden_size"] // text["num_attention_heads"]
    text["rope_theta"] = _rope_theta(text_json)

    def token(name: str, default: int) -> int:
        for source in (generation or {}, text_json):
            if source.get(name) is not None:
                found = source[name]
                return found[0] if isinstance(found, list) else found
        return default

    try:
        return ModelConfig(
            vision=VisionConfig(
                **{key: vision_json.get(key, value) for key, value in VISION_DEFAULTS.items()}
            ),
            text=TextConfig(**text),
            scale_factor=value.get("scale_factor", 2),
            image_token_id=value.get("image_token_id", 128257),
            bos_token_id=token("bos_token_id", 1),
            pad_token_id=token("pad_token_id", 2),
            eos_token_id=token("eos_token_id", 2),
            tie_word_embeddings=value.get("tie_word_embeddings", False),
            model_type=model_type,
        )
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise CheckpointError(f"config.json describes no model that can be built: {error}") from error


def config_to_json(config: ModelConfig, dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    """The public `config.json` of a model: every size written out, the rope base in both places."""
    tokens = {
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
    }
    return {
        "architectures": [ARCHITECTURES[config.model_type]],
        "model_type": config.model_type,
        "dtype": str(dtype).removeprefix("torch."),
        "image_token_id": config.image_token_id,
        "scale_factor": config.scale_factor,
        "tie_word_embeddings": config.tie_word_embeddings,
        "vocab_size": config.text.vocab_size,
        **tokens,
        "text_config": {
            **asdict(config.text),
            **FIXED_TEXT,
            **tokens,
            "architectures": ["LlamaForCausalLM"],
            "rope_parameters": {"rope_type": "default", "rope_theta": config.text.rope_theta},
            "tie_word_embeddings": config.tie_word_embeddings,
        },
        "vision_config": {
            **asdict(config.vision),
            **FIXED_VISION,
            "model_type": VISION_MODEL_TYPES[config.model_type],
        },
    }


def read_config(folder: Path | str) -> ModelConfig:
    """The configuration of a checkpoint folder. Raises CheckpointError when there is none to read."""
    folder = Path(folder)
    generation_file = folder / "generation_config.json"
    generation = _read_json(generation_file) if generation_file.exists() else None
    return config_from_json(_read_json(folder / "config.json"), generation)


def load(
    folder: Path | str, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> VisionLanguageModel:
    """A model in evaluation mode from a folder in the public layout.

    The model is built without memory and filled tensor by tensor, so the peak is the model plus one tensor.
    `dtype` defaults to what the device computes in natively. Raises WeightsError when files are
    missing or damaged, CheckpointError when names or shapes are not exactly those of the configuration.
    """
    config = read_config(folder)
    return from_tensors(config, open_safetensors(folder), dtype or native_dtype(device), device)


def from_tensors(
    config: ModelConfig,
    tensors: Iterable[tuple[str, Tensor]],
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
) -> VisionLanguageModel:
    """A model in evaluation mode from (public name, tensor) pairs. Raises CheckpointError as `load` does."""
    with torch.device("meta"):
        model = VisionLanguageModel(config)
    expected = dict(model.named_parameters())
    missing = set(expected)
    unexpected = []
    for name, tensor in tensors:
        if name not in expected:
            if not (name == "lm_head.weight" and config.tie_word_embeddings):
                unexpected.append(name)
            continue
        shape = tuple(expected[name].shape)
        if tuple(tensor.shape) != shape:
            raise CheckpointError(
                f"{name} has shape {tuple(tensor.shape)} but the configuration says {shape}; "
                "config.json and the weights are not of the same model"
            )
        module_name, _, parameter_name = name.rpartition(".")
        owner = model.get_submodule(module_name)
        filled = tensor.to(device=device, dtype=dtype)
        setattr(owner, parameter_name, nn.Parameter(filled))
        missing.discard(name)
    if missing or unexpected:
        raise CheckpointError(_name_mismatch(missing, unexpected))
    model.tie_weights()
    return model.eval()


def save(model: VisionLanguageModel, folder: Path | str) -> None:
    """Write `model.safetensors`, `config.json` and `generation_config.json`, not the tokenizer.

    Each file appears whole or not at all. Raises CheckpointError when the model holds low-rank updates.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = model.config
    with torch.device("meta"):
        public = VisionLanguageModel(config)
    tensors = {name: parameter.detach().contiguous() for name, parameter in model.named_parameters()}
    names = set(dict(public.named_parameters()))
    if set(tensors) != names:
        raise CheckpointError(
            _name_mismatch(names - set(tensors), sorted(set(tensors) - names))
            + ". Merge low-rank updates before saving"
        )
    weights_file = folder / "model.safetensors"
    temporary = weights_file.with_suffix(".part")
    save_file(tensors, temporary, metadata={"format": "pt"})
    temporary.replace(weights_file)
    _write_json(folder / "config.json", config_to_json(config, model.dtype))
    tokens = {
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
    }
    _write_json(folder / "generation_config.json", tokens)


GGUF_NAMES = {
    "token_embd.weight": "model.text_model.embed_tokens.weight",
    "output_norm.weight": "model.text_model.norm.weight",
    "output.weight": "lm_head.weight",
}
GGUF_LAYER_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}


def gguf_to_public(name: str, tensor: Tensor, num_heads: int, num_kv_heads: int) -> tuple[str, Tensor]:
    """The public name and layout of a tensor of a llama.cpp file (architecture `llama`).

    llama.cpp rotates interleaved pairs, so its converter reorders the rows of q and k within each head
    (convert_hf_to_gguf.py, `permute`); this undoes it. Raises CheckpointError for an unknown name.
    """
    if name in GGUF_NAMES:
        return GGUF_NAMES[name], tensor
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    if match is None or match[2] not in GGUF_LAYER_NAMES:
        raise CheckpointError(f"the GGUF file holds {name}, which is no part of a Llama decoder")
    if match[2] == "attn_q":
        tensor = _undo_permutation(tensor, num_heads)
    elif match[2] == "attn_k":
        tensor = _undo_permutation(tensor, num_kv_heads)
    return f"model.text_model.layers.{match[1]}.{GGUF_LAYER_NAMES[match[2]]}.weight", tensor


def _undo_permutation(tensor: Tensor, num_heads: int) -> Tensor:
    """Rows (heads, K/2, 2) in llama.cpp's order -> (heads, 2, K/2)."""
    return tensor.unflatten(0, (num_heads, -1, 2)).transpose(1, 2).reshape(tensor.shape)


def _rope_theta(text_json: dict[str, Any]) -> float:
    parameters = text_json.get("rope_parameters") or text_json.get("rope_scaling") or {}
    kind = parameters.get("rope_type", parameters.get("type", "default"))
    if kind != "default":
        raise CheckpointError(f"text_config scales rotary positions ({kind}), which this decoder does not do")
    return float(parameters.get("rope_theta", text_json.get("rope_theta", 10_000.0)))


def _require_fixed(value: dict[str, Any], fixed: dict[str, Any], where: str) -> None:
    for key, wanted in fixed.items():
        if value.get(key, wanted) != wanted:
            raise CheckpointError(f"{where}.{key} is {value[key]!r}; this network has only {wanted!r}")


def _name_mismatch(missing: Iterable[str], unexpected: Iterable[str]) -> str:
    parts = []
    for label, names in (("lack", sorted(missing)), ("hold the unknown", sorted(unexpected))):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            parts.append(f"{label} {', '.join(names[:3])}{more}")
    return f"the weights {' and '.join(parts)}; config.json and the weights are not of the same model"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"there is no {path.name} in {path.parent}; name a checkpoint folder") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} can't be read: {error}; download it again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is not a JSON object; download it again")
    return value


def _write_json(path: Path, value: dict[str, Any]) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
