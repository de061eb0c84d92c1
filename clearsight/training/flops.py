"""How much arithmetic a step of training needs, and how much the processor could do: the two halves of MFU.

Counted are the products of matrices that the model's definition asks for, forward and backward: two operations for a
multiplication with its addition, and for causal attention only pairs of tokens that may see each other. What a
particular program computes beyond that (masked halves of attention, recomputed activations, padding) is no use to
the model and does not count, so that MFU (https://arxiv.org/abs/2204.02311, appendix B) can't be raised by waste.

Left out: norms, activation functions, rotations and the optimiser, together about one per cent.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch

from clearsight.models.config import ModelConfig
from clearsight.training import hardware_catalog

ALL_PARTS = frozenset({"vision", "connector", "text"})
MEASURED_SECONDS = 0.3
MEASURED_SIDE = 1024  # of square matrices: large enough that a core is busy, small enough for its cache


@dataclass(frozen=True)
class Flops:
    """Operations of each part; the head is the product with the vocabulary, `text` the decoder below it."""

    vision: int
    connector: int
    text: int
    head: int

    @property
    def total(self) -> int:
        return self.vision + self.connector + self.text + self.head


def batch_flops(
    config: ModelConfig,
    segment_lengths: Sequence[int],
    tiles: int,
    labelled: int,
    trained: frozenset[str] = ALL_PARTS,
    rank: int = 0,
) -> Flops:
    """What a packed batch needs, forward and backward; with nothing in `trained`, forward alone.

    `segment_lengths` are the tokens of each sample, image placeholders included and padding left out; `labelled`
    counts the tokens that are learned, as only these meet the vocabulary, and the last layer behind its attention.
    `trained` names parts of vision, connector and text (embedding, decoder, head). A frozen part needs no gradient of
    its weights, and none of its inputs unless something below it is trained. With `rank` above 0 the decoder's layers
    learn low-rank updates, and embedding and head are frozen.
    """
    rank = rank if "text" in trained else 0
    below = bool(trained & {"vision", "connector"})
    return Flops(
        _vision(config, tiles, "vision" in trained),
        _connector(config, tiles, trained),
        _text(config, segment_lengths, labelled, "text" in trained, below, rank),
        _product(
            labelled,
            config.text.hidden_size,
            config.text.vocab_size,
            weight="text" in trained and not rank,
            inputs=bool(trained),
        ),
    )


def _product(rows: int, width: int, height: int, *, weight: bool, inputs: bool, rank: int = 0) -> int:
    """`rows` vectors through a matrix, and the gradients that are wanted of the matrix and of its inputs.

    With `rank`, an update of the matrix is learned in its place: in and out again, their gradients, and the gradient
    between them.
    """
    update = 2 * rows * rank * (width + height)
    return (
        2 * rows * width * height * (1 + weight + inputs)
        + 2 * update
        + 2 * rows * rank * (height + width * inputs)
    )


def _vision(config: ModelConfig, tiles: int, trained: bool) -> int:
    vision = config.vision
    width, patches = vision.hidden_size, vision.num_patches
    rows = tiles * patches
    pixels = vision.num_channels * vision.patch_size**2
    layer = 4 * _product(rows, width, width, weight=trained, inputs=trained)
    layer += 2 * _product(rows, width, vision.intermediate_size, weight=trained, inputs=trained)
    layer += _attention(tiles * patches**2, width, trained)
    return _product(rows, pixels, width, weight=trained, inputs=False) + vision.num_hidden_layers * layer


def _connector(config: ModelConfig, tiles: int, trained: frozenset[str]) -> int:
    folded = config.vision.hidden_size * config.scale_factor**2
    rows = tiles * config.tokens_per_tile
    return _product(
        rows,
        folded,
        config.text.hidden_size,
        weight="connector" in trained,
        inputs="vision" in trained,
    )


def _text(
    config: ModelConfig, segment_lengths: Sequence[int], labelled: int, trained: bool, below: bool, rank: int
) -> int:
    text = config.text
    width, inner = text.hidden_size, text.intermediate_size
    queries, keys = text.num_attention_heads * text.head_dim, text.num_key_value_heads * text.head_dim
    tokens, layers = sum(segment_lengths), text.num_hidden_layers
    pairs = sum(length * (length + 1) // 2 for length in segment_lengths)
    backward = trained or below

    def products(rows: int, shapes: Sequence[tuple[int, int]], inputs: bool) -> int:
        return sum(
            _product(rows, *shape, weight=trained and not rank, inputs=inputs, rank=rank) for shape in shapes
        )

    into_attention = [(width, queries), (width, keys), (width, keys)]
    rest = [(queries, width), (width, inner), (width, inner), (inner, width)]
    embedding_learns = trained and not rank
    first_inputs = below or embedding_learns  # else nothing below the first layer asks for a gradient
    total = layers * _attention(pairs, queries, backward)
    total += products(tokens, into_attention, first_inputs)
    total += (layers - 1) * products(tokens, into_attention, backward)
    return total + products((layers - 1) * tokens + labelled, rest, backward)


def _attention(pairs: int, width: int, backward: bool) -> int:
    """Scores and their product with values; backward the gradients of queries, keys, scores and values."""
    return 2 * 2 * pairs * width * (3 if backward else 1)


def peak_flops(device: torch.device | str, dtype: torch.dtype) -> float | None:
    """FLOP/s that the device could do at most in this dtype: the 100% of MFU. None for an accelerator not known.

    Accelerators are looked up in `hardware_catalog`. A processor's peak depends on its clocks, vector units and
    neighbours, so it is measured once by a product of matrices: MFU on a CPU is against that measured peak, and says
    how far training is from bare products, not from a data sheet.
    """
    device = torch.device(device)
    if device.type == "cuda":
        entry = hardware_catalog.find(torch.cuda.get_device_name(device))
        return None if entry is None else entry.peak(dtype)
    return _measured_peak(dtype, torch.get_num_threads()) if device.type == "cpu" else None


@cache
def _measured_peak(dtype: torch.dtype, threads: int) -> float:
    """The fastest of products of square matrices within `MEASURED_SECONDS`; `threads` only tells measurements apart."""
    left, right = torch.randn(2, MEASURED_SIDE, MEASURED_SIDE).to(dtype)
    fastest, end = float("inf"), time.perf_counter() + MEASURED_SECONDS
    while (start := time.perf_counter()) < end or fastest == float("inf"):
        torch.mm(left, right)
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * MEASURED_SIDE**3 / fastest
