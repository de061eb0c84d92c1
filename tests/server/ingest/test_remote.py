"""Fetching never reaches the network behind the server. Real listeners stand where it must not go."""

import asyncio
import contextlib
import gzip
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from clearsight.server.errors import ApiError
from clearsight.server.ingest.addresses import IPAddress, is_public
from clearsight.server.ingest.ingest import Ingest
from clearsight.server.ingest.limits import IngestLimits, RemoteLimits
from clearsight.server.ingest.remote import Fetcher, PinnedBackend
from tests.server.corpus.pictures import encoded, scene

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PNG = encoded(scene())


class Listener:
    """A server on loopback that counts who connects."""

    def __init__(self, answer: Answer):
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await self.answer(reader, writer)
        writer.close()


@contextlib.asynccontextmanager
async def listening(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[Listener]:
    listener = Listener(answer)
    server = await asyncio.start_server(listener.serve, host, 0)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()


def says(content: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content) if length is None else length}", *headers]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()

    return answer


def resolver(names: dict[str, list[list[str]]]) -> Callable:
    """A hostile resolver: each look-up of a name gives the next of its answers, the last one for ever."""
    asked: dict[str, int] = {}

    def getaddrinfo(host: str, port: int, *args: object, **kwargs: object) -> list:
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(host)
            family = socket.AF_INET if address.version == 4 else socket.AF_INET6
            return [(family, socket.SOCK_STREAM, 6, "", (host, port))]
        if host not in names:
            raise socket.gaierror(-2, "Name or service not known")
        turn = min(asked.get(host, 0), len(names[host]) - 1)
        asked[host] = asked.get(host, 0) + 1
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (families[ipaddress.ip_address(a).version], socket.SOCK_STREAM, 6, "", (a, port))
            for a in names[host][turn]
        ]

    getaddrinfo.asked = asked  # type: ignore[attr-defined]
    return getaddrinfo


def limits(*ports: int, **options: float) -> RemoteLimits:
    values = {"connect_seconds": 0.4, "total_seconds": 2.0, **options}
    return RemoteLimits(ports=frozenset({80, 443, *ports}), **values)  # type: ignore[arg-type]


def permitting(*listeners: Listener) -> PinnedBackend:
    """Lets these listeners stand for public servers. What replaces the judge is an argument in code; no setting can."""
    ports = {listener.port for listener in listeners}

    def permits(address: IPAddress, port: int) -> bool:
        return is_public(address) or (address.is_loopback and port in ports)

    return PinnedBackend(permits)


async def fetch(url: str, fetcher: Fetcher, max_bytes: int = 1 << 20) -> bytes | ApiError:
    ingest = Ingest(IngestLimits(max_picture_bytes=max_bytes), workers=1, fetcher=fetcher)
    async with ingest:
        try:
            return (await ingest.from_url(url, param="url")).data
        except ApiError as error:
            assert error.status == 400 and "127." not in error.message and "::" not in error.message
            return error


@pytest.mark.parametrize(
    ("host", "bind"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("localhost", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("[::]", "::1"),
    ],
)
def test_a_service_on_this_machine_is_never_called(host: str, bind: str) -> None:
    async def run() -> None:
        async with listening(says(PNG), bind) as secret:
            answer = await fetch(f"http://{host}:{secret.port}/a.png", Fetcher(limits(secret.port)))
            assert isinstance(answer, ApiError) and answer.code == "failed_to_download_image"
            assert secret.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "answers",
    [
        [["127.0.0.1"]],
        [["93.184.215.14", "127.0.0.1"]],
        [["127.0.0.1", "93.184.215.14"]],
        [["::1"]],
        [["::ffff:127.0.0.1"]],
        [["64:ff9b::7f00:1"]],
        [["2002:7f00:1::"]],
        [["fe80::1"]],
        [["169.254.169.254"]],
        [[]],
    ],
)
def test_a_name_with_one_private_address_is_never_called(
    answers: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"evil.example.com": answers}))

    async def run() -> None:
        async with listening(says(PNG)) as secret:
            answer = await fetch(f"http://evil.example.com:{secret.port}/a.png", Fetcher(limits(secret.port)))
            assert isinstance(answer, ApiError)
            assert secret.connections == 0

    asyncio.run(run())


def test_a_name_that_resolves_otherwise_a_moment_later_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First a permitted address, then the secret's: the checked address is the one that is called."""

    async def run() -> None:
        async with listening(says(PNG)) as public, listening(says(b"secret"), "127.0.0.2") as secret:
            # Both ports are the public one's; only the address tells them apart.
            server = await asyncio.start_server(secret.serve, "127.0.0.2", public.port)
            hostile = resolver({"rebind.example.com": [["127.0.0.1"], ["127.0.0.2"]]})
            monkeypatch.setattr(socket, "getaddrinfo", hostile)
            backend = PinnedBackend(lambda address, port: str(address) == "127.0.0.1")
            url = f"http://rebind.example.com:{public.port}/a.png"
            fetcher = Fetcher(limits(public.port), backend=backend)
            data = await fetcher.fetch(url, 1 << 20)
            assert data == PNG and hostile.asked["rebind.example.com"] == 1  # type: ignore[attr-defined]
            with pytest.raises(Exception, match="can't be had"):
                await fetcher.fetch(url, 1 << 20)
            assert secret.connections == 0 and public.connections == 1
            await fetcher.close()
            server.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{secret}/",
        "http://[::1]:{secret}/",
        "//127.0.0.1:{secret}/",
        "http://localhost:{secret}/",
        "http://public.example.com:{secret}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{secret}/",
        "data:image/png;base64,AAAA",
        "http://user@public.example.com:{public}/",
        "",
        "http://[",
    ],
)
@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_public_server_cannot_send_us_to_a_private_one(
    target: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"public.example.com": [["127.0.0.1"]]}))

    async def run() -> None:
        async with listening(says(b"secret")) as secret:
            location = ""

            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await says(b"", f"{status} Moved", f"Location: {location}")(reader, writer)

            async with listening(answer) as public:
                location = target.format(secret=secret.port, public=public.port)
                fetcher = Fetcher(
                    limits(public.port, secret.port, connect_seconds=0.1), backend=permitting(public)
                )
                with pytest.raises(Exception, match="can't be had"):
                    await fetcher.fetch(f"http://public.example.com:{public.port}/", 1 << 20)
                assert public.connections == 1 and secret.connections == 0
                await fetcher.close()

    asyncio.run(run())


