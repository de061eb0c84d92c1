"""A ladder's promise: what it says of the next run is written down before, and holds about as often as it says."""

import math
import random
from dataclasses import replace

import pytest

from clearsight.training import ladder
from clearsight.training.ladder import LadderError, Law, Run, compare, fit, log_line, predict, read, register

TRUTH = Law(scale=0.8, slope=-0.2, floor=0.5, unit=1e12)


def runs(noise: float = 0.0, seed: int = 0, count: int = 5) -> list[Run]:
    draw = random.Random(seed)
    flops = [1e11 * 4**number for number in range(count)]
    return [Run(f"{c:.0e}", c, TRUTH.loss(c) * math.exp(draw.gauss(0, noise))) for c in flops]


def test_a_law_without_noise_is_found():
    law = fit(runs())
    assert law.slope == pytest.approx(TRUTH.slope, rel=1e-3)
    assert law.floor == pytest.approx(TRUTH.floor, rel=1e-3)
    assert law.loss(1e15) == pytest.approx(TRUTH.loss(1e15), rel=1e-3)


def test_one_run_that_went_wrong_does_not_bend_the_law():
    wrong = runs(count=7)
    wrong[3] = replace(wrong[3], loss=1.3 * wrong[3].loss)
    assert fit(wrong).loss(1e15) == pytest.approx(TRUTH.loss(1e15), rel=0.02)


def test_nothing_is_predicted_from_too_few_runs_or_from_runs_that_did_not_learn():
    with pytest.raises(LadderError, match="train more sizes"):
        fit(runs(count=2))
    with pytest.raises(LadderError, match="learning rate"):
        fit([replace(run, loss=2.0) for run in runs()])


def test_the_interval_holds_the_outcome_about_as_often_as_it_says():
    flops, inside, trials = 1e11 * 4**5, 0, 20
    for seed in range(trials):
        known = predict("next", runs(0.01, seed), flops, 0.01, seed)
        outcome = TRUTH.loss(flops) * math.exp(random.Random(seed + 100).gauss(0, 0.01))
        inside += known.low <= outcome <= known.high
    assert inside >= 0.75 * trials  # 0.9 is meant; fewer than 0.75 of 20 would come once in 30 times
    assert known.high - known.low < 0.25 * known.loss  # and it does not hold everything


def test_a_prediction_is_made_before_the_run_and_only_once(tmp_path):
    path = tmp_path / "predictions.jsonl"
    outcome = Run("next", 1e14, 0.85)
    with pytest.raises(LadderError, match="before the run starts"):
        compare(path, outcome)
    prediction = predict("next", runs(), 1e14, 0.005)
    register(path, prediction)
    with pytest.raises(LadderError, match="not made again"):
        register(path, replace(prediction, loss=0.1))
    assert compare(path, outcome)["outcome"] == 0.85
    assert compare(path, replace(outcome, loss=0.7))["outcome"] == 0.85  # nor is an outcome told again
    assert [("outcome" in line) for line in read(path)] == [False, True]


def test_the_log_tells_prediction_and_outcome_side_by_side(tmp_path):
    path = tmp_path / "predictions.jsonl"
    prediction = predict("next", runs(), 1e14, 0.005)
    register(path, prediction)
    before = log_line(path, "next")
    assert f"predicted {prediction.loss:.4f}" in before
    assert "reached" not in before
    compare(path, Run("next", 1e14, 2 * prediction.loss))
    assert "+100.0%, outside the interval" in log_line(path, "next")


def test_an_outcome_is_held_against_the_compute_it_really_took(tmp_path):
    path = tmp_path / "predictions.jsonl"
    register(path, predict("next", runs(), 1e14, 0.005))
    line = compare(path, Run("next", 2e14, TRUTH.loss(2e14)))
    assert line["error"] == pytest.approx(0, abs=1e-3)
    assert line["inside"]


def test_a_plot_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "ladder.svg"
    ladder.plot(path, runs(), [predict("next", runs(), 1e14, 0.01)])
    assert path.read_text().count("<path") > 10
