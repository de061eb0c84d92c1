"""Pictures that were decoded lately, so that a conversation that sends its pictures again costs no decoding.

The key is the tenant and the SHA-256 of the bytes as they came: no client chooses it, and no tenant learns from the
speed of an answer what another one has sent.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCache(Generic[T]):
    """Least recently used entries go first once all together have more than `max_bytes`."""

    def __init__(self, max_bytes: int):
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, str], tuple[T, int]] = OrderedDict()
        self.num_bytes = 0

    def get(self, tenant: str, sha256: str) -> T | None:
        """The entry, which becomes the most recent one."""
        entry = self._entries.get((tenant, sha256))
        if entry is None:
            return None
        self._entries.move_to_end((tenant, sha256))
        return entry[0]

    def put(self, tenant: str, sha256: str, value: T, num_bytes: int) -> None:
        """Keep it, unless it alone is larger than everything may be."""
        self._drop((tenant, sha256))
        if num_bytes > self._max_bytes:
            return
        self._entries[tenant, sha256] = (value, num_bytes)
        self.num_bytes += num_bytes
        while self.num_bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def forget(self, tenant: str) -> None:
        """Drop all of a tenant's entries, when its pictures are deleted."""
        for key in [key for key in self._entries if key[0] == tenant]:
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        _, num_bytes = self._entries.pop(key, (None, 0))
        self.num_bytes -= num_bytes

    def __len__(self) -> int:
        return len(self._entries)
