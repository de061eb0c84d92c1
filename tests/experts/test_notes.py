"""Notes stand behind their pictures, fit into the room there is, and are made once a picture and tenant."""

import threading

import pytest
from PIL import Image as PILImage
from PIL import ImageDraw

from clearsight.conversation import Conversation, Image, Text, assistant, system, user
from clearsight.experts import Experts, Notes, naming, reading
from clearsight.experts.notes import CUT, OF_ALL, OF_ONE
from clearsight.processing.images import ImageError


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sizes of the pictures that were looked at by both experts, whose findings are their sizes."""
    seen: list[tuple[int, int]] = []

    def found(pixels: PILImage.Image) -> str:
        seen.append(pixels.size)
        return f"{pixels.width} by {pixels.height}"

    monkeypatch.setattr(reading, "surely_written", found)
    monkeypatch.setattr(naming, "shown", lambda pixels: f"thing {pixels.width}")
    return seen


def picture(width: int) -> Image:
    return Image(pixels=PILImage.new("RGB", (width, 8)))


def test_notes_stand_behind_their_pictures_and_nowhere_else(counted):
    said = Experts(True, True).told(
        Conversation(
            (
                system("Be brief."),
                user("First:", picture(10), "second:", picture(20), "Which is larger?"),
                assistant("The second."),
                user("Why?"),
            )
        )
    )
    parts = said.messages[1].parts
    assert [part.text if isinstance(part, Text) else part.pixels.width for part in parts] == [
        "First:",
        10,
        "Text in the picture:\n10 by 8\nThe picture may show: thing 10.\n",
        "second:",
        20,
        "Text in the picture:\n20 by 8\nThe picture may show: thing 20.\n",
        "Which is larger?",
    ]
    assert [message.text for message in said.messages[2:]] == ["The second.", "Why?"]


def test_a_picture_is_looked_at_once_for_each_tenant(counted):
    experts = Experts(True, True)
    for tenant in ("a", "a", "b", "a"):
        experts.told(Conversation((user(picture(10), "What?"),)), tenant)
    assert counted == [(10, 8), (10, 8)]


def test_a_text_alone_is_left_as_it_is(counted):
    conversation = Conversation((user("How are you?"),))
    assert Experts(True, True).told(conversation) is conversation and not counted


def test_without_room_nothing_is_noted_and_nothing_looked_at(counted):
    conversation = Conversation((user(picture(10), "What?"),))
    assert Experts(True, True).told(conversation, characters=20) is conversation and not counted


def test_only_those_are_asked_that_are_there(counted):
    conversation = Conversation((user(picture(10), "What?"),))
    assert Experts(False, False).told(conversation) is conversation
    assert "thing" in Experts(False, True).told(conversation).messages[0].text
    assert not counted


@pytest.mark.parametrize("characters", [45, 100, 400])
def test_long_text_is_cut_where_the_room_ends(characters):
    notes = Notes("\n".join(f"line {n} of a long page" for n in range(200)), "page")
    text = notes.text(characters)
    assert CUT in text and text.endswith("The picture may show: page.\n")
    assert len(text) <= characters + len("Text in the picture:\n") + len(CUT)


def test_many_pictures_share_the_room(monkeypatch):
    monkeypatch.setattr(reading, "surely_written", lambda pixels: "x" * 5000)
    pictures = [picture(width) for width in range(1, 41)]
    told = Experts(True, False).told(Conversation((user(*pictures, "What?"),)))
    noted = [part.text for part in told.messages[0].parts if isinstance(part, Text)][:-1]
    assert len(noted) == 40 and sum(map(len, noted)) < OF_ALL + 40 * 40
    one = Experts(True, False).told(Conversation((user(pictures[0], "What?"),)))
    assert OF_ONE <= len(one.messages[0].text) < OF_ONE + 60


def test_a_broken_picture_is_an_error_of_the_picture(counted):
    with pytest.raises(ImageError):
        Experts(True, True).told(Conversation((user(Image(data=b"no picture"), "What?"),)))


def test_an_expert_that_fails_costs_no_answer(counted, monkeypatch, caplog):
    def fails(pixels: PILImage.Image) -> str:
        raise RuntimeError("no memory")

    monkeypatch.setattr(reading, "surely_written", fails)
    assert Experts(True, True).notes(picture(10)) == Notes("", "thing 10")
    assert "PP-OCR failed at a picture of 10 x 8 pixels" in caplog.text


def test_what_is_written_is_noted_row_by_row():
    pytest.importorskip("rapidocr")
    sheet = PILImage.new("RGB", (640, 240), "white")
    draw = ImageDraw.Draw(sheet)
    for row, cells in enumerate((("Coffee", "4.50"), ("Sandwich", "8.20"), ("Total", "12.70"))):
        for column, cell in enumerate(cells):
            draw.text((40 + 360 * column, 40 + 60 * row), cell, fill="black", font_size=28)
    note = Experts(True, False).notes(Image(pixels=sheet))
    assert [line.split() for line in note.writing.splitlines()] == [
        ["Coffee", "4.50"],
        ["Sandwich", "8.20"],
        ["Total", "12.70"],
    ]


def test_threads_that_ask_at_once_get_the_same_notes(counted):
    experts, found = Experts(True, True), []
    threads = [
        threading.Thread(target=lambda n=n: found.append((n % 3, experts.notes(picture(10 + n % 3)))))
        for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(note.writing == f"{10 + n} by 8" for n, note in found) and len(found) == 24
