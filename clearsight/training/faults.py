"""One flipped bit, at a chosen place and moment of a training step: what a drill plants.

A transient fault is in what one computation reads or writes: the weight is right again afterwards. A fault at rest is
in memory, and stays until something is written over it.

Left out: faults of more than one bit, of addresses and of instructions, and units that fail again and again.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

SITES = (  # tensor, and the stage of the step in which a bit of it flips
    ("weight", "at rest"),  # before the step
    ("weight", "forward"),  # as it is read, the next stage reads it right
    ("weight", "backward"),
    ("weight", "optimiser"),  # as it is written
    ("gradient", "backward"),  # of a parameter, as it is written
    ("gradient", "at rest"),  # between guards and optimiser
    ("moment", "at rest"),
    ("moment", "optimiser"),
    ("activation", "forward"),  # what a layer hands on
    ("activation", "backward"),  # the gradient that a layer gets
    ("input", "forward"),  # pixels as they are read
    ("input", "at rest"),  # pixels in the batch
)
POSITIONS = ("sign", "high exponent", "low exponent", "high mantissa", "low mantissa")
_MANTISSA = {torch.float32: 23, torch.bfloat16: 7, torch.float16: 10}
_WORDS = {2: torch.int16, 4: torch.int32}


def bits_of(position: str, dtype: torch.dtype) -> range:
    """The bits of a class, 0 the least significant; exponent and mantissa are halved, the middle one counts as low."""
    width, mantissa = torch.finfo(dtype).bits, _MANTISSA[dtype]
    exponent = width - 1 - mantissa
    return {
        "sign": range(width - 1, width),
        "high exponent": range(width - 1 - exponent // 2, width - 1),
        "low exponent": range(mantissa, width - 1 - exponent // 2),
        "high mantissa": range(mantissa - mantissa // 2, mantissa),
        "low mantissa": range(mantissa - mantissa // 2),
    }[position]


@torch.no_grad()
def flip(tensor: Tensor, place: int, bit: int) -> None:
    """Flip a bit of the element that is `place`-th in reading order, in place and unseen by autograd."""
    width = tensor.element_size() * 8
    words = tensor.data.view(_WORDS[tensor.element_size()])
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(place), tensor.shape))
    words[index] ^= -(1 << bit) if bit == width - 1 else 1 << bit


@dataclass(frozen=True)
class Fault:
    """Which kind of tensor, when, and which class of bits; `seed` chooses the tensor, the element and the bit."""

    kind: str
    stage: str
    position: str
    seed: int

    def flip_in(self, tensor: Tensor) -> Callable[[], None]:
        """Flip a bit of the tensor; returns what flips it back."""
        chance = random.Random(self.seed)
        place, bit = chance.randrange(tensor.numel()), chance.choice(bits_of(self.position, tensor.dtype))
        flip(tensor, place, bit)
        return lambda: flip(tensor, place, bit)

    def _one_of(self, things: list[Any]) -> Any:
        return random.Random(self.seed + 1).choice(things)

    # --- faults in memory, and in what the optimiser writes

    def strike(self, model: nn.Module, optimizer: torch.optim.Optimizer, pixels: Tensor) -> None:
        """Flip a bit that stays flipped. Tensors are equally likely whatever their size, so that small ones are hit."""
        parameters = [p for p in model.parameters() if p.requires_grad]
        if self.kind == "weight":
            self.flip_in(self._one_of(parameters))
        elif self.kind == "moment":
            state = optimizer.state[self._one_of(parameters)]
            self.flip_in(state[self._one_of(["exp_avg", "exp_avg_sq"])])
        elif self.kind == "gradient":
            self.flip_in(self._one_of([p.grad for p in parameters if p.grad is not None]))
        else:
            assert self.kind == "input", f"{self.kind} is not there at rest"
            self.flip_in(pixels)

    # --- faults in a computation

    @contextmanager
    def during(self, stage: str, model: nn.Module) -> Iterator[None]:
        """Be there while `stage`, forward or backward, runs inside; nothing happens when it is another one."""
        activations_ahead = (
            self.kind == "activation" and stage == "forward"
        )  # hooks of both stages are set here
        if stage != self.stage and not activations_ahead:
            yield
            return
        if self.kind == "weight":
            undo = self.flip_in(self._one_of([p for p in model.parameters() if p.requires_grad]))
            try:
                yield
            finally:
                undo()
            return
        if self.kind == "activation" and stage == "backward":
            yield  # its hook was set in the forward stage
            return
        handle = self._hook(model)
        try:
            yield
        finally:
            handle.remove()

    def _hook(self, model: nn.Module) -> Any:
        if self.kind == "gradient":
            parameter = self._one_of([p for p in model.parameters() if p.requires_grad])
            return parameter.register_post_accumulate_grad_hook(self._on_gradient)
        if self.kind == "input":
            return model.vision_model.register_forward_pre_hook(  # type: ignore[operator,union-attr]
                lambda module, arguments: (self._flipped(arguments[0]), *arguments[1:])
            )
        layers = [
            m for m in model.modules() if not [*m.children()] and m is not getattr(model, "lm_head", None)
        ]
        return self._one_of(layers).register_forward_hook(self._on_output)

    def _on_gradient(self, parameter: Tensor) -> None:
        assert parameter.grad is not None
        self.flip_in(parameter.grad)

    def _on_output(self, module: nn.Module, arguments: Any, output: Tensor) -> None:
        if self.stage == "forward":
            self.flip_in(output)
        else:
            output.register_hook(self._flipped)

    def _flipped(self, tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        self.flip_in(copy)
        return copy
