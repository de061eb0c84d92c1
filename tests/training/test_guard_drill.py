"""Planted faults: each must be seen, and handled as its policy says."""

import multiprocessing
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from tiny_runs import command, environment

from clearsight.training.checkpoint import CheckpointError
from clearsight.training.config import Config, changed
from clearsight.training.recipe import read_recipe
from clearsight.training.record import read_run
from clearsight.training.trainer import Trainer, TrainingStopped

STEPS = 24


@pytest.fixture
def config(recipe) -> Config:
    settings = [f"schedule.steps={STEPS}", "checkpoints.every=4", "guards.warmup=6", "data.rows=4"]
    return changed(read_recipe(recipe).config, settings)


class Faulty(Trainer):
    """A trainer whose loss goes wrong in the steps `faults` names, for as long as their data comes."""

    faults: dict[int, float] = {}  # noqa: RUF012  # set by each test
    fetched = 0

    def _batches(self, state):
        for step in super()._batches(state):
            self.fetched += 1
            yield step

    def _loss(self, batch):
        return super()._loss(batch) * self.faults.get(self.fetched, 1.0)


def run(config: Config, out: Path, faults: dict[int, float]) -> Faulty:
    torch.set_num_threads(1)
    trainer = Faulty(config, out)
    trainer.faults = faults
    trainer.run()
    return trainer


def guards_seen(out: Path) -> list[tuple[str, str]]:
    return [(e.more["guard"], e.more["action"]) for e in read_run(out).events_of("guard")]


def test_a_single_nan_is_skipped_and_leaves_the_weights_alone(config, tmp_path):
    trainer = run(config, tmp_path, {9: float("nan")})
    assert ("non_finite", "skip") in guards_seen(tmp_path)
    assert all(p.isfinite().all() for p in trainer.optimizers.named.values())
    steps = read_run(tmp_path).steps
    assert [s.action for s in steps if s.facts.step == 9] == ["skip"]
    assert (
        steps[8].fingerprint["weights"] == steps[7].fingerprint["weights"] != steps[9].fingerprint["weights"]
    )


def test_nans_that_go_on_take_the_run_back_and_their_data_is_not_seen_again(config, tmp_path):
    run(config, tmp_path, dict.fromkeys((10, 11, 12), float("nan")))
    assert ("non_finite", "rollback") in guards_seen(tmp_path)
    found = read_run(tmp_path)
    (back,) = found.events_of("rollback")
    assert back.more["to"] == 8
    assert [s.facts.step for s in found.steps] == list(range(1, STEPS + 1))
    seen = [tuple(map(tuple, found.ledger[s].samples)) for s in range(1, STEPS + 1)]
    lost = {tuple(map(tuple, line.samples)) for line in _all_ledger_lines(tmp_path)} - set(seen)
    assert len(lost) >= 3  # the data of the steps that were taken back


def _all_ledger_lines(out: Path):
    import json
    from types import SimpleNamespace

    return [
        SimpleNamespace(samples=json.loads(line)["samples"])
        for line in (out / "ledger.jsonl").read_text().splitlines()
    ]


def test_a_run_that_can_not_be_saved_by_going_back_ends_and_says_why(config, tmp_path):
    with pytest.raises(TrainingStopped, match="rollbacks"):
        run(config, tmp_path, dict.fromkeys(range(10, 100), float("nan")))
    assert read_run(tmp_path).events_of("end")[-1].more["cause"]


def test_a_bad_batch_is_a_spike_and_is_skipped(config, tmp_path):
    run(config, tmp_path, {15: 40.0})
    assert ("loss_spike", "skip") in guards_seen(tmp_path)


def test_a_norm_out_of_all_proportion_is_clipped(config, tmp_path):
    settings = changed(config, ["guards.loss_spike=off"])
    run(settings, tmp_path, {15: 8.0})
    (clipped,) = [s for s in read_run(tmp_path).steps if s.facts.step == 15]
    assert clipped.action == "clip"
    assert clipped.max_norm < clipped.facts.grad_norm / 4


def test_a_loader_that_stalls_is_named(config, tmp_path):
    class Stalled(Trainer):
        def _batches(self, state):
            for step in super()._batches(state):
                time.sleep(0.3)
                yield step

    settings = changed(config, ["guards.window=8", "guards.stalled_loader=stop"])
    with pytest.raises(TrainingStopped, match="waiting for data"):
        Stalled(settings, tmp_path).run()


