"""Taking, marking, cropping and looking closely at pictures, by keyboard alone unless a test says otherwise."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.web.looking import complaints, with_mini

pytestmark = pytest.mark.slow
PASTE = """([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
    const box = document.getElementById('composer-text');
    box.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def add(page: Page, picture: bytes, name: str = "disc.png") -> None:
    page.locator("#picker").set_input_files({"name": name, "mimeType": "image/png", "buffer": picture})
    expect(page.locator(".attachment.ready").last).to_be_visible()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def open_editor(page: Page) -> None:
    page.get_by_role("button", name="Mark or crop picture 1").press("Enter")
    expect(page.get_by_role("application", name="Picture to mark")).to_be_focused()


def kept_picture(page: Page) -> Image.Image:
    """What the server has of the picture that waits."""
    sha256 = page.evaluate("import(document.querySelector('script[type=module]').src.replace('main.js', 'state.js'))"
                           ".then(({app}) => app.attachments[0].sha256)")  # fmt: skip
    return Image.open(io.BytesIO(page.request.get(f"{page.url.split('#')[0]}v1/images/{sha256}").body()))


def test_pasted_picture_waits_in_the_composer_and_several_can_be_put_in_order(
    open_page, unseen_picture: bytes
) -> None:
    page = open_page()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.evaluate(PASTE, ["pasted.png", list(unseen_picture)])
    expect(page.locator(".attachment.ready")).to_have_count(1)
    add(page, unseen_picture, "second.png")
    page.get_by_role("button", name="Move picture 2 earlier").press("Enter")
    expect(page.locator(".attachment img").first).to_have_attribute("alt", re.compile("second.png"))
    expect(page.locator("#status")).to_contain_text("1")


def test_picture_is_taken_with_the_camera_by_keyboard_and_the_camera_is_let_go(open_page) -> None:
    page = open_page()
    button = page.get_by_role("button", name="Take a picture")
    button.press("Enter")
    shutter = page.get_by_role("button", name="Take the picture")
    expect(shutter).to_be_focused()
    assert complaints(page) == []
    page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
    shutter.press("Space")
    expect(page.locator(".attachment.ready")).to_have_count(1)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.evaluate("track.readyState") == "ended"
    assert kept_picture(page).width >= 320


def test_camera_that_is_denied_is_explained_with_what_to_do(open_page) -> None:
    page = open_page()
    page.evaluate(
        "() => {navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))}"
    )
    page.get_by_role("button", name="Take a picture").press("Enter")
    expect(page.locator("dialog").get_by_text("Allow it in the browser's settings").first).to_be_visible()
    expect(page.locator("dialog #alert")).to_contain_text("Allow it in the browser's settings")
    press(page, "Escape")
    expect(page.get_by_role("button", name="Take a picture")).to_be_focused()


def test_marks_set_by_keyboard_alone_reach_the_model_as_pixels_and_as_words(
    open_page, picture: bytes
) -> None:
    page = open_page()
    add(page, picture)
    open_editor(page)
    press(page, "Shift+ArrowLeft", "Shift+ArrowUp", "ArrowUp")
    expect(page.locator("dialog #status")).to_have_text("40 percent from left, 39 from top")
    press(page, "Enter", "n")
    expect(page.get_by_role("textbox", name="Note for mark 1")).to_be_focused()
    page.keyboard.type("this one")
    press(page, "Enter")  # back to the picture
    page.get_by_role("radio", name="Box").focus()
    press(page, "Space")
    page.get_by_role("application").focus()
    press(page, "Enter", "Shift+ArrowRight", "Shift+ArrowDown", "Enter")
    expect(page.locator("dialog #status")).to_have_text("Mark 2, Box, is set.")
    press(page, "Enter", "ArrowRight", "Enter", "Control+z")
    expect(page.locator(".mark-list li")).to_have_count(2)
    assert complaints(page) == []
    page.get_by_role("button", name="Use it like this").press("Enter")
    expect(page.locator(".attachment.ready")).to_contain_text("2 marks")
    assert any(pixel == (255, 194, 75) for _, pixel in kept_picture(page).convert("RGB").getcolors(1 << 24))
    with_mini(page)
    box = page.get_by_role("textbox", name="Message")
    box.fill("What is mark 1?")
    with page.expect_request(re.compile("/answers$")) as asked:
        box.press("Enter")
    part = asked.value.post_data_json["content"][0]
    assert part["marks"] == [
        {"kind": "pin", "number": 1, "points": [[0.4, 0.39]], "note": "this one"},
        {"kind": "box", "number": 2, "points": [[0.4, 0.39], [0.5, 0.49]], "note": ""},
    ]
    assert re.fullmatch("[0-9a-f]{64}", part["original"]) and part["original"] != part["sha256"]
    expect(page.locator("article.assistant clear-prose")).not_to_be_empty(timeout=90_000)
    expect(page.locator("article.user figcaption")).to_have_text("2 marks")


def test_crop_and_turn_by_keyboard_change_what_is_sent(open_page, picture: bytes) -> None:
    page = open_page()
    add(page, picture)
    width, height = Image.open(io.BytesIO(picture)).size
    open_editor(page)
    page.get_by_role("radio", name="Crop").focus()
    press(page, "Space")
    page.get_by_role("application").focus()
    press(page, *["Shift+ArrowLeft"] * 5, *["Shift+ArrowUp"] * 5, "Enter")
    press(page, *["Shift+ArrowRight"] * 5, *["Shift+ArrowDown"] * 10, "Enter")
    expect(page.locator("dialog #status")).to_have_text(
        "Cropped to 50 percent of the width and 100 of the height."
    )
    page.get_by_role("button", name="Rotate right").press("Enter")
    page.get_by_role("button", name="Use it like this").press("Enter")
    expect(page.locator("#status")).to_have_text("The picture is changed.")
    assert kept_picture(page).size == (height, width // 2)
    open_editor(page)  # the whole picture is still there to choose another part of
    page.get_by_role("button", name="Whole picture").press("Enter")
    page.get_by_role("button", name="Use it like this").press("Enter")
    expect(page.locator("#status")).to_have_text("The picture is changed.")
    assert kept_picture(page).size == (height, width)


def test_pointer_marks_with_two_clicks_as_well_as_with_a_drag(open_page, picture: bytes) -> None:
    page = open_page()
    add(page, picture)
    open_editor(page)
    page.locator("label", has_text="Arrow").click()
    canvas = page.locator("clear-stage canvas")
    box = canvas.bounding_box()
    assert box is not None
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.click(*at(0.2, 0.2))
    expect(page.locator(".mark-list li")).to_have_count(0)
    page.mouse.click(*at(0.6, 0.4))
    expect(page.locator(".mark-list li")).to_have_count(1)
    page.mouse.move(*at(0.3, 0.7))
    page.mouse.down()
    page.mouse.move(*at(0.8, 0.8), steps=3)
    page.mouse.up()
    expect(page.locator(".mark-list li")).to_have_count(2)


def test_what_the_model_saw_is_shown_with_its_warnings(open_page, picture: bytes) -> None:
    page = open_page()
    with_mini(page)
    add(page, picture)
    page.get_by_role("button", name="What the model saw").press("Enter")
    sheet = page.get_by_role("img", name="The picture as mini saw it, cut into tiles")
    expect(sheet).to_be_visible()
    assert sheet.evaluate("one => one.decode().then(() => one.naturalWidth)") > 50
    assert complaints(page) == []
    press(page, "Escape")
    expect(page.get_by_role("button", name="What the model saw")).to_be_focused()


def test_description_of_a_picture_is_written_by_the_model_and_can_be_put_right(open_page) -> None:
    page = open_page()
    buffer = io.BytesIO()
    with_mini(page)
    Image.new("RGB", (320, 200), "#3355aa").save(buffer, "PNG")
    add(page, buffer.getvalue())
    page.get_by_role("textbox", name="Message").fill("Which colour is it?")
    press_in = page.get_by_role("textbox", name="Message")
    press_in.press("Enter")
    image = page.locator("article.user img")
    expect(image).not_to_have_attribute("alt", "Picture 1: Picture, no description yet", timeout=120_000)
    page.get_by_role("button", name="Edit the description").press("Enter")
    page.get_by_label("Description (alternative text)").fill("A blue wall")
    page.get_by_role("button", name="Save").press("Enter")
    expect(image).to_have_attribute("alt", "A blue wall")
