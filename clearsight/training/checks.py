"""The checks of the hardware that a run makes while it trains: what is computed twice, added up twice, kept twice.

Each check speaks of one stage: `replay` of forward and backward, `balance` of the optimiser's step, `at_rest` of memory
between steps, `replicas` of copies on other ranks. None finds everything; `clearsight.training.drill` measures what
they find together, and what they cost.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from clearsight.training.config import Checks as Settings
from clearsight.training.optimizers import Optimizers
from clearsight.training.parallel import World
from clearsight.training.replay import Replayer
from clearsight.training.replicas import AtRest, differing
from clearsight.training.update_sums import UpdateSums


@dataclass(frozen=True)
class Fault:
    """What a check found, in a sentence; `settled` when the step can be taken all the same."""

    check: str
    sentence: str
    settled: bool = False


class Checks:
    """All checks of one rank. Every rank calls every method; each tells of its own faults alone."""

    def __init__(
        self, settings: Settings, optimizers: Optimizers, world: World, anyone: Callable[[bool], bool]
    ):
        self.settings, self.optimizers, self.world = settings, optimizers, world
        exact = world.device.type == "cpu" or torch.are_deterministic_algorithms_enabled()
        self._replayer = Replayer(settings.replay_every, exact=exact, anyone=anyone)
        self._at_rest = AtRest(settings.at_rest_every)
        self._balance = UpdateSums(settings.balance_every)
        self._names: dict[Tensor, str] = {parameter: name for name, parameter in optimizers.named.items()}

    def before_step(self) -> list[Fault]:
        changed = self._at_rest.before_update(self._tensors())
        return [Fault("at rest", _said(changed, "changed in memory between two steps"))] if changed else []

    def replays(self, step: int) -> bool:
        return self._replayer.due(step)

    def replay(self, run_once: Callable[[], Tensor]) -> list[Fault]:
        """Run a micro-batch twice; `run_once` clears gradients, adds its own, and returns its loss."""

        def results() -> dict[str, Tensor]:
            loss = run_once()
            gradients = {
                f"grad:{name}": p.grad for name, p in self.optimizers.named.items() if p.grad is not None
            }
            return {"loss": loss, **gradients}

        mismatch = self._replayer.check(results)
        return [Fault("replay", str(mismatch), mismatch.settled)] if mismatch else []

    def after_gradients(self, step: int) -> None:
        """At once when they are made: what becomes of them until the update, guards and clipping between, is seen."""
        self._balance.before(step, self.optimizers.optimizers, self._names)

    def after_update(self, step: int, scale: float = 1.0) -> list[Fault]:
        """`scale` is what gradients were multiplied by, to clip them."""
        faults = []
        wrong = self._balance.after(self.optimizers.optimizers, self._names, scale)
        if wrong:
            faults.append(
                Fault("balance", _said(wrong, "is not what the optimiser's step should have made of it"))
            )
        self._at_rest.after_update(step, self._tensors())
        every = self.settings.replicas_every
        if self.world.mesh is not None and every > 0 and step % every == 0:
            weights = ((name, tensor) for name, tensor, _ in self.optimizers.tensors())
            different = differing((pair for pair in weights if isinstance(pair[1], DTensor)), self.world.mesh)
            faults += [Fault("replicas", f"{difference}.") for difference in different[:1]]
        return faults

    def forget(self) -> None:
        """A checkpoint was loaded."""
        self._at_rest.forget()

    def _tensors(self) -> Iterable[tuple[str, Tensor]]:
        return ((name, tensor) for name, tensor, _ in self.optimizers.tensors())


def _said(names: list[str], what: str) -> str:
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{others} {what}."
