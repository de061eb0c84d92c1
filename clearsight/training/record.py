"""What a run leaves behind, written line by line so that a kill at any moment loses one line at most.

    record = Record(out)                               # rank 0 alone
    record.event("start", step=0, seconds=12.5, world_size=8)
    record.step(facts, verdict, fingerprint)
    record.samples(step, [(corpus, record), ...])

    run = read_run(out)                                # also while the run goes on
    run.steps[-1].facts.loss, run.ledger[100].samples

`record.jsonl` holds a line for each step and each event, `ledger.jsonl` the samples of each step. A run that was
killed or rolled back writes some steps again; the later line counts, the earlier ones are kept as superseded, so that
the time they took can be accounted for. Numbers that JSON can't hold (nan, infinity) are written as words.

Left out: what is saved to go on from (see checkpoint).
"""

import errno
import fcntl
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from clearsight.files import replace_file
from clearsight.training.facts import StepFacts
from clearsight.training.guards import Verdict

CONFIG, RECORD, LEDGER = "config.json", "record.jsonl", "ledger.jsonl"
_DURABLE = (
    "checkpoint",
    "rollback",
    "end",
)  # behind these events nothing before may be lost, even to a power cut
Sample = tuple[int, int]  # corpus, record


class RecordError(ValueError):
    """A run's folder that can't be read or written; the message says what to do."""


# ---------------------------------------------------------------------------------------------------
# Writing


class Record:
    """The pen of a run; one writer at a time, and opening it begins the next attempt.

    Each line is one write of a few hundred bytes to the kernel: it outlives a kill of the process, and costs a step
    a tenth of a millisecond (0.6 ms with 256 ranks and samples). RecordError if another process is writing this run.
    """

    def __init__(self, out: Path):
        out.mkdir(parents=True, exist_ok=True)
        self.out = out
        self._claim = _claim(out / ".writing")
        self._steps, self._ledger = _Appended(out / RECORD), _Appended(out / LEDGER)
        self.attempt = self._steps.last().get("attempt", 0) + 1

    def config(self, config: dict[str, Any], versions: dict[str, Any], machine: dict[str, Any]) -> None:
        """Write down what the run is, what runs it, and on what. Replaces what an earlier attempt wrote."""
        content = {"config": config, "versions": versions, "machine": machine}
        replace_file(self.out / CONFIG, json.dumps(_portable(content), indent=1, ensure_ascii=False) + "\n")

    def step(self, facts: StepFacts, verdict: Verdict, fingerprint: dict[str, Any]) -> None:
        """A step, what was decided on it, and an event for everything that a guard found except a clipped norm."""
        line = facts.to_json() | {
            "attempt": self.attempt,
            "action": verdict.action,
            "guard": verdict.guard,
            "reason": verdict.reason,
            "max_norm": verdict.max_norm,
            "fingerprint": fingerprint,
            "time": time.time(),
        }
        self._steps.append(line)
        if verdict.action not in ("go", "clip"):
            self.event("guard", facts.step, guard=verdict.guard, action=verdict.action, reason=verdict.reason)
        for warning in verdict.warnings:
            self.event("guard", facts.step, guard=warning.guard, action="warn", reason=warning.reason)

    def event(self, kind: str, step: int, seconds: float = 0.0, **more: Any) -> None:
        """Anything besides a step; `seconds` is what it took, up to now."""
        self._steps.append(
            {"event": kind, "attempt": self.attempt, "step": step, "time": time.time(), "seconds": seconds}
            | more
        )
        if kind in _DURABLE:
            self._steps.sync()
            self._ledger.sync()

    def samples(self, step: int, samples: Sequence[Sample]) -> None:
        """The samples (corpus, record) of a step, over all ranks, in the order of ranks, rows and places."""
        pairs = [list(sample) for sample in samples]
        self._ledger.append(
            {"step": step, "attempt": self.attempt, "samples": pairs, "sha256": hash_of(pairs)}
        )

    def close(self) -> None:
        """Give the run free for another writer."""
        self._steps.close()
        self._ledger.close()
        os.close(self._claim)


