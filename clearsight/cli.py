"""Every command; each parses its arguments and calls one function.

Standard output holds the answer, or with --json one JSON object; everything else goes to standard error.
Exit codes: 0 done, 1 something went wrong (the message says what to do), 2 wrong usage, 130 interrupted.
"""

import contextlib
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from clearsight import __version__
from clearsight.commands import admin, data, train
from clearsight.commands.bench import bench
from clearsight.commands.evals import evaluate
from clearsight.commands.hardware import check_hardware
from clearsight.commands.serve import serve
from clearsight.commands.terminal import AsJson, UsageError, expected_errors, notes, reported
from clearsight.conversation import Conversation, ConversationError, Detail, Image, assistant, user

if TYPE_CHECKING:
    from clearsight.assistant import AnswerStream, Assistant

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="A private visual assistant: ask about pictures, on this machine.",
)

MAX_TOKENS = 256
WITH_EXPERTS = "mini+experts"
NEXT_STEPS = """
How to go on (put [bold].venv/bin[/bold] on your PATH, or write it before the command):
  clearsight ask photo.jpg "What colour is the car?"
  clearsight describe photo.jpg
  clearsight chat                   a conversation; /image photo.jpg shows it a picture
  clearsight tiles photo.jpg        what the model sees of a picture
  clearsight ask --model hf:HuggingFaceTB/SmolVLM-256M-Instruct photo.jpg "What is this?"
  clearsight --help"""

