"""`clearsight data`: build a corpus, look at it, check it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clearsight.commands.terminal import AsJson, UsageError, notes, reported
from clearsight.data.build import Licences
from clearsight.data.curation.pipeline import Runner

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="Build training data, look at it, and check it."
)

CorpusFolder = Annotated[Path, typer.Argument(help="A folder that was built with `clearsight data build`.")]


@app.command(
    epilog="Examples:  clearsight data build recipes/data/first.py --out runs/data/first   |   "
    "clearsight data build mine.py --out runs/data/mine --licences any --workers 4"
)
def build(
    recipe: Annotated[Path, typer.Argument(help="A Python file that sets RECIPE.")],
    out: Annotated[Path, typer.Option(help="The folder to write; a begun one is continued.")],
    licences: Annotated[
        Licences,
        typer.Option("--licences", help="permissive leaves out what may not be used and changed freely."),
    ] = "permissive",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Build a corpus of shards from a recipe. Stopped half-way, the same command goes on."""
    from clearsight.data import build as building

    with reported(as_json):
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=notes, disable=as_json) as progress:
            tasks: dict[str, Any] = {}

            def show(part: str, done: int, total: int | None) -> None:
                if part not in tasks:
                    tasks[part] = progress.add_task(part, total=total, speed="")
                task = progress.tasks[tasks[part]]
                speed = f"{task.finished_speed or task.speed or 0:.0f} a second"
                progress.update(tasks[part], completed=done, speed=speed)

            manifest = building.build(recipe, out, licences=licences, workers=workers, progress=show)
        if as_json:
            print(json.dumps(manifest, ensure_ascii=False))
            return
        size = manifest["bytes"] / 1e6
        print(f"{manifest['records']:,} records, {manifest['pictures']:,} pictures, {size:,.0f} MB in {out}")
        for source, count in manifest["refused"].items():
            notes.print(f"[yellow]left out for its licence:[/yellow] {count:,} of {source}")
        notes.print(f"Look at it: clearsight data show {out} --n 20")


