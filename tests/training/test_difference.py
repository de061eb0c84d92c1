"""The proof that a continued run equals an uninterrupted one is worth what this comparison finds."""

import json
from dataclasses import replace

import pytest

from clearsight.training.difference import audit, compare, describe
from clearsight.training.facts import StepFacts
from clearsight.training.guards import Verdict
from clearsight.training.record import LEDGER, Record, read_run

FACTS = StepFacts(
    step=1,
    loss=2.0,
    grad_norm=1.0,
    seconds=1.0,
    data_wait=0.1,
    tokens=100,
    labelled=50,
    samples=2,
    tiles=3,
    flops=1e9,
    rates={"text": 1e-3},
)


def write(out, steps=range(1, 6), *, seed=0, first_sample=0, fault=None, at=3, start=None) -> Record:
    """A run of two samples a step; `fault` replaces facts of step `at` and of what follows."""
    record = Record(out)
    record.config({"seed": seed, "model": {"name": "tiny"}}, {}, {})
    record.event("start", 0, **(start or {}))
    add(record, steps, first_sample=first_sample, fault=fault, at=at)
    return record


def add(record: Record, steps, *, first_sample=0, fault=None, at=3) -> None:
    for step in steps:
        clean = {"step": step, "loss": 2.0 - step / 100}
        facts = replace(FACTS, **(clean | (fault or {} if step >= at else {})))
        record.samples(step, [(0, first_sample + 2 * step), (0, first_sample + 2 * step + 1)])
        record.step(facts, Verdict(), {"loss": facts.loss.hex(), "weights": f"{step:08x}"})


def test_equal_runs_are_the_same_and_say_so(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    found = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert found.same
    assert describe(found).startswith("The runs are the same, bit for bit, in all 5 steps.")
    assert json.loads(json.dumps(found.to_json()))["same"] is True


def test_a_killed_and_continued_run_is_the_same_as_an_uninterrupted_one(tmp_path):
    write(tmp_path / "a", range(1, 9))
    write(tmp_path / "b", range(1, 7)).close()
    write(tmp_path / "b", range(4, 9))
    assert compare(read_run(tmp_path / "a"), read_run(tmp_path / "b")).same


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ({"loss": 1.9700000000000002}, "loss"),  # the last bit
        ({"grad_norm": 1.0000000000000002}, "gradient norm"),
        ({"rates": {"text": 2e-3}}, "rates"),
    ],
)
def test_the_first_step_that_differs_is_named(tmp_path, fault, what):
    write(tmp_path / "a")
    write(tmp_path / "b", fault=fault)
    found = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert not found.same
    assert (found.partings[0].step, found.partings[0].what) == (3, what)
    assert f"part at step 3, with {what}" in describe(found)


def test_other_samples_are_named_before_what_follows_from_them(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", first_sample=1, fault={"loss": 1.0}, at=1)
    found = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert [p.what for p in found.partings] == ["samples", "loss", "fingerprint: loss"]


def test_weights_that_differ_alone_are_found(tmp_path):
    write(tmp_path / "a")
    record = write(tmp_path / "b", range(1, 5))
    record.samples(5, [(0, 10), (0, 11)])
    facts = replace(FACTS, step=5, loss=2.0 - 5 / 100)
    record.step(facts, Verdict(), {"loss": facts.loss.hex(), "weights": "ffffffff"})
    found = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert [p.what for p in found.partings] == ["fingerprint: weights"]


def test_a_run_that_ends_early_is_not_the_same(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", range(1, 4))
    found = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert not found.same and found.compared == 3
    assert "ends at step 5" in describe(found)


def test_settings_that_differ_are_listed_and_do_not_make_runs_differ(tmp_path):
    write(tmp_path / "a", seed=0)
    write(tmp_path / "b", seed=1)
    found = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"))
    assert found.same and found.settings == (("seed", 0, 1),)


def epochs(out, order, records, ahead=0) -> None:
    record = Record(out)
    record.event("start", 0, records=[records], ahead=ahead)
    for step, sample in enumerate(order, 1):
        record.samples(step, [(0, sample)])
        record.step(replace(FACTS, step=step, samples=1), Verdict(), {})


def test_epochs_in_any_order_are_sound(tmp_path):
    epochs(tmp_path, [2, 0, 1, 3, 1, 3, 0, 2, 0, 1], 4)
    assert audit(read_run(tmp_path)).sound


def test_a_sample_seen_twice_within_an_epoch_is_found(tmp_path):
    epochs(tmp_path, [2, 0, 2, 3, 1], 4)
    assert audit(read_run(tmp_path)).repeated == ((0, 2),)


def test_a_sample_left_out_of_an_epoch_is_found(tmp_path):
    epochs(tmp_path, [2, 0, 1, 2, 0, 1, 2, 0], 4)
    found = audit(read_run(tmp_path))
    assert found.left_out == ((0, 1),) and not found.sound


def test_epochs_may_mix_within_the_window_that_a_loader_packs_from(tmp_path):
    epochs(tmp_path, [2, 0, 1, 2, 3, 0, 1, 3], 4, ahead=2)
    assert audit(read_run(tmp_path)).sound


def test_what_a_rollback_dropped_is_not_called_left_out(tmp_path):
    record = Record(tmp_path)
    record.event("start", 0, records=[6])
    for step, sample in ((1, 0), (2, 1), (3, 2), (2, 3), (3, 4), (4, 5), (5, 0), (6, 1)):
        if (step, sample) == (2, 3):
            record.event("rollback", 3, to=1)  # samples 1 and 2 led astray
        record.samples(step, [(0, sample)])
        record.step(replace(FACTS, step=step, samples=1), Verdict(), {})
    assert audit(read_run(tmp_path)).sound


def test_steps_without_samples_and_changed_lines_are_found(tmp_path):
    write(tmp_path)
    lines = (tmp_path / LEDGER).read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace("[0,8]", "[0,7]")
    (tmp_path / LEDGER).write_text("".join(lines[:1] + lines[2:]))
    found = audit(read_run(tmp_path))
    assert (found.missing, found.damaged) == ((2,), (4,))