def hash_of(samples: Sequence[Sequence[int]]) -> str:
    """SHA-256 of a step's samples: of the decimal numbers, `corpus:record`, one to a line."""
    return hashlib.sha256("\n".join(f"{c}:{r}" for c, r in samples).encode()).hexdigest()


class _Appended:
    """A file of JSON lines that is only ever added to. Opening it takes away a last line that was torn by a kill."""

    def __init__(self, path: Path):
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            whole = _end_of_whole_lines(file, end)
        if whole < end:
            os.truncate(path, whole)

    def last(self) -> dict[str, Any]:
        """The last line that can be read, or nothing."""
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            for reach in (1 << 16, end):  # a line is never this long, unless the disk was full of noise
                file.seek(max(0, end - reach))
                for line in reversed(file.read().splitlines()):
                    if (found := _parsed(line)) is not None:
                        return found
        return {}

    def append(self, line: dict[str, Any]) -> None:
        left = (_line(line) + "\n").encode()
        while left:
            left = left[os.write(self._descriptor, left) :]

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _claim(path: Path) -> int:
    """Hold the run for this process until it ends, however it ends. File systems without locks are let pass."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            os.close(descriptor)
            raise RecordError(
                f"another process is writing the run in {path.parent}; stop it, or choose another folder"
            ) from None
    return descriptor


def _end_of_whole_lines(file: IO[bytes], end: int) -> int:
    block = 1 << 16
    while end > 0:
        start = max(0, end - block)
        file.seek(start)
        if (place := file.read(end - start).rfind(b"\n")) >= 0:
            return start + place + 1
        end = start
    return 0


def _line(content: dict[str, Any]) -> str:
    try:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:  # nan or an infinity: rare, and looking for them first would cost more than the rest
        return json.dumps(_portable(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _portable(value: Any) -> Any:
    """The same with nan and infinities as words, which every reader of JSON takes."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    return value


# ---------------------------------------------------------------------------------------------------
# Reading


@dataclass(frozen=True)
class StepLine:
    """A step as it was written down: what was measured, what was decided, and when it was over (Unix time)."""

    facts: StepFacts
    attempt: int
    action: str
    guard: str
    reason: str
    max_norm: float | None
    fingerprint: dict[str, Any]
    time: float


@dataclass(frozen=True)
class Event:
    """Something besides a step; `more` holds what this kind of event says. `time` is when it was over."""

    kind: str
    step: int
    attempt: int
    time: float
    seconds: float
    more: dict[str, Any]


@dataclass(frozen=True)
class LedgerLine:
    """The samples that a step was made of, and whether they still have the hash that was written with them."""

    step: int
    attempt: int
    samples: list[Sample]
    sha256: str

    @property
    def sound(self) -> bool:
        return hash_of(self.samples) == self.sha256


@dataclass
class Run:
    """All that is known of a run. `steps` are those that count, ascending; `superseded` were done again later."""

    out: Path
    config: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    steps: list[StepLine] = field(default_factory=list)
    superseded: list[StepLine] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    unreadable: int = 0  # lines

    @cached_property
    def ledger(self) -> "Ledger":
        """Read when it is first asked for, as far as it was written then."""
        return Ledger(self.out / LEDGER)

    def events_of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def add(self, line: dict[str, Any]) -> None:
        """One line of the record, in the order of writing."""
        if "event" in line:
            event = _event(line)
            self.events.append(event)
            if event.kind == "rollback":
                self._supersede(int(event.more.get("to", event.step)))
        else:
            step = _step(line)
            self._supersede(step.facts.step - 1)
            self.steps.append(step)

    def _supersede(self, last: int) -> None:
        """Steps behind `last` no longer count: what comes now was computed without them."""
        kept = len(self.steps)
        while kept and self.steps[kept - 1].facts.step > last:
            kept -= 1
        self.superseded += self.steps[kept:]
        del self.steps[kept:]


