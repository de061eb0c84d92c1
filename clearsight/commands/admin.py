"""`clearsight admin`: keys, users, limits, backups; works on the database, whether the server runs or not."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from clearsight.commands.terminal import AsJson, UsageError, notes, reported

if TYPE_CHECKING:
    from clearsight.server.config import ServerConfig
    from clearsight.server.store.database import Database

app = typer.Typer(no_args_is_help=True, help="Keys, users, limits, backups of a server.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
users = typer.Typer(no_args_is_help=True, help="Users and organisations.")
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")

ACTOR = "command-line"
ConfigFile = Annotated[Path | None, typer.Option("--config", help="The server's TOML file, if it has one.")]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The server's folder, if it isn't the usual one.")
]
WhoseId = Annotated[str | None, typer.Option("--user", help="Id of a user; the owner by default.")]


def _do(
    config: Path | None, data: Path | None, work: "Callable[[Database, ServerConfig], Awaitable[Any]]"
) -> Any:
    """Run `work` on the server's database, brought up to date first."""
    from clearsight.server.config import read_config
    from clearsight.server.store.database import Database
    from clearsight.server.store.migrate import upgrade

    settings = read_config(config, store__data=str(data) if data else None)

    async def run() -> Any:
        if "sqlite" in settings.database_url and not settings.data.is_dir():
            raise UsageError(
                f"there is no server in {settings.data}; start one with clearsight serve, or name --data"
            )
        database = Database(settings.database_url)
        try:
            await upgrade(database)
            return await work(database, settings)
        finally:
            await database.close()

    return asyncio.run(run())


async def _user(database: "Database", user_id: str | None) -> Any:
    """A user by id, or the first owner. Raises UsageError."""
    from clearsight.server.store import accounts

    found = await accounts.find_user(database, user_id)
    if found is not None:
        return found
    if user_id:
        raise UsageError(f"there is no user {user_id}; clearsight admin users list shows all")
    raise UsageError("there is no owner yet; start clearsight serve once")


@app.command(epilog="Example:  clearsight admin login")
def login(
    user: WhoseId = None, config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False
) -> None:
    """A link that logs a browser in, once, within the hour."""
    with reported(as_json):
        from clearsight.server.issuing import login_link

        async def work(database: "Database", settings: "ServerConfig") -> str:
            return await login_link(database, settings, (await _user(database, user)).id)

        link = _do(config, data, work)
        print(json.dumps({"link": link}) if as_json else link)


@keys.command("create", epilog='Example:  clearsight admin keys create "my laptop" --requests-per-minute 60')
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    user: WhoseId = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="inference, files, conversations, account, review or admin; several times."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Until it expires.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    megapixels_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Answers at once.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; it is shown once."""
    limits = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "megapixels_per_minute": megapixels_per_minute,
        "concurrency": concurrency,
    }
    with reported(as_json):
        from clearsight.server.issuing import issue_key
        from clearsight.server.principal import ROLE_SCOPES

        unknown = set(scope or ()) - set(ROLE_SCOPES["owner"])
        if unknown:
            raise UsageError(
                f"there is no scope {unknown.pop()}; there are {', '.join(ROLE_SCOPES['owner'])}"
            )

        async def work(database: "Database", settings: "ServerConfig") -> dict[str, str]:
            found = await _user(database, user)
            key, row = await issue_key(
                database,
                ACTOR,
                found.organisation_id,
                found.id,
                name,
                scope,
                {limit: value for limit, value in limits.items() if value is not None},
                days,
            )
            return {"id": row.id, "key": key}

        made = _do(config, data, work)
        print(json.dumps(made) if as_json else made["key"])


@keys.command("list", epilog="Example:  clearsight admin keys list")
def list_keys(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """All keys: whose, what they may, when they were last used."""
    with reported(as_json):
        from clearsight.server.store import accounts

        async def work(database: "Database", settings: "ServerConfig") -> list[dict[str, Any]]:
            found = []
            for organisation in await accounts.list_organisations(database):
                for key in await accounts.list_keys(database, organisation.id):
                    found.append(
                        {
                            "id": key.id,
                            "name": key.name,
                            "begins": f"cs-{key.lookup}",
                            "user": key.user_id,
                            "scopes": " ".join(key.scopes),
                            "limits": " ".join(f"{name}={value}" for name, value in key.limits.items()),
                            "last used": _when(key.last_used_at),
                            "revoked": _when(key.revoked_at),
                        }
                    )
            return found

        _show(_do(config, data, work), as_json)


@keys.command("revoke", epilog="Example:  clearsight admin keys revoke key_4f0c...")
def revoke_key(
    key_id: str, config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False
) -> None:
    """End a key; what it is answering at the moment ends within a second or two."""
    with reported(as_json):
        from clearsight.server.store import accounts

        async def work(database: "Database", settings: "ServerConfig") -> None:
            for organisation in await accounts.list_organisations(database):
                if key_id in [key.id for key in await accounts.list_keys(database, organisation.id)]:
                    await accounts.revoke_key(database, ACTOR, organisation.id, key_id)
                    return
            raise UsageError(f"there is no key {key_id}; clearsight admin keys list shows all")

        _do(config, data, work)
        print(json.dumps({"revoked": key_id}) if as_json else f"{key_id} is revoked")


@users.command("create", epilog="Example:  clearsight admin users create Ada --role member")
def create_user(
    name: str,
    role: Annotated[str, typer.Option(help="member, reviewer, admin or owner.")] = "member",
    organisation: Annotated[
        str | None, typer.Option(help="Name of a new organisation; the owner's own by default.")
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Add a user and print the link that logs them in once."""
    with reported(as_json):
        from clearsight.server.issuing import login_link
        from clearsight.server.principal import ROLE_SCOPES
        from clearsight.server.store import accounts

        if role not in ROLE_SCOPES:
            raise UsageError(f"a role is {', '.join(ROLE_SCOPES)}, not {role}")

        async def work(database: "Database", settings: "ServerConfig") -> dict[str, str]:
            if organisation:
                home = (await accounts.create_organisation(database, ACTOR, organisation)).id
            else:
                home = (await _user(database, None)).organisation_id
            made = await accounts.create_user(database, ACTOR, home, name, role)  # type: ignore[arg-type]
            return {
                "id": made.id,
                "organisation": home,
                "link": await login_link(database, settings, made.id),
            }

        made = _do(config, data, work)
        print(json.dumps(made) if as_json else f"{made['id']}\n{made['link']}")


