import io
import struct
import time
import tracemalloc
import zlib

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from PIL import Image as PILImage

from clearsight.conversation import Image
from clearsight.processing.images import (
    ImageError,
    conversation_image_size,
    decode,
    from_conversation_image,
    image_size,
)


def encoded(picture: PILImage.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (10_000, 9_000), (2**31 - 1, 1)])
@pytest.mark.parametrize("read", [decode, image_size])
def test_a_hostile_header_costs_neither_time_nor_memory(read, size) -> None:
    data = png_header(*size)
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(ImageError, match=r"pixels.*make it smaller"):
        read(data)
    assert time.perf_counter() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


RED = PILImage.new("RGB", (60, 40), (200, 10, 10))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"empty \(0 bytes\); send the file again"),
        (b"hello, this is text", "not a picture that can be read; send PNG, JPEG"),
        (b"%PDF-1.7 ...", "a PDF document, which is not supported; convert it"),
        (b"<?xml version='1.0'?><svg xmlns=''></svg>", "an SVG drawing"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "an HEIC picture, which is not supported; convert it"),
        (b"\0\0\0\x18ftypavif" + b"\0" * 40, "an AVIF picture"),
        (encoded(RED)[:20], "header is damaged"),
        (encoded(RED, "PPM"), "not a picture that can be read"),
        (encoded(RED, "ICO"), "not a picture that can be read"),
    ],
)
def test_bytes_that_are_no_picture_are_refused_with_a_remedy(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        decode(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_cut_short_is_refused_rather_than_seen_half(format: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(PILImage.fromarray(values), format)
    with pytest.raises(ImageError, match="again"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1)])
def test_extreme_shapes_are_read(size: tuple[int, int]) -> None:
    data = encoded(PILImage.new("RGB", size))
    assert decode(data).size == image_size(data) == size


def test_a_shape_limit_of_the_caller_holds_for_bytes_and_for_pixels() -> None:
    with pytest.raises(ImageError, match="60 x 40 pixels, more than the 100 that are accepted"):
        decode(encoded(RED), max_pixels=100)
    with pytest.raises(ImageError, match="more than the 100"):
        from_conversation_image(Image(pixels=RED), max_pixels=100)
    assert PILImage.MAX_IMAGE_PIXELS == 89_478_485


def test_transparency_shows_white_and_not_what_lay_hidden_beneath() -> None:
    picture = PILImage.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert decode(encoded(picture)).getpixel((0, 0)) == (255, 255, 255)
    grey = PILImage.new("LA", (4, 4), (0, 128))
    assert decode(encoded(grey)).getpixel((0, 0)) == (127, 127, 127)


def test_an_animation_is_seen_by_its_first_frame() -> None:
    frames = [PILImage.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
        assert decode(data).getpixel((0, 0)) == (255, 0, 0), format


def test_a_multi_picture_jpeg_counts_as_jpeg() -> None:
    data = encoded(RED, "MPO", save_all=True, append_images=[RED])
    assert decode(data).size == (60, 40)


@pytest.mark.parametrize("mode", ["I", "F"])
@pytest.mark.parametrize(
    ("values", "shades"),
    [
        ([0, 128, 255], [0, 128, 255]),
        ([0, 32768, 65535], [0, 128, 255]),
        ([-100_000, 0, 100_000], [0, 128, 255]),
        ([7, 7, 7], [7, 7, 7]),
    ],
)
def test_deep_grey_keeps_its_shades(mode: str, values: list[int], shades: list[int]) -> None:
    array = np.array([values], dtype=np.int32 if mode == "I" else np.float32)
    picture = decode(encoded(PILImage.fromarray(array), "TIFF"))
    assert np.asarray(picture)[0, :, 0].tolist() == shades


def test_floating_grey_with_holes_is_seen() -> None:
    array = np.array([[0.0, 0.5, 1.0, np.nan, np.inf]], dtype=np.float32)
    picture = decode(encoded(PILImage.fromarray(array), "TIFF"))
    assert np.asarray(picture)[0, :, 0].tolist() == [0, 128, 255, 0, 0]
    constant = np.full((2, 2), -3.0, dtype=np.float32)
    assert decode(encoded(PILImage.fromarray(constant), "TIFF")).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 10))
def test_the_size_in_the_header_is_the_size_that_is_seen(orientation: int, format: str) -> None:
    exif = PILImage.Exif()
    exif[0x0112] = orientation
    image = Image(data=encoded(RED, format, exif=exif))
    assert conversation_image_size(image) == from_conversation_image(image).size


def test_an_orientation_written_after_the_pixels_of_a_png_is_followed() -> None:
    plain = encoded(RED)
    exif = PILImage.Exif()
    exif[0x0112] = 6
    chunk = png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    data = plain[:-12] + chunk + plain[-12:]
    assert decode(data).size == image_size(data) == (40, 60)


def test_broken_metadata_does_not_cost_the_picture() -> None:
    plain = encoded(RED)
    data = plain[:33] + png_chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff") + plain[33:]
    assert decode(data).size == (60, 40)
    assert decode(encoded(RED, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).size == (60, 40)


def test_pixels_are_used_as_they_are() -> None:
    picture = from_conversation_image(Image(pixels=RED))
    assert picture.mode == "RGB" and picture.tobytes() == RED.tobytes()
    assert from_conversation_image(Image(pixels=RED.convert("L"))).mode == "RGB"


def test_a_twelve_megapixel_photo_is_read_quickly() -> None:
    data = encoded(PILImage.radial_gradient("L").resize((4000, 3000)).convert("RGB"), "JPEG", quality=80)
    began = time.process_time()
    assert decode(data).size == (4000, 3000)
    assert time.process_time() - began < 2


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(
    position=st.integers(0, 2000),
    value=st.integers(0, 255),
    format=st.sampled_from(["PNG", "GIF", "TIFF", "BMP"]),
)
def test_a_flipped_byte_gives_a_picture_or_an_image_error_and_nothing_else(
    position: int, value: int, format: str
) -> None:
    data = bytearray(encoded(PILImage.linear_gradient("L").resize((20, 20)).convert("RGB"), format))
    data[position % len(data)] = value
    try:
        assert decode(bytes(data), max_pixels=100_000).mode == "RGB"
    except ImageError as error:
        assert ";" in str(error)
