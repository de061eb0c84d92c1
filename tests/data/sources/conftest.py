import io
from collections.abc import Callable

import pytest
from PIL import Image


def encoded(colour: str = "red", format: str = "PNG", size: tuple[int, int] = (24, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, format)
    return out.getvalue()


@pytest.fixture
def drawn() -> Callable[..., bytes]:
    """drawn(colour, format, size) gives a picture file's bytes."""
    return encoded
