"""Text to speech: which voices there are, what names they go by, and sentences spoken one after the other.

OpenAI's voice names all mean the default voice, so that a program written for them speaks here unchanged; what is
heard is never somebody else's voice under that name, and `Utterance.voice` says whose it is.
"""

import re
import threading
import unicodedata
from collections.abc import Generator
from dataclasses import dataclass

from clearsight.speech.errors import NothingToSpeak, SpeechBusy, SpeechUnavailable, UnknownVoice
from clearsight.speech.espeak import Espeak
from clearsight.speech.piper import Piper
from clearsight.speech.readiness import Readiness
from clearsight.speech.sentences import split_sentences
from clearsight.speech.voices import Speaker, Voice

OPENAI_VOICES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin"),
    *("nova", "onyx", "sage", "shimmer", "verse"),
)
SPEEDS = (0.25, 4.0)
_PREFERRED = ("joe", "espeak-en-us")


@dataclass(frozen=True)
class Utterance:
    """A text being spoken: 16-bit little-endian mono samples at `sample_rate` Hz, sentence by sentence."""

    voice: str
    sample_rate: int
    chunks: Generator[bytes, None, None]


SHOWN_VOICES = 3


class Speaking:
    """The voices. Safe to use from several threads; nothing starts before the first sentence."""

    def __init__(
        self,
        *,
        default_voice: str = "",
        threads: int = 1,
        max_speaking: int = 8,
        idle_seconds: float = 120,
        offline: bool | None = None,
    ):
        """`default_voice` empty: joe if Piper is installed, or else espeak-ng. At most `max_speaking` texts at once."""
        self._speakers: tuple[Speaker, ...] = (
            Piper(threads=threads, idle_seconds=idle_seconds, offline=offline),
            Espeak(),
        )
        self._default = default_voice
        self._places = threading.BoundedSemaphore(max_speaking)

    def voices(self) -> tuple[Voice, ...]:
        """The voices that are installed here, the natural ones first."""
        return tuple(voice for speaker in self._speakers for voice in speaker.voices())

    def voice(self, name: str | None = None) -> Voice:
        """The voice of this name; None, and any of OPENAI_VOICES, is the default one.

        Raises SpeechUnavailable when there is no voice at all, UnknownVoice with a list when none has this name.
        """
        by_name = {voice.name: voice for voice in self.voices()}
        if not by_name:
            raise SpeechUnavailable(
                "No voice is installed on this server. Install Piper (pip install piper-tts) for a natural English "
                "voice, or espeak-ng (apt-get install espeak-ng) for a hundred languages."
            )
        if name in by_name:
            return by_name[name]
        if name is not None and name not in OPENAI_VOICES:
            raise UnknownVoice(
                f"There is no voice of this name. There are {', '.join([*by_name][:SHOWN_VOICES])} and "
                f"{max(len(by_name) - SHOWN_VOICES, 0)} more, which GET /v1/audio/voices lists; OpenAI's names "
                "(alloy, echo, ...) mean the default voice."
            )
        if self._default:
            if self._default not in by_name:
                raise SpeechUnavailable(
                    f"The default voice {self._default!r} of this server is not installed; there are "
                    f"{', '.join(by_name)}."
                )
            return by_name[self._default]
        return next((by_name[name] for name in _PREFERRED if name in by_name), next(iter(by_name.values())))

    def synthesise(self, text: str, voice: str | None = None, speed: float = 1.0) -> Utterance:
        """Speak a text. The first sentence is spoken before this returns, so that what fails at all fails here.

        `speed` is from 0.25 to 4. Raises UnknownVoice, NothingToSpeak, SpeechUnavailable, SpeechBusy, SpeechFailed.
        """
        assert SPEEDS[0] <= speed <= SPEEDS[1]
        chosen = self.voice(voice)
        speaker = self._speaker_of(chosen)
        chunks = self._spoken(speaker, split_sentences(speakable(text)), chosen, speed)
        first = next(chunks, None)
        if first is None:
            raise NothingToSpeak("There is nothing in the text that can be spoken.")
        return Utterance(chosen.name, chosen.sample_rate, _with_first(first, chunks))

    def readiness(self) -> Readiness:
        """Whether the default voice can speak at once."""
        try:
            return self._speaker_of(self.voice()).readiness()
        except SpeechUnavailable:
            return Readiness("not_installed")

    def _speaker_of(self, voice: Voice) -> Speaker:
        return next(speaker for speaker in self._speakers if voice in speaker.voices())

    def close(self) -> None:
        """End the processes that speak."""
        for speaker in self._speakers:
            speaker.close()

    def _spoken(
        self, speaker: Speaker, sentences: list[str], voice: Voice, speed: float
    ) -> Generator[bytes, None, None]:
        if not self._places.acquire(blocking=False):
            raise SpeechBusy("Too many texts are being spoken; try again in a few seconds.")
        try:
            for sentence in sentences:
                if samples := speaker.speak(sentence, voice, speed):
                    yield samples
        finally:
            self._places.release()


def speakable(text: str) -> str:
    """The text without control characters, half characters, and [[ ]], which both engines take for phonemes."""
    kept = (
        " " if unicodedata.category(character) in ("Cc", "Cs") and character != "\n" else character
        for character in text
    )
    return re.sub(r"\[(?=\[)", "[ ", "".join(kept))


def _with_first(first: bytes, rest: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    try:
        yield first
        yield from rest
    finally:
        rest.close()