def test_a_full_disk_ends_the_run_with_what_was_saved_before(config, tmp_path):
    """Files may not grow beyond 300 KB: a checkpoint does not fit."""

    def child(out: Path, answer) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        torch.set_num_threads(1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        try:
            Trainer(config, out).run()
        except CheckpointError as error:
            answer.put(str(error))

    run(changed(config, ["schedule.steps=24"]), tmp_path / "whole", {})
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    process = context.Process(target=child, args=(tmp_path / "full", answer))
    process.start()
    said = answer.get(timeout=60)
    process.join()
    assert "make room" in said
    assert not list((tmp_path / "full" / "checkpoints").glob("step-*"))
    run(config, tmp_path / "full", {})  # with room again, the same command goes on
    assert (
        read_run(tmp_path / "full").steps[-1].facts.loss == read_run(tmp_path / "whole").steps[-1].facts.loss
    )


@pytest.mark.slow
def test_a_killed_rank_is_restarted_by_the_launcher_and_the_run_goes_on(recipe, tmp_path):
    words = command(recipe, tmp_path, f"schedule.steps={STEPS}", "checkpoints.every=4", processes=2)
    words.insert(words.index("--standalone"), "--max-restarts=2")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    _until(lambda: list((tmp_path / "checkpoints").glob("step-*/manifest.json")), process)
    os.kill(_ranks(process.pid)[-1], signal.SIGKILL)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    found = read_run(tmp_path)
    assert found.steps[-1].facts.step == STEPS
    assert [e.attempt for e in found.events_of("start")] == [1, 2]


@pytest.mark.slow
def test_a_hung_rank_is_noticed_and_restarted(recipe, tmp_path):
    settings = (f"schedule.steps={STEPS}", "checkpoints.every=4", "watch.patience=15")
    words = command(recipe, tmp_path, *settings, processes=2)
    words.insert(words.index("--standalone"), "--max-restarts=2")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    _until(lambda: list((tmp_path / "checkpoints").glob("step-*/manifest.json")), process)
    os.kill(_ranks(process.pid)[-1], signal.SIGSTOP)  # alive, and never answers
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert ("hung rank", "restart") in guards_seen(tmp_path)
    assert read_run(tmp_path).steps[-1].facts.step == STEPS


def _until(happened, process: subprocess.Popen, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)


def _ranks(launcher: int) -> list[int]:
    """Process ids of the launcher's children that train, by rank."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    found = []
    for child in map(int, children):
        environ = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        rank = [e for e in environ if e.startswith(b"RANK=")]
        if rank:
            found.append((int(rank[0][5:]), child))
    return [child for _, child in sorted(found)]


class FlippedBits(Trainer):
    """A trainer on a machine that flips one bit: in memory between steps, or in one result of a computation."""

    flip = ""

    def _batches(self, state):
        for number, step in enumerate(super()._batches(state), 1):
            if self.flip == "memory" and number == 6:
                weight = next(iter(self.optimizers.named.values())).data
                weight.view(torch.int32).flatten()[3] ^= 1 << 12
            yield step

    def _loss(self, batch):
        self.computed = getattr(self, "computed", 0) + 1
        loss = super()._loss(batch)
        return loss * (1 + 1e-6) if self.flip == "once" and self.computed == 5 else loss


@pytest.mark.parametrize(
    ("flip", "check", "action"), [("memory", "at rest", "restart"), ("once", "replay", "go")]
)
def test_a_flipped_bit_is_noticed(config, tmp_path, flip, check, action):
    checks = ["checks.at_rest_every=1", "checks.balance_every=1", "checks.replay_every=2", "schedule.steps=8"]
    trainer = FlippedBits(changed(config, checks), tmp_path)
    trainer.flip = flip
    if action == "restart":
        with pytest.raises(TrainingStopped, match="changed in memory between two steps"):
            trainer.run()
    else:
        trainer.run()
    assert (check, action) in guards_seen(tmp_path)


def test_a_gradient_that_changes_between_guards_and_step_is_noticed(config, tmp_path):
    trainer = Trainer(changed(config, ["checks.balance_every=1", "schedule.steps=8"]), tmp_path)
    judge = trainer.guards.judge

    def judge_and_flip(facts):
        if facts.step == 6:
            trainer.optimizers.gradients()[0].view(torch.int32).flatten()[3] ^= 1 << 26
        return judge(facts)

    trainer.guards.judge = judge_and_flip
    with pytest.raises(TrainingStopped, match="not what the optimiser's step should have made"):
        trainer.run()
    assert read_run(tmp_path).steps[-1].facts.step == 5


def test_updates_of_clipped_gradients_balance(config, tmp_path):
    settings = ["checks.balance_every=1", "schedule.steps=12", "guards.norm_z=0.01"]
    Trainer(changed(config, settings), tmp_path).run()
    assert sum(step.action == "clip" for step in read_run(tmp_path).steps) > 1
    assert not [seen for seen in guards_seen(tmp_path) if seen[0] == "balance"]


def test_the_recorded_time_of_a_step_holds_its_update(config, tmp_path):
    trainer = Trainer(changed(config, ["schedule.steps=3"]), tmp_path)
    step = trainer.optimizers.step

    def slow_step():
        time.sleep(0.3)
        step()

    trainer.optimizers.step = slow_step
    trainer.run()
    assert all(line.facts.seconds > 0.3 for line in read_run(tmp_path).steps)


def test_checks_of_the_hardware_change_nothing_that_is_learned(config, tmp_path):
    every = ["checks.at_rest_every=1", "checks.balance_every=1", "checks.replay_every=1", "schedule.steps=8"]
    none = [setting.replace("=1", "=0") for setting in every[:3]] + ["schedule.steps=8"]
    for name, settings in (("with", every), ("without", none)):
        Trainer(changed(config, settings), tmp_path / name).run()
    a, b = read_run(tmp_path / "with"), read_run(tmp_path / "without")
    assert [s.fingerprint for s in a.steps] == [s.fingerprint for s in b.steps]
    assert not guards_seen(tmp_path / "with")
