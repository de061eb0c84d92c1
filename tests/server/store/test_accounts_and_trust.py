"""Who may come in, who is shut out and why, and that a deleted user is gone."""

import asyncio

import pytest
from sqlalchemy import func, select, update

from clearsight.server.errors import ApiError
from clearsight.server.store import accounts, audit, conversations, files, messages, trust, usage
from clearsight.server.store.tables import Blob, Feedback, Report, Strike, Table, User, new_id, now_ms

pytestmark = pytest.mark.anyio


async def furnish(database, blobs, organisation: str, user: str) -> str:
    """Something of everything that a user may have; the hash of a picture."""
    sha256 = await blobs.put(organisation, user.encode(), "image/png", 1, 1)
    conversation = await conversations.create(database, organisation, user, "Title")
    message = await messages.add(
        database, organisation, user, conversation.id, "user", [{"type": "image", "sha256": sha256}]
    )
    await files.add_file(database, organisation, user, "a.png", "vision", sha256)
    await files.add_response(database, organisation, user, new_id("resp"), None, [], {}, [sha256])
    await accounts.add_key(database, user, organisation, user, "key", new_id("k")[:32], "hash", ["chat"])
    await accounts.add_session(database, user, new_id("s"), "Firefox", now_ms() + 1000)
    await accounts.add_login_link(database, user, new_id("l"), now_ms() + 1000)
    await trust.report(database, organisation, user, message.id, "violence", "comment")
    given, _ = await trust.strike(database, "test", organisation, user, "reason")
    await trust.appeal(database, organisation, user, given.id, "please")
    async with database.write() as session:
        session.add(
            Feedback(
                id=new_id("fb"),
                message_id=message.id,
                organisation_id=organisation,
                user_id=user,
                good=True,
                comment="",
                consent=False,
                created_at=now_ms(),
            )
        )
    await usage.record(
        database,
        [usage.Cost(new_id("req"), organisation, user, None, "/v1/responses", "mini", prompt_tokens=7)],
    )
    return sha256


async def rows(database) -> dict[str, int]:
    async with database.read() as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table))
            for table in Table.metadata.sorted_tables
        }


async def test_a_deleted_user_leaves_nothing_but_figures_and_the_log(database, blobs, people):
    before = await rows(database)
    sha256 = await furnish(database, blobs, people.organisation, people.user)
    async with database.write() as session:
        await session.execute(update(Blob).values(held_until=0))
    await accounts.delete_user(database, blobs, "test", people.organisation, people.user)
    after = await rows(database)
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert changed.pop("audit_events") > 0
    assert changed == {"users": -1, "usage": 1, "months": 1}
    assert not blobs.files.exists(blobs.path(people.organisation, sha256))
    (total,) = await usage.sums(database, people.organisation, "user", 0, now_ms() + 1)
    assert (total.key, total.prompt_tokens) == (accounts.DELETED, 7)
    assert await audit.verify(database) is None


async def test_a_deleted_organisation_leaves_nothing_but_the_log_and_touches_no_other(
    database, blobs, people
):
    await furnish(database, blobs, people.other_organisation, people.stranger)
    before = await rows(database)
    await furnish(database, blobs, people.organisation, people.user)
    await furnish(database, blobs, people.organisation, people.colleague)
    await trust.list_hash(database, "test", people.organisation, "ab" * 32, "wanted by nobody")
    await accounts.delete_organisation(database, blobs, "test", people.organisation)
    after = await rows(database)
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert changed.pop("audit_events") > 0
    assert changed == {"organisations": -1, "users": -2}
    assert len(blobs.files.find(blobs.root)) == 1
    assert await audit.verify(database) is None


async def test_an_admin_reaches_only_their_own_organisation(database, blobs, people):
    key = await accounts.add_key(
        database, "test", people.organisation, people.user, "k", "lookup", "hash", ["chat", "admin"]
    )
    other = people.other_organisation
    for call in (
        accounts.get_user(database, other, people.user),
        accounts.set_role(database, "x", other, people.user, "owner"),
        accounts.set_settings(database, other, people.user, {}),
        accounts.suspend_user(database, "x", other, people.user, accounts.FOREVER),
        accounts.delete_user(database, blobs, "x", other, people.user),
        accounts.revoke_key(database, "x", other, key.id),
        accounts.revoke_key(database, "x", people.organisation, key.id, people.colleague),
        accounts.add_key(database, "x", other, people.user, "k", "l2", "h", []),
        trust.strike(database, "x", other, people.user, "reason"),
    ):
        with pytest.raises(ApiError) as caught:
            await call
        assert caught.value.status == 404


