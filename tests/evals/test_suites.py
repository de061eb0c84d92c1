"""The suites that are drawn: the same questions each time, enough of each, and none that training has seen."""

from collections import Counter

import pytest

from clearsight.data.worlds import WORLDS
from clearsight.evals.item import EvalError, items_fingerprint
from clearsight.evals.metrics.by_name import by_name
from clearsight.evals.suites import dawn, mini
from clearsight.evals.suites.by_name import by_name as suite_by_name


def test_mini_asks_a_fixed_number_of_each_skill_and_the_same_each_time() -> None:
    suite = mini.suite(3, ["shapes", "clocks"])
    items = list(suite.items())
    asked = Counter(item.skill for item in items)
    assert max(asked.values()) == 3 and asked["shapes: count"] == 3 and asked["clocks: time"] == 3
    assert max(Counter(item.cluster for item in items).values()) <= mini.A_PICTURE
    assert items_fingerprint(items) == items_fingerprint(list(suite.items()))
    assert len({item.id for item in items}) == len(items)


def test_the_right_answer_of_every_drawn_question_is_scored_right() -> None:
    for item in mini.suite(1, ["shapes", "tables", "marks", "lines"]).items():
        scored = by_name(item.metric).score(item.truth.answer, item.truth)
        assert scored.score == 1 and scored.parsed, f"{item.id}: {item.question} {item.truth}"


@pytest.mark.parametrize("leaf", dawn.LEAVES, ids=lambda leaf: leaf.number)
def test_every_leaf_of_dawn_can_be_asked(leaf: dawn.Leaf) -> None:
    items = list(dawn._of_leaf(leaf, 3))
    assert len(items) == 3 and all(item.group.startswith(leaf.number) for item in items)
    for item in items:
        assert by_name(item.metric).score(item.truth.answer, item.truth).score == 1


def test_leaves_have_numbers_of_their_own_and_worlds_that_exist() -> None:
    assert len({leaf.number for leaf in dawn.LEAVES}) == len(dawn.LEAVES)
    assert {skill.partition(": ")[0] for leaf in dawn.LEAVES for skill in leaf.skills} <= set(WORLDS)


def test_text_alone_shows_no_picture_and_examples_come_before_the_question() -> None:
    leaves = {leaf.number: leaf for leaf in dawn.LEAVES}
    assert not next(iter(dawn._of_leaf(leaves["A1"], 1))).conversation.images
    shown = next(iter(dawn._of_leaf(leaves["B7"], 1))).conversation
    assert [message.role for message in shown.messages] == ["user", "assistant"] * 2 + ["user"]
    assert len(shown.images) == 3


def test_a_suite_that_is_not_there_is_explained() -> None:
    with pytest.raises(EvalError, match=r"there are mini.*docvqa"):
        suite_by_name("docvqa2")
    with pytest.raises(EvalError, match="no world 'moons'"):
        suite_by_name("mini:moons")
