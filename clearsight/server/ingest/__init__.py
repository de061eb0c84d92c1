"""The one path on which every picture enters: data URL, remote URL, upload, paste, stored file, moderation.

    async with Ingest(IngestLimits()) as ingest:
        budget = ingest.check_parts(urls, param="messages")
        picture = await ingest.from_url(urls[0], param="messages.0.content.1.image_url.url", budget=budget)

Parts are counted and their lengths summed before any work; the type is read from the bytes; size, shape and frames
from the header; pixels are decoded in a process of its own with little memory, little time and no secrets. What comes
out is pixels, and a file without metadata that shows the same pixels. Bytes of a request are decoded nowhere else.
"""
