"""`clearsight eval`: score a model on suites, and compare two runs."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from clearsight.commands.terminal import AsJson, UsageError, notes, reported

COMPARE, CONTAMINATION, PUBLISH = "compare", "contamination", "publish"
ROWS = 40  # of a table on the terminal; all are in the report


def evaluate(
    suites: Annotated[
        list[str],
        typer.Argument(
            help="mini, dawn, real, reading, a public data set's name, exam:PATH, a .jsonl file; or: compare FOLDER "
            "FOLDER; contamination FOLDER; publish FOLDER ..."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="mini (bundled), a checkpoint folder, hf:owner/name, or https://host/v1#model.",
            envvar="CLEARSIGHT_MODEL",
        ),
    ] = "mini",
    out: Annotated[
        Path | None, typer.Option(help="Folder for replies and results; runs/eval/MODEL by default.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Questions of each skill, where a suite draws them.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many questions of a suite.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Run a held-out exam once more; the report will say so.")
    ] = False,
    blind: Annotated[
        bool, typer.Option("--blind/--no-blind", help="Ask everything again without the pictures.")
    ] = True,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0 takes the likeliest word.")] = 0.0,
    seed: Annotated[int | None, typer.Option(min=0, help="Makes varied answers repeatable.")] = None,
    price: Annotated[
        str | None, typer.Option(help="A server's price of a million tokens, read and written: 0.5,1.5")
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(help="For contamination: training data, as for `clearsight data`; may be repeated."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor cores to use; all by default.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never touch the network.")] = False,
    only_check: Annotated[
        bool, typer.Option("--check", help="publish: fail when a table is not what the kept scores say.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score a model, each score with its interval, and beside it the score without the pictures.

    A run that is stopped goes on where it stood. Two runs are compared question by question with compare;
    contamination tells the score without the questions that training data hold; publish keeps runs in docs/scores and
    fills the tables of README.md and docs/model_card.md from there.
    """
    with reported(as_json):
        if suites[0] == COMPARE:
            if len(suites) != 3:
                raise UsageError("compare takes two folders: clearsight eval compare runs/eval/a runs/eval/b")
            _compare(Path(suites[1]), Path(suites[2]), as_json)
            return
        if suites[0] == PUBLISH:
            _publish([Path(folder) for folder in suites[1:]], only_check)
            return
        if suites[0] == CONTAMINATION:
            if len(suites) != 2 or not corpus:
                raise UsageError(
                    "contamination takes a run and what was trained on: "
                    "clearsight eval contamination runs/eval/mini/docvqa --corpus runs/data/first"
                )
            _contamination(Path(suites[1]), corpus, as_json)
            return
        from clearsight.decoding.sampling import Sampling
        from clearsight.engine import EngineConfig
        from clearsight.evals.subject import opened
        from clearsight.evals.suites.by_name import by_name

        chosen = [by_name(name, count) for name in suites]
        prices = _prices(price)
        sampling = Sampling(temperature=temperature, seed=seed, logprobs=0)
        stack = ExitStack()
        with notes.status("Loading the model ..."):
            subject = stack.enter_context(
                opened(model, EngineConfig(threads=threads), offline=offline or None)
            )
        with stack:
            found = [
                _one(
                    suite,
                    subject,
                    _folder(out, subject.name, suite.name),
                    sampling,
                    blind,
                    limit,
                    again,
                    prices,
                    as_json,
                )
                for suite in chosen
            ]
        if as_json:
            print(json.dumps(found[0] if len(found) == 1 else found, ensure_ascii=False))


def _one(
    suite: Any,
    subject: Any,
    folder: Path,
    sampling: Any,
    blind: bool,
    limit: int | None,
    again: bool,
    prices: tuple[float, float] | None,
    quiet: bool,
) -> dict[str, Any]:
    from clearsight.evals.evaluate import evaluate as run_suite

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[more]}"),
    )
    with Progress(*columns, console=notes, disable=quiet) as progress:
        task = progress.add_task(suite.name, total=None, more="drawing questions ...")

        def show(now: Any) -> None:
            left = now.seconds_left
            more = [f"{now.prompt_tokens + now.completion_tokens:,} tokens"]
            more += [f"{now.known:,} known"] if now.known else []
            more += [f"{now.price(*prices):.2f} paid"] if prices else []
            more += [f"{left / 60:.0f} min {left % 60:02.0f} s left"] if left is not None else []
            progress.update(task, total=now.total, completed=now.done, more=", ".join(more))

        found = run_suite(
            suite, subject, folder, sampling=sampling, blind=blind, limit=limit, again=again, show=show
        )
    if not quiet:
        _show(found)
        notes.print(f"Written to {folder}; report.html has plots and the wrong answers with their pictures")
    return found


def _folder(out: Path | None, model: str, suite: str) -> Path:
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in model).strip("-.") or "model"
    return (out or Path("runs/eval") / safe) / suite


