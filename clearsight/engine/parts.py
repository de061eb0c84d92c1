"""Which code computes a model's parts here: PyTorch on any device, or native kernels on a processor."""

import logging
import os
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from clearsight.engine.config import EngineConfig, EngineError
from clearsight.engine.kernels.build import NoCompiler
from clearsight.engine.kernels.layout import Precision
from clearsight.engine.kernels.native import NativeDecoder
from clearsight.engine.kernels.vision import NativeVision
from clearsight.engine.paged import PagedDecoder
from clearsight.engine.runner import Decoder, Encoder
from clearsight.models.vlm import VisionLanguageModel
from clearsight.process_memory import give_back_freed_memory

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """A model taken apart. `weights` names the format that is used."""

    weights: str
    embeddings_VD: Tensor
    encoder: Encoder
    decoder: Decoder


def take_apart(model: VisionLanguageModel, config: EngineConfig, num_blocks: int) -> Parts:
    """Raises EngineError when a format is asked for that can't be had here."""
    model.eval().requires_grad_(False)
    device = config.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if config.weights != "model" and device == "cpu":
        precision: Precision = "int8" if config.weights == "auto" else config.weights
        try:
            return _native(model, config, precision, num_blocks)
        except (NoCompiler, ValueError) as error:
            if config.weights != "auto":
                raise EngineError(f"{error}; or choose weights=model, which computes in PyTorch") from error
            log.warning("computing in PyTorch, which is slower: %s", error)
    if config.weights not in ("auto", "model"):
        raise EngineError(
            f"{config.weights} weights are for processors, not for {device}; choose weights=model"
        )
    model.to(device)
    embeddings_VD = model.text_model.embed_tokens.weight.detach()
    return Parts(
        "model", embeddings_VD, model.encode_images, PagedDecoder(model, num_blocks, config.block_size)
    )


def _native(model: VisionLanguageModel, config: EngineConfig, precision: Precision, num_blocks: int) -> Parts:
    """Raises NoCompiler, and ValueError for a decoder whose shape the kernels don't take."""
    threads = config.threads or num_cores()
    full = precision == "float32"
    decoder = NativeDecoder(
        model.text_model,
        model.lm_head.weight.detach(),
        weights=precision,
        num_blocks=num_blocks,
        block_size=config.block_size,
        threads=threads,
        kv="float32" if full else "float16",
        consume=True,
    )
    embeddings_VD = model.text_model.embed_tokens.weight.detach().float()
    model.text_model.layers = nn.ModuleList()
    encoder = _encoder(model, "float32" if full else "int8", threads)
    give_back_freed_memory()
    return Parts(precision, embeddings_VD, encoder, decoder)


def _encoder(model: VisionLanguageModel, precision: Literal["float32", "int8"], threads: int) -> Encoder:
    """The tower on native kernels, or in PyTorch where they don't take its shape."""
    try:
        vision = NativeVision(model.vision_model, model.connector, weights=precision, threads=threads)
    except ValueError as error:
        log.info("the vision tower computes in PyTorch: %s", error)
        return model.encode_images
    model.vision_model.encoder.layers = nn.ModuleList()
    return vision


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
