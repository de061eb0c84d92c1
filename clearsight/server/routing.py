"""Which replica of a model answers, and what happens when it doesn't.

A replica is chosen by load, except that a conversation goes back to where its first picture is already known: there
the picture's features and the prompt's prefix are in the cache. Rendezvous hashing of tenant and picture names that
replica without any table, so all server processes agree on it, and when a replica goes only its own pictures move.
It is left for another one while it makes `MARGIN` answers more than the least loaded.

Another server may be gone, hang, or answer with errors. Two things are watched: whether GET /models is answered
(health), and whether answers begin (the circuit). An answer that failed before its first token is begun once more on
another replica; after the first token never, since a reader has seen it.

Left out: weights for replicas of unequal size. Give a larger server more addresses, or put it under a name of its own.
"""

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio.to_thread

from clearsight.conversation import Conversation
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import TokenEvent, Usage
from clearsight.engine.contract import ConversationEngine
from clearsight.engine.stream import Stream
from clearsight.engine.upstream import Upstream, UpstreamError
from clearsight.experts.engine import plain

log = logging.getLogger(__name__)
MARGIN = 4
"""Answers more than the least loaded replica, up to which the one that knows a picture is preferred."""
CHECK_SECONDS = 5.0
"""Between two health checks of a replica, give or take a fifth, so that many processes don't ask at once."""
CHECK_TIMEOUT = 3.0
MISSED_CHECKS = 2
"""Checks in a row without an answer, after which a replica gets no work."""
STALL_SECONDS = 30.0
"""An answer of a replica that fails its checks and says nothing for so long has ended."""
FAILURES = 3
"""Answers in a row that didn't begin, after which a circuit opens."""
OPEN_SECONDS, MOST_OPEN_SECONDS = 5.0, 60.0
"""How long an open circuit lets nothing through: doubled each time the probe fails."""


class NoReplica(Exception):
    """No replica can be asked just now: all fail their checks or have open circuits."""


@dataclass
class Circuit:
    """Keeps work from a replica whose answers don't begin. Times are seconds of one clock, given by the caller."""

    failures: int = 0
    opened: int = 0
    """How often it opened since the start."""
    _closed_at: float | None = None
    _wait: float = OPEN_SECONDS
    _probing: bool = False

    def is_open(self, now: float) -> bool:
        """Whether nothing goes through: not time for a probe yet, or one is under way."""
        return self._closed_at is not None and (now < self._closed_at or self._probing)

    def enter(self) -> None:
        """An answer is asked for. After an open time that one is the probe, and no other goes through beside it."""
        self._probing = self._closed_at is not None

    def succeed(self) -> None:
        """An answer began."""
        self.failures, self._closed_at, self._probing, self._wait = 0, None, False, OPEN_SECONDS

    def fail(self, now: float) -> None:
        """An answer didn't begin."""
        self.failures += 1
        if self._probing:
            self._wait = min(2 * self._wait, MOST_OPEN_SECONDS)
        elif self.failures < FAILURES or self.is_open(now):
            return
        self.opened += 1
        self._probing, self._closed_at = False, now + self._wait

    def leave(self) -> None:
        """An answer was given up before it began or failed: it says nothing, and the next one may be the probe."""
        self._probing = False


@dataclass(eq=False)
class Replica:
    """One engine of a model, and what is known of it."""

    engine: ConversationEngine
    name: str
    running: int = 0
    circuit: Circuit = field(default_factory=Circuit)
    missed_checks: int = 0
    failed_before: int = 0
    """Answers that failed before their first token, since the start."""
    failed_after: int = 0

    @property
    def is_remote(self) -> bool:
        return isinstance(plain(self.engine), Upstream)

    @property
    def is_down(self) -> bool:
        return self.missed_checks >= MISSED_CHECKS

    async def check(self) -> None:
        """Ask another server whether it is there."""
        server = plain(self.engine)
        assert isinstance(server, Upstream)
        was_down = self.is_down
        self.missed_checks = 0 if await server.alive(CHECK_TIMEOUT) else self.missed_checks + 1
        if self.is_down != was_down:
            log.warning("%s %s", self.name, "doesn't answer" if self.is_down else "answers again")


@dataclass(frozen=True)
class _Asked:
    conversation: Conversation
    sampling: Sampling
    tenant: str
    priority: int


