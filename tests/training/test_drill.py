"""The drill's figures are what users are told of faulty hardware: flips must be real, and clean steps clean."""

import itertools
import json
import math
import subprocess
import sys

import pytest
import torch

from clearsight.training.checksums import bit_checksums
from clearsight.training.config import Checks
from clearsight.training.drill import Outcome, Run, lower_bound, summary, upper_bound
from clearsight.training.drill_model import batch_of
from clearsight.training.faults import POSITIONS, SITES, Fault, bits_of, flip


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_every_bit_belongs_to_one_class(dtype):
    bits = sorted(bit for position in POSITIONS for bit in bits_of(position, dtype))
    assert bits == list(range(torch.finfo(dtype).bits))


def test_classes_of_bits_do_what_their_names_say():
    def flipped(value: float, bit: int) -> float:
        tensor = torch.tensor([0.0, value])
        flip(tensor, 1, bit)
        return float(tensor[1])

    assert flipped(1.5, 31) == -1.5
    assert all(
        flipped(0.3, bit) < 1e-4 or flipped(0.3, bit) > 1e30
        for bit in bits_of("high exponent", torch.float32)
    )
    assert all(abs(flipped(1.5, bit) / 1.5 - 1) < 1e-3 for bit in bits_of("low mantissa", torch.float32))


def test_a_flip_changes_one_bit_of_one_element_wherever_it_lies_in_memory():
    tensor = torch.zeros(4, 6).T
    flip(tensor, 7, 3)
    assert (tensor != 0).sum() == 1 and tensor[1, 3] != 0
    flip(tensor, 7, 3)
    assert not tensor.any()


@pytest.fixture(scope="module")
def run() -> Run:
    run = Run(torch.float32)
    for step in range(1, 40):
        run.step(step)
    return run


@pytest.fixture(scope="module")
def moment(run):
    return run.moment(40)


def state_sums(run: Run) -> torch.Tensor:
    return bit_checksums(tensor for _, tensor in run.state())


@pytest.mark.parametrize("kind, stage", SITES)
def test_a_fault_strikes_at_every_site_and_the_run_goes_back_to_its_clean_state(run, moment, kind, stage):
    run.back_to(moment)
    clean = state_sums(run)
    outcomes = (run.flipped(Fault(kind, stage, "low exponent", seed), moment) for seed in range(20))
    assert any(o.update_change > 0 or o.loss_change > 0 for o in outcomes), "no flip reached update or loss"
    run.back_to(moment)
    assert torch.equal(state_sums(run), clean)
    assert [run.step(moment.step + ahead)[0] for ahead in range(2)] == moment.losses[:2]


@pytest.mark.parametrize("kind", ["weight", "activation", "input", "gradient"])
def test_a_fault_of_a_computation_leaves_no_trace_behind(run, moment, kind):
    run.back_to(moment)
    clean, batch = state_sums(run), batch_of(moment.step)
    pixels = batch.tiles_NCSS.float() / 127.5 - 1
    expected = bit_checksums(run.gradients(batch, pixels).values())
    stage = "backward" if kind == "gradient" else "forward"
    struck = bit_checksums(run.gradients(batch, pixels, Fault(kind, stage, "sign", 3)).values())
    assert not torch.equal(struck, expected)
    assert torch.equal(state_sums(run), clean)
    assert torch.equal(bit_checksums(run.gradients(batch, pixels).values()), expected)


@pytest.mark.parametrize(
    "kind, stage, by",
    [
        ("weight", "at rest", "at rest"),
        ("moment", "at rest", "at rest"),
        ("weight", "forward", "replay"),
        ("gradient", "backward", "replay"),
        ("weight", "optimiser", "balance"),
        ("gradient", "at rest", "balance"),
    ],
)
def test_each_check_notices_what_it_is_there_for(run, moment, kind, stage, by):
    outcomes = (run.flipped(Fault(kind, stage, "low exponent", seed), moment) for seed in range(20))
    changed = [*itertools.islice((o for o in outcomes if o.update_change > 1e-4), 2)]
    assert len(changed) == 2 and all(by in o.noticed for o in changed)


def test_a_weight_that_becomes_enormous_is_noticed_by_the_guards_alone(run, moment):
    outcomes = (run.flipped(Fault("weight", "at rest", "high exponent", seed), moment) for seed in range(40))
    ruinous = next(o for o in outcomes if o.loss_change > 10)
    assert "guards" in ruinous.noticed


def outcome(loss_change: float, *noticed: str) -> Outcome:
    return Outcome(Fault("weight", "forward", "sign", 0), loss_change, 0.0, frozenset(noticed))


def test_rates_are_of_the_flips_that_matter_and_of_the_intervals_at_which_checks_run():
    checks = Checks(replay_every=100, at_rest_every=20)
    found = summary(
        [outcome(0.5, "replay"), outcome(math.nan, "guards"), outcome(0.2), outcome(0.001)], checks
    )
    assert found["loss"]["flips"] == 3
    assert found["loss"]["every_step"] == pytest.approx(2 / 3)
    assert found["loss"]["default"] == pytest.approx((0.01 + 1 + 0) / 3)
    assert found["all"]["flips"] == 4


def test_no_alarm_in_ten_thousand_steps_does_not_mean_that_there_is_never_one():
    assert upper_bound(0, 10_000) == pytest.approx(-math.log(0.05) / 10_000, rel=1e-6)
    assert upper_bound(2, 10_000) == pytest.approx(6.296e-4, rel=1e-3)  # tables of the Poisson distribution


def test_a_few_flips_that_were_all_noticed_do_not_prove_that_all_are():
    assert lower_bound(42, 42) == pytest.approx(0.05 ** (1 / 42), rel=1e-6)
    assert lower_bound(9, 10) == pytest.approx(0.6058, abs=1e-4)  # Clopper & Pearson
    assert lower_bound(0, 5) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_the_command_ends_in_a_line_of_json():
    command = [sys.executable, "-m", "clearsight.training.drill", "--flips", "60", "--clean", "100"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["detection"]["all"]["flips"] == 60 and last["false_alarms"]["alarms"] == 0