async def test_a_key_is_found_listed_and_revoked_once(database, people):
    key = await accounts.add_key(
        database, "test", people.organisation, people.user, "k", "lookup", "hash", ["chat", "admin"]
    )
    found = await accounts.find_key(database, "lookup")
    assert found is not None
    assert (found[0].id, found[0].scopes, found[1].id, found[2].id) == (
        key.id,
        ["admin", "chat"],
        people.user,
        people.organisation,
    )
    first = await accounts.revoke_key(database, "test", people.organisation, key.id)
    again = await accounts.revoke_key(database, "test", people.organisation, key.id)
    assert first.revoked_at == again.revoked_at is not None
    await accounts.key_used(database, key.id)
    (listed,) = await accounts.list_keys(database, people.organisation, people.user)
    assert listed.last_used_at
    assert await accounts.find_key(database, "unknown") is None
    actions = [event.action for event in await audit.page(database, people.organisation)]
    assert actions[:2] == ["key.revoke", "key.create"]


async def test_a_login_link_opens_one_session_however_many_try(database, people):
    await accounts.add_login_link(database, people.user, "a" * 64, now_ms() + 60_000)
    await accounts.add_login_link(database, people.user, "b" * 64, now_ms() - 1)
    users = await asyncio.gather(*(accounts.use_login_link(database, "a" * 64) for _ in range(8)))
    assert [user.id for user in users if user] == [people.user]
    assert await accounts.use_login_link(database, "b" * 64) is None


async def test_a_session_ends_by_itself_by_hand_and_everywhere(database, people):
    await accounts.add_session(database, people.user, "old", "x", now_ms() - 1)
    opened = await accounts.add_session(database, people.user, "one", "Fire\0fox" * 99, now_ms() + 60_000)
    await accounts.add_session(database, people.user, "two", "Safari", now_ms() + 60_000)
    assert await accounts.find_session(database, "old") is None
    found = await accounts.find_session(database, "one")
    assert found is not None and found[1].id == people.user
    assert len(await accounts.list_sessions(database, people.user)) == 2
    with pytest.raises(ApiError):
        await accounts.end_session(database, people.stranger, opened.id)
    await accounts.end_session(database, people.user, opened.id)
    assert await accounts.find_session(database, "one") is None
    await accounts.end_sessions(database, people.user)
    assert await accounts.find_session(database, "two") is None


async def test_three_strikes_at_once_suspend_and_a_granted_appeal_lets_in_again(database, people):
    given = await asyncio.gather(
        *(
            trust.strike(database, people.user, people.organisation, people.colleague, f"reason {number}")
            for number in range(trust.MAX_STRIKES)
        )
    )
    user = await accounts.get_user(database, people.organisation, people.colleague)
    assert user.suspended_until == max(strike.created_at for strike, _ in given) + trust.SUSPENSION_MS
    strike_id = given[0][0].id
    with pytest.raises(ApiError):
        await trust.appeal(database, people.organisation, people.user, strike_id, "not mine")
    appeal = await trust.appeal(database, people.organisation, people.colleague, strike_id, "please")
    with pytest.raises(ApiError) as caught:
        await trust.appeal(database, people.organisation, people.colleague, strike_id, "again")
    assert caught.value.code == "already_appealed"
    assert [each.id for each in await trust.appeals(database, people.organisation)] == [appeal.id]
    with pytest.raises(ApiError):
        await trust.decide_appeal(database, people.stranger, people.other_organisation, appeal.id, True)
    await trust.decide_appeal(database, people.user, people.organisation, appeal.id, True)
    assert (await accounts.get_user(database, people.organisation, people.colleague)).suspended_until is None
    with pytest.raises(ApiError):
        await trust.decide_appeal(database, people.user, people.organisation, appeal.id, False)
    actions = [event.action for event in await audit.page(database, people.organisation)]
    assert actions[:4] == ["user.restore", "strike.withdraw", "appeal.granted", "appeal.create"]
    assert actions.count("user.suspend") == 1
    assert await audit.verify(database) is None


async def test_expired_strikes_dont_count(database, people):
    for _ in range(2):
        await trust.strike(database, "test", people.organisation, people.colleague, "old")
    async with database.write() as session:
        await session.execute(update(Strike).values(expires_at=1))
    _, user = await trust.strike(database, "test", people.organisation, people.colleague, "new")
    assert user.suspended_until is None
    assert len(await trust.strikes(database, people.organisation, people.colleague)) == 3


