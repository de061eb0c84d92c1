"""A run as it goes, on a terminal: where it is, how it does, and what the guards did.

    with Progress(out) as show:            # in the process that trains
        Trainer(config, out, show=show).run()

    watch(out)                             # any other process that sees the folder

Both show the same. Where there is no terminal, in a job's log, a plain line comes every few seconds instead.
Everything goes to standard error. Left out: whatever needs the whole run at once (see report).
"""

import math
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clearsight.training.facts import StepFacts
from clearsight.training.heartbeat import read_beat
from clearsight.training.record import Event, Follower, Run

BLOCKS = "▁▂▃▄▅▆▇█"
RECENT = 50  # steps that speeds and shares are taken over
CURVE = 60  # characters
NOTES = 6  # lines


def sparkline(values: Sequence[float], width: int = CURVE) -> str:
    """The course of a quantity as blocks of eight heights, `width` at most; × where it was no number.

    The scale goes from the least to the largest mean of what shares a block.
    """
    if not values:
        return ""
    count = min(width, len(values))
    cuts = [len(values) * i // count for i in range(count + 1)]
    means = []
    for first, end in pairwise(cuts):
        finite = [value for value in values[first:end] if math.isfinite(value)]
        means.append(fmean(finite) if finite else math.nan)
    known = [mean for mean in means if not math.isnan(mean)]
    if not known:
        return "×" * count
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        "×" if math.isnan(mean) else BLOCKS[min(7, int(8 * (mean - low) / span))] for mean in means
    )


def in_flops(flops: float) -> str:
    """FLOP/s in words."""
    return f"{flops / 1e12:.3g} TFLOP/s" if flops >= 1e11 else f"{flops / 1e9:.3g} GFLOP/s"


