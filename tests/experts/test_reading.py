"""What is surely text is told; strokes that are taken for letters are not."""

import pytest
from PIL import Image as PILImage
from PIL import ImageDraw

from clearsight.data.curation.optional_models import Piece
from clearsight.evals.suites.real.provenance import PICTURES
from clearsight.experts import reading

pytest.importorskip("rapidocr")


@pytest.mark.parametrize("name", ["spoons", "farm-cow", "ladybird", "seeding"])
def test_strokes_in_photographs_are_not_told(name):
    assert reading.surely_written(PILImage.open(PICTURES / f"{name}.webp")) == ""


@pytest.mark.parametrize("size", [(200, 60), (2400, 700)])
def test_small_and_large_pictures_are_read(size):
    sheet = PILImage.new("RGB", size, "white")
    ImageDraw.Draw(sheet).text(
        (size[0] // 10, size[1] // 4), "Platform 9", fill="black", font_size=size[1] // 3
    )
    assert reading.surely_written(sheet) == "Platform 9"


def test_what_the_reader_doubts_is_left_out_and_a_stray_character_is_nothing(monkeypatch):
    found = [Piece((0, 0, 50, 10), "Total", 0.99), Piece((60, 0, 90, 10), "l2.5O", 0.6)]
    monkeypatch.setattr(reading, "read_pieces", lambda data: found)
    sheet = PILImage.new("RGB", (100, 20), "white")
    assert reading.surely_written(sheet) == "Total"
    assert reading.written(sheet) == "Total l2.5O"
    found[:] = [Piece((0, 0, 10, 10), "8", 0.99)]
    assert reading.surely_written(sheet) == ""
