"""What users do about their own account: keys, sessions, preferences, usage, their data out and in, and leaving."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import FileResponse
from pydantic import Field
from starlette.background import BackgroundTask

from clearsight.server.answers import Deleted, KeyList, NewKeyEntry, told
from clearsight.server.body import Body, StrictRoute, check_form
from clearsight.server.errors import ApiError
from clearsight.server.issuing import DAY_MS, issue_key
from clearsight.server.platform import platform_of
from clearsight.server.principal import principal_of
from clearsight.server.store import accounts, transfer
from clearsight.server.store import usage as ledger
from clearsight.server.store.tables import ApiKey, now_ms

router = APIRouter(tags=["account"], route_class=StrictRoute)


class NewKey(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: list[Literal["inference", "files", "conversations"]] | None = None
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Until it expires; for ever by default."""


class Preferences(Body):
    settings: dict[str, Any]


@router.post("/v1/account/keys", responses=told(NewKeyEntry))
async def create_key(body: NewKey, request: Request) -> dict[str, Any]:
    """Make an API key; it is shown here and never again."""
    platform, principal = platform_of(request), principal_of(request)
    key, row = await issue_key(
        platform.database,
        principal.user_id,
        principal.organisation_id,
        principal.user_id,
        body.name,
        body.scopes,
        days=body.days,
    )
    return {**_key(row), "key": key}


@router.get("/v1/account/keys", responses=told(KeyList))
async def list_keys(request: Request) -> dict[str, Any]:
    """One's keys, newest first, revoked ones too."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await accounts.list_keys(platform.database, principal.organisation_id, principal.user_id)
    return {"object": "list", "data": [_key(row) for row in rows]}


@router.delete("/v1/account/keys/{key_id}", responses=told(Deleted))
async def revoke_key(request: Request, key_id: str) -> dict[str, Any]:
    """End a key; what it is answering at the moment ends too."""
    platform, principal = platform_of(request), principal_of(request)
    await accounts.revoke_key(
        platform.database, principal.user_id, principal.organisation_id, key_id, principal.user_id
    )
    platform.authentication.forget()
    return {"id": key_id, "object": "api_key", "deleted": True}


@router.get("/v1/account/sessions")
async def list_sessions(request: Request) -> dict[str, Any]:
    """Where one is logged in."""
    platform, principal = platform_of(request), principal_of(request)
    rows = await accounts.list_sessions(platform.database, principal.user_id)
    data = [
        {
            "id": row.id,
            "object": "browser_session",
            "browser": row.browser,
            "created_at": row.created_at // 1000,
            "this": row.id == principal.id,
        }
        for row in rows
    ]
    return {"object": "list", "data": data}


@router.delete("/v1/account/sessions/{session_id}", responses=told(Deleted))
async def end_session(request: Request, session_id: str) -> dict[str, Any]:
    """Log a browser out."""
    platform, principal = platform_of(request), principal_of(request)
    await accounts.end_session(platform.database, principal.user_id, session_id)
    platform.authentication.forget()
    return {"id": session_id, "object": "browser_session", "deleted": True}


@router.get("/v1/account/settings")
async def settings(request: Request) -> dict[str, Any]:
    """What one prefers in the client."""
    platform, principal = platform_of(request), principal_of(request)
    user = await accounts.get_user(platform.database, principal.organisation_id, principal.user_id)
    return {"object": "settings", "settings": user.settings}


@router.put("/v1/account/settings")
async def keep_settings(body: Preferences, request: Request) -> dict[str, Any]:
    """Keep what one prefers in the client."""
    platform, principal = platform_of(request), principal_of(request)
    if len(str(body.settings)) > 20_000:
        raise ApiError(400, "The settings are too long to be kept.", param="settings")
    await accounts.set_settings(
        platform.database, principal.organisation_id, principal.user_id, body.settings
    )
    return {"object": "settings", "settings": body.settings}


@router.get("/v1/usage")
async def usage(
    request: Request, by: Literal["day", "model", "key"] = "day", days: int = 30
) -> dict[str, Any]:
    """What one's organisation used, from the ledger, and what is left of the month's budget."""
    platform, principal = platform_of(request), principal_of(request)
    if not 1 <= days <= 366:
        raise ApiError(400, "days is from 1 to 366.", param="days")
    until = now_ms() + 1
    await platform.ledger.flush()
    sums = await ledger.sums(
        platform.database, principal.organisation_id, by, until - days * DAY_MS, until, principal.user_id
    )
    spent = await ledger.spent(
        platform.database, principal.organisation_id, platform.config.limits.monthly_tokens
    )
    return {
        "object": "usage",
        "month": {"month": spent.month, "tokens": spent.tokens, "budget": spent.budget},
        "data": [vars(one) for one in sums],
    }


@router.get("/v1/account/export", response_class=FileResponse)
async def export(request: Request) -> FileResponse:
    """Everything of one's own as a ZIP: conversations and pictures, files, responses, feedback, usage."""
    platform, principal = platform_of(request), principal_of(request)
    with tempfile.NamedTemporaryFile(dir=platform.config.data, suffix=".zip", delete=False) as file:
        path = Path(file.name)
    try:
        await platform.ledger.flush()
        await transfer.export_user(
            platform.database, platform.blobs, principal.organisation_id, principal.user_id, path
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return FileResponse(
        path,
        media_type="application/zip",
        filename="clearsight-export.zip",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@router.post("/v1/account/import")
async def import_(request: Request, file: UploadFile) -> dict[str, Any]:
    """Add the conversations of an export. Every picture goes the way of an upload; a bad file changes nothing."""
    platform, principal = platform_of(request), principal_of(request)
    await check_form(request, ("file",))

    async def accept(data: bytes) -> transfer.Accepted:
        taken = await platform.ingest.from_bytes(data, param="file", tenant=principal.organisation_id)
        return transfer.Accepted(taken.data, taken.media_type, taken.width, taken.height, taken.warnings)

    with tempfile.NamedTemporaryFile(dir=platform.config.data, suffix=".zip") as copy:
        while piece := await file.read(1 << 20):
            await anyio.to_thread.run_sync(copy.write, piece)
        copy.flush()
        done = await transfer.import_conversations(
            platform.database,
            platform.blobs,
            principal.organisation_id,
            principal.user_id,
            Path(copy.name),
            accept,
        )
    return {"object": "import", **dataclasses.asdict(done)}


def _key(row: ApiKey) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "api_key",
        "name": row.name,
        "begins": f"cs-{row.lookup}",
        "scopes": row.scopes,
        "created_at": row.created_at // 1000,
        "expires_at": row.expires_at // 1000 if row.expires_at else None,
        "last_used_at": row.last_used_at // 1000 if row.last_used_at else None,
        "revoked": row.revoked_at is not None,
    }
