"""The unmodified official client against a real server: what works is what docs/conformance.md says.

Each test is one line there: its docstring is the claim, and `python -m tests.server.conformance` runs the tests and
writes the table.
"""

import asyncio
import base64
import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from PIL import Image
from pydantic import BaseModel
from serving import Served

MODEL = "mini"


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def about(url: str, question: str = "What shape is this?", detail: str | None = None) -> list[Any]:
    image: dict[str, Any] = {"url": url} | ({"detail": detail} if detail else {})
    content = [{"type": "image_url", "image_url": image}, {"type": "text", "text": question}]
    return [{"role": "user", "content": content}]


HELLO: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 30}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]


def test_chat(client: openai.OpenAI) -> None:
    """chat.completions.create: text, usage, id, fingerprint"""
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, max_tokens=20)
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop" and answer.choices[0].message.refusal is None
    assert (
        answer.usage
        and answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    )
    assert (
        answer.id.startswith("chatcmpl-") and answer.object == "chat.completion" and answer.system_fingerprint
    )


def test_async_client(served: Served) -> None:
    """AsyncOpenAI: create and stream"""

    async def ask() -> tuple[str, str]:
        async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=served.key) as client:
            whole = await client.chat.completions.create(
                model=MODEL, messages=HELLO, temperature=0, max_tokens=20
            )
            stream = await client.chat.completions.create(
                model=MODEL, messages=HELLO, temperature=0, max_tokens=20, stream=True
            )
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content or "", "".join(pieces)

    whole, streamed = asyncio.run(ask())
    assert whole == streamed and "Paris" in whole


def test_stream_equals_whole(client: openai.OpenAI) -> None:
    """stream=True: the same text, role first, one finish_reason, [DONE]"""
    whole = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, max_tokens=20)
    chunks = list(
        client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, max_tokens=20, stream=True)
    )
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks].count("stop") == 1
    assert len({chunk.id for chunk in chunks}) == 1


def test_include_usage(client: openai.OpenAI) -> None:
    """stream_options.include_usage: one last chunk without choices"""
    options: Any = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=HELLO, temperature=0, max_tokens=20, stream=True, stream_options=options
        )
    )
    assert chunks[-1].choices == [] and chunks[-1].usage and chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_raw_response(client: openai.OpenAI) -> None:
    """with_raw_response: x-request-id, openai-processing-ms, x-ratelimit-*"""
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO, max_tokens=3)
    assert raw.headers["x-request-id"].startswith("req_") and raw.headers["openai-processing-ms"].isdigit()
    for what in ("requests", "tokens"):
        assert int(raw.headers[f"x-ratelimit-remaining-{what}"]) <= int(
            raw.headers[f"x-ratelimit-limit-{what}"]
        )
        assert raw.headers[f"x-ratelimit-reset-{what}"].endswith("s")
    assert raw.parse().choices


def test_streaming_response(client: openai.OpenAI) -> None:
    """with_streaming_response: lines as they come"""
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=HELLO, max_tokens=5, stream=True
    ) as response:
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]" and response.headers["content-type"].startswith("text/event-stream")


class City(BaseModel):
    name: str
    country: str


def test_parse(client: openai.OpenAI) -> None:
    """.parse(pydantic): the answer fits the schema"""
    answer = client.chat.completions.parse(
        model=MODEL, messages=HELLO, response_format=City, temperature=0, max_tokens=200
    )
    assert isinstance(answer.choices[0].message.parsed, City)


def test_parse_cut_short(client: openai.OpenAI) -> None:
    """.parse raises LengthFinishReasonError when max_tokens ends the answer"""
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(
            model=MODEL, messages=HELLO, response_format=City, temperature=0, max_tokens=2
        )


def test_stream_helper(client: openai.OpenAI) -> None:
    """.stream(): the helper accumulates to the whole answer"""
    with client.chat.completions.stream(model=MODEL, messages=HELLO, temperature=0, max_tokens=20) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert "Paris" in (final.choices[0].message.content or "")


def test_json_object(client: openai.OpenAI) -> None:
    """response_format json_object: valid JSON"""
    answer = client.chat.completions.create(
        model=MODEL, messages=HELLO, response_format={"type": "json_object"}, temperature=0, max_tokens=300
    )
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)
    else:
        assert (answer.choices[0].message.content or "").startswith("{")


