"""Signs of abuse in what clients did: repeated refusals, many accounts from one address, pictures in bulk.

Rules over a list of events, without state and without a clock: whoever keeps events decides how far back they go, and
what follows from a signal. A signal is a reason to look, not a verdict: a shared address is often a school's.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

EventKind = Literal["request", "refusal", "sign-up"]
SignalKind = Literal["repeated-refusals", "many-accounts", "scraping"]


@dataclass(frozen=True)
class Event:
    """Something a client did. `at` is in seconds on any clock; `address` and `picture` are hashes or names."""

    kind: EventKind
    at: float
    account: str
    address: str
    picture: str = ""


@dataclass(frozen=True)
class Limits:
    """How much within how many seconds is a signal."""

    refusals: int = 5
    refusals_seconds: float = 3600.0
    accounts: int = 5
    accounts_seconds: float = 86_400.0
    pictures: int = 60
    pictures_seconds: float = 60.0


@dataclass(frozen=True)
class Signal:
    """`subject` is the account, or for many accounts the address; `count` is the most seen in one window.

    `since` is when the first window with so many began, in seconds.
    """

    kind: SignalKind
    subject: str
    count: int
    since: float


def signals(events: Iterable[Event], limits: Limits = Limits()) -> list[Signal]:
    """Every signal in the events, in any order of these; at most one of each kind for a subject."""
    events = sorted(events, key=lambda event: event.at)
    refusals = [event for event in events if event.kind == "refusal"]
    sign_ups = [event for event in events if event.kind == "sign-up"]
    requests = [event for event in events if event.kind == "request" and event.picture]
    numbered = iter(range(len(events)))
    return [
        *_over(
            "repeated-refusals",
            refusals,
            lambda event: event.account,
            lambda event: str(next(numbered)),  # each counts
            limits.refusals,
            limits.refusals_seconds,
        ),
        *_over(
            "many-accounts",
            sign_ups,
            lambda event: event.address,
            lambda event: event.account,
            limits.accounts,
            limits.accounts_seconds,
        ),
        *_over(
            "scraping",
            requests,
            lambda event: event.account,
            lambda event: event.picture,
            limits.pictures,
            limits.pictures_seconds,
        ),
    ]


def _over(
    kind: SignalKind,
    events: list[Event],
    subject: Callable[[Event], str],
    counted: Callable[[Event], str],
    limit: int,
    seconds: float,
) -> list[Signal]:
    """Subjects with at least `limit` different counted things within `seconds`."""
    by_subject: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for event in events:
        by_subject[subject(event)].append((event.at, counted(event)))
    found = []
    for name, seen in by_subject.items():
        best, since = 0, 0.0
        times = [at for at, _ in seen]
        for last, at in enumerate(times):
            first = bisect_left(times, at - seconds)
            count = len({thing for _, thing in seen[first : last + 1]})
            if count > best:
                best, since = count, times[first]
        if best >= limit:
            found.append(Signal(kind, name, best, since))
    return found
