"""How well recordings are understood, how fast they are heard, and how soon speech is heard.

Sentences are drawn with a seed: questions about pictures, numbers, colours, times, prices. Each is spoken by every
engine that is installed and recognised from the wave file. Word errors are counted after OpenAI's normaliser of English
for Whisper (transformers' implementation: lower case, no punctuation, numbers as digits, contractions and titles
written out) and with British spellings of this vocabulary as American; edits and words are added up over all sentences,
and the interval is a bootstrap over sentences. Nobody's voice is recorded: the figures say how engines of speech are
understood in quiet, not how people in a street are.

Real-time factor: seconds by the clock for a second of sound, lower is faster; the median over sentences. First sound:
from the call to the first sentence's samples, once warm. On a machine with other work the clock says little about
hearing, so the processor's time, the decoding process included, is reported beside it. The last line is JSON.

    python -m benchmarks.speech --sentences 50 --threads 1 2
"""

import argparse
import io
import json
import os
import platform
import random
import statistics
import time
import wave
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

from clearsight.evals.metrics.edit_rates import word_errors
from clearsight.evals.statistics import bootstrap
from clearsight.speech import Hearing, Speaking

VOICES = ("joe", "espeak-en-us")
SPELLINGS = {"colour": "color", "grey": "gray", "jewellery": "jewelry", "centre": "center"}
COLOURS = (
    *("red", "blue", "green", "yellow", "orange", "purple"),
    *("brown", "black", "white", "grey", "pink"),
)
THINGS = (
    *("cars", "chairs", "cups", "dogs", "bicycles", "bottles", "windows"),
    *("people", "trees", "books", "lamps", "umbrellas", "plates", "boats"),
)
PLACES = (
    *("on the left", "on the right", "behind the table", "in the centre"),
    *("at the bottom", "next to the door", "on the shelf"),
)
SHAPES = (
    *("circle", "square", "triangle"),
    *("star", "arrow"),
)


def sentence(random_: random.Random) -> str:
    """One sentence that somebody might say about a picture."""
    pick = random_.choice
    number = random_.randint(2, 99)
    kinds = (
        f"How many {pick(COLOURS)} {pick(THINGS)} are {pick(PLACES)}?",
        f"What colour is the {pick(SHAPES)} {pick(PLACES)}?",
        f"There are {number} {pick(THINGS)} and {random_.randint(2, 20)} {pick(THINGS)} in the picture.",
        f"Is the {pick(COLOURS)} {pick(SHAPES)} larger than the {pick(COLOURS)} one?",
        f"Please read the number {random_.randint(100, 9999)} on the sign {pick(PLACES)}.",
        f"The price is {random_.randint(1, 99)} dollars and {random_.randint(10, 99)} cents.",
        f"The temperature rose from {random_.randint(1, 20)}.{random_.randint(1, 9)} to {number} degrees.",
        f"The train leaves at {random_.randint(1, 12)} o'clock from platform {number}.",
        f"Describe the {pick(COLOURS)} {pick(THINGS)} {pick(PLACES)} in one sentence.",
        f"Which of the two pictures has more {pick(THINGS)}, the first or the second?",
    )
    return pick(kinds)


def wave_file(samples: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples)
    return file.getvalue()


@dataclass
class Spoken:
    text: str
    recording: bytes
    seconds: float
    first_sound: float
    computing: float


def speak_all(speaking: Speaking, texts: list[str], voice: str) -> list[Spoken]:
    """Every sentence spoken alone, timed; the engine is warm."""
    list(speaking.synthesise("Ready.", voice).chunks)
    spoken = []
    for text in texts:
        start = time.perf_counter()
        utterance = speaking.synthesise(text, voice)
        first = time.perf_counter() - start
        samples = b"".join(utterance.chunks)
        computing = time.perf_counter() - start
        seconds = len(samples) / 2 / utterance.sample_rate
        spoken.append(Spoken(text, wave_file(samples, utterance.sample_rate), seconds, first, computing))
    return spoken


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    return sum(os.times()[:4])


def hear_all(
    hearing: Hearing, spoken: list[Spoken], language: str | None
) -> tuple[list[str], list[float], list[float]]:
    """What was heard, and seconds by the clock and of the processor for a second of sound."""
    hearing.transcribe(spoken[0].recording, language=language)
    heard, factors, costs = [], [], []
    for one in spoken:
        start, cost = time.perf_counter(), processor_seconds()
        heard.append(hearing.transcribe(one.recording, language=language).text)
        factors.append((time.perf_counter() - start) / one.seconds)
        costs.append((processor_seconds() - cost) / one.seconds)
    return heard, factors, costs


def error_rate(texts: list[str], heard: list[str]) -> dict[str, float]:
    """Edits by words over all sentences, with a 95% interval, and the share of sentences without an error."""
    normal = EnglishTextNormalizer(SPELLINGS)
    scored = [word_errors(normal(said), normal(right)) for said, right in zip(heard, texts, strict=True)]
    edits = np.array([one.counts["edits"] for one in scored])
    words = np.array([one.counts["length"] for one in scored])
    low, high = bootstrap(lambda rows: edits[rows].sum() / words[rows].sum(), range(len(texts)))
    return {
        "wer": round(float(edits.sum() / words.sum()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "edits": int(edits.sum()),
        "words": int(words.sum()),
        "exact": round(float((edits == 0).mean()), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=int, default=50)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what was misheard")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    texts = [sentence(chance) for _ in range(arguments.sentences)]

    print(
        "| voice | threads | word error rate (95%) | exact | hearing RTF (processor) | speaking RTF | first sound |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    rows: list[dict[str, Any]] = []
    for threads in arguments.threads:
        hearing, speaking = Hearing(threads=threads), Speaking(threads=threads)
        installed = {voice.name for voice in speaking.voices()}
        for voice in [voice for voice in VOICES if voice in installed]:
            spoken = speak_all(speaking, texts, voice)
            heard, factors, costs = hear_all(hearing, spoken, "en")
            if arguments.show and threads == arguments.threads[0]:
                normal = EnglishTextNormalizer(SPELLINGS)
                for text, said in zip(texts, heard, strict=True):
                    if normal(text) != normal(said):
                        print(f"{voice}: {text!r} heard as {said!r}")
            rows.append(
                {
                    "voice": voice,
                    "threads": threads,
                    **error_rate(texts, heard),
                    "hearing_rtf": round(statistics.median(factors), 3),
                    "hearing_processor": round(statistics.median(costs), 3),
                    "speaking_rtf": round(
                        statistics.median(one.computing / one.seconds for one in spoken), 3
                    ),
                    "first_sound_ms": round(1000 * statistics.median(one.first_sound for one in spoken)),
                    "first_sound_p95_ms": round(
                        1000 * float(np.percentile([one.first_sound for one in spoken], 95))
                    ),
                }
            )
            row = rows[-1]
            print(
                f"| {voice} | {threads} | {row['wer']:.1%} ({row['low']:.1%} to {row['high']:.1%}) | "
                f"{row['exact']:.0%} | {row['hearing_rtf']:.2f} ({row['hearing_processor']:.2f}) | "
                f"{row['speaking_rtf']:.2f} | "
                f"{row['first_sound_ms']} ms |",
                flush=True,
            )
        speaking.close()
    print(
        json.dumps(
            {
                "rows": rows,
                "sentences": arguments.sentences,
                "seed": arguments.seed,
                "cores": os.cpu_count(),
                "machine": platform.machine(),
                "load": round(os.getloadavg()[0], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
