"""Curation from start to end: records in, those worth training on out, and a report of what each step removed.

Every step looks only at what the steps before it have kept, and leaves a folder with the rows it removed and what it
measured. A folder is there whole or not at all, so a run that was killed goes on with the step it was in. The steps
are in `steps`; the work on rows runs on Daft, in this process or on a Ray cluster, and only hashes come back to be
compared. On several machines the output folder must be one that all of them see.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clearsight.data.curation.extras import require
from clearsight.data.curation.optional_models import Scorer
from clearsight.data.curation.options import CurationError, Options
from clearsight.data.curation.store import Store, whole_folder
from clearsight.data.record import Record

if TYPE_CHECKING:
    from clearsight.data.curation.report import Report
    from clearsight.data.curation.steps import Step

Runner = Literal["native", "ray"]
RUNNERS: tuple[str, ...] = ("native", "ray")
VERSION = 1  # of what lies in the output folder


@dataclass(frozen=True)
class Removal:
    """One row that a step takes out: a reason that is counted, a detail for people, and the record it is like."""

    row: int
    reason: str
    detail: str = ""
    like: int | None = None  # row of the record that was kept, or of the evaluation record
    like_is_evaluation: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a step did. `skipped` says why it did nothing, `note` what else there is to know."""

    removals: list[Removal] = field(default_factory=list)
    note: str = ""
    skipped: str = ""


