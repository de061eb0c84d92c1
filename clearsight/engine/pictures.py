"""Pictures on their way into prompts: names that nobody can choose, and features that are computed once.

A picture's name is a SHA-256 over everything that decides its features: the tenant, the model and its preprocessing,
the picture's content hash (bytes, or mode, size and pixels) and how it is cut. Features of the same name are reused,
least recently used ones go first, and their shape is compared on every hit.

Shape suffixes: N tiles, C channels, S pixels a side, I image tokens a tile, D decoder channels.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from torch import Tensor

from clearsight.conversation import Image
from clearsight.engine.blocks import PictureSpan
from clearsight.processing.images import from_conversation_image
from clearsight.processing.processor import Processor
from clearsight.processing.tiles import TilePlan, cut


def picture_name(image: Image, plan: TilePlan, domain: bytes) -> bytes:
    """The name of a picture's features; `domain` as for blocks."""
    shape = f"{plan.rows}x{plan.cols}:{plan.num_tiles}:{plan.num_image_tokens}"
    content = f"{shape}\0{image.sha256}".encode()
    return hashlib.sha256(b"clearsight:picture:1\0" + hashlib.sha256(domain).digest() + content).digest()


@dataclass(eq=False)
class Picture:
    """One picture of one prompt: where its tokens stand, and how far its features are. Equal to itself alone."""

    image: Image
    plan: TilePlan
    span: PictureSpan
    runs: tuple[tuple[int, int], ...]  # start and length of each run of image tokens, in order
    tiles_NCSS: Tensor | None = None  # uint8, until they are encoded
    features_NID: Tensor | None = None
    parts: list[Tensor] = field(default_factory=list)  # features of the first tiles, until all are there

    @property
    def tiles_left(self) -> int:
        """Tiles that are still to be encoded."""
        if self.features_NID is not None:
            return 0
        return self.plan.num_tiles - sum(len(part) for part in self.parts)

    def cut_tiles(self, processor: Processor) -> Tensor:
        """The tiles, decoded now unless they were before. Raises ImageError for a picture that can't be used."""
        if self.tiles_NCSS is None:
            picture = from_conversation_image(self.image, max_pixels=processor.max_pixels)
            self.tiles_NCSS = cut(picture, self.plan)
        return self.tiles_NCSS


class FeatureCache:
    """Features by name, the least recently used ones dropped when they come to more than `max_bytes`."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.bytes = 0
        self.hits = self.misses = 0
        self._features: OrderedDict[bytes, Tensor] = OrderedDict()

    def get(self, name: bytes, shape: tuple[int, ...]) -> Tensor | None:
        """Features of this name, if they have this shape."""
        found = self._features.get(name)
        if found is None or tuple(found.shape) != shape:
            self.misses += 1
            return None
        self.hits += 1
        self._features.move_to_end(name)
        return found

    def put(self, name: bytes, features_NID: Tensor) -> None:
        """Keep features; those larger than the whole cache are not kept."""
        size = features_NID.nbytes
        if name in self._features or size > self.max_bytes:
            return
        self._features[name] = features_NID
        self.bytes += size
        while self.bytes > self.max_bytes:
            _, dropped = self._features.popitem(last=False)
            self.bytes -= dropped.nbytes

    def clear(self) -> None:
        self._features.clear()
        self.bytes = 0

    def __contains__(self, name: bytes) -> bool:
        return name in self._features

    def __len__(self) -> int:
        return len(self._features)
