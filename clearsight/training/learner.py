"""What learns: a model built from a run's settings, which of its parameters are trained, and the result as a checkpoint
that everything else loads.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from clearsight import mini, weights
from clearsight.models import hf
from clearsight.models.lora import add_low_rank, merge_low_rank
from clearsight.models.presets import PRESETS
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from clearsight.training.checkpoint import Parts
from clearsight.training.config import Config, ConfigError, Model
from clearsight.training.optimizers import part_of

FRESH = "fresh:"
STD = 0.02  # of random weights


def load(settings: Model) -> tuple[VisionLanguageModel, Processor]:
    """The model training starts from, in fp32 on the CPU, and its processor.

    Raises ConfigError for an unknown preset or place, and as `hf.load` and `Processor.from_folder` do.
    """
    if settings.start == "mini":
        weights.fetch(weights.BASE_DECODER)
        return mini.load(torch.float32), mini.processor()
    if settings.start.startswith(FRESH):
        name = settings.start.removeprefix(FRESH)
        if name != "mini":
            raise ConfigError(
                f"model.start is {settings.start!r}; random weights are only made in the shape of fresh:mini. For "
                f"{', '.join(sorted(PRESETS))} name a checkpoint folder or hf:owner/name"
            )
        model = VisionLanguageModel(PRESETS[name])
        initialise(model)
        return model, mini.processor()
    try:
        folder = weights.resolve(settings.start)
    except weights.WeightsError as error:
        raise ConfigError(f"model.start: {error} The bundled model is called mini.") from error
    return hf.load(folder, torch.float32), Processor.from_folder(folder)


@torch.no_grad()
def initialise(model: VisionLanguageModel) -> None:
    """Random weights: matrices normal with deviation 0.02, what writes into the residual stream less the deeper the
    network is (https://arxiv.org/abs/1909.08053), biases 0."""
    depth = {"vision": model.config.vision.num_hidden_layers, "text": model.config.text.num_hidden_layers}
    for name, parameter in model.named_parameters():
        if parameter.dim() >= 2:
            writes = name.endswith(("out_proj.weight", "fc2.weight", "o_proj.weight", "down_proj.weight"))
            nn.init.normal_(parameter, std=STD / (2 * depth[part_of(name)]) ** 0.5 if writes else STD)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def prepare(model: VisionLanguageModel, settings: Model) -> None:
    """Freeze what is not trained, and add low-rank updates where they are wanted; in place."""
    model.train()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in settings.trained)
    if settings.rank:
        if "text" not in settings.trained:
            raise ConfigError("model.rank is of the decoder, but model.trained does not name text")
        model.text_model.requires_grad_(False)
        model.lm_head.requires_grad_(False)
        add_low_rank(model.text_model, settings.rank, settings.alpha)


def trained(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Name and parameter of what is trained; shared ones once."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


@torch.no_grad()
def fill(model: nn.Module, checkpoint: Path) -> None:
    """Put what was trained, or its averages where there are any, into a model like the one it was trained in."""
    with Parts(checkpoint) as parts:
        keys = set(parts)
        for name, parameter in trained(model):
            kind = "average" if f"average/{name}" in keys else "weight"
            parameter.copy_(parts.whole(f"{kind}/{name}"))


@torch.no_grad()
def result(config: Config, checkpoint: Path) -> tuple[VisionLanguageModel, Processor]:
    """The model at a checkpoint, with averages in place of weights where there are any, and low-rank updates merged."""
    model, processor = load(config.model)
    prepare(model, config.model)
    fill(model, checkpoint)
    if config.model.rank:
        merge_low_rank(model.text_model)
    return model.eval().requires_grad_(False), processor


def export(config: Config, checkpoint: Path, folder: Path, dtype: torch.dtype = torch.bfloat16) -> None:
    """Write the model at a checkpoint under the public names, with its processor, for everything that loads those."""
    model, processor = result(config, checkpoint)
    hf.save(model.to(dtype), folder)
    processor.save(folder)
