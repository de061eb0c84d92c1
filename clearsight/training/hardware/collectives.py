"""Do messages between ranks arrive as they were sent, and are they added up correctly?

Integer patterns that depend on rank and place, in int64 and in fp32 (whole numbers below 2^24), so that every sum
is exact and what each rank must hold is known: not a bit may differ. In the group that is there already, over its own
links; or else between two processes that are started here and talk through gloo, which shows that this machine's
network stack works and nothing of an accelerator's links.
"""

import json
import tempfile
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from clearsight.training.hardware.report import Finding, stopwatch

PER_RANK = 2**18 + 3  # elements that each rank sends
PATIENCE = 180.0  # seconds; a busy machine takes most of a minute to start two processes
LIMIT = 2**20  # of a pattern's numbers: sums of 16 ranks stay below 2^24 and exact in fp32


def pattern(rank: int, start: int, length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What `rank` sends from place `start` on: whole numbers in [0, LIMIT / ranks)."""
    place = torch.arange(start, start + length, dtype=torch.int64, device=device)
    limit = LIMIT * 16 // max(16, dist.get_world_size())
    return ((place * 2_654_435_761 + (rank + 1) * 40_503 * (place % 97)) % limit).to(dtype)


def collectives(device: torch.device, seed: int = 0) -> list[Finding]:
    """Every collective once, in the default group, which all its ranks must call this in. Returns findings of all."""
    rank, size = dist.get_rank(), dist.get_world_size()
    findings = []
    for dtype in (torch.int64, torch.float32):

        def sent(by: int, start: int = 0, length: int = PER_RANK, dtype: torch.dtype = dtype) -> Tensor:
            return pattern(by, start + seed, length, dtype, device)

        def total(start: int, length: int, sent: Callable[..., Tensor] = sent) -> Tensor:
            return torch.stack([sent(by, start, length) for by in range(size)]).sum(0).to(sent(0, 0, 1).dtype)

        def all_reduce() -> tuple[Tensor, Tensor]:
            values = sent(rank)
            dist.all_reduce(values)
            return values, total(0, PER_RANK)

        def all_gather() -> tuple[Tensor, Tensor]:
            found = [torch.empty_like(sent(rank)) for _ in range(size)]
            dist.all_gather(found, sent(rank))
            return torch.stack(found), torch.stack([sent(by) for by in range(size)])

        def reduce_scatter() -> tuple[Tensor, Tensor]:
            found = torch.empty_like(sent(rank))
            dist.reduce_scatter(found, [sent(rank, to * PER_RANK) for to in range(size)])
            return found, total(rank * PER_RANK, PER_RANK)

        def broadcast() -> tuple[Tensor, Tensor]:
            values = sent(rank)
            dist.broadcast(values, size - 1)
            return values, sent(size - 1)

        for operation in (all_reduce, all_gather, reduce_scatter, broadcast):
            with stopwatch() as watch:
                found, expected = operation()
                wrong = (found != expected).sum().to(torch.int64)
                everywhere = [torch.zeros_like(wrong) for _ in range(size)]
                dist.all_gather(everywhere, wrong)
            findings.append(_finding(operation.__name__, dtype, [int(w) for w in everywhere], watch.seconds))
    return findings


def _finding(name: str, dtype: torch.dtype, wrong: list[int], seconds: float) -> Finding:
    blamed = [str(rank) for rank, count in enumerate(wrong) if count]
    sentence = f"{len(wrong)} ranks agree to the bit"
    if blamed:
        sentence = f"{sum(wrong)} elements are wrong, on rank {', '.join(blamed)}"
    check = f"{name} {str(dtype).removeprefix('torch.')}"
    return Finding(check, not blamed, float(sum(wrong)), 0.0, "wrong elements", sentence, seconds)


def between_two_processes() -> list[Finding]:
    """Collectives through gloo between two processes of this machine."""
    context = get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, stopwatch() as watch:
        ranks = [context.Process(target=_rank, args=(rank, folder), daemon=True) for rank in range(2)]
        for process in ranks:
            process.start()
        for process in ranks:
            process.join(PATIENCE)
        result = Path(folder, "findings.json")
        if result.exists():
            return [Finding(**finding) for finding in json.loads(result.read_text())]
        for process in ranks:
            process.kill()
    codes = ", ".join(str(process.exitcode) for process in ranks)
    sentence = f"two processes could not talk to each other through gloo (exit codes {codes})"
    return [Finding("collectives", False, None, None, "", sentence, watch.seconds)]


def _rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/store",
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=PATIENCE),
    )
    findings = collectives(torch.device("cpu"))
    if rank == 0:
        staged = Path(folder, "findings.new")
        staged.write_text(json.dumps([vars(finding) for finding in findings]))
        staged.replace(Path(folder, "findings.json"))
    dist.destroy_process_group()
