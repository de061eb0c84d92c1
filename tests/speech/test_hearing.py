"""Hearing real speech: synthesised here, recognised with the real weights."""

import threading
import time

import numpy as np
import pytest

from clearsight.speech import Hearing, Speaking
from clearsight.speech.errors import Cancelled, SpeechBusy, UnknownLanguage, WeightsMissing
from tests.speech.recordings import recording, wav

SENTENCE = "There are three red chairs behind the table."


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    return Hearing(threads=1)


@pytest.fixture(scope="module")
def spoken() -> bytes:
    """A recording of the sentence, with a second of silence after it."""
    speaking = Speaking()
    if not speaking.voices():
        pytest.skip("no voice is installed to speak with")
    utterance = speaking.synthesise(SENTENCE)
    samples = np.frombuffer(b"".join(utterance.chunks), dtype="<i2")
    speaking.close()
    rate = utterance.sample_rate
    return recording("flac", "flac", np.concatenate([samples, np.zeros(rate, np.int16)]), rate)


@pytest.mark.bundled
def test_what_was_said_is_heard_with_its_times(hearing: Hearing, spoken: bytes) -> None:
    transcript = hearing.transcribe(spoken, words=True)
    said = transcript.text.lower().replace("3", "three").strip(" .")
    assert said == SENTENCE.lower().strip(" .")
    assert transcript.language == "en"
    assert [word.text.strip(" .,").lower() for word in transcript.words][-2:] == ["the", "table"]
    starts = [word.start for word in transcript.words]
    assert starts == sorted(starts)
    assert transcript.words[-1].end < transcript.duration - 0.5, "the silence at the end has no words"


@pytest.mark.bundled
def test_silence_and_noise_have_no_words_in_them(hearing: Hearing) -> None:
    silence = recording("flac", "flac", np.zeros(16_000 * 5, np.int16))
    assert hearing.transcribe(silence).text == ""
    hiss = (np.random.default_rng(3).standard_normal(16_000 * 5) * 300).astype(np.int16)
    assert hearing.transcribe(recording("flac", "flac", hiss)).text == ""


@pytest.mark.bundled
def test_a_language_that_does_not_exist_is_refused_with_those_that_do(
    hearing: Hearing, spoken: bytes
) -> None:
    with pytest.raises(UnknownLanguage, match="en, "):
        hearing.transcribe(spoken, language="klingon")
    assert hearing.transcribe(spoken, language="en").language == "en"


@pytest.mark.slow
@pytest.mark.bundled
def test_one_is_heard_at_a_time_too_many_are_turned_away_and_who_leaves_stops_waiting(spoken: bytes) -> None:
    hearing = Hearing(threads=1, max_waiting=2)
    hearing.transcribe(spoken)
    with hearing.listening(spoken):
        gone, ended = threading.Event(), []

        def wait() -> None:
            try:
                hearing.transcribe(spoken, cancelled=gone)
            except Cancelled:
                ended.append("cancelled")

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
        with pytest.raises(SpeechBusy):
            hearing.transcribe(spoken)
        gone.set()
        waiting.join(5)
        assert ended == ["cancelled"]
    assert hearing.transcribe(spoken).text


def test_offline_without_weights_the_command_that_fetches_them_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissing, match=r"python -m clearsight.speech"):
        Hearing(offline=True).transcribe(wav())
