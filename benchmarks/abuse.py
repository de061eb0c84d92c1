"""Bad requests by the hundred thousand on a real server process: it stays up, answers in its own words, and forgets.

Cases of the corpus that must be refused (tests/server/corpus) are drawn with a seed and sent to every entrance
(tests/server/ingresses.py), several at once. What fails it: an answer of 5xx, a connection that breaks, a bad request
that is accepted, a process that ends, and memory behind the last request that is more than GROWTH above what it was
behind the warm-up. The last line is JSON, the exit code 1 after a failure.

    python -m benchmarks.abuse                          # 100,000 requests
    python -m benchmarks.abuse --requests 5000 --concurrency 16 --seed 7
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from benchmarks.server_process import ServerProcess, running_server
from tests.server.corpus import cases
from tests.server.corpus.case import Case
from tests.server.ingresses import INGRESSES

WARM_UP = 0.1  # of the requests: imports, pools and caches reach their size
GROWTH = 64  # MiB
SETTLE_SECONDS = 5.0
CONFIG = """
[limits]
requests_per_minute = 1000000000
tokens_per_minute = 1000000000
megapixels_per_minute = 1000000000
"""


@dataclass
class Counts:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    entrances: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, what: str) -> None:
        self.faults.append(what)
        if len(self.faults) <= 20:
            print(what, flush=True)


async def abuse(
    server: ServerProcess, draws: Iterator[tuple[Case, int]], concurrency: int, counts: Counts
) -> None:
    """Send what is drawn until it ends, so many at once."""
    headers = {"authorization": f"Bearer {server.key}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=120) as client:
        conversation = (await client.post("/v1/conversations", json={})).json()["id"]

        async def send_all() -> None:
            for case, entrance in draws:
                request = INGRESSES[entrance].convert(case)
                if request is None or request.expect != "refused":
                    continue
                path = request.path.replace("{conversation}", conversation)
                name = INGRESSES[entrance].name
                try:
                    answer = await client.post(
                        path, content=request.content, headers={"content-type": request.media_type}
                    )
                except httpx2.HTTPError as error:
                    counts.fault(f"{name}, {case.group} {case.name}: {type(error).__name__}")
                    continue
                counts.entrances[name] += 1
                counts.statuses[answer.status_code] += 1
                if not 400 <= answer.status_code < 500 or "error" not in answer.json():
                    counts.fault(
                        f"{name}, {case.group} {case.name}: {answer.status_code} {answer.text[:100]}"
                    )

        await asyncio.gather(*(send_all() for _ in range(concurrency)))


def drawn(known: list[tuple[Case, int]], count: int, chance: random.Random) -> Iterator[tuple[Case, int]]:
    for _ in range(count):
        yield chance.choice(known)


def refused() -> list[tuple[Case, int]]:
    """Each case at each entrance where it has to be refused."""
    found = []
    for case in cases():
        if case.expect == "accepted" and case.picture is None:
            continue
        for number, ingress in enumerate(INGRESSES):
            request = ingress.convert(case)
            if request is not None and request.expect == "refused":
                found.append((case, number))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    chance, counts = random.Random(wanted.seed), Counts()
    known = refused()
    print(f"{len(known)} pairs of a case and an entrance", flush=True)
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), CONFIG) as server:
        warm_up = int(wanted.requests * WARM_UP)
        asyncio.run(abuse(server, drawn(known, warm_up, chance), wanted.concurrency, counts))
        time.sleep(SETTLE_SECONDS)
        before, began = server.memory >> 20, time.monotonic()
        rest = wanted.requests - warm_up
        asyncio.run(abuse(server, drawn(known, rest, chance), wanted.concurrency, counts))
        seconds = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        after = server.memory >> 20
        alive = server.process.poll() is None
        log = server.said
    if "Traceback" in log:
        counts.fault("the log has a traceback:\n" + log[log.index("Traceback") :][:3000])
    if not alive:
        counts.fault("the server ended")
    if after - before > GROWTH:
        counts.fault(f"memory grew from {before} to {after} MiB")
    figures = {
        "requests": counts.statuses.total(),
        "statuses": dict(sorted(counts.statuses.items())),
        "entrances": dict(sorted(counts.entrances.items())),
        "faults": len(counts.faults),
        "mebibytes_before": before,
        "mebibytes_after": after,
        "requests_per_second": round(rest / seconds, 1),
        "concurrency": wanted.concurrency,
        "seed": wanted.seed,
    }
    print(json.dumps(figures))
    sys.exit(1 if counts.faults else 0)


if __name__ == "__main__":
    main()
