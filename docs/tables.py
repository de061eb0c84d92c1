"""Computes the tables of operations.md and api.md from the code: `python -m docs.tables` writes them into the pages,
with --check it says which pages are out of date (docs/pages.py).
"""

import ast
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from clearsight.processing.tiles import TileSettings, plan
from clearsight.server.chat import requests as chat
from clearsight.server.config import ModelSettings, ServerConfig, Store
from clearsight.server.errors import TYPES, ApiError
from clearsight.server.gate import is_public, needed_scope
from clearsight.server.responses import requests as responses
from clearsight.server.routes import ROUTERS
from docs.pages import renew

HERE = Path(__file__).parent
SIZES = ((336, 336), (512, 512), (1024, 768), (1920, 1080), (3024, 4032), (100, 2000))


def settings() -> str:
    """Every setting of the server with its default, from the classes that read it."""
    rows = []
    for name, field in ServerConfig.model_fields.items():
        group = ModelSettings if name == "models" else field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            where = "models.NAME" if name == "models" else name
            rows += [
                (f"{where}.{key}", _default(group, key), one.description or "")
                for key, one in group.model_fields.items()
            ]
        else:
            rows.append((name, _default(ServerConfig, name), field.description or ""))
    return _table(("setting", "default", "meaning"), [(f"`{a}`", b, c) for a, b, c in rows])


def _default(group: type[BaseModel], key: str) -> str:
    if group is Store and key == "data":
        return "the user's data folder"
    value = group.model_fields[key].default
    if value is PydanticUndefined or value is None or value in ("", ()):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def routes() -> str:
    """Every address with what it asks of a key and the first sentence of what it does."""
    rows = []
    for router in ROUTERS:
        for route in router.routes:
            for method in sorted(route.methods):  # type: ignore[attr-defined]
                path = route.path  # type: ignore[attr-defined]
                needs = "nothing" if is_public(method, path) else needed_scope(path) or "any key"
                said = (route.endpoint.__doc__ or "").strip().split("\n")[0]  # type: ignore[attr-defined]
                rows.append((f"`{method} {path}`", needs, said))
    return _table(("address", "scope", "what it does"), rows)


def token_costs() -> str:
    """Tiles and image tokens of pictures of the SmolVLM family (512 px, 64 tokens a tile), as the engine plans them."""
    rows = []
    for width, height in SIZES:
        cells = []
        for detail in ("low", "auto", "high"):
            found = plan(width, height, TileSettings(), detail)  # type: ignore[arg-type]
            cells.append(f"{found.num_tiles} x {found.tokens_per_tile} = {found.num_image_tokens}")
        rows.append((f"{width} x {height}", *cells))
    return _table(("picture", "low", "auto", "high"), rows)


def ignored() -> str:
    """Fields that are accepted and have no effect."""
    rows = [("chat completions", ", ".join(f"`{name}`" for name in chat.IGNORED))]
    rows.append(("responses", ", ".join(f"`{name}`" for name in responses.IGNORED)))
    return _table(("API", "accepted, without effect"), rows)


def error_types() -> str:
    """Status and type, as errors.py pairs them."""
    rows = [(str(status), f"`{kind}`") for status, kind in TYPES.items()]
    return _table(("status", "type"), [*rows, ("500 and above", f"`{ApiError(500, '').type}`")])


def error_codes() -> str:
    """Codes with their status, found where the server raises them."""
    found: dict[str, set[str]] = {}
    for path in sorted((HERE.parent / "clearsight/server").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != "ApiError":
                continue
            named = [one.value for one in call.keywords if one.arg == "code"]
            if named and isinstance(named[0], ast.Constant) and isinstance(call.args[0], ast.Constant):
                found.setdefault(str(named[0].value), set()).add(str(call.args[0].value))
    rows = [(f"`{code}`", ", ".join(sorted(at))) for code, at in sorted(found.items())]
    return _table(("code", "status"), rows)


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "operations": {"settings": settings},
    "api": {
        "routes": routes,
        "token costs": token_costs,
        "ignored": ignored,
        "error types": error_types,
        "error codes": error_codes,
    },
}


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )


def main(check: bool) -> int:
    return renew(HERE, TABLES, "python -m docs.tables", check)


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
