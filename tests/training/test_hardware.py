"""A machine that computes wrongly must be found before it trains, and one that is well must pass."""

import json
import math
import sys
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from clearsight.training.faults import flip
from clearsight.training.hardware import (
    Finding,
    _keep_worst,
    _round,
    checks,
    examine,
    memory,
    to_json,
    vendor,
)
from clearsight.training.hardware.collectives import _finding, between_two_processes
from clearsight.training.hardware.rounding import BF16, FP16, FP32, confidence, sum_bound

CPU = torch.device("cpu")
FORMATS = [FP32, BF16, FP16]


def silent(what: str, share: float) -> None:
    pass


def faulty(operation: Callable[..., Tensor], bit_from_top: int) -> Callable[..., Tensor]:
    """The operation with one bit of its largest result flipped, but not in the float64 of the reference."""

    def compute(*arguments, **options):
        result = operation(*arguments, **options)
        if result.dtype != torch.float64:
            flip(result, int(result.abs().argmax()), result.element_size() * 8 - 1 - bit_from_top)
        return result

    return compute


# --- arithmetic


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_a_machine_that_is_well_passes_with_many_seeds(format):
    for seed in range(6):
        findings = [
            checks.product(CPU, format, (33, 257, 65), seed),
            checks.reduction(CPU, format, seed),
            checks.softmax(CPU, format, seed),
            checks.attention(CPU, format, checks.ATTENTIONS[seed % 4], seed),
        ]
        for finding in findings:
            assert finding.passed and 0 < finding.figure <= 1, finding


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
@pytest.mark.parametrize("bit", [0, 1, 5], ids=["sign", "exponent", "low exponent"])
def test_one_flipped_bit_of_a_product_is_found(monkeypatch, format, bit):
    bit = {5: {"fp32": 8, "bf16": 8, "fp16": 5}[format.name]}.get(bit, bit)
    monkeypatch.setattr(torch, "matmul", faulty(torch.matmul, bit))
    finding = checks.product(CPU, format, (64, 64, 64), 0)
    assert not finding.passed and "1 of 4096" in finding.sentence
    assert not checks.exact_product(CPU, format, 0).passed


def test_a_result_that_is_not_a_number_is_found(monkeypatch):
    broken = torch.matmul

    def compute(a: Tensor, b: Tensor) -> Tensor:
        result = broken(a, b)
        if result.dtype == torch.float32:
            result[3, 3] = math.nan
        return result

    monkeypatch.setattr(torch, "matmul", compute)
    assert not checks.product(CPU, FP32, (64, 64, 64), 0).passed


@pytest.mark.parametrize("kind", checks.ATTENTIONS)
def test_a_flipped_exponent_in_attention_is_found(monkeypatch, kind):
    monkeypatch.setattr(F, "scaled_dot_product_attention", faulty(F.scaled_dot_product_attention, 2))
    assert not checks.attention(CPU, BF16, kind, 0).passed


def test_attention_that_forgets_its_mask_is_found(monkeypatch):
    plain = F.scaled_dot_product_attention
    monkeypatch.setattr(
        F, "scaled_dot_product_attention", lambda q, k, v, attn_mask, is_causal, enable_gqa: plain(q, k, v)
    )
    assert not checks.attention(CPU, BF16, "masked", 0).passed
    assert not checks.attention(CPU, BF16, "causal", 0).passed


def test_the_lowest_bit_that_changes_once_in_a_while_is_found(monkeypatch):
    calls, matmul = [], torch.matmul

    def compute(a: Tensor, b: Tensor) -> Tensor:
        calls.append(1)
        result = matmul(a, b)
        if len(calls) == 3:
            flip(result, 17, 0)
        return result

    monkeypatch.setattr(torch, "matmul", compute)
    finding = checks.repeats(CPU, FP32, 0)
    assert not finding.passed and finding.figure == 1


