"""Whether hearing and speaking can begin at once, told without fetching, loading or starting anything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from clearsight.weights import Progress, show_progress

State = Literal["ready", "not_fetched", "fetching", "missing", "not_installed"]


@dataclass(frozen=True)
class Readiness:
    """What stands between a request and its answer.

    `ready`: the weights are on the disk; `not_fetched`: the first use fetches them; `fetching`: somebody's first use
    does so now; `missing`: they are not here and offline mode fetches nothing; `not_installed`: a package or program is
    missing. `total_bytes` is the size of the download and `done_bytes` what there is of it, both 0 where nothing is to
    be fetched.
    """

    state: State
    done_bytes: int = 0
    total_bytes: int = 0


class WatchedDownload:
    """A download whose progress others may ask for: one or several files, one after the other, shown as before."""

    def __init__(self, total_bytes: int, shown: Progress = show_progress):
        self._total = total_bytes
        self._shown = shown
        self._done = 0
        self._under_way = False

    @contextmanager
    def under_way(self) -> Iterator[Progress]:
        """While this lasts, something is being fetched; gives the display that is to be told of it."""
        self._done, self._under_way = 0, True
        try:
            yield self._progress
        finally:
            self._under_way = False

    @contextmanager
    def _progress(self, title: str, total: int | None) -> Iterator[Callable[[int], None]]:
        before = self._done
        with self._shown(title, total) as told:

            def count(done: int) -> None:
                self._done = before + done
                told(done)

            yield count
        self._done = before + (total or 0)

    def readiness(self, *, here: bool, offline: bool) -> Readiness:
        """The state of what this downloads, given whether it is on the disk and whether it may be fetched."""
        if here:
            return Readiness("ready")
        if self._under_way:
            return Readiness("fetching", min(self._done, self._total), self._total)
        return Readiness("missing" if offline else "not_fetched", 0, self._total)
