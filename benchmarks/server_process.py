"""Servers as users start them: a process each, that can be killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
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
    def peak_memory(self) -> int:
        """The most bytes that it ever held, without the processes it started."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """As kill -9 does, with the processes it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """As a supervisor does; the exit status."""
        self.process.terminate()
        return self.process.wait(30)

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


def start(folder: Path, config: str, port: int | None = None) -> ServerProcess:
    """Start a server with the settings of a TOML text; [network] and its port are added, unless it is there."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"server-{port}.toml"
    network = "" if "[network]" in config else f"[network]\nport = {port}\n"
    path.write_text(network + config, encoding="utf-8")
    log = tempfile.NamedTemporaryFile(dir=folder, prefix=f"log-{port}-", delete=False)  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", "clearsight", "serve", "--config", str(path)],
        cwd=ROOT,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return ServerProcess(port, path, process, log)