@dataclass
class Screen:
    """What is shown of a run, and the two ways to show it."""

    name: str
    steps: int = 0  # that the run is to have; 0 if not known
    peak_flops: float = 0.0  # of all ranks together; 0 if not known
    phase: str = ""
    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    recent: deque[tuple[float, StepFacts]] = field(default_factory=lambda: deque(maxlen=RECENT))
    actions: Counter[str] = field(default_factory=Counter)
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=NOTES))

    @classmethod
    def of(cls, run: Run) -> "Screen":
        """A run as it was read."""
        screen = cls(
            str(run.out),
            int(run.config.get("schedule", {}).get("steps", 0)),
            float(run.machine.get("peak_flops") or 0.0),
        )
        screen.losses = [line.facts.loss for line in run.steps]
        screen.norms = [line.facts.grad_norm for line in run.steps]
        attempt = run.steps[-1].attempt if run.steps else 0
        recent = [line for line in run.steps[-RECENT:] if line.attempt == attempt]
        screen.recent.extend((line.time, line.facts) for line in recent)
        screen.actions.update(line.action for line in run.steps)
        screen.notes.extend(
            _event_in_words(event) for event in run.events[-10 * NOTES :] if _worth_telling(event)
        )
        return screen

    def take(self, facts: StepFacts, action: str) -> None:
        """One step more, now."""
        if self.recent and facts.step <= self.recent[-1][1].step:  # rolled back
            behind = self.recent[-1][1].step - facts.step + 1
            del self.losses[-behind:], self.norms[-behind:]
            self.recent.clear()
        self.losses.append(facts.loss)
        self.norms.append(facts.grad_norm)
        self.recent.append((time.time(), facts))
        self.actions[action] += 1

    # --- figures

    @property
    def last(self) -> StepFacts | None:
        return self.recent[-1][1] if self.recent else None

    def _recent(self) -> list[tuple[float, StepFacts]]:
        """A copy: the thread that draws must not meet a change while it counts."""
        return list(self.recent)

    def seconds_a_step(self) -> float:
        """Of the clock: with whatever lies between the steps."""
        recent = self._recent()
        if len(recent) < 2:
            return recent[-1][1].seconds if recent else 0.0
        (began, first), (ended, last) = recent[0], recent[-1]
        return (ended - began) / max(1, last.step - first.step)

    def time_left(self) -> str:
        left = max(0, self.steps - self.last.step) if self.last else 0
        return str(timedelta(seconds=round(left * self.seconds_a_step()))) if self.steps else "unknown"

    def speed(self) -> str:
        """Tokens a second, and the model's FLOP/s as a share of the peak where that is known."""
        seconds = sum(facts.seconds for _, facts in self._recent()) or 1.0
        tokens = sum(facts.tokens for _, facts in self._recent()) / seconds
        flops = sum(facts.flops for _, facts in self._recent()) / seconds
        used = f"MFU {flops / self.peak_flops:.1%}" if self.peak_flops else in_flops(flops)
        return f"{tokens:,.0f} tokens/s, {used}"

    def data_wait(self) -> str:
        seconds = sum(facts.seconds for _, facts in self._recent()) or 1.0
        return f"{sum(facts.data_wait for _, facts in self._recent()) / seconds:.1%} of the time"

    def mix(self) -> str:
        drawn: Counter[str] = Counter()
        for _, facts in self._recent():
            drawn.update(facts.corpora)
        total = drawn.total() or 1
        return ", ".join(f"{_short(name)} {count / total:.0%}" for name, count in drawn.most_common(5))

    def _guarded(self) -> str:
        told = [f"{self.actions[action]} {word}" for action, word in _ACTED.items() if self.actions[action]]
        return ", ".join(told) or "nothing to do"

    # --- showing

    def line(self) -> str:
        """All that matters in one line of a log."""
        if self.last is None:
            return f"{self.name}: {self.phase or 'starting'}"
        of = f"/{self.steps}" if self.steps else ""
        text = (
            f"step {self.last.step}{of}, loss {self.last.loss:.4f}, norm {self.last.grad_norm:.3g}, {self.speed()}, "
            f"waiting for data {self.data_wait()}, {self.time_left()} left"
        )
        acted = self._guarded()
        return text if acted == "nothing to do" else f"{text}; steps {acted}"

    def render(self) -> RenderableType:
        """A panel, 80 characters or more across."""
        last = self.last
        if last is None:
            return Panel(Text(self.phase or "starting"), title=self.name, title_align="left")
        smooth = [loss for loss in self.losses[-RECENT:] if math.isfinite(loss)]
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(no_wrap=True, min_width=24)
        grid.add_column(no_wrap=True)
        loss = f"{last.loss:.4f}" + (f" (mean {fmean(smooth):.4f})" if smooth else "")
        norms = [norm for norm in self.norms[-RECENT:] if math.isfinite(norm)]
        norm = f"{last.grad_norm:.3g}" + (f" (median {median(norms):.3g})" if norms else "")
        grid.add_row("loss", loss, sparkline(self.losses))
        grid.add_row("norm", norm, sparkline(self.norms))
        rows = [
            ("speed", f"{self.speed()}, {self.seconds_a_step():.3g} s a step"),
            ("data wait", self.data_wait()),
        ]
        if last.rates:
            rows.append(("rates", ", ".join(f"{name} {rate:.2e}" for name, rate in last.rates.items())))
        if last.corpora:
            rows.append(("mix", self.mix()))
        rows.append(("guards", self._guarded()))
        if self.phase:
            rows.append(("now", self.phase))
        more = Table.grid(padding=(0, 2))
        more.add_column(style="bold", no_wrap=True)
        more.add_column()
        for name, text in rows:
            more.add_row(name, Text(text))
        parts: list[RenderableType] = [self._head(last), grid, more]
        parts += [Text(note, style="dim") for note in self.notes]
        return Panel(Group(*parts), title=self.name, title_align="left")

    def _head(self, last: StepFacts) -> RenderableType:
        if not self.steps:
            return Text(f"step {last.step}")
        head = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=self.steps, completed=last.step, width=30)
        head.add_row(
            f"step {last.step} of {self.steps}",
            bar,
            f"{last.step / self.steps:.0%}",
            f"{self.time_left()} left",
        )
        return head


_ACTED = {"clip": "clipped", "skip": "skipped", "rollback": "rolled back", "stop": "stopped at"}