def test_bounds_are_those_of_the_theory_and_narrower_than_the_worst_case():
    terms, size = 10_000, torch.ones(100, dtype=torch.float64)
    bound = float(sum_bound(FP32, terms, size, torch.zeros_like(size))[0])
    unit = 2.0**-24
    assert bound == pytest.approx(confidence(100) * math.sqrt(terms) * unit, rel=1e-6)
    assert bound < terms * unit  # of n u, the worst case
    assert 2 * 100 * math.exp(-(confidence(100) ** 2) / 2) == pytest.approx(1e-9)


# --- memory


def test_memory_that_is_well_keeps_every_pattern():
    finding = memory.cells(CPU, 2**20, 0, silent)
    assert finding.passed and finding.figure == 0


@pytest.mark.parametrize("read", [3, 30, 45], ids=["walking ones", "later", "address"])
def test_a_bit_that_flips_in_memory_is_found_with_its_address(monkeypatch, read):
    compared, equal = [], torch.equal

    def aged(chunk: Tensor, expected: Tensor) -> bool:
        compared.append(1)
        if len(compared) == read:
            chunk[100] ^= 1 << 40
        return equal(chunk, expected)

    monkeypatch.setattr(torch, "equal", aged)
    finding = memory.cells(CPU, 2**18, 0, silent)
    assert not finding.passed and f"{1 << 40:#x} flipped" in finding.sentence


def test_cells_that_share_an_address_line_are_found(monkeypatch):
    equal = torch.equal

    def mirrored(chunk: Tensor, expected: Tensor) -> bool:
        half = len(chunk) // 2  # the topmost line is stuck: both halves are the same cells
        chunk[:half] = chunk[half:].clone()
        return equal(chunk, expected)

    monkeypatch.setattr(torch, "equal", mirrored)
    finding = memory.cells(CPU, 2**18, 0, silent)
    assert not finding.passed and "address" in finding.sentence


def test_every_word_of_every_pattern_changes_between_passes_so_that_old_content_never_passes():
    tiles = [pattern.tile for pattern in memory._patterns(4096, 0, CPU)]
    for before, after in pairwise(tiles):
        assert bool((before != after).all())


def test_what_is_copied_arrives():
    (finding,) = memory.bandwidths(CPU, 2**20)
    assert finding.passed and finding.figure > 0 and finding.unit == "GB/s"


# --- messages, instruments, the whole


def test_two_processes_exchange_what_they_should():
    findings = between_two_processes()
    assert len(findings) == 8 and all(finding.passed for finding in findings), findings


def test_the_rank_that_got_something_wrong_is_named():
    finding = _finding("all_reduce", torch.int64, [0, 3, 0], 0.1)
    assert not finding.passed and "rank 1" in finding.sentence


