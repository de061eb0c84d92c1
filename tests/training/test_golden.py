"""Losses of short runs as they were when last looked at: whoever changes what is learned must mean to.

python tests/training/test_golden.py      # writes golden.json anew
"""

import json
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from clearsight.conversation import Conversation, Image, assistant, user
from clearsight.data.record import Provenance, Record
from clearsight.data.shards import write_manifest, write_shard
from clearsight.training.config import Config, Data, Model, Optimizer, Schedule, Watch, changed
from clearsight.training.record import read_run
from clearsight.training.trainer import Trainer

GOLDEN = Path(__file__).with_name("golden.json")
RUNS = {
    "adamw": [],
    "muon": ["optimizer.kind=muon", "optimizer.text=3e-3"],
    "low rank": ["model.rank=4", "model.trained=connector,text", "optimizer.text=1e-2"],
    "cosine, average": ["schedule.shape=cosine", "optimizer.ema=0.9", "optimizer.weight_decay=0.1"],
}


def corpus(folder: Path) -> Path:
    """Records that depend on nothing but NumPy: squares of one colour, and their colour's name."""
    rng = random.Random(0)
    colours = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 210), "white": (250, 250, 250)}
    records = []
    for number in range(40):
        name = rng.choice(list(colours))
        pixels = np.full((32, 32, 3), 120, np.uint8)
        left, top = rng.randrange(16), rng.randrange(16)
        pixels[top : top + 16, left : left + 16] = colours[name]
        picture = Image(pixels=PILImage.fromarray(pixels))
        question = user(picture, "What colour?") if number % 5 else user(f"Say {name}.")
        turns = (question, assistant(name))
        records.append(Record(Conversation(turns), Provenance("golden", "Apache-2.0")))
    write_manifest(folder, [write_shard(folder / "golden-00000.tar", records)], {})
    return folder


def losses(checkpoint: Path, data: Path, out: Path, settings: list[str]) -> list[float]:
    config = Config(
        model=Model(start=str(checkpoint)),
        data=Data(corpora=(str(data),), row_tokens=300, rows_per_step=2, workers=0, window=20),
        optimizer=Optimizer(vision=2e-3, connector=2e-3, text=2e-3),
        schedule=Schedule(steps=16, warmup=3, decay=0.5),
        watch=Watch(tensorboard=False),
    )
    torch.set_num_threads(1)
    Trainer(changed(config, settings), out).run()
    return [step.facts.loss for step in read_run(out).steps]


@pytest.mark.parametrize("name", list(RUNS))
def test_a_run_learns_what_it_learned_before(name, checkpoint, tmp_path):
    data = corpus(tmp_path)
    found = losses(checkpoint, data, tmp_path / "out", RUNS[name])
    assert found[-1] < 0.97 * found[0]
    assert found == pytest.approx(json.loads(GOLDEN.read_text())[name], rel=3e-4)


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1] / "models")]
    from conftest import save_checkpoint  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as place:
        start = Path(place)
        save_checkpoint(start / "checkpoint")
        data = corpus(start)
        found = {name: losses(start / "checkpoint", data, start / name, RUNS[name]) for name in RUNS}
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    print(GOLDEN.read_text())
