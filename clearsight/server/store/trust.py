"""What reviewers work with: reports, strikes, appeals, and lists of pictures that aren't wanted.

    report -> queue -> upheld -> strike -> (three that count: suspended) -> appeal -> granted: strike withdrawn
                    -> dismissed

A strike counts for 90 days. Each deed writes its audit entry in the same transaction; the entry holds ids and
categories, never what was said or shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server import errors
from clearsight.server.store import audit, text
from clearsight.server.store.database import Database, insert
from clearsight.server.store.tables import Appeal, ListedHash, Report, Strike, User, new_id, now_ms

DAY_MS = 86_400_000
STRIKE_MS = 90 * DAY_MS
MAX_STRIKES = 3
SUSPENSION_MS = 30 * DAY_MS
MAX_COMMENT = 10_000
PDQ_HEX = 64
"""Hex digits of a PDQ hash: 256 bits."""
SERVER = ""
"""The organisation of a hash that is listed for all."""

Decision = Literal["upheld", "dismissed"]


async def report(
    database: Database,
    organisation_id: str,
    user_id: str,
    subject: str,
    category: str,
    comment: str = "",
    excerpt: Sequence[Mapping[str, Any]] = (),
    about_user_id: str | None = None,
) -> Report:
    """Say that something is wrong; `excerpt` is what reviewers will see. Raises ApiError 400."""
    kept = [dict(part) for part in excerpt]
    _check_comment(comment)
    text.check([category, subject, kept], "report")
    made = Report(
        id=new_id("report"),
        organisation_id=organisation_id,
        user_id=user_id,
        subject=subject[:64],
        about_user_id=about_user_id,
        category=category[:60],
        comment=comment,
        excerpt=kept,
        status="open",
        decision={},
        created_at=now_ms(),
        decided_at=None,
    )
    async with database.write() as session:
        session.add(made)
        await audit.append(
            session, organisation_id, user_id, "report.create", made.id, {"category": made.category}
        )
    return made


async def queue(
    database: Database,
    organisation_id: str | None,
    status: str = "open",
    after: str | None = None,
    limit: int = 50,
) -> list[Report]:
    """Reports that wait, the oldest first, from after the id `after`; None for the organisation lists all.

    Raises ApiError 404 for an unknown `after`.
    """
    wanted = select(Report).where(Report.status == status)
    if organisation_id is not None:
        wanted = wanted.where(Report.organisation_id == organisation_id)
    async with database.read() as session:
        if after is not None:
            last = await _report(session, organisation_id, after)
            same = Report.created_at == last.created_at
            wanted = wanted.where((Report.created_at > last.created_at) | (same & (Report.id > last.id)))
        order = wanted.order_by(Report.created_at, Report.id).limit(min(max(limit, 1), 200))
        return list((await session.scalars(order)).all())


async def get_report(database: Database, organisation_id: str | None, report_id: str) -> Report:
    """Raises ApiError 404."""
    async with database.read() as session:
        return await _report(session, organisation_id, report_id)


async def decide(
    database: Database,
    actor: str,
    organisation_id: str | None,
    report_id: str,
    decision: Decision,
    reason: str,
    strike: bool = False,
) -> tuple[Report, Strike | None]:
    """Uphold or dismiss a report, once; upheld, `strike` counts it against whom it is about.

    Raises ApiError 404, and 400 when it is decided already.
    """
    _check_comment(reason)
    async with database.write() as session:
        found = await _report(session, organisation_id, report_id, lock=True)
        if found.status != "open":
            raise errors.ApiError(400, "This report has been decided already.", code="already_decided")
        found.status, found.decided_at = decision, now_ms()
        found.decision = {"by": actor, "reason": reason}
        given = None
        entries: list[tuple[str, str, dict[str, Any]]] = []
        if strike and decision == "upheld" and found.about_user_id is not None:
            given, entries = await _strike(
                session, found.organisation_id, found.about_user_id, reason, report_id=found.id
            )
        await audit.append(session, found.organisation_id, actor, f"report.{decision}", report_id)
        await _append_all(session, found.organisation_id, actor, entries)
    return found, given


async def strike(
    database: Database, actor: str, organisation_id: str, user_id: str, reason: str
) -> tuple[Strike, User]:
    """Count something against a user without a report; the user, suspended now if it was one too many.

    Raises ApiError 404.
    """
    _check_comment(reason)
    async with database.write() as session:
        given, entries = await _strike(session, organisation_id, user_id, reason, report_id=None)
        await _append_all(session, organisation_id, actor, entries)
        user = await session.get_one(User, user_id)
    return given, user


async def strikes(database: Database, organisation_id: str, user_id: str) -> list[Strike]:
    """All of a user, the newest first; those that count are neither withdrawn nor expired."""
    wanted = select(Strike).where(Strike.organisation_id == organisation_id, Strike.user_id == user_id)
    async with database.read() as session:
        return list((await session.scalars(wanted.order_by(Strike.created_at.desc(), Strike.id))).all())


async def appeal(
    database: Database, organisation_id: str, user_id: str, strike_id: str, words: str
) -> Appeal:
    """Ask for a strike to be looked at again, once. Raises ApiError 404, and 400 when it was asked before."""
    _check_comment(words)
    async with database.write() as session:
        against = await session.get(Strike, strike_id, with_for_update=True)
        if against is None or (against.organisation_id, against.user_id) != (organisation_id, user_id):
            raise errors.not_found("strike")
        if await session.scalar(select(Appeal.id).where(Appeal.strike_id == strike_id)):
            raise errors.ApiError(
                400, "An appeal against this strike was made before.", code="already_appealed"
            )
        made = Appeal(
            id=new_id("appeal"),
            organisation_id=organisation_id,
            user_id=user_id,
            strike_id=strike_id,
            text=words,
            status="open",
            created_at=now_ms(),
            decided_at=None,
        )
        session.add(made)
        if against.report_id is not None:
            origin = await session.get(Report, against.report_id)
            if origin is not None:
                origin.status = "appealed"
        await audit.append(session, organisation_id, user_id, "appeal.create", made.id)
    return made


async def appeals(
    database: Database, organisation_id: str | None, status: str = "open", limit: int = 50
) -> list[Appeal]:
    """Appeals, the oldest first; None for the organisation lists all."""
    wanted = select(Appeal).where(Appeal.status == status)
    if organisation_id is not None:
        wanted = wanted.where(Appeal.organisation_id == organisation_id)
    order = wanted.order_by(Appeal.created_at, Appeal.id).limit(min(max(limit, 1), 200))
    async with database.read() as session:
        return list((await session.scalars(order)).all())


async def decide_appeal(
    database: Database, actor: str, organisation_id: str | None, appeal_id: str, granted: bool
) -> Appeal:
    """Granted, the strike is withdrawn, and a suspension that it led to ends. Raises ApiError 404 and 400."""
    async with database.write() as session:
        found = await session.get(Appeal, appeal_id, with_for_update=True)
        if found is None or organisation_id not in (None, found.organisation_id):
            raise errors.not_found("appeal")
        if found.status != "open":
            raise errors.ApiError(400, "This appeal has been decided already.", code="already_decided")
        now = now_ms()
        found.status, found.decided_at = ("granted" if granted else "refused"), now
        against = await session.get_one(Strike, found.strike_id)
        origin = await session.get(Report, against.report_id) if against.report_id else None
        if origin is not None:
            origin.status = "dismissed" if granted else "upheld"
        entries: list[tuple[str, str, dict[str, Any]]] = [(f"appeal.{found.status}", found.id, {})]
        if granted:
            user = await session.get_one(User, found.user_id, with_for_update=True)
            against.withdrawn_at = now
            await session.flush()
            entries.append(("strike.withdraw", against.id, {}))
            if await _by_strikes(session, user) and await _counting(session, user.id) < MAX_STRIKES:
                user.suspended_until = None
                entries.append(("user.restore", user.id, {}))
        await _append_all(session, found.organisation_id, actor, entries)
    return found


async def list_hash(database: Database, actor: str, organisation_id: str, pdq: str, reason: str) -> None:
    """Don't accept pictures like the one with this PDQ hash (64 hex digits); `SERVER` is for all.

    Raises ApiError 400.
    """
    pdq = pdq.lower()
    text.check(reason, "reason")
    if len(pdq) != PDQ_HEX or not set(pdq) <= set("0123456789abcdef"):
        raise errors.ApiError(400, "A PDQ hash has 64 hex digits.", param="pdq", code="invalid_hash")
    async with database.write() as session:
        row = insert(session, ListedHash).values(
            pdq=pdq, organisation_id=organisation_id, reason=reason[:200], created_at=now_ms()
        )
        await session.execute(row.on_conflict_do_nothing())
        await audit.append(session, organisation_id, actor, "hash.list", pdq)


async def unlist_hash(database: Database, actor: str, organisation_id: str, pdq: str) -> None:
    """Accept them again. Raises ApiError 404."""
    async with database.write() as session:
        taken = await session.execute(
            delete(ListedHash)
            .where(ListedHash.pdq == pdq.lower(), ListedHash.organisation_id == organisation_id)
            .returning(ListedHash.pdq)
            .execution_options(synchronize_session=False)
        )
        if taken.first() is None:
            raise errors.not_found("listed hash")
        await audit.append(session, organisation_id, actor, "hash.unlist", pdq.lower())


async def listed_hashes(database: Database, organisation_id: str) -> list[ListedHash]:
    """Those of an organisation and those for all; whoever compares pictures keeps them in memory."""
    wanted = select(ListedHash).where(ListedHash.organisation_id.in_([organisation_id, SERVER]))
    async with database.read() as session:
        return list((await session.scalars(wanted.order_by(ListedHash.pdq))).all())


async def _strike(
    session: AsyncSession, organisation_id: str, user_id: str, reason: str, report_id: str | None
) -> tuple[Strike, list[tuple[str, str, dict[str, Any]]]]:
    """A strike, and what has to be told of it. The lock on the user makes two strikes at once count as two."""
    user = await session.get(User, user_id, with_for_update=True)
    if user is None or user.organisation_id != organisation_id:
        raise errors.not_found("user")
    now = now_ms()
    given = Strike(
        id=new_id("strike"),
        organisation_id=organisation_id,
        user_id=user_id,
        report_id=report_id,
        reason=reason,
        created_at=now,
        expires_at=now + STRIKE_MS,
        withdrawn_at=None,
    )
    session.add(given)
    await session.flush()
    entries: list[tuple[str, str, dict[str, Any]]] = [("strike.give", given.id, {"user": user_id})]
    counting = await _counting(session, user_id)
    if counting >= MAX_STRIKES:
        user.suspended_until = max(user.suspended_until or 0, now + SUSPENSION_MS)
        entries.append(("user.suspend", user_id, {"until": user.suspended_until, "strikes": counting}))
    return given, entries


async def _counting(session: AsyncSession, user_id: str) -> int:
    wanted = select(func.count()).where(
        Strike.user_id == user_id, Strike.withdrawn_at.is_(None), Strike.expires_at > now_ms()
    )
    return (await session.scalar(wanted)) or 0


async def _by_strikes(session: AsyncSession, user: User) -> bool:
    """Whether it was a strike that suspended a user, and not a person for a period of their choice."""
    given = await session.scalars(select(Strike.created_at).where(Strike.user_id == user.id))
    return user.suspended_until in {created_at + SUSPENSION_MS for created_at in given}


async def _append_all(
    session: AsyncSession, organisation_id: str, actor: str, entries: list[tuple[str, str, dict[str, Any]]]
) -> None:
    for action, subject, details in entries:
        await audit.append(session, organisation_id, actor, action, subject, details)


async def _report(
    session: AsyncSession, organisation_id: str | None, report_id: str, lock: bool = False
) -> Report:
    found = await session.get(Report, report_id, with_for_update=True if lock else None)
    if found is None or organisation_id not in (None, found.organisation_id):
        raise errors.not_found("report")
    return found


def _check_comment(comment: str) -> None:
    text.check(comment, "comment")
    if len(comment) > MAX_COMMENT:
        raise errors.ApiError(
            400, f"A comment has at most {MAX_COMMENT} characters; shorten it.", param="comment"
        )