class Follower:
    """Reads a run, and later only what was added since."""

    def __init__(self, out: Path):
        self.run = Run(out)
        self._read = 0  # bytes

    def poll(self) -> Run:
        """The run as it stands. Raises RecordError where there is none, or its config is no JSON."""
        path = self.run.out / RECORD
        try:
            with path.open("rb") as file:
                file.seek(self._read)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # still being written, or torn
                    self._read += len(line)
                    self._take(line)
        except FileNotFoundError:
            raise RecordError(f"there is no run in {self.run.out}: {RECORD} is missing") from None
        if not self.run.config and (self.run.out / CONFIG).exists():
            self._read_config()
        return self.run

    def _take(self, line: bytes) -> None:
        found = _parsed(line)
        try:
            if found is None:
                raise ValueError
            self.run.add(found)
        except (KeyError, TypeError, ValueError):
            self.run.unreadable += 1

    def _read_config(self) -> None:
        try:
            content = json.loads((self.run.out / CONFIG).read_text(encoding="utf-8"))
            self.run.config = content["config"]
        except (KeyError, TypeError, ValueError):
            raise RecordError(f"{self.run.out / CONFIG} is not the config of a run; is it damaged?") from None
        self.run.versions, self.run.machine = content.get("versions", {}), content.get("machine", {})


def read_run(out: Path) -> Run:
    """The run in a folder, finished or not. Raises RecordError where there is none."""
    return Follower(out).poll()


class Ledger:
    """Which samples each step was made of; of two lines of a step, and of all steps behind it, the later one counts.

    Only places in the file are held in memory, so that long runs fit.
    """

    def __init__(self, path: Path):
        self.path = path
        self._places: dict[int, int] = {}  # ascending steps
        self.hashes: dict[int, str] = {}
        if path.exists():
            self._index()

    def _index(self) -> None:
        place = 0
        with self.path.open("rb") as file:
            for line in file:
                found = _parsed(line) if line.endswith(b"\n") else None
                if found is not None and "step" in found:
                    step = int(found["step"])
                    while self._places and next(reversed(self._places)) >= step:
                        del self.hashes[self._places.popitem()[0]]
                    self._places[step], self.hashes[step] = place, found["sha256"]
                place += len(line)

    def __contains__(self, step: int) -> bool:
        return step in self._places

    def __getitem__(self, step: int) -> LedgerLine:
        """Raises KeyError for a step that is not in the ledger."""
        place = self._places[step]
        with self.path.open("rb") as file:
            file.seek(place)
            return _ledger_line(json.loads(file.readline()))

    def __iter__(self) -> Iterator[LedgerLine]:
        """Lines that count, ascending."""
        with self.path.open("rb") if self._places else open(os.devnull, "rb") as file:
            for place in self._places.values():
                file.seek(place)
                yield _ledger_line(json.loads(file.readline()))

    def __len__(self) -> int:
        return len(self._places)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _step(line: dict[str, Any]) -> StepLine:
    numbers: dict[str, Any] = {name: float(line[name]) for name in ("loss", "grad_norm")}
    if "activations" in line:
        numbers["activations"] = {part: float(size) for part, size in line["activations"].items()}
    return StepLine(
        StepFacts.from_json(line | numbers),
        line["attempt"],
        line["action"],
        line.get("guard", ""),
        line.get("reason", ""),
        line.get("max_norm"),
        line.get("fingerprint", {}),
        line["time"],
    )


def _event(line: dict[str, Any]) -> Event:
    known = ("event", "step", "attempt", "time", "seconds")
    more = {name: value for name, value in line.items() if name not in known}
    return Event(line["event"], line["step"], line["attempt"], line["time"], line.get("seconds", 0.0), more)


def _ledger_line(line: dict[str, Any]) -> LedgerLine:
    samples = [(corpus, record) for corpus, record in line["samples"]]
    return LedgerLine(line["step"], line["attempt"], samples, line["sha256"])
