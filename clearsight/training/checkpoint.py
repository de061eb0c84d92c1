"""Checkpoints: everything the future of a run depends on, written beside the training and never half.

    checkpoints/step-00000100/
      manifest.json               step, state of loader, guards and optimiser, hash of every file; written last
      rank-00000.safetensors      this rank's parts of weights, moments, averages, and its random state
      rank-00000.json             where these parts lie in the whole tensors

Tensors are copied when a checkpoint begins; a thread writes them while training goes on. A folder gets its name when
all ranks' files are on the disk and their hashes in the manifest, so that a kill at any moment leaves either a whole
checkpoint or a folder that is not looked at. Loading puts tensors together again from whatever parts there are, so a
run may go on with another number of ranks. Only safetensors and JSON are read and written.
"""

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from clearsight.training.heartbeat import free_space
from clearsight.training.parallel import local

FORMAT = "clearsight-checkpoint/1"
MANIFEST = "manifest.json"
RANDOM = "random/"


class CheckpointError(RuntimeError):
    """A checkpoint that can't be written or used; the message says what to do."""


@dataclass(frozen=True)
class Piece:
    """This rank's part of a tensor: `offset` is where it begins in the whole, of shape `shape`."""

    key: str
    tensor: Tensor
    shape: tuple[int, ...]
    offset: tuple[int, ...]
    mine: bool = True  # whether this rank is the one that writes it

    @classmethod
    def of(cls, key: str, tensor: Tensor, owner: Tensor) -> "Piece":
        """A tensor that is sharded like `owner`, if it has the shape of owner or of owner's local part."""
        part = local(tensor)
        if not isinstance(owner, DTensor) or part.shape != local(owner).shape or not part.dim():
            return cls(key, part, tuple(part.shape), (0,) * part.dim())
        mesh = owner.device_mesh
        _, offset = compute_local_shape_and_global_offset(owner.shape, mesh, owner.placements)
        coordinate = mesh.get_coordinate() or ()
        mine = all(
            place.is_shard() or where == 0 for place, where in zip(owner.placements, coordinate, strict=True)
        )
        return cls(key, part, tuple(owner.shape), tuple(offset), mine and part.numel() > 0)


class Checkpoints:
    """The checkpoints of one run, as seen by one rank of `size`."""

    def __init__(
        self, folder: Path, rank: int = 0, size: int = 1, *, keep: int = 2, asynchronous: bool = True
    ):
        self.folder, self.rank, self.size = folder, rank, size
        self.keep, self.asynchronous = keep, asynchronous
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """Steps of finished checkpoints, oldest first."""
        found = self.folder.glob(f"step-*/{MANIFEST}")
        return sorted(int(path.parent.name.removeprefix("step-")) for path in found)

    def last(self) -> Path:
        """Where the newest finished one lies. Raises CheckpointError when there is none."""
        steps = self.steps()
        if not steps:
            raise CheckpointError(f"{self.folder} holds no finished checkpoint yet")
        return self.path(steps[-1])

    # --- writing

    def save(
        self, step: int, pieces: Iterable[Piece], state: dict[str, Any], *, best: int | None = None
    ) -> int:
        """Begin to write; returns the bytes of this rank. Waits for the one before, and raises what went wrong with it.

        `state` is JSON-ready and the same on all ranks. `best` names a step whose checkpoint is kept besides the
        last. Raises DiskFull when there is too little room.
        """
        self.wait()
        copies = [
            Piece(p.key, p.tensor.detach().to("cpu", copy=True).contiguous(), p.shape, p.offset)
            for p in pieces
            if p.mine
        ]
        size = sum(piece.tensor.nbytes for piece in copies)
        free_space(self.folder.parent, size)
        staged = self.folder / f".step-{step:08d}"
        self._thread = threading.Thread(
            target=self._write, args=(staged, step, copies, state, best), name="checkpoint", daemon=True
        )
        self._thread.start()
        if not self.asynchronous:
            self.wait()
        return size

    def wait(self) -> None:
        """Until what was begun is on the disk. Raises CheckpointError when it could not be written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise CheckpointError(
                f"a checkpoint could not be written to {self.folder}: {error}; make room or name another --out, and "
                "run the same command again"
            ) from error

    def _write(
        self, staged: Path, step: int, pieces: list[Piece], state: dict[str, Any], best: int | None
    ) -> None:
        try:
            staged.mkdir(parents=True, exist_ok=True)
            name = f"rank-{self.rank:05d}"
            file = staged / f"{name}.safetensors"
            index = {piece.key: {"shape": piece.shape, "offset": piece.offset} for piece in pieces}
            save_file({piece.key: piece.tensor for piece in pieces}, file)
            _flush(file)
            note = {"sha256": sha256_of(file), "bytes": file.stat().st_size, "of": self.size, "pieces": index}
            _write_json(staged / f"{name}.json", note)
            if self.rank == 0:
                self._finish(staged, step, state, best)
        except BaseException as error:  # handed to the main thread by wait()
            self._error = error
            shutil.rmtree(staged, ignore_errors=True)

    def _finish(self, staged: Path, step: int, state: dict[str, Any], best: int | None) -> None:
        """Wait for the other ranks' files, then give the folder its name."""
        deadline = time.monotonic() + 1800
        notes = [staged / f"rank-{rank:05d}.json" for rank in range(self.size)]
        while missing := [note.name for note in notes if not note.exists()]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{', '.join(missing)} did not appear within 30 minutes")
            time.sleep(0.05)
        files = {}
        for note in notes:
            content = json.loads(note.read_text())
            files[note.with_suffix(".safetensors").name] = content["sha256"]
            files[note.name] = sha256_of(note)
        _write_json(staged / MANIFEST, {"format": FORMAT, "step": step, "files": files, "state": state})
        final = self.path(step)
        if final.exists():  # of an attempt that was rolled back
            shutil.rmtree(final)
        os.replace(staged, final)
        _flush(self.folder)
        self._prune(best)

    def _prune(self, best: int | None) -> None:
        kept = {*self.steps()[-self.keep :], best}
        for step in self.steps():
            if step not in kept:
                doomed = self.path(step)
                (doomed / MANIFEST).unlink()
                shutil.rmtree(doomed)

    def discard_unfinished(self) -> None:
        """Remove what a killed process left; for rank 0, before anyone writes."""
        for left in (*self.folder.glob(".step-*"), *self.folder.glob("step-*")):
            if left.is_dir() and (left.name.startswith(".") or not (left / MANIFEST).exists()):
                shutil.rmtree(left, ignore_errors=True)

    def discard_after(self, step: int) -> None:
        """Remove checkpoints of later steps: the run has been taken back behind them."""
        for later in self.steps():
            if later > step:
                (self.path(later) / MANIFEST).unlink()
                shutil.rmtree(self.path(later), ignore_errors=True)

    # --- reading

    def newest_whole(self, *, before: int | None = None) -> tuple[int | None, list[str]]:
        """The step of the newest checkpoint whose files all have their hashes, and a sentence on each that has not."""
        damaged: list[str] = []
        for step in reversed(self.steps()):
            if before is not None and step >= before:
                continue
            wrong = damage(self.path(step))
            if wrong is None:
                return step, damaged
            damaged.append(wrong)
        return None, damaged

    def state(self, step: int) -> dict[str, Any]:
        return read_manifest(self.path(step))["state"]

    @torch.no_grad()
    def load(self, step: int, pieces: Iterable[Piece]) -> None:
        """Fill the tensors of `pieces` in place. Raises CheckpointError when one is missing or has another shape."""
        with Parts(self.path(step)) as parts:
            for piece in pieces:
                if not piece.key.startswith(RANDOM):
                    piece.tensor.copy_(
                        parts.read(piece.key, piece.shape, piece.offset, tuple(piece.tensor.shape))
                    )

    def random_state(self, step: int) -> dict[str, Tensor]:
        """This rank's random state, if as many ranks wrote the checkpoint; else nothing."""
        path = self.path(step)
        if len([name for name in read_manifest(path)["files"] if name.endswith(".safetensors")]) != self.size:
            return {}
        with safe_open(path / f"rank-{self.rank:05d}.safetensors", "pt") as file:
            return {
                key.removeprefix(RANDOM): file.get_tensor(key)
                for key in file.keys()  # noqa: SIM118  # it is no dictionary
                if key.startswith(RANDOM)
            }


