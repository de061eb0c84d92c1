"""Programs that the tests start for themselves: a PostgreSQL cluster and a Redis, thrown away at the end.

Nothing has to run before, and nothing that runs is touched. Without the programs the tests say what to install; in
CI (CI=true) they fail then.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import asyncpg
import pytest

from benchmarks.server_process import free_port


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
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
    port = free_port()

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


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """A Redis (or Valkey) that keeps nothing."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        _missing("Redis", "apt-get install redis-server")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


async def run_sql(cluster: str, statement: str, name: str = "postgres") -> None:
    connection = await asyncpg.connect(cluster.replace("+asyncpg", "") + f"/{name}")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _missing(what: str, how: str) -> NoReturn:
    message = f"{what} isn't installed; {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
