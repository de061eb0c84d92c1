"""Blocks of keys and values: who holds them, and which of them hold a beginning that is known.

The cache of keys and values is cut into blocks of equal size (PagedAttention, https://arxiv.org/abs/2309.06180). A full
block gets a name, the hash of everything up to its end; a later sequence that begins alike takes the block instead of
computing it again. A block that nobody holds keeps its name until its place is needed, the longest unused first.
"""

import hashlib
import struct
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

BlockName = bytes
"""SHA-256 of all tokens up to a block's end, pictures by their content."""


@dataclass(frozen=True)
class PictureSpan:
    """Image tokens `start` to `start + length` of a prompt, and the name of what they show."""

    start: int
    length: int
    name: bytes


def root_name(domain: bytes) -> BlockName:
    """What the names of a sequence's blocks start from; `domain` holds what must never be shared: tenant and model."""
    return hashlib.sha256(b"clearsight:block:1\0" + domain).digest()


def next_name(
    parent: BlockName, tokens: Sequence[int], start: int, pictures: Sequence[PictureSpan]
) -> BlockName:
    """Name of the full block of `tokens` that begins at `start` and follows the block named `parent`.

    All image tokens have one id, so what a block shows is part of its name: which picture, and which of its tokens.
    """
    end = start + len(tokens)
    digest = hashlib.sha256(parent + struct.pack(f"<{len(tokens)}q", *tokens))
    for picture in pictures:
        if picture.start < end and picture.start + picture.length > start:
            digest.update(struct.pack("<q", start - picture.start) + picture.name)
    return digest.digest()


class BlockPool:
    """Counts the holders of every block and finds blocks by name. Holds no keys or values itself."""

    def __init__(self, num_blocks: int, block_size: int):
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._holders = [0] * num_blocks
        self._name_of: list[BlockName | None] = [None] * num_blocks
        self._block_of: dict[BlockName, int] = {}
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys(range(num_blocks))  # longest unused first

    @property
    def num_free(self) -> int:
        """Blocks that nobody holds, known ones included."""
        return len(self._free)

    @property
    def num_known(self) -> int:
        """Blocks that a sequence with the same beginning could take."""
        return len(self._block_of)

    def is_free(self, block: int) -> bool:
        """Whether nobody holds it."""
        return block in self._free

    def known(self, names: Sequence[BlockName]) -> list[int]:
        """Blocks of the longest known beginning of `names`; nobody holds them for it yet."""
        found = []
        for name in names:
            block = self._block_of.get(name)
            if block is None:
                break
            found.append(block)
        return found

    def hold(self, block: int) -> None:
        """One more sequence uses this block."""
        if not self._holders[block]:
            del self._free[block]
        self._holders[block] += 1

    def take(self) -> int | None:
        """A block to write into, held once; None when every block is held."""
        if not self._free:
            return None
        block, _ = self._free.popitem(last=False)
        self._forget(block)
        self._holders[block] = 1
        return block

    def release(self, blocks: Sequence[int]) -> None:
        """A sequence no longer uses these blocks. Its last ones lose their place first: beginnings are worth more."""
        for block in reversed(blocks):
            assert self._holders[block] > 0, f"block {block} is released more often than it was held"
            self._holders[block] -= 1
            if not self._holders[block]:
                self._free[block] = None
                if self._name_of[block] is None:
                    self._free.move_to_end(block, last=False)

    def publish(self, block: int, name: BlockName) -> None:
        """The block is full and holds what `name` stands for. Of two alike, the first keeps the name."""
        if self._name_of[block] is None and name not in self._block_of:
            self._name_of[block] = name
            self._block_of[name] = block

    def forget_all(self) -> None:
        """No block is known any more, for instance because weights changed; holders keep theirs."""
        for block in list(self._block_of.values()):
            self._forget(block)

    def check(self) -> None:
        """Raises AssertionError when the books do not balance; for tests."""
        for block, holders in enumerate(self._holders):
            assert holders >= 0
            assert (holders == 0) == (block in self._free), f"block {block}: {holders} holders"
        for name, block in self._block_of.items():
            assert self._name_of[block] == name
        assert sum(name is not None for name in self._name_of) == len(self._block_of)

    def _forget(self, block: int) -> None:
        name = self._name_of[block]
        if name is not None:
            del self._block_of[name]
            self._name_of[block] = None
