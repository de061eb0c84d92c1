"""Personal data is found, and numbers that only look like it stay."""

import random

import pytest

from clearsight.data.curation.personal import find, is_card, is_iban, mask_record, masked
from clearsight.data.curation.planted import PERSONAL, looks_personal

REGIONS = ("US", "GB")


@pytest.mark.parametrize("kind", PERSONAL)
def test_each_kind_is_found_in_full(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(60):
        value = PERSONAL[kind](rng)
        text = f"See: {value}. Then go on."
        assert [(f.kind, text[f.start : f.end]) for f in find(text, REGIONS)] == [(kind, value)]


def test_numbers_that_are_nobodys_are_left() -> None:
    rng = random.Random(1)
    for _ in range(400):
        text = looks_personal(rng)
        assert not find(text, REGIONS), text


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # the check digit is wrong
        "DE89 3704 0044 0532 0130 01",
        "000-12-3456",
        "256.1.1.1",
        "127.0.0.1 and 10.0.0.7",
        "you@example.org, x@host.invalid",
        "version 8.8.8.8",
        "3.14159265358979323846",
        "ISBN 978-3-16-148410-0",
        "(100, 200, 300, 400)",
        "10:20:30:40",
    ],
)
def test_what_only_looks_personal_is_left(text: str) -> None:
    assert find(text, REGIONS) == []


def test_checksums() -> None:
    assert is_card("4111-1111-1111-1111") and not is_card("4111-1111-1111-1113")
    assert is_iban("GB82 WEST 1234 5698 7654 32") and not is_iban("GB82 WEST 1234 5698 7654 33")


def test_masking_keeps_the_rest_of_the_text() -> None:
    assert masked("Ask jo.doe@gmail.com, not me.") == "Ask [e-mail address], not me."
    assert masked("IBAN DE89 3704 0044 0532 0130 00 NOW") == "IBAN [IBAN] NOW"


def test_masking_reaches_truths_and_rejected_answers_and_leaves_hashes() -> None:
    """A truth that keeps what the answer lost would teach it all the same."""
    sha = "4111111111111111"
    record = {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "sha256": sha}, {"type": "text", "text": "Read it."}],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "It says a.b@web.de"}]},
        ],
        "truths": [{"kind": "text", "answer": "a.b@web.de", "alternatives": ["A.B@web.de"]}],
        "rejected": "c.d@web.de",
        "provenance": {"source": "x@web.de"},
    }
    found = mask_record(record)
    assert found["messages"][0]["content"][0]["sha256"] == sha
    assert found["messages"][1]["content"][0]["text"] == "It says [e-mail address]"
    assert found["truths"] == [
        {"kind": "text", "answer": "[e-mail address]", "alternatives": ["[e-mail address]"]}
    ]
    assert found["rejected"] == "[e-mail address]"
    assert found["provenance"] == record["provenance"]