def test_three_redirects_are_followed_and_a_fourth_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"public.example.com": [["127.0.0.1"]]}))

    async def run() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            left = int(public.requests[-1].split()[1][1:])
            step = says(b"", "302 Found", f"Location: /{left - 1}") if left else says(PNG)
            await step(reader, writer)

        async with listening(answer) as public:
            fetcher = Fetcher(limits(public.port), backend=permitting(public))
            assert await fetcher.fetch(f"http://public.example.com:{public.port}/3", 1 << 20) == PNG
            with pytest.raises(Exception, match="can't be had"):
                await fetcher.fetch(f"http://public.example.com:{public.port}/4", 1 << 20)
            assert public.connections == 8
            request = public.requests[0].lower()
            assert f"host: public.example.com:{public.port}".encode() in request
            assert b"accept-encoding: identity" in request and b"cookie" not in request
            await fetcher.close()

    asyncio.run(run())


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"A" * 65536)
        await writer.drain()


async def _loris(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"A")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _loris_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH\r\n" * 5)
    await writer.drain()


BAD_ANSWERS = {
    "endless": (_endless, "image_file_too_large"),
    "slow body": (_loris, "failed_to_download_image"),
    "slow headers": (_loris_headers, "failed_to_download_image"),
    "silence": (_silence, "failed_to_download_image"),
    "no HTTP": (_garbage, "failed_to_download_image"),
    "too short": (says(PNG[:50], length=5000), "failed_to_download_image"),
    "announced too large": (says(b"", length=10**12), "image_file_too_large"),
    "negative length": (says(PNG, length=-5), "failed_to_download_image"),
    "gzip": (
        says(gzip.compress(bytes(10_000_000)), "200 OK", "Content-Encoding: gzip"),
        "failed_to_download_image",
    ),
    "missing": (says(PNG, "404 Not Found"), "failed_to_download_image"),
    "empty": (says(b""), "empty_image_file"),
    "HTML": (says(b"<html></html>", "200 OK", "Content-Type: image/png"), "unsupported_image_media_type"),
    "headers without end": (says(PNG, "200 OK", "X: " + "a" * 1_000_000), "failed_to_download_image"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_server_that_answers_badly_costs_bounded_time_and_bytes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver({"public.example.com": [["127.0.0.1"]]}))
    behave, code = BAD_ANSWERS[name]

    async def run() -> None:
        async with listening(behave) as public:
            fetcher = Fetcher(limits(public.port, total_seconds=1.0), backend=permitting(public))
            began = time.monotonic()
            answer = await fetch(f"http://public.example.com:{public.port}/", fetcher)
            assert time.monotonic() - began < 5
            assert isinstance(answer, ApiError) and answer.code == code

    asyncio.run(run())


def test_blocked_closed_filtered_and_unknown_targets_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        free = closed.getsockname()[1]
    names = {
        "closed.example.com": [["127.0.0.1"]],
        "filtered.example.com": [["127.0.0.1"]],
        "private.example.com": [["10.0.0.1"]],
    }
    monkeypatch.setattr(socket, "getaddrinfo", resolver(names))

    class Filtering(PinnedBackend):
        async def connect_tcp(self, host: str, *args: object, **options: object) -> object:  # type: ignore[override]
            if host == "filtered.example.com":  # a firewall that drops: nothing answers
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(args[1] if len(args) > 1 else options["timeout"]):  # type: ignore[arg-type]
                        await asyncio.sleep(30)
            return await super().connect_tcp(host, *args, **options)  # type: ignore[arg-type]

    async def run() -> None:
        backend = Filtering(lambda address, port: address.is_loopback)
        fetcher = Fetcher(limits(free), backend=backend)
        seen = {}
        for host in (
            "closed.example.com",
            "filtered.example.com",
            "private.example.com",
            "unknown.example.com",
            "10.0.0.1",
            "localhost",
        ):
            began = time.monotonic()
            with pytest.raises(Exception) as caught:
                await fetcher.fetch(f"http://{host}:{free}/a.png", 1 << 20)
            seen[host] = (str(caught.value), time.monotonic() - began)
        assert len({text for text, _ in seen.values()}) == 1
        times = [seconds for _, seconds in seen.values()]
        assert max(times) - min(times) < 0.15, seen
        await fetcher.close()

    asyncio.run(run())


def test_fetching_is_off_unless_somebody_turns_it_on() -> None:
    async def run() -> None:
        async with listening(says(PNG)) as listener, Ingest(workers=1) as ingest:
            with pytest.raises(ApiError, match="not fetched from addresses here") as caught:
                await ingest.from_url(f"http://127.0.0.1:{listener.port}/a.png", param="url")
            assert caught.value.code == "invalid_image_url" and listener.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("2a00:1450::1", True),
        ("100.64.0.1", False),
        ("168.63.129.16", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::808:808", False),
        ("2002:808:808::", False),
        ("2001:0:808::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1%1", False),
        ("2606:4700::1%1", False),
        ("ff02::1", False),
        ("::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
