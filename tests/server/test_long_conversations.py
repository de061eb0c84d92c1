"""Conversations longer than what their model reads: the oldest turns are left out, no more than must be."""

import json

import pytest
from serving import Served

CONTEXT = 8192
FILLING = "word " * 2500
"""Some 2,500 tokens: three such turns fit beside an answer, four do not."""


@pytest.mark.slow
def test_no_more_turns_are_left_out_than_the_context_demands(served: Served) -> None:
    left_out = []
    with served.client() as http:
        conversation = http.post("/v1/conversations", json={}).json()["id"]
        parent = None
        for number in range(5):
            body = {"content": f"{number} {FILLING}", "parent_id": parent, "settings": {"max_tokens": 1}}
            events = http.post(f"/v1/conversations/{conversation}/answers", json=body).text
            done = json.loads(events.strip().splitlines()[-1].removeprefix("data: "))
            assert done["type"] == "done", events
            parent = done["message"]["id"]
            left_out.append(done["message"]["details"].get("turns_left_out", 0))
    each = http_cost(served)
    fit = (CONTEXT - 1) // each
    assert left_out == [2 * max(0, number + 1 - fit) for number in range(5)]


def test_a_single_turn_that_does_not_fit_is_refused(served: Served) -> None:
    with served.client() as http:
        conversation = http.post("/v1/conversations", json={}).json()["id"]
        refused = http.post(f"/v1/conversations/{conversation}/answers", json={"content": FILLING * 4})
    assert refused.status_code == 400 and refused.json()["error"]["code"] == "context_length_exceeded"


def test_a_text_far_beyond_the_context_is_not_tokenised_to_be_counted(served: Served) -> None:
    messages = [{"role": "user", "content": "😀" * 1_000_000}]
    with served.client() as http:
        refused = http.post("/v1/tokens/count", json={"model": "mini", "messages": messages})
    assert refused.status_code == 400 and "bytes of text" in refused.json()["error"]["message"]


def http_cost(served: Served) -> int:
    """Tokens of one such turn with its answer of one token, as the server counts them."""
    turns = [{"role": "user", "content": f"1 {FILLING}"}, {"role": "assistant", "content": "a"}]
    with served.client() as http:
        counts = [
            http.post("/v1/tokens/count", json={"model": "mini", "messages": messages}).json()[
                "prompt_tokens"
            ]
            for messages in ([turns[0]], [*turns, turns[0]])
        ]
    return counts[1] - counts[0]
