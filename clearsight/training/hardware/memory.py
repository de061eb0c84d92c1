"""Does memory keep what is written to it, and how fast is it copied?

All of the size is written before any of it is read again, so that cells must hold their content for a while and
caches can't answer for them. Patterns: walking ones (each word holds a single one; over the passes and rounds it walks
through the word), each cell its own address and the complement (lines that are stuck or tied together read another
cell's), and random bits and their complement (every cell holds both values, among random neighbours).

A program sees memory through address translation, error correction and caches. A cell that is corrected is none that
is reported here; the vendor's counters tell of those (see `vendor`).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from clearsight.training.checksums import bit_checksum
from clearsight.training.hardware.report import Finding, Progress, stopwatch

WORD = 8  # bytes
SPARE_CHUNKS = (
    6  # beside what is tested: the pattern and what it is made of, what is expected, what comparing needs
)
CHUNKS = 32  # that the size is divided into, at least
CPU_BYTES = 2**28  # of a CPU's memory that are tested when no size is given
SHARES = {"cpu": 0.25, "cuda": 0.9}  # of what is free, at most
STRIDE = 8  # places that a one walks between two passes


@dataclass(frozen=True)
class Pattern:
    """Word i of chunk n holds tile[i] ^ (n * step)."""

    name: str
    tile: Tensor  # int64
    step: int = 0


def free_bytes(device: torch.device) -> int:
    """Memory that can be had without pushing anything out; 2 GiB where the system doesn't tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 2**31


def size_to_test(device: torch.device) -> int:
    """Bytes that are tested when no size is given."""
    size = int(free_bytes(device) * SHARES.get(device.type, SHARES["cpu"]))
    return size if device.type == "cuda" else min(size, CPU_BYTES)


def cells(device: torch.device, size: int, number: int, progress: Progress) -> Finding:
    """Write and read back all patterns over `size` bytes. `number` is the round's: ones stand elsewhere in each."""
    words = 2**27 if device.type == "cuda" else 2**22
    while words > 2**10 and words * WORD * CHUNKS > size:
        words //= 2
    count = max(1, size // (words * WORD) - SPARE_CHUNKS)
    wrong: list[str] = []
    with stopwatch() as watch:
        chunks = [torch.empty(words, dtype=torch.int64, device=device) for _ in range(count)]
        expected = torch.empty_like(chunks[0])
        passes = 64 // STRIDE + 4
        for done, pattern in enumerate(_patterns(words, number, device)):
            for place, chunk in enumerate(chunks):
                torch.bitwise_xor(pattern.tile, place * pattern.step, out=chunk)
            for place, chunk in enumerate(chunks):
                torch.bitwise_xor(pattern.tile, place * pattern.step, out=expected)
                if not torch.equal(chunk, expected):
                    wrong.append(_described(pattern, chunk, expected, place * words * WORD))
            progress("memory", (done + 1) / passes)
    tested = count * words * WORD
    sentence = f"{tested / 2**20:,.0f} MiB kept {passes} patterns" if not wrong else "; ".join(wrong[:3])
    return Finding(
        "memory cells", not wrong, float(len(wrong)), 0.0, "chunks with wrong bits", sentence, watch.seconds
    )


def _patterns(words: int, number: int, device: torch.device) -> Iterator[Pattern]:
    index = torch.arange(words, dtype=torch.int64, device=device)
    for walked in range(0, 64, STRIDE):
        ones = torch.ones_like(index) << ((index + walked + number) % 64)
        yield Pattern("walking ones", ones)
    yield Pattern("address", index, step=words)  # `words` is a power of two: the sum of both is their xor
    yield Pattern("complement of the address", ~index, step=words)
    draw = torch.Generator().manual_seed(number)
    low, high = torch.iinfo(torch.int64).min, torch.iinfo(torch.int64).max
    bits = torch.randint(low, high, (words,), generator=draw).to(device)
    odd = 0x9E3779B97F4A7  # spreads the number of a chunk over its words' bits
    yield Pattern("random bits", bits, step=odd)
    yield Pattern("complement of random bits", ~bits, step=odd)


def _described(pattern: Pattern, chunk: Tensor, expected: Tensor, start: int) -> str:
    places = (chunk != expected).nonzero()[:, 0]
    if not len(places):
        return f"{pattern.name}: words read wrongly once and rightly when read again"
    first = int(places[0])
    flipped = int(chunk[first] ^ expected[first]) & (2**64 - 1)
    return (
        f"{pattern.name}: {len(places)} wrong words, the first {start + first * WORD:#x} bytes behind the start, "
        f"with the bits {flipped:#x} flipped"
    )


def bandwidths(device: torch.device, size: int = 2**27) -> list[Finding]:
    """Copies of `size` bytes, timed at their best, with what arrived compared; each byte counts once."""
    source = torch.randint(0, 256, (size,), dtype=torch.uint8, generator=torch.Generator().manual_seed(size))
    if device.type == "cpu":
        return [_copied("copy within memory", source, torch.empty_like(source), device)]
    pinned = source.pin_memory() if device.type == "cuda" else source
    there, also_there = torch.empty_like(source, device=device), torch.empty_like(source, device=device)
    return [
        _copied("copy within memory", source, torch.empty_like(source), device),
        _copied("copy to the device", pinned, there, device),
        _copied("copy on the device", there, also_there, device),
        _copied("copy from the device", also_there, torch.empty_like(pinned), device),
    ]


def _copied(check: str, source: Tensor, target: Tensor, device: torch.device, times: int = 5) -> Finding:
    best = float("inf")
    with stopwatch() as watch:
        for _ in range(times):
            target.zero_()
            _wait(device)
            began = time.perf_counter()
            target.copy_(source)
            _wait(device)
            best = min(best, time.perf_counter() - began)
        same = int(bit_checksum(source)) == int(bit_checksum(target))
    rate = source.numel() / best / 1e9
    sentence = f"{rate:.1f} GB/s" if same else "what arrived is not what was sent"
    return Finding(check, same, rate, None, "GB/s", sentence, watch.seconds)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
