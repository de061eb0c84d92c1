"""What a training run will need on a cluster, for each way of dividing it: memory, communication, time.

Memory is counted by `memory`, which the tests hold against measured steps. Times are estimates, from data sheets and
four assumptions that stand below as constants; they rank the choices, and say whether a cluster can do the work at all.

- Products run at a constant share of the accelerator's peak.
- Gathering weights and reducing gradients runs beside the products, so that the longer of both counts; what the
  ranks of a shared layer exchange is waited for.
- A collective runs along a ring: every rank sends (n - 1) / n of the whole, at the speed of the slowest link, which is
  that of the network where the ring crosses nodes, and every hop takes its time, which is what many ranks cost. Ranks
  of one node share its network adapters.
- The optimiser is as fast as memory can be read and written.

Left out: pipeline and expert parallelism, offloading, stragglers, loading of data.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from clearsight.models.config import ModelConfig, TextConfig
from clearsight.models.presets import SIGLIP_B16_512, SIGLIP_SO400M_14_384
from clearsight.training.flops import batch_flops
from clearsight.training.hardware_catalog import CATALOG, Accelerator
from clearsight.training.memory import BF16, FP32, Counts, Layout, Learning, Memory, Work, step_memory

if TYPE_CHECKING:
    from rich.table import Table

GIB = 2**30
PRODUCT_EFFICIENCY = 0.6
"""Share of the peak that training reaches while it multiplies: large bf16 products and attention together."""
LINK_EFFICIENCY = 0.8
NETWORK = 50e9
"""Bytes/s of one accelerator's network adapter, one direction: 400 Gb/s."""
LINK_HOP, NETWORK_HOP = 1e-6, 5e-6
"""Seconds a collective takes from rank to rank, within a node and between nodes."""
RESERVED_GIB = 4.0
"""CUDA context, buffers of the collectives, products' workspaces, fragments of the allocator."""
IMAGE_SHARE, LABELLED_SHARE, SAMPLES_A_ROW = 0.5, 0.25, 8
"""Of a row's tokens that are pictures, and that are learned; how many samples a row holds."""
TENSOR = (1, 2, 4, 8)


@dataclass(frozen=True)
class Choice:
    """One way of dividing the work. Bytes and seconds are of one accelerator and one optimiser step."""

    accelerator: str
    replicas: int
    shard: int
    tensor: int
    checkpoint_activations: bool
    memory: Memory
    fits: bool
    sent: int
    communication_seconds: float
    compute_seconds: float
    step_seconds: float
    mfu: float

    def to_json(self) -> dict[str, Any]:
        """Nested; bytes, seconds, and names as here."""
        return asdict(self) | {"memory": asdict(self.memory) | {"total": self.memory.total}}


def plan(
    model: ModelConfig | str | float,
    gpus: int,
    hbm_gib: float,
    *,
    row_tokens: int = 4096,
    rows: int = 1,
    micro_batches: int = 1,
    tiles: int | None = None,
    gpus_per_node: int = 8,
    network: float = NETWORK,
    accelerator: Accelerator | None = None,
    learning: Learning | None = None,
) -> list[Choice]:
    """All choices there are, those that fit first, the fastest first.

    `model` is a shape, or a number of parameters such as "7B", which stands for a shape like Llama's with a SigLIP
    tower. `rows` of `row_tokens` tokens and `tiles` tiles each (by default half of the tokens are pictures) are a
    micro-batch of the ranks that share layers. `accelerator` is by default the fastest known one of about this memory.
    Raises ValueError for numbers that can't be.
    """
    config = model if isinstance(model, ModelConfig) else shape_of(model)
    if gpus < 1 or hbm_gib <= 0:
        raise ValueError(f"{gpus} GPUs of {hbm_gib:g} GiB can't train; give at least one with some memory")
    if gpus > gpus_per_node and gpus % gpus_per_node:
        raise ValueError(
            f"{gpus} GPUs are no whole number of nodes of {gpus_per_node}; change --gpus or the GPUs of a node"
        )
    gpus_per_node = min(gpus, gpus_per_node)
    found = accelerator or _with_memory(hbm_gib)
    if tiles is None:
        tiles = int(IMAGE_SHARE * row_tokens) // config.tokens_per_tile
    work = Work(rows * row_tokens, rows * tiles, int(rows * row_tokens * LABELLED_SHARE))
    cluster = _Cluster(found, gpus_per_node, network)
    learning = learning or Learning(accumulates=micro_batches > 1)
    choices = []
    for shard, tensor in _divisions(config, gpus, gpus_per_node):
        for checkpoint in (False, True):
            layout = Layout(shard, tensor, checkpoint)
            replicas = gpus // (shard * tensor)
            memory = step_memory(config, work, layout, learning)
            fits = memory.total <= (hbm_gib - RESERVED_GIB) * GIB
            times = _times(config, work, layout, learning, replicas, micro_batches, cluster)
            choices.append(Choice(found.name, replicas, shard, tensor, checkpoint, memory, fits, *times))
    return sorted(choices, key=lambda choice: (not choice.fits, -choice.mfu, choice.memory.total))


