"""The ledger of what requests cost, and the monthly budget that is spent from it.

One row for each request, and one row a month for each organisation that holds their sum and what is set aside for
answers in the making. Both change in one transaction, so the sum of the rows is the month's figure to the token. A
reservation counts against the budget as if it were spent, until it is settled or, when its process was killed, runs
out; then it stops counting. Two requests for the last tokens are told apart by the lock of the month's row.

Lines that set nothing aside are written a few at a time (`Ledger`): a commit costs as much for one as for fifty. A
process that is killed loses those of its last twentieth of a second.

Months are those of UTC. Tokens are prompt tokens and completion tokens together; image and cached tokens are part of
the prompt's and add nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server.errors import ApiError
from clearsight.server.store.database import Database, insert
from clearsight.server.store.tables import Month, Organisation, Reservation, Usage, new_id, now_ms

log = logging.getLogger(__name__)

RESERVED_MS = 900_000
"""How long a reservation counts without being extended: 15 minutes."""
DAY_MS = 86_400_000
TOGETHER_S = 0.05
"""Lines of so many seconds are written together."""
LONGEST_PAUSE_S = 5.0
MOST_TOGETHER = 500

Status = Literal["complete", "stopped", "failed", "filtered"]
By = Literal["day", "model", "key", "user"]


@dataclass(frozen=True)
class Cost:
    """What one request used; `request_id` makes writing it twice the same as once."""

    request_id: str
    organisation_id: str
    user_id: str
    key_id: str | None
    route: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    pixels: int = 0
    audio_ms: int = 0
    status: Status = "complete"
    created_at: int = field(default_factory=now_ms)

    @property
    def tokens(self) -> int:
        """What counts against the budget."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Reserved:
    """Tokens set aside; `id` is None where there is no budget to set them aside from."""

    id: str | None
    organisation_id: str
    tokens: int


@dataclass(frozen=True)
class Sum:
    """What a group of requests used together; `key` is the day (2026-11-28), model, key id or user id."""

    key: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    image_tokens: int
    cached_tokens: int
    pixels: int
    audio_ms: int


@dataclass(frozen=True)
class Spent:
    """A month: tokens used, tokens set aside, and the budget (None is without end)."""

    month: str
    tokens: int
    reserved: int
    budget: int | None


def month_of(at_ms: int) -> str:
    """For instance 2026-11, of milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


class Ledger:
    """Writes what finished requests used, those of the same moment together."""

    def __init__(self, database: Database):
        self._database = database
        self._waiting: list[Cost] = []
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def settle(self, reserved: Reserved, cost: Cost) -> None:
        """Note what a request used. What was set aside for it is given back at once: others may need it."""
        if reserved.id is not None:
            await settle(self._database, reserved, cost)
            return
        self._wait([cost])

    async def flush(self) -> None:
        """Write what waits. What the database doesn't take now waits on; what it never will is dropped."""
        async with self._writing:
            costs, self._waiting = self._waiting, []
            try:
                await self._write(costs)
            except BaseException:
                self._wait(costs)
                raise

    async def close(self) -> None:
        """Write what waits, if the database lets it."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self.flush()
        except (SQLAlchemyError, OSError):
            log.exception("%d lines of the ledger are lost", len(self._waiting))

    async def _write(self, costs: list[Cost]) -> None:
        try:
            await record(self._database, costs)
        except (IntegrityError, DataError, ApiError) as error:  # for instance, its organisation is gone
            if len(costs) == 1:
                log.warning("a line of the ledger is dropped: %s", error)
                return
            for cost in costs:
                await self._write([cost])

    def _wait(self, costs: list[Cost]) -> None:
        self._waiting += costs
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        pause = TOGETHER_S
        while self._waiting:
            await asyncio.sleep(pause)
            try:
                await self.flush()
            except (SQLAlchemyError, OSError):
                log.exception("%d lines of the ledger wait for the database", len(self._waiting))
                pause = min(2 * pause, LONGEST_PAUSE_S)


async def record(database: Database, costs: Sequence[Cost]) -> int:
    """Write what requests used, and return how many of them were not written before."""
    written = 0
    for start in range(0, len(costs), MOST_TOGETHER):
        some = {cost.request_id: cost for cost in costs[start : start + MOST_TOGETHER]}
        async with database.write() as session:
            fresh = await _insert(session, list(some.values()))
            await _count(session, [some[request_id] for request_id in fresh])
        written += len(fresh)
    return written


async def reserve(database: Database, organisation_id: str, tokens: int, budget: int | None) -> Reserved:
    """Set aside what a request may cost at most, of the organisation's budget for this month; None is without end.

    Raises ApiError 429 insufficient_quota when it is spent.
    """
    assert tokens >= 0
    month = month_of(now_ms())
    if budget is None:
        return Reserved(None, organisation_id, 0)
    reservation = Reservation(
        id=new_id("rsv"),
        organisation_id=organisation_id,
        month=month,
        tokens=tokens,
        expires_at=now_ms() + RESERVED_MS,
    )
    async with database.write() as session:
        await _open_month(session, organisation_id, month)
        # From here on this organisation's requests take turns: the lock on the month's row is held to the commit.
        await _lock_months(session, organisation_id)
        await _release_expired(session, organisation_id)
        taken = await session.execute(
            update(Month)
            .where(
                Month.organisation_id == organisation_id,
                Month.month == month,
                Month.tokens + Month.reserved + tokens <= budget,
            )
            .values(reserved=Month.reserved + tokens)
            .returning(Month.month)
            .execution_options(synchronize_session=False)
        )
        granted = taken.first() is not None
        if granted:
            session.add(reservation)
    if not granted:
        raise ApiError(
            429,
            "This organisation's budget of tokens for this month is spent; ask its admin for more.",
            type="insufficient_quota",
            code="insufficient_quota",
            retry=False,
        )
    return Reserved(reservation.id, organisation_id, tokens)


async def extend(database: Database, reserved: Reserved) -> bool:
    """Let a reservation count for another 15 minutes; False when it has run out already."""
    if reserved.id is None:
        return True
    async with database.write() as session:
        extended = await session.execute(
            update(Reservation)
            .where(Reservation.id == reserved.id)
            .values(expires_at=now_ms() + RESERVED_MS)
            .returning(Reservation.id)
            .execution_options(synchronize_session=False)
        )
        return extended.first() is not None


async def settle(database: Database, reserved: Reserved, cost: Cost | None) -> bool:
    """Write what was used in the place of what was set aside (None: nothing was); False when written already.

    What was used counts even where it is more than was set aside, or that has run out: it has been used.
    """
    async with database.write() as session:
        written = cost is None or bool(await _insert(session, [cost]))
        if reserved.id is not None:
            await _lock_months(session, reserved.organisation_id)
            await _give_back(session, reserved.organisation_id, Reservation.id == reserved.id)
        if written and cost is not None:
            await _count(session, [cost])
    return written


async def spent(
    database: Database, organisation_id: str, default_budget: int | None, month: str | None = None
) -> Spent:
    """A month's figures; by default the present one."""
    wanted = month or month_of(now_ms())
    async with database.read() as session:
        row = await session.get(Month, (organisation_id, wanted))
        own = await session.scalar(
            select(Organisation.monthly_tokens).where(Organisation.id == organisation_id)
        )
    budget = default_budget if own is None else own
    return Spent(wanted, row.tokens if row else 0, row.reserved if row else 0, budget)


