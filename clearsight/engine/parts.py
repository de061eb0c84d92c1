"""Which code computes a model's parts here: PyTorch on any device, or native kernels on a processor."""

from dataclasses import dataclass

from torch import Tensor

from clearsight.engine.config import EngineConfig
from clearsight.engine.paged import PagedDecoder
from clearsight.engine.runner import Decoder, Encoder
from clearsight.models.vlm import VisionLanguageModel


@dataclass(frozen=True)
class Parts:
    """A model taken apart. `weights` names the format that is used."""

    weights: str
    embeddings_VD: Tensor
    encoder: Encoder
    decoder: Decoder


def parts(model: VisionLanguageModel, config: EngineConfig, num_blocks: int) -> Parts:
    """Raises EngineError when a format is asked for that can't be had here."""
    model.eval().requires_grad_(False)
    model.to(config.device)
    embeddings_VD = model.text_model.embed_tokens.weight.detach()
    decoder = PagedDecoder(model, num_blocks, config.block_size)
    return Parts("model", embeddings_VD, model.encode_images, decoder)
