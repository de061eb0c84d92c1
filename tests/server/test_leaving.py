"""Whoever leaves, listens slowly or only waits takes nothing with them: places, blocks and answers are given back."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from serving import Served, serving

from tests.server.corpus.pictures import encoded, scene, tiny_png_url

PATIENCE = 60.0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose engine answers two at once, so that others have to wait."""
    with serving(
        tmp_path_factory.mktemp("small"),
        limits={"requests_per_minute": 100_000, "tokens_per_minute": 100_000_000, "concurrency": 5000},
        models={"mini": {"path": "mini", "threads": 1, "max_sequences": 2, "max_queue": 2000}},
    ) as server:
        yield server


def gauges(served: Served) -> dict[str, float]:
    """What the engine counts."""
    text = httpx2.get(f"{served.url}/metrics", headers=served.admin_headers, timeout=60).text
    found = {}
    for line in text.splitlines():
        if line.startswith("clearsight_engine_"):
            name, _, value = line.partition("{")
            found[name.removeprefix("clearsight_engine_")] = float(value.split()[-1])
    return found


def wait_until_idle(served: Served) -> dict[str, float]:
    """The engine's counts once nothing waits or runs in it. Raises when that never comes."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = gauges(served)
        if found["running"] == 0 and found["waiting"] == 0:
            return found
        time.sleep(0.2)
    raise AssertionError(f"still busy: {gauges(served)}")


def asking(served: Served, max_tokens: int = 4000, pictures: int = 0, stream: bool = True) -> bytes:
    """A whole request for a long answer."""
    content: list[dict[str, object]] = [{"type": "text", "text": "Count to a thousand."}]
    for number in range(pictures):
        url = "data:image/png;base64," + _picture(number)
        content.append({"type": "image_url", "image_url": {"url": url, "detail": "high"}})
    body = json.dumps(
        {
            "model": "mini",
            "messages": [{"role": "user", "content": content}],
            "stream": stream,
            "max_tokens": max_tokens,
            "logit_bias": {"2": -100},  # it does not come to an end by itself
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {served.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _picture(number: int) -> str:
    import base64

    return base64.b64encode(encoded(scene(600 + number, 400))).decode()


def connect(served: Served) -> socket.socket:
    address = urlsplit(served.url)
    return socket.create_connection((address.hostname, address.port), timeout=PATIENCE)


def leave(connection: socket.socket) -> None:
    """At once and without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 0.4, 1.5])
def test_leaving_at_any_moment_gives_everything_back(small: Served, seconds: float, stream: bool) -> None:
    """With pictures, so that the moments fall into taking in, encoding, reading the prompt and writing."""
    free = wait_until_idle(small)["blocks_free"]
    for _ in range(3):
        connection = connect(small)
        connection.sendall(asking(small, pictures=2, stream=stream))
        time.sleep(seconds)
        leave(connection)
    found = wait_until_idle(small)
    assert found["blocks_free"] + found["blocks_known"] >= free or found["blocks_free"] >= free
    assert _answers(small)


def test_leaving_while_one_waits_in_the_queue_gives_the_place_back(small: Served) -> None:
    wait_until_idle(small)
    busy = [connect(small) for _ in range(2)]
    for connection in busy:
        connection.sendall(asking(small))
        assert connection.recv(12).startswith(b"HTTP/1.1 200")
    waiting = [connect(small) for _ in range(8)]
    for connection in waiting:
        connection.sendall(asking(small))
    end = time.monotonic() + PATIENCE
    while gauges(small)["waiting"] == 0 and time.monotonic() < end:
        time.sleep(0.1)
    assert gauges(small)["waiting"] > 0, "nobody waited, so that nothing was tested"
    for connection in waiting:
        leave(connection)
    while gauges(small)["waiting"] > 0 and time.monotonic() < end:
        time.sleep(0.1)
    assert gauges(small)["waiting"] == 0
    for connection in busy:
        leave(connection)
    wait_until_idle(small)
    assert _answers(small)


def test_leaving_before_the_body_is_sent_leaves_nothing(small: Served) -> None:
    wait_until_idle(small)
    whole = asking(small)
    for cut in (20, 150, len(whole) - 200, len(whole) - 1):
        connection = connect(small)
        connection.sendall(whole[:cut])
        time.sleep(0.05)
        leave(connection)
    assert wait_until_idle(small)["running"] == 0
    assert _answers(small)


def test_a_reader_that_never_reads_does_not_stop_the_others(small: Served) -> None:
    wait_until_idle(small)
    slow = connect(small)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    slow.sendall(asking(small, max_tokens=2000))
    time.sleep(1)
    began = time.monotonic()
    assert _answers(small)
    assert time.monotonic() - began < PATIENCE
    leave(slow)
    wait_until_idle(small)


@pytest.mark.parametrize("wanted", [100, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_many_idle_streams_are_held_and_given_back(small: Served, wanted: int) -> None:
    """As many as the machine has descriptors for: each gets its first bytes, none is an error."""
    wait_until_idle(small)
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(wanted, (most - 200) // 2)  # both ends of each are in this process
    before = resident()

    async def hold() -> int:
        address = urlsplit(small.url)
        begun = 0

        async def one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(asking(small, max_tokens=3000))
            await writer.drain()
            return reader, writer

        held = []
        for start in range(0, count, 50):
            held += await asyncio.gather(*(one() for _ in range(min(50, count - start))))
        for reader, _ in held:
            line = await asyncio.wait_for(reader.readline(), 300)
            begun += line.startswith(b"HTTP/1.1 200")
        for _, writer in held:
            writer.transport.abort()
        return begun

    assert asyncio.run(hold()) == count
    found = wait_until_idle(small)
    assert found["running"] == 0 and found["waiting"] == 0
    assert _answers(small)
    assert resident() - before < 400, f"{count} streams left {resident() - before} MiB behind"


def resident() -> int:
    text = Path("/proc/self/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def _answers(served: Served) -> bool:
    part = {"type": "image_url", "image_url": {"url": tiny_png_url()}}
    body = {"model": "mini", "max_tokens": 1, "messages": [{"role": "user", "content": [part]}]}
    return served.client().post("/v1/chat/completions", json=body).status_code == 200
