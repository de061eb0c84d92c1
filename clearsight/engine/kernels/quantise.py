"""Weights as int8 or int4, and scales that even out the inputs they meet.

int8: one scale an output, 255 levels. int4: groups of 32 inputs with 16 levels each; a group's levels are
`step * level + low` in whole multiples of the output's scale, so that they are int8 weights again and one exact integer
product serves both (4.5 bits a weight, steps and lows included).

Inputs are quantised row by row while the model runs, which channels much larger than the rest would spoil. Such
channels are fixed by the model, not by the text. `channel_statistics` measures them on a few tokens, and each channel
can then be divided by a factor that its weights are multiplied with
(SmoothQuant, https://arxiv.org/abs/2211.10438).

Shape suffixes: O outputs, I inputs, G groups of inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from clearsight.models.text import TextDecoder

GROUP = 32
LEVELS = 15  # the highest of 16 levels
MAX_STEP = 255 // LEVELS  # step * level must fit a byte
CALIBRATION_TOKENS = 256
CHUNK = 1 << 17  # weights
LEAST_IMPORTANCE = 1e-3  # of the mean; channels that were silent on random tokens are not always


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


def int4_weights(weight_OI: Tensor, importance_I: Tensor | None = None) -> Int4Weights:
    """For each group the step and low of least squared error among a few near those that span its weights.

    An input's error counts `importance_I` times: its mean square makes the sum the error of the layer's results.
    """
    if importance_I is None:
        importance_I = torch.ones(weight_OI.shape[1])
    importance_I = importance_I / importance_I.mean().clamp(min=1e-30) + LEAST_IMPORTANCE
    rows = max(1, CHUNK // weight_OI.shape[1])  # what the search writes down stays in the processor's cache
    parts = [_int4_rows(piece_OI, importance_I) for piece_OI in weight_OI.split(rows)]
    return Int4Weights(
        *(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Int4Weights))
    )


def _int4_rows(weight_OI: Tensor, importance_I: Tensor) -> Int4Weights:
    importance_Gg = importance_I.view(-1, GROUP)
    w_OGg = weight_OI.float().unflatten(1, (-1, GROUP))
    least_OG1, most_OG1 = w_OGg.amin(2, keepdim=True), w_OGg.amax(2, keepdim=True)
    widest_O11 = (most_OG1 - least_OG1).amax(1, keepdim=True)
    largest_O11 = w_OGg.abs().amax((1, 2), keepdim=True)
    scales_O11 = torch.maximum(widest_O11 / (LEVELS * MAX_STEP), largest_O11 / 127).clamp(min=1e-30)
    w_OGg, least_OG1, most_OG1 = (x / scales_O11 for x in (w_OGg, least_OG1, most_OG1))
    best = [torch.full_like(least_OG1, torch.inf), torch.ones_like(least_OG1), torch.zeros_like(least_OG1)]
    spanning_OG1 = ((most_OG1 - least_OG1) / LEVELS).ceil()
    for share_of_span in (1.0, 0.9, 0.8):
        step_OG1 = (spanning_OG1 * share_of_span).round().clamp(1, MAX_STEP)
        slack_OG1 = step_OG1 * LEVELS - (most_OG1 - least_OG1)
        for share in (0.0, 0.5, 1.0):
            low_OG1 = (least_OG1 - share * slack_OG1).round().clamp(min=-128)
            low_OG1 = torch.minimum(low_OG1, 127 - LEVELS * step_OG1)
            level_OGg = ((w_OGg - low_OG1) / step_OG1).round().clamp(0, LEVELS)
            error_OGg = (step_OG1 * level_OGg + low_OG1 - w_OGg).square()
            error_OG1 = (error_OGg * importance_Gg).sum(2, keepdim=True)
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


@dataclass(frozen=True)
class ChannelStatistics:
    """Of the inputs of a linear layer, each channel's largest magnitude and mean square."""

    range_I: Tensor
    power_I: Tensor

    def evening_factors(self, *weights_OI: Tensor) -> Tensor:
        """Factors (I,) to divide inputs by and multiply the weights' columns with; their geometric mean is 1."""
        largest_I = torch.stack([weight.float().abs().amax(0) for weight in weights_OI]).amax(0)
        factors_I = (self.range_I.clamp(min=1e-6) / largest_I.clamp(min=1e-6)).sqrt()
        return factors_I / factors_I.log().mean().exp()


@torch.inference_mode()
def channel_statistics(decoder: TextDecoder) -> dict[str, ChannelStatistics]:
    """Statistics of the inputs of each linear layer by its name, and of the head as "head", on random tokens."""
    statistics: dict[str, ChannelStatistics] = {}
    handles = [
        module.register_forward_pre_hook(_recorder(name, statistics))
        for name, module in decoder.named_modules()
        if isinstance(module, nn.Linear)
    ]
    device = decoder.embed_tokens.weight.device
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(decoder.config.vocab_size, (1, CALIBRATION_TOKENS), generator=generator)
    try:
        hidden_BTD = decoder(decoder.embed_tokens(ids.to(device)))
    finally:
        for handle in handles:
            handle.remove()
    statistics["head"] = _statistics(hidden_BTD)
    return statistics


def _recorder(
    name: str, statistics: dict[str, ChannelStatistics]
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def record(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        statistics[name] = _statistics(inputs[0])

    return record


def _statistics(inputs: Tensor) -> ChannelStatistics:
    rows = inputs.float().flatten(0, -2)
    return ChannelStatistics(rows.abs().amax(0), rows.square().mean(0))
