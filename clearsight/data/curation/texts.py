"""What is measured of a record's text: its key, its MinHash signature and its language.

Shingles are runs of words, and a word of a script without spaces is one character, so that the same code serves
English and Chinese. MinHash is Broder's, "On the resemblance and containment of documents" (1997).
"""

import hashlib
import json
import re
import unicodedata
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np

from clearsight.data.curation.extras import require

SHINGLE_WORDS = 3
SIGNATURE_PLACES = 128
BANDS = 32
LANGUAGE_LETTERS = 24  # fewer letters than this do not tell a language

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’][^\W{_UNSPACED}]+)?")


def texts_of(record: dict[str, Any]) -> list[str]:
    """The texts of a record's JSON, one for each message, and the rejected answer."""
    found = [
        "".join(part["text"] for part in message["content"] if part["type"] == "text")
        for message in record["messages"]
    ]
    return [text for text in [*found, record.get("rejected") or ""] if text.strip()]


def words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def exact_key(record: dict[str, Any]) -> str:
    """Equal for records that show the same pictures and say the same, but for white space."""
    said = [
        [
            message["role"],
            *(
                part["sha256"] if part["type"] == "image" else " ".join(part["text"].split())
                for part in message["content"]
            ),
        ]
        for message in record["messages"]
    ]
    body = json.dumps([said, record.get("rejected")], ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def word_hashes(found: list[str]) -> np.ndarray:
    """uint64, one a word."""
    return np.fromiter((crc32(word.encode()) for word in found), dtype=np.uint64, count=len(found))


def runs(hashes: np.ndarray, length: int) -> np.ndarray:
    """A hash of every run of `length` words; one of all of them when there are fewer."""
    if not len(hashes):
        return hashes
    length = min(length, len(hashes))
    mixed = np.zeros(len(hashes) - length + 1, dtype=np.uint64)
    for offset in range(length):
        mixed = (mixed ^ hashes[offset : offset + len(mixed)]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return mixed


def signature(text: str) -> bytes | None:
    """MinHash of the text's shingles: uint32 of shape (SIGNATURE_PLACES,) as bytes; None without any words."""
    shingles = np.unique(runs(word_hashes(words(text)), SHINGLE_WORDS))
    if not len(shingles):
        return None
    factors, offsets = _permutations()
    values = shingles[:, None] * factors + offsets  # multiply and shift, modulo 2^64
    return (values >> np.uint64(32)).min(0).astype(np.uint32).tobytes()


@cache
def _permutations() -> tuple[np.ndarray, np.ndarray]:
    raw = hashlib.shake_256(b"clearsight:minhash:1").digest(16 * SIGNATURE_PLACES)
    numbers = np.frombuffer(raw, dtype="<u8")
    return numbers[:SIGNATURE_PLACES] | np.uint64(1), numbers[SIGNATURE_PLACES:]


def language(text: str) -> tuple[str, float]:
    """ISO 639-1 code and probability; ("", 0) for text too short to tell."""
    if sum(character.isalpha() for character in text) < LANGUAGE_LETTERS:
        return "", 0.0
    code, probability = _identifier().classify(text)
    return code, float(probability)


@cache
def _identifier() -> Any:
    langid = require("py3langid.langid", "to tell languages apart")
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
