"""`clearsight describe --for-blind`: what a picture shows, for somebody who can't see it.

The same as the web client's "Describe for me", in the order in which it is read out: whether the picture is usable,
the description with its doubtful words, what PP-OCR reads in it where it is installed, what to check with a person.
"""

import json
from typing import Any

from clearsight.assistant import Assistant
from clearsight.conversation import Conversation, Image, system, user
from clearsight.decoding.sampling import Sampling
from clearsight.describing.agreement import SAMPLES, TEMPERATURE, Doubt, doubts
from clearsight.describing.cautions import cautions
from clearsight.describing.instructions import MAX_TOKENS, SYSTEM, TURNS
from clearsight.describing.quality import quality
from clearsight.experts.reading import READER, can_read, written
from clearsight.processing.images import from_conversation_image

UNSURE = " (unsure)"


def describe_for_blind(loaded: Assistant, picture: Image, as_json: bool) -> None:
    """Print it. Raises what the engine raises."""
    pixels = from_conversation_image(picture)
    found = quality(pixels)
    if not as_json:
        for finding in found.findings:
            print(finding.advice, flush=True)
    conversation = Conversation((system(SYSTEM), user(picture, TURNS["describe"])))
    longest = MAX_TOKENS["describe"]
    text = loaded.ask(conversation, max_tokens=longest).text
    again = Sampling(temperature=TEMPERATURE, max_tokens=longest, seed=1)
    others = [stream.result().text for stream in loaded.engine.submit_many(conversation, again, SAMPLES)]
    doubtful = doubts(text, others)
    writing = written(pixels) if can_read() else None
    warned = cautions([text, writing or ""])
    if as_json:
        whole: dict[str, Any] = {
            "quality": found.to_json(),
            "text": text,
            "doubts": [doubt.to_json() for doubt in doubtful],
            "samples": len(others),
            "writing": writing,
            "cautions": [caution.to_json() for caution in warned],
        }
        print(json.dumps(whole, ensure_ascii=False))
        return
    print(marked(text, doubtful))
    if writing:
        print(f"Writing in the picture, read by {READER}:\n{writing}")
    for caution in warned:
        print(caution.advice)


def marked(text: str, doubtful: list[Doubt]) -> str:
    """The text with what is doubtful marked behind it, as it is read out."""
    for doubt in reversed(doubtful):
        text = text[: doubt.end] + UNSURE + text[doubt.end :]
    return text
