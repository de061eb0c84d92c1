"""The turns of a conversation, written so that an acknowledged one is there after any kill.

A function returns after its commit; whoever tells the user does it then. A turn is never overwritten: an edited or
repeated one is a sister under the same parent. An answer in the making is a row with status `streaming`, whose
content is replaced by longer snapshots, so that a killed process leaves what had been written so far.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearsight.server import errors
from clearsight.server.store import conversations, text
from clearsight.server.store.blobs import Blobs, refer, release
from clearsight.server.store.database import Database
from clearsight.server.store.tables import Conversation, Message, MessagePicture, new_id, now_ms

Role = Literal["system", "user", "assistant"]
Ending = Literal["complete", "stopped", "failed", "filtered"]

INTERRUPTED = "The server stopped while this was being written."


async def add(
    database: Database,
    organisation_id: str,
    user_id: str,
    conversation_id: str,
    role: Role,
    content: Sequence[Mapping[str, Any]],
    parent_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Message:
    """Add a finished turn. Its pictures were put into the blobs before.

    Raises ApiError 404 (conversation), 400 (parent of another conversation, picture that isn't stored, text that
    can't be kept).
    """
    return await _add(
        database, organisation_id, user_id, conversation_id, role, content, parent_id, "complete", details
    )


async def start_answer(
    database: Database,
    organisation_id: str,
    user_id: str,
    conversation_id: str,
    parent_id: str | None,
    details: Mapping[str, Any] | None = None,
) -> Message:
    """Begin an answer, empty and streaming; then `snapshot` and `finish` it. Raises like `add`."""
    return await _add(
        database, organisation_id, user_id, conversation_id, "assistant", [], parent_id, "streaming", details
    )


async def snapshot(
    database: Database,
    organisation_id: str,
    user_id: str,
    message_id: str,
    content: Sequence[Mapping[str, Any]],
) -> bool:
    """Keep what there is of an answer so far; False when it isn't streaming any more or its conversation is gone."""
    return await _write_answer(database, organisation_id, user_id, message_id, content, "streaming", None)


async def finish(
    database: Database,
    organisation_id: str,
    user_id: str,
    message_id: str,
    content: Sequence[Mapping[str, Any]],
    status: Ending = "complete",
    details: Mapping[str, Any] | None = None,
) -> bool:
    """The end of an answer; False when it had ended already or its conversation is gone meanwhile."""
    return await _write_answer(database, organisation_id, user_id, message_id, content, status, details)


async def note(
    database: Database, organisation_id: str, user_id: str, message_id: str, details: Mapping[str, Any]
) -> Message:
    """Add to the details of a turn that is finished, over those of the same name. Raises ApiError 404."""
    async with database.write() as session:
        message = await _find(session, organisation_id, user_id, message_id)
        message.details = {**message.details, **text.cleaned(dict(details))}
        return message


async def fail_abandoned(database: Database, silent_ms: int = 120_000) -> int:
    """Mark answers whose process is gone as failed, with what there is of them; how many.

    A living process takes a snapshot more often than every `silent_ms`.
    """
    async with database.write() as session:
        abandoned = (
            select(Message)
            .where(Message.status == "streaming", Message.updated_at < now_ms() - silent_ms)
            .order_by(Message.id)
            .with_for_update(skip_locked=True)
        )
        messages = (await session.scalars(abandoned)).all()
        for message in messages:
            message.status = "failed"
            message.details = {**message.details, "error": INTERRUPTED}
    return len(messages)


async def of_conversation(
    database: Database,
    organisation_id: str,
    user_id: str,
    conversation_id: str,
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[Message]:
    """Its turns in the order of writing, with a sequence above `after`. Raises ApiError 404."""
    async with database.read() as session:
        await conversations.find(session, organisation_id, user_id, conversation_id)
        return await in_order(session, conversation_id, after, limit)


async def of_shared(database: Database, token: str) -> tuple[Conversation, list[Message]]:
    """What a link shows, without answers that are being written. Raises ApiError 404."""
    conversation = await conversations.shared(database, token)
    async with database.read() as session:
        turns = await in_order(session, conversation.id)
    return conversation, [turn for turn in turns if turn.status != "streaming"]


async def get(database: Database, organisation_id: str, user_id: str, message_id: str) -> Message:
    """Raises ApiError 404."""
    async with database.read() as session:
        return await _find(session, organisation_id, user_id, message_id)


async def remove(
    database: Database, blobs: Blobs, organisation_id: str, user_id: str, message_id: str
) -> list[str]:
    """Delete a turn and all that follow from it, with pictures that nothing else shows; the ids.

    Raises ApiError 404.
    """
    async with database.write() as session:
        message = await _find(session, organisation_id, user_id, message_id)
        await conversations.find(session, organisation_id, user_id, message.conversation_id, lock=True)
        branch = await _branch(session, message)
        shown = select(MessagePicture.sha256).where(MessagePicture.message_id.in_(branch)).distinct()
        hashes = list((await session.scalars(shown)).all())
        await session.execute(
            delete(Message).where(Message.id.in_(branch)).execution_options(synchronize_session=False)
        )
        gone = await release(session, organisation_id, hashes)
    await blobs.collect(organisation_id, gone)
    return branch


async def in_order(
    session: AsyncSession, conversation_id: str, after: int = 0, limit: int | None = None
) -> list[Message]:
    """All turns of a conversation that was found to be the user's."""
    wanted = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.sequence > after)
        .order_by(Message.sequence)
        .limit(limit)
    )
    return list((await session.scalars(wanted)).all())


