"""How far a result may lie from the exact one before it is a fault and not rounding.

A sum of n products, in any order, in a format of unit roundoff u = eps / 2, has an error of at most
gamma_n = n u / (1 - n u) times the sum of absolute products (Higham, Accuracy and Stability of Numerical Algorithms,
section 3.1). That holds for the worst conceivable case and is so wide that faults hide in it. Roundings are as
good as random: then the factor n becomes lambda sqrt(n), and the chance that one result exceeds it is
2 exp(-lambda^2 / 2) (Higham & Mary 2019, https://doi.org/10.1137/18M1226312, with the factor (1 - u)^2 left out, which
is 1 here). lambda is chosen so that of all results of a check one exceeds its bound in 10^9 checks.

Formats: what elements are stored in rounds inputs and results; what products are summed in is fp32 for bf16, fp16 and
tf32. A kernel may split a sum into parts that it rounds to the stored format; up to `PARTS` of them are allowed for.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

CHANCE = 1e-9  # that a correct machine fails a check
PARTS = 8  # partial sums that a kernel may round to the stored format before it adds them


@dataclass(frozen=True)
class Format:
    """How numbers are stored, multiplied and summed; all three are unit roundoffs (half of eps)."""

    name: str
    dtype: torch.dtype
    stored: float
    multiplied: float  # what operands of a product are rounded to
    summed: float


def _half_eps(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps / 2


FP32 = Format("fp32", torch.float32, _half_eps(torch.float32), 0.0, _half_eps(torch.float32))
TF32 = Format("tf32", torch.float32, _half_eps(torch.float32), 2.0**-11, _half_eps(torch.float32))
BF16 = Format("bf16", torch.bfloat16, _half_eps(torch.bfloat16), 0.0, _half_eps(torch.float32))
FP16 = Format("fp16", torch.float16, _half_eps(torch.float16), 0.0, _half_eps(torch.float32))


def confidence(results: int) -> float:
    """lambda for a check of so many results."""
    return math.sqrt(2 * math.log(2 * results / CHANCE))


def sum_bound(format: Format, terms: int, absolute: Tensor, exact: Tensor) -> Tensor:
    """Largest error of sums of `terms` products, fp64, shaped like `exact`; `absolute` are the sums of |products|.

    Rounded operands, the sum, then parts and result rounded to what is stored.
    """
    sums = confidence(exact.numel()) * math.sqrt(terms) * format.summed
    operands = 2 * format.multiplied + format.multiplied**2
    parts = PARTS * format.stored if format.stored > format.summed else 0.0
    # parts are about as large as sums of random signs, not as sums of absolute values: the root of the mean square
    typical = absolute / math.sqrt(terms)
    return (sums + operands) * absolute + parts * typical + format.stored * exact.abs() + tiny(format)


def tiny(format: Format) -> float:
    """What may be lost to numbers that are too small for the format."""
    return torch.finfo(format.dtype).tiny
