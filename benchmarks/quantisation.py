"""What int8 and int4 weights cost in quality: perplexity, agreement of greedy answers, scores on drawn pictures.

Perplexity is of Python's language reference (`pydoc_data.topics`, which no stage of training used), in windows of 512
tokens. Answers are those of the skills of recipes/mini on held-out pictures, asked in every format alike; a format
agrees where its whole answer equals that of float32 weights. Intervals are Wilson's, 95%.

    python -m benchmarks.quantisation --windows 40 --questions 40
"""

import argparse
import gc
import json
import math
import pydoc_data.topics
from collections.abc import Iterator

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from clearsight import mini
from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine, EngineConfig
from clearsight.engine.batch import FlatBatch
from clearsight.evals.statistics import wilson
from recipes.mini import evaluate

FORMATS = ("float32", "int8", "int4")
WINDOW = 512  # tokens


def windows(count: int) -> Iterator[list[int]]:
    """Pieces of the language reference, spread over all of it."""
    text = "\n\n".join(topic for _, topic in sorted(pydoc_data.topics.topics.items()))
    ids = mini.processor().tokenizer.encode_text(text)
    step = max(WINDOW, (len(ids) - WINDOW) // count)
    for number in range(count):
        start = number * step
        if start + WINDOW <= len(ids):
            yield ids[start : start + WINDOW]


def surprise(engine: Engine, ids: list[int]) -> float:
    """Mean of -log probability, in nats, of every token after the first."""
    runner, size = engine.core.runner, engine.config.block_size
    count = len(ids)
    batch = FlatBatch.of([(range(count), range(-(-count // size)))], range(count - 1), size)
    targets = torch.tensor(ids)
    scores_MV = runner.decoder.forward(runner.embeddings_VD[targets].contiguous(), batch)
    return float(torch.nn.functional.cross_entropy(scores_MV, targets[1:]))


def questions(count: int) -> list[tuple[str, Conversation, str]]:
    """Skill, question about a held-out picture, and the right answer; at least `count` a skill."""
    found = []
    for world in evaluate.WORLDS:
        for scene, asked in evaluate.asked(world, count):
            picture = Image(pixels=scene.picture, detail="low")
            for question in asked:
                found.append((question.skill, Conversation((user(picture, question.text),)), question.answer))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=40, help="pieces of text of 512 tokens")
    parser.add_argument("--questions", type=int, default=40, help="questions a skill, at least")
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    asked = questions(arguments.questions)
    texts = list(windows(arguments.windows))
    found: dict[str, dict[str, float]] = {}
    answers: dict[str, list[str]] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for weights in FORMATS:
            task = progress.add_task(weights, total=len(texts) + len(asked))
            config = EngineConfig(weights=weights, threads=arguments.threads)  # type: ignore[arg-type]
            with Engine.load("mini", config) as engine:
                nats = []
                for ids in texts:
                    nats.append(surprise(engine, ids))
                    progress.advance(task)
                engine.core.pool.forget_all()  # the windows wrote over blocks
                streams = [engine.submit(c, Sampling(max_tokens=24)) for _, c, _ in asked]
                answers[weights] = []
                for stream in streams:
                    answers[weights].append(stream.result().text)
                    progress.advance(task)
            right = sum(text == answer for text, (_, _, answer) in zip(answers[weights], asked, strict=True))
            agreed = sum(a == b for a, b in zip(answers[weights], answers["float32"], strict=True))
            low, high = wilson(right, len(asked))
            found[weights] = {
                "perplexity": round(math.exp(sum(nats) / len(nats)), 3),
                "score": round(right / len(asked), 4),
                "score_low": round(low, 4),
                "score_high": round(high, 4),
                "agreement": round(agreed / len(asked), 4),
            }
            gc.collect()
    table = Table()
    for name in ("weights", "perplexity", "against float32", "score", "95% interval", "same answer"):
        table.add_column(name, justify="left" if name == "weights" else "right")
    for weights, f in found.items():
        table.add_row(
            weights,
            f"{f['perplexity']:.3f}",
            f"{f['perplexity'] / found['float32']['perplexity']:.4f}",
            f"{f['score']:.1%}",
            f"{f['score_low']:.1%} to {f['score_high']:.1%}",
            f"{f['agreement']:.1%}",
        )
    Console().print(table)
    print(json.dumps({"formats": found, "questions": len(asked), "windows": len(texts), "window": WINDOW}))


if __name__ == "__main__":
    main()
