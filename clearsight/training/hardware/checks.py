"""Products, sums and attention against a float64 reference, and against themselves.

Errors are given as a share of what rounding allows (see `rounding`): above 1, a unit computes wrongly. Where results
are whole numbers that the format holds exactly, not a bit may differ. And what is computed again must give the same
bits.

Every function takes a seed, so that rounds look at other numbers, and gives one Finding. Inputs are drawn on the CPU,
which is also asked for the reference, as a second opinion. Large products would take it too long; for these the device
is its own judge in float64, where a fault that strikes both times alike can hide.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from clearsight.training.checksums import bit_checksum
from clearsight.training.hardware.report import Finding, stopwatch
from clearsight.training.hardware.rounding import TF32, Format, confidence, sum_bound, tiny

ON_CPU = 2**31  # multiplications in float64 up to which the CPU is asked for the reference
SHARE = "of what rounding allows"
ATTENTIONS = ("full", "causal", "masked", "grouped")


def product(device: torch.device, format: Format, shape: tuple[int, int, int], seed: int) -> Finding:
    """Matrices (M, K) and (K, N) of normal numbers; `shape` is (M, K, N)."""
    rows, terms, columns = shape
    draw = _generator(seed)
    a = torch.randn(rows, terms, generator=draw).to(format.dtype)
    b = torch.randn(terms, columns, generator=draw).to(format.dtype)
    with stopwatch() as watch:
        with precision_of(format):
            found = torch.matmul(a.to(device), b.to(device))
        where = _reference_device(device, rows * terms * columns)
        a, b = a.to(where).double(), b.to(where).double()
        exact, absolute = torch.matmul(a, b), torch.matmul(a.abs(), b.abs())
        finding = _compared(found, exact, sum_bound(format, terms, absolute, exact))
    name = f"product {format.name} {rows}x{terms}x{columns}"
    return _as_finding(name, finding, watch.seconds)


def exact_product(device: torch.device, format: Format, seed: int) -> Finding:
    """A product of whole numbers whose every partial sum the format holds: there is one right result.

    fp32 sums below 2^24 of operands of 7 bits, which tf32 holds as well; elsewhere +1 and -1, at most 256 of them.
    """
    terms, largest = (1024, 127) if format.dtype == torch.float32 else (256, 1)
    draw = _generator(seed)
    a = torch.randint(-largest, largest + 1, (512, terms), generator=draw)
    b = torch.randint(-largest, largest + 1, (terms, 512), generator=draw)
    with stopwatch() as watch:
        with precision_of(format):
            found = torch.matmul(a.to(device, format.dtype), b.to(device, format.dtype))
        wrong = int((found.double().cpu() != torch.matmul(a.double(), b.double())).sum())
    return _counted(f"exact product {format.name}", wrong, found.numel(), "results", watch.seconds)


def reduction(device: torch.device, format: Format, seed: int) -> Finding:
    """Sums of rows of 16,387 normal numbers."""
    x = torch.randn(64, 16_387, generator=_generator(seed)).to(format.dtype)
    with stopwatch() as watch:
        found = x.to(device).sum(-1)
        exact, absolute = x.double().sum(-1), x.double().abs().sum(-1)
        finding = _compared(found, exact, sum_bound(format, x.shape[1], absolute, exact))
    return _as_finding(f"sum {format.name}", finding, watch.seconds)


def softmax(device: torch.device, format: Format, seed: int) -> Finding:
    """Shares of rows of 4,099 numbers. exp(x - max) is off by |x - max| u for the difference and a few u of its own,
    and the sum by its own terms (Blanchard, Higham & Higham 2021, https://doi.org/10.1093/imanum/draa038)."""
    x = (4 * torch.randn(64, 4099, generator=_generator(seed))).to(format.dtype)
    with stopwatch() as watch:
        found = F.softmax(x.to(device), -1)
        exact = x.double().softmax(-1)
        span = (x.double().amax(-1, keepdim=True) - x.double()).amax()
        relative = format.summed * (2 * span + 8 + confidence(x.numel()) * math.sqrt(x.shape[1]))
        finding = _compared(found, exact, (relative + format.stored) * exact + tiny(format))
    return _as_finding(f"softmax {format.name}", finding, watch.seconds)


def selection(device: torch.device, seed: int) -> Finding:
    """Largest, smallest, order and whole sums of 2^20 distinct integers, in which nothing is rounded."""
    values = torch.randperm(2**20, generator=_generator(seed))
    with stopwatch() as watch:
        there = values.to(device)
        right = [
            int(there.max()) == 2**20 - 1 and int(there.min()) == 0,
            int(there[there.argmax()]) == 2**20 - 1,
            int(there.sum()) == 2**19 * (2**20 - 1),
            torch.equal(there.sort().values.cpu(), torch.arange(2**20)),
            torch.equal(there.cumsum(0).cpu(), values.cumsum(0)),
        ]
    return _counted("integers", right.count(False), len(right), "results", watch.seconds)


def attention(device: torch.device, format: Format, kind: str, seed: int) -> Finding:
    """Scaled dot-product attention (2, 8, 193, 64): full, causal, with a mask, or four queries a key.

    Scores are off by what a sum is, and by operands, scale and score that a kernel may round to the stored format; that
    becomes a relative error of the shares, twice: by itself and through the largest. Shares may be rounded too.
    """
    q, k, v, mask, causal, grouped = _attention_inputs(format, kind, seed)
    with stopwatch() as watch:
        with precision_of(format):
            found = F.scaled_dot_product_attention(
                q.to(device),
                k.to(device),
                v.to(device),
                attn_mask=None if mask is None else mask.to(device),
                is_causal=causal,
                enable_gqa=grouped,
            )
        exact, bound = _exact_attention(format, q, k, v, mask, causal)
        finding = _compared(found, exact, bound)
    return _as_finding(f"attention {format.name} {kind}", finding, watch.seconds)


def _attention_inputs(
    format: Format, kind: str, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor | None, bool, bool]:
    """Queries, keys, values, mask (T, T) bool or None, whether it is causal and whether heads share keys."""
    draw, length = _generator(seed), 193
    heads = {"grouped": 2}.get(kind, 8)
    q = torch.randn(2, 8, length, 64, generator=draw).to(format.dtype)
    k, v = (torch.randn(2, heads, length, 64, generator=draw).to(format.dtype) for _ in range(2))
    mask = None
    if kind == "masked":  # packed segments of random lengths, each causal in itself
        segments = (torch.rand(length, generator=draw) < 0.05).cumsum(0)
        mask = (segments[:, None] == segments[None]).tril()
    return q, k, v, mask, kind in ("causal", "grouped"), heads < 8


def _exact_attention(
    format: Format, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool
) -> tuple[Tensor, Tensor]:
    """Outputs (B, H, T, K) and how far off they may be, fp64 on the CPU."""
    groups = q.shape[1] // k.shape[1]
    q, k, v = (x.double() for x in (q, k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)))
    length, width = q.shape[-2:]
    seen = torch.ones(length, length, dtype=torch.bool) if mask is None else mask
    seen = seen.tril() if causal else seen
    scores = (q @ k.mT / math.sqrt(width)).masked_fill(~seen, -torch.inf)
    shares = scores.softmax(-1)
    factor = confidence(scores.numel()) * format.summed
    absolute = (q.abs() @ k.abs().mT / math.sqrt(width)).masked_fill(~seen, 0)
    largest = scores.masked_fill(~seen, 0).abs()
    score_error = (factor * math.sqrt(width) + 2 * format.multiplied + 2 * format.stored) * absolute
    score_error = score_error + (format.stored + 2 * format.summed) * largest
    relative = torch.expm1(2 * score_error.amax(-1, keepdim=True)) + format.stored + 8 * format.summed
    relative = relative + 2 * factor * math.sqrt(length) + 2 * format.multiplied
    exact = shares @ v
    return exact, relative * (shares @ v.abs()) + format.stored * exact.abs() + tiny(format)


