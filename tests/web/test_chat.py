"""What somebody does with a conversation, in a browser against the real server."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow
LONG = " ".join(f"word{number}" for number in range(60))


def ask(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")


def last_answer(page: Page) -> str:
    return page.locator("article.assistant clear-prose").last.inner_text()


def finished(page: Page) -> None:
    again = page.locator("article.assistant").last.get_by_role("button", name="Answer again")
    expect(again).to_be_enabled(timeout=60_000)


def test_owner_comes_by_the_link_and_gets_an_answer_about_a_picture(served, browser: Browser) -> None:
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(served.url)
    expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()
    page.goto(served.login_link())
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    assert "login" not in page.url
    page.get_by_role("button", name="Settings of this conversation").click()
    page.get_by_label("Model").select_option("mini")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="What colour is the shape?").click()
    finished(page)
    assert re.search(r"\w", last_answer(page))
    expect(page.locator("article.user img")).to_have_attribute("alt", re.compile(r"\S"))
    expect(page.locator("article.assistant .usage")).to_contain_text("tokens read")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    context.close()


def test_cost_of_text_and_pictures_is_told_before_sending(open_page, picture: bytes) -> None:
    page = open_page()
    page.get_by_role("button", name="Settings of this conversation").click()
    page.get_by_label("Model").select_option("mini")
    page.get_by_role("button", name="Save").click()
    page.locator("#picker").set_input_files({"name": "disc.png", "mimeType": "image/png", "buffer": picture})
    page.get_by_role("textbox", name="Message").fill("Which colour is it?")
    expect(page.locator("#composer-cost")).to_have_text(
        re.compile(r"About [\d,]+ tokens, [\d,]+ of them for pictures")
    )


def test_edited_turn_becomes_a_sister_and_both_can_be_read(open_page) -> None:
    page = open_page()
    ask(page, "every 1 ms: first version")
    finished(page)
    page.get_by_role("button", name="Edit").click()
    box = page.get_by_role("textbox", name="Edit your message")
    expect(box).to_be_focused()
    box.fill("every 1 ms: second version")
    page.get_by_role("button", name="Send as a new branch").click()
    expect(page.get_by_text("2 of 2")).to_be_visible()
    expect(page.locator("clear-prose")).to_have_text("second version")
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator("clear-prose")).to_have_text("first version")
    finished(page)
    page.get_by_role("button", name="Answer again").click()
    expect(page.locator("article.assistant").get_by_text("2 of 2")).to_be_visible()


def test_stopped_answer_keeps_what_was_said(open_page) -> None:
    page = open_page()
    ask(page, f"every 200 ms: {LONG}")
    expect(page.locator("clear-prose")).to_contain_text("word2")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped here.")).to_be_visible()
    kept = last_answer(page)
    assert LONG.startswith(kept.strip()) and kept.strip() != LONG
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_reload_in_mid_stream_loses_no_word(open_page) -> None:
    page = open_page()
    text = LONG.replace("word7 ", "🦜🦜 ").replace("word30 ", "naïve ")
    ask(page, f"every 60 ms: {text}")
    expect(page.locator("clear-prose")).to_contain_text("word10")
    page.reload()
    expect(page.locator("clear-prose")).to_have_text(text, timeout=30_000)
    finished(page)


def test_lost_connection_in_mid_stream_loses_no_word(open_page) -> None:
    page = open_page()
    ask(page, f"every 80 ms: {LONG}")
    expect(page.locator("clear-prose")).to_contain_text("word3")
    page.context.set_offline(True)
    expect(page.get_by_text("No connection to the server. What you have")).to_be_visible()
    page.wait_for_timeout(500)
    page.context.set_offline(False)
    expect(page.locator("clear-prose")).to_have_text(LONG, timeout=30_000)
    expect(page.get_by_text("No connection to the server. What you have")).to_be_hidden()


def test_draft_survives_closing_the_page_and_is_kept_by_conversation(open_page) -> None:
    page = open_page()
    page.get_by_role("textbox", name="Message").fill("half a thought")
    page.reload()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("half a thought")
    assert "session" not in page.evaluate("JSON.stringify(localStorage)")


def test_pictures_by_paste_and_drop_go_out_in_the_order_that_was_chosen(
    open_page, unseen_picture: bytes
) -> None:
    page = open_page()
    put = """([bytes, kind]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], `${kind}.png`, {type: "image/png"}));
        const box = document.getElementById("composer-text");
        const event = kind === "paste"
            ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
            : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        box.dispatchEvent(event);
    }"""
    page.evaluate(put, [list(unseen_picture), "paste"])
    page.evaluate(put, [list(unseen_picture), "drop"])
    expect(page.locator(".attachment.ready")).to_have_count(2)
    page.get_by_role("button", name="Move picture 2 earlier").click()
    names = page.locator(".attachment img").evaluate_all("all => all.map(one => one.alt)")
    assert names == ["Picture 1: drop.png", "Picture 2: paste.png"]


def test_renaming_pinning_searching_and_deleting(open_page) -> None:
    page = open_page()
    ask(page, "every 1 ms: a lighthouse at dusk")
    finished(page)
    page.get_by_role("button", name="More for").last.click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("Harbour")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Harbour", level=1)).to_be_visible()
    page.get_by_role("button", name="More for Harbour").last.click()
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
    page.get_by_role("searchbox").fill("lighthouse")
    expect(page.locator(".entry")).to_have_count(1)
    page.get_by_role("button", name="More for Harbour").last.click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing found.", exact=True).first).to_be_attached()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()


def test_shared_page_can_be_read_by_strangers_with_its_pictures_until_it_is_ended(
    open_page, browser: Browser, picture: bytes
) -> None:
    page = open_page()
    page.locator("#picker").set_input_files({"name": "disc.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator(".attachment.ready")).to_have_count(1)
    ask(page, "every 1 ms: a **bold** word")
    finished(page)
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#share-link").input_value()
    stranger = browser.new_context(service_workers="block").new_page()
    stranger.goto(link)
    expect(stranger.locator("clear-prose strong")).to_have_text("bold")
    image = stranger.locator("article.user img")
    expect(image).to_be_visible()
    assert image.evaluate("one => one.decode().then(() => one.naturalWidth)") == 320
    assert stranger.get_by_role("textbox").count() == 0
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_role("button", name="Make a link")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_text("There is nothing under this link")).to_be_visible()
    stranger.context.close()


def test_downloads_hold_the_conversation(open_page, tmp_path: Path) -> None:
    page = open_page()
    ask(page, "every 1 ms: kept **words**")
    finished(page)
    page.get_by_role("button", name="More for").last.click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download as Markdown").click()
    caught.value.save_as(tmp_path / "kept.md")
    text = (tmp_path / "kept.md").read_text(encoding="utf-8")
    assert "## Clearsight said\n\nkept **words**" in text


def test_two_tabs_show_the_same_answer(open_page) -> None:
    page = open_page()
    ask(page, f"every 40 ms: {LONG}")
    expect(page.locator("clear-prose")).to_contain_text("word2")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("clear-prose")).to_have_text(LONG, timeout=30_000)
    expect(page.locator("clear-prose")).to_have_text(LONG, timeout=30_000)


def test_page_opens_without_a_network_and_says_so(open_page, served) -> None:
    page = open_page(service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.keys().then(names => names.length > 0)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("The server can't be reached").first).to_be_attached()
    page.context.set_offline(False)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible(timeout=20_000)
