"""One process or many: who is there, and how a model is spread over them.

Ranks form a mesh of three directions: `replicate` and `shard` share the data, `tensor` the layers of the decoder.
Sharding is FSDP2 (https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html), sharing of layers is
column- and row-wise (https://arxiv.org/abs/1909.08053). One process needs no launcher and none of this.
"""

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    ParallelStyle,
    RowwiseParallel,
    parallelize_module,
)
from torch.utils.checkpoint import checkpoint

from clearsight.models.precision import native_dtype
from clearsight.models.text import TextDecoder, TextLayer
from clearsight.models.vision import VisionLayer
from clearsight.training.config import ConfigError, Parallel
from clearsight.training.rendezvous import fresh_store
from clearsight.training.resting import gain, rest_in_int8

SLOW = 0.8  # times the speed of fp32: below it, int8 is no help
TIMEOUT = timedelta(minutes=30)  # of a collective; a rank that hangs is noticed much sooner (see heartbeat)
TENSOR_PLAN: dict[str, Callable[[], ParallelStyle]] = {
    "self_attn.q_proj": ColwiseParallel,
    "self_attn.k_proj": ColwiseParallel,
    "self_attn.v_proj": ColwiseParallel,
    "self_attn.o_proj": RowwiseParallel,
    "mlp.gate_proj": ColwiseParallel,
    "mlp.up_proj": ColwiseParallel,
    "mlp.down_proj": RowwiseParallel,
}


@dataclass(frozen=True)
class World:
    """Who takes part. `mesh` is None when there is one process; `data_rank` counts those with data of their own."""

    rank: int
    size: int
    device: torch.device
    mesh: DeviceMesh | None = None
    data_rank: int = 0
    data_ranks: int = 1

    @property
    def leads(self) -> bool:
        """Whether this rank writes what is written once."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """Sum over the ranks that have data of their own; `values` is changed and returned."""
        if self.mesh is not None:
            for name in ("replicate", "shard"):
                dist.all_reduce(values, group=self.mesh[name].get_group())
        return values

    def gathered(self, values: Tensor) -> Tensor:
        """The values of every rank: (size, ...)."""
        if self.mesh is None:
            return values[None]
        found = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(found, values)
        return torch.stack(found)

    def barrier(self) -> None:
        if self.mesh is not None:
            dist.barrier()


def join(settings: Parallel) -> World:
    """Take part in the group that torchrun describes, or be alone. Raises ConfigError for a mesh that can't be."""
    kind = settings.device if settings.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    if "RANK" not in os.environ:
        if settings.tensor != 1:
            raise ConfigError(
                f"parallel.tensor={settings.tensor} needs as many processes: torchrun --nproc-per-node "
                f"{settings.tensor} -m clearsight train ..."
            )
        return World(0, 1, torch.device(kind))
    device = torch.device(kind)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    store, rank, size = next(dist.rendezvous("env://", timeout=TIMEOUT))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
        store=fresh_store(store, rank, size, TIMEOUT),
        rank=rank,
        world_size=size,
        timeout=TIMEOUT,
    )
    if size % settings.tensor:
        raise ConfigError(
            f"{size} processes can't be divided into groups of parallel.tensor={settings.tensor}"
        )
    data_ranks = size // settings.tensor
    shard = settings.shard or data_ranks
    if data_ranks % shard:
        raise ConfigError(
            f"{data_ranks} ranks with data can't be divided into groups of parallel.shard={shard}"
        )
    shape = (data_ranks // shard, shard, settings.tensor)
    mesh = init_device_mesh(device.type, shape, mesh_dim_names=("replicate", "shard", "tensor"))
    return World(rank, size, device, mesh, rank // settings.tensor, data_ranks)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def precision(settings: Parallel, device: torch.device) -> torch.dtype:
    """The dtype products are computed in."""
    if settings.precision == "auto":
        return native_dtype(device)
    return torch.bfloat16 if settings.precision == "bf16" else torch.float32


def spread(model: nn.Module, world: World, settings: Parallel) -> None:
    """Put to rest, share the decoder's layers, checkpoint, compile and shard, in place and in this order.

    Layers are those of towers and decoders, wherever they are in the model.

    Raises ConfigError when the heads can't be divided among `parallel.tensor` ranks, and for weights that are to rest
    in int8 where that can't be done or there are none.
    """
    layers = [module for module in model.modules() if isinstance(module, VisionLayer | TextLayer)]
    if settings.resting == "int8":
        if world.device.type != "cpu" or settings.tensor > 1:
            raise ConfigError(
                "parallel.resting=int8 is for processors, with parallel.tensor=1; leave it at own"
            )
        if not sum(rest_in_int8(layer) for layer in layers):
            raise ConfigError(
                "parallel.resting=int8 finds no weights that rest: all layers are trained. Give model.rank, or "
                "leave it at own"
            )
        if gain() < SLOW:
            warnings.warn(
                f"this processor multiplies int8 at {gain():.2f} times the speed of fp32: "
                "--set parallel.resting=own trains faster here",
                stacklevel=2,
            )
    if settings.tensor > 1:
        assert world.mesh is not None
        for text in (module for module in model.modules() if isinstance(module, TextDecoder)):
            if text.config.num_key_value_heads % settings.tensor:
                raise ConfigError(
                    f"{text.config.num_key_value_heads} key-value heads can't be divided among "
                    f"parallel.tensor={settings.tensor} ranks"
                )
            for layer in text.layers:
                parallelize_module(
                    layer, world.mesh["tensor"], {name: kind() for name, kind in TENSOR_PLAN.items()}
                )
    for layer in layers:
        if settings.checkpoint_activations:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)  # type: ignore[method-assign]
        if settings.compile:
            layer.compile()
    if world.mesh is None:
        return
    dtype = precision(settings, world.device)
    policy = MixedPrecisionPolicy(
        param_dtype=None if dtype == torch.float32 else dtype,
        reduce_dtype=torch.float32,
        cast_forward_inputs=False,
    )
    replicas = world.mesh["replicate"].size()
    mesh = world.mesh["shard"] if replicas == 1 else world.mesh["replicate", "shard"]
    for layer in layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def local(tensor: Tensor) -> Tensor:
    """This rank's part of a tensor; the tensor itself when it is whole."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def global_norm(gradients: Iterable[Tensor], world: World) -> Tensor:
    """The Euclidean norm of all gradients together, wherever their parts lie: a scalar, fp32, the same on all ranks.

    Row by row: the norm of 28 million elements at once is 0.1% off in fp32, and their squares would be a copy.
    """
    sums = {"tensor": torch.zeros((), device=world.device), "": torch.zeros((), device=world.device)}
    for gradient in gradients:
        shared = isinstance(gradient, DTensor) and "tensor" in (gradient.device_mesh.mesh_dim_names or ())
        norms = torch.linalg.vector_norm(local(gradient), dim=-1, dtype=torch.float32)
        sums["tensor" if shared else ""] += norms.square().sum()
    if world.mesh is not None:
        dist.all_reduce(sums["tensor"], group=world.mesh["tensor"].get_group())
        both = sums["tensor"] + sums[""]
        dist.all_reduce(both, group=world.mesh["shard"].get_group())
        return both.sqrt()
    return (sums["tensor"] + sums[""]).sqrt()
