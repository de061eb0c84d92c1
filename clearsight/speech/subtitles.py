"""A transcript as subtitles: SubRip (.srt) and WebVTT (.vtt)."""

from collections.abc import Iterable

from clearsight.speech.hear import Segment


def to_srt(segments: Iterable[Segment]) -> str:
    """SubRip: numbered, hours:minutes:seconds,milliseconds."""
    return "".join(
        f"{number}\n{_time(segment.start, ',')} --> {_time(segment.end, ',')}\n{_line(segment)}\n\n"
        for number, segment in enumerate(segments, 1)
    )


def to_vtt(segments: Iterable[Segment]) -> str:
    """WebVTT; what would be markup is escaped (https://www.w3.org/TR/webvtt1/#cue-payload)."""
    cues = (
        f"{_time(segment.start, '.')} --> {_time(segment.end, '.')}\n{_escaped(_line(segment))}\n\n"
        for segment in segments
    )
    return "WEBVTT\n\n" + "".join(cues)


def _line(segment: Segment) -> str:
    return " ".join(segment.text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    return (
        f"{milliseconds // 3_600_000:02}:{milliseconds // 60_000 % 60:02}:{milliseconds // 1000 % 60:02}"
        f"{point}{milliseconds % 1000:03}"
    )
