"""JSON that may come in: strict where Python is lenient, and complaints that name the field as clients know it.

Refused with 400: what is no UTF-8, half a surrogate pair, NaN and Infinity, a key twice in one object, nesting
deeper than MAX_DEPTH, unknown fields, numbers in strings. A route declares a pydantic model of `Body` and is made by
`StrictRoute`.
"""

import difflib
import json
import re
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from clearsight.server.errors import ApiError

SHOWN = 60  # characters of a value in a message
MAX_DEPTH = 128
"""Objects and lists inside each other: far more than any schema has, far less than a call stack holds."""
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Body(BaseModel):
    """What a request may hold: nothing that isn't named, and no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StrictRoute(APIRoute):
    """A route whose JSON is read by `parse`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = parse(await self.body())
        return self._json


def parse(data: bytes) -> Any:
    """The value of JSON text. Raises ApiError for what is none, in the strict sense above."""
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise ApiError(400, "The body is not UTF-8.", code="invalid_json") from None
    except RecursionError:
        raise ApiError(400, "The body is nested too deeply.", code="invalid_json") from None
    except ValueError as error:
        place = f" (at character {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise ApiError(400, f"The body is not JSON{place}.", code="invalid_json") from None
    texts = SURROGATE.search(data) is not None
    if texts or data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _check(value, texts=texts)
    return value


def _check(value: Any, *, texts: bool) -> None:
    """Raises ApiError for what is nested too deeply, and with `texts` for half a surrogate pair."""
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        held, steps = waiting.pop()
        if isinstance(held, str):
            if texts and any("\ud800" <= character <= "\udfff" for character in held):
                raise ApiError(
                    400,
                    f"{_param(steps) or 'The body'} holds half a surrogate pair; send valid Unicode.",
                    param=_param(steps) or None,
                    code="invalid_text",
                )
        elif isinstance(held, dict | list):
            if len(steps) == MAX_DEPTH:
                raise ApiError(
                    400,
                    f"The body is nested deeper than {MAX_DEPTH} levels.",
                    param=_param(steps[:1]) or None,
                    code="too_deep",
                )
            inside = held.items() if isinstance(held, dict) else enumerate(held)
            waiting += (
                (one, (*steps, step)) for step, one in inside if texts or isinstance(one, dict | list)
            )
            if texts and isinstance(held, dict):
                waiting += ((key, steps) for key in held)


def _no_constant(name: str) -> Any:
    raise ApiError(400, f"JSON has no number {name}.", code="invalid_json")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ApiError(400, f"The key {twice[:SHOWN]!a} stands twice in one object.", code="invalid_json")
    return found


async def check_form(request: Request, known: Collection[str]) -> None:
    """Raises ApiError for a field of a form that isn't among these."""
    form = await request.form()
    for name in form:
        if name not in known:
            shown = name[:SHOWN]
            raise ApiError(400, f"There is no field {shown} here.", param=shown, code="unknown_parameter")


def invalid(error: RequestValidationError) -> ApiError:
    """The complaint about the deepest thing that is wrong, which is the one that was most probably meant."""
    errors = error.errors()
    worst = max(errors, key=lambda one: (_depth(one, error.body), one["type"] != "missing"))
    source, *loc = worst["loc"]
    root = error.body if source == "body" else None
    steps = _steps(loc, root) if source == "body" else list(loc)
    param = _param(steps)
    return ApiError(400, _sentence(worst, param, steps), param=param or None, code=_code(worst["type"]))


def _depth(one: dict[str, Any], body: Any) -> int:
    return len(_steps(one["loc"][1:], body)) if one["loc"] and one["loc"][0] == "body" else 0


def _steps(loc: Sequence[str | int], body: Any) -> list[str | int]:
    """The steps of a place that lead through the body; names of alternatives, which pydantic adds, are left out."""
    steps: list[str | int] = []
    for number, step in enumerate(loc):
        last = number == len(loc) - 1
        if isinstance(body, dict) and isinstance(step, str) and (step in body or last):
            steps.append(step)
            body = body.get(step)
        elif isinstance(body, list) and isinstance(step, int) and step < len(body):
            steps.append(step)
            body = body[step]
    return steps


def _param(steps: Sequence[str | int]) -> str:
    """messages[0].content[1].image_url.url"""
    text = ""
    for step in steps[:20]:
        name = step if isinstance(step, int) else step[:SHOWN].encode("utf-8", "replace").decode()
        text += f"[{name}]" if isinstance(step, int) else (f".{name}" if text else str(name))
    return text[:300]


def _code(kind: str) -> str:
    return {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}.get(
        kind, "invalid_value"
    )


_MUST_BE = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "null",
    "string_unicode": "valid Unicode: half a surrogate pair is not",
}


def _sentence(one: dict[str, Any], param: str, steps: Sequence[str | int]) -> str:
    kind, context = one["type"], one.get("ctx") or {}
    name = param or "The body"
    if kind == "missing":
        return f"{name} is required." if param else "The request needs a JSON body."
    if kind == "extra_forbidden":
        known = [str(one) for one in context.get("known", ())]
        near = difflib.get_close_matches(str(steps[-1]) if steps else "", known, 1)
        return f"There is no field {name} here; take it out." + (f" Did you mean {near[0]}?" if near else "")
    if kind in _MUST_BE:
        return f"{name} has to be {_MUST_BE[kind]}."
    if kind in ("literal_error", "enum"):
        return f"{name} has to be {context.get('expected')}."
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        expected = context.get("expected_tags")
        field = str(context.get("discriminator", "type")).strip("'")
        what = f"one of {expected}" if expected else "named"
        return f"{name}: {field} has to be {what}."
    for bound, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if bound in context:
            return f"{name} has to be {words} {context[bound]}."
    if kind in ("string_too_long", "too_long"):
        return f"{name} is longer than {context.get('max_length')}."
    if kind in ("string_too_short", "too_short"):
        return f"{name} is shorter than {context.get('min_length')}."
    if kind == "value_error" and isinstance(context.get("error"), ValueError):
        return f"{name}: {context['error']}"
    if kind == "json_invalid":
        return "The body is not JSON."
    return f"{name} has a value that can't be used here."
