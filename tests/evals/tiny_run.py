"""Evaluates a tiny model with random weights on a JSONL suite, for tests that kill it: tiny_run.py SUITE FOLDER"""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from tiny_model import TINY_BYTES, byte_processor

from clearsight.decoding.sampling import Sampling
from clearsight.engine import Engine, EngineConfig
from clearsight.evals.evaluate import evaluate
from clearsight.evals.subject import Subject
from clearsight.evals.suites import files
from clearsight.models.vlm import VisionLanguageModel


def tiny_engine(seed: int = 1) -> Engine:
    """Greedy text that varies with everything before it."""
    torch.manual_seed(seed)
    model = VisionLanguageModel(TINY_BYTES).double().eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=1.5 * parameter[0].numel() ** -0.5)
    return Engine(model, byte_processor(), EngineConfig(weights="model", max_sequences=4, threads=1))


if __name__ == "__main__":
    with tiny_engine() as engine:
        subject = Subject(engine, "tiny", "tiny-1", 8)
        evaluate(files.load(Path(sys.argv[1])), subject, Path(sys.argv[2]), sampling=Sampling(logprobs=0))
