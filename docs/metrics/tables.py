"""Computes the tables of these pages with the metrics themselves: `python -m docs.metrics.tables` writes them into the
pages, with --check it says which pages are out of date (docs/pages.py).
"""

import sys
from pathlib import Path

from docs.metrics.examples import TABLES
from docs.pages import renew

HERE = Path(__file__).parent


def main(check: bool) -> int:
    return renew(HERE, TABLES, "python -m docs.metrics.tables", check)


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
