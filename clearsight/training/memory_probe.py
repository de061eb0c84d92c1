"""How much memory a training step really needs: real steps, sharded by FSDP2 over processes of this machine.

Every allocation and release of PyTorch's CPU allocator is recorded and added up, so that the figure is exact and the
same each time, which the size of a process is not. That one is taken too, for a cross-check.
"""

import json
import os
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.fsdp import FSDPModule

from clearsight.models.config import ModelConfig
from clearsight.models.vlm import VisionLanguageModel
from clearsight.process_memory import peak_memory
from clearsight.training import learner, parallel
from clearsight.training.config import Model, Optimizer, Parallel
from clearsight.training.memory import Learning, Work
from clearsight.training.optimizers import Optimizers

SEGMENT = 128  # tokens of a sample, at most
MEASURED_STEP = "measured step"
SETTLING = 0.004  # seconds


@dataclass(frozen=True)
class Measured:
    """Bytes on rank 0: of live tensors at the peak of a step and before it, and by how much the process grew at most.

    The process also holds what the allocator keeps for itself and what recording takes, so it grows by more.
    """

    peak: int
    resting: int
    process: int


def measure_memory(
    config: ModelConfig, work: Work, settings: Parallel, learning: Learning | None = None, processes: int = 2
) -> Measured:
    """The second of two steps of a fresh model under `settings`, divided over gloo processes on the CPU.

    Each rank computes one row of `work`: samples of 128 tokens, of which `work.labelled` tokens are learned.
    """
    import torch.multiprocessing as multiprocessing

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "measured.json"
        arguments = (config, work, settings, learning or Learning(), processes, port, found)
        multiprocessing.spawn(_measure, arguments, nprocs=processes)
        return Measured(*json.loads(found.read_text()))


def _measure(
    rank: int,
    config: ModelConfig,
    work: Work,
    settings: Parallel,
    learning: Learning,
    processes: int,
    port: int,
    found: Path,
) -> None:
    from torch.profiler import ProfilerActivity, profile, record_function

    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(processes), "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    world = parallel.join(settings)
    before = peak_memory()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        model = VisionLanguageModel(config)
        learner.prepare(model, Model(trained=tuple(learning.trained), rank=learning.rank))
        parallel.spread(model, world, settings)
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.set_custom_all_gather(_AllGather())  # type: ignore[arg-type]
                module.set_custom_reduce_scatter(_ReduceScatter())  # type: ignore[arg-type]
        kept = Optimizer(kind=learning.optimizer, ema=0.9 * learning.ema)
        optimizers = Optimizers(learner.trained(model), kept)
        batch = _batch(config, work)
        _step(model, optimizers, batch)
        with record_function(MEASURED_STEP):
            _step(model, optimizers, batch)
    if rank == 0:
        found.write_text(json.dumps([*_peak(recorded), peak_memory() - before]))
    parallel.leave()


class _Settled:
    """Collectives that end once gloo's threads have let go of their copies: only this thread's releases are recorded,
    and whoever lets go last releases."""

    def allocate(self, size: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.empty(*size, dtype=dtype, device=device)

    def settle(self, work: dist.Work) -> None:
        work.wait()
        time.sleep(SETTLING)


class _AllGather(_Settled):
    def __call__(
        self, output_tensor: Tensor, input_tensor: Tensor, group: dist.ProcessGroup, async_op: bool = False
    ) -> None:
        self.settle(dist.all_gather_into_tensor(output_tensor, input_tensor, group, async_op=True))


class _ReduceScatter(_Settled):
    def __call__(
        self,
        output_tensor: Tensor,
        input_tensor: Tensor,
        group: dist.ProcessGroup,
        op: Any,
        async_op: bool = False,
    ) -> None:
        self.settle(dist.reduce_scatter_tensor(output_tensor, input_tensor, op, group, async_op=True))


def _batch(config: ModelConfig, work: Work) -> dict[str, Tensor]:
    """A row as the loader gives it, with labels on its last `work.labelled` tokens that have a predecessor."""
    places = torch.arange(work.tokens)[None]
    segment_ids = places // SEGMENT + 1
    input_ids = torch.randint(0, config.image_token_id, (1, work.tokens))
    input_ids[0, : work.tiles * config.tokens_per_tile] = config.image_token_id
    learnable = (places % SEGMENT != 0).flatten().nonzero()[:, 0]
    assert len(learnable) >= work.labelled, "a sample's first token has nothing to be learned from"
    labels = torch.full_like(input_ids, -100)
    chosen = learnable[len(learnable) - work.labelled :]
    labels[0, chosen] = torch.randint(0, config.image_token_id, (work.labelled,))
    side = config.vision.image_size
    return {
        "input_ids": input_ids,
        "tiles": torch.randn(work.tiles, config.vision.num_channels, side, side),
        "position_ids": places % SEGMENT,
        "segment_ids": segment_ids,
        "labels": labels,
    }


def _step(model: VisionLanguageModel, optimizers: Optimizers, batch: dict[str, Tensor]) -> None:
    model(**batch, reduction="sum").backward()
    optimizers.set_rates(1.0)
    optimizers.step()
    optimizers.zero_grad()


def _peak(recorded: Any) -> tuple[int, int]:
    """Live bytes at the peak of the measured step, and when it began."""
    events = recorded.profiler.kineto_results.events()
    step = next(event for event in events if event.name() == MEASURED_STEP)
    begin, end = step.start_ns(), step.start_ns() + step.duration_ns()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    live = resting = sum(size for when, size in changes if when < begin)
    peak = resting
    for when, size in changes:
        if begin <= when <= end:
            live += size
            peak = max(peak, live)
    return peak, resting
