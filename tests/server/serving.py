"""A real server for tests: uvicorn on a free port, the bundled model behind it, its own folder for what it keeps."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import uvicorn

from benchmarks.server_process import free_port
from clearsight.server.app import create_app
from clearsight.server.config import ServerConfig
from clearsight.server.first_start import Welcome
from clearsight.server.issuing import issue_key
from clearsight.server.principal import ROLE_SCOPES
from clearsight.server.run import owner_link, prepare
from clearsight.server.store import accounts
from clearsight.server.store.database import Database

T = TypeVar("T")


@dataclass
class Served:
    """A running server and its first secrets."""

    url: str
    key: str
    link: str
    config: ServerConfig

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    @cached_property
    def admin_headers(self) -> dict[str, str]:
        """Of a key that may do everything its owner may."""
        return {"authorization": f"Bearer {self.new_key(ROLE_SCOPES['owner'])}"}

    def new_key(
        self, scopes: Sequence[str], limits: Mapping[str, object] | None = None, user: str = "Owner"
    ) -> str:
        """Another key, for a user of this name in an organisation of their own unless it is the owner."""
        return _run(_new_key(self.config, scopes, limits or {}, user))

    def change_organisation(self, name: str, **changes: object) -> None:
        """Set what an administrator can set of the organisation of this name."""
        _run(_change_organisation(self.config, name, changes))

    def login_link(self) -> str:
        """A fresh link for the owner."""
        return _run(owner_link(self.config))

    def client(self, **options: object) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers=self.headers, timeout=120, **options)  # type: ignore[arg-type]


@contextlib.contextmanager
def serving(folder: Path, client: Path | None = None, **settings: object) -> Iterator[Served]:
    """Start a server; its models are loaded when this returns. `settings` are groups of the configuration."""
    port = free_port()
    network = {"port": port, **settings.pop("network", {})}  # type: ignore[dict-item]
    store = {"data": str(folder), **settings.pop("store", {})}  # type: ignore[dict-item]
    config = ServerConfig.model_validate({"network": network, "store": store, **settings})
    first = _run(prepare(config))
    assert isinstance(first, Welcome)
    app = create_app(config, client) if client else create_app(config)
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=5)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _wait(config.url)
        yield Served(config.url, first.key, first.link, config)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not end"


async def _new_key(
    config: ServerConfig, scopes: Sequence[str], limits: Mapping[str, object], name: str
) -> str:
    database = Database(config.database_url)
    try:
        organisations = await accounts.list_organisations(database)
        if name == "Owner":
            organisation = organisations[0]
            user = (await accounts.list_users(database, organisation.id))[0]
        else:
            organisation = await accounts.create_organisation(database, "test", name)
            user = await accounts.create_user(database, "test", organisation.id, name, "admin")
        key, _ = await issue_key(database, "test", organisation.id, user.id, "test", scopes, limits)
        return key
    finally:
        await database.close()


async def _change_organisation(config: ServerConfig, name: str, changes: Mapping[str, object]) -> None:
    database = Database(config.database_url)
    try:
        for organisation in await accounts.list_organisations(database):
            if organisation.name == name:
                await accounts.change_organisation(database, "test", organisation.id, changes)
    finally:
        await database.close()


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: a browser's driver may have a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _wait(url: str, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{url}/readyz").status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"{url} was not ready within {seconds} s")
