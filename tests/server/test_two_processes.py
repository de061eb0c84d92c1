"""Two server processes that share PostgreSQL, Redis and a folder of blobs: to clients they are one server."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from serving import Served

from benchmarks.server_process import ServerProcess, start
from tests.server.databases import run_sql

QUOTA = 50


@pytest.fixture(scope="module")
def pair(
    served: Served, postgres: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServerProcess, ServerProcess, str]]:
    """Two servers over one store, and a key; the model is another server's, so that they start at once."""
    folder = tmp_path_factory.mktemp("pair")
    asyncio.run(run_sql(postgres, "CREATE DATABASE pair"))
    config = f"""
[models.mini]
upstream = ["{served.url}/v1#mini"]
[store]
database = "{postgres}/pair"
limits = "{redis_url}"
"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARSIGHT_UPSTREAM_KEY", served.key)
        servers = [start(folder, config) for _ in range(2)]
    try:
        for server in servers:
            server.wait()
        keys = [re.search(r"cs-[0-9a-f]{12}-\S{43}", server.said) for server in servers]
        found = [key[0] for key in keys if key]
        assert len(found) == 1, "exactly one of two servers that start at once makes the owner"
        yield servers[0], servers[1], found[0]
    finally:
        for server in servers:
            server.kill()


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_conversation_begun_on_one_goes_on_on_the_other(
    pair: tuple[ServerProcess, ServerProcess, str], sample: bytes
) -> None:
    one, other, key = pair
    with httpx2.Client(headers=bearer(key), timeout=120) as http:
        uploaded = http.post(f"{one.url}/v1/images", files={"file": ("star.png", sample)}).json()
        conversation = http.post(f"{one.url}/v1/conversations", json={}).json()["id"]
        parts = [
            {"type": "image", "sha256": uploaded["sha256"]},
            {"type": "text", "text": "What shape is this?"},
        ]
        first = http.post(f"{one.url}/v1/conversations/{conversation}/answers", json={"content": parts})
        assert '"type":"done"' in first.text, first.text
        told = http.get(f"{other.url}/v1/conversations/{conversation}").json()["messages"]
        assert told[1]["content"] == [{"type": "text", "text": "star"}]
        second = http.post(
            f"{other.url}/v1/conversations/{conversation}/answers",
            json={"content": "What colour is the shape?", "parent_id": told[1]["id"]},
        )
        assert "black" in second.text
        picture = http.get(f"{other.url}/v1/images/{uploaded['sha256']}")
        assert picture.headers["content-type"] == "image/png"
        assert len(http.get(f"{one.url}/v1/conversations/{conversation}").json()["messages"]) == 4


def test_exactly_the_quota_passes_when_a_hundred_come_at_once(
    pair: tuple[ServerProcess, ServerProcess, str],
) -> None:
    one, other, _ = pair
    limited = _key_with_limits(one, {"requests_per_minute": QUOTA})
    urls = [f"{server.url}/v1/moderations" for server in (one, other)] * QUOTA

    def ask(url: str) -> int:
        return httpx2.post(url, json={"input": "hello"}, headers=bearer(limited), timeout=120).status_code

    with ThreadPoolExecutor(100) as threads:
        answers = list(threads.map(ask, urls))
    assert sorted(answers) == [200] * QUOTA + [429] * QUOTA


def test_a_key_that_is_revoked_on_one_is_refused_by_the_other(
    pair: tuple[ServerProcess, ServerProcess, str],
) -> None:
    one, other, _ = pair
    key = _key_with_limits(one, {}, ["inference", "account"])
    with httpx2.Client(headers=bearer(key), timeout=60) as http:
        assert http.get(f"{other.url}/v1/models").status_code == 200
        key_id = http.get(f"{one.url}/v1/account/keys").json()["data"][0]["id"]
        assert http.delete(f"{one.url}/v1/account/keys/{key_id}").status_code == 200
        time.sleep(1.2)  # for so long the other one trusts what it knows
        assert http.get(f"{other.url}/v1/models").status_code == 401


def test_the_ledger_adds_up_over_both(pair: tuple[ServerProcess, ServerProcess, str]) -> None:
    one, other, _ = pair
    with httpx2.Client(
        headers=bearer(_key_with_limits(one, {}, ["inference", "account"])), timeout=120
    ) as http:
        before = http.get(f"{one.url}/v1/usage").json()["month"]["tokens"]
        spent = 0
        for server in (one, other, one):
            answer = http.post(
                f"{server.url}/v1/chat/completions",
                json={"model": "mini", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4},
            ).json()
            spent += answer["usage"]["total_tokens"]
        time.sleep(0.5)  # each writes its lines a few at a time
        told = http.get(f"{other.url}/v1/usage").json()
    assert told["month"]["tokens"] - before == spent
    assert (
        sum(day["prompt_tokens"] + day["completion_tokens"] for day in told["data"])
        == told["month"]["tokens"]
    )


def _key_with_limits(
    server: ServerProcess, limits: dict[str, int], scopes: Sequence[str] = ("inference",)
) -> str:
    """Another key, made as an administrator makes one."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in limits.items()]
    options += [f"--scope={scope}" for scope in scopes]
    return server.admin("keys", "create", "test", *options)
