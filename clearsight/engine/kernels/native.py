"""The native decoder: a whole step of many sequences, all layers, in one call that leaves Python alone.

Shape suffixes: N new tokens, D channels, M rows whose scores are wanted, V vocabulary, O outputs, I inputs, L layers.
"""

import ctypes
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from clearsight.engine.batch import FlatBatch
from clearsight.engine.kernels.build import library
from clearsight.engine.kernels.layout import Precision, interleaved, packed, packed_bytes
from clearsight.engine.kernels.memory import Arena, aligned
from clearsight.engine.kernels.quantise import ChannelStatistics, channel_statistics
from clearsight.models.config import TextConfig
from clearsight.models.text import TextDecoder, TextLayer, rotary_tables
from clearsight.process_memory import give_back_freed_memory

KINDS: dict[Precision, int] = {"float32": 0, "int8": 1, "int4": 2}
CACHE_DTYPES = {"float32": torch.float32, "float16": torch.float16}
MAX_HEAD_DIM = 128
MAX_GROUP = 96


class _Shape(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("hidden", "intermediate", "layers", "heads", "kv_heads")),
        *(
            (name, ctypes.c_int32)
            for name in ("head_dim", "vocabulary", "block_size", "num_blocks", "threads")
        ),
        *((name, ctypes.c_int32) for name in ("weights", "head", "half_cache")),
        ("norm_epsilon", ctypes.c_float),
    )


class _Batch(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("rows", "sequences", "table_width", "wanted")),
        *((name, ctypes.c_void_p) for name in ("embeddings", "positions", "slots", "query_starts")),
        *((name, ctypes.c_void_p) for name in ("context_lens", "block_tables", "wanted_rows")),
    )


