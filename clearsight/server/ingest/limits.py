"""What is accepted of pictures, in one place. Every number bounds something that a request could make grow.

The defaults let through what phones, scanners and screenshots produce: 64 megapixels, panoramas, long scrolled
pages. Rates (pixels a minute) belong to the caller's limits for each key, not here.
"""

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class IngestLimits:
    """Bounds on one picture, on the pictures of one request, and on decoding."""

    max_picture_bytes: int = 20 * MEBIBYTE
    max_pixels: int = 64_000_000
    """Width times height, read from the header before anything is decoded."""
    max_side: int = 40_000
    max_aspect: int = 200
    """Longer side over shorter side. Beyond it a picture shows a line to people and nothing to a model."""
    max_frames: int = 1_000
    """Of animations and multi-page files. The first frame alone is ever decoded; the rest only has to be skipped."""
    max_scans: int = 100
    """Of a progressive JPEG: each scan passes over all pixels, so a small file could cost minutes."""
    max_pictures: int = 50
    max_request_picture_bytes: int = 50 * MEBIBYTE
    max_request_pixels: int = 256_000_000
    """All pictures of a request together: fifty small files of one colour could otherwise fill 13 GB."""
    decode_seconds: int = 10
    """Processor time for one picture. Three times that by the clock ends it as well."""
    decode_memory_bytes: int = 1536 * MEBIBYTE
    """Address space of a decoding process above what it has when it starts."""
    pictures_per_worker: int = 2_000
    """Then a decoding process is replaced; a hundred thousand broken files made one grow by 50 MB."""
    cache_bytes: int = 256 * MEBIBYTE
    """Of decoded pictures that are kept for requests that send them again."""
    seen_edges: tuple[int, ...] = (512,)
    """Longest edges, in pixels, at which a model sees pictures: where text hidden by scaling would come out."""


@dataclass(frozen=True)
class RemoteLimits:
    """Bounds on fetching a picture from an address that a request names."""

    ports: frozenset[int] = frozenset({80, 443})
    max_redirects: int = 3
    max_url_characters: int = 8_192
    connect_seconds: float = 3.0
    """For looking a name up and connecting to it, on each hop."""
    total_seconds: float = 15.0
    max_concurrency: int = 16