@app.command(
    epilog="Examples:  clearsight data show runs/data/first --n 20   |   "
    "clearsight data show world:shapes --split eval --out shapes.jpg"
)
def show(
    what: Annotated[str, typer.Argument(help="A corpus folder, one shard (.tar) in it, or world:NAME.")],
    n: Annotated[int, typer.Option(min=1, max=400, help="How many examples.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Which examples; another seed shows others.")] = 0,
    split: Annotated[str, typer.Option(help="For a world: train or eval.")] = "train",
    out: Annotated[Path | None, typer.Option(help="The picture to write (.jpg, .png, .webp).")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a contact sheet: pictures with their questions and answers, to look at."""
    import random

    from clearsight.data import examples, worlds
    from clearsight.data.shards import Corpus
    from clearsight.data.show import contact_sheet, save_sheet

    with reported(as_json):
        if what.startswith("world:"):
            name = what.removeprefix("world:")
            if name not in worlds.WORLDS:
                raise UsageError(f"there is no world {name!r}; there are {', '.join(worlds.WORLDS)}")
            if split not in ("train", "eval"):
                raise UsageError(f"split is train or eval, not {split!r}")
            records = list(examples.shown(name, split, seed, n))  # type: ignore[arg-type]  # checked above
            title = f"{name}: {n} examples of {split}"
        else:
            path = Path(what)
            corpus = Corpus(path.parent if path.suffix == ".tar" else path)
            numbers = range(len(corpus))
            if path.suffix == ".tar":
                if path not in corpus.paths:
                    raise UsageError(f"{path} is not a shard of the corpus in {path.parent}")
                place = corpus.paths.index(path)
                numbers = range(corpus.firsts[place], corpus.firsts[place + 1])
            chosen = sorted(random.Random(seed).sample(numbers, min(n, len(numbers))))
            records = [corpus[number] for number in chosen]
            title = f"{path.name}: {len(records)} of {len(numbers):,} examples"
        target = out or Path(what.replace("world:", "").rstrip("/").rsplit("/", 1)[-1] + ".jpg")
        save_sheet(contact_sheet(records, title), target)
        print(json.dumps({"file": str(target), "examples": len(records)}) if as_json else f"Wrote {target}.")


@app.command(epilog="Example:  clearsight data verify runs/data/first")
def verify(folder: CorpusFolder, as_json: AsJson = False) -> None:
    """Read every shard again and compare it with the hash in the manifest."""
    from clearsight.data.shards import Corpus, ShardError

    with reported(as_json):
        corpus = Corpus(folder)
        found = {}
        with Progress(console=notes, disable=as_json) as progress:
            task = progress.add_task("reading", total=len(corpus.paths))
            for name, good in corpus.verify():
                found[name] = good
                progress.advance(task)
        bad = [name for name, good in found.items() if not good]
        if bad:
            names = ", ".join(bad[:5]) + (" and others" if len(bad) > 5 else "")
            raise ShardError(
                f"{len(bad)} of {len(found)} shards are damaged ({names}). Remove {folder} and build it again."
            )
        print(
            json.dumps({"shards": len(found), "damaged": 0})
            if as_json
            else f"All {len(found)} shards are whole."
        )


@app.command(
    epilog="Examples:  clearsight data curate captions.jsonl --out runs/data/captions --against runs/data/eval   |   "
    'clearsight data curate mine.parquet --out runs/data/mine --options \'{"languages": ["en"]}\''
)
def curate(
    what: Annotated[
        str, typer.Argument(help="A corpus, a folder, a .jsonl, .parquet or .tar file, hub:owner/name.")
    ],
    out: Annotated[Path, typer.Option(help="The folder for what is kept and for report.html.")],
    against: Annotated[
        list[str] | None,
        typer.Option(help="Evaluation data that training must not contain, besides real; may be repeated."),
    ] = None,
    licence: Annotated[
        str, typer.Option(help="SPDX identifier for records that don't state their licence.")
    ] = "unknown",
    options: Annotated[
        str, typer.Option(help="Thresholds as JSON; see clearsight.data.curation.Options.")
    ] = "{}",
    runner: Annotated[Runner, typer.Option(help="native: this machine; ray: a cluster.")] = "native",
    as_json: AsJson = False,
) -> None:
    """Leave out what is broken, copied, private, unlicensed or in an evaluation; say what went and why.

    What is kept can go into a corpus: Stream("mine", lambda: kept_records(OUT)) in a recipe. Stopped half-way,
    the same command goes on.
    """
    from clearsight.data import curation
    from clearsight.data.sources import named
    from clearsight.data.sources.contract import Tally
    from clearsight.evals.suites.real import provenance as real

    with reported(as_json):
        try:
            asked = curation.Options.from_json(json.loads(options))
        except json.JSONDecodeError as error:
            raise UsageError(f"--options is not JSON: {error}") from error
        tally = Tally()
        found = curation.curate(
            named.records(what, licence=licence, tally=tally),
            out,
            asked,
            evaluation_sets={"real": real.records()}
            | {Path(name).stem or name: named.records(name) for name in against or ()},
            runner=runner,
        )
        page = curation.write_report(found, out / "report.html")
        if as_json:
            print(json.dumps(found.to_json() | {"report": str(page)}, ensure_ascii=False))
            return
        if tally.left_out:
            notes.print(f"[yellow]unusable at the source:[/yellow] {escape(str(tally))}")
        _print_steps(found)
        print(f"{found.after:,} of {found.before:,} records are kept in {out}. Read {page}.")


@app.command(epilog="Example:  clearsight data report runs/data/captions")
def report(
    folder: Annotated[Path, typer.Argument(help="A folder that `clearsight data curate` finished.")],
    out: Annotated[
        Path | None, typer.Option(help="The page to write; report.html in the folder by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a curation: counts, reasons and examples of every step, as one HTML page."""
    from clearsight.data import curation

    with reported(as_json):
        try:
            found = curation.Report.from_folder(folder)
        except FileNotFoundError as error:
            raise curation.CurationError(
                f"{folder} holds no finished curation. Run: clearsight data curate WHAT --out {folder}"
            ) from error
        page = curation.write_report(found, out or folder / "report.html")
        if as_json:
            print(json.dumps(found.to_json() | {"report": str(page)}, ensure_ascii=False))
            return
        _print_steps(found)
        print(f"Wrote {page}.")


def _print_steps(found: Any) -> None:
    """A line a step: what it left out, and its commonest reason."""
    for step in found.steps:
        reason = f"  {next(iter(step.reasons))}" if step.reasons else f"  {step.skipped or step.note}"
        print(f"{step.title:32} {step.removed:>8,} of {step.before:,}{reason}")
