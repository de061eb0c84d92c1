"""Describe for me: from one button to a result that is read out once, advice first."""

import io

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from playwright.sync_api import Page, expect

from tests.web.looking import THEMES, complaints, set_theme, with_mini

pytestmark = pytest.mark.slow
WATCH = """() => {
    window.told = [];
    for (const id of ['status', 'log', 'alert']) {
        new MutationObserver((records) => {
            const added = records.flatMap((record) => [...record.addedNodes]);
            for (const node of added) window.told.push([id, node.textContent]);
        }).observe(document.getElementById(id), {childList: true});
    }
}"""


def blurred(picture: bytes) -> bytes:
    buffer = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB").filter(ImageFilter.GaussianBlur(6))
    whole.save(buffer, "PNG")
    return buffer.getvalue()


def choose(page: Page, data: bytes) -> None:
    page.locator("#describe-file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": data})


def test_result_is_read_out_once_with_what_is_wrong_with_the_picture_first(open_page, picture: bytes) -> None:
    page = open_page("/#/describe")
    expect(page.get_by_role("heading", name="Describe for me")).to_be_focused()
    with_mini(page)
    page.evaluate(WATCH)
    choose(page, blurred(picture))
    expect(page.get_by_role("button", name="More detail")).to_be_visible(timeout=120_000)
    told = [entry for entry in page.evaluate("told") if entry[1] != "Still working."]
    assert [region for region, _ in told] == ["status", "status", "log"]
    assert told[0][1] == "Looking at the picture…"
    advice = "It is blurred. Hold still, and keep the camera a hand's length or more away."
    assert told[2][1].startswith(advice)
    description = page.locator(".description").evaluate("one => one.textContent.trim()")
    assert told[2][1].removeprefix(advice).strip().startswith(description)
    expect(page.locator(".describe-advice")).to_contain_text("Hold still")
    expect(page.get_by_text("more, the model")).to_be_visible()


def test_writing_is_shown_and_read_out_word_for_word(open_page) -> None:
    picture = Image.new("RGB", (640, 240), "#fff8e8")
    font = ImageFont.load_default(44)
    for number, line in enumerate(("Milk 1.5 litres", "Best before 12 May")):
        ImageDraw.Draw(picture).text((40, 40 + 90 * number), line, fill="#202020", font=font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    page = open_page("/#/describe", viewport={"width": 320, "height": 640})
    with_mini(page)
    page.evaluate(WATCH)
    choose(page, buffer.getvalue())
    read = page.get_by_role("button", name="Read the text")
    expect(read).to_be_visible(timeout=120_000)
    expect(page.locator(".writing")).to_have_text("Milk 1.5 litres\nBest before 12 May")
    expect(page.locator(".describe-cautions")).to_contain_text("This is about a date.")
    whole = page.evaluate("told").pop()[1]
    assert "Writing in the picture: Milk 1.5 litres, Best before 12 May." in whole
    assert complaints(page) == []
    read.press("Enter")
    assert page.evaluate("told").pop() == ["log", "Milk 1.5 litres\nBest before 12 May"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_camera_leads_to_a_result_and_questions_go_on_as_a_conversation(open_page) -> None:
    page = open_page("/#/describe", viewport={"width": 320, "height": 640})
    with_mini(page)
    for theme in THEMES:
        set_theme(page, theme)
        assert complaints(page) == []
    page.get_by_role("button", name="Take a picture").press("Enter")
    shutter = page.get_by_role("button", name="Take the picture")
    expect(shutter).to_be_focused(timeout=20_000)
    shutter.press("Enter")
    ask = page.get_by_role("button", name="Ask something")
    expect(ask).to_be_visible(timeout=120_000)
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    expect(page.get_by_role("link", name="Hand over to a person")).to_have_count(0)
    page.get_by_role("button", name="More detail").press("Enter")
    expect(ask).to_be_visible(timeout=120_000)
    ask.press("Enter")
    expect(page.locator("article.user")).to_have_count(2)
    expect(page.locator("article.user").first).to_contain_text("Describe this picture.")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_doubtful_words_of_an_answer_are_marked_and_said(open_page, picture: bytes) -> None:
    page = open_page()
    with_mini(page)
    page.locator("#picker").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator(".attachment.ready")).to_have_count(1)
    page.get_by_role("textbox", name="Message").fill("Read the long text in the picture, letter by letter.")
    page.get_by_role("textbox", name="Message").press("Enter")
    page.get_by_role("button", name="How sure is this?").press("Enter", timeout=90_000)
    note = page.locator(".actions .usage", has_text="Unsure").or_(
        page.locator(".actions .usage", has_text="Asked")
    )
    expect(note.first).to_be_visible(timeout=90_000)
    if "Unsure" in note.first.inner_text():
        expect(page.locator("article.assistant .doubt .unseen").first).to_have_text(" (unsure)")
    assert complaints(page) == []
