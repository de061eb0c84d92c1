"""Time to the first token and per further token for one picture, beside transformers on the same weights.

The bundled model is exported to a temporary folder and loaded by both in the same dtype. Rounds alternate
between the two, so that a busy machine hurts both alike; medians are printed. The last line is JSON.

    python -m benchmarks.first_token --rounds 7
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
from clearsight.assistant import Assistant
from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.generation import generate
from clearsight.models import hf
from recipes.mini.primer import shapes

QUESTION = "Describe this picture."
TOKENS = 16


def ours(assistant: Assistant, conversation: Conversation) -> tuple[float, float]:
    """Seconds to the first token, and per token after it."""
    start = time.perf_counter()
    prompt = assistant.processor.prepare(conversation)
    marks = []
    for _ in generate(assistant.model, assistant.processor, prompt, Sampling(max_tokens=TOKENS)):
        marks.append(time.perf_counter())
    return marks[0] - start, (marks[-1] - marks[0]) / max(1, len(marks) - 1)


def theirs(model, processor, picture) -> tuple[float, float]:
    """The same for transformers: a run of one token, and one of many."""
    content = [{"type": "image", "image": picture}, {"type": "text", "text": QUESTION}]

    def run(count: int) -> float:
        start = time.perf_counter()
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
        model.generate(**inputs, max_new_tokens=count, min_new_tokens=count, do_sample=False)
        return time.perf_counter() - start

    first = run(1)
    return first, (run(TOKENS) - first) / (TOKENS - 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    from transformers import AutoModelForImageTextToText, AutoProcessor

    picture = shapes.sample(1, "eval").picture
    conversation = Conversation((user(Image(pixels=picture), QUESTION),))
    start = time.perf_counter()
    assistant = Assistant.load("mini")
    load_seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        hf.save(assistant.model, folder)
        mini.processor().save(folder)
        peer = AutoModelForImageTextToText.from_pretrained(folder, dtype=assistant.model.dtype).eval()
        peer_processor = AutoProcessor.from_pretrained(folder)
    figures: dict[str, list[tuple[float, float]]] = {"clearsight": [], "transformers": []}
    with torch.inference_mode():
        ours(assistant, conversation), theirs(peer, peer_processor, picture)  # warm up
        for _ in range(arguments.rounds):
            figures["clearsight"].append(ours(assistant, conversation))
            figures["transformers"].append(theirs(peer, peer_processor, picture))
    median = {
        name: [statistics.median(values) for values in zip(*pairs, strict=True)]
        for name, pairs in figures.items()
    }
    for name, (first, each) in median.items():
        print(f"{name:14} first token {first:.3f} s, then {each * 1000:.1f} ms a token")
    status = Path("/proc/self/status")
    print(
        json.dumps(
            {
                "first_token_s": round(median["clearsight"][0], 3),
                "first_token_vs_transformers": round(median["transformers"][0] / median["clearsight"][0], 2),
                "token_ms": round(median["clearsight"][1] * 1000, 1),
                "token_vs_transformers": round(median["transformers"][1] / median["clearsight"][1], 2),
                "load_s": round(load_seconds, 2),
                "peak_memory_gb_of_both": _peak(status),
                "threads": arguments.threads,
                "dtype": str(assistant.model.dtype).removeprefix("torch."),
                "rounds": arguments.rounds,
            }
        )
    )


def _peak(status: Path) -> float | None:
    """Peak resident memory of this process in GB, where the system tells."""
    if not status.exists():
        return None
    return round(int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e9, 2)


if __name__ == "__main__":
    main()
