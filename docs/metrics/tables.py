"""Computes the tables of these pages with the metrics themselves: `python -m docs.metrics.tables` writes them into the
pages, with --check it says which pages are out of date. The prose is written by hand.

A table stands between <!-- table: NAME --> and <!-- end -->.
"""

import re
import sys
from pathlib import Path

from docs.metrics.examples import TABLES

HERE = Path(__file__).parent


def written(name: str) -> str:
    """A page with its tables computed anew. Raises ValueError when the page and TABLES name different ones."""
    page = (HERE / f"{name}.md").read_text(encoding="utf-8")
    there = re.findall(r"<!-- table: (.+?) -->", page)
    if there != list(TABLES[name]):
        raise ValueError(
            f"{name}.md has the tables {there}, and tables.py {list(TABLES[name])}; make them the same"
        )
    for title, compute in TABLES[name].items():
        before, mark, rest = page.partition(f"<!-- table: {title} -->\n")
        page = f"{before}{mark}{compute()}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    return page


def main(check: bool) -> int:
    stale = [name for name in TABLES if written(name) != (HERE / f"{name}.md").read_text(encoding="utf-8")]
    if check:
        if stale:
            print(f"out of date: {', '.join(stale)}; run python -m docs.metrics.tables", file=sys.stderr)
        return int(bool(stale))
    for name in stale:
        (HERE / f"{name}.md").write_text(written(name), encoding="utf-8")
        print(f"wrote {name}.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
