"""A model so small that thousands of schedules can be tried, in double precision, so that no rounding decides."""

from dataclasses import replace

import pytest
import torch
from tiny_model import TINY_BYTES, byte_processor

from clearsight.models.config import ModelConfig
from clearsight.models.vlm import VisionLanguageModel
from clearsight.processing.processor import Processor

SMALLEST: ModelConfig = replace(
    TINY_BYTES,
    vision=replace(TINY_BYTES.vision, hidden_size=8, intermediate_size=16, num_hidden_layers=1),
    text=replace(TINY_BYTES.text, hidden_size=16, intermediate_size=24, num_hidden_layers=2, head_dim=4),
)


@pytest.fixture(scope="session")
def num_schedules(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--schedules")


@pytest.fixture(scope="session")
def processor() -> Processor:
    return byte_processor()


@pytest.fixture(scope="session")
def model() -> VisionLanguageModel:
    """Random weights that keep the size of signals, so that greedy text varies with everything before it."""
    torch.manual_seed(1)
    model = VisionLanguageModel(SMALLEST).double().eval().requires_grad_(False)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=1.5 * parameter[0].numel() ** -0.5)
    return model
