"""Notices what looks like abuse and puts it before the reviewers: a reason to look, never a punishment by itself.

Each process looks at what it saw within the last hour. Accounts are made by administrators alone, so there are no
sign-ups to watch, and addresses of clients are not kept.
"""

import time
from collections import deque
from collections.abc import Iterable

from clearsight.safety.abuse import Event, Signal, signals
from clearsight.server.principal import Principal
from clearsight.server.store import trust
from clearsight.server.store.database import Database

KEPT = 20_000
KEPT_SECONDS = 3600.0
AGAIN_SECONDS = 86_400.0
"""The same signal about the same account is reported once in so long."""
WORDS = {
    "repeated-refusals": "{count} requests of this account were refused by the policy within an hour.",
    "scraping": "{count} different pictures came from this account within a minute.",
}


class Vigilance:
    """Events of this process, and the signals that were reported."""

    def __init__(self, database: Database):
        self._database = database
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._accounts: dict[str, Principal] = {}
        self._reported: dict[tuple[str, str], float] = {}

    def saw(self, principal: Principal, pictures: Iterable[str] = ()) -> None:
        """A request, and the hashes of its pictures."""
        now, who = time.monotonic(), principal.user_id
        self._accounts[who] = principal
        self._events.extend(Event("request", now, who, "", picture) for picture in pictures)

    async def refused(self, principal: Principal) -> None:
        """A request that the policy refused."""
        self._accounts[principal.user_id] = principal
        self._events.append(Event("refusal", time.monotonic(), principal.user_id, ""))
        await self.look()

    async def look(self) -> list[Signal]:
        """Report what is new; called after a refusal, and now and then."""
        now = time.monotonic()
        while self._events and self._events[0].at < now - KEPT_SECONDS:
            self._events.popleft()
        fresh = [
            signal
            for signal in signals(self._events)
            if now - self._reported.get((signal.kind, signal.subject), -AGAIN_SECONDS) >= AGAIN_SECONDS
        ]
        for signal in fresh:
            self._reported[signal.kind, signal.subject] = now
            about = self._accounts.get(signal.subject)
            if about is None:
                continue
            await trust.report(
                self._database,
                about.organisation_id,
                about.user_id,
                about.user_id,
                f"signal: {signal.kind}",
                WORDS[signal.kind].format(count=signal.count),
                about_user_id=about.user_id,
            )
        return fresh
