"""Runs of seconds through the real command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

from clearsight.training.record import read_run

RECIPE = """
from clearsight.training.config import Config, Data, Model, Optimizer, Schedule, Watch

def recipe():
    return Config(
        name="tiny",
        model=Model(start={start!r}),
        data=Data(corpora=({corpus!r},), row_tokens=700, rows_per_step=4, rows=2, workers=0, window=16),
        optimizer=Optimizer(vision=1e-3, connector=1e-3, text=1e-3),
        schedule=Schedule(steps=12, warmup=2),
        watch=Watch(tensorboard=False),
    )
"""


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb"}


def command(recipe: Path, out: Path, *settings: str, processes: int = 1) -> list[str]:
    """The real command line, alone or under torchrun."""
    start = [sys.executable, "-m"]
    if processes > 1:
        start += ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    sets = [word for setting in settings for word in ("--set", setting)]
    return [*start, "clearsight", "train", str(recipe), "--out", str(out), "--json", *sets]


def train(recipe: Path, out: Path, *settings: str, processes: int = 1) -> dict:
    """Run to the end, and return the summary."""
    done = subprocess.run(
        command(recipe, out, *settings, processes=processes),
        capture_output=True,
        text=True,
        env=environment(),
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def losses(out: Path) -> list[float]:
    """Of every step, as recorded."""
    return [step.facts.loss for step in read_run(out).steps]
