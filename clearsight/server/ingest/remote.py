"""Fetching a picture from an address that a request names, without becoming a way into the network behind the server.

Off unless a `Fetcher` is made. One parser reads the address, and its parts alone are used from there. For each hop the
name is looked up once, every address that comes back must be public, and the connection goes to exactly these
addresses: a name that resolves otherwise a moment later (DNS rebinding) changes nothing. Redirects are followed by hand
with all checks again. No proxies, cookies, credentials or compressed answers; sizes and times end whatever doesn't end.

Everything that fails after the address was read fails in the same words, and at the same steps of the clock, whether
the target is private, filtered, closed or broken: the answer tells nothing about a network.

httpcore2 is the layer beneath httpx2 that has no redirects, proxies or decompression to be switched off, and whose
network backend is a public interface; httpx2 lends its URL.
"""

import asyncio
import ipaddress
import math
import re
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import httpcore2
import httpx2

from clearsight.server.ingest.addresses import IPAddress, is_public, is_public_name, literal
from clearsight.server.ingest.formats import Refusal
from clearsight.server.ingest.limits import RemoteLimits

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOST = re.compile(rb"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
LOOKUP_THREADS = 8
_SLACK_SECONDS = 0.5  # failing connections end this long before the step at which they are answered

_HEADERS = [
    (b"Accept", b"image/*"),
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", b"Clearsight"),
    (b"Connection", b"close"),
]


class _Unreachable(Exception):
    """It can't be had, for a reason that stays here."""


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Looks a name up once, judges every address, and connects to none but those."""

    def __init__(self, permits: Callable[[IPAddress, int], bool] | None = None):
        """`permits` judges an address and a port; by default public addresses are permitted, whatever the port."""
        self._permits = permits or (lambda address, port: is_public(address))
        self._connect = httpcore2.AnyIOBackend()
        # Threads of its own: names that take long to look up must not keep others from reading files.
        self._lookups = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="clearsight-names")

    def close(self) -> None:
        """Take no more names; one that is being looked up is not waited for."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Raises _Unreachable when one of the addresses isn't permitted, and httpcore2's errors."""
        try:
            async with asyncio.timeout(timeout):
                for address in await self._permitted(host, port):
                    try:
                        return await self._connect.connect_tcp(
                            str(address), port, timeout, local_address, socket_options
                        )
                    except httpcore2.ConnectError:
                        continue
        except TimeoutError:
            pass
        raise _Unreachable

    async def _permitted(self, host: str, port: int) -> list[IPAddress]:
        address = literal(host)
        if address is not None:
            addresses = [address]
        elif not is_public_name(host):
            raise _Unreachable
        else:
            try:
                found = await asyncio.get_running_loop().run_in_executor(
                    self._lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                )
                addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
            except (OSError, ValueError):
                raise _Unreachable from None
        if not addresses or not all(self._permits(address, port) for address in addresses):
            raise _Unreachable
        return list(dict.fromkeys(addresses))


class Fetcher:
    """Fetches pictures for requests; one for a server process."""

    def __init__(self, limits: RemoteLimits | None = None, *, backend: PinnedBackend | None = None):
        """`backend` decides which addresses may be called, and is replaced only by code, never by a setting."""
        self.limits = limits or RemoteLimits()
        self._backend = backend or PinnedBackend()
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=self.limits.max_concurrency,
            max_keepalive_connections=0,
            network_backend=self._backend,
        )

    async def close(self) -> None:
        """End all connections."""
        await self._pool.aclose()
        self._backend.close()

    async def fetch(self, address: str, max_bytes: int) -> bytes:
        """What the address holds, at most `max_bytes`. Raises Refusal."""
        url = self._parse(address)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.limits.total_seconds):
                return await self._follow(url, max_bytes)
        except (_Unreachable, httpcore2.NetworkError, httpcore2.ProtocolError, OSError, TimeoutError):
            pass
        except (httpcore2.TimeoutException, httpcore2.UnsupportedProtocol, httpx2.InvalidURL):
            pass
        await self._wait_for_step(began)
        raise Refusal(
            "The picture can't be had from this address; check that it is public and is the picture itself, or send "
            "the picture as a data URL.",
            "failed_to_download_image",
        )

    async def _wait_for_step(self, began: float) -> None:
        """Sleep until a whole number of steps has gone by since the request came."""
        step = self.limits.connect_seconds + _SLACK_SECONDS
        elapsed = time.monotonic() - began
        await asyncio.sleep(math.ceil(elapsed / step) * step - elapsed)

    async def _follow(self, url: httpx2.URL, max_bytes: int) -> bytes:
        for _ in range(self.limits.max_redirects + 1):
            found = await self._get(url, max_bytes)
            if isinstance(found, bytes):
                return found
            if not found:
                raise _Unreachable
            try:
                url = self._parse(str(url.join(found)))
            except Refusal:
                raise _Unreachable from None
        raise _Unreachable

    async def _get(self, url: httpx2.URL, max_bytes: int) -> bytes | str:
        """The body, or where the answer sends us."""
        request = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        seconds = self.limits.total_seconds
        timeout = {"connect": self.limits.connect_seconds, "read": seconds, "write": seconds, "pool": seconds}
        headers = [(b"Host", url.netloc), *_HEADERS]
        async with self._pool.stream(
            "GET", request, headers=headers, extensions={"timeout": timeout}
        ) as response:
            answered = {name.lower(): value for name, value in response.headers}
            if response.status in _REDIRECTS:
                return answered.get(b"location", b"").decode("ascii", "replace")
            if response.status != 200 or answered.get(b"content-encoding", b"identity") != b"identity":
                raise _Unreachable
            body = bytearray()
            announced = answered.get(b"content-length", b"0")
            too_large = announced.isdigit() and int(announced[:20]) > max_bytes
            if not too_large:
                async for chunk in response.aiter_stream():
                    body += chunk
                    too_large = len(body) > max_bytes
                    if too_large:
                        break
            if too_large:
                raise Refusal(
                    f"The picture at this address has more than the {max_bytes:,} bytes that are accepted; make it "
                    "smaller.",
                    "image_file_too_large",
                )
            return bytes(body)

    def _parse(self, address: str) -> httpx2.URL:
        """The one reading of an address. Raises Refusal for what isn't an address of the web; looks nothing up."""
        if len(address) > self.limits.max_url_characters or _NOT_IN_URLS.search(address):
            raise _not_an_address()
        try:
            url = httpx2.URL(address)
            host = url.raw_host
        except (httpx2.InvalidURL, ValueError, TypeError):
            raise _not_an_address() from None
        if url.scheme not in ("http", "https") or url.userinfo or not _HOST.fullmatch(host):
            raise _not_an_address()
        if (url.port or {"http": 80, "https": 443}[url.scheme]) not in self.limits.ports:
            raise _not_an_address()
        return url


def _not_an_address() -> Refusal:
    return Refusal(
        "This is not an address that pictures are fetched from: it begins with https:// or http://, has a plain host "
        "name, no user name and a usual port. Or send the picture as a data URL.",
        "invalid_image_url",
    )
