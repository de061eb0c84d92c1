"""A conversation of five hundred messages and twenty pictures is opened, walked through, and goes on."""

import pytest
from playwright.sync_api import expect

from benchmarks.client import PICTURES, export_of, imported, picture
from tests.web.looking import complaints, with_mini

pytestmark = pytest.mark.slow
MESSAGES = 500


def test_five_hundred_messages_with_twenty_pictures_open_at_their_end_and_go_on(open_page) -> None:
    page = open_page()
    page.get_by_role("textbox", name="Message").wait_for()
    address = page.url.split("/#")[0]
    page.goto(f"{address}/#/c/{imported(page, address, export_of(MESSAGES))}")
    articles = page.locator("article.message")
    expect(articles).to_have_count(MESSAGES)
    expect(articles.last).to_be_in_viewport()
    assert page.locator("article.user img").count() == PICTURES
    page.keyboard.press("Alt+Shift+A")
    expect(articles.last).to_be_focused()
    articles.first.scroll_into_view_if_needed()
    expect(page.locator("article.user img").first).to_have_js_property("naturalWidth", 640)
    page.get_by_role("button", name="To the end").click()
    expect(articles.last).to_be_in_viewport()
    box = page.get_by_role("textbox", name="Message")
    box.fill("Which of them is blue?")
    box.press("Enter")
    expect(articles).to_have_count(MESSAGES + 2)
    expect(page.get_by_role("button", name="Answer again").last).to_be_enabled(timeout=300_000)
    expect(articles.last.get_by_text("did not fit and were left out")).to_be_visible()
    assert complaints(page) == []


def test_twenty_pictures_are_sent_in_one_conversation(open_page) -> None:
    page = open_page()
    with_mini(page)
    box = page.get_by_role("textbox", name="Message")
    for turn in range(4):
        files = [
            {"name": f"{number}.png", "mimeType": "image/png", "buffer": picture(number)}
            for number in range(5 * turn, 5 * turn + 5)
        ]
        page.locator("#picker").set_input_files(files)
        expect(page.locator(".attachment.ready")).to_have_count(5)
        box.fill("Which colours are these?")
        box.press("Enter")
        expect(page.locator("article.message")).to_have_count(2 * turn + 2)
        expect(page.get_by_role("button", name="Answer again").last).to_be_enabled(timeout=300_000)
    address, _, conversation = page.url.partition("/#/c/")
    answers = page.request.get(f"{address}/v1/conversations/{conversation}").json()["messages"][1::2]
    seen = [answer["details"]["usage"]["prompt_tokens_details"]["image_tokens"] for answer in answers]
    assert seen == [turn * seen[0] for turn in range(1, 5)], "every turn sees all the pictures before it"
    expect(page.locator("article.user img")).to_have_count(20)