@users.command("list", epilog="Example:  clearsight admin users list --json")
def list_users(config: ConfigFile = None, data: DataFolder = None, as_json: AsJson = False) -> None:
    """All users with their organisations."""
    with reported(as_json):
        from clearsight.server.store import accounts

        async def work(database: "Database", settings: "ServerConfig") -> list[dict[str, Any]]:
            return [
                {
                    "id": user.id,
                    "name": user.name,
                    "role": user.role,
                    "organisation": f"{organisation.name} ({organisation.id})",
                    "suspended until": _when(user.suspended_until),
                }
                for organisation in await accounts.list_organisations(database)
                for user in await accounts.list_users(database, organisation.id)
            ]

        _show(_do(config, data, work), as_json)


@users.command("suspend", epilog="Example:  clearsight admin users suspend user_4f0c... --days 7")
def suspend(
    user_id: str,
    days: Annotated[
        int | None, typer.Option(min=0, help="0 lets them in again; for ever by default.")
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Shut a user out, with what they are running."""
    with reported(as_json):
        from clearsight.server.store import accounts
        from clearsight.server.store.tables import now_ms

        async def work(database: "Database", settings: "ServerConfig") -> None:
            found = await _user(database, user_id)
            until = accounts.FOREVER if days is None else now_ms() + days * 86_400_000 if days else None
            await accounts.suspend_user(database, ACTOR, found.organisation_id, user_id, until)

        _do(config, data, work)
        print(json.dumps({"user": user_id, "days": days}) if as_json else f"{user_id}: done")


@users.command("delete", epilog="Example:  clearsight admin users delete user_4f0c... --yes")
def delete_user(
    user_id: str,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Delete a user with conversations, pictures, files and keys. The ledger keeps figures without the name."""
    with reported(as_json):
        from clearsight.server.store import accounts
        from clearsight.server.store.blobs import Blobs

        if not yes and not typer.confirm(f"Delete {user_id} and everything of theirs?"):
            raise typer.Exit(1)

        async def work(database: "Database", settings: "ServerConfig") -> None:
            found = await _user(database, user_id)
            blobs = Blobs(settings.blobs_url, database)
            await accounts.delete_user(database, blobs, ACTOR, found.organisation_id, user_id)

        _do(config, data, work)
        print(json.dumps({"deleted": user_id}) if as_json else f"{user_id} is deleted")


@app.command(epilog="Example:  clearsight admin limits --monthly-tokens 5000000 --retention-days 30")
def limits(
    organisation: Annotated[
        str | None, typer.Option(help="Id of an organisation; the owner's by default.")
    ] = None,
    monthly_tokens: Annotated[int | None, typer.Option(min=0, help="Budget; 0 takes the server's.")] = None,
    retention_days: Annotated[int | None, typer.Option(min=0, help="0 takes the server's.")] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy file to merge over the server's.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Set or show an organisation's budget, retention and safety policy."""
    with reported(as_json):
        from clearsight.server.store import accounts
        from clearsight.server.store import usage as ledger

        async def work(database: "Database", settings: "ServerConfig") -> dict[str, Any]:
            home = organisation or (await _user(database, None)).organisation_id
            changes: dict[str, Any] = {}
            if monthly_tokens is not None:
                changes["monthly_tokens"] = monthly_tokens or None
            if retention_days is not None:
                changes["retention_days"] = retention_days or None
            if policy is not None:
                from clearsight.safety.policy import load

                load(*settings.safety.policies, policy)
                changes["policy"] = policy.read_text(encoding="utf-8")
            row = (
                await accounts.change_organisation(database, ACTOR, home, changes)
                if changes
                else await accounts.get_organisation(database, home)
            )
            spent = await ledger.spent(database, home, settings.limits.monthly_tokens)
            return {
                "organisation": row.id,
                "name": row.name,
                "budget": spent.budget,
                f"spent in {spent.month}": spent.tokens,
                "retention days": row.retention_days or settings.store.retention_days,
                "own policy": row.policy is not None,
            }

        _show([_do(config, data, work)], as_json)


@app.command(epilog="Example:  clearsight admin backup /backups/2026-11-28")
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Copy database and pictures while the server runs."""
    with reported(as_json):
        from clearsight.server.store import backup as backups
        from clearsight.server.store.blobs import Blobs

        with _progress() as tell:

            async def work(database: "Database", settings: "ServerConfig") -> Any:
                return await backups.backup(database, Blobs(settings.blobs_url, database), folder, tell)

            summary = _do(config, data, work)
        _tell_summary(summary, f"{folder} holds", as_json)


@app.command(epilog="Example:  clearsight admin restore /backups/2026-11-28 --data /new/folder")
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database and folder; every hash is checked first."""
    with reported(as_json):
        from clearsight.server.config import read_config
        from clearsight.server.store import backup as backups

        settings = read_config(config, store__data=str(data) if data else None)
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _progress() as tell:
            summary = asyncio.run(backups.restore(folder, settings.database_url, settings.blobs_url, tell))
        _tell_summary(summary, "Restored", as_json)


@app.command(epilog="Example:  clearsight admin audit --verify")
def audit(
    verify: Annotated[
        bool, typer.Option("--verify", help="Hold every entry against the chain of hashes.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    config: ConfigFile = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Who did what, newest first."""
    with reported(as_json):
        from clearsight.server.store import audit as log

        async def work(database: "Database", settings: "ServerConfig") -> Any:
            if verify:
                return await log.verify(database)
            entries = await log.page(database, None, limit=limit)
            return [
                {
                    "when": _when(entry.created_at),
                    "actor": entry.actor,
                    "action": entry.action,
                    "subject": entry.subject,
                    "details": json.dumps(entry.details, ensure_ascii=False) if entry.details else "",
                }
                for entry in entries
            ]

        found = _do(config, data, work)
        if not verify:
            _show(found, as_json)
            return
        whole = found is None
        says = "The chain is whole." if whole else f"The chain is broken: {found}"
        print(
            json.dumps({"whole": whole, "broken": found and dataclasses.asdict(found)}) if as_json else says
        )
        if not whole:
            raise typer.Exit(1)


@contextmanager
def _progress() -> "Iterator[Callable[[str, int, int], None]]":
    from rich.progress import Progress

    with Progress(console=notes, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def _tell_summary(summary: Any, verb: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(dataclasses.asdict(summary)))
        return
    print(f"{verb} {summary.blobs:,} pictures, {summary.bytes:,} bytes.")
    for sha256 in summary.damaged:
        notes.print(f"The store itself no longer has the bytes of {sha256}.", style="red")


def _when(moment: int | None) -> str:
    from datetime import datetime

    if not moment:
        return ""
    return (
        "for ever"
        if moment > 4_000_000_000_000
        else f"{datetime.fromtimestamp(moment / 1000):%Y-%m-%d %H:%M}"
    )


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        notes.print("There is nothing yet.")
        return
    table = Table(box=None)
    for number, name in enumerate(rows[0]):
        # Ids come first, and are there to be copied: on a narrow terminal the other columns give way.
        table.add_column(name, min_width=max(len(str(row[name])) for row in rows) if number == 0 else None)
    for row in rows:
        table.add_row(*(str(value) if value is not None else "" for value in row.values()))
    Console(highlight=False).print(table)
