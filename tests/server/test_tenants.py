"""Two organisations on one server: neither reads, guesses or times what belongs to the other."""

import base64
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from serving import Served

from clearsight.server.principal import ROLE_SCOPES
from tests.server.corpus.pictures import encoded, scene

MODEL = "mini"
Ids = dict[str, str]


def client_of(served: Served, key: str) -> httpx2.Client:
    """A client with this key."""
    return httpx2.Client(base_url=served.url, headers={"authorization": f"Bearer {key}"}, timeout=120)


@pytest.fixture(scope="module")
def ours(served: Served) -> httpx2.Client:
    return client_of(served, served.new_key(ROLE_SCOPES["owner"]))


@pytest.fixture(scope="module")
def theirs(served: Served) -> httpx2.Client:
    key = served.new_key(ROLE_SCOPES["admin"], user="Somebody else")
    return client_of(served, key)


def url_of(number: int) -> str:
    """A picture that nobody has shown before, of three tiles or more."""
    return "data:image/png;base64," + base64.b64encode(encoded(scene(601 + number, 400))).decode()


@pytest.fixture(scope="module")
def ids(theirs: httpx2.Client) -> Ids:
    """One of everything that has an id, of the other organisation."""
    sample = encoded(scene(600, 401))  # which nobody else has
    upload = {"file": ("a.png", sample, "image/png")}
    found = {
        "file": _ok(theirs.post("/v1/files", files=upload, data={"purpose": "vision"}))["id"],
        "image": _ok(theirs.post("/v1/images", files=upload))["sha256"],
        "response": _ok(
            theirs.post("/v1/responses", json={"model": MODEL, "input": "Hello", "max_output_tokens": 2})
        )["id"],
        "conversation": _ok(theirs.post("/v1/conversations", json={"title": "secret"}))["id"],
        "key": _ok(theirs.post("/v1/account/keys", json={"name": "secret"}))["id"],
    }
    body = {"content": "Hello", "settings": {"max_tokens": 2}}
    text = theirs.post(f"/v1/conversations/{found['conversation']}/answers", json=body).text
    found["message"] = json.loads(text.strip().splitlines()[-1].removeprefix("data: "))["message"]["id"]
    report = theirs.post("/v1/reports", json={"subject": found["message"], "category": "wrong"})
    return found | {"report": _ok(report)["id"]}


