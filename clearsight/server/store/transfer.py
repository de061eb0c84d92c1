"""All that one user keeps here as a ZIP, and conversations from such a ZIP.

    manifest.json        what this is; hashes of blobs that were missing
    account.json         profile, keys (no secrets), files, responses, feedback, usage, reports, strikes, appeals
    conversations.jsonl  one conversation a line, with its messages
    blobs/{sha256}       pictures and files

An import takes conversations and their pictures, under new ids. It trusts nothing: names, numbers, sizes and hashes
are checked before anything is written, and every picture goes the way that uploads go (`accept`).
"""

import asyncio
import contextlib
import hashlib
import json
import zipfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import select

from clearsight.server.conversing.requests import MOST_MARKS, Mark
from clearsight.server.errors import ApiError
from clearsight.server.store import accounts, messages, text
from clearsight.server.store.blobs import Blobs, DamagedBlob, refer
from clearsight.server.store.conversations import MAX_TITLE
from clearsight.server.store.database import Database
from clearsight.server.store.tables import (
    ApiKey,
    Appeal,
    Conversation,
    Feedback,
    File,
    Message,
    MessagePicture,
    Report,
    ResponsePicture,
    StoredResponse,
    Strike,
    Table,
    Usage,
    new_id,
    now_ms,
)

FORMAT, VERSION = "clearsight-export", 1
BATCH = 50
SECRET = {"secret_hash", "lookup", "share_hash", "search", "organisation_id"}
"""Columns that stay here."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Accepted:
    """A picture after it went the way of uploads: what is kept of it."""

    data: bytes
    media_type: str
    width: int
    height: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportLimits:
    """What an import may hold at most."""

    conversations: int = 10_000
    messages: int = 100_000
    pictures: int = 5_000
    line_bytes: int = 16 << 20
    picture_bytes: int = 20 << 20
    total_bytes: int = 4 << 30


@dataclass(frozen=True)
class Imported:
    """How many."""

    conversations: int
    messages: int
    pictures: int


async def export_user(
    database: Database,
    blobs: Blobs,
    organisation_id: str,
    user_id: str,
    path: Path,
    progress: Progress | None = None,
) -> None:
    """Write a user's everything to `path`. `progress` is told how many conversations and blobs so far.

    Raises ApiError 404.
    """
    user = await accounts.get_user(database, organisation_id, user_id)
    done = 0
    hashes: dict[str, None] = {}
    missing: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("conversations.jsonl", "w", force_zip64=True) as lines:
            async for conversation, turns in _conversations(database, organisation_id, user_id):
                line = {**_plain(conversation), "messages": [_plain(turn) for turn in turns]}
                await asyncio.to_thread(lines.write, _json(line) + b"\n")
                hashes.update(dict.fromkeys(sha for turn in turns for sha in messages.pictures(turn.content)))
                done += 1
                if progress:
                    progress(done)
        account: dict[str, Any] = {"user": _plain(user)}
        for name, table in {
            "keys": ApiKey,
            "files": File,
            "responses": StoredResponse,
            "feedback": Feedback,
            "usage": Usage,
            "strikes": Strike,
            "appeals": Appeal,
            "reports": Report,
        }.items():
            account[name] = await _rows(database, table, organisation_id, user_id)
        hashes.update(dict.fromkeys(file["sha256"] for file in account["files"]))
        hashes.update(dict.fromkeys(await _response_pictures(database, account["responses"])))
        await asyncio.to_thread(archive.writestr, "account.json", _json(account))
        for sha256 in hashes:
            try:
                data = await blobs.get(organisation_id, sha256)
            except (DamagedBlob, ApiError):
                missing.append(sha256)
                continue
            info = zipfile.ZipInfo(f"blobs/{sha256}")  # stored: pictures are compressed already
            await asyncio.to_thread(archive.writestr, info, data)
            done += 1
            if progress:
                progress(done)
        manifest = {"format": FORMAT, "version": VERSION, "created_at": now_ms(), "missing": missing}
        archive.writestr("manifest.json", _json(manifest))


async def import_conversations(
    database: Database,
    blobs: Blobs,
    organisation_id: str,
    user_id: str,
    path: Path,
    accept: Callable[[bytes], Awaitable[Accepted]],
    limits: ImportLimits | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Add the conversations of an export to a user's. `progress` is told how many conversations so far.

    Raises ApiError 400, before anything was written unless `accept` refuses a picture. A conversation is written
    whole or not at all; killed in the middle, those before it are there.
    """
    bounds = limits or ImportLimits()
    await accounts.get_user(database, organisation_id, user_id)
    with _reading():
        archive = zipfile.ZipFile(path)
    with archive:
        stored = await asyncio.to_thread(_checked_names, archive, bounds)
        wanted, turns = await asyncio.to_thread(_checked_lines, archive, bounds, stored)
        kept = {}
        for sha256 in wanted:
            picture = await accept(await asyncio.to_thread(_checked_picture, archive, sha256, bounds))
            kept[sha256] = await blobs.put(
                organisation_id,
                picture.data,
                picture.media_type,
                picture.width,
                picture.height,
                picture.warnings,
            )
        count = 0
        with archive.open("conversations.jsonl") as lines:
            while line := await asyncio.to_thread(lines.readline, bounds.line_bytes + 1):
                await _write(database, organisation_id, user_id, _parsed(line, count + 1), kept)
                count += 1
                if progress:
                    progress(count)
    return Imported(count, turns, len(kept))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_OwnId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Time = Annotated[int, Field(ge=0, lt=1 << 53)]


