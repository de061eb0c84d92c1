"""POST /v1/audio/transcriptions and /v1/audio/speech: a recording to text, a text to speech.

What OpenAI's interface has and this one can't do is refused by name: logprobs, speakers apart (diarized_json), chunking
strategies, instructions to a voice. OpenAI's names of models for the same task mean the ones that are here.

Recognising and speaking happen in threads. Whoever leaves ends it: speaking after the sentence at hand, recognising
after the segment at hand. Speech is sent while it is spoken; when it breaks off in the middle, so does the connection,
because a file that ends properly would pass for whole.
"""

import asyncio
import base64
import logging
import threading
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any, Literal, TypeVar

import anyio
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from clearsight.server.answers import EVENTS, Responses
from clearsight.server.body import Body, StrictRoute, invalid
from clearsight.server.errors import ApiError
from clearsight.server.event_stream import EventStream, event
from clearsight.speech import Segment, Speech, Transcript
from clearsight.speech import errors as speech_errors
from clearsight.speech.encode import FORMATS, encode
from clearsight.speech.speak import SPEEDS
from clearsight.speech.subtitles import to_srt, to_vtt

HEARING_MODELS = ("whisper-base", "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
"""The first is what runs; the others are OpenAI's names for the task."""
SPEAKING_MODELS = ("clearsight-speech", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
FORM_OVERHEAD = 1 << 20  # bytes of a form beside its file
MAX_TEXT = 4096  # characters of a text to speak, and of a prompt

TRANSCRIPT: Responses = {
    200: {
        "description": "What was said.",
        "content": {
            "application/json": {"schema": {"type": "object", "required": ["text"]}},
            "text/plain": {"schema": {"type": "string"}},
            "text/vtt": {"schema": {"type": "string"}},
            **EVENTS,
        },
    }
}
SPOKEN: Responses = {
    200: {
        "description": "Speech.",
        "content": {
            **{
                one.media_type: {"schema": {"type": "string", "format": "binary"}} for one in FORMATS.values()
            },
            **EVENTS,
        },
    }
}

log = logging.getLogger(__name__)
router = APIRouter(tags=["audio"], route_class=StrictRoute)
T = TypeVar("T")


# ---------------------------------------------------------------------------------------------------
# Hearing


class TranscriptionRequest(BaseModel):
    """The fields of the form beside its file."""

    model_config = ConfigDict(extra="forbid")

    model: str
    language: str | None = None
    prompt: Annotated[str | None, Field(max_length=MAX_TEXT)] = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    timestamp_granularities: list[Literal["word", "segment"]] | None = None
    stream: bool = False


_FORM_SCHEMA = TranscriptionRequest.model_json_schema()
_FORM_SCHEMA["properties"] = {"file": {"type": "string", "format": "binary"}, **_FORM_SCHEMA["properties"]}
_FORM_SCHEMA["required"] = ["file", *_FORM_SCHEMA["required"]]


@router.post(
    "/v1/audio/transcriptions",
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM_SCHEMA}}}
    },
    responses=TRANSCRIPT,
)
async def transcribe(request: Request) -> Response:
    """What is said in a recording: as JSON, text or subtitles, whole or as a stream of events."""
    hearing = speech_of(request).hearing
    async with AsyncExitStack() as stack:
        form = await read_form(request, hearing.limits.max_bytes, stack)
        wanted, file = checked_form(form)
        audio = await file.read()
    gone = threading.Event()
    arguments = (audio, wanted.language or None, wanted.prompt, wanted.temperature)
    if wanted.stream:

        def segments() -> Generator[Segment, None, None]:
            with hearing.listening(*arguments, cancelled=gone) as found:
                yield from found.segments

        found = segments()
        first = await unless_gone(request, gone, lambda: next(found, None))
        holding = AsyncExitStack()
        holding.push_async_callback(anyio.to_thread.run_sync, found.close)
        return EventStream(transcript_events(first, found), holding)
    words = "word" in (wanted.timestamp_granularities or ())
    transcript = await unless_gone(
        request, gone, lambda: hearing.transcribe(*arguments, words=words, cancelled=gone)
    )
    request.state.audio_ms = round(transcript.duration * 1000)
    return formatted(transcript, wanted)


