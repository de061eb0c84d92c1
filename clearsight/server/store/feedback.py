"""Thumbs on answers. What may be learned from has its author's consent and stays with the message it is about."""

from sqlalchemy import select

from clearsight.server.store import messages, text
from clearsight.server.store.database import Database
from clearsight.server.store.tables import Feedback, new_id, now_ms


async def give(
    database: Database,
    organisation_id: str,
    user_id: str,
    message_id: str,
    *,
    good: bool,
    comment: str = "",
    consent: bool = False,
) -> Feedback:
    """Keep what a user thinks of an answer; said again, it replaces what was said. Raises ApiError 404 and 400."""
    text.check(comment, "comment")
    await messages.get(database, organisation_id, user_id, message_id)
    async with database.write() as session:
        wanted = select(Feedback).where(Feedback.message_id == message_id, Feedback.user_id == user_id)
        found = await session.scalar(wanted)
        if found is None:
            found = Feedback(
                id=new_id("fb"),
                message_id=message_id,
                organisation_id=organisation_id,
                user_id=user_id,
                good=good,
                comment=comment,
                consent=consent,
                created_at=now_ms(),
            )
            session.add(found)
        found.good, found.comment, found.consent = good, comment, consent
    return found
