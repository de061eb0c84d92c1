"""What a user says is kept, found again by them and by nobody else, and gone when they delete it."""

import asyncio
import random

import pytest
from sqlalchemy import func, select

from clearsight.server.errors import ApiError
from clearsight.server.store import conversations, files, messages, retention
from clearsight.server.store.tables import Conversation, Message, MessagePicture, Organisation, now_ms

pytestmark = pytest.mark.anyio
DAY_MS = 86_400_000


def said(words: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": words}]


def shown(sha256: str) -> list[dict[str, str]]:
    return [{"type": "image", "sha256": sha256}]


async def test_every_function_answers_404_for_somebody_elses_id(database, blobs, people):
    conversation = await conversations.create(database, people.organisation, people.user, "Mine")
    message = await messages.add(
        database, people.organisation, people.user, conversation.id, "user", said("secret")
    )
    answer = await messages.start_answer(
        database, people.organisation, people.user, conversation.id, message.id
    )
    others = [(people.organisation, people.colleague), (people.other_organisation, people.stranger)]
    others += [(people.other_organisation, people.user), (people.organisation, people.stranger)]
    for organisation, user in others:
        for call in (
            lambda o, u: conversations.get(database, o, u, conversation.id),
            lambda o, u: conversations.change(database, o, u, conversation.id, title="Stolen"),
            lambda o, u: conversations.remove(database, blobs, o, u, conversation.id),
            lambda o, u: conversations.share(database, o, u, conversation.id),
            lambda o, u: conversations.unshare(database, o, u, conversation.id),
            lambda o, u: messages.add(database, o, u, conversation.id, "user", said("hello")),
            lambda o, u: messages.start_answer(database, o, u, conversation.id, message.id),
            lambda o, u: messages.of_conversation(database, o, u, conversation.id),
            lambda o, u: messages.get(database, o, u, message.id),
            lambda o, u: messages.remove(database, blobs, o, u, message.id),
        ):
            with pytest.raises(ApiError) as caught:
                await call(organisation, user)
            assert caught.value.status == 404
        assert not await messages.snapshot(database, organisation, user, answer.id, said("x"))
        assert not await messages.finish(database, organisation, user, answer.id, said("x"))
        assert (await conversations.page(database, organisation, user)).conversations == []
        assert (await conversations.page(database, organisation, user, query="secret")).conversations == []
    assert [
        turn.search
        for turn in await messages.of_conversation(
            database, people.organisation, people.user, conversation.id
        )
    ] == ["secret", ""]


async def test_an_unknown_id_and_somebody_elses_get_the_same_words(database, people):
    conversation = await conversations.create(database, people.organisation, people.user)
    told = []
    for wanted in (conversation.id, "conv_unknown"):
        with pytest.raises(ApiError) as caught:
            await conversations.get(database, people.other_organisation, people.stranger, wanted)
        told.append(caught.value.to_json())
    assert told[0] == told[1]


async def test_paging_shows_each_conversation_once_pinned_ones_first(database, people):
    made = [
        await conversations.create(database, people.organisation, people.user, f"number {number}")
        for number in range(23)
    ]
    for index in (3, 11):
        await conversations.change(database, people.organisation, people.user, made[index].id, pinned=True)
    seen, cursor = [], None
    while True:
        page = await conversations.page(database, people.organisation, people.user, cursor=cursor, limit=5)
        seen += [conversation.id for conversation in page.conversations]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(conversation.id for conversation in made)
    assert set(seen[:2]) == {made[3].id, made[11].id}


@pytest.mark.parametrize(
    "cursor", ["", "%%%", "bnVsbA==", "WzEsMiwzXQ==", "é", "WzEsIHRydWUsICJhIl0=", "A" * 9999]
)
async def test_a_cursor_made_up_is_refused_and_not_a_crash(database, people, cursor):
    with pytest.raises(ApiError) as caught:
        await conversations.page(database, people.organisation, people.user, cursor=cursor)
    assert (caught.value.status, caught.value.param) == (400, "cursor")


@pytest.mark.parametrize(
    "title, text, query, found",
    [
        ("Ein Ausflug", "In MÜNCHEN regnet es", "münchen", True),
        ("Straße", "", "STRASSE", True),
        ("100% sure", "", "100%", True),
        ("1000 sure", "", "100%", False),
        ("snake_case", "", "snake_case", True),
        ("snakeXcase", "", "snake_case", False),
        ("back\\slash", "", "k\\s", True),
        ("東京タワー", "", "京タ", True),
        ("", "ΟΔΥΣΣΕΥΣ", "οδυσσευς", True),
        ("cafe\u0301", "", "CAFÉ", True),
        ("a' OR '1'='1", "", "' or '1", True),
    ],
)
async def test_search_finds_what_is_written_in_any_script(database, people, title, text, query, found):
    conversation = await conversations.create(database, people.organisation, people.user, title)
    if text:
        await messages.add(database, people.organisation, people.user, conversation.id, "user", said(text))
    page = await conversations.page(database, people.organisation, people.user, query=query)
    assert bool(page.conversations) is found


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
async def test_text_that_a_database_cant_hold_is_a_400_on_both(database, people, bad):
    conversation = await conversations.create(database, people.organisation, people.user)
    where = (database, people.organisation, people.user)
    for call in (
        lambda: conversations.create(*where, bad),
        lambda: conversations.create(*where, "", {"deep": [{bad: 1}]}),
        lambda: conversations.change(*where, conversation.id, metadata={"x": bad}),
        lambda: conversations.page(*where, query=bad),
        lambda: messages.add(*where, conversation.id, "user", said(bad)),
    ):
        with pytest.raises(ApiError) as caught:
            await call()
        assert caught.value.status == 400
    assert await messages.of_conversation(*where, conversation.id) == []


async def test_json_that_isnt_json_or_too_deep_is_a_400(database, people):
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"a": deep}
    for bad in (deep, {"a": float("nan")}, {"a": [float("inf")]}):
        with pytest.raises(ApiError) as caught:
            await conversations.create(database, people.organisation, people.user, "", bad)
        assert caught.value.status == 400


