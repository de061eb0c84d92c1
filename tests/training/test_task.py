"""A recipe may teach anything: its own model, batches, loss and settings, through the same trainer and command."""

import pickle
import re
import shutil

import pytest
from safetensors.torch import load_file
from tiny_runs import RECIPE, losses, train

from clearsight.data.sources.contract import SourceError
from clearsight.training.checkpoint import Checkpoints
from clearsight.training.config import ConfigError, changed
from clearsight.training.recipe import read_recipe
from clearsight.training.record import read_run
from clearsight.training.trainer import Trainer

LINE = """
from dataclasses import dataclass, field

import torch
from safetensors.torch import save_file
from torch import nn

from clearsight.training import learner
from clearsight.training.config import Checkpoints, Config, Data, Optimizer, Schedule, Validation, Watch
from clearsight.training.task import Counts, Task
from lessons.numbers import SLOPES, Numbers


@dataclass(frozen=True)
class Line:
    noise: float = 0.0


@dataclass(frozen=True)
class LineConfig(Config):
    task: Line = field(default_factory=Line)


def recipe():
    return LineConfig(
        name="line",
        data=Data(rows_per_step=4, rows=2),
        optimizer=Optimizer(vision=0.1, text=0.2, weight_decay=0.0),
        schedule=Schedule(steps=100, warmup=2),
        checkpoints=Checkpoints(every=8, keep=99),
        validation=Validation(batches=2),
        watch=Watch(tensorboard=False),
    )


class FindLine(Task):
    def __init__(self, config, out, world, show):
        self.config, self.world = config, world
        self.model = nn.Linear(len(SLOPES), 1)
        self.watched = {"text": self.model}
        self.corpora = ("numbers",)

    def batches(self, state):
        rows, ranks = self.config.data.rows, self.world.data_ranks
        return Numbers(state["at"] if state else 0, rows, self.config.micro_batches(ranks), self.world)

    def held_out(self):
        return Numbers(1_000_000, 2, 1, self.world)

    def loss(self, batch):
        noise = self.config.task.noise * torch.randn(len(batch.y))
        return (self.model(batch.x)[:, 0] - batch.y - noise).square().sum()

    def count(self, batch):
        return Counts(len(batch.y), len(batch.y), len(batch.y), 0, 1e6)

    def part_of(self, name):
        return "vision" if name == "bias" else "text"

    def write(self, checkpoint, folder):
        model = nn.Linear(len(SLOPES), 1)
        learner.fill(model, checkpoint)
        folder.mkdir(exist_ok=True)
        save_file(model.state_dict(), folder / "line.safetensors")


task = FindLine
"""
NUMBERS = """
import random

import torch

SLOPES = (1.0, -2.0, 3.0)


class Some:
    def __init__(self, seeds, state, ends_step, step_samples):
        draws = [random.Random(seed) for seed in seeds]
        self.x = torch.tensor([[draw.gauss(0, 1) for _ in SLOPES] for draw in draws])
        self.y = self.x @ torch.tensor(SLOPES) + 0.5
        self.state, self.ends_step, self.step_samples = state, ends_step, step_samples


def Numbers(at, rows, micro_batches, world):
    while True:
        step = range(at, at + rows * micro_batches * world.data_ranks)
        for number in range(micro_batches):
            first = (number * world.data_ranks + world.data_rank) * rows
            samples = [(0, seed) for seed in step]
            yield Some(step[first : first + rows], {"at": step.stop}, number == micro_batches - 1, samples)
        at = step.stop
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    package = tmp_path_factory.mktemp("own") / "lessons"
    package.mkdir()
    for name, text in (("__init__", ""), ("line", LINE), ("numbers", NUMBERS)):
        (package / f"{name}.py").write_text(text)
    return package / "line.py"


@pytest.fixture(scope="module")
def whole(line, tmp_path_factory):
    """A run that nothing disturbed, and what it said in the end."""
    out = tmp_path_factory.mktemp("whole")
    return out, train(line, out, "task.noise=0.01")


def test_a_recipe_with_a_task_of_its_own_learns_it_and_writes_its_result(whole):
    out, summary = whole
    assert losses(out)[-1] < 1e-2 * losses(out)[0]
    assert summary["validation_loss"] < 0.05
    learned = load_file(out / "model" / "line.safetensors")
    assert learned["weight"][0].tolist() == pytest.approx([1.0, -2.0, 3.0], abs=0.1)
    first = read_run(out).steps[0].facts
    assert first.rates == pytest.approx({"vision": 0.05, "text": 0.1})
    assert first.corpora == {"numbers": 4} and first.labelled == 4


def test_a_task_goes_on_where_it_was_to_the_bit_and_so_does_its_randomness(line, whole, tmp_path):
    out = tmp_path / "resumed"
    shutil.copytree(whole[0], out)
    for step in Checkpoints(out / "checkpoints").steps():
        if step > 8:
            (out / "checkpoints" / f"step-{step:08d}" / "manifest.json").unlink()
    train(line, out, "task.noise=0.01")
    before, resumed = read_run(whole[0]), read_run(out)
    assert [e.more["resumed_from"] for e in resumed.events_of("start")] == [None, 8]
    assert [s.fingerprint for s in before.steps] == [s.fingerprint for s in resumed.steps]


def test_a_model_without_layers_and_other_random_weights_is_the_same_on_two_ranks(line, tmp_path):
    train(line, tmp_path / "1", "schedule.steps=6")
    train(line, tmp_path / "2", "schedule.steps=6", "parallel.shard=1", processes=2)
    assert losses(tmp_path / "2") == pytest.approx(losses(tmp_path / "1"), rel=1e-5)
    one, two = (read_run(tmp_path / name).ledger for name in "12")
    assert [one[step].sha256 for step in range(1, 7)] == [two[step].sha256 for step in range(1, 7)]


@pytest.mark.parametrize(
    ("setting", "said"),
    [("task.nose=1", "did you mean task.noise?"), ("task.noise=loud", "'loud', which is not a number")],
)
def test_a_mistyped_setting_of_a_task_is_refused_with_what_to_write(line, setting, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        changed(read_recipe(line).config, [setting])


@pytest.mark.parametrize("packaged", [True, False])
def test_what_a_recipe_defines_can_go_to_loader_workers_and_back(line, tmp_path, packaged):
    alone = tmp_path / "alone.py"
    alone.write_text("class Batch: ...\n\n" + RECIPE.format(start="mini", corpus="none") + "\ntask = Batch\n")
    task = read_recipe(line if packaged else alone).task
    assert pickle.loads(pickle.dumps(task)) is task


def test_a_run_that_came_to_no_step_may_be_started_with_other_settings(recipe, tmp_path):
    """Who mistyped the corpus need not name another folder; who learned from it must."""
    wrong = changed(read_recipe(recipe).config, ["data.corpora=nowhere.jsonl", "schedule.steps=2"])
    with pytest.raises(SourceError):
        Trainer(wrong, tmp_path)
    Trainer(changed(read_recipe(recipe).config, ["schedule.steps=2"]), tmp_path).run()
    with pytest.raises(ConfigError, match=r"another data\.corpora"):
        Trainer(wrong, tmp_path)


def test_rows_that_hold_no_sample_are_refused_with_what_a_sample_takes(recipe, tmp_path):
    config = changed(read_recipe(recipe).config, ["schedule.steps=2", "data.row_tokens=8"])
    with pytest.raises(
        ConfigError, match=r"the shortest takes \d+ tokens and \d+ tiles\. Set data\.row_tokens"
    ):
        Trainer(config, tmp_path).run()
