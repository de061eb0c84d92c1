"""How sure an answer is: the same prompt answered a few times more, and what of the first answer isn't borne out.

The further answers go the way of every answer: counted, moderated, in the ledger. They are never shown; what the
policy stops among them doesn't vote.
"""

from dataclasses import dataclass
from typing import Any

from clearsight.decoding.sampling import Sampling
from clearsight.describing.agreement import SAMPLES, TEMPERATURE, Doubt, doubts
from clearsight.server.chat.answering import Asked, answering
from clearsight.server.chat.prompt import Prompt
from clearsight.server.chat.tools import Tools
from clearsight.server.errors import ApiError
from clearsight.server.models import Model
from clearsight.server.platform import Platform
from clearsight.server.principal import Principal

ROUTE = "/v1/describe/agreement"
SEED = 1
LEAST_TOKENS, MOST_TOKENS = 48, 600


@dataclass(frozen=True)
class Check:
    """What of an answer is doubtful, as `samples` other answers have it."""

    doubts: tuple[Doubt, ...]
    samples: int

    def to_json(self) -> dict[str, Any]:
        return {"doubts": [doubt.to_json() for doubt in self.doubts], "samples": self.samples}


async def check(
    platform: Platform, principal: Principal, request_id: str, model: Model, prompt: Prompt, answer: str
) -> Check:
    """Ask again and compare; in the ledger it is a line of its own.

    Raises ApiError and InputRefused as answering does, and ApiError 503 when nothing came back.
    """
    longest = min(max(LEAST_TOKENS, len(answer) // 2), MOST_TOKENS)  # a token has two characters or more
    sampling = Sampling(temperature=TEMPERATURE, max_tokens=longest, seed=SEED)
    asked = Asked(ROUTE, model, prompt, sampling, Tools(), SAMPLES, priority=1)
    texts = [""] * SAMPLES
    async with answering(platform, principal, f"{request_id}.check", asked, {}) as generation:
        async for delta in generation.deltas():
            texts[delta.index] += delta.text
        stopped = {index for index, why in generation.finished.items() if why == "content_filter"}
    others = [text for index, text in enumerate(texts) if index not in stopped and text.strip()]
    if not others:
        raise ApiError(
            503, "There is nothing to compare this answer with; try again.", code="engine", retry=True
        )
    return Check(tuple(doubts(answer, others)), len(others))
