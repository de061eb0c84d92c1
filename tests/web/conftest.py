"""A real server with the bundled model, and a browser beside it: both once for all tests of the client."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from benchmarks.server_process import free_port
from clearsight.web import folder
from tests.server.serving import Served, serving

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def parrot() -> Iterator[str]:
    """The address of a model that says what it is asked to say; see parrot.py."""
    port = free_port()
    program = Path(__file__).with_name("parrot.py")
    process = subprocess.Popen([sys.executable, str(program), str(port)])
    yield f"http://127.0.0.1:{port}/v1#parrot"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, parrot: str) -> Iterator[Served]:
    """A server on a free port with the bundled model and the parrot, ready to answer."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs {CHROMIUM}")
    models = {"parrot": {"upstream": [parrot]}, "mini": {"path": "mini", "threads": 1}}
    with serving(tmp_path_factory.mktemp("web"), folder(), models=models) as server:
        yield server


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with a pretended camera and microphone, both allowed."""
    launched = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    )
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def signed_in(served: Served, browser: Browser) -> dict:
    """The cookies of the owner, who came by the first link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.login_link())
    page.get_by_role("textbox", name="Message").wait_for()
    state = context.storage_state()
    context.close()
    return state


Open = Callable[..., Page]


@pytest.fixture
def open_page(served: Served, browser: Browser, signed_in: dict) -> Iterator[Open]:
    """open_page(path, **context options): a page of somebody who is logged in. Console errors fail the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(path: str = "/#/", **options: object) -> Page:
        options.setdefault("storage_state", signed_in)
        options.setdefault("service_workers", "block")
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None,
        )
        page.goto(served.url + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not wrong, f"the page failed: {wrong}"


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A picture that the bundled model knows something about: one blue disc."""
    image = Image.new("RGB", (320, 240), "#fde0dc")
    ImageDraw.Draw(image).ellipse((90, 50, 220, 180), fill="#1a4fd0")
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def unseen_picture() -> bytes:
    """A picture that nobody sent before, so that no model has described it."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (40, 30), os.urandom(3600)).save(buffer, format="PNG")
    return buffer.getvalue()
