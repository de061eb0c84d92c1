"""Hear and speak: recordings to text, text to speech.

    service.py         both together, as the server holds them
    hear.py            Whisper: a recording to a transcript with times
    decode.py          a recording's bytes to samples, within limits
    decode_worker.py   the limited process that does it
    speak.py           voices, their names, and sentences one after the other
    sentences.py       where a sentence ends when it is spoken
    piper.py           the natural voice, in a process of its own
    piper_worker.py    that process
    espeak.py          the voice for a hundred languages, a program of its own
    encode.py          speech as wav, pcm, mp3, opus, aac or flac while it is spoken
    tempo.py           speeds that an engine has not itself
    subtitles.py       a transcript as SubRip and WebVTT
    readiness.py       whether both can begin at once, told without fetching
    weights.py         what is fetched, by its hash
    voices.py, errors.py

Two programs that can be used here are GPL-3.0-or-later, piper-tts and espeak-ng. Both are optional, and run in
processes of their own that are spoken to over pipes.
"""

from clearsight.speech.decode import AudioLimits
from clearsight.speech.hear import Hearing, Segment, Transcript, Word
from clearsight.speech.readiness import Readiness
from clearsight.speech.sentences import split_sentences, take_sentences
from clearsight.speech.service import Speech
from clearsight.speech.speak import Speaking, Utterance
from clearsight.speech.voices import Voice
from clearsight.speech.weights import fetch_joe, fetch_whisper

__all__ = [
    "AudioLimits",
    "Hearing",
    "Readiness",
    "Segment",
    "Speaking",
    "Speech",
    "Transcript",
    "Utterance",
    "Voice",
    "Word",
    "fetch_joe",
    "fetch_whisper",
    "split_sentences",
    "take_sentences",
]
