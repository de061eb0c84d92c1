"""Photographs the client for docs/screens: python -m tests.web.screens [view ...]

A real server with the bundled model and Debian's Chromium; every view in light, dark and high contrast, and in light
at 390 and 320 pixels. Look at them after every change of the client.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from serving import Served, serving

from clearsight import mini
from clearsight.web import folder

OUT = Path(__file__).parents[2] / "docs" / "screens"
CHROMIUM = "/usr/bin/chromium"
WIDE, PHONE, NARROW = (
    ViewportSize(width=width, height=height) for width, height in ((1200, 760), (390, 780), (320, 700))
)
LOOKS = {
    "": ("light", WIDE),
    "dark": ("dark", WIDE),
    "contrast": ("contrast", WIDE),
    "phone": ("light", PHONE),
    "narrow": ("light", NARROW),
}


@dataclass
class Visit:
    """One page of somebody who is logged in (`login`: who isn't), with a conversation at hand."""

    page: Page
    server: Served
    conversation: str

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}/{path}")
        self.page.locator("main").wait_for()

    def new(self) -> None:
        self.open("#/")
        self.page.get_by_role("textbox", name="Message").wait_for()

    def answered(self) -> None:
        self.open(f"#/c/{self.conversation}")
        self.page.get_by_role("button", name="Copy answer").wait_for()

    def press(self, name: str, last: bool = False) -> None:
        found = self.page.get_by_role("button", name=name)
        (found.last if last else found.first).click()

    def with_picture(self) -> None:
        self.new()
        self.page.locator("#picker").set_input_files(str(mini.bundled_folder() / "sample.png"))
        self.page.locator(".attachment.ready").wait_for()


def marks(visit: Visit) -> None:
    visit.with_picture()
    visit.press("Mark or crop picture 1")
    stage = visit.page.get_by_role("application")
    stage.wait_for()
    visit.page.wait_for_timeout(300)
    stage.focus()
    for key in ("Shift+ArrowUp", "Enter", "Shift+ArrowDown", "Shift+ArrowLeft"):
        visit.page.keyboard.press(key)
    visit.page.locator("label", has_text="Box").click()
    stage.focus()
    for key in ("Enter", *["Shift+ArrowRight"] * 2, *["Shift+ArrowDown"] * 2, "Enter"):
        visit.page.keyboard.press(key)


def camera(visit: Visit) -> None:
    visit.new()
    visit.press("Take a picture")
    visit.page.locator("#shutter").wait_for()


def seen(visit: Visit) -> None:
    visit.with_picture()
    visit.press("What the model saw")
    visit.page.get_by_role("img", name="cut into tiles").wait_for()


def share(visit: Visit) -> None:
    visit.answered()
    visit.press("Share")
    visit.page.get_by_role("dialog").get_by_role("button", name="Make a").click()
    visit.page.locator("#share-link").wait_for()


def shared(visit: Visit) -> None:
    visit.new()
    request = visit.page.request
    csrf = request.get(f"{visit.server.url}/v1/session").json()["csrf_token"]
    link = request.post(
        f"{visit.server.url}/v1/conversations/{visit.conversation}/share", headers={"x-csrf-token": csrf}
    )
    visit.page.goto(link.json()["url"])
    visit.page.locator("article").first.wait_for()


def settings(visit: Visit) -> None:
    visit.open("#/settings")
    visit.page.get_by_role("heading", name="Voice").wait_for()


def settings_end(visit: Visit) -> None:
    settings(visit)
    visit.page.evaluate("for (const one of document.querySelectorAll('.scroll, main')) one.scrollTop = 1e6")


def conversation_settings(visit: Visit) -> None:
    visit.new()
    visit.press("Settings of this conversation")
    visit.page.get_by_role("dialog").wait_for()


def menu(visit: Visit) -> None:
    visit.answered()
    visit.press("More for", last=True)