class _TextPart(_Strict):
    type: Literal["text"]
    text: str


class _ImagePart(_Strict):
    type: Literal["image"]
    sha256: _Hash
    detail: Literal["auto", "low", "high"] = "auto"
    original: _Hash | None = None
    marks: Annotated[list[Mark], Field(max_length=MOST_MARKS)] = Field(default_factory=list)
    alt: str = ""
    filename: str = ""


class _Message(_Strict):
    id: _OwnId
    conversation_id: str
    parent_id: _OwnId | None
    sequence: int
    role: Literal["system", "user", "assistant"]
    content: list[Annotated[_TextPart | _ImagePart, Field(discriminator="type")]]
    status: Literal["complete", "streaming", "stopped", "failed", "filtered"]
    details: dict[str, Any]
    created_at: _Time
    updated_at: _Time


class _Conversation(_Strict):
    id: _OwnId
    user_id: str
    title: Annotated[str, StringConstraints(max_length=MAX_TITLE)]
    settings: dict[str, Any]
    metadata: dict[str, Any]
    pinned: bool
    last_sequence: int
    created_at: _Time
    updated_at: _Time
    messages: list[_Message]


def _refused(why: str) -> ApiError:
    return ApiError(
        400,
        f"The import is refused: {why}. Send a file that an export made.",
        param="file",
        code="invalid_import",
    )


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise _refused("it isn't a whole ZIP file") from error


