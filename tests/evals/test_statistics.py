"""Intervals that hold what they say, tests that find what is there and nothing else."""

import math

import numpy as np
import pytest

from clearsight.evals import statistics as st

PICTURES, EACH = 250, 4


def _run(rng: np.random.Generator, easy: np.ndarray, better: float = 0.0) -> np.ndarray:
    """Right or wrong of one run; how easy each question is decides for both runs."""
    return (rng.random(easy.shape) < np.clip(easy + better, 0, 1)).astype(float)


def _questions(rng: np.random.Generator) -> np.ndarray:
    """How often each question is answered right; questions about one picture are alike."""
    pictures = rng.normal(0.65, 0.15, (PICTURES, 1))
    return np.clip(pictures + rng.normal(0, 0.12, (PICTURES, EACH)), 0.02, 0.95).ravel()


CLUSTERS = np.repeat(np.arange(PICTURES), EACH).tolist()


def test_wilson_agrees_with_published_values() -> None:
    low, high = st.wilson(0, 30)
    assert low == 0 and high == pytest.approx(0.1135, abs=1e-4)
    low, high = st.wilson(81, 263)  # Newcombe, 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_student_is_that_of_the_tables() -> None:
    for freedom, value in (
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (5, 2.571),
        (10, 2.228),
        (30, 2.042),
        (1000, 1.962),
    ):
        assert st.student(0.95, freedom) == pytest.approx(value, rel=0.005)


def test_many_questions_about_few_pictures_do_not_look_like_many_pictures() -> None:
    """Who copies each question ten times must not get a narrower interval."""
    values = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0] * 3
    once = st.interval(values)
    tenfold = st.interval(
        [v for v in values for _ in range(10)], [i for i in range(len(values)) for _ in range(10)]
    )
    assert tenfold.n == 240 and tenfold.clusters == 24
    assert tenfold.high - tenfold.low == pytest.approx(once.high - once.low, rel=0.02)
    naive = st.interval([v for v in values for _ in range(10)])
    assert naive.high - naive.low < (tenfold.high - tenfold.low) / 2.5


def test_all_right_on_few_pictures_is_no_certainty() -> None:
    found = st.interval([1.0] * 40, [i // 4 for i in range(40)])
    assert found.high == 1 and found.low < 0.75


def test_one_picture_says_next_to_nothing() -> None:
    found = st.interval([1.0, 1.0, 1.0], ["a", "a", "a"])
    assert found.low < 0.25 and found.high > 0.95


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        pictures = np.clip(rng.normal(0.6, 0.25, (60, 1)), 0, 1)
        values = (rng.random((60, 4)) < pictures).astype(float)
        found = st.interval(values.ravel().tolist(), np.repeat(np.arange(60), 4).tolist())
        held += found.low <= 0.5966 <= found.high  # the mean of the clipped normal
    assert 0.92 <= held / 300 <= 0.98


def test_graded_scores_have_an_interval_too() -> None:
    rng = np.random.default_rng(0)
    values = rng.beta(4, 2, 400)
    found = st.interval(values.tolist())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.02)


def test_points_of_an_exam_have_an_interval_too() -> None:
    right, pictures = [1, 0, 1, 1, 0, 1], [0, 0, 1, 2, 3, 3]
    plain, weighted = st.interval(right, pictures), st.weighted_interval(right, [2.0] * 6, pictures)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high)), (
        "equal points change nothing"
    )
    assert st.weighted_interval(right, [5, 1, 1, 1, 1, 1], pictures).score == pytest.approx(8 / 10)
    none = st.weighted_interval([0, 0, 0], [1, 2, 3], [0, 1, 2])
    assert none.score == 0 and none.low < 1e-9 and none.high > 0.4, (
        "no points on three pictures is no certainty"
    )


def test_intervals_of_points_hold_the_truth_as_often_as_they_say() -> None:
    """60 questions of 1 to 6 points about 30 pictures, half of what decides shared by a picture's questions."""
    rng, held = np.random.default_rng(4), 0
    pictures, worth = np.repeat(np.arange(30), 2), np.tile([1, 2, 3, 4, 5, 6], 10)
    for _ in range(600):
        easy = rng.beta(2, 2, 30)[pictures]
        found = st.weighted_interval((rng.random(60) < easy).astype(float), worth, pictures)
        held += found.low <= 0.5 <= found.high
    assert 0.93 <= held / 600 <= 0.99


def test_a_bootstrap_draws_whole_pictures() -> None:
    values = np.repeat([0.0, 1.0] * 20, 10)
    clusters = np.repeat(np.arange(40), 10).tolist()
    low, high = st.bootstrap(lambda drawn: float(values[drawn].mean()), clusters, draws=400)
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(40), rel=0.2)
    again = st.bootstrap(lambda drawn: float(values[drawn].mean()), clusters, draws=400)
    assert (low, high) == again


