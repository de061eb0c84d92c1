"""Weights as int8 or int4, and scales that even out the inputs they meet.

int8: one scale an output, 255 levels. int4: groups of 32 inputs with 16 levels each; a group's levels are
`step * level + low` in whole multiples of the output's scale, so that they are int8 weights again and one exact integer
product serves both (4.5 bits a weight, steps and lows included).

Inputs are quantised row by row while the model runs, which channels much larger than the rest would spoil. Such
channels are fixed by the model, not by the text. `channel_ranges` measures them on a few tokens, and each channel
can then be divided by a factor that its weights are multiplied with
(SmoothQuant, https://arxiv.org/abs/2211.10438).

Shape suffixes: O outputs, I inputs, G groups of inputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from clearsight.models.text import TextDecoder

GROUP = 32
LEVELS = 15  # the highest of 16 levels
MAX_STEP = 255 // LEVELS  # step * level must fit a byte
CALIBRATION_TOKENS = 256


@dataclass(frozen=True)
class Int8Weights:
    """weight = scales_O * (bytes_OI - 128)"""

    bytes_OI: Tensor  # uint8
    scales_O: Tensor  # float32

    def dequantised(self) -> Tensor:
        return (self.bytes_OI.float() - 128) * self.scales_O[:, None]


@dataclass(frozen=True)
class Int4Weights:
    """weight = scales_O * (steps_OG * levels_OI + lows_OG - 128)"""

    levels_OI: Tensor  # uint8, 0 to 15
    steps_OG: Tensor  # uint8
    lows_OG: Tensor  # uint8; low + 15 * step fits a byte
    scales_O: Tensor  # float32

    def dequantised(self) -> Tensor:
        levels_OGg = self.levels_OI.unflatten(1, (-1, GROUP)).float()
        whole_OGg = self.steps_OG[..., None] * levels_OGg + self.lows_OG[..., None].float() - 128
        return whole_OGg.flatten(1) * self.scales_O[:, None]


def int8_weights(weight_OI: Tensor) -> Int8Weights:
    """Nearest levels with the scale that just reaches each output's largest weight."""
    weight_OI = weight_OI.float()
    scales_O = weight_OI.abs().amax(1).clamp(min=1e-30) / 127
    return Int8Weights((weight_OI / scales_O[:, None]).round().add(128).to(torch.uint8), scales_O)


def int4_weights(weight_OI: Tensor) -> Int4Weights:
    """For each group the step and low of least squared error among a few near those that span its weights."""
    w_OGg = weight_OI.float().unflatten(1, (-1, GROUP))
    least_OG1, most_OG1 = w_OGg.amin(2, keepdim=True), w_OGg.amax(2, keepdim=True)
    widest_O11 = (most_OG1 - least_OG1).amax(1, keepdim=True)
    largest_O11 = w_OGg.abs().amax((1, 2), keepdim=True)
    scales_O11 = torch.maximum(widest_O11 / (LEVELS * MAX_STEP), largest_O11 / 127).clamp(min=1e-30)
    w_OGg, least_OG1, most_OG1 = (x / scales_O11 for x in (w_OGg, least_OG1, most_OG1))
    best = [torch.full_like(least_OG1, torch.inf), torch.ones_like(least_OG1), torch.zeros_like(least_OG1)]
    spanning_OG1 = ((most_OG1 - least_OG1) / LEVELS).ceil()
    for narrower in (0, 1, 2):
        step_OG1 = (spanning_OG1 - narrower).clamp(1, MAX_STEP)
        slack_OG1 = step_OG1 * LEVELS - (most_OG1 - least_OG1)
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            low_OG1 = (least_OG1 - share * slack_OG1).round().clamp(min=-128)
            low_OG1 = torch.minimum(low_OG1, 127 - LEVELS * step_OG1)
            level_OGg = ((w_OGg - low_OG1) / step_OG1).round().clamp(0, LEVELS)
            error_OG1 = (step_OG1 * level_OGg + low_OG1 - w_OGg).square().sum(2, keepdim=True)
            better_OG1 = error_OG1 < best[0]
            best = [
                torch.where(better_OG1, new, old)
                for new, old in zip((error_OG1, step_OG1, low_OG1), best, strict=True)
            ]
    _, step_OG1, low_OG1 = best
    level_OGg = ((w_OGg - low_OG1) / step_OG1).round().clamp(0, LEVELS)
    return Int4Weights(
        levels_OI=level_OGg.flatten(1).to(torch.uint8),
        steps_OG=step_OG1[..., 0].to(torch.uint8),
        lows_OG=(low_OG1[..., 0] + 128).to(torch.uint8),
        scales_O=scales_O11[:, 0, 0],
    )


@torch.inference_mode()
def channel_ranges(decoder: TextDecoder) -> dict[str, Tensor]:
    """Largest magnitude (I,) of each input channel of each linear layer, by its name, on random tokens."""
    ranges: dict[str, Tensor] = {}
    handles = [
        module.register_forward_pre_hook(_recorder(name, ranges))
        for name, module in decoder.named_modules()
        if isinstance(module, nn.Linear)
    ]
    vocabulary = decoder.config.vocab_size
    ids = torch.randint(vocabulary, (1, CALIBRATION_TOKENS), generator=torch.Generator().manual_seed(0))
    try:
        hidden_BTD = decoder(decoder.embed_tokens(ids.to(decoder.embed_tokens.weight.device)))
    finally:
        for handle in handles:
            handle.remove()
    ranges["final"] = hidden_BTD.float().abs().amax((0, 1))
    return ranges


def _recorder(name: str, ranges: dict[str, Tensor]):  # type: ignore[no-untyped-def]
    def record(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        ranges[name] = inputs[0].float().abs().flatten(0, -2).amax(0)

    return record


def evening_factors(range_I: Tensor, *weights_OI: Tensor) -> Tensor:
    """Factors (I,) to divide inputs by and multiply the weights' columns with; their geometric mean is 1."""
    largest_I = torch.stack([weight.float().abs().amax(0) for weight in weights_OI]).amax(0)
    factors_I = (range_I.clamp(min=1e-6) / largest_I.clamp(min=1e-6)).sqrt()
    return factors_I / factors_I.log().mean().exp()