async def read_form(request: Request, max_bytes: int, stack: AsyncExitStack) -> FormData:
    """The form, closed with `stack`. Raises ApiError when it is larger than a recording may be, or is none."""
    limit = max_bytes + FORM_OVERHEAD
    too_large = ApiError(
        413, f"The recording is larger than the {max_bytes / 1e6:.1f} MB accepted.", param="file"
    )
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdecimal() and int(declared[:20]) > limit:
        raise too_large
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    try:
        form = await Request(request.scope, counted).form(max_files=1, max_fields=32, max_part_size=64 << 10)
    except HTTPException as error:
        raise ApiError(400, "The body is not a proper form with one file and a few fields.") from error
    stack.push_async_callback(form.close)
    return form


def checked_form(form: FormData) -> tuple[TranscriptionRequest, UploadFile]:
    """The fields and the file. Raises ApiError that names what is wrong."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ApiError(
            400,
            "file is required: send multipart/form-data with the recording as a file.",
            param="file",
            code="missing_required_parameter",
        )
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        key = name.removesuffix("[]")
        if key == "timestamp_granularities":
            fields.setdefault(key, []).append(value)
        elif key in fields or not (isinstance(value, str) or key == "file"):
            raise ApiError(400, f"{key[:60]} may be given once, and as text.", param=key[:60])
        elif key != "file":
            fields[key] = value
    if fields.get("response_format") == "diarized_json":
        raise ApiError(
            400, "Speakers can't be told apart here, so there is no diarized_json.", param="response_format"
        )
    if "include" in fields:
        raise ApiError(400, "Nothing can be included: log-probabilities are not available.", param="include")
    try:
        wanted = TranscriptionRequest.model_validate(fields)
    except ValidationError as error:
        raise invalid(
            RequestValidationError(
                [{**one, "loc": ("body", *one["loc"])} for one in error.errors()], body=fields
            )
        ) from error
    check_model(wanted.model, HEARING_MODELS)
    if wanted.timestamp_granularities and wanted.response_format != "verbose_json":
        raise ApiError(
            400,
            "timestamp_granularities needs response_format verbose_json.",
            param="timestamp_granularities",
        )
    if wanted.stream and wanted.response_format not in ("json", "text"):
        raise ApiError(
            400, "A stream has no other form than its events; leave response_format out.", param="stream"
        )
    return wanted, file


def formatted(transcript: Transcript, wanted: TranscriptionRequest) -> Response:
    """The transcript in the form that is wanted."""
    if wanted.response_format == "text":
        return PlainTextResponse(transcript.text + "\n")
    if wanted.response_format == "srt":
        return PlainTextResponse(to_srt(transcript.segments))
    if wanted.response_format == "vtt":
        return PlainTextResponse(to_vtt(transcript.segments), media_type="text/vtt")
    usage = {"type": "duration", "seconds": round(transcript.duration, 3)}
    if wanted.response_format == "json":
        return JSONResponse({"text": transcript.text, "usage": usage})
    granularities = wanted.timestamp_granularities or ["segment"]
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": transcript.language,
        "duration": transcript.duration,
        "text": transcript.text,
    }
    if "segment" in granularities:
        answer["segments"] = [
            segment_json(number, segment) for number, segment in enumerate(transcript.segments)
        ]
    if "word" in granularities:
        answer["words"] = [
            {"word": word.text.strip(), "start": word.start, "end": word.end} for word in transcript.words
        ]
    return JSONResponse({**answer, "usage": usage})


def segment_json(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": segment.seek,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_prob,
    }


async def transcript_events(
    first: Segment | None, rest: Generator[Segment, None, None]
) -> AsyncIterator[bytes]:
    """Each segment's text as a delta, then the whole."""
    said = ""
    try:
        if first is not None:
            said = first.text.lstrip()
            yield event({"type": "transcript.text.delta", "delta": said})
            async for segment in iterate_in_threadpool(rest):
                said += segment.text
                yield event({"type": "transcript.text.delta", "delta": segment.text})
    except Exception:
        log.exception("a transcript broke off")
        yield event(ApiError(500, "The transcript broke off; ask again.", retry=True).to_json())
        return
    yield event({"type": "transcript.text.done", "text": said.strip()})
    yield b"data: [DONE]\n\n"


# ---------------------------------------------------------------------------------------------------
# Speaking


class VoiceId(Body):
    id: str


class SpeechRequest(Body):
    """What to speak, and how."""

    model: str
    input: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    voice: str | VoiceId
    instructions: str | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=SPEEDS[0], le=SPEEDS[1])] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"


