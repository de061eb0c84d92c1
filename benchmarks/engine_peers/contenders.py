"""Who takes part, and a process for each: loaded once, stopped while others have their turn.

A contender is a program with weights of one width. Workers are told what to do over JSON lines (`protocol`), and get
SIGSTOP between their turns, so that nobody's waiting threads take time from whoever is measured.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine_peers import environments
from benchmarks.engine_peers.environments import Missing

OURS = "clearsight"
FULL = 16  # stands for 16 and 32 bits: what the processor computes in natively


class Failed(RuntimeError):
    """A worker did not do what it was asked; the message says what it said."""


@dataclass(frozen=True)
class Contender:
    """`bits` of the decoder's weights: 16 (or 32), 8 or 4. `headline`: whether ratios may be taken against it;
    `most_chats`: so many at once are asked of it."""

    program: str
    variant: str
    bits: int
    module: str  # and its arguments
    environment: str | None = None  # None for the one that runs the benchmark
    headline: bool = True
    most_chats: int = 16

    @property
    def name(self) -> str:
        return f"{self.program} {self.variant}"

    @property
    def width(self) -> str:
        return "16/32" if self.bits == FULL else str(self.bits)


_OURS = "worker_clearsight engine"
_SIMPLE = "worker_clearsight assistant"


def everyone(bfloat16: bool) -> list[Contender]:
    """All contenders, in the order of their turns; `bfloat16` where the processor computes in it."""
    half = "BF16" if bfloat16 else "F16"
    llama = {"module": "worker_llama_cpp", "environment": "llama_cpp"}
    openvino = {"module": "worker_openvino", "environment": "openvino"}
    return [
        Contender(OURS, "native", FULL, _OURS),
        Contender(OURS, "int8", 8, _OURS),
        Contender(OURS, "int4", 4, _OURS),
        Contender("oracle", "native", FULL, _SIMPLE, headline=False, most_chats=1),
        Contender("transformers", "native", FULL, "worker_transformers", "transformers"),
        Contender("llama.cpp", half, FULL, **llama),
        Contender("llama.cpp", "Q8_0", 8, **llama),
        Contender("llama.cpp", "Q4_0", 4, **llama),
        Contender("llama.cpp", "Q4_1", 4, **llama),
        Contender("OpenVINO", "native", FULL, **openvino),
        Contender("OpenVINO", "int8", 8, **openvino),
        Contender("OpenVINO", "int4", 4, **openvino),
        Contender("vLLM", "native", FULL, "worker_vllm", "vllm"),
    ]


class Worker:
    """The process of one contender."""

    def __init__(self, contender: Contender, place: Path, threads: int) -> None:
        """Raises Missing when its environment is not there."""
        self.contender = contender
        interpreter = sys.executable
        if contender.environment is not None:
            interpreter = str(environments.python(place / "environments", contender.environment))
        self.log = place / "logs" / f"{contender.name.replace(' ', '-')}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        module, *arguments = contender.module.split()
        root = Path(__file__).parents[2]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [interpreter, "-m", f"benchmarks.engine_peers.{module}", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=root,
                env=_environment(root, threads),
                start_new_session=True,
            )
        self._replies: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, seconds: float = 600, **request: Any) -> dict[str, Any]:
        """What it answers. Raises Failed when it fails, dies, or takes longer than `seconds`."""
        assert self._process.stdin is not None
        self._signal(signal.SIGCONT)
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._replies.get(timeout=seconds)
        except (OSError, queue.Empty) as error:
            reason = "took too long" if isinstance(error, queue.Empty) else "has ended"
            self.close()
            raise Failed(f"{reason}; {self._last_words()}") from None
        if not line:
            raise Failed(f"has ended; {self._last_words()}")
        self._signal(signal.SIGSTOP)
        reply = json.loads(line)
        if "error" in reply:
            raise Failed(reply["error"])
        return reply

    def close(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._replies.put(line)
        self._replies.put("")

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{lines[-1][:200] if lines else 'it said nothing'} ({self.log})"


def _environment(root: Path, threads: int) -> dict[str, str]:
    """Threads and nothing from the network; the same for all."""
    count = str(threads)
    return os.environ | {
        "PYTHONPATH": str(root),
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def start(
    contenders: list[Contender], place: Path, weights: Path, threads: int, note: Callable[[str], None]
) -> tuple[list[Worker], dict[str, dict[str, Any]]]:
    """Workers that are ready, and for every contender what it computes with or why it takes no part."""
    workers, told = [], dict[str, dict[str, Any]]()
    for contender in contenders:
        note(f"Loading {contender.name} ...")
        try:
            worker = Worker(contender, place, threads)
            loaded = worker.ask(do="load", folder=str(weights), variant=contender.variant, threads=threads)
        except (Missing, Failed) as reason:
            told[contender.name] = {"absent": str(reason)}
            continue
        workers.append(worker)
        told[contender.name] = loaded
    return workers, told
