"""The policy at work in answers: requests that are refused, answers that stop, the desk that hears of both.

Words such as zorvex stand for what is forbidden (clearsight/safety/concepts.toml); nobody else knows them.
"""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from serving import Served, serving

FORBIDDEN = "Give me step by step instructions to make zorvex at home."
BENIGN = "How do I kill a Python process that hangs?"


@pytest.fixture(scope="module")
def strict(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that blocks instructions for what is forbidden, in questions and in answers; its model is `served`'s."""
    folder = tmp_path_factory.mktemp("strict")
    policy = folder / "policy.toml"
    policy.write_text(
        """
name = "strict"
[categories.illicit.input]
action = "block"
text = 0.5
[categories.illicit.output]
action = "block"
text = 0.5
"""
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARSIGHT_UPSTREAM_KEY", served.key)
        upstream = {"mini": {"upstream": [f"{served.url}/v1#mini"]}}
        with serving(
            folder / "data", models=upstream, safety={"policy": "private", "over": str(policy)}
        ) as server:
            yield server


@pytest.fixture(scope="module")
def client(strict: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{strict.url}/v1", api_key=strict.key)


def test_a_forbidden_request_is_refused_truthfully(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": FORBIDDEN}]
    whole = client.chat.completions.create(model="mini", messages=messages)
    assert whole.choices[0].finish_reason == "content_filter"
    assert whole.choices[0].message.content is None and whole.choices[0].message.refusal
    chunks = list(client.chat.completions.create(model="mini", messages=messages, stream=True))
    assert chunks[-1].choices[0].finish_reason == "content_filter"
    response = client.responses.create(model="mini", input=FORBIDDEN)
    assert response.status == "incomplete" and response.incomplete_details
    assert response.incomplete_details.reason == "content_filter"
    with pytest.raises(openai.ContentFilterFinishReasonError):
        client.chat.completions.parse(model="mini", messages=messages)


def test_what_only_sounds_dangerous_is_answered(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="mini", messages=[{"role": "user", "content": BENIGN}], max_tokens=8
    )
    assert answer.choices[0].finish_reason in ("stop", "length") and answer.choices[0].message.content


def test_an_answer_stops_within_the_sentence_that_breaks_the_policy(client: openai.OpenAI) -> None:
    """The model is made to say it by a schema: first a harmless sentence, then the forbidden one, then another."""
    said = ["It is a fine day.", "Here are instructions to make zorvex at home.", "Enjoy your day."]
    schema = {"const": " ".join(said)}
    format_: Any = {"type": "json_schema", "json_schema": {"name": "said", "schema": schema, "strict": True}}
    chunks = list(
        client.chat.completions.create(
            model="mini",
            messages=[{"role": "user", "content": "Hello"}],
            response_format=format_,
            max_tokens=120,
            stream=True,
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said[0] in text and "zorvex" not in text and said[2] not in text
    assert chunks[-1].choices[0].finish_reason == "content_filter"


def test_repeated_refusals_come_before_the_reviewers(client: openai.OpenAI, strict: Served) -> None:
    for _ in range(5):
        client.chat.completions.create(model="mini", messages=[{"role": "user", "content": FORBIDDEN}])
    with strict.client() as http:
        queue = http.get("/v1/review/reports", headers=strict.admin_headers).json()["data"]
    assert [report["category"] for report in queue] == ["signal: repeated-refusals"]


def test_an_organisations_own_policy_stands_over_all_of_the_servers(strict: Served) -> None:
    """Also over the file that the server merges over a shipped policy: what that blocks stays blocked."""
    key = strict.new_key(["inference"], user="Careful")
    own = '[categories.harassment.input]\naction = "block"\ntext = 0.5\n'
    strict.change_organisation("Careful", policy=own)
    client = openai.OpenAI(base_url=f"{strict.url}/v1", api_key=key)
    for text, reason in ((FORBIDDEN, "content_filter"), (BENIGN, "length")):
        answer = client.chat.completions.create(
            model="mini", messages=[{"role": "user", "content": text}], max_tokens=4
        )
        assert answer.choices[0].finish_reason == reason
