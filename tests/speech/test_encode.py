"""Speech as a file: every format plays, at the right length, and grows while it is spoken."""

from collections.abc import Iterator

import numpy as np
import pytest

from clearsight.speech.decode import decode
from clearsight.speech.decode_worker import RATE
from clearsight.speech.encode import FORMATS, encode, wav_header
from tests.speech.recordings import tone


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pcm"])
def test_every_format_plays_for_as_long_as_was_spoken_and_at_its_pitch(name: str) -> None:
    chunks = [tone(0.7, 22_050).tobytes(), tone(1.3, 22_050).tobytes()]
    samples = decode(b"".join(encode(iter(chunks), 22_050, name)))
    assert abs(len(samples) / RATE - 2) < 0.1
    spectrum = np.abs(np.fft.rfft(samples[RATE : RATE + RATE // 2]))
    assert abs(spectrum.argmax() * 2 - 440) <= 2


def test_pcm_is_24_khz_because_players_of_it_are_told_nothing() -> None:
    data = b"".join(encode(iter([tone(1, 22_050).tobytes()]), 22_050, "pcm"))
    assert abs(len(data) / 2 - 24_000) < 50
    assert b"".join(encode(iter([tone(1, 22_050).tobytes()]), 22_050, "wav")) == wav_header() + data


@pytest.mark.parametrize("name", FORMATS)
def test_the_first_sentence_can_be_heard_before_the_second_is_spoken(name: str) -> None:
    asked = []

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            asked.append(number)
            yield tone(2, 22_050).tobytes()

    size = 0
    for piece in encode(chunks(), 22_050, name):
        if len(asked) > 1:
            break
        size += len(piece)
    assert size > 3000, "most of two seconds, and not just a header"
