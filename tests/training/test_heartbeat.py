"""A rank that stands still must end the run within the patience it was given, and say where; a slow one must not."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from clearsight.training.heartbeat import (
    TRY_AGAIN,
    DiskFull,
    Heartbeat,
    free_space,
    read_alarm,
    read_beat,
    take_alarm,
)


def run(code: str, out: Path) -> subprocess.Popen:
    head = "import time; from pathlib import Path; from clearsight.training.heartbeat import Heartbeat\n"
    head += f"out = Path({str(out)!r})\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_main_thread_that_hangs_ends_the_process_with_its_stacks_written_down(tmp_path):
    hung = run(
        """
        def collective_that_never_ends():
            time.sleep(600)
        heart = Heartbeat(out, 0, 1, patience=0.4)
        heart.beat("computing", 7)
        collective_that_never_ends()
        """,
        tmp_path,
    )
    _, said = hung.communicate(timeout=30)
    assert hung.returncode == TRY_AGAIN
    assert "step 7, computing" in said
    assert "collective_that_never_ends" in (tmp_path / "heartbeats" / "stacks-0.txt").read_text()
    alarm = take_alarm(tmp_path)
    assert alarm is not None and (alarm.phase, alarm.step) == ("computing", 7) and alarm.seconds > 0.4
    assert take_alarm(tmp_path) is None  # told once


def test_the_rank_that_was_silent_for_longest_is_named(tmp_path):
    hangs: list[tuple[int, str, float]] = []
    waits = threading.Event()

    def noted(rank: int, phase: str, seconds: float) -> None:
        hangs.append((rank, phase, seconds))
        waits.set()

    stuck = Heartbeat(tmp_path, 1, 2, patience=100)
    stuck.beat("waiting for data", 3)
    time.sleep(0.1)
    waiting = Heartbeat(tmp_path, 0, 2, patience=0.4, on_hang=noted)
    waiting.beat("computing", 3)
    assert waits.wait(5)
    waiting.stop()
    stuck.stop()
    alarm = read_alarm(tmp_path)
    assert hangs[0][:2] == (0, "computing") and alarm is not None
    assert alarm.behind.rank == 1 and "rank 1 has been silent for longest" in alarm.sentence


def test_a_slow_rank_that_still_beats_is_left_alone(tmp_path):
    hangs: list[int] = []
    heart = Heartbeat(tmp_path, 0, 1, patience=0.4, on_hang=lambda *hang: hangs.append(1))
    for step in range(10):
        heart.beat("computing", step)
        time.sleep(0.1)
    heart.stop()
    time.sleep(0.5)
    assert not hangs and read_alarm(tmp_path) is None
    beat = read_beat(tmp_path, 0)
    assert beat is not None and beat.step >= 8


def test_a_process_that_was_suspended_is_not_taken_for_hung(tmp_path):
    process = run(
        """
        heart = Heartbeat(out, 0, 1, patience=3.0)
        started = time.process_time()
        print("started", flush=True)
        for step in range(1, 4):
            heart.beat("computing", step)
            while time.process_time() < started + 0.2 * step:
                pass  # what stands still while the process is suspended
        heart.stop()
        """,
        tmp_path,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGSTOP)
    time.sleep(5.0)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_beats_cost_a_step_nothing(tmp_path):
    heart = Heartbeat(tmp_path, 0, 1)
    began = time.perf_counter()
    for step in range(1000):
        heart.beat("computing", step)
    heart.stop()
    assert time.perf_counter() - began < 0.5  # a thousand of them


def test_a_full_disk_is_told_before_anything_is_written(tmp_path):
    assert free_space(tmp_path) > 0
    with pytest.raises(DiskFull, match="needed for a checkpoint"):
        free_space(tmp_path, 1 << 60)
