"""Coverage-guided fuzzing of the decoding path: python tests/fuzz/decoder.py -max_total_time=600

For every input: no exception but a refusal in words of ours; what is accepted has the pixels of the clean file, and
those that `processing.images.decode` sees in the same bytes, if it can read them. Without a folder of inputs in the
arguments it starts from small valid files of every kind.
"""

import sys
import tempfile
from pathlib import Path

import atheris

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))  # the repository that this file is part of

with atheris.instrument_imports(include=["clearsight", "PIL"]):
    from clearsight.processing import images
    from clearsight.server.ingest.decoder import decode_picture
    from clearsight.server.ingest.formats import Refusal
    from clearsight.server.ingest.limits import IngestLimits

LIMITS = IngestLimits(max_pixels=1_000_000, max_picture_bytes=1 << 20)
LEAKS = ("0x", "/", "PIL", "Error", "object", "codec")


def check_one_input(data: bytes) -> None:
    """Raises whatever must not happen."""
    try:
        picture = decode_picture(data, LIMITS, LIMITS.max_pixels)
    except Refusal as refusal:
        assert refusal.code and not any(word in refusal.message for word in LEAKS), refusal.message
        return
    assert picture.pixels.mode == "RGB"
    stored = images.decode(picture.data)
    assert stored.tobytes() == picture.pixels.tobytes(), "the stored picture is another one"
    if data[4:8] == b"ftyp":
        return
    try:
        original = images.decode(data)
    except images.ImageError:
        return  # what is left out was damaged, for instance an animation or Exif; what is kept was read above
    assert original.size == picture.pixels.size, "the original has another shape"
    assert original.tobytes() == picture.pixels.tobytes(), "the original shows something else"


def seeds() -> list[bytes]:
    """Valid files of every kind, turned ones, animations, and the smaller hostile ones."""
    from tests.server.corpus import cases

    return [
        case.picture
        for case in cases({10, 11, 13, 14})
        if case.picture is not None and len(case.picture) < 20_000
    ]


def main() -> None:
    arguments = sys.argv
    if not any(not argument.startswith("-") for argument in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="clearsight-fuzz-"))
        for number, data in enumerate(seeds()):
            (folder / f"{number:04}").write_bytes(data)
        arguments = [*arguments, str(folder)]
    atheris.Setup([*arguments, "-max_len=20000", "-timeout=20", "-rss_limit_mb=3000"], check_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
