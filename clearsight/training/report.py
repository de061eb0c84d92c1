"""A run as one page of HTML that needs nothing else: no script, no other file, no network.

    write_report(out)     # out/report.html; also of a run that still goes on

Plots of everything that a step measures, what the guards did and why, where the time went, the settings, and the
fingerprints by which another run can be compared. The page is made to be read by ear as well: headings in order, a
sentence to every plot, and its figures in a table beside it. It follows the reader's light or dark setting.
"""

import html
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from clearsight.data.html_table import TABLE_STYLE, html_table
from clearsight.files import replace_file
from clearsight.training.goodput import CAUSES, TRAINING, goodput, share
from clearsight.training.plots import Plot, Series, bars, number, smooth
from clearsight.training.record import Run, StepLine, read_run

REPORT = "report.html"
WINDOW = 20  # steps whose throughput is taken together
CORPORA_SHOWN = 5  # in the plot of the mix; the others are added up
LEGEND = 18  # characters
GUARDS_SHOWN = 200  # lines of the table
FINGERPRINTS_SHOWN = 12

STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #59616b;
  --one: #2a6fb0; --two: #b5541f; --three: #3f7d3a; --four: #8a4a9e; --five: #8a6d00; --six: #a83250; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a9b2bd;
  --one: #6db3f2; --two: #f0a070; --three: #86cc80; --four: #cfa0e0; --five: #e0c050; --six: #f08fa8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
