"""Where two runs part: the first step at which they saw other samples, other losses, other weights.

    found = compare(read_run(a), read_run(b))
    found.same, describe(found)

Two runs of the same settings on the same kind of machine are equal bit for bit, one of them killed and continued or
not. Where they are not, the order of what differs first tells the cause: samples before losses mean the data, losses
before norms the forward pass, weights alone the optimiser or the memory.

`audit` looks at one run's ledger: whether every step's samples are there, and none was seen twice within an epoch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from clearsight.training.record import Run, StepLine

SHOWN = 5  # of a long list


@dataclass(frozen=True)
class Parting:
    """One thing that differs: at which step first, as what, and at how many steps of those that both runs have."""

    what: str
    step: int
    one: Any
    other: Any
    steps: int


@dataclass(frozen=True)
class Audit:
    """What a run's ledger says of its samples. Records are named as (corpus, record).

    `repeated` came again before the rest of their corpus had come; `left_out` says of which corpus how many usable
    records did not come while the rest did. Both are empty where the sizes of the corpora are not known. What a
    rollback dropped on purpose is not left out.
    """

    steps: int
    samples: int
    missing: tuple[int, ...]  # steps without a line
    damaged: tuple[int, ...]  # steps whose samples no longer have their hash
    repeated: tuple[tuple[int, int], ...]
    left_out: tuple[tuple[int, int], ...]  # corpus, how many
    sizes_known: bool

    @property
    def sound(self) -> bool:
        return not (self.missing or self.damaged or self.repeated or self.left_out)


@dataclass(frozen=True)
class Difference:
    """Two runs side by side. `settings` differ without the runs having to; `partings` are ordered by step."""

    names: tuple[str, str]
    steps: tuple[tuple[int, int], tuple[int, int]]  # first and last step of each; (0, 0) of a run without any
    compared: int
    settings: tuple[tuple[str, Any, Any], ...]
    partings: tuple[Parting, ...]
    audits: tuple[Audit, Audit]

    @property
    def same(self) -> bool:
        """Both runs have the same steps, and everything that was recorded of them is equal bit for bit."""
        return self.steps[0] == self.steps[1] and not self.partings and all(a.sound for a in self.audits)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"same": self.same}


def compare(one: Run, other: Run) -> Difference:
    """Everything that differs between two runs, of the steps that count."""
    mine = {line.facts.step: line for line in one.steps}
    others = {line.facts.step: line for line in other.steps}
    first: dict[str, tuple[int, Any, Any]] = {}
    count: Counter[str] = Counter()
    both = sorted(mine.keys() & others.keys())
    for step in both:
        a, b = _compared(one, mine[step]), _compared(other, others[step])
        for what in a | b:
            if a.get(what) != b.get(what):
                first.setdefault(what, (step, a.get(what), b.get(what)))
                count[what] += 1
    partings = [Parting(what, step, a, b, count[what]) for what, (step, a, b) in first.items()]
    settings = [
        *_settings(one.config, other.config),
        *_settings(one.versions, other.versions, "versions."),
        *_settings(one.machine, other.machine, "machine."),
    ]
    return Difference(
        (str(one.out), str(other.out)),
        (_span(one), _span(other)),
        len(both),
        tuple(settings),
        tuple(sorted(partings, key=lambda parting: parting.step)),
        (audit(one), audit(other)),
    )


def _compared(run: Run, line: StepLine) -> dict[str, Any]:
    """What must be equal, in the order of cause and effect: Python's floats are written and read bit for bit."""
    compared: dict[str, Any] = {"samples": run.ledger.hashes.get(line.facts.step)}
    compared |= {"labelled tokens": line.facts.labelled, "rates": line.facts.rates}
    compared |= {"loss": str(line.facts.loss), "gradient norm": str(line.facts.grad_norm)}
    compared |= {"action": line.action}
    return compared | {f"fingerprint: {name}": value for name, value in line.fingerprint.items()}


def _settings(one: dict[str, Any], other: dict[str, Any], where: str = "") -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for name in sorted({*one, *other}):
        a, b = one.get(name), other.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _settings(a, b, f"{where}{name}.")
        elif a != b:
            found.append((where + name, a, b))
    return found


def _span(run: Run) -> tuple[int, int]:
    return (run.steps[0].facts.step, run.steps[-1].facts.step) if run.steps else (0, 0)


# ---------------------------------------------------------------------------------------------------
# One run's ledger


