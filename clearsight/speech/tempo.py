"""Speech made faster or slower at the same pitch, for the speeds that an engine can't speak at itself."""

from fractions import Fraction


def at_tempo(samples: bytes, sample_rate: int, tempo: float) -> bytes:
    """The same 16-bit mono samples `tempo` times as fast (FFmpeg's atempo, which overlaps similar stretches)."""
    import av
    import numpy as np

    if not samples:
        return samples
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=sample_rate, format="s16", layout="mono", time_base=Fraction(1, sample_rate)
    )
    steps = [graph.add("atempo", str(factor)) for factor in _factors(tempo)]
    sink = graph.add("abuffersink")
    graph.link_nodes(source, *steps, sink).configure()
    frame = av.AudioFrame.from_ndarray(np.frombuffer(samples, dtype="<i2")[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = sample_rate, 0
    source.push(frame)
    source.push(None)
    out: list[bytes] = []
    while True:
        try:
            piece = sink.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            return b"".join(out)
        assert isinstance(piece, av.AudioFrame)
        out.append(bytes(piece.planes[0])[: piece.samples * 2])


def _factors(tempo: float) -> list[float]:
    """Steps of 0.5 at least, which is the least that atempo takes at once."""
    return [tempo] if tempo >= 0.5 else [0.5, *_factors(tempo / 0.5)]
