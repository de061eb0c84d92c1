"""For tests of routing and draining: questions to a server in a process of its own, and two servers that are broken."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.server_process import ServerProcess

ENDLESS = {"max_tokens": 400, "temperature": 0, "logit_bias": {"0": -100, "2": -100}}
"""Settings for an answer that doesn't end by itself: the tokens that end one are made impossible."""


def ask(server: ServerProcess, stream: bool = False, **settings: object) -> dict[str, object]:
    """What httpx2 needs to send a question."""
    return {
        "url": f"{server.url}/v1/chat/completions",
        "headers": {"authorization": f"Bearer {server.key}"},
        "json": question(stream=stream, **settings),
        "timeout": 120,
    }


def question(**settings: object) -> dict[str, object]:
    text = [{"role": "user", "content": "What is a star?"}]
    return {"model": "mini", "messages": text, "max_tokens": 4, **settings}


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