class RoutedStream:
    """Events of one answer, wherever it is made; read it in one task. As a Stream: `usage`, `cancel`."""

    def __init__(self, pool: "Pool", asked: _Asked, replica: Replica, stream: Stream):
        self._pool, self._asked, self._replica, self._stream = pool, asked, replica, stream
        self._may_move = True
        self._running = True
        self.begun_at: float | None = None
        self.asked_at = time.monotonic()

    @property
    def usage(self) -> Usage | None:
        return self._stream.usage

    @property
    def waits(self) -> bool:
        """Whether it is still without its first token."""
        return self._running and self.begun_at is None

    def cancel(self) -> None:
        """Stop the answer; no harm if it has ended."""
        self._stream.cancel()
        self._leave()

    def __aiter__(self) -> AsyncIterator[TokenEvent]:
        return self._events()

    async def _events(self) -> AsyncIterator[TokenEvent]:
        try:
            while True:
                try:
                    async for event in self._events_of_replica():
                        if self.begun_at is None:
                            self.begun_at = time.monotonic()
                            self._replica.circuit.succeed()
                        yield event
                    return
                except UpstreamError as error:
                    await self._move(error)
        finally:
            self._leave()

    async def _events_of_replica(self) -> AsyncIterator[TokenEvent]:
        """Raises UpstreamError also for a server that says nothing any more."""
        if not self._replica.is_remote:
            async for event in self._stream:
                yield event
            return
        events = aiter(self._stream)
        waiting: asyncio.Future[TokenEvent] | None = None
        silent_since = time.monotonic()
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({waiting}, timeout=1.0)
                if done:
                    finished, waiting = waiting, None
                    try:
                        event = finished.result()
                    except StopAsyncIteration:
                        return
                    yield event
                    silent_since = time.monotonic()
                elif self._replica.is_down and (
                    (self.waits and self._may_move and self._pool.has_another(self._replica))
                    or time.monotonic() - silent_since > STALL_SECONDS
                ):
                    raise UpstreamError(f"{self._replica.name} says nothing any more")
        finally:
            if waiting is not None:
                waiting.cancel()

    async def _move(self, error: UpstreamError) -> None:
        """Begin once more elsewhere, or raise the error."""
        replica = self._replica
        self._stream.cancel()
        if self.begun_at is not None:
            replica.failed_after += 1
            raise error
        if error.is_of_request:
            replica.circuit.succeed()
            raise error
        log.warning("%s failed before the first token: %s", replica.name, error)
        replica.failed_before += 1
        if error.status == 429:
            replica.circuit.leave()  # busy, which is no failure
        else:
            replica.circuit.fail(time.monotonic())
        self._leave()
        if not self._may_move:
            raise error
        self._may_move = False
        asked = self._asked
        try:
            other = self._pool.choose(asked.tenant, asked.conversation, without=replica)
        except NoReplica:
            raise error from None
        self._replica, self._running = other, True
        other.running += 1
        other.circuit.enter()
        (self._stream,) = await _submitted(other, asked, 1)

    def _leave(self) -> None:
        if self._running:
            self._running = False
            self._replica.running -= 1
            if self.begun_at is None:
                self._replica.circuit.leave()
            self._pool.waiting.discard(self)


class Pool:
    """The replicas of one model."""

    def __init__(self, replicas: Sequence[Replica]):
        self.replicas = tuple(replicas)
        self.waiting: set[RoutedStream] = set()

    @property
    def running(self) -> int:
        """Answers being made, those that wait included."""
        return sum(replica.running for replica in self.replicas)

    def queue_seconds(self) -> float:
        """How long the one that waits longest has waited for its first token; 0 when none waits."""
        waits = [stream.asked_at for stream in self.waiting if stream.waits]
        return time.monotonic() - min(waits) if waits else 0.0

    def choose(self, tenant: str, conversation: Conversation, without: Replica | None = None) -> Replica:
        """The replica to ask. Raises NoReplica."""
        open_to_work = self._available(without)
        if not open_to_work:
            raise NoReplica
        least = min(replica.running for replica in open_to_work)
        pictures = [image.sha256 for message in conversation.messages for image in message.images]
        if not pictures:
            return random.choice([replica for replica in open_to_work if replica.running == least])
        # By the first picture alone: a conversation to which pictures are added stays where its prefix is.
        by_preference = sorted(
            open_to_work, key=lambda one: _weight(one.name, tenant, pictures[0]), reverse=True
        )
        return next(replica for replica in by_preference if replica.running <= least + MARGIN)

    def has_another(self, replica: Replica) -> bool:
        return bool(self._available(replica))

    def _available(self, without: Replica | None) -> list[Replica]:
        now = time.monotonic()
        return [
            replica
            for replica in self.replicas
            if replica is not without and not replica.is_down and not replica.circuit.is_open(now)
        ]

    @asynccontextmanager
    async def answers(
        self, conversation: Conversation, sampling: Sampling, count: int, *, tenant: str, priority: int
    ) -> AsyncIterator[list[RoutedStream]]:
        """`count` answers being made; what is left of them at the end is cancelled.

        Raises NoReplica, and what the engine says of a prompt that can't be answered.
        """
        replica = self.choose(tenant, conversation)
        asked = _Asked(conversation, sampling, tenant, priority)
        replica.running += count
        replica.circuit.enter()
        streams: list[RoutedStream] = []
        try:
            begun = await _submitted(replica, asked, count)
            for number, stream in enumerate(begun):
                one = _Asked(conversation, sampling.nth(number), tenant, priority)
                streams.append(RoutedStream(self, one, replica, stream))
            self.waiting.update(streams)
            yield streams
        finally:
            if not streams:
                replica.running -= count
                replica.circuit.leave()
            for routed in streams:
                routed.cancel()

    def close(self) -> None:
        for replica in self.replicas:
            replica.engine.close()


async def watch(pools: Callable[[], Iterable[Pool]]) -> None:
    """Check the replicas of all pools that are other servers, for as long as this runs."""
    while True:
        remote = [replica for pool in pools() for replica in pool.replicas if replica.is_remote]
        await asyncio.gather(*(replica.check() for replica in remote))
        await asyncio.sleep(CHECK_SECONDS * random.uniform(0.8, 1.2))


def _weight(replica: str, tenant: str, picture: str) -> bytes:
    """Rendezvous hashing (Thaler and Ravishankar, 1998): the replica with the highest weight is preferred."""
    return hashlib.sha256("\0".join((replica, tenant, picture)).encode()).digest()


async def _submitted(replica: Replica, asked: _Asked, count: int) -> list[Stream]:
    """Begun in a thread. When the caller is cancelled meanwhile, what was begun is cancelled as well."""

    def begin() -> list[Stream]:
        return replica.engine.submit_many(
            asked.conversation, asked.sampling, count, tenant=asked.tenant, priority=asked.priority
        )

    task = asyncio.ensure_future(anyio.to_thread.run_sync(begin))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_cancel_all)
        raise


def _cancel_all(task: "asyncio.Future[list[Stream]]") -> None:
    if not task.cancelled() and task.exception() is None:
        for stream in task.result():
            stream.cancel()
