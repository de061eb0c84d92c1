"""`clearsight bench`: how fast a model answers on this machine, as a table and a plot."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from clearsight.commands.terminal import AsJson, UsageError, notes, reported

FORMATS = ("int8", "int4", "float32", "model")


def bench(
    model: Annotated[
        str, typer.Option(help="mini (bundled), a checkpoint folder, or hf:owner/name[@revision].")
    ] = "mini",
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="auto, int8, int4, float32 or model; may be repeated. All that work here by default."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor cores to use; all by default.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Figures are medians over so many rounds.")] = 3,
    plot: Annotated[Path | None, typer.Option(help="Write a plot there (SVG or PNG).")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Never touch the network; use what is cached.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure first token, prompts, answers and many chats at once, in every weight format."""
    with reported(as_json):
        if plot is not None and plot.suffix.lower() not in (".svg", ".png"):
            raise UsageError(f"--plot is a file such as bench.svg or bench.png, not {plot}")
        if weights is not None and len(weights) == 1:
            found = [_measured(model, weights[0], threads, rounds, offline, as_json)]
        else:  # a process for each, so that memory is its own
            found = [_in_a_process(model, one, threads, rounds, offline) for one in weights or FORMATS]
        failed = [one for one in found if "error" in one]
        if len(failed) == len(found):
            raise UsageError("; ".join(one["error"] for one in failed))
        if as_json:
            print(json.dumps(found[0] if len(found) == 1 else found))
        else:
            _show([one for one in found if "error" not in one])
            for one in failed:
                notes.print(f"{one['weights']}: {one['error']}")
        if plot is not None:
            _draw([one for one in found if "error" not in one], plot)
            notes.print(f"Written to {plot}")


def _measured(
    model: str, weights: str, threads: int | None, rounds: int, offline: bool, quiet: bool
) -> dict[str, Any]:
    from clearsight.engine import Engine, EngineConfig
    from clearsight.engine.measure import measure

    config = EngineConfig(weights=weights, threads=threads)  # type: ignore[arg-type]  # checked there
    with (
        notes.status(f"Loading {model} ({weights}) ...") as status,
        Engine.load(model, config, offline=offline or None) as engine,
    ):
        found = measure(engine, rounds=rounds, progress=lambda what: status.update(f"{weights}: {what} ..."))
    return found.to_json()


def _in_a_process(
    model: str, weights: str, threads: int | None, rounds: int, offline: bool
) -> dict[str, Any]:
    command = [sys.executable, "-m", "clearsight", "bench", "--json", "--model", model, "--weights", weights]
    command += ["--rounds", str(rounds)] + (["--threads", str(threads)] if threads else [])
    command += ["--offline"] if offline else []
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    try:
        found = json.loads(ended.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        found = {"error": f"the measuring process ended with status {ended.returncode}"}
    return {"weights": weights} | found


def _show(found: list[dict[str, Any]]) -> None:
    table = Table(title="This machine, medians", title_justify="left")
    table.add_column("")
    for one in found:
        table.add_column(one["weights"], justify="right")
    for name, cells in _rows(found):
        table.add_row(name, *cells)
    Console(highlight=False).print(table)


def _rows(found: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    rows = [
        ("first token about a new picture", [f"{1000 * one['first_token']:.0f} ms" for one in found]),
        ("about the same picture again", [f"{1000 * one['first_token_again']:.0f} ms" for one in found]),
        ("prompt tokens a second", [f"{one['prefill']:,.0f}" for one in found]),
        ("tokens a second, one answer", [f"{one['decode']:.1f}" for one in found]),
    ]
    for count in found[0]["concurrent"]:
        rows.append(
            (
                f"{count} chats about pictures, tokens a second in all",
                [f"{one['concurrent'][count]:.1f}" for one in found],
            )
        )
    return [*rows, ("peak memory", [f"{one['memory_gb']:.2f} GB" for one in found])]


def _draw(found: list[dict[str, Any]], path: Path) -> None:
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError:
        raise UsageError("plots need matplotlib: pip install 'clearsight[train]'") from None
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for one in found:
        counts = [int(count) for count in one["concurrent"]]
        left.plot(counts, list(one["concurrent"].values()), marker="o", label=one["weights"])
    left.set(xlabel="chats at once", ylabel="tokens a second in all", title="Chats about pictures", ylim=0)
    left.set_xticks(counts)
    left.legend(frameon=False)
    names = [one["weights"] for one in found]
    places = range(len(found))
    right.barh(
        [p + 0.2 for p in places], [1000 * one["first_token"] for one in found], 0.38, label="a new picture"
    )
    right.barh(
        [p - 0.2 for p in places],
        [1000 * one["first_token_again"] for one in found],
        0.38,
        label="the same again",
    )
    right.set(xlabel="milliseconds", title="First token")
    right.set_yticks(list(places), names)
    right.legend(frameon=False)
    figure.savefig(path)
