"""Every table. The same declarations serve SQLite and PostgreSQL; migrations/ brings an older database up to them.

Times are milliseconds since 1970 (UTC). Ids are random and say what they name: conv_..., msg_..., key_.... What belongs
to an organisation carries its id, and every query names it, so that somebody else's id finds nothing.
"""

import secrets
import time
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = JSON().with_variant(JSONB(), "postgresql")
Id = String(64)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_id(kind: str) -> str:
    """For instance conv_4f0c...: 128 random bits behind what it names."""
    return f"{kind}_{secrets.token_hex(16)}"


def picture_exists() -> ForeignKeyConstraint:
    """What shows a picture holds its blob. Checked at the commit, so that an organisation can go with all it has."""
    return ForeignKeyConstraint(
        ["organisation_id", "sha256"],
        ["blobs.organisation_id", "blobs.sha256"],
        deferrable=True,
        initially="DEFERRED",
    )


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger, dict[str, Any]: Json, list[Any]: Json}


class Organisation(Table):
    __tablename__ = "organisations"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]
    retention_days: Mapped[int | None]
    monthly_tokens: Mapped[int | None]
    """Budget; None takes the server's."""
    policy: Mapped[str | None] = mapped_column(Text)
    """Safety policy as TOML, merged over the server's."""
    suspended_at: Mapped[int | None]


class User(Table):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    """owner (everything on this server), admin (their organisation), reviewer (reports), member."""
    created_at: Mapped[int]
    suspended_until: Mapped[int | None]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ApiKey(Table):
    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    lookup: Mapped[str] = mapped_column(String(32), unique=True)
    """The part of the key that finds its row; no secret."""
    secret_hash: Mapped[str] = mapped_column(String(200))
    """Argon2id of the rest."""
    scopes: Mapped[list[Any]]
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Names as in the configuration's [limits]; what is absent is taken from there."""
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    revoked_at: Mapped[int | None]
    last_used_at: Mapped[int | None]


class LoginLink(Table):
    """A link that opens a session once."""

    __tablename__ = "login_links"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class Session(Table):
    """A browser that is logged in."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    browser: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    revoked_at: Mapped[int | None]


class Blob(Table):
    """Bytes that an organisation holds; the same bytes of two organisations are two blobs."""

    __tablename__ = "blobs"
    organisation_id: Mapped[str] = mapped_column(
        ForeignKey(Organisation.id, ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(100))
    bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    alt: Mapped[str] = mapped_column(Text, default="")
    """What a model says is in it, for those who don't see it."""
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[int]
    held_until: Mapped[int]
    """Until then it stays though nothing refers to it: between an upload and the message that shows it. 0 once used."""
    __table_args__ = (Index(None, "held_until"),)


class Conversation(Table):
    __tablename__ = "conversations"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(300), default="")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Model, system prompt, temperature: what the client shows."""
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    pinned: Mapped[bool] = mapped_column(default=False)
    share_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the token under which it can be read without logging in."""
    search: Mapped[str] = mapped_column(Text, default="")
    """The title as it is compared in a search, see `text.folded`."""
    last_sequence: Mapped[int] = mapped_column(default=0)
    """Sequence of the message written last; raised in the row's lock, so that two writers never get the same."""
    created_at: Mapped[int]
    updated_at: Mapped[int]
    __table_args__ = (
        Index(None, "organisation_id", "user_id", "updated_at"),
        Index(None, "organisation_id", "updated_at"),
    )


class Message(Table):
    """One turn. `parent_id` makes branches: an edited or repeated turn is a sister, nothing is overwritten."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey(Conversation.id, ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(Id)
    sequence: Mapped[int]
    """Order of writing within the conversation, from 1."""
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[list[Any]]
    """Parts: {"type": "text", "text"} and {"type": "image", "sha256", "detail", ...}; bytes are in blobs."""
    status: Mapped[str] = mapped_column(String(20))
    """complete, streaming, stopped, failed or filtered."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Model, usage, finish_reason, error: what is told about an answer."""
    search: Mapped[str] = mapped_column(Text, default="")
    """The text of its parts as it is compared in a search, see `text.folded`."""
    created_at: Mapped[int]
    updated_at: Mapped[int]
    """Last snapshot of a streaming answer; one that stands still belongs to a process that is gone."""
    __table_args__ = (
        UniqueConstraint("conversation_id", "sequence"),
        Index(None, "status", "updated_at"),
    )