def shortcuts(visit: Visit) -> None:
    visit.new()
    visit.page.keyboard.press("Alt+Shift+K")
    visit.page.get_by_role("dialog").wait_for()


def sidebar(visit: Visit) -> None:
    visit.answered()
    visit.page.keyboard.press("Alt+Shift+F")


def voice(visit: Visit) -> None:
    visit.new()
    visit.press("Speak your message")
    visit.page.get_by_text("Recording").first.wait_for()


def describe(visit: Visit) -> None:
    visit.open("#/describe")
    visit.page.get_by_role("button", name="Choose a picture").wait_for()


def described(visit: Visit) -> None:
    visit.open("#/describe")
    file = {"name": "sign.png", "mimeType": "image/png", "buffer": sign()}
    visit.page.locator("#describe-file").set_input_files(file)
    visit.page.get_by_role("button", name="More detail").wait_for()


VIEWS: dict[str, Callable[[Visit], None]] = {
    "login": lambda visit: visit.open(""),
    "empty": Visit.new,
    "picture": Visit.with_picture,
    "answer": Visit.answered,
    "menu": menu,
    "sidebar": sidebar,
    "share": share,
    "shared": shared,
    "marks": marks,
    "camera": camera,
    "seen": seen,
    "voice": voice,
    "settings": settings,
    "settings_end": settings_end,
    "conversation_settings": conversation_settings,
    "shortcuts": shortcuts,
    "describe": describe,
    "described": described,
}


def sign() -> bytes:
    """A picture with writing: an orange disc on a label."""
    picture = Image.new("RGB", (640, 480), "#fff6e0")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 120, 290, 350), fill="#e06a1c")
    for number, line in enumerate(("Orange juice", "1 litre", "Best before 12 May")):
        draw.text((320, 140 + 70 * number), line, fill="#202020", font=ImageFont.load_default(32))
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()


def keep(page: Page, name: str) -> None:
    """A picture of what is seen, small."""
    page.wait_for_timeout(500)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(OUT / f"{name}.webp", quality=75, method=6)


@contextmanager
def browsing() -> Iterator[tuple[Served, Browser]]:
    """A server, and a browser with a pretended camera and microphone."""
    pretended = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name), client=folder()) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *pretended])
        yield server, browser
        browser.close()


def first_visit(browser: Browser, server: Served) -> tuple[Any, str]:
    """The owner's cookies, and the id of a conversation about the sample picture."""
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server.link)
    page.get_by_role("button", name="What shape is this?").click()
    page.get_by_role("button", name="Copy answer").wait_for()
    state, conversation = context.storage_state(), page.url.partition("#/c/")[2]
    context.close()
    return state, conversation


def photograph(browser: Browser, server: Served, state: Any, conversation: str, view: str, look: str) -> None:
    """One view in one look."""
    theme, size = LOOKS[look]
    scheme = "dark" if theme == "dark" else "light"
    context = browser.new_context(
        viewport=size, color_scheme=scheme, storage_state=None if view == "login" else state
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    if view != "login":
        csrf = page.request.get(f"{server.url}/v1/session").json()["csrf_token"]
        kept = {"settings": {"client": {"theme": theme}}}
        page.request.put(f"{server.url}/v1/account/settings", headers={"x-csrf-token": csrf}, data=kept)
    VIEWS[view](Visit(page, server, conversation))
    keep(page, f"{view}_{look}".strip("_"))
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("views", nargs="*", metavar="view", help=f"all, or some of {', '.join(VIEWS)}")
    views = parser.parse_args().views or list(VIEWS)
    OUT.mkdir(parents=True, exist_ok=True)
    failed = []
    with browsing() as (server, browser):
        state, conversation = first_visit(browser, server)
        for view in views:
            for look in LOOKS:
                try:
                    photograph(browser, server, state, conversation, view, look)
                except Exception as error:  # the others are wanted all the same
                    failed.append(f"{view} {look}: {str(error).splitlines()[0]}")
                    print(failed[-1], file=sys.stderr)
            print(view, flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
