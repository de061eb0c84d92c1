"""A number that changes with any one bit of a tensor: the sum of its bytes taken as 64-bit words.

Addition modulo 2^64 does not depend on order, so a device may add in whatever order is fastest and the number is still
the same on every run, device and rank. One flipped bit changes it by a power of two and is always seen. Two that stand
at the same place of two words and flip opposite ways cancel each other, and rearranged words are not seen either: this
is a check of hardware, not of identity.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from clearsight.training.parallel import local

WORD = 8  # bytes


def bit_checksum(tensor: Tensor) -> Tensor:
    """Sum of the bits of this rank's part of `tensor`, any dtype and shape: a scalar, int64, on its device."""
    flat = local(tensor.detach()).contiguous().flatten()
    if flat.storage_offset() * flat.element_size() % WORD:
        flat = flat.clone()  # words begin where memory does, or the same values would give two sums
    octets = flat.view(torch.uint8)
    rest = octets.numel() % WORD
    if not rest:
        return octets.view(torch.int64).sum()
    return octets[:-rest].view(torch.int64).sum() + octets[-rest:].sum(dtype=torch.int64)


def bit_checksums(tensors: Iterable[Tensor]) -> Tensor:
    """The checksum of each tensor: (n,) int64, all on the device of the first, so that they are compared at once."""
    sums = [bit_checksum(tensor) for tensor in tensors]
    return (
        torch.stack([value.to(sums[0].device) for value in sums])
        if sums
        else torch.zeros(0, dtype=torch.int64)
    )
