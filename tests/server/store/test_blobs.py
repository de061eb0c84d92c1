"""A picture is there as long as something shows it, whole, and gone afterwards."""

import asyncio
import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from clearsight.server.errors import ApiError
from clearsight.server.store import conversations, messages
from clearsight.server.store.blobs import HOLD_MS, Blobs, DamagedBlob
from clearsight.server.store.tables import Blob

pytestmark = pytest.mark.anyio


async def let_go(database, organisation: str, sha256: str) -> None:
    """As if an hour had passed since the upload."""
    async with database.write() as session:
        (await session.get_one(Blob, (organisation, sha256))).held_until = 1


async def test_what_is_put_is_got_under_the_hash_of_its_bytes(blobs, people):
    sha256 = await blobs.put(people.organisation, b"bytes", "image/png", 3, 2, ["animated"])
    assert sha256 == hashlib.sha256(b"bytes").hexdigest()
    assert await blobs.put(people.organisation, b"bytes", "image/png", 3, 2) == sha256
    assert await blobs.get(people.organisation, sha256) == b"bytes"
    row = await blobs.row(people.organisation, sha256)
    assert (row.bytes, row.width, row.height, row.warnings) == (5, 3, 2, ["animated"])


async def test_an_organisation_doesnt_see_that_another_has_the_same_picture(blobs, people):
    sha256 = await blobs.put(people.organisation, b"bytes", "image/png", 3, 2)
    for wrong in (sha256, "0" * 64, "../../etc/passwd", "", sha256.upper()):
        with pytest.raises(ApiError) as caught:
            await blobs.get(people.other_organisation, wrong)
        assert caught.value.status == 404
    assert not await blobs.exists(people.other_organisation, sha256)


async def test_bytes_that_changed_on_disk_are_not_served_and_heal_with_the_next_upload(blobs, people):
    sha256 = await blobs.put(people.organisation, b"bytes", "image/png", 3, 2)
    path = Path(blobs.path(people.organisation, sha256))
    path.write_bytes(b"other")
    with pytest.raises(DamagedBlob):
        await blobs.get(people.organisation, sha256)
    path.unlink()
    with pytest.raises(DamagedBlob):
        await blobs.get(people.organisation, sha256)
    await blobs.put(people.organisation, b"bytes", "image/png", 3, 2)
    assert await blobs.get(people.organisation, sha256) == b"bytes"


async def test_sweeping_takes_what_nothing_shows_and_leaves_uploads_and_pictures_in_use(
    database, blobs, people
):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where)
    used = await blobs.put(people.organisation, b"used", "image/png", 1, 1)
    await messages.add(*where, conversation.id, "user", [{"type": "image", "sha256": used}])
    held = await blobs.put(people.organisation, b"held", "image/png", 1, 1)
    left = await blobs.put(people.organisation, b"left", "image/png", 1, 1)
    await let_go(database, people.organisation, left)
    await let_go(database, people.organisation, used)
    assert await blobs.sweep() == 1
    assert [await blobs.exists(people.organisation, sha) for sha in (used, held, left)] == [True, True, False]
    assert not Path(blobs.path(people.organisation, left)).exists()


async def test_sweeping_takes_old_files_without_a_row_and_half_written_ones(blobs, people):
    await blobs.put(people.organisation, b"kept", "image/png", 1, 1)
    old = time.time() - HOLD_MS / 1000 - 60
    orphan = Path(blobs.path(people.organisation, "ab" * 32))
    fresh = Path(blobs.path(people.organisation, "cd" * 32))
    staged = Path(blobs.root) / ".staged-0123"
    for path in (orphan, fresh, staged):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for path in (orphan, staged, *Path(blobs.root).rglob(hashlib.sha256(b"kept").hexdigest())):
        os.utime(path, (old, old))
    assert await blobs.sweep() == 2
    assert [path.exists() for path in (orphan, fresh, staged)] == [False, True, False]
    assert await blobs.get(people.organisation, hashlib.sha256(b"kept").hexdigest()) == b"kept"


async def test_sweeping_many_goes_on_until_none_is_left(database, blobs, people, monkeypatch):
    monkeypatch.setattr("clearsight.server.store.blobs.BATCH", 4)
    for number in range(11):
        sha256 = await blobs.put(people.organisation, str(number).encode(), "image/png", 1, 1)
        await let_go(database, people.organisation, sha256)
    told: list[int] = []
    assert await blobs.sweep(told.append) == 11
    assert told == [4, 8, 11]


async def test_a_picture_in_use_isnt_deleted_by_hand(database, blobs, people):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where)
    sha256 = await blobs.put(people.organisation, b"used", "image/png", 1, 1)
    await messages.add(*where, conversation.id, "user", [{"type": "image", "sha256": sha256}])
    assert not await blobs.delete(people.organisation, sha256)
    assert await blobs.get(people.organisation, sha256) == b"used"


async def test_uploading_and_deleting_the_same_picture_at_once_never_leaves_a_message_without_it(
    database, blobs, people
):
    where = (database, people.organisation, people.user)
    shown = [{"type": "image", "sha256": hashlib.sha256(b"the same").hexdigest()}]

    async def turn(_: int) -> None:
        for _ in range(5):
            conversation = await conversations.create(*where)
            sha256 = await blobs.put(people.organisation, b"the same", "image/png", 1, 1)
            await messages.add(*where, conversation.id, "user", shown)
            assert await blobs.get(people.organisation, sha256) == b"the same"
            await conversations.remove(database, blobs, people.organisation, people.user, conversation.id)

    await asyncio.gather(*(turn(number) for number in range(4)))
    assert await conversations.page(*where) == conversations.Page([], None)
    sha256 = shown[0]["sha256"]
    # Whatever order it went in, row and bytes are both there (held by the last upload) or both gone.
    assert (
        await blobs.exists(people.organisation, sha256)
        == Path(blobs.path(people.organisation, sha256)).exists()
    )


async def test_blobs_go_to_any_file_system_of_fsspec(database, people):
    blobs = Blobs("memory://clearsight-blobs", database)
    sha256 = await blobs.put(people.organisation, b"bytes", "image/png", 1, 1)
    assert await blobs.get(people.organisation, sha256) == b"bytes"
    await let_go(database, people.organisation, sha256)
    assert await blobs.sweep() == 1
    assert not blobs.files.exists(blobs.path(people.organisation, sha256))


async def test_no_acknowledged_blob_is_lost_or_half_written_when_a_process_is_killed_20_times(
    url, blobs, people, start
):
    chance = random.Random(2)
    printed: list[str] = []
    for number in range(20):
        child = start("put_blobs", url, blobs.root, people.organisation, str(number))
        printed.append(child.stdout.readline().strip())
        await asyncio.sleep(chance.uniform(0, 0.1))
        child.kill()
        printed += child.whole_lines()
    for sha256 in printed:
        assert len(await blobs.get(people.organisation, sha256)) == 204_800
    for path in Path(blobs.root).rglob("*"):
        if path.is_file() and not path.name.startswith(".staged-"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert len(printed) > 30
