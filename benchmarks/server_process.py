"""Servers as users start them: a process each, that can be killed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx2

ROOT = Path(__file__).parents[1]


@dataclass
class ServerProcess:
    """`clearsight serve` with a configuration of one's own."""

    port: int
    config: Path
    data: Path
    process: "subprocess.Popen[bytes]"
    log: IO[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """What it wrote to standard error so far."""
        return Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    @property
    def key(self) -> str:
        """The API key that it printed, if it was the first one of its store."""
        found = re.search(r"cs-[0-9a-f]{12}-[A-Za-z0-9_-]{43}", self.said)
        assert found is not None, self.said
        return found[0]

    @property
    def link(self) -> str:
        """The owner's link that it printed, if this was the first start of its store."""
        found = re.search(r"http://\S+#login=\S+", self.said)
        assert found is not None, self.said
        return found[0]

    def admin(self, *arguments: str) -> str:
        """What `clearsight admin` prints of its store."""
        command = [sys.executable, "-m", "clearsight", "admin", *arguments]
        options = ["--config", str(self.config), "--data", str(self.data)]
        return subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout.strip()

    @property
    def memory(self) -> int:
        """Bytes that it and the processes it started hold now."""
        total, waiting = 0, [self.process.pid]
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    total += int(line.split()[1]) if line.startswith("VmRSS") else 0
                for task in Path(f"/proc/{pid}/task").iterdir():
                    waiting += map(int, (task / "children").read_text().split())
        return total * 1024

    @property
    def peak_memory(self) -> int:
        """The most bytes that it ever held, without the processes it started."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """As kill -9 does, with the processes it started; no harm if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds: float = 180) -> "ServerProcess":
        """Until it is ready. Raises AssertionError with what it said."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx2.get(f"{self.url}/readyz").status_code == 200:
                    return self
            except httpx2.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server was not ready:\n{self.said}")


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def start(folder: Path, config: str = "", port: int | None = None) -> ServerProcess:
    """Start a server that keeps its things in `folder`, with the settings of a TOML text."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"server-{port}.toml"
    path.write_text(config, encoding="utf-8")
    log = tempfile.NamedTemporaryFile(dir=folder, prefix=f"log-{port}-", delete=False)  # noqa: SIM115
    options = ["--config", str(path), "--data", str(folder), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "clearsight", "serve", *options],
        cwd=ROOT,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return ServerProcess(port, path, folder, process, log)


@contextlib.contextmanager
def running_server(folder: Path, config: str = "") -> Iterator[ServerProcess]:
    """A server that is ready; killed at the end, if it still runs."""
    server = start(folder, config)
    try:
        yield server.wait()
    finally:
        server.kill()