def _with_memory(hbm_gib: float) -> Accelerator:
    """The fastest known one of about this memory."""
    # within a twentieth, memory is the same
    return min(CATALOG, key=lambda entry: (round(20 * abs(math.log(entry.hbm_gib / hbm_gib))), -entry.bf16))


def shape_of(parameters: str | float) -> ModelConfig:
    """A shape with about so many parameters in all: Llama's proportions (width about 128 times depth), the vocabulary
    and one of the towers of the Idefics3 family. Raises ValueError for what is no number, or too small."""
    wanted = _number(parameters)
    small = wanted < 1e9
    vision = SIGLIP_B16_512 if small else SIGLIP_SO400M_14_384
    head = 64 if small else 128

    def shape(width: int, layers: int) -> ModelConfig:
        heads = width // head
        shared = next(count for count in (8, 4, 3, 2, 1) if heads % count == 0)
        text = TextConfig(
            hidden_size=width,
            intermediate_size=math.ceil(width * 8 / 3 / 256) * 256,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=shared,
            head_dim=head,
        )
        return ModelConfig(vision, text, scale_factor=4 if small else 3)

    best: tuple[float, ModelConfig] | None = None
    step = 2 * head if small else 8 * head  # heads that tensor parallelism can divide
    for width in range(step, 2**15, step):
        one = shape(width, 1)
        counts = Counts.of(one)
        layers = round((wanted - counts.total(one)) / counts.text_layer) + 1
        if layers < 2:
            break
        distance = abs(math.log(width / layers / 128))
        if best is None or distance < best[0]:
            best = distance, shape(width, layers)
    if best is None:
        least = Counts.of(shape(step, 2)).total(shape(step, 2)) / 1e6
        raise ValueError(
            f"{parameters} parameters are fewer than tower and vocabulary have; give {least:.0f}M or more"
        )
    return best[1]


