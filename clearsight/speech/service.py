"""Both directions together, as the server holds them."""

from dataclasses import dataclass

from clearsight.speech.hear import Hearing
from clearsight.speech.speak import Speaking


@dataclass(frozen=True)
class Speech:
    """What hears and what speaks; both load on first use and are safe in several threads."""

    hearing: Hearing
    speaking: Speaking

    @classmethod
    def create(cls, *, voice: str = "", threads: int | None = None, offline: bool | None = None) -> "Speech":
        """With default settings; `voice` is the one for callers who name none. Fetches and loads nothing yet."""
        return cls(
            Hearing(threads=threads, offline=offline),
            Speaking(default_voice=voice, threads=threads or 1, offline=offline),
        )

    def close(self) -> None:
        """End the processes that speak."""
        self.speaking.close()
