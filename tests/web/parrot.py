"""A server with OpenAI's API whose model says what it is asked to say, at a given pace.

A message such as

    every 50 ms: # A title and **more**

is answered with what stands after the colon, word by word. Run as a program it listens on the port it is given.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()
ORDER = re.compile(r"every (\d+) ms:\s?(.*)", re.DOTALL)


@app.post("/v1/chat/completions")
async def complete(request: Request) -> StreamingResponse:
    body = await request.json()
    return StreamingResponse(_chunks(body["messages"][-1]["content"]), media_type="text/event-stream")


async def _chunks(content: str | list[dict]) -> AsyncIterator[str]:
    asked = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    order = ORDER.search(asked)
    pause, text = (int(order[1]) / 1000, order[2]) if order else (0.0, "I say what I am asked to say.")
    pieces = re.findall(r"\S*\s*", text) if len(text) < 20_000 else [text]
    for piece in pieces:
        yield _chunk({"delta": {"content": piece}, "finish_reason": None})
        await asyncio.sleep(pause)
    yield _chunk(
        {"delta": {}, "finish_reason": "stop"}, {"prompt_tokens": 1100, "completion_tokens": len(pieces)}
    )
    yield "data: [DONE]\n\n"


def _chunk(choice: dict, usage: dict | None = None) -> str:
    whole = {"id": "parrot", "object": "chat.completion.chunk", "choices": [{"index": 0, **choice}]}
    if usage:
        whole["usage"] = {**usage, "total_tokens": sum(usage.values())}
    return f"data: {json.dumps(whole)}\n\n"


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
