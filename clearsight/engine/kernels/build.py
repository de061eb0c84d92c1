"""Compiles the kernels for this processor, once, and loads them.

The library lies in the cache folder under a key made of everything it depends on: sources, flags, compiler and the
processor's features. It is built in a temporary file under a lock and renamed into place, so that two processes that
start together build once, and one that dies leaves nothing that could be loaded.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock

from clearsight.weights import cache_folder

FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC", "-pthread", "-w")
FOLDER = Path(__file__).parent
UNITS = ("decoder.cpp", "vision.cpp")


class NoCompiler(RuntimeError):
    """The kernels can't be built here; the message says why and what to do."""


@cache
def library() -> ctypes.CDLL:
    """The compiled kernels. Raises NoCompiler when they can't be built."""
    return ctypes.CDLL(str(build(cache_folder() / "kernels")))


def build(folder: Path) -> Path:
    """The library's file below `folder`, compiled unless it is there. Raises NoCompiler."""
    compiler = _compiler()
    target = folder / f"{_key(compiler)}.so"
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if not target.exists():
                _compile(compiler, target)
    except OSError as error:
        raise NoCompiler(
            f"the native kernels can't be kept in {folder} ({error.strerror}); make room there or set CLEARSIGHT_CACHE"
        ) from error
    return target


def _compiler() -> str:
    """Path of the C++ compiler: $CXX, or the first of the usual ones."""
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        if name and (path := shutil.which(name)):
            return path
    raise NoCompiler(
        "there is no C++ compiler, so the native kernels can't be built; install g++ or clang++ "
        "(on Debian or Ubuntu: apt-get install g++), or name one in $CXX"
    )


def _compile(compiler: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        product = Path(scratch) / target.name
        command = [compiler, *FLAGS, *(str(FOLDER / unit) for unit in UNITS), "-o", str(product)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            complaint = next((line for line in lines if "error" in line), lines[-1])
            raise NoCompiler(
                f"{compiler} could not build the native kernels: {complaint.strip()}. "
                "A newer g++ (9 or later) or clang++ (10 or later) may; name it in $CXX"
            )
        product.replace(target)


def _key(compiler: str) -> str:
    digest = hashlib.sha256()
    for file in sorted((*FOLDER.glob("*.cpp"), *FOLDER.glob("*.hpp"))):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    status = Path(compiler).resolve().stat()
    identity = (
        FLAGS,
        compiler,
        status.st_size,
        status.st_mtime_ns,
        platform.machine(),
        _processor_features(),
    )
    digest.update(repr(identity).encode())
    return digest.hexdigest()[:32]


def _processor_features() -> str:
    """What `-march=native` depends on; Linux lists it, elsewhere the processor's name stands for it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("flags", "Features", "model name", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
