"""The ledger of held-out suites: which models have sat one in this folder, and when.

A held-out suite tells how a model does on what nobody tuned it for, and only the first run tells that: whoever looks
at its score, changes something and runs it again tunes for it. A run that was stopped has told no score, and goes on.
"""

import json
import time
from pathlib import Path
from typing import Any

from clearsight.evals.item import EvalError
from clearsight.evals.subject import Subject
from clearsight.files import replace_file

LEDGER = "held_out.jsonl"


def refuse_second(folder: Path, subject: Subject) -> None:
    """Raises EvalError when the model has finished a run in this folder."""
    before = _of(folder, subject)
    if before:
        raise EvalError(
            f"this suite is held out, and {subject.name} has sat it on {before[0]['finished']}: its score lies in "
            f"{folder}. A score that was looked at and then run for again is no longer one of an unseen exam. "
            "To run it all the same, add --again; the ledger and the report will tell."
        )


def recorded(folder: Path, subject: Subject, data: str) -> str:
    """Write down that the model has finished a run, and say in a sentence how often it has."""
    times = len(_of(folder, subject)) + 1
    line = {
        "model": subject.fingerprint,
        "name": subject.name,
        "data": data,
        "finished": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "run": times,
    }
    replace_file(folder / LEDGER, "".join(json.dumps(one) + "\n" for one in [*_lines(folder), line]))
    if times == 1:
        return "Held out: this is the model's first run."
    return (
        f"Held out, and this is the model's run {times}: only the first tells how it does on an unseen exam."
    )


def _of(folder: Path, subject: Subject) -> list[dict[str, Any]]:
    return [line for line in _lines(folder) if line.get("model") == subject.fingerprint]


def _lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / LEDGER
    try:
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    except ValueError as error:
        raise EvalError(f"{path} can't be read: {error}; mend or remove it") from error
