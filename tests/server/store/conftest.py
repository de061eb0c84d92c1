"""Databases, people and processes for the tests of what is kept."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clearsight.server.store import accounts, migrate
from clearsight.server.store.blobs import Blobs
from clearsight.server.store.database import Database
from tests.server.databases import run_sql

CHILDREN = Path(__file__).with_name("children.py")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class People:
    """Two organisations: two users of the first, one of the second."""

    organisation: str
    user: str
    colleague: str
    other_organisation: str
    stranger: str


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/clearsight.db"
        return
    cluster = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(run_sql(cluster, f"CREATE DATABASE {name}"))
    yield f"{cluster}/{name}"
    asyncio.run(run_sql(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "clearsight.db"
    asyncio.run(_upgraded(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    asyncio.run(run_sql(postgres, "CREATE DATABASE template"))
    asyncio.run(_upgraded(f"{postgres}/template"))
    return "template"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that is up to date."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "clearsight.db")
        yield f"sqlite+aiosqlite:///{tmp_path}/clearsight.db"
        return
    cluster, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template")
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(run_sql(cluster, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield f"{cluster}/{name}"
    asyncio.run(run_sql(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


async def _upgraded(address: str) -> None:
    database = Database(address)
    await migrate.upgrade(database)
    await database.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def blobs(database: Database, tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path}/blobs", database)


@pytest.fixture
async def people(database: Database) -> People:
    first = await accounts.create_organisation(database, "test", "First")
    second = await accounts.create_organisation(database, "test", "Second")
    user = await accounts.create_user(database, "test", first.id, "Ada", "admin")
    colleague = await accounts.create_user(database, "test", first.id, "Ben")
    stranger = await accounts.create_user(database, "test", second.id, "Eve", "admin")
    return People(first.id, user.id, colleague.id, second.id, stranger.id)


class Child:
    """A process of children.py: what it prints comes from `stdout`, what it reads is written by `go`."""

    def __init__(self, pid: int, connection: socket.socket):
        self.pid = pid
        self.connection = connection
        self.stdout = connection.makefile("r", encoding="utf-8")

    def go(self) -> None:
        """Let it begin what it prepared."""
        self.connection.sendall(b"go\n")

    def kill(self) -> None:
        """As kill -9 does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def rest(self) -> str:
        """What it prints until it ends."""
        with contextlib.suppress(ConnectionResetError):
            return self.stdout.read()
        return ""

    def whole_lines(self) -> list[str]:
        """What it printed before it was killed; a line that was cut off in the middle isn't one."""
        return self.rest().split("\n")[:-1]


@pytest.fixture(scope="session")
def nursery() -> Iterator[subprocess.Popen[str]]:
    """A process that has imported everything and forks children: a fresh Python each time takes seconds."""
    process = subprocess.Popen(
        [sys.executable, str(CHILDREN)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def start(nursery: subprocess.Popen[str]) -> Iterator[Callable[..., Child]]:
    """`start(...)` begins a process of children.py; those that still run at the end are killed."""
    begun: list[Child] = []
    folder = tempfile.mkdtemp(prefix="clearsight-")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{folder}/children")
    listening.listen()
    listening.settimeout(60)

    def begin(*arguments: str) -> Child:
        assert nursery.stdin is not None and nursery.stdout is not None
        nursery.stdin.write(json.dumps([f"{folder}/children", *arguments]) + "\n")
        nursery.stdin.flush()
        pid = int(nursery.stdout.readline())
        connection, _ = listening.accept()
        begun.append(Child(pid, connection))
        return begun[-1]

    yield begin
    for child in begun:
        child.kill()
        child.connection.close()
    listening.close()
    shutil.rmtree(folder)


@pytest.fixture
def together() -> Callable[[list[Child]], list[list[str]]]:
    """`together(children)` lets them begin at once; the lines that each printed."""

    def begin(children: list[Child]) -> list[list[str]]:
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.go()
        return [child.rest().splitlines() for child in children]

    return begin
