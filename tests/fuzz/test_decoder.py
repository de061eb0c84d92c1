"""The fuzz target's check, over the corpus: what fuzzing would find first must not have to be found again."""

import pytest

pytest.importorskip("atheris")

from tests.fuzz.decoder import check_one_input, seeds


def test_every_picture_of_the_corpus_is_refused_in_words_or_decoded_alike_from_both_files() -> None:
    files = seeds()
    assert len(files) > 400, "most of the corpus is small enough to begin with"
    for data in files:
        check_one_input(data)
