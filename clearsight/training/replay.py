"""Compute a micro-batch twice from the same weights and random state, and compare: what a faulty unit computes once, it
seldom computes again.

    replayer = Replayer(every=100)
    if replayer.due(step):
        mismatch = replayer.check(run_once)    # in place of the step's first micro-batch

`run_once` clears the gradients, runs the micro-batch forward and backward, and returns {"loss": ...,
"grad:<name>": ...} of what lies in `.grad` afterwards. The last run's gradients stay there and are the step's own, so
that the step that is taken is among what was checked, and a check costs one micro-batch. When two runs differ, a third
says which of them to believe.

Only numbers are kept of a run: a checksum of the bits of each tensor where results repeat to the bit (CPU, or
deterministic kernels), else its sum and norm, compared within a tolerance. Left out: faults that repeat themselves,
such as a unit that always multiplies wrongly; `clearsight doctor` looks for those against a reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from clearsight.training.checksums import bit_checksums
from clearsight.training.parallel import local

TOLERANCE = (
    2.0**-6
)  # of a tensor's norm, where atomic additions come in any order and results are rounded to bf16
LEAST_SHARE = (
    0.1  # of the norm over all tensors: gradients that are 0 but for rounding are not held to their own
)


@dataclass(frozen=True)
class Mismatch:
    """Two runs of the same micro-batch that differ.

    `names` are the tensors that differ on this rank, none when only another rank saw a difference. `settled` says that
    a third run agreed with one of the first two, on every rank: what is in `.grad` now can be used.
    """

    names: tuple[str, ...]
    settled: bool

    def __str__(self) -> str:
        where = (
            f"{len(self.names)} tensors differ, among them {self.names[0]}"
            if self.names
            else "on another rank"
        )
        outcome = (
            "A third run agreed with one of them, and the step goes on with it."
            if self.settled
            else "A third run agreed with neither: this machine should be taken out and looked at."
        )
        return f"The same micro-batch gave two results: {where}. {outcome}"


class Replayer:
    """Checks every `every` steps; 0 never.

    `exact` asks for equal bits. `anyone` tells whether what it is given is true on any rank, as all ranks must run
    again together; the default is for one process.
    """

    def __init__(self, every: int, *, exact: bool = True, anyone: Callable[[bool], bool] = bool):
        self.every, self.exact, self.anyone = every, exact, anyone

    def due(self, step: int) -> bool:
        return self.every > 0 and step % self.every == 0

    def check(self, run_once: Callable[[], Mapping[str, Tensor]]) -> Mismatch | None:
        """Run twice, and a third time when the two differ; returns what differed, or None."""
        before = _random_state()
        names, first = self._signed(run_once())
        _restore(before)
        _, second = self._signed(run_once())
        wrong = self._differ(first, second)
        if not self.anyone(bool(wrong.any())):
            return None
        _restore(before)
        _, third = self._signed(run_once())
        alone = self._differ(first, third).any() and self._differ(second, third).any()
        return Mismatch(
            tuple(name for name, differs in zip(names, wrong.tolist(), strict=True) if differs),
            settled=not self.anyone(bool(alone)),
        )

    def _signed(self, results: Mapping[str, Tensor]) -> tuple[list[str], Tensor]:
        """Names, and what is kept of each tensor: (n,) int64 bits, or (n, 2) fp32 sum and norm."""
        assert next(iter(results)) == "loss", "run_once gives the loss first"
        if self.exact:
            return [*results], bit_checksums(results.values())
        pairs = [
            torch.stack(
                [value.sum(dtype=torch.float32), torch.linalg.vector_norm(value, dtype=torch.float32)]
            )
            for value in (local(result.detach()) for result in results.values())
        ]
        return [*results], torch.stack(pairs)

    def _differ(self, a: Tensor, b: Tensor) -> Tensor:
        """Which of the tensors differ: (n,) bool. What is not finite in both runs alike is no difference."""
        if self.exact:
            return a != b
        norms = torch.minimum(
            a[:, 1], b[:, 1]
        )  # a fault that makes one of them large must not widen what is allowed
        allowed = TOLERANCE * norms.clamp(min=LEAST_SHARE * float(norms[1:].norm()))
        allowed[0] = TOLERANCE * norms[0]
        close = (a - b).abs() <= allowed[:, None]
        same = (a == b) | (a.isnan() & b.isnan())
        return ~(close | same).all(1)


def _random_state() -> tuple[Tensor, Tensor | None]:
    return torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None


def _restore(state: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1])
