"""Replies on disk, one JSON object a line, written as they come: a run that is killed goes on where it stood.

A reply is found by what made it: the question with its pictures, the sampling settings and the model's fingerprint.
So one file serves several suites and settings, and nothing in it is ever changed. The last line of a killed run may
be torn; it is passed over and asked again.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from clearsight.decoding.sampling import Sampling
from clearsight.evals.item import EvalError, Item


@dataclass(frozen=True)
class Reply:
    """What a model said. `finish_reason` is that of the engine, or "failed" when it could not be asked, with `error`.

    `logprob` is the mean log-probability of the reply's tokens, where the engine tells.
    """

    text: str
    finish_reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    logprob: float | None = None
    error: str = ""


def key_of(item: Item, sampling: Sampling, model: str) -> str:
    """SHA-256 of all that decides a reply."""
    settings = dataclasses.asdict(sampling)
    body = [item.conversation.to_json(with_data=False), settings, model]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Replies:
    """The file of replies, open for adding to. One process at a time."""

    def __init__(self, path: Path):
        """Raises EvalError when another process has it open."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{path}.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise EvalError(
                f"another evaluation writes to {path.parent}; wait for it or name another --out"
            ) from None
        self.torn = 0
        self._known = self._read(path)
        self._file: IO[str] = path.open("a", encoding="utf-8")
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            self._file.write("\n")  # behind a torn line

    def get(self, key: str) -> Reply | None:
        return self._known.get(key)

    def add(self, key: str, reply: Reply) -> None:
        self._known[key] = reply
        line = {"key": key} | {k: v for k, v in dataclasses.asdict(reply).items() if v not in (None, "")}
        self._file.write(json.dumps(line | {"text": reply.text}, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def __enter__(self) -> "Replies":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, path: Path) -> dict[str, Reply]:
        found: dict[str, Reply] = {}
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                value: dict[str, Any] = json.loads(line)
                key = value.pop("key")
                found[key] = Reply(**value)
            except (ValueError, KeyError, TypeError):
                self.torn += bool(line.strip())
        return found
