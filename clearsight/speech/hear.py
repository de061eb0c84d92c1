"""Speech to text: Whisper base by faster-whisper, int8 on the processor.

The model is loaded when it is first needed and works on one recording at a time; the rest waits in a short queue,
because two at once on the same cores would both take twice as long and need twice the memory. Stretches without a voice
are cut out beforehand (Silero's voice activity detection, which comes with faster-whisper): Whisper invents words for
silence otherwise.

At temperature 0 Whisper falls back to higher ones where a stretch comes out as repetitions or as very unlikely, as
OpenAI's interface documents it; any other temperature is taken as it is.
"""

import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearsight.speech.decode import DEFAULT_LIMITS, AudioLimits, decode
from clearsight.speech.decode_worker import RATE
from clearsight.speech.errors import Cancelled, SpeechBusy, SpeechUnavailable, UnknownLanguage
from clearsight.speech.readiness import Readiness, WatchedDownload
from clearsight.speech.weights import WHISPER_PARTS, fetch_whisper, has_whisper
from clearsight.weights.cache import is_offline

FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Word:
    """`start` and `end` in seconds; `text` with the space before it, as Whisper spells it."""

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of a transcript, about a sentence; times in seconds, the rest as Whisper reports it."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    tokens: tuple[int, ...]
    seek: int
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


@dataclass(frozen=True)
class Transcript:
    """What was said. `language` is an ISO 639-1 code (a few are longer), `duration` the recording's in seconds."""

    text: str
    language: str
    duration: float
    segments: tuple[Segment, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """Empty unless times of words were asked for."""
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True)
class Listening:
    """A recording being recognised: its language and duration (seconds), and its segments as they are found."""

    language: str
    duration: float
    segments: Iterator[Segment]


class Hearing:
    """The recogniser. Safe to use from several threads; nothing is loaded before the first recording."""

    def __init__(
        self,
        *,
        threads: int | None = None,
        limits: AudioLimits = DEFAULT_LIMITS,
        max_waiting: int = 8,
        offline: bool | None = None,
    ):
        """`threads` None is one for each core, four at most. `max_waiting` recordings may be under way or waiting."""
        self.limits = limits
        self._threads = threads or min(4, os.cpu_count() or 1)
        self._offline = offline
        self._places = threading.BoundedSemaphore(max_waiting)
        self._turn = threading.Lock()
        self._model: Any = None
        self._download = WatchedDownload(sum(pin.size or 0 for pin in WHISPER_PARTS))

    def readiness(self) -> Readiness:
        """Whether the next recording can be recognised at once."""
        if not importlib.util.find_spec("faster_whisper"):
            return Readiness("not_installed")
        here = self._model is not None or has_whisper()
        return self._download.readiness(here=here, offline=is_offline(self._offline))

    def transcribe(
        self,
        audio: bytes,
        language: str | None = None,
        prompt: str | None = None,
        temperature: float = 0.0,
        words: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Transcript:
        """What is said in a recording (the bytes of a file, see `decode.ACCEPTED`).

        `language` None finds it out from the first 30 seconds. `prompt` is text that might have gone before it: names,
        spelling, style; the last 223 tokens count. `words` adds times of words, which takes a little longer.

        Raises AudioError, AudioTooLong, UnknownLanguage, SpeechBusy, SpeechUnavailable, and Cancelled soon after
        `cancelled` is set.
        """
        with self.listening(audio, language, prompt, temperature, words, cancelled) as found:
            segments = tuple(found.segments)
        text = "".join(segment.text for segment in segments).strip()
        return Transcript(text, found.language, found.duration, segments)

    @contextmanager
    def listening(
        self,
        audio: bytes,
        language: str | None = None,
        prompt: str | None = None,
        temperature: float = 0.0,
        words: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Listening]:
        """Like `transcribe`, with segments as soon as they are recognised; the recogniser is held until the end."""
        gone = cancelled or threading.Event()
        with self._my_turn(gone):
            samples = decode(audio, self.limits)
            model = self._loaded()
            if language is not None and language not in model.supported_languages:
                raise UnknownLanguage(
                    f"{language!r} is not a language the recogniser knows. It wants a code such as en, de or zh: "
                    f"{', '.join(sorted(model.supported_languages))}."
                )
            segments, info = model.transcribe(
                samples.astype(np.float32) / 32768,
                language=language,
                initial_prompt=prompt or None,
                temperature=FALLBACK_TEMPERATURES if temperature == 0 else temperature,
                word_timestamps=words,
                vad_filter=True,
            )
            yield Listening(info.language, len(samples) / RATE, _segments(segments, gone))

    @contextmanager
    def _my_turn(self, gone: threading.Event) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise SpeechBusy("Too many recordings are waiting to be recognised; try again in a few seconds.")
        try:
            while not self._turn.acquire(timeout=_POLL_SECONDS):
                if gone.is_set():
                    raise Cancelled
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def _loaded(self) -> Any:
        """The model; whoever asks holds the turn."""
        if self._model is None:
            try:
                from faster_whisper import WhisperModel
            except ImportError as error:
                raise SpeechUnavailable(
                    "faster-whisper is needed to hear and is not installed here; install it with: "
                    "pip install 'clearsight[speech]'"
                ) from error
            with self._download.under_way() as progress:
                folder = fetch_whisper(offline=self._offline, progress=progress)
            self._model = WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=self._threads,
                local_files_only=True,
            )
        return self._model


def _segments(found: Iterator[Any], gone: threading.Event) -> Iterator[Segment]:
    for segment in found:
        if gone.is_set():
            raise Cancelled
        yield Segment(
            start=float(segment.start),
            end=float(segment.end),
            text=segment.text,
            words=tuple(
                Word(float(word.start), float(word.end), word.word, float(word.probability))
                for word in segment.words or ()
            ),
            tokens=tuple(segment.tokens),
            seek=segment.seek,
            temperature=float(segment.temperature),
            avg_logprob=float(segment.avg_logprob),
            compression_ratio=float(segment.compression_ratio),
            no_speech_prob=float(segment.no_speech_prob),
        )
