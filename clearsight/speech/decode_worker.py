"""Decodes one recording in a process of its own: from standard input to 16 kHz mono 16-bit samples on standard output.

Run by path and isolated (`python -I`), so it imports nothing of Clearsight and nothing from the working folder. What
it opens is the one file it was given, as the one container that was recognised: FFmpeg's demuxers of play lists, which
open further files and addresses, are never asked. Its limits are set before a byte is read; when it breaks one, the
system ends it and the parent says so. Both ends are plain files: a recording whose index stands last needs seeking.

    python -I decode_worker.py CONTAINER MAX_SECONDS MAX_MEMORY_BYTES MAX_CPU_SECONDS

Exit status 0 and the samples, or one of EXITS. Damaged stretches are skipped, as players do.
"""

import sys
from typing import Any

RATE = 16_000
EXITS = {"no_audio": 3, "damaged": 4, "too_long": 5, "odd_rate": 6}
RATES = range(4_000, 384_001)
MAX_CHANNELS = 32


def main(container: str, max_seconds: float, max_memory: int, max_cpu_seconds: int) -> int:
    """Returns the exit status."""
    limit_process(max_memory, max_cpu_seconds, int(max_seconds * RATE) * 2 + (1 << 20))
    import av  # after the limits, before the bytes

    av.logging.set_level(None)
    try:
        with av.open(
            sys.stdin.buffer,
            format=container,
            metadata_errors="ignore",
            options={"protocol_whitelist": "none", "format_whitelist": container},
        ) as recording:
            return decode(av, recording, int(max_seconds * RATE))
    except (av.error.FFmpegError, ValueError, MemoryError, OverflowError):
        return EXITS["damaged"]


def decode(av: Any, recording: Any, max_samples: int) -> int:
    """Write the samples of the first audio track; returns the exit status."""
    if not recording.streams.audio:
        return EXITS["no_audio"]
    stream = recording.streams.audio[0]
    stream.thread_count = 1
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    written, bad = 0, False
    for packet in recording.demux(stream):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            bad = True
            continue
        for frame in frames:
            if frame.sample_rate not in RATES or len(frame.layout.channels) > MAX_CHANNELS:
                return EXITS["odd_rate"]
            frame.pts = None  # gaps and jumps of damaged time stamps would be filled
            written += write(resampler.resample(frame))
            if written > max_samples:
                return EXITS["too_long"]
    if written:
        written += write(resampler.resample(None))
    return EXITS["damaged"] if bad and not written else 0


def write(frames: list[Any]) -> int:
    """Put the frames' samples on standard output; returns how many."""
    for frame in frames:
        sys.stdout.buffer.write(bytes(frame.planes[0])[: frame.samples * 2])
    return sum(frame.samples for frame in frames)


def limit_process(max_memory: int, max_cpu_seconds: int, max_output: int) -> None:
    """Let the system hold this process to its limits. Windows has none; there time and length still bound it."""
    try:
        import resource
    except ImportError:
        return
    for kind, limit in (
        (resource.RLIMIT_AS, max_memory),
        (resource.RLIMIT_CPU, max_cpu_seconds),
        (resource.RLIMIT_FSIZE, max_output),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    name, seconds, memory, processor = sys.argv[1:]
    sys.exit(main(name, float(seconds), int(memory), int(processor)))
