"""How large what the parts of a model hand on is: seen by guards, as parts that die or explode show it first."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Activations:
    """The root mean square of what each part hands on, averaged over all that is seen in a step."""

    def __init__(self, parts: Mapping[str, nn.Module], device: torch.device):
        self._names = list(parts)
        self._sums = torch.zeros(2 * len(parts), device=device)  # of sizes, then how many
        for number, module in enumerate(parts.values()):
            module.register_forward_hook(self._hook(number))

    def _hook(self, number: int) -> Callable[[nn.Module, Any, Tensor], None]:
        def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if output.numel():  # a batch may hold no pictures
                self._sums[number] += output.detach().float().square().mean().sqrt()
                self._sums[number + len(self._names)] += 1

        return note

    def taken(self) -> Tensor:
        """The sums since they were last taken, which may be added up over ranks."""
        found = self._sums.clone()
        self._sums.zero_()
        return found

    def means(self, sums: Tensor) -> dict[str, float]:
        """By part; parts that handed nothing on are left out."""
        sizes, counts = sums.chunk(2)
        return {
            name: float(size / count)
            for name, size, count in zip(self._names, sizes, counts, strict=True)
            if count
        }
