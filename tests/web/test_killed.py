"""The server is killed while it answers, and started again: the page goes on, and nothing typed is lost."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.server_process import start

pytestmark = [pytest.mark.slow, pytest.mark.bundled]


def test_page_goes_on_after_the_server_was_killed_in_mid_answer(
    browser: Browser, tmp_path: Path, parrot: str
) -> None:
    config = f'[models.parrot]\nupstream = ["{parrot}"]\n'
    server = start(tmp_path, config).wait()
    context = browser.new_context()
    context.set_default_timeout(30_000)
    page = context.new_page()
    try:
        page.goto(server.link)
        box = page.get_by_role("textbox", name="Message")
        box.fill("every 300 ms: " + " ".join(f"word{number}" for number in range(200)))
        box.press("Enter")
        answer = page.locator("article.assistant")
        expect(answer).to_contain_text("word3")
        server.kill()
        expect(page.get_by_text("The connection is lost").first).to_be_visible()
        box.fill("I was just typing this")
        server = start(tmp_path, config, server.port).wait()
        expect(page.get_by_text("The server stopped while this was being written.").first).to_be_visible(
            timeout=60_000
        )
        expect(answer).to_contain_text("word0")
        expect(box).to_have_value("I was just typing this")
        page.get_by_role("button", name="Answer again").click()
        expect(page.locator("article.assistant")).to_contain_text("word5")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("Stopped here.")).to_be_visible()
        page.reload()
        expect(box).to_have_value("I was just typing this")
        box.fill("every 1 ms: Still here.")
        box.press("Enter")
        expect(page.locator("article.assistant").last).to_contain_text("Still here.")
    finally:
        context.close()
        server.kill()
