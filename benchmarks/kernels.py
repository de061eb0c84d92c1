"""Speed of the native kernels beside the same network in PyTorch, random weights of the bundled model's shape.

Prefill of one prompt and decode of several answers with some 256 tokens each; the median of several rounds, in tokens
a second, and the share of the memory's bandwidth that decoding one answer reaches, counted in bytes of weights.
The last line is JSON.

    python -m benchmarks.kernels --threads 2
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from clearsight.engine.batch import FlatBatch
from clearsight.engine.kernels import NativeDecoder, NativeVision
from clearsight.engine.kernels.layout import Precision
from clearsight.models.presets import MINI
from clearsight.models.text import KVCache
from clearsight.models.vlm import VisionLanguageModel

PROMPTS = (128, 1024)
COMPANIES = (1, 4, 8, 16)
CONTEXT = 256
BLOCK = 16
NUM_BLOCKS = max(max(PROMPTS), max(COMPANIES) * (CONTEXT + BLOCK)) // BLOCK
PRECISIONS: tuple[Precision, ...] = ("float32", "int8", "int4")


def seconds(body: Callable[[], object], rounds: int) -> float:
    """Median time of a call, after one that is not counted."""
    body()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def bandwidth(rounds: int) -> float:
    """Bytes a second at which one thread adds up more numbers than the caches hold."""
    numbers = np.ones(1 << 25, dtype=np.int64)
    return numbers.nbytes / seconds(numbers.sum, rounds)


def batch(sequences: int, start: int, count: int) -> FlatBatch:
    """`count` new tokens of each sequence from position `start`; the last one's scores are wanted."""
    blocks = (start + count + BLOCK - 1) // BLOCK
    places = range(start, start + count)
    pieces = [(places, range(number * blocks, (number + 1) * blocks)) for number in range(sequences)]
    return FlatBatch.of(pieces, [(number + 1) * count - 1 for number in range(sequences)], BLOCK)


def native_speeds(model: VisionLanguageModel, weights: Precision, threads: int, rounds: int) -> dict:
    decoder = NativeDecoder(
        model.text_model,
        model.lm_head.weight,
        weights=weights,
        num_blocks=NUM_BLOCKS,
        block_size=BLOCK,
        threads=threads,
    )

    def speed(sequences: int, start: int, count: int) -> float:
        work, embeds_ND = batch(sequences, start, count), embeddings(model, sequences * count)
        return sequences * count / seconds(lambda: decoder.forward(embeds_ND, work), rounds)

    return {f"prefill_{count}": speed(1, 0, count) for count in PROMPTS} | {
        f"decode_{company}": speed(company, CONTEXT, 1) for company in COMPANIES
    }


def torch_speeds(model: VisionLanguageModel, rounds: int) -> dict:
    def prefill(count: int) -> float:
        embeds_BTD = embeddings(model, count)[None]
        return count / seconds(lambda: model.logits(model.text_model(embeds_BTD)[:, -1:]), rounds)

    def decode(company: int) -> float:
        cache = KVCache(model.config.text, company, CONTEXT + 1)
        model.text_model(embeddings(model, company * CONTEXT).unflatten(0, (company, -1)), cache=cache)
        embeds_BTD = embeddings(model, company)[:, None]

        def step() -> None:
            model.logits(model.text_model(embeds_BTD, cache=cache))
            cache.truncate(CONTEXT)

        return company / seconds(step, rounds)

    return {f"prefill_{count}": prefill(count) for count in PROMPTS} | {
        f"decode_{company}": decode(company) for company in COMPANIES
    }


def tile_milliseconds(model: VisionLanguageModel, threads: int, rounds: int) -> dict:
    """Time to encode one tile and nine."""
    encoders: dict[str, Callable[[Tensor], Tensor]] = {
        f"native_{weights}": NativeVision(
            model.vision_model, model.connector, weights=weights, threads=threads
        )
        for weights in ("float32", "int8")
    }
    encoders["torch"] = model.encode_images
    size = model.config.vision.image_size
    times = {}
    for name, encode in encoders.items():
        for tiles in (1, 9):
            pixels_NCSS = torch.rand(tiles, 3, size, size)
            times[f"{name}_{tiles}"] = 1e3 * seconds(partial(encode, pixels_NCSS), rounds)
    return times


def embeddings(model: VisionLanguageModel, count: int) -> Tensor:
    return model.text_model.embed_tokens(torch.randint(model.config.text.vocab_size, (count,)))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = VisionLanguageModel(MINI).eval()
    speeds: dict[str, dict] = {
        weights: native_speeds(model, weights, arguments.threads, arguments.rounds) for weights in PRECISIONS
    }
    speeds["torch"] = torch_speeds(model, arguments.rounds)
    one_thread = bandwidth(arguments.rounds)
    parameters = sum(
        parameter.numel() for name, parameter in model.text_model.named_parameters() if "norm" not in name
    )
    head = model.lm_head.weight.numel()
    weight_bytes = {
        "float32": 4.0 * parameters,
        "int8": 1.0 * parameters,
        "int4": 4.5 / 8 * (parameters - head) + head,
    }
    result = {
        "machine": platform.processor() or platform.machine(),
        "threads": arguments.threads,
        "rounds": arguments.rounds,
        "tokens_a_second": {
            name: {what: round(speed, 1) for what, speed in table.items()} for name, table in speeds.items()
        },
        "bandwidth_one_thread_gb_s": round(one_thread / 1e9, 1),
        "share_of_that": {
            name: round(speeds[name]["decode_1"] * size / one_thread, 2)
            for name, size in weight_bytes.items()
        },
        "tile_milliseconds": {
            name: round(value, 1)
            for name, value in tile_milliseconds(model, arguments.threads, arguments.rounds).items()
        },
    }
    for name, table in result["tokens_a_second"].items():
        print(f"{name:10}" + "".join(f"{what} {speed:8.1f}   " for what, speed in table.items()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
