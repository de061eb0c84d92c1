"""Recordings made here: tones in every container, and a few that lie."""

import io

import av
import numpy as np


def tone(seconds: float, rate: int = 16_000) -> np.ndarray:
    """440 Hz, int16."""
    return (np.sin(np.arange(int(rate * seconds)) * (880 * np.pi / rate)) * 8000).astype(np.int16)


def recording(container: str, codec: str, samples: np.ndarray, rate: int = 16_000) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or None,
        )
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def wav(seconds: float = 1.0, rate: int = 16_000) -> bytes:
    return recording("wav", "pcm_s16le", tone(seconds, rate), rate)


def opus_bomb(hours: float) -> bytes:
    """A small file that lasts long: one packet of silence, again and again."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as output:
        stream = output.add_stream(
            "libopus", rate=48_000, layout="mono", options={"frame_duration": "60", "b": "6000"}
        )
        stream.codec_context.open()
        samples = stream.codec_context.frame_size
        frame = av.AudioFrame.from_ndarray(np.zeros((1, samples), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48_000
        packets = []
        while not packets:
            packets = stream.encode(frame)
        data = bytes(packets[0])
        for number in range(int(hours * 3600 * 48_000 / samples)):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, packets[0].time_base
            packet.pts = packet.dts = number * samples
            packet.duration = samples
            output.mux(packet)
    return file.getvalue()
