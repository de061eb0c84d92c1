"""Does this machine compute, remember and transmit correctly? What `clearsight doctor --cpu` and `--gpu` run.

    findings = examine(torch.device("cuda"), seconds=300, progress=show)

Without `seconds` every check is made once, which takes less than a minute; with it, rounds with other numbers and
places follow each other until the time is over, as faults come and go. Of each check the worst of all rounds is given.

A machine that passes has computed these things correctly now. Rare faults show in training, where replays, replicas and
guards look for them (`training.replay`, `training.replicas`, `training.guards`).
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import count

import torch
import torch.distributed as dist

from clearsight.training.hardware import checks, collectives, memory
from clearsight.training.hardware.report import Finding, Progress, to_json
from clearsight.training.hardware.rounding import BF16, FP16, FP32, TF32
from clearsight.training.hardware.vendor import Instruments, memory_controllers

__all__ = ["Finding", "examine", "to_json"]


def examine(
    device: torch.device,
    *,
    seconds: float | None = None,
    memory_bytes: int | None = None,
    progress: Progress = lambda what, share: None,
) -> list[Finding]:
    """Check one device, "cpu" or "cuda:0" and the like; never raises for what it finds.

    `memory_bytes` is how much memory is tested, by default a share of what is free (of a CPU's at most 256 MiB).
    Raises ValueError for a device that is not there.
    """
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"the hardware of a {device.type} device can't be checked; name cpu or cuda")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no CUDA device that PyTorch sees; check the driver, or examine the cpu")
    found: dict[str, Finding] = {}
    size = memory.size_to_test(device) if memory_bytes is None else memory_bytes
    until = time.perf_counter() + (seconds or 0)
    with Instruments(device) if device.type == "cuda" else nullcontext() as instruments:
        for number in count():
            for finding in _round(device, number, size, progress):
                _keep_worst(found, finding)
            if time.perf_counter() >= until:
                break
        if instruments is not None:
            for finding in instruments.findings():
                _keep_worst(found, finding)
    for finding in memory_controllers():
        _keep_worst(found, replace(finding, check=f"{finding.check} of the host"))
    progress("messages between processes", 0.0)
    here = dist.is_available() and dist.is_initialized()
    for finding in collectives.collectives(device) if here else collectives.between_two_processes():
        _keep_worst(found, finding)
    return [*found.values()]


def _round(device: torch.device, number: int, size: int, progress: Progress) -> Iterator[Finding]:
    """Everything that is repeated: arithmetic with the round's numbers, then memory."""
    formats = [FP32, TF32, BF16, FP16] if device.type == "cuda" else [FP32, BF16, FP16]
    plan = checks.plan(device, formats)
    for done, (name, check) in enumerate(plan):
        progress(name, done / len(plan))
        try:
            yield check(1000 * number)
        except (
            RuntimeError
        ) as error:  # a device that fails outright says so here, and to all that comes after
            yield Finding(
                name, False, None, None, "", f"it ended with an error: {str(error).splitlines()[0]}"
            )
    yield memory.cells(device, size, number, progress)
    progress("copies", 0.0)
    yield from memory.bandwidths(device)


def _keep_worst(found: dict[str, Finding], new: Finding) -> None:
    """Failed before passed, then the larger figure; times add up. What has no bound is kept as it was last."""
    old = found.get(new.check)
    if old is None:
        found[new.check] = new
        return
    if old.bound is None and new.bound is None and old.passed:
        worst = new
    else:
        worst = max(old, new, key=lambda finding: (not finding.passed, finding.figure or 0.0))
    found[new.check] = replace(worst, seconds=old.seconds + new.seconds)