async def test_an_answer_with_a_nul_is_kept_without_it(database, people):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where)
    answer = await messages.start_answer(*where, conversation.id, None)
    assert await messages.finish(*where, answer.id, said("a\0b\ud800"), details={"x": "\0"})
    kept = await messages.get(*where, answer.id)
    assert (kept.content, kept.details) == (said("a\ufffdb\ufffd"), {"x": "\ufffd"})


async def test_an_answer_grows_ends_once_and_is_found_by_its_words(database, people):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where)
    question = await messages.add(*where, conversation.id, "user", said("What is it?"))
    answer = await messages.start_answer(*where, conversation.id, question.id, {"model": "mini"})
    assert (await messages.get(*where, answer.id)).status == "streaming"
    assert await messages.snapshot(*where, answer.id, said("A heron"))
    assert await messages.finish(*where, answer.id, said("A heron flies"), details={"model": "mini", "n": 3})
    assert not await messages.finish(*where, answer.id, said("late"), "failed")
    assert not await messages.snapshot(*where, answer.id, said("late"))
    kept = await messages.get(*where, answer.id)
    assert (kept.content, kept.status, kept.details) == (
        said("A heron flies"),
        "complete",
        {"model": "mini", "n": 3},
    )
    found = await conversations.page(*where, query="heron FLIES")
    assert [each.id for each in found.conversations] == [conversation.id]


async def test_answers_of_a_killed_process_are_marked_and_living_ones_left(database, people):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where)
    dead = await messages.start_answer(*where, conversation.id, None)
    await messages.snapshot(*where, dead.id, said("half"))
    await asyncio.sleep(0.25)
    living = await messages.start_answer(*where, conversation.id, None)
    assert await messages.fail_abandoned(database, silent_ms=200) == 1
    first, second = await messages.of_conversation(*where, conversation.id)
    assert (first.status, first.content, first.details) == (
        "failed",
        said("half"),
        {"error": messages.INTERRUPTED},
    )
    assert (second.id, second.status) == (living.id, "streaming")


