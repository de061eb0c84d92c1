"""Conversations of a user: made, found again, renamed, pinned, shared and deleted. Their turns are in `messages`.

Every function takes the organisation and the user, and every query names both: somebody else's id finds nothing and
answers in the same words as one that doesn't exist. Whatever a function reports has been committed before.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server import errors
from clearsight.server.store import text
from clearsight.server.store.blobs import Blobs, release
from clearsight.server.store.database import Database
from clearsight.server.store.tables import (
    Conversation,
    Message,
    MessagePicture,
    Organisation,
    new_id,
    now_ms,
)

MAX_TITLE = 300
MAX_PAGE = 100


@dataclass(frozen=True)
class Page:
    """Some conversations, and the cursor that goes on after them; None at the end."""

    conversations: list[Conversation]
    next_cursor: str | None


async def create(
    database: Database,
    organisation_id: str,
    user_id: str,
    title: str = "",
    settings: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Conversation:
    """A new one, empty. Raises ApiError 400 for text that can't be kept."""
    kept, described = dict(settings or {}), dict(metadata or {})
    _check_title(title)
    text.check(kept, "settings")
    text.check(described, "metadata")
    now = now_ms()
    conversation = Conversation(
        id=new_id("conv"),
        organisation_id=organisation_id,
        user_id=user_id,
        title=title,
        search=text.folded(title),
        settings=kept,
        metadata_=described,
        pinned=False,
        share_hash=None,
        last_sequence=0,
        created_at=now,
        updated_at=now,
    )
    async with database.write() as session:
        session.add(conversation)
    return conversation


async def get(database: Database, organisation_id: str, user_id: str, conversation_id: str) -> Conversation:
    """Raises ApiError 404."""
    async with database.read() as session:
        return await find(session, organisation_id, user_id, conversation_id)


async def page(
    database: Database,
    organisation_id: str,
    user_id: str,
    *,
    query: str = "",
    cursor: str | None = None,
    limit: int = 30,
) -> Page:
    """Pinned ones first, then by the last change; with a `query` those whose title or messages contain it.

    Raises ApiError 400 for a cursor that didn't come from here.
    """
    limit = min(max(limit, 1), MAX_PAGE)
    wanted = select(Conversation).where(
        Conversation.organisation_id == organisation_id, Conversation.user_id == user_id
    )
    if query.strip():
        text.check(query, "query")
        like = text.pattern(query.strip())
        said = exists().where(
            Message.conversation_id == Conversation.id, Message.search.like(like, escape="\\")
        )
        wanted = wanted.where(or_(Conversation.search.like(like, escape="\\"), said))
    if cursor is not None:
        pinned, updated_at, last_id = _read_cursor(cursor)
        later = tuple_(Conversation.updated_at, Conversation.id) < tuple_(updated_at, last_id)
        unpinned = Conversation.pinned.is_(False)
        wanted = wanted.where(
            or_(and_(Conversation.pinned.is_(True), later), unpinned) if pinned else and_(unpinned, later)
        )
    wanted = wanted.order_by(
        Conversation.pinned.desc(), Conversation.updated_at.desc(), Conversation.id.desc()
    )
    async with database.read() as session:
        found = list((await session.scalars(wanted.limit(limit + 1))).all())
    more = len(found) > limit
    return Page(found[:limit], _write_cursor(found[limit - 1]) if more else None)


