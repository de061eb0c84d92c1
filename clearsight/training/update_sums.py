"""Was the optimiser's step the one its inputs ask for? The sums of an AdamW step must balance.

What AdamW does to first and second moments is linear in moments, gradient and its square, and to weights linear in the
weights and the update. So sums over a row follow from sums before the step, as in a product that carries its check sums
along (Huang & Abraham 1984, https://doi.org/10.1109/TC.1984.1676475):

    sum m' = b1 sum m + (1 - b1) sum g        sum v' = b2 sum v + (1 - b2) sum g^2
    sum w' = (1 - rate decay) sum w - rate sum u,   u = (m' / (1 - b1^t)) / (sqrt(v' / (1 - b2^t)) + eps)

They balance up to rounding, at most |x| eps / 2 for every element x and operation (Higham, Accuracy and Stability of
Numerical Algorithms, section 2.2). What is wrong by more than that, summed over its row, is found. No copy of weights
or moments is needed, only memory for one tensor at a time. A row is what one index of the first dimension holds.

Left out: other optimisers (Muon's product is checked by nothing but its effect), and what is wrong by less.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clearsight.training.parallel import local

ROUNDINGS = (
    8  # elementwise operations between what was and what is, each off by half a unit in the last place
)


@dataclass(frozen=True)
class _Before:
    """Sums of one parameter's rows: (R,) fp64. Those ending in `_size` are of absolute values, in its own dtype."""

    w: Tensor
    w_size: Tensor
    m: Tensor
    m_size: Tensor
    v: Tensor
    g: Tensor
    g_size: Tensor
    g_squares: Tensor


class UpdateSums:
    """Checks the step of AdamW optimisers every `every` steps; 0 never.

        sums.before(step, optimizers, names)          # as soon as the step's gradients are there
        optimizer.step()
        wrong = sums.after(optimizers, names, scale)  # "weight/<name>", "exp_avg/<name>", "exp_avg_sq/<name>"

    `names` gives the name of each parameter; `scale` is what gradients were multiplied by in between, to clip them, and
    anything else that became of them is found. All is of this rank's own shards. A step not taken has no `after`.
    """

    def __init__(self, every: int):
        self.every = every
        self._before: dict[str, _Before] = {}

    @torch.no_grad()
    def before(
        self, step: int, optimizers: Iterable[torch.optim.Optimizer], names: Mapping[Tensor, str]
    ) -> None:
        self._before = {}
        if self.every <= 0 or step % self.every:
            return
        for optimizer, _, parameter in _adamw(optimizers):
            state = optimizer.state.get(parameter, {})
            assert parameter.grad is not None
            gradient = local(parameter.grad)
            weight = local(parameter)
            m = local(state["exp_avg"]) if state else torch.zeros_like(weight)
            v = local(state["exp_avg_sq"]) if state else torch.zeros_like(weight)
            self._before[names[parameter]] = _Before(
                w=_row_sums(weight),
                w_size=_row_sizes(weight),
                m=_row_sums(m),
                m_size=_row_sizes(m),
                v=_row_sums(v),
                g=_row_sums(gradient),
                g_size=_row_sizes(gradient),
                g_squares=_row_squares(gradient),
            )

    @torch.no_grad()
    def after(
        self, optimizers: Iterable[torch.optim.Optimizer], names: Mapping[Tensor, str], scale: float = 1.0
    ) -> list[str]:
        """Names of what does not balance, none when the step was not looked at."""
        if not self._before:
            return []
        keys, verdicts = [], []
        for optimizer, group, parameter in _adamw(optimizers):
            name, state = names[parameter], optimizer.state[parameter]
            was = self._before[name]
            m, v = local(state["exp_avg"]), local(state["exp_avg_sq"])
            beta1, beta2 = group["betas"]
            steps = float(state["step"])
            update = v.double().div_(1 - beta2**steps).sqrt_().add_(group["eps"])
            update = m.double().div_(update)
            rate, kept = group["lr"] / (1 - beta1**steps), 1 - group["lr"] * group["weight_decay"]
            balances = {
                "exp_avg": (
                    _row_sums(m),
                    beta1 * was.m + (1 - beta1) * scale * was.g,
                    was.m_size + scale * was.g_size,
                ),
                "exp_avg_sq": (
                    _row_sums(v),
                    beta2 * was.v + (1 - beta2) * scale**2 * was.g_squares,
                    was.v + scale**2 * was.g_squares,
                ),
                "weight": (
                    _row_sums(local(parameter)),
                    kept * was.w - rate * _row_sums(update),
                    was.w_size + rate * _row_sizes(update),
                ),
            }
            limits = torch.finfo(local(parameter).dtype)
            for kind, (found, expected, size) in balances.items():
                allowed = ROUNDINGS * (
                    limits.eps / 2 * size + limits.tiny * max(1, m[0].numel() if m.dim() else 1)
                )
                keys.append(f"{kind}/{name}")
                verdicts.append(
                    ~((found - expected).abs() <= allowed).all()
                )  # nan is never within what is allowed
        self._before = {}
        return [key for key, wrong in zip(keys, torch.stack(verdicts).tolist(), strict=True) if wrong]


def _adamw(
    optimizers: Iterable[torch.optim.Optimizer],
) -> Iterator[tuple[torch.optim.Optimizer, dict[str, Any], Tensor]]:
    """Optimiser, group and parameter of all that AdamW is about to change, or has just changed."""
    for optimizer in optimizers:
        if isinstance(optimizer, torch.optim.AdamW):
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None and local(parameter).numel():
                        yield optimizer, group, parameter


def _row_sums(tensor: Tensor) -> Tensor:
    """Sums over all but the first dimension: (R,) fp64; a vector or scalar is one row."""
    return (
        tensor.flatten(1).sum(1, dtype=torch.float64)
        if tensor.dim() > 1
        else tensor.sum(dtype=torch.float64)[None]
    )


def _row_squares(tensor: Tensor) -> Tensor:
    """Sums of squares over all but the first dimension: (R,) fp64, without a copy of the tensor."""
    rows = tensor.flatten(1) if tensor.dim() > 1 else tensor.reshape(1, -1)
    return torch.linalg.vector_norm(rows, dim=1, dtype=torch.float64).square()


def _row_sizes(tensor: Tensor) -> Tensor:
    """Sums of absolute values, in the tensor's dtype: they only say how much rounding to allow."""
    rows = tensor.flatten(1) if tensor.dim() > 1 else tensor.reshape(1, -1)
    return torch.linalg.vector_norm(rows, 1, dim=1)