def test_mcnemar_is_the_binomial() -> None:
    assert st.mcnemar(0, 0) == 1
    assert st.mcnemar(0, 6) == pytest.approx(0.03125)
    assert st.mcnemar(5, 5) == 1
    assert st.mcnemar(10, 25) == pytest.approx(0.01674, abs=1e-4)
    exact = min(1.0, 2 * sum(math.comb(2100, k) for k in range(1000 + 1)) / 2**2100)
    assert st.mcnemar(1000, 1100) == pytest.approx(exact, abs=1e-3)


def test_few_clusters_are_counted_exactly() -> None:
    assert st.sign_flips(np.array([1.0, 1.0, 1.0, 1.0])) == pytest.approx(2 / 16)
    assert st.sign_flips(np.zeros(5)) == 1


def test_random_flips_agree_with_counting_all() -> None:
    sums = np.random.default_rng(3).normal(0.4, 1, 12)
    exact = st.sign_flips(sums)
    st_limit, st.EXACT_UP_TO = st.EXACT_UP_TO, 0
    try:
        drawn = st.sign_flips(sums)
    finally:
        st.EXACT_UP_TO = st_limit
    assert drawn == pytest.approx(exact, abs=0.015)


def test_the_same_model_twice_shows_nothing_in_95_of_100_comparisons() -> None:
    """A/A: two samples of one model's answers, differing by chance alone, compared 600 times in both ways.

    A test at 5% is wrong once in twenty; 600 of them tell that from once in fourteen.
    """
    rng = np.random.default_rng(11)
    easy = _questions(rng)
    pictures = [st.paired(_run(rng, easy), _run(rng, easy), CLUSTERS, seed=i).significant for i in range(600)]
    assert 0.03 < np.mean(pictures) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 600)
    singles = [st.paired(_run(rng, easy), _run(rng, easy)).significant for _ in range(600)]
    assert np.mean(singles) <= 0.05, "McNemar's exact test errs on the side of finding nothing"


def test_the_same_answers_twice_differ_in_nothing() -> None:
    run = _run(np.random.default_rng(1), _questions(np.random.default_rng(2)))
    found = st.paired(run, run, CLUSTERS)
    assert found.difference == 0 and found.p == 1 and not found.significant


def test_a_planted_difference_of_three_points_is_found_as_often_as_predicted() -> None:
    rng = np.random.default_rng(7)
    easy = _questions(rng)
    trials = [st.paired(_run(rng, easy), _run(rng, easy, 0.03), CLUSTERS, seed=i) for i in range(200)]
    errors = [trial.detectable / st.detectable(1.0) for trial in trials]
    predicted = st.power(0.03, float(np.mean(errors)))
    found = np.mean([trial.significant for trial in trials])
    deviation = math.sqrt(predicted * (1 - predicted) / len(trials))
    assert 0.2 < predicted < 0.9, "a test in which everything or nothing is found shows nothing"
    assert abs(found - predicted) < 3 * deviation
    assert np.mean([trial.difference for trial in trials]) == pytest.approx(0.03, abs=0.005)


def test_ignoring_clusters_would_find_differences_that_are_not_there() -> None:
    """Why pictures and not questions are flipped: who reads some pictures better by luck looks better throughout."""
    rng = np.random.default_rng(13)
    false_alarms = {"questions": 0, "pictures": 0}
    for i in range(100):
        luck = rng.normal(0, 0.3, (60, 1)) * np.ones((60, 8))
        gaps = (luck + rng.normal(0, 0.3, (60, 8))).ravel()
        zeros, which = np.zeros(gaps.size), np.repeat(np.arange(60), 8).tolist()
        false_alarms["pictures"] += st.paired(zeros, gaps, which, seed=i).significant
        false_alarms["questions"] += st.paired(zeros, gaps, seed=i).significant
    assert false_alarms["pictures"] <= 10 < 20 < false_alarms["questions"]


def test_what_a_benchmark_can_show_is_known_before_it_is_run() -> None:
    """Of the references' table: MMMU val (900, one question a picture) can't show less than 4.3 points."""
    assert st.detectable(st.planned_error(900, 0.7)) == pytest.approx(0.043, abs=0.0005)
    docvqa = st.detectable(st.planned_error(5188, 0.7, per_cluster=4.0, within=0.3))
    assert docvqa == pytest.approx(0.025, abs=0.001)


def test_power_and_detectable_difference_are_each_others_inverse() -> None:
    assert st.power(st.detectable(0.01), 0.01) == pytest.approx(0.8, abs=1e-3)
    assert st.power(0.0, 0.01) == pytest.approx(0.05)


def test_twenty_skills_are_not_twenty_chances_to_find_something() -> None:
    assert st.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert all(p > 0.05 for p in st.holm([0.01] * 6))


def test_runs_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="can't be paired"):
        st.paired([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="no score"):
        st.interval([])
