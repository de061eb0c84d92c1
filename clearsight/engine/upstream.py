"""Another server's model behind the engine's interface: vLLM, SGLang, llama.cpp or anything that speaks OpenAI's API.

    engine = Upstream("http://gpu-node:8000/v1", "HuggingFaceTB/SmolVLM-Instruct")
    print(engine.submit(conversation).result().text)

Pictures travel as data URLs with their `detail`. What a server may not know (`top_k`, `min_p`, `repetition_penalty`,
`min_tokens`, patterns) is sent under vLLM's names, and only when it is asked for. Token ids stay unknown: events have
-1 instead.
"""

import asyncio
import base64
import hashlib
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from clearsight.conversation import Conversation, Detail, Image, Text
from clearsight.decoding.sampling import Sampling
from clearsight.decoding.text import FinishReason, TokenEvent, TokenLogprob, Usage
from clearsight.engine.config import EngineError
from clearsight.engine.contract import ConversationEngine
from clearsight.engine.stream import Cancelled, Stream
from clearsight.processing.images import media_type

UNKNOWN_ID = -1
TIMEOUT = httpx2.Timeout(600.0, connect=10.0)  # seconds; a queue before the first token may be long
COUNT_TIMEOUT = 2.0
"""Seconds to wait for a count of tokens, which is asked for before every answer."""


class UpstreamError(EngineError):
    """What another server said or failed to say. `status` is its HTTP status; None when there was no whole answer."""

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status

    @property
    def is_of_request(self) -> bool:
        """Whether the server understood the request and refused it: another server would, too."""
        return self.status in (400, 413, 422)


@dataclass(frozen=True)
class PromptSize:
    """Tokens of a prompt's text, and of prompt and answer together at most."""

    tokens: int
    context: int


def is_address(spec: object) -> bool:
    """Whether this names a server's model, and not one that is computed here."""
    return str(spec).startswith(("http://", "https://"))


class Upstream(ConversationEngine):
    """A client that answers many conversations at once, on one thread with an event loop."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        max_concurrency: int = 256,
        retries: int = 2,
    ):
        """`base_url` ends in /v1. `retries` are of connecting alone: a request that was read is never sent twice."""
        self.model = model
        self.base_url = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx2.AsyncClient(
            headers=headers,
            timeout=TIMEOUT,
            transport=httpx2.AsyncHTTPTransport(
                retries=retries, limits=httpx2.Limits(max_connections=max_concurrency)
            ),
        )
        self._tokenizes: bool | None = None
        self._closed = False
        self._salts = True  # until the server refuses one
        self._tasks: dict[Stream, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="clearsight-upstream", daemon=True
        )
        self._thread.start()

    @classmethod
    def at(cls, address: str, *, retries: int = 2) -> "Upstream":
        """The model that `https://host/v1#model` names; its key, if it needs one, is in CLEARSIGHT_UPSTREAM_KEY.

        Raises EngineError for an address that names no model.
        """
        base_url, _, model = address.partition("#")
        if not model:
            raise EngineError(f"{address} names no model; write {base_url}#name")
        return cls(base_url, model, api_key=os.environ.get("CLEARSIGHT_UPSTREAM_KEY"), retries=retries)

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
        """Begin `count` answers; returns at once. With a seed, each next answer has the next seed.

        `tenant` keeps what the server caches apart: as a salt (vLLM) and as the user (Clearsight), hashed. What goes
        wrong is raised by reading a stream, as UpstreamError with what the server said. Cancelling closes the
        connection, whatever it waits for.
        """
        if self._closed:
            raise EngineError("this connection is closed; make a new one")
        streams = []
        for number in range(count):
            body = request_body(self.model, conversation, (sampling or Sampling()).nth(number), detail)
            if tenant:
                body |= _separated(tenant, self._salts)
            if priority:
                body["priority"] = priority
            streams.append(self._submit(body))
        return streams

    async def alive(self, timeout: float) -> bool:
        """Whether GET /models is answered within `timeout` seconds with anything but a failure (5xx)."""

        async def ask() -> bool:
            try:
                response = await self._client.get(f"{self.base_url}/models", timeout=timeout)
            except httpx2.HTTPError:
                return False
            return response.status_code < 500

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(), self._loop))

    def prompt_size(self, conversation: Conversation) -> PromptSize | None:
        """What vLLM's /tokenize says of the text; blocks. None where the server has none, or doesn't answer in time.

        Pictures are left out: that route doesn't count the tokens that they become.
        """
        if self._tokenizes is False or self._closed:
            return None

        async def ask() -> PromptSize | None:
            messages = [{"role": one.role, "content": one.text} for one in conversation.messages]
            address = self.base_url.removesuffix("/v1") + "/tokenize"
            body = {"model": self.model, "messages": messages}
            try:
                response = await self._client.post(address, json=body, timeout=COUNT_TIMEOUT)
                if response.status_code in (404, 405):
                    self._tokenizes = False
                told = response.json() if response.status_code == 200 else {}
                return PromptSize(int(told["count"]), int(told["max_model_len"]))
            except (httpx2.HTTPError, KeyError, TypeError, ValueError):
                return None

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result()

    def close(self) -> None:
        """End the connection; answers that are still coming break off."""
        if self._closed:
            return
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _submit(self, body: dict[str, Any]) -> Stream:
        stream = Stream()

        def begin() -> None:
            task = self._loop.create_task(self._answer(body, stream))
            self._tasks[stream] = task
            task.add_done_callback(end)

        def end(task: asyncio.Task[None]) -> None:
            del self._tasks[stream]
            if task.cancelled():  # also before its first step, where it could say nothing itself
                stream.deliver(Cancelled("the answer was cancelled"))

        def cancel() -> None:
            if not self._closed:
                self._loop.call_soon_threadsafe(
                    lambda: stream in self._tasks and self._tasks[stream].cancel()
                )

        self._loop.call_soon_threadsafe(begin)
        stream.cancelled_by(cancel)
        return stream

    async def _end(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def _answer(self, body: dict[str, Any], stream: Stream) -> None:
        try:
            async for event, usage in self._events(body):
                stream.deliver(event, usage)
        except EngineError as error:
            stream.deliver(error)
        except httpx2.HTTPError as error:
            what = "took too long" if isinstance(error, httpx2.TimeoutException) else "can't be reached"
            stream.deliver(UpstreamError(f"the server at {self.base_url} {what}: {error}; is it running?"))
        except Exception as error:  # a reader must never wait for a task that is gone
            stream.deliver(UpstreamError(f"the server's answer can't be read: {error!r}"))

    async def _events(self, body: dict[str, Any]) -> AsyncIterator[tuple[TokenEvent, Usage | None]]:
        """Events as they come; the last one waits for the usage, which servers send after it."""
        last: TokenEvent | None = None
        usage = Usage(0, 0, 0)
        async with self._client.stream("POST", f"{self.base_url}/chat/completions", json=body) as response:
            if response.status_code != 200:
                await response.aread()
                if response.status_code == 400 and "cache_salt" in body and "cache_salt" in response.text:
                    self._salts = False
                    unsalted = {name: value for name, value in body.items() if name != "cache_salt"}
                    async for again in self._events(unsalted):
                        yield again
                    return
                raise UpstreamError(_complaint(response), response.status_code)
            async for chunk in _chunks(response):
                if chunk.get("error"):
                    raise UpstreamError(f"the server broke off: {_message(chunk)}")
                usage = _usage(chunk.get("usage")) or usage
                for choice in chunk.get("choices") or ():
                    for event in _token_events(choice):
                        if event.finish_reason is None:
                            yield event, None
                        else:
                            last = event
        if last is None:
            raise UpstreamError("the server broke off in the middle of its answer")
        yield last, usage


def request_body(
    model: str, conversation: Conversation, sampling: Sampling, detail: Detail | None = None
) -> dict[str, Any]:
    """The body of a chat completion; only what differs from a server's defaults is named."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": message.role, "content": [_part(part, detail) for part in message.parts]}
            for message in conversation.messages
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
    }
    plain = Sampling()
    for name in ("top_k", "top_p", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty"):
        if getattr(sampling, name) != getattr(plain, name):
            body[name] = getattr(sampling, name)
    if sampling.min_tokens:
        body["min_tokens"] = sampling.min_tokens
    if sampling.logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias.items()}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.max_tokens is not None:
        body["max_tokens"] = sampling.max_tokens
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": sampling.logprobs}
    if sampling.structure is not None:
        body |= _structure(sampling.structure.kind, sampling.structure.source)
    return body


