"""From the bytes of a recording to 16 kHz mono samples, within limits that its author can't move.

The container is recognised from the first bytes, never from a name or a declared type, and what a header says about
length is not believed: decoded samples are counted. Decoding happens in a limited process (`decode_worker`), because
the decoders are large C programs and the bytes come from anybody.

Left out: playing order of several audio tracks (the first one counts) and recordings that refer to other files.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearsight.speech.decode_worker import EXITS, RATE
from clearsight.speech.errors import AudioError, AudioTooLong

ACCEPTED = "wav, mp3, m4a, mp4, webm, ogg (Opus or Vorbis), flac and aac"
_WORKER = Path(__file__).with_name("decode_worker.py")


@dataclass(frozen=True)
class AudioLimits:
    """What a recording may cost."""

    max_bytes: int = 25 << 20
    max_seconds: float = 30 * 60
    min_seconds: float = 0.1
    memory_bytes: int = 1 << 29
    """Address space of the decoding process."""
    decoding_seconds: int = 60
    """Both of processor time and by the clock."""


DEFAULT_LIMITS = AudioLimits()


def decode(data: bytes, limits: AudioLimits = DEFAULT_LIMITS) -> np.ndarray:
    """Samples (N,) int16 at 16 kHz of the recording's first audio track, mixed to mono.

    Raises AudioError when the bytes are no usable recording, AudioTooLong when there are too many of them or of what is
    in them.
    """
    if len(data) > limits.max_bytes:
        raise AudioTooLong(
            f"The recording has {len(data) / 1e6:.1f} MB, and {limits.max_bytes / 1e6:.1f} MB are accepted: send it as "
            "mp3 or Opus, or in parts."
        )
    container = sniff(data)
    if container is None:
        raise AudioError(f"The file is not a recording of a known kind. Accepted are {ACCEPTED}.")
    samples = _decoded(data, container, limits)
    if not len(samples):
        raise AudioError("The recording is empty: there is not one sample in it.")
    if len(samples) < limits.min_seconds * RATE:
        raise AudioError(f"The recording is shorter than {limits.min_seconds:g} seconds.")
    return samples


def sniff(data: bytes) -> str | None:
    """FFmpeg's name of the container that these bytes begin, or None when it is none of those accepted."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "wav"
    if data[:4] == b"fLaC":
        return "flac"
    if data[:4] == b"OggS":
        return "ogg"
    if data[4:8] == b"ftyp":
        return "mov"
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if data[:3] == b"ID3":
        return "mp3"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:  # MPEG audio; layer 0 is ADTS
        return "aac" if data[1] & 0x06 == 0 else "mp3"
    return None


def _decoded(data: bytes, container: str, limits: AudioLimits) -> np.ndarray:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(data)
        source.seek(0)
        amounts = (limits.max_seconds, limits.memory_bytes, limits.decoding_seconds)
        process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER), container, *map(str, amounts)],
            stdin=source,
            stdout=target,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
        )
        try:
            status = process.wait(limits.decoding_seconds)
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            process.kill()
            process.wait()
        if status != 0:
            raise _error(status, limits)
        target.seek(0)
        return np.frombuffer(target.read(), dtype="<i2")


def _error(status: int, limits: AudioLimits) -> AudioError:
    if status == EXITS["no_audio"]:
        return AudioError("There is no audio track in the file.")
    if status == EXITS["damaged"]:
        return AudioError(
            "The recording is damaged, or is not what its first bytes say; nothing in it can be decoded."
        )
    if status == EXITS["too_long"]:
        return AudioTooLong(
            f"The recording is longer than {limits.max_seconds / 60:g} minutes; send it in shorter parts."
        )
    if status == EXITS["odd_rate"]:
        return AudioError("The recording has an impossible sample rate or number of channels.")
    return AudioError(
        "Decoding the recording took more time or memory than is allowed, so it was stopped. Save the recording again "
        "with another program, for instance as wav or mp3."
    )
