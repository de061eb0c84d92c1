"""The native vision tower and connector: tiles to image tokens in one call that leaves Python alone.

Shape suffixes: N tiles, C channels, S pixels a side, I image tokens a tile, D decoder channels, O outputs, P patches.
"""

import ctypes
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from clearsight.engine.kernels.build import library
from clearsight.engine.kernels.layout import PANEL, Precision, packed, packed_bytes
from clearsight.engine.kernels.memory import Arena, aligned
from clearsight.engine.kernels.native import KINDS, MAX_HEAD_DIM
from clearsight.models.config import VisionConfig
from clearsight.models.connector import Connector
from clearsight.models.vision import VisionLayer, VisionTower


class _Shape(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("hidden", "intermediate", "layers", "heads", "head_dim")),
        *(
            (name, ctypes.c_int32)
            for name in ("side", "patch_size", "channels", "scale_factor", "token_width")
        ),
        *((name, ctypes.c_int32) for name in ("threads", "weights")),
        ("norm_epsilon", ctypes.c_float),
    )


class NativeVision:
    """A vision tower's and a connector's weights, packed.

    With "int8" weights the inputs of every product are int8 with a scale a row, except that pixels are float32.
    The modules may be of any floating dtype and are not kept. Raises ValueError for a shape the kernels don't take,
    NoCompiler when they can't be built.
    """

    def __init__(
        self,
        tower: VisionTower,
        connector: Connector,
        *,
        weights: Literal["float32", "int8"],
        threads: int,
    ):
        config = tower.config
        self.config = config
        self.token_width = connector.modality_projection.proj.out_features
        self.tokens_per_tile = config.num_patches // connector.scale_factor**2
        _check(config, self.token_width, threads)
        self._library = library()
        self._weights = Arena(_weight_bytes(tower, connector, weights))
        shape = _Shape(
            hidden=config.hidden_size,
            intermediate=config.intermediate_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            head_dim=config.hidden_size // config.num_attention_heads,
            side=config.patches_per_side,
            patch_size=config.patch_size,
            channels=config.num_channels,
            scale_factor=connector.scale_factor,
            token_width=self.token_width,
            threads=threads,
            weights=KINDS[weights],
            norm_epsilon=config.layer_norm_eps,
        )
        tensors = [self._weights.copy(tensor).data_ptr() for tensor in _tensors(tower, connector, weights)]
        create = self._library.vision_create
        create.restype = ctypes.c_void_p
        self._handle = ctypes.c_void_p(
            create(ctypes.byref(shape), (ctypes.c_void_p * len(tensors))(*tensors))
        )

    def __del__(self) -> None:
        if handle := getattr(self, "_handle", None):
            self._library.vision_destroy(handle)

    @property
    def memory_bytes(self) -> int:
        """Weights."""
        return self._weights.size

    def __call__(self, tiles_NCSS: Tensor) -> Tensor:
        """Tiles normalised to [-1, 1] -> image tokens (N, I, D) float32.

        A tile's result depends on nothing but the tile. Calls from several threads take turns. Raises ValueError for
        tiles of another size.
        """
        size = self.config.image_size
        if tiles_NCSS.shape[1:] != (self.config.num_channels, size, size):
            raise ValueError(f"the vision tower takes {size}x{size} tiles, not {tuple(tiles_NCSS.shape)}")
        tiles_NCSS = tiles_NCSS.float().contiguous()
        tokens_NID = torch.empty(len(tiles_NCSS), self.tokens_per_tile, self.token_width)
        pointers = (ctypes.c_void_p(tensor.data_ptr()) for tensor in (tiles_NCSS, tokens_NID))
        self._library.vision_encode(self._handle, len(tiles_NCSS), *pointers)
        return tokens_NID


def _check(config: VisionConfig, token_width: int, threads: int) -> None:
    for name, value, factor in (
        ("hidden size", config.hidden_size, 64),
        ("intermediate size", config.intermediate_size, 64),
        ("width of image tokens", token_width, PANEL),
    ):
        if value % factor:
            raise ValueError(f"the native vision tower needs a {name} that divides by {factor}, not {value}")
    head_dim = config.hidden_size / config.num_attention_heads
    if head_dim not in (32, 64, 96, MAX_HEAD_DIM):
        raise ValueError(
            f"the native vision tower takes heads of 32, 64, 96 or 128 numbers, not {head_dim:g}"
        )
    if config.image_size % config.patch_size:
        raise ValueError(f"a tile of {config.image_size} pixels is not whole patches of {config.patch_size}")
    if threads < 1:
        raise ValueError(f"{threads} threads can't work; give at least one")


def _weight_bytes(tower: VisionTower, connector: Connector, weights: Precision) -> int:
    """Size of everything `_tensors` yields."""
    config = tower.config
    hidden, intermediate = config.hidden_size, config.intermediate_size

    def matrix_bytes(outputs: int, inputs: int, precision: Precision, biases: int = 1) -> int:
        return aligned(packed_bytes(outputs, inputs, precision)) + (1 + biases) * aligned(4 * outputs)

    norm = 2 * aligned(4 * hidden)
    layer = 2 * norm + sum(
        matrix_bytes(*shape, weights)
        for shape in ((3 * hidden, hidden), (hidden, hidden), (intermediate, hidden), (hidden, intermediate))
    )
    return (
        matrix_bytes(hidden, _patch_inputs(config), "float32", biases=0)
        + aligned(4 * config.num_patches * hidden)
        + config.num_hidden_layers * layer
        + norm
        + matrix_bytes(
            connector.modality_projection.proj.out_features,
            connector.modality_projection.proj.in_features,
            weights,
            biases=0,
        )
    )


def _patch_inputs(config: VisionConfig) -> int:
    """Numbers of a patch, filled up to a multiple of 32."""
    numbers = config.num_channels * config.patch_size**2
    return numbers + -numbers % PANEL


@torch.inference_mode()
def _tensors(tower: VisionTower, connector: Connector, weights: Precision) -> Iterator[Tensor]:
    """All tensors in the order in which the kernels take them."""
    patch = tower.embeddings.patch_embedding
    flat_OP = patch.weight.float().flatten(1)
    flat_OP = nn.functional.pad(flat_OP, (0, _patch_inputs(tower.config) - flat_OP.shape[1]))
    yield from packed(flat_OP, "float32")
    assert patch.bias is not None
    yield tower.embeddings.position_embedding.weight.float() + patch.bias.float()
    for layer in tower.encoder.layers:
        assert isinstance(layer, VisionLayer)
        attention, mlp = layer.self_attn, layer.mlp
        yield from _parameters(layer.layer_norm1)
        yield from _biased(weights, attention.q_proj, attention.k_proj, attention.v_proj)
        yield from _biased(weights, attention.out_proj)
        yield from _parameters(layer.layer_norm2)
        yield from _biased(weights, mlp.fc1)
        yield from _biased(weights, mlp.fc2)
    yield from _parameters(tower.post_layernorm)
    yield from packed(connector.modality_projection.proj.weight, weights)


def _parameters(norm: nn.LayerNorm) -> Iterator[Tensor]:
    yield norm.weight.float()
    yield norm.bias.float()


def _biased(weights: Precision, *linears: nn.Linear) -> Iterator[Tensor]:
    """Several layers of the same input as one."""
    yield from packed(torch.cat([linear.weight for linear in linears]), weights)
    yield torch.cat([linear.bias for linear in linears]).float()
