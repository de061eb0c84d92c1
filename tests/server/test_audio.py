"""The audio routes over a real server, asked by the official client as it is."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import openai
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from rapidfuzz.distance import Levenshtein

from clearsight.server.body import invalid
from clearsight.server.errors import ApiError
from clearsight.server.routes import audio, audio_status
from clearsight.speech import AudioLimits, Hearing, Speaking, Speech
from clearsight.speech.decode import decode
from clearsight.speech.decode_worker import RATE
from clearsight.speech.readiness import Readiness, WatchedDownload
from tests.speech.recordings import opus_bomb, wav

TEXT = "There are three red chairs. The table is brown. Behind it stands a lamp."


def application(speech: Speech | None) -> FastAPI:
    app = FastAPI()
    app.include_router(audio.router)
    app.include_router(audio_status.router)
    app.state.speech = speech

    @app.exception_handler(ApiError)
    def failed(request: Request, error: ApiError) -> Response:
        return JSONResponse(error.to_json(), error.status, error.headers)

    @app.exception_handler(RequestValidationError)
    def refused(request: Request, error: RequestValidationError) -> Response:
        return failed(request, invalid(error))

    return app


def serve(app: FastAPI) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def speech() -> Iterator[Speech]:
    limits = AudioLimits(max_bytes=2 << 20, max_seconds=60)
    speech = Speech(Hearing(threads=1, limits=limits), Speaking(max_speaking=2))
    yield speech
    speech.close()


@pytest.fixture(scope="module")
def url(speech: Speech) -> Iterator[str]:
    yield from serve(application(speech))


@pytest.fixture
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="none", max_retries=0, _strict_response_validation=True)


@pytest.fixture(scope="module")
def spoken(speech: Speech, url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text as an mp3 file."""
    if not speech.speaking.voices():
        pytest.skip("no voice is installed to speak with")
    file = tmp_path_factory.mktemp("audio") / "spoken.mp3"
    client = openai.OpenAI(base_url=url, api_key="none")
    client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT).write_to_file(file)
    return file


def words(text: str) -> list[str]:
    return text.lower().replace("3", "three").replace(".", "").replace(",", "").split()


def understood(text: str) -> bool:
    """Whether it is the text but for two words: the voice speaks a little differently each time."""
    return int(Levenshtein.distance(words(text), words(TEXT))) <= 2


# ---------------------------------------------------------------------------------------------------
# Hearing