def audit(run: Run, records: Sequence[int] | None = None, ahead: int | None = None) -> Audit:
    """Whether a run saw what it should have: nothing twice within an epoch, nothing left out.

    records: how many usable records each corpus has. ahead: how many samples may be drawn before they are seen: a
    loader packs from a window, within which the end of an epoch and the beginning of the next may mix. Both are
    taken from the run's last start (`records`, `ahead`) unless given; without `records`, nothing can be called
    repeated or left out.

    When n samples of a corpus of N were seen, each of its records was seen between (n - ahead) / N, rounded down, and
    (n + ahead) / N times, rounded up. The first is asked at the end of the run, the second of every sample.
    """
    started = next((e.more for e in reversed(run.events_of("start")) if "records" in e.more), {})
    records = records if records is not None else started.get("records", ())
    ahead = ahead if ahead is not None else int(started.get("ahead", 0))
    dropped = _dropped(run)
    ahead += dropped
    counting = {line.facts.step for line in run.steps}
    seen: Counter[tuple[int, int]] = Counter()
    drawn: Counter[int] = Counter()
    damaged: list[int] = []
    repeated: dict[tuple[int, int], None] = {}
    for line in run.ledger:
        if line.step not in counting:
            continue  # written, but the step itself was not: it comes again with the next attempt
        if not line.sound:
            damaged.append(line.step)
        for sample in line.samples:
            seen[sample] += 1
            drawn[sample[0]] += 1
            if sample[0] < len(records) and seen[sample] > -(
                -(drawn[sample[0]] + ahead) // records[sample[0]]
            ):
                repeated[sample] = None
    left_out: list[tuple[int, int]] = []
    for corpus, size in enumerate(records):
        epochs = max(0, drawn[corpus] - ahead) // size
        often = sum(sample[0] == corpus and times >= epochs for sample, times in seen.items())
        if epochs and size - often > dropped:
            left_out.append((corpus, size - often - dropped))
    missing = tuple(sorted(step for step in counting if step not in run.ledger))
    return Audit(
        len(counting), drawn.total(), missing, tuple(damaged), tuple(repeated), tuple(left_out), bool(records)
    )


def _dropped(run: Run) -> int:
    """Samples of steps that were rolled back: drawn, and not drawn again."""
    return sum(
        line.facts.samples
        for line in run.superseded
        for event in run.events_of("rollback")
        if event.attempt == line.attempt and event.more["to"] < line.facts.step and line.time <= event.time
    )


# ---------------------------------------------------------------------------------------------------
# In words


def describe(difference: Difference) -> str:
    """The comparison as a person reads it; the first line is the answer."""
    one, other = difference.names
    (_, end), (_, other_end) = difference.steps
    lines = []
    if difference.same:
        lines.append(f"The runs are the same, bit for bit, in all {difference.compared} steps.")
    elif difference.partings:
        first = difference.partings[0]
        lines.append(f"The runs part at step {first.step}, with {first.what}.")
    elif not difference.compared:
        lines.append("The runs have no step in common.")
    elif difference.steps[0] != difference.steps[1]:
        lines.append(f"The runs are the same in the {difference.compared} steps that both have.")
    else:
        lines.append("The runs' steps are the same, but a ledger is not sound.")
    if end != other_end:
        lines.append(f"{one} ends at step {end}, {other} at step {other_end}.")
    for parting in difference.partings:
        lines.append(
            f"  {parting.what}: first at step {parting.step}, {_short(parting.one)} | {_short(parting.other)}; "
            f"at {parting.steps} of {difference.compared} steps"
        )
    if difference.settings:
        lines.append("Settings that differ:")
        lines += [f"  {name}: {_short(a)} | {_short(b)}" for name, a, b in difference.settings]
    for name, found in zip(difference.names, difference.audits, strict=True):
        lines.append(f"Ledger of {name}: {_audit_in_words(found)}")
    return "\n".join(lines)


def _audit_in_words(found: Audit) -> str:
    said = f"{found.samples} samples in {found.steps} steps"
    if found.sound:
        of_epochs = "repeated within an epoch" if found.sizes_known else "damaged"
        return f"{said}, nothing missing or {of_epochs}."
    faults = [
        f"{text} {', '.join(map(str, listed[:SHOWN]))}{' ...' if len(listed) > SHOWN else ''}"
        for text, listed in (
            ("no samples for steps", found.missing),
            ("damaged lines of steps", found.damaged),
            ("seen twice within an epoch:", found.repeated),
            ("left out of an epoch, of corpus and how many:", found.left_out),
        )
        if listed
    ]
    return f"{said}; {'; '.join(faults)}."


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
