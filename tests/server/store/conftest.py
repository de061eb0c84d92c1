"""Real databases for every test: SQLite, a PostgreSQL cluster and a Redis of their own, thrown away at the end.

Nothing has to run before, and nothing that runs is touched. Without the programs the tests say what to install; in
CI (CI=true) they fail then.
"""

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
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from clearsight.server.store import accounts, migrate
from clearsight.server.store.blobs import Blobs
from clearsight.server.store.database import Database

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A cluster; the address of its database `postgres`, to which /name of another can be put."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    initdb = shutil.which("initdb") or (str(folders[-1] / "initdb") if folders else None)
    if initdb is None:
        _missing("PostgreSQL", "apt-get install postgresql")
    programs = Path(os.path.realpath(initdb)).parent
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="clearsight-postgres-"))
    if user:
        shutil.chown(folder, user)
    port = _free_port()

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    run(str(programs / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "--auth=trust", "-E", "UTF8")
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=200"
    )
    run(str(programs / "pg_ctl"), "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{programs}{os.pathsep}{before}"  # pg_dump of the same version
    try:
        yield f"postgresql+asyncpg://postgres@127.0.0.1:{port}"
    finally:
        os.environ["PATH"] = before
        run(str(programs / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis (or Valkey) that keeps nothing."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        _missing("Redis", "apt-get install redis-server")
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.kill()
    server.wait()


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


async def run_sql(cluster: str, statement: str, name: str = "postgres") -> None:
    connection = await asyncpg.connect(cluster.replace("+asyncpg", "") + f"/{name}")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


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


def _missing(what: str, how: str) -> None:
    message = f"{what} isn't installed; {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
