"""Trust and safety: thumbs and reports, the reviewers' queue, strikes, appeals, listed pictures, the audit log."""

import dataclasses
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from clearsight.server.body import Body, StrictRoute
from clearsight.server.platform import platform_of
from clearsight.server.principal import Principal, principal_of
from clearsight.server.store import audit, messages, trust
from clearsight.server.store import feedback as thumbs
from clearsight.server.store.tables import Appeal, Report, Strike

router = APIRouter(tags=["trust"], route_class=StrictRoute)
CATEGORIES = Literal[
    "wrong", "harmful", "hateful", "sexual", "private", "identifies a person", "copyright", "other"
]


class NewFeedback(Body):
    message_id: str
    good: bool
    comment: Annotated[str, Field(max_length=2000)] = ""
    consent: bool = False
    """Whether it may be learned from, once it is redacted."""


class NewReport(Body):
    subject: str
    """Id of the message that is meant."""
    category: CATEGORIES
    comment: Annotated[str, Field(max_length=2000)] = ""


class NewAppeal(Body):
    strike_id: str
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class ReportDecision(Body):
    decision: Literal["upheld", "dismissed"]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    strike: bool = False


class AppealDecision(Body):
    granted: bool


class NewListedHash(Body):
    pdq: Annotated[str, Field(min_length=64, max_length=64)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]


@router.post("/v1/feedback")
async def feedback(body: NewFeedback, request: Request) -> dict[str, Any]:
    """Say whether an answer was good; said again, it replaces what was said."""
    platform, principal = platform_of(request), principal_of(request)
    await thumbs.give(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        body.message_id,
        good=body.good,
        comment=body.comment,
        consent=body.consent,
    )
    return {"object": "feedback", "message_id": body.message_id, "good": body.good}


@router.post("/v1/reports")
async def report(body: NewReport, request: Request) -> dict[str, Any]:
    """Report a message of one's own conversations; reviewers see it as it is now."""
    platform, principal = platform_of(request), principal_of(request)
    message = await messages.get(
        platform.database, principal.organisation_id, principal.user_id, body.subject
    )
    made = await trust.report(
        platform.database,
        principal.organisation_id,
        principal.user_id,
        body.subject,
        body.category,
        body.comment,
        message.content,
    )
    return {"object": "report", "id": made.id, "status": made.status}


@router.get("/v1/account/strikes")
async def strikes(request: Request) -> dict[str, Any]:
    """What was counted against oneself."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await trust.strikes(platform.database, principal.organisation_id, principal.user_id)
    return {"object": "list", "data": [_strike(row) for row in rows]}


@router.post("/v1/appeals")
async def appeal(body: NewAppeal, request: Request) -> dict[str, Any]:
    """Ask for a strike to be looked at again; suspended users can do this too."""
    platform, principal = platform_of(request), principal_of(request)
    made = await trust.appeal(
        platform.database, principal.organisation_id, principal.user_id, body.strike_id, body.text
    )
    return _appeal(made)


@router.get("/v1/review/reports")
async def queue(
    request: Request,
    status: Literal["open", "upheld", "dismissed", "appealed"] = "open",
    after: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Reports, the oldest first. Pictures are named by hash; preview them blurred below `/preview`."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await trust.queue(platform.database, _where(principal), status, after, min(max(limit, 1), 200))
    return {"object": "list", "data": [_report(row) for row in rows]}


@router.post("/v1/review/reports/{report_id}")
async def decide(body: ReportDecision, request: Request, report_id: str) -> dict[str, Any]:
    """Uphold or dismiss a report, once."""
    platform, principal = platform_of(request), principal_of(request)
    row, strike = await trust.decide(
        platform.database,
        principal.user_id,
        _where(principal),
        report_id,
        body.decision,
        body.reason,
        body.strike,
    )
    platform.authentication.forget()
    return {**_report(row), "strike": _strike(strike) if strike else None}


@router.get("/v1/review/appeals")
async def appeals(request: Request, status: Literal["open", "granted", "refused"] = "open") -> dict[str, Any]:
    """Appeals, the oldest first."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await trust.appeals(platform.database, _where(principal), status)
    return {"object": "list", "data": [_appeal(row) for row in rows]}


@router.post("/v1/review/appeals/{appeal_id}")
async def decide_appeal(body: AppealDecision, request: Request, appeal_id: str) -> dict[str, Any]:
    """Grant an appeal (the strike is withdrawn, its suspension ends) or refuse it."""
    platform, principal = platform_of(request), principal_of(request)
    row = await trust.decide_appeal(
        platform.database, principal.user_id, _where(principal), appeal_id, body.granted
    )
    platform.authentication.forget()
    return _appeal(row)


@router.get("/v1/review/hashes")
async def hashes(request: Request) -> dict[str, Any]:
    """Perceptual hashes (PDQ) of pictures that aren't accepted."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await trust.listed_hashes(platform.database, principal.organisation_id)
    data = [{"pdq": row.pdq, "reason": row.reason, "for_all": not row.organisation_id} for row in rows]
    return {"object": "list", "data": data}


@router.post("/v1/review/hashes")
async def list_hash(body: NewListedHash, request: Request) -> dict[str, Any]:
    """Don't accept pictures like this one any more, in one's organisation."""
    platform, principal = platform_of(request), principal_of(request)
    await trust.list_hash(
        platform.database, principal.user_id, principal.organisation_id, body.pdq, body.reason
    )
    return {"object": "listed_hash", "pdq": body.pdq.lower()}


@router.delete("/v1/review/hashes/{pdq}")
async def unlist_hash(request: Request, pdq: str) -> dict[str, Any]:
    """Accept them again."""
    platform, principal = platform_of(request), principal_of(request)
    await trust.unlist_hash(platform.database, principal.user_id, principal.organisation_id, pdq)
    return {"object": "listed_hash", "pdq": pdq, "deleted": True}


@router.get("/v1/admin/audit")
async def audit_log(request: Request, before: int | None = None, limit: int = 50) -> dict[str, Any]:
    """Who did what, newest first, and whether the chain of hashes is whole."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await audit.page(platform.database, _where(principal), before, limit)
    broken = await audit.verify(platform.database)
    data = [
        {
            "sequence": row.sequence,
            "created_at": row.created_at / 1000,
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "details": row.details,
        }
        for row in rows
    ]
    return {"object": "list", "data": data, "broken": dataclasses.asdict(broken) if broken else None}


def _where(principal: Principal) -> str | None:
    """Reviewers see their organisation; the owner of the server sees all."""
    return None if principal.is_owner else principal.organisation_id


def _report(row: Report) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "report",
        "subject": row.subject,
        "category": row.category,
        "comment": row.comment,
        "excerpt": row.excerpt,
        "status": row.status,
        "decision": row.decision,
        "created_at": row.created_at / 1000,
        "decided_at": row.decided_at / 1000 if row.decided_at else None,
    }


def _strike(row: Strike) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "strike",
        "reason": row.reason,
        "created_at": row.created_at / 1000,
        "expires_at": row.expires_at / 1000,
        "withdrawn": row.withdrawn_at is not None,
    }


def _appeal(row: Appeal) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "appeal",
        "strike_id": row.strike_id,
        "text": row.text,
        "status": row.status,
        "created_at": row.created_at / 1000,
    }
