"""A judge that errs rewards the wrong thing, in evaluation and in training alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsight.data.verify import (
    CANT_BE_READ,
    NOT_SHOWN,
    Truth,
    edit_distance,
    names_in,
    numbers_in,
    overlap,
    verify,
)

CASES = [
    (
        Truth("text", "alarm clock"),
        ["Alarm clock.", "an alarm clock", " alarm  clock "],
        ["clock", "alarm clock and bed"],
    ),
    (Truth("text", "gray", alternatives=("grey",)), ["Grey", "gray."], ["black", "light gray or black"]),
    (
        Truth("verbatim", "Gate 12\nOpen"),
        ["Gate 12 Open", "Gate 12\nOpen"],
        ["gate 12 open", "Gate 12", "Gate 12 0pen"],
    ),
    (Truth("yes or no", "Yes"), ["Yes.", "yes, there is", "Correct"], ["No", "Yes and no", "maybe"]),
    (Truth("yes or no", "No"), ["No.", "no, there is none"], ["Yes", "yes"]),
    (
        Truth("number", "five", 5),
        ["5", "five", "There are five.", "5.0"],
        ["4", "4 or 5", "many", "-5", "55"],
    ),
    (
        Truth("number", "1,250", 1250, tolerance=10),
        ["1250", "1,255", "about 1,245"],
        ["1.25", "1270", "1,250 or 3"],
    ),
    (Truth("number", "-3", -3), ["-3", "−3 degrees"], ["3"]),
    (
        Truth("choice", "blue", choices=("blue", "dark blue", "red")),
        ["blue", "A", "(A)", "It is blue."],
        ["dark blue", "B", "blue or red", "green", "It is dark blue."],
    ),
    (
        Truth("list", "a, b, c", ["start", "wait", "end"]),
        ["start, wait and end", "1. Start\n2. wait\n3. end", "start → wait → end"],
        ["end, wait, start", "start, wait"],
    ),
    (Truth("set", "x", ["cat", "dog"]), ["dog and cat", "Cat, dog."], ["cat", "cat, dog, cow", "cat, cat"]),
    (
        Truth("point", "(50, 50)", [40, 40, 60, 60]),
        ["(50, 59)", "50, 40"],
        ["(70, 50)", "50", "(50, 50, 50)"],
    ),
    (
        Truth("box", "(0, 0, 100, 100)", [0, 0, 100, 100]),
        ["(0, 0, 100, 60)", "0 5 100 105"],
        ["(0, 0, 100, 40)", "(0, 0)"],
    ),
    (
        Truth("time", "3:25", 205, tolerance=1),
        ["3:25", "It is 03:26.", "15:25"],
        ["3:28", "4:25", "25 past", "3:75"],
    ),
    (
        Truth("not shown", NOT_SHOWN),
        [NOT_SHOWN, "There is no dog.", "It isn't in the picture."],
        ["A dog", CANT_BE_READ, "Yes"],
    ),
    (
        Truth("can't be read", CANT_BE_READ),
        [CANT_BE_READ, "It is illegible.", "Too blurred to say"],
        ["Gate 12", NOT_SHOWN],
    ),
]


@pytest.mark.parametrize("truth, right, wrong", CASES, ids=[f"{t.kind} {t.answer[:12]}" for t, *_ in CASES])
def test_people_may_say_it_their_way_and_wrong_answers_are_wrong(truth, right, wrong) -> None:
    for answer in right:
        assert verify(truth, answer).right, (answer, verify(truth, answer))
    for answer in [*wrong, "", " "]:
        assert not verify(truth, answer).right, (answer, verify(truth, answer))


@pytest.mark.parametrize(
    "truth", [t for t, *_ in CASES], ids=[f"{t.kind} {t.answer[:12]}" for t, *_ in CASES]
)
def test_a_truth_survives_json(truth) -> None:
    assert Truth.from_json(truth.to_json()) == truth


@given(st.sampled_from([t for t, *_ in CASES]), st.text())
def test_no_answer_makes_a_judge_fail_and_scores_stay_between_zero_and_one(truth, answer) -> None:
    verdict = verify(truth, answer)
    assert 0 <= verdict.score <= 1
    assert verdict.right <= (verdict.score >= 0.5)


def test_refusing_to_answer_is_wrong_when_there_is_an_answer() -> None:
    for truth in (Truth("number", "5", 5), Truth("yes or no", "No"), Truth("text", "cat")):
        assert not verify(truth, CANT_BE_READ).right
        assert not verify(truth, NOT_SHOWN).right


def test_a_sign_that_says_not_legible_may_be_read_out() -> None:
    assert verify(Truth("text", "not legible"), "Not legible").right
    assert verify(Truth("verbatim", "Nothing is shown here"), "Nothing is shown here").right


def test_the_parts_of_the_judges() -> None:
    assert numbers_in("between 3-4, and 1,000.5 or −2") == [3, 4, 1000.5, -2]
    assert names_in("1. Cat\n2. the dog") == ["cat", "dog"]
    assert overlap((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert overlap((0, 0, 1, 1), (5, 5, 6, 6)) == 0
    assert edit_distance("kitten", "sitting") == 3