async def test_branches_keep_every_version_and_deleting_one_takes_what_follows(database, blobs, people):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where)
    root = await messages.add(*where, conversation.id, "user", said("root"))
    first = await messages.add(*where, conversation.id, "assistant", said("one"), root.id)
    second = await messages.add(*where, conversation.id, "assistant", said("two"), root.id)
    below = await messages.add(*where, conversation.id, "user", said("below"), first.id)
    assert await messages.remove(database, blobs, people.organisation, people.user, first.id) == [
        first.id,
        below.id,
    ]
    left = await messages.of_conversation(*where, conversation.id)
    assert [(turn.id, turn.sequence) for turn in left] == [(root.id, 1), (second.id, 3)]
    again = await messages.add(*where, conversation.id, "user", said("more"), second.id)
    assert again.sequence == 5  # a sequence isn't given out twice


async def test_a_parent_of_another_conversation_is_refused(database, people):
    where = (database, people.organisation, people.user)
    here, there = await conversations.create(*where), await conversations.create(*where)
    foreign = await messages.add(*where, there.id, "user", said("there"))
    for parent in (foreign.id, "msg_unknown"):
        with pytest.raises(ApiError) as caught:
            await messages.add(*where, here.id, "user", said("here"), parent)
        assert caught.value.param == "parent_id"


async def test_two_processes_that_write_at_once_never_share_a_sequence(
    url, database, people, start, together
):
    conversation = await conversations.create(database, people.organisation, people.user)
    children = [
        start("add_messages", url, people.organisation, people.user, conversation.id, "20") for _ in range(2)
    ]
    given = [int(line) for lines in together(children) for line in lines]
    assert sorted(given) == list(range(1, 41))


async def test_a_link_shows_until_it_is_taken_back_or_the_organisation_is_suspended(database, people):
    where = (database, people.organisation, people.user)
    conversation = await conversations.create(*where, "Shared")
    await messages.add(*where, conversation.id, "user", said("look"))
    await messages.start_answer(*where, conversation.id, None)
    old = await conversations.share(*where, conversation.id)
    token = await conversations.share(*where, conversation.id)
    async with database.read() as session:
        kept = await session.scalar(select(Conversation.share_hash))
    assert token not in str(kept)
    read, turns = await messages.of_shared(database, token)
    assert (read.id, [turn.search for turn in turns]) == (conversation.id, ["look"])
    with pytest.raises(ApiError):
        await conversations.shared(database, old)
    async with database.write() as session:
        (await session.get_one(Organisation, people.organisation)).suspended_at = now_ms()
    with pytest.raises(ApiError):
        await conversations.shared(database, token)
    async with database.write() as session:
        (await session.get_one(Organisation, people.organisation)).suspended_at = None
    await conversations.unshare(*where, conversation.id)
    for wrong in (token, "", "\ud800"):
        with pytest.raises(ApiError):
            await conversations.shared(database, wrong)


async def test_deleting_reaches_the_picture_when_nothing_else_shows_it(database, blobs, people):
    where = (database, people.organisation, people.user)
    sha256 = await blobs.put(people.organisation, b"picture", "image/png", 1, 1)
    path = blobs.path(people.organisation, sha256)
    first, second = await conversations.create(*where), await conversations.create(*where)
    one = await messages.add(*where, first.id, "user", shown(sha256))
    await messages.add(*where, second.id, "user", shown(sha256) + shown(sha256))
    file = await files.add_file(*where, "a.png", "vision", sha256)
    await files.add_response(*where, "resp_1", None, [], {}, [sha256])

    await messages.remove(database, blobs, people.organisation, people.user, one.id)
    await conversations.remove(database, blobs, people.organisation, people.user, second.id)
    await files.remove_file(database, blobs, people.organisation, people.user, file.id)
    assert await blobs.get(people.organisation, sha256) == b"picture"
    await files.remove_response(database, blobs, people.organisation, people.user, "resp_1")
    assert not await blobs.exists(people.organisation, sha256)
    assert not blobs.files.exists(path)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(MessagePicture)) == 0