def _checked_names(archive: zipfile.ZipFile, limits: ImportLimits) -> set[str]:
    """Hashes of the blobs inside, when all entries are ones that an export writes."""
    entries = archive.infolist()
    if len(entries) > limits.pictures + 3:
        raise _refused(f"it holds more than {limits.pictures} pictures")
    stored: set[str] = set()
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        folder, _, sha256 = name.rpartition("/")
        is_blob = folder == "blobs" and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")
        if name in seen or not (is_blob or name in ("manifest.json", "account.json", "conversations.jsonl")):
            raise _refused("it holds entries that no export has, or one twice")
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused("it is encrypted, or compressed in a way that no export is")
        seen.add(name)
        if is_blob:
            stored.add(sha256)
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise _refused(f"it unpacks to more than {limits.total_bytes >> 20} MB")
    if not {"manifest.json", "conversations.jsonl"} <= seen:
        raise _refused("it lacks manifest.json or conversations.jsonl")
    with _reading(), archive.open("manifest.json") as file:
        data = file.read(limits.line_bytes)
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise _refused("its manifest isn't JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _refused("it isn't an export of Clearsight")
    if manifest.get("version") != VERSION:
        raise _refused("it was made by another version, whose exports this one doesn't read")
    return stored


def _checked_lines(
    archive: zipfile.ZipFile, limits: ImportLimits, stored: set[str]
) -> tuple[dict[str, None], int]:
    """Pictures that the conversations show, and the number of messages, when all lines are good."""
    wanted: dict[str, None] = {}
    count = turns = 0
    with _reading(), archive.open("conversations.jsonl") as lines:
        while line := lines.readline(limits.line_bytes + 1):
            count += 1
            if len(line) > limits.line_bytes:
                raise _refused(f"conversation {count} is longer than {limits.line_bytes >> 20} MB")
            conversation = _parsed(line, count)
            turns += len(conversation.messages)
            if count > limits.conversations or turns > limits.messages:
                raise _refused(
                    f"it holds more than {limits.conversations} conversations or {limits.messages} messages"
                )
            for turn in conversation.messages:
                for part in turn.content:
                    if isinstance(part, _ImagePart):
                        wanted.update(dict.fromkeys(filter(None, (part.sha256, part.original))))
    if set(wanted) - stored:
        raise _refused("a conversation shows a picture that isn't in the file")
    return wanted, turns


def _checked_picture(archive: zipfile.ZipFile, sha256: str, limits: ImportLimits) -> bytes:
    with _reading(), archive.open(f"blobs/{sha256}") as file:
        data = file.read(limits.picture_bytes + 1)
    if len(data) > limits.picture_bytes:
        raise _refused(f"a picture is larger than {limits.picture_bytes >> 20} MB")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _refused("a picture isn't the one that it is named for")
    return data


def _parsed(line: bytes, number: int) -> _Conversation:
    try:
        conversation = _Conversation.model_validate_json(line)
        text.check(conversation.model_dump(), "file")
    except (ValidationError, RecursionError):
        raise _refused(f"conversation {number} isn't as an export writes it") from None
    known: set[str] = set()
    for turn in conversation.messages:
        if turn.id in known or (turn.parent_id is not None and turn.parent_id not in known):
            raise _refused(f"a message of conversation {number} comes twice or before the one it answers")
        known.add(turn.id)
    return conversation


async def _write(
    database: Database, organisation_id: str, user_id: str, given: _Conversation, kept: dict[str, str]
) -> None:
    now = now_ms()
    conversation_id = new_id("conv")
    ids = {turn.id: new_id("msg") for turn in given.messages}
    rows: list[Message] = []
    shown: dict[str, list[str]] = {}
    for sequence, turn in enumerate(given.messages, 1):
        parts = [part.model_dump(exclude_unset=True) for part in turn.content]
        for part in parts:
            if part["type"] == "image":
                part.update({name: kept[part[name]] for name in ("sha256", "original") if part.get(name)})
        shown[ids[turn.id]] = messages.pictures(parts)
        rows.append(
            Message(
                id=ids[turn.id],
                conversation_id=conversation_id,
                parent_id=ids[turn.parent_id] if turn.parent_id else None,
                sequence=sequence,
                role=turn.role,
                content=parts,
                status="stopped" if turn.status == "streaming" else turn.status,
                details=turn.details,
                search=text.of_parts(parts),
                created_at=min(turn.created_at, now),
                updated_at=min(turn.updated_at, now),
            )
        )
    async with database.write() as session:
        await refer(session, organisation_id, (sha for hashes in shown.values() for sha in hashes), "file")
        session.add(
            Conversation(
                id=conversation_id,
                organisation_id=organisation_id,
                user_id=user_id,
                title=given.title,
                search=text.folded(given.title),
                settings=given.settings,
                metadata_=given.metadata,
                pinned=given.pinned,
                share_hash=None,
                last_sequence=len(rows),
                created_at=min(given.created_at, now),
                # Imported now counts as touched now, so that an old one isn't swept away at once.
                updated_at=now,
            )
        )
        await session.flush()
        session.add_all(rows)
        await session.flush()
        session.add_all(
            MessagePicture(message_id=message_id, sha256=sha256, organisation_id=organisation_id)
            for message_id, hashes in shown.items()
            for sha256 in hashes
        )


async def _conversations(
    database: Database, organisation_id: str, user_id: str
) -> AsyncIterator[tuple[Conversation, list[Message]]]:
    last = ""
    while True:
        wanted = (
            select(Conversation)
            .where(
                Conversation.organisation_id == organisation_id,
                Conversation.user_id == user_id,
                Conversation.id > last,
            )
            .order_by(Conversation.id)
            .limit(BATCH)
        )
        async with database.read() as session:
            found = (await session.scalars(wanted)).all()
            held = [(each, await messages.in_order(session, each.id)) for each in found]
        for conversation, turns in held:
            yield conversation, turns
        if len(found) < BATCH:
            return
        last = found[-1].id


async def _rows(database: Database, table: Any, organisation_id: str, user_id: str) -> list[dict[str, Any]]:
    wanted = select(table).where(table.organisation_id == organisation_id, table.user_id == user_id)
    async with database.read() as session:
        return [_plain(row) for row in (await session.scalars(wanted.order_by(table.created_at))).all()]


async def _response_pictures(database: Database, responses: list[dict[str, Any]]) -> list[str]:
    hashes: list[str] = []
    for start in range(0, len(responses), BATCH):
        ids = [response["id"] for response in responses[start : start + BATCH]]
        wanted = select(ResponsePicture.sha256).where(ResponsePicture.response_id.in_(ids)).distinct()
        async with database.read() as session:
            hashes += (await session.scalars(wanted)).all()
    return hashes


def _plain(row: Table) -> dict[str, Any]:
    """A row by the names of its columns, without what stays here."""
    return {
        column.name: getattr(row, attribute.key)
        for attribute in row.__mapper__.column_attrs
        for column in attribute.columns
        if column.name not in SECRET
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
