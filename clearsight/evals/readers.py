"""Programs that read, behind the interface of an engine: peers for a model's reading.

A reader gives everything that is written in the pictures of the last message, whatever the question is. Tesseract
(Apache-2.0) is the program of that name on this machine; PP-OCR is RapidOCR with its own models (Apache-2.0).
"""

import io
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version

from PIL import Image as PILImage

from clearsight.conversation import Conversation, Detail, Image
from clearsight.data.curation.extras import require
from clearsight.data.curation.optional_models import read_text
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import TokenEvent, Usage
from clearsight.engine import ConversationEngine, Stream
from clearsight.evals.item import EvalError
from clearsight.processing.images import from_conversation_image

TESSERACT = "tesseract"
PAGE = ("--psm", "3")  # "fully automatic page segmentation", its default
ONE_LINE = ("--psm", "7")  # "treat the image as a single text line"
LINE_SHAPE = 3.0  # pictures this many times as wide as high are taken for one line


class Reader(ConversationEngine):
    """`read` gives a picture's text, a line for each that is found."""

    def __init__(self, read: Callable[[PILImage.Image], str]):
        self._read = read

    def submit_many(
        self,
        conversation: Conversation,
        sampling: Sampling | None = None,
        count: int = 1,
        *,
        detail: Detail | None = None,
        tenant: str = "",
        priority: int = 0,
    ) -> list[Stream]:
        """Reads at once; all answers are alike. Raises ImageError for a picture that can't be opened."""
        pictures = [part for part in conversation.messages[-1].parts if isinstance(part, Image)]
        text = "\n".join(filter(None, (self._read(from_conversation_image(picture)) for picture in pictures)))
        streams = [Stream() for _ in range(count)]
        for stream in streams:
            stream.deliver(TokenEvent(0, text, finish_reason="stop"), Usage(0, 0, 0))
        return streams

    def close(self) -> None:
        """Nothing is held."""


def pp_ocr() -> tuple[Reader, str]:
    """PP-OCR, and what names it exactly. Raises ExtraMissing when it is not installed."""
    require("rapidocr", "to read what is in pictures", "ocr")
    return Reader(lambda picture: read_text(_png(picture))), f"rapidocr {version('rapidocr')}"


def tesseract() -> tuple[Reader, str]:
    """Tesseract for English, and what names it exactly. Raises EvalError when it is not installed."""
    program = shutil.which(TESSERACT)
    if program is None:
        raise EvalError(
            "tesseract is not installed; on Debian or Ubuntu: apt-get install tesseract-ocr tesseract-ocr-eng"
        )

    def read(picture: PILImage.Image) -> str:
        layout = ONE_LINE if picture.width >= LINE_SHAPE * picture.height else PAGE
        command = [program, "stdin", "stdout", "-l", "eng", *layout]
        done = subprocess.run(command, input=_png(picture), capture_output=True, check=False)
        if done.returncode:
            raise EvalError(f"tesseract failed: {done.stderr.decode(errors='replace').strip()}")
        return "\n".join(filter(None, map(str.strip, done.stdout.decode(errors="replace").splitlines())))

    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return Reader(read), (told.stdout or told.stderr).splitlines()[0]


READERS: dict[str, Callable[[], tuple[Reader, str]]] = {TESSERACT: tesseract, "pp-ocr": pp_ocr}


def _png(picture: PILImage.Image) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()
