"""Quotas hold to the request, over several processes, and a dead process gives back its places."""

import asyncio
import contextlib

import pytest

from clearsight.server import limits as limits_module
from clearsight.server.config import Limits
from clearsight.server.errors import ApiError
from clearsight.server.limits import Limiter
from clearsight.server.store.tables import new_id

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "redis"])
async def limiter(request, redis_url, anyio_backend):
    limiter = Limiter("memory://" if request.param == "memory" else redis_url)
    yield limiter
    await limiter.close()


@pytest.fixture
def clock(monkeypatch):
    """Minutes that begin when a test says so."""

    class Clock:
        now = 1_000_000 * 60.0

        def time(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(limits_module, "time", clock)
    return clock


async def refused(limiter: Limiter, principal: str, limits: Limits, **more) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await limiter.admit(principal, limits, **more)
    return caught.value


async def test_of_a_hundred_at_once_exactly_the_quota_passes(limiter):
    limits, principal = Limits(requests_per_minute=50, concurrency=200), new_id("key")
    results = await asyncio.gather(
        *(limiter.admit(principal, limits) for _ in range(100)), return_exceptions=True
    )
    assert sum(isinstance(result, ApiError) and result.status == 429 for result in results) == 50


async def test_of_a_hundred_over_two_processes_exactly_the_quota_passes(redis_url, start, together):
    principal = new_id("key")
    children = [start("admit", redis_url, principal, "50", "50", "200", "0") for _ in range(2)]
    lines = [line for printed in together(children) for line in printed]
    assert (lines.count("admitted"), lines.count("429 requests")) == (50, 50)


async def test_places_are_shared_by_two_processes_and_free_again_at_the_end(redis_url, start, together):
    principal, limits = new_id("key"), Limits(concurrency=10)
    children = [start("admit", redis_url, principal, "15", "1000", "10", "1.5") for _ in range(2)]
    lines = [line for printed in together(children) for line in printed]
    assert (lines.count("admitted"), lines.count("429 concurrency")) == (10, 20)
    limiter = Limiter(redis_url)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(await limiter.admit(principal, limits))
        assert (await refused(limiter, principal, limits)).type == "concurrency"
    await limiter.close()


async def test_places_of_a_killed_process_run_out_and_those_of_a_living_one_dont(
    redis_url, start, monkeypatch
):
    principal, limits = new_id("key"), Limits(concurrency=2)
    monkeypatch.setattr(limits_module, "LEASE_MS", 700)
    monkeypatch.setattr(limits_module, "RENEW_S", 0.2)
    dead, living = Limiter(redis_url), Limiter(redis_url)
    await dead.admit(principal, limits)
    dead._renewing.cancel()  # what a kill does to it
    async with await living.admit(principal, limits):
        assert (await refused(living, principal, limits)).type == "concurrency"
        await asyncio.sleep(1.2)
        async with await living.admit(principal, limits):
            assert (await refused(living, principal, limits)).type == "concurrency"
    await living.close()


async def test_an_estimate_is_settled_by_what_was_used(limiter, clock):
    limits, principal = Limits(tokens_per_minute=1000), new_id("key")
    first = await limiter.admit(principal, limits, tokens=900)
    assert (await refused(limiter, principal, limits, tokens=101)).type == "tokens"
    await first.settle(100)
    await first.settle(100)
    second = await limiter.admit(principal, limits, tokens=800)
    assert second.headers["x-ratelimit-remaining-tokens"] == "100"
    await second.settle(1000)  # more than there was: it has been used
    third = await refused(limiter, principal, limits, tokens=1)
    assert third.headers["x-ratelimit-remaining-tokens"] == "0"


async def test_settling_late_doesnt_enlarge_the_next_minute(limiter, clock):
    limits, principal = Limits(tokens_per_minute=1000), new_id("key")
    first = await limiter.admit(principal, limits, tokens=1000)
    clock.now += 120
    await first.settle(0)
    await limiter.admit(principal, limits, tokens=1000)
    assert (await refused(limiter, principal, limits, tokens=1)).status == 429


async def test_the_minute_slides_and_retry_after_is_when_it_fits(limiter, clock):
    limits, principal = Limits(requests_per_minute=10), new_id("key")
    clock.now += 30
    for _ in range(10):
        await limiter.admit(principal, limits)
    error = await refused(limiter, principal, limits)
    assert error.code == "rate_limit_exceeded"
    wait_ms = int(error.headers["retry-after-ms"])
    assert error.headers["Retry-After"] == str(-(-wait_ms // 1000)) == "36"
    clock.now += wait_ms / 1000 - 0.05
    await refused(limiter, principal, limits)
    clock.now += 0.1
    await limiter.admit(principal, limits)
    again = await refused(limiter, principal, limits)
    clock.now += int(again.headers["retry-after-ms"]) / 1000 + 0.05
    await limiter.admit(principal, limits)


async def test_a_request_that_is_turned_away_takes_nothing(limiter, clock):
    limits = Limits(requests_per_minute=5, tokens_per_minute=100, megapixels_per_minute=1, concurrency=2)
    principal = new_id("key")
    async with await limiter.admit(principal, limits, tokens=60, pixels=600_000):
        for _ in range(20):
            assert (await refused(limiter, principal, limits, tokens=1, pixels=500_000)).type == "pixels"
            assert (await refused(limiter, principal, limits, tokens=50, pixels=1)).type == "tokens"
        async with await limiter.admit(principal, limits, tokens=40, pixels=400_000) as admission:
            assert admission.headers == {
                "x-ratelimit-limit-requests": "5",
                "x-ratelimit-remaining-requests": "3",
                "x-ratelimit-reset-requests": "2m0s",
                "x-ratelimit-limit-tokens": "100",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "2m0s",
            }


async def test_a_request_that_can_never_fit_is_not_to_be_tried_again(limiter):
    error = await refused(limiter, new_id("key"), Limits(tokens_per_minute=100), tokens=101)
    assert (error.status, error.headers) == (429, {"x-should-retry": "false"})


async def test_a_place_is_free_after_an_answer_that_failed(limiter):
    limits, principal = Limits(concurrency=1), new_id("key")
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with await limiter.admit(principal, limits):
                raise RuntimeError("the engine failed")


async def test_one_key_doesnt_use_up_anothers_quota(limiter):
    limits = Limits(requests_per_minute=1, concurrency=1)
    await limiter.admit(new_id("key"), limits)
    await limiter.admit(new_id("key"), limits)


async def test_logging_in_is_limited(limiter, clock):
    who = new_id("address")
    for _ in range(3):
        await limiter.attempt("login", who, 3)
    with pytest.raises(ApiError) as caught:
        await limiter.attempt("login", who, 3)
    assert caught.value.status == 429


async def test_without_the_shared_store_nobody_is_let_in_and_readiness_says_so():
    limiter = Limiter("redis://127.0.0.1:1/0")
    error = await refused(limiter, "key_x", Limits())
    assert (error.status, error.headers["x-should-retry"], error.headers["Retry-After"]) == (503, "true", "1")
    assert "127.0.0.1" not in error.message
    assert not await limiter.healthy()
    await limiter.close()


async def test_a_shared_store_that_is_there_is_healthy(limiter):
    assert await limiter.healthy()
