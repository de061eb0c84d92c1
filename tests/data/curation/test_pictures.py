"""Copies of pictures must be found, and drawings that only look alike must not be lost."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from clearsight.data.curation import alignment, neighbours
from clearsight.data.curation.pictures import FINGERPRINT_BYTES, NUM_WINDOWS, fingerprints, measure
from clearsight.data.curation.planted import boundless, cropped, recompressed, resized
from clearsight.data.worlds import load

SHAPES = [load("shapes").sample(seed, "train").picture for seed in range(24)]


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def nearest(a: Image.Image, b: Image.Image) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Looks of the outer and the inner picture, the nearest window of either, and its distance in bits."""
    prints, looks = (fingerprints(a), fingerprints(b)), (alignment.look(a), alignment.look(b))
    distances = [np.bitwise_count(prints[outer] ^ prints[1 - outer][0]).sum(1) for outer in (0, 1)]
    outer = int(distances[1].min() < distances[0].min())
    window = int(distances[outer].argmin())
    return looks[outer], looks[1 - outer], window, int(distances[outer][window])


@pytest.mark.parametrize("change", [resized, recompressed, cropped])
def test_a_changed_picture_is_found_near_and_is_a_copy(change) -> None:
    rng = random.Random(7)
    for picture in SHAPES:
        copy = Image.open(io.BytesIO(change(picture, rng))).convert("RGB")
        outer, inner, window, distance = nearest(picture, copy)
        assert distance <= 18
        assert alignment.is_copy(outer, inner, window)


def test_a_drawing_in_which_one_thing_changed_is_not_a_copy() -> None:
    """Losing these would lose pairs of pictures that differ in one thing, which teach to look closely."""
    rng = random.Random(3)
    for picture in SHAPES:
        changed = picture.copy()
        left, top = rng.randrange(380), rng.randrange(380)
        before = np.asarray(picture.crop((left, top, left + 40, top + 40)), dtype=int).mean((0, 1))
        colour = tuple(int(value) for value in 255 * (before < 128))
        ImageDraw.Draw(changed).rectangle((left, top, left + 40, top + 40), fill=colour)
        outer, inner, window, _ = nearest(picture, changed)
        assert not alignment.is_copy(outer, inner, window)


def test_different_drawings_of_one_world_are_not_copies() -> None:
    prints = np.stack([fingerprints(picture) for picture in SHAPES])
    looks = [alignment.look(picture) for picture in SHAPES]
    for outer, window, inner, _ in neighbours.copies_within(prints, 40):
        assert not alignment.is_copy(looks[outer], looks[inner], window)


def test_fingerprints_are_the_same_on_every_machine() -> None:
    """Fingerprints are stored, and must match those that another machine or version makes."""
    tiles = np.array([(place * place * 7919) % 256 for place in range(64)], dtype=np.uint8).reshape(8, 8)
    found = fingerprints(Image.fromarray(np.kron(tiles, np.ones((16, 16), dtype=np.uint8))))
    assert found.shape == (NUM_WINDOWS, FINGERPRINT_BYTES)
    expected = np.frombuffer(bytes.fromhex(TILES), dtype=np.uint8)
    assert np.bitwise_count(found[0] ^ expected).sum() <= 1


TILES = "57882100c86028c4965f22f3233e3558"


def test_what_can_not_be_decoded_is_named_and_never_raises() -> None:
    whole = png(SHAPES[0])
    for data, word in (
        (b"", "empty"),
        (b"x" * 99, "not a picture"),
        (whole[:3000], "damaged"),
        (boundless(whole), "more than"),
    ):
        assert word in (measure(data, 64_000_000).error or "")
    assert measure(whole, 64_000_000).error is None


def test_blank_and_blurred_pictures_have_low_figures() -> None:
    blank = measure(png(Image.new("RGB", (200, 200), "red")), 10**6)
    sharp = measure(png(SHAPES[0]), 10**6)
    equally_light = Image.new("RGB", (200, 200), (238, 232, 48))
    ImageDraw.Draw(equally_light).ellipse((40, 40, 160, 160), fill=(221, 211, 232))
    blurred = measure(png(SHAPES[0].resize((12, 12)).resize((448, 448))), 10**6)
    assert blank.spread == 0 and blank.entropy == 0
    assert measure(png(equally_light), 10**6).spread > 50
    assert blurred.sharpness < sharp.sharpness / 3


def test_search_by_tables_finds_what_comparing_all_with_all_finds() -> None:
    rng = np.random.default_rng(0)
    prints = rng.integers(0, 256, (400, 1, FINGERPRINT_BYTES), dtype=np.uint8)
    for place in range(200):  # the second half are near copies of the first
        bits = np.unpackbits(prints[place, 0])
        bits[rng.choice(128, 8, replace=False)] ^= 1
        prints[200 + place, 0] = np.packbits(bits)
    found = {
        tuple(sorted((outer, inner))) for outer, _, inner, _ in neighbours.copies_within(prints, 12).tolist()
    }
    wanted = {(place, 200 + place) for place in range(200)}
    assert found <= wanted
    assert len(found) >= 198


def test_a_heap_of_equal_fingerprints_does_not_make_a_heap_of_pairs() -> None:
    """A thousand drawings from one template would otherwise cost half a million comparisons of pixels."""
    prints = np.zeros((1000, 1, FINGERPRINT_BYTES), dtype=np.uint8)
    pairs = neighbours.copies_within(prints, 4)
    assert len(pairs) <= 1000 * neighbours.MOST_CANDIDATES
    assert len(np.unique(np.maximum(pairs[:, 0], pairs[:, 2]))) == 999