class Run:
    """One curation under way: what it is asked, where its results lie, and which rows are left."""

    def __init__(
        self,
        folder: Path,
        options: Options,
        runner: Runner,
        scorer: Callable[[], Scorer] | None,
        evaluation_names: list[str],
    ):
        self.folder = folder
        self.options = options
        self.runner = runner
        self.scorer = scorer
        self.evaluation_names = evaluation_names
        self.store = Store(folder / "records")
        self.kept = Store(folder / "kept")
        self.evaluation = {name: Store(folder / "evaluation" / name) for name in evaluation_names}
        self.alive = np.ones(0, dtype=bool)
        self.console = Console(file=sys.stderr)

    @cached_property
    def index(self) -> dict[str, np.ndarray]:
        """Source, licence and generator of every row."""
        table = self.store.columns("source", "licence", "generator")
        return {name: np.asarray(table[name].to_pylist(), dtype=object) for name in table.column_names}

    @property
    def stages(self) -> Path:
        return self.folder / "stages"

    def frame(self, *columns: str, rows: np.ndarray | None = None, store: Store | None = None) -> Any:
        """A Daft frame of the rows that are left, or of those where `rows` is true, or of all of another store.

        Rows are picked by a bit each, sent to every worker, and not by a join, which would move the pictures.
        """
        daft = require("daft", "to run the pipeline")
        store = store or self.store
        frame = daft.read_parquet([str(part) for part in store.parts]).select("row", *columns)
        if rows is None and store is self.store:
            rows = self.alive
        if rows is None or rows.all():
            return frame
        packed = np.packbits(rows)

        @daft.func.batch(return_dtype=daft.DataType.bool())
        def is_left(numbers: Any) -> Any:
            at = numbers.to_arrow().to_numpy()
            return (packed[at >> 3] >> (7 - (at & 7)).astype(np.uint8)) & 1 == 1

        return frame.where(is_left(frame["row"]))

    def mapped(
        self, frame: Any, function: Callable[..., list[Any]], columns: list[str], dtype: Any, at_once: int
    ) -> Any:
        """The frame's rows with what `function` makes of the given columns' lists, as the column `found`."""
        daft = require("daft", "to run the pipeline")

        @daft.func.batch(return_dtype=dtype, batch_size=at_once)
        def apply(*series: Any) -> list[Any]:
            return function(*(one.to_pylist() for one in series))

        return frame.select("row", apply(*(frame[name] for name in columns)).alias("found"))

    def batches(self, frame: Any, title: str, total: int | None) -> Iterator[Any]:
        """The frame's results as they are made, with progress by rows."""
        with self.progress(title, total) as advance:
            for batch in frame.to_arrow_iter():
                yield batch
                advance(batch.num_rows)

    def collected(self, frame: Any, title: str, total: int | None, by: tuple[str, ...] = ("row",)) -> Any:
        """The frame's results as an Arrow table, sorted: workers finish in any order, and results must not tell."""
        arrow = require("pyarrow", "to collect results")
        batches = list(self.batches(frame, title, total))
        table = arrow.Table.from_batches(batches, frame.schema().to_pyarrow_schema())
        return table.sort_by([(name, "ascending") for name in by])

    def measured(self, stage: str, name: str) -> Any:
        """A table that a finished stage has left."""
        return require("pyarrow.parquet", "to read results").read_table(
            self.stages / stage / f"{name}.parquet"
        )

    @contextmanager
    def progress(self, title: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal; nothing elsewhere, where a line a step is enough."""
        if not self.console.is_terminal:
            yield lambda count: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda count: bar.advance(task, count)


def curate(
    records: Iterable[Record],
    out: str | Path,
    options: Options | None = None,
    *,
    evaluation_sets: Mapping[str, Iterable[Record]] | None = None,
    runner: Runner = "native",
    scorer: Callable[[], Scorer] | None = None,
) -> "Report":
    """Run every step on `records` and keep the rest in `out`/kept (see `kept_records`).

    `evaluation_sets` are what training must not have seen, by name. `runner` "ray" uses the cluster that Ray is
    connected to, or starts one on this machine. `scorer` makes the judge of relevance on each worker.

    Called again with the same folder it goes on where it was, and takes nothing more from `records`.

    Raises CurationError when the folder holds another curation or the runner can't be changed any more, ExtraMissing
    when a step needs a library that is not installed.
    """
    from clearsight.data.curation.report import Report
    from clearsight.data.curation.steps import STEPS

    options = options or Options()
    evaluation_sets = evaluation_sets or {}
    use_runner(runner)
    run = Run(Path(out), options, runner, scorer, list(evaluation_sets))
    _claim(run)
    with run.progress("Reading records", None) as advance:
        run.store.ingest(records, advance)
    for name, store in run.evaluation.items():
        with run.progress(f"Reading {name}", None) as advance:
            store.ingest(evaluation_sets[name], advance)
    run.alive = np.ones(run.store.columns("row").num_rows, dtype=bool)
    for step in STEPS:
        _finish(run, step)
    return Report.from_folder(run.folder)


def kept_records(out: str | Path) -> Iterator[Record]:
    """What a finished curation has kept, in the order of its input, with its measures in `tags["curation"]`."""
    return Store(Path(out) / "kept").records()


def _finish(run: Run, step: "Step") -> None:
    """Do one step, or read what it has done before, and take its rows out."""
    parquet = require("pyarrow.parquet", "to keep results")
    folder = run.stages / step.name
    if not folder.exists():
        start, before = time.monotonic(), int(run.alive.sum())
        with whole_folder(folder) as partial:
            outcome = step.run(run, partial)
            removals = sorted(outcome.removals, key=lambda removal: removal.row)
            parquet.write_table(_table(removals), partial / "removed.parquet")
            told = {
                "name": step.name,
                "title": step.title,
                "before": before,
                "after": before - len(removals),
                "note": outcome.note,
                "skipped": outcome.skipped,
                "seconds": round(time.monotonic() - start, 3),
            }
            (partial / "stage.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))
        if not run.console.is_terminal:
            print(f"{step.title}: {before} -> {before - len(removals)}", file=sys.stderr, flush=True)
    run.alive[parquet.read_table(folder / "removed.parquet", columns=["row"])["row"].to_numpy()] = False


def _table(removals: list[Removal]) -> Any:
    arrow = require("pyarrow", "to keep results")
    types = {
        "row": arrow.int64(),
        "reason": arrow.string(),
        "detail": arrow.string(),
        "like": arrow.int64(),
        "like_is_evaluation": arrow.bool_(),
    }
    return arrow.Table.from_pylist([vars(removal) for removal in removals], arrow.schema(types.items()))


def _claim(run: Run) -> None:
    """Write down what this folder is for, or check that it is for the same."""
    asked = {"version": VERSION, "options": run.options.to_json(), "evaluation_sets": run.evaluation_names}
    asked = json.loads(json.dumps(asked))
    file = run.folder / "curation.json"
    for name in run.evaluation_names:
        if not name or "/" in name or name.startswith("."):
            raise CurationError(f"{name!r} can't name an evaluation set: it becomes a folder")
    if file.exists():
        if json.loads(file.read_text()) != asked:
            raise CurationError(
                f"{run.folder} holds a curation with other options; name another folder or remove it"
            )
        return
    if run.folder.exists() and any(run.folder.iterdir()):
        raise CurationError(f"{run.folder} is not empty and holds no curation; name another folder")
    run.folder.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".new")
    partial.write_text(json.dumps(asked, indent=1))
    partial.replace(file)


def use_runner(runner: Runner) -> None:
    """Daft takes one runner for the life of a process."""
    daft = require("daft", "to run the pipeline")
    if runner not in RUNNERS:
        raise CurationError(f"a runner is {' or '.join(RUNNERS)}, not {runner!r}")
    if daft.get_or_infer_runner_type() == runner:
        return
    if runner == "ray":
        ray = require("ray", "to run the pipeline on a cluster", "cluster")
        if not ray.is_initialized():
            ray.init(log_to_driver=False)
    try:
        daft.set_runner_ray() if runner == "ray" else daft.set_runner_native()
    except Exception as error:
        raise CurationError(
            f"this process runs Daft on another runner already; start a new one for {runner!r}"
        ) from error