async def change(
    database: Database,
    organisation_id: str,
    user_id: str,
    conversation_id: str,
    *,
    title: str | None = None,
    pinned: bool | None = None,
    settings: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Conversation:
    """Rename, pin or set; None leaves alone. It keeps its place in the list. Raises ApiError 400 and 404."""
    async with database.write() as session:
        conversation = await find(session, organisation_id, user_id, conversation_id, lock=True)
        if title is not None:
            _check_title(title)
            conversation.title, conversation.search = title, text.folded(title)
        if pinned is not None:
            conversation.pinned = pinned
        if settings is not None:
            text.check(dict(settings), "settings")
            conversation.settings = dict(settings)
        if metadata is not None:
            text.check(dict(metadata), "metadata")
            conversation.metadata_ = dict(metadata)
    return conversation


async def remove(
    database: Database, blobs: Blobs, organisation_id: str, user_id: str, conversation_id: str
) -> None:
    """Delete it with its messages, and the pictures that nothing else shows. Raises ApiError 404."""
    async with database.write() as session:
        await find(session, organisation_id, user_id, conversation_id, lock=True)
        gone = await remove_rows(session, organisation_id, [conversation_id])
    await blobs.collect(organisation_id, gone)


async def share(database: Database, organisation_id: str, user_id: str, conversation_id: str) -> str:
    """A token under which it can be read without logging in; the one before stops working. Raises ApiError 404."""
    token = secrets.token_urlsafe(24)
    async with database.write() as session:
        conversation = await find(session, organisation_id, user_id, conversation_id, lock=True)
        conversation.share_hash = _token_hash(token)
    return token


async def unshare(database: Database, organisation_id: str, user_id: str, conversation_id: str) -> None:
    """Its link finds nothing from now on. Raises ApiError 404."""
    async with database.write() as session:
        conversation = await find(session, organisation_id, user_id, conversation_id, lock=True)
        conversation.share_hash = None


async def shared(database: Database, token: str) -> Conversation:
    """What a link shows. Raises ApiError 404, also when its organisation is suspended."""
    wanted = (
        select(Conversation)
        .join(Organisation, Organisation.id == Conversation.organisation_id)
        .where(Conversation.share_hash == _token_hash(token), Organisation.suspended_at.is_(None))
    )
    async with database.read() as session:
        conversation = await session.scalar(wanted)
    if conversation is None:
        raise errors.not_found("shared conversation")
    return conversation


async def find(
    session: AsyncSession, organisation_id: str, user_id: str, conversation_id: str, lock: bool = False
) -> Conversation:
    """The row, held until the transaction ends if `lock`. Raises ApiError 404."""
    wanted = select(Conversation).where(
        Conversation.id == conversation_id,
        Conversation.organisation_id == organisation_id,
        Conversation.user_id == user_id,
    )
    conversation = await session.scalar(wanted.with_for_update() if lock else wanted)
    if conversation is None:
        raise errors.not_found("conversation")
    return conversation


async def remove_rows(session: AsyncSession, organisation_id: str, ids: list[str]) -> list[str]:
    """Take conversations away; the pictures to `collect` after the commit."""
    if not ids:
        return []
    shown = (
        select(MessagePicture.sha256)
        .join(Message, Message.id == MessagePicture.message_id)
        .where(Message.conversation_id.in_(ids))
    )
    hashes = list((await session.scalars(shown.distinct())).all())
    await session.execute(
        delete(Conversation)
        .where(Conversation.id.in_(ids), Conversation.organisation_id == organisation_id)
        .execution_options(synchronize_session=False)
    )
    return await release(session, organisation_id, hashes)


def _check_title(title: str) -> None:
    text.check(title, "title")
    if len(title) > MAX_TITLE:
        raise errors.ApiError(
            400,
            f"A title has at most {MAX_TITLE} characters; shorten it.",
            param="title",
            code="title_too_long",
        )


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _write_cursor(last: Conversation) -> str:
    place = json.dumps([last.pinned, last.updated_at, last.id])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read_cursor(cursor: str) -> tuple[bool, int, str]:
    try:
        pinned, updated_at, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        good = isinstance(pinned, bool) and type(updated_at) is int and isinstance(last_id, str)
        if good and 0 <= updated_at < 1 << 63 and last_id.isascii() and "\0" not in last_id:
            return pinned, updated_at, last_id
    except (ValueError, TypeError, RecursionError):
        pass
    raise errors.ApiError(
        400, "The cursor isn't one of this list; begin without one.", param="cursor", code="invalid_cursor"
    )