class NativeDecoder:
    """A decoder's weights, packed, and its keys and values in blocks.

    `decoder` and `head_VD` may be of any floating dtype and are not kept. With "int8" and "int4" weights the inputs
    of every product are int8 with a scale a row; the head is int8 in both. `consume` takes each layer out of `decoder`
    once it is packed, so that the weights are never there twice. Raises ValueError for a shape or setting the kernels
    don't take and NoCompiler when they can't be built, both before anything is consumed.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        head_VD: Tensor,
        *,
        weights: Precision,
        num_blocks: int,
        block_size: int,
        threads: int,
        kv: Literal["float32", "float16"] = "float16",
        consume: bool = False,
    ):
        config = decoder.config
        _check(config, num_blocks, block_size, threads)
        self.config, self.block_size, self.num_blocks = config, block_size, num_blocks
        self.vocabulary = len(head_VD)
        self._library = library()
        head: Precision = "float32" if weights == "float32" else "int8"
        cache_numbers = 2 * config.num_hidden_layers * num_blocks * block_size * _key_width(config)
        cache_dtype = CACHE_DTYPES[kv]
        self._weights = Arena(_weight_bytes(config, weights, head))
        self._cache = Arena(cache_numbers * cache_dtype.itemsize)
        cache = self._cache.empty(cache_numbers, cache_dtype)
        positions = torch.arange(config.max_position_embeddings)[None]
        self._angles = [table.contiguous() for table in rotary_tables(config, positions, torch.float32)]
        shape = _Shape(
            hidden=config.hidden_size,
            intermediate=config.intermediate_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            vocabulary=self.vocabulary,
            block_size=block_size,
            num_blocks=num_blocks,
            threads=threads,
            weights=KINDS[weights],
            head=KINDS[head],
            half_cache=int(kv == "float16"),
            norm_epsilon=config.rms_norm_eps,
        )
        tensors = [
            self._weights.copy(tensor).data_ptr()
            for tensor in _tensors(decoder, head_VD, weights, head, consume)
        ]
        create = self._library.decoder_create
        create.restype = ctypes.c_void_p
        self._handle = ctypes.c_void_p(
            create(
                ctypes.byref(shape),
                (ctypes.c_void_p * len(tensors))(*tensors),
                *(ctypes.c_void_p(table.data_ptr()) for table in self._angles),
                ctypes.c_void_p(cache.data_ptr()),
            )
        )

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._library.decoder_destroy(handle)

    @property
    def memory_bytes(self) -> int:
        """Weights, and the keys and values of all blocks whether used yet or not."""
        return self._weights.size + self._cache.size

    def forward(self, embeds_ND: Tensor, batch: FlatBatch) -> Tensor:
        """Scores (M, V) float32 of the rows that `batch` wants; writes keys and values of all new tokens.

        embeds_ND float32. Positions of one sequence's new tokens rise; each attends to its sequence up to itself.
        A row's result depends on nothing but its sequence: not on company, pieces or the number of threads.
        Calls from several threads take turns. Raises ValueError for a batch that points outside the cache.
        """
        self._check_batch(embeds_ND, batch)
        scores_MV = torch.empty(len(batch.rows_M), self.vocabulary)
        positions, slots, starts, contexts, tables, rows = (
            tensor.contiguous()
            for tensor in (
                batch.positions_N,
                batch.slots_N,
                batch.query_starts,
                batch.context_lens,
                batch.block_tables,
                batch.rows_M,
            )
        )
        embeds_ND = embeds_ND.contiguous()
        call = _Batch(
            rows=len(embeds_ND),
            sequences=len(contexts),
            table_width=tables.shape[1],
            wanted=len(rows),
            embeddings=embeds_ND.data_ptr(),
            positions=positions.data_ptr(),
            slots=slots.data_ptr(),
            query_starts=starts.data_ptr(),
            context_lens=contexts.data_ptr(),
            block_tables=tables.data_ptr(),
            wanted_rows=rows.data_ptr(),
        )
        self._library.decoder_forward(self._handle, ctypes.byref(call), ctypes.c_void_p(scores_MV.data_ptr()))
        return scores_MV

    def _check_batch(self, embeds_ND: Tensor, batch: FlatBatch) -> None:
        """Everything the kernels use as an address."""
        count, limits = len(embeds_ND), self.num_blocks * self.block_size
        if embeds_ND.shape != (count, self.config.hidden_size) or embeds_ND.dtype != torch.float32:
            raise ValueError(
                f"embeddings must be float32 (N, {self.config.hidden_size}), not {embeds_ND.dtype} "
                f"{tuple(embeds_ND.shape)}"
            )
        parts = vars(batch)
        for name, tensor in parts.items():
            if tensor.dtype != torch.int32 or tensor.device.type != "cpu":
                raise ValueError(f"{name} must be int32 on the CPU, not {tensor.dtype} on {tensor.device}")
        if not count:
            if len(batch.rows_M):
                raise ValueError("a batch without tokens has no scores to give")
            return
        at = {
            name: tensor.numpy() for name, tensor in parts.items()
        }  # small arrays, on which NumPy is much faster
        counts = np.diff(at["query_starts"])
        if not (
            len(at["positions_N"]) == len(at["slots_N"]) == count
            and len(at["query_starts"]) == len(at["context_lens"]) + 1 == len(at["block_tables"]) + 1
            and at["query_starts"][0] == 0
            and at["query_starts"][-1] == count
            and (counts >= 0).all()
        ):
            raise ValueError("the parts of the batch do not fit each other")
        for name, limit in (
            ("positions_N", self.config.max_position_embeddings),
            ("slots_N", limits),
            ("block_tables", self.num_blocks),
            ("rows_M", count),
        ):
            if at[name].size and not (at[name].min() >= 0 and at[name].max() < limit):
                raise ValueError(f"{name} must be in [0, {limit})")
        capacity = at["block_tables"].shape[1] * self.block_size
        longest = np.repeat(at["context_lens"], counts)
        if (at["positions_N"] >= longest).any() or at["context_lens"].max() > capacity:
            raise ValueError("a sequence attends to tokens that its blocks do not hold")


def _check(config: TextConfig, num_blocks: int, block_size: int, threads: int) -> None:
    query_width = config.num_attention_heads * config.head_dim
    for name, value in (
        ("hidden size", config.hidden_size),
        ("intermediate size", config.intermediate_size),
        ("width of all query heads", query_width),
    ):
        if value % 64:
            raise ValueError(f"the native kernels need a {name} that divides by 64, not {value}")
    if config.head_dim not in (32, 64, 96, MAX_HEAD_DIM):
        raise ValueError(f"the native kernels take heads of 32, 64, 96 or 128 numbers, not {config.head_dim}")
    if config.num_attention_heads // config.num_key_value_heads > MAX_GROUP:
        raise ValueError(f"the native kernels take up to {MAX_GROUP} query heads a key-value head")
    if block_size % 8 or not block_size >= 8:
        raise ValueError(f"a block must hold a multiple of 8 tokens, not {block_size}")
    if num_blocks < 1 or threads < 1:
        raise ValueError(f"{num_blocks} blocks and {threads} threads can't work; give at least one of each")


def _key_width(config: TextConfig) -> int:
    return config.num_key_value_heads * config.head_dim


def _matrices(config: TextConfig) -> list[tuple[int, int]]:
    """Outputs and inputs of the four matrices of a layer."""
    query_width = config.num_attention_heads * config.head_dim
    return [
        (query_width + 2 * _key_width(config), config.hidden_size),
        (config.hidden_size, query_width),
        (2 * config.intermediate_size, config.hidden_size),
        (config.hidden_size, config.intermediate_size),
    ]


def _weight_bytes(config: TextConfig, weights: Precision, head: Precision) -> int:
    def matrix_bytes(outputs: int, inputs: int, precision: Precision) -> int:
        scales = 4 * (outputs + -outputs % 32)
        return aligned(packed_bytes(outputs, inputs, precision)) + aligned(scales)

    norm = aligned(4 * config.hidden_size)
    layer = sum(matrix_bytes(*shape, weights) for shape in _matrices(config)) + 2 * norm
    return config.num_hidden_layers * layer + norm + matrix_bytes(config.vocab_size, config.hidden_size, head)


@torch.inference_mode()
def _tensors(
    decoder: TextDecoder, head_VD: Tensor, weights: Precision, head: Precision, consume: bool
) -> Iterator[Tensor]:
    """All tensors in the order in which the kernels take them."""
    statistics = channel_statistics(decoder) if weights != "float32" else {}
    for number in range(len(decoder.layers)):
        layer = decoder.layers[number]
        assert isinstance(layer, TextLayer)
        of_layer = {
            name: statistics.get(f"layers.{number}.{name}")
            for name in ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj")
        }
        yield from _layer_tensors(layer, weights, of_layer)
        if consume:
            decoder.layers[number] = nn.Identity()
            del layer
            give_back_freed_memory()
    norm_D, (head_VD,), _ = _evened(decoder.norm.weight, statistics.get("head"), head_VD)
    yield norm_D
    yield from packed(head_VD, head)


def _layer_tensors(
    layer: TextLayer, weights: Precision, statistics: dict[str, ChannelStatistics | None]
) -> Iterator[Tensor]:
    attention, mlp = layer.self_attn, layer.mlp
    norm_D, qkv, importance_D = _evened(
        layer.input_layernorm.weight,
        statistics["self_attn.q_proj"],
        *(attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight),
    )
    yield norm_D
    yield from packed(torch.cat(qkv), weights, importance_D)
    of_output = statistics["self_attn.o_proj"]
    yield from packed(attention.o_proj.weight, weights, of_output.power_I if of_output else None)
    norm_D, (gate, up), importance_D = _evened(
        layer.post_attention_layernorm.weight,
        statistics["mlp.gate_proj"],
        *(mlp.gate_proj.weight, mlp.up_proj.weight),
    )
    # what `up` gives is linear in its outputs' weights, so these can take the factors of the inputs of `down`
    factors_O, (down,), importance_O = _evened(
        torch.ones(len(up)), statistics["mlp.down_proj"], mlp.down_proj.weight
    )
    yield norm_D
    yield from packed(interleaved(gate, up * factors_O[:, None]), weights, importance_D)
    yield from packed(down, weights, importance_O)


def _evened(
    source_I: Tensor, statistics: ChannelStatistics | None, *weights_OI: Tensor
) -> tuple[Tensor, list[Tensor], Tensor | None]:
    """What scales the inputs, divided by the evening factors; the weights times them; and the inputs' mean square.

    All as they are where there are no statistics.
    """
    source_I, matrices = source_I.float(), [weight.float() for weight in weights_OI]
    if statistics is None:
        return source_I, matrices, None
    factors_I = statistics.evening_factors(*matrices)
    return (
        source_I / factors_I,
        [weight * factors_I for weight in matrices],
        statistics.power_I / factors_I.square(),
    )
