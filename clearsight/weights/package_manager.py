"""Runs pip or npm to fetch one archive, and shows how far it is.

Progress is the growth of the file the program writes, which works with every version of it. The program never
outlives the fetch: on Ctrl-C, or on any error here, it is stopped before its folder is swept.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.1


def run(
    command: list[str],
    *,
    said: Path,
    watched: Path,
    suffix: str,
    update: Callable[[int], None],
    folder: Path | None = None,
    variables: dict[str, str] | None = None,
) -> int:
    """Run `command` to its end and give its exit status; what it prints lands in the file `said`.

    `update` is told the size in bytes of the largest file below `watched` whose name ends in `suffix`. `folder` is
    where the program runs, `variables` are added to its environment.
    """
    with said.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(variables or {})},
        )
        done = 0
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                done = max(done, _largest_file(watched, suffix))  # the file goes away at the end
                update(done)
        finally:
            _end(process)
    return process.returncode


def last_line(text: str) -> str:
    """What a program said last, for an error that has no better explanation."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _largest_file(folder: Path, suffix: str) -> int:
    """Size in bytes; the program renames and removes while we look."""
    largest = 0
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffix):
                try:
                    largest = max(largest, os.stat(os.path.join(root, name)).st_size)
                except FileNotFoundError:
                    continue
    return largest


def _end(process: subprocess.Popen) -> None:
    """Stop the program if it still runs, as when the user pressed Ctrl-C."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
