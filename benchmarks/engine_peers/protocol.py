"""What every contender is asked, in its own process: JSON lines in, JSON lines out.

A worker implements `Subject`, three methods, and calls `serve`. All measuring happens here, so that it is the same for
all. Nothing but the standard library is imported: the workers' environments have no Clearsight in them.

Nobody stops at an end token, so that all write equally many tokens.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.engine_peers import http_load

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Prompt:
    """One user message: pictures first, then text. `ids` are the whole prompt's as Clearsight makes them, with
    `image_id` for every image token."""

    text: str
    pictures: tuple[str, ...]  # files
    ids: tuple[int, ...]
    image_id: int

    def parts(self) -> list[tuple[int, ...] | str]:
        """Runs of text ids, and a file's name for each run of image tokens."""
        found: list[tuple[int, ...] | str] = []
        files, run = iter(self.pictures), list[int]()
        for place, token in enumerate(self.ids):
            if token != self.image_id:
                run.append(token)
            elif place == 0 or self.ids[place - 1] != self.image_id:
                found += [tuple(run), next(files)]
                run = []
        return [*found, tuple(run)]


class Subject(ABC):
    """One contender."""

    many = "one after the other"
    """How it answers several chats that came at once."""

    @abstractmethod
    def load(self, folder: Path, variant: str, threads: int) -> str:
        """Get ready to answer with the weights in `folder`; returns what computes, in a few words."""

    @abstractmethod
    def answer(self, prompt: Prompt, count: int, tell: Tell) -> int:
        """Write `count` tokens greedily, calling `tell` with each as it comes; returns the prompt's length."""

    def answers(self, prompts: Sequence[Prompt], count: int) -> list[list[int]]:
        """Several answers, in the best way this contender has."""
        return [_tokens(self, prompt, count)[0] for prompt in prompts]


def _tokens(subject: Subject, prompt: Prompt, count: int) -> tuple[list[int], list[float], int]:
    """Tokens, when each came (seconds since the question), and the prompt's length."""
    tokens, marks = list[int](), list[float]()
    began = time.perf_counter()

    def tell(token: int) -> None:
        tokens.append(token)
        marks.append(time.perf_counter() - began)

    length = subject.answer(prompt, count, tell)
    return tokens, marks, length


# ---------------------------------------------------------------------------------------------------
# Measures; each returns what `benchmarks.engine` keeps


def prefill(subject: Subject, prompt: Prompt) -> dict[str, Any]:
    """Tokens of a prompt read a second, until the first token is out."""
    _, marks, length = _tokens(subject, prompt, 1)
    return {"rate": length / marks[0], "prompt_tokens": length}


def decode(subject: Subject, prompt: Prompt, count: int) -> dict[str, Any]:
    """Tokens written a second behind the first."""
    _, marks, length = _tokens(subject, prompt, count)
    return {"rate": (len(marks) - 1) / (marks[-1] - marks[0]), "prompt_tokens": length}


def first_token(subject: Subject, prompt: Prompt) -> dict[str, Any]:
    """Seconds from the question, pictures still files, to the first token."""
    _, marks, length = _tokens(subject, prompt, 1)
    return {"seconds": marks[0], "prompt_tokens": length}


def again(subject: Subject, prompt: Prompt, second: Prompt) -> dict[str, Any]:
    """The first token of a question about a picture, and of another question about the same one."""
    before = _tokens(subject, prompt, 1)[1][0]
    after = _tokens(subject, second, 1)[1][0]
    return {"first": before, "second": after, "ratio": after / before}


def chats(subject: Subject, prompts: Sequence[Prompt], count: int) -> dict[str, Any]:
    """Tokens written a second in all, reading prompts and pictures included."""
    began = time.perf_counter()
    answers = subject.answers(prompts, count)
    seconds = time.perf_counter() - began
    written = sum(len(answer) for answer in answers)
    return {"rate": written / seconds, "tokens": written, "asked": count * len(prompts)}


def under_load(subject: Subject, prompt: Prompt, count: int, requests: float) -> dict[str, Any]:
    """Decoding while another process sends this one small HTTP requests, so many a second."""
    with http_load.Server() as server:
        client = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine_peers.http_load", str(server.port), str(requests)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        client.stdout.readline()  # it has begun
        before = server.answered
        began = time.perf_counter()
        measured = decode(subject, prompt, count)
        seconds = time.perf_counter() - began
        answered = (server.answered - before) / seconds
        client.communicate("stop\n")
    return measured | {"answered": answered}


def says(subject: Subject, prompt: Prompt, count: int) -> dict[str, Any]:
    """The tokens themselves, to compare contenders by."""
    tokens, _, length = _tokens(subject, prompt, count)
    return {"tokens": tokens, "prompt_tokens": length}


def memory() -> dict[str, float]:
    """Resident memory of this process and those it started, in GB: the most there was, and now shared pages split."""
    peak = shares = 0
    for process in _family(os.getpid()):
        try:
            status = Path(f"/proc/{process}/status").read_text()
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        peak += int(status.split("VmHWM:")[1].split()[0])
        shares += int(rollup.split("\nPss:")[1].split()[0])
    return {"peak_gb": peak * 1024 / 1e9, "pss_gb": shares * 1024 / 1e9}


def _family(process: int) -> list[int]:
    found = [process]
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _family(int(child))
    return found


# ---------------------------------------------------------------------------------------------------
# The conversation with `benchmarks.engine_peers.contenders`


def prompt_from(value: dict[str, Any]) -> Prompt:
    return Prompt(value["text"], tuple(value["pictures"]), tuple(value["ids"]), value["image_id"])


def serve(subject: Subject) -> None:
    """Answer requests until there are no more. Whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if sys.platform == "linux":  # stopped between turns, it would not notice that the benchmark has ended
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for line in sys.stdin:
        try:
            reply = _reply(subject, json.loads(line))
        except Exception as error:  # told to whoever asked, who goes on without this measure
            import traceback

            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def _reply(subject: Subject, request: dict[str, Any]) -> dict[str, Any]:
    what = request["do"]
    prompts = [prompt_from(value) for value in request.get("prompts", [])]
    count = request.get("count", 1)
    if what == "load":
        began = time.perf_counter()
        computes = subject.load(Path(request["folder"]), request["variant"], request["threads"])
        return {"seconds": time.perf_counter() - began, "computes": computes, "many": subject.many}
    if what == "memory":
        return memory()
    if what == "prefill":
        return prefill(subject, prompts[0])
    if what == "decode":
        return decode(subject, prompts[0], count)
    if what == "first_token":
        return first_token(subject, prompts[0])
    if what == "again":
        return again(subject, prompts[0], prompts[1])
    if what == "chats":
        return chats(subject, prompts, count)
    if what == "under_load":
        return under_load(subject, prompts[0], count, request["requests"])
    if what == "says":
        return says(subject, prompts[0], count)
    raise ValueError(f"nobody knows how to do {what!r}")
