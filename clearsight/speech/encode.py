"""Speech as a file that grows while it is spoken: wav, pcm, mp3, opus (Ogg), aac (ADTS) and flac.

Everything leaves at 24 kHz mono, because that is what players of OpenAI's headerless pcm assume. Nothing is ever gone
back to: lengths that a header would hold are left open, as the formats allow for streams.

mp3, opus, aac and flac come from the encoders that PyAV brings (LAME and FFmpeg's own are LGPL, libopus is BSD).
"""

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from clearsight.speech.errors import SpeechUnavailable

RATE = 24_000


@dataclass(frozen=True)
class Format:
    """`container` and `codec` as FFmpeg names them (None: written here); bits a second where the codec is lossy."""

    media_type: str
    container: str | None = None
    codec: str | None = None
    bit_rate: int | None = None
    options: tuple[tuple[str, str], ...] = ()


FORMATS = {
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame", 64_000, (("write_xing", "0"), ("id3v2_version", "0"))),
    "opus": Format(
        "audio/ogg", "ogg", "libopus", 32_000, (("page_duration", "200000"),)
    ),  # microseconds; a listener waits for whole pages
    "aac": Format("audio/aac", "adts", "aac", 64_000),
    "flac": Format("audio/flac", "flac", "flac"),
    "wav": Format("audio/wav"),
    "pcm": Format("audio/pcm"),
}
_OPEN_LENGTH = 0xFFFFFFFF


def encode(chunks: Iterator[bytes], sample_rate: int, name: str) -> Generator[bytes, None, None]:
    """Turn 16-bit mono samples at `sample_rate` Hz into the format `name` of FORMATS, a piece for each chunk.

    Raises SpeechUnavailable at once when the encoder is missing.
    """
    import av

    format = FORMATS[name]
    if format.codec is None:
        return _plain(av, chunks, sample_rate, with_header=name == "wav")
    try:
        av.Codec(format.codec, "w")
    except av.codec.codec.UnknownCodecError as error:
        raise SpeechUnavailable(
            f"{name} can't be written by the FFmpeg of this server; wav and pcm always can, and the packages of PyAV "
            "(pip install av) bring all encoders."
        ) from error
    return _coded(av, chunks, sample_rate, format)


def _plain(
    av: Any, chunks: Iterator[bytes], sample_rate: int, with_header: bool
) -> Generator[bytes, None, None]:
    if with_header:
        yield wav_header()
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frames in _resampled(av, chunks, sample_rate, resampler):
        yield b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)


def wav_header() -> bytes:
    """Of a RIFF file of 16-bit mono samples whose length isn't known yet."""
    format_chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", _OPEN_LENGTH, b"WAVE")
        + format_chunk
        + struct.pack("<4sI", b"data", _OPEN_LENGTH)
    )


def _coded(
    av: Any, chunks: Iterator[bytes], sample_rate: int, format: Format
) -> Generator[bytes, None, None]:
    outlet = _Outlet()
    with av.open(
        outlet, "w", format=format.container, options={"flush_packets": "1", **dict(format.options)}
    ) as container:
        stream = container.add_stream(format.codec, rate=RATE, layout="mono")
        if format.bit_rate:
            stream.bit_rate = format.bit_rate
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=RATE,
            frame_size=stream.codec_context.frame_size or None,
        )
        for frames in _resampled(av, chunks, sample_rate, resampler):
            for frame in frames:
                container.mux(stream.encode(frame))
            if piece := outlet.taken():
                yield piece
        container.mux(stream.encode(None))
    yield outlet.taken()


def _resampled(av: Any, chunks: Iterator[bytes], sample_rate: int, resampler: Any) -> Iterator[list[Any]]:
    """What the resampler makes of each chunk, and at last what it held back."""
    import numpy as np

    position = 0
    for chunk in chunks:
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(chunk, dtype="<i2")[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = sample_rate, position
        position += frame.samples
        yield resampler.resample(frame)
    yield resampler.resample(None)


class _Outlet:
    """A file that can only be written; what was written is taken out piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