async def sums(
    database: Database,
    organisation_id: str,
    by: By,
    since: int,
    until: int,
    user_id: str | None = None,
) -> list[Sum]:
    """What an organisation (or one of its users) used from `since` up to before `until`, in ms since 1970."""
    key: Any = {
        "day": Usage.created_at - Usage.created_at % DAY_MS,
        "model": Usage.model,
        "key": func.coalesce(Usage.key_id, ""),
        "user": Usage.user_id,
    }[by]
    counted = ("prompt_tokens", "completion_tokens", "image_tokens", "cached_tokens", "pixels", "audio_ms")
    wanted = (
        select(
            key.label("key"),
            func.count().label("requests"),
            *(func.sum(getattr(Usage, name)).label(name) for name in counted),
        )
        .where(Usage.organisation_id == organisation_id, Usage.created_at >= since, Usage.created_at < until)
        .group_by("key")
        .order_by("key")
    )
    if user_id is not None:
        wanted = wanted.where(Usage.user_id == user_id)
    async with database.read() as session:
        rows = (await session.execute(wanted)).all()
    return [
        Sum(
            datetime.fromtimestamp(row.key / 1000, UTC).strftime("%Y-%m-%d") if by == "day" else row.key,
            row.requests,
            *(int(getattr(row, name)) for name in counted),
        )
        for row in rows
    ]


async def _insert(session: AsyncSession, costs: Sequence[Cost]) -> list[str]:
    """Write lines, and return the requests' ids of those that were not there."""
    values = [{name: getattr(cost, name) for name in Cost.__dataclass_fields__} for cost in costs]
    written = await session.execute(
        insert(session, Usage).on_conflict_do_nothing().returning(Usage.request_id), values
    )
    return list(written.scalars())


async def _count(session: AsyncSession, costs: Sequence[Cost]) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    for cost in costs:
        sums[cost.organisation_id, month_of(cost.created_at)] += cost.tokens
    for (organisation_id, month), tokens in sorted(
        sums.items()
    ):  # in one order: two that write never wait in a ring
        row = insert(session, Month).values(
            organisation_id=organisation_id, month=month, tokens=tokens, reserved=0
        )
        counted = {"tokens": Month.tokens + tokens}
        await session.execute(
            row.on_conflict_do_update(index_elements=["organisation_id", "month"], set_=counted)
        )


async def _open_month(session: AsyncSession, organisation_id: str, month: str) -> None:
    row = insert(session, Month).values(organisation_id=organisation_id, month=month, tokens=0, reserved=0)
    await session.execute(row.on_conflict_do_nothing())


async def _lock_months(session: AsyncSession, organisation_id: str) -> None:
    await session.execute(
        select(Month.month)
        .where(Month.organisation_id == organisation_id)
        .order_by(Month.month)
        .with_for_update()
    )


async def _release_expired(session: AsyncSession, organisation_id: str) -> None:
    await _give_back(session, organisation_id, Reservation.expires_at <= now_ms())


async def _give_back(session: AsyncSession, organisation_id: str, which: Any) -> None:
    """Take reservations away and off their months, whose rows are locked."""
    taken = await session.execute(
        delete(Reservation)
        .where(Reservation.organisation_id == organisation_id, which)
        .returning(Reservation.month, Reservation.tokens)
        .execution_options(synchronize_session=False)
    )
    for month, tokens in taken.all():
        await session.execute(
            update(Month)
            .where(Month.organisation_id == organisation_id, Month.month == month)
            .values(reserved=Month.reserved - tokens)
            .execution_options(synchronize_session=False)
        )
