"""GET /v1/audio/voices and /v1/audio/status: the voices, and whether hearing and speaking can begin at once.

A page asks before somebody's first word, so that a download of 150 MB is no silence. Neither is metered: nothing is
recognised or spoken.
"""

from dataclasses import asdict
from typing import Any

import anyio
from fastapi import APIRouter, Request

from clearsight.server.routes.audio import speech_of
from clearsight.speech import Readiness
from clearsight.speech.errors import SpeechUnavailable

router = APIRouter(tags=["audio"])


@router.get("/v1/audio/voices")
async def voices(request: Request) -> dict[str, Any]:
    """The voices by the names that /v1/audio/speech takes, and the default one; null when there is none."""
    speaking = speech_of(request).speaking

    def look() -> tuple[list[dict[str, str]], str | None]:
        found = [
            {"id": voice.name, "language": voice.language, "description": voice.description}
            for voice in speaking.voices()
        ]
        try:
            return found, speaking.voice().name
        except SpeechUnavailable:
            return found, None

    found, default = await anyio.to_thread.run_sync(look)
    return {"object": "list", "data": found, "default": default}


@router.get("/v1/audio/status")
async def status(request: Request) -> dict[str, Any]:
    """Whether hearing and speaking can begin at once: see `speech.Readiness` for the states. Fetches nothing."""
    speech = speech_of(request)

    def look() -> tuple[Readiness, Readiness]:
        return speech.hearing.readiness(), speech.speaking.readiness()

    hearing, speaking = await anyio.to_thread.run_sync(look)
    return {"hearing": asdict(hearing), "speaking": asdict(speaking)}