def test_tools(client: openai.OpenAI) -> None:
    """tools: a required call, its result, and the answer after it"""
    question: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.chat.completions.create(
        model=MODEL, messages=question, tools=WEATHER, tool_choice="required", temperature=0, max_tokens=60
    )
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls or []
    assert calls[0].type == "function" and set(json.loads(calls[0].function.arguments)) == {"city"}
    result = {"role": "tool", "tool_call_id": calls[0].id, "content": "Sunny, 21 degrees."}
    after = client.chat.completions.create(
        model=MODEL,
        messages=[*question, first.choices[0].message, result],  # type: ignore[list-item]
        tools=WEATHER,
        tool_choice="none",
        max_tokens=20,
    )
    assert after.choices[0].message.content


def test_named_tool_streamed(client: openai.OpenAI) -> None:
    """tools, streamed: the helper puts the call together"""
    choice: Any = {"type": "function", "function": {"name": "get_weather"}}
    with client.chat.completions.stream(
        model=MODEL, messages=HELLO, tools=WEATHER, tool_choice=choice, temperature=0, max_tokens=60
    ) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls or []
    assert len(calls) == 1 and calls[0].function.name == "get_weather"
    json.loads(calls[0].function.arguments)


def test_several_answers_streamed(client: openai.OpenAI) -> None:
    """n=2, streamed: both choices by index; the prompt is counted once"""
    options: Any = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(
            model=MODEL, messages=HELLO, n=2, seed=1, max_tokens=8, stream=True, stream_options=options
        )
    )
    seen = {choice.index for chunk in chunks for choice in chunk.choices}
    ended = [choice.index for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert seen == {0, 1} and sorted(ended) == [0, 1]
    usage = chunks[-1].usage
    one = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=1).usage
    assert usage and one and usage.prompt_tokens == one.prompt_tokens


def test_seed(client: openai.OpenAI) -> None:
    """seed: the same answer again; another seed another one"""
    ask = {"model": MODEL, "messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 24}
    texts = [
        client.chat.completions.create(**ask, seed=seed, temperature=1).choices[0].message.content  # type: ignore[call-overload]
        for seed in (5, 5, 6)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_logprobs(client: openai.OpenAI) -> None:
    """logprobs and top_logprobs: one entry a token, bytes that join to the text"""
    answer = client.chat.completions.create(
        model=MODEL, messages=HELLO, temperature=0, max_tokens=12, logprobs=True, top_logprobs=3
    )
    told = answer.choices[0].logprobs
    assert told and told.content and answer.usage
    assert len(told.content) == answer.usage.completion_tokens
    assert all(len(one.top_logprobs) == 3 and one.logprob <= 0 for one in told.content)
    assert (
        answer.choices[0].message.content in b"".join(bytes(one.bytes or []) for one in told.content).decode()
    )


def test_picture_by_data_url(client: openai.OpenAI, sample: bytes) -> None:
    """image_url as a data URL; usage.prompt_tokens_details.image_tokens"""
    answer = client.chat.completions.create(
        model=MODEL, messages=about(data_url(sample)), temperature=0, max_tokens=8
    )
    assert answer.choices[0].message.content == "star"
    details = answer.usage and answer.usage.prompt_tokens_details
    assert details and details.model_extra is not None
    assert details.image_tokens == 16  # type: ignore[attr-defined]


def test_picture_by_file_id(client: openai.OpenAI, sample: bytes) -> None:
    """files.create(purpose="vision"), the file as a picture, files.content, list, delete"""
    file = client.files.create(file=("star.png", sample), purpose="vision")
    content: Any = [
        {"type": "file", "file": {"file_id": file.id}},
        {"type": "text", "text": "What shape is this?"},
    ]
    answer = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": content}], temperature=0, max_tokens=8
    )
    assert answer.choices[0].message.content == "star"
    assert file.id in [one.id for one in client.files.list()]
    assert client.files.retrieve(file.id).filename == "star.png"
    assert Image.open(client.files.content(file.id)).size == Image.open(io.BytesIO(sample)).size
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_remote_picture_is_off(client: openai.OpenAI) -> None:
    """image_url as https://: off by default, 400 that says what to do"""
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=about("https://example.org/a.png"))
    assert refused.value.param == "messages[0].content[0].image_url.url" and "data URL" in str(refused.value)


