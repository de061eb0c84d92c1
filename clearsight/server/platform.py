"""Everything a running server holds, in one object: where routes get theirs from."""

import asyncio
import logging
import threading
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clearsight.safety.moderation import Moderator
from clearsight.safety.policy import load as load_policy
from clearsight.server.authentication import TRUSTED_SECONDS, Authentication
from clearsight.server.config import ServerConfig
from clearsight.server.draining import Draining
from clearsight.server.ingest.ingest import Ingest
from clearsight.server.ingest.limits import MEBIBYTE, IngestLimits
from clearsight.server.ingest.remote import Fetcher
from clearsight.server.limits import Limiter
from clearsight.server.metrics import ServerMetrics
from clearsight.server.models import Models
from clearsight.server.routing import watch
from clearsight.server.store import accounts, messages, retention
from clearsight.server.store.blobs import Blobs
from clearsight.server.store.database import Database
from clearsight.server.store.migrate import upgrade
from clearsight.server.store.tables import Organisation, now_ms
from clearsight.server.store.usage import Ledger
from clearsight.server.vigilance import Vigilance
from clearsight.speech import Speech

if TYPE_CHECKING:
    from clearsight.server.conversing.live import LiveAnswers

log = logging.getLogger(__name__)
SWEEP_SECONDS = 300.0


@dataclass
class Platform:
    """The parts of one server process."""

    config: ServerConfig
    database: Database
    blobs: Blobs
    limiter: Limiter
    ingest: Ingest
    models: Models
    moderator: Moderator
    speech: Speech
    authentication: Authentication
    draining: Draining
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
    started: int = field(default_factory=lambda: now_ms() // 1000)
    live: "LiveAnswers" = field(init=False)
    vigilance: Vigilance = field(init=False)
    ledger: Ledger = field(init=False)
    _moderators: dict[str, tuple[str, Moderator]] = field(default_factory=dict)
    _organisations: dict[str, tuple[float, Organisation]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from clearsight.server.conversing.live import LiveAnswers  # which needs a platform itself

        self.live = LiveAnswers(self)
        self.vigilance = Vigilance(self.database)
        self.ledger = Ledger(self.database)

    async def organisation(self, organisation_id: str) -> Organisation:
        """An organisation as it was within the last second: budget, policy and retention change seldom."""
        known = self._organisations.get(organisation_id)
        if known is None or known[0] < time.monotonic():
            row = await accounts.get_organisation(self.database, organisation_id)
            known = (time.monotonic() + TRUSTED_SECONDS, row)
            self._organisations[organisation_id] = known
        return known[1]

    async def moderator_of(self, organisation_id: str) -> Moderator:
        """The server's policy, or an organisation's own over it."""
        own = (await self.organisation(organisation_id)).policy
        if not own:
            return self.moderator
        known = self._moderators.get(organisation_id)
        if known is None or known[0] != own:
            known = (own, await asyncio.to_thread(_own_moderator, self.config, own))
            self._moderators[organisation_id] = known
        return known[1]

    async def reachable(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.database.read() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True


@asynccontextmanager
async def opened(config: ServerConfig) -> AsyncIterator[Platform]:
    """All parts, started; models load in a thread of their own while the server already answers.

    Raises ServerConfigError, PolicyError, NewerDatabase and what the parts raise when they can't start.
    """
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(config.database_url)
    platform: Platform | None = None
    tasks: list[asyncio.Task[None]] = []
    try:
        await upgrade(database)
        pictures = config.pictures
        limits = IngestLimits(
            max_picture_bytes=pictures.max_megabytes * MEBIBYTE,
            max_pixels=pictures.max_megapixels * 1_000_000,
            max_pictures=pictures.max_per_request,
            max_request_picture_bytes=pictures.max_megabytes_per_request * MEBIBYTE,
        )
        draining = Draining(config.network.grace_seconds)
        platform = Platform(
            config=config,
            database=database,
            blobs=Blobs(config.blobs_url, database),
            limiter=Limiter(config.store.limits),
            ingest=Ingest(limits, workers=pictures.workers, fetcher=Fetcher() if pictures.remote else None),
            models=Models(config, draining),
            moderator=Moderator(load_policy(*config.safety.policies)),
            speech=Speech.create(voice=config.speech.voice),
            authentication=Authentication(database),
            draining=draining,
        )
        await platform.ingest.start()
        loading = threading.Thread(target=_load, args=(platform,), name="clearsight-models", daemon=True)
        loading.start()
        models = platform.models
        tasks = [
            asyncio.create_task(_sweep(platform)),
            asyncio.create_task(watch(lambda: [model.pool for model in models.loaded])),
        ]
        yield platform
    finally:
        for task in tasks:
            task.cancel()
        if platform is not None:
            platform.draining.began = True
            await platform.live.close()
            await platform.ingest.close()
            await asyncio.to_thread(platform.models.close)
            await asyncio.to_thread(platform.speech.close)
            await platform.limiter.close()
            await platform.ledger.close()
        await database.close()


def platform_of(request: Request) -> Platform:
    """The platform that a request came to."""
    found: Platform = request.app.state.platform
    return found


def _load(platform: Platform) -> None:
    platform.models.load()
    platform.metrics.watch(platform.models.loaded)


def _own_moderator(config: ServerConfig, own: str) -> Moderator:
    return Moderator(load_policy(*config.safety.policies, tomllib.loads(own)))


async def _sweep(platform: Platform) -> None:
    """What has to be done now and then: answers of dead processes, old conversations, pictures that nobody shows."""
    alone = platform.config.network.processes == 1 and platform.database.is_sqlite
    await messages.fail_abandoned(platform.database, 0 if alone else 120_000)
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            await platform.vigilance.look()
            await retention.sweep(platform.database, platform.blobs, platform.config.store.retention_days)
        except Exception:
            log.exception("sweeping failed; it is tried again")
