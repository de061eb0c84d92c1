"""What turns gradients into steps: AdamW, or Muon for matrices beside it; and an average of the weights.

Weights are fp32 whatever products are computed in. Every part (tower, connector, decoder) has its own peak rate; only
matrices decay. Muon (https://kellerjordan.github.io/posts/muon) makes a matrix's update nearly orthogonal; scaled by
0.2 sqrt(max(rows, columns)) it is as large as AdamW's, so that rates carry over (https://arxiv.org/abs/2502.16982).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from clearsight.training.config import Optimizer as Settings
from clearsight.training.parallel import local

PREFIXES = {"vision": "model.vision_model.", "connector": "model.connector."}
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # quintic iteration whose slope at 0 is steep


def part_of(name: str) -> str:
    """Which part a parameter of the model belongs to; the head and the embedding belong to the text."""
    return next((part for part, prefix in PREFIXES.items() if name.startswith(prefix)), "text")


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal by five Newton-Schulz iterations. For matrices alone.

    torch.optim.Muon does the same to whole tensors; this one takes sharded ones too: momentum stays sharded, and a
    matrix is gathered for its iterations only.
    """

    def __init__(self, groups: list[dict[str, Any]], momentum: float, weight_decay: float):
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                momentum = state["momentum_buffer"].lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(momentum, group["momentum"])
                update = _like(orthogonal(_whole(ahead)), parameter)
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                scale = 0.2 * max(parameter.shape) ** 0.5
                parameter.add_(update, alpha=-group["lr"] * scale)


def orthogonal(matrix_RC: Tensor, steps: int = 5) -> Tensor:
    """The nearest (semi-)orthogonal matrix, roughly: singular values end between about 0.7 and 1.2; fp32."""
    a, b, c = NEWTON_SCHULZ
    x = matrix_RC.T if matrix_RC.shape[0] > matrix_RC.shape[1] else matrix_RC
    x = x.to(torch.bfloat16 if x.is_cuda else torch.float32)
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if matrix_RC.shape[0] > matrix_RC.shape[1] else x).float()


def _whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _like(whole: Tensor, parameter: Tensor) -> Tensor:
    if not isinstance(parameter, DTensor):
        return whole
    return distribute_tensor(whole, parameter.device_mesh, parameter.placements, src_data_rank=None)


class Optimizers:
    """The optimisers of a run behind one face. `named` are the trained parameters, of `part_of(name)` each."""

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        settings: Settings,
        part_of: Callable[[str], str] = part_of,
    ):
        self.settings, self.named = settings, dict(named)
        adam: dict[tuple[str, bool], list[nn.Parameter]] = {}
        muon: dict[str, list[nn.Parameter]] = {}
        for name, parameter in self.named.items():
            part, matrix = part_of(name), parameter.dim() >= 2
            if settings.kind == "muon" and _is_hidden_matrix(name, parameter):
                muon.setdefault(part, []).append(parameter)
            else:
                adam.setdefault((part, matrix), []).append(parameter)
        rates = {"vision": settings.vision, "connector": settings.connector, "text": settings.text}
        self.optimizers: list[torch.optim.Optimizer] = []
        if adam:
            groups = [
                {
                    "params": parameters,
                    "weight_decay": settings.weight_decay if matrix else 0.0,
                    "part": part,
                    "peak": rates[part],
                }
                for (part, matrix), parameters in adam.items()
            ]
            self.optimizers.append(
                torch.optim.AdamW(
                    groups, lr=0.0, betas=(settings.beta1, settings.beta2), eps=settings.eps, fused=True
                )
            )
        if muon:
            muon_groups = [
                {"params": parameters, "part": part, "peak": rates[part] * settings.muon_scale}
                for part, parameters in muon.items()
            ]
            self.optimizers.append(Muon(muon_groups, settings.beta2, settings.weight_decay))
        self.average = (
            {name: local(p).detach().clone() for name, p in self.named.items()} if settings.ema else {}
        )

    def set_rates(self, share: float) -> dict[str, float]:
        """Give every group `share` of its peak rate; returns the rate of each part."""
        rates: dict[str, float] = {}
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * share
                rates.setdefault(group["part"], group["lr"])
        return rates

    @torch.no_grad()
    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()
        for name, mean in self.average.items():
            mean.lerp_(local(self.named[name]), 1 - self.settings.ema)

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def gradients(self) -> list[Tensor]:
        return [p.grad for p in self.named.values() if p.grad is not None]

    @torch.no_grad()
    def scale_gradients(self, factor: Tensor | float) -> None:
        for gradient in self.gradients():
            local(gradient).mul_(factor)

    # --- state, tensor by tensor, for checkpoints

    def tensors(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """(kind/name, tensor, the parameter it belongs to and is sharded like), everything that the future depends on.

        Sharded state comes as DTensors. Counts of steps are scalars, and belong to no shard.
        """
        for name, parameter in self.named.items():
            yield f"weight/{name}", parameter.detach(), parameter
            for optimizer in self.optimizers:
                for kind, value in optimizer.state.get(parameter, {}).items():
                    yield f"{kind}/{name}", value, parameter
            if name in self.average:
                yield f"average/{name}", self.average[name], parameter

    def prepare(self) -> None:
        """Make the state that the first step would make, so that there is something to load into."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if isinstance(optimizer, Muon):
                        optimizer.state[parameter] = {"momentum_buffer": torch.zeros_like(parameter)}
                    else:
                        optimizer.state[parameter] = {
                            "step": torch.zeros((), dtype=torch.float32, device=local(parameter).device),
                            "exp_avg": torch.zeros_like(parameter),
                            "exp_avg_sq": torch.zeros_like(parameter),
                        }


def _is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    """Muon is for the matrices between hidden states; not for embeddings, the head, positions, or low-rank updates."""
    return parameter.dim() == 2 and not any(word in name for word in ("embed", "lm_head", "lora"))
