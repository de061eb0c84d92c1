"""Pools of other servers: two real ones, of which one is killed, and ones that hang, fail and are not there."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2
import pytest
from PIL import Image as PILImage
from serving import Served, serving
from upstreams import ENDLESS, answering, hanging, question

from benchmarks.server_process import ServerProcess, free_port, running_server
from clearsight.conversation import Conversation, Image, Text, user
from clearsight.engine.upstream import Upstream
from clearsight.server import routing
from clearsight.server.routing import Circuit, NoReplica, Pool, Replica


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    folder = tmp_path_factory.mktemp("pair")
    config = '[models.mini]\npath = "mini"\nthreads = 1\ncache_tokens = 4096\n[speech]\nenabled = false\n'
    # Over one folder, so that one key opens both: a pool has one.
    with running_server(folder, config) as one, running_server(folder, config) as two:
        yield one, two


def ask(front: Served, **settings: object) -> httpx2.Response:
    return httpx2.post(
        f"{front.url}/v1/chat/completions", headers=front.headers, json=question(**settings), timeout=120
    )


def metric(front: Served, name: str, address: str) -> float:
    text = httpx2.get(f"{front.url}/metrics", headers=front.admin_headers).text
    lines = [line for line in text.splitlines() if line.startswith(name) and f'replica="{address}' in line]
    assert lines, f"{name} of {address} is not told"
    return float(lines[0].rpartition(" ")[2])


def front_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: str, *addresses: str
) -> AbstractContextManager[Served]:
    monkeypatch.setenv("CLEARSIGHT_UPSTREAM_KEY", key)
    return serving(folder, models={"mini": {"upstream": addresses}})


@pytest.mark.slow
def test_nobody_notices_servers_that_are_gone_hang_or_fail_while_one_works(
    pair: tuple[ServerProcess, ServerProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = f"{pair[0].url}/v1#mini"
    gone = f"http://127.0.0.1:{free_port()}/v1#mini"
    with (
        hanging() as hangs,
        answering(500) as fails,
        front_of(tmp_path, monkeypatch, pair[0].key, gone, hangs, fails, works) as front,
    ):
        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(lambda _: ask(front), range(36)))
        # A second failure in a row of broken ones is told as 503: an answer is begun anew once, and no more.
        assert {one.status_code for one in answers} <= {200, 503}
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and metric(front, "clearsight_upstream_up", hangs):
            time.sleep(0.5)
        assert metric(front, "clearsight_upstream_up", hangs) == 0
        assert metric(front, "clearsight_upstream_up", gone) == 0
        assert metric(front, "clearsight_upstream_up", works) == 1
        assert [ask(front).status_code for _ in range(12)] == [200] * 12
        assert (
            metric(front, "clearsight_upstream_failures_before_first_token_total", fails) >= routing.FAILURES
        )
        assert metric(front, "clearsight_upstream_circuits_opened_total", fails) >= 1
        assert metric(front, "clearsight_upstream_running", hangs) == 0
        assert metric(front, "clearsight_upstream_failures_after_first_token_total", works) == 0


@pytest.mark.slow
def test_a_killed_server_breaks_its_running_answer_with_an_error_event_and_no_other(
    pair: tuple[ServerProcess, ServerProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {f"{one.url}/v1#mini": one for one in pair}
    with front_of(tmp_path, monkeypatch, pair[0].key, *addresses) as front:
        body = question(stream=True, **ENDLESS)
        with httpx2.stream(
            "POST", f"{front.url}/v1/chat/completions", headers=front.headers, json=body, timeout=60
        ) as response:
            lines = response.iter_lines()
            told = [next(lines) for _ in range(12)]
            (busy,) = [one for one in addresses if metric(front, "clearsight_upstream_running", one)]
            addresses[busy].process.kill()
            told += list(lines)
        events = [line.removeprefix("data: ") for line in told if line.startswith("data: ")]
        assert json.loads(events[-1])["error"]["code"] == "engine"
        assert "127.0.0.1" not in events[-1]
        assert metric(front, "clearsight_upstream_failures_after_first_token_total", busy) == 1
        # Half of these would go to the one that is gone; no check has missed it yet.
        assert [ask(front).status_code for _ in range(12)] == [200] * 12


def test_a_request_that_the_server_refuses_is_the_askers_mistake_and_no_failure(tmp_path: Path) -> None:
    with answering(400) as refuses, serving(tmp_path, models={"mini": {"upstream": (refuses,)}}) as front:
        for _ in range(2 * routing.FAILURES):
            answer = ask(front)
            assert answer.status_code == 400
            assert answer.json()["error"]["code"] == "upstream_refused"
            assert "secret" not in answer.text
        assert metric(front, "clearsight_upstream_circuits_opened_total", refuses) == 0


def test_a_prompt_too_long_for_a_vllm_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with (
        answering(400, tokenize={"count": 5000, "max_model_len": 4096}) as address,
        serving(tmp_path, models={"mini": {"upstream": (address,)}}) as front,
    ):
        error = ask(front).json()["error"]
        assert error["code"] == "context_length_exceeded"
        assert "5000" in error["message"] and "4096" in error["message"]


def test_a_circuit_opens_after_failures_in_a_row_lets_one_probe_through_and_closes_when_it_works() -> None:
    circuit = Circuit()
    for _ in range(routing.FAILURES - 1):
        circuit.enter()
        circuit.fail(0)
    circuit.succeed()
    for _ in range(routing.FAILURES):
        assert not circuit.is_open(0)
        circuit.enter()
        circuit.fail(0)
    assert circuit.is_open(routing.OPEN_SECONDS - 0.1)
    assert not circuit.is_open(routing.OPEN_SECONDS)
    circuit.enter()
    assert circuit.is_open(routing.OPEN_SECONDS), "a second answer went through beside the probe"
    circuit.fail(10)
    assert circuit.is_open(10 + 2 * routing.OPEN_SECONDS - 0.1), "a failed probe didn't make the wait longer"
    circuit.enter()
    circuit.leave()
    assert not circuit.is_open(10 + 2 * routing.OPEN_SECONDS), (
        "a probe that was given up kept the circuit shut"
    )
    circuit.enter()
    circuit.succeed()
    assert not circuit.is_open(10)
    assert circuit.opened == 2


@pytest.fixture
def pool() -> Iterator[Pool]:
    replicas = [Replica(Upstream(f"http://127.0.0.1:{port}/v1", "m"), f"r{port}") for port in (1, 2, 3, 4)]
    pool = Pool(replicas)
    yield pool
    pool.close()


def showing(shade: int, *more: int) -> Conversation:
    pictures = [Image(pixels=PILImage.new("RGB", (8, 8), (one, 0, 0))) for one in (shade, *more)]
    return Conversation((user(*pictures, Text("What?")),))


def test_a_picture_goes_where_it_is_known_until_that_server_is_busy(pool: Pool) -> None:
    home = pool.choose("a", showing(1))
    assert all(pool.choose("a", showing(1)) is home for _ in range(20))
    assert pool.choose("a", showing(1, 2)) is home, "a second picture moved the conversation"
    home.running = routing.MARGIN
    assert pool.choose("a", showing(1)) is home
    home.running = routing.MARGIN + 1
    assert pool.choose("a", showing(1)) is not home


def test_pictures_are_spread_and_those_of_two_tenants_apart(pool: Pool) -> None:
    homes = [pool.choose("a", showing(shade)).name for shade in range(200)]
    assert all(
        25 <= homes.count(replica.name) <= 75 for replica in pool.replicas
    )  # 50 expected, 6 the deviation
    assert homes != [pool.choose("b", showing(shade)).name for shade in range(200)]


def test_when_a_server_goes_only_its_own_pictures_move(pool: Pool) -> None:
    before = [pool.choose("a", showing(shade)) for shade in range(100)]
    pool.replicas[0].missed_checks = routing.MISSED_CHECKS
    after = [pool.choose("a", showing(shade)) for shade in range(100)]
    for was, now in zip(before, after, strict=True):
        assert now is was or was is pool.replicas[0]
    for replica in pool.replicas:
        replica.missed_checks = routing.MISSED_CHECKS
    with pytest.raises(NoReplica):
        pool.choose("a", showing(1))


def test_text_alone_goes_to_the_least_loaded(pool: Pool) -> None:
    for replica, running in zip(pool.replicas, (3, 1, 2, 5), strict=True):
        replica.running = running
    assert pool.choose("a", Conversation((user("hello"),))) is pool.replicas[1]
