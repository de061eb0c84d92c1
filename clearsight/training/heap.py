"""What a step frees on a processor is kept for the next step, which asks for the same.

glibc gives large blocks back to the kernel and asks for them again, and the kernel clears every page anew: on a small
model that is a tenth of a step (docs/LOG.md). Accelerators have PyTorch's caching allocator for this. The process stays
as large as its largest step. Other C libraries are left alone.
"""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> bool:
    """From now on this process gives no memory back before it ends; returns whether that could be asked for."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, -1))
