"""Pages whose tables are computed by the code, while their prose is written by hand.

A table stands between <!-- table: NAME --> and <!-- end -->.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Tables = Mapping[str, Mapping[str, Callable[[], str]]]
"""For each page, what computes its tables, in their order."""


def written(folder: Path, tables: Tables, name: str) -> str:
    """A page with its tables computed anew. Raises ValueError when the page and `tables` name different ones."""
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    there = re.findall(r"<!-- table: (.+?) -->", page)
    if there != list(tables[name]):
        raise ValueError(
            f"{name}.md has the tables {there}, and tables.py {list(tables[name])}; make them the same"
        )
    for title, compute in tables[name].items():
        before, mark, rest = page.partition(f"<!-- table: {title} -->\n")
        page = f"{before}{mark}{compute()}\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    return page


def renew(folder: Path, tables: Tables, command: str, check: bool) -> int:
    """Write the pages that are out of date, or with `check` say which those are; the exit status."""
    anew = {name: written(folder, tables, name) for name in tables}
    stale = [name for name in tables if anew[name] != (folder / f"{name}.md").read_text(encoding="utf-8")]
    if check:
        if stale:
            print(f"out of date: {', '.join(stale)}; run {command}", file=sys.stderr)
        return int(bool(stale))
    for name in stale:
        (folder / f"{name}.md").write_text(anew[name], encoding="utf-8")
        print(f"wrote {name}.md")
    return 0
