"""Plain signs of poor quality: text that repeats itself or is mostly symbols, pictures that show nothing.

The thresholds are meant to take only what no one would want. Blur is measured and kept with the record, but a blurred
picture is removed only when asked for: what can't be read is a lesson too.
"""

from collections import Counter
from dataclasses import dataclass

from clearsight.data.curation.texts import words

REPETITION_WORDS = 24  # shorter texts repeat words by chance


@dataclass(frozen=True)
class TextQuality:
    """`repetition`: share of the text's words that stand in runs of three that occur more than once.
    `symbols`: share of the characters that are neither letters, digits nor white space."""

    words: int
    repetition: float
    symbols: float


def text_quality(texts: list[str]) -> TextQuality:
    """Of the text of a whole record; repetition within one message, the worst of them."""
    joined = "".join(texts)
    plain = sum(character.isalnum() or character.isspace() for character in joined)
    found = [words(text) for text in texts]
    return TextQuality(
        words=sum(map(len, found)),
        repetition=max((_repetition(one) for one in found), default=0.0),
        symbols=1 - plain / len(joined) if joined else 0.0,
    )


def _repetition(found: list[str]) -> float:
    if len(found) < REPETITION_WORDS:
        return 0.0
    runs = Counter(zip(found, found[1:], found[2:], strict=False))
    return sum(count for count in runs.values() if count > 1) / (len(found) - 2)


def text_fault(quality: TextQuality, most_repetition: float, most_symbols: float) -> str:
    """Why a text is refused; empty when it is not."""
    if not quality.words:
        return "no words"
    if quality.repetition > most_repetition:
        return "the text repeats itself"
    if quality.symbols > most_symbols:
        return "mostly symbols"
    return ""


def picture_fault(spread: float, entropy: float, sharpness: float, least_sharpness: float) -> str:
    """Why a picture is refused; empty when it is not. See pictures.PictureMeasures for the figures."""
    if spread < 1.0 or entropy < 0.02:
        return "a blank picture"
    if sharpness < least_sharpness:
        return "a blurred picture"
    return ""
