"""The natural voice: Piper, in a process that is started when it is needed and ended when it is idle.

piper-tts is GPL-3.0-or-later and optional (`pip install piper-tts`); `piper_worker` alone imports it. One sentence is
spoken at a time, and several readers take turns sentence by sentence.
"""

import importlib.util
import json
import logging
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from clearsight.speech.errors import SpeechFailed, SpeechUnavailable
from clearsight.speech.readiness import Readiness, WatchedDownload
from clearsight.speech.tempo import at_tempo
from clearsight.speech.voices import Voice
from clearsight.speech.weights import PIPER_JOE, fetch_joe, has_joe
from clearsight.weights.cache import is_offline

JOE = Voice("joe", "en-US", "a man, US English, natural (Piper)", 22_050)
OWN_SPEEDS = (0.7, 1.4)
"""Beyond these the voice drifts from the speed it is asked for: every phoneme lasts one frame at least."""
_WORKER = Path(__file__).with_name("piper_worker.py")
_log = logging.getLogger(__name__)


class Piper:
    """Piper's voices. Safe to use from several threads; the process starts with the first sentence."""

    def __init__(
        self,
        *,
        threads: int = 1,
        idle_seconds: float = 120,
        sentence_seconds: float = 60,
        start_seconds: float = 60,
        offline: bool | None = None,
    ):
        """The process ends after `idle_seconds` without a sentence, and when one takes over `sentence_seconds`."""
        self._threads = threads
        self._idle_seconds = idle_seconds
        self._sentence_seconds = sentence_seconds
        self._start_seconds = start_seconds
        self._offline = offline
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None
        self._download = WatchedDownload(PIPER_JOE.size or 0)

    def readiness(self) -> Readiness:
        return self._download.readiness(here=has_joe(), offline=is_offline(self._offline))

    def voices(self) -> tuple[Voice, ...]:
        return (JOE,) if importlib.util.find_spec("piper") else ()

    def speak(self, sentence: str, voice: Voice, speed: float) -> bytes:
        own_speed = min(max(speed, OWN_SPEEDS[0]), OWN_SPEEDS[1])
        with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            try:
                process = self._running()
                request = json.dumps({"text": sentence, "speed": own_speed}).encode() + b"\n"
                answer, samples = _asked(process, request, self._sentence_seconds)
            except BaseException:
                self._end()
                raise
            self._idle = threading.Timer(self._idle_seconds, self._end_if_idle)
            self._idle.daemon = True
            self._idle.start()
        if "error" in answer:
            _log.error("Piper could not speak a sentence: %s", answer["error"])
            raise SpeechFailed("The voice joe could not speak a sentence of this text; try another voice.")
        if not samples or own_speed == speed:
            return samples
        return at_tempo(samples, voice.sample_rate, speed / own_speed)

    def close(self) -> None:
        with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            with self._download.under_way() as progress:
                model = fetch_joe(offline=self._offline, progress=progress)
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_WORKER), str(model), str(self._threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=tempfile.gettempdir(),
            )
            greeting, _ = _asked(self._process, b"", self._start_seconds)
            if greeting["sample_rate"] != JOE.sample_rate:
                raise SpeechUnavailable(
                    "The voice joe has another sample rate than it should; fetch it again."
                )
        return self._process

    def _end_if_idle(self) -> None:
        if self._turn.acquire(blocking=False):  # otherwise it isn't idle
            try:
                self._end()
            finally:
                self._turn.release()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                try:
                    pipe.close()
                except OSError:  # what was not yet written to a process that has ended
                    continue
            process.wait()


def _asked(process: subprocess.Popen[bytes], request: bytes, seconds: float) -> tuple[dict, bytes]:
    """Send a request and read the answer, its line and its samples. Raises SpeechFailed when none comes in time."""
    assert process.stdin is not None and process.stdout is not None
    deadline = threading.Timer(seconds, process.kill)
    deadline.start()
    try:
        process.stdin.write(request)
        process.stdin.flush()
        line = process.stdout.readline()
        answer: dict = json.loads(line) if line.endswith(b"\n") else {}
        samples = _read(process.stdout, answer.get("bytes", 0))
    except OSError:
        answer, samples = {}, b""
    finally:
        deadline.cancel()
    if not answer or len(samples) < answer.get("bytes", 0):
        raise SpeechFailed(
            "The process of the voice joe ended or took too long; the next sentence starts it again. If it stays so, "
            "try `pip install --force-reinstall piper-tts`."
        )
    return answer, samples


def _read(pipe: IO[bytes], count: int) -> bytes:
    return pipe.read(count) if count else b""
