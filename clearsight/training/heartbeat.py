"""Signs of life: which rank is where, and what happens when one of them stands still.

    heart = Heartbeat(out, rank, world_size, patience=600)
    heart.beat("computing", step)          # as often as wanted: it sets a variable
    heart.stop()

A rank that waits for another one in a collective operation waits forever, silently, and every accelerator idles. So a
daemon thread of each rank looks at the time of its own main thread's last beat. When that lies `patience` seconds back
it writes down where every thread stands (`heartbeats/stacks-3.txt`) and which rank is furthest behind
(`heartbeats/alarm.json`), and ends the process with code 75, upon which a launcher starts the run again.

Every rank also keeps its last beat in `heartbeats/rank-00003.json`. A rank reads the others' only once it is alarmed:
a step is done by all ranks or none, so when one stands still, all do, and reading every rank's file from every
rank all the time would be the heaviest load on a shared file system. Processes that are gone are the launcher's to see.
"""

import contextlib
import faulthandler
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from clearsight.files import replace_file

FOLDER = "heartbeats"
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h
OnHang = Callable[[int, str, float], None]  # rank, phase, seconds


@dataclass(frozen=True)
class Beat:
    """A rank's last sign of life; `time` is Unix time."""

    rank: int
    phase: str
    step: int
    time: float


@dataclass(frozen=True)
class Alarm:
    """The first rank that lost patience, after how many seconds, and the rank that gave no sign for longest."""

    rank: int
    phase: str
    step: int
    seconds: float
    behind: Beat
    time: float

    @property
    def sentence(self) -> str:
        own = f"Rank {self.rank} has stood still in step {self.step}, {self.phase}, for {self.seconds:.0f} s"
        if self.behind.rank == self.rank:
            return f"{own}; no other rank has been silent for longer."
        silent = self.time - self.behind.time
        return (
            f"{own}; rank {self.behind.rank} has been silent for longest: {silent:.0f} s, in step "
            f"{self.behind.step}, {self.behind.phase}."
        )


class Heartbeat:
    """One rank's signs of life, and the thread that misses them.

    `on_hang` is called from that thread, once; the default ends the process with TRY_AGAIN. A process that was itself
    suspended (a debugger, a laptop's lid) is not taken for hung.
    """

    def __init__(
        self, out: Path, rank: int, world_size: int, patience: float = 600.0, on_hang: OnHang | None = None
    ):
        self.folder, self.rank, self.world_size, self.patience = out / FOLDER, rank, world_size, patience
        self.folder.mkdir(parents=True, exist_ok=True)
        self._on_hang = on_hang or _leave
        self._interval = min(10.0, patience / 20)
        self._began = time.time()
        self._stopped = threading.Event()
        self.beat("starting", 0)
        self._write(self._last)
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)
        self._thread.start()

    def beat(self, phase: str, step: int) -> None:
        """Say what the main thread begins to do. Costs about a microsecond: the file is the other thread's work."""
        self._last = Beat(self.rank, phase, step, time.time())
        self._since = time.monotonic()

    def stop(self) -> None:
        """No beats come any more, and none are missed."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        written, looked = self._last, time.monotonic()
        while not self._stopped.wait(self._interval):
            now = time.monotonic()
            away, looked = now - looked - self._interval, now
            if away > self.patience / 2:
                self._since += away  # this thread did not run either: the whole process was suspended
            if (silent := now - self._since) > self.patience:
                self._alarm(self._last, silent)
                return
            if self._last != written:
                written = self._last
                self._write(written)

    def _write(self, beat: Beat) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end the watch
            replace_file(_path(self.folder, self.rank), json.dumps(asdict(beat)))

    def _alarm(self, last: Beat, silent: float) -> None:
        self._write(last)
        with contextlib.suppress(OSError), (self.folder / f"stacks-{self.rank}.txt").open("w") as file:
            faulthandler.dump_traceback(file, all_threads=True)
        behind = min((beat for beat in self._beats() if beat), key=lambda beat: beat.time, default=last)
        alarm = Alarm(self.rank, last.phase, last.step, silent, behind, time.time())
        earlier = read_alarm(self.folder.parent)
        if earlier is None or earlier.time < self._began:
            with contextlib.suppress(OSError):
                replace_file(self.folder / "alarm.json", json.dumps(asdict(alarm)))
        stacks = self.folder / f"stacks-{self.rank}.txt"
        print(f"{alarm.sentence} Where its threads stand: {stacks}", file=sys.stderr, flush=True)
        self._on_hang(self.rank, last.phase, silent)

    def _beats(self) -> list[Beat | None]:
        return [read_beat(self.folder.parent, rank) for rank in range(self.world_size)]


def read_beat(out: Path, rank: int) -> Beat | None:
    """A rank's last written beat, if there is one."""
    try:
        return Beat(**json.loads(_path(out / FOLDER, rank).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def read_alarm(out: Path) -> Alarm | None:
    """Why the last attempt stood still, if it did."""
    try:
        found = json.loads((out / FOLDER / "alarm.json").read_text())
        return Alarm(**(found | {"behind": Beat(**found["behind"])}))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def take_alarm(out: Path) -> Alarm | None:
    """The same, once: for the attempt that comes after, to write it into the record."""
    alarm = read_alarm(out)
    (out / FOLDER / "alarm.json").unlink(missing_ok=True)
    return alarm


class DiskFull(OSError):
    """Too little room for what is about to be written."""


def free_space(out: Path, needed: int = 0) -> int:
    """Bytes free where `out` lies. Raises DiskFull if they are fewer than `needed`: before anything is half written."""
    free = shutil.disk_usage(out).free
    if free < needed:
        raise DiskFull(
            f"{out} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed for a checkpoint. Make room, or "
            "keep fewer checkpoints; the run goes on from the last one when it is started again"
        )
    return free


def _path(folder: Path, rank: int) -> Path:
    return folder / f"rank-{rank:05d}.json"


def _leave(rank: int, phase: str, seconds: float) -> None:
    os._exit(TRY_AGAIN)