@router.post("/v1/audio/speech", response_class=Response, responses=SPOKEN)
async def speak(body: SpeechRequest, request: Request) -> Response:
    """A text as speech, sent while it is spoken: as a file that grows, or as events."""
    speaking = speech_of(request).speaking
    check_model(body.model, SPEAKING_MODELS)
    if body.instructions:
        raise ApiError(
            400, "The voices here can't follow instructions; leave the field out.", param="instructions"
        )
    name = body.voice if isinstance(body.voice, str) else body.voice.id

    def begin() -> tuple[str, Generator[bytes, None, None]]:
        utterance = speaking.synthesise(body.input, name, body.speed)
        pieces = encode(utterance.chunks, utterance.sample_rate, body.response_format)

        def closing() -> Generator[bytes, None, None]:
            try:
                yield from pieces
            finally:
                pieces.close()
                utterance.chunks.close()

        return utterance.voice, closing()

    voice, pieces = await unless_gone(request, threading.Event(), begin)
    headers = {"x-clearsight-voice": voice}
    if body.stream_format == "sse":
        holding = AsyncExitStack()
        holding.push_async_callback(anyio.to_thread.run_sync, pieces.close)
        return EventStream(speech_events(pieces), holding, headers)
    return AudioStream(pieces, FORMATS[body.response_format].media_type, headers)


async def speech_events(pieces: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    """Pieces of the file in base64. The done event has no usage: characters were spoken, and no tokens."""
    try:
        async for piece in iterate_in_threadpool(pieces):
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    except Exception:
        log.exception("speech broke off")
        yield event(ApiError(500, "The speech broke off; ask again.", retry=True).to_json())
        return
    yield event({"type": "speech.audio.done"})


class AudioStream(StreamingResponse):
    """A file sent while a thread makes it; the generator that makes it is closed whatever the end is."""

    def __init__(self, pieces: Generator[bytes, None, None], media_type: str, headers: Mapping[str, str]):
        super().__init__(iterate_in_threadpool(pieces), media_type=media_type, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._pieces.close)


# ---------------------------------------------------------------------------------------------------
# Both


def speech_of(request: Request) -> Speech:
    """What hears and speaks here. Raises ApiError where it is switched off."""
    speech: Speech | None = getattr(request.app.state, "speech", None)
    if speech is None:
        raise ApiError(
            503,
            "Speech is switched off on this server (speech.enabled).",
            code="speech_disabled",
            retry=False,
        )
    return speech


def check_model(name: str, known: tuple[str, ...]) -> None:
    """Raises ApiError for a model that isn't here."""
    if name not in known:
        raise ApiError(
            404,
            f"There is no model {name[:60]!r} for this; there is {known[0]}, and {', '.join(known[1:])} mean the same.",
            param="model",
            code="model_not_found",
        )


async def unless_gone(request: Request, gone: threading.Event, work: Callable[[], T]) -> T:
    """Do blocking work in a thread, and set `gone` when whoever asked leaves. Raises ApiError."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watcher = asyncio.ensure_future(watch())
    try:
        return await anyio.to_thread.run_sync(work)
    except speech_errors.Cancelled:
        raise ApiError(499, "The connection was closed before the answer.") from None
    except speech_errors.SpeechError as error:
        raise answer_to(error) from error
    finally:
        watcher.cancel()


def answer_to(error: speech_errors.SpeechError) -> ApiError:
    """The answer that says what an error of speech means to whoever sent the request."""
    if isinstance(error, speech_errors.WeightsMissing):
        log.error("weights for speech are missing: %s", error)
        return ApiError(
            503,
            "The weights for this are not on the server and could not be fetched. Whoever runs it finds the reason in "
            "its log, and fetches them with: python -m clearsight.speech",
            code="speech_unavailable",
            retry=False,
        )
    status, param, retry = next(answer for kind, answer in _ANSWERS if isinstance(error, kind))
    headers = {"retry-after": "5"} if retry else None
    code = "speech_unavailable" if isinstance(error, speech_errors.SpeechUnavailable) else None
    return ApiError(status, str(error), param=param, code=code, headers=headers, retry=retry)


_ANSWERS: tuple[tuple[type[speech_errors.SpeechError], tuple[int, str | None, bool | None]], ...] = (
    (speech_errors.AudioTooLong, (413, "file", None)),
    (speech_errors.AudioError, (400, "file", None)),
    (speech_errors.UnknownLanguage, (400, "language", None)),
    (speech_errors.UnknownVoice, (400, "voice", None)),
    (speech_errors.NothingToSpeak, (400, "input", None)),
    (speech_errors.SpeechUnavailable, (503, None, False)),
    (speech_errors.SpeechBusy, (503, None, True)),
    (speech_errors.SpeechError, (500, None, True)),
)
