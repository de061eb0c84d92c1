"""Answers in the words of chat completions: whole, and as chunks of a stream."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from clearsight import __version__
from clearsight.decoding.text import TokenLogprob, Usage
from clearsight.server.chat.generation import Delta, Generation
from clearsight.server.chat.tools import Call
from clearsight.server.store.tables import now_ms

REFUSED = "This can't be answered here."
FINGERPRINT = f"clearsight-{__version__}"


def usage_json(usage: Usage) -> dict[str, Any]:
    """Tokens in OpenAI's words; `image_tokens` and `cached_tokens` are counted, not estimated."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "image_tokens": usage.image_tokens,
            "text_tokens": usage.prompt_tokens - usage.image_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


@dataclass
class Completion:
    """One chat completion being told."""

    model: str
    wants_logprobs: bool = False
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(16)}")
    created: int = field(default_factory=lambda: now_ms() // 1000)

    async def whole(self, generation: Generation, count: int) -> dict[str, Any]:
        """The answer as one object, once all of it is there."""
        texts = ["" for _ in range(count)]
        calls: list[Call | None] = [None] * count
        logprobs: list[list[TokenLogprob]] = [[] for _ in range(count)]
        reasons = ["stop"] * count
        async for delta in generation.deltas():
            texts[delta.index] += delta.text
            calls[delta.index] = delta.call or calls[delta.index]
            logprobs[delta.index] += delta.logprobs
            reasons[delta.index] = delta.finish_reason or reasons[delta.index]
        choices = [
            {
                "index": number,
                "message": _message(texts[number], calls[number], reasons[number]),
                "finish_reason": reasons[number],
                "logprobs": _logprobs(logprobs[number]) if self.wants_logprobs else None,
            }
            for number in range(count)
        ]
        return self._whole(choices, generation.usage)

    def refused(self, count: int) -> dict[str, Any]:
        """The answer to a request that the policy doesn't let through."""
        choices = [
            {
                "index": number,
                "message": _message("", None, "content_filter"),
                "finish_reason": "content_filter",
                "logprobs": None,
            }
            for number in range(count)
        ]
        return self._whole(choices, Usage(0, 0, 0, 0))

    def _whole(self, choices: list[dict[str, Any]], usage: Usage) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "service_tier": "default",
            "choices": choices,
            "usage": usage_json(usage),
        }

    async def chunks(
        self, generation: Generation, count: int, include_usage: bool
    ) -> AsyncIterator[dict[str, Any]]:
        """The answer piece by piece; a usage chunk at the end where it was asked for."""
        for number in range(count):
            yield self._chunk(number, {"role": "assistant", "content": ""}, include_usage=include_usage)
        async for delta in generation.deltas():
            yield self._of(delta, include_usage)
        if include_usage:
            chunk = self._chunk(0, {}, include_usage=True)
            yield chunk | {"choices": [], "usage": usage_json(generation.usage)}

    async def refused_chunks(self, count: int, include_usage: bool) -> AsyncIterator[dict[str, Any]]:
        """As `refused`, for a stream."""
        for number in range(count):
            delta = {"role": "assistant", "content": None, "refusal": REFUSED}
            yield self._chunk(number, delta, include_usage=include_usage)
            yield self._chunk(number, {}, "content_filter", include_usage=include_usage)
        if include_usage:
            yield self._chunk(0, {}) | {"choices": [], "usage": usage_json(Usage(0, 0, 0, 0))}

    def _of(self, delta: Delta, include_usage: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"content": delta.text} if delta.text or delta.logprobs else {}
        if delta.call is not None:
            told = {"tool_calls": [{"index": 0, **_call(delta.call)}]}
        logprobs = list(delta.logprobs) if self.wants_logprobs else None
        return self._chunk(delta.index, told, delta.finish_reason, logprobs, include_usage)

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        finish_reason: str | None = None,
        logprobs: list[TokenLogprob] | None = None,
        include_usage: bool = False,
    ) -> dict[str, Any]:
        told = _logprobs(logprobs) if logprobs else None
        choice = {"index": index, "delta": delta, "logprobs": told, "finish_reason": finish_reason}
        chunk: dict[str, Any] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "service_tier": "default",
            "choices": [choice],
        }
        return chunk | ({"usage": None} if include_usage else {})


def _message(text: str, call: Call | None, reason: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": [],
    }
    if call is not None:
        message |= {"content": None, "tool_calls": [_call(call)]}
    elif reason == "content_filter" and not text:
        message |= {"content": None, "refusal": REFUSED}
    return message


def _call(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _logprobs(entries: list[TokenLogprob]) -> dict[str, Any]:
    return {"content": [logprob_json(entry) for entry in entries], "refusal": None}


def logprob_json(entry: TokenLogprob) -> dict[str, Any]:
    """A token's log-probability with the alternatives; `bytes` put characters together that tokens divide."""
    alternatives = [_token(other) for other in entry.top]
    return {**_token(entry), "top_logprobs": alternatives}


def _token(entry: TokenLogprob) -> dict[str, Any]:
    return {
        "token": entry.token.decode("utf-8", "replace"),
        "bytes": list(entry.token),
        "logprob": max(entry.logprob, -9999.0),
    }
