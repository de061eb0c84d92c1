"""What is to be checked with a person: each topic is recognised, and ordinary scenes are left alone."""

import pytest

from clearsight.describing.cautions import ADVICE, cautions

SHOULD = [
    ("Take two tablets of 500 mg twice a day.", "medicine"),
    ("The total due is $24.90.", "money"),
    ("It is a banknote of 20 euros.", "money"),
    ("Best before 03/2027.", "date"),
    ("The milk expires on 12 March.", "date"),
    ("Contains peanuts and gluten.", "allergens"),
    ("The pedestrian light is green.", "traffic"),
    ("Is it safe to cross?", "traffic"),
]
SHOULD_NOT = [
    "A brown dog lies on a green lawn.",
    "Three people sit at a table by the window.",
    "The sign says OPEN.",
    "A red cross on a white flag.",
    "A wooden chair in front of a wall, at 2 o'clock.",
    "Two children march through snow.",
]


@pytest.mark.parametrize(("text", "topic"), SHOULD)
def test_what_can_do_harm_is_to_be_checked(text: str, topic: str) -> None:
    assert topic in [caution.topic for caution in cautions([text])]


@pytest.mark.parametrize("text", SHOULD_NOT)
def test_ordinary_scene_gets_no_warning(text: str) -> None:
    assert cautions([text]) == []


def test_question_alone_is_enough() -> None:
    assert [one.topic for one in cautions(["How much is this?", "It says 7."])] == ["money"]


def test_every_advice_says_to_check() -> None:
    assert all("heck" in advice and "person" in advice for advice in ADVICE.values())
