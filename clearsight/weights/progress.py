"""How a long download shows itself: a bar on a terminal, one line before and one after anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bar

# progress(title, total_bytes or None) is a context that gives a function taking the bytes done so far.
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def show_progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar with bytes, speed and time left on stderr; without a terminal, two plain lines.

    `total` is in bytes; None (not known beforehand) shows a spinner and the time elapsed instead.
    """
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        with announced(title, total):
            yield lambda done: None
        return
    text = TextColumn("{task.description}")
    columns = (
        (text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        if total
        else (SpinnerColumn(), text, DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
        if total:
            bar.update(task, completed=total)


@contextmanager
def announced(title: str, total: int | None) -> Iterator[None]:
    """One line before and one after, on stderr; the second only when nothing went wrong."""
    size = f" ({total / 1e6:.1f} MB)" if total else ""
    print(f"Fetching {title}{size} ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    yield
    print(f"Fetched {title} in {time.monotonic() - start:.1f} s.", file=sys.stderr, flush=True)
