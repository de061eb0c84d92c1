"""A message must arrive when something happens, and nothing that goes wrong with it may reach the run."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clearsight.training.webhook import check_address, notify


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict], list[int]]]:
    """A local address, what came in, and the status codes that are answered next (200 when there are none)."""
    came: list[dict] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Location", "http://localhost:1/elsewhere")
            self.end_headers()

        def log_message(self, *unused) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", came, answers
    server.shutdown()


EVENT = {"event": "rollback", "run": "runs/a", "step": 120, "reason": "The loss is nan."}


def test_an_event_arrives_as_a_sentence_and_as_data(receiver):
    url, came, _ = receiver
    notify(url, EVENT).join(10)
    assert came == [EVENT | {"text": "runs/a: went back at step 120. The loss is nan."}]


def test_what_is_not_worth_a_message_is_not_sent(receiver):
    url, came, _ = receiver
    notify(url, EVENT | {"event": "checkpoint"}).join(10)
    assert came == []


def test_a_failure_is_tried_once_more_and_a_redirect_is_not_followed(receiver):
    url, came, answers = receiver
    answers += [500, 302]
    notify(url, EVENT).join(10)
    assert len(came) == 2


def test_an_address_that_does_not_answer_harms_nobody():
    notify("http://127.0.0.1:1/", EVENT).join(10)


@pytest.mark.parametrize(
    "url", ["http://example.org/hook", "ftp://localhost/", "file:///etc/passwd", "example.org"]
)
def test_messages_are_not_sent_in_clear_over_the_net(url):
    with pytest.raises(ValueError, match="https"):
        notify(url, EVENT)
    check_address("https://example.org/hook")