@pytest.mark.slow
@pytest.mark.bundled
def test_a_program_written_for_openai_gets_the_transcript_in_every_form(
    client: openai.OpenAI, spoken: Path
) -> None:
    create = client.audio.transcriptions.create
    plain = create(model="whisper-1", file=spoken, language="en", prompt="Furniture.", temperature=0)
    assert understood(plain.text)
    assert plain.usage is not None and plain.usage.type == "duration" and plain.usage.seconds > 3

    verbose = create(
        model="whisper-1",
        file=spoken,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert verbose.language == "en" and understood(verbose.text)
    assert verbose.segments and verbose.words
    assert [words(word.word)[0] for word in verbose.words] == words(verbose.text)
    assert 0 <= verbose.words[0].start < verbose.words[-1].end <= verbose.duration
    assert create(model="whisper-1", file=spoken, response_format="verbose_json").words is None

    text = create(model="whisper-1", file=spoken, response_format="text")
    assert isinstance(text, str) and understood(text)
    srt = create(model="whisper-1", file=spoken, response_format="srt")
    assert srt.startswith("1\n00:00:0") and " --> 00:00:" in srt and "," in srt.split("\n")[1]
    vtt = create(model="whisper-1", file=spoken, response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n00:00:0")


@pytest.mark.bundled
def test_a_streamed_transcript_arrives_in_deltas_that_add_up_to_the_whole(
    client: openai.OpenAI, spoken: Path
) -> None:
    events = list(client.audio.transcriptions.create(model="whisper-1", file=spoken, stream=True))
    assert events[-1].type == "transcript.text.done"
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert deltas
    assert "".join(deltas).strip() == events[-1].text
    assert understood(events[-1].text)


@pytest.mark.parametrize(
    ("fields", "param", "status"),
    [
        ({"model": "whisper-9"}, "model", 404),
        ({"response_format": "diarized_json"}, "response_format", 400),
        ({"response_format": "pdf"}, "response_format", 400),
        ({"include": ["logprobs"]}, "include", 400),
        ({"temperature": 1.5}, "temperature", 400),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities", 400),
        (
            {"timestamp_granularities": ["day"], "response_format": "verbose_json"},
            "timestamp_granularities[0]",
            400,
        ),
        ({"chunking_strategy": "auto"}, "chunking_strategy", 400),
        ({"prompt": "x" * 5000}, "prompt", 400),
        ({"stream": True, "response_format": "srt"}, "stream", 400),
        ({"extra_body": {"beam_size": 9}}, "beam_size", 400),
    ],
)
def test_a_field_that_can_not_be_honoured_is_named(
    client: openai.OpenAI, fields: dict, param: str, status: int
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.transcriptions.create(**{"model": "whisper-1", "file": ("a.wav", wav()), **fields})
    assert (caught.value.status_code, caught.value.param) == (status, param)


@pytest.mark.parametrize(
    ("file", "status", "says"),
    [
        (b"", 400, "Accepted are"),
        (b"#EXTM3U\nhttp://127.0.0.1/secret", 400, "Accepted are"),
        (b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 8, 400, "damaged"),
        (wav()[: wav().index(b"data") + 4] + bytes(4), 400, "not one sample"),
        (wav(70, 8_000), 413, "longer than 1 minutes"),
        (bytes(5 << 20), 413, "larger than"),
        (bytes((2 << 20) + 1), 413, "are accepted"),
    ],
    ids=["empty", "play list", "noise", "no samples", "too long", "far too large", "too large"],
)
def test_a_hostile_or_broken_recording_gets_a_sentence_and_no_name_of_a_library(
    client: openai.OpenAI, file: bytes, status: int, says: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.transcriptions.create(model="whisper-1", file=("voice.wav", file))
    assert caught.value.status_code == status and caught.value.param == "file"
    assert says in caught.value.message
    assert not any(
        name in caught.value.message.lower() for name in ("ffmpeg", "errno", "traceback", "av.", "/")
    )


def test_an_opus_bomb_is_refused_in_bounded_time(client: openai.OpenAI) -> None:
    started = time.monotonic()
    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.transcriptions.create(model="whisper-1", file=("a.ogg", opus_bomb(hours=1)))
    assert caught.value.status_code == 413
    assert time.monotonic() - started < 10


def test_a_body_that_says_no_length_and_grows_too_large_is_refused(url: str) -> None:
    def growing() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(64):
            yield bytes(1 << 16)
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = httpx2.post(f"{url}/audio/transcriptions", content=growing(), headers=headers)
    assert answer.status_code == 413 and answer.json()["error"]["param"] == "file"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"file=abc&model=whisper-1", "application/x-www-form-urlencoded"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="\xff.wav"\r\n\r\nabc\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_a_body_that_is_no_proper_form_is_refused(url: str, body: bytes, kind: str) -> None:
    answer = httpx2.post(f"{url}/audio/transcriptions", content=body, headers={"content-type": kind})
    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


# ---------------------------------------------------------------------------------------------------
# Speaking


@pytest.mark.bundled
def test_speech_is_heard_before_all_of_it_is_spoken(client: openai.OpenAI, spoken: Path) -> None:
    long = "This is a sentence about a table and four chairs. " * 8
    times = []
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="nova", input=long, response_format="pcm"
    ) as response:
        started = time.monotonic()
        assert response.headers["x-clearsight-voice"]
        for _ in response.iter_bytes():
            times.append(time.monotonic() - started)
    assert times[0] < times[-1] / 3


@pytest.mark.bundled
@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav"])
def test_every_format_plays(client: openai.OpenAI, spoken: Path, name: str) -> None:
    answer = client.audio.speech.create(
        model="tts-1", voice="alloy", input="A cup.", response_format=name, speed=1.5
    )
    assert answer.response.headers["content-type"] == audio.FORMATS[name].media_type
    assert len(decode(answer.content)) > 0.3 * RATE


@pytest.mark.bundled
def test_speech_as_events_holds_the_same_file(client: openai.OpenAI, spoken: Path) -> None:
    import base64

    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts",
        voice={"id": "joe"},
        input="A cup. A plate.",
        response_format="wav",
        stream_format="sse",
    ) as response:
        events = [json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line]
    assert [event["type"] for event in events][-1] == "speech.audio.done"
    file = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert len(decode(file)) > 0.5 * RATE


@pytest.mark.bundled
@pytest.mark.parametrize(
    ("fields", "param", "status"),
    [
        ({"model": "tts-9"}, "model", 404),
        ({"voice": "jane"}, "voice", 400),
        ({"voice": 7}, "voice", 400),
        ({"input": ""}, "input", 400),
        ({"input": " \n "}, "input", 400),
        ({"input": "x" * 4097}, "input", 400),
        ({"instructions": "Whisper."}, "instructions", 400),
        ({"response_format": "midi"}, "response_format", 400),
        ({"speed": 5}, "speed", 400),
        ({"speed": "fast"}, "speed", 400),
        ({"stream_format": "ws"}, "stream_format", 400),
        ({"extra_body": {"pitch": 2}}, "pitch", 400),
    ],
)
def test_a_wish_that_can_not_be_met_is_named(
    client: openai.OpenAI, spoken: Path, fields: dict, param: str, status: int
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "A cup.", **fields})
    assert caught.value.status_code == status
    assert (caught.value.param or "").split(".")[0] == param


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"input": "\\ud800"}', b'{"speed": NaN}', b"\xff", b"null"]
)
def test_a_body_that_is_no_proper_json_is_refused(url: str, body: bytes) -> None:
    answer = httpx2.post(f"{url}/audio/speech", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.bundled
def test_whoever_leaves_while_it_is_spoken_frees_the_place(
    client: openai.OpenAI, speech: Speech, spoken: Path
) -> None:
    long = "This is a sentence about a table and four chairs. " * 60
    for _ in range(4):  # two places
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=long
        ) as response:
            next(response.iter_bytes(64))
        deadline = time.monotonic() + 10
        while speech.speaking._places._value < 2:  # type: ignore[attr-defined]
            assert time.monotonic() < deadline, "a place stayed taken"
            time.sleep(0.05)


