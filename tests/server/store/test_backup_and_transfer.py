"""What is kept comes back from a backup and goes with its user; what a hostile file holds doesn't come in."""

import asyncio
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from clearsight.server.errors import ApiError
from clearsight.server.store import accounts, audit, backup, conversations, messages, migrate, transfer, usage
from clearsight.server.store.blobs import Blobs
from clearsight.server.store.database import Database
from clearsight.server.store.tables import new_id

pytestmark = pytest.mark.anyio

PICTURE = b"\x89PNG not really"
SHA256 = hashlib.sha256(PICTURE).hexdigest()


async def furnish(database, blobs, organisation: str, user: str) -> str:
    conversation = await conversations.create(database, organisation, user, "Heron", {"model": "mini"})
    sha256 = await blobs.put(organisation, PICTURE, "image/png", 4, 3)
    question = await messages.add(
        database,
        organisation,
        user,
        conversation.id,
        "user",
        [{"type": "text", "text": "Was ist das? 鷺"}, {"type": "image", "sha256": sha256, "detail": "low"}],
    )
    for words in ("A heron", "A bird"):
        await messages.add(
            database,
            organisation,
            user,
            conversation.id,
            "assistant",
            [{"type": "text", "text": words}],
            question.id,
            {"model": "mini"},
        )
    return conversation.id


async def accept(data: bytes) -> transfer.Accepted:
    return transfer.Accepted(data + b" cleaned", "image/png", 4, 3)


async def contents(database, organisation: str, user: str) -> list[object]:
    page = await conversations.page(database, organisation, user)
    held = []
    for conversation in page.conversations:
        turns = await messages.of_conversation(database, organisation, user, conversation.id)
        places = {turn.id: turn.sequence for turn in turns}
        held.append(
            [conversation.title, conversation.settings, conversation.pinned]
            + [
                [t.sequence, places.get(t.parent_id or ""), t.role, t.content, t.status, t.details]
                for t in turns
            ]
        )
    return held


@pytest.fixture
def target(url: str, postgres: str, tmp_path: Path):
    """The address of an empty database of the same kind."""
    if url.startswith("sqlite"):
        yield f"sqlite+aiosqlite:///{tmp_path}/restored/clearsight.db"
        return
    import asyncpg

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(postgres.replace("+asyncpg", "") + "/postgres")
        await connection.execute(statement)
        await connection.close()

    name = new_id("restored")
    asyncio.run(run(f"CREATE DATABASE {name}"))
    yield f"{postgres}/{name}"
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


async def test_a_backup_made_under_load_restores_to_what_was_there(database, blobs, people, tmp_path, target):
    await furnish(database, blobs, people.organisation, people.user)
    conversation = await conversations.create(database, people.organisation, people.colleague)
    stopped = asyncio.Event()
    written = 0

    async def load() -> None:
        nonlocal written
        while not stopped.is_set():
            await messages.add(
                database,
                people.organisation,
                people.colleague,
                conversation.id,
                "user",
                [{"type": "text", "text": "x" * 2000}],
            )
            written += 1

    writing = asyncio.create_task(load())
    while written < 5:
        await asyncio.sleep(0.01)
    before = written
    told: list[tuple[str, int, int]] = []
    summary = await backup.backup(database, blobs, tmp_path / "copy", lambda *args: told.append(args))
    stopped.set()
    await writing
    assert (summary.blobs, summary.deleted_meanwhile, summary.damaged) == (1, (), ())
    assert told[-1] == ("blobs", 1, 1)

    await backup.restore(tmp_path / "copy", target, f"file://{tmp_path}/restored-blobs")
    restored = Database(target)
    try:
        again = Blobs(f"file://{tmp_path}/restored-blobs", restored)
        assert await migrate.differences(restored) == []
        assert await audit.verify(restored) is None
        assert await again.get(people.organisation, SHA256) == PICTURE
        assert await contents(restored, people.organisation, people.user) == await contents(
            database, people.organisation, people.user
        )
        turns = await messages.of_conversation(
            restored, people.organisation, people.colleague, conversation.id
        )
        assert len(turns) >= before
        assert [turn.sequence for turn in turns] == list(range(1, len(turns) + 1))
        with pytest.raises(backup.BackupError, match=r"exists already|isn't empty"):
            await backup.restore(tmp_path / "copy", target, f"file://{tmp_path}/other")
    finally:
        await restored.close()


