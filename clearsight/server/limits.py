"""How much a key or session may ask for: requests, tokens and megapixels a minute, and answers at once.

A minute slides: what counts is this clock minute's sum, and of the last minute's the share that is less than sixty
seconds ago. Sums are kept by the `limits` library, in memory or in Redis/Valkey; its own sliding window can't give
back, and an answer's tokens are known only when it is written: an estimate is taken first and settled later. A
minute has a key of its own, so what is given back late never enlarges a later minute.

Taking is one atomic addition that is looked at afterwards and taken back if it was too much. Of requests of equal
size exactly as many pass as the quota has room for, over any number of processes; with unequal ones at the very
edge, one may be turned away for the sake of another that is just being turned away itself, never let in too much.

Answers at once are leases in a sorted set by the server's own clock: a process that dies holds its places for a
minute and no longer. Without the shared store nobody is let in (503), rather than everybody.
"""

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from limits.aio.storage import MemoryStorage, RedisStorage
from limits.errors import StorageError

from clearsight.server.config import Limits
from clearsight.server.errors import ApiError

MINUTE = 60.0
KEPT = 180
"""Seconds that a minute's sum is kept: its own, the next, and clocks of other machines that run behind."""
LEASE_MS = 60_000
RENEW_S = 20.0
PIXELS = 1_000_000
"""In a megapixel."""
MAX_CONNECTIONS = 32
REDIS_TIMEOUT_S = 5.0
QUEUE_S = 15.0
"""How long a request waits for one of this process' connections, which says nothing about Redis."""

log = logging.getLogger(__name__)

_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""


@dataclass(frozen=True)
class Window:
    """One quota after a request: `limit` a minute, what remains, and seconds until all of it is there again."""

    limit: int
    remaining: int
    reset_s: float
    wait_s: float = 0.0
    """Seconds until what was refused would fit; 0 when it did."""


@dataclass
class Admission:
    """A request that was let in. Leave it (`async with`) when the answer has ended: that frees its place."""

    limiter: "Limiter"
    principal_id: str
    slot: str
    tokens: int
    windows: Mapping[str, Window]
    _minute: int = field(repr=False)
    _settled: bool = field(default=False, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """x-ratelimit-{limit,remaining,reset}-{requests,tokens}, as OpenAI's API sends them."""
        return _headers(self.windows)

    async def settle(self, tokens: int) -> None:
        """Count what was used in the place of the estimate, once."""
        if self._settled:
            return
        self._settled = True
        if tokens < self.tokens:
            await self.limiter.add("tokens", self.principal_id, self._minute, tokens - self.tokens)
        elif tokens > self.tokens:
            await self.limiter.add("tokens", self.principal_id, None, tokens - self.tokens)

    async def __aenter__(self) -> "Admission":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self.limiter.leave(self.principal_id, self.slot))


