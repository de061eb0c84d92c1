"""What is evaluated: the built-in engine with a model, or a server's; and the fingerprint that names exactly which."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from clearsight import mini, weights
from clearsight.checkpoints import BUNDLED
from clearsight.engine import ConversationEngine, Engine, EngineConfig, Upstream, is_address
from clearsight.evals.item import EvalError
from clearsight.evals.readers import READERS
from clearsight.experts import SUFFIX, Experts
from clearsight.experts.engine import ToldEngine, without_suffix


@dataclass(frozen=True)
class Subject:
    """An engine to ask. `at_once` is how many answers may be under way; `fingerprint` is SHA-256."""

    engine: ConversationEngine
    name: str
    fingerprint: str
    at_once: int


@contextmanager
def opened(
    spec: str, config: EngineConfig | None = None, *, offline: bool | None = None
) -> Iterator[Subject]:
    """The bundled model (`mini`), a checkpoint folder, `hf:owner/name`, a server's model
    (`https://host/v1#model`), any of them with `+experts` behind it, or a program that reads (`tesseract`, `pp-ocr`).

    Raises as `checkpoints.load` does, EngineError, and EvalError for a reader or an expert that is not there.
    """
    plain, told = without_suffix(spec)
    if told:
        experts = Experts.ready(offline)
        if not (experts.read and experts.name):
            raise EvalError(f"{spec} needs both experts; the log says which is missing and how to have it")
        with opened(plain, config, offline=offline) as subject:
            exactly = _digest(subject.fingerprint.encode(), experts.fingerprint().encode())
            yield Subject(
                ToldEngine(subject.engine, experts), subject.name + SUFFIX, exactly, subject.at_once
            )
        return
    if is_address(spec):
        with Upstream.at(spec) as upstream:
            address = spec.partition("#")[0]
            yield Subject(upstream, spec, _digest(f"server\0{address}\0{upstream.model}".encode()), 32)
        return
    if spec in READERS:
        reader, exactly = READERS[spec]()
        yield Subject(reader, spec, _digest(f"reader\0{exactly}".encode()), 1)
        return
    config = config or EngineConfig()
    with Engine.load(spec, config, offline=offline) as engine:
        settings = f"{engine.weights}\0{engine.config.dtype}".encode()
        name = spec if spec == BUNDLED or spec.startswith("hf:") else Path(spec).resolve().name
        yield Subject(engine, name, _digest(_files_digest(spec, offline), settings), 2 * config.max_sequences)


def harness_fingerprint() -> str:
    """SHA-256 of the code that asks and judges: this package and the judges below it."""
    here = Path(__file__).parent
    files = sorted([*here.rglob("*.py"), here.parent / "data" / "verify.py"])
    return _digest(*(file.relative_to(here.parent).as_posix().encode() + file.read_bytes() for file in files))


def release() -> str:
    """The version of Clearsight, for people."""
    return version("clearsight")


def _files_digest(spec: str, offline: bool | None) -> bytes:
    """Of everything a checkpoint is made of. A gigabyte takes about a second."""
    if spec == BUNDLED:
        folder, base = mini.bundled_folder(), str(weights.BASE_DECODER.sha256)
    else:
        folder, base = Path(weights.resolve(spec, offline=offline)), ""
    whole = hashlib.sha256(base.encode())
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".json", ".jinja", ".txt", ".gguf"):
            with file.open("rb") as opened_file:
                whole.update(file.name.encode() + hashlib.file_digest(opened_file, "sha256").digest())
    return whole.digest()


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
