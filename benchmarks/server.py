"""The server beside its engine: what HTTP costs, a hundred streams at once, and messages that survive kill -9.

    python -m benchmarks.server                     # all three; about ten minutes
    python -m benchmarks.server --kills 50 --streams 100 --requests 300

Overhead: one request (a token of an answer to a prompt that is in the prefix cache) over HTTP; what the engine itself
says it took until that token (/metrics, the median of the same requests) is taken off the median. The rest is what
authentication, limits, ledger, moderation, tokenising, JSON and HTTP cost. Streams: so many clients ask at once about a
picture; an error is anything but a whole answer. Kills: a server whose model is another server's is killed while
clients write; every message that it said it had kept has to be there after a restart. The last line is JSON.
"""

import argparse
import base64
import concurrent.futures
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from benchmarks.server_process import ServerProcess, running_server, start
from clearsight import mini

notes = Console(stderr=True, highlight=False)
UNLIMITED = """
[limits]
requests_per_minute = 1000000
tokens_per_minute = 1000000000
megapixels_per_minute = 1000000
concurrency = 10000
"""
WARM = 10
QUESTION = "What is the capital of France?"


def overhead(server: ServerProcess, key: str, requests: int) -> dict[str, float]:
    """Milliseconds of a request by HTTP, of the engine within them, and their difference: medians."""
    body = {
        "model": "mini",
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": 1,
        "temperature": 0,
    }
    by_http = []
    with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {key}"}, timeout=60) as http:
        for number in range(requests + WARM):
            began = time.perf_counter()
            http.post("/v1/chat/completions", json=body).raise_for_status()
            if number >= WARM:  # caches and pages are warm
                by_http.append(1000 * (time.perf_counter() - began))
    engine = 1000 * gauge(server, "clearsight_engine_median_first_token_seconds")
    whole = statistics.median(by_http)
    return {"http_ms": whole, "engine_ms": engine, "overhead_ms": whole - engine}


def gauge(server: ServerProcess, name: str) -> float:
    """A figure of /metrics, which a key with the scope admin may read."""
    key = server.admin("keys", "create", "metrics", "--scope", "admin")
    text = httpx2.get(f"{server.url}/metrics", headers={"authorization": f"Bearer {key}"}).text
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + "{"))


