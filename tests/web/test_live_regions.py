"""What a screen reader is told while an answer comes: these words, in this order, and nothing else."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

WATCH = """() => {
    window.told = [];
    const live = '[role=status], [role=log], [role=alert], [aria-live]:not([aria-live=off])';
    new MutationObserver((records) => {
        for (const record of records) {
            const element = record.target.nodeType === 1 ? record.target : record.target.parentElement;
            const region = element?.closest(live);
            if (!region) continue;
            for (const node of record.addedNodes) {
                if (node.textContent.trim()) window.told.push([region.id || region.className, node.textContent]);
            }
        }
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def ask(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")


def test_there_are_two_live_regions_and_an_alert_and_no_other(open_page) -> None:
    page = open_page()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    ids = page.locator("[role=status], [role=log], [role=alert], [aria-live]").evaluate_all(
        "all => all.map(one => one.id)"
    )
    assert ids == ["status", "log", "alert"]


def test_answer_is_told_once_and_whole_when_it_is_finished(open_page) -> None:
    page = open_page()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.evaluate(WATCH)
    ask(page, "every 20 ms: # A sign\n\nIt says **stop**.\n\n- red\n- white")
    expect(page.locator("#log")).to_contain_text("white")
    assert page.evaluate("told") == [
        ["status", "Clearsight is answering."],
        ["status", "Answer finished."],
        ["log", "A sign\nIt says stop.\nred\nwhite"],
    ]
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_long_answer_says_every_seven_seconds_that_it_goes_on_and_that_it_was_stopped(open_page) -> None:
    page = open_page()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.clock.install()
    page.evaluate(WATCH)
    ask(page, "every 100 ms: " + " ".join(f"w{number}" for number in range(300)))
    expect(page.locator("clear-prose")).to_contain_text("w1")
    page.clock.run_for(14_500)
    page.keyboard.press("Alt+Shift+S")
    expect(page.locator("#status")).to_have_text("Answer stopped.")
    told = page.evaluate("told")
    assert told[:4] == [
        ["status", "Clearsight is answering."],
        ["status", "Still working."],
        ["status", "Still working."],
        ["status", "Answer stopped."],
    ]
    assert [region for region, _ in told[4:]] == ["log"]


def test_last_answer_can_be_reached_and_read_out_again_by_keyboard(open_page) -> None:
    page = open_page()
    ask(page, "every 1 ms: the only answer")
    expect(page.locator("#log")).to_have_text("the only answer")
    page.evaluate(WATCH)
    page.keyboard.press("Alt+Shift+R")
    page.wait_for_function("told.length > 0")
    assert page.evaluate("told") == [["log", "the only answer"]]
    page.keyboard.press("Alt+Shift+A")
    expect(page.locator("article.assistant")).to_be_focused()
    page.keyboard.press("Alt+Shift+C")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_error_is_an_alert_that_can_be_closed(open_page) -> None:
    page = open_page("/#/c/conv_unknown")
    expect(page.get_by_role("alert")).to_contain_text("There is no such conversation")
    page.get_by_role("button", name="Close this notice").click()
    expect(page.get_by_role("alert")).to_be_empty()
