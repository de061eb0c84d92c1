"""Training beside transformers' Trainer: the same model, data and machine, in one run, taking turns.

A checkpoint with the widths of the bundled model and random weights is written once; both load it, learn all of it in
the same precision with fused AdamW, and read the same corpus of generated conversations with as many samples a step.
Before any speed is measured, both must make the same tokens, labels and loss of the same records.

    plain      Trainer as most use it: a collator that calls the processor, batches padded to their longest sample
    grouped    the same with its sampler that puts samples of like length together
    ready      grouped, with every tensor made in memory before: what preprocessing costs the other two

Each turn is a process of its own, which warms up and takes a few steps; rounds of turns follow each other, so that a
busy machine hurts all alike. Batches of the peer are spread over its sampler's whole epoch, long and short ones alike.
Counted is what samples need, without padding; MFU is against the fastest product of matrices seen. No two turns
draw the same samples, so they are weighed: ratios are of the FLOPs that the samples of a second need. The last line is
JSON; `throughput_vs_trainer` is against the better of plain and grouped. Where other work shares the processor, time on
the clock says little; then run with `--threads 1` and read the ratio by processor time (of a turn's main process, its
loader's workers left out).

    python -m benchmarks.training                        # a shallow model, seven minutes on two cores
    python -m benchmarks.training --full --steps 4       # all layers of the bundled model
    python -m benchmarks.training --full --rows 16       # an accelerator wants more samples a step
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from benchmarks.training_turns import (
    GROUPED,
    OURS,
    PLAIN,
    READY,
    ROW_TOKENS,
    WARM_UP,
    Turn,
    check_parity,
    prepare,
    samples_a_step,
)
from clearsight.models.precision import native_dtype


def take_turn(folder: Path, way: str, seed: int, arguments: argparse.Namespace) -> Turn:
    """Run one turn in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training_turns", way, str(folder), "--seed", str(seed)]
    for name in ("rows", "steps", "threads"):
        command += [f"--{name}", str(getattr(arguments, name))]
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads), "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"the turn of {way} failed:\n{done.stdout}{done.stderr}")
    return Turn(**json.loads(done.stdout.splitlines()[-1]))


def median_turn(turns: Sequence[Turn], peak_flops: float) -> dict[str, float]:
    """The medians of what describes a turn; MFU is against `peak_flops` a second."""
    rates = {
        "useful_gflops": [turn.flops / turn.seconds / 1e9 for turn in turns],
        "useful_gflops_by_processor_time": [turn.flops / turn.processor_seconds / 1e9 for turn in turns],
        "samples_per_second": [turn.samples / turn.seconds for turn in turns],
        "tokens_per_second": [turn.tokens / turn.seconds for turn in turns],
        "labelled_per_second": [turn.labelled / turn.seconds for turn in turns],
        "seconds_per_step": [turn.seconds / turn.steps for turn in turns],
        "mfu": [turn.flops / turn.seconds / peak_flops for turn in turns],
        "memory_gb": [turn.memory / 1e9 for turn in turns],
    }
    return {name: statistics.median(values) for name, values in rates.items()}


def table(turns: dict[str, list[Turn]], medians: dict[str, dict[str, float]]) -> str:
    lines = [
        "| | useful GFLOP/s (all rounds) | sample tokens/s | labelled tokens/s | samples/s | s a step | MFU "
        "| useful GFLOP a processor second | peak memory |",
        "|---" + "|---:" * 8 + "|",
    ]
    for way, middle in medians.items():
        rounds = sorted(turn.flops / turn.seconds / 1e9 for turn in turns[way])
        lines.append(
            f"| {way} | {middle['useful_gflops']:.1f} ({rounds[0]:.1f} to {rounds[-1]:.1f}) "
            f"| {middle['tokens_per_second']:.0f} | {middle['labelled_per_second']:.0f} "
            f"| {middle['samples_per_second']:.2f} | {middle['seconds_per_step']:.2f} | {middle['mfu']:.1%} "
            f"| {middle['useful_gflops_by_processor_time']:.1f} | {middle['memory_gb']:.1f} GB |"
        )
    return "\n".join(lines)


def _commit() -> str:
    """The commit that is measured; marked when files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7"], capture_output=True, text=True
    )
    return described.stdout.strip() or "unknown"


def _machine() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} cores of {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="all layers of the bundled model; else 6 and 4")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each, at most")
    parser.add_argument(
        "--minutes", type=float, default=7.5, help="no further round begins that would end later than this"
    )
    parser.add_argument("--steps", type=int, default=6, help=f"measured in a turn, behind {WARM_UP}")
    parser.add_argument("--rows", type=int, default=1, help=f"packed rows of {ROW_TOKENS} tokens a step")
    parser.add_argument("--records", type=int, default=320, help="conversations in the corpus")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each turn's main process")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _note("Writing the model and the corpus ...")
        prepare(folder, arguments.full, arguments.records)
        losses = check_parity(folder)
        _note(
            f"The same tokens and labels; loss {losses[OURS]:.5f} here, {losses['transformers']:.5f} there."
        )
        turns: dict[str, list[Turn]] = {way: [] for way in (OURS, PLAIN, GROUPED, READY)}
        for seed in range(arguments.rounds):
            round_began = time.perf_counter()
            for way, taken in turns.items():
                taken.append(take_turn(folder, way, seed, arguments))
                _note(
                    f"{time.perf_counter() - began:4.0f} s  round {seed + 1}  {way:24} "
                    f"{taken[-1].tokens / taken[-1].seconds:6.0f} sample tokens/s, "
                    f"{taken[-1].flops / taken[-1].processor_seconds / 1e9:.1f} GFLOP a processor second, "
                    f"loss {taken[-1].loss:.3f}"
                )
            now = time.perf_counter()
            if now - began + (now - round_began) > 60 * arguments.minutes:
                break
        size = samples_a_step(np.load(folder / "costs.npy"), arguments.rows)
    peak = max(turn.peak_flops for taken in turns.values() for turn in taken)
    middle = {way: median_turn(taken, peak) for way, taken in turns.items()}
    print(table(turns, middle), "\n")

    def ratio(figure: str, *ways: str) -> float:
        return round(middle[OURS][figure] / max(middle[way][figure] for way in ways), 3)

    print(
        json.dumps(
            {
                "throughput_vs_trainer": ratio("useful_gflops", PLAIN, GROUPED),
                "mfu": round(middle[OURS]["mfu"], 4),
                "by_processor_time": ratio("useful_gflops_by_processor_time", PLAIN, GROUPED),
                "throughput_vs": {way: ratio("useful_gflops", way) for way in (PLAIN, GROUPED, READY)},
                "by_processor_time_vs": {
                    way: ratio("useful_gflops_by_processor_time", way) for way in (PLAIN, GROUPED, READY)
                },
                "peak_gflops": round(peak / 1e9),
                "medians": {way: {k: round(v, 4) for k, v in m.items()} for way, m in middle.items()},
                "losses_before": {who: round(loss, 6) for who, loss in losses.items()},
                "samples_per_step_of_trainer": size,
                "layers": "all of the bundled model" if arguments.full else "6 decoder, 4 tower",
                "rounds": len(turns[OURS]),
                "steps": arguments.steps,
                "threads": arguments.threads,
                "dtype": str(native_dtype("cuda" if torch.cuda.is_available() else "cpu")).removeprefix(
                    "torch."
                ),
                "machine": _machine(),
                "torch": torch.__version__,
                "transformers": version("transformers"),
                "commit": _commit(),
                "seconds": round(time.perf_counter() - began),
            }
        )
    )


if __name__ == "__main__":
    main()
