"""Starts a server: first steps for its owner, then uvicorn, in one process or several."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from pathlib import Path

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from clearsight.server.app import create_app
from clearsight.server.config import ServerConfig, ServerConfigError
from clearsight.server.first_start import Welcome, welcome
from clearsight.server.issuing import login_link
from clearsight.server.store import accounts
from clearsight.server.store.database import Database
from clearsight.server.store.migrate import upgrade

log = logging.getLogger(__name__)
SETTINGS = "CLEARSIGHT_SERVER_SETTINGS"
"""How the settings reach the other processes: JSON."""
CLIENT = "CLEARSIGHT_SERVER_CLIENT"
"""And the folder of the web client; empty for none."""


def run(config: ServerConfig, client: Path | None = None, *, open_page: bool = False) -> None:
    """Serve, with the web client of a folder, until told to stop; `open_page` shows it to the owner, logged in.

    Raises ServerConfigError for a port that is taken, and as `prepare` does.
    """
    config.check()
    _check_port(config)
    first = asyncio.run(prepare(config))
    _greet(config, first)
    if open_page:
        link = first.link if first else asyncio.run(owner_link(config))
        threading.Thread(target=_show, args=(config, link), daemon=True).start()
    common = {
        "host": config.network.host,
        "port": config.network.port,
        "log_level": "warning",
        "server_header": False,
        "proxy_headers": config.network.trust_proxy,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 5,  # for what isn't an answer; those have ended by then (draining)
        "h11_max_incomplete_event_size": 64 * 1024,
    }
    if config.network.processes == 1:
        uvicorn.run(create_app(config, client), **common)  # type: ignore[arg-type]
        return
    os.environ[SETTINGS] = config.model_dump_json()
    os.environ[CLIENT] = str(client or "")
    uvicorn.run(
        "clearsight.server.run:app_of_environment",
        factory=True,
        workers=config.network.processes,
        **common,  # type: ignore[arg-type]
    )


def app_of_environment() -> object:
    """The application for a process that another one started."""
    client = os.environ[CLIENT]
    return create_app(
        ServerConfig.model_validate_json(os.environ[SETTINGS]), Path(client) if client else None
    )


async def prepare(config: ServerConfig) -> Welcome | None:
    """Bring the database up to date; the owner's secrets where nobody was there before. Raises ServerConfigError."""
    _check_data(config.data)
    database = Database(config.database_url)
    try:
        await upgrade(database)
        return await welcome(database, config)
    except (OSError, SQLAlchemyError, asyncpg_errors()) as error:
        raise ServerConfigError(
            f"the database {database.url.render_as_string(hide_password=True)} can't be used: {_reason(error)}; is it "
            "running, and are store.database and its rights as they should be?"
        ) from error
    finally:
        await database.close()


def asyncpg_errors() -> type[Exception]:
    """What PostgreSQL's driver raises by itself while connecting; where it isn't installed, nothing does."""
    try:
        from asyncpg import PostgresError
    except ImportError:
        return ServerConfigError
    return PostgresError  # type: ignore[no-any-return]


def _reason(error: Exception) -> str:
    """The last line of what a driver says, without SQL and without the library's own prose."""
    cause = getattr(error, "orig", None) or error
    return (
        str(cause).strip().splitlines()[0].rpartition(": ")[2] if str(cause).strip() else type(cause).__name__
    )


def _check_data(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ServerConfigError(
            f"the folder {folder} can't be written ({error.strerror}); name another one with --data, or give this "
            "user write access to it"
        ) from error


async def owner_link(config: ServerConfig) -> str:
    """A link that logs the first owner in once."""
    database = Database(config.database_url)
    try:
        owner = await accounts.find_user(database, None)
        return await login_link(database, config, owner.id) if owner is not None else config.url
    finally:
        await database.close()


def _show(config: ServerConfig, link: str) -> None:
    """Open the page in a browser, where there is one, once somebody listens."""
    for _ in range(300):
        with contextlib.suppress(OSError):
            socket.create_connection((config.network.host, config.network.port), timeout=1).close()
            break
        time.sleep(0.1)
    if not webbrowser.open(link):
        print(f"Open this in a browser: {link}", file=sys.stderr, flush=True)


def _check_port(config: ServerConfig) -> None:
    with socket.socket(socket.AF_INET6 if ":" in config.network.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.network.host, config.network.port))
        except OSError as error:
            raise ServerConfigError(
                f"{config.network.host}:{config.network.port} can't be listened on ({error.strerror}); "
                "is another server running there? Name another one with --port"
            ) from error


def _greet(config: ServerConfig, first: Welcome | None) -> None:
    """Say where it is, and the secrets of a first start; on standard error, as all notes."""
    lines = [f"Clearsight is at {config.url}"]
    if first is not None:
        lines += [
            "",
            "This is the first start. Both of these are shown once:",
            f"  log in as the owner    {first.link}",
            f"  API key                {first.key}",
            "",
            f'  from openai import OpenAI; OpenAI(base_url="{config.url}/v1", api_key="{first.key}")',
        ]
    else:
        lines += ["A new link to log in: clearsight admin login"]
    print("\n".join(lines), file=sys.stderr, flush=True)