class Limiter:
    """Quotas of all keys and sessions, of this process (memory://) or shared (redis://)."""

    def __init__(self, url: str):
        self._held: dict[str, dict[str, None]] = {}
        """Places by whom they belong to: all there are with memory://, else those of this process."""
        self._renewing: asyncio.Task[None] | None = None
        self._redis: Any = None
        self._errors: tuple[type[BaseException], ...] = (StorageError, OSError)
        if url == "memory://":
            self._storage: MemoryStorage | RedisStorage = MemoryStorage()
            return
        import redis.asyncio  # only where limits are shared

        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=QUEUE_S,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
        )
        self._redis = redis.asyncio.Redis(connection_pool=pool)
        self._errors = (*self._errors, redis.exceptions.RedisError)
        options: dict[str, Any] = {"connection_pool": pool}
        self._storage = RedisStorage(
            f"async+{url}", wrap_exceptions=True, implementation="redispy", key_prefix="clearsight", **options
        )
        self._enter_script = self._redis.register_script(_ENTER)
        self._renew_script = self._redis.register_script(_RENEW)

    async def admit(self, principal_id: str, limits: Limits, tokens: int = 0, pixels: int = 0) -> Admission:
        """Let a request in that is estimated to cost `tokens` and shows `pixels`.

        Raises ApiError 429 rate_limit_exceeded with Retry-After, and 503 when the shared store can't be reached. A
        request that is turned away takes nothing.
        """
        wanted = {
            "requests": (1, limits.requests_per_minute),
            "tokens": (tokens, limits.tokens_per_minute),
            "pixels": (pixels, limits.megapixels_per_minute * PIXELS),
        }
        for name, (cost, limit) in wanted.items():
            if cost > limit:
                raise ApiError(
                    429,
                    f"This request alone needs {_amount(name, cost)}; the limit is {_amount(name, limit)} a minute. "
                    "Send less in one request.",
                    code="rate_limit_exceeded",
                    type=name,
                    retry=False,
                )
        slot = secrets.token_hex(8)
        now = time.time()
        async with self._reaching():
            if not await self._enter(principal_id, slot, limits.concurrency):
                raise ApiError(
                    429,
                    f"{limits.concurrency} requests of this key are being answered, as many as may be at once; "
                    "wait for one of them to end.",
                    code="rate_limit_exceeded",
                    type="concurrency",
                    headers=_retry_after(1.0),
                )
            try:
                taken = await asyncio.gather(
                    *(self._take(name, principal_id, *wanted[name], now) for name in wanted)
                )
                windows = dict(zip(wanted, taken, strict=True))
                refused = {name: window for name, window in windows.items() if window.wait_s > 0}
                if refused:
                    for name, window in windows.items():
                        if window.wait_s == 0:
                            await self.add(name, principal_id, int(now // MINUTE), -wanted[name][0])
            except BaseException:
                await asyncio.shield(self.leave(principal_id, slot))
                raise
            if refused:
                await self.leave(principal_id, slot)
        if refused:
            name = max(refused, key=lambda each: refused[each].wait_s)
            wait_s = refused[name].wait_s
            raise ApiError(
                429,
                f"The limit of {_amount(name, wanted[name][1])} a minute is reached; "
                f"try again in {_duration(wait_s)}.",
                code="rate_limit_exceeded",
                type=name,
                headers={**_headers(windows), **_retry_after(wait_s)},
            )
        return Admission(self, principal_id, slot, tokens, windows, int(now // MINUTE))

    async def attempt(self, kind: str, principal_id: str, per_minute: int) -> None:
        """Count something else that is limited, such as logging in. Raises ApiError 429 and 503."""
        async with self._reaching():
            window = await self._take(kind, principal_id, 1, per_minute, time.time())
        if window.wait_s > 0:
            raise ApiError(
                429,
                f"There were too many attempts; try again in {_duration(window.wait_s)}.",
                code="rate_limit_exceeded",
                headers=_retry_after(window.wait_s),
            )

    async def add(self, name: str, principal_id: str, minute: int | None, amount: int) -> None:
        """Count more, or less, in a minute (None: this one), whatever the limit. Raises ApiError 503."""
        at = int(time.time() // MINUTE) if minute is None else minute
        async with self._reaching():
            await self._storage.incr(_key(name, principal_id, at), KEPT, amount)

    async def leave(self, principal_id: str, slot: str) -> None:
        """Free a place. It doesn't fail: what can't be freed now runs out."""
        held = self._held.get(principal_id, {})
        held.pop(slot, None)
        if not held:
            self._held.pop(principal_id, None)
        if self._redis is not None:
            try:
                await self._redis.zrem(_slots(principal_id), slot)
            except self._errors as error:
                log.warning("a place of %s stays taken for a minute: %s", principal_id, type(error).__name__)

    async def healthy(self) -> bool:
        """Whether quotas can be checked."""
        try:
            return self._redis is None or bool(await self._redis.ping())
        except self._errors:
            return False

    async def close(self) -> None:
        """Stop renewing, and let go of the connections."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
        if self._redis is not None:
            await self._redis.aclose(close_connection_pool=True)

    async def _take(self, name: str, principal_id: str, cost: int, limit: int, now: float) -> Window:
        minute, elapsed = int(now // MINUTE), now % MINUTE
        key = _key(name, principal_id, minute)
        if cost:
            current = await self._storage.incr(key, KEPT, cost)
        else:
            current = await self._storage.get(key)
        before = max(0, await self._storage.get(_key(name, principal_id, minute - 1)))
        others = max(0, current - cost)
        used = others + math.ceil(before * (1 - elapsed / MINUTE))
        if cost and used + cost > limit:
            await self._storage.incr(key, KEPT, -cost)
            return Window(
                limit,
                max(0, limit - used),
                _full_after(others, before, elapsed),
                _wait(others, before, elapsed, limit - cost),
            )
        return Window(limit, max(0, limit - used - cost), _full_after(others + cost, before, elapsed))

    async def _enter(self, principal_id: str, slot: str, places: int) -> bool:
        if self._redis is None:
            if len(self._held.get(principal_id, {})) >= places:
                return False
        elif not await self._enter_script([_slots(principal_id)], [slot, places, LEASE_MS]):
            return False
        self._held.setdefault(principal_id, {})[slot] = None
        if self._redis is not None and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renew())
        return True

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            for principal_id, slots in list(self._held.items()):
                for slot in list(slots):
                    if slot not in self._held.get(principal_id, {}):
                        continue
                    try:
                        await self._renew_script([_slots(principal_id)], [slot, LEASE_MS])
                    except self._errors as error:
                        log.warning("a place of %s isn't renewed: %s", principal_id, type(error).__name__)

    @contextlib.asynccontextmanager
    async def _reaching(self) -> AsyncIterator[None]:
        try:
            yield
        except self._errors as error:
            log.error("the store of limits can't be reached: %s", type(error).__name__)
            raise ApiError(
                503,
                "Limits can't be checked at the moment, so nothing is answered; try again shortly.",
                code="limits_unavailable",
                headers=_retry_after(1.0),
                retry=True,
            ) from error


def _key(name: str, principal_id: str, minute: int) -> str:
    return f"{name}/{principal_id}/{minute}"


def _slots(principal_id: str) -> str:
    return f"clearsight:slots/{principal_id}"


def _wait(current: int, before: int, elapsed: float, room: int) -> float:
    """Seconds until current sum and the last minute's share are at most `room`, if nothing is added."""
    if current <= room:
        assert before > 0
        return max(0.001, MINUTE * (1 - (room - current) / before) - elapsed)
    return (MINUTE - elapsed) + MINUTE * (1 - room / current)


def _full_after(current: int, before: int, elapsed: float) -> float:
    if current > 0:
        return 2 * MINUTE - elapsed
    return MINUTE - elapsed if before > 0 else 0.0


def _headers(windows: Mapping[str, Window]) -> dict[str, str]:
    headers = {}
    for name in ("requests", "tokens"):
        window = windows[name]
        headers[f"x-ratelimit-limit-{name}"] = str(window.limit)
        headers[f"x-ratelimit-remaining-{name}"] = str(window.remaining)
        headers[f"x-ratelimit-reset-{name}"] = _duration(window.reset_s)
    return headers


def _retry_after(seconds: float) -> dict[str, str]:
    """Whole seconds by the HTTP standard (RFC 9110), and the milliseconds that the official client prefers."""
    return {"Retry-After": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}


def _duration(seconds: float) -> str:
    """For instance 250ms, 12.5s or 1m30s."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds / 1000, 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"


def _amount(name: str, amount: int) -> str:
    return f"{amount / PIXELS:g} megapixels" if name == "pixels" else f"{amount} {name}"
