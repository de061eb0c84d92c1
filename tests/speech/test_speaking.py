"""Speaking with the engines that are installed: real processes, real weights."""

import shutil
import sys
import threading
import time
from importlib.util import find_spec

import pytest

from clearsight.speech.errors import (
    NothingToSpeak,
    SpeechBusy,
    SpeechFailed,
    SpeechUnavailable,
    UnknownVoice,
    WeightsMissing,
)
from clearsight.speech.espeak import Espeak
from clearsight.speech.piper import JOE, Piper
from clearsight.speech.speak import OPENAI_VOICES, Speaking, speakable
from clearsight.speech.tempo import at_tempo

needs_piper = pytest.mark.skipif(find_spec("piper") is None, reason="piper-tts is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
TEXT = "The cup is on the left. The plate is on the right."


def seconds(speaking: Speaking, voice: str, speed: float) -> float:
    utterance = speaking.synthesise("Seven yellow umbrellas are standing behind the table.", voice, speed)
    return sum(map(len, utterance.chunks)) / 2 / utterance.sample_rate


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("nothing_installed")
def test_a_server_without_any_voice_says_what_to_install() -> None:
    with pytest.raises(SpeechUnavailable, match=r"pip install piper-tts.*apt-get install espeak-ng"):
        Speaking().synthesise(TEXT)


@needs_piper
@pytest.mark.bundled
def test_openai_names_speak_with_the_default_voice_and_an_unknown_one_is_told_what_there_is() -> None:
    speaking = Speaking()
    assert {speaking.voice(name).name for name in OPENAI_VOICES} == {"joe"}
    with pytest.raises(UnknownVoice, match="There are joe"):
        speaking.voice("jane")
    with pytest.raises(SpeechUnavailable, match="default voice 'jane'"):
        Speaking(default_voice="jane").voice()


@needs_piper
@pytest.mark.bundled
def test_a_sentence_is_heard_before_the_next_is_spoken_and_the_process_survives_an_interruption() -> None:
    speaking = Speaking()
    try:
        utterance = speaking.synthesise(TEXT, "joe")
        assert len(next(utterance.chunks)) > 22_050
        utterance.chunks.close()
        assert len(list(speaking.synthesise(TEXT, "joe").chunks)) == 2
    finally:
        speaking.close()


@needs_piper
@pytest.mark.bundled
def test_speed_is_what_was_asked_for_at_both_ends() -> None:
    speaking = Speaking()
    try:
        normal = seconds(speaking, "joe", 1.0)
        for speed in (0.25, 2.0, 4.0):
            assert seconds(speaking, "joe", speed) == pytest.approx(normal / speed, rel=0.25)
    finally:
        speaking.close()


@needs_piper
@pytest.mark.bundled
def test_a_voice_process_that_is_killed_fails_one_sentence_and_is_started_again() -> None:
    piper = Piper()
    try:
        assert piper.speak("One.", JOE, 1.0)
        first = piper._process
        assert first is not None
        threading.Timer(0.2, first.kill).start()
        with pytest.raises(SpeechFailed):
            piper.speak("A long sentence about many things. " * 60, JOE, 1.0)
        assert piper.speak("Two.", JOE, 1.0)
    finally:
        piper.close()


@needs_piper
@pytest.mark.bundled
def test_an_idle_voice_gives_its_memory_back_and_a_hanging_one_is_ended() -> None:
    piper = Piper(idle_seconds=0.3)
    piper.speak("One.", JOE, 1.0)
    process = piper._process
    assert process is not None
    process.wait(timeout=5)
    assert piper.speak("Two.", JOE, 1.0)
    piper.close()
    slow = Piper(sentence_seconds=0.05)
    with pytest.raises(SpeechFailed, match="took too long"):
        slow.speak("A long sentence about many things. " * 60, JOE, 1.0)
    slow.close()


@needs_piper
def test_offline_without_weights_the_command_that_fetches_them_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissing, match=r"python -m clearsight.speech"):
        Speaking(offline=True).synthesise(TEXT, "joe")


@needs_piper
@pytest.mark.bundled
def test_signs_that_engines_take_for_commands_and_broken_characters_are_spoken_as_text() -> None:
    assert speakable("a [[[b]] \ud800 \x00 c") == "a [ [ [b]]     c"
    speaking = Speaking()
    try:
        assert list(speaking.synthesise("[[_aI]] <speak> \ud800 --help \x1b[0m {}", "joe").chunks)
        with pytest.raises(NothingToSpeak):
            speaking.synthesise(" \n\t ", "joe")
        with pytest.raises(NothingToSpeak):
            speaking.synthesise("\u200b", "joe")
    finally:
        speaking.close()


@needs_piper
@pytest.mark.bundled
def test_places_of_those_who_left_are_free_again() -> None:
    speaking = Speaking(max_speaking=1)
    try:
        for _ in range(3):
            speaking.synthesise(TEXT, "joe").chunks.close()
        held = speaking.synthesise(TEXT, "joe")
        with pytest.raises(SpeechBusy):
            speaking.synthesise(TEXT, "joe")
        held.chunks.close()
        assert speaking.synthesise(TEXT, "joe")
    finally:
        speaking.close()


@needs_espeak
def test_espeak_speaks_other_languages_and_every_speed() -> None:
    speaking = Speaking()
    normal = seconds(speaking, "espeak-de", 1.0)
    for speed in (0.25, 2.0, 4.0):
        assert seconds(speaking, "espeak-de", speed) == pytest.approx(normal / speed, rel=0.25)
    voice = speaking.voice("espeak-en-us")
    assert Espeak().speak("--help", voice, 1.0)
    assert at_tempo(b"", voice.sample_rate, 2.0) == b""


@needs_espeak
def test_espeak_starts_within_a_fifth_of_a_second() -> None:
    speaking = Speaking()
    speaking.voices()
    start = time.monotonic()
    speaking.synthesise(TEXT, "espeak-en-us").chunks.close()
    assert time.monotonic() - start < 0.2