@pytest.mark.bundled
def test_too_many_at_once_are_told_to_come_back(client: openai.OpenAI, speech: Speech, spoken: Path) -> None:
    held = [speech.speaking.synthesise("One. Two.") for _ in range(2)]
    with pytest.raises(openai.InternalServerError) as caught:
        client.audio.speech.create(model="tts-1", voice="alloy", input="A cup.")
    assert caught.value.status_code == 503 and caught.value.response.headers["retry-after"] == "5"
    for utterance in held:
        utterance.chunks.close()


def test_a_server_without_weights_or_speech_says_so_and_asks_for_no_retry(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path))
    for speech, code in ((Speech.create(offline=True), "speech_unavailable"), (None, "speech_disabled")):
        for url in serve(application(speech)):
            client = openai.OpenAI(base_url=url, api_key="none")
            with pytest.raises(openai.InternalServerError) as caught:
                client.audio.transcriptions.create(model="whisper-1", file=("a.wav", wav()))
            assert caught.value.status_code == 503 and caught.value.code == code
            assert caught.value.response.headers["x-should-retry"] == "false"
            assert str(tmp_path) not in caught.value.message


# ---------------------------------------------------------------------------------------------------
# Before the first word


def test_a_page_learns_the_voices_and_that_nothing_has_to_be_fetched(
    url: str, speech: Speech, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not speech.speaking.voices():
        pytest.skip("no voice is installed to speak with")
    listed = httpx2.get(f"{url}/audio/voices").json()
    assert [one["id"] for one in listed["data"]] == [voice.name for voice in speech.speaking.voices()]
    assert listed["default"] == speech.speaking.voice().name

    monkeypatch.setenv("CLEARSIGHT_CACHE", str(tmp_path / "empty"))
    fresh = Speech(Hearing(offline=False), Speaking(default_voice="joe", offline=True))
    app = application(fresh)
    for url in serve(app):
        state = httpx2.get(f"{url}/audio/status").json()
        assert state["hearing"] == {"state": "not_fetched", "done_bytes": 0, "total_bytes": 150_226_579}
        assert state["speaking"]["state"] == "missing"
    assert not (tmp_path / "empty").exists(), "asking for the state must not fetch anything"


def test_a_page_is_told_by_name_that_speech_is_switched_off() -> None:
    for url in serve(application(None)):
        for path in ("voices", "status"):
            answer = httpx2.get(f"{url}/audio/{path}")
            assert answer.status_code == 503 and answer.json()["error"]["code"] == "speech_disabled"


def test_a_download_under_way_says_how_far_it_is_and_a_broken_one_counts_anew() -> None:
    @contextmanager
    def silent(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda done: None

    download = WatchedDownload(150, shown=silent)
    with pytest.raises(OSError), download.under_way() as progress:
        with progress("one", 100) as told:
            told(40)
            assert download.readiness(here=False, offline=False) == Readiness("fetching", 40, 150)
        with progress("two", 50) as told:
            told(30)
            assert download.readiness(here=False, offline=False) == Readiness("fetching", 130, 150)
            raise OSError
    assert download.readiness(here=False, offline=False) == Readiness("not_fetched", 0, 150)
    assert download.readiness(here=False, offline=True) == Readiness("missing", 0, 150)
    with download.under_way() as progress, progress("one", 100):
        assert download.readiness(here=False, offline=False) == Readiness("fetching", 0, 150)
    assert download.readiness(here=True, offline=False) == Readiness("ready")