class Parts:
    """The tensors of a checkpoint, put together from all ranks' files. A context manager."""

    def __init__(self, path: Path):
        self.path = path
        names = [name for name in read_manifest(path)["files"] if name.endswith(".safetensors")]
        self._files = [safe_open(path / name, "pt") for name in sorted(names)]
        self._where: dict[str, list[tuple[Any, tuple[int, ...]]]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        for name, file in zip(sorted(names), self._files, strict=True):
            index = json.loads((path / name).with_suffix(".json").read_text())["pieces"]
            for key, place in index.items():
                self._where.setdefault(key, []).append((file, tuple(place["offset"])))
                self.shapes[key] = tuple(place["shape"])

    def __enter__(self) -> "Parts":
        return self

    def __exit__(self, *_: object) -> None:
        self._files.clear()
        self._where.clear()

    def __iter__(self) -> Iterator[str]:
        return (key for key in self.shapes if not key.startswith(RANDOM))

    def whole(self, key: str) -> Tensor:
        shape = self.shapes.get(key, ())
        return self.read(key, shape, (0,) * len(shape), shape)

    def read(
        self, key: str, shape: tuple[int, ...], offset: tuple[int, ...], extent: tuple[int, ...]
    ) -> Tensor:
        """The part of tensor `key`, of shape `shape`, that begins at `offset` and is `extent` large."""
        if key not in self.shapes:
            raise CheckpointError(
                f"the checkpoint {self.path} has no {key}; it is of a run with other settings. Name another --out"
            )
        if self.shapes[key] != shape:
            raise CheckpointError(
                f"{key} has the shape {self.shapes[key]} in {self.path} and {shape} in this run; name another --out"
            )
        found: Tensor | None = None
        for file, start in self._where[key]:
            stored = file.get_slice(key)
            size = stored.get_shape()
            low = [max(a, b) for a, b in zip(offset, start, strict=True)]
            high = [min(a + n, b + m) for a, n, b, m in zip(offset, extent, start, size, strict=True)]
            if any(a >= b for a, b in zip(low, high, strict=True)):
                continue
            there = (
                file.get_tensor(key)
                if not shape
                else stored[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))]
            )
            if found is None:
                found = torch.empty(extent, dtype=there.dtype)
            found[tuple(slice(a - o, b - o) for a, b, o in zip(low, high, offset, strict=True))] = there
        return torch.empty(extent) if found is None else found


def read_manifest(path: Path) -> dict[str, Any]:
    """Raises CheckpointError when there is no checkpoint, or one that can't be read."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} holds no finished checkpoint") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path / MANIFEST} can't be read: {error}; remove that folder") from error
    if manifest.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of the format {FORMAT}")
    return manifest


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint's files, or None."""
    try:
        for name, digest in read_manifest(path)["files"].items():
            if sha256_of(path / name) != digest:
                return f"{path.name}/{name} is not what was written"
    except (CheckpointError, OSError) as error:
        return f"{path.name} can't be read: {error}"
    return None


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    staged = path.with_name(f".{path.name}")
    staged.write_text(json.dumps(content))
    _flush(staged)
    os.replace(staged, path)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
