"""Pictures that are drawn while the bundled model trains: numbered seeds, divided into steps, ranks and micro-batches.

A step's seeds, and which of them share a micro-batch, are the same however many ranks there are, so that where a run
stands is one number: the next seed.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from clearsight.data.worlds.scene import Split
from clearsight.training.config import Config, ConfigError
from clearsight.training.parallel import World
from clearsight.training.task import Task

HELD_OUT = 1_000_000  # the first seed of validation


@dataclass(frozen=True)
class Seeds:
    """The seeds of one micro-batch. `step` are all of its step, whose `last` micro-batch on this rank it may be."""

    own: range
    step: range
    split: Split
    last: bool

    @property
    def state(self) -> dict[str, Any]:
        """Where to go on behind this step; the rows, as pictures of a micro-batch are chosen together."""
        return {"seed": self.step.stop, "rows": len(self.own)}

    @property
    def samples(self) -> list[tuple[int, int]]:
        """The step's, for the ledger; they are of one corpus."""
        return [(0, seed) for seed in self.step]


@dataclass
class SeededBatch:
    """What is common to the micro-batches of all stages (see `clearsight.training.task`)."""

    seeds: Seeds

    @property
    def state(self) -> dict[str, Any]:
        return self.seeds.state

    @property
    def ends_step(self) -> bool:
        return self.seeds.last

    @property
    def step_samples(self) -> list[tuple[int, int]]:
        return self.seeds.samples


Batch = TypeVar("Batch", bound=SeededBatch)


def train_batches(
    draw: Callable[[Seeds], Batch], config: Config, world: World, state: dict[str, Any] | None
) -> Iterator[Batch]:
    """One rank's batches behind `state`, or from the seed data.seed on.

    Raises ConfigError for the state of a run with another data.rows.
    """
    if state is not None and state["rows"] != config.data.rows:
        raise ConfigError(
            f"this run has data.rows={state['rows']}, and pictures of a micro-batch are chosen together; give the same"
        )
    micro_batches = config.micro_batches(world.data_ranks)
    first = config.data.seed if state is None else state["seed"]
    return _drawn(draw, _divided(first, config.data.rows, micro_batches, world, "train"), config.data.workers)


def held_out_batches(draw: Callable[[Seeds], Batch], config: Config, world: World) -> Iterator[Batch]:
    return _drawn(draw, _divided(HELD_OUT, config.data.rows, 1, world, "eval"), 0)


class SeededTask(Task[Batch]):
    """A task whose batches `draw` makes of seeds; each seed weighs the same in its loss."""

    config: Config
    world: World
    draw: Callable[[Seeds], Batch]

    def batches(self, state: dict[str, Any] | None) -> Iterator[Batch]:
        return train_batches(self.draw, self.config, self.world, state)

    def held_out(self) -> Iterator[Batch]:
        return held_out_batches(self.draw, self.config, self.world)

    def loss(self, batch: Batch) -> Tensor:
        return self.model(batch) * len(batch.seeds.own)


def _divided(first: int, rows: int, micro_batches: int, world: World, split: Split) -> Iterator[Seeds]:
    size = rows * micro_batches * world.data_ranks
    while True:
        step = range(first, first + size)
        for number in range(micro_batches):
            start = (number * world.data_ranks + world.data_rank) * rows
            yield Seeds(step[start : start + rows], step, split, number == micro_batches - 1)
        first = step.stop


def _drawn(draw: Callable[[Seeds], Batch], seeds: Iterator[Seeds], workers: int) -> Iterator[Batch]:
    return iter(
        DataLoader(
            _Drawn(draw),
            batch_size=None,
            sampler=seeds,  # type: ignore[arg-type]  # any iterable will do
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            worker_init_fn=_one_thread if workers else None,
        )
    )


class _Drawn(Dataset, Generic[Batch]):
    def __init__(self, draw: Callable[[Seeds], Batch]):
        self.draw = draw

    def __getitem__(self, seeds: Seeds) -> Batch:
        return self.draw(seeds)


def _one_thread(worker: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