async def test_a_backup_that_was_tampered_with_is_refused_before_anything_is_written(
    database, blobs, people, tmp_path, target
):
    await furnish(database, blobs, people.organisation, people.user)
    await backup.backup(database, blobs, tmp_path / "copy")
    with pytest.raises(backup.BackupError, match="exists already"):
        await backup.backup(database, blobs, tmp_path / "copy")
    blob = next((tmp_path / "copy" / "blobs").rglob(SHA256))
    dump = next((tmp_path / "copy").glob("database.*"))
    for path, how in (
        (blob, b"other"),
        (blob, None),
        (dump, b"x"),
        (dump, None),
        (tmp_path / "copy/manifest.json", b"{}"),
    ):
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        shutil.copytree(tmp_path / "copy", tmp_path / "bad")
        spoilt = tmp_path / "bad" / path.relative_to(tmp_path / "copy")
        spoilt.unlink() if how is None else spoilt.write_bytes(how)
        with pytest.raises(backup.BackupError):
            await backup.restore(tmp_path / "bad", target, f"file://{tmp_path}/restored-blobs")
    assert not (tmp_path / "restored-blobs").exists()
    await backup.restore(tmp_path / "copy", target, f"file://{tmp_path}/restored-blobs")


async def test_a_backup_says_which_pictures_the_store_has_lost(database, blobs, people, tmp_path):
    await furnish(database, blobs, people.organisation, people.user)
    Path(blobs.path(people.organisation, SHA256)).unlink()
    summary = await backup.backup(database, blobs, tmp_path / "copy")
    assert summary.damaged == (f"{people.organisation}/{SHA256}",)


async def test_a_backup_of_the_other_database_is_refused_in_words(
    database, blobs, people, tmp_path, postgres
):
    await backup.backup(database, blobs, tmp_path / "copy")
    other = f"{postgres}/postgres" if database.is_sqlite else f"sqlite+aiosqlite:///{tmp_path}/new.db"
    with pytest.raises(backup.BackupError, match="restore it into"):
        await backup.restore(tmp_path / "copy", other, f"file://{tmp_path}/other")


