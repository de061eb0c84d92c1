"""How fast pictures are drawn and loaded: each world, the mix, and the loader with one and two workers.

Every world is timed in rounds that take turns, so that a busy machine hurts all alike; the median round counts. The
mix is what a build makes: worlds by equal weights, a third degraded, questions asked, pictures encoded. The loader
reads a corpus of the mix, decodes, cuts tiles, makes ids and packs; its figures with one and two workers take turns
too. The last line is JSON.

    python -m benchmarks.data --rounds 5
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import torch

from clearsight import mini
from clearsight.data.build import Worlds, build
from clearsight.data.loader import Loader, costs
from clearsight.data.shards import Corpus
from clearsight.data.worlds import WORLDS, load

RECIPE = """
from clearsight.data.build import Recipe, Worlds
RECIPE = Recipe(parts=(Worlds(count={count}),), records_per_shard=500)
"""


def drawing(name: str, first: int, count: int) -> float:
    """Pictures a second of one core: the scene with its whole truth, not degraded, not encoded."""
    world = load(name)
    start, pictures = time.perf_counter(), 0
    for seed in range(first, first + count):
        pictures += len(world.sample(seed, "train").pictures)
    return pictures / (time.perf_counter() - start)


def making(first: int, count: int) -> float:
    """Pictures a second of one core that the mix gives, finished: degraded, asked about, encoded."""
    part = Worlds(count=count)
    start, pictures = time.perf_counter(), 0
    for number in range(first, first + count):
        pictures += len(part.record(number).conversation.images)
    return pictures / (time.perf_counter() - start)


def loading(corpus: Corpus, workers: int, seconds: float) -> float:
    """Pictures a second that the loader gives, after its workers have started."""
    loader = Loader(
        [corpus], mini.processor(), row_tokens=2048, rows=4, row_tiles=64, workers=workers, window=1024
    )
    pictures, start = 0, 0.0
    for batches, batch in enumerate(loader, 1):
        if batches == 8:  # what was prefetched while the workers started is not counted
            start = time.perf_counter()
        elif batches > 8:
            pictures += len(batch.tiles_NCSS)
            if time.perf_counter() - start > seconds:
                break
    return pictures / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=60, help="of each world a round")
    parser.add_argument("--mix", type=int, default=400, help="examples of the mix a round")
    parser.add_argument("--corpus", type=int, default=2000, help="examples for the loader to read")
    parser.add_argument("--seconds", type=float, default=8, help="of loading a round")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in WORLDS:
        drawing(name, 900_000, 10)  # fonts and drawings are read once
    making(900_000, 60)

    worlds: dict[str, list[float]] = {name: [] for name in WORLDS}
    mix: list[float] = []
    for turn in range(arguments.rounds):
        for name in WORLDS:
            worlds[name].append(drawing(name, turn * arguments.pictures, arguments.pictures))
        mix.append(making(turn * arguments.mix, arguments.mix))
    print("| world | pictures a second and core |\n|---|---:|")
    for name, rates in sorted(worlds.items(), key=lambda item: -statistics.median(item[1])):
        print(f"| {name} | {statistics.median(rates):.0f} |")
    mix_rate = statistics.median(mix)
    print(f"| **the mix, degraded and encoded** | **{mix_rate:.0f}** |\n")

    with tempfile.TemporaryDirectory() as folder:
        recipe, out = Path(folder, "recipe.py"), Path(folder, "corpus")
        recipe.write_text(RECIPE.format(count=arguments.corpus))
        build(recipe, out)
        corpus = Corpus(out)
        costs(corpus, mini.processor())
        rates: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(arguments.rounds):
            for workers in rates:
                rates[workers].append(loading(corpus, workers, arguments.seconds))
    one, two = (statistics.median(rates[workers]) for workers in (1, 2))
    print("| loader | pictures a second |\n|---|---:|")
    print(f"| 1 worker | {one:.0f} |\n| 2 workers | {two:.0f} |")
    gain = two / one
    print(f"| 16 workers, at {gain / 2:.2f} for each doubling | {one * gain**4:.0f} |\n")
    print(
        json.dumps(
            {
                "mix_pictures_per_core_second": round(mix_rate, 1),
                "loader_scaling_two_workers": round(gain / 2, 3),
                "loader_pictures_per_second_one_worker": round(one, 1),
                "mix_pictures_per_second_16_cores": round(16 * mix_rate),
                "worlds": {name: round(statistics.median(values), 1) for name, values in worlds.items()},
                "cores": os.cpu_count(),
                "rounds": arguments.rounds,
            }
        )
    )


if __name__ == "__main__":
    main()