def pictures(content: Sequence[Mapping[str, Any]]) -> list[str]:
    """Hashes of the pictures in a turn's parts and of what they were before they were marked, each once, in order."""
    shown = [part for part in content if part.get("type") == "image"]
    hashes = (str(part[name]) for part in shown for name in ("sha256", "original") if part.get(name))
    return list(dict.fromkeys(hashes))


async def _add(
    database: Database,
    organisation_id: str,
    user_id: str,
    conversation_id: str,
    role: Role,
    content: Sequence[Mapping[str, Any]],
    parent_id: str | None,
    status: str,
    details: Mapping[str, Any] | None,
) -> Message:
    parts, told = [dict(part) for part in content], dict(details or {})
    text.check(parts, "content")
    text.check(told, "details")
    async with database.write() as session:
        # The lock on the conversation's row makes writers take turns, so no two get the same sequence.
        conversation = await conversations.find(session, organisation_id, user_id, conversation_id, lock=True)
        if parent_id is not None:
            parent = await session.get(Message, parent_id)
            if parent is None or parent.conversation_id != conversation_id:
                raise errors.ApiError(
                    400,
                    "parent_id isn't a message of this conversation.",
                    param="parent_id",
                    code="invalid_parent",
                )
        hashes = pictures(parts)
        await refer(session, organisation_id, hashes, "content")
        now = now_ms()
        conversation.last_sequence += 1
        conversation.updated_at = now
        message = Message(
            id=new_id("msg"),
            conversation_id=conversation_id,
            parent_id=parent_id,
            sequence=conversation.last_sequence,
            role=role,
            content=parts,
            status=status,
            details=told,
            search=text.of_parts(parts),
            created_at=now,
            updated_at=now,
        )
        session.add(message)
        await session.flush()
        session.add_all(
            MessagePicture(message_id=message.id, sha256=sha256, organisation_id=organisation_id)
            for sha256 in hashes
        )
    return message


async def _write_answer(
    database: Database,
    organisation_id: str,
    user_id: str,
    message_id: str,
    content: Sequence[Mapping[str, Any]],
    status: str,
    details: Mapping[str, Any] | None,
) -> bool:
    parts = text.cleaned([dict(part) for part in content])  # a model's words are kept, whatever they are
    assert not pictures(parts), "an answer shows no pictures"
    values: dict[str, Any] = {
        "content": parts,
        "status": status,
        "search": text.of_parts(parts),
        "updated_at": now_ms(),
    }
    if details is not None:
        values["details"] = text.cleaned(dict(details))
    theirs = select(Conversation.id).where(
        Conversation.organisation_id == organisation_id, Conversation.user_id == user_id
    )
    async with database.write() as session:
        changed = await session.execute(
            update(Message)
            .where(
                Message.id == message_id,
                Message.status == "streaming",
                Message.conversation_id.in_(theirs),
            )
            .values(values)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
        return changed.first() is not None


async def _find(session: AsyncSession, organisation_id: str, user_id: str, message_id: str) -> Message:
    wanted = (
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Message.id == message_id,
            Conversation.organisation_id == organisation_id,
            Conversation.user_id == user_id,
        )
    )
    message = await session.scalar(wanted)
    if message is None:
        raise errors.not_found("message")
    return message


async def _branch(session: AsyncSession, message: Message) -> list[str]:
    """A message's id and those of all below it."""
    rows = await session.execute(
        select(Message.id, Message.parent_id)
        .where(Message.conversation_id == message.conversation_id)
        .order_by(Message.sequence)
    )
    branch = {message.id: None}
    for own_id, parent_id in rows:
        if parent_id in branch:
            branch[own_id] = None
    return list(branch)
