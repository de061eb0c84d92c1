"""Other servers for tests of routing and draining: Clearsight in a process of its own, and two that are broken."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
ENDLESS = {"max_tokens": 400, "temperature": 0, "logit_bias": {"0": -100, "2": -100}}
"""Settings for an answer that doesn't end by itself: the tokens that end one are made impossible."""


@dataclass
class Process:
    """`clearsight serve` as users run it."""

    url: str
    key: str
    process: subprocess.Popen[str]
    said: list[str]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ask(self, stream: bool = False, **settings: object) -> dict[str, object]:
        """What httpx2 needs to send a question."""
        return {
            "url": f"{self.url}/v1/chat/completions",
            "headers": {"authorization": f"Bearer {self.key}"},
            "json": question(stream=stream, **settings),
            "timeout": 120,
        }


def question(**settings: object) -> dict[str, object]:
    text = [{"role": "user", "content": "What is a star?"}]
    return {"model": "mini", "messages": text, "max_tokens": 4, **settings}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def started(folder: Path, *options: str, config: str = "", key: str = "") -> Iterator[Process]:
    """A server that is ready; killed at the end if it still runs."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    if config:
        (folder / "clearsight.toml").write_text(config, encoding="utf-8")
        options = ("--config", str(folder / "clearsight.toml"), *options)
    command = [
        sys.executable,
        "-m",
        "clearsight",
        "serve",
        "--data",
        str(folder),
        "--port",
        str(port),
        *options,
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    said: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 180
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(httpx2.HTTPError):
                if httpx2.get(f"{url}/readyz").status_code == 200:
                    break
            time.sleep(0.2)
        else:
            raise AssertionError("the server did not start: " + "".join(said))
        key = key or next(line.split()[-1] for line in said if "API key" in line)
        yield Process(url, key, process, said)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def hanging() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1#mini"
        for one in held:
            one.close()


@contextlib.contextmanager
def answering(status: int, tokenize: dict[str, int] | None = None) -> Iterator[str]:
    """A server of which GET /models works, every answer has this status, and /tokenize speaks as vLLM's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, {"object": "list", "data": []})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/tokenize":
                self._say(200 if tokenize else 404, {"tokens": [], **(tokenize or {})})
            else:
                self._say(status, {"error": {"message": "secret reasons"}})

        def _say(self, status: int, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1#mini"
    finally:
        server.shutdown()
        server.server_close()
