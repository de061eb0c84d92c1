"""What makers' own instruments tell: counters of memory errors, heat, clocks, the driver's error messages.

NVIDIA through NVML (the package nvidia-ml-py, where it is installed), memory controllers of a Linux machine through
EDAC (https://docs.kernel.org/driver-api/edac.html). An instrument that can't be read is said so and is no fault. Xids,
the driver's error codes (https://docs.nvidia.com/deploy/xid-errors), are only told as they happen: `Instruments`
listens from its beginning to its end, while other checks keep the device busy.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from clearsight.training.hardware.report import Finding

EDAC = Path("/sys/devices/system/edac/mc")
APPLICATION_XIDS = {13, 31, 43, 45, 68}  # a program's own mistakes or its end, according to NVIDIA's table
MARGIN = 5  # degrees below the temperature from which a device slows down


def memory_controllers(folder: Path = EDAC) -> list[Finding]:
    """Errors that a machine's memory controllers have counted since it was started, corrected and not."""
    controllers = sorted(folder.glob("mc[0-9]*"))
    if not controllers:
        sentence = "this system has no memory error counters (EDAC) that can be read"
        return [Finding("memory errors", True, None, None, "errors", sentence)]
    findings = []
    for name, kind in (("ue_count", "uncorrected"), ("ce_count", "corrected")):
        counted = sum(int((controller / name).read_text()) for controller in controllers)
        sentence = f"{counted} {kind} errors since the machine was started"
        bound = 0.0 if kind == "uncorrected" else None
        findings.append(
            Finding(f"{kind} memory errors", bound is None or not counted, counted, bound, "errors", sentence)
        )
    return findings


class Instruments:
    """NVML of one device, opened and closed as a context manager; Xids are listened for in between."""

    def __init__(self, device: torch.device):
        self.device = device
        self._nvml: Any = None
        self._why_not = ""

    def __enter__(self) -> "Instruments":
        try:
            import pynvml
        except ImportError:
            self._why_not = (
                "nvidia-ml-py is not installed; pip install nvidia-ml-py to look at clocks, heat and counters"
            )
            return self
        try:
            pynvml.nvmlInit()
            properties = torch.cuda.get_device_properties(self.device)
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{properties.uuid}")
            self._nvml = pynvml
        except (pynvml.NVMLError, RuntimeError, AssertionError) as error:  # no driver, or no such device
            self._why_not = f"NVML can't be read: {error}"
            return self
        self._events = self._read(pynvml.nvmlEventSetCreate)
        if self._events is not None:
            wanted = pynvml.nvmlEventTypeXidCriticalError
            self._read(pynvml.nvmlDeviceRegisterEvents, self._handle, wanted, self._events)
        return self

    def __exit__(self, *_: object) -> None:
        if self._nvml is not None:
            if self._events is not None:
                self._read(self._nvml.nvmlEventSetFree, self._events)
            self._nvml.nvmlShutdown()

    def findings(self) -> list[Finding]:
        """What the instruments show now; to be asked while the device is still warm."""
        if self._nvml is None:
            return [Finding("instruments", True, None, None, "", self._why_not)]
        looks = (
            self._temperature,
            self._throttling,
            self._clocks,
            self._counters,
            self._remapped_rows,
            self._xids,
        )
        return [finding for look in looks for finding in look()]

    def _read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What NVML answers, or None where this device doesn't have it."""
        try:
            return function(*arguments)
        except self._nvml.NVMLError:
            return None

    def _temperature(self) -> list[Finding]:
        nvml, handle = self._nvml, self._handle
        now = self._read(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        if now is None:
            return []
        slow = self._read(
            nvml.nvmlDeviceGetTemperatureThreshold, handle, nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
        )
        bound = None if slow is None else float(slow - MARGIN)
        fine = bound is None or now <= bound
        sentence = f"{now} °C" if fine else f"{now} °C, and it slows down at {slow} °C; look at its cooling"
        return [Finding("temperature", fine, now, bound, "°C", sentence)]

    def _throttling(self) -> list[Finding]:
        """Slowed down by heat or the power supply; a power cap that software set is how many machines are run."""
        nvml = self._nvml
        reasons = self._read(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, self._handle)
        if reasons is None:
            return []
        wrong = {
            "heat (hardware)": nvml.nvmlClocksThrottleReasonHwThermalSlowdown,
            "heat (driver)": nvml.nvmlClocksThrottleReasonSwThermalSlowdown,
            "the power brake": nvml.nvmlClocksThrottleReasonHwPowerBrakeSlowdown,
        }
        found = [reason for reason, bit in wrong.items() if reasons & bit]
        sentence = (
            f"slowed down by {' and '.join(found)}" if found else "not slowed down by heat or power supply"
        )
        return [Finding("slowdown", not found, float(len(found)), 0.0, "reasons", sentence)]

    def _clocks(self) -> list[Finding]:
        nvml = self._nvml
        now = self._read(nvml.nvmlDeviceGetClockInfo, self._handle, nvml.NVML_CLOCK_SM)
        top = self._read(nvml.nvmlDeviceGetMaxClockInfo, self._handle, nvml.NVML_CLOCK_SM)
        if now is None or not top:
            return []
        return [Finding("clock", True, now, None, "MHz", f"{now} MHz of {top}")]

    def _counters(self) -> list[Finding]:
        nvml, findings = self._nvml, []
        for kind, name in (
            (nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, "uncorrected"),
            (nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED, "corrected"),
        ):
            counted = self._read(nvml.nvmlDeviceGetTotalEccErrors, self._handle, kind, nvml.NVML_VOLATILE_ECC)
            if counted is None:
                continue
            bound = 0.0 if name == "uncorrected" else None
            sentence = f"{counted} {name} memory errors since the driver was loaded"
            fine = bound is None or not counted
            findings.append(Finding(f"{name} memory errors", fine, counted, bound, "errors", sentence))
        if not findings:
            sentence = "this device doesn't count memory errors, or error correction is off"
            return [Finding("memory errors", True, None, None, "errors", sentence)]
        return findings

    def _remapped_rows(self) -> list[Finding]:
        rows = self._read(self._nvml.nvmlDeviceGetRemappedRows, self._handle)
        if rows is None:
            return []
        corrected, uncorrected, pending, failed = (int(row) for row in rows)
        sentence = f"{corrected + uncorrected} rows of memory have been replaced"
        if pending:
            sentence += ", and more will be at the next reset of the device"
        if failed:
            sentence += "; replacing has failed, and the device should be exchanged"
        return [
            Finding(
                "replaced memory", not (pending or failed), corrected + uncorrected, None, "rows", sentence
            )
        ]

    def _xids(self) -> list[Finding]:
        if self._events is None:
            return []
        seen = []
        while (
            event := self._read(self._nvml.nvmlEventSetWait_v2, self._events, 1)
        ) is not None:  # 1 ms; then none
            seen.append(int(event.eventData))
        wrong = [xid for xid in seen if xid not in APPLICATION_XIDS]
        sentence = (
            f"the driver told of Xid {', '.join(map(str, wrong))}" if wrong else "no Xid during these checks"
        )
        return [Finding("Xid", not wrong, float(len(wrong)), 0.0, "Xids", sentence)]
