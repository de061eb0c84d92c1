"""Every picture and address of the corpus through the entrance: right verdict, little time, little memory."""

import asyncio
import resource
import time
from pathlib import Path

import pytest

from clearsight.server.errors import ApiError
from clearsight.server.ingest.ingest import Ingest, Picture
from clearsight.server.ingest.limits import IngestLimits, RemoteLimits
from clearsight.server.ingest.remote import Fetcher
from tests.server.corpus import cases
from tests.server.corpus.case import Case
from tests.server.corpus.pictures import encoded, scene

SECONDS = 2.0  # of processor time, worker and server together
MEBIBYTES = 200
LEAKS = (
    "PIL",
    "Pillow",
    "libjpeg",
    "libpng",
    "0x",
    "/usr",
    str(Path(__file__).parents[3]),
    "site-packages",
    "Traceback",
    "httpcore",
    "Errno",
)


async def verdict(ingest: Ingest, case: Case) -> Picture | ApiError:
    try:
        ingest.check_parts([case.image_url], param="url")
        return await ingest.from_url(case.image_url, param="url")
    except ApiError as error:
        return error


def processor_seconds(pids: list[int]) -> float:
    total = time.process_time()
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / 100
    return total


def check(case: Case, answer: Picture | ApiError) -> str:
    """What is wrong, or nothing."""
    if isinstance(answer, ApiError):
        if case.expect == "accepted":
            return f"refused: {answer.message}"
        if answer.status != 400 or answer.param != "url" or not answer.code:
            return f"not a clean 400: {answer.to_json()}"
        if leaked := [word for word in LEAKS if word in answer.message]:
            return f"says {leaked} in {answer.message}"
        return "" if answer.message.endswith(".") else f"no sentence: {answer.message}"
    return "accepted" if case.expect == "refused" else ""


async def run(group: int) -> list[str]:
    wrong = []
    limits = IngestLimits(cache_bytes=0)
    async with Ingest(limits, workers=1) as ingest:
        good = Case(0, "good", "accepted", picture=encoded(scene()))
        for case in cases({group}):
            if case.kind == "body":
                continue
            pids = ingest.worker_pids
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = processor_seconds(pids)
            answer = await verdict(ingest, case)
            same_worker = ingest.worker_pids == pids
            seconds = processor_seconds(pids) - began if same_worker else 0.0
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            if what := check(case, answer):
                wrong.append(f"{case.name}: {what}")
            if not same_worker:
                wrong.append(f"{case.name}: the worker died")
            if seconds > SECONDS:
                wrong.append(f"{case.name}: took {seconds:.1f} s")
            if grown > MEBIBYTES * 1024:
                wrong.append(f"{case.name}: took {grown // 1024} MiB")
            if isinstance(answer, ApiError) and check(good, await verdict(ingest, good)):
                wrong.append(f"{case.name}: the next picture is refused")
    return wrong


@pytest.mark.parametrize("group", [1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18])
def test_no_input_gets_past_its_verdict_or_takes_the_entrance_down(group: int) -> None:
    assert asyncio.run(run(group)) == []


def test_no_address_of_the_corpus_is_called_when_fetching_is_on() -> None:
    """With the real resolver and the real judge: nothing but public names could be called, and none of them is one."""

    async def run_all() -> list[str]:
        limits = RemoteLimits(
            connect_seconds=0.2, total_seconds=1.0, max_concurrency=64, ports=frozenset({80, 443, 8360})
        )
        async with Ingest(workers=1, fetcher=Fetcher(limits)) as ingest:
            found = [case for case in cases({1, 2, 3, 6, 7}) if case.url is not None]
            answers = await asyncio.gather(*(verdict(ingest, case) for case in found))
            return [
                f"{case.name}: {what}"
                for case, answer in zip(found, answers, strict=True)
                if (what := check(case, answer))
            ]

    assert asyncio.run(run_all()) == []


def test_the_corpus_is_as_large_as_it_claims() -> None:
    names = [(case.group, case.name) for case in cases()]
    assert len(names) >= 1_500
    assert len(set(names)) == len(names)
