"""A conversation as the engine needs it: ids, and where each picture's tokens stand; no picture is decoded yet."""

from itertools import pairwise

from clearsight.conversation import Conversation, Detail
from clearsight.engine.blocks import PictureSpan
from clearsight.engine.pictures import Picture, picture_name
from clearsight.processing.processor import Processor


def read_prompt(
    processor: Processor, conversation: Conversation, domain: bytes, detail: Detail | None = None
) -> tuple[list[int], list[Picture]]:
    """Ids with image placeholders, and the pictures in order. Raises ImageError for headers that can't be used."""
    plans = processor.plan_images(conversation, detail=detail)
    ids, _ = processor.template.encode(conversation, plans, processor.tokenizer, add_generation_prompt=True)
    places = [place for place, id_ in enumerate(ids) if id_ == processor.image_token_id]
    pictures, used = [], 0
    for image, plan in zip(conversation.images, plans, strict=True):
        own = places[used : used + plan.num_image_tokens]
        used += plan.num_image_tokens
        assert len(own) == plan.num_image_tokens, "the template made fewer image tokens than were planned"
        span = PictureSpan(own[0], own[-1] + 1 - own[0], picture_name(image, plan, domain))
        pictures.append(Picture(image, plan, span, _runs(own)))
    assert used == len(places), "the template made more image tokens than were planned"
    return ids, pictures


def _runs(places: list[int]) -> tuple[tuple[int, int], ...]:
    """Start and length of each run of neighbouring places."""
    starts = [places[0]] + [b for a, b in pairwise(places) if b != a + 1]
    ends = [a for a, b in pairwise(places) if b != a + 1] + [places[-1]]
    return tuple((start, end + 1 - start) for start, end in zip(starts, ends, strict=True))
