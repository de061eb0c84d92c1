"""Hearing and speaking in a real browser: its microphone hears a file, and what the page sounds is listened to."""

import io
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from clearsight.speech import Speaking
from clearsight.web import folder
from tests.server.serving import serving
from tests.web.conftest import CHROMIUM
from tests.web.looking import THEMES, complaints, set_theme
from tests.web.test_live_regions import WATCH

pytestmark = [pytest.mark.slow, pytest.mark.bundled]
QUESTION = "What shape is this?"
LONG = "every 1 ms: " + " ".join(
    f"This is sentence number {number}, which goes on for a while."
    for number in ("one", "two", "three", "four", "five", "six", "seven", "eight")
)
BARGE_IN_MS = 200

LISTEN = """() => {
    Object.assign(window, {lastHeard: 0, heardFrom: 0, voiceFrom: [], requested: [], pressedAt: 0, lastVoice: 0});
    const tap = (context, told) => {
        const analyser = new AnalyserNode(context, {fftSize: 256});
        const silence = new ConstantSourceNode(context, {offset: 0}); // an analyser without input would stand still
        silence.connect(analyser);
        silence.start();
        const samples = new Float32Array(256);
        setInterval(() => {
            analyser.getFloatTimeDomainData(samples);
            // A context that is suspended makes no sound, and its analyser keeps what was last in it.
            if (context.state === 'running' && samples.some((one) => Math.abs(one) > 0.01)) told(performance.now());
        }, 4);
        return analyser;
    };
    const taps = new WeakMap();
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (to, ...rest) {
        const {context} = this;
        const heard = to === context.destination && !(context instanceof OfflineAudioContext);
        if (!heard) return connect.call(this, to, ...rest);
        if (!taps.has(context)) {
            const analyser = tap(context, (now) => { window.lastHeard = now; window.heardFrom ||= now; });
            connect.call(analyser, to);
            taps.set(context, analyser);
        }
        return connect.call(this, taps.get(context));
    };
    const source = AudioContext.prototype.createMediaStreamSource;
    AudioContext.prototype.createMediaStreamSource = function (stream) {
        const made = source.call(this, stream);
        const analyser = tap(this, (now) => {
            if (now - window.lastVoice > 1000) window.voiceFrom.push(now);
            window.lastVoice = now;
        });
        connect.call(made, analyser);
        const sink = new GainNode(this, {gain: 0});
        connect.call(analyser, sink);
        connect.call(sink, this.destination);
        return made;
    };
    const fetched = window.fetch;
    window.fetch = (address, options) => {
        if (String(address).endsWith('/audio/speech')) window.requested.push(JSON.parse(options.body).input);
        return fetched(address, options);
    };
    const note = (event) => (window.pressedAt = event.timeStamp);
    for (const kind of ['keydown', 'pointerdown']) document.addEventListener(kind, note, true);
}"""