async def test_without_pg_dump_a_backup_says_what_to_install(database, blobs, people, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    if database.is_sqlite:
        await backup.backup(database, blobs, tmp_path / "copy")  # SQLite needs no program
        return
    with pytest.raises(backup.BackupError, match="pg_dump isn't installed"):
        await backup.backup(database, blobs, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def test_what_is_exported_comes_in_again_for_somebody_else(database, blobs, people, tmp_path):
    await furnish(database, blobs, people.organisation, people.user)
    await usage.record(
        database,
        [usage.Cost("req_1", people.organisation, people.user, None, "/v1/x", "mini", prompt_tokens=7)],
    )
    await accounts.add_key(
        database, "test", people.organisation, people.user, "k", "lookup-part", "the-hash", ["chat"]
    )
    path = tmp_path / "export.zip"
    told: list[int] = []
    await transfer.export_user(database, blobs, people.organisation, people.user, path, told.append)
    assert told == [1, 2]
    with zipfile.ZipFile(path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        account = json.loads(archive.read("account.json"))
        assert archive.read(f"blobs/{SHA256}") == PICTURE
    assert b"the-hash" not in everything and b"lookup-part" not in everything
    assert (account["usage"][0]["prompt_tokens"], account["keys"][0]["name"]) == (7, "k")
    done = await transfer.import_conversations(
        database, blobs, people.other_organisation, people.stranger, path, accept
    )
    assert done == transfer.Imported(1, 3, 1)
    mine = await contents(database, people.organisation, people.user)
    theirs = await contents(database, people.other_organisation, people.stranger)
    cleaned = hashlib.sha256(PICTURE + b" cleaned").hexdigest()
    assert json.loads(json.dumps(mine).replace(SHA256, cleaned)) == theirs
    assert await blobs.get(people.other_organisation, cleaned) == PICTURE + b" cleaned"
    found = await conversations.page(database, people.other_organisation, people.stranger, query="鷺")
    assert len(found.conversations) == 1


def conversation(**changes: object) -> dict[str, object]:
    turn = {
        "id": "msg_1", "conversation_id": "conv_1", "parent_id": None, "sequence": 1, "role": "user",
        "content": [{"type": "text", "text": "x"}], "status": "complete", "details": {},
        "created_at": 1, "updated_at": 1,
    }  # fmt: skip
    turn.update(changes.pop("turn", {}))  # type: ignore[arg-type]
    return {
        "id": "conv_1", "user_id": "user_1", "title": "t", "settings": {}, "metadata": {}, "pinned": False,
        "last_sequence": 1, "created_at": 1, "updated_at": 1, "messages": [turn], **changes,
    }  # fmt: skip


def write_zip(
    path: Path, lines: list[object], extra: dict[str, bytes] | None = None, **manifest: object
) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        told = {"format": transfer.FORMAT, "version": 1, **manifest}
        archive.writestr("manifest.json", json.dumps(told))
        archive.writestr("conversations.jsonl", "\n".join(json.dumps(line) for line in lines))
        for name, data in (extra or {}).items():
            archive.writestr(name, data)


IMAGE = {"type": "image", "sha256": SHA256}
HOSTILE: dict[str, tuple[list[object], dict[str, bytes], dict[str, object]]] = {
    "path that climbs": ([conversation()], {"../../evil": b"x"}, {}),
    "absolute path": ([conversation()], {"/etc/passwd": b"x"}, {}),
    "blob under a wrong name": ([conversation()], {"blobs/xyz": b"x"}, {}),
    "newline in a name": ([conversation()], {f"blobs/{SHA256}\n": PICTURE}, {}),
    "picture with other bytes": ([conversation(turn={"content": [IMAGE]})], {f"blobs/{SHA256}": b"other"}, {}),
    "picture that isn't there": ([conversation(turn={"content": [IMAGE]})], {}, {}),
    "picture too large": (
        [conversation(turn={"content": [{**IMAGE, "sha256": hashlib.sha256(b"0" * 5000).hexdigest()}]})],
        {f"blobs/{hashlib.sha256(b'0' * 5000).hexdigest()}": b"0" * 5000}, {},
    ),
    "line too long": ([conversation(settings={"a": "x" * 40_000})], {}, {}),
    "bomb": ([conversation()], {f"blobs/{SHA256}": b"\0" * 300_000}, {}),
    "too many conversations": ([conversation()] * 4, {}, {}),
    "another version": ([conversation()], {}, {"version": 2}),
    "not ours": ([conversation()], {}, {"format": "other"}),
    "unknown field": ([conversation(evil=1)], {}, {}),
    "address in a picture": (
        [conversation(turn={"content": [{**IMAGE, "url": "http://x"}]})], {f"blobs/{SHA256}": PICTURE}, {}
    ),
    "unknown role": ([conversation(turn={"role": "root"})], {}, {}),
    "parent that doesn't exist": ([conversation(turn={"parent_id": "msg_9"})], {}, {}),
    "parent of itself": ([conversation(turn={"parent_id": "msg_1"})], {}, {}),
    "time too large": ([conversation(created_at=1 << 63)], {}, {}),
    "NUL": ([conversation(title="a\0b")], {}, {}),
    "half a surrogate": ([conversation(title="\ud800")], {}, {}),
    "not a number": ([conversation(settings={"a": float("nan")})], {}, {}),
    "a list": ([[1, 2, 3]], {}, {}),
    "nothing": ([None], {}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_refused_in_words_and_leaves_nothing(database, blobs, people, tmp_path, name):
    lines, extra, manifest = HOSTILE[name]
    path = tmp_path / "import.zip"
    write_zip(path, lines, extra, **manifest)
    limits = transfer.ImportLimits(
        conversations=3, line_bytes=30_000, picture_bytes=4_000, total_bytes=200_000, messages=10, pictures=4
    )
    with pytest.raises(ApiError) as caught:
        await transfer.import_conversations(
            database, blobs, people.organisation, people.user, path, accept, limits
        )
    assert (caught.value.status, str(tmp_path) in caught.value.message) == (400, False)
    assert (await conversations.page(database, people.organisation, people.user)).conversations == []


async def test_files_that_are_no_whole_zip_are_refused(database, blobs, people, tmp_path):
    whole = tmp_path / "whole.zip"
    write_zip(whole, [conversation()], {f"blobs/{SHA256}": PICTURE})
    data = whole.read_bytes()
    spoilt = [b"", b"PK", b"hello" * 99, data[:-30], data[: len(data) // 2]]
    spoilt += [data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :] for at in range(0, len(data), 7)]
    refused = 0
    for number, bad in enumerate(spoilt):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(bad)
        try:
            await transfer.import_conversations(
                database, blobs, people.organisation, people.user, path, accept
            )
        except ApiError as error:
            assert error.status == 400
            refused += 1
    assert refused > len(spoilt) // 3  # a flipped bit in a date or an unread picture is let through


async def test_deeply_nested_json_in_an_import_is_refused(database, blobs, people, tmp_path):
    path = tmp_path / "deep.zip"
    line = json.dumps(conversation()).replace(
        '"settings": {}', '"settings": ' + '{"a":' * 5000 + "1" + "}" * 5000
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": transfer.FORMAT, "version": 1}))
        archive.writestr("conversations.jsonl", line)
    with pytest.raises(ApiError):
        await transfer.import_conversations(database, blobs, people.organisation, people.user, path, accept)