def _separated(tenant: str, salts: bool) -> dict[str, str]:
    """What keeps a tenant's cached prompts from others. Nobody learns from it who that is."""
    name = hashlib.sha256(f"clearsight:tenant:1\0{tenant}".encode()).hexdigest()[:32]
    return {"user": name, "cache_salt": name} if salts else {"user": name}


def _structure(kind: str, source: str) -> dict[str, Any]:
    if kind == "json":
        schema = {"name": "answer", "schema": json.loads(source), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"structured_outputs": {"regex" if kind == "regex" else "grammar": source}}


def _part(part: Text | Image, detail: Detail | None) -> dict[str, Any]:
    """Raises ImageError for bytes that are no picture."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    data = part.encoded()
    url = f"data:{media_type(data)};base64,{base64.b64encode(data).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url, "detail": detail or part.detail}}


async def _chunks(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    async for event in httpx2.EventSource(response):
        if event.data.strip() == "[DONE]":
            return
        yield json.loads(event.data)


def _token_events(choice: dict[str, Any]) -> Iterator[TokenEvent]:
    delta = choice.get("delta") or {}
    reason: FinishReason | None = {None: None, "length": "length"}.get(choice.get("finish_reason"), "stop")  # type: ignore[assignment]
    told = [_logprob(entry) for entry in (choice.get("logprobs") or {}).get("content") or ()]
    text = delta.get("content") or ""
    for number, logprob in enumerate(told[:-1]):
        yield TokenEvent(UNKNOWN_ID, text if number == 0 else "", logprob)
        text = "" if number == 0 else text
    if text or told or reason:
        yield TokenEvent(UNKNOWN_ID, text, told[-1] if told else None, reason)


def _logprob(entry: dict[str, Any]) -> TokenLogprob:
    raw = entry.get("bytes")
    token = bytes(raw) if raw is not None else str(entry.get("token", "")).encode()
    top = tuple(_logprob(other) for other in entry.get("top_logprobs") or ())
    return TokenLogprob(UNKNOWN_ID, token, float(entry["logprob"]), top)


def _usage(value: dict[str, Any] | None) -> Usage | None:
    if not value:
        return None
    details = value.get("prompt_tokens_details") or {}
    return Usage(
        prompt_tokens=value.get("prompt_tokens") or 0,
        image_tokens=details.get("image_tokens") or 0,
        completion_tokens=value.get("completion_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
    )


def _complaint(response: httpx2.Response) -> str:
    try:
        said = _message(response.json())
    except ValueError:
        said = response.text[:200]
    later = response.headers.get("retry-after")
    hint = f"; try again in {later} s" if later else ""
    return f"the server refused with status {response.status_code}: {said}{hint}"


def _message(value: Any) -> str:
    """OpenAI's shape, or the ones that FastAPI and llama.cpp use when they say something themselves."""
    error = value.get("error", value.get("detail")) if isinstance(value, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return str(error or value)[:300]