def test_uncorrected_errors_of_the_host_fail_and_corrected_ones_are_shown(tmp_path):
    for name, uncorrected in (("mc0", 0), ("mc1", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ue_count").write_text(f"{uncorrected}\n")
        (tmp_path / name / "ce_count").write_text("5\n")
    found = {finding.check: finding for finding in vendor.memory_controllers(tmp_path)}
    assert not found["uncorrected memory errors"].passed and found["uncorrected memory errors"].figure == 2
    assert found["corrected memory errors"].passed and found["corrected memory errors"].figure == 10


class NvmlError(Exception):
    pass


def nvml(**answers: object) -> SimpleNamespace:
    """NVIDIA's library as it would answer; what is not given is not supported by the device."""
    names = (
        "DeviceGetTemperature DeviceGetTemperatureThreshold DeviceGetCurrentClocksThrottleReasons DeviceGetClockInfo "
        "DeviceGetMaxClockInfo DeviceGetTotalEccErrors DeviceGetRemappedRows EventSetWait_v2"
    )

    def answering(name: str) -> Callable[..., object]:
        def answer(*_: object) -> object:
            value = answers.get(name)
            if isinstance(value, list):
                value = value.pop(0) if value else None
            if value is None:
                raise NvmlError
            return value

        return answer

    which = ("TEMPERATURE_GPU", "TEMPERATURE_THRESHOLD_SLOWDOWN", "CLOCK_SM", "VOLATILE_ECC")
    kinds = ("MEMORY_ERROR_TYPE_UNCORRECTED", "MEMORY_ERROR_TYPE_CORRECTED")
    constants = {f"NVML_{name}": 0 for name in (*which, *kinds)}
    reasons = {
        "nvmlClocksThrottleReasonHwThermalSlowdown": 0x40,
        "nvmlClocksThrottleReasonSwThermalSlowdown": 0x20,
        "nvmlClocksThrottleReasonHwPowerBrakeSlowdown": 0x80,
    }
    functions = {f"nvml{name}": answering(name) for name in names.split()}
    return SimpleNamespace(NVMLError=NvmlError, **constants, **reasons, **functions)


def shown(**answers: object) -> dict[str, Finding]:
    instruments = vendor.Instruments(torch.device("cuda"))
    instruments._nvml, instruments._handle, instruments._events = nvml(**answers), None, object()
    return {finding.check: finding for finding in instruments.findings()}


def test_a_device_that_counts_errors_runs_hot_or_was_told_of_by_its_driver_fails():
    well = shown(
        DeviceGetTemperature=60,
        DeviceGetTemperatureThreshold=90,
        DeviceGetCurrentClocksThrottleReasons=0x4,  # a power cap
        DeviceGetTotalEccErrors=[0, 12],
        DeviceGetRemappedRows=(1, 0, 0, 0),
        EventSetWait_v2=[SimpleNamespace(eventData=43)],  # an application that ended
    )
    assert all(finding.passed for finding in well.values()), well
    ill = shown(
        DeviceGetTemperature=88,
        DeviceGetTemperatureThreshold=90,
        DeviceGetCurrentClocksThrottleReasons=0x40,
        DeviceGetTotalEccErrors=[1, 12],
        DeviceGetRemappedRows=(1, 0, 1, 0),
        EventSetWait_v2=[SimpleNamespace(eventData=79)],  # the device fell off the bus
    )
    failing = {name for name, finding in ill.items() if not finding.passed}
    assert failing == {"temperature", "slowdown", "uncorrected memory errors", "replaced memory", "Xid"}


def test_a_machine_without_instruments_is_no_faulty_machine(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with vendor.Instruments(torch.device("cuda")) as instruments:
        (finding,) = instruments.findings()
    assert finding.passed and "not installed" in finding.sentence


def test_the_worst_of_all_rounds_is_told():
    found: dict[str, Finding] = {}
    for figure, passed in ((0.2, True), (0.1, False), (0.5, True)):
        _keep_worst(found, Finding("product", passed, figure, 1.0, "", "", 2.0))
    assert not found["product"].passed and found["product"].figure == 0.1 and found["product"].seconds == 6.0


def test_json_holds_no_number_that_json_does_not_know():
    finding = Finding("product", False, math.inf, 1.0, "", "")
    assert json.loads(json.dumps(to_json([finding]), allow_nan=False))[0]["figure"] == "inf"


def test_a_device_that_is_not_there_is_said_so():
    with pytest.raises(ValueError, match="name cpu or cuda"):
        examine(torch.device("meta"))
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="driver"):
            examine(torch.device("cuda"))


@pytest.mark.slow
def test_this_machine_passes_in_a_minute():
    told = []
    findings = examine(CPU, memory_bytes=2**26, progress=lambda what, share: told.append(share))
    assert [finding for finding in findings if not finding.passed] == []
    assert told and all(0 <= share <= 1 for share in told)
    assert sum(finding.seconds for finding in findings) < 60


def test_a_device_that_ends_with_an_error_is_a_finding_and_the_rest_is_still_checked(monkeypatch):
    def broken(*_: object, **__: object) -> Tensor:
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered\nmore")

    monkeypatch.setattr(F, "softmax", broken)
    monkeypatch.setattr(
        checks, "plan", lambda device, formats: [("softmax", lambda seed: checks.softmax(CPU, FP32, seed))]
    )
    findings = {finding.check: finding for finding in _round(CPU, 0, 2**18, silent)}
    assert not findings["softmax"].passed and "uncorrectable ECC" in findings["softmax"].sentence
    assert findings["memory cells"].passed
