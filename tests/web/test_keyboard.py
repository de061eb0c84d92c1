"""The first visit by keyboard alone: the link, a picture, a mark, a question, its answer, and the answer read aloud."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.test_voice import LISTEN, until

pytestmark = [pytest.mark.slow, pytest.mark.bundled]
MOST_TABS = 60
NAME = """() => {
    const one = document.activeElement;
    return (one.getAttribute('aria-label') ?? one.textContent ?? '').trim();
}"""


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until what is named has the focus."""
    passed = []
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        passed.append(page.evaluate(NAME))
        if passed[-1] == name:
            return
    raise AssertionError(f"{name} can't be reached, only {passed}")


def test_first_visit_to_an_answer_read_aloud(served, browser) -> None:
    context = browser.new_context(service_workers="block")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.add_init_script(f"({LISTEN})()")
    page.goto(served.login_link())
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    tab_to(page, "Take a picture")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take the picture")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".attachment.ready")).to_have_count(1)
    page.keyboard.press("Alt+Shift+C")
    tab_to(page, "Mark or crop picture 1", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("application", name="Picture to mark")).to_be_focused()
    for key in ("Shift+ArrowLeft", "Enter", "n"):
        page.keyboard.press(key)
    expect(page.get_by_role("textbox", name="Note for mark 1")).to_be_focused()
    page.keyboard.type("this")
    tab_to(page, "Use it like this")
    page.keyboard.press("Enter")
    expect(page.locator(".attachment.ready")).to_contain_text("1 mark")
    page.keyboard.press("Alt+Shift+C")
    page.keyboard.type("every 1 ms: It is the green thing.")
    page.keyboard.press("Enter")
    answer = page.locator("article.assistant")
    expect(answer.get_by_text("It is the green thing.")).to_be_visible()
    expect(answer.get_by_role("button", name="Answer again")).to_be_enabled()
    page.keyboard.press("Alt+Shift+A")
    expect(answer).to_be_focused()
    tab_to(page, "Read aloud")
    page.keyboard.press("Enter")
    until(page, "heardFrom > 0", 60)
    page.keyboard.press("Escape")
    expect(page.locator("section.voice")).to_have_count(0)
    context.close()
