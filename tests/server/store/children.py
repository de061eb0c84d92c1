"""Processes of their own for tests of races and kills. Each prints a line for what it did, once that is certain."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys

from clearsight.server.config import Limits
from clearsight.server.errors import ApiError
from clearsight.server.limits import Limiter
from clearsight.server.store import audit, messages, migrate, usage
from clearsight.server.store.blobs import Blobs
from clearsight.server.store.database import Database


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def wait() -> None:
    """Until the parent lets all children go at once."""
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)


async def upgrade(url: str) -> None:
    database = Database(url)
    await wait()
    await migrate.upgrade(database)
    say("done")


async def write_messages(url: str, organisation: str, user: str, conversation: str) -> None:
    """Several at once, for ever; the id after each commit."""
    database = Database(url)

    async def write(line: int) -> None:
        count = 0
        while True:
            count += 1
            part = {"type": "text", "text": f"line {line} number {count}"}
            made = await messages.add(database, organisation, user, conversation, "user", [part])
            say(made.id)

    await asyncio.gather(*(write(line) for line in range(4)))


async def put_blobs(url: str, folder: str, organisation: str, seed: str) -> None:
    """Blobs of 200 kB, for ever; the hash after each commit."""
    database = Database(url)
    blobs = Blobs(f"file://{folder}", database)
    count = 0
    while True:
        count += 1
        data = hashlib.sha256(f"{seed} {count}".encode()).digest() * 6400
        say(await blobs.put(organisation, data, "image/png", 1, 1))


async def add_messages(url: str, organisation: str, user: str, conversation: str, count: str) -> None:
    database = Database(url)
    await wait()
    part = {"type": "text", "text": "hello"}
    made = await asyncio.gather(
        *(messages.add(database, organisation, user, conversation, "user", [part]) for _ in range(int(count)))
    )
    for message in made:
        say(str(message.sequence))


async def reserve(url: str, organisation: str, count: str, tokens: str, budget: str) -> None:
    database = Database(url)
    await wait()

    async def one() -> str:
        try:
            await usage.reserve(database, organisation, int(tokens), int(budget))
        except ApiError as error:
            return str(error.code)
        return "reserved"

    for word in await asyncio.gather(*(one() for _ in range(int(count)))):
        say(word)


async def append_audit(url: str, organisation: str, count: str) -> None:
    database = Database(url)
    await wait()

    async def one(number: int) -> None:
        async with database.write() as session:
            await audit.append(session, organisation, "someone", "test.do", f"thing-{number}")

    await asyncio.gather(*(one(number) for number in range(int(count))))
    say("done")


async def admit(url: str, principal: str, count: str, requests: str, concurrency: str, hold: str) -> None:
    """Ask `count` times at once; those let in stay for `hold` seconds."""
    limiter = Limiter(url)
    limits = Limits(requests_per_minute=int(requests), concurrency=int(concurrency))
    await wait()

    async def one() -> None:
        try:
            admission = await limiter.admit(principal, limits)
        except ApiError as error:
            say(f"{error.status} {error.type}")
            return
        async with admission:
            say("admitted")
            await asyncio.sleep(float(hold))

    await asyncio.gather(*(one() for _ in range(int(count))))
    await limiter.close()


def nursery() -> None:
    """Fork a child for each line on stdin: a socket to speak through, a function of this file, its arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        address, name, *arguments = json.loads(line)
        pid = os.fork()
        if pid:
            say(str(pid))
            continue
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
        os.dup2(connection.fileno(), 0)
        os.dup2(connection.fileno(), 1)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        connection.detach()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            asyncio.run(globals()[name](*arguments))
        finally:
            sys.stdout.flush()
            os._exit(0)


if __name__ == "__main__":
    nursery()
