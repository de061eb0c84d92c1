"""Do copies that must be equal differ, and does what lies in memory stay as it was written?

`differing` compares the bits of every tensor over the ranks that hold a copy of it. Ranks that started equal and made
the same updates stay equal to the bit; where one of them does not, memory or a unit of it is at fault.

A shard of which there is one copy has nothing to be compared with, and parity over steps can't help: an update is
meant to change it. But between the end of one update and the start of the next nothing may. `AtRest` takes the sum of
its bits at both ends. That covers the intervals it looks at, and no others: bits that flip in between two checked
intervals stay, and are seen by replicas, guards, or not at all.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Replicate

from clearsight.training.checksums import bit_checksums


@dataclass(frozen=True)
class Difference:
    """A tensor that is not the same on all ranks that hold it.

    `ranks` hold something else than most do; all of them are named where no copy is in the majority, as between two.
    """

    name: str
    ranks: tuple[int, ...]

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.ranks))
        if len(self.ranks) == 1:
            return f"{self.name} on rank {numbers} differs from all its replicas"
        return f"{self.name} is not the same on the ranks {numbers}"


def differing(named: Iterable[tuple[str, Tensor]], mesh: DeviceMesh) -> list[Difference]:
    """Compare replicas over every direction of `mesh` in which a tensor isn't sharded.

    `named` are plain tensors and DTensors, in the same order on all ranks, which all must call this. DTensors lie on
    `mesh` or on directions of it, found by their names; what a DTensor does not mention, and a plain tensor, is
    replicated. Returns what differs among this rank's own replicas.
    """
    names, tensors = [], []
    for name, tensor in named:
        names.append(name)
        tensors.append(tensor)
    sums = bit_checksums(tensors).to(mesh.device_type)
    found: list[Difference] = []
    for direction in mesh.mesh_dim_names or ():
        group = mesh.get_group(direction)
        copied = [i for i, tensor in enumerate(tensors) if direction not in _sharded(tensor)]
        if dist.get_world_size(group) == 1 or not copied:
            continue
        mine = sums[copied]
        extremes = torch.cat([mine, ~mine])  # the largest of all ~x is ~ of the smallest x
        dist.all_reduce(extremes, dist.ReduceOp.MAX, group)
        largest, smallest = extremes[: len(mine)], ~extremes[len(mine) :]
        if bool((largest == smallest).all()):
            continue
        everyone = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
        dist.all_gather(everyone, mine, group)
        ranks = dist.get_process_group_ranks(group)
        for place, copies in enumerate(zip(*(each.tolist() for each in everyone), strict=True)):
            if len(set(copies)) > 1:
                found.append(Difference(names[copied[place]], _outvoted(copies, ranks)))
    return found


def _sharded(tensor: Tensor) -> set[str]:
    """The directions of its mesh that a tensor is divided over."""
    if not isinstance(tensor, DTensor):
        return set()
    directions = tensor.device_mesh.mesh_dim_names or ()
    return {
        name
        for name, placed in zip(directions, tensor.placements, strict=True)
        if not isinstance(placed, Replicate)
    }


def _outvoted(copies: tuple[int, ...], ranks: list[int]) -> tuple[int, ...]:
    value, votes = Counter(copies).most_common(1)[0]
    if votes * 2 <= len(copies):
        return tuple(ranks)
    return tuple(rank for rank, copy in zip(ranks, copies, strict=True) if copy != value)


class AtRest:
    """Weights and optimiser state between updates, every `every` steps; 0 never.

        at_rest.after_update(step, tensors)       # when due, the sums are noted
        changed = at_rest.before_update(tensors)  # of the next step; names of what is no longer as it was

    Tensors are iterated over only when there is something to do, so a generator that is not due costs nothing.
    """

    def __init__(self, every: int):
        self.every = every
        self._noted: Tensor | None = None

    def after_update(self, step: int, named: Iterable[tuple[str, Tensor]]) -> None:
        if self.every > 0 and step % self.every == 0:
            self._noted = bit_checksums(tensor for _, tensor in named)

    def before_update(self, named: Iterable[tuple[str, Tensor]]) -> list[str]:
        """What changed since the last update, if that was looked at. Nothing on this rank says nothing of others."""
        if self._noted is None:
            return []
        names, tensors = zip(*named, strict=True)
        changed = (bit_checksums(tensors) != self._noted).tolist()
        self._noted = None
        return [name for name, differs in zip(names, changed, strict=True) if differs]

    def forget(self) -> None:
        """What was noted no longer counts: a checkpoint was loaded."""
        self._noted = None
