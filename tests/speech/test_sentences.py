"""What is spoken at a time: whole sentences, however the text arrives."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsight.speech.sentences import LONGEST, split_sentences, take_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("A cat. A dog? Yes!", ["A cat.", "A dog?", "Yes!"]),
        ("Dr. Smith paid 3.50 to Mr. Jones. He left.", ["Dr. Smith paid 3.50 to Mr. Jones.", "He left."]),
        ("Use fruit, e.g. apples, i.e. food. Eat.", ["Use fruit, e.g. apples, i.e. food.", "Eat."]),
        ("J. R. Smith came. U.S. Army too.", ["J. R. Smith came.", "U.S. Army too."]),
        ("See example.org for v1.2.3. Done.", ["See example.org for v1.2.3.", "Done."]),
        ('"Stop!" he said. "Go." She went.', ['"Stop!" he said.', '"Go."', "She went."]),
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        ("Steps:\n- one\n- two", ["Steps:", "- one", "- two"]),
        ("A title\n\nA line that\ngoes on.", ["A title", "A line that goes on."]),
        ("今日は。元気？はい", ["今日は。", "元気？", "はい"]),
        ("Wait... what? Really?! Yes.", ["Wait... what?", "Really?!", "Yes."]),
        ("It is at 12.30. Come.", ["It is at 12.30.", "Come."]),
        ("He met the Dr.\n\nShe left.", ["He met the Dr.", "She left."]),
        ("...", ["..."]),
        ("  \n ", []),
    ],
)
def test_a_pause_is_made_only_where_a_sentence_ends(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_a_text_without_an_end_is_cut_at_pauses_so_that_speech_can_begin() -> None:
    pieces = split_sentences("red and blue, " * 100)
    assert all(len(piece) <= LONGEST and piece.endswith(",") for piece in pieces)
    assert split_sentences("x" * 1000) == ["x" * 240] * 4 + ["x" * 40]


TEXTS = st.text(st.sampled_from('aB1.!?…。 \n-"),;Dr'), max_size=80)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_no_letter_is_lost_or_spoken_twice(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(0, 80), max_size=6))
def test_a_text_that_arrives_in_pieces_is_spoken_as_the_whole_is(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    spoken, rest = [], ""
    for start, end in pairwise(places):
        ready, rest = take_sentences(rest + text[start:end])
        spoken += ready
    assert spoken + split_sentences(rest) == split_sentences(text)
