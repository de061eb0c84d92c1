"""What learning to see cost the bundled model's chat: perplexity of held-out text, beside the base model's.

Three kinds of text, none of which any stage learned from: this project's own prose (docs), Python's language
reference, and the base model's replies to questions of their own. The ratio's interval (95%) is drawn from pieces of
text with replacement.

    python -m recipes.mini.chat_cost                                 # the bundled parts
    python -m recipes.mini.chat_cost --parts runs/mini/tuning/model --write
"""

import argparse
import json
import math
import pydoc_data.topics
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import track
from torch import Tensor

from clearsight import mini
from clearsight.conversation import Conversation, assistant, user
from clearsight.data.sources.base_replies import answers
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor
from recipes.mini.documents import fill

SCORES = Path("docs/chat_cost.json")
CARD = Path("docs/model_card.md")
KINDS = {
    "prose": "this project's guides",
    "reference": "Python's language reference",
    "replies": "the base model's replies to questions of their own",
}
DOCS = ("guide.md", "security.md", "operations.md", "training.md", "engine.md")
PIECE = 256  # tokens
REPLY_TOKENS = 120
PROMPTS = (
    "What is the capital of Portugal?",
    "How does a refrigerator keep food cold?",
    "Write a short letter to a neighbour who lent you a ladder.",
    "What should I think of before I adopt a dog?",
    "Explain what a library does to a child of six.",
    "Why is the sky blue?",
    "Give me four ideas for a rainy afternoon.",
    "What is the difference between a novel and a short story?",
    "Describe the smell of a bakery in the morning.",
    "How do I change the tyre of a car?",
    "Write a limerick about a forgetful baker.",
    "What does a carpenter do all day?",
    "Who was Marie Curie?",
    "Name three rivers in Europe.",
    "What is 15 plus 27?",
    "Translate 'thank you very much' into Spanish.",
    "Write a function in Python that reverses a string.",
    "How can I remember names better?",
    "What happens when water freezes?",
    "Suggest a name for a small bookshop.",
    "What is the point of a warm-up before running?",
    "Tell me about the planet Saturn.",
    "How is cheese made?",
    "Write two sentences about a lighthouse keeper.",
)


def prose(folder: Path = Path("docs")) -> str:
    """The paragraphs of this project's guides, without tables, code and lists."""
    paragraphs = []
    for name in DOCS:
        text = re.sub(r"```.*?```", "", (folder / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        paragraphs += [
            " ".join(block.split())
            for block in text.split("\n\n")
            if len(block.split()) > 25 and not re.match(r"\s*[-|#<*0-9]", block)
        ]
    return "\n".join(paragraphs)


def pieces(processor: Processor, text: str, most: int) -> list[tuple[Tensor, Tensor]]:
    """Ids (T,) and which of them are judged (T,), piece by piece."""
    ids_T = torch.tensor(processor.tokenizer.encode_text(text))
    return [
        (piece, torch.ones(len(piece), dtype=torch.bool))
        for piece in ids_T.split(PIECE)[:most]
        if len(piece) > PIECE // 2
    ]


def replies(processor: Processor, base: VisionLanguageModel) -> list[tuple[Tensor, Tensor]]:
    """The base model's greedy answers: conversations, of which the reply is judged."""
    said = answers(base, processor, PROMPTS, max_tokens=REPLY_TOKENS)
    found = []
    for prompt, answer in zip(PROMPTS, said, strict=True):
        conversation = Conversation((user(prompt), assistant(answer.text)))
        prepared = processor.prepare(conversation, add_generation_prompt=False)
        found.append((prepared.input_ids_T, prepared.assistant_mask_T))
    return found


@torch.inference_mode()
def surprise(model: VisionLanguageModel, texts: Sequence[tuple[Tensor, Tensor]], what: str) -> np.ndarray:
    """Nats and tokens of each piece: (N, 2)."""
    sums = []
    for ids_T, judged_T in track(texts, what, transient=True):
        logits_TV = model(ids_T[None])[0, :-1].float()
        nats_T = F.cross_entropy(logits_TV, ids_T[1:], reduction="none")[judged_T[1:]]
        sums.append((nats_T.sum().item(), len(nats_T)))
    return np.array(sums)


def ratio(ours: np.ndarray, base: np.ndarray, draws: int = 2000) -> tuple[float, float, float]:
    """Perplexity over the base model's, and its interval."""

    def of(places: np.ndarray) -> float:
        return math.exp((ours[places, 0].sum() - base[places, 0].sum()) / ours[places, 1].sum())

    rng, everything = np.random.default_rng(0), np.arange(len(ours))
    drawn = [of(rng.choice(everything, len(ours))) for _ in range(draws)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return of(everything), float(low), float(high)


def table(scores: dict[str, Any]) -> str:
    """Markdown, a line for each kind of text."""
    lines = ["| text | tokens | base model | this model | ratio (95% interval) |", "|---|---:|---:|---:|---|"]
    for kind, s in scores.items():
        low, high = s["interval"]
        lines.append(
            f"| {KINDS[kind]} | {s['tokens']:,} | {s['base']:.2f} | {s['base'] * s['ratio']:.2f} "
            f"| {s['ratio']:.3f} ({low:.3f} to {high:.3f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", type=Path, help="folder with parts.safetensors; default: the bundled ones")
    parser.add_argument("--pieces", type=int, default=40, help=f"of {PIECE} tokens, of each kind of text")
    parser.add_argument("--write", action="store_true", help=f"write {SCORES}")
    arguments = parser.parse_args()
    processor, base = mini.processor(), mini.base_model(torch.float32)
    reference = "\n".join(pydoc_data.topics.topics[name] for name in sorted(pydoc_data.topics.topics))
    texts = {
        "prose": pieces(processor, prose(), arguments.pieces),
        "reference": pieces(processor, reference, arguments.pieces),
        "replies": replies(processor, base),
    }
    sums = {kind: surprise(base, found, f"base model: {kind}") for kind, found in texts.items()}
    del base
    model, scores = mini.load(torch.float32, folder=arguments.parts), {}
    for kind, found in texts.items():
        ours = surprise(model, found, f"this model: {kind}")
        nats, tokens = sums[kind].sum(0)
        middle, low, high = ratio(ours, sums[kind])
        scores[kind] = {
            "tokens": int(tokens),
            "base": round(math.exp(nats / tokens), 2),
            "ratio": round(middle, 4),
            "interval": [round(low, 4), round(high, 4)],
        }
        print(
            f"{kind}: {scores[kind]['base']} -> ratio {middle:.3f} ({low:.3f} to {high:.3f}), n {tokens:.0f} tokens"
        )
    if arguments.write:
        SCORES.write_text(json.dumps(scores, indent=1) + "\n")
        fill(CARD, "chat_cost", table(scores))
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
