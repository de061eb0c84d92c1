"""What a run learns: the model, the batches it is shown, and their loss. How it learns is the trainer's.

A recipe that teaches something other than packed conversations defines a subclass and names it `task`:

    task = Reading              # Reading(Task), beside recipe() -> Config

The trainer moves `model` to its device, spreads it over the ranks, and adds up the gradients of `loss`; guards,
records, checkpoints and checks are the same for all tasks. Left out: how batches are made (see conversations for
corpora on disk, recipes/mini/seeds.py for pictures drawn on the way).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from torch import Tensor, nn

from clearsight.training.config import Config
from clearsight.training.optimizers import part_of
from clearsight.training.parallel import World

Show = Callable[[str, dict[str, Any]], None]


class MicroBatch(Protocol):
    """What one rank computes at once. `state` is where to go on behind it, JSON-ready; `ends_step` says whether it is
    the last of its step; `step_samples` names (corpus, record) of the step's samples over all ranks."""

    @property
    def state(self) -> dict[str, Any]: ...
    @property
    def ends_step(self) -> bool: ...
    @property
    def step_samples(self) -> Sequence[tuple[int, int]]: ...


Batch = TypeVar("Batch", bound=MicroBatch)


class Counts(NamedTuple):
    """What a micro-batch holds; `labelled` is how much there is to learn, by which the summed loss is divided."""

    labelled: int
    tokens: int
    samples: int
    tiles: int
    flops: float  # forward and backward, as in `flops`


class Task(ABC, Generic[Batch]):
    """What one rank of a run learns.

    Constructed on every rank, at the same time, as Task(config, out, world, show): the run's settings and folder, who
    takes part, and who is told of progress. What it is constructed with may raise ConfigError and whatever models and
    data raise. What it sets:

    `model`: computes losses; on the CPU, in training mode. Parameters that require gradients, fp32, are trained.
    `watched`: parts of it by name, whose outputs' size is recorded and guarded.
    `corpora`: names of what samples are drawn from, in the order of their numbers.
    """

    model: nn.Module
    watched: Mapping[str, nn.Module]
    corpora: Sequence[str]

    @abstractmethod
    def __init__(self, config: Config, out: Path, world: World, show: Show): ...

    @abstractmethod
    def batches(self, state: dict[str, Any] | None) -> Iterator[Batch]:
        """This rank's micro-batches without end, from a former batch's state on, or from the beginning.

        The samples of a step are the same however many ranks and micro-batches share them.
        """

    def held_out(self) -> Iterator[Batch] | None:
        """This rank's micro-batches to validate with, always the same; None where there are none."""
        return None

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Summed over what `count` calls labelled: a scalar, fp32. Mixed precision, where wanted, is in force."""

    @abstractmethod
    def count(self, batch: Batch) -> Counts: ...

    @abstractmethod
    def write(self, checkpoint: Path, folder: Path) -> None:
        """Write what was learned until a checkpoint, for use; `folder` may hold what was written before."""

    def part_of(self, name: str) -> str:
        """Which of vision, connector and text a parameter belongs to: that part's learning rate is its own."""
        return part_of(name)

    def facts(self) -> dict[str, Any]:
        """What the record should know of the data when a run starts; JSON-ready."""
        return {}