def _ok(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def nobodys(kind: str, known: str) -> str:
    """An id of the same form that never was."""
    if kind == "image":
        return "0" * 64
    rest = known.rpartition("_")[2].rpartition("-")[2]
    return known[: len(known) - len(rest)] + "0" * len(rest)


def chat_with_file(file_id: str) -> dict[str, Any]:
    content = [{"type": "file", "file": {"file_id": file_id}}]
    return {"model": MODEL, "max_tokens": 1, "messages": [{"role": "user", "content": content}]}


def response_after(response_id: str) -> dict[str, Any]:
    return {"model": MODEL, "input": "Hi", "max_output_tokens": 1, "previous_response_id": response_id}


def response_with_file(file_id: str) -> dict[str, Any]:
    content = [{"type": "input_image", "file_id": file_id}]
    return {"model": MODEL, "max_output_tokens": 1, "input": [{"role": "user", "content": content}]}


DECISION = {"decision": "dismissed", "reason": "x"}
WAYS: list[tuple[str, str, str, Callable[[str], dict[str, Any]] | None]] = [
    ("file", "GET", "/v1/files/ID", None),
    ("file", "GET", "/v1/files/ID/content", None),
    ("file", "DELETE", "/v1/files/ID", None),
    ("file", "GET", "/v1/files?after=ID", None),
    ("file", "GET", "/v1/images/ID/tiles", None),
    ("file", "GET", "/v1/images/ID/notes", None),
    ("file", "POST", "/v1/chat/completions", chat_with_file),
    ("file", "POST", "/v1/tokens/count", chat_with_file),
    ("file", "POST", "/v1/responses", response_with_file),
    ("image", "GET", "/v1/images/ID", None),
    ("image", "GET", "/v1/images/ID/about", None),
    ("image", "GET", "/v1/images/ID/tiles", None),
    ("image", "GET", "/v1/images/ID/notes", None),
    ("response", "GET", "/v1/responses/ID", None),
    ("response", "GET", "/v1/responses/ID/input_items", None),
    ("response", "DELETE", "/v1/responses/ID", None),
    ("response", "POST", "/v1/responses", response_after),
    ("conversation", "GET", "/v1/conversations/ID", None),
    ("conversation", "PATCH", "/v1/conversations/ID", lambda _: {"title": "mine"}),
    ("conversation", "DELETE", "/v1/conversations/ID", None),
    ("conversation", "POST", "/v1/conversations/ID/share", None),
    ("conversation", "DELETE", "/v1/conversations/ID/share", None),
    ("conversation", "POST", "/v1/conversations/ID/answers", lambda _: {"content": "Hi"}),
    ("message", "GET", "/v1/conversations/OWN/messages/ID/events", None),
    ("message", "POST", "/v1/conversations/OWN/messages/ID/stop", None),
    ("message", "DELETE", "/v1/conversations/OWN/messages/ID", None),
    ("message", "POST", "/v1/conversations/OWN/answers", lambda one: {"reply_to": one}),
    ("message", "POST", "/v1/conversations/OWN/answers", lambda one: {"content": "Hi", "parent_id": one}),
    ("message", "POST", "/v1/feedback", lambda one: {"message_id": one, "good": True}),
    ("message", "POST", "/v1/reports", lambda one: {"subject": one, "category": "wrong"}),
    ("key", "DELETE", "/v1/account/keys/ID", None),
]


@pytest.mark.parametrize(
    ("kind", "method", "path", "body"), WAYS, ids=[f"{way[1]} {way[2]} {way[0]}" for way in WAYS]
)
def test_an_id_of_somebody_else_is_as_unknown_as_one_that_never_was(
    ours: httpx2.Client,
    ids: Ids,
    kind: str,
    method: str,
    path: str,
    body: Callable[[str], dict[str, Any]] | None,
) -> None:
    own = _ok(ours.post("/v1/conversations", json={}))["id"]
    answers = []
    for one in (ids[kind], nobodys(kind, ids[kind])):
        asked = path.replace("ID", one).replace("OWN", own)
        answers.append(ours.request(method, asked, json=body(one) if body else None))
    assert answers[0].status_code == answers[1].status_code, [one.text for one in answers]
    assert answers[0].status_code == (400 if "parent_id" in str(body and body("")) else 404), answers[0].text
    assert answers[0].json() == answers[1].json()


def test_a_stored_picture_of_somebody_else_cannot_be_put_into_a_turn(ours: httpx2.Client, ids: Ids) -> None:
    own = _ok(ours.post("/v1/conversations", json={}))["id"]
    answers = [
        ours.post(f"/v1/conversations/{own}/answers", json={"content": [{"type": "image", "sha256": sha256}]})
        for sha256 in (ids["image"], "0" * 64)
    ]
    assert answers[0].status_code == answers[1].status_code and 400 <= answers[0].status_code < 500
    assert answers[0].json() == answers[1].json()


def test_a_reviewer_decides_on_nothing_of_another_organisation(served: Served, ids: Ids) -> None:
    key = served.new_key(ROLE_SCOPES["reviewer"], user="A third one")
    with client_of(served, key) as third:
        answers = [
            third.post(f"/v1/review/reports/{one}", json=DECISION)
            for one in (ids["report"], nobodys("report", ids["report"]))
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json() == answers[1].json()
        assert _ok(third.get("/v1/review/reports"))["data"] == []


def test_lists_hold_nothing_of_somebody_else(ours: httpx2.Client, ids: Ids) -> None:
    for path in ("/v1/files", "/v1/conversations", "/v1/conversations?query=secret", "/v1/account/keys"):
        text = ours.get(path).text
        assert not [one for one in ids.values() if one in text], path


def test_what_was_tried_from_outside_is_still_there(theirs: httpx2.Client, ids: Ids) -> None:
    """After all attempts above: nothing was deleted, renamed or revoked."""
    assert _ok(theirs.get(f"/v1/conversations/{ids['conversation']}"))["title"] == "secret"
    assert _ok(theirs.get(f"/v1/files/{ids['file']}"))["id"] == ids["file"]
    assert _ok(theirs.get(f"/v1/responses/{ids['response']}"))["id"] == ids["response"]
    assert _ok(theirs.get(f"/v1/images/{ids['image']}/about"))["sha256"] == ids["image"]
    keys = _ok(theirs.get("/v1/account/keys"))["data"]
    assert next(key for key in keys if key["id"] == ids["key"])["revoked"] is False


# ---------------------------------------------------------------------------------------------------
# Caches


def ask(client: httpx2.Client, url: str, question: str = "What is this?") -> tuple[float, int]:
    """Seconds that an answer of one token took, and how many tokens of the prompt came from the cache."""
    content = [
        {"type": "image_url", "image_url": {"url": url, "detail": "high"}},
        {"type": "text", "text": question},
    ]
    body = {"model": MODEL, "max_tokens": 1, "messages": [{"role": "user", "content": content}]}
    began = time.perf_counter()
    answer = _ok(client.post("/v1/chat/completions", json=body))
    return time.perf_counter() - began, answer["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_no_prompt_and_no_picture_of_one_is_cached_for_the_other(
    ours: httpx2.Client, theirs: httpx2.Client
) -> None:
    url = url_of(0)
    ask(theirs, url)
    assert ask(theirs, url)[1] > 0, "one's own prompt is cached, so that there is something to tell"
    assert ask(ours, url)[1] == 0, "the other one's is not"
    assert ask(ours, url)[1] > 0


def test_a_picture_that_somebody_else_showed_is_answered_no_sooner(
    ours: httpx2.Client, theirs: httpx2.Client
) -> None:
    """Medians of pictures shown to the other before, and of pictures shown to nobody."""
    shown, fresh, again = [], [], []
    for number in range(1, 4):
        ask(theirs, url_of(2 * number))
        shown.append(ask(ours, url_of(2 * number))[0])
        fresh.append(ask(ours, url_of(2 * number + 1))[0])
        again.append(ask(ours, url_of(2 * number))[0])
    told = f"shown {shown}, fresh {fresh}, one's own again {again}"
    assert statistics.median(shown) > 0.6 * statistics.median(fresh), told
