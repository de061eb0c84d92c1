"""`clearsight train`: run a recipe, watch it, compare runs, report, plan, and export the result."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from clearsight.commands.terminal import AsJson, UsageError, notes, reported


class _RecipeFirst(TyperGroup):
    """`clearsight train recipes/finetune.py` means `clearsight train run recipes/finetune.py`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RecipeFirst,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Train a model: run a recipe, watch it, compare, report. `clearsight train RECIPE` runs one.",
)

RunFolder = Annotated[Path, typer.Argument(help="The folder of a run (its --out).")]


@app.command(
    epilog="Examples:  clearsight train recipes/finetune.py --set data.corpora=mine.jsonl   |   "
    "torchrun --nproc-per-node 2 -m clearsight train recipes/finetune.py --set data.corpora=mine.jsonl"
)
def run(
    recipe: Annotated[Path, typer.Argument(help="A Python file with recipe() -> Config.")],
    out: Annotated[Path | None, typer.Option(help="The run's folder; runs/NAME by default.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PART.FIELD=VALUE", help="Change a setting; may be repeated."),
    ] = None,
    show_settings: Annotated[
        bool, typer.Option("--settings", help="Print all settings as JSON and end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train from a recipe. Stopped or killed, the same command goes on where it was."""
    from clearsight.training import config as configs
    from clearsight.training.recipe import read_recipe

    with reported(as_json):
        read = read_recipe(recipe)
        config = configs.changed(read.config, settings or ())
        if show_settings:
            print(json.dumps(configs.to_json(config), indent=1))
            return
        from clearsight.training.session import train

        summary = train(config, out or Path("runs") / config.name, task=read.task, quiet=as_json)
        if summary is None:  # another rank tells it
            return
        if as_json:
            print(json.dumps(summary))
            return
        print(f"Step {summary['step']}, loss {summary['loss']:.4f}. The model is in {summary['model']}.")
        if (Path(summary["model"]) / "config.json").exists():  # some tasks write parts of a model
            notes.print(f'Ask it: clearsight ask --model {summary["model"]} photo.jpg "What is this?"')
        notes.print(f"Read how it went: {summary['report']}")


@app.command(epilog="Example:  clearsight train diff runs/a runs/b")
def diff(
    one: RunFolder,
    other: Annotated[Path, typer.Argument(help="The folder of another run.")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs step by step: data, loss, norms, weights. Exit code 1 when they differ."""
    from clearsight.training import difference
    from clearsight.training.record import read_run

    with reported(as_json):
        found = difference.compare(read_run(one), read_run(other))
        print(json.dumps(found.to_json()) if as_json else difference.describe(found))
        if not found.same:
            raise typer.Exit(1)


@app.command(epilog="Example:  clearsight train watch runs/finetune")
def watch(folder: RunFolder) -> None:
    """Follow a run that another process does, here or on another machine with the same folder."""
    from clearsight.training.watching import watch as follow

    with reported(False):
        follow(folder)


@app.command(epilog="Example:  clearsight train report runs/finetune")
def report(folder: RunFolder, as_json: AsJson = False) -> None:
    """Write report.html: loss, norms, throughput, data, goodput, what the guards did."""
    from clearsight.training.report import write_report

    with reported(as_json):
        page = write_report(folder)
        print(json.dumps({"report": str(page)}) if as_json else f"Wrote {page}.")


@app.command(epilog="Example:  clearsight train export runs/finetune --to models/mine --step 400")
def export(
    folder: RunFolder,
    to: Annotated[Path, typer.Option(help="The folder for the model.")],
    step: Annotated[int | None, typer.Option(help="A step with a checkpoint; the last by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the model of any checkpoint under the public names, for clearsight, transformers, vLLM."""
    from clearsight.training import learner
    from clearsight.training.checkpoint import Checkpoints
    from clearsight.training.config import Config, from_json
    from clearsight.training.record import read_run

    with reported(as_json):
        config = from_json(read_run(folder).config, Config())
        checkpoints = Checkpoints(folder / "checkpoints")
        steps = checkpoints.steps()
        if not steps:
            raise UsageError(f"{folder} holds no finished checkpoint yet")
        if step is not None and step not in steps:
            raise UsageError(f"there is no checkpoint of step {step}; there are {', '.join(map(str, steps))}")
        learner.export(config, checkpoints.path(step or steps[-1]), to)
        print(json.dumps({"model": str(to)}) if as_json else f"Wrote {to}. Try: clearsight chat --model {to}")


@app.command(epilog="Example:  clearsight train pack runs/mini --to home --megabytes 15")
def pack(
    folder: RunFolder,
    to: Annotated[Path, typer.Option(help="The folder for the copy.")],
    megabytes: Annotated[float, typer.Option(min=0.2, help="Largest file.")] = 15.0,
    small_weights: Annotated[
        bool, typer.Option("--small-weights", help="Round weights to bfloat16 too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a small copy of the last checkpoint, in files of limited size, to go on from elsewhere."""
    from clearsight.training.checkpoint import Checkpoints
    from clearsight.training.take_home import MEGABYTE
    from clearsight.training.take_home import pack as packed

    with reported(as_json):
        path = Checkpoints(folder / "checkpoints").last()
        made = packed(path, to, file_bytes=int(megabytes * MEGABYTE), small_weights=small_weights)
        size = sum(file.stat().st_size for file in made.iterdir())
        if as_json:
            print(json.dumps({"checkpoint": str(made), "bytes": size}))
            return
        print(f"Wrote {made}, {size / 1e6:,.1f} MB.")
        notes.print(
            "Go on elsewhere: copy it into a run's checkpoints/ folder, and start the recipe with that --out."
        )


@app.command(
    epilog="Examples:  clearsight train plan --params 7B --gpus 512 --hbm 141   |   "
    "clearsight train plan --model smolvlm-2.2b --gpus 8 --hbm 80 --row-tokens 8192"
)
def plan(
    gpus: Annotated[int, typer.Option(min=1, help="Accelerators in all.")],
    hbm: Annotated[float, typer.Option(help="Memory of each, in GiB.")],
    params: Annotated[str | None, typer.Option(help="Size of the model, such as 7B.")] = None,
    model: Annotated[str | None, typer.Option(help="A named shape: mini, smolvlm-256m, ...")] = None,
    row_tokens: Annotated[int, typer.Option(min=16, help="Tokens of a packed row.")] = 4096,
    rows: Annotated[int, typer.Option(min=1, help="Rows of a micro-batch.")] = 1,
    micro_batches: Annotated[int, typer.Option(min=1, help="Micro-batches of a step.")] = 1,
    gpus_per_node: Annotated[int, typer.Option(min=1, help="Accelerators of one machine.")] = 8,
    accelerator: Annotated[str | None, typer.Option(help="Such as H100; by its memory by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Predict memory, communication and speed of every way to divide a run, before anything is rented."""
    from rich.console import Console

    from clearsight.models.presets import PRESETS
    from clearsight.training import hardware_catalog, planner

    with reported(as_json):
        if (params is None) == (model is None):
            raise UsageError("give --params or --model, one of them")
        if model is not None and model not in PRESETS:
            raise UsageError(f"there is no shape {model!r}; there are {', '.join(sorted(PRESETS))}")
        found = hardware_catalog.find(accelerator) if accelerator else None
        if accelerator and found is None:
            raise UsageError(
                f"{accelerator!r} is not in the catalog of accelerators; leave it out, or add it there"
            )
        try:
            choices = planner.plan(
                PRESETS[model] if model is not None else str(params),
                gpus,
                hbm,
                row_tokens=row_tokens,
                rows=rows,
                micro_batches=micro_batches,
                gpus_per_node=gpus_per_node,
                accelerator=found,
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
        if as_json:
            print(json.dumps([choice.to_json() for choice in choices]))
            return
        Console().print(planner.describe(choices, f"{params or model} on {gpus} x {hbm:g} GiB"))
