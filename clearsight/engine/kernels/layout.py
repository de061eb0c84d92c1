"""Weights in the order in which the kernels read them; `matmul.hpp` draws it.

Shape suffixes: O outputs, I inputs, G groups of inputs, P panels of 32 outputs.
"""

from typing import Literal

import torch
from torch import Tensor

from clearsight.engine.kernels.quantise import GROUP, int4_weights, int8_weights

PANEL = 32
ROWS_AT_ONCE = 4096  # whole panels; so that packing the vocabulary does not take its memory several times
Precision = Literal["float32", "int8", "int4"]


def packed(
    weight_OI: Tensor, precision: Precision, importance_I: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Panels (uint8, one dimension) and scales (O,) float32 of a matrix; outputs are filled up with zeros to 32."""
    parts = [_packed(rows, precision, importance_I) for rows in weight_OI.split(ROWS_AT_ONCE)]
    if len(parts) == 1:
        return parts[0]
    return torch.cat([panels for panels, _ in parts]), torch.cat([scales for _, scales in parts])


def _packed(weight_OI: Tensor, precision: Precision, importance_I: Tensor | None) -> tuple[Tensor, Tensor]:
    outputs = weight_OI.shape[0]
    missing = -outputs % PANEL
    weight_OI = torch.nn.functional.pad(weight_OI.float(), (0, 0, 0, missing))
    if precision == "float32":
        panels = weight_OI.unflatten(0, (-1, PANEL)).transpose(1, 2).contiguous()
        return panels.view(torch.uint8).flatten(), torch.ones(outputs + missing)
    if precision == "int8":
        int8 = int8_weights(weight_OI)
        quads_PIOi = int8.bytes_OI.view(-1, PANEL, weight_OI.shape[1] // 4, 4).transpose(1, 2)
        return quads_PIOi.flatten(), int8.scales_O
    int4 = int4_weights(weight_OI, importance_I)
    # outputs are (panel, half, lane), inputs (group, pair of quads, quad of the pair, place in the quad)
    levels = int4.levels_OI.view(-1, 2, 16, weight_OI.shape[1] // GROUP, GROUP // 8, 2, 4)
    pairs = (levels[..., 0, :] | levels[..., 1, :] << 4).permute(0, 3, 1, 4, 2, 5).flatten(2)
    parameters = torch.stack([int4.steps_OG, int4.lows_OG], 1).unflatten(0, (-1, 2, 16))
    parameters = parameters.permute(0, 4, 1, 3, 2).flatten(2)
    return torch.cat([pairs, parameters], 2).flatten(), int4.scales_O


def packed_bytes(outputs: int, inputs: int, precision: Precision) -> int:
    """Size of the panels of a matrix."""
    bits = {"float32": 32.0, "int8": 8.0, "int4": 4.5}[precision]
    return int((outputs + -outputs % PANEL) * inputs * bits / 8)


def interleaved(gate_OI: Tensor, up_OI: Tensor) -> Tensor:
    """16 outputs of the gate, the 16 of `up` that they gate, and so on."""
    return torch.stack([gate_OI.unflatten(0, (-1, 16)), up_OI.unflatten(0, (-1, 16))], 1).flatten(0, 2)
