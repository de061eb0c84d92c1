"""The fuzz target's check, over the corpus: what fuzzing would find first must not have to be found again."""

import pytest

pytest.importorskip("atheris")

from tests.fuzz.requests import check_one_input, seeds


def test_every_body_of_the_corpus_is_read_or_refused_in_a_sentence() -> None:
    bodies = seeds()
    assert len(bodies) > 2_000
    for data in bodies:
        check_one_input(data)


@pytest.mark.parametrize(
    "text",
    [
        b'"\\ud800"',
        b'{"\\ud800": 1}',
        b'{"\\ud800": 1, "\\ud800": 2}',
        b'{"model": {"a": "\\udfff"}}',
        b'{"metadata": {"\\udc00": "x"}}',
        b"[" * 129 + b"]" * 129,
        b'{"tools": ' * 129 + b"1" + b"}" * 129,
    ],
)
def test_half_a_surrogate_pair_and_deep_nesting_are_refused_before_any_model_sees_them(text: bytes) -> None:
    for model in range(6):
        check_one_input(bytes([model]) + text)