def test_two_pictures_in_order(client: openai.OpenAI, sample: bytes, tmp_path: Path) -> None:
    """several pictures, interleaved with text, in their order"""
    blank = tmp_path / "blank.png"
    Image.new("RGB", (64, 64), "white").save(blank)
    parts = [
        {"type": "text", "text": "First:"},
        {"type": "image_url", "image_url": {"url": data_url(sample)}},
        {"type": "text", "text": "Second:"},
        {"type": "image_url", "image_url": {"url": data_url(blank.read_bytes())}},
        {"type": "text", "text": "In the first picture: what shape is this?"},
    ]
    one: list[Any] = [{"role": "user", "content": parts}]
    other: list[Any] = [{"role": "user", "content": [parts[0], parts[3], parts[2], parts[1], parts[4]]}]
    first, second = (
        client.chat.completions.create(
            model=MODEL, messages=messages, temperature=0, max_tokens=1, logprobs=True, top_logprobs=5
        )
        for messages in (one, other)
    )
    assert first.usage and first.usage.prompt_tokens_details
    assert first.usage.prompt_tokens_details.image_tokens == 32  # type: ignore[attr-defined]
    assert first.choices[0].logprobs != second.choices[0].logprobs


def test_cached_tokens(client: openai.OpenAI, sample: bytes) -> None:
    """usage.prompt_tokens_details.cached_tokens: a second question about the same picture"""
    client.chat.completions.create(model=MODEL, messages=about(data_url(sample), "Is it red?"), max_tokens=2)
    again = client.chat.completions.create(
        model=MODEL, messages=about(data_url(sample), "Is it blue?"), max_tokens=2
    )
    details = again.usage and again.usage.prompt_tokens_details
    assert details and (details.cached_tokens or 0) > 0


def test_length(client: openai.OpenAI) -> None:
    """max_tokens=1: finish_reason length"""
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=1, temperature=0)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 1


def test_stop(client: openai.OpenAI) -> None:
    """stop: the text ends before it"""
    answer = client.chat.completions.create(
        model=MODEL, messages=HELLO, stop=[" is"], temperature=0, max_tokens=20
    )
    assert answer.choices[0].message.content == "The capital of France"
    assert answer.choices[0].finish_reason == "stop"


def test_unicode(client: openai.OpenAI) -> None:
    """Unicode: a ZWJ emoji in and out, never split between chunks"""
    family = "👨‍👩‍👧‍👦"
    schema = {
        "type": "object",
        "properties": {"it": {"const": family}},
        "required": ["it"],
        "additionalProperties": False,
    }
    format_: Any = {"type": "json_schema", "json_schema": {"name": "one", "schema": schema, "strict": True}}
    chunks = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": family}],
        response_format=format_,
        max_tokens=80,
        stream=True,
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert json.loads(text) == {"it": family} and "�" not in text


def test_leaving_frees_the_slot(served: Served, client: openai.OpenAI) -> None:
    """A client that goes away in mid-stream: its answer ends on the server"""

    def running() -> float:
        with served.client() as http:
            return next(
                float(line.split()[-1])
                for line in http.get("/metrics", headers=served.admin_headers).text.splitlines()
                if line.startswith("clearsight_engine_running{")
            )

    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Count to a thousand."}],
        stream=True,
        logit_bias={"2": -100},
        max_tokens=4000,
    )
    next(iter(stream))
    stream.close()
    end = time.monotonic() + 20
    while running() and time.monotonic() < end:
        time.sleep(0.1)
    assert running() == 0


def test_401(served: Served) -> None:
    """A wrong key: AuthenticationError"""
    for key in ("cs-000000000000-" + "a" * 43, "nonsense", "ключ"):
        client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=key.encode("ascii", "replace").decode())
        with pytest.raises(openai.AuthenticationError) as refused:
            client.models.list()
        assert refused.value.code == "invalid_api_key"


def test_404(client: openai.OpenAI) -> None:
    """An unknown model or file: NotFoundError"""
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-9", messages=HELLO)
    assert unknown.value.param == "model" and unknown.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve("file_0123")


def test_413(served: Served) -> None:
    """A request that is too long: 413, before it is read whole"""
    with served.client() as http:
        answer = http.post("/v1/chat/completions", content=b"x" * 81_000_000)
    assert answer.status_code == 413 and answer.json()["error"]["code"] == "request_too_large"


def test_400_names_the_field(client: openai.OpenAI) -> None:
    """A field that isn't supported: BadRequestError with `param`"""
    for extra, param in (
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"temperature": 3}, "temperature"),
        ({"n": 1000}, "n"),
        ({"temprature": 0}, "temprature"),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=extra)
        assert refused.value.param == param, refused.value


