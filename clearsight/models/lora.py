"""Low-rank updates of linear layers: train a few numbers, keep the base frozen, merge when done.

y = W x + (alpha / rank) B A x  (LoRA, https://arxiv.org/abs/2106.09685). B starts at zero, so a fresh update
changes nothing. Left out: dropout on the update.

Shape suffixes: R rank, I inputs, O outputs.
"""

import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DECODER_LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LowRank(nn.Module):
    """A frozen linear layer with a trainable low-rank update; `lora_a` (R, I) and `lora_b` (O, R) in fp32.

    The weights of the wrapped layer stay under `base`, and out of the optimiser (`requires_grad` is off).
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float):
        super().__init__()
        if rank < 1:
            raise ValueError(f"a low-rank update needs a rank of at least 1, not {rank}")
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        device = base.weight.device
        self.lora_a = nn.Parameter(torch.empty(rank, base.in_features, device=device))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank, device=device))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))
        self.updated = True

    def forward(self, x: Tensor) -> Tensor:
        if not self.updated:
            return self.base(x)
        update = F.linear(F.linear(x, self.lora_a.to(x.dtype)), self.lora_b.to(x.dtype))
        return self.base(x) + self.scale * update

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The base layer with the update added in fp32; it is changed in place and can be trained again."""
        weight_OI = self.base.weight
        update_OI = self.scale * (self.lora_b.float() @ self.lora_a.float())
        weight_OI.copy_(weight_OI.float() + update_OI.to(weight_OI.device))
        return self.base.requires_grad_(True)


def add_low_rank(
    module: nn.Module, rank: int, alpha: float, names: Collection[str] = DECODER_LINEARS
) -> list[nn.Parameter]:
    """Wrap every linear layer inside `module` whose last name is in `names`; returns the new parameters.

    Raises ValueError when nothing matches, or when a layer has been wrapped before.
    """
    if any(isinstance(child, LowRank) for child in module.modules()):
        raise ValueError("the module has low-rank updates already; merge them first")
    found = [
        (name, layer)
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear) and name.rpartition(".")[2] in names
    ]
    if not found:
        raise ValueError(f"no linear layer is called {' or '.join(names)}; see module.named_modules()")
    parameters: list[nn.Parameter] = []
    for name, layer in found:
        wrapped = LowRank(layer, rank, alpha)
        module.set_submodule(name, wrapped)
        parameters += [wrapped.lora_a, wrapped.lora_b]
    return parameters


@contextmanager
def without_updates(module: nn.Module) -> Iterator[None]:
    """Within it, the module computes what it did before it had low-rank updates."""
    layers = [layer for _, layer in _low_rank_layers(module)]
    for layer in layers:
        layer.updated = False
    try:
        yield
    finally:
        for layer in layers:
            layer.updated = True


def merge_low_rank(module: nn.Module) -> None:
    """Fold every update into its base layer, which restores the plain module and its names."""
    for name, wrapped in _low_rank_layers(module):
        module.set_submodule(name, wrapped.merged())


def low_rank_state_dict(module: nn.Module) -> dict[str, Tensor]:
    """The updates alone: `<layer>.lora_a` (R, I) and `<layer>.lora_b` (O, R), the scale folded into B."""
    tensors = {}
    for name, wrapped in _low_rank_layers(module):
        tensors[f"{name}.lora_a"] = wrapped.lora_a.detach().clone()
        tensors[f"{name}.lora_b"] = wrapped.lora_b.detach() * wrapped.scale
    return tensors


def _low_rank_layers(module: nn.Module) -> list[tuple[str, LowRank]]:
    return [(name, layer) for name, layer in module.named_modules() if isinstance(layer, LowRank)]
