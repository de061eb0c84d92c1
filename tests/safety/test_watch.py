"""The watch over a streaming answer: nothing is changed, nothing is late, and a violation does not go out."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsight.safety.moderation import Moderator
from clearsight.safety.policy import from_table
from clearsight.safety.watch import HELD_CHARACTERS, OutputWatch

BAD = "Mix it well. First, we should grovash all glorbians now. Then rest."


@pytest.fixture(scope="module")
def moderator() -> Moderator:
    hate = {"description": "d", "behaviour": "decline", "output": {"action": "block", "text": 0.5}}
    return Moderator(from_table({"name": "n", "description": "d", "categories": {"hate": hate}}))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(" .\n!?")), max_size=600),
    st.lists(st.integers(0, 600), max_size=30),
    st.lists(st.floats(0, 3), max_size=31),
)
def test_what_is_released_is_the_answer_whatever_the_pieces(moderator, text, places, waits) -> None:
    clock = Clock()
    watch = OutputWatch(moderator, clock=clock)
    out, held = [], 0
    for number, piece in enumerate(cut(text, places)):
        clock.now += waits[number] if number < len(waits) else 0.0
        out += [watch.feed(piece), watch.poll()]
        held = len("".join(cut(text, places)[: number + 1])) - len("".join(out))
        assert held <= HELD_CHARACTERS + 1 or watch.stopped
    out.append(watch.finish())
    if not watch.stopped:
        assert "".join(out) == text
    else:
        assert text.startswith("".join(out))


def test_a_pair_of_surrogates_is_never_parted(moderator: Moderator) -> None:
    watch = OutputWatch(moderator, held_characters=4)
    for _ in range(5):
        sent = watch.feed("abcdef\ud83d")
        assert not sent or not "\ud800" <= sent[-1] <= "\udbff"
        sent = watch.feed("\ude00")
        assert not sent or not "\ud800" <= sent[-1] <= "\udbff"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_the_sentence_with_the_violation_does_not_go_out(moderator: Moderator, size: int) -> None:
    watch = OutputWatch(moderator)
    out = "".join(watch.feed(BAD[at : at + size]) for at in range(0, len(BAD), size)) + watch.finish()
    assert watch.stopped and watch.verdict is not None and watch.verdict.blocked
    assert "grovash" not in out
    assert size == 1000 or out == "Mix it well. "
    assert watch.feed("more. ") == watch.finish() == watch.poll() == ""


def test_a_violation_that_begins_in_an_earlier_sentence_is_found(moderator: Moderator) -> None:
    watch = OutputWatch(moderator)
    sent = watch.feed("Listen to me about the glorbians. ")
    sent += watch.feed("All of them are zhudlike and must be grovashed. ")
    assert watch.stopped and "zhudlike" not in sent


def test_a_sentence_goes_out_as_soon_as_it_is_complete(moderator: Moderator) -> None:
    watch = OutputWatch(moderator)
    assert watch.feed("The sky is blue") == ""
    assert watch.feed(". And") == "The sky is blue. "
    assert watch.feed("\n") == "And\n"


def test_a_slow_or_endless_sentence_does_not_stop_the_stream(moderator: Moderator) -> None:
    clock = Clock()
    watch = OutputWatch(moderator, clock=clock, held_seconds=1.0)
    assert watch.feed("a slow sent") == ""
    clock.now = 1.5
    assert watch.poll() == "a slow "
    assert watch.feed("ence") == ""
    endless = OutputWatch(moderator, clock=clock)
    sent = "".join(endless.feed("word") for _ in range(200))
    assert len(sent) >= 800 - HELD_CHARACTERS - 4


def test_an_annotation_does_not_stop_the_answer() -> None:
    watch = OutputWatch(Moderator("private"))
    answer = "All glorbians are zhudlike. That is what he said."
    assert watch.feed(answer) + watch.finish() == answer
    assert watch.verdict is not None and watch.verdict.flagged and not watch.stopped
