"""Plain data parallelism for the recipes of the first checkpoint: a handful of lines over torch.distributed.

Started by torchrun, every process draws its own pictures and gradients are averaged; started directly, all of
this does nothing. A full trainer replaces it.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import nn


def join(device: str) -> tuple[int, int]:
    """Join the group that torchrun describes, if any: (rank, number of processes)."""
    if "RANK" not in os.environ:
        return 0, 1
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return dist.get_rank(), dist.get_world_size()


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def average_gradients(modules: Iterable[nn.Module]) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for module in modules for p in module.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def minutes_since(start: float) -> float:
    """Minutes since `start` as the first process sees them, so that all stop at the same step."""
    spent = torch.tensor((time.time() - start) / 60)
    if dist.is_initialized():
        dist.broadcast(spent, 0)
    return spent.item()


def gather_counts(counts: Counter[str]) -> Counter[str]:
    """The sum of every process's counts."""
    if not dist.is_initialized():
        return counts
    gathered: list[Counter[str] | None] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, counts)
    return sum((part for part in gathered if part), Counter())
