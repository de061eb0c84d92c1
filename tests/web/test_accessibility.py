"""Each view in each theme without a complaint of axe, at 320 pixels, with large text, by keyboard alone."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.web.looking import THEMES, complaints, set_theme

pytestmark = pytest.mark.slow
TEXT = """every 1 ms: ## Hours

| Day | Opens |
|:--|--:|
| Monday | 08:30 |

1. Use the `left` door
   - mind the step

> cut off here

- [x] read

```python
print("x")
```

See [this](https://example.org). $x^2$
"""
PHONE = {"viewport": {"width": 320, "height": 640}}


def conversation(page: Page, picture: bytes) -> Page:
    page.locator("#picker").set_input_files({"name": "disc.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator(".attachment.ready")).to_have_count(1)
    box = page.get_by_role("textbox", name="Message")
    box.fill(TEXT)
    box.press("Enter")
    expect(page.get_by_role("button", name="Answer again")).to_be_enabled(timeout=60_000)
    expect(page.locator(".katex").first).to_be_attached()
    return page


def test_axe_has_no_complaint_in_any_view_and_theme(open_page, picture: bytes) -> None:
    page = open_page(reduced_motion="reduce")
    found: dict[str, list[str]] = {}

    def look(view: str) -> None:
        for theme in THEMES:
            set_theme(page, theme)
            if wrong := complaints(page):
                found[f"{view}, {theme}"] = wrong

    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    look("empty")
    conversation(page, picture)
    look("conversation")
    page.get_by_role("button", name="Edit", exact=True).click()
    look("editing")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="More for").last.click()
    look("menu")
    page.keyboard.press("Escape")
    for name in ("Share", "Bad answer", "Report"):
        page.get_by_role("button", name=name, exact=True).click()
        look(name)
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.keyboard.press("Alt+Shift+K")
    look("shortcuts")
    page.keyboard.press("Escape")
    page.evaluate("location.hash = '#/settings'")
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_focused()
    look("settings")
    page.context.clear_cookies()
    page.reload()
    expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()
    look("login")
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize(
    "options", [PHONE, {"viewport": {"width": 640, "height": 700}, "device_scale_factor": 2}]
)
def test_nothing_needs_sideways_scrolling_at_320_pixels_or_with_large_text(
    open_page, picture: bytes, options: dict
) -> None:
    page = conversation(open_page(**options), picture)
    if "device_scale_factor" in options:
        page.evaluate("document.documentElement.style.fontSize = '200%'")
    for path in (page.url, page.url.split("#")[0] + "#/settings", page.url.split("#")[0] + "#/"):
        page.goto(path)
        page.wait_for_timeout(400)
        width, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= seen, path
        wide = page.evaluate(
            """() => [...document.querySelectorAll(".column *")].filter((one) =>
                one.getBoundingClientRect().right > innerWidth + 1
                && !one.closest(".frame-scroll, .unseen, .formula-drawn")
            ).map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert not wide, path


def test_every_target_is_large_enough(open_page, picture: bytes) -> None:
    page = conversation(open_page(**PHONE), picture)
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, a[href], input, textarea, select")].filter((one) => {
            const { width, height } = one.getBoundingClientRect();
            return width > 0 && one.offsetParent && (width < 24 || height < 24)
                && !one.closest(".unseen, .skip, .prose p, .prose li") && !one.matches(".unseen, .check input");
        }).map((one) => one.outerHTML.slice(0, 100))"""
    )
    assert not small


def test_sidebar_on_a_phone_opens_and_closes_by_keyboard_and_keeps_focus(open_page) -> None:
    page = open_page(**PHONE)
    menu = page.get_by_role("button", name="Open conversations")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(page.get_by_role("searchbox")).to_be_hidden()


def test_focus_is_never_under_the_composer(open_page, picture: bytes) -> None:
    page = conversation(open_page(**PHONE), picture)
    page.get_by_role("textbox", name="Message").focus()
    for _ in range(25):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(
            """() => {
                const one = document.activeElement;
                const composer = document.querySelector(".below");
                if (!one.closest(".scroll")) return null;
                const place = one.getBoundingClientRect();
                return place.top >= composer.getBoundingClientRect().top ? one.outerHTML.slice(0, 100) : null;
            }"""
        )
        assert hidden is None


def test_page_for_those_who_are_not_logged_in_fits_and_has_no_complaint(open_page) -> None:
    page = open_page(storage_state=None, **PHONE)
    expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    card, button = (page.locator(one).bounding_box() for one in (".login-card", ".login-card button"))
    assert card is not None and button is not None
    assert card["x"] >= 0 and button["x"] + button["width"] < card["x"] + card["width"] <= 320
    assert complaints(page) == []


def test_skip_links_come_first_and_work(open_page) -> None:
    page = open_page()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    first = page.evaluate(
        "document.querySelector('a[href], button, input, textarea, [tabindex]').textContent"
    )
    assert first.strip() == "Skip to the message box"
    page.get_by_role("link", name="Skip to the message box").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_shortcuts_can_be_turned_off(open_page) -> None:
    page = open_page("/#/settings")
    box = page.get_by_label("Keyboard shortcuts with Alt+Shift")
    box.uncheck()
    page.keyboard.press("Alt+Shift+K")
    expect(page.get_by_role("dialog")).to_be_hidden()
    box.check()
    page.keyboard.press("Alt+Shift+K")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.wait_for_timeout(800)  # the account has it again
