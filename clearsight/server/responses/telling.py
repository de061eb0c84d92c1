"""An answer in the words of the Responses API: as one object, and as events in the order that clients insist on."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from clearsight.decoding.text import TokenLogprob, Usage
from clearsight.server.chat.completion import REFUSED, logprob_json
from clearsight.server.chat.generation import Generation
from clearsight.server.chat.tools import Call
from clearsight.server.errors import ApiError
from clearsight.server.responses.requests import ResponseRequest
from clearsight.server.store.tables import now_ms


@dataclass
class Telling:
    """One response being told."""

    body: ResponseRequest
    wants_logprobs: bool
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(24)}")
    created: int = field(default_factory=lambda: now_ms() // 1000)
    text: str = ""
    call: Call | None = None
    reason: str | None = None
    usage: Usage | None = None
    error: ApiError | None = None
    logprobs: list[TokenLogprob] = field(default_factory=list)
    _item: str = field(default_factory=lambda: f"msg_{secrets.token_hex(24)}")
    _number: int = -1

    async def whole(self, generation: Generation) -> dict[str, Any]:
        """Read the answer to its end; the finished response."""
        async for delta in generation.deltas():
            self.text += delta.text
            self.call = delta.call or self.call
            self.logprobs += delta.logprobs
            self.reason = delta.finish_reason or self.reason
        self.usage = generation.usage
        return self.response()

    async def events(self, generation: Generation | None) -> AsyncIterator[dict[str, Any]]:
        """The answer as it comes; without a generation it is refused."""
        yield self._event("response.created", response=self.response())
        yield self._event("response.in_progress", response=self.response())
        begun = False
        pending: list[TokenLogprob] = []
        try:
            if generation is None:
                self.reason = "content_filter"
            else:
                async for delta in generation.deltas():
                    self.call = delta.call or self.call
                    self.reason = delta.finish_reason or self.reason
                    self.logprobs += delta.logprobs
                    pending += delta.logprobs
                    if delta.text:
                        if not begun:
                            begun = True
                            for value in self._begin_text():
                                yield value
                        self.text += delta.text
                        yield self._text_event(
                            "response.output_text.delta", delta=delta.text, logprobs=self._told(pending)
                        )
                        pending = []
                self.usage = generation.usage
        except ApiError as error:
            self.error = error
            yield self._event("response.failed", response=self.response())
            return
        for value in self._end(begun):
            yield value
        kind = "response.incomplete" if self._status == "incomplete" else "response.completed"
        yield self._event(kind, response=self.response())

    @property
    def _status(self) -> str:
        if self.error is not None:
            return "failed"
        if self.reason is None:
            return "in_progress"
        return "incomplete" if self.reason in ("length", "content_filter") else "completed"

    def output(self) -> list[dict[str, Any]]:
        """The items of the answer so far."""
        if self.call is not None:
            return [self._call_item("completed")]
        if self.reason == "content_filter" and not self.text:
            return [self._message("completed", [{"type": "refusal", "refusal": REFUSED}])]
        if self.reason is None:
            return []
        return [self._message(self._status, [self._text_part()])]

    def response(self) -> dict[str, Any]:
        """The response object as it stands."""
        body = self.body
        incomplete = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(
            self.reason or ""
        )
        error = self.error and {"code": "server_error", "message": self.error.message}
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": now_ms() // 1000 if self._status == "completed" else None,
            "status": self._status,
            "background": False,
            "error": error or None,
            "incomplete_details": {"reason": incomplete} if incomplete and not error else None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "model": body.model,
            "output": self.output(),
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default",
            "store": body.store is not False,
            "temperature": 1.0 if body.temperature is None else body.temperature,
            "text": self._format(),
            "tool_choice": body.model_dump(include={"tool_choice"})["tool_choice"] or "auto",
            "tools": [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                    "strict": tool.strict is not False,
                }
                for tool in body.tools or ()
            ],
            "top_logprobs": body.top_logprobs or 0,
            "top_p": 1.0 if body.top_p is None else body.top_p,
            "truncation": "disabled",
            "usage": _usage(self.usage) if self.usage else None,
            "user": body.user,
            "metadata": body.metadata or {},
        }

    def _format(self) -> dict[str, Any]:
        given = self.body.text.format if self.body.text else None
        if given is None:
            return {"format": {"type": "text"}, "verbosity": "medium"}
        return {"format": given.model_dump(by_alias=True, exclude_none=True), "verbosity": "medium"}

    def _message(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._item,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _call_item(self, status: str, arguments: str | None = None) -> dict[str, Any]:
        assert self.call is not None
        return {
            "id": f"fc_{self._item.removeprefix('msg_')}",
            "type": "function_call",
            "call_id": self.call.id,
            "name": self.call.name,
            "arguments": self.call.arguments if arguments is None else arguments,
            "status": status,
        }

    def _text_part(self, text: str | None = None) -> dict[str, Any]:
        told = self.text if text is None else text
        logprobs = self._told(self.logprobs) if text is None else []
        return {"type": "output_text", "text": told, "annotations": [], "logprobs": logprobs}

    def _told(self, logprobs: list[TokenLogprob]) -> list[dict[str, Any]]:
        return [logprob_json(entry) for entry in logprobs] if self.wants_logprobs else []

    def _begin_text(self) -> list[dict[str, Any]]:
        item = self._message("in_progress", [])
        return [
            self._event("response.output_item.added", output_index=0, item=item),
            self._text_event("response.content_part.added", part=self._text_part("")),
        ]

    def _end(self, begun: bool) -> list[dict[str, Any]]:
        """What closes the items, and opens those that were not opened before."""
        if self.call is not None:
            return self._call_events()
        if self.reason == "content_filter" and not self.text:
            return self._refusal_events()
        opened = [] if begun else self._begin_text()
        return [
            *opened,
            self._text_event("response.output_text.done", text=self.text, logprobs=self._told(self.logprobs)),
            self._text_event("response.content_part.done", part=self._text_part()),
            self._event("response.output_item.done", output_index=0, item=self.output()[0]),
        ]

    def _call_events(self) -> list[dict[str, Any]]:
        assert self.call is not None
        item = self._call_item("completed")
        about = {"item_id": item["id"], "output_index": 0}
        arguments = self.call.arguments
        opening = self._call_item("in_progress", "")
        return [
            self._event("response.output_item.added", output_index=0, item=opening),
            self._event("response.function_call_arguments.delta", **about, delta=arguments),
            self._event(
                "response.function_call_arguments.done", **about, arguments=arguments, name=self.call.name
            ),
            self._event("response.output_item.done", output_index=0, item=item),
        ]

    def _refusal_events(self) -> list[dict[str, Any]]:
        part = {"type": "refusal", "refusal": REFUSED}
        return [
            self._event("response.output_item.added", output_index=0, item=self._message("in_progress", [])),
            self._text_event("response.content_part.added", part={"type": "refusal", "refusal": ""}),
            self._text_event("response.refusal.delta", delta=REFUSED),
            self._text_event("response.refusal.done", refusal=REFUSED),
            self._text_event("response.content_part.done", part=part),
            self._event("response.output_item.done", output_index=0, item=self.output()[0]),
        ]

    def _text_event(self, kind: str, **values: Any) -> dict[str, Any]:
        return self._event(kind, item_id=self._item, output_index=0, content_index=0, **values)

    def _event(self, kind: str, **values: Any) -> dict[str, Any]:
        self._number += 1
        return {"type": kind, "sequence_number": self._number, **values}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": 0,
            "image_tokens": usage.image_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
