"""Advice about pictures, on drawn ones made worse in known ways."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from clearsight.data import worlds
from clearsight.data.degrade import degrade
from clearsight.describing.quality import ADVICE, quality


@pytest.fixture(scope="module")
def scene() -> object:
    return worlds.load("pages").sample(3, "eval")


def problems(picture: Image.Image) -> list[str]:
    return [finding.problem for finding in quality(picture).findings]


def page(size: tuple[int, int] = (900, 600), left: int = 60, ink: int = 20, ground: int = 245) -> Image.Image:
    """A sheet with lines of writing."""
    picture = Image.new("RGB", size, (ground,) * 3)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=30)
    for line in range(8):
        draw.text((left, 40 + 64 * line), "Take two tablets with water", fill=(ink,) * 3, font=font)
    return picture


def test_sharp_page_gets_no_advice() -> None:
    assert problems(page()) == []


@pytest.mark.parametrize(("kind", "problem"), [("blur", "blurred"), ("low light", "dark")])
def test_degraded_picture_gets_the_advice_that_helps(scene: object, kind: str, problem: str) -> None:
    assert problem not in problems(scene.picture)  # type: ignore[attr-defined]
    worse = degrade(scene, kind, 0.45 if kind == "blur" else 1.0, random.Random(0))  # type: ignore[arg-type]
    assert problem in problems(worse.picture)


def test_overexposed_picture_is_called_too_bright() -> None:
    pixels = 255 - (255 - np.asarray(page(), dtype=np.float32)) / 4
    assert problems(Image.fromarray(pixels.astype(np.uint8))) == ["bright"]


def test_covered_lens_is_told_as_dark_and_empty_wall_as_flat() -> None:
    assert problems(Image.new("RGB", (640, 480), (4, 4, 4))) == ["dark"]
    assert problems(Image.new("RGB", (640, 480), (120, 130, 125))) == ["flat"]


def test_thumbnail_is_told_as_small() -> None:
    assert "small" in problems(page().resize((120, 80)))


def test_every_finding_says_what_to_do() -> None:
    assert all(len(advice.split(". ")) == 2 for advice in ADVICE.values())


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_any_mode_of_picture_can_be_judged(mode: str) -> None:
    quality(page().convert(mode))


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (31, 33)])
def test_odd_sizes_are_judged_without_failing(size: tuple[int, int]) -> None:
    assert "small" in problems(Image.new("RGB", size, (200, 10, 10)))
