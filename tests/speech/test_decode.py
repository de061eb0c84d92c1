"""Recordings from anybody: what is played elsewhere is heard, and what is hostile costs little and gets a sentence."""

import struct
import time

import numpy as np
import pytest

from clearsight.speech.decode import AudioLimits, decode, sniff
from clearsight.speech.decode_worker import RATE
from clearsight.speech.errors import AudioError, AudioTooLong
from tests.speech.recordings import opus_bomb, recording, tone, wav


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 8_000),
        ("mp3", "libmp3lame", 44_100),
        ("flac", "flac", 48_000),
        ("ogg", "libopus", 48_000),
        ("webm", "libopus", 48_000),
        ("mp4", "aac", 44_100),
        ("adts", "aac", 22_050),
    ],
)
def test_every_container_that_is_promised_is_heard_at_its_right_pitch_and_length(
    container: str, codec: str, rate: int
) -> None:
    samples = decode(recording(container, codec, tone(1, rate), rate))
    assert abs(len(samples) / RATE - 1) < 0.1
    spectrum = np.abs(np.fft.rfft(samples[RATE // 4 : RATE // 4 + RATE // 2]))
    assert abs(spectrum.argmax() * 2 - 440) <= 2


def test_the_size_that_a_wav_header_claims_is_not_believed() -> None:
    file = wav()
    at = file.index(b"data") + 4
    assert len(decode(file[:at] + b"\xff\xff\xff\xff" + file[at + 4 :])) == RATE  # as streams are written
    with pytest.raises(AudioError, match="not one sample"):
        decode(file[:at] + struct.pack("<I", 0))


@pytest.mark.parametrize(
    ("offset", "value"),
    [(24, struct.pack("<I", 1)), (24, struct.pack("<I", 0)), (22, b"\0\0"), (22, b"\xff\xff")],
    ids=["1 Hz", "0 Hz", "no channel", "65535 channels"],
)
def test_impossible_rates_and_channels_are_refused(offset: int, value: bytes) -> None:
    file = wav()
    with pytest.raises(AudioError):
        decode(file[:offset] + value + file[offset + len(value) :])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"R",
        b"\x89PNG\r\n\x1a\n" + bytes(99),
        b"#EXTM3U\nfile:///etc/hostname",
        b"<html>",
        b"ffconcat version 1.0\n",
    ],
    ids=["empty", "a byte", "picture", "play list", "page", "concat list"],
)
def test_what_is_no_recording_is_refused_without_being_opened(data: bytes) -> None:
    assert sniff(data) is None
    with pytest.raises(AudioError, match="Accepted are wav, mp3"):
        decode(data)


@pytest.mark.parametrize(
    "beginning",
    [b"RIFF\0\0\0\0WAVE", b"OggS", b"fLaC", b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3", b"ID3", b"\xff\xfb"],
)
def test_a_right_beginning_followed_by_noise_is_called_damaged(beginning: bytes) -> None:
    noise = np.random.default_rng(7).integers(0, 256, 50_000, dtype=np.uint8).tobytes()
    with pytest.raises(AudioError) as caught:
        decode(beginning + noise)
    assert (
        "damaged" in str(caught.value)
        or "not one sample" in str(caught.value)
        or "impossible" in str(caught.value)
    )


def test_an_mp3_that_starts_with_a_cover_picture_is_heard() -> None:
    picture = b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(5000)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = len(frame)
    tag = b"ID3\x03\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame
    samples = decode(tag + recording("mp3", "libmp3lame", tone(1, 44_100), 44_100))
    assert abs(len(samples) / RATE - 1) < 0.1


def test_a_recording_that_breaks_off_is_heard_as_far_as_it_goes() -> None:
    file = recording("ogg", "libopus", tone(2, 48_000), 48_000)
    assert 0.5 < len(decode(file[: len(file) // 2])) / RATE < 1.5


def test_a_small_file_that_lasts_for_hours_is_stopped_at_the_limit() -> None:
    bomb = opus_bomb(hours=1)
    assert len(bomb) < 2 << 20
    started = time.monotonic()
    with pytest.raises(AudioTooLong, match="longer than 1 minutes"):
        decode(bomb, AudioLimits(max_seconds=60))
    assert time.monotonic() - started < 10


def test_a_decoder_that_wants_too_much_memory_or_time_is_ended_and_the_next_recording_is_heard() -> None:
    for limits in (AudioLimits(memory_bytes=1 << 25), AudioLimits(decoding_seconds=0)):
        with pytest.raises(AudioError, match="more time or memory"):
            decode(wav(), limits)
    assert len(decode(wav())) == RATE


def test_a_file_over_the_size_limit_and_a_click_are_refused() -> None:
    with pytest.raises(AudioTooLong, match="MB are accepted"):
        decode(wav(), AudioLimits(max_bytes=1000))
    with pytest.raises(AudioError, match="shorter than"):
        decode(wav(0.05))
