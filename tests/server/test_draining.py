"""How `clearsight serve` ends, as a process of its own that gets real signals."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from upstreams import ENDLESS, ask

from benchmarks.server_process import ServerProcess, running_server

MINI = '[models.mini]\npath = "mini"\nthreads = 1\ncache_tokens = 4096\n[speech]\nenabled = false\n'


@contextlib.contextmanager
def answering(server: ServerProcess, tokens: int) -> Iterator[list[str]]:
    """A stream that has begun; its events, complete when this ends."""
    events: list[str] = []
    begun = threading.Event()

    def read() -> None:
        asked = ask(server, stream=True, **{**ENDLESS, "max_tokens": tokens})
        with httpx2.stream("POST", **asked) as response:  # type: ignore[arg-type]
            for line in response.iter_lines():
                if line.startswith("data: "):
                    events.append(line.removeprefix("data: "))
                if len(events) > 3:
                    begun.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(60)
    yield events
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.slow
def test_an_answer_that_runs_is_finished_while_new_ones_are_sent_elsewhere(tmp_path: Path) -> None:
    with running_server(tmp_path, MINI) as server:
        with answering(server, 800) as events:  # some seconds on any machine
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            assert httpx2.get(f"{server.url}/healthz").status_code == 200
            assert httpx2.get(f"{server.url}/readyz").status_code == 503
            refused = httpx2.post(**ask(server))  # type: ignore[arg-type]
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "draining"
            assert refused.headers["x-should-retry"] == "true"
            assert refused.headers["connection"] == "close"
        assert events[-1] == "[DONE]"
        assert server.process.wait(20) in (0, -signal.SIGTERM)


@pytest.mark.slow
def test_an_answer_that_outlasts_the_grace_period_says_why_it_ends(tmp_path: Path) -> None:
    with running_server(tmp_path, f"{MINI}[network]\ngrace_seconds = 1\n") as server:
        with answering(server, 2000) as events:
            server.process.send_signal(signal.SIGTERM)
        assert json.loads(events[-1])["error"]["code"] == "draining"
        assert server.process.wait(20) in (0, -signal.SIGTERM)


@pytest.mark.slow
def test_a_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    with running_server(tmp_path, MINI) as server:
        with answering(server, 2000) as events:
            server.process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            began = time.monotonic()
            server.process.send_signal(signal.SIGINT)
        assert json.loads(events[-1])["error"]["code"] == "draining"
        server.process.wait(20)
        assert time.monotonic() - began < 25, "it waited for the grace period of 30 s"
        assert "Traceback" not in server.said