def _number(text: str | float) -> float:
    if not isinstance(text, str):
        return float(text)
    match = re.fullmatch(r"([\d.]+)\s*([KMBT]?)", text.strip(), re.IGNORECASE)
    if not match:
        raise ValueError(f"{text!r} is no number of parameters; write 350M, 7B or 7000000000")
    return float(match[1]) * {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[match[2].upper()]


def _divisions(config: ModelConfig, gpus: int, gpus_per_node: int) -> Iterator[tuple[int, int]]:
    """(shard, tensor): everything whole on each rank, sharded within nodes, sharded over all."""
    for tensor in TENSOR:
        if tensor > gpus_per_node or gpus % tensor or config.text.num_key_value_heads % tensor:
            continue
        for shard in sorted({1, gpus_per_node // tensor, gpus // tensor}):
            yield shard, tensor


@dataclass(frozen=True)
class _Cluster:
    accelerator: Accelerator
    gpus_per_node: int
    network: float

    def seconds(self, members: int, stride: int, sent: int, collectives: int) -> float:
        """Time in which a ring of so many ranks, each `stride` after the one before, sends so many bytes a rank in all;
        ranks are counted node by node."""
        if members == 1:
            return 0.0
        bandwidth = self.accelerator.link_bandwidth
        between = math.ceil(members * stride / self.gpus_per_node)
        between = 0 if between == 1 else min(members, between)
        if between:
            bandwidth = min(bandwidth, self.network * max(1, self.gpus_per_node // stride))
        hops = (members - between) * LINK_HOP + between * NETWORK_HOP
        return sent / (bandwidth * LINK_EFFICIENCY) + collectives * hops


def _times(
    config: ModelConfig,
    work: Work,
    layout: Layout,
    learning: Learning,
    replicas: int,
    micro_batches: int,
    cluster: _Cluster,
) -> tuple[int, float, float, float, float]:
    """Bytes sent, seconds of communication, of products and of the step, and MFU."""
    shard, tensor = layout.shard, layout.tensor
    counts = Counts.of(config, tensor)
    layers = counts.total(config) - counts.root
    trained = _trained(config, counts, learning)

    gathered = micro_batches * BF16 * (2 * layers + counts.root) * (shard - 1) // shard
    reduced = FP32 * trained * (shard - 1) // shard
    replicated = 2 * FP32 * trained * (replicas - 1) // (shard * replicas)
    sums = 6 if layout.checkpoint_activations else 4  # two a pass: after attention and after the MLP
    hidden = BF16 * work.tokens * config.text.hidden_size
    shared = micro_batches * config.text.num_hidden_layers * sums * 2 * hidden * (tensor - 1) // tensor
    groups = config.vision.num_hidden_layers + config.text.num_hidden_layers + 1
    gathers = micro_batches * (2 * groups - 1)
    beside = cluster.seconds(shard, tensor, gathered + reduced, gathers + groups)
    beside += cluster.seconds(replicas, shard * tensor, replicated, 2 * groups)
    waited = cluster.seconds(tensor, 1, shared, 2 * micro_batches * config.text.num_hidden_layers * sums)

    lengths = [work.tokens // SAMPLES_A_ROW] * SAMPLES_A_ROW
    needed = batch_flops(config, lengths, work.tiles, work.labelled, learning.trained, learning.rank)
    computed = needed.text / tensor + needed.vision + needed.connector + needed.head
    if layout.checkpoint_activations:
        again = batch_flops(config, lengths, work.tiles, 0, frozenset())
        computed += again.text / tensor + again.vision
    peak = cluster.accelerator.peak(torch.bfloat16)
    products = micro_batches * computed / (peak * PRODUCT_EFFICIENCY)
    # read and written: weights and moments; read: gradients
    optimiser = 7 * FP32 * trained / shard / cluster.accelerator.hbm_bandwidth
    step = max(products, beside) + waited + optimiser
    mfu = micro_batches * needed.total / (tensor * peak * step)
    return gathered + reduced + replicated + shared, beside + waited, products, step, mfu


def _trained(config: ModelConfig, counts: Counts, learning: Learning) -> int:
    text = config.text
    total = 0
    if "vision" in learning.trained:
        total += config.vision.num_hidden_layers * counts.vision_layer + counts.vision_root
    if "connector" in learning.trained:
        total += counts.connector
    if "text" in learning.trained and not learning.rank:
        total += text.num_hidden_layers * counts.text_layer + counts.text_root
    return total


def describe(choices: list[Choice], title: str = "") -> "Table":
    """The choices as a table for the terminal. Memory is of the moment of a step that needs most."""
    from rich.table import Table

    fitting = any(choice.fits for choice in choices)
    remedy = "" if fitting else "\nNothing fits: take more or larger GPUs, shorter rows, or low-rank updates."
    table = Table(
        title=title or None,
        caption="GiB and seconds of one GPU and one step, at the moment that needs most memory. shard: ranks among "
        "which weights are divided; copies: of all that; tensor: ranks that share a layer; redo: activations are "
        f"computed again. Assumed: {choices[0].accelerator}, products at {PRODUCT_EFFICIENCY:.0%} of the peak, "
        f"links at {LINK_EFFICIENCY:.0%}, gathering beside computing, {RESERVED_GIB:g} GiB for everything else."
        + remedy,
        caption_justify="left",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for name in ("shard", "copies", "tensor", "redo", "weight", "grads", "optim", "activ", "gather", "work"):
        table.add_column(name, justify="right")
    for name in ("total", "sent", "comm", "step", "MFU", "fits"):
        table.add_column(name, justify="right")
    for choice in choices:
        memory = choice.memory
        parts = [memory.parameters, memory.gradients, memory.moments, memory.activations]
        parts += [memory.gathered, memory.working, memory.total, choice.sent]
        table.add_row(
            *(str(number) for number in (choice.shard, choice.replicas, choice.tensor)),
            "yes" if choice.checkpoint_activations else "no",
            *(f"{part / GIB:.1f}" for part in parts),
            f"{choice.communication_seconds:.2f}",
            f"{choice.step_seconds:.2f}",
            f"{choice.mfu:.0%}",
            "yes" if choice.fits else "no",
            style=None if choice.fits else "dim",
        )
    return table