def many_streams(server: ServerProcess, key: str, count: int) -> dict[str, Any]:
    """`count` clients ask about a picture at once: errors, seconds to the first byte, to the first word, to the end."""
    picture = base64.b64encode(mini.bundled_folder().joinpath("sample.png").read_bytes()).decode()
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        {"type": "text", "text": "What shape is this? Tell me a story about it."},
    ]
    together = threading.Barrier(count)

    def ask(number: int) -> tuple[float, float, float]:
        body = {
            "model": "mini",
            "messages": [{"role": "user", "content": content}],
            "stream": True,
            "max_tokens": 32,
            "seed": number,
        }
        headers = {"authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=server.url, headers=headers, timeout=600) as http:
            together.wait()
            began = time.perf_counter()
            first_byte = first_word = 0.0
            with http.stream("POST", "/v1/chat/completions", json=body) as response:
                response.raise_for_status()
                last = ""
                for line in response.iter_lines():
                    now = time.perf_counter() - began
                    first_byte = first_byte or now
                    if '"content":"' in line and '"content":""' not in line:
                        first_word = first_word or now
                    assert '"error"' not in line, line
                    last = line or last
            assert last == "data: [DONE]", last
            return first_byte, first_word, time.perf_counter() - began

    errors, times = [], []
    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        for future in [threads.submit(ask, number) for number in range(count)]:
            try:
                times.append(future.result())
            except Exception as error:
                errors.append(repr(error)[:200])
    for error in errors[:3]:
        notes.print(error, style="red", markup=False)
    columns = list(zip(*times, strict=True)) or [(0.0,)] * 3
    return {
        "errors": len(errors),
        "first_byte_s": max(columns[0]),
        "first_word_s": statistics.median(columns[1]),
        "whole_s": max(columns[2]),
    }


def killed(upstream: ServerProcess, key: str, folder: Path, kills: int) -> dict[str, int]:
    """Kill a server while clients write; the acknowledged messages that were not there afterwards."""
    config = f'[models.mini]\nupstream = ["{upstream.url}/v1#mini"]\n{UNLIMITED}'
    os.environ["CLEARSIGHT_UPSTREAM_KEY"] = key
    server = start(folder, config).wait()
    own, port = server.key, server.port
    acknowledged: dict[str, str] = {}
    lock = threading.Lock()
    randomness = random.Random(1)

    def write(stop: threading.Event) -> None:
        with httpx2.Client(headers={"authorization": f"Bearer {own}"}, timeout=20) as http:
            url = f"http://127.0.0.1:{port}/v1/conversations"
            try:
                conversation = http.post(url, json={}).json()["id"]
                while not stop.is_set():
                    body = {"content": "Hello", "settings": {"max_tokens": 4}}
                    with http.stream("POST", f"{url}/{conversation}/answers", json=body) as response:
                        for line in response.iter_lines():
                            if line.startswith("data: "):
                                event = json.loads(line[6:])
                                if event["type"] in ("message", "answer", "done"):
                                    with lock:
                                        acknowledged[event["message"]["id"]] = conversation
            except (httpx2.HTTPError, KeyError, ValueError):
                return  # the server was killed

    lost = 0
    with notes.status("Killing ...") as status:
        for number in range(kills):
            stop = threading.Event()
            writers = [threading.Thread(target=write, args=(stop,)) for _ in range(4)]
            for writer in writers:
                writer.start()
            time.sleep(randomness.uniform(0.2, 2.0))
            server.kill()
            stop.set()
            for writer in writers:
                writer.join()
            server = start(folder, config, port).wait()
            lost += missing(server.url, own, acknowledged)
            status.update(
                f"Killed {number + 1} times; {len(acknowledged)} messages acknowledged, {lost} lost"
            )
    server.kill()
    return {"kills": kills, "acknowledged": len(acknowledged), "lost": lost}


def missing(url: str, key: str, acknowledged: dict[str, str]) -> int:
    """How many acknowledged messages a server does not have."""
    wanted: dict[str, set[str]] = {}
    for message, conversation in acknowledged.items():
        wanted.setdefault(conversation, set()).add(message)
    gone = 0
    with httpx2.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60) as http:
        for conversation, messages in list(wanted.items())[
            -8:
        ]:  # the others were looked at after earlier kills
            told = http.get(f"/v1/conversations/{conversation}").json().get("messages", [])
            gone += len(messages - {message["id"] for message in told})
    return gone


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--kills", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_server(folder / "model", UNLIMITED) as server:
            key = server.key
            cost = overhead(server, key, arguments.requests)
            notes.print(
                f"One token by HTTP {cost['http_ms']:.1f} ms, {cost['engine_ms']:.1f} ms of them the engine's: "
                f"{cost['overhead_ms']:.1f} ms more (medians of {arguments.requests})"
            )
            streams = many_streams(server, key, arguments.streams)
            notes.print(
                f"{arguments.streams} streams at once: {streams['errors']} errors, first byte within "
                f"{streams['first_byte_s']:.2f} s, all whole after {streams['whole_s']:.1f} s"
            )
            memory = server.peak_memory
            kills = killed(server, key, folder / "killed", arguments.kills)
            notes.print(f"{kills['kills']} kills: {kills['lost']} of {kills['acknowledged']} messages lost")
    told = {
        "overhead_ms_median": round(cost["overhead_ms"], 2),
        "http_ms_median": round(cost["http_ms"], 2),
        "engine_ms_median": round(cost["engine_ms"], 2),
        "streams": arguments.streams,
        "streams_100_errors": streams["errors"],
        "streams_first_byte_s": round(streams["first_byte_s"], 2),
        "streams_first_word_s_median": round(streams["first_word_s"], 2),
        "streams_whole_s": round(streams["whole_s"], 1),
        "kills": kills["kills"],
        "acknowledged_messages": kills["acknowledged"],
        "kill9_lost_messages": kills["lost"],
        "server_peak_memory_gb": round(memory / 1e9, 2),
    }
    print(json.dumps(told))
    sys.exit(bool(streams["errors"] or kills["lost"]))


if __name__ == "__main__":
    main()
