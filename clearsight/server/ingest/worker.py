"""The process that decodes: it reads one picture at a time from stdin and writes pixels to stdout.

It starts as a program of its own, not as a copy of the server: no threads, no model, no sockets, no environment with
passwords. Before it reads its first byte it gives up memory, files and processor time that decoding doesn't need,
for hostile bytes may break a decoder written in C. What it says is data to the server, checked like a stranger's.

Each message is a length (4 bytes, big-endian), that many bytes of JSON, and the raw bytes that the JSON announces;
nothing is pickled. To the worker: {"size", "max_pixels"} and the picture. From it: {} once it is ready, then
{"refused", "code"}, or {"media_type", "data", "width", "height", "warnings"} with the clean file's bytes and the
pixels as RGB, row by row.
"""

import contextlib
import dataclasses
import json
import math
import os
import resource
import struct
import sys
from typing import Any, BinaryIO

from clearsight.server.ingest.decoder import DecodedPicture, decode_picture
from clearsight.server.ingest.formats import Refusal, accepted
from clearsight.server.ingest.limits import IngestLimits

LENGTH = struct.Struct(">I")


def encode_message(header: dict[str, Any], *content: bytes) -> bytes:
    """A message's length and header; `content` is joined behind it."""
    text = json.dumps(header).encode()
    return b"".join([LENGTH.pack(len(text)), text, *content])


def main() -> None:
    """Serve until stdin ends. The one argument is the limits as JSON."""
    options = json.loads(sys.argv[1])
    limits = IngestLimits(**options | {"seen_edges": tuple(options["seen_edges"])})
    requests, answers = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not become an answer
    _load_readers()
    _confine(limits)
    _answer(answers, {})
    while length := requests.read(LENGTH.size):
        request = json.loads(requests.read(*LENGTH.unpack(length)))
        data = requests.read(request["size"])
        _allow_seconds(limits.decode_seconds)
        try:
            picture = decode_picture(data, limits, request["max_pixels"])
        except Refusal as refusal:
            _answer(answers, {"refused": refusal.message, "code": refusal.code})
        else:
            _answer_with(answers, picture)
            del picture
        del data


def _answer(answers: BinaryIO, header: dict[str, Any], *content: bytes) -> None:
    answers.write(encode_message(header))
    for part in content:
        answers.write(part)
    answers.flush()


def _answer_with(answers: BinaryIO, picture: DecodedPicture) -> None:
    header = {
        "media_type": picture.media_type,
        "data": len(picture.data),
        "width": picture.pixels.width,
        "height": picture.pixels.height,
        "warnings": picture.warnings,
    }
    _answer(answers, header, picture.data, picture.pixels.tobytes())


def _load_readers() -> None:
    """Import every reader now: later the process may no longer have the files or the memory for it."""
    from PIL import Image as PILImage

    PILImage.init()
    if "AVIF" in accepted():
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if "HEIF" in accepted():
        import pillow_heif  # noqa: F401


def _confine(limits: IngestLimits) -> None:
    """No core dumps, no written files, few open ones, and so much memory more than it has now."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, 16)
    with contextlib.suppress(OSError):  # systems without /proc limit by the clock alone
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + limits.decode_memory_bytes)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _allow_seconds(seconds: int) -> None:
    """The kernel ends this process when the next picture takes more processor time than this."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def limits_argument(limits: IngestLimits) -> str:
    """What `main` reads."""
    return json.dumps(dataclasses.asdict(limits))


if __name__ == "__main__":
    main()
