"""A model behind OpenAI's API, so that other harnesses can ask it: POST /v1/chat/completions, GET /v1/models.

    python -m clearsight.evals.endpoint --model mini --port 8000

Text and pictures as data URLs; whole answers, no streams. What it does not know it refuses with 400 instead of
leaving it out, since a setting that is silently ignored spoils a measurement. It listens on this machine only, asks
for no key and keeps nothing. Starlette and uvicorn come with `pip install -e '.[test]'`.
"""

import argparse
import json
import secrets
import sys
import time
from typing import Any

from clearsight.checkpoints import BUNDLED
from clearsight.conversation import Conversation, ConversationError
from clearsight.decoding.sampling import Sampling, SamplingError
from clearsight.decoding.text import Answer, ContextError
from clearsight.engine import EngineError
from clearsight.evals.subject import Subject, opened
from clearsight.mini import PartsMissing
from clearsight.models.hf import CheckpointError
from clearsight.processing.images import ImageError
from clearsight.processing.processor import ProcessorError
from clearsight.processing.template import TemplateError
from clearsight.processing.tokenizer import TokenizerError
from clearsight.weights import WeightsError

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route
except ImportError as error:
    sys.exit(f"the endpoint needs {error.name}: install it with pip install -e '.[test]'")

SETTINGS = ("temperature", "top_p", "max_tokens", "presence_penalty", "frequency_penalty", "seed", "stop")
LOADING = (
    *(CheckpointError, EngineError, PartsMissing, ProcessorError, TemplateError, TokenizerError),
    *(WeightsError, OSError),
)
ONLY = {"stream": False, "n": 1}  # what may be named, but not be otherwise


class Refused(ValueError):
    """A request that can't be answered; the message says why, `field` which part of it is meant."""

    def __init__(self, message: str, field: str | None = None, status: int = 400):
        super().__init__(message)
        self.field, self.status = field, status


def application(subject: Subject) -> Starlette:
    """The two routes, for one model."""

    async def complete(request: Request) -> JSONResponse:
        body = parsed(await request.body())
        if body.pop("model", None) != subject.name:
            raise Refused(f"the only model here is {subject.name!r}; ask for it", "model", 404)
        conversation, sampling = conversation_of(body.pop("messages", None)), sampling_of(body)
        try:
            answer = await run_in_threadpool(lambda: subject.engine.submit(conversation, sampling).result())
        except (ImageError, ContextError) as error:
            raise Refused(str(error), "messages") from error
        return JSONResponse(completion(subject.name, answer))

    async def models(request: Request) -> JSONResponse:
        entry = {"id": subject.name, "object": "model", "created": 0, "owned_by": "clearsight"}
        return JSONResponse({"object": "list", "data": [entry]})

    routes = [Route("/v1/chat/completions", complete, methods=["POST"]), Route("/v1/models", models)]
    handlers = {Refused: _refused, EngineError: _failed, HTTPException: _unknown}
    return Starlette(routes=routes, exception_handlers=handlers)


def parsed(data: bytes) -> dict[str, Any]:
    """The body. Raises Refused for what is no JSON object."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused("the body is a JSON object with model and messages")
    return body


def conversation_of(messages: Any) -> Conversation:
    """Messages in OpenAI's shape as a conversation. Raises Refused."""
    if not isinstance(messages, list) or not messages:
        raise Refused("messages is a list of at least one message", "messages")
    try:
        found = Conversation.from_json({"messages": [_message(one) for one in messages]})
    except ConversationError as error:
        raise Refused(str(error), "messages") from error
    if found.messages[-1].role != "user":
        raise Refused("the last message is the user's, to be answered", "messages")
    return found


def sampling_of(settings: dict[str, Any]) -> Sampling:
    """How to answer. Raises Refused for a setting that is unknown here or out of its range."""
    settings = {name: value for name, value in settings.items() if value is not None}
    for name, value in ONLY.items():
        if settings.pop(name, value) != value:
            raise Refused(f"{name} can only be {json.dumps(value)} here", name)
    if "max_completion_tokens" in settings:
        settings["max_tokens"] = settings.pop("max_completion_tokens")
    for name in settings:
        if name not in SETTINGS:
            raise Refused(
                f"there is no setting {name!r} here; there are {', '.join((*SETTINGS, *ONLY))}", name
            )
    if not isinstance(settings.get("stop", []), (str, list)):
        raise Refused("stop is a string or a list of strings", "stop")
    try:
        return Sampling(**{"temperature": 1.0, **settings})  # OpenAI's default
    except SamplingError as error:
        raise Refused(str(error)) from error


def completion(model: str, answer: Answer) -> dict[str, Any]:
    """An answer in OpenAI's shape."""
    usage = answer.usage
    message = {"role": "assistant", "content": answer.text}
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason}],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        },
    }


def _message(value: Any) -> Any:
    """A message with its pictures as `Conversation.from_json` takes them; the rest is left for it to judge."""
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        return value
    return {**value, "content": [_part(part) for part in value["content"]]}


def _part(part: Any) -> Any:
    if not isinstance(part, dict) or part.get("type") != "image_url":
        return part
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    head, _, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not head.startswith("data:image/") or not head.endswith(";base64"):
        raise Refused(
            "a picture is sent as a data URL, data:image/png;base64,...; nothing is fetched here", "messages"
        )
    assert isinstance(image, dict)
    return {"type": "image", "data": data, "detail": image.get("detail", "auto")}


def _error(message: str, kind: str, status: int, field: str | None = None) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": kind, "param": field, "code": None}}, status)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return _error(str(error), "invalid_request_error", error.status, error.field)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    return _error(str(error), "server_error", 500)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    there = "there are POST /v1/chat/completions and GET /v1/models"
    return _error(
        f"{request.method} {request.url.path}: {error.detail}; {there}",
        "invalid_request_error",
        error.status_code,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default=BUNDLED, help="mini, a checkpoint folder, hf:owner/name, or a server's"
    )
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    try:
        with opened(arguments.model) as subject:
            uvicorn.run(application(subject), host="127.0.0.1", port=arguments.port, log_level="warning")
    except LOADING as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
