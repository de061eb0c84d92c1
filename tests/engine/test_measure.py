"""`clearsight bench` on a checkpoint of a user's: figures, a plot, and a clear word where a format can't be had."""

import json
from pathlib import Path

import pytest
import torch
from tiny_model import TINY_BYTES, byte_processor
from typer.testing import CliRunner

from clearsight.cli import app
from clearsight.models import hf
from clearsight.models.vlm import VisionLanguageModel


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    hf.save(VisionLanguageModel(TINY_BYTES), folder)
    byte_processor().save(folder)
    return folder


def bench(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["bench", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_every_figure_is_measured_and_drawn(checkpoint: Path, tmp_path: Path) -> None:
    plot = tmp_path / "bench.svg"
    settings = ("--weights", "model", "--rounds", 1, "--threads", 1)
    code, out, err = bench("--model", checkpoint, *settings, "--json", "--plot", plot)
    assert code == 0, err
    found = json.loads(out)
    assert found["weights"] == "model"
    assert min(found[name] for name in ("first_token", "first_token_again", "prefill", "decode")) > 0
    assert set(found["concurrent"]) == {"1", "4", "8", "16"}
    assert all(rate > 0 for rate in found["concurrent"].values())
    assert "</svg>" in plot.read_text()


def test_a_format_that_can_not_be_had_is_told_in_a_sentence(checkpoint: Path) -> None:
    code, _, err = bench("--model", checkpoint, "--weights", "int8", "--rounds", 1)
    assert code == 1
    assert "divides by 64" in err and "weights=model" in err


def test_a_plot_of_another_kind_is_wrong_usage() -> None:
    code, _, err = bench("--plot", "bench.txt")
    assert code == 2
    assert "bench.svg" in err
