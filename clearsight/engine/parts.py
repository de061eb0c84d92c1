"""Which code computes a model's parts here: PyTorch on any device, or native kernels on a processor."""

import logging
import os
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from clearsight.engine.config import EngineConfig, EngineError
from clearsight.engine.kernels.build import NoCompiler
from clearsight.engine.kernels.layout import Precision
from clearsight.engine.kernels.native import NativeDecoder
from clearsight.engine.paged import PagedDecoder
from clearsight.engine.runner import Decoder, Encoder
from clearsight.models.vlm import VisionLanguageModel

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
    embeddings_VD = model.text_model.embed_tokens.weight.detach()
    if config.weights != "model" and device == "cpu":
        precision: Precision = "int8" if config.weights == "auto" else config.weights
        try:
            decoder = NativeDecoder(
                model.text_model,
                model.lm_head.weight.detach(),
                weights=precision,
                num_blocks=num_blocks,
                block_size=config.block_size,
                threads=config.threads or num_cores(),
                kv="float32" if precision == "float32" else "float16",
            )
        except (NoCompiler, ValueError) as error:
            if config.weights != "auto":
                raise EngineError(f"{error}; or choose weights=model, which computes in PyTorch") from error
            log.warning("computing in PyTorch, which is slower: %s", error)
        else:
            model.text_model.layers = nn.ModuleList()  # packed now; two copies would only take memory
            return Parts(precision, embeddings_VD.float(), model.encode_images, decoder)
    if config.weights not in ("auto", "model"):
        raise EngineError(
            f"{config.weights} weights are for processors, not for {device}; choose weights=model"
        )
    model.to(device)
    embeddings_VD = model.text_model.embed_tokens.weight.detach()
    decoder_there = PagedDecoder(model, num_blocks, config.block_size)
    return Parts("model", embeddings_VD, model.encode_images, decoder_there)


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
