"""The ledger adds up to the token, and a budget isn't overspent by requests that race."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from clearsight.server.errors import ApiError
from clearsight.server.store import usage
from clearsight.server.store.tables import Month, Reservation, Usage, new_id

pytestmark = pytest.mark.anyio
DAY_MS = 86_400_000


def cost(people, prompt: int, completion: int, **more) -> usage.Cost:
    values = {"key_id": None, "route": "/v1/chat/completions", "model": "mini", **more}
    return usage.Cost(
        request_id=values.pop("request_id", new_id("req")),
        organisation_id=people.organisation,
        user_id=people.user,
        prompt_tokens=prompt,
        completion_tokens=completion,
        **values,
    )


async def ledger_and_month(database, organisation: str) -> tuple[int, int]:
    async with database.read() as session:
        total = func.coalesce(func.sum(Usage.prompt_tokens + Usage.completion_tokens), 0)
        ledger = await session.scalar(select(total).where(Usage.organisation_id == organisation))
        month = await session.scalar(
            select(func.coalesce(func.sum(Month.tokens), 0)).where(Month.organisation_id == organisation)
        )
    return int(ledger), int(month)


async def test_writing_a_request_twice_counts_once(database, people):
    one = cost(people, 10, 5)
    assert [await usage.record(database, [one]) for _ in range(3)] == [1, 0, 0]
    assert await ledger_and_month(database, people.organisation) == (15, 15)


async def test_sums_by_day_model_key_and_user(database, people):
    noon = 1_790_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2
    await usage.record(database, [cost(people, 1, 2, created_at=noon, key_id="key_a", pixels=7)])
    await usage.record(
        database, [cost(people, 10, 20, created_at=noon + DAY_MS, model="big", image_tokens=4)]
    )
    await usage.record(database, [cost(people, 100, 200, created_at=noon + DAY_MS, key_id="key_a")])
    window = (noon, noon + 2 * DAY_MS)
    by_day = await usage.sums(database, people.organisation, "day", *window)
    assert [(each.key, each.requests, each.prompt_tokens, each.completion_tokens) for each in by_day] == [
        ("2026-09-21", 1, 1, 2),
        ("2026-09-22", 2, 110, 220),
    ]
    by_model = await usage.sums(database, people.organisation, "model", *window)
    assert [(each.key, each.image_tokens) for each in by_model] == [("big", 4), ("mini", 0)]
    by_key = await usage.sums(database, people.organisation, "key", *window)
    assert [(each.key, each.prompt_tokens, each.pixels) for each in by_key] == [
        ("", 10, 0),
        ("key_a", 101, 7),
    ]
    assert len(await usage.sums(database, people.organisation, "user", *window)) == 1
    assert await usage.sums(database, people.organisation, "day", noon + 3 * DAY_MS, noon + 9 * DAY_MS) == []
    assert await usage.sums(database, people.other_organisation, "day", *window) == []


async def test_a_budget_counts_what_is_set_aside_and_gives_back_what_wasnt_used(database, people):
    first = await usage.reserve(database, people.organisation, 60, 100)
    with pytest.raises(ApiError) as caught:
        await usage.reserve(database, people.organisation, 41, 100)
    error = caught.value
    assert (error.status, error.code, error.headers["x-should-retry"]) == (429, "insufficient_quota", "false")
    second = await usage.reserve(database, people.organisation, 40, 100)
    await usage.settle(database, first, cost(people, 20, 10))
    await usage.settle(database, second, None)
    assert await usage.spent(database, people.organisation, 100) == usage.Spent(
        usage.month_of(usage.now_ms()), 30, 0, 100
    )
    await usage.reserve(database, people.organisation, 70, 100)


async def test_without_a_budget_nothing_is_set_aside(database, people):
    assert (await usage.reserve(database, people.organisation, 11, None)).id is None


async def test_more_than_was_set_aside_is_counted_as_it_was(database, people):
    reserved = await usage.reserve(database, people.organisation, 10, 100)
    await usage.settle(database, reserved, cost(people, 50, 30))
    assert (await usage.spent(database, people.organisation, 100)).tokens == 80
    assert await ledger_and_month(database, people.organisation) == (80, 80)


async def test_what_a_killed_process_set_aside_comes_back_and_is_counted_once_if_it_lived(database, people):
    lost = await usage.reserve(database, people.organisation, 90, 100)
    slow = await usage.reserve(database, people.organisation, 5, 100)
    async with database.write() as session:
        await session.execute(update(Reservation).values(expires_at=1))
    assert await usage.extend(database, slow)
    again = await usage.reserve(database, people.organisation, 90, 100)
    assert (await usage.spent(database, people.organisation, 100)).reserved == 95
    assert not await usage.extend(database, lost)
    await usage.settle(database, lost, cost(people, 90, 0))  # it lived after all
    await usage.settle(database, again, cost(people, 1, 0))
    await usage.settle(database, slow, cost(people, 5, 0))
    found = await usage.spent(database, people.organisation, 100)
    assert (found.tokens, found.reserved) == (96, 0)


async def test_two_processes_racing_for_a_budget_take_exactly_what_there_is(
    url, database, people, start, together
):
    children = [start("reserve", url, people.organisation, "40", "7", "210") for _ in range(2)]
    words = [word for lines in together(children) for word in lines]
    assert (words.count("reserved"), words.count("insufficient_quota")) == (30, 50)
    assert (await usage.spent(database, people.organisation, 210)).reserved == 210


async def test_a_hundred_requests_at_once_add_up_to_the_token(database, people):
    async def request(number: int) -> None:
        reserved = await usage.reserve(database, people.organisation, 50, 1_000_000)
        used = cost(people, number, 2 * number)
        await asyncio.gather(usage.settle(database, reserved, used), usage.settle(database, reserved, used))

    await asyncio.gather(*(request(number) for number in range(100)))
    assert await ledger_and_month(database, people.organisation) == (3 * 4950, 3 * 4950)
    assert (await usage.spent(database, people.organisation, None)).reserved == 0


async def test_lines_of_one_moment_are_written_together_and_once(database, people):
    book = usage.Ledger(database)
    unlimited = await usage.reserve(database, people.organisation, 50, None)
    first = cost(people, 1, 2)
    for line in (first, cost(people, 10, 20), first):
        await book.settle(unlimited, line)
    await asyncio.sleep(4 * usage.TOGETHER_S)
    assert await ledger_and_month(database, people.organisation) == (33, 33)
    await book.settle(unlimited, cost(people, 100, 0))
    await book.close()
    assert await ledger_and_month(database, people.organisation) == (133, 133)


async def rename(database, table: str, other: str) -> None:
    async with database.write() as session:
        await session.execute(text(f"ALTER TABLE {table} RENAME TO {other}"))


async def test_ledger_keeps_lines_until_the_database_takes_them(database, people):
    book = usage.Ledger(database)
    unlimited = await usage.reserve(database, people.organisation, 50, None)
    await rename(database, "usage", "usage_away")
    await book.settle(unlimited, cost(people, 3, 4))
    with pytest.raises(SQLAlchemyError, match="usage"):
        await book.flush()
    await asyncio.sleep(3 * usage.TOGETHER_S)
    await rename(database, "usage_away", "usage")
    await asyncio.sleep(10 * usage.TOGETHER_S)
    assert await ledger_and_month(database, people.organisation) == (7, 7)
    await book.close()


async def test_lines_of_an_organisation_that_is_gone_hold_up_no_others(database, people):
    book = usage.Ledger(database)
    unlimited = await usage.reserve(database, people.organisation, 50, None)
    await book.settle(unlimited, replace(cost(people, 1, 1), organisation_id="org_gone"))
    await book.settle(unlimited, cost(people, 3, 4))
    await book.flush()
    assert await ledger_and_month(database, people.organisation) == (7, 7)
    await book.close()