.quiet { color: var(--quiet); }
figure { margin: 1.5rem 0; }
figure svg { width: 100%; height: auto; stroke-linejoin: round; }
figcaption { color: var(--quiet); }
summary { cursor: pointer; }
code { font-size: .9em; }
"""


def write_report(out: Path) -> Path:
    """Write the report of the run in `out` and return its path.

    Raises RecordError where there is no run, PlotsMissing without matplotlib.
    """
    path = out / REPORT
    replace_file(path, to_html(read_run(out)))
    return path


def to_html(run: Run) -> str:
    """The page."""
    title = f"Training run {html.escape(str(run.config.get('name') or run.out.name))}"
    body = [f"<h1>{title}</h1>", f"<p>{html.escape(_summary(run))}</p>"]
    if run.steps:
        body += ["<h2>Learning</h2>", *_figures(run, (_loss, _norms, _rates, _activations))]
        body += ["<h2>Speed</h2>", *_figures(run, (_throughput, _used, _waiting))]
        body += ["<h2>Data</h2>", *_figures(run, (_mix,)), _corpora_table(run)]
    body += ["<h2>Where the time went</h2>", _time(run)]
    body += ["<h2>What the guards did</h2>", _guards(run)]
    body += ["<h2>Attempts</h2>", _attempts(run)]
    body += ["<h2>Fingerprints</h2>", _fingerprints(run)]
    body += ["<h2>Settings</h2>", _settings(run)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}{TABLE_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _summary(run: Run) -> str:
    """What someone wants to know who reads one paragraph."""
    if not run.steps:
        return "No step of this run was recorded yet."
    last = run.steps[-1].facts
    planned = run.config.get("schedule", {}).get("steps")
    end = [event for event in run.events if event.kind in ("start", "end")][-1:]
    ended = end[0].more.get("cause", "finished") if end and end[0].kind == "end" else "not ended"
    tokens = sum(line.facts.tokens for line in run.steps)
    parts = [
        f"{last.step:,}{f' of {planned:,}' if planned else ''} steps, {tokens:,} tokens. State: {ended}.",
        f"Loss {number(last.loss)}.",
    ]
    if validated := run.events_of("validation"):
        losses = [float(event.more["loss"]) for event in validated]
        parts.append(f"Validation loss {number(losses[-1])}, best {number(min(losses))}.")
    spent = goodput(run)
    parts.append(f"Goodput {share(spent)[TRAINING]:.1%} of {_duration(sum(spent.values()))}.")
    peak = _peak(run)
    if peak:
        seconds = sum(line.facts.seconds for line in run.steps)
        parts.append(f"MFU {sum(line.facts.flops for line in run.steps) / seconds / peak:.1%}.")
    acted = Counter(line.action for line in run.steps if line.action != "go")
    acted["rollback"] = len(run.events_of("rollback"))
    told = [f"{count} {word}" for word, count in acted.items() if count]
    parts.append(f"Steps with an action of the guards: {', '.join(told) or 'none'}.")
    return " ".join(parts)


# ---------------------------------------------------------------------------------------------------
# Plots


def _loss(run: Run) -> Plot:
    steps, losses = _over(run.steps, lambda line: line.facts.loss)
    taken = [line.facts.loss if line.action in ("go", "clip") else math.nan for line in run.steps]
    series = [
        Series("loss of each step", steps, losses, faint=True),
        Series("moving average", steps, smooth(taken)),
    ]
    if validated := run.events_of("validation"):
        x, y = [e.step for e in validated], [float(e.more["loss"]) for e in validated]
        series.append(Series("validation", x, y, marker="D"))
    known = [loss for loss in losses if math.isfinite(loss)]
    wide = bool(known) and 0 < 3 * min(known) < max(known)
    return Plot("Loss", "nats a token", tuple(series), log=wide)


def _norms(run: Run) -> Plot:
    steps, norms = _over(run.steps, lambda line: line.facts.grad_norm)
    series = [Series("before clipping", steps, norms, faint=True)]
    for action, name, marker in (("clip", "clipped to", "v"), ("skip", "skipped", "X")):
        met = [line for line in run.steps if line.action == action]
        if met:
            y = [line.facts.grad_norm if line.max_norm is None else line.max_norm for line in met]
            series.append(Series(name, [line.facts.step for line in met], y, marker=marker))
    positive = all(norm > 0 for norm in norms if math.isfinite(norm))
    return Plot("Norm of the gradient", "norm", tuple(series), log=positive)


def _rates(run: Run) -> Plot:
    return Plot("Learning rates", "rate", _by_name(run, lambda line: line.facts.rates))


def _activations(run: Run) -> Plot:
    series = _by_name(run, lambda line: line.facts.activations)
    positive = all(value > 0 for one in series for value in one.y if math.isfinite(value))
    return Plot(
        "Activations that each part hands on", "root mean square", series, log=positive and bool(series)
    )


def _throughput(run: Run) -> Plot:
    steps, speeds = _over(run.steps, lambda line: line.facts.tokens / max(line.facts.seconds, 1e-9))
    series = (
        Series("each step", steps, speeds, faint=True),
        Series(f"median of {WINDOW}", steps, _medians(speeds)),
    )
    return Plot("Throughput", "tokens a second", series, from_zero=True)


def _used(run: Run) -> Plot:
    peak = _peak(run)
    steps, speeds = _over(run.steps, lambda line: line.facts.flops / max(line.facts.seconds, 1e-9))
    if peak:
        used = [speed / peak for speed in speeds]
        name = "share of the accelerators' peak"
        return Plot("MFU", "share of the peak", (Series(name, steps, _medians(used)),), share=True)
    teraflops = [speed / 1e12 for speed in speeds]
    return Plot(
        "What the model needs", "TFLOP/s", (Series(f"median of {WINDOW}", steps, _medians(teraflops)),)
    )


def _waiting(run: Run) -> Plot:
    steps, waits = _over(run.steps, lambda line: line.facts.data_wait / max(line.facts.seconds, 1e-9))
    series = (
        Series("each step", steps, waits, faint=True),
        Series("moving average", steps, smooth(waits)),
    )
    return Plot("Waiting for data", "share of the step", series, share=True)


def _mix(run: Run) -> Plot:
    """Shares of the samples; a stretch of steps at a time, since a step draws few."""
    totals: Counter[str] = Counter()
    for line in run.steps:
        totals.update(line.facts.corpora)
    names = [name for name, _ in totals.most_common(CORPORA_SHOWN)]
    stretch = max(1, len(run.steps) // 100)
    steps, shares = [], []
    for first in range(0, len(run.steps), stretch):
        drawn: Counter[str] = Counter()
        for line in run.steps[first : first + stretch]:
            drawn.update(line.facts.corpora)
        steps.append(float(run.steps[first].facts.step))
        shares.append({name: count / drawn.total() for name, count in drawn.items()} if drawn else {})
    series = [Series(_short(name), steps, [of.get(name, 0.0) for of in shares]) for name in names]
    if len(totals) > len(names):
        series.append(
            Series("others", steps, [1 - sum(of.get(name, 0.0) for name in names) for of in shares])
        )
    return Plot("Mix of the corpora", "share of the samples", tuple(series), share=True, stacked=True)


def _over(lines: Sequence[StepLine], value: Any) -> tuple[list[float], list[float]]:
    return [float(line.facts.step) for line in lines], [float(value(line)) for line in lines]


def _by_name(run: Run, values: Any) -> tuple[Series, ...]:
    names = dict.fromkeys(name for line in run.steps for name in values(line))
    return tuple(
        Series(name, *_over(run.steps, lambda line, name=name: values(line).get(name, math.nan)))
        for name in names
    )


def _medians(values: Sequence[float]) -> list[float]:
    return [median(values[max(0, end - WINDOW) : end]) for end in range(1, len(values) + 1)]


def _peak(run: Run) -> float:
    """FLOP/s of all ranks together; 0 if the record does not tell."""
    return float(run.machine.get("peak_flops") or 0.0)


def _figures(run: Run, plots: Sequence[Any]) -> list[str]:
    """Each plot that has something to show, with its sentence and its table."""
    found = []
    for plot in (make(run) for make in plots):
        if not any(series.x for series in plot.series):
            continue
        names, rows = plot.rows()
        caption, name = f"{plot.title}, {plot.unit}", plot.title.lower().replace(" ", "-")
        found.append(
            f"<figure>{plot.svg(name)}<figcaption>{html.escape(plot.words)}</figcaption>"
            f"<details><summary>{html.escape(plot.title)} as a table</summary>"
            f"{html_table(caption, names, rows)}</details>"
            "</figure>"
        )
    return found


# ---------------------------------------------------------------------------------------------------
# Tables


def _corpora_table(run: Run) -> str:
    totals: Counter[str] = Counter()
    for line in run.steps:
        totals.update(line.facts.corpora)
    rows = [(name, count, f"{count / totals.total():.1%}") for name, count in totals.most_common()]
    return html_table("Samples drawn from each corpus", ("corpus", "samples", "share"), rows) if rows else ""


def _time(run: Run) -> str:
    spent = goodput(run)
    if not spent:
        return "<p>No step was taken yet.</p>"
    shares = share(spent)
    met = {cause: part for cause, part in shares.items() if spent[cause] > 0}
    words = ", ".join(f"{cause} {part:.1%}" for cause, part in met.items())
    rows = [(cause, _duration(spent[cause]), f"{part:.1%}", CAUSES[cause]) for cause, part in met.items()]
    return (
        f"<figure>{bars('Time by cause', met, words, 'time')}<figcaption>Goodput is the share of training.</figcaption>"
        f"</figure>{html_table('Time by cause', ('cause', 'time', 'share', 'what it is'), rows)}"
    )


def _guards(run: Run) -> str:
    clipped = sum(line.action == "clip" for line in run.steps)
    told = [event for event in run.events if event.kind in ("guard", "rollback", "doctor")]
    rows = []
    for event in told[-GUARDS_SHOWN:]:
        guard = event.more.get("guard", event.kind)
        action = event.more.get("action", "")
        reason = event.more.get("reason", "")
        if event.kind == "rollback":
            action = f"back to step {event.more.get('to')}"
        rows.append((event.step, event.attempt, str(guard).replace("_", " "), action, reason))
    said = f"<p>{clipped:,} steps were taken with a clipped gradient."
    if len(told) > GUARDS_SHOWN:
        said += f" The last {GUARDS_SHOWN} of {len(told):,} other events:"
    said += "</p>" if rows else " Nothing else happened.</p>"
    names = ("step", "attempt", "guard", "action", "why")
    return said + (html_table("Findings of the guards", names, rows) if rows else "")


def _attempts(run: Run) -> str:
    rows = []
    for start in run.events_of("start"):
        lines = [line for line in [*run.superseded, *run.steps] if line.attempt == start.attempt]
        end = next((e for e in run.events_of("end") if e.attempt == start.attempt), None)
        rows.append(
            (
                start.attempt,
                datetime.fromtimestamp(start.time, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
                start.more.get("world_size", ""),
                start.more.get("resumed_from") or "the beginning",
                max((line.facts.step for line in lines), default="none"),
                end.more.get("cause", "") if end else "no end was written: killed, or still running",
            )
        )
    names = ("attempt", "began", "ranks", "from step", "last step", "how it ended")
    return (
        html_table("Processes that worked on this run", names, rows) if rows else "<p>None was recorded.</p>"
    )


def _fingerprints(run: Run) -> str:
    if not run.steps:
        return "<p>None yet.</p>"
    count = len(run.steps)
    places = sorted({round(i * (count - 1) / (FINGERPRINTS_SHOWN - 1)) for i in range(FINGERPRINTS_SHOWN)})
    names = list(run.steps[-1].fingerprint)
    rows = []
    for line in (run.steps[place] for place in places):
        samples = run.ledger.hashes.get(line.facts.step, "none")[:16]
        rows.append((line.facts.step, *(str(line.fingerprint.get(name, "")) for name in names), samples))
    said = (
        "<p>Two runs with equal settings on equal machines have equal ones; <code>clearsight train diff</code> "
        "compares all.</p>"
    )
    return said + html_table("Fingerprints of some steps", ("step", *names, "samples"), rows)


def _settings(run: Run) -> str:
    tables = []
    for caption, values in (
        ("What the run is", run.config),
        ("Versions", run.versions),
        ("Machine", run.machine),
    ):
        rows = list(_flat(values))
        if rows:
            tables.append(html_table(caption, ("setting", "value"), rows))
    return "".join(tables) or "<p>They were not recorded.</p>"


def _flat(values: dict[str, Any], where: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found += _flat(value, f"{where}{name}.")
        else:
            found.append((where + name, str(value)))
    return found


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else str(timedelta(seconds=round(seconds)))


def _short(name: str) -> str:
    """A corpus as a legend has room for it."""
    name = Path(name).name or name
    return name if len(name) <= LEGEND else f"{name[: LEGEND - 1]}…"
