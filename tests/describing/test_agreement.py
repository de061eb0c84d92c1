"""Doubtful words of answers: by hand where the truth is plain, and with the real engine."""

from pathlib import Path

import pytest

from clearsight.conversation import Conversation, Image, user
from clearsight.decoding.sampling import Sampling
from clearsight.describing.agreement import answer_support, doubts, normal, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Two", "2"),
        ("cats", "cat"),
        ("boxes", "box"),
        ("berries", "berry"),
        ("1,000", "1000"),
        ("twenty-three", "23"),
        ("Café", "cafe"),
        ("children", "child"),
        ("dog’s", "dog's"),
    ],
)
def test_same_thing_written_in_two_ways_does_not_count_as_disagreement(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"), [("7", "1"), ("12.5", "125"), ("bus", "bu"), ("glass", "glas"), ("10%", "10")]
)
def test_different_things_are_not_taken_for_one(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_number_that_others_read_differently_is_doubtful_at_its_place() -> None:
    answer = "Take 7 tablets a day."
    (found,) = doubts(
        answer, ["Take 1 tablet a day", "Take 1 tablet a day", "Take seven tablets a day", "1 a day"]
    )
    assert answer[found.start : found.end] == found.text == "7"
    assert found.support == 0.25


def test_answer_that_all_others_bear_out_has_no_doubts() -> None:
    assert doubts("There are two red cups.", ["Two red cups", "2 cups, both red"]) == []
    assert answer_support("There are two red cups.", ["Two red cups", "2 cups, both red"]) == 1.0


def test_doubtful_neighbours_are_one_span_with_the_lowest_support() -> None:
    found = doubts("A big brown dog on grass", ["A cat on grass", "A big cat on grass", "A cat on grass"])
    assert [one.text for one in found] == ["big brown dog"]
    assert found[0].support == 0.0


def test_doubts_apart_stay_apart() -> None:
    found = doubts("Bread, milk and cheese.", ["Milk", "Milk", "milk and eggs"])
    assert [one.text for one in found] == ["Bread", "cheese"]


def test_empty_words_are_never_doubtful_beside_others() -> None:
    assert doubts("There is a dog.", ["dog", "The dog"]) == []


def test_answer_of_empty_words_alone_is_doubtful_where_others_say_something_else() -> None:
    assert answer_support("that", ["what", "coral", "is in"]) == 0.0
    assert [one.text for one in doubts("That", ["what", "what is written"])] == ["That"]
    assert answer_support("It is.", ["Yes, it is"]) == 1.0
    assert answer_support("?", ["No"]) == 1.0


def test_places_are_those_of_the_answer_beyond_ascii() -> None:
    answer = "🍎 Äpfel kosten 3 €"
    found = doubts(answer, ["Äpfel kosten 5 €"] * 2)
    assert [answer[one.start : one.end] for one in found] == ["3"]


def test_yes_against_no_is_doubtful() -> None:
    assert answer_support("Yes.", ["No", "No", "Yes"]) == pytest.approx(1 / 3)


def test_words_of_other_scripts_are_compared() -> None:
    assert [word.norm for word in words("Большая МАШИНА")] == ["большая", "машина"]


@pytest.mark.bundled
@pytest.mark.slow
def test_model_agrees_with_itself_about_the_sample_more_than_about_noise() -> None:
    import numpy as np
    from PIL import Image as PILImage

    from clearsight import mini
    from clearsight.engine import Engine, EngineConfig

    sample = Image.from_file(Path(str(mini.bundled_folder())) / "sample.png")
    noise = PILImage.fromarray(np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8))
    with_support = []
    engine = Engine.load("mini", EngineConfig(threads=1))
    try:
        for picture, question in ((sample, "What shape is this?"), (Image(pixels=noise), "Read the text.")):
            conversation = Conversation((user(picture, question),))
            first = engine.submit(conversation, Sampling(max_tokens=24)).result().text
            again = Sampling(max_tokens=24, temperature=0.8, seed=1)
            others = [stream.result().text for stream in engine.submit_many(conversation, again, 5)]
            with_support.append(answer_support(first, others))
    finally:
        engine.close()
    assert with_support[0] > with_support[1]