async def test_an_appeal_doesnt_end_a_suspension_that_a_person_gave(database, people):
    for _ in range(3):
        last, _ = await trust.strike(database, "test", people.organisation, people.colleague, "reason")
    await accounts.suspend_user(database, "test", people.organisation, people.colleague, accounts.FOREVER)
    appeal = await trust.appeal(database, people.organisation, people.colleague, last.id, "please")
    await trust.decide_appeal(database, "test", people.organisation, appeal.id, True)
    user = await accounts.get_user(database, people.organisation, people.colleague)
    assert user.suspended_until == accounts.FOREVER


async def test_a_report_is_queued_decided_once_and_strikes_whom_it_is_about(database, people):
    made = [
        await trust.report(
            database,
            people.organisation,
            people.user,
            "msg_x",
            "harassment",
            "see",
            [{"type": "text", "text": "x"}],
            people.colleague,
        )
        for _ in range(3)
    ]
    queue = await trust.queue(database, people.organisation, limit=2)
    rest = await trust.queue(database, people.organisation, after=queue[-1].id)
    assert sorted(each.id for each in queue + rest) == sorted(each.id for each in made)
    assert await trust.queue(database, people.other_organisation) == []
    with pytest.raises(ApiError):
        await trust.get_report(database, people.other_organisation, made[0].id)

    async def decide() -> object:
        return await trust.decide(
            database, people.user, people.organisation, made[0].id, "upheld", "it is", strike=True
        )

    results = await asyncio.gather(decide(), decide(), return_exceptions=True)
    assert sum(isinstance(result, ApiError) for result in results) == 1
    assert len(await trust.strikes(database, people.organisation, people.colleague)) == 1
    await trust.decide(
        database, people.user, people.organisation, made[1].id, "dismissed", "it isn't", strike=True
    )
    assert len(await trust.strikes(database, people.organisation, people.colleague)) == 1
    async with database.read() as session:
        assert sorted(await session.scalars(select(Report.status))) == ["dismissed", "open", "upheld"]


async def test_what_fails_in_the_middle_leaves_neither_strike_nor_entry(database, people, monkeypatch):
    made = await trust.report(
        database, people.organisation, people.user, "msg_x", "harassment", about_user_id=people.colleague
    )
    head = await audit.head(database)

    async def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(trust, "_append_all", fail)
    with pytest.raises(RuntimeError):
        await trust.decide(database, people.user, people.organisation, made.id, "upheld", "x", strike=True)
    assert await audit.head(database) == head
    assert await trust.strikes(database, people.organisation, people.colleague) == []
    assert (await trust.get_report(database, people.organisation, made.id)).status == "open"


async def test_listed_hashes_are_those_of_the_organisation_and_of_the_server(database, people):
    await trust.list_hash(database, "test", people.organisation, "AB" * 32, "ours")
    await trust.list_hash(database, "test", people.organisation, "ab" * 32, "again")
    await trust.list_hash(database, "test", trust.SERVER, "cd" * 32, "all")
    await trust.list_hash(database, "test", people.other_organisation, "ef" * 32, "theirs")
    listed = await trust.listed_hashes(database, people.organisation)
    assert [each.reason for each in listed] == ["ours", "all"]
    for bad in ("", "zz" * 32, "ab"):
        with pytest.raises(ApiError):
            await trust.list_hash(database, "test", people.organisation, bad, "x")
    await trust.unlist_hash(database, "test", people.organisation, "ab" * 32)
    with pytest.raises(ApiError):
        await trust.unlist_hash(database, "test", people.organisation, "ab" * 32)


async def test_a_suspended_organisation_and_role_changes_are_written_down(database, people):
    await accounts.suspend_organisation(database, "boss", people.organisation, True)
    assert (await accounts.get_organisation(database, people.organisation)).suspended_at
    await accounts.suspend_organisation(database, "boss", people.organisation, False)
    await accounts.set_role(database, "boss", people.organisation, people.user, "reviewer")
    events = await audit.page(database, people.organisation)
    assert [event.action for event in events[:3]] == [
        "user.role",
        "organisation.restore",
        "organisation.suspend",
    ]
    assert events[0].details == {"before": "admin", "after": "reviewer"}
    assert {organisation.id for organisation in await accounts.list_organisations(database)} == {
        people.organisation,
        people.other_organisation,
    }
    assert [user.id for user in await accounts.list_users(database, people.other_organisation)] == [
        people.stranger
    ]
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 3
