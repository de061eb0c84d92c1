"""A checkpoint and a corpus small enough that whole runs take seconds."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_model import TINY_BYTES, byte_processor
from tiny_runs import RECIPE

from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel
from clearsight.training import learner


def save_checkpoint(folder: Path) -> None:
    """A model of the family with random weights and a vocabulary of bytes."""
    torch.manual_seed(0)
    model = VisionLanguageModel(
        replace(TINY_BYTES, text=replace(TINY_BYTES.text, max_position_embeddings=2048))
    )
    learner.initialise(model)
    hf.save(model, folder)
    byte_processor().save(folder)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(folder)
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """Sixty conversations about shapes."""
    from clearsight.training.corpora import open_corpus

    return open_corpus("worlds:60:shapes", tmp_path_factory.mktemp("corpora")).folder


@pytest.fixture(scope="session")
def recipe(tmp_path_factory, checkpoint, corpus) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "tiny.py"
    path.write_text(RECIPE.format(start=str(checkpoint), corpus=str(corpus)))
    return path