def repeats(device: torch.device, format: Format, seed: int, times: int = 5) -> Finding:
    """Product, sum, softmax and attention with the gradient of the product, again and again: equal bits."""
    q, k, v, *_ = _attention_inputs(format, "causal", seed)
    q, k, v = (x.to(device) for x in (q, k, v))
    a = torch.randn(300, 500, generator=_generator(seed)).to(device, format.dtype).requires_grad_()
    b = torch.randn(500, 200, generator=_generator(seed + 1)).to(device, format.dtype)

    def compute() -> list[int]:
        y = torch.matmul(a, b)
        (gradient,) = torch.autograd.grad(y, a, y)
        results = [
            y,
            gradient,
            y.sum(0),
            F.softmax(y, -1),
            F.scaled_dot_product_attention(q, k, v, is_causal=True),
        ]
        return torch.stack([bit_checksum(result) for result in results]).tolist()

    with stopwatch() as watch, precision_of(format):
        first = compute()
        wrong = sum(compute() != first for _ in range(times))
    return _counted(f"repeats {format.name}", wrong, times, "repeats", watch.seconds)


# --- what checks share


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@contextmanager
def precision_of(format: Format) -> Iterator[None]:
    """fp32 products as fp32, or as tf32 where `format` says so."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if format is TF32 else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _reference_device(device: torch.device, multiplications: int) -> torch.device:
    return device if multiplications > ON_CPU and device.type == "cuda" else torch.device("cpu")


def _compared(found: Tensor, exact: Tensor, bound: Tensor) -> tuple[float, int, int]:
    """The largest error as a share of its bound, how many results exceed theirs, and how many there are."""
    shares = (found.to(exact.device).double() - exact).abs() / bound
    shares = shares.nan_to_num(nan=math.inf)
    return float(shares.max()), int((shares > 1).sum()), shares.numel()


def _as_finding(check: str, compared: tuple[float, int, int], seconds: float) -> Finding:
    worst, wrong, results = compared
    if not wrong:
        sentence = f"the largest error is {worst:.2g} {SHARE}"
    else:
        sentence = (
            f"{wrong} of {results} results are off by more than rounding allows, by up to {worst:.3g} times"
        )
    return Finding(check, not wrong, worst, 1.0, SHARE, sentence, seconds)


def _counted(check: str, wrong: int, of: int, unit: str, seconds: float) -> Finding:
    sentence = f"all {of} {unit} agree to the bit" if not wrong else f"{wrong} of {of} {unit} are wrong"
    return Finding(check, not wrong, float(wrong), 0.0, f"wrong {unit}", sentence, seconds)


def plan(device: torch.device, formats: list[Format]) -> list[tuple[str, Callable[[int], Finding]]]:
    """Name and function of each check of one round, to be called with a seed; a second or less on what it is for."""
    large = [(4096, 4096, 4096), (2048, 8192, 1024)] if device.type == "cuda" else [(384, 1024, 512)]
    found: list[tuple[str, Callable[[int], Finding]]] = [("integers", partial(selection, device))]
    for each in formats:
        for shape in [(64, 64, 64), (129, 2049, 65), *large]:
            found.append((f"products in {each.name}", partial(product, device, each, shape)))
        found.append((f"exact products in {each.name}", partial(exact_product, device, each)))
        found.append((f"repeats in {each.name}", partial(repeats, device, each)))
        if each is TF32:  # which is of products alone
            continue
        found += [
            (f"attention in {each.name}", partial(attention, device, each, kind)) for kind in ATTENTIONS
        ]
        found.append((f"sums in {each.name}", partial(reduction, device, each)))
        found.append((f"softmax in {each.name}", partial(softmax, device, each)))
    return found