class MessagePicture(Table):
    """Which messages show which pictures; a picture of no message, response and file is deleted."""

    __tablename__ = "message_pictures"
    message_id: Mapped[str] = mapped_column(ForeignKey(Message.id, ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(Id)
    __table_args__ = (Index(None, "organisation_id", "sha256"), picture_exists())


class File(Table):
    """An upload with a name, as /v1/files has them."""

    __tablename__ = "files"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(String(300))
    purpose: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int]
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    __table_args__ = (Index(None, "organisation_id", "sha256"), picture_exists())


class StoredResponse(Table):
    """An answer of /v1/responses that may be gone on from; `input` are its items with pictures by hash."""

    __tablename__ = "responses"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    previous_id: Mapped[str | None] = mapped_column(Id)
    input: Mapped[list[Any]]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[int]


class ResponsePicture(Table):
    __tablename__ = "response_pictures"
    response_id: Mapped[str] = mapped_column(
        ForeignKey(StoredResponse.id, ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(Id)
    __table_args__ = (Index(None, "organisation_id", "sha256"), picture_exists())


class Usage(Table):
    """The ledger: one row for each request that cost something; it adds up to the token."""

    __tablename__ = "usage"
    request_id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(Id)
    key_id: Mapped[str | None] = mapped_column(Id)
    route: Mapped[str] = mapped_column(String(100))
    model: Mapped[str] = mapped_column(String(200))
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    image_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    pixels: Mapped[int] = mapped_column(default=0)
    audio_ms: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(String(20), default="complete")
    created_at: Mapped[int]
    __table_args__ = (Index(None, "organisation_id", "created_at"),)


class Month(Table):
    """What an organisation has spent and set aside in a month; races for the last tokens are settled here."""

    __tablename__ = "months"
    organisation_id: Mapped[str] = mapped_column(
        ForeignKey(Organisation.id, ondelete="CASCADE"), primary_key=True
    )
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    """2026-11."""
    tokens: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)


class Reservation(Table):
    """Tokens set aside for an answer that is being made. What a killed process leaves behind runs out."""

    __tablename__ = "reservations"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"))
    month: Mapped[str] = mapped_column(String(7))
    tokens: Mapped[int]
    expires_at: Mapped[int]
    __table_args__ = (Index(None, "organisation_id", "expires_at"),)


class Feedback(Table):
    """Thumbs on an answer, and whether its author lets it be learned from."""

    __tablename__ = "feedback"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey(Message.id, ondelete="CASCADE"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    good: Mapped[bool]
    comment: Mapped[str] = mapped_column(Text, default="")
    consent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
    __table_args__ = (UniqueConstraint("message_id", "user_id"),)


class Report(Table):
    """What somebody says is wrong; reviewers decide."""

    __tablename__ = "reports"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(Id)
    """Id of the message, or hash of the picture, that is meant."""
    about_user_id: Mapped[str | None] = mapped_column(Id)
    category: Mapped[str] = mapped_column(String(60))
    comment: Mapped[str] = mapped_column(Text, default="")
    excerpt: Mapped[list[Any]] = mapped_column(default=list)
    """The parts reported, as they were."""
    status: Mapped[str] = mapped_column(String(20))
    """open, upheld, dismissed, appealed."""
    decision: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[int]
    decided_at: Mapped[int | None]
    __table_args__ = (Index(None, "organisation_id", "status", "created_at"),)


class Strike(Table):
    __tablename__ = "strikes"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    report_id: Mapped[str | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int]
    expires_at: Mapped[int]
    withdrawn_at: Mapped[int | None]


class Appeal(Table):
    __tablename__ = "appeals"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey(Organisation.id, ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    strike_id: Mapped[str] = mapped_column(ForeignKey(Strike.id, ondelete="CASCADE"), unique=True)
    text: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    """open, granted, refused."""
    created_at: Mapped[int]
    decided_at: Mapped[int | None]


class ListedHash(Table):
    """A perceptual hash (PDQ, hex) of a picture that isn't wanted; near ones are found by distance."""

    __tablename__ = "listed_hashes"
    pdq: Mapped[str] = mapped_column(String(64), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(Id, primary_key=True)
    """Empty for the whole server."""
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]


class AuditEvent(Table):
    """Who did what. Each entry holds the hash of the one before: what is changed or taken away later shows."""

    __tablename__ = "audit_events"
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[int]
    organisation_id: Mapped[str] = mapped_column(Id, index=True)
    actor: Mapped[str] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(Id)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
