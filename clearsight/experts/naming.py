"""What a picture may show, by EfficientNet-Lite2 (ImageNet's thousand classes).

`classes.txt` says what the classes are called, a line each in the network's order: the usual word for such things and
the exact name, as in "bird: toucan", or one name that is both. Names and order are those of ILSVRC 2012
(https://arxiv.org/abs/1409.0575), whose classes are synsets of WordNet 3.0; which usual word stands for which classes
was decided here.

The network was trained on photographs. Of drawings, screens and pages it says little that is true, and mostly with
little confidence, which is why what is unlikely is left unsaid.
"""

from collections import defaultdict
from functools import cache
from pathlib import Path

import torch
from PIL import Image as PILImage
from torch import Tensor

from clearsight import weights
from clearsight.experts import efficientnet

NAMER = "EfficientNet-Lite2"
KIND_FROM = 0.3  # of a usual word's classes together, from which it is said
EXACT_FROM = 0.12  # of a class, from which its name is said
MOST = 3  # things that are said
SQUARE = 1.15  # times as long as wide: beyond it the middle is looked at as well as the whole
GROUND = (255, 255, 255)  # beside and behind what is not square or not opaque


def shown(pixels: PILImage.Image) -> str:
    """What the picture may show, likeliest first: "bird (toucan), cup"; empty where nothing is likely.

    Raises WeightsError when the network can't be had.
    """
    return phrase(probabilities(pixels))


@torch.inference_mode()
def probabilities(pixels: PILImage.Image) -> Tensor:
    """Of the classes: (1000,), the mean over the whole picture and, where it is long, its middle."""
    network = _network()
    return network.classes(network(torch.stack(_views(pixels)).float())).softmax(-1).mean(0)


def phrase(probabilities_C: Tensor) -> str:
    """The words for probabilities (1000,)."""
    known = classes()
    whole: dict[str, float] = defaultdict(float)
    exact: dict[str, list[str]] = defaultdict(list)
    for number in probabilities_C.argsort(descending=True).tolist():
        kind, name = known[number]
        value = float(probabilities_C[number])
        whole[kind] += value
        if value >= EXACT_FROM:
            exact[kind].append(name)
    said = []
    for kind, value in sorted(whole.items(), key=lambda one: -one[1]):
        names = [name for name in exact[kind] if name != kind]
        if value >= KIND_FROM or exact[kind]:
            said.append(f"{kind} ({', '.join(names)})" if names else kind)
    return ", ".join(said[:MOST])


@cache
def classes() -> list[tuple[str, str]]:
    """Usual word and exact name of each class."""
    lines = (Path(__file__).with_name("classes.txt")).read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(": ") for line in lines]
    return [(kind, exact or kind) for kind, _, exact in pairs]


@cache
def _network() -> efficientnet.EfficientNetLite2:
    return efficientnet.load()


def fetch(offline: bool | None = None) -> None:
    """Have the network at hand. Raises WeightsError when it can't be had."""
    weights.fetch(weights.TEACHER, offline=offline)
    _network()


def _views(pixels: PILImage.Image) -> list[Tensor]:
    """The whole in a square, and the middle square of a long one: each (3, 260, 260) uint8."""
    picture = pixels.convert("RGBA")
    picture.thumbnail((2 * efficientnet.SIDE,) * 2, PILImage.Resampling.BICUBIC, reducing_gap=2.0)
    long, short = max(picture.size), min(picture.size)
    views = [efficientnet.square(picture, GROUND)]
    if long > SQUARE * short:
        left = top = (long - short) // 2
        views.append(views[0].crop((left, top, left + short, top + short)))
    return [efficientnet.pixels_of(view) for view in views]