@pytest.fixture(scope="module")
def listening(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose microphone hears the question about every ten seconds."""
    speaking = Speaking()
    if not speaking.voices():
        pytest.skip("no voice is installed to speak with")
    spoken = speaking.synthesise(QUESTION)
    said = np.frombuffer(b"".join(spoken.chunks), np.int16)
    speaking.close()
    rate = spoken.sample_rate
    hiss = np.random.default_rng(0).normal(0, 12, rate * 10).astype(np.int16)
    file = tmp_path_factory.mktemp("microphone") / "question.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(np.concatenate([hiss[:rate], said, hiss[: rate * 8]]).tobytes())
    launched = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *("--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
            f"--use-file-for-fake-audio-capture={file}",
        ],
    )
    yield launched
    launched.close()


@pytest.fixture
def open_listening(served, listening: Browser, signed_in: dict) -> Iterator[Callable[..., Page]]:
    contexts = []
    wrong: list[str] = []

    def open_(preferences: dict, script: str = "", **options: object) -> Page:
        context = listening.new_context(storage_state=signed_in, service_workers="block", **options)
        contexts.append(context)
        context.set_default_timeout(30_000)
        csrf = context.request.get(f"{served.url}/v1/session").json()["csrf_token"]
        kept = context.request.put(
            f"{served.url}/v1/account/settings",
            headers={"x-csrf-token": csrf},
            data={
                "settings": {"client": {"model": "parrot", "announce": "whole", **DEFAULTS, **preferences}}
            },
        )
        assert kept.ok, kept.text()
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
        page.add_init_script(f"({LISTEN})(); {script}")
        page.goto(f"{served.url}/#/")
        page.get_by_role("textbox", name="Message").wait_for()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not wrong, wrong


DEFAULTS = {
    "speakAnswers": "never",
    "speakWith": "server",
    "hearWith": "server",
    "handsFree": False,
    "speed": 1,
    "voice": "",
}


def ask(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")
    expect(page.get_by_role("button", name="Answer again").last).to_be_enabled(timeout=60_000)


def words(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").strip()


def until(page: Page, condition: str, seconds: float = 30) -> None:
    """Wait for a condition of the page. Playwright's own way needs eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        page.wait_for_timeout(30)


def sounding(page: Page) -> None:
    until(page, "performance.now() - lastHeard < 100", 60)


def test_spoken_question_about_a_picture_is_answered_in_speech(open_listening, picture: bytes) -> None:
    page = open_listening({"handsFree": True, "speakAnswers": "spoken", "model": "mini"})
    page.locator("#picker").set_input_files({"name": "disc.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator(".attachment.ready")).to_have_count(1)
    page.get_by_role("button", name="Speak your message").click()
    expect(page.locator(".message.user .said-text")).to_be_visible(timeout=60_000)
    assert words(page.locator(".message.user .said-text").first.inner_text()) == words(QUESTION)
    until(page, "heardFrom > 0", 60)  # before the microphone says it again, and silences the answer
    answer = page.locator(".message.assistant clear-prose").first.inner_text()
    assert page.evaluate("requested[0]").strip(".") in " ".join(answer.split())


def test_held_button_or_space_bar_puts_the_words_into_the_message_box(open_listening) -> None:
    page = open_listening({})
    button = page.get_by_role("button", name="Speak your message")
    button.focus()
    page.keyboard.down(" ")
    expect(page.locator("section.voice")).to_contain_text("Recording")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".voice-text")).to_contain_text("shape", timeout=30_000)  # before the end
    page.keyboard.up(" ")
    box = page.get_by_role("textbox", name="Message")
    expect(box).not_to_have_value("", timeout=30_000)
    assert words(QUESTION) in words(box.input_value())
    expect(page.locator("#status")).to_have_text(f"Heard: {box.input_value()}")
    expect(button).to_be_focused()
    expect(page.locator("section.voice")).to_have_count(0)


def test_key_or_escape_silences_within_a_fifth_of_a_second(open_listening) -> None:
    page = open_listening({"speakAnswers": "always"})
    for key in ("Escape", "x"):
        ask(page, LONG)
        sounding(page)
        page.keyboard.press(key)
        page.wait_for_timeout(700)
        took = page.evaluate("lastHeard - pressedAt")
        print(f"{key}: silent after {took:.0f} ms")
        assert -150 < took <= BARGE_IN_MS
        expect(page.locator("section.voice")).to_have_count(0)
        page.get_by_role("textbox", name="Message").fill("")


def test_speaking_silences_within_a_fifth_of_a_second(open_listening) -> None:
    page = open_listening({"handsFree": True})
    ask(page, LONG)
    page.evaluate("""async () => {
        const main = document.querySelector('script[type=module]').src;
        const {hearing} = await import(new URL('voice/hear.js', main));
        hearing.addEventListener('onset', () => (window.onset ??= performance.now()));
    }""")
    page.get_by_role("button", name="Speak your message").click()
    expect(page.locator("section.voice")).to_contain_text("Listening")
    for late in range(8):  # a voice that comes between two sentences meets silence, and shows nothing
        said = page.locator(".message.user").count()
        until(
            page, f"document.querySelectorAll('.message.user').length > {said}", 90
        )  # a question, and it is sent
        expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=30_000)
        # voices come at a steady beat, and must not meet the same pause again
        page.wait_for_timeout(late * 450)
        page.get_by_role("button", name="Read aloud").first.click()
        page.evaluate("window.onset = undefined")
        until(page, "window.onset > 0 && lastHeard > 0", 90)
        page.wait_for_timeout(400)
        voice, onset, silent = page.evaluate("[voiceFrom.at(-1), onset, lastHeard]")
        print(f"voice to silence {silent - voice:.0f} ms, noticed to silence {silent - onset:.0f} ms")
        if silent > onset - 150:
            break
    assert -150 < silent - onset <= BARGE_IN_MS
    assert silent - voice <= 2 * BARGE_IN_MS


