"""Weights that are not trained, in int8: low-rank training on processors, two to three times as fast.

Where a layer's weights rest, training needs two products with them: of the inputs, and, on the way back, of the
gradients. Processors with VNNI multiply int8 about four times as fast as fp32, and what users run has int8 weights
anyway. Weights have one scale an output, inputs and gradients one a row, as in LLM.int8() without its outliers
(https://arxiv.org/abs/2208.07339) and in SwitchBack (https://arxiv.org/abs/2304.13013). Most of what is won is lost
again to scaling and rounding until layers are compiled, which fuses them.

Shape suffixes: L rows, I inputs, O outputs.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

# glibc's mallopt: give memory back, and ask the system for it, only in pieces larger than one layer's results
_MALLOPT = {
    -1: 1 << 30,
    -2: 64 << 20,
    -3: 32 << 20,
}  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD (its largest)


class FrozenInt8(nn.Module):
    """A linear layer that is not trained, its weights in int8: (..., I) floating -> (..., O), same dtype."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear):
        super().__init__()
        weight_OI = layer.weight.detach().float()
        scale_O = weight_OI.abs().amax(1).clamp(min=1e-12) / 127
        int8_OI = (weight_OI / scale_O[:, None]).round().to(torch.int8)
        self.register_buffer("weight", int8_OI, persistent=False)
        self.register_buffer("scale", scale_O, persistent=False)
        bias = None if layer.bias is None else layer.bias.detach().float()
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        y = _Product.apply(x, self.weight, self.scale)
        return y if self.bias is None else y + self.bias.to(y.dtype)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_OI: Tensor, scale_O: Tensor) -> Tensor:
        ctx.save_for_backward(weight_OI, scale_O)
        rows_LI, scale_L1 = quantised(x.flatten(0, -2).float())
        y_LO = torch._int_mm(rows_LI, weight_OI.t()).float() * scale_L1 * scale_O
        return y_LO.to(x.dtype).unflatten(0, x.shape[:-1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        weight_OI, scale_O = ctx.saved_tensors
        rows_LO, scale_L1 = quantised(gradient.flatten(0, -2).float() * scale_O)
        back_LI = torch._int_mm(rows_LO, weight_OI).float() * scale_L1
        return back_LI.to(gradient.dtype).unflatten(0, gradient.shape[:-1]), None, None


def quantised(x_LI: Tensor) -> tuple[Tensor, Tensor]:
    """int8 rows, and their scales (L, 1) fp32."""
    scale_L1 = x_LI.abs().amax(1, keepdim=True).clamp(min=1e-30) / 127
    return (x_LI / scale_L1).round().to(torch.int8), scale_L1


@cache
def gain() -> float:
    """How many times as fast as in fp32 a product in int8 is on this processor: 4 with VNNI, a 25th without."""
    a_LI, b_IO = torch.ones(256, 256, dtype=torch.int8), torch.ones(256, 256, dtype=torch.int8)
    x_LI, y_IO = a_LI.float(), b_IO.float()

    def seconds(product: Callable[[], Tensor]) -> float:
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            product()
            taken.append(time.perf_counter() - began)
        return min(taken)

    return seconds(lambda: x_LI @ y_IO) / seconds(lambda: torch._int_mm(a_LI, b_IO))


def rest_in_int8(module: nn.Module) -> int:
    """Replace every linear layer that is not trained, those inside low-rank updates among them; returns how many.

    From then on the process keeps memory that it would have given back after each product, where the C library is
    glibc: asking for it again takes longer than the products.
    """
    found = [
        (name, layer)
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear) and not layer.weight.requires_grad
    ]
    for name, layer in found:
        module.set_submodule(name, FrozenInt8(layer))
    if found and sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        for setting, value in _MALLOPT.items():
            library.mallopt(setting, value)
    return len(found)
