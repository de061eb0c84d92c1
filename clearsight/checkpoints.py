"""A model and its processor by name: the bundled one, a folder, or a published checkpoint."""

from pathlib import Path

import torch

from clearsight import mini, weights
from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

BUNDLED = "mini"


def load(
    spec: str | Path = BUNDLED, dtype: torch.dtype | None = None, *, offline: bool | None = None
) -> tuple[VisionLanguageModel, Processor]:
    """The bundled model (`mini`), a checkpoint folder, or `hf:owner/name[@revision]`, fetched on first use.

    `dtype` defaults to bfloat16 where the processor has it, else float32. `offline` None means as the environment says.
    Raises WeightsError when the weights can't be had, PartsMissing when this installation lacks the bundled ones, and
    CheckpointError, ProcessorError, TokenizerError or TemplateError when a checkpoint can't be used.
    """
    if spec == BUNDLED:
        weights.fetch(weights.BASE_DECODER, offline=offline)
        return mini.load(dtype), mini.processor()
    folder = weights.resolve(str(spec), offline=offline)
    model, processor = hf.load(folder, dtype), Processor.from_folder(folder)
    check_pair(model, processor)
    return model, processor


def load_processor(spec: str | Path = BUNDLED, *, offline: bool | None = None) -> Processor:
    """The processor alone, without the network's weights. Raises as `load` does."""
    if spec == BUNDLED:
        weights.fetch(weights.BASE_DECODER, offline=offline)
        return mini.processor()
    return Processor.from_folder(weights.resolve(str(spec), offline=offline))


def check_pair(model: VisionLanguageModel, processor: Processor) -> None:
    """Raises CheckpointError when the two are not of the same checkpoint."""
    config, tiles = model.config, processor.tile_settings
    for what, of_model, of_processor in (
        ("the image token", config.image_token_id, processor.image_token_id),
        ("image tokens a tile", config.tokens_per_tile, tiles.tokens_per_tile),
        ("the side of a tile", config.vision.image_size, tiles.tile_size),
    ):
        if of_model != of_processor:
            raise hf.CheckpointError(
                f"model and processor disagree about {what}: {of_model} and {of_processor}; fetch the "
                "whole checkpoint again"
            )
