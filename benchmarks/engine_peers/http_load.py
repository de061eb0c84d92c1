"""Small HTTP requests beside an engine: a server in its process, and a client in another that keeps a steady pace.

A request is a chat of two kilobytes over one kept connection; the server parses it and answers with a chat completion.
This is what a server does beside its engine, less the engine: it costs the processor time and the interpreter's lock.

    python -m benchmarks.engine_peers.http_load PORT REQUESTS_A_SECOND      # until "stop" on standard input
"""

import json
import socket
import sys
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY = json.dumps(
    {
        "model": "clearsight-mini",
        "messages": [
            {"role": "user", "content": f"Question {n}: what is in this picture, and where is it?"}
            for n in range(24)
        ],
        "max_completion_tokens": 64,
        "stream": False,
    }
).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        words = sum(len(message["content"].split()) for message in request["messages"])
        message = {"role": "assistant", "content": "There is a green circle."}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": words, "completion_tokens": 5, "total_tokens": words + 5},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.answered += 1  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server:
    """Answers requests in threads of this process, on a port of this machine alone, while it is entered."""

    def __enter__(self) -> "Server":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.answered = 0  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def answered(self) -> int:
        return self._server.answered  # type: ignore[attr-defined]


def main() -> None:
    port, pace = int(sys.argv[1]), float(sys.argv[2])
    stopped = threading.Event()

    def wait_for_stop() -> None:
        sys.stdin.readline()
        stopped.set()

    threading.Thread(target=wait_for_stop, daemon=True).start()
    connection = HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    due, end = time.perf_counter(), time.perf_counter() + 300
    told = False
    while not stopped.is_set() and time.perf_counter() < end:
        connection.request("POST", "/v1/chat/completions", BODY, {"Content-Type": "application/json"})
        connection.getresponse().read()
        if not told:
            print("begun", flush=True)
            told = True
        due += 1 / pace
        wait = due - time.perf_counter()
        if wait > 0:
            stopped.wait(wait)
        else:
            due = time.perf_counter()  # it can't keep up; what it did is counted


if __name__ == "__main__":
    main()