def test_speech_is_steered_by_keyboard_and_axe_has_no_complaint(open_listening) -> None:
    page = open_listening({}, viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    ask(page, LONG)
    page.get_by_role("button", name="Read aloud").focus()
    page.keyboard.press("Enter")
    sounding(page)
    panel = page.locator("section.voice")
    expect(panel).to_contain_text("sentence number one")
    panel.get_by_role("button", name="Pause speech").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(400)
    assert page.evaluate("performance.now() - lastHeard") > 150, "paused is silent"
    for theme in THEMES:
        set_theme(page, theme)
        assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.keyboard.press("Enter")
    sounding(page)
    expect(panel).to_contain_text("sentence number two", timeout=20_000)
    panel.get_by_role("button", name="Back one sentence").focus()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("sentence number one")
    panel.get_by_role("button", name="Stop speech").focus()
    page.keyboard.press("Enter")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("button", name="Speak your message")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("Recording")
    assert complaints(page) == []
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.goto(page.url.split("#")[0] + "#/settings")
    expect(page.get_by_role("heading", name="Voice")).to_be_visible()
    assert complaints(page) == []


def test_screen_reader_is_told_the_same_whether_answers_are_spoken_or_not(open_listening) -> None:
    told = []
    for wanted in ("never", "always"):
        page = open_listening({"speakAnswers": wanted})
        page.evaluate(WATCH)
        ask(page, "every 5 ms: It says stop. It is red.")
        if wanted == "always":
            until(page, "heardFrom > 0", 60)
        expect(page.locator("section.voice")).to_have_count(0, timeout=30_000)
        told.append(page.evaluate("told"))
    assert told[0] == told[1]
    assert [region for region, _ in told[0]] == ["status", "status", "log"]


def test_microphone_closes_when_the_page_is_left_or_not_allowed(open_listening) -> None:
    page = open_listening({"handsFree": True})
    page.evaluate("""() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wish) => (window.stream = await open(wish));
    }""")
    button = page.get_by_role("button", name="Speak your message")
    button.click()
    expect(page.locator("section.voice")).to_contain_text("Listening")
    assert page.evaluate("stream.getTracks().every((one) => one.readyState === 'live')")
    page.evaluate("location.hash = '#/settings'")
    expect(page.get_by_role("heading", name="Voice")).to_be_visible()
    assert page.evaluate("stream.getTracks().every((one) => one.readyState === 'ended')")
    page.evaluate("location.hash = '#/'")
    page.evaluate("""() => {
        navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };
    }""")
    button.click()
    expect(page.locator("#alert")).to_contain_text("The microphone is not allowed")
    expect(button).to_have_attribute("aria-pressed", "false")


BROWSER_SPEECH = """
    window.saidByBrowser = [];
    class Recognition extends EventTarget {
        start() {
            const results = [Object.assign([{transcript: 'what shape is this'}], {isFinal: true})];
            this.timer = setTimeout(() => this.onresult({resultIndex: 0, results}), 300);
        }
        stop() { setTimeout(() => this.onend(), 50); }
        abort() { clearTimeout(this.timer); }
    }
    window.SpeechRecognition = window.webkitSpeechRecognition = Recognition;
    window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
    Object.defineProperty(window, 'speechSynthesis', {value: {
        getVoices: () => [], cancel() {}, pause() {}, resume() {},
        speak(said) { saidByBrowser.push(said.text); setTimeout(() => { said.onstart(); said.onend(); }, 30); },
    }});
"""


def test_browser_hears_after_agreement_and_speaks_where_the_server_does_neither(
    parrot: str, listening: Browser, tmp_path: Path
) -> None:
    with serving(
        tmp_path, folder(), models={"parrot": {"upstream": [parrot]}}, speech={"enabled": False}
    ) as mute:
        context = listening.new_context(service_workers="block")
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.add_init_script(BROWSER_SPEECH)
        page.goto(mute.link)
        page.get_by_role("textbox", name="Message").wait_for()
        expect(page.get_by_role("button", name="Settings").first).to_be_visible()
        button = page.get_by_role("button", name="Speak your message")
        button.focus()
        page.keyboard.press("Enter")
        panel = page.locator("section.voice")
        expect(panel).to_contain_text("This server has no recogniser. Your browser has one of its own")
        expect(page.locator("#status")).to_contain_text("This server has no recogniser")
        assert complaints(page) == []
        panel.get_by_role("button", name="Use the browser").click()
        expect(panel).to_contain_text("what shape is this")
        panel.get_by_role("button", name="Finish speaking").click()
        expect(page.get_by_role("textbox", name="Message")).to_have_value("what shape is this")
        ask(page, "every 1 ms: It is a star. It is red.")
        page.get_by_role("button", name="Read aloud").click()
        expect(page.locator("#status")).to_have_text("The server has no voice; the browser’s own speaks.")
        until(page, "saidByBrowser.length === 2")
        assert page.evaluate("saidByBrowser") == ["It is a star.", "It is red."]
        context.close()


def test_recording_is_a_wave_file_of_16_khz_that_keeps_its_pitch(open_listening) -> None:
    page = open_listening({})
    data = page.evaluate("""async () => {
        const main = document.querySelector('script[type=module]').src;
        const {resampled, wav} = await import(new URL('voice/wav.js', main));
        const frames = Array.from({length: 50}, (_, frame) => Float32Array.from(
            {length: 960}, (_, at) => 0.5 * Math.sin((2 * Math.PI * 440 * (frame * 960 + at)) / 48000)));
        return [...new Uint8Array(await wav(await resampled(frames, 48000)).arrayBuffer())];
    }""")
    with wave.open(io.BytesIO(bytes(data))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples = np.frombuffer(file.readframes(20_000), np.int16)
    assert len(samples) == 16_000
    assert np.argmax(np.abs(np.fft.rfft(samples))) == 440
    assert 15_500 < np.abs(samples).max() < 17_300
