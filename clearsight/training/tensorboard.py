"""The same figures for TensorBoard: event files of scalars, for who looks at many runs side by side.

    with Scalars(out) as show:             # beside the trainer's other `show`
        show("step", {"facts": facts, "verdict": verdict})

    write_scalars(out)                     # from the record of a run that did without

An event file is a row of records: length, checksum, message, checksum. The messages of scalars need four kinds of
field, which are written here: the libraries that do it bring a protocol compiler's runtime along, and take
milliseconds a step where this takes a fifth of one. Formats: tensorflow/core/util/event.proto,
tensorflow/core/framework/summary.proto and tensorflow/core/lib/io/record_writer.h.
"""

import os
import struct
import time
from pathlib import Path
from typing import Any

from clearsight.training.facts import StepFacts
from clearsight.training.record import read_run

FOLDER = "tensorboard"


class TensorBoardMissing(ImportError):
    """Never raised: the files are written without a library."""


class Scalars:
    """Writes what a trainer shows to `out`/tensorboard. A step that comes again voids what was written from it on."""

    def __init__(self, out: Path):
        folder = out / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        began = time.time()
        # TensorBoard reads files in the order of their names, so that the next attempt's comes later
        name = f"events.out.tfevents.{began:020.6f}.{os.getpid()}.clearsight"
        self._file = (folder / name).open(
            "wb", buffering=0
        )  # a record is one write: a kill leaves whole ones
        self._last: int | None = None
        self._write(_double(1, began) + _bytes(3, b"brain.Event:2"))

    def __enter__(self) -> "Scalars":
        return self

    def __exit__(self, *failure: Any) -> None:
        self._file.close()

    def __call__(self, kind: str, details: dict[str, Any]) -> None:
        """Takes note of "step" and "validation"; the rest of what a trainer shows has no figures."""
        if kind == "step":
            facts: StepFacts = details["facts"]
            if self._last is None or facts.step <= self._last:
                self._void(facts.step)
            self._add(facts.step, scalars(facts))
            self._last = facts.step
        elif kind == "validation":
            self._add(details["step"], {"loss/validation": details["loss"]})

    def _add(self, step: int, values: dict[str, float]) -> None:
        summary = b"".join(
            _bytes(1, _bytes(1, name.encode()) + _float(2, value)) for name, value in values.items()
        )
        self._write(_double(1, time.time()) + _integer(2, step) + _bytes(5, summary))

    def _void(self, step: int) -> None:
        """A session's start: TensorBoard drops what earlier files say of this step and later ones."""
        self._write(_double(1, time.time()) + _integer(2, step) + _bytes(7, _integer(1, 1)))

    def _write(self, message: bytes) -> None:
        length = struct.pack("<Q", len(message))
        checks = (struct.pack("<I", _masked(crc32c(part))) for part in (length, message))
        self._file.write(length + next(checks) + message + next(checks))


def scalars(facts: StepFacts) -> dict[str, float]:
    """Name and value of everything that is drawn of a step."""
    seconds = max(facts.seconds, 1e-9)
    found = {
        "loss/training": facts.loss,
        "gradient/norm": facts.grad_norm,
        "speed/tokens_per_second": facts.tokens / seconds,
        "speed/teraflops": facts.flops / seconds / 1e12,
        "speed/waiting_for_data": facts.data_wait / seconds,
    }
    found |= {f"rate/{name}": rate for name, rate in facts.rates.items()}
    return found | {f"activations/{name}": size for name, size in facts.activations.items()}


def write_scalars(out: Path) -> Path:
    """Event files of the steps that count, from the record alone; returns their folder."""
    run = read_run(out)
    validated = {event.step: event for event in run.events_of("validation")}
    with Scalars(out) as show:
        for line in run.steps:
            show("step", {"facts": line.facts})
            if event := validated.get(line.facts.step):
                show("validation", {"step": event.step, "loss": float(event.more["loss"])})
    return out / FOLDER


# ---------------------------------------------------------------------------------------------------
# Fields of protocol buffers (https://protobuf.dev/programming-guides/encoding), and the checksum of records


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; `value` is not negative."""
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _float(number: int, value: float) -> bytes:
    return _varint(number << 3 | 5) + struct.pack("<f", value)


def _table() -> list[int]:
    """CRC-32C of each single byte (RFC 3720, appendix B.4; the polynomial reflected)."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC_TABLE = _table()


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(crc: int) -> int:
    """As records hold it: a checksum of data that holds checksums would be weak."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
