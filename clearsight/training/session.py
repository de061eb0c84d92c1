"""A run as a person starts it: the trainer with its progress on the terminal, TensorBoard files, webhook and report."""

from pathlib import Path
from typing import Any

from clearsight.training import parallel
from clearsight.training.config import Config
from clearsight.training.trainer import Trainer


def train(config: Config, out: Path, *, quiet: bool = False) -> dict[str, Any] | None:
    """Run `config` in the folder `out`, or go on with it; returns a JSON-ready summary on rank 0, None on others.

    Raises ConfigError, TrainingStopped, CheckpointError, and what models and data raise, each with what to do.
    """
    world = parallel.join(config.parallel)
    try:
        summary = Trainer(config, out, world=world).run()
        return summary if world.leads else None
    finally:
        parallel.leave()
