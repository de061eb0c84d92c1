"""Text on its way into the database: what can be kept, and how it is compared in a search.

Searching is by substring, in every script and without regard to case, with the same result on both databases. A
full-text index (FTS5, tsvector) would cut words by rules of a language and differ between the two; a search only
walks over one person's conversations, which their index finds.
"""

import math
import unicodedata
from typing import Any

from clearsight.server.errors import ApiError

MAX_DEPTH = 64


def check(value: Any, param: str, depth: int = 0) -> None:
    """Nothing, if a text or JSON value can be kept. Raises ApiError 400 that names `param`."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ApiError(
                400,
                f"{param} holds a NUL character or half a surrogate pair; send valid Unicode text without NUL.",
                param=param,
                code="invalid_text",
            )
    elif isinstance(value, dict | list):
        if depth == MAX_DEPTH:
            raise ApiError(
                400,
                f"{param} is nested deeper than {MAX_DEPTH} levels; flatten it.",
                param=param,
                code="too_deep",
            )
        for held in value:
            check(held, param, depth + 1)
        for held in value.values() if isinstance(value, dict) else ():
            check(held, param, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ApiError(
            400,
            f"{param} holds a number that isn't finite; JSON has none.",
            param=param,
            code="invalid_number",
        )


def cleaned(value: Any) -> Any:
    """A model's text, or JSON with it, as it can be kept: NUL and halves of surrogate pairs become U+FFFD."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {cleaned(key): cleaned(held) for key, held in value.items()}
    if isinstance(value, list):
        return [cleaned(held) for held in value]
    return value


def folded(text: str) -> str:
    """Text without what a search doesn't care about: case and forms of the same characters (NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def pattern(query: str) -> str:
    """What LIKE ... ESCAPE '\\' is asked for, to find `query` as it is written."""
    escaped = folded(query).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def of_parts(content: list[Any]) -> str:
    """The text of a message's parts, folded."""
    return folded("\n".join(str(part.get("text", "")) for part in content if part.get("type") == "text"))
