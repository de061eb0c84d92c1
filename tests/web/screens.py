"""Photographs the client for docs/screens: python -m tests.web.screens

A real server with the bundled model, Debian's Chromium, every view in light, the main ones in dark, high contrast and
at 320 and 390 pixels. Look at them after every change of the client.
"""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from serving import Served, serving

from clearsight import mini
from clearsight.web import folder

OUT = Path(__file__).parents[2] / "docs" / "screens"
CHROMIUM = "/usr/bin/chromium"
WIDE = {"width": 1200, "height": 760}
PHONE = {"width": 390, "height": 780}
NARROW = {"width": 320, "height": 700}


def keep(page: Page, name: str) -> None:
    """A picture of what is seen, small."""
    page.wait_for_timeout(400)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(OUT / f"{name}.webp", quality=80, method=6)
    print(OUT / f"{name}.webp")


def message_box(page: Page) -> None:
    page.get_by_role("textbox", name="Message").wait_for()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name), client=folder()) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        state = first_visit(browser, server)
        for theme, scheme in (("dark", "dark"), ("contrast", "light")):
            in_theme(browser, server, state, theme, scheme)
        for label, size in (("phone", PHONE), ("narrow", NARROW)):
            small(browser, server, state, label, size)
        browser.close()


def first_visit(browser: Browser, server: Served) -> dict[str, object]:
    """From the owner's link to an answer; every view on the way."""
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{server.url}/")
    page.wait_for_timeout(1000)
    keep(page, "login")
    page.goto(server.link)
    message_box(page)
    keep(page, "empty")
    page.get_by_role("button", name="What shape is this?").click()
    page.get_by_role("button", name="Copy").first.wait_for()
    page.wait_for_timeout(1500)
    keep(page, "answer")
    attempt(page, "marks", lambda: marked(page))
    attempt(page, "settings", lambda: page.get_by_role("button", name="Settings", exact=True).first.click())
    page.keyboard.press("Escape")
    attempt(page, "shortcuts", lambda: page.get_by_role("button", name="Keyboard shortcuts").first.click())
    page.keyboard.press("Escape")
    page.goto(f"{server.url}/#/describe")
    page.get_by_role("button", name="Take a picture").wait_for()
    keep(page, "describe")
    attempt(page, "described", lambda: described(page))
    return context.storage_state()  # type: ignore[return-value]


def marked(page: Page) -> None:
    """The editor, with a pin and a box set by keys."""
    page.get_by_role("button", name="New conversation").first.click()
    message_box(page)
    page.locator("input[type=file]").first.set_input_files(str(mini.bundled_folder() / "sample.png"))
    page.get_by_role("button", name="Mark").first.click()
    page.wait_for_timeout(800)


def described(page: Page) -> None:
    page.locator("input[type=file]").first.set_input_files(str(mini.bundled_folder() / "sample.png"))
    page.get_by_role("button", name="More detail").wait_for()


def attempt(page: Page, name: str, lead: Callable[[], object]) -> None:
    """A view that has to be reached first; what fails says so and leaves the old picture."""
    try:
        lead()
        keep(page, name)
    except Exception as error:
        print(f"{name} can't be reached: {str(error).splitlines()[0]}", file=sys.stderr)
    page.keyboard.press("Escape")


def in_theme(browser: Browser, server: Served, state: object, theme: str, scheme: str) -> None:
    context = browser.new_context(viewport=WIDE, color_scheme=scheme, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{server.url}/")
    message_box(page)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    keep(page, f"empty_{theme}")
    page.get_by_role("link", name="What shape is this?").first.click()
    page.get_by_role("button", name="Copy").first.wait_for()
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    keep(page, f"answer_{theme}")
    page.goto(f"{server.url}/#/describe")
    page.get_by_role("button", name="Take a picture").wait_for()
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    keep(page, f"describe_{theme}")
    context.close()


def small(browser: Browser, server: Served, state: object, label: str, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=size, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{server.url}/")
    message_box(page)
    keep(page, f"empty_{label}")
    page.goto(f"{server.url}/#/describe")
    page.get_by_role("button", name="Take a picture").wait_for()
    keep(page, f"describe_{label}")
    context.close()


if __name__ == "__main__":
    main()
