"""Clearsight Mini, the bundled model: a base decoder from its own package and trained parts that lie in this one.

The decoder starts as SmolLM2-135M-Instruct (Apache-2.0), fetched once and verified. What was trained here, the
vision tower, the connector, low-rank updates of the decoder and the rows of the new tokens, lies in
`clearsight/bundled/parts.safetensors`. Large matrices are stored as int8 with one scale an output row, which keeps the
repository small; they are expanded when loaded. Updates are merged, so that the running model is a plain one.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from clearsight import weights
from clearsight.models import hf
from clearsight.models.lora import LowRank, low_rank_state_dict
from clearsight.models.precision import native_dtype
from clearsight.models.presets import MINI
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.processing.template import Template
from clearsight.processing.tiles import TileSettings
from clearsight.processing.tokenizer import Tokenizer, smolvlm_special_tokens

NUM_BASE_TOKENS = 49152
PARTS = "parts.safetensors"
EMBEDDINGS = "model.text_model.embed_tokens.weight"
NEW_ROWS = "new_embeddings"
QUANTISED_FROM = 4096  # elements; smaller tensors stay in float16
CONTROL_TOKEN = 3  # of `tokenizer.ggml.token_type`
# One tile a picture: this checkpoint has not been taught to read a grid of tiles yet.
TILE_SETTINGS = TileSettings(
    tile_size=MINI.vision.image_size,
    longest_edge=MINI.vision.image_size,
    tokens_per_tile=MINI.tokens_per_tile,
    do_image_splitting=False,
)


class PartsMissing(RuntimeError):
    """The bundled parts are not in this installation; the message says what to do."""


def bundled_folder() -> Path:
    return Path(str(files("clearsight").joinpath("bundled")))


@cache
def base_decoder() -> weights.GgufFile:
    """The base decoder's file, fetched on first use. Raises WeightsError when it can't be had."""
    return weights.read_gguf(weights.fetch(weights.BASE_DECODER))


@cache
def processor() -> Processor:
    """Tokenizer of the base decoder with the family's image tokens, its own ChatML template, one tile a picture."""
    metadata = base_decoder().metadata
    kinds = metadata.fields["tokenizer.ggml.token_type"]
    control = {
        token: i
        for i, (token, kind) in enumerate(zip(metadata.tokens, kinds, strict=True))
        if kind == CONTROL_TOKEN
    }
    special = control | smolvlm_special_tokens()
    tokenizer = Tokenizer.from_vocab(metadata.tokens, metadata.merges, special)
    return Processor(TILE_SETTINGS, tokenizer, Template("chatml"))


def base_tensors() -> Iterator[tuple[str, Tensor]]:
    """Public name and tensor (float32) of the base decoder; the embedding gets mean rows for the new tokens."""
    file = base_decoder()
    heads, kv_heads = file.metadata.head_count, file.metadata.head_count_kv
    for raw_name, raw in file.tensors():
        name, tensor = hf.gguf_to_public(raw_name, raw, heads, kv_heads)
        if name == EMBEDDINGS:
            new = tensor.mean(0, keepdim=True).expand(MINI.text.vocab_size - len(tensor), -1)
            tensor = torch.cat([tensor, new])
        yield name, tensor


def base_model(dtype: torch.dtype | None = None) -> VisionLanguageModel:
    """The base decoder with an untrained tower and connector, where training starts."""
    with torch.device("meta"):
        fresh = VisionLanguageModel(MINI)
    blind = {
        name: torch.zeros(parameter.shape)
        for name, parameter in fresh.named_parameters()
        if name.startswith(("model.vision_model.", "model.connector."))
    }
    return hf.from_tensors(MINI, [*base_tensors(), *blind.items()], dtype or native_dtype())


def load(dtype: torch.dtype | None = None, folder: Path | None = None) -> VisionLanguageModel:
    """The finished model in evaluation mode, from the base decoder and the parts in `folder`.

    Raises WeightsError when the base can't be had or the parts are damaged, PartsMissing when they are not there,
    CheckpointError when they do not fit together.
    """
    parts = _read(folder or bundled_folder())
    return hf.from_tensors(MINI, _assembled(parts), dtype or native_dtype())


