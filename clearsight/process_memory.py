"""The memory of this process: its peak, and what the C library does with what was freed.

glibc gives large blocks back to the kernel and asks for them again, and the kernel clears every page anew: for a small
model in training that is a tenth of a step (docs/LOG.md). Where much is freed once, as after loading, it keeps it
instead. Accelerators have PyTorch's caching allocator. Other C libraries are left alone.
"""

import ctypes
import platform
import sys
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h


def peak_memory() -> int:
    """The most bytes this process ever held; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # rusage begins with the size of the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def keep_freed_memory() -> bool:
    """From now on this process gives no memory back before it ends; returns whether that could be asked for.

    The process stays as large as its largest moment.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, -1))


def give_back_freed_memory() -> bool:
    """Give back what is free now; returns whether there was anything that could be."""
    if platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).malloc_trim(0))