Model = Annotated[
    str,
    typer.Option(
        help="mini (bundled), a checkpoint folder, or hf:owner/name[@revision]; with +experts behind it, a text "
        "recogniser and a classifier of photographs look as well.",
        envvar="CLEARSIGHT_MODEL",
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network; use what is cached.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor cores to use; all by default.")]
HowMuchDetail = Annotated[
    Detail, typer.Option("--detail", help="auto, low (one tile) or high (as many as the model takes).")
]
Temperature = Annotated[
    float, typer.Option(min=0, max=2, help="0 takes the likeliest word; higher is more varied.")
]
MaxTokens = Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Makes a varied answer repeatable.")]


app.command(
    epilog="Examples:  clearsight bench   |   clearsight bench --weights int8 --plot bench.svg   |   "
    "clearsight bench --model hf:HuggingFaceTB/SmolVLM-256M-Instruct --json"
)(bench)
app.command(
    "eval",
    epilog="Examples:  clearsight eval real   |   clearsight eval mini my.jsonl --model my-model --out mine   |   "
    "clearsight eval mini --model https://gpu-node:8000/v1#some/model --price 0.5,1.5   |   "
    "clearsight eval compare runs/eval/a/mini runs/eval/b/mini   |   "
    "clearsight eval contamination runs/eval/a/mini --corpus runs/data/first",
)(evaluate)
app.command(
    epilog="Examples:  clearsight serve --port 9000   |   clearsight serve --config clearsight.toml   |   "
    "clearsight serve --model hf:HuggingFaceTB/SmolVLM-256M-Instruct"
)(serve)
app.add_typer(admin.app, name="admin")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")


# ---------------------------------------------------------------------------------------------------
# Commands


@app.command(
    epilog='Examples:  clearsight ask sign.jpg "What does it say?"   |   '
    'clearsight ask before.png after.png "Which has more stars?"   |   cat a.png | clearsight ask - "What is it?"'
)
def ask(
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="[IMAGE]... QUESTION", help="Pictures in order (- is standard input), then the question."
        ),
    ],
    model: Model = WITH_EXPERTS,
    detail: HowMuchDetail = "auto",
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = MAX_TOKENS,
    seed: Seed = None,
    logprobs: Annotated[
        int | None,
        typer.Option(min=0, max=20, help="With --json: log-probabilities, and so many alternatives."),
    ] = None,
    threads: Threads = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Ask a question about one or several pictures."""
    with reported(as_json):
        *paths, question = items
        if question == "-" or os.path.isfile(question):
            raise UsageError(
                f"the last argument is the question, but {question!r} is a picture; "
                f'write for instance: clearsight ask {question} "What is this?"'
            )
        parts = [read_image(path, detail) for path in paths]
        conversation = Conversation((user(*parts, question),))
        with load(model, threads, offline) as loaded:
            stream = loaded.stream(
                conversation, temperature=temperature, max_tokens=max_tokens, seed=seed, logprobs=logprobs
            )
            show(stream, as_json, model)


@app.command(
    epilog="Examples:  clearsight describe photo.jpg   |   clearsight describe photo.jpg --for-blind --json"
)
def describe(
    image: Annotated[str, typer.Argument(help="The picture; - is standard input.")],
    model: Model = WITH_EXPERTS,
    detail: HowMuchDetail = "auto",
    max_tokens: MaxTokens = MAX_TOKENS,
    for_blind: Annotated[
        bool,
        typer.Option(
            "--for-blind",
            help="Say first whether the picture is usable, then two sentences with doubtful words marked.",
        ),
    ] = False,
    threads: Threads = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say what is in a picture."""
    with reported(as_json):
        picture = read_image(image, detail)
        if for_blind:
            from clearsight.commands.for_blind import describe_for_blind

            with load(model, threads, offline) as loaded:
                describe_for_blind(loaded, picture, as_json)
            return
        from clearsight.assistant import DESCRIBE

        conversation = Conversation((user(picture, DESCRIBE),))
        with load(model, threads, offline) as loaded:
            show(loaded.stream(conversation, max_tokens=max_tokens), as_json, model)


@app.command(epilog="Example:  clearsight chat --model mini")
def chat(
    model: Model = WITH_EXPERTS,
    detail: HowMuchDetail = "auto",
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = MAX_TOKENS,
    threads: Threads = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Talk in turns. /image PATH shows a picture, /clear starts anew, /quit ends. With --json, one object a turn."""
    with reported(as_json), load(model, threads, offline) as loaded:
        if sys.stdin.isatty() and not as_json:
            notes.print("Type a question. /image PATH shows a picture, /clear starts anew, /quit ends.")
        talk(loaded, model, detail, as_json, temperature=temperature, max_tokens=max_tokens)


@app.command(epilog="Example:  clearsight tiles photo.jpg --out seen.png")
def tiles(
    image: Annotated[str, typer.Argument(help="The picture; - is standard input.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; beside the picture by default.")
    ] = None,
    model: Model = "mini",
    detail: HowMuchDetail = "auto",
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Write what the model sees of a picture: its tiles, in order, and the whole."""
    with reported(as_json):
        picture = read_image(image, detail)
        from clearsight.processing.images import from_conversation_image
        from clearsight.processing.tiles import contact_sheet, cut, plan

        processor = load_processor(model, offline)
        pixels = from_conversation_image(picture)
        planned = plan(*pixels.size, processor.tile_settings, picture.detail)
        source = None if image == "-" else Path(image)
        target = out or (source.with_name(f"{source.stem}-tiles.png") if source else Path("tiles.png"))
        if target.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
            raise UsageError(f"--out is a picture such as seen.png, not {target}")
        if source and target.exists() and target.samefile(source):
            raise UsageError(f"{target} is the picture itself; name another --out")
        contact_sheet(cut(pixels, planned), planned).save(target)
        facts = {
            "picture": list(pixels.size),
            "tiles": planned.num_tiles,
            "rows": planned.rows,
            "columns": planned.cols,
            "image_tokens": planned.num_image_tokens,
            "prompt_tokens": processor.picture_cost(planned),
            "written": str(target),
        }
        if as_json:
            print(json.dumps(facts))
        else:
            grid = f"{planned.rows} x {planned.cols} tiles and the whole" if planned.rows else "one tile"
            cost = f"{facts['prompt_tokens']} tokens"
            print(f"{pixels.width} x {pixels.height} pixels become {grid}: {cost}. Written to {target}")


@app.command(epilog="Example:  clearsight export --to hf --out my-model")
def export(
    out: Annotated[Path, typer.Option(help="Folder to write; must be empty or new.")],
    to: Annotated[
        str, typer.Option(help="The layout: hf (transformers, vLLM, llama.cpp's converter).")
    ] = "hf",
    model: Model = "mini",
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Write a model so that other programs load it."""
    with reported(as_json):
        if to != "hf":
            raise UsageError(f"--to knows hf, not {to!r}")
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"{out} exists and is not an empty folder; name another --out")
        from clearsight import checkpoints
        from clearsight.experts import SUFFIX
        from clearsight.models import hf

        with notes.status(f"Writing {out} ..."):
            whole, processor = checkpoints.load(model.removesuffix(SUFFIX), offline=offline or None)
            hf.save(whole, out)
            processor.save(out)
        files = sorted(path.name for path in out.iterdir())
        print(
            json.dumps({"folder": str(out), "files": files})
            if as_json
            else f"Wrote {out}: {', '.join(files)}"
        )


@app.command(epilog="Examples:  clearsight doctor --json   |   clearsight doctor --gpu --seconds 300")
def doctor(
    cpu: Annotated[
        bool, typer.Option("--cpu", help="Hold the processor's arithmetic against a reference.")
    ] = False,
    gpu: Annotated[bool, typer.Option("--gpu", help="The same of every GPU.")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Repeat the checks for so long; once by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check this machine and installation, and say what to do about what is wrong.

    With --cpu or --gpu: does the hardware compute, remember and transmit correctly?
    """
    if cpu or gpu:
        check_hardware(cpu, gpu, seconds, as_json)
        return
    with reported(as_json):
        from clearsight.doctor import examine

        findings = examine()
        if as_json:
            print(json.dumps([dataclasses.asdict(finding) for finding in findings]))
        else:
            console = Console(highlight=False)
            for finding in findings:
                console.print(
                    ("[green]ok[/green]  " if finding.ok else "[red]no[/red]  ")
                    + f"{finding.what}: {finding.says}"
                )
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


@app.command(epilog="Example:  clearsight demo")
def demo(offline: Offline = False, as_json: AsJson = False) -> None:
    """Fetch the base weights, answer a sample question about a sample picture, and say how to go on."""
    with reported(as_json):
        from clearsight import mini

        picture = mini.bundled_folder() / "sample.png"
        with load(WITH_EXPERTS, None, offline) as loaded:
            for question in ("What shape is this?", "What colour is the shape?"):
                if not as_json:
                    notes.print(f"\n[bold]{escape(str(picture))}[/bold]\n[cyan]{question}[/cyan]")
                conversation = Conversation((user(Image.from_file(picture), question),))
                show(loaded.stream(conversation, max_tokens=MAX_TOKENS), as_json, WITH_EXPERTS)
        if not as_json:
            notes.print(NEXT_STEPS, soft_wrap=True)


# ---------------------------------------------------------------------------------------------------
# What they share


def read_image(path: str, detail: Detail) -> Image:
    """A picture from a file or, for -, from standard input, found to be usable before a model is loaded.

    Raises ConversationError or ImageError, which name the file.
    """
    if path == "-" and sys.stdin.isatty():
        raise ConversationError('- reads a picture from standard input: cat a.png | clearsight ask - "..."')
    image = (
        Image(data=sys.stdin.buffer.read(), detail=detail) if path == "-" else Image.from_file(path, detail)
    )
    from clearsight.processing.images import ImageError, from_conversation_image

    try:
        from_conversation_image(image)
    except ImageError as error:
        raise ImageError(f"{'standard input' if path == '-' else path}: {error}") from error
    return image


def load(model: str, threads: int | None, offline: bool) -> "Assistant":
    """The assistant, with a note while it loads."""
    from clearsight import weights
    from clearsight.assistant import Assistant
    from clearsight.engine import EngineConfig
    from clearsight.experts.engine import without_suffix

    plain, told = without_suffix(model)
    if plain == "mini":
        weights.fetch(weights.BASE_DECODER, offline=offline or None)
    if told:
        with contextlib.suppress(weights.WeightsError):  # the model answers without it, and says so
            weights.fetch(weights.TEACHER, offline=offline or None)
    with notes.status("Loading the model ..."):
        return Assistant.load(model, EngineConfig(threads=threads), offline=offline or None)


def load_processor(model: str, offline: bool) -> Any:
    """The processor alone, without the network's weights."""
    from clearsight import checkpoints
    from clearsight.experts import SUFFIX

    return checkpoints.load_processor(model.removesuffix(SUFFIX), offline=offline or None)


def show(stream: "AnswerStream", as_json: bool, model: str) -> str:
    """Print an answer as it comes, or whole as JSON; returns its text."""
    for piece in stream:
        if not as_json:
            print(piece, end="", flush=True)
    answer = stream.answer
    if not as_json:
        print()
        return answer.text
    value: dict[str, Any] = {"model": model, "text": answer.text, "finish_reason": answer.finish_reason}
    value["usage"] = dataclasses.asdict(answer.usage)
    if answer.logprobs:
        value["logprobs"] = [_logprob(entry) for entry in answer.logprobs]
    print(json.dumps(value, ensure_ascii=False))
    return answer.text


def _logprob(entry: Any) -> dict[str, Any]:
    value = {
        "token": entry.token.decode("utf-8", "replace"),
        "bytes": list(entry.token),
        "logprob": entry.logprob,
    }
    return value | ({"top": [_logprob(other) for other in entry.top]} if entry.top else {})


def talk(loaded: "Assistant", model: str, detail: Detail, as_json: bool, **sampling: Any) -> None:
    """The chat loop: reads lines until the end of input or /quit; a mistake never loses the conversation."""
    conversation: Conversation | None = None
    waiting: list[Image] = []
    while True:
        try:
            line = input("> " if sys.stdin.isatty() and not as_json else "").strip()
        except EOFError:
            return
        try:
            if line in ("/quit", "/exit"):
                return
            if line == "/clear":
                conversation, waiting = None, []
            elif line.startswith("/image"):
                waiting.append(read_image(line.removeprefix("/image").strip().strip("'\""), detail))
                notes.print("[dim]ask about it[/dim]")
            elif line.startswith("/"):
                notes.print("[dim]/image PATH, /clear and /quit are the commands[/dim]")
            elif line:
                message = user(*waiting, line)
                asked = conversation.with_message(message) if conversation else Conversation((message,))
                text = show(loaded.stream(asked, **sampling), as_json, model)
                conversation, waiting = asked.with_message(assistant(text)), []
        except KeyboardInterrupt:
            _complain("stopped; ask again, or end with /quit", as_json)
        except expected_errors() as error:
            _complain(str(error), as_json)


def _complain(message: str, as_json: bool) -> None:
    """Say what went wrong in a conversation that goes on."""
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False), flush=True)
    else:
        notes.print(message, style="red", markup=False)


def _version(value: bool) -> None:
    if value:
        print(f"clearsight {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the `clearsight` command."""
    app()


if __name__ == "__main__":
    main()
