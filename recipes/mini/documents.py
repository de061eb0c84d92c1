"""Tables of documents that the recipe's measurements write: nothing is typed over."""

from pathlib import Path

END = "<!-- end of scores -->"


def mark(module: str) -> str:
    """What a module's table begins with."""
    return f"<!-- scores of recipes.mini.{module} -->"


def fill(document: Path, module: str, markdown: str) -> None:
    """Put the table in place of what stands between a module's mark and the next end."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(mark(module))
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{document} has no place for the table: {mark(module)} ... {END}")
    document.write_text(f"{before}{begin}\n{markdown}\n{end}{after}", encoding="utf-8")
