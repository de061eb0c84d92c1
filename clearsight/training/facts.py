"""What a step measured: the one thing that the trainer, the guards, the record and its reports hand to each other.

Every number is of all ranks together, so that every rank comes to the same decision from it.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepFacts:
    """One optimiser step, before it is decided whether the step is taken.

    `loss` is the mean over labelled tokens, `grad_norm` the Euclidean norm before clipping; both may be nan or
    infinite. `seconds` and `data_wait` are of the slowest rank; `seconds` is what the gradients took when guards see
    it, and what the whole step took in the record. `flops` counts what the model needs, forward and backward, not what
    is computed twice. `activations` holds the root mean square of what each part hands on.
    """

    step: int  # from 1
    loss: float
    grad_norm: float
    seconds: float
    data_wait: float  # seconds of `seconds` in which no batch was ready
    tokens: int  # of samples, padding left out
    labelled: int  # tokens that are learned
    samples: int
    tiles: int
    flops: float
    rates: dict[str, float] = field(default_factory=dict)  # learning rate of each part
    corpora: dict[str, int] = field(default_factory=dict)  # samples drawn from each corpus
    activations: dict[str, float] = field(default_factory=dict)
    rank_seconds: tuple[float, ...] = ()  # time to compute of each rank, waiting left out

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value not in ({}, ())}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "StepFacts":
        known = {name: item for name, item in value.items() if name in cls.__dataclass_fields__}
        if "rank_seconds" in known:
            known["rank_seconds"] = tuple(known["rank_seconds"])
        return cls(**known)
