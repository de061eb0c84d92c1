"""A run that is killed, wherever, must end as if it had not been."""

import json
import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_runs import command, environment, train

from clearsight.training.checkpoint import Checkpoints, Parts
from clearsight.training.config import Config, changed
from clearsight.training.recipe import read_recipe
from clearsight.training.record import read_run
from clearsight.training.session import train as train_here

STEPS = 30
KILLS = 20


def final_tensors(out: Path) -> dict[str, torch.Tensor]:
    checkpoints = Checkpoints(out / "checkpoints")
    assert checkpoints.steps()[-1] == STEPS
    with Parts(checkpoints.path(STEPS)) as parts:
        return {key: parts.whole(key) for key in parts}


def same_run(one: Path, other: Path) -> None:
    """Weights, moments and averages to the bit; loss, norm and samples of every step."""
    a, b = final_tensors(one), final_tensors(other)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)
    first, second = read_run(one), read_run(other)
    assert [s.facts.step for s in second.steps] == list(range(1, STEPS + 1))
    assert [s.fingerprint for s in first.steps] == [s.fingerprint for s in second.steps]
    assert all(first.ledger[s].samples == second.ledger[s].samples for s in range(1, STEPS + 1))


@pytest.fixture(scope="module")
def config(recipe) -> Config:
    settings = [f"schedule.steps={STEPS}", "checkpoints.every=3", "optimizer.ema=0.9", "optimizer.kind=muon"]
    return changed(read_recipe(recipe).config, settings)


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    in_a_process(config, out)
    return out


def in_a_process(config: Config, out: Path) -> None:
    process = started(config, out)
    process.join(120)
    assert process.exitcode == 0


def started(config: Config, out: Path) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=_run, args=(config, out))
    process.start()
    return process


def _run(config: Config, out: Path) -> None:
    torch.set_num_threads(1)
    os.setpgrp()  # so that a kill takes loader workers too
    train_here(config, out, quiet=True)


def kill(process: multiprocessing.Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.join()


@pytest.mark.slow
def test_twenty_kills_leave_no_trace(config, undisturbed, tmp_path):
    """Half of them while a checkpoint is being written; the number of loader workers changes on the way."""
    rng = random.Random(0)
    kills = in_writing = 0
    while kills < KILLS:
        workers = rng.choice((0, 0, 1, 2))
        process = started(replace(config, data=replace(config.data, workers=workers)), tmp_path)
        if kills % 2:
            time.sleep(rng.uniform(0.2, 1.0))
        else:  # as soon as a checkpoint is begun, after a random number of looks
            seen = 0
            while process.is_alive() and seen < rng.randint(1, 4):
                seen += bool(list((tmp_path / "checkpoints").glob(".step-*")))
                time.sleep(0.001)
            in_writing += seen > 0
        if process.is_alive():
            kill(process)
            kills += 1
        elif list(
            (tmp_path / "checkpoints").glob(f"step-{STEPS:08d}")
        ):  # it got to the end: go back a little
            for step in Checkpoints(tmp_path / "checkpoints").steps()[1:]:
                (tmp_path / "checkpoints" / f"step-{step:08d}" / "manifest.json").unlink()
    assert in_writing >= KILLS // 3
    in_a_process(config, tmp_path)
    same_run(undisturbed, tmp_path)


def test_a_torn_checkpoint_is_left_out_and_the_one_before_is_used(config, undisturbed, tmp_path):
    short = replace(config, checkpoints=replace(config.checkpoints, keep=3))
    process = started(short, tmp_path)
    while not len(Checkpoints(tmp_path / "checkpoints").steps()) >= 2:
        time.sleep(0.005)
    kill(process)
    torn = sorted((tmp_path / "checkpoints").glob("step-*/rank-00000.safetensors"))[-1]
    content = bytearray(torn.read_bytes())
    content[-5] ^= 1
    torn.write_bytes(content)
    in_a_process(config, tmp_path)
    same_run(undisturbed, tmp_path)
    assert any(event.more.get("guard") == "torn checkpoint" for event in read_run(tmp_path).events)


def test_a_run_told_to_stop_saves_and_says_how_to_go_on(recipe, tmp_path):
    import subprocess

    settings = (f"schedule.steps={STEPS}", "checkpoints.every=1000")
    process = subprocess.Popen(
        command(recipe, tmp_path, *settings), stdout=subprocess.PIPE, text=True, env=environment()
    )
    record = tmp_path / "record.jsonl"
    while not record.exists() or record.read_text().count('"grad_norm"') < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 75
    assert "the same command goes on" in json.loads(said.splitlines()[-1])["error"]
    assert train(recipe, tmp_path, *settings)["step"] == STEPS


def test_another_run_is_not_continued_by_mistake(recipe, tmp_path):
    import subprocess

    train(recipe, tmp_path, "schedule.steps=2")
    done = subprocess.run(
        command(recipe, tmp_path, "schedule.steps=2", "optimizer.text=0.5"),
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 1
    assert "optimizer.text" in json.loads(done.stdout)["error"]


@pytest.mark.slow
def test_two_processes_go_on_as_one_and_one_as_two(recipe, tmp_path):
    """With another number of ranks sums are rounded in another order, and nothing else may change."""
    settings = ("schedule.steps=9", "checkpoints.every=3", "checkpoints.keep=9")
    whole, mixed = tmp_path / "whole", tmp_path / "mixed"
    train(recipe, whole, *settings)
    for until, processes in ((3, 2), (6, 1), (9, 2)):
        train(recipe, mixed, *settings, processes=processes)
        for step in Checkpoints(mixed / "checkpoints").steps():
            if step > until:
                (mixed / "checkpoints" / f"step-{step:08d}" / "manifest.json").unlink()
    a, b = read_run(whole), read_run(mixed)
    assert [a.ledger[s].sha256 for s in range(1, 10)] == [b.ledger[s].sha256 for s in range(1, 10)]
    for one, other in zip(a.steps, b.steps, strict=True):
        assert other.facts.loss == pytest.approx(one.facts.loss, rel=1e-5)