class Progress:
    """What a trainer shows in its own process; call it as the trainer's `show`. A context that gives itself.

    On a terminal the screen is drawn by a thread twice a second, so that a step pays microseconds; elsewhere a line is
    written every `every` seconds, and at the last step.
    """

    def __init__(
        self, out: Path, *, every: float = 10.0, peak_flops: float = 0.0, console: Console | None = None
    ):
        self.console = console or Console(stderr=True, highlight=False)
        self.screen = Screen(str(out), peak_flops=peak_flops)
        self._every, self._told = every, -math.inf
        self._live: Live | None = None
        if self.console.is_terminal:
            self._live = Live(
                console=self.console, get_renderable=self.screen.render, refresh_per_second=2, transient=False
            )

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self.screen.phase = ""
        if self._live:
            self._live.stop()

    def __call__(self, kind: str, details: dict[str, Any]) -> None:
        """Something happened: "phase", "progress", "note", "step" or "validation", with what the trainer says of it."""
        if kind == "step":
            facts, verdict = details["facts"], details["verdict"]
            self.screen.steps, self.screen.phase = details["steps"], ""
            self.screen.take(facts, verdict.action)
            if verdict.action not in ("go", "clip"):
                self._note(f"step {facts.step}: {verdict.action}. {verdict.reason}")
            for warning in verdict.warnings:
                self._note(f"step {facts.step}: {warning.reason}")
            self._line(last=facts.step == details["steps"])
        elif kind == "validation":
            self._note(f"step {details['step']}: validation loss {details['loss']:.4f}")
        elif kind == "progress":
            total = details.get("total")
            share = f" of {total:,} ({details['done'] / total:.0%})" if total else ""
            self.screen.phase = f"{details['text']}: {details['done']:,}{share}"
            self._line()
        elif kind == "phase":
            self.screen.phase = details["text"]
            if not self._live:
                self._print(details["text"])
        else:
            self._note(details["text"])

    def _note(self, text: str) -> None:
        self.screen.notes.append(text)
        if not self._live:
            self._print(text)

    def _line(self, last: bool = False) -> None:
        now = time.monotonic()
        if self._live or (now - self._told < self._every and not last):
            return
        self._told = now
        self._print(self.screen.phase or self.screen.line())

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)


def watch(out: Path, *, every: float = 10.0, console: Console | None = None) -> None:
    """Follow a run until it ends or one interrupts; RecordError where there is none. A finished run is shown once."""
    console = console or Console(stderr=True, highlight=False)
    follower = Follower(out)
    screen = _as_seen(follower.poll())
    if not console.is_terminal:
        while True:
            console.print(screen.line(), markup=False, soft_wrap=True)
            if _ended(follower.run):
                return
            time.sleep(every)
            screen = _as_seen(follower.poll())
    with Live(screen.render(), console=console, auto_refresh=False) as live:
        while not _ended(follower.run):
            time.sleep(1)
            live.update(_as_seen(follower.poll()).render(), refresh=True)


def _as_seen(run: Run) -> Screen:
    """The screen with what only someone outside can tell: what rank 0 does, and how long nothing has come."""
    screen = Screen.of(run)
    ended = _ended(run)
    if ended:
        screen.phase = f"ended: {ended.more.get('cause', 'finished')}"
    elif beat := read_beat(run.out, 0):
        screen.phase = f"rank 0 is {beat.phase}, step {beat.step}, since {time.time() - beat.time:.0f} s"
    return screen


def _ended(run: Run) -> Event | None:
    """The end of the last attempt, if it has one."""
    lifetimes = [event for event in run.events if event.kind in ("start", "end")]
    return lifetimes[-1] if lifetimes and lifetimes[-1].kind == "end" else None


def _worth_telling(event: Event) -> bool:
    return event.kind in ("guard", "rollback", "validation", "doctor") or (
        event.kind == "start" and event.attempt > 1
    )


def _event_in_words(event: Event) -> str:
    if event.kind == "guard":
        said = f"{event.more.get('action', '')}. {event.more.get('reason', '')}"
    elif event.kind == "rollback":
        said = f"went back to step {event.more.get('to')}"
    elif event.kind == "validation":
        said = f"validation loss {float(event.more['loss']):.4f}"
    elif event.kind == "start":
        said = f"attempt {event.attempt} began"
    else:
        said = f"{event.kind}: {event.more.get('cause', event.more.get('reason', ''))}"
    return f"step {event.step}: {said}"


def _short(name: str) -> str:
    return Path(name).name or name
