"""Data URLs (RFC 2397) of pictures.

What is read: `data:`, in any case; a type that is left out, is image/... or application/octet-stream, and never
decides anything, for the bytes do; further parameters, ignored; `;base64`; a comma; base64 as browsers read it (the
"forgiving" decoding of the WHATWG's Infra standard): ASCII whitespace is skipped, padding may be missing, the alphabet
is the standard one. Percent-encoded bytes, the URL-safe alphabet and other types are refused in words.
"""

import base64
import binascii
import re

from clearsight.server.ingest.formats import Refusal

_HEAD = re.compile(r"data:([^,;]{0,128})((?:;[^,;]{0,128}){0,8}),", re.IGNORECASE)
_SPACE = {ord(space): None for space in " \t\r\n\f"}
_CODE = "invalid_base64_image"


def is_data_url(url: str) -> bool:
    """Whether it is meant as one, valid or not."""
    return url[:5].lower() == "data:"


def decoded_length(url: str) -> int:
    """About how many bytes it holds, never too few by more than padding, without looking at them."""
    return max(len(url) - url.find(",", 0, 2048) - 1, 0) * 3 // 4


def parse_data_url(url: str) -> bytes:
    """The bytes. Raises Refusal."""
    head = _HEAD.match(url)
    if head is None:
        raise Refusal(
            "A data URL of a picture begins with data:image/png;base64, and goes on in base64.", _CODE
        )
    claimed = head[1].strip().lower()
    if claimed and not claimed.startswith("image/") and claimed != "application/octet-stream":
        raise Refusal(
            "The data URL does not claim to be a picture; give it a type such as image/png.",
            "unsupported_image_media_type",
        )
    if not head[2].lower().endswith(";base64"):
        raise Refusal(
            "The data URL is not in base64; write ;base64 before the comma and encode the file.", _CODE
        )
    text = url[head.end() :].translate(_SPACE)
    if not text:
        raise Refusal("The picture is empty (0 bytes); send the file again.", "empty_image_file")
    text = text.rstrip("=") if len(text) % 4 == 0 and not text.endswith("===") else text
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(
            "The data URL holds something other than base64 of the standard alphabet (A-Z, a-z, 0-9, + and /); "
            "encode the file again.",
            _CODE,
        ) from None
