"""A model with experts: what they told it is counted, shown under the eye, and made once for each organisation."""

import base64
import io
import time
from collections.abc import Iterator

import httpx2
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from clearsight.web import folder
from tests.server.serving import Served, serving
from tests.web.looking import complaints

pytestmark = pytest.mark.slow
pytest.importorskip("rapidocr")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the bundled model twice: with experts and without."""
    models = {
        "told": {"path": "mini", "threads": 1, "experts": True},
        "alone": {"path": "mini", "threads": 1},
    }
    with serving(tmp_path_factory.mktemp("told"), folder(), models=models) as server:
        yield server


@pytest.fixture(scope="module")
def sign() -> bytes:
    picture = Image.new("RGB", (480, 200), "white")
    ImageDraw.Draw(picture).text((60, 70), "Platform 9", fill="black", font_size=48)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def ask(server: Served, model: str, sign: bytes) -> tuple[int, float]:
    """Tokens of the prompt, and seconds of the answer."""
    url = f"data:image/png;base64,{base64.b64encode(sign).decode()}"
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "What does the sign say?"},
    ]
    body = {
        "model": model,
        "max_completion_tokens": 4,
        "messages": [{"role": "user", "content": content}],
    }
    began = time.monotonic()
    said = httpx2.post(f"{server.url}/v1/chat/completions", json=body, headers=server.headers, timeout=120)
    assert said.status_code == 200, said.text
    return said.json()["usage"]["prompt_tokens"], time.monotonic() - began


def test_what_a_model_is_told_is_part_of_its_prompt(told: Served, sign: bytes) -> None:
    alone, with_experts = ask(told, "alone", sign), ask(told, "told", sign)
    assert alone[0] + 5 < with_experts[0] < alone[0] + 60


def test_the_notes_of_a_picture_can_be_asked_for(told: Served, sign: bytes) -> None:
    form = {"file": ("sign.png", sign, "image/png")}
    kept = httpx2.post(f"{told.url}/v1/images", files=form, headers=told.headers, timeout=60).json()["sha256"]
    address = f"{told.url}/v1/images/{kept}/notes"
    notes = httpx2.get(address, params={"model": "told"}, headers=told.headers, timeout=60).json()
    assert notes["object"] == "image.notes" and notes["model"] == "told"
    assert {"by": "PP-OCR", "text": "Platform 9"} in notes["notes"]
    none = httpx2.get(address, params={"model": "alone"}, headers=told.headers, timeout=60).json()
    assert none["notes"] == []


def test_the_page_shows_what_the_model_was_told(told: Served, sign: bytes, browser: Browser) -> None:
    context = browser.new_context(service_workers="block")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(told.login_link())
    page.locator("#picker").set_input_files({"name": "sign.png", "mimeType": "image/png", "buffer": sign})
    expect(page.locator(".attachment.ready").last).to_be_visible()
    page.get_by_role("button", name="What the model saw").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Platform 9")).to_be_visible()
    expect(dialog.get_by_text("Text in the picture, as PP-OCR reads it")).to_be_visible()
    expect(dialog.get_by_text("They can be wrong.").first).to_be_visible()
    assert complaints(page) == []
    context.close()
