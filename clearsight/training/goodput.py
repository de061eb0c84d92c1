"""Where a run's time went: how much of it trained the model that came out, and what became of the rest.

    seconds = goodput(read_run(out))
    share(seconds)["training"]          # the goodput

Goodput is what the Llama 3 paper (arXiv 2407.21783, section 3.3.4) calls effective training time: time spent on useful
training over elapsed time. The causes of the rest are those that such a run's log names (loading and starting after
an interruption, checkpoints, waiting for data, hangs), told apart as far as the record alone allows. Accelerators
that wait for each other inside a step count as training: that part is what MFU is for.
"""

from clearsight.training.record import Event, Run, StepLine

TRAINING = "training"
HUNG_RANK = "hung rank"  # as the record names this guard
CAUSES = {  # in the order of reports
    TRAINING: "steps that count, waiting for data left out",
    "data wait": "no batch was ready",
    "checkpoint": "training waited for a checkpoint to be taken",
    "validation": "the model was measured instead of trained",
    "start-up": "from the start of a process to its first step: model, data, compilation",
    "recomputed": "steps done again after a kill or a rollback, and going back",
    "skipped": "steps that the guards did not let through",
    "hang": "a rank stood still until the watch ended the run",
    "down": "no process ran, or none that got to a step",
    "unaccounted": "everything else between the first moment and the last",
}


def goodput(run: Run) -> dict[str, float]:
    """Seconds by cause, from the run's first moment to the last line of its record. Empty for a run without steps."""
    if not run.steps and not run.superseded:
        return {}
    spent = dict.fromkeys(CAUSES, 0.0)
    for line in run.steps:
        taken = line.action in ("go", "clip")
        spent[TRAINING if taken else "skipped"] += line.facts.seconds - line.facts.data_wait
        spent["data wait"] += line.facts.data_wait
    spent["recomputed"] += sum(line.facts.seconds for line in run.superseded)
    spent["recomputed"] += sum(event.seconds for event in run.events_of("rollback"))
    spent["checkpoint"] = sum(e.more.get("blocking_seconds", e.seconds) for e in run.events_of("checkpoint"))
    spent["validation"] = sum(event.seconds for event in run.events_of("validation"))

    began, ended = [], []  # of attempts
    lines = _lines_by_attempt(run)
    for attempt in sorted(lines):
        steps = [line for line in lines[attempt] if isinstance(line, StepLine)]
        starts = [line for line in lines[attempt] if isinstance(line, Event) and line.kind == "start"]
        first = min(_beginning(line) for line in lines[attempt])
        until = min(
            (_beginning(line) for line in steps), default=max((e.time for e in starts), default=first)
        )
        spent["start-up"] += until - first
        began.append(first)
        ended.append(max(line.time for line in lines[attempt]))
    spent["down"] = sum(max(0.0, later - end) for end, later in zip(ended, began[1:], strict=False))
    hung = sum(event.seconds for event in run.events if _tells_of_hang(event))
    spent["hang"] = min(
        hung, spent["down"]
    )  # a rank that stands still writes nothing: it looks like no process
    spent["down"] -= spent["hang"]
    spent["unaccounted"] = max(0.0, max(ended) - min(began) - sum(spent.values()))
    return spent


def share(seconds: dict[str, float]) -> dict[str, float]:
    """The same as parts of the whole."""
    total = sum(seconds.values())
    return {cause: spent / total for cause, spent in seconds.items()} if total else {}


def _lines_by_attempt(run: Run) -> dict[int, list[StepLine | Event]]:
    """Steps and events, but for what is told of an earlier attempt: a hang."""
    lines: dict[int, list[StepLine | Event]] = {}
    told: list[StepLine | Event] = [*run.superseded, *run.steps]
    told += [event for event in run.events if not _tells_of_hang(event)]
    for line in told:
        lines.setdefault(line.attempt, []).append(line)
    return lines


def _tells_of_hang(event: Event) -> bool:
    """Written by the attempt that comes after, with the seconds for which a rank stood still (see heartbeat)."""
    return event.kind == "guard" and event.more.get("guard") == HUNG_RANK


def _beginning(line: StepLine | Event) -> float:
    return line.time - (line.facts.seconds if isinstance(line, StepLine) else line.seconds)
