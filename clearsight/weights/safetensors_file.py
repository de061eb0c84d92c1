"""Reads safetensors one tensor at a time, from one file or from the shards that an index names."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from clearsight.weights.cache import WeightsError

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


def open_safetensors(path: str | Path) -> Iterator[tuple[str, "torch.Tensor"]]:
    """Yield each tensor's name and value (CPU, dtype as stored), holding one tensor at a time.

    `path` is a file, or a folder with `model.safetensors.index.json` and its shards, with
    `model.safetensors`, or with a single other safetensors file. Files and index are checked at once, before
    the first tensor is asked for.

    Raises WeightsError for what is missing, cut short, or named by the index but outside the folder.
    """
    path = Path(path)
    shards = _shards(path)
    for file, names in shards.items():
        present = set(_names(file))
        missing = sorted((names or present) - present)
        if missing:
            raise WeightsError(
                f"{file} lacks {len(missing)} tensors that {INDEX} places in it, {missing[0]} among them: "
                "the files are of different versions. Fetch the whole folder again."
            )
    return _tensors(shards)


def _tensors(shards: dict[Path, set[str] | None]) -> Iterator[tuple[str, "torch.Tensor"]]:
    for file, names in shards.items():
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 - an object with keys, not a mapping
                if names is None or name in names:
                    yield name, opened.get_tensor(name)


def _names(file: Path) -> list[str]:
    try:
        with safe_open(file, framework="pt") as opened:
            return list(opened.keys())
    except FileNotFoundError as error:
        raise WeightsError(f"There is no file {file}. Correct the path, or fetch it again.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{file} is cut short or not a safetensors file ({error}). Delete it and fetch or copy it again."
        ) from error


def _shards(path: Path) -> dict[Path, set[str] | None]:
    """Each file to read, with the tensors to take from it (None: all)."""
    if not path.is_dir():
        return {path: None}
    if (path / INDEX).is_file():
        return _indexed(path)
    files = sorted(path.glob("*.safetensors"))
    if path / SINGLE in files:
        return {path / SINGLE: None}
    if not files:
        raise WeightsError(f"{path} holds no safetensors file: {SINGLE} or {INDEX} is expected there.")
    if len(files) > 1:
        raise WeightsError(
            f"{path} holds {len(files)} safetensors files but no {INDEX} that says how they belong "
            "together. Name one file, or fetch the index too."
        )
    return {files[0]: None}


def _indexed(folder: Path) -> dict[Path, set[str] | None]:
    index = folder / INDEX
    try:
        places: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        pairs = [(str(name), str(file)) for name, file in places.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{index} is not a readable index of shards. Fetch it again.") from error
    shards: dict[Path, set[str]] = defaultdict(set)
    for name, file in pairs:
        parts = PurePosixPath(file).parts
        # The name is judged, not where it leads: a hub cache keeps files as links to a folder above.
        if not parts or ".." in parts or "\\" in file or ":" in file or PurePosixPath(file).is_absolute():
            raise WeightsError(
                f"{index} names a file outside its folder ({file!r}) and was not followed. Do not use this "
                "checkpoint unless you know where it comes from."
            )
        shards[folder / file].add(name)
    absent = sorted(file.name for file in shards if not file.is_file())
    if absent:
        raise WeightsError(
            f"{index} names {len(absent)} files that are not there, {absent[0]} among them. Fetch or copy "
            "the whole folder again."
        )
    return dict(shards)
