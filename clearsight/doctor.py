"""What a new user would have to check by hand: versions, cores, memory, disk, weights."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass

import torch

from clearsight import __version__, mini, weights
from clearsight.experts import naming, reading
from clearsight.models.precision import native_dtype

LEAST_MEMORY = 3 * 2**30  # bytes: the bundled model stays below it
LEAST_DISK = 2**29  # bytes: the base weights, twice while they are fetched


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, and what it is or what to do."""

    what: str
    ok: bool
    says: str


def examine() -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    return [_versions(), _processor(), _memory(), _accelerator(), _cache(), *_weights(), _parts(), _experts()]


def _versions() -> Finding:
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    python, system = platform.python_version(), platform.platform(terse=True)
    says = f"clearsight {__version__}, Python {python}, torch {torch.__version__}, {system}"
    return Finding("versions", ok, says if ok else f"{says}; Python 3.11 to 3.13 is needed")


def _processor() -> Finding:
    dtype = str(native_dtype()).removeprefix("torch.")
    return Finding(
        "processor", True, f"{os.cpu_count()} cores, {torch.get_num_threads()} used, computing in {dtype}"
    )


def _memory() -> Finding:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Finding("memory", True, "not known on this system; the bundled model needs 3 GB")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    ok = total >= LEAST_MEMORY
    return Finding(
        "memory", ok, f"{total / 2**30:.1f} GiB" + ("" if ok else "; the bundled model needs 3 GB")
    )


def _accelerator() -> Finding:
    if torch.cuda.is_available():
        return Finding("accelerator", True, f"{torch.cuda.get_device_name()}, not used by these commands yet")
    return Finding("accelerator", True, "none, and none is needed")


def _cache() -> Finding:
    folder = weights.cache_folder()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    ok = writable and free >= LEAST_DISK
    says = f"{folder}, {free / 2**30:.1f} GiB free"
    if not writable:
        says += "; it can't be written: name another folder in CLEARSIGHT_CACHE"
    elif not ok:
        says += "; make room for 0.5 GiB or name another folder in CLEARSIGHT_CACHE"
    return Finding("cache", ok, says)


def _weights() -> list[Finding]:
    try:
        path = weights.verify(weights.BASE_DECODER)
    except weights.WeightsError as error:
        return [Finding("base weights", False, str(error))]
    return [Finding("base weights", True, f"{path}, checked against their hash")]


def _parts() -> Finding:
    file = mini.bundled_folder() / mini.PARTS
    if not file.is_file():
        return Finding("trained parts", False, f"{file} is missing; reinstall clearsight")
    return Finding("trained parts", True, f"{file}, {file.stat().st_size / 2**20:.1f} MiB")


def _experts() -> Finding:
    """Without them the model answers all the same, so that nothing here is wrong."""
    reads = f"{reading.READER} reads" if reading.can_read() else "none reads: pip install 'clearsight[ocr]'"
    try:
        weights.verify(weights.TEACHER)
        names = f"{naming.NAMER} names what is shown"
    except weights.WeightsError as error:
        names = f"none names what is shown: {error}"
    return Finding("experts", True, f"{reads}; {names}")
