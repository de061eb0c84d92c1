"""A small copy of a checkpoint, in files of limited size: for runs on machines that are borrowed for an hour.

    clearsight train pack runs/mini --to home          # at the end of the hour
    clearsight train recipes/... --out runs/mini       # elsewhere, with home/step-... copied into runs/mini/checkpoints

Moments, and averages of the weights, are rounded to bfloat16, where their few bits of precision are enough; weights
only when asked, as small updates would be lost in them. It is a checkpoint like any other, in more and smaller files.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from clearsight.training.checkpoint import (
    FORMAT,
    MANIFEST,
    CheckpointError,
    Parts,
    damage,
    read_manifest,
    sha256_of,
)

MEGABYTE = 1 << 20
HEADER = 64 << 10  # bytes left free in each file for names and offsets


def pack(
    checkpoint: Path, target: Path, *, file_bytes: int = 15 * MEGABYTE, small_weights: bool = False
) -> Path:
    """Write a checkpoint's small copy into a folder of the same name within `target`; returns that folder.

    No file is larger than `file_bytes`. Raises CheckpointError for a damaged checkpoint or a folder that exists.
    """
    wrong = damage(checkpoint)
    if wrong is not None:
        raise CheckpointError(f"{wrong}; pack another checkpoint")
    final = target / checkpoint.name
    if final.exists():
        raise CheckpointError(f"{final} exists; remove it or name another folder")
    if file_bytes < 2 * HEADER:
        raise CheckpointError(f"files of {file_bytes} bytes are too small; give at least {2 * HEADER}")
    staged = target / f".{checkpoint.name}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    manifest, files = read_manifest(checkpoint), {}
    with Parts(checkpoint) as parts:
        tensors = ((key, _smaller(key, parts.whole(key), small_weights)) for key in sorted(parts))
        for number, group in enumerate(_groups(tensors, file_bytes - HEADER)):
            name = f"rank-{number:05d}"
            save_file({key: part.contiguous() for key, part, _, _ in group}, staged / f"{name}.safetensors")
            digest = sha256_of(staged / f"{name}.safetensors")
            index = {key: {"shape": list(shape), "offset": list(offset)} for key, _, shape, offset in group}
            (staged / f"{name}.json").write_text(json.dumps({"sha256": digest, "pieces": index}))
            files[f"{name}.safetensors"] = digest
            files[f"{name}.json"] = sha256_of(staged / f"{name}.json")
    content = {"format": FORMAT, "step": manifest["step"], "files": files, "state": manifest["state"]}
    (staged / MANIFEST).write_text(json.dumps(content))
    os.replace(staged, final)
    return final


def _smaller(key: str, tensor: Tensor, small_weights: bool) -> Tensor:
    keeps = key.startswith("weight/") and not small_weights
    return (
        tensor if keeps or not tensor.dim() or not tensor.is_floating_point() else tensor.to(torch.bfloat16)
    )


Slice = tuple[
    str, Tensor, tuple[int, ...], tuple[int, ...]
]  # key, part, shape of the whole, where the part begins


def _groups(tensors: Iterator[tuple[str, Tensor]], limit: int) -> Iterator[list[Slice]]:
    """Tensors, cut along their first dimension where they must be, in groups of at most `limit` bytes."""
    group: list[Slice] = []
    used = 0
    for key, tensor in tensors:
        shape, start = tuple(tensor.shape), 0
        row = tensor[0].nbytes if tensor.dim() else tensor.nbytes
        if row > limit:
            raise CheckpointError(f"one row of {key} takes {row} bytes; allow larger files")
        while start < (len(tensor) if tensor.dim() else 1):
            fitting = (limit - used) // row
            if not fitting:
                yield group
                group, used = [], 0
                continue
            part = tensor[start : start + fitting] if tensor.dim() else tensor
            group.append((key, part, shape, (start, *[0] * (tensor.dim() - 1)) if tensor.dim() else ()))
            used += part.nbytes
            start += len(part) if tensor.dim() else 1
            if start < (len(tensor) if tensor.dim() else 1):
                yield group
                group, used = [], 0
    if group:
        yield group
