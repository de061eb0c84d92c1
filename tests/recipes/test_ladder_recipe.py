"""The sizes of the ladder: growing as they say, and trained the way the trainer can."""

from itertools import pairwise

import pytest
import torch

from clearsight.models.vlm import VisionLanguageModel
from clearsight.training import ladder
from clearsight.training.ladder import Run
from recipes import ladder as recipe
from recipes.ladder import SIZES, Size, planned_flops, processor


def test_sizes_are_what_their_names_say_and_each_doubles_the_last():
    for size in SIZES:
        with torch.device("meta"):
            model = VisionLanguageModel(size.config)
        layers = [*model.vision_model.encoder.layers, *model.text_model.layers]
        assert sum(p.numel() for layer in layers for p in layer.parameters()) == size.parameters
        assert size.parameters == pytest.approx(float(size.name[:-1]) * 1e6, rel=0.5)
    growth = [after.parameters / before.parameters for before, after in pairwise(SIZES)]
    assert all(1.8 < factor < 2.6 for factor in growth)


def test_the_processor_speaks_bytes_and_survives_its_folder(tmp_path):
    made = processor()
    made.save(tmp_path)
    read = type(made).from_folder(tmp_path)
    assert read.tokenizer.identity == made.tokenizer.identity
    ids = read.tokenizer.encode_text("Ein Würfel, 3 Äpfel\n")
    assert len(ids) == len("Ein Würfel, 3 Äpfel\n".encode())
    assert read.tokenizer.decode(ids) == "Ein Würfel, 3 Äpfel\n"
    assert SIZES[0].config.tokens_per_tile == read.tile_settings.tokens_per_tile
    assert read.image_token_id == SIZES[0].config.image_token_id


def test_compute_of_the_next_size_grows_with_its_parameters_and_tokens():
    first, second = SIZES[0], SIZES[1]
    planned = planned_flops(second, Run(first.name, 1e12, 1.0), first)
    tokens = second.steps / first.steps
    assert planned / 1e12 == pytest.approx(tokens * second.parameters / first.parameters, rel=0.3)


def test_a_ladder_is_trained_predicted_and_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    small = [Size(f"{width}", width, 1, 1) for width in (16, 32, 48, 64)]
    monkeypatch.setattr(recipe, "SIZES", tuple(small))
    monkeypatch.setattr(recipe, "PICTURES", 24)
    monkeypatch.setattr(recipe, "HELD_OUT", 12)
    monkeypatch.setattr(recipe, "TOKENS", 60_000)
    monkeypatch.setattr(recipe, "SEEDS", 2)
    recipe.main(tmp_path, 3)
    first = capsys.readouterr().out
    assert "64 (" in first and "predicted" in first
    lines = ladder.read(tmp_path / "predictions.jsonl")
    recipe.main(tmp_path, 3)  # all of it is there
    assert ladder.read(tmp_path / "predictions.jsonl") == lines
    assert "FLOPs, " not in capsys.readouterr().out  # nothing was trained again
    assert (tmp_path / "ladder.svg").exists()