def _assembled(parts: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Public names and tensors; every part is used exactly once, or CheckpointError says which was not."""
    try:
        for name, tensor in base_tensors():
            layer = name.removesuffix(".weight")
            if f"{layer}.lora_a" in parts:
                tensor = tensor + parts.pop(f"{layer}.lora_b").float() @ parts.pop(f"{layer}.lora_a").float()
            if name == EMBEDDINGS:
                tensor[NUM_BASE_TOKENS:] = parts.pop(NEW_ROWS).float()
            yield name, tensor
        seeing = [name for name in parts if name.startswith(("model.vision_model.", "model.connector."))]
        for name in seeing:
            if not name.endswith(".scale"):
                yield name, _expanded(parts.pop(name), parts.pop(f"{name}.scale", None))
    except (KeyError, RuntimeError) as error:
        raise hf.CheckpointError(
            f"the trained parts do not fit the base model ({error}); reinstall both"
        ) from error
    if parts:
        raise hf.CheckpointError(
            f"the trained parts hold {next(iter(parts))}, which fits nothing; reinstall both"
        )


def restore_parts(model: VisionLanguageModel, folder: Path) -> None:
    """Put the stored parts back into a base model that wears low-rank updates, to train it further.

    Raises PartsMissing or WeightsError as `load` does, CheckpointError when a part has no place in the model.
    """
    parts = _read(folder)
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, LowRank)}
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        model.text_model.embed_tokens.weight[NUM_BASE_TOKENS:] = parts.pop(NEW_ROWS).to(model.dtype)
        for name in [name for name in parts if not name.endswith(".scale")]:
            layer, _, kind = name.rpartition(".")
            if kind in ("lora_a", "lora_b") and layer in layers:
                value = parts.pop(name).float()
                getattr(layers[layer], kind).copy_(value / layers[layer].scale if kind == "lora_b" else value)
            elif name in parameters:
                parameters[name].copy_(_expanded(parts.pop(name), parts.pop(f"{name}.scale", None)))
    if parts:
        raise hf.CheckpointError(f"the trained parts hold {next(iter(parts))}, which fits nothing here")


def _read(folder: Path) -> dict[str, Tensor]:
    file = folder / PARTS
    if not file.is_file():
        raise PartsMissing(f"{file} is missing; reinstall clearsight, or name another model with --model")
    return dict(weights.open_safetensors(file))


def save_parts(model: VisionLanguageModel, folder: Path) -> Path:
    """Write the trained parts of a model whose decoder still wears its low-rank updates; returns the file."""
    tensors: dict[str, Tensor] = {
        NEW_ROWS: model.text_model.embed_tokens.weight[NUM_BASE_TOKENS:].to(torch.float16)
    }
    for name, tensor in low_rank_state_dict(model).items():
        tensors[name] = tensor.to(torch.bfloat16)
    for name, parameter in model.named_parameters():
        if name.startswith(("model.vision_model.", "model.connector.")):
            tensors |= _compact(name, parameter.detach())
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / PARTS
    partial = target.with_suffix(".new")
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, partial)
    partial.replace(target)
    return target


def _compact(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """int8 rows with a scale each for matrices, float16 for the rest."""
    if tensor.dim() < 2 or tensor.numel() < QUANTISED_FROM:
        return {name: tensor.to(torch.float16)}
    rows = tensor.float().flatten(1)
    scale = rows.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
    return {
        name: (rows / scale).round().to(torch.int8).view(tensor.shape),
        f"{name}.scale": scale[:, 0].float(),
    }


def _expanded(tensor: Tensor, scale: Tensor | None) -> Tensor:
    """float32 again, from int8 rows with a scale each or from float16."""
    return tensor.float() if scale is None else tensor.float() * scale.view(-1, *[1] * (tensor.dim() - 1))
