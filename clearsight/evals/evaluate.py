"""One evaluation from beginning to end: asks, judges, and leaves a folder behind.

replies.jsonl    every reply, under what made it; a run that was stopped goes on from here
results.jsonl    a line a question: reply, score, the control's
summary.json     the scores
report.html      the scores with plots, and what went wrong with its pictures; report.md for a README
held_out.jsonl   which models have sat a held-out suite, and when
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clearsight.decoding.sampling import Sampling
from clearsight.evals import held_out, pictures, report
from clearsight.evals.comparison import RESULTS, SUMMARY
from clearsight.evals.results import reply_line, summary
from clearsight.evals.runner import Progress, run
from clearsight.evals.subject import Subject
from clearsight.evals.suites.suite import Suite
from clearsight.files import replace_file


def evaluate(
    suite: Suite,
    subject: Subject,
    folder: Path,
    *,
    sampling: Sampling | None = None,
    blind: bool = True,
    limit: int | None = None,
    again: bool = False,
    show: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """The summary, which is also written. Raises as `runner.run` does, and EvalError for a held-out suite that this
    model has sat in this folder, unless `again`."""
    if suite.held_out and not again:
        held_out.refuse_second(folder, subject)
    judged = run(suite, subject, folder, sampling=sampling, blind=blind, limit=limit, show=show)
    found = summary(suite, subject, sampling or Sampling(), judged)
    if suite.held_out:
        found["notes"].append(held_out.recorded(folder, subject, found["fingerprints"]["data"]))
    lines = [json.dumps(reply_line(one), ensure_ascii=False) for one in judged]
    replace_file(folder / RESULTS, "\n".join(lines) + "\n")
    replace_file(folder / SUMMARY, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    pictures.keep(judged, folder)
    report.write(folder)
    return found
