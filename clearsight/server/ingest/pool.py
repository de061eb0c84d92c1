"""Decoding processes and their upkeep: one picture each at a time, replaced when they exceed a limit or have had many.

A worker that runs out of time, memory or luck takes with it the one picture it was given; the next request finds
another worker. Pixels travel through a pipe on a thread, so that neither the event loop nor Python's lock waits for
them. What a worker answers is checked against the limits: a decoder that was taken over may say anything.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image as PILImage

import clearsight
from clearsight.server.ingest.formats import Refusal
from clearsight.server.ingest.limits import IngestLimits
from clearsight.server.ingest.worker import LENGTH, encode_message, limits_argument

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
"""Of clean files."""

_RETRY_SECONDS = 1.0
_MAX_HEADER_BYTES = 65_536
_CLOCK_FACTOR = 3  # the clock's limit over the processor's, for a machine that does much else


@dataclass(frozen=True)
class WorkerAnswer:
    """A clean file and its pixels."""

    data: bytes
    media_type: str
    pixels: PILImage.Image
    warnings: tuple[str, ...]


class _WorkerEnded(Exception):
    """The process died, or said something that it can't say."""


class _Worker:
    """One process. Methods block; each is called by one thread at a time."""

    def __init__(self, limits: IngestLimits):
        self._limits = limits
        self.pictures = 0
        # The folders that this process imports from, in its order, and nothing else of its surroundings.
        paths = [str(Path(clearsight.__file__).parents[1]), *(path for path in sys.path if path)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "clearsight.server.ingest.worker", limits_argument(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={
                "PYTHONPATH": os.pathsep.join(paths),
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises _WorkerEnded when it can't start."""
        self._read_header()

    def decode(self, data: bytes, max_pixels: int) -> WorkerAnswer:
        """Raises Refusal, or _WorkerEnded."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode_message({"size": len(data), "max_pixels": max_pixels}))
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            raise _WorkerEnded from None
        return self._read_answer(max_pixels)

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ran_too_long(self) -> bool:
        """Whether the kernel ended it for its processor time; waits for the end of a killed process."""
        return self._process.wait() == -signal.SIGXCPU

    def kill(self) -> None:
        """End it; a thread that waits for its answer gets _WorkerEnded."""
        self._process.kill()

    def close(self) -> None:
        """End it and free its pipes. No thread may still use it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # bytes that a dead worker never took
                pipe.close()

    def _read_answer(self, max_pixels: int) -> WorkerAnswer:
        header = self._read_header()
        if "refused" in header:
            raise Refusal(str(header["refused"]), str(header["code"]))
        try:
            width, height, length = (int(header[name]) for name in ("width", "height", "data"))
            media_type, warnings = header["media_type"], tuple(str(text) for text in header["warnings"])
        except (KeyError, TypeError, ValueError):
            raise _WorkerEnded from None
        sound = (
            min(width, height) >= 1
            and width * height <= max_pixels
            # A rewritten file may be larger than what came, but never than its raw pixels by much.
            and 0 < length <= max(self._limits.max_picture_bytes, 4 * width * height + 65_536)
            and media_type in MEDIA_TYPES
        )
        if not sound:
            raise _WorkerEnded
        clean = bytes(self._read(length))
        raw = self._read(width * height * 3)
        return WorkerAnswer(clean, media_type, PILImage.frombytes("RGB", (width, height), raw), warnings)

    def _read_header(self) -> dict[str, Any]:
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        if length > _MAX_HEADER_BYTES:
            raise _WorkerEnded
        try:
            header = json.loads(self._read(length))
        except ValueError:
            raise _WorkerEnded from None
        if not isinstance(header, dict):
            raise _WorkerEnded
        return header

    def _read(self, length: int) -> bytearray:
        output: BinaryIO | None = self._process.stdout  # type: ignore[assignment]
        assert output is not None
        content = bytearray(length)
        if output.readinto(content) != length:  # type: ignore[attr-defined]
            raise _WorkerEnded
        return content


class DecoderPool:
    """`workers` processes; further pictures wait their turn."""

    def __init__(self, limits: IngestLimits, workers: int):
        self._limits = limits
        self._count = workers
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self._workers: set[_Worker] = set()
        self._renewals: set[asyncio.Task[None]] = set()
        self._threads: ThreadPoolExecutor | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the processes and wait until they can read. Raises RuntimeError when they can't be started."""
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="clearsight-decode")
        try:
            await asyncio.gather(*(self._add_worker() for _ in range(self._count)))
        except _WorkerEnded:
            await self.close()
            raise RuntimeError(
                "the process that decodes pictures can't be started; run "
                "`python -m clearsight.server.ingest.worker '{}'` by hand to see why"
            ) from None

    async def close(self) -> None:
        """End all processes, when no request waits for them any more."""
        self._closed = True
        for worker in self._workers:
            worker.kill()
        for renewal in self._renewals:
            renewal.cancel()
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    @property
    def worker_pids(self) -> list[int]:
        """For watching them from outside."""
        return [worker.pid for worker in self._workers]

    async def decode(self, data: bytes, max_pixels: int) -> WorkerAnswer:
        """Raises Refusal, also for a picture that a worker did not survive."""
        worker = await self._take()
        work = self._in_thread(worker.decode, data, max_pixels)
        try:
            answer = await asyncio.wait_for(asyncio.shield(work), self._limits.decode_seconds * _CLOCK_FACTOR)
        except Refusal:
            self._give_back(worker)
            raise
        except (
            BaseException
        ) as error:  # a cancelled request too: its worker is busy with a picture nobody wants
            worker.kill()
            self._renew(worker, work)
            if isinstance(error, TimeoutError) or (isinstance(error, _WorkerEnded) and worker.ran_too_long()):
                raise Refusal(
                    "The picture takes too long to decode; make it smaller or save it as plain PNG or JPEG."
                ) from None
            if isinstance(error, _WorkerEnded):
                raise Refusal("The picture can't be decoded; save it as plain PNG or JPEG.") from None
            raise
        self._give_back(worker)
        return answer

    def _give_back(self, worker: _Worker) -> None:
        """For the next picture; or to be replaced, since hostile files leave crumbs of memory behind."""
        worker.pictures += 1
        if worker.pictures < self._limits.pictures_per_worker:
            self._free.put_nowait(worker)
        else:
            worker.kill()
            self._renew(worker, None)

    async def _take(self) -> _Worker:
        """The next free worker that lives; one that died idle, for instance of the system's need, is replaced."""
        while True:
            worker = await self._free.get()
            if worker.is_alive():
                return worker
            self._renew(worker, None)

    def _in_thread(self, call: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        assert self._threads is not None, "start the pool first"
        return asyncio.wrap_future(self._threads.submit(call, *arguments))

    async def _add_worker(self) -> None:
        worker = _Worker(self._limits)
        self._workers.add(worker)
        await self._in_thread(worker.wait_until_ready)
        self._free.put_nowait(worker)

    def _renew(self, worker: _Worker, work: "asyncio.Future[Any] | None") -> None:
        renewal = asyncio.get_running_loop().create_task(self._replace(worker, work))
        self._renewals.add(renewal)
        renewal.add_done_callback(self._renewals.discard)

    async def _replace(self, worker: _Worker, work: "asyncio.Future[Any] | None") -> None:
        if work is not None:
            await asyncio.wait([work])
            work.exception()  # it is known what became of it
        self._workers.discard(worker)
        worker.close()
        while not self._closed:
            try:
                return await self._add_worker()
            except (_WorkerEnded, OSError):  # the machine is short of something; pictures wait until it isn't
                await asyncio.sleep(_RETRY_SECONDS)
        return None