def test_429_and_retry_after(served: Served) -> None:
    """A limit: RateLimitError with Retry-After, which the client waits for"""
    key = served.new_key(["inference"], {"requests_per_minute": 2})
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0)
    for _ in range(2):
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=1)
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=1)
    assert refused.value.code == "rate_limit_exceeded"
    assert 0 < float(refused.value.response.headers["retry-after"]) <= 120  # the window slides


def test_error_in_mid_stream(served: Served) -> None:
    """An error in mid-stream: APIError from an event, not a broken line (the key is revoked while it is answered)"""
    with served.client() as http:
        made = http.post(
            "/v1/account/keys", json={"name": "short-lived"}, headers=served.admin_headers
        ).json()
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=made["key"])
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Count."}],
        stream=True,
        logit_bias={"2": -100},
        max_tokens=6000,
    )

    def revoke() -> None:
        with served.client() as http:
            http.delete(f"/v1/account/keys/{made['id']}", headers=served.admin_headers)

    timer = threading.Timer(0.5, revoke)
    timer.start()
    with pytest.raises(openai.APIError) as broken:
        for _ in stream:
            pass
    assert "revoked" in str(broken.value)


def test_models(client: openai.OpenAI) -> None:
    """models.list and models.retrieve"""
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == "clearsight"


def test_moderations(client: openai.OpenAI, sample: bytes) -> None:
    """moderations.create: text, several texts, text with a picture; thirteen categories"""
    texts = client.moderations.create(input=["Hello there.", "What a lovely day."])
    assert len(texts.results) == 2 and not any(one.flagged for one in texts.results)
    parts: Any = [
        {"type": "text", "text": "Hello"},
        {"type": "image_url", "image_url": {"url": data_url(sample)}},
    ]
    both = client.moderations.create(input=parts, model="omni-moderation-latest")
    scores = both.results[0].category_scores.model_dump(by_alias=True)
    assert {"hate", "self-harm/intent", "sexual/minors", "violence/graphic"} <= set(scores)


def test_responses(client: openai.OpenAI, sample: bytes) -> None:
    """responses.create with a picture; previous_response_id; retrieve, input_items, delete"""
    content: Any = [
        {"type": "input_image", "image_url": data_url(sample), "detail": "auto"},
        {"type": "input_text", "text": "What shape is this?"},
    ]
    first = client.responses.create(
        model=MODEL, input=[{"role": "user", "content": content}], temperature=0, max_output_tokens=20
    )
    assert first.output_text == "star" and first.status == "completed"
    second = client.responses.create(
        model=MODEL,
        input="What colour is the shape?",
        previous_response_id=first.id,
        temperature=0,
        max_output_tokens=20,
    )
    assert second.output_text == "black"
    assert client.responses.retrieve(first.id).output_text == "star"
    assert len(list(client.responses.input_items.list(first.id))) == 1
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_responses_stream(client: openai.OpenAI) -> None:
    """responses.stream: the order of events that the client insists on"""
    with client.responses.stream(
        model=MODEL, input="What is the capital of France?", temperature=0, max_output_tokens=20
    ) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    deltas = kinds.index("response.output_text.delta")
    assert kinds.index("response.output_item.added") < kinds.index("response.content_part.added") < deltas
    assert "Paris" in final.output_text


def test_responses_incomplete(client: openai.OpenAI) -> None:
    """responses: status incomplete with its reason when max_output_tokens ends it"""
    answer = client.responses.create(model=MODEL, input="Tell a story.", max_output_tokens=2)
    assert answer.status == "incomplete" and answer.incomplete_details
    assert answer.incomplete_details.reason == "max_output_tokens"


def test_responses_tools_and_schema(client: openai.OpenAI) -> None:
    """responses: function calls, and .parse(pydantic)"""
    tool: Any = {"type": "function", "strict": True, **WEATHER[0]["function"]}
    called = client.responses.create(
        model=MODEL, input="Weather in Rome?", tools=[tool], tool_choice="required", temperature=0
    )
    call = called.output[0]
    assert call.type == "function_call" and call.name == "get_weather" and json.loads(call.arguments)
    parsed = client.responses.parse(model=MODEL, input="Paris?", text_format=City, temperature=0)
    assert isinstance(parsed.output_parsed, City)


def test_budget_of_an_organisation(served: Served) -> None:
    """A budget that is spent: RateLimitError with code insufficient_quota, which isn't tried again"""
    key = served.new_key(["inference"], user="Poor")
    served.change_organisation("Poor", monthly_tokens=60)
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0)
    client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=4)
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=50)
    assert refused.value.code == "insufficient_quota"
