"""What a voice is to those who speak with it."""

from dataclasses import dataclass
from typing import Protocol

from clearsight.speech.readiness import Readiness


@dataclass(frozen=True)
class Voice:
    """`name` is what callers ask for, `language` a BCP 47 tag; `sample_rate` in Hz."""

    name: str
    language: str
    description: str
    sample_rate: int


class Speaker(Protocol):
    """A program that speaks."""

    def voices(self) -> tuple[Voice, ...]:
        """The voices it has here; none when it is not installed."""

    def readiness(self) -> Readiness:
        """Whether its voices can speak at once; for one that has voices."""

    def speak(self, sentence: str, voice: Voice, speed: float) -> bytes:
        """16-bit little-endian mono samples at the voice's rate; empty when there is nothing to be heard in it.

        Raises SpeechUnavailable, SpeechFailed.
        """

    def close(self) -> None:
        """End what runs."""
