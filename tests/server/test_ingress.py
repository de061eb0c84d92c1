"""The corpus of bad inputs at every HTTP entrance of a real server: the same verdict everywhere, and never a break.

By default each entrance gets a part of the corpus, the same part every time and another one than its neighbours'; the
whole is marked slow.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from serving import Served

from tests.server.corpus import cases
from tests.server.corpus.case import Case
from tests.server.corpus.pictures import tiny_png_url
from tests.server.ingresses import INGRESSES, MODEL, Ingress, Request

SECONDS = 2.0
"""Of processor time: the server with its workers, and this client, which lives in the same process."""
MEBIBYTES = 200
STEP = 16
"""One case of so many is in the part that an entrance gets by default."""
GOOD_EVERY = 8
FRESH_EVERY = 60
"""Questions in one conversation; its turns are read again with each."""
LEAKS = (
    *("PIL", "Pillow", "libjpeg", "libpng", "site-packages", "Traceback", "httpcore", "Errno", "pydantic"),
    *(
        "0x",
        "/usr",
        str(Path(__file__).parents[2]),
        "/tmp",
        "/home",
        "sqlite",
        "sqlalchemy",
        "multipart.",
        "starlette",
        "codec",
    ),
)


@functools.cache
def corpus() -> list[Case]:
    return list(cases())


def whole_of(ingress: Ingress) -> Iterator[tuple[Case, Request]]:
    """Everything that this entrance gets, one at a time: some requests hold megabytes."""
    for case in corpus():
        if (request := ingress.convert(case)) is not None:
            yield case, request


def part_of(ingress: Ingress) -> Iterator[tuple[Case, Request]]:
    """An even part, beginning elsewhere at each entrance; of pictures the same, because looking at one takes long."""
    for number, case in enumerate(corpus()):
        offset = 0 if case.picture is not None else INGRESSES.index(ingress)
        if number % STEP == offset and (request := ingress.convert(case)) is not None:
            yield case, request


def test_the_part_is_as_large_as_it_has_to_be() -> None:
    table = {ingress.name: sum(1 for _ in part_of(ingress)) for ingress in INGRESSES}
    for name, count in table.items():
        print(f"{name:24}{count:6}")
    assert sum(table.values()) >= 1_500
    assert all(count >= 100 for count in table.values())


@pytest.mark.parametrize("ingress", INGRESSES, ids=[ingress.name for ingress in INGRESSES])
def test_a_bad_input_is_refused_in_words_and_costs_little(served: Served, ingress: Ingress) -> None:
    with Entrance(served) as entrance:
        assert not (faults := entrance.faults(part_of(ingress))), "\n".join(faults)


@pytest.mark.exhaustive
@pytest.mark.parametrize("ingress", INGRESSES, ids=[ingress.name for ingress in INGRESSES])
def test_no_bad_input_of_all_gets_past_its_verdict(served: Served, ingress: Ingress) -> None:
    with Entrance(served) as entrance:
        assert not (faults := entrance.faults(whole_of(ingress))), "\n".join(faults)
        print(f"{ingress.name:24}{entrance.sent:6}")
    assert entrance.sent >= 1_000


def question() -> dict[str, Any]:
    """A good request about a picture."""
    content = [{"type": "image_url", "image_url": {"url": tiny_png_url()}}, {"type": "text", "text": "?"}]
    return {"model": MODEL, "messages": [{"role": "user", "content": content}]}


@dataclass
class Entrance:
    """A client that looks at what its requests cost the server, which runs in this process."""

    served: Served
    sent: int = 0
    conversation: str = ""
    client: httpx2.Client = field(init=False)

    def __enter__(self) -> "Entrance":
        self.client = self.served.client()
        self.begin_conversation()
        assert self.good() == "", "before anything bad came"
        self.client.post(
            "/v1/chat/completions", json=question() | {"max_tokens": 1}
        )  # loads what judges pictures
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @functools.cached_property
    def can_speak(self) -> bool:
        """Whether there is a voice here: a test machine may have none."""
        spoken = {"model": "tts-1", "voice": "alloy", "input": "Hello."}
        return self.client.post("/v1/audio/speech", json=spoken).status_code == 200

    def begin_conversation(self) -> None:
        self.conversation = self.client.post("/v1/conversations", json={}).json()["id"]

    def faults(self, wanted: Iterable[tuple[Case, Request]]) -> list[str]:
        """What went wrong, one line a fault."""
        found = []
        for number, (case, request) in enumerate(wanted):
            if number % FRESH_EVERY == FRESH_EVERY - 1:
                self.begin_conversation()
            found += [f"{case.group} {case.name}: {what}" for what in self.faults_of(case, request)]
            if number % GOOD_EVERY == 0 and (what := self.good()):
                found.append(f"{case.group} {case.name}: the next good request gets {what}")
        return found

    def faults_of(self, case: Case, request: Request) -> Iterator[str]:
        path = request.path.replace("{conversation}", self.conversation)
        if path == "/v1/audio/speech" and not self.can_speak and request.expect != "refused":
            return
        pids = children()
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, began = memory("VmRSS"), processor_seconds()
        answer = self.client.post(path, content=request.content, headers={"content-type": request.media_type})
        seconds, grown = processor_seconds() - began, memory("VmHWM") - before
        self.sent += 1
        yield from wrong_answer(case, request, answer)
        if answer.status_code != 200 and seconds > SECONDS:
            yield f"took {seconds:.1f} s"
        if grown > MEBIBYTES:
            yield f"took {grown} MiB"
        if children() != pids and path != "/v1/audio/speech" and path != "/v1/audio/transcriptions":
            yield "a worker died"

    def good(self) -> str:
        """What is wrong with the answer to a request that is right, or nothing."""
        answer = self.client.post("/v1/tokens/count", json=question())
        return "" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"


def wrong_answer(case: Case, request: Request, answer: httpx2.Response) -> Iterator[str]:
    """What is wrong with an answer, whatever was asked."""
    if "x-request-id" not in answer.headers:
        yield "no x-request-id"
    if answer.status_code == 200:
        if request.expect == "refused":
            yield f"accepted: {answer.text[:150]}"
        return
    if request.expect == "accepted":
        yield f"refused: {answer.status_code} {answer.text[:200]}"
        return
    if not 400 <= answer.status_code < 500:
        yield f"status {answer.status_code}: {answer.text[:200]}"
        return
    error: Any = answer.json().get("error")
    if not isinstance(error, dict) or set(error) != {"message", "type", "param", "code"}:
        yield f"not the shape of an error: {answer.text[:200]}"
        return
    message = error["message"]
    begins = message[:1].isupper() or message.startswith(error["param"] or "\0")
    if not message.endswith((".", "?", "!")) or len(message) > 500 or not begins:
        yield f"no sentence: {message[:200]}"
    if leaked := [word for word in LEAKS if word in message]:
        yield f"says {leaked} in {message[:200]}"
    if request.names_field and not error["param"]:
        yield f"names no field: {message[:200]}"


def children() -> set[int]:
    """Processes that this one started, and theirs."""
    found: set[int] = set()
    waiting = [Path("/proc/self")]
    while waiting:
        for task in (waiting.pop() / "task").glob("*"):
            try:
                pids = {int(pid) for pid in (task / "children").read_text().split()}
            except OSError:
                continue  # it ended meanwhile
            waiting += [Path(f"/proc/{pid}") for pid in pids - found]
            found |= pids
    return found


def processor_seconds() -> float:
    """Of this process and those that it started."""
    total = 0
    for pid in ("self", *map(str, children())):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / 100


def memory(name: str) -> int:
    """MiB of this process: VmRSS now, VmHWM at its highest."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) // 1024
