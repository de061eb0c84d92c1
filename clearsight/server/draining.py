"""How a server process ends: no new answers, those that run get time to finish, and then they are told why they end.

SIGTERM or Ctrl-C begins it: /readyz says 503, and whoever asks for an answer is told to ask again, elsewhere. When the
last answer has ended, or after `network.grace_seconds`, the process goes. A second Ctrl-C doesn't wait.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from clearsight.server.errors import ApiError

if TYPE_CHECKING:
    from clearsight.server.chat.generation import Generation

log = logging.getLogger(__name__)
LAST_SECONDS = 3.0
"""For answers that were told to end, to say so to their readers."""
STEP_SECONDS = 0.05


class Draining:
    """Whether this process is about to end, and the answers that it waits for."""

    def __init__(self, grace_seconds: float):
        self.began = False
        self._grace = grace_seconds
        self._hurry = asyncio.Event()
        self._answers: set[Generation] = set()
        self._ending: concurrent.futures.Future[None] | None = None

    def check(self) -> None:
        """Raises ApiError when no new answers are begun. The client's next attempt opens a new connection."""
        if self.began:
            raise ApiError(
                503,
                "This server is about to end; ask again.",
                code="draining",
                headers={"retry-after": "1", "connection": "close"},
                retry=True,
            )

    @contextlib.contextmanager
    def waits_for(self, answer: "Generation") -> Iterator[None]:
        """An answer that is given time to finish."""
        self._answers.add(answer)
        try:
            yield
        finally:
            self._answers.discard(answer)

    async def drain(self) -> None:
        """End all answers, the way it says above."""
        self.began = True
        if self._answers:
            log.warning(
                "ending: %d answers have %.0f s to finish; Ctrl-C again doesn't wait",
                len(self._answers),
                self._grace,
            )
        await self._gone(self._grace)
        for answer in self._answers:
            answer.break_off(
                ApiError(
                    503,
                    "The answer was broken off, because the server ends; ask again.",
                    code="draining",
                    retry=True,
                )
            )
        self._hurry.clear()
        await self._gone(LAST_SECONDS)

    def hurry(self) -> None:
        """Don't wait any longer."""
        self._hurry.set()

    async def _gone(self, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while self._answers and not self._hurry.is_set() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(STEP_SECONDS)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Drain on SIGTERM and SIGINT, and then do what these did before (uvicorn: end the process).

        Nothing outside the main thread, where signals don't arrive.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def then(number: int, frame: FrameType | None) -> None:
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        async def end(number: int) -> None:
            await self.drain()
            then(number, None)

        def receive(number: int, frame: FrameType | None) -> None:
            if self._ending is None:
                self._ending = asyncio.run_coroutine_threadsafe(end(number), loop)
            elif self._ending.done():
                then(number, frame)
            elif number == signal.SIGINT:
                loop.call_soon_threadsafe(self.hurry)

        for number in before:
            signal.signal(number, receive)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