async def test_a_picture_that_isnt_stored_here_cant_be_shown(database, blobs, people):
    conversation = await conversations.create(database, people.organisation, people.user)
    theirs = await blobs.put(people.other_organisation, b"theirs", "image/png", 1, 1)
    for sha256 in (theirs, "0" * 64):
        with pytest.raises(ApiError) as caught:
            await messages.add(
                database, people.organisation, people.user, conversation.id, "user", shown(sha256)
            )
        assert (caught.value.status, caught.value.param) == (400, "content")
    assert await messages.of_conversation(database, people.organisation, people.user, conversation.id) == []


async def test_retention_takes_what_is_old_by_each_organisations_own_period(database, blobs, people):
    async def aged(organisation: str, user: str, days: int) -> str:
        conversation = await conversations.create(database, organisation, user)
        sha256 = await blobs.put(organisation, conversation.id.encode(), "image/png", 1, 1)
        await messages.add(database, organisation, user, conversation.id, "user", shown(sha256))
        async with database.write() as session:
            row = await session.get_one(Conversation, conversation.id)
            row.updated_at = now_ms() - days * DAY_MS
        return conversation.id

    async with database.write() as session:
        (await session.get_one(Organisation, people.other_organisation)).retention_days = 5
    kept = await aged(people.organisation, people.user, 20)
    await aged(people.organisation, people.user, 40)
    await aged(people.other_organisation, people.stranger, 20)
    fresh = await aged(people.other_organisation, people.stranger, 2)
    swept = await retention.sweep(database, blobs, 30)
    assert swept.conversations == 2
    async with database.read() as session:
        assert set(await session.scalars(select(Conversation.id))) == {kept, fresh}
        assert await session.scalar(select(func.count()).select_from(Message)) == 2
    assert len(blobs.files.find(blobs.root)) == 2
    assert (await retention.sweep(database, blobs, None)).conversations == 0


async def test_expired_files_go_with_their_bytes(database, blobs, people):
    where = (database, people.organisation, people.user)
    sha256 = await blobs.put(people.organisation, b"file", "image/png", 1, 1)
    file = await files.add_file(*where, "a.png", "vision", sha256, expires_at=now_ms() - 1)
    with pytest.raises(ApiError):
        await files.get_file(*where, file.id)
    assert await files.list_files(*where) == []
    assert (await retention.sweep(database, blobs, None)).files == 1
    assert not await blobs.exists(people.organisation, sha256)


async def test_files_are_listed_a_page_at_a_time_in_both_orders(database, blobs, people):
    where = (database, people.organisation, people.user)
    sha256 = await blobs.put(people.organisation, b"file", "image/png", 1, 1)
    made = [(await files.add_file(*where, f"{n}.png", "vision", sha256)).id for n in range(5)]
    for newest_first in (True, False):
        seen: list[str] = []
        while page := await files.list_files(
            *where, after=seen[-1] if seen else None, limit=2, newest_first=newest_first
        ):
            seen += [file.id for file in page]
        assert sorted(seen) == sorted(made)
    with pytest.raises(ApiError):
        await files.list_files(database, people.other_organisation, people.stranger, after=made[0])


async def test_no_acknowledged_message_is_lost_when_a_process_is_killed_25_times(
    url, database, people, start
):
    conversation = await conversations.create(database, people.organisation, people.user)
    chance = random.Random(1)
    printed: list[str] = []
    for _ in range(25):
        child = start("write_messages", url, people.organisation, people.user, conversation.id)
        printed.append(child.stdout.readline().strip())
        await asyncio.sleep(chance.uniform(0, 0.12))
        child.kill()
        printed += child.whole_lines()
    turns = await messages.of_conversation(database, people.organisation, people.user, conversation.id)
    kept = {turn.id for turn in turns}
    assert len(printed) > 50
    assert [message_id for message_id in printed if message_id not in kept] == []
    assert [turn.sequence for turn in turns] == list(range(1, len(turns) + 1))
