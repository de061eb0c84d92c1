"""Texts: near copies, quality, languages and evaluations are told from what only looks like them."""

import random

import numpy as np
import pytest

from clearsight.data.curation import contamination, neighbours, quality
from clearsight.data.curation.planted import FOREIGN, reworded
from clearsight.data.curation.texts import (
    BANDS,
    SHINGLE_WORDS,
    exact_key,
    language,
    runs,
    signature,
    word_hashes,
    words,
)

LONG = (
    "The lock keeper rose before dawn, walked along the towpath with a lantern and counted the barges that had "
    "come down the river during the night. Three of them carried timber, one was loaded with salt, and the last "
    "lay so low in the water that he feared for its cargo of clay pipes and window glass."
)
OTHER = (
    "Bread needs flour, water, salt and time. Most recipes ask for an hour of rest, yet a dough that is left in "
    "a cool place overnight tastes better, rises more evenly and keeps fresh for several days when it is wrapped "
    "in a clean cloth and stored away from the light."
)


def similar(texts: list[str], least: float = 0.6) -> list[list[int]]:
    signatures = np.stack([np.frombuffer(signature(text) or b"", np.uint32) for text in texts])
    return neighbours.similar_signatures(signatures, BANDS, least).tolist()


def test_a_reworded_text_is_similar_and_another_is_not() -> None:
    rng = random.Random(0)
    for _ in range(20):
        assert similar([LONG, OTHER, reworded(LONG, rng)]) == [[2, 0]]


def test_a_signature_estimates_the_share_of_common_shingles() -> None:
    def shingles(text: str) -> set[int]:
        return set(runs(word_hashes(words(text)), SHINGLE_WORDS).tolist())

    half = LONG + " " + OTHER
    exact = len(shingles(LONG) & shingles(half)) / len(shingles(LONG) | shingles(half))
    a, b = (np.frombuffer(signature(text) or b"", np.uint32) for text in (LONG, half))
    assert (a == b).mean() == pytest.approx(exact, abs=0.12)


def test_scripts_without_spaces_have_words_too() -> None:
    assert words("火车 late, n'est-ce pas?") == ["火", "车", "late", "n'est", "ce", "pas"]
    assert signature("...") is None


def test_white_space_does_not_hide_an_exact_copy_and_the_picture_counts() -> None:
    def record(text: str, sha256: str) -> dict:
        content = [{"type": "image", "sha256": sha256}, {"type": "text", "text": text}]
        return {"messages": [{"role": "user", "content": content}]}

    assert exact_key(record("What  is\nthis?", "a")) == exact_key(record("What is this?", "a"))
    assert exact_key(record("What is this?", "a")) != exact_key(record("What is this?", "b"))
    assert exact_key(record("What is this?", "a")) != exact_key(record("What is that?", "a"))


def test_languages_are_told_and_short_text_is_not_judged() -> None:
    assert language(LONG)[0] == "en"
    assert [language(sentence)[0] for sentence in FOREIGN] == [
        *("de", "fr", "es", "it", "nl", "pl", "ru", "ja", "zh", "ar")
    ]
    assert language("Rot.") == ("", 0.0)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LONG, ""),
        ("Red.", ""),
        ("(120, 200, 340, 480)", ""),
        ("Where is the star? (120, 200)", ""),
        ("buy now " * 30, "the text repeats itself"),
        ("a $$$%%%^^^&&&***((()))===+++", "mostly symbols"),
        ("?!...", "no words"),
    ],
)
def test_poor_text_is_refused_and_short_answers_are_not(text: str, fault: str) -> None:
    options = {"most_repetition": 0.5, "most_symbols": 0.7}
    assert quality.text_fault(quality.text_quality([text]), **options) == fault


def known(*texts: str) -> contamination.EvaluationTexts:
    return contamination.EvaluationTexts({"exam": texts})


def test_thirteen_words_in_a_row_betray_an_evaluation_and_twelve_do_not() -> None:
    said = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]
    exam = known(" ".join(said))
    assert len(exam.hits(["zz " + " ".join(said[2:15]).upper() + ", yy"]))
    assert not len(exam.hits(["zz " + " ".join(said[2:14]) + " yy"]))


def test_fifty_characters_in_a_row_betray_an_evaluation_whatever_the_spacing() -> None:
    exam = known("Photosynthesiszwischenraum characteristically counterintuitive establishment")
    assert len(exam.hits(["xx photosynthesis zwischenraum characteristically counter-intuitive est yy"]))
    assert not len(exam.hits(["xx photosynthesis zwischenraum characteris yy"]))


def test_a_phrase_that_many_records_share_is_no_contamination() -> None:
    rows, hits = np.array([0, 1, 2, 3, 3]), np.array([5, 5, 5, 5, 9])
    assert contamination.contaminated(rows, hits, common=3) == {3: 9}
    assert set(contamination.contaminated(rows, hits, common=4)) == {0, 1, 2, 3}


def test_short_evaluation_texts_do_not_match_everything() -> None:
    assert not len(known("How many circles are there?").hits(["How many circles are there?"]))
