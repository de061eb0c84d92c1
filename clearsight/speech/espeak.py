"""The voice for a hundred languages: espeak-ng, a small program of its own (GPL-3.0-or-later), when it is installed.

It sounds like a machine, starts within milliseconds and needs no weights. A process speaks one sentence and ends.
"""

import logging
import shutil
import subprocess
from functools import cached_property

from clearsight.speech.errors import SpeechFailed
from clearsight.speech.readiness import Readiness
from clearsight.speech.tempo import at_tempo
from clearsight.speech.voices import Voice

SAMPLE_RATE = 22_050
NORMAL_WORDS_PER_MINUTE = 175
WORDS_PER_MINUTE = range(80, 451)  # what espeak-ng takes
_log = logging.getLogger(__name__)
_HEADER_BYTES = 44
_SENTENCE_SECONDS = 30


class Espeak:
    """espeak-ng's voices, one for each language: espeak-en-us, espeak-de, ..."""

    def voices(self) -> tuple[Voice, ...]:
        return self._voices

    def speak(self, sentence: str, voice: Voice, speed: float) -> bytes:
        """A speed that espeak-ng has not (below 0.46, above 2.57) is met by stretching what it says at its limit."""
        wanted = NORMAL_WORDS_PER_MINUTE * speed
        rate = min(max(round(wanted), WORDS_PER_MINUTE[0]), WORDS_PER_MINUTE[-1])
        # The text goes in by standard input: it can't become an option there.
        command = [
            "espeak-ng",
            "-b",
            "1",
            "-v",
            voice.name.removeprefix("espeak-"),
            "-s",
            str(rate),
            "--stdin",
        ]
        try:
            spoken = subprocess.run(
                [*command, "--stdout"],
                input=sentence.encode(),
                capture_output=True,
                timeout=_SENTENCE_SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise SpeechFailed(
                "espeak-ng could not speak a sentence of this text; see whether the command `espeak-ng hello` works "
                "on the server."
            ) from error
        samples = spoken.stdout[_HEADER_BYTES:]
        return samples if round(wanted) == rate else at_tempo(samples, SAMPLE_RATE, wanted / rate)

    def readiness(self) -> Readiness:
        return Readiness("ready")

    def close(self) -> None:
        """Nothing runs between sentences."""

    @cached_property
    def _voices(self) -> tuple[Voice, ...]:
        if shutil.which("espeak-ng") is None:
            return ()
        try:
            listed = subprocess.run(
                ["espeak-ng", "--voices"], capture_output=True, timeout=10, check=True, text=True
            )
        except (subprocess.SubprocessError, OSError) as error:
            _log.error("espeak-ng is installed but does not list its voices, so it is left out: %s", error)
            return ()
        rows = [line.split() for line in listed.stdout.splitlines()[1:]]
        languages = {row[1]: row[3].replace("_", " ") for row in rows if len(row) > 3}
        return tuple(
            Voice(f"espeak-{code}", code, f"{name}, like a machine (espeak-ng)", SAMPLE_RATE)
            for code, name in sorted(languages.items())
        )