def _prices(price: str | None) -> tuple[float, float] | None:
    if price is None:
        return None
    try:
        read, written = (float(part) for part in price.split(","))
    except ValueError:
        raise UsageError(f"--price is two numbers such as 0.5,1.5, not {price}") from None
    return read, written


def _show(found: dict[str, Any]) -> None:
    rows = [("all", found["all"]), *sorted(found["groups"].items(), key=lambda row: -row[1]["score"])]
    table = Table(title=f"{found['suite']}: {found['model']}", title_justify="left")
    for name in ("", "n", "right (95%)", "without pictures", "commonest", "unread", "seen"):
        table.add_column(name, justify="left" if name in ("", "seen") else "right")
    for name, one in rows[:ROWS]:
        blind = one.get("blind")
        table.add_row(
            name,
            f"{one['n']:,}",
            _share(one),
            _share(blind) if blind else "",
            f"{one['commonest']:.0%}",
            f"{one['unread']:.1%}",
            ("yes" if one["seen"] else "not shown") if blind else "",
        )
    Console(highlight=False).print(table)
    if "points" in found["all"]:
        _show_points(rows)
    for note in found["notes"]:
        notes.print(note, style="yellow", markup=False)


def _show_points(rows: list[tuple[str, dict[str, Any]]]) -> None:
    from clearsight.evals.report import points_told

    table = Table(title="Points", title_justify="left")
    for name in ("", "points", "of", "share (95%)", "without pictures"):
        table.add_column(name, justify="right" if name else "left")
    for name, one in rows[:ROWS]:
        table.add_row(name, *points_told(one["points"]))
    Console(highlight=False).print(table)


def _share(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    return f"{one['score']:.1%} ({low:.1%} to {high:.1%})"


def _publish(runs: list[Path], only_check: bool) -> None:
    from clearsight.evals.publish import check, publish

    if only_check:
        check()
        notes.print("The tables are what docs/scores says")
        return
    changed = publish(runs)
    notes.print(f"Written: {', '.join(map(str, changed))}" if changed else "Nothing has changed")


def _compare(first: Path, second: Path, as_json: bool) -> None:
    from clearsight.evals.comparison import compare

    found = compare(first, second)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    table = Table(title=f"{found['suite']}: {found['second']} less {found['first']}", title_justify="left")
    for name in ("", "n", "first", "second", "difference (95%)", "p", "detectable", "differs"):
        table.add_column(name, justify="left" if name in ("", "differs") else "right")
    rows = [("all", found["all"]), *sorted(found["groups"].items(), key=lambda row: row[1]["p"])]
    for name, one in rows[:ROWS]:
        low, high = (f"{100 * v:+.1f}" if v is not None else "?" for v in one["interval"])
        table.add_row(
            name,
            f"{one['n']:,}",
            f"{one['first']:.1%}",
            f"{one['second']:.1%}",
            f"{100 * one['difference']:+.1f} ({low} to {high})",
            f"{one.get('p_corrected', one['p']):.3f}",
            f"{100 * one['detectable']:.1f}" if one["detectable"] is not None else "?",
            "yes" if one["significant"] else "not shown",
        )
    Console(highlight=False).print(table)
    notes.print("p of groups is corrected for how many there are (Holm); differences are in points.")
    for note in found["notes"]:
        notes.print(note, style="yellow", markup=False)


def _contamination(folder: Path, corpora: list[str], as_json: bool) -> None:
    from itertools import chain

    from clearsight.data.sources import named
    from clearsight.evals.comparison import read_run
    from clearsight.evals.contamination import CONTAMINATION as KEPT
    from clearsight.evals.contamination import contamination
    from clearsight.evals.item import EvalError
    from clearsight.evals.suites.by_name import by_name

    run, _ = read_run(folder)
    if not run["named"]:
        raise EvalError(
            f"the run in {folder} does not say of which suite it is; make it with clearsight eval"
        )
    suite = by_name(run["named"], run["count"])
    found = contamination(folder, suite, chain.from_iterable(named.records(what) for what in corpora))
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    table = Table(title=f"{found['suite']}: {found['model']}", title_justify="left")
    for name in ("questions", "n", "pictures", "right (95%)"):
        table.add_column(name, justify="left" if name == "questions" else "right")
    for name, title in (("all", "all"), ("met", "in the corpus"), ("without", "not in the corpus")):
        one = found[name]
        table.add_row(
            title, *((f"{one['n']:,}", f"{one['clusters']:,}", _share(one)) if one else ("0", "0", ""))
        )
    Console(highlight=False).print(table)
    if found["difference"]:
        certain = found["difference"]["interval"]
        between = "{:+.1f} to {:+.1f}".format(*(100 * v for v in certain)) if certain else "too few to tell"
        print(f"Without these: {100 * found['difference']['score']:+.1f} points (95%: {between}).")
    how = ", ".join(f"{count:,} by {name}" for name, count in found["how"].items()) or "none"
    notes.print(
        f"Of {found['records']:,} records. Met: {how}. {found['with pictures']:,} questions have a picture, and "
        f"{found['long enough texts']:,} a text that is long enough to be found. Which: {folder / KEPT}"
    )
