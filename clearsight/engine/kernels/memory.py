"""One region of memory for everything the kernels read, in huge pages where the system has them.

Pages are taken when they are first written, so a large cache costs what is used of it, and start as zeros.
"""

import mmap

import torch
from torch import Tensor

ALIGNMENT = 64


class Arena:
    """Hands out aligned tensors, one after another, that live as long as it does."""

    def __init__(self, size: int):
        self.size = max(size, ALIGNMENT)
        self._map = mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE)
        self._bytes = torch.frombuffer(self._map, dtype=torch.uint8)
        self._used = 0

    def empty(self, count: int, dtype: torch.dtype) -> Tensor:
        """Zeros (count,)."""
        start, size = self._used, count * dtype.itemsize
        assert start + size <= self.size, "the arena was measured too small"
        self._used += aligned(size)
        return self._bytes[start : start + size].view(dtype)

    def copy(self, values: Tensor) -> Tensor:
        """The same values, flat, in here."""
        return self.empty(values.numel(), values.dtype).copy_(values.flatten())


def aligned(size: int) -> int:
    """The size that `size` bytes take up."""
    return size + -size % ALIGNMENT
